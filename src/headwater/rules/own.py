"""Reads folders of users' own rules and API models: ``<rule-id>.md`` and ``*.yaml`` that stand in a folder itself.

They have the schema of the built-in ones and are data alone. A folder is read once, as text (``read_folder``); what the text means is
a pure function of it (``parsed``). Whether a folder may be read at all is decided in ``headwater.configfile``.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from headwater import limits
from headwater.apis import conditions, regex
from headwater.apis import load as apis
from headwater.apis.paths import expand, split
from headwater.apis.schema import ApiFile
from headwater.cache import Cache
from headwater.config import OwnFile
from headwater.files.discover import safe
from headwater.files.read import UnreadableError, read_bytes
from headwater.rules import builtin
from headwater.rules import load as rules
from headwater.rules.load import Rule
from headwater.rules.schema import RuleHead

RULE: Final = ".md"
MODEL: Final = (".yaml", ".yml")
_TYPE: Final = re.compile(r"[A-Z]\w*")
_STEERS: Final = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""Characters that steer a terminal or turn the order of text."""


class OwnError(ValueError):
    """A folder of rules that cannot be used; the message begins with its name, or with file and line."""


class Own(NamedTuple):
    """What own files say."""

    rules: Mapping[str, Rule]
    models: tuple[tuple[str, ApiFile], ...]


# ------------------------------------------------------------------------------------------------------------ reading


def read_folder(folder: str | os.PathLike[str]) -> tuple[OwnFile, ...]:
    """The rules and API models in a folder, by name; raises OwnError. Links in it are not followed, folders in it not looked into."""
    shown = safe(os.fspath(folder))
    try:
        with os.scandir(folder) as found:
            names = sorted(entry.name for entry in itertools.islice(found, limits.OWN_NAMES + 1))
    except OSError as error:
        raise OwnError(f"{shown}: it is no folder that can be read ({error.strerror or 'error'})") from None
    if len(names) > limits.OWN_NAMES:
        raise OwnError(f"{shown}: more than {limits.OWN_NAMES:,} files: this is no folder of rules")
    wanted = [name for name in names if is_rule(name) or is_model(name)]
    if not wanted:
        raise OwnError(f"{shown}: there is no rule (*.md) and no API model (*.yaml) in it")
    if len(wanted) > limits.OWN_FILES:
        raise OwnError(f"{shown}: more than {limits.OWN_FILES:,} rules and API models")
    return tuple(OwnFile(safe(os.path.join(folder, name)), _text(os.path.join(folder, name))) for name in wanted)


def each_once(folders: Iterable[str]) -> list[str]:
    """Folders as they were named, each once however it is named."""
    return list({os.path.realpath(folder): folder for folder in reversed(list(folders))}.values())[::-1]


def is_rule(name: str) -> bool:
    return name.endswith(RULE) and not name.startswith(".") and name.lower() != "readme.md"


def is_model(name: str) -> bool:
    return name.endswith(MODEL) and not name.startswith(".")


def _text(path: str) -> str:
    shown = safe(path)
    try:
        data = read_bytes(path, limits.OWN_BYTES)
    except UnreadableError as error:
        raise OwnError(f"{shown}: {'it is a symbolic link' if error.kind == 'symlink' else error.reason}") from None
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise OwnError(f"{shown}:{data.count(10, 0, error.start) + 1}: it is not UTF-8") from None
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > limits.OWN_LINE:
            raise OwnError(f"{shown}:{number}: a line of more than {limits.OWN_LINE:,} characters")
        if found := _STEERS.search(line):
            raise OwnError(f"{shown}:{number}: the character U+{ord(found.group()):04X} steers terminals and is not shown")
    return text


# ------------------------------------------------------------------------------------------------------------ meaning


def known(files: tuple[OwnFile, ...], cache: Cache | None = None) -> Mapping[str, Rule]:
    """All rules, the built-in ones (as ``builtin.rules``) and those of own files; raises OwnError."""
    built_in = builtin.rules(cache)
    return {**built_in, **parsed(files).rules} if files else built_in


@functools.lru_cache(maxsize=4)
def parsed(files: tuple[OwnFile, ...]) -> Own:
    """What own files say; raises OwnError."""
    found: dict[str, Rule] = {}
    models: list[tuple[str, ApiFile]] = []
    for file in files:
        if file.name.endswith(RULE):
            rule = _rule(file)
            _apart(rule, file, found)
            found[rule.id] = rule
        else:
            models.append((file.name, _model(file)))
    _bounded(files, found, models)
    return Own(dict(sorted(found.items())), tuple(models))


