"""Hostile values for the arguments of a tool, one at a time, with valid siblings: which classes of sinks fit what an argument is called.

Used for tools that a model is offered, for tools of MCP servers and for parameters of HTTP alike.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from headwater.limits import PROVE_PLANS, PROVE_SCHEMA_PLACES
from headwater.prove import schemas
from headwater.prove.attempts import Payload
from headwater.prove.payloads import payloads
from headwater.prove.schemas import Known
from headwater.prove.talk import Offered

# Words in the name of an argument, or behind them in its description and the tool's own name, and the classes they speak for.
SIGNS: Final[Sequence[tuple[str, tuple[str, ...], float]]] = (
    (r"sql|statement|where|having|order by|group by|table|tables|column|columns|db|database", ("sql",), 1.0),
    (r"query|filter|condition|criteria", ("sql", "code"), 0.9),
    (r"search|lookup|topic|keyword|question", ("sql", "url"), 0.5),
    (r"command|cmd|shell|bash|terminal|args?|arguments|flags?|options?|executable|process|exec", ("shell", "code"), 1.0),
    (r"code|script|python|snippet|program|source code|function body|javascript", ("code", "shell"), 1.0),
    (r"expression|expr|formula|calculation|math|equation|eval|evaluate", ("code",), 1.0),
    (
        r"paths?|files?|filename|filepath|dir|directory|folder|cwd|root|workspace|location|attachment|document|log",
        ("path-read", "path-write"),
        1.0,
    ),
    (r"output|destination|dest|target|save|write|out|export", ("path-write", "path-read"), 1.0),
    (r"urls?|uri|link|endpoint|webhook|href|website|web ?page|site|feed|address", ("url",), 1.0),
    (r"hosts?|hostname|ip|server|domain|port", ("shell", "url"), 1.0),
    (r"branch|ref|repo|repository|commit|tag|package|image|container|pod|namespace|service|remote|revision", ("shell", "path-read"), 1.0),
    (r"template|prompt|subject|greeting", ("template", "html"), 1.0),
    (r"html|markdown|body|content|message|text|comment|description|title|caption|label|answer|summary", ("html", "template"), 0.8),
    (r"pickle|serialized|yaml|object|state|payload|blob|config", ("deserialize",), 1.0),
    (r"xml|svg|soap|rss", ("xml",), 1.0),
    (r"module|plugin|class|import|backend|driver|provider", ("import",), 1.0),
    (
        r"ids?|key|names?|user|user name|slug|uuid|email|customer|order|status|category|city|country|date",
        ("sql", "shell", "path-read"),
        0.7,
    ),
)
ALL: Final = ("shell", "code", "sql", "path-read", "path-write", "url", "template", "html", "deserialize", "xml", "import")
"""The classes, those that do most first: what no word speaks for is tried last, in this order."""

SCRIPT: Final = r"\b(?:javascript|js|node|node ?js|typescript)\b"
OUTPUTS: Final = r"\b(?:output|destination|dest|target|save|export|out)\b"
READS: Final = r"\b(?:read|get|list|load|open|show|view|cat|search|stat|info|tree|find|fetch|describe)\b"
WRITES: Final = r"\b(?:write|save|create|make|edit|delete|remove|move|rename|copy|append|put|export|update|store|upload)\b"

BREADTH: Final = 0.88  # of its weight is left to an argument, and to a class there, for each payload that was tried
LEAST: Final = 0.1  # of the weight of what is tried: of classes that no word speaks for, the first ranks
LISTED: Final = re.compile(
    r"(?m)(?:^|\n)[ \t]*[-*]?[ \t]*[`'\"]?(\w{1,60})[`'\"]?[ \t]*(?:\((?:[\w\[\], |.]{1,40})\))?[ \t]*:[ \t]*(\S[^\n]{0,200})"
)
QUOTED: Final = re.compile(r"\b(?:arguments?|parameters?|inputs?|fields?)\b[^\n]{0,30}?[`'\"](\w{1,60})[`'\"]")
NOT_ARGUMENTS: Final = {
    "args",
    "arguments",
    "parameters",
    "returns",
    "return",
    "raises",
    "example",
    "examples",
    "note",
    "usage",
    "input",
    "output",
    "default",
}


class Plan(msgspec.Struct, frozen=True):
    """A payload for one argument of a tool, not filled in yet."""

    argument: str
    payload: Payload
    weight: float
    place: schemas.Place
    turn: float = 0.0
    """The weight, less for what is tried with the argument, and in the same class, before it: others have their turn."""

    @property
    def benign(self) -> str:
        value = self.place.benign
        return value if isinstance(value, str) else "1"


class Hostile(msgspec.Struct, frozen=True):
    """A call with one hostile argument."""

    argument: str
    payload: Payload
    value: str
    arguments: Mapping[str, Any]


def classes_of(name: str, about: str = "", tool: str = "", does: str = "") -> dict[str, float]:
    """Which classes fit an argument, by how likely: words of its name count most, then its description, then what the tool is called
    and what it does. What several speak for is likelier than what one does."""
    found: dict[str, float] = {}
    for text, weight in (
        (schemas.words_of(name), 0.9),
        (about[:500].lower(), 0.55),
        (schemas.words_of(tool), 0.5),
        (does[:300].lower(), 0.35),
    ):
        said: dict[str, float] = {}
        for pattern, classes, share in SIGNS:
            if re.search(rf"\b(?:{pattern})\b", text):
                for place, sink_class in enumerate(classes):
                    said[sink_class] = max(said.get(sink_class, 0), weight * share * 0.85**place)
        for sink_class, share in said.items():
            found[sink_class] = 1 - (1 - found.get(sink_class, 0)) * (1 - share)
    if re.search(OUTPUTS, schemas.words_of(name)) and "path-read" in found:
        found["path-read"] *= 0.6
    # What the tool is called says which of the two it does with a path.
    words = schemas.words_of(tool)
    if re.search(READS, words) and not re.search(WRITES, words) and "path-write" in found:
        found["path-write"] *= 0.5
    elif re.search(WRITES, words) and not re.search(READS, words) and "path-read" in found:
        found["path-write"], found["path-read"] = max(found["path-read"], found.get("path-write", 0)), found["path-read"] * 0.6
    for place, sink_class in enumerate(ALL):
        found[sink_class] = max(found.get(sink_class, 0), 0.18) * 0.98**place
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def described(tool: Offered) -> Mapping[str, Any]:
    """The schema of its arguments; where there is none, one made of the names that stand in the description."""
    if tool.schema and schemas.resolve(tool.schema, tool.schema).get("properties"):
        return tool.schema
    about = re.split(r"(?im)^\s*(?:returns?|raises|yields|examples?)\s*:", tool.description[:4_000])[0]
    found = {match[1]: match[2] for match in LISTED.finditer(about) if match[1].lower() not in NOT_ARGUMENTS}
    for match in QUOTED.finditer(about):
        found.setdefault(match[1], "")
    properties = {name: {"type": "string", "description": text} for name, text in list(found.items())[:PROVE_SCHEMA_PLACES]}
    return {"type": "object", "properties": properties, "required": list(properties)}


def plans(tool: Offered, known: Known | None = None, classes: frozenset[str] | None = None) -> tuple[Plan, ...]:
    """Everything to try with a tool, the most likely first."""
    # Asked for at each request, with the same tools: what is the same is told by its JSON.
    return _plans(msgspec.json.encode(tool), b"" if known is None else msgspec.json.encode(known, order="deterministic"), classes)


@functools.lru_cache(maxsize=256)
def _plans(of_tool: bytes, of_known: bytes, classes: frozenset[str] | None) -> tuple[Plan, ...]:
    tool = msgspec.json.decode(of_tool, type=Offered)
    known = msgspec.json.decode(of_known, type=Known) if of_known else None
    schema = described(tool)
    known = _programs(tool, schema, known)
    made = []
    for place in schemas.places(schema, known):
        about = place.about + " " + _own(tool.description, place.leaf)
        fitting = classes_of(place.leaf, about, tool.name, tool.description)
        script = bool(
            re.search(SCRIPT, f"{schemas.words_of(place.leaf)} {about} {schemas.words_of(tool.name)} {tool.description[:300]}".lower())
        )
        for payload in payloads():
            if (classes is not None and payload.sink_class not in classes) or not _usable(payload, known):
                continue
            weight = fitting.get(payload.sink_class, 0.1) * 0.75**payload.rank
            if payload.sink_class == "code" and (payload.language == "javascript") != script:
                weight *= 0.5
            if (place.fixed and not schemas.fits(place.schema, payload.text)) or "enum" in place.schema:
                weight *= 0.3
            if weight < LEAST:
                continue
            made.append(Plan(place.name, payload, weight, place))
    made.sort(key=lambda plan: -plan.weight)
    tried: dict[str, int] = {}
    ordered = []
    for plan in made:
        turn = plan.weight
        for kept in (plan.argument, f"{plan.argument} {plan.payload.sink_class}"):
            turn *= BREADTH ** tried.get(kept, 0)
            tried[kept] = tried.get(kept, 0) + 1
        ordered.append(msgspec.structs.replace(plan, turn=turn))
    return tuple(sorted(ordered, key=lambda plan: -plan.turn)[:PROVE_PLANS])


def _usable(payload: Payload, known: Known | None) -> bool:
    """A payload beside an allowed folder needs to know one."""
    return "{root}" not in payload.text or bool(known and known.root)


def _own(description: str, name: str) -> str:
    """The line of a tool's description that is about the argument."""
    found = re.search(rf"(?m)^.{{0,20}}\b{re.escape(name)}\b.{{0,200}}$", description[:4_000]) if name else None
    return found[0] if found else ""


