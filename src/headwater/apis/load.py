"""Loads API models: YAML files to typed entries, checked, with file and line in every error.

What an entry may say is in ``headwater.apis.schema``; what it does to values is in ``headwater.taint``.
"""

from __future__ import annotations

import copy
import functools
import pathlib
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Final, TypeVar

import msgspec

from headwater.apis import conditions
from headwater.apis.paths import CALL, PatternError, Patterns, expand, split
from headwater.apis.schema import (
    COMPONENTS,
    SINK_CLASSES,
    SOURCE_KINDS,
    Api,
    ApiFile,
    Callback,
    Describes,
    Made,
    Operator,
    SinkModel,
    is_object,
)

FOLDER = pathlib.Path(__file__).parent
CONFIDENCES: Final = ("high", "medium", "low")
CLEARED = ("all", "text", "parts", "in-numbers")
"""What a result can be cleared for beside sink classes."""
MARKS: Final = (
    "quoted", "resolved", "collapsed", "parsed-url", "constant-collection", "syntax-tree", "module", "parsed-json", "same-host",
    "joined-path", "own-names", "joined-address", "folder-of",
)  # fmt: skip
_STEP: Final = re.compile(r"\(\)|\[\]|\*{1,2}|[\w$]+")
_FIRST: Final = re.compile(r"\?:?\w*|\*{1,2}|\w+|(?:npm|node):[@\w/-]+|js:[\w$]+")
"""Names of Python, packages of npm (``npm:@scope/name/part``, with ``_`` for a dot), modules of Node, global names of scripts."""


class ModelError(ValueError):
    """An API model file that cannot be used; the message begins with file and line."""


class CallRule(msgspec.Struct, frozen=True):
    """A rule's call pattern, matched like a model entry."""

    rule: str
    when: str
    confidence: str
    message: str
    unless: tuple[str, ...] = ()
    but_for: tuple[str, ...] = ()
    reach: str = ""
    then: tuple[str, ...] = ()
    received: tuple[str, ...] = ()
    asked: bool = False
    sent: bool = False


class Kind(msgspec.Struct, frozen=True):
    """What objects of a type are in the system map."""

    is_: str
    named: tuple[str, ...]
    """The arguments that name one."""
    names: frozenset[str]
    """The functions and classes that make one, where a path of the type names them."""
    can: tuple[tuple[str, frozenset[str]], ...] = ()
    """What one can do that is made by these names."""

    def abilities(self, name: str) -> Iterator[str]:
        """What one of a name can do."""
        for ability, names in self.can:
            if name in names or any(one[-1] == "*" and name.startswith(one[:-1]) for one in names):
                yield ability


def _named_by(paths: Iterable[str], types: dict[str, list[str]]) -> frozenset[str]:
    found: set[str] = set()
    for one in (split(one) for path in paths for one in expand(path)):
        if len(one) > 1 and one[-1] == CALL and one[-2] not in ("*", "**"):
            found.add(one[-2])
            if len(one) == 2:  # what calls of a type make
                found |= {reading.rpartition(".")[2] for path in types.get(one[0], ()) for reading in expand(path)}
    return frozenset(found)


Entry = Api | CallRule
_Type = TypeVar("_Type")


class Catalogue:
    """All models of one language and the call patterns of the rules, ready to match."""

    def __init__(self, files: list[tuple[str, ApiFile]], calls: Iterable[tuple[str, CallRule]] = (), known: Iterable[str] = ()) -> None:
        self.types: dict[str, list[str]] = {}
        """Paths that each type name stands for."""
        for _, file in files:
            for name, paths in file.types.items():
                self.types.setdefault(name, []).extend(paths)
        self.components: dict[str, Kind] = {}
        """What objects of types are in the system map."""
        for _, file in files:
            for name, one in file.components.items():
                made = Made(one) if isinstance(one, str) else one
                can = tuple((ability, frozenset(names)) for ability, names in sorted(made.can.items()))
                self.components[name] = Kind(made.is_, tuple(made.named), _named_by(self.types.get(name, ()), self.types), can)
        self.placed: list[tuple[str, Entry]] = []
        """Every pattern, with what is said of it."""
        self.paths: Patterns[Entry] = Patterns(self.types)
        self._made: dict[Hashable, Any] = {}
        self.operators: list[Operator] = [op for _, file in files for op in file.operators]
        for _, file in files:
            for api in file.apis:
                for path in [api.path] if isinstance(api.path, str) else api.path:
                    self.paths.add(path, api)
                    self.placed.append((path, api))
                    cleared = [*(one.when for one in api.guards), *(one.when for one in api.clears_where)]
                    self._know_conditions(
                        api.when, api.clears_when, api.becomes_when, api.becomes_unless, *(sink.when for sink in api.sinks), *cleared
                    )
                    if api.describes is not None:
                        self._know_conditions(api.describes.when)
                    if api.becomes:
                        self.paths.know(api.becomes)
                    if api.clean or api.is_ in (
                        *COMPONENTS,
                        "holds",
                    ):  # the result must have a path, so that it and its attributes can be told apart
                        self.paths.know(path + "()")
                    for callback in (*api.calls, api.decorates, api.overridden):
                        for filled in callback.except_ if callback is not None else ():
                            if "." in filled:
                                self.paths.know(filled)
                    if api.decorates is not None:  # used with arguments: @tool(name="x")
                        self.paths.add(path + "()", Api(path=path, decorates=api.decorates, is_=api.is_, label=api.label))
        for path, rule in calls:
            self.paths.add(path, rule)
            self.placed.append((path, rule))
            self._know_conditions(rule.when)
        for path in known:  # what the engine itself gives a meaning
            self.paths.know(path)

    def again(self) -> Catalogue:
        """The same for another review: without the paths that this one has named."""
        made = copy.copy(self)
        made.paths = Patterns(self.types, self.paths)
        return made

    def once(self, key: Hashable, make: Callable[[], _Type]) -> _Type:
        """What somebody makes of all that is said here, the same for every review; ``key`` tells it from what others make."""
        if key not in self._made:
            self._made[key] = make()
        made: _Type = self._made[key]
        return made

    def _know_conditions(self, *texts: str) -> None:
        """What conditions ask for must have a path, so that a value can be it."""
        for text in texts:
            for term in (term for branch in conditions.condition(text) for term in branch):
                path = str(term.value)
                if term.form == "api" and split(path)[0] not in self.types:
                    self.paths.know(path)
                    self.paths.know(path.removesuffix(CALL) if path.endswith(CALL) else path + CALL)


