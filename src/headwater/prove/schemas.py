"""Values that a JSON Schema takes: valid ones, and the places of texts in them.

Schemas come from the application: hostile input, bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from headwater.limits import PROVE_SCHEMA_DEPTH, PROVE_SCHEMA_PLACES

SAMPLES: Final = (
    "test", "1", "a", "abc", "A", "ABC", "a1", "A1", "abc123", "test-1", "test_1", "main", "10", "100", "1234",
    "2024-01-01", "2024-01-01T00:00:00Z", "12:00", "user@example.com", "http://127.0.0.1/", "http://127.0.0.1/a",
    "/tmp/a", "a.txt", "a/b", "ab/cd", "127.0.0.1",
    "#ffffff", "v1.0.0", "1.0.0", "1.0", "1:2", "0x1", "aa:bb", "abcd1234", "abcdefgh12345678", "0123456789abcdef0123456789abcdef",
    "00000000-0000-4000-8000-000000000000", "id-1", "ID1", "USD", "en", "en-US", "@a", "$a", "a,b", "a=b", "A-1", "AB-12", "AB123",
    "+15550100",
)  # fmt: skip
"""Tried, in order, against a pattern."""

OF_FORMAT: Final[Mapping[str, str]] = {
    "date": "2024-01-01", "date-time": "2024-01-01T00:00:00Z", "time": "12:00:00Z", "email": "user@example.com", "uri": "http://127.0.0.1/",
    "url": "http://127.0.0.1/", "uri-reference": "/a", "hostname": "localhost", "ipv4": "127.0.0.1", "ipv6": "::1",
    "uuid": "00000000-0000-4000-8000-000000000000", "duration": "PT1S", "path": "a.txt", "file-path": "a.txt", "directory-path": ".",
    "regex": "a", "json": "{}", "json-string": "{}", "byte": "YQ==", "color": "#ffffff",
}  # fmt: skip

FOLDER: Final = "."
FILE: Final = "a.txt"

# By the words of a name: what an application takes for it.
OF_NAME: Final[Sequence[tuple[str, str]]] = (
    (r"urls?|uri|link|endpoint|webhook|href", "http://127.0.0.1/"),
    (r"hosts?|hostname|ip|server|domain|address", "localhost"),
    (r"e ?mail|recipient|to", "user@example.com"),
    (r"dir|directory|folder|cwd|root|workdir|workspace|(?:repo|repository|project|codebase|base|working) path", FOLDER),
    (r"paths?|file|files|filename|filepath|file name|output|destination|dest|source|src", FILE),
    (r"sql|statement", "SELECT 1"),
    (r"command|cmd|shell|script", ":"),
    (r"code|expression|expr|formula|python|snippet|program", "1"),
    (r"date|day|since|until|start date|end date", "2024-01-01"),
    (r"time|timestamp", "2024-01-01T00:00:00Z"),
    (r"table|collection|column|field", "sqlite_master"),
    (r"json|data|payload|body|params|args|arguments|options", "{}"),
    (r"lang|language|locale", "en"),
    (r"ids?|key|number|num|count|index|page|limit|size", "1"),
    (r"branch|ref", "main"),
    (r"regex|pattern|glob", "a"),
)
COMMANDS: Final = r"\b(?:command|cmd|argv|program|executable)\b"
"""In the name of an argument: a program, and what it is given."""
TOOL_NAMES: Final = re.compile(r"(?:tool|function|action|request)(?:_?name)?$|^name$", re.IGNORECASE)


class Known(msgspec.Struct):
    """What an application's own messages told about values that it takes."""

    values: dict[str, Any] = msgspec.field(default_factory=dict)
    """By the name of an argument, without what it lies in."""
    needed: set[str] = msgspec.field(default_factory=set)
    """Names of arguments that must be there although the schema does not say so."""
    root: str = ""
    """A folder that it may use."""
    host: str = ""
    """A host that it may ask."""
    complaints: dict[str, int] = msgspec.field(default_factory=dict)
    """How often the value of an argument was told to be wrong, without saying what is right."""


class Place(msgspec.Struct, frozen=True):
    """Where a text stands in a valid value."""

    path: tuple[str | int, ...]
    schema: Mapping[str, Any]
    base: Any
    """A valid value in which the place is there."""
    about: str = ""
    fixed: bool = False
    """The schema says which texts are right."""

    @property
    def name(self) -> str:
        return ".".join(str(part) for part in self.path)

    @property
    def leaf(self) -> str:
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")

    @property
    def benign(self) -> Any:
        return at(self.base, self.path)

    def put(self, value: Any) -> Any:
        return put(self.base, self.path, value)


