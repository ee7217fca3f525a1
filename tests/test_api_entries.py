"""The law of API models: every entry has an example in its file that gives something else without it.

For each example the result is computed once with all models, keeping which API paths it asked for. Then each entry of the file is
taken away, from the examples that asked for one of its paths, those first that spell most of it, until one gives something else; and
what types are in the system map, from the examples that show one. What is
compared is all that a user sees: rule, place, confidence, message and traces, and the map of an example that shows it. Building a
catalogue of everything for each entry would cost minutes, so an example is given only the entries whose first name is in its text, and
those of other files only where the last is too; that the comments of the example still hold is part of the test. What is told by
convention where no model speaks is switched off: the models would hide behind it.
"""

from __future__ import annotations

import functools
import gc
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater import ir
from headwater.apis.load import CallRule, Catalogue, example_file, load
from headwater.apis.paths import expand, split
from headwater.apis.schema import Api, ApiFile, Example, Operator
from headwater.files.beside import Beside
from headwater.files.source import Source
from headwater.files.versions import declared
from headwater.findings import Finding
from headwater.frontends.pool import lower_source
from headwater.index.symbols import Symbols
from headwater.rules.load import call_rules, load_rules
from headwater.system.build import Builder
from headwater.system.checks import CHECKS, check
from headwater.taint import own_tools
from headwater.taint.findings import Reporter
from headwater.taint.guards import NAMES, SPECIAL
from headwater.taint.labels import clear_interned
from headwater.taint.programs import KNOWN
from headwater.taint.solve import Solver
from headwater.taint.value import clear_joined
from test_api_examples import drawn, marks, rules_for

FILES = load()

_PREFIX = re.compile(r"^(?:\?:?|npm:|node:|js:)")
_PACKAGE = re.compile(r"^(npm:(?:@[^/]+/)?[^/]+|node:[^/]+).*")
"""The name of a package, or of a module of Node, without its parts."""
ALWAYS = ("", "builtins", "langchain_core", "jsx", "RegExp", "write", "update")
"""What code need not spell: first names of unknown receivers, builtins, chains made by an operator, elements of JSX and patterns, and
last names of what is done to objects that are handed to libraries to be filled.
"""


def paths(api: Api) -> list[str]:
    return [api.path] if isinstance(api.path, str) else api.path


def last(reading: str) -> str:
    """The last name of a path, if code must spell it: any name, a special method, a library or a type it need not."""
    names = [step for step in split(reading) if step not in ("()", "[]")]
    return "" if len(names) == 1 or "*" in names[-1] or names[-1].startswith("__") else names[-1]


class World:
    """What all runs share: the first and the last names of every pattern."""

    def __init__(self) -> None:
        self.types = {name: many for _, file in FILES for name, many in file.types.items()}
        self.apis = [(api, *self.ends(paths(api))) for _, file in FILES for api in file.apis]
        self.operators = [op for _, file in FILES for op in file.operators]
        self.components = {name: kind for _, file in FILES for name, kind in file.components.items()}
        self.calls = [(path, rule, *self.ends([path])) for path, rule in call_rules(load_rules().values())]
        self.special = [(path, self.firsts(path)) for path in (*SPECIAL, *NAMES, *KNOWN)]

    @functools.cache  # noqa: B019
    def firsts(self, path: str) -> frozenset[str]:
        """The first names of a path's readings, types resolved."""
        names = {split(reading)[0] for reading in expand(path)}
        todo = sorted(names & self.types.keys())
        while todo:
            more = {split(reading)[0] for one in self.types[todo.pop()] for reading in expand(one)} - names
            names |= more
            todo += sorted(more & self.types.keys())
        return frozenset(_PREFIX.sub("", _PACKAGE.sub(r"\1", name)) for name in names - self.types.keys())

    def ends(self, many: list[str]) -> tuple[frozenset[str], frozenset[str]]:
        """The first and the last names of some paths."""
        return frozenset().union(*map(self.firsts, many)), frozenset(last(reading) for path in many for reading in expand(path))

    @functools.cache  # noqa: B019
    def given(self, said: tuple[str, ...]) -> frozenset[str]:
        """The first names of the objects that a library gives to a function: its code need not spell them."""
        return frozenset(first for one in said if ":" in one or "." in one for first in self.firsts(one))


Result = tuple[tuple[Finding, ...], list[str]]