def hostile(
    tool: Offered,
    fill: Callable[[Payload, str], str],
    *,
    known: Known | None = None,
    classes: frozenset[str] | None = None,
) -> Iterator[Hostile]:
    """Calls of a tool, the most promising first. ``fill`` is given a payload and the valid value of the argument."""
    for plan in plans(tool, known, classes):
        value = fill(plan.payload, plan.benign)
        yield Hostile(plan.argument, plan.payload, value, plan.place.put(value))


def benign(tool: Offered, known: Known | None = None) -> Mapping[str, Any]:
    """Valid arguments."""
    schema = described(tool)
    made = schemas.valid(schema, schema, "", _programs(tool, schema, known))
    return made if isinstance(made, dict) else {}


def _programs(tool: Offered, schema: Mapping[str, Any], known: Known | None) -> Known | None:
    """What is known, and the program that the tool's description says may be started: without it every command is refused."""
    allowed = PROGRAMS.search(tool.description[:4_000])
    if allowed is None:
        return known
    # With something to work on: alone, many programs wait for input.
    given = [allowed[1], schemas.SAMPLES[0]]
    found: dict[str, Any] = {}
    for place in schemas.places(schema):
        if re.search(schemas.COMMANDS, schemas.words_of(place.leaf)):
            found[place.leaf] = given if isinstance(place.path[-1], int) else " ".join(given)
    known = known or Known()
    return msgspec.structs.replace(known, values={**found, **known.values})


