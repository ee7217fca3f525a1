"""Reads ``headwater.toml``, or ``[tool.headwater]`` of ``pyproject.toml``, into a configuration; every error names file and line.

The file of the reviewed repository may be its attacker's. It is read only from the root, never through a link; it cannot set what
reaches beyond the review (``OUTSIDE_ONLY``); and whatever it changes is told in the coverage ledger.
"""

from __future__ import annotations

import itertools
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, get_args

import msgspec

from headwater import limits
from headwater.config import Config, OwnFile, Persona
from headwater.files.discover import root_of, safe
from headwater.files.gitignore import Patterns
from headwater.files.read import UnreadableError, read_bytes
from headwater.findings import Confidence, Gap, Severity
from headwater.rules import own
from headwater.rules.load import Rule

OWN: Final = "headwater.toml"
SHARED: Final = "pyproject.toml"
OUTSIDE_ONLY: Final = frozenset({"processes", "rule-folders"})
"""Keys that the reviewed repository may not set: about the machine, or of the power to call its own code harmless (an API model can)."""

_AT: Final = re.compile(r"(.*) - at `(?:key in )?\$(.*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"unknown field `([^`]*)`")

_SEVERITIES: Final = {one.word: one for one in sorted(Severity, reverse=True)}
_CONFIDENCES: Final = {one.word: one for one in sorted(Confidence, reverse=True)}
_EXAMPLES: Final = 10  # of patterns, in the ledger
_MESSAGE: Final = 400  # characters of an error: a key may be as long as the file

_Pattern = Annotated[str, msgspec.Meta(max_length=limits.GITIGNORE_LINE_BYTES)]


class ConfigError(ValueError):
    """A configuration file that cannot be used; the message begins with the file, and with the line where it is known."""

    def __init__(self, message: str) -> None:
        super().__init__(message if len(message) <= _MESSAGE else message[: _MESSAGE - 3] + "...")


class _Table(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    """What the file may say."""

    fail_on: str = "high"
    min_confidence: str = "low"
    persona: str = "default"
    strict_coverage: bool = False
    exclude: Annotated[list[_Pattern], msgspec.Meta(max_length=limits.CONFIG_PATTERNS)] = []
    rules: dict[str, str] = {}
    processes: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    rule_folders: Annotated[list[str], msgspec.Meta(max_length=limits.OWN_FOLDERS)] = []
    prove: dict[str, Any] = {}
    """Scenarios of ``headwater prove``, which reads them itself."""


SETTINGS: Final = tuple(one for one in _Table.__struct_encode_fields__ if one != "prove")


class _Found(NamedTuple):
    """A file and its table."""

    name: str
    text: str
    table: Any
    prefix: tuple[str, ...]
    """The keys above the table."""
    own: bool
    """Whether it is part of what is reviewed."""
    folder: str = ""
    """The folder that it is in."""


def load(
    path: str | os.PathLike[str],
    given: Mapping[str, Any] | None = None,
    *,
    file: str | os.PathLike[str] | None = None,
    repository: bool = True,
    rules: Iterable[str | os.PathLike[str]] = (),
    root: str = "",
) -> Config:
    """The configuration for a review of ``path``: what is ``given`` (fields of ``Config``) outranks the file.

    ``file`` is read instead of the repository's own. Without ``repository`` nothing in the repository counts, neither its
    file nor its suppressions. ``rules`` are folders of rules and API models beside the built-in ones.
    ``root`` is that of the repository, where it is not to be looked for.
    Raises :class:`ConfigError`, or OSError where there is no such path.
    """
    given = dict(given or {})
    given.setdefault("suppressions", repository)
    root = os.path.realpath(root) if root else root_of(os.path.realpath(path, strict=True))
    notes: list[Gap] = []
    if file is not None:
        found: _Found | None = _named(os.fspath(file), root)
        if found is not None and found.own and not repository:
            raise ConfigError(f"{found.name}: it is part of the repository, of which nothing is to count")
    else:
        found = _own(root, notes) if repository else None
    folders = [os.fspath(one) for one in rules]
    if found is None:
        files = _own_files(folders, root, repository, notes)
        return Config(**given, own=files, notes=tuple(notes))
    table = _table(found)
    folders += [os.path.join(found.folder, one) for one in table.rule_folders]
    files = _own_files(folders, root, repository, notes)
    settings = _settings(found, table, own.known(files) if table.rules else {})
    chosen = {**settings, **given}
    shown = f"the configuration file {found.name}" if found.own else "the configuration file that was given"
    notes += _notes(found, {key: value for key, value in settings.items() if key not in given})
    return Config(**chosen, own=files, file=shown, own_file=found.own, notes=tuple(notes))


def said(root: str, file: str = "", folders: Iterable[str] = ()) -> tuple[object, ...]:
    """What a tree says to Headwater, to compare two trees: the repository's own file, a file that was named, folders of rules."""
    told: list[object] = []
    for name, most in ((OWN, limits.CONFIG_BYTES), (file, limits.CONFIG_BYTES)):
        try:
            told.append(read_bytes(os.path.join(root, name), most) if name else b"")
        except UnreadableError as error:
            told.append(error.kind)
    try:
        found = _shared(root, [])
        told.append(found.table if found else None)
    except ConfigError as error:
        told.append(str(error))
    for folder in folders:
        try:
            told.append([(os.path.basename(one.name), one.text) for one in own.read_folder(os.path.join(root, folder))])
        except own.OwnError:
            told.append("no folder of rules")
    return tuple(told)


# --------------------------------------------------------------------------------------------------------- finding it


def _own(root: str, notes: list[Gap]) -> _Found | None:
    """The file of the repository."""
    text = _text(os.path.join(root, OWN), OWN)
    shared = _shared(root, notes)
    if text is None:
        return shared
    if shared is not None:
        raise ConfigError(f"{OWN}: {SHARED} has a table [tool.headwater] too; keep one of them")
    return _Found(OWN, text, _parsed(text, OWN), (), True)


def _shared(root: str, notes: list[Gap]) -> _Found | None:
    """The table in ``pyproject.toml``. That file has other readers: where it does not name Headwater, it may be anything."""
    try:
        text = _text(os.path.join(root, SHARED), SHARED)
        if text is None or "headwater" not in text.lower():
            return None
    except ConfigError as error:
        reason = str(error).partition(": ")[2]
        notes.append(Gap("configuration", SHARED, 0, f"no settings are read from it: {reason}", partial=False))
        return None
    table = _parsed(text, SHARED).get("tool")
    table = table.get("headwater") if isinstance(table, dict) else None
    return None if table is None else _Found(SHARED, text, table, ("tool", "headwater"), True)


def _named(file: str, root: str) -> _Found:
    """A file that the user named. It is the repository's where it, or a link on the way to it, is in there."""
    absolute = Path(os.path.abspath(file))
    places = [os.path.join(os.path.realpath(one.parent), one.name) for one in (absolute, *absolute.parents)]
    real = os.path.realpath(absolute)
    inside = any(_inside(place, root) for place in (*places, real))
    folder = os.path.dirname(file)
    name = safe(os.path.relpath(real, root).replace(os.sep, "/")) if inside and _inside(real, root) else safe(file)
    if inside and not _inside(real, root):
        raise ConfigError(f"{name}: it leads out of the repository that is reviewed")
    text = _text(real, name)
    if text is None:
        raise ConfigError(f"{name}: there is no such file")
    table = _parsed(text, name)
    if absolute.name == SHARED:
        tool = table.get("tool")
        if not isinstance(tool, dict) or "headwater" not in tool:
            raise ConfigError(f"{name}: it has no table [tool.headwater]")
        return _Found(name, text, tool["headwater"], ("tool", "headwater"), inside, folder)
    return _Found(name, text, table, (), inside, folder)


def _inside(place: str, root: str) -> bool:
    return place == root or place.startswith(os.path.join(root, ""))


def _text(absolute: str, name: str) -> str | None:
    """The text of a file; None where there is none."""
    try:
        return read_bytes(absolute, limits.CONFIG_BYTES).decode("utf-8-sig")
    except UnreadableError as error:
        if error.kind == "vanished":
            return None
        raise ConfigError(f"{name}: {'it is a symbolic link' if error.kind == 'symlink' else error.reason}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: it is not UTF-8") from None


def _parsed(text: str, name: str) -> dict[str, Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > limits.CONFIG_DOTS:
            raise ConfigError(f"{name}:{number}: more than {limits.CONFIG_DOTS} dots in one line")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{name}: it is nested too deeply") from None
    except ValueError as error:  # of TOML, or a number that is too long
        at = re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", str(error), re.DOTALL)
        if at:
            raise ConfigError(f"{name}:{at.group(2)}: {at.group(1)}") from None
        raise ConfigError(f"{name}: {error}") from None


# --------------------------------------------------------------------------------------------------------- reading it


def _table(found: _Found) -> _Table:
    """The table with its types checked, and without what the repository may not set."""
    try:
        table = msgspec.convert(found.table, _Table)
    except msgspec.ValidationError as error:
        at = _AT.fullmatch(str(error))
        message, place = (at.group(1), at.group(2)) if at else (str(error), "")
        keys = re.findall(r"[\w-]+", place)
        unknown = _UNKNOWN.search(message)
        if unknown:
            keys.append(unknown.group(1))
            message = f"there is no setting {unknown.group(1)!r}; known: {', '.join(SETTINGS)}"
        raise _error(found, keys, message[:1].lower() + message[1:]) from None
    if found.own and (beyond := sorted(set(found.table) & OUTSIDE_ONLY)):
        message = f"{beyond[0]} is for the command line, or for a file outside of the reviewed repository"
        raise _error(found, beyond[:1], message)
    return table


def _settings(found: _Found, table: _Table, known: Mapping[str, Rule]) -> dict[str, Any]:
    """Fields of ``Config`` that the table sets."""
    values: dict[str, Any] = {
        "fail-on": _choice(found, ["fail-on"], table.fail_on, {**_SEVERITIES, "never": None}),
        "min-confidence": _choice(found, ["min-confidence"], table.min_confidence, _CONFIDENCES),
        "persona": _choice(found, ["persona"], table.persona, {word: word for word in get_args(Persona)}),
        "strict-coverage": table.strict_coverage,
        "exclude": _patterns(found, table.exclude),
        "rules": _rules(found, table.rules, known),
        "processes": table.processes,
    }
    return {key.replace("-", "_"): value for key, value in values.items() if key in found.table}


def _own_files(folders: Sequence[str], root: str, repository: bool, notes: list[Gap]) -> tuple[OwnFile, ...]:
    """The user's own rules and API models, known to be sound."""
    if not folders:
        return ()
    inside = [folder for folder in folders if _inside(os.path.realpath(folder), root)]
    if inside and not repository:
        raise ConfigError(f"{safe(inside[0])}: it is part of the repository, of which nothing is to count")
    try:
        found = tuple(file for folder in own.each_once(folders) for file in own.read_folder(folder))
        parsed = own.parsed(found)
    except own.OwnError as error:
        raise ConfigError(str(error)) from None
    words = [f"{len(parsed.rules)} own rule{'' if len(parsed.rules) == 1 else 's'}"] if parsed.rules else []
    words += [f"own API models in {len(parsed.models)} file{'' if len(parsed.models) == 1 else 's'}"] if parsed.models else []
    where = " (from a folder that is part of what is reviewed)" if inside else ""
    notes.append(Gap("configuration", "", 0, f"beside the built-in ones: {' and '.join(words)}{where}", partial=False))
    return found


def _choice(found: _Found, keys: Sequence[str], word: str, known: Mapping[str, Any]) -> Any:
    if word not in known:
        raise _error(found, keys, f"{word!r} is not one of {', '.join(known)}")
    return known[word]


def _patterns(found: _Found, patterns: Sequence[str]) -> tuple[str, ...]:
    for pattern in patterns:
        if Patterns(pattern.encode()).count != 1:  # none, as a comment is, or several
            raise _error(found, ["exclude"], f"{pattern!r} is no pattern")
    return tuple(patterns)


def _rules(found: _Found, words: Mapping[str, str], known: Mapping[str, Rule]) -> dict[str, Severity | None]:
    made: dict[str, Severity | None] = {}
    for rule, word in sorted(words.items()):
        keys = ["rules", rule]
        if rule not in known:
            raise _error(found, keys, f"there is no rule {rule!r} (headwater rules list)")
        severity = made[rule] = _choice(found, keys, word, {"off": None, **_SEVERITIES})
        if severity is not None and severity > known[rule].severity:
            raise _error(found, keys, f"{rule} is {known[rule].severity.word}: a severity can be lowered, not raised")
    return made


def _notes(found: _Found, settings: Mapping[str, Any]) -> list[Gap]:
    """What the ledger says of the settings that took effect."""
    path = found.name if found.own else ""
    shown = "the configuration file" if found.own else "the configuration file that was given"

    def note(text: str) -> Gap:
        return Gap("configuration", path, 0, text, partial=False)

    simple = [f"{key.replace('_', '-')} = {_word(settings[key])}" for key in settings if key not in ("exclude", "rules")]
    notes = [note(f"{shown} sets {', '.join(simple)}")] if simple else []
    if settings.get("exclude"):
        patterns = settings["exclude"]
        further = f" and {len(patterns) - _EXAMPLES:,} more" if len(patterns) > _EXAMPLES else ""
        notes.append(note(f"{shown} leaves out files: {', '.join(patterns[:_EXAMPLES])}{further}"))
    for rule, severity in settings.get("rules", {}).items():
        notes.append(note(f"{shown} switches off the rule {rule}" if severity is None else f"{shown} lowers {rule} to {severity.word}"))
    return notes


def _word(value: object) -> str:
    if value is None:
        return "never"
    return value.word if isinstance(value, (Severity, Confidence)) else str(value).lower()


def _error(found: _Found, keys: Sequence[str], message: str) -> ConfigError:
    line = _line(found.text, (*found.prefix, *keys))
    return ConfigError(f"{found.name}:{line}: {message}" if line else f"{found.name}: {message}")


def _line(text: str, keys: tuple[str, ...]) -> int:
    """The line that names a key, or the nearest table above it; 0 where none does. TOML's reader does not tell."""
    best, most = 0, 0
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        key, equals, _ = line.partition("=")
        if line.lstrip().startswith("["):
            path = table = _parts(line.partition("]")[0].lstrip(" \t["))
        elif equals:
            path = [*table, *_parts(key)]
        else:
            continue
        same = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(path, keys, strict=False))))
        if same > most:
            best, most = number, same
    return best


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