class Run:
    """One example, read and lowered once, and what is said of the names in it."""

    def __init__(self, world: World, file: ApiFile, example: Example, app: str = "app.py") -> None:
        self.world = world
        self.mapped = bool(example.map)
        self.rules = rules_for(example)
        marked = {name for _, _, name in marks(example, app)["expect"]}
        self.shapes = {
            one.shape: CallRule(rule.id, "", one.confidence, one.message)
            for rule in self.rules.values()
            for one in rule.head.shapes
            if one.shape in CHECKS and rule.id in marked
        }
        """What is found by a look at the whole map, where the example expects it."""
        flows = (rule.head.flow for rule in self.rules.values())
        self.classes = {class_ for flow in flows if flow is not None for class_ in flow.to}
        self.sources: dict[str, Source] = {}
        self.modules: list[ir.Module] = []
        text = ""
        texts = {app: example.code, **example.files}
        for path, code in sorted(texts.items()):
            language = {".py": "python", ".ts": "typescript", ".tsx": "typescript", ".js": "javascript"}.get(Path(path).suffix)
            if language is not None:
                self.sources[path] = source = Source(path, code.encode())
                self.modules.append(lower_source(source, language))
                text += code
        with tempfile.TemporaryDirectory() as folder:
            for path, code in texts.items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_text(code, encoding="utf-8")
            self.versions = declared(folder, texts)[0]
        packages = re.findall(r"['\"](?:node:)?((?:@[\w-]+/)?[\w.-]+)", text)
        self.words = words = {*re.findall(r"\w+|\$\w+", text), *(name.replace(".", "_") for name in packages), *ALWAYS}
        words |= {first for api, firsts, _ in world.apis if firsts & words for one in api.calls for first in world.given(tuple(one.given))}
        own = set(map(id, file.apis))
        self.apis = [
            api
            for api, firsts, lasts in world.apis
            if firsts & words and (id(api) in own or (lasts & words and not api.by_text))  # by_text: where no model speaks
        ]
        self.calls = [(path, rule) for path, rule, firsts, lasts in world.calls if firsts & words and lasts & words]
        self.special = [path for path, firsts in world.special if firsts & words]
        self.types = {name: many for name, many in world.types.items() if world.firsts(name) & words}

    def spells(self, entry: Api | Operator) -> tuple[bool, int]:
        """How much of an entry is in the code: the last name of a path, and how many names."""
        if isinstance(entry, Operator):
            return False, 0
        steps = [[step for step in split(one) if step.isidentifier()] for path in paths(entry) for one in expand(path)]
        return max((bool(one) and one[-1] in self.words, len(self.words.intersection(one))) for one in steps)

    def result(self, without: Api | Operator | None = None, untyped: str = "") -> tuple[Result, Catalogue]:
        """The findings and what is drawn of the system map, with every model but one, or with one type that is nothing in the map."""
        clear_interned()
        clear_joined()
        apis = [api for api in self.apis if api is not without]
        operators = [one for one in self.world.operators if one is not without]
        components = {name: kind for name, kind in self.world.components.items() if name in self.types and name != untyped}
        file = ApiFile("", types=self.types, components=components, apis=apis, operators=operators)
        catalogue = Catalogue([("", file)], self.calls, self.special)
        solver = Solver(Symbols(self.modules, catalogue.paths), catalogue, self.classes, versions=self.versions)
        solver.shapes = self.shapes
        solver.solve()
        drawing: list[str] = []
        if self.mapped or self.shapes:
            builder = Builder(solver, self.sources, Beside())
            drawing = drawn(builder.build())
            check(builder)
        findings = tuple(Reporter(solver, self.rules, self.sources).findings())
        return (findings, drawing if self.mapped else []), catalogue


def asked(catalogue: Catalogue) -> list[Api]:
    """The entries on the API paths that a run asked for."""
    found: dict[int, Api] = {}
    todo = [node for node in catalogue.paths._roots.values() if node is not None]
    known = {id(node) for node in todo}
    while todo:
        node = todo.pop()
        found |= {id(entry): entry for state in node._states for _, entry in state.payload if isinstance(entry, Api)}
        more = [child for child in node._children.values() if child is not None and id(child) not in known]  # a builder is its own child
        known |= set(map(id, more))
        todo += more
    return list(found.values())


@functools.cache
def world() -> World:
    made = World()
    gc.freeze()  # it stays: the collector need not look at it again
    return made


def silent(name: str, file: ApiFile) -> list[Api | Operator | str]:
    """The entries of a file, and its types in the system map, without which all its examples give the same."""
    by_path = {(path, id(api.decorates)): id(api) for api in file.apis for path in paths(api)}
    runs: list[tuple[Run, Result, set[int]]] = []
    for example in file.examples:
        app = example_file(name)
        run = Run(world(), file, example, app)
        made, catalogue = run.result()
        reported = {(one.place.path, run.sources[one.place.path].position(one.place.start)[0], one.rule) for one in made[0]}
        said = marks(example, app)
        assert reported - said["SPURIOUS"] == said["expect"] | said["flow"], f"{example.why}: models of other names change what is reported"
        seen = {by_path.get((one.path, id(one.decorates)), id(one)) if isinstance(one.path, str) else id(one) for one in asked(catalogue)}
        runs.append((run, made, seen | {id(one) for one in file.operators}))

    def matters(entry: Api | Operator) -> bool:
        asking = [(run, made) for run, made, seen in runs if id(entry) in seen]
        asking.sort(key=lambda one: one[0].spells(entry), reverse=True)
        return any(run.result(entry)[0] != made for run, made in asking)

    def shows(type_: str) -> bool:
        return any(run.result(untyped=type_)[0] != made for run, made, _ in runs if run.mapped and type_ in run.types)

    entries = [one for one in (*file.apis, *file.operators) if not matters(one)]
    return [*entries, *(type_ for type_ in file.components if not shows(type_))]


@pytest.fixture
def models_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what is told by convention of tools of frameworks that no model speaks of."""
    for name in ("of_classes", "of_tables"):
        monkeypatch.setattr(own_tools, name, lambda solver: [])
    for name in ("listed", "decorated"):
        monkeypatch.setattr(own_tools, name, lambda *given: None)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Without the garbage collector, as a review runs; it takes half of the time otherwise."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


def name_of(entry: Api | Operator | str) -> str:
    if isinstance(entry, str):
        return entry
    return paths(entry)[0] if isinstance(entry, Api) else f"{entry.left} {entry.op} {entry.right}"


@pytest.mark.parametrize(("name", "file"), FILES, ids=[name for name, _ in FILES])
@pytest.mark.usefixtures("uncollected", "models_alone")
def test_every_entry_has_an_example_that_fails_without_it(name: str, file: ApiFile) -> None:
    assert not [name_of(entry) for entry in silent(name, file)], f"{name}: no example gives something else without these entries"
