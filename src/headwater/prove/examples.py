"""JSON that a prompt shows as an example: found in the text, read although it is written for people, and filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

OBJECTS: Final = 60  # braces in a prompt at which an object is looked for
OBJECT_CHARS: Final = 8_000  # of one
CHOICE: Final = re.compile(r"<?\s*([`'\"]?)([\w.-]{1,40})\1(?:\s*\|\s*[`'\"]?[\w.-]{1,40}[`'\"]?)+\s*>?")
PLACEHOLDER: Final = re.compile(r"<[^<>]{0,80}>|\.{3}|\$\w+")
ARGUMENTS: Final = "args|arguments|parameters|params|kwargs|inputs?|properties"
NAMED: Final = re.compile(rf"\b(?:{ARGUMENTS})[\"']?\s*:\s*[{{-]?\s*[\"']?([A-Za-z_]\w{{0,60}})[\"']?\s*:")
"""The first argument of a tool, in a list of tools in YAML or JSON."""


def objects(text: str) -> Iterator[tuple[int, str, Any]]:
    """JSON objects that stand in a prompt, with where they begin: as values, placeholders in them made texts."""
    position = 0
    count = 0
    while count < OBJECTS and (start := text.find("{", position)) >= 0:
        end = _closing(text, start)
        count += 1
        if end < 0:
            position = start + 1
            continue
        piece = text[start:end]
        value = _lenient(piece)
        if isinstance(value, dict) and value:
            yield start, piece, value
            position = end
        else:
            position = start + 1


def _closing(text: str, start: int) -> int:
    depth = 0
    quoted = False
    for index in range(start, min(len(text), start + OBJECT_CHARS)):
        char = text[index]
        if quoted:
            if char == '"' and text[index - 1] != "\\":
                quoted = False
        elif char == '"':
            quoted = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if not depth:
                return index + 1
    return -1


def _lenient(piece: str) -> Any:
    """JSON as prompts write it: doubled braces, comments, trailing commas, placeholders without quotes, single quotes."""
    for attempt in (piece, piece.replace("{{", "{").replace("}}", "}")):
        for text in (attempt, _repaired(attempt), _repaired(attempt.replace("'", '"'))):
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                continue
    return None


def _repaired(text: str) -> str:
    text = re.sub(r"(?m)(?<![:\"'\w])//[^\n]*$", "", text)
    text = re.sub(r"([:\[,]\s*)(<[^<>\n]{1,80}>|\$\w+|\{\{?\w+\}?\}|\.\.\.|[A-Za-z_][\w .|/-]*)(?=\s*[,}\]\n])", _quoted, text)
    text = re.sub(r"([{,]\s*)([A-Za-z_]\w*)(\s*:)", r'\1"\2"\3', text)
    return re.sub(r",(\s*[}\]])", r"\1", text)


def _quoted(match: re.Match[str]) -> str:
    if match[2] in {"true", "false", "null"}:
        return match[0]
    return match[1] + json.dumps(match[2])


def leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if len(path) > 6:
        return
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value[:2]):
            yield from leaves(part, (*path, index))
    else:
        yield path, value


def filled(value: Any, text: str) -> Any:
    """The example with what the rest of the prompt says of it: the first of several choices, values that its keys have elsewhere, names
    of the arguments of a tool. What is left are places for anything."""
    return _filled(value, "", text, 0)


def _filled(value: Any, key: str, text: str, depth: int) -> Any:
    if depth > 6:
        return value
    if isinstance(value, dict):
        return {name: _filled(part, name, text, depth + 1) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, key, text, depth + 1) for part in value if part != "..."] or value
    if not isinstance(value, str):
        return value
    if choice := CHOICE.fullmatch(value):
        return choice[2]
    if not PLACEHOLDER.fullmatch(value):
        return value
    if re.fullmatch(rf"(?:\w+_)?(?:{ARGUMENTS})", key, re.IGNORECASE) and (named := NAMED.search(text)):
        return {named[1]: value}
    said = re.search(rf"(?m)^[\s-]*[\"']?{re.escape(key)}[\"']?\s*:\s*[\"']?([A-Za-z_][\w.-]{{0,60}})[\"']?,?\s*$", text) if key else None
    return said[1] if said else value