def put(value: Any, path: Sequence[str | int], leaf: Any) -> Any:
    """A copy of a value with a part of it replaced."""
    if not path:
        return leaf
    if isinstance(value, dict):
        return {key: put(part, path[1:], leaf) if key == path[0] else part for key, part in value.items()}
    return [put(part, path[1:], leaf) if index == path[0] else part for index, part in enumerate(value)]


def words_of(name: str) -> str:
    """A name as words: ``filePath`` and ``file_path`` are ``file path``."""
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()).strip()


def names_tool(name: str) -> bool:
    """Whether a value of this name says which tool, or which kind of message, it is."""
    return bool(TOOL_NAMES.search(name)) or name == "type"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def resolve(given: object, root: Mapping[str, Any], depth: int = 0) -> Mapping[str, Any]:
    """A schema with references followed, the first alternative taken that is not null, and parts of ``allOf`` joined."""
    schema = _mapping(given)
    if depth > PROVE_SCHEMA_DEPTH:
        return {}
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        target: Any = root
        for part in reference[1:].split("/")[1:]:
            target = _mapping(target).get(part)
        return {**resolve(target, root, depth + 1), **{key: value for key, value in schema.items() if key != "$ref"}}
    for word in ("anyOf", "oneOf"):
        parts = schema.get(word)
        if isinstance(parts, list):
            usable = [part for part in parts if _mapping(part).get("type") != "null"]
            # A text, where one is among the alternatives: it can hold anything.
            usable.sort(key=lambda part: _mapping(part).get("type") != "string")
            if usable:
                return {**resolve(usable[0], root, depth + 1), **{key: value for key, value in schema.items() if key != word}}
    parts = schema.get("allOf")
    if isinstance(parts, list):
        joined: dict[str, Any] = {}
        for part in parts[:8]:
            found = resolve(part, root, depth + 1)
            properties = {**_mapping(joined.get("properties")), **_mapping(found.get("properties"))}
            listed = found.get("required")
            required = [*joined.get("required", []), *(listed if isinstance(listed, list) else [])]
            joined |= found
            if properties:
                joined |= {"properties": properties, "required": required}
        return {**joined, **{key: value for key, value in schema.items() if key != "allOf"}}
    return schema


def kind(schema: Mapping[str, Any]) -> str:
    given = schema.get("type")
    if isinstance(given, list):
        given = next((item for item in given if item != "null"), "")
    if isinstance(given, str) and given:
        return given.lower()
    return "object" if "properties" in schema else "array" if "items" in schema else ""


def valid(schema: Any, root: Mapping[str, Any], name: str = "", known: Known | None = None, tool: str = "", depth: int = 0) -> Any:
    """A value that the schema takes, as plain as it can be: of objects, what is required."""
    schema = resolve(schema, root)
    of_kind = kind(schema)
    if known is not None and name in known.values and of_kind != "object" and isinstance(known.values[name], list) == (of_kind == "array"):
        return known.values[name]
    if "const" in schema:
        return schema["const"]
    for word in ("enum", "examples"):
        listed = schema.get(word)
        if isinstance(listed, list) and listed:
            return listed[0]
    if of_kind == "object" and depth < PROVE_SCHEMA_DEPTH:
        properties = _mapping(schema.get("properties"))
        needed = set(schema["required"]) if isinstance(schema.get("required"), list) else set()
        if known is not None:
            needed |= known.needed
        return {
            key: valid(part, root, key, known, tool, depth + 1)
            for key, part in list(properties.items())[:PROVE_SCHEMA_PLACES]
            if key in needed or (tool and names_tool(key))
        }
    if of_kind == "array":
        count = schema.get("minItems")
        one = valid(schema.get("items", {}), root, name, known, tool, depth + 1) if depth < PROVE_SCHEMA_DEPTH else "a"
        return [one] * min(max(1, count if isinstance(count, int) else 1), 8)
    if schema.get("default") not in (None, "") and depth:
        return schema["default"]
    if of_kind in {"integer", "number"}:
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum")
        number = 1 if not isinstance(low, (int, float)) else low + ("exclusiveMinimum" in schema and "minimum" not in schema)
        return min(number, high) if isinstance(high, (int, float)) else number
    if of_kind == "boolean":
        return False
    if of_kind == "null":
        return None
    if tool and names_tool(name):
        return tool
    made = text(schema, name)
    # Of paths, those in a folder that may be used are valid, where one is known.
    inside = {FOLDER: known.root, FILE: f"{known.root}/{FILE}"}.get(made, "") if known is not None and known.root else ""
    return inside if inside and fits(schema, inside) else made


