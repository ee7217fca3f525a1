"""The examples of every API model file: what is reported is exactly what their comments expect; and laws over all files.

``# expect: rule-id`` is a finding of a rule. ``# flow: cli-to-shell`` is a flow from a source kind to a sink class that no rule
reports: models also say what is for rules yet to come, or for those of users. Of the flows that an example names, those found are
exactly the marked ones. Where an example has a ``map``, the system map of its code is exactly that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

import headwater
from headwater.apis.load import check_path, example_file, load
from headwater.apis.paths import expand, split
from headwater.apis.schema import SINK_CLASSES, SOURCE_KINDS, Api, ApiFile, Example
from headwater.components import SystemMap
from headwater.config import Config
from headwater.rules import builtin
from headwater.rules.load import Rule, load_rules
from headwater.rules.schema import FlowPattern, RuleHead

FILES = load()
EXAMPLES = [(name, number, example) for name, file in FILES for number, example in enumerate(file.examples)]
MARK = re.compile(r"(?:#|//)\s*(expect|MISSING|SPURIOUS|flow):\s*([a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)")

Reported = set[tuple[str, int, str]]


DATED = frozenset({"vulnerable-package"})
"""Rules whose findings in a manifest change with the data that Headwater ships: examples may mark them, and need not."""


def marks(example: Example, app: str = "app.py") -> dict[str, Reported]:
    """What the comments of an example say, by word."""
    found: dict[str, Reported] = {"expect": set(), "MISSING": set(), "SPURIOUS": set(), "flow": set()}
    for path, text in {app: example.code, **example.files}.items():
        for number, line in enumerate(text.splitlines(), 1):
            for word, names in MARK.findall(line):
                found[word] |= {(path, number, rule.strip()) for rule in names.split(",")}
    return found


def rules_for(example: Example) -> Mapping[str, Rule]:
    """All rules, and one for each flow that the example names, since no rule reports it."""
    known = load_rules()
    made: dict[str, Rule] = {}
    for name in sorted({name for _, _, name in marks(example)["flow"]}):
        kind, _, class_ = name.partition("-to-")
        flow = FlowPattern([kind], [class_])
        made[name] = Rule(RuleHead(name, "A flow", "low", "{source} reaches {sink}.", "Nothing.", flow=flow), "", 0, f"{name}.md")
        assert kind in SOURCE_KINDS, f"{name}: {kind!r} is no source kind"
        assert class_ in SINK_CLASSES, f"{name}: {class_!r} is no sink class"
        assert not any((kind, class_) in rule.pairs for rule in known.values()), f"{name}: a rule reports it, so the mark is expect"
    return {**known, **made}


def drawn(system: SystemMap) -> list[str]:
    """A system map as examples write it."""
    names = {one.id: f"{one.type} {one.name}" for one in system.components}
    able = [f"{names[one.id]} can {ability.name}" for one in system.components for ability in one.abilities]
    return sorted([*names.values(), *able, *(f"{names[one.from_]} {one.kind} {names[one.to]}" for one in system.edges)])


@pytest.mark.parametrize(
    ("name", "example"),
    [(name, example) for name, _, example in EXAMPLES],
    ids=[f"{name.removesuffix('.yaml')}-{number}: {example.why}" for name, number, example in EXAMPLES],
)
def test_example(name: str, example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in {example_file(name): example.code, **example.files}.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    known = rules_for(example)
    monkeypatch.setattr(builtin, "rules", lambda *_: known)
    review = headwater.review(tmp_path, Config(processes=1))
    reported = {
        (finding.place.path, review.sources[finding.place.path].position(finding.place.start)[0], finding.rule)
        for finding in review.findings
    }
    said = marks(example, example_file(name))
    reported = {one for one in reported if one[2] not in DATED or one in said["expect"]}
    assert not [gap for gap in review.coverage.gaps if gap.kind == "parse-error"], f"{name}: the example cannot be parsed"
    assert not said["MISSING"] & reported, f"{name}: found now, so MISSING must become expect"
    assert said["SPURIOUS"] <= reported, f"{name}: quiet now, so SPURIOUS can go"
    assert reported - said["SPURIOUS"] == said["expect"] | said["flow"], f"{name}: not as expected; gaps: {review.coverage.gaps}"
    if example.map:
        assert drawn(review.system) == sorted(example.map), f"{name}: another system map"


# -------------------------------------------------------------------------------------------------------------- laws


def paths(api: Api) -> list[str]:
    return [api.path] if isinstance(api.path, str) else api.path


@pytest.mark.parametrize(("name", "file"), FILES, ids=[name for name, _ in FILES])
def test_every_file_has_a_firing_and_a_quiet_example(name: str, file: ApiFile) -> None:
    firing = [bool(said["expect"] | said["MISSING"]) for said in map(marks, file.examples)]
    assert True in firing, f"{name}: no example that fires"
    assert False in firing, f"{name}: no example that is quiet"


@pytest.mark.parametrize(("name", "file"), FILES, ids=[name for name, _ in FILES])
def test_every_path_parses(name: str, file: ApiFile) -> None:
    for path in [*(one for api in file.apis for one in paths(api)), *(one for many in file.types.values() for one in many)]:
        check_path(path)
        for reading in expand(path):
            steps = split(reading)
            assert all("?" not in step for step in steps[1:]), f"{name}: {reading!r}: ? stands for a receiver only"


def test_the_rules_of_examples_exist() -> None:
    for name, _, example in EXAMPLES:
        known = rules_for(example)
        for _, line, rule in set().union(*marks(example).values()):
            assert rule in known, f"{name}: line {line} of an example expects {rule}"


def test_names_of_types_are_unique() -> None:
    counts = Counter(name for _, file in FILES for name in file.types)
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(("name", "file"), FILES, ids=[name for name, _ in FILES])
def test_sinks_say_what_they_do_and_sources_what_they_are(name: str, file: ApiFile) -> None:
    for api in file.apis:
        assert all(sink.does for sink in api.sinks), f"{name}: a sink of {api.path} has no 'does'"
        assert api.label or not (api.returns or api.yields), f"{name}: the source {api.path} has no 'label'"
        assert not (api.returns and api.yields), f"{name}: {api.path} is called or read, not both"
        for words in (api.label, *(sink.does for sink in api.sinks)):
            assert words == words.strip(" ."), f"{name}: {words!r} is put into a sentence"


@pytest.mark.parametrize(("name", "file"), FILES, ids=[name for name, _ in FILES])
def test_every_entry_says_something(name: str, file: ApiFile) -> None:
    empty = Api(path="")
    for api in file.apis:
        said = [
            field
            for field in api.__struct_fields__
            if field not in ("path", "label", "when", "clean", "at") and getattr(api, field) != getattr(empty, field)
        ]
        assert said, f"{name}: {api.path} is described by nothing"
