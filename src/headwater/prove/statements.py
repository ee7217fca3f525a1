"""Where a word stands in an SQL statement: as part of the statement, or in a text, a comment or a name of it."""

from __future__ import annotations

import re
from typing import Final

# Texts in quotes, with quotes in them doubled or escaped; dollar quoting of PostgreSQL; comments. What is not closed goes on to the end.
_DATA: Final = re.compile(
    r"""'(?:[^'\\]|''|\\.)*+(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)|--[^\n]*|/\*.*?(?:\*/|$)|(["`])(?P<name>.*?)(?:\2|$)""",
    re.DOTALL,
)
_NAME: Final = re.compile(r"[\w$.-]+")
_QUERY: Final = re.compile(r"\b(?:SELECT|VALUES|FROM|TABLE|WITH)\b", re.IGNORECASE)
_UNION: Final = re.compile(r"\bUNION\b", re.IGNORECASE)
_PRAGMA: Final = re.compile(r"\s*PRAGMA\b", re.IGNORECASE)
"""Takes names and plain values, no query."""
_VERB: Final = re.compile(r"\b(?:CREATE\s+TABLE|ATTACH\s+DATABASE)\b", re.IGNORECASE)
"""What no statement has in its middle."""


def speaks(statement: str, token: str) -> bool:
    """Whether the token is part of what the statement says to the database, and not only data in it.

    A name in double quotes or backticks is part of the statement: a table of that name is made. With more than a name
    between them, it is a value that was quoted.
    """
    return token in _DATA.sub(_left, statement)


def begins(statement: str, token: str) -> bool:
    """Whether the one with the token, if it is of those that only begin a statement, does: behind other words, or behind a bracket that
    was left open, it is an error of syntax, whatever the database is."""
    parts = _DATA.sub(_left, statement).split(";")
    for number, part in enumerate(parts):
        place = part.find(token)
        if place < 0:
            continue
        union = _UNION.search(part, 0, place)
        if _PRAGMA.match(part) or (union is not None and not _QUERY.search(_within(part[: union.start()]))):
            continue
        verbs = list(_VERB.finditer(part, 0, place))
        before = "".join(parts[:number])
        if not verbs or (not part[: verbs[-1].start()].strip() and before.count("(") <= before.count(")")):
            return True
    return False


def _within(before: str) -> str:
    """What stands in the innermost bracket that is open at the end of the text."""
    depth = 0
    for place in range(len(before) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(before[place], 0)
        if depth < 0:
            return before[place + 1 :]
    return before


def several(statement: str) -> bool:
    """Whether it is more than one statement."""
    return len([part for part in _DATA.sub(_left, statement).split(";") if part.strip()]) > 1


def _left(match: re.Match[str]) -> str:
    name = match["name"]
    return name if name is not None and _NAME.fullmatch(name) else " "