def _rule(file: OwnFile) -> Rule:
    from headwater.apis import bounded  # late, with YAML: few have files of their own

    try:
        bounded.check(rules.front_matter(file.text, file.name)[0], file.name)
        rule = rules.read(file.text, file.name)
    except (rules.RuleError, bounded.BoundError) as error:
        raise OwnError(str(error)) from None
    except (ValueError, OverflowError, TypeError) as error:  # of YAML: a number or a date that is none
        raise OwnError(f"{file.name}:1: the front matter cannot be read: {error}") from None
    _plain(rule.head, file.name)
    _linear((call.when for call in rule.head.calls), file)
    for one in rule.head.deployments:
        for text in (one.image, *one.set, *one.set.values(), *one.without):
            _automaton(text, file)
    if rule.head.flow is None and not rule.head.patterns and not rule.head.model_files:
        raise OwnError(f"{file.name}:1: the rule finds nothing: it has neither 'flow' nor 'calls' nor 'deployments'")
    return rule


def _linear(conditions_: Iterable[str], file: OwnFile) -> None:
    """Whether the regular expressions run in linear time."""
    for term in (
        term for text in conditions_ for branch in conditions.condition(text) for term in branch if term.form in ("matches", "begins")
    ):
        _automaton(str(term.value), file)


def _automaton(text: str, file: OwnFile) -> None:
    try:
        regex.Automaton(text)
    except regex.RegexError as error:
        line = next((number for number, one in enumerate(file.text.split("\n"), 1) if text in one), 1)
        raise OwnError(f"{file.name}:{line}: the regular expression {text!r}: {error}") from None


def _apart(rule: Rule, file: OwnFile, found: Mapping[str, Rule]) -> None:
    """Whether a rule is told apart from the built-in ones and those before it."""
    built_in = builtin.rules()
    if rule.id in built_in:
        message = f"the id {rule.id!r} is that of a built-in rule; choose another, best with a prefix of your own"
        raise OwnError(f"{file.name}:{_line_of('id', file)}: {message}")
    if rule.id in found:
        raise OwnError(f"{file.name}:{_line_of('id', file)}: the id {rule.id!r} is that of {found[rule.id].path} too")
    claimed = {pair: other.id for other in (*built_in.values(), *found.values()) for pair in other.pairs}
    for kind, class_ in rule.pairs:
        if (kind, class_) in claimed:
            message = f"flows from {kind} to {class_} belong to the rule {claimed[kind, class_]}; a pair belongs to one rule"
            raise OwnError(f"{file.name}:{_line_of('flow', file)}: {message}")


def _line_of(key: str, file: OwnFile) -> int:
    """The line of a key of the front matter."""
    return next((number for number, line in enumerate(file.text.split("\n"), 1) if line.startswith(f"{key}:")), 1)


def _model(file: OwnFile) -> ApiFile:
    from headwater.apis import bounded

    try:
        bounded.check(file.text, file.name)
        made = apis.read(file.text, file.name)
    except (apis.ModelError, bounded.BoundError) as error:
        raise OwnError(str(error)) from None
    except (ValueError, OverflowError, TypeError) as error:
        raise OwnError(f"{file.name}:1: it cannot be read: {error}") from None
    _plain(msgspec.structs.replace(made, examples=[]), file.name)
    for api in made.apis:
        whens = (*(sink.when for sink in api.sinks), *(guard.when for guard in api.guards))
        _linear((api.when, api.clears_when, *whens), file)
    known = {name for _, built_in in builtin.models() for name in built_in.types}
    for name in made.types:
        if name not in known and not _TYPE.fullmatch(name):
            raise OwnError(f"{file.name}:{_line_of(f'  {name}', file)}: the type {name!r} must begin with a capital letter")
        if name in _first_names():
            raise OwnError(f"{file.name}:{_line_of(f'  {name}', file)}: {name!r} is a module that built-in API models speak of")
    return made


@functools.cache
def _first_names() -> frozenset[str]:
    """Top-level modules that the built-in API models speak of."""
    files = [file for _, file in builtin.models()]
    types = {name for file in files for name in file.types}
    paths = itertools.chain.from_iterable(_paths(file) for file in files)
    return frozenset(first for path in paths for reading in expand(path) if (first := split(reading)[0]) not in types)


def _paths(file: ApiFile) -> Iterator[str]:
    for api in file.apis:
        yield from [api.path] if isinstance(api.path, str) else api.path
    for paths in file.types.values():
        yield from paths


def _bounded(files: tuple[OwnFile, ...], found: Mapping[str, Rule], models: list[tuple[str, ApiFile]]) -> None:
    """All patterns together: each becomes a part of one tree."""
    total = 0
    paths = {name: list(_paths(file)) for name, file in models}
    for rule in found.values():
        paths[rule.path] = [path for call in rule.head.calls for path in ([call.path] if isinstance(call.path, str) else call.path)]
    for file in files:
        for path in paths[file.name]:
            total += len(expand(path))
            if total > limits.OWN_PATTERNS:
                raise OwnError(f"{file.name}: more than {limits.OWN_PATTERNS:,} API paths, their alternatives written out")


def _plain(made: RuleHead | ApiFile, name: str) -> None:
    """YAML can write as an escape what ``_text`` refuses."""
    for text in _texts(msgspec.to_builtins(made)):
        if found := _STEERS.search(text):
            raise OwnError(f"{name}:1: the character U+{ord(found.group()):04X} steers terminals and is not shown")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
