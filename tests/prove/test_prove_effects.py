"""When an operation is an effect: by what it does with the value, and not only for the token being in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headwater.proofs import Verdict
from headwater.prove import verdicts
from headwater.prove.attempts import Attempt
from headwater.prove.events import Event
from headwater.prove.payloads import by_id, fill, values

TOKEN = "hwc0000aa0001"
WHERE = verdicts.Where(
    work="/run/work",
    root="/run/work/notes",
    home="/run/home",
    scratch="/run/scratch",
    canary=f"/run/scratch/{TOKEN}",
    secret=f"/run/scratch/secrets/{TOKEN}.txt",
    sink="127.1.2.3:1",
    languages={},
)
SECRET, CANARY = WHERE.secret, WHERE.canary
DATA = "/usr/lib/node_modules/docs/data"


def verdict(payload: str, kind: str, call: str, value: str, where: verdicts.Where = WHERE) -> Verdict:
    made = by_id()[payload]
    given = fill(made, values(TOKEN, Path("/run/scratch"), "http://127.1.2.3:1", benign="x"))
    attempt = Attempt(TOKEN, payload, made.sink_class, made.family, made.breaks, "mcp", given)
    events = [Event(kind, call, value, (TOKEN,))]
    return verdicts.judge(attempt, made, events, asked=False, answered=(), looks=None, written=False, where=where).verdict


@pytest.mark.parametrize(
    ("payload", "kind", "call", "value", "effect"),
    [
        ("path-absolute", "read", "open", SECRET, True),
        ("path-traversal", "read", "fs.promises.readFile", f"notes/../../../../../../../../../../../..{SECRET}", True),
        # With something of the application's behind it
        ("path-traversal", "read", "fs.readFileSync", f"{SECRET}.md", True),
        ("path-folder", "read", "os.scandir", f"/run/scratch/folders/{TOKEN}", True),
        ("path-home", "read", "open", f"/run/home/{TOKEN}", True),
        ("path-sibling", "read", "open", f"notes_evil/{TOKEN}", True),
        ("path-root-traversal", "read", "open", f"notes/../{TOKEN}", True),
        ("path-write-absolute", "write", "fs.rename", f"/run/work/notes/a.txt -> {CANARY}", True),
        # It stays in the folder that it may use, or in one of the application's that nobody named
        ("path-absolute", "read", "open", f"/run/work/notes{SECRET}", False),
        ("path-absolute", "read", "fs.promises.readFile", DATA + SECRET, False),
        ("path-encoded", "read", "open", f"{DATA}/..%2f..%2f..%2f{SECRET[1:]}", False),
        ("path-write-absolute", "write", "open", f"/tmp/uploads/{CANARY[1:]}", False),
        # Checks look where a path leads before they refuse it
        ("path-absolute", "read", "fs.promises.realpath", SECRET, False),
        ("path-absolute", "read", "fs.realpathSync.native", SECRET, False),
        ("path-folder", "read", "fs.statSync", f"/run/scratch/folders/{TOKEN}", False),
        # Other payloads than paths, which happen to become the name of a file
        ("xml-entity-file", "read", "open", f'{DATA}/<!ENTITY e SYSTEM "file://{SECRET}">', False),
        ("xml-entity-file", "read", "open", SECRET, True),
        ("python-open", "write", "open", f"notes/open('{CANARY}', 'w').close()", False),
        ("python-open", "write", "open", CANARY, True),
    ],
)
def test_operations_on_files(payload: str, kind: str, call: str, value: str, effect: bool) -> None:
    assert verdict(payload, kind, call, value) is (Verdict.EFFECT if effect else Verdict.REACHED)


def test_beside_a_folder_that_is_not_known() -> None:
    """Without a folder of its own there is nothing beside it: what lies in its folder is the application's."""
    where = WHERE._replace(root="")
    assert verdict("path-root-traversal", "read", "open", f"notes/../{TOKEN}", where) is Verdict.REACHED
    assert verdict("path-absolute", "read", "open", SECRET, where) is Verdict.EFFECT