# What messages of applications say about values.
PROGRAMS: Final = re.compile(
    r"\b(?:allowed|permitted|whitelisted|supported|available)\s+(?:shell\s+)?(?:commands?|programs?|executables?)(?:\s+(?:are|is))?\s*:?"
    r"\s*[\[({]?\s*[`'\"]?([\w.-]{1,40})\b",
    re.IGNORECASE,
)
CHOICES: Final = re.compile(
    r"(?:must be (?:one of|either)|should be one of|expected one of|not one of|valid (?:values|options|choices)(?: are)?"
    r"|allowed values(?: are)?|supported (?:\w+ )?(?:values|types|formats)(?: are)?|choose from|permitted:|Input should be"
    r"|available(?: \w+)?:)\s*:?\s*[\[({]?\s*"
    r"([`'\"]?[\w./:-]{1,60}[`'\"]?(?:\s*(?:,|\||or|and)\s*(?:or\s+)?[`'\"]?[\w./:-]{1,60}[`'\"]?)*)",
    re.IGNORECASE,
)
FOLDERS: Final = re.compile(
    r"(?:allowed|permitted|accessible|outside|within|inside|not in|under|restricted to)[^\n/]{0,60}?((?:/[\w.@+-]+)+)", re.IGNORECASE
)
OUTSIDE: Final = re.compile(r"(?:/[\w.@+ -]+)+ not in ((?:/[\w.@+-]+)+)")
HOSTS: Final = re.compile(
    r"(?:allowed|permitted|whitelisted|only|must (?:be|start with|point to))[^\n]{0,60}?https?://([\w.-]{1,100}(?::\d+)?)", re.IGNORECASE
)
MISSING: Final = re.compile(
    r"[`'\"](\w{1,60})[`'\"]\s*(?:is|are|was)?\s*(?:a )?(?:required|missing)"
    r"|\b(?:missing|required|requires)\b[^\n`'\"]{0,60}[`'\"](\w{1,60})[`'\"]"
    r"|\b(?:missing|required|requires)\b[^\n`'\"]{0,40}?(?:arguments?|parameters?|property|fields?|keys?):?\s+(\w{1,60})"
    r"|(?m:^(\w{1,60})\n\s+(?:Field required|field required|Missing required))",
)


