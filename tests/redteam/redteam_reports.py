"""Small reports in the formats that the tools write, made by hand: the keys are those of the versions named, the texts are ours."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# ------------------------------------------------------------------------------------------------------------- garak


def setup(**more: Any) -> Json:
    return {"entry_type": "start_run setup", "_config.version": "0.17.1", "run.generations": 1, "run.seed": None, **more}


def init() -> Json:
    return {"entry_type": "init", "garak_version": "0.17.1", "start_time": "2026-11-30T10:00:00", "run": "r-1"}


def completion() -> Json:
    return {"entry_type": "completion", "end_time": "2026-11-30T10:01:00", "run": "r-1"}


def attempt(probe: str, prompt: str, outputs: list[str | None], results: dict[str, list[float | None]], status: int = 2) -> Json:
    message = {"text": prompt, "lang": "en", "data_path": None, "data_type": None, "data_checksum": None, "notes": {}}
    return {
        "entry_type": "attempt",
        "uuid": "a-1",
        "seq": 0,
        "status": status,
        "probe_classname": probe,
        "probe_params": {},
        "targets": [],
        "prompt": {"turns": [{"role": "user", "content": message}], "notes": {}},
        "outputs": [None if one is None else {**message, "text": one} for one in outputs],
        "detector_results": results,
        "notes": {},
        "goal": "see what it says",
        "conversations": [],
        "reverse_translation_outputs": [],
        "intent": None,
    }


def evaluation(probe: str, detector: str, passed: int, fails: int, nones: int = 0) -> Json:
    judged = passed + fails
    return {
        "entry_type": "eval",
        "probe": probe,
        "detector": detector,
        "passed": passed,
        "fails": fails,
        "nones": nones,
        "total_evaluated": judged,
        "total_processed": judged + nones,
        "intents": {},
        "hit_at_k": {"1": {"score": 0.0, "prompts": judged}},
    }


def logged_hit(probe: str, detector: str, prompt: str, output: str) -> Json:
    return {
        "goal": "see what it says",
        "prompt": {"turns": [{"role": "user", "content": {"text": prompt}}]},
        "output": {"text": output, "lang": "en"},
        "triggers": None,
        "score": 1.0,
        "run_id": "r-1",
        "attempt_id": "a-1",
        "attempt_seq": 0,
        "attempt_idx": 0,
        "generator": "rest target",
        "probe": probe,
        "detector": detector,
        "generations_per_prompt": 1,
    }


def lines(path: Path, entries: Iterable[Json | bytes]) -> str:
    path.write_bytes(b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in entries))
    return str(path)


# ------------------------------------------------------------------------------------------------------------- PyRIT

_COLUMNS = {
    "AttackResultEntries": (
        "id, conversation_id, objective, atomic_attack_identifier, last_response_id, last_score_id, executed_turns, outcome, "
        "outcome_reason, labels, error_message, error_type, attribution_parent_id, attribution_data, pyrit_version"
    ),
    "ScenarioResultEntries": "id, scenario_name, scenario_version, scenario_run_state, pyrit_version",
    "ScoreEntries": "id, score_value, status, score_type, score_rationale, scorer_class_identifier",
    "PromptMemoryEntries": "id, role, conversation_id, sequence, original_value, converted_value, response_error",
}


class Memory:
    """A database with the tables of PyRIT 1.1.0, as far as verdicts need them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = 0
        with closing(sqlite3.connect(path)) as database:
            for table, columns in _COLUMNS.items():
                database.execute(f'CREATE TABLE "{table}" ({columns})')
            database.commit()

    def scenario(self, name: str, state: str = "COMPLETED") -> str:
        return self._add("ScenarioResultEntries", scenario_name=name, scenario_version=1, scenario_run_state=state, pyrit_version="1.1.0")

    def attack(
        self,
        outcome: str,
        *,
        scenario: str = "",
        technique: str = "",
        scorer: str = "XSSOutputScorer",
        status: str = "complete",
        labels: Json | None = None,
        response_error: str = "none",
        error: str | None = None,
        prompt: str = "asked",
        answer: str = "answered",
    ) -> None:
        chat = f"chat-{self._number}"
        self._add("PromptMemoryEntries", role="user", conversation_id=chat, sequence=0, converted_value=prompt, response_error="none")
        said = self._add(
            "PromptMemoryEntries", role="assistant", conversation_id=chat, sequence=1, converted_value=answer, response_error=response_error
        )
        score = ""
        if scorer:
            about = json.dumps({"class_name": scorer, "class_module": "pyrit.score"})
            score = self._add(
                "ScoreEntries", score_value=str(outcome == "success"), status=status, score_type="true_false", scorer_class_identifier=about
            )
        attack = {"class_name": "PromptSendingAttack"}
        identifier = {"class_name": "AtomicAttack", "children": {"attack_technique": {"class_name": "T", "children": {"attack": attack}}}}
        self._add(
            "AttackResultEntries",
            conversation_id=chat,
            objective=prompt,
            atomic_attack_identifier=json.dumps(identifier),
            last_response_id=said,
            last_score_id=score or None,
            executed_turns=1,
            outcome=outcome,
            outcome_reason="",
            labels=json.dumps(labels or {}),
            error_message=error,
            attribution_parent_id=scenario or None,
            attribution_data=json.dumps({"parent_collection": technique}) if technique else None,
            pyrit_version="1.1.0",
        )

    def _add(self, table: str, **values: Any) -> str:
        self._number += 1
        id = f"00000000-0000-4000-8000-{self._number:012}"
        names = ", ".join(["id", *values])
        marks = ", ".join("?" * (len(values) + 1))
        with closing(sqlite3.connect(self.path)) as database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', (id, *values.values()))
            database.commit()
        return id


# --------------------------------------------------------------------------------------------------------- promptfoo


def row(
    plugin: str = "",
    *,
    success: bool,
    output: Any = "answered",
    reason: int | None = None,
    error: str | None = None,
    assertion: str = "promptfoo:redteam:sql-injection",
    grader_error: bool = False,
    strategy: str = "",
) -> Json:
    metadata = {**({"pluginId": plugin} if plugin else {}), **({"strategyId": strategy} if strategy else {})}
    part = {"pass": success, "score": float(success), "reason": "because", "assertion": {"type": assertion, "metric": "M"}}
    if grader_error:
        part["metadata"] = {"graderError": True}
    return {
        "id": "1",
        "promptIdx": 0,
        "testIdx": 0,
        "testCase": {"vars": {}, "assert": [], "metadata": metadata},
        "promptId": "p",
        "provider": {"id": "http", "label": ""},
        "prompt": {"raw": "asked", "label": "asked"},
        "vars": {},
        "response": {"output": output} if output is not None else None,
        "error": error,
        "failureReason": (0 if success else 1) if reason is None else reason,
        "success": success,
        "score": float(success),
        "latencyMs": 1,
        "gradingResult": {"pass": success, "score": 1, "reason": "because", "componentResults": [part]} if assertion else None,
        "namedScores": {},
        "metadata": metadata,
    }


def evaluated(path: Path, rows: list[Any]) -> str:
    whole = {
        "evalId": "eval-1",
        "results": {"version": 3, "timestamp": "2026-11-30T10:00:00Z", "prompts": [], "results": rows, "stats": {}},
        "config": {},
        "shareableUrl": None,
        "metadata": {"promptfooVersion": "0.121.20", "nodeVersion": "v22", "platform": "linux", "arch": "x64", "exportedAt": ""},
    }
    path.write_text(json.dumps(whole), encoding="utf-8")
    return str(path)
