"""What libraries do without an audit event: statements for databases, requests, templates. Wrapped when the application imports them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from . import record
from .network import loopback
from .record import note, text

COROUTINE = 0x80  # of co_flags: async def


# Patches of modules as they are imported


class _Finder:
    """First of ``sys.meta_path``: finds what the others find, and lets the patch run when the module has run."""

    def __init__(self, patches: dict[str, Callable[[Any], None]]) -> None:
        self.patches = patches

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        patch = self.patches.get(name)
        if patch is None:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None) if finder is not self else None
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                _after(spec, name, patch)
                return spec
        return None

    def invalidate_caches(self) -> None:
        pass


def _after(spec: Any, name: str, patch: Callable[[Any], None]) -> None:
    loader = spec.loader
    run = getattr(loader, "exec_module", None)
    if run is None:
        return

    def exec_module(module: Any) -> None:
        run(module)
        if getattr(module, "__name__", "") == name:
            _apply(patch, module)

    with suppress(AttributeError, TypeError):
        loader.exec_module = exec_module  # of this loader only: others are made for other modules


def _apply(patch: Callable[[Any], None], module: Any) -> None:
    with suppress(Exception):  # another version of the library: it is not watched
        patch(module)


def install(patches: dict[str, Callable[[Any], None]]) -> None:
    finder: Any = _Finder(patches)
    sys.meta_path.insert(0, finder)
    for name, patch in patches.items():
        if name in sys.modules:
            _apply(patch, sys.modules[name])


def before(owner: Any, name: str, check: Callable[..., BaseException | None]) -> None:
    """``check`` sees what a function or method is called with, and may stop the call."""
    original = getattr(owner, name)
    code = getattr(original, "__code__", None)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return record.told(check, original, args, kwargs)

    async def waiting(*args: Any, **kwargs: Any) -> Any:
        record.within(check, args, kwargs)
        return await original(*args, **kwargs)

    kept = waiting if code is not None and code.co_flags & COROUTINE else wrapper
    setattr(owner, name, functools.wraps(original)(kept))


def _given(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, names: tuple[str, ...]) -> Any:
    if len(args) > place:
        return args[place]
    return next((kwargs[name] for name in names if name in kwargs), None)


# Statements. Values that go beside a statement are none of it: only its text is looked at.

STATEMENT = ("query", "sql", "operation", "statement", "qry", "command")


def _statement(call: str, place: int) -> Callable[..., BaseException | None]:
    def check(args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException | None:
        statement = _given(args, kwargs, place, STATEMENT)
        return note("sql", call, text(statement)) if isinstance(statement, (str, bytes)) else None

    return check


# module -> class ("" for functions of the module) -> methods whose first argument after self is a statement
METHODS: dict[str, dict[str, tuple[str, ...]]] = {
    "psycopg.cursor": {"Cursor": ("execute", "executemany", "stream")},
    "psycopg.cursor_async": {"AsyncCursor": ("execute", "executemany", "stream")},
    "psycopg.server_cursor": {"ServerCursor": ("execute",), "AsyncServerCursor": ("execute",)},
    "psycopg._server_cursor": {"ServerCursor": ("execute",)},
    "psycopg._server_cursor_async": {"AsyncServerCursor": ("execute",)},
    "psycopg2.extras": dict.fromkeys(("DictCursor", "RealDictCursor", "NamedTupleCursor", "LoggingCursor"), ("execute", "executemany")),
    "aiosqlite.core": {"Connection": ("execute", "executemany", "executescript", "execute_fetchall", "execute_insert")},
    "aiosqlite.cursor": {"Cursor": ("execute", "executemany", "executescript")},
    "pymysql.cursors": {"Cursor": ("execute", "executemany")},
    "MySQLdb.cursors": {"BaseCursor": ("execute", "executemany")},
    "mysql.connector.cursor": {"MySQLCursor": ("execute", "executemany")},
    "mysql.connector.cursor_cext": {"CMySQLCursor": ("execute", "executemany")},
    "aiomysql.cursors": {"Cursor": ("execute", "executemany")},
    "asyncpg.connection": {"Connection": ("execute", "executemany", "fetch", "fetchval", "fetchrow", "prepare", "cursor")},
    "duckdb": {
        "DuckDBPyConnection": ("execute", "executemany", "sql", "query", "from_query"),
        "": ("execute", "executemany", "sql", "query", "from_query"),
    },
    "clickhouse_driver.client": {"Client": ("execute", "execute_iter", "query_dataframe")},
    "clickhouse_connect.driver.client": {"Client": ("query", "query_df", "command", "raw_query")},
    "clickhouse_connect.driver.httpclient": {"HttpClient": ("query", "command", "raw_query")},
    "snowflake.connector.cursor": {"SnowflakeCursor": ("execute",)},
    "trino.dbapi": {"Cursor": ("execute",)},
    "pymssql._pymssql": {"Cursor": ("execute",)},
    "oracledb.cursor": {"Cursor": ("execute", "executemany")},
    "google.cloud.bigquery.client": {"Client": ("query", "query_and_wait")},
    "neo4j._sync.work.session": {"Session": ("run",)},
    "neo4j._sync.work.transaction": {"TransactionBase": ("run",)},
    "neo4j._async.work.session": {"AsyncSession": ("run",)},
    "neo4j._async.work.transaction": {"AsyncTransactionBase": ("run",)},
}


def _patch_methods(name: str) -> Callable[[Any], None]:
    library = name.split(".")[0]

    def patch(module: Any) -> None:
        for cls, methods in METHODS[name].items():
            owner = getattr(module, cls, None) if cls else module
            for method in methods:
                if owner is not None and hasattr(owner, method):
                    before(owner, method, _statement(f"{library}.{method}", 1 if cls else 0))

    return patch


def _patch_sqlalchemy(module: Any) -> None:
    for method in ("do_execute", "do_executemany", "do_execute_no_params"):
        before(module.DefaultDialect, method, _statement(f"sqlalchemy.{method}", 2))


class _Classes:
    """Connections and cursors of a driver written in C, whose methods cannot be replaced: classes below theirs."""

    def __init__(self, library: str, methods: tuple[str, ...], factory: str) -> None:
        self.library, self.methods, self.factory = library, methods, factory
        self.made: dict[type, type] = {}

    def below(self, base: Any, plain_cursor: Any = None) -> Any:
        """A class below ``base`` whose methods tell; of a connection, also of its cursors."""
        if not isinstance(base, type) or getattr(base, "_headwater", False):
            return base
        if base not in self.made:
            body: dict[str, Any] = {
                "_headwater": True,
                "__module__": base.__module__,
                "__qualname__": base.__qualname__,
                "__doc__": base.__doc__,
            }
            for method in self.methods:
                if hasattr(base, method):
                    body[method] = self._method(getattr(base, method), method)
            if plain_cursor is not None:
                body["cursor"] = self._cursor(base, plain_cursor)
            self.made[base] = type(base)(base.__name__, (base,), body)
        return self.made[base]

    def _method(self, original: Any, name: str) -> Any:
        check = _statement(f"{self.library}.{name}", 1)

        @functools.wraps(original)
        def method(*args: Any, **kwargs: Any) -> Any:
            return record.told(check, original, args, kwargs)

        return method

    def _cursor(self, base: Any, plain: Any) -> Any:
        original, keyword, below = base.cursor, self.factory, self.below

        @functools.wraps(original)
        def cursor(self: Any, *args: Any, **kwargs: Any) -> Any:
            if keyword == "factory" and args:
                args = (below(args[0]), *args[1:])
            elif keyword in kwargs or not hasattr(original, "__code__"):  # one written in Python knows best which cursor it makes
                kwargs[keyword] = below(kwargs.get(keyword) or getattr(self, "cursor_factory", None) or plain)
            return original(self, *args, **kwargs)

        return cursor


def _patch_sqlite(module: Any) -> None:
    classes = _Classes("sqlite3", ("execute", "executemany", "executescript"), "factory")
    connect = module.connect

    @functools.wraps(connect)
    def connect_(*args: Any, **kwargs: Any) -> Any:
        if len(args) > 5:  # database, timeout, detect_types, isolation_level, check_same_thread, factory
            args = (*args[:5], classes.below(args[5], module.Cursor), *args[6:])
        else:
            kwargs["factory"] = classes.below(kwargs.get("factory", module.Connection), module.Cursor)
        return connect(*args, **kwargs)

    module.connect = connect_


def _patch_psycopg2(module: Any) -> None:
    classes = _Classes("psycopg2", ("execute", "executemany", "copy_expert"), "cursor_factory")
    connect = module.connect

    @functools.wraps(connect)
    def connect_(dsn: Any = None, connection_factory: Any = None, cursor_factory: Any = None, **kwargs: Any) -> Any:
        extensions = sys.modules["psycopg2.extensions"]
        below = classes.below(connection_factory or extensions.connection, extensions.cursor)
        return connect(dsn, connection_factory=below, cursor_factory=cursor_factory, **kwargs)

    module.connect = connect_


# Requests: the address only. What a body or header holds is seen by who gets it.


def request(call: str, url: str) -> BaseException | None:
    """A URL that is asked for."""
    rest = url.split("://", 1)[-1]
    host = rest.split("/", 1)[0].rsplit("@", 1)[-1]
    host = host[1:].split("]")[0] if host.startswith("[") else host.split(":")[0]
    return note("request", call, url, harmless=loopback(host))


def _address(scheme: str, host: str, port: Any, target: str) -> str:
    if "://" in target:
        return target
    named = f"[{host}]" if ":" in host else host
    return f"{scheme}://{named}{'' if port in (None, 80, 443) else f':{port}'}{target}"


def _patch_http(module: Any) -> None:
    def check(args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException | None:
        connection, target = args[0], text(_given(args, kwargs, 2, ("url",)))
        host = getattr(connection, "_tunnel_host", None)
        port = connection._tunnel_port if host else connection.port
        scheme = "https" if isinstance(connection, getattr(module, "HTTPSConnection", ())) else "http"
        return request("http.client.putrequest", _address(scheme, text(host or connection.host), port, target))

    before(module.HTTPConnection, "putrequest", check)


def _patch_urllib3(module: Any) -> None:
    def check(args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException | None:
        pool, target = args[0], text(_given(args, kwargs, 2, ("url",)))
        return request("urllib3.urlopen", _address(pool.scheme, text(pool.host), pool.port, target))

    before(module.HTTPConnectionPool, "urlopen", check)


def _patch_httpx(module: Any) -> None:
    def check(args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException | None:
        return request("httpx.send", str(_given(args, kwargs, 1, ("request",)).url))

    before(module.Client, "send", check)
    before(module.AsyncClient, "send", check)


def _patch_aiohttp(module: Any) -> None:
    def check(args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException | None:
        return request("aiohttp.request", str(_given(args, kwargs, 2, ("str_or_url",))))

    before(module.ClientSession, "_request", check)


def _patch_urllib(module: Any) -> None:
    def check(args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException | None:
        asked = _given(args, kwargs, 1, ("fullurl",))
        url = asked if isinstance(asked, str) else text(getattr(asked, "full_url", ""))
        return None if url.startswith(("file:", "data:")) else request("urllib.request.open", url)

    before(module.OpenerDirector, "open", check)


# Templates


def _template(call: str, place: int, *names: str) -> Callable[..., BaseException | None]:
    def check(args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException | None:
        source = _given(args, kwargs, place, names)
        return note("template", call, text(source), harmless=True) if isinstance(source, (str, bytes)) else None

    return check


# Work for threads: who gave it to the pool is not in the stack of the thread


class _Work:
    def __init__(self, function: Any, frames: list[list[Any]]) -> None:
        self.function, self.frames = function, frames

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outer, record.thread.outer = record.thread.outer, self.frames
        try:
            return self.function(*args, **kwargs)
        finally:
            record.thread.outer = outer


def _patch_pool(module: Any) -> None:
    submit = module.ThreadPoolExecutor.submit

    @functools.wraps(submit)
    def submit_(self: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return submit(self, _Work(function, record.stack()), *args, **kwargs)

    module.ThreadPoolExecutor.submit = submit_


PATCHES: dict[str, Callable[[Any], None]] = {
    "concurrent.futures.thread": _patch_pool,
    **{name: _patch_methods(name) for name in METHODS},
    "sqlite3.dbapi2": _patch_sqlite,
    "psycopg2": _patch_psycopg2,
    "sqlalchemy.engine.default": _patch_sqlalchemy,
    "http.client": _patch_http,
    "urllib.request": _patch_urllib,
    "urllib3.connectionpool": _patch_urllib3,
    "httpx._client": _patch_httpx,
    "aiohttp.client": _patch_aiohttp,
    "jinja2.environment": lambda module: before(module.Environment, "compile", _template("jinja2.compile", 1, "source")),
    "mako.template": lambda module: before(module, "_compile", _template("mako.compile", 1, "text")),
    "django.template.base": lambda module: before(module.Template, "__init__", _template("django.template", 1, "template_string")),
    "tornado.template": lambda module: before(module.Template, "__init__", _template("tornado.template", 1, "template_string")),
}
