"""One catalogue serves all reviews of a process: what one has named changes nothing for the next."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater import limits
from headwater.apis.load import Catalogue, load
from headwater.apis.paths import Patterns, expand, split
from headwater.rules import catalogue
from headwater.rules.catalogue import ready
from headwater.rules.load import call_rules, load_rules

RULES = list(load_rules().values())


def named() -> list[str]:
    """A path for every pattern."""
    made = Catalogue(load(), call_rules(RULES))
    firsts = {name: split(expand(many[0])[0])[0] for name, many in made.types.items()}
    paths: dict[str, None] = {}
    for path, _ in made.placed:
        steps = list(split(expand(path)[0].replace("**", "x").replace("*", "x")))
        if steps[0] in firsts:
            steps = [*split(expand(made.types[steps[0]][0])[0]), *steps[1:]]
        paths["".join(step if step in ("()", "[]") else f".{step}" for step in steps).removeprefix(".")] = None
    return list(paths)


def said(paths: Patterns[Any], asked: list[str]) -> dict[str, object]:
    found = {one: paths.find(one) for one in asked}
    return {one: node and (node.text, node.depth, sorted(node.types), list(map(id, node.entries))) for one, node in found.items()}


def test_what_is_named_first_changes_nothing() -> None:
    asked = named()
    alone = Catalogue(load(), call_rules(RULES)).again()
    before = [(said(alone.again().paths, [one])[one]) for one in asked[::25]]
    forwards = said(alone.again().paths, asked)
    backwards = said(alone.again().paths, asked[::-1])
    assert sum(one is not None for one in forwards.values()) > 3_000
    assert forwards == backwards
    assert before == [forwards[one] for one in asked[::25]]
    assert alone.again().paths.first_names() == Catalogue(load(), call_rules(RULES)).paths.first_names()


def test_paths_belong_to_one_review() -> None:
    one, other = ready(load(), RULES, ()), ready(load(), RULES, ())
    assert one.placed is other.placed
    found = one.paths.find("openai.OpenAI()")
    assert found is not None
    assert found is one.paths.find("openai.OpenAI()")
    assert found is not other.paths.find("openai.OpenAI()")


def test_other_rules_and_models_are_told_apart() -> None:
    models = load()
    whole = ready(models, RULES, ())
    assert ready(models, RULES, ("a.b",)).placed is not whole.placed
    assert ready(models[1:], RULES, ()).placed is not whole.placed
    assert ready(models, [rule for rule in RULES if not rule.head.calls], ()).placed is not whole.placed
    changed = [(models[0][0], msgspec.structs.replace(models[0][1], apis=[])), *models[1:]]
    assert len(ready(changed, RULES, ()).placed) == len(whole.placed) - len(
        [path for api in models[0][1].apis for path in ([api.path] if isinstance(api.path, str) else api.path)]
    )
    assert len(catalogue._kept) == limits.CATALOGUES


def test_what_is_made_of_it_is_made_once() -> None:
    one = ready(load(), RULES, ())
    assert one.once("test", lambda: object()) is one.again().once("test", lambda: object())
