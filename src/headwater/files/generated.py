"""Scripts that a tool made of others, by their looks: minified ones, bundles that hold the code of other packages, builds for browsers.

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
_SERVED: Final = frozenset({"assets", "static", "immutable", "_app", "_next", "_nuxt"})
"""Folders into which builds of front ends go, to be served as they are."""
_HASHED: Final = rb"[-.](?=[A-Za-z_]*[0-9])(?=[0-9_-]*[A-Za-z])(?:[0-9a-f]{8,20}|[\w-]{8})"
"""At the end of a name: what a build tool adds, so that browsers ask again when the content has changed."""
_HASHED_NAME: Final = re.compile(_HASHED.decode() + r"(?:\.chunk)?\.[cm]?js$")
_HASHED_IMPORT: Final = re.compile(rb"""(?:\bfrom|\bimport\(?)\s*["']\.{1,2}/[\w./-]*?""" + _HASHED + rb"""\.[cm]?js["']""")
_MAPPED: Final = re.compile(rb"^//# sourceMappingURL=", re.MULTILINE)


def made_by_tools(data: bytes, path: str = "") -> str:
    """What a script is, in words; empty where somebody wrote it, or a compiler made it of one that somebody wrote."""
    if _is_built(path, data):
        return "built for browsers, by the hashes in its name and in what it imports"
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


def _is_built(path: str, data: bytes) -> bool:
    """Whether a script is part of a front end that was built: its source is elsewhere, and other packages may be in it."""
    *folders, name = path.split("/")
    if _SERVED.isdisjoint(folders):
        return False
    imports = len(_HASHED_IMPORT.findall(data[:_LOOKED_AT]))
    if _HASHED_NAME.search(name):
        return imports > 0 or _MAPPED.search(data[-1_000:]) is not None
    return imports > 1
