"""What payloads may do, and that they do it: each is read by its language, and run in a folder of the test where that is possible."""

from __future__ import annotations

import ast
import base64
import json
import os
import pickle
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headwater.prove import statements
from headwater.prove.attempts import Payload
from headwater.prove.events import KINDS
from headwater.prove.payloads import FOLDER, PLACEHOLDERS, by_id, fill, looks, payloads, secret, values, word

TOKEN = "hwc00000a000b"
SINK = f"http://127.0.0.1:9/{TOKEN}"
CLASSES = {
    "code", "shell", "sql", "path-read", "path-write", "url", "html", "template", "deserialize", "xml", "import",
}  # fmt: skip
PLACES = {"quote", "newline"}  # of these families: the value goes into a program
PYTHON = [payload for payload in payloads() if payload.language == "python"]
JAVASCRIPT = [payload for payload in payloads() if payload.language == "javascript"]
STANDARD = sys.stdlib_module_names | {"posix"}
NODE = {"child_process", "fs"}
COMMANDS = {"touch", "echo", ":", "true"}


def ids(payload: Payload) -> str:
    return payload.id


def filled(payload: Payload, folder: Path, benign: str = "1") -> str:
    return fill(payload, values(TOKEN, folder, SINK, benign=benign, root=str(folder / "root")))


def test_each_has_an_id_of_its_own() -> None:
    assert len(by_id()) == len(payloads())


@pytest.mark.parametrize("payload", payloads(), ids=ids)
def test_words(payload: Payload) -> None:
    assert payload.sink_class in CLASSES
    assert payload.shows
    assert set(payload.shows) <= KINDS.keys() | {"answer"}
    assert payload.rank in range(6)
    # What looks like a placeholder is one; braces of languages hold a space, a quote or more.
    for text in (payload.text, payload.looks):
        assert set(re.findall(r"(?<![$\\])\{([a-z-]{2,})\}", text)) <= set(PLACEHOLDERS)
    assert not set(re.findall(r"\{(product|word)\}", payload.text)), "the answer would hold what was sent"
    assert bool(payload.looks) or "answer" not in payload.shows


@pytest.mark.parametrize("payload", payloads(), ids=ids)
def test_what_is_made_carries_the_token(payload: Payload, tmp_path: Path) -> None:
    text = filled(payload, tmp_path)
    if payload.language == "pickle-base64":
        text = base64.b64decode(text).decode()
    numbers = "".join(chr(int(code)) for code in re.findall(r"\b\d{2,3}\b", text) if int(code) < 128)
    product = "number" in payload.text
    assert TOKEN in text or TOKEN in numbers or product


@pytest.mark.parametrize("payload", payloads(), ids=ids)
def test_only_canaries_and_this_machine(payload: Payload, tmp_path: Path) -> None:
    text = filled(payload, Path("/scratch"))
    if payload.language == "pickle-base64":
        text = base64.b64decode(text).decode()
    for host in re.findall(r"(?<!/)(?:https?:)?//([^/\s\"'<>)]+)", text, re.IGNORECASE):
        if not re.search(rf"//{re.escape(host)}", text) or payload.language in {"path", "python", "javascript"}:
            continue
        assert re.fullmatch(r"(?:localhost@)?127\.0\.0\.1:9|localhost", host), host
    folders = re.sub(r"</\w+>|/\*.*?\*/|\w+://[\w.@:]+/", " ", text)
    for path in re.findall(r"(?<![\w.<*/\\@:-])/(?!/)[\w./-]+", folders):
        assert path.startswith(("/scratch", "/../")) or path == f"/{TOKEN}", path


@pytest.mark.parametrize("payload", payloads(), ids=ids)
def test_only_harmless_commands(payload: Payload) -> None:
    text = filled(payload, Path("/scratch"))
    if payload.language == "pickle-base64":
        text = base64.b64decode(text).decode()
    for part in re.findall(r"(?:system|execSync|run|Made|upload-pack=|exec=)\W{0,6}['\"\[]+([\w:]+)", text):
        assert part in COMMANDS | {"process", "py"} or part.startswith("_"), part
    if payload.sink_class == "shell":
        for part in re.split(r"[;|&\n`]+|\$\(|>", text.replace("${IFS}", " ")):
            first = part.strip("'\")( ").split(" ")[0]
            assert first in COMMANDS | {"1", "", "/scratch/" + TOKEN} or first.startswith("-"), first
    assert not re.search(r"\b(?:rm|curl|wget|nc|chmod|sudo|cat|id|whoami|DROP|DELETE|UPDATE|INSERT)\b", text)


@pytest.mark.parametrize("payload", PYTHON, ids=ids)
def test_python_imports_the_standard_library_only(payload: Payload) -> None:
    text = filled(payload, Path("/scratch"))
    source = text if payload.family not in PLACES else f"x = '{text}'" if text[0] == "'" else f'x = "{text}"' if text[0] == '"' else text
    tree = ast.parse(source, feature_version=(3, 8))
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named += re.findall(r"(?:__import__|import_module|_import_\W+\w*\W+)\(['\"](\w+)['\"]\)", source)
    assert {name.split(".")[0] for name in named} <= STANDARD


