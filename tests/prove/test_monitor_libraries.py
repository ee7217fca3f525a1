"""Libraries that raise no audit event, as the application imports them. They are played here: modules of their names and forms."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from prove.monitored import Monitored, token

LIBRARIES = {
    "pymysql/cursors.py": "class Cursor:\n def execute(self, query, args=None): return 1\nclass DictCursor(Cursor): pass",
    "psycopg/cursor.py": "class Cursor:\n def execute(self, query, params=None, *, prepare=None): return self",
    "psycopg/cursor_async.py": "class AsyncCursor:\n async def execute(self, query, params=None): return self",
    "duckdb.py": "def sql(query, **kwargs): return 1\nclass DuckDBPyConnection:\n def execute(self, query, parameters=None): return 1",
    "sqlalchemy/engine/default.py": (
        "class DefaultDialect:\n"
        " def do_execute(self, cursor, statement, parameters, context=None): cursor.execute(statement, parameters)\n"
        " def do_executemany(self, cursor, statement, parameters, context=None): pass\n"
        " def do_execute_no_params(self, cursor, statement, context=None): pass"
    ),
    "jinja2/environment.py": (
        "class Environment:\n"
        " def compile(self, source, name=None, filename=None):\n"
        "  exec(compile('x = %r' % source, '<template>', 'exec'))"
    ),
    "httpx/_client.py": (
        "class Client:\n def send(self, request, *, stream=False): return 1\n"
        "class AsyncClient:\n async def send(self, request): return 1\n"
        "class Request:\n def __init__(self, url): self.url = url"
    ),
    "aiohttp/client.py": "class ClientSession:\n async def _request(self, method, str_or_url, **kwargs): return 1",
}

CASES = {
    "pymysql": ("import pymysql.cursors as m; m.DictCursor().execute('select ' + T)", "sql", "pymysql.execute"),
    "pymysql, beside": ("import pymysql.cursors as m; m.Cursor().execute('select %s', T)", None, None),
    "psycopg": ("import psycopg.cursor as m; m.Cursor().execute(query='select ' + T)", "sql", "psycopg.execute"),
    "psycopg, async": ("import psycopg.cursor_async as m; wait(m.AsyncCursor().execute('select ' + T))", "sql", "psycopg.execute"),
    "duckdb": ("import duckdb; duckdb.sql('select ' + T)", "sql", "duckdb.sql"),
    "duckdb, connection": ("from duckdb import DuckDBPyConnection as C; C().execute(b'select ' + T.encode())", "sql", "duckdb.execute"),
    # The layer and the driver below it are one statement
    "sqlalchemy": (
        "import sqlite3, sqlalchemy.engine.default as m; "
        "m.DefaultDialect().do_execute(sqlite3.connect(':memory:').cursor(), 'select \"%s\"' % T, ())",
        "sql",
        "sqlalchemy.do_execute",
    ),
    "sqlalchemy, beside": (
        "import sqlite3, sqlalchemy.engine.default as m; "
        "m.DefaultDialect().do_execute(sqlite3.connect(':memory:').cursor(), 'select ?', (T,))",
        None,
        None,
    ),
    # That the code made of it runs is no execution of the text
    "jinja2": ("import jinja2.environment as m; m.Environment().compile('{{ %s }}' % T)", "template", "jinja2.compile"),
    "httpx": ("import httpx._client as m; m.Client().send(m.Request('https://192.0.2.1/' + T))", "request", "httpx.send"),
    "httpx, async": ("import httpx._client as m; wait(m.AsyncClient().send(m.Request('https://192.0.2.1/' + T)))", "request", "httpx.send"),
    "httpx, sink": ("import httpx._client as m; m.Client().send(m.Request('http://127.5.6.7:80/' + T))", "request", "httpx.send"),
    "aiohttp": (
        "import aiohttp.client as m; wait(m.ClientSession()._request('GET', 'https://192.0.2.1/' + T))",
        "request",
        "aiohttp.request",
    ),
    # Imported in another way, and asked for its source as tools do
    "importlib": ("import importlib, inspect; m = importlib.import_module('duckdb'); inspect.getsource(m); m.sql(T)", "sql", "duckdb.sql"),
}


@pytest.mark.parametrize("block", [True, False], ids=["block", "allow"])
@pytest.mark.parametrize("case", CASES)
def test_library(case: str, block: bool, tmp_path: Path) -> None:
    source, kind, call = CASES[case]
    run = Monitored(tmp_path, block=block)
    for name, text in LIBRARIES.items():
        path = run.app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (run.app / "app.py").write_text(f"""
import asyncio, sys
async def main(coroutine):
    return await coroutine
def wait(coroutine):
    return asyncio.run(main(coroutine))
T = sys.argv[1]
try:
    {source}
    print("done")
except PermissionError as error:
    print(error)
""")
    done = run.run(sys.executable, "app.py", token(1))
    assert done.stderr == ""
    expected = [] if kind is None else [(kind, call)]
    assert [(event.kind, event.call) for event in run.of(1)] == expected
    stopped = block and kind in ("sql", "request") and case != "httpx, sink"
    assert done.stdout == (f"[Errno 13] blocked by headwater: {call}\n" if stopped else "done\n")
    assert all(event.stack[0].file.startswith(str(run.app)) for event in run.of(1))
