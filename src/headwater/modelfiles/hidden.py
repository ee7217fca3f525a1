"""Text that a chat template puts into a prompt where nobody sees it: under a condition on what is said, on the date, or to send data out.

What a model is told by its template is no attack as such. What is told here are the forms that backdoors in templates take: instructions
that
appear when a message has a certain word or when a date has come, addresses that take data along, and orders to hide something from the
user.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from headwater.modelfiles.folding import Values
from headwater.modelfiles.jinja import Node
from headwater.modelfiles.names import words

WORDS: Final = 6
"""Words that make a text an instruction rather than a mark of the prompt format."""

_MARKS: Final = re.compile(r"[<>\[\]|/{}#\\=:_]")
_KINDS: Final = words(
    """text image image_url video audio file document user assistant system tool tools function developer input_text input_image json
    tool_calls tool_call thinking reasoning content role"""
)
_ADDRESS: Final = re.compile(r"(?:https?|wss?|ftp)://[^\s\"'<>)\]]+", re.IGNORECASE)
_OPEN_ADDRESS: Final = re.compile(r"(?:https?|wss?)://[^\s\"'<>)\]]*[=/?&]$", re.IGNORECASE)
_ORDER: Final = re.compile(
    r"""\b(?:do\s+not|don't|never)\s+(?:ever\s+)?(?:tell|reveal\s+to|inform|alert|warn|notify|let)\s+(?:this\s+to\s+)?(?:the\s+)?users?\b(?!\s+about\s+(?:\w+\s+)?(?:function|tool))
    |\bwithout\s+(?:telling|informing|alerting|notifying|mentioning\s+(?:it|this)\s+to)\s+(?:the\s+)?users?\b
    |\bignore\s+(?:all\s+)?(?:the\s+)?(?:previous|prior|above|earlier)\s+(?:\w+\s+)?(?:instructions|rules|prompts)
    |<script\b|javascript:""",
    re.VERBOSE | re.IGNORECASE,
)
_SEARCHES: Final = frozenset({"startswith", "endswith", "find", "count", "index", "lower", "contains"})


class Remark(NamedTuple):
    what: str
    text: str


def remarks(tree: tuple[Node, ...], values: Values) -> list[Remark]:
    found: list[Remark] = []
    spoken = _spoken(tree)
    for node in _walk(tree):
        if node.kind in ("if", "elif") and node.parts:
            said = " ".join(texts(node.body, values)).strip()
            if _is_instruction(said):
                trigger = _trigger(node.parts[0], values, spoken)
                if trigger:
                    found.append(
                        Remark(f"where a message has '{trigger}', the template adds instructions of its own to the prompt.", said[:600])
                    )
                elif _asks_date(node.parts[0], tree):
                    found.append(Remark("from a date on, the template adds instructions of its own to the prompt.", said[:600]))
        elif node.kind in ("text", "const") and isinstance(node.value, str):
            order = _ORDER.search(node.value)
            if order:
                at = max(0, order.start() - 120)
                found.append(Remark("the template orders the model to hide something from the user.", node.value[at : order.end() + 200]))
    found += _carried(tree, values)
    return found


def _walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        yield node
        stack += reversed((*node.parts, *node.body))


def texts(nodes: tuple[Node, ...], values: Values) -> list[str]:
    """What these statements write themselves."""
    found = [str(node.value) for node in nodes if node.kind == "text"]
    for node in nodes:
        if node.kind in ("output", "set", "do"):
            found += [
                str(one.value) for one in _walk(node.parts) if one.kind == "const" and isinstance(one.value, str) and " " in one.value
            ]
        elif node.kind == "for" or node.kind == "filter":
            found += texts(node.body, values)
    return found


def _is_instruction(text: str) -> bool:
    return bool(_ADDRESS.search(text)) or len(re.findall(r"[A-Za-z]{2,}", text)) >= WORDS


def _spoken(tree: tuple[Node, ...]) -> set[str]:
    """Names of variables that hold what is said."""
    names = {"content", "prompt", "query"}
    for _ in range(2):
        for node in _walk(tree):
            if node.kind == "set" and len(node.parts) == 2 and node.parts[0].kind in ("name", "attribute"):
                if _is_content(node.parts[1], names):
                    names.add(str(node.parts[0].value))
    return names


def _is_content(node: Node, names: set[str]) -> bool:
    """Whether an expression is the text of a message, perhaps made lower or cut."""
    while True:
        if node.kind in ("attribute", "name") and str(node.value) in names:
            return True
        if node.kind == "item" and len(node.parts) == 2 and node.parts[1].kind == "const":
            if node.parts[1].value in ("content", "text"):
                return True
        if node.kind in ("filter", "item", "attribute", "call") and node.parts:
            node = node.parts[0]
            continue
        if node.kind == "binary":
            return any(_is_content(part, names) for part in node.parts)
        return False


def _trigger(test: Node, values: Values, names: set[str]) -> str:
    """The word of natural language that a condition looks for in what is said."""
    for node in _walk((test,)):
        words: list[str] = []
        if node.kind == "binary" and node.value == "in" and _is_content(node.parts[1], names):
            words = values.texts(node.parts[0])
        elif node.kind == "binary" and node.value in ("==", ">", ">=") and any(_is_content(part, names) for part in node.parts):
            words = [text for part in node.parts for text in values.texts(part)]
        elif node.kind == "call" and node.parts[0].kind == "attribute" and str(node.parts[0].value) in _SEARCHES:
            if _is_content(node.parts[0].parts[0], names):
                words = [text for part in node.parts[1:] for text in values.texts(part)]
        elif node.kind == "test" and node.value in ("search", "match", "contains", "in"):
            words = [text for part in node.parts[1:] for text in values.texts(part)] if _is_content(node.parts[0], names) else []
        for word in words:
            if (
                len(word.strip()) >= 3
                and not _MARKS.search(word)
                and word.strip().lower() not in _KINDS
                and re.search(r"[^\W\d_]{3}", word)
            ):
                return word
    return ""


def _asks_date(test: Node, tree: tuple[Node, ...]) -> bool:
    dated = {"date_string", "today", "current_date"}
    for node in _walk((test,)):
        if node.kind == "binary" and node.value in ("==", ">", ">=", "<", "<=", "in"):
            if any(part.kind == "const" and isinstance(part.value, (str, int)) for part in node.parts):
                inner = list(_walk(node.parts))
                if any(one.kind == "call" and one.parts[0].value in ("strftime_now", "now") for one in inner):
                    return True
                if any(one.kind == "name" and one.value in dated for one in inner):
                    return True
    return False


def _carried(tree: tuple[Node, ...], values: Values) -> list[Remark]:
    """Addresses that end in what is said: whoever follows them, or shows an image from there, sends it out."""
    found: list[Remark] = []
    for node in _walk(tree):
        body = node.body or ()
        for one, after in itertools.pairwise(body):
            if one.kind == "text" and after.kind == "output" and _OPEN_ADDRESS.search(str(one.value).rstrip("\n")):
                found.append(Remark("the template puts data of the chat into an address.", str(one.value)[-300:]))
        if node.kind == "binary" and node.value in ("+", "~"):
            for text in values.texts(node.parts[0]):
                if _OPEN_ADDRESS.search(text) and not values.worth(node.parts[1]):
                    found.append(Remark("the template puts data of the chat into an address.", text[-300:]))
    for one, after in itertools.pairwise(tree):
        if one.kind == "text" and after.kind == "output" and _OPEN_ADDRESS.search(str(one.value)):
            found.append(Remark("the template puts data of the chat into an address.", str(one.value)[-300:]))
    return found
