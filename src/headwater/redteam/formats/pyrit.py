"""Reads the memory of PyRIT: the SQLite database in which it keeps every message, score and result of an attack.

The file is taken as hostile: opened for reading only, its triggers and views trusted with nothing, its work bounded by steps.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from headwater import limits
from headwater.redteam.collect import NOBODY, Collector
from headwater.redteam.evidence import Evidence
from headwater.redteam.formats.error import ReportError

_TABLES: Final = ("AttackResultEntries", "ScenarioResultEntries", "ScoreEntries", "PromptMemoryEntries")
_ROWS: Final = 'SELECT * FROM "AttackResultEntries" ORDER BY rowid'
_ONE: Final = 'SELECT * FROM "{}" WHERE id = ?'
_ASKED: Final = (
    """SELECT converted_value FROM "PromptMemoryEntries" WHERE conversation_id = ? AND role = 'user' ORDER BY sequence DESC LIMIT 1"""
)
_LABEL: Final = "headwater-probe"
"""What our own job calls an attack that it puts together."""

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Row = dict[str, Any]


def read(path: str) -> Evidence:
    """One database."""
    out = Collector("pyrit", os.path.basename(path))
    log = f"{path}-wal"
    if os.path.exists(log) and os.path.getsize(log):
        out.miss("unreadable", "", "a log beside the database has not been written into it: what is in it is not read")
    try:
        with closing(_opened(path)) as database:
            _check(database)
            memory = _Memory(database)
            for row in memory.rows(_ROWS):
                _attack(out, memory, row)
            for row in memory.rows('SELECT * FROM "ScenarioResultEntries" ORDER BY rowid'):
                state = _text(row.get("scenario_run_state"))
                if state != "COMPLETED":
                    out.miss("not-finished", _text(row.get("scenario_name")), f"PyRIT calls the run {state or 'nothing'}")
    except (sqlite3.Error, UnicodeError, OverflowError, MemoryError) as error:
        if not out.has_any():
            raise ReportError(f"no memory of PyRIT that can be read: {error}") from None
        out.miss("unreadable", "", f"the rest of the database: {error}")
    return out.evidence()


def _opened(path: str) -> sqlite3.Connection:
    uri = Path(path).resolve().as_uri()
    database = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.REDTEAM_LINE)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON", "mmap_size = 0"):
        database.execute(f"PRAGMA {setting}")
    left = limits.REDTEAM_SQL_STEPS

    def work() -> int:
        nonlocal left
        left -= 1
        return left < 0  # what is true stops the statement

    database.set_progress_handler(work, 1000)
    database.text_factory = lambda data: data.decode("utf-8", "replace")
    return database


def _check(database: sqlite3.Connection) -> None:
    """Its tables are tables: a view could run anything that SQL can say."""
    kinds = dict(database.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')").fetchmany(1000))
    absent = [name for name in _TABLES if kinds.get(name) != "table"]
    if absent:
        raise ReportError(f"a SQLite database, but no memory of PyRIT 1.x: it has no table {absent[0]}")


class _Memory:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._scenarios: dict[str, Row] = {}

    def rows(self, statement: str, *values: Any) -> Iterator[Row]:
        cursor = self._database.execute(statement, values)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def one(self, table: str, id: Any) -> Row:
        return next(self.rows(_ONE.format(table), id), {}) if isinstance(id, (str, bytes)) and id else {}

    def scenario(self, id: Any) -> Row:
        key = _text(id)
        if key not in self._scenarios:
            self._scenarios[key] = self.one("ScenarioResultEntries", id)
        return self._scenarios[key]

    def asked(self, conversation: Any) -> str:
        return _text(next(self.rows(_ASKED, conversation), {}).get("converted_value"))


def _attack(out: Collector, memory: _Memory, row: Row) -> None:
    out.version = out.version or _text(row.get("pyrit_version"))[:40]
    probe = _probe(memory, row)
    outcome = _text(row.get("outcome"))
    score = memory.one("ScoreEntries", row.get("last_score_id"))
    detector = _text(_object(score.get("scorer_class_identifier")).get("class_name")) or NOBODY
    response = memory.one("PromptMemoryEntries", row.get("last_response_id"))
    reason = _ID.sub("...", _text(row.get("error_message"))) or _text(row.get("outcome_reason"))
    if outcome == "error":
        out.miss("no-answer", probe, reason or "PyRIT calls it an error")
    elif outcome not in ("success", "failure"):
        out.miss("not-judged", probe, reason or f"PyRIT calls it {outcome or 'nothing'}")
    elif not score:
        out.miss("not-judged", probe, "it has an outcome without a score")
    elif _text(score.get("status")) not in ("complete", ""):
        out.miss("not-judged", probe, _text(score.get("score_rationale")) or "the scorer came to no verdict")
    elif outcome == "failure" and _text(response.get("response_error")) in ("processing", "unknown"):
        out.miss("no-answer", probe, "the answer is an error")
    elif outcome == "failure":
        out.add(probe, detector, passed=1)
        return
    else:
        out.add(probe, detector, failed=1)
        out.hit(probe, detector, memory.asked(row.get("conversation_id")), _text(response.get("converted_value")))
        return
    out.add(probe, detector, unjudged=1)


def _probe(memory: _Memory, row: Row) -> str:
    """Scenario and technique; else what our own job calls it; else the class of the attack."""
    label = _object(row.get("labels")).get(_LABEL)
    if isinstance(label, str) and label:
        return label
    scenario = _text(memory.scenario(row.get("attribution_parent_id")).get("scenario_name")) if row.get("attribution_parent_id") else ""
    if scenario:
        technique = _text(_object(row.get("attribution_data")).get("parent_collection"))
        return f"{scenario}.{technique}" if technique else scenario
    found: Any = _object(row.get("atomic_attack_identifier"))
    for child in ("attack_technique", "attack"):
        children = found.get("children")
        inner = children.get(child) if isinstance(children, dict) else None
        if not isinstance(inner, dict):
            break
        found = inner
    return _text(found.get("class_name")) or "attack"


def _object(value: Any) -> dict[str, Any]:
    """A column that holds JSON."""
    if not isinstance(value, str):
        return {}
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