def text(schema: Mapping[str, Any], name: str) -> str:
    """A valid text."""
    given = schema.get("format")
    candidates = [OF_FORMAT[given]] if isinstance(given, str) and given in OF_FORMAT else []
    words = words_of(name)
    candidates += [value for pattern, value in OF_NAME if re.search(rf"\b(?:{pattern})\b", words)]
    about = schema.get("description")
    if isinstance(about, str):
        shown = re.search(r"(?:e\.g\.,?|for example:?|such as|example:|like)\s*[`'\"]([^`'\"\n]{1,80})[`'\"]", about[:2_000], re.IGNORECASE)
        if shown:
            candidates.insert(0, shown[1])
        listed = re.search(
            r"\b(?:one of|either|must be|options?:|values?:)\s*:?\s*[`'\"\[(]*([\w./-]{1,40})[`'\"]?(?:,| or |\|)",
            about[:2_000],
            re.IGNORECASE,
        )
        if listed:
            candidates.insert(0, listed[1])
    candidates += SAMPLES
    return next((value for value in candidates if fits(schema, value)), candidates[0])


def fits(schema: Mapping[str, Any], value: str) -> bool:
    """Whether what the schema says of a text lets it through: its pattern and length."""
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if (isinstance(longest, int) and len(value) > longest) or (isinstance(shortest, int) and len(value) < shortest):
        return False
    if isinstance(pattern, str) and _tame(pattern):
        try:
            return re.search(pattern, value) is not None
        except re.error:
            return True
    return True


def _tame(pattern: str) -> bool:
    """No repetition of a group: the application's pattern must not keep us busy."""
    return len(pattern) <= 200 and not re.search(r"\)[*+{]", pattern)


def places(schema: Mapping[str, Any], known: Known | None = None, tool: str = "") -> Iterator[Place]:
    """Every text in a value of the schema, those that are required first."""
    base = valid(schema, schema, "", known, tool)
    if not isinstance(base, dict):
        base = {}
    found = list(_places(schema, schema, (), base, known, tool, 0))
    found.sort(key=lambda item: item[0])
    for _, place in found[:PROVE_SCHEMA_PLACES]:
        yield place


def _places(
    schema: Any, root: Mapping[str, Any], path: tuple[str | int, ...], base: Any, known: Known | None, tool: str, optional: int
) -> Iterator[tuple[int, Place]]:
    schema = resolve(schema, root)
    of_kind = kind(schema)
    if len(path) > PROVE_SCHEMA_DEPTH:
        return
    if of_kind == "object" and isinstance(at(base, path), dict):
        required = schema["required"] if isinstance(schema.get("required"), list) else []
        for key, part in list(_mapping(schema.get("properties")).items())[:PROVE_SCHEMA_PLACES]:
            if tool and names_tool(key):
                continue
            added = optional + (key not in required)
            grown = base if key in at(base, path) else _grown(base, path, key, valid(part, root, key, known, tool, 1))
            yield from _places(part, root, (*path, key), grown, known, tool, added)
    elif of_kind == "array":
        yield from _places(schema.get("items", {}), root, (*path, 0), base, known, tool, optional)
        given = at(base, path)
        if path and isinstance(given, list) and re.search(COMMANDS, words_of(str(path[-1]))):
            # The first is the program, which may be one of a few: what it is given is another place.
            grown = put(base, path, [*given[:1], SAMPLES[0]])
            yield from _places(schema.get("items", {}), root, (*path, 1), grown, known, tool, optional)
    elif of_kind in {"string", ""} and "const" not in schema and path:
        about = schema.get("description")
        fixed = any(word in schema for word in ("enum", "pattern", "format"))
        yield optional, Place(path, schema, base, about if isinstance(about, str) else "", fixed)


def at(value: Any, path: Sequence[str | int]) -> Any:
    """The part of a value at a path."""
    for part in path:
        value = value[part]
    return value


def _grown(value: Any, path: Sequence[str | int], key: str, added: Any) -> Any:
    return put(value, path, {**at(value, path), key: added})
