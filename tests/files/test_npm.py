"""What ``package.json`` and ``tsconfig.json`` say of the names that scripts import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headwater.files.npm import is_published, npm


def write(root: Path, name: str, data: object) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")


def test_packages_and_aliases_of_the_folders_above(tmp_path: Path) -> None:
    write(tmp_path, "package.json", {"name": "root", "private": True, "workspaces": ["packages/*"]})
    write(tmp_path, "packages/a/package.json", {"name": "@acme/a", "main": "dist/index.js", "exports": {".": {"import": "./src/index.ts"}}})
    write(tmp_path, "packages/b/package.json", {"name": "unseen"})
    write(tmp_path, "tsconfig.json", '{ // where\n "compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*",], },},}')
    found = npm(tmp_path, ["packages/a/src/index.ts", "src/app.ts"])
    assert sorted(found.packages) == ["@acme/a", "root"]
    assert found.packages["@acme/a"].entries["."] == ("./src/index.ts", "dist/index.js")
    assert found.aliases[""] == (("@/*", ("src/*",)), ("*", ("*",)))


def test_text_that_looks_like_a_comment_stays(tmp_path: Path) -> None:
    write(tmp_path, "tsconfig.json", '{"compilerOptions": {"paths": {"http://x/*": ["a/*"], /* "y": ["b"] */ },},}')
    assert npm(tmp_path, ["a.ts"]).aliases[""] == (("http://x/*", ("a/*",)),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"name": 1, "exports": 5, "main": []}',
        '{"compilerOptions": {"paths": {"a": 5, "b*c*": ["x"], "d": ["*/*"]}}}',
        "[" * 100_000,
        '{"name": ' * 5_000,
        "\x00\xff",
    ],
)
def test_what_is_no_configuration_says_nothing(text: str, tmp_path: Path) -> None:
    for name in ("package.json", "tsconfig.json"):
        write(tmp_path, name, text)
    found = npm(tmp_path, ["a.ts"])
    assert not found.packages
    assert all(not targets for aliases in found.aliases.values() for _, targets in aliases)
    assert not is_published(tmp_path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "outside/package.json", {"name": "outside"})
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "package.json").symlink_to(tmp_path / "outside" / "package.json")
    assert not npm(inside, ["a.ts"]).packages


@pytest.mark.parametrize(
    ("data", "published"),
    [
        ({"name": "a", "version": "1.0.0", "main": "index.js"}, True),
        ({"name": "a", "version": "1.0.0", "exports": {".": "./index.js"}}, True),
        ({"name": "a", "version": "1.0.0", "main": "index.js", "private": True}, False),
        ({"name": "a", "version": "1.0.0", "main": "index.js", "devDependencies": {"electron": "^35.1.2"}}, False),
        ({"name": "a", "version": "1.0.0", "main": "index.js", "engines": {"vscode": "^1.90.0"}}, False),
        ({"name": "a", "version": "1.0.0"}, False),
        ({"name": "a", "main": "index.js"}, False),
    ],
)
def test_what_is_a_package_for_others(data: object, published: bool, tmp_path: Path) -> None:
    write(tmp_path, "package.json", data)
    assert is_published(tmp_path) is published