@pytest.mark.parametrize(
    ("payload", "call", "value", "effect"),
    [
        ("sql-create", "sqlite3.execute", f"CREATE TABLE {TOKEN} (c INTEGER)", True),
        ("sql-create", "sqlite3.execute", f'CREATE TABLE "{TOKEN}" (c INTEGER)', True),
        ("sql-quote-union", "psycopg.execute", f"SELECT a FROM b WHERE c = 'x' UNION SELECT 1 AS {TOKEN} --'", True),
        ("sql-quote-condition", "psycopg.execute", f"SELECT a FROM b WHERE c = 'x' OR 1 IN (SELECT 1 AS {TOKEN}) OR '1'='2'", True),
        ("sql-double-quote", "sqlite3.execute", f'SELECT a FROM "x"; CREATE TABLE {TOKEN} (c INTEGER); --"', True),
        ("sql-identifier", "sqlite3.execute", f"SELECT * FROM sqlite_master; CREATE TABLE {TOKEN} (c INTEGER); --", True),
        # As a text or a name that was quoted
        ("sql-create", "sqlite3.execute", f"SELECT a FROM b WHERE c = 'CREATE TABLE {TOKEN} (c INTEGER)'", False),
        ("sql-create", "sqlalchemy.do_execute", f'PRAGMA main.table_xinfo("CREATE TABLE {TOKEN} (c INTEGER)")', False),
        ("sql-create", "mysql.query", f"DESCRIBE `CREATE TABLE {TOKEN} (c INTEGER)`", False),
        ("sql-quote-union", "psycopg.execute", f"SELECT a FROM b WHERE c = 'x'' UNION SELECT 1 AS {TOKEN} --'", False),
        ("sql-double-quote", "sqlite3.execute", f'SELECT a FROM "x""; CREATE TABLE {TOKEN} (c INTEGER); --"', False),
        # Behind words of the application's own statement: the database reads none of it
        ("sql-create", "sqlite3.execute", f"PRAGMA table_info(CREATE TABLE {TOKEN} (c INTEGER))", False),
        ("sql-create", "duckdb.sql", f"CREATE OR REPLACE TABLE CREATE TABLE {TOKEN} (c INTEGER) AS SELECT 1", False),
        ("sql-create", "psycopg.execute", f"EXPLAIN CREATE TABLE {TOKEN} (c INTEGER)", False),
        ("sql-identifier", "psycopg.execute", f"SELECT count(sqlite_master; CREATE TABLE {TOKEN} (c INTEGER); --)", False),
        ("sql-numeric-union", "sqlite3.execute", f"PRAGMA table_info(0 UNION SELECT 1 AS {TOKEN})", False),
        ("sql-order", "sqlite3.execute", f"PRAGMA table_info((SELECT 1 AS {TOKEN}))", False),
        ("sql-numeric-union", "psycopg.execute", f"SELECT abs(0 UNION SELECT 1 AS {TOKEN})", False),
        ("sql-numeric-union", "psycopg.execute", f"SELECT a FROM (SELECT b FROM c WHERE d = 0 UNION SELECT 1 AS {TOKEN})", True),
        # Two statements, of which the second begins with it
        ("sql-stacked", "duckdb.sql", f"DESCRIBE SELECT 1; CREATE TABLE {TOKEN} (c INTEGER)", True),
        ("sql-bracket", "psycopg.execute", f"SELECT count('a'); CREATE TABLE {TOKEN} (c INTEGER); --')", True),
        ("sql-comment-first", "psycopg.execute", f"/* SELECT */ CREATE TABLE {TOKEN} (c INTEGER)", True),
        # A check for SELECT at the beginning lets it through; the driver runs one statement, or more
        ("sql-stacked", "sqlite3.execute", f"SELECT 1; CREATE TABLE {TOKEN} (c INTEGER)", False),
        ("sql-stacked", "better-sqlite3.prepare", f"SELECT 1; CREATE TABLE {TOKEN} (c INTEGER)", False),
        ("sql-stacked", "sqlite3.executescript", f"SELECT 1; CREATE TABLE {TOKEN} (c INTEGER)", True),
        ("sql-stacked", "psycopg.execute", f"SELECT 1; CREATE TABLE {TOKEN} (c INTEGER)", True),
    ],
)
def test_statements(payload: str, call: str, value: str, effect: bool) -> None:
    assert verdict(payload, "sql", call, value) is (Verdict.EFFECT if effect else Verdict.REACHED)


@pytest.mark.parametrize(
    ("payload", "argv", "effect"),
    [
        ("shell-command", ["touch", CANARY], True),
        ("shell-separator", ["sh", "-c", f"ping x; touch {CANARY}"], True),
        ("shell-substitution", ["/bin/sh", "-c", f'curl "http://x/$(touch {CANARY})"'], True),
        # A fixed program gets it as one of its arguments
        ("shell-separator", ["ping", f"x; touch {CANARY}"], False),
        # A program that may be started, without a shell that would read what it prints
        ("shell-command-echo", ["echo", f"$(touch {CANARY})"], False),
        ("shell-command-echo", ["ls", f"$(touch {CANARY})"], False),
        ("shell-single-quote", ["sh", "-c", f"ping 'x; touch {CANARY}'"], False),
    ],
)
def test_programs(payload: str, argv: list[str], effect: bool) -> None:
    assert verdict(payload, "process", "subprocess.Popen", json.dumps(argv)) is (Verdict.EFFECT if effect else Verdict.REACHED)