@pytest.mark.parametrize("payload", [p for p in payloads() if "require" in p.text or "import(" in p.text], ids=ids)
def test_javascript_requires_modules_of_node_only(payload: Payload) -> None:
    assert set(re.findall(r"(?:require|import|getBuiltinModule)\(\\?['\"]([\w:/-]+)", payload.text)) <= NODE


def packages() -> set[str]:
    """Packages that models and rules of this project know, and other well-known ones."""
    listed = (Path(__file__).parents[2] / "src/headwater/knowledge/ai-packages.tsv").read_text(encoding="utf-8")
    names = {line.split("\t")[1] if "\t" in line else line for line in listed.splitlines() if line and not line.startswith("#")}
    return {name.lower() for name in names if len(name) > 3} | {
        "pandas", "numpy", "numexpr", "requests", "flask", "django", "jinja2", "sqlalchemy", "lodash", "axios", "express", "plotly",
    }  # fmt: skip


def test_no_package_is_named() -> None:
    names = packages()
    assert len(names) > 100, "the list is not where it was"
    # Words of languages and of the standard library that packages are named after.
    plain = {
        "json",
        "node",
        "path",
        "code",
        "text",
        "name",
        "queue",
        "random",
        "exec",
        "url",
        "import",
        "process",
        "made",
        "frame",
        "fetch",
    }
    for payload in payloads():
        told = {part.lower() for part in re.findall(r"[A-Za-z][A-Za-z0-9_-]{3,}", payload.text)}
        assert not (told & names) - plain - STANDARD, payload.id


def runs(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env={"PATH": os.environ["PATH"]})
    return done.stdout + done.stderr


@pytest.mark.parametrize("payload", [payload for payload in PYTHON if payload.family not in PLACES], ids=ids)
def test_python_runs_where_names_are_few(payload: Payload, tmp_path: Path) -> None:
    """As applications do it: no globals, and locals of their own."""
    said = runs([sys.executable, "-c", f"exec({filled(payload, tmp_path)!r}, {{}}, {{'df': 1}})"], tmp_path)
    assert (tmp_path / TOKEN).exists(), said


@pytest.mark.parametrize("payload", [payload for payload in PYTHON if payload.family in PLACES], ids=ids)
def test_python_leaves_the_place_that_it_is_put_in(payload: Payload, tmp_path: Path) -> None:
    text = filled(payload, tmp_path)
    program = f"x = '{text}'" if text[0] == "'" else f'x = "{text}"' if text[0] == '"' else f"x = {text}"
    said = runs([sys.executable, "-c", program], tmp_path)
    assert (tmp_path / TOKEN).exists(), said


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("payload", JAVASCRIPT, ids=ids)
def test_javascript_runs(payload: Payload, tmp_path: Path) -> None:
    text = filled(payload, tmp_path)
    if payload.family == "quote":
        text = f"x = '{text}'"
    if payload.family == "constructor-chain":
        text = f"require('vm').runInNewContext({json.dumps(text)}, {{}})"
    script = tmp_path / "run.js"
    script.write_text(text, encoding="utf-8")
    said = runs(["node", str(script)], tmp_path)
    if "getBuiltinModule is not a function" in said:
        pytest.skip("this Node is older than the function")
    assert (tmp_path / TOKEN).exists(), said


PLACES_OF_SHELL: dict[str, Callable[[str], list[str]]] = {
    "single-quote": lambda value: ["sh", "-c", f"echo '{value}'"],
    "double-quote": lambda value: ["sh", "-c", f'echo "{value}"'],
    "or": lambda value: ["sh", "-c", f"test x = {value}"],
    "whole": lambda value: ["sh", "-c", value],
    "whole-second": lambda value: ["sh", "-c", value],
    "whole-substitution": lambda value: ["sh", "-c", value],
}


@pytest.mark.parametrize("payload", [p for p in payloads() if p.sink_class == "shell" and p.family != "option"], ids=ids)
def test_shell_runs(payload: Payload, tmp_path: Path) -> None:
    value = filled(payload, tmp_path, benign="a")
    command = PLACES_OF_SHELL.get(payload.family, lambda value: ["sh", "-c", f"test x != {value}"])(value)
    said = runs(command, tmp_path)
    assert (tmp_path / TOKEN).exists(), said


