"""Scripts that a tool made of others, by their looks: minified ones, and bundles that hold the code of other packages.

What a compiler makes of one file can be read as the file itself, and is no such script.
"""

from __future__ import annotations

import re
from typing import Final

_LONG: Final = 500  # bytes of a line: hand-written ones beyond it are texts, which have spaces
_SMALL: Final = 1_000  # of a smaller file there is not enough to judge by
_LOOKED_AT: Final = 400_000  # bytes: whoever wrote the first of them wrote the rest
_NAMES: Final = 80  # declared ones from which on their lengths say something
_SPACE: Final = b" \t\r\n"
_DECLARED: Final = re.compile(rb"\b(?:var|let|const|function|class)\s+([A-Za-z_$][\w$]*)")
_RUNTIMES: Final = (
    ("webpack", r"\bfunction __webpack_require__\s*\(|^/\*{6}/ \(\(?function|\bwebpackJsonp\w*\s*=|\[\"webpackChunk", ""),
    ("esbuild", r"^var __(?:commonJS|commonJSMin|esm|toESM) = ", r"^// (?:\.\./)*node_modules/"),
    ("rollup", r"^(?:export )?function getDefaultExportFromCjs\s*\(", ""),
    ("rolldown", r"^//#region (?:\.\./)*node_modules/", ""),
    ("parcel or browserify", r"\bparcelRequire\w*\s*=|\(function\(\)\{function r\(e,n,t\)\{function o\(", ""),
)
"""Names of bundlers and what stands in what they make: one of it, or both."""
_MARKS: Final = [(name, [re.compile(one.encode(), re.MULTILINE) for one in words if one]) for name, *words in _RUNTIMES]


def made_by_tools(data: bytes) -> str:
    """What a script is, in words; empty where somebody wrote it, or a compiler made it of one that somebody wrote."""
    head = data[:_LOOKED_AT]
    for name, marks in _MARKS:
        if all(mark.search(head) is not None for mark in marks):
            return f"a bundle with the code of other packages, by the marks of {name}"
    if len(head) < _SMALL:
        return ""
    long = b"\n".join(line for line in head.splitlines() if len(line) > _LONG)
    spaces = len(long) - len(long.translate(None, _SPACE))
    if 2 * len(long) > len(head) and 12 * spaces < len(long) and long.count(b"{") + long.count(b";") > len(long) // 100:
        return "minified, by the length of its lines"
    names = _DECLARED.findall(head)
    if len(names) >= _NAMES and 4 * sum(len(name) <= 2 for name in names) > 3 * len(names):
        return "minified, by its names"
    return ""
