"""Loads rules: each a Markdown file whose front matter is the rule and whose code blocks are its tests.

What the front matter may say is in ``headwater.rules.schema``; flows are found by ``headwater.taint``. Every error names file
and line.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import msgspec

from headwater.apis import conditions
from headwater.apis.load import CallRule, check_condition, check_path
from headwater.apis.paths import PatternError
from headwater.apis.schema import SINK_CLASSES, SOURCE_KINDS
from headwater.findings import Confidence, Mapping_, Severity
from headwater.rules.marks import Mark, marks, without
from headwater.rules.schema import CONFIDENCES, REACHES, SEVERITIES, SHAPES, VERDICTS, RuleHead

if TYPE_CHECKING:
    import yaml

FOLDER: Final = Path(__file__).parent
KEBAB: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FENCE: Final = re.compile(r"(`{3,})\s*(.*)")
_SUFFIXES: Final = {"python": ".py", "typescript": ".ts", "tsx": ".tsx", "javascript": ".js", "jsx": ".jsx"}
"""Languages of blocks that are files of examples; a block of another language is one where it has a path."""
_HEADING: Final = re.compile(r"(#{1,6})\s+(.*)")
_PLACE: Final = re.compile(r"(.*) - at `(?:key in )?\$(.*)`", re.DOTALL)
_NAMES: Final = re.compile(r"\bmatches ([a-z][\w-]*)")
"""A regular expression that the rule has given a name."""
_UNKNOWN: Final = re.compile(r"unknown field `([^`]*)`")


class RuleError(ValueError):
    """A rule file that cannot be used; the message begins with file and line."""


class ExampleFile(msgspec.Struct, frozen=True):
    """One code block of a case."""

    path: str
    text: str
    line: int
    """Line of the rule file on which the code begins."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        return marks(self.path, self.text)


class Case(msgspec.Struct, frozen=True):
    """The code blocks below one heading: the files of one small project."""

    title: str
    line: int
    files: tuple[ExampleFile, ...]


class Rule(msgspec.Struct, frozen=True):
    """A rule with its page."""

    head: RuleHead
    page: str
    """The Markdown below the front matter."""
    page_line: int
    path: str
    mappings: tuple[Mapping_, ...] = ()
    """Its places in the standards, with editions and names."""

    @property
    def id(self) -> str:
        return self.head.id

    @property
    def severity(self) -> Severity:
        return Severity[self.head.severity.upper()]

    @property
    def confidence(self) -> Confidence:
        """The best that a finding of the rule can have."""
        words = ["high"] if self.head.flow else [one.confidence for one in self.head.patterns]
        return max((Confidence[word.upper()] for word in words), default=Confidence.HIGH)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The (source kind, sink class) pairs that the rule claims."""
        flow = self.head.flow
        return tuple((kind, class_) for kind in flow.from_ for class_ in flow.to) if flow else ()

    @property
    def sections(self) -> dict[str, str]:
        """Text of the page by second-level heading."""
        found: dict[str, list[str]] = {}
        name = ""
        for _, line, fenced in _lines(self.page):
            heading = None if fenced else _heading(line)
            if heading and heading[0] == 2:
                name = heading[1]
                found[name] = []
            elif name:
                found[name].append(line)
        return {heading: "\n".join(lines).strip() for heading, lines in found.items()}

    @property
    def readable(self) -> str:
        """The page without the marks of its tests."""
        shown: list[str | None] = []
        for _, line, fenced in _lines(self.page):
            opening = None if fenced else _FENCE.fullmatch(line.rstrip())
            shown.append(f"{opening.group(1)}{opening.group(2).partition(' ')[0]}" if opening else without(line) if fenced else line)
        return "\n".join(line for line in shown if line is not None)

    @property
    def cases(self) -> tuple[Case, ...]:
        """The examples."""
        return _cases(self)


def load_rules(folder: Path | None = None) -> Mapping[str, Rule]:
    """All rules of a folder (default: the built-in ones) by id, in the order of their ids; raises RuleError."""
    return _load(folder or FOLDER)


@functools.cache
def _load(folder: Path) -> Mapping[str, Rule]:
    return {path.stem: read(path.read_text(encoding="utf-8"), path.name) for path in sorted(folder.glob("*.md"))}


def read(text: str, name: str) -> Rule:
    """One rule file; raises RuleError."""
    front, end = front_matter(text, name)
    lines = text.split("\n")
    head, line_of = _front(front, name)
    stem = PurePosixPath(name).stem
    if head.id != stem:
        raise RuleError(f"{name}:{line_of('.id')}: the id {head.id!r} is not the file's name")
    try:
        _check(head)
        mappings = _mapped(head)
    except _WrongError as error:
        raise RuleError(f"{name}:{line_of(error.at)}: {error}") from None
    return Rule(head, "\n".join(lines[end + 1 :]).strip("\n") + "\n", _first_text(lines, end + 1), name, mappings)


def front_matter(text: str, name: str) -> tuple[str, int]:
    """The YAML of a rule file, and the number of lines before its end; raises RuleError."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        raise RuleError(f"{name}:1: a rule begins with front matter between two lines '---'")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise RuleError(f"{name}:1: the front matter has no end '---'")
    # The blank first line makes YAML count lines as the file does.
    return "\n" + "\n".join(lines[1:end]), end


