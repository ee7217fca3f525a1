"""The files that imports of scripts name."""

from __future__ import annotations

import pytest

from headwater import ir
from headwater.files.npm import Npm, Package
from headwater.index.entities import Mod
from headwater.index.scripts import Scripts

FILES = [
    "src/app.ts",
    "src/util.ts",
    "src/view.tsx",
    "src/lib/index.ts",
    "src/plain.js",
    "src/plain.ts",
    "packages/a/src/index.ts",
    "packages/a/src/part/two.ts",
    "packages/b/lib/main.js",
    "index.js",
]
NPM = Npm(
    {
        "@acme/a": Package("packages/a", {".": ("dist/index.js",), "./two": ("./dist/esm/part/two.js",)}),
        "b.js": Package("packages/b", {".": ("lib/main",)}),
    },
    {"": (("@/*", ("src/*",)), ("exact", ("src/util",)), ("far/*", ("../outside/*",)))},
)


def module(path: str) -> Mod:
    language = "typescript" if path.endswith((".ts", ".tsx")) else "javascript"
    return Mod(0, ir.Module(path, language, [], [], {}, [], [], None, {}, []))


SCRIPTS = Scripts(map(module, FILES), NPM)


@pytest.mark.parametrize(
    ("importer", "specifier", "found"),
    [
        ("src/app.ts", "./util", "src/util.ts"),
        ("src/app.ts", "./util.js", "src/util.ts"),
        ("src/app.ts", "./util.ts", "src/util.ts"),
        ("src/app.ts", "./view.jsx", "src/view.tsx"),
        ("src/app.ts", "./lib", "src/lib/index.ts"),
        ("src/app.ts", "./lib/", "src/lib/index.ts"),
        ("src/app.ts", "./plain.js", "src/plain.js"),
        ("src/app.ts", "./plain", "src/plain.ts"),
        ("src/app.ts", "..", "index.js"),
        ("src/lib/index.ts", "../app", "src/app.ts"),
        ("src/app.ts", "../../outside", None),
        ("src/app.ts", "./none", None),
        ("src/lib/index.ts", "npm:@/util", "src/util.ts"),
        ("src/app.ts", "npm:exact", "src/util.ts"),
        ("src/app.ts", "npm:far/x", None),
        ("src/app.ts", "npm:@acme/a", "packages/a/src/index.ts"),
        ("src/app.ts", "npm:@acme/a/two", "packages/a/src/part/two.ts"),
        ("src/app.ts", "npm:b_js", "packages/b/lib/main.js"),
        ("src/app.ts", "npm:express", None),
        ("src/app.ts", "node:fs", None),
    ],
)
def test_find(importer: str, specifier: str, found: str | None) -> None:
    made = SCRIPTS.find(module(importer), specifier)
    assert (made.path if made is not None else None) == found
