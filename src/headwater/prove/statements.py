"""Where a word stands in an SQL statement: as part of the statement, or in a text or a comment of it."""

from __future__ import annotations

import re
from typing import Final

# Texts in quotes, with quotes in them doubled or escaped; dollar quoting of PostgreSQL; comments. What is not closed goes on to the end.
_DATA: Final = re.compile(
    r"""'(?:[^'\\]|''|\\(?:.|$))*+(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)|--[^\n]*|/\*.*?(?:\*/|$)""",
    re.DOTALL,
)


def speaks(statement: str, token: str) -> bool:
    """Whether the token is part of what the statement says to the database, and not only data in it.

    A name in double quotes or backticks is part of the statement: a table of that name is made.
    """
    return token in _DATA.sub(" ", statement)