def _prompted(api: Api) -> Api:
    """The entry with what its ``system`` and its ``prompt`` mean for data: sinks."""
    sinks = list(api.sinks)
    if api.system:
        sinks.append(SinkModel("prompt-system", at=api.system, when=api.when, does="makes it part of the system prompt"))
    if api.prompt:
        sinks.append(SinkModel("prompt", at=api.prompt, when=api.when, does="sends it to the model"))
    return msgspec.structs.replace(api, sinks=sinks) if len(sinks) > len(api.sinks) else api


def load(folder: pathlib.Path | None = None) -> list[tuple[str, ApiFile]]:
    """All files of a folder (default: the built-in models), sorted by name; raises ModelError."""
    return _load(folder) if folder is not None else list(_built_in())


@functools.cache  # reading them takes longer than a small review
def _built_in() -> tuple[tuple[str, ApiFile], ...]:
    scripts = ((f"typescript/{name}", file) for name, file in _load(FOLDER / "typescript"))
    return tuple(sorted((*_load(FOLDER / "python"), *scripts), key=lambda one: one[0]))


def example_file(name: str) -> str:
    """What the file is called that the code of an example of a model file is."""
    return "app.ts" if name.startswith("typescript/") else "app.py"


def text_of(name: str) -> str:
    """The text of a built-in file."""
    return (FOLDER / ("" if "/" in name else "python") / name).read_text(encoding="utf-8")


def _load(folder: pathlib.Path) -> list[tuple[str, ApiFile]]:
    return [(path.name, read(path.read_text(encoding="utf-8"), path.name)) for path in sorted(folder.glob("*.yaml"))]


def read(text: str, name: str) -> ApiFile:
    """One file; raises ModelError."""
    import yaml  # late: most runs have the models from headwater.rules.builtin

    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ModelError(f"{name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', error)}") from None
    try:
        file = msgspec.convert(data, ApiFile)
        _check(file)
    except (msgspec.ValidationError, _WrongError) as error:
        where, _, _ = str(error).partition(" - at `$")
        raise ModelError(f"{name}:{_line(text, str(error))}: {where}") from None
    return msgspec.structs.replace(file, apis=[_prompted(api) for api in file.apis])


class _WrongError(ValueError):
    pass


