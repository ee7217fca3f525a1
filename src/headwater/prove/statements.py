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


def speaks(statement: str, token: str) -> bool:
    """Whether the token is part of what the statement says to the database, and not only data in it.

    A name in double quotes or backticks is part of the statement: a table of that name is made. With more than a name
    between them, it is a value that was quoted.
    """
    return token in _DATA.sub(_left, statement)


def several(statement: str) -> bool:
    """Whether it is more than one statement."""
    return len([part for part in _DATA.sub(_left, statement).split(";") if part.strip()]) > 1


def _left(match: re.Match[str]) -> str:
    name = match["name"]
    return name if name is not None and _NAME.fullmatch(name) else " "
