"""How an application will read the text of an answer, guessed from what it asks: the forms, likely ones first.

A form is text before and after the payload, and how the payload is written between them. Nothing here knows a package: only words that
prompts use, and the prompt's own names, tags, fences and examples.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from headwater.limits import PROVE_FORMS, PROVE_PROMPT_CHARS
from headwater.prove import examples, schemas
from headwater.prove.talk import Ask

SLOT: Final = "\ue000slot\ue000"  # stands where the payload goes, in values that are written as JSON; of the private use area
LANGUAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "python": ("python", "py", "python3", "tool_code", "ipython"),
    "sql": ("sql", "sqlite", "postgresql", "mysql", "duckdb"),
    "javascript": ("javascript", "js", "typescript", "ts", "node", "jsx", "tsx"),
    "sh": ("bash", "sh", "shell", "console", "zsh"),
    "html": ("html", "svg", "markdown", "md"),
    "jinja": ("jinja", "jinja2", "template"),
    "yaml": ("yaml", "yml"),
    "xml": ("xml",),
    "url": ("url",),
}
"""Names of a language as fences write them; those of payloads first."""

SHORTEST: Final = 24  # characters of the shortest payload: a text that must be shorter takes none
OF_FENCE: Final = {name: language for language, names in LANGUAGES.items() for name in names}

# Words of a prompt that speak for a language, and how much. Each counts once.
WORDS: Final[Sequence[tuple[str, str, float]]] = (
    ("python", r"\bpython3?\b", 3),
    ("python", r"\bdataframe\b|\bdf\b|\bdfs\b|\bdef \w+\(|\bprint\(|\bimport \w+|\bexec\(|\beval\(|\bREPL\b", 1),
    ("python", r"\b(?:python|single line|mathematical|math) (?:code|expression|program)|\bexpression\b", 2),
    ("sql", r"\bSQL\b|\bSQLQuery\b|\bsql_query\b", 3),
    ("sql", r"\bSELECT\b|\bCREATE TABLE\b|\bdialect\b|\bschema of the (?:database|tables?)\b|\bquery to run\b", 2),
    ("javascript", r"\bjavascript\b|\bnode\.?js\b|\btypescript\b", 3),
    ("sh", r"\bshell\b|\bbash\b|\bterminal\b|\bcommand[- ]line\b|\bunix command|\bcommands? to (?:run|execute)", 3),
    ("html", r"\bhtml\b|\bmarkdown\b|\bsvg\b|\bweb ?page\b", 2),
    ("jinja", r"\bjinja2?\b|\btemplate (?:language|syntax|engine)\b", 3),
    ("url", r"\burls?\b to (?:fetch|open|visit|browse)|\bonly the (?:url|link)\b", 3),
    ("path", r"\b(?:file ?name|path) (?:to|of|for)\b|\bonly the (?:path|file ?name)\b", 1),
)
ONLY: Final = re.compile(
    r"\b(?:only|just|nothing but|directly|no explanations?|without (?:any )?(?:explanation|markdown|fences?|quotes?|backticks?)"
    r"|do not quote"
    r"|no markdown|not enclose|single line)\b",
    re.IGNORECASE,
)
BLOCK: Final = re.compile(r"\b(?:code|coding|python|sql|markdown|fenced) (?:code )?blocks?\b|\btriple backticks\b", re.IGNORECASE)
NO_BLOCK: Final = re.compile(
    r"\b(?:no|not|without|don't|avoid|never)\b[^.\n]{0,40}\b(?:code blocks?|backticks|markdown|fences?)\b", re.IGNORECASE
)
EXPRESSION: Final = re.compile(
    r"\bsingle[- ]line\b|\bone[- ]line(?:r)?\b|\b(?:python|mathematical|math|an?|the|only|arithmetic|boolean)\s+expression\b|\beval\(",
    re.IGNORECASE,
)
STATEMENTS: Final = re.compile(r"\bfinal line\b|\blast line\b|\bprint\(", re.IGNORECASE)
FENCE: Final = re.compile(r"(?m)(?:^|[\s:'\"(])```+[ \t]*([A-Za-z0-9_+-]*)")
TAG: Final = re.compile(r"<(/?)([A-Za-z][\w:.-]{0,40})>")
CODE_TAGS: Final = re.compile(
    r"code|python|py\b|script|sql|query|execute|exec\b|program|solution|bash|shell|command|tool|function|action|answer|output|result|html",
    re.IGNORECASE,
)
STARTS: Final = re.compile(r"start|begin|open", re.IGNORECASE)
STOPS: Final = re.compile(r"end|stop|close|finish", re.IGNORECASE)
TAG_VERBS: Final = re.compile(
    r"\b(?:prefix|suffix|wrap\w*|enclos\w*|surround\w*|inside|within|between|opened|closed|start\w*|end\w*|tags?)\b[^\n]{0,60}$",
    re.IGNORECASE,
)
DEFINED: Final = re.compile(
    r"(?m)^[ \t>]*(?:async )?def (\w{1,60})\(([^()\n]{0,200})\)\s*(?:->[^:\n]{0,60})?:"
    r"|\b(?:define|write|create|implement|provide|called|named)\b[^.\n]{0,40}?\bfunction\b[^.\n]{0,30}?[`'\"](\w{1,60})(?:\(([^()\n]{0,100})\))?[`'\"]"
    r"|\bfunction (?:called|named) [`'\"]?(\w{1,60})"
)
CALLED: Final = re.compile(
    r"\b(?:must|should|has to|have to|required to)\b[^\n.]{0,80}?\b(?:use|call|execute|invoke|using)\b[^\n.]{0,80}?"
    r"(?:[`'\"](\w{3,60})(?:\([^)`'\"]{0,60}\))?[`'\"]|\b(\w+_\w+)\b(?= function|\())",
    re.IGNORECASE,
)
DECLARED: Final = re.compile(
    r"\b(?:declare|assign|store|save|set|put)\b[^\n.]{0,60}?[`'\"](\w{2,40})[`'\"]?[ \w]{0,20}variable"
    r"|\b(?:declare|assign|store|save|set|put)\b[^\n.]{0,60}?\bvariable\s+(?:called|named)?\s*[`'\"]?(\w{2,40})",
    re.IGNORECASE,
)
KEYS: Final = re.compile(
    r"\b(?:keys?|fields?|properties|attributes)\b[^\n.{]{0,60}?((?:[`'\"]\w{1,40}[`'\"][^\n`'\"]{0,60}){1,8})", re.IGNORECASE
)
ASKS_JSON: Final = re.compile(
    r"\b(?:respond|answer|reply|return|output|express|produce|generate|provide|write|specify\w*|formatted?|response)\b[^\n]{0,100}\bJSON\b"
    r"|\bJSON[ _](?:format|object|blob|schema|string|array|dict\w*|response|output|code block)\b|\bvalid JSON\b|\bformat\s*:?\s*JSON\b",
    re.IGNORECASE,
)
REACT: Final = re.compile(r"(?m)^\s*Action\s*:")
REACT_INPUT: Final = re.compile(r"(?m)^\s*Action Input\s*:")
REACT_TOOLS: Final = re.compile(r"\b(?:one of|are|field are|values?)\b[^\n\[]{0,40}[:\[]\s*\[?([^\]\n]{1,600})")
TOOL_LINE: Final = re.compile(
    r"(?m)^[-*> ]{0,4}([A-Za-z_][\w .-]{0,50}?)(?:\([^()\n]{0,300}\))?(?:\s*->\s*[\w\[\]., ]+)?\s*(?::| - )\s*(\S[^\n]{2,400})$"
)
LABEL: Final = re.compile(r"(?m)^([A-Z][A-Za-z]{1,24}(?: [A-Z]?[a-z]{1,12}){0,2}):[ \t]*([^\n]{0,80})$")
LAST_LABEL: Final = re.compile(r"(?:^|\n|[.!?])[ \t]*([A-Z][A-Za-z ]{1,30}):\s*$")
NOT_LABELS: Final = {
    "Question",
    "Observation",
    "Thought",
    "Human",
    "User",
    "System",
    "Example",
    "Note",
    "Input",
    "Context",
    "Assistant",
    "Tools",
}
NAMED_TOOL: Final = re.compile(r"(?im)^[-*# ]*(?:tool|function|name|action|command)(?: name)?\s*:\s*[`'\"]?([\w.-]{1,60})")
FAILED: Final = re.compile(
    r"\berror\b|\bexception\b|\btraceback\b|\bfail(?:ed|ure)\b|\binvalid\b|\bnot allowed\b|\bnot valid\b|\bforbidden\b"
    r"|\bmust (?:use|call)\b|\bcould not\b|\btry again\b|\bunsafe\b|\bmalicious\b",
    re.IGNORECASE,
)
UNPARSED: Final = re.compile(
    r"could not parse|cannot parse|no code found|was not found in it|unknown format|invalid format|invalid json|not valid json"
    r"|expecting value|syntax ?error|invalid syntax|missing '?action|unable to parse|json ?decode",
    re.IGNORECASE,
)
REFUSED: Final = re.compile(
    r"not allowed|forbidden|restricted|malicious|unsafe|disallowed|not permitted|illegal|prohibited|denied|blocked|whitelist|allow-?list"
    r"|unauthori[sz]ed|dangerous",
    re.IGNORECASE,
)


class Form(msgspec.Struct, frozen=True):
    """One way to dress a payload."""

    name: str
    weight: float
    """How likely the application reads it, against the other forms of the same ask: 1 is what the prompt shows."""
    before: str = ""
    after: str = ""
    quote: Literal["", "json", "xml"] = ""
    languages: tuple[str, ...] = ()
    """Of payloads that fit, likely ones first; empty: those that the prompt speaks of."""
    slot: str = ""
    """Of a value in JSON or of a named tool: the name that says what it is for."""
    about: str = ""
    """The description that stands beside it."""
    short: bool = False
    """Only one line fits."""

    def dress(self, text: str) -> str:
        if self.quote == "json":
            text = json.dumps(text)[1:-1]
        return f"{self.before}{text}{self.after}"


class Wants(msgspec.Struct, frozen=True):
    """What the prompt, or an error message in it, demands of code."""

    languages: tuple[tuple[str, float], ...] = ()
    """With their share of the evidence, the strongest first."""
    expression: bool = False
    defines: tuple[tuple[str, str], ...] = ()
    """Functions that must be defined, with their parameters."""
    calls: tuple[str, ...] = ()
    """Functions that must be called."""
    declares: tuple[tuple[str, str], ...] = ()
    """Variables that must be set, with an example of a value."""


def prompt_of(ask: Ask) -> str:
    """What the application says: not what the model answered before."""
    text = "\n\n".join(turn.text for turn in ask.turns if turn.role != "assistant")
    if len(text) <= PROVE_PROMPT_CHARS:
        return text
    half = PROVE_PROMPT_CHARS // 2
    return text[:half] + "\n" + text[-half:]


def fences(text: str) -> list[str]:
    """Languages of the fences that open in a text, the empty one for none, in order."""
    found = []
    opened = False
    for match in FENCE.finditer(text):
        if opened and not match[1]:
            opened = False
            continue
        opened = True
        found.append(match[1].lower())
    return found


def wants(ask: Ask) -> Wants:
    """What the prompt demands."""
    text = prompt_of(ask)
    weights: dict[str, float] = {}
    for language, pattern, weight in WORDS:
        if re.search(pattern, text, re.IGNORECASE if pattern.islower() else 0):
            weights[language] = weights.get(language, 0) + weight
    for name in dict.fromkeys(fences(text)):
        if name in OF_FENCE:
            weights[OF_FENCE[name]] = weights.get(OF_FENCE[name], 0) + 2
    total = sum(weights.values())
    languages = tuple(sorted(((name, weight / total) for name, weight in weights.items()), key=lambda item: (-item[1], item[0])))
    return Wants(
        languages=languages,
        expression=bool(EXPRESSION.search(text)),
        defines=_defines(text),
        calls=tuple(dict.fromkeys(next(filter(None, match.groups())) for match in CALLED.finditer(text)))[:3],
        declares=_declares(text),
    )


def _defines(text: str) -> tuple[tuple[str, str], ...]:
    """The function that examples define again and again, or the prompt asks for; those that it gives as tools are none."""
    counts: dict[tuple[str, str], int] = {}
    for match in DEFINED.finditer(text):
        name = match[1] or match[3] or match[5]
        given = match[2] or match[4] or ""
        asked = 2 if not match[1] else 1
        counts[name, given.strip()] = counts.get((name, given.strip()), 0) + asked
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(key for key, count in best[:1] if count > 1)


def _declares(text: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for match in DECLARED.finditer(text):
        name = next(filter(None, match.groups()))
        if name.lower() in {"a", "an", "the", "called", "named", "as"} or name in found:
            continue
        found[name] = _example(text, name)
    # Examples that all end in the same variable.
    for name in ("answer", "result", "output", "solution"):
        if name not in found and len(re.findall(rf"(?m)^{name} = ", text)) > 1:
            found[name] = "1"
    return tuple(found.items())[:2]


def _example(text: str, name: str) -> str:
    """A value that the prompt shows for a variable: a dictionary with keys where it says so."""
    shown = re.search(rf"\b{re.escape(name)}\s*=\s*(\{{[^\n]{{1,200}}?\}}|\[[^\n\]]{{0,100}}\]|'[^'\n]*'|\"[^\"\n]*\"|\d+)", text)
    if shown:
        return "'1'" if shown[1][0] in "'\"" else (shown[1] if shown[1].isdigit() else _literal(shown[1]))
    dictionary = re.search(r"\{\s*[\"']\w+[\"']\s*:[^\n]{1,200}", text)
    return _literal(dictionary[0]) if dictionary and re.search(r"\bdictionary\b|\bdict\b", text) else "'1'"


def _literal(text: str) -> str:
    """A display with its keys kept, and its values made simple: the first text of each is as it was shown."""
    made: dict[str, str] = {}
    for key, value in re.findall(r"[\"'](\w+)[\"']\s*:\s*([^,{}]+)", text):
        if key in made:
            break  # the next example
        made[key] = value.strip().strip("\"'") if re.fullmatch(r"[\"']\w*[\"']", value.strip()) else "1"
    if made.get("type") in {"number", "int", "integer", "float"}:
        return "{" + ", ".join(f"'{key}': {value if value.isdigit() else repr(value)}" for key, value in made.items()) + "}"
    return repr(made)


def forms(ask: Ask, wanted: Wants) -> tuple[Form, ...]:
    """The forms to try at a text answer, the likely ones first, each name once."""
    found: dict[str, Form] = {}
    for form in _all(ask, wanted):
        if form.name not in found or found[form.name].weight < form.weight:
            found[form.name] = form
    return tuple(sorted(found.values(), key=lambda form: -form.weight)[:PROVE_FORMS])


def _all(ask: Ask, wanted: Wants) -> Iterator[Form]:
    text = prompt_of(ask)
    if ask.schema is not None:
        yield from _of_schema("schema", ask.schema, 1.0)
        return
    objects = list(examples.objects(text))
    if ask.json:
        yield from _of_objects(objects, text, 1.0)
        yield from _of_keys(text, 0.9)
        yield Form("json-answer", 0.2, '{"answer": "', '"}', "json", slot="answer")
        return
    says_json = bool(ASKS_JSON.search(text))
    acts = list(_react(text))
    yield from acts
    tagged = list(_tagged(text))
    # Where a prompt shows how code is written, JSON in it is an example of something else.
    coded = any(form.weight >= 0.8 for form in tagged) or any(name in OF_FENCE for name in fences(text))
    if not acts:
        yield from _of_objects(objects, text, 0.95 if says_json and not coded else 0.5 if says_json else 0.3)
    if says_json and not acts:
        yield from _of_keys(text, 0.85)
    shown = any(form.weight >= 0.8 for form in tagged) or (says_json and not coded and bool(objects))
    for form in (*tagged, *_fenced(text, wanted, ask.purpose == "completion"), *_labelled(text)):
        # Between actions, other text is a thought; where tags are asked for, text without them is one.
        factor = 0.3 if acts else 0.5 if shown and form.name in {"bare", "fence-plain"} else 1.0
        yield msgspec.structs.replace(form, weight=form.weight * factor)


def _fenced(text: str, wanted: Wants, completion: bool) -> Iterator[Form]:
    shown = fences(text)
    last = {name: number for number, name in enumerate(shown)}
    # Code that examples show without a fence, and what a text is continued with, stand there bare.
    block = bool(BLOCK.search(text)) and not NO_BLOCK.search(text)
    only = not block and bool(ONLY.search(text) or LAST_LABEL.search(text[-60:]) or (not shown and (completion or wanted.defines)))
    ordered = sorted(last, key=lambda name: -shown.count(name) if name in OF_FENCE or name == "text" else 1)
    for place, name in enumerate(name for name in ordered if name not in {"json", "output"}):
        languages = (OF_FENCE[name],) if name in OF_FENCE else ()
        weight = 0.9 * 0.85**place
        # A fence of plain text, in a prompt about code, holds what is to be evaluated: one line.
        yield Form(f"fence-{name or 'plain'}", weight, f"```{name}\n", "\n```", languages=languages, short=name == "text")
    for language, share in wanted.languages[:2]:
        name = LANGUAGES[language][0] if language in LANGUAGES else ""
        if name and name not in last:
            yield Form(
                f"fence-{name}",
                (0.5 if shown or only else 0.9 if block else 0.75) * min(1.0, share + 0.4),
                f"```{name}\n",
                "\n```",
                languages=(language,),
            )
    yield Form("bare", 0.95 if only and not shown else 0.45 if shown or block else 0.7)
    if "" not in last:
        yield Form("fence-plain", 0.3, "```\n", "\n```")


def _tagged(text: str) -> Iterator[Form]:
    tags = [(match[1] == "/", match[2], match.start(), match.end()) for match in TAG.finditer(text)]
    opened = {name for closing, name, _, _ in tags if not closing}
    closed = {name for closing, name, _, _ in tags if closing}
    pairs: dict[tuple[str, str], float] = {}
    for closing, name, start, _ in tags:
        if closing:
            continue
        asked = bool(TAG_VERBS.search(text[max(0, start - 120) : start]))
        code = bool(CODE_TAGS.search(name))
        if name in closed and (asked or code):
            pairs[name, name] = max(pairs.get((name, name), 0), 0.92 if asked and code else 0.8 if asked else 0.5)
    # A pair whose tags differ: the one opens, the other closes, in one sentence.
    ends: set[str] = set()
    for (one_closing, one, start, end), (two_closing, two, begin, _) in itertools.pairwise(tags):
        apart = (two_closing and two not in opened) or (STARTS.match(one) and STOPS.match(two))
        asked = bool(TAG_VERBS.search(text[max(0, start - 120) : start]) or CODE_TAGS.search(one))
        if not one_closing and apart and asked and one != two and one not in closed and begin - end < 200:
            pairs[one, f"/{two}" if two_closing else two] = 0.95
            ends.add(two)
    for (one, two), weight in pairs.items():
        language = next((OF_FENCE[part] for part in re.split(r"\W|_", one.lower()) if part in OF_FENCE), "")
        last = f"/{two}" if one == two else two
        yield Form(f"tag-{one}", weight, f"<{one}>\n", f"\n<{last}>", languages=(language,) if language else ())
    # Alone, as a mark of the end behind a fence.
    for name in sorted(opened - closed - ends):
        if re.fullmatch(r"end_?\w*", name, re.IGNORECASE):
            shown = [name for name in fences(text) if name in OF_FENCE]
            fence = shown[-1] if shown else "python"
            yield Form(f"fence-{fence}-{name}", 0.93, f"```{fence}\n", f"\n```<{name}>", languages=(OF_FENCE[fence],))


def _react(text: str) -> Iterator[Form]:
    if not (REACT.search(text) and (REACT_INPUT.search(text) or "action_input" in text)):
        return
    blob = "action_input" in text
    for place, (name, about) in enumerate(react_tools(text)):
        weight = 0.97 * 0.97**place
        if blob:
            before = json.dumps({"action": name, "action_input": SLOT}, indent=2)
            head, _, tail = before.partition(json.dumps(SLOT)[1:-1])
            yield Form(
                f"react-json-{name}",
                weight,
                f"Thought: I use a tool.\nAction:\n```json\n{head}",
                f"{tail}\n```",
                "json",
                slot=name,
                about=about,
            )
        else:
            yield Form(f"react-{name}", weight, f"Thought: I use a tool.\nAction: {name}\nAction Input: ", "", slot=name, about=about)
    yield Form("react-answer", 0.2, "Thought: I now know the final answer.\nFinal Answer: ", "", languages=("html", "url"))


def react_tools(text: str) -> list[tuple[str, str]]:
    """Names of tools that a prompt lists, with their descriptions."""
    lines = {match[1].strip(): match[2] for match in TOOL_LINE.finditer(text)}
    names: list[str] = []
    for match in REACT_TOOLS.finditer(text):
        listed = [part.strip(" \t'\"`.") for part in match[1].split(",")]
        if listed and all(re.fullmatch(r"[\w .:/-]{1,60}", part) for part in listed) and any(part in lines for part in listed):
            names = listed
            break
    if not names:
        for match in REACT_TOOLS.finditer(text):
            listed = [part.strip(" \t'\"`.") for part in match[1].split(",")]
            if all(re.fullmatch(r"[\w-]{1,60}", part) for part in listed):
                names = listed
                break
    return [(name, lines.get(name, "")) for name in dict.fromkeys(names)][:12]


def _labelled(text: str) -> Iterator[Form]:
    """Lines that a format shows as ``Label: what stands there``."""
    if not re.search(r"\bformat\b", text, re.IGNORECASE):
        return
    for match in LABEL.finditer(text):
        label = match[1]
        if label.split()[0] in NOT_LABELS or not match[2] or re.match(r"Action", label):
            continue
        language = (
            "sql" if re.search(r"sql|query", label, re.IGNORECASE) else "python" if re.search(r"code|python", label, re.IGNORECASE) else ""
        )
        if language:
            yield Form(f"label-{label}", 0.4, f"{label}: ", "", languages=(language,), short=True)


def _of_objects(objects: Sequence[tuple[int, str, Any]], text: str, weight: float) -> Iterator[Form]:
    for place, (start, piece, value) in enumerate(reversed(objects)):
        name = f"json-{len(objects) - place}"
        scaled = weight * 0.9**place
        if isinstance(value.get("properties"), dict) or isinstance(value.get("parameters"), dict):
            called = _tool_before(text, start) or str(value.get("name") or "")
            yield from _of_schema(name, value, scaled, called)
            continue
        fenced = text[max(0, start - 12) : start].rstrip().endswith(("```json", "```"))
        for index, (path, made) in enumerate(_holes(value, piece, text)):
            head, _, tail = json.dumps(made, ensure_ascii=False).partition(SLOT)
            slot = next((part for part in reversed(path) if isinstance(part, str)), "")
            each = scaled * 0.97**index
            if fenced:
                yield Form(f"{name}-{_dotted(path)}-fence", each, f"```json\n{head}", f"{tail}\n```", "json", slot=slot)
                each *= 0.5
            yield Form(f"{name}-{_dotted(path)}", each, head, tail, "json", slot=slot)


def _tool_before(text: str, start: int) -> str:
    """The name of the tool whose schema begins there."""
    found = list(NAMED_TOOL.finditer(text[max(0, start - 600) : start]))
    return found[-1][1] if found else ""


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path)


def _holes(value: Any, piece: str, text: str) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The value with the slot at each of its texts in turn: those that look like placeholders, or hold prose, are what is to be filled."""
    value = examples.filled(value, text.replace(piece, " "))
    leaves = list(examples.leaves(value, ()))
    tools = [name for name, _ in react_tools(text)]
    filled = value
    for path, leaf in leaves:
        name = next((part for part in reversed(path) if isinstance(part, str)), "")
        if tools and schemas.names_tool(name) and leaf not in tools:
            filled = schemas.put(filled, path, tools[0])
    for path, leaf in leaves:
        name = next((part for part in reversed(path) if isinstance(part, str)), "")
        # What names the tool, or the kind of the message, stays as it is shown.
        if isinstance(leaf, str) and not (schemas.names_tool(name) and re.fullmatch(r"[\w.-]+", leaf)):
            yield path, schemas.put(filled, path, SLOT)


def _of_schema(name: str, schema: Mapping[str, Any], weight: float, tool: str = "") -> Iterator[Form]:
    """Each text of a valid value in turn. ``tool``: what stands where the value names a tool."""
    for index, place in enumerate(schemas.places(schema, tool=tool)):
        longest = place.schema.get("maxLength")
        if isinstance(longest, int) and longest < SHORTEST:
            continue
        made = place.put(SLOT)
        head, _, tail = json.dumps(made, ensure_ascii=False).partition(SLOT)
        yield Form(
            f"{name}-{place.name}",
            weight * 0.97**index * (0.3 if place.fixed else 1),
            head,
            tail,
            "json",
            slot=place.leaf,
            about=place.about,
        )


def _of_keys(text: str, weight: float) -> Iterator[Form]:
    for match in KEYS.finditer(text):
        keys = list(dict.fromkeys(re.findall(r"[`'\"](\w{1,40})[`'\"]", match[1])))
        for index, key in enumerate(keys):
            head, _, tail = json.dumps({other: SLOT if other == key else "1" for other in keys}).partition(SLOT)
            yield Form(f"keys-{key}", weight * 0.97**index, head, tail, "json", slot=key)