def _check(file: ApiFile) -> None:
    """What types alone do not say; raises _WrongError with a path as msgspec writes it."""
    for name, paths in file.types.items():
        for path in paths:
            _path(path, f"$.types.{name}")
    for name, made in file.components.items():
        _one_of(made if isinstance(made, str) else made.is_, (*COMPONENTS, "holds"), "component", f"$.components.{name}")
        for one in made.named if isinstance(made, Made) else ():
            _argument(one, f"$.components.{name}")
        if name not in file.types:
            raise _WrongError(f"{name!r} is no type of this file - at `$.components.{name}`")
    for number, api in enumerate(file.apis):
        at = f"$.apis[{number}]"
        for path in [api.path] if isinstance(api.path, str) else api.path:
            _path(path, at)
        for kind in (api.returns, api.yields):
            _one_of(kind, SOURCE_KINDS, "source kind", at)
        for sink in api.sinks:
            _one_of(sink.class_, SINK_CLASSES, "sink class", at)
            for one in [sink.at] if isinstance(sink.at, str) else sink.at:
                _argument(one, at)
            _condition(sink.when, at)
            _condition(sink.hindered, at)
            _one_of(sink.confidence, CONFIDENCES, "confidence", at)
            _one_of(sink.safe_if, ("no-option",), "mark", at)
        for mark in api.marks:
            _one_of(mark, MARKS, "mark", at)
        for class_ in [*api.harmless, *api.as_it_is, *(api.shows.when_true + api.shows.when_false if api.shows is not None else ())]:
            if class_ != "all":
                _one_of(class_, SINK_CLASSES, "sink class", at)
        for class_ in [
            *api.clears,
            *(api.hinders.classes if api.hinders is not None else ()),
            *(c for one in api.clears_where for c in one.classes),
            *(c for guard in api.guards for c in guard.proves if c not in ("no-option", "no-slash", "in-numbers", "rooted")),
        ]:
            if class_ not in CLEARED:
                _one_of(class_, SINK_CLASSES, "sink class", at)
        for one in [*api.passes, *api.into, *(a for many in api.into.values() for a in many)]:
            _argument(one, at)
        texts = [one for many in (api.system, api.template) for one in ([many] if isinstance(many, str) else many)]
        for one in [api.prompt, *texts]:
            if one:
                _argument(one, at)
        for guard in api.guards:
            _one_of(guard.way, ("fullmatch", "match", "search"), "way", at)
        compared = (text for guard in api.guards for text in (guard.on, guard.pattern, guard.separated))
        scrubbed = (text for one in api.clears_where for text in (one.left_of, one.by))
        for one in (api.fills, api.same, api.copies, api.result_of, api.matched, *api.instance_of.values(), *compared, *scrubbed):
            if one:
                _argument(one, at)
        for one in (*_described(api.describes), *((api.checks.data, api.checks.by) if api.checks is not None else ())):
            if one and one != "callee":
                _argument(one, at)
        _condition(api.describes.when if api.describes is not None else "", at)
        where = [*(guard.when for guard in api.guards), *(one.when for one in api.clears_where)]
        for text in (
            api.when,
            api.clears_when,
            api.becomes_when,
            api.becomes_unless,
            api.hinders.when if api.hinders is not None else "",
            *where,
        ):
            _condition(text, at)
        for callback in (*api.calls, api.decorates, api.overridden):
            if callback is not None:
                _callback(callback, at)


def _described(model: Describes | None) -> list[str]:
    """The arguments of which a schema is made."""
    if model is None:
        return []
    texts = [model.pattern, model.begins, model.form, model.shown_by, model.through]
    return [model.like, model.fields, model.elements, model.values, *texts, *model.any_of, *model.all_of]


def _callback(callback: Callback, at: str) -> None:
    if callback.function:
        _argument(callback.function, at)
    for one in callback.given:
        if is_object(one):
            _path(one, at)
        else:
            _one_of(one, SOURCE_KINDS, "source kind", at)
    for kind in (callback.parameters, callback.returns, *callback.by_name.values()):
        _one_of(kind, SOURCE_KINDS, "source kind", at)
    for class_ in [callback.gives, *callback.first_harmless]:
        _one_of(class_, SINK_CLASSES, "sink class", at)
    for filled in callback.except_:
        if "." in filled:
            _path(filled, at)
    schemas = [callback.schema] if isinstance(callback.schema, str) else callback.schema
    for one in (*callback.args, callback.spread, callback.spread_keywords, callback.at, *schemas, *callback.parts.values()):
        if one and one != "callee":
            _argument(one, at)


def _one_of(word: str, known: tuple[str, ...], what: str, at: str) -> None:
    if word and word not in known:
        raise _WrongError(f"{word!r} is no {what} - at `{at}`")


def _path(path: str, at: str) -> None:
    try:
        check_path(path)
    except PatternError as error:
        raise _WrongError(f"{error} - at `{at}`") from None


def _argument(text: str, at: str) -> None:
    try:
        conditions.argument(text)
    except conditions.ConditionError as error:
        raise _WrongError(f"{error} - at `{at}`") from None


def _condition(text: str, at: str) -> None:
    try:
        check_condition(text)
    except (conditions.ConditionError, PatternError) as error:
        raise _WrongError(f"{error} - at `{at}`") from None


def check_path(path: str) -> None:
    """Raises PatternError where a pattern of an API path could never match anything."""
    for reading in expand(path):
        for number, step in enumerate(split(reading)):
            if not (_STEP if number else _FIRST).fullmatch(step):
                raise PatternError(f"{step!r} in {path!r} is no name, call '()', element '[]' or '*'")


def check_condition(text: str) -> None:
    """Raises ConditionError or PatternError where a condition cannot be read."""
    for branch in conditions.condition(text):
        for term in branch:
            if term.form == "api":
                check_path(str(term.value))


def _line(text: str, message: str) -> int:
    """The 1-based line of the place ``$.a[3].b`` that a message names."""
    _, found, place = message.rpartition(" - at `$")
    if not found:
        return 1
    import yaml

    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    steps = place.rstrip("`").replace("[", ".[").split(".")
    for step in filter(None, steps):
        if isinstance(node, yaml.SequenceNode) and step.startswith("["):
            index = step[1:-1]
            if not index.isdigit() or int(index) >= len(node.value):
                break
            node = node.value[int(index)]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
    return int(node.start_mark.line) + 1 if node is not None else 1