def test_shell_options_write_where_a_program_has_them(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("b\na\n")
    runs(["sort", filled(by_id()["shell-option-output"], tmp_path), "a"], tmp_path)
    assert (tmp_path / TOKEN).exists()
    (tmp_path / TOKEN).unlink()
    runs(["sort", filled(by_id()["shell-option-output-short"], tmp_path), "a"], tmp_path)
    assert (tmp_path / TOKEN).exists()


QUERY = "SELECT name FROM things WHERE name = "
PLACES_OF_SQL = {
    "quote-stacked": QUERY + "'{}'",
    "quote-union": QUERY + "'{}'",
    "quote-condition": QUERY + "'{}'",
    "comment-space": QUERY + "'{}'",
    "double-quote": QUERY + '"{}"',
    "bracket": "SELECT name FROM things WHERE name IN ('{}')",
    "numeric": "SELECT name FROM things WHERE size = {}",
    "identifier": "SELECT * FROM {}",
}
ELSEWHERE = {"copy", "read-file"}  # other databases


@pytest.mark.parametrize("payload", [p for p in payloads() if p.sink_class == "sql" and p.family not in ELSEWHERE], ids=ids)
def test_sql_runs(payload: Payload, tmp_path: Path) -> None:
    columns = {"sql-union-two": "name, size", "sql-union-three": "name, size, size"}.get(payload.id, "name")
    value = filled(payload, tmp_path, benign="a")
    statement = PLACES_OF_SQL.get(payload.family, "{}").replace("SELECT name", f"SELECT {columns}").format(value)
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("CREATE TABLE things (name TEXT, size INTEGER)")
    seen: list[str] = []
    database.set_trace_callback(seen.append)
    rows: list[Any] = []
    if ";" in value:
        database.executescript(statement)
    else:
        rows = database.execute(statement).fetchall()
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    databases = {row[1] for row in database.execute("PRAGMA database_list")}
    database.close()
    assert any(TOKEN in text for text in seen)
    # What makes nothing says something to the database, or gives the token back
    said = any(statements.speaks(text, TOKEN) for text in seen) and (rows or "OR" in value)
    assert TOKEN in tables | databases or any(TOKEN in row for row in rows) or said


@pytest.mark.parametrize("payload", [p for p in payloads() if p.family == "pickle"], ids=ids)
def test_pickles_run(payload: Payload, tmp_path: Path) -> None:
    text = filled(payload, tmp_path)
    (tmp_path / "data").write_bytes(base64.b64decode(text) if payload.language == "pickle-base64" else text.encode())
    runs([sys.executable, "-c", "import pickle; pickle.load(open('data', 'rb'))"], tmp_path)
    assert (tmp_path / TOKEN).exists()
    assert pickle.dumps("") != b""


@pytest.mark.parametrize("payload", [p for p in payloads() if p.family == "yaml"], ids=ids)
def test_yaml_runs(payload: Payload, tmp_path: Path) -> None:
    program = f"import yaml; yaml.load({filled(payload, tmp_path)!r}, yaml.UnsafeLoader)"
    said = runs([sys.executable, "-c", program], tmp_path)
    assert (tmp_path / TOKEN).exists(), said
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(filled(payload, tmp_path))


def test_json_is_json(tmp_path: Path) -> None:
    for payload in payloads():
        if payload.language == "json":
            assert json.loads(filled(payload, tmp_path))


def test_paths_lead_to_the_secret(tmp_path: Path) -> None:
    """Those that the operating system resolves by itself, from a folder deep down."""
    deep = tmp_path / "a/b/c"
    (deep / "1").mkdir(parents=True)
    made = secret(tmp_path, TOKEN)
    made.parent.mkdir()
    made.write_text(word(TOKEN))
    for name in ("path-absolute", "path-traversal", "path-inside-traversal"):
        path = filled(by_id()[name], tmp_path)
        assert runs([sys.executable, "-c", f"print(open({path!r}).read())"], deep).strip() == word(TOKEN), name
        pattern = looks(by_id()[name], values(TOKEN, tmp_path, SINK))
        assert pattern is not None
        assert pattern.search(f"it says {word(TOKEN)}")
        assert not pattern.search(path)


def test_the_product_is_not_sent(tmp_path: Path) -> None:
    payload = by_id()["template-braces"]
    given = values(TOKEN, tmp_path, SINK)
    pattern = looks(payload, given)
    assert pattern is not None
    assert not pattern.search(fill(payload, given))
    assert pattern.search(str(int(given["number"]) * int(given["factor"])))


@pytest.mark.parametrize("payload", [p for p in payloads() if p.sink_class == "html"], ids=ids)
def test_pages_hold_it_only_unescaped(payload: Payload, tmp_path: Path) -> None:
    text = filled(payload, tmp_path)
    shown = text
    if payload.family.startswith("markdown"):
        shown = re.sub(r"!\[x\]\((.*)\)$", r'<img alt="x" src="\1">', text)
        shown = re.sub(r"^\[x\]\((.*)\)$", r'<a href="\1">x</a>', shown)
    pattern = looks(payload, values(TOKEN, tmp_path, SINK))
    assert pattern is not None
    assert pattern.search(f"<p>{shown}</p>")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").replace("'", "&#x27;")
    assert not pattern.search(f"<p>{escaped}</p>")


def test_all_files_are_read() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} >= {"code-python", "code-javascript", "shell", "sql", "path", "url", "html"}