FORMAT: Final = re.compile(r"(?:pattern|match\w*|regex|format|expression)[^\n^]{0,40}(\^[^\s]{2,100})", re.IGNORECASE)
WRONG: Final = r"(?:invalid|not valid|malformed|unknown|unsupported|not supported|wrong|bad|no such|does not exist|not found)\b"
NOT_THERE: Final = re.compile(r"no such file|not found|does not exist|cannot find|doesn't exist|ENOENT", re.IGNORECASE)
ABSOLUTE: Final = re.compile(r"\b(?:must|should|needs? to|expected|requires?|not)\b[^\n]{0,40}\babsolute\b", re.IGNORECASE)
OTHERS: Final = ("abcdefgh12345678", "1", "00000000-0000-4000-8000-000000000000", "A1", "main", "test")
"""Values tried in turn where one was told to be wrong."""


def learn(known: Known, tool: Offered, message: str, hostile_argument: str = "", existing: str = "") -> bool:
    """Takes from a message of the application what it says of values; whether there was anything new.

    ``existing``: the path of a file that is there, for arguments that must name one.
    """
    schema = described(tool)
    names = {place.leaf for place in schemas.places(schema)}
    before = (dict(known.values), set(known.needed), known.root, known.host)
    message = message[:4_000]
    hostile_leaf = hostile_argument.split(".")[-1]
    told: set[str] = set()
    for match in CHOICES.finditer(message):
        choices = [part.strip("`'\" ") for part in re.split(r"\s*(?:,|\||\bor\b|\band\b)\s*", match[1])]
        around = message[max(0, match.start() - 120) : match.end()]
        about = [name for name in names if name != hostile_leaf and re.search(rf"\b{re.escape(name)}\b", around)]
        for name in about[:1]:
            told.add(name)
            known.values[name] = next((choice for choice in choices if choice), "")
    for match in FORMAT.finditer(message):
        about = [name for name in names if name != hostile_leaf and re.search(rf"\b{re.escape(name)}\b", message)]
        others = [name for name in names if name != hostile_leaf]
        for name in about[:1] or (others if len(others) == 1 else []):
            told.add(name)
            known.values[name] = schemas.text({"pattern": match[1].rstrip("/.,'\"`)")}, name)
    for place in schemas.places(schema, known):
        if place.leaf == hostile_leaf or place.leaf in told or isinstance(place.path[-1], int):
            continue
        name = re.escape(place.leaf)
        if re.search(rf"(?i)\b{name}\b[^\n]{{0,60}}\b{WRONG}|\b{WRONG}[^\n]{{0,40}}\b{name}\b", message):
            count = known.complaints[place.leaf] = known.complaints.get(place.leaf, 0) + 1
            known.values[place.leaf] = OTHERS[(count - 1) % len(OTHERS)]
    if ABSOLUTE.search(message):
        for place in schemas.places(schema, known):
            if place.leaf != hostile_leaf and place.benign in (schemas.FOLDER, schemas.FILE):
                known.values[place.leaf] = os.path.normpath(os.path.join(known.root or "/tmp", place.benign))
    if NOT_THERE.search(message):
        for place in schemas.places(schema, known):
            if place.leaf != hostile_leaf and existing and "path-read" in list(classes_of(place.leaf))[:2] and str(place.benign) in message:
                known.values[place.leaf] = existing
    for match in [*OUTSIDE.finditer(message), *FOLDERS.finditer(message)]:
        known.root = known.root or match[1].rstrip("/.")
    for match in HOSTS.finditer(message):
        known.host = known.host or match[1]
    for match in MISSING.finditer(message):
        name = next(filter(None, match.groups()))
        if name in names:
            known.needed.add(name)
    return before != (known.values, known.needed, known.root, known.host)