def _first_text(lines: list[str], start: int) -> int:
    return next((number for number in range(start, len(lines)) if lines[number]), start) + 1


# ------------------------------------------------------------------------------------------------------ front matter


def _front(text: str, name: str) -> tuple[RuleHead, Callable[[str], int]]:
    import yaml  # late, as whatever reads YAML: most runs have the rules from headwater.rules.builtin

    from headwater.knowledge.load import LOADER

    loader = LOADER(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise RuleError(f"{name}:1: the front matter is empty")
        _no_duplicates(node, name)
        data = loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise RuleError(f"{name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', None) or error}") from None
    finally:
        loader.dispose()

    def line_of(at: str) -> int:
        return _line(node, at)

    try:
        return _written_out(msgspec.convert(data, RuleHead)), line_of
    except msgspec.ValidationError as error:
        found = _PLACE.fullmatch(str(error))
        message, at = (found.group(1), found.group(2)) if found else (str(error), "")
        unknown = _UNKNOWN.search(message)
        raise RuleError(f"{name}:{line_of(f'{at}.{unknown.group(1)}' if unknown else at)}: {message}") from None


def _written_out(head: RuleHead) -> RuleHead:
    """With the regular expressions in conditions that name them."""
    if not head.expressions:
        return head

    def text(found: re.Match[str]) -> str:
        known = head.expressions.get(found[1])
        return found[0] if known is None else f'matches "{known}"'  # an unknown name is no condition

    return msgspec.structs.replace(head, calls=[msgspec.structs.replace(one, when=_NAMES.sub(text, one.when)) for one in head.calls])


def _no_duplicates(node: yaml.Node, name: str) -> None:
    """YAML lets the last of two equal keys win in silence."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise RuleError(f"{name}:{key.start_mark.line + 1}: a key is a word")
            if key.value in seen:
                raise RuleError(f"{name}:{key.start_mark.line + 1}: {key.value!r} is there twice")
            seen.add(key.value)
            _no_duplicates(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _no_duplicates(value, name)


def _line(node: Any, at: str) -> int:
    """The line of a place as msgspec writes it, ``.calls[0].path``."""
    import yaml

    line = int(node.start_mark.line) + 1
    for key, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", at):
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == key), None)
            if pair is None:
                break
            line, node = int(pair[0].start_mark.line) + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
            node = node.value[int(index)]
            line = int(node.start_mark.line) + 1
        else:
            break
    return line


class _WrongError(ValueError):
    def __init__(self, at: str, message: str) -> None:
        super().__init__(message)
        self.at = at


def _check(head: RuleHead) -> None:
    """What types alone do not say."""
    if not KEBAB.fullmatch(head.id):
        raise _WrongError(".id", f"the id {head.id!r} is not in kebab-case")
    _one_of(head.severity, SEVERITIES, "severity", ".severity")
    if "\n" in head.title:
        raise _WrongError(".title", "the title is one line")
    if head.title.endswith("."):
        raise _WrongError(".title", "the title ends with a full stop")
    if not head.title or not head.message or not head.fix:
        raise _WrongError("", "title, message and fix must say something")
    written = (head.message, *head.messages.values(), *(one.message for one in head.patterns))
    if not all(map(_is_message, written)):
        raise _WrongError(".message", "only {source}, {sink} and {function} are filled in")
    if head.flow is not None:
        for key, words, known, what in (
            ("from", head.flow.from_, SOURCE_KINDS, "source kind"),
            ("to", head.flow.to, SINK_CLASSES, "sink class"),
        ):
            if not words:
                raise _WrongError(f".flow.{key}", f"at least one {what} is needed")
            for number, word in enumerate(words):
                _one_of(word, known, what, f".flow.{key}[{number}]")
                if words.index(word) != number:
                    raise _WrongError(f".flow.{key}[{number}]", f"{word!r} is there twice")
    if head.model_files:
        _one_of(head.model_files, VERDICTS, "verdict", ".model-files")
    for number, shape in enumerate(head.shapes):
        _one_of(shape.shape, SHAPES, "shape", f".shapes[{number}].shape")
        _one_of(shape.confidence, CONFIDENCES, "confidence", f".shapes[{number}].confidence")
    for number, one in enumerate(head.deployments):
        _one_of(one.confidence, CONFIDENCES, "confidence", f".deployments[{number}].confidence")
        for text in (one.image, *one.set, *one.set.values(), *one.without):
            try:
                re.compile(text)
            except re.error as error:
                raise _WrongError(f".deployments[{number}]", f"the regular expression {text!r}: {error}") from None
    for name, text in head.expressions.items():
        if '"' in text:
            raise _WrongError(f".expressions.{name}", f"the regular expression {name!r} has a double quote in it")
    for number, call in enumerate(head.calls):
        _one_of(call.confidence, CONFIDENCES, "confidence", f".calls[{number}].confidence")
        if call.reach:
            _one_of(call.reach, REACHES, "reach", f".calls[{number}].reach")
        try:
            for path in [call.path] if isinstance(call.path, str) else call.path:
                check_path(path)
        except PatternError as error:
            raise _WrongError(f".calls[{number}].path", str(error)) from None
        try:
            check_condition(call.when)
        except (conditions.ConditionError, PatternError) as error:
            raise _WrongError(f".calls[{number}].when", str(error)) from None


def _is_message(text: str) -> bool:
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return False
    return all(name is None or (name in ("source", "sink", "function") and not form and not turned) for _, name, form, turned in fields)


def _one_of(word: str, known: tuple[str, ...], what: str, at: str) -> None:
    if word not in known:
        raise _WrongError(at, f"{word!r} is no {what}; known: {', '.join(known)}")


def _mapped(head: RuleHead) -> tuple[Mapping_, ...]:
    """The items of the standards; raises _WrongError where an id does not exist."""
    from headwater.knowledge.load import entry

    found = []
    for key, framework, ids in (
        ("owasp-llm", "owasp-llm", head.mappings.owasp_llm),
        ("owasp-agentic", "owasp-agentic", head.mappings.owasp_agentic),
        ("atlas", "atlas", head.mappings.atlas),
        ("cwe", "cwe", [str(number) for number in head.mappings.cwe]),
    ):
        for number, id in enumerate(ids):
            try:
                item = entry(framework, id)
            except KeyError as error:
                raise _WrongError(f".mappings.{key}[{number}]", str(error.args[0])) from None
            found.append(Mapping_(item.framework, item.edition, item.id, item.name))
    return tuple(found)


def call_rules(rules: Iterable[Rule]) -> list[tuple[str, CallRule]]:
    """The calls that are wrong by themselves, as API models are matched: each path with what is said of it."""
    return [
        (
            path,
            CallRule(
                rule.id,
                call.when,
                call.confidence,
                call.message,
                _folded(call.unless),
                tuple(call.but_for),
                call.reach,
                tuple(call.then),
                tuple(call.received),
                call.asked,
                call.sent,
            ),
        )
        for rule in rules
        for call in rule.head.calls
        for path in ([call.path] if isinstance(call.path, str) else call.path)
    ]


def _folded(words: list[str]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)


# -------------------------------------------------------------------------------------------------------------- page


def _lines(page: str) -> list[tuple[int, str, str]]:
    """Lines of a page with their 0-based number and the info string of the fence that they are in (empty: none).

    The opening line of a fence counts as outside, its closing line as inside.
    """
    found: list[tuple[int, str, str]] = []
    fence, info = "", ""
    for number, line in enumerate(page.split("\n")):
        found.append((number, line, info if fence else ""))
        match = _FENCE.fullmatch(line.rstrip())
        if match and not fence:
            fence, info = match.group(1), match.group(2) or "text"
        elif match and not match.group(2) and len(match.group(1)) >= len(fence):
            fence, info = "", ""
    return found


def _heading(line: str) -> tuple[int, str] | None:
    """Level and text."""
    found = _HEADING.fullmatch(line)
    return (len(found.group(1)), found.group(2).rstrip().rstrip("#").rstrip()) if found else None


def _cases(rule: Rule) -> tuple[Case, ...]:
    cases: list[Case] = []
    title, title_line = rule.head.title, rule.page_line
    files: list[ExampleFile] = []

    def close() -> None:
        if files:
            cases.append(Case(title, title_line, tuple(files)))
            files.clear()

    block: list[str] = []
    begin = 0
    lines = _lines(rule.page)
    for (number, line, info), (_, _, after) in zip(lines, [*lines[1:], (0, "", "")], strict=True):
        place = rule.page_line + number
        if not info:
            heading = _heading(line)
            if heading:
                close()
                title, title_line = heading[1], place
            continue
        if not block and not begin:
            begin = place
        closing = _FENCE.fullmatch(line.rstrip()) is not None and not after
        if not closing:
            block.append(line)
            continue
        if info.split()[0] in _SUFFIXES or " path=" in info:
            files.append(_file(rule, info, block, begin, files))
        block, begin = [], 0
    close()
    return tuple(cases)


def _file(rule: Rule, info: str, block: list[str], line: int, others: list[ExampleFile]) -> ExampleFile:
    path = ""
    for word in info.split()[1:]:
        key, equals, value = word.partition("=")
        if key != "path" or not equals:
            raise RuleError(f"{rule.path}:{line - 1}: {word!r} after {info.split()[0]!r}; only path=NAME is known")
        path = value
    taken = {file.path for file in others}
    if not path:
        suffix = _SUFFIXES[info.split()[0]]
        path = next(name for n in range(1, len(others) + 2) if (name := f"example{n if n > 1 else ''}{suffix}") not in taken)
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path:
        raise RuleError(f"{rule.path}:{line - 1}: the path {path!r} leaves the case")
    if path in taken:
        raise RuleError(f"{rule.path}:{line - 1}: the case has {path!r} already; a heading begins a new case")
    return ExampleFile(path, "\n".join(block) + "\n", line)
