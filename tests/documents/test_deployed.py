"""What the files of a deployment start, told by the rules: exposure, settings beside, comments that accept, hostile files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.documents.services import Service, services
from headwater.files.source import Source
from headwater.findings import Confidence, Review, Severity

RULE = "database-published-without-password"
COMPOSE = "services:\n  qdrant:\n    image: qdrant/qdrant\n    ports: [{ports}]\n{more}"


def review(root: Path, files: dict[str, str]) -> Review:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return headwater.review(root, Config(processes=1))


def compose(ports: str, more: str = "") -> str:
    return COMPOSE.format(ports=ports, more=more)


def started(text: str, language: str = "yaml") -> list[Service]:
    found, cut = services(Source("compose.yaml", text.encode()), language, lambda _: None)
    assert not cut
    return found


@pytest.mark.parametrize(
    ("port", "reached"),
    [
        ('"6333:6333"', [6333]),
        ('"6333"', [6333]),
        ('"0.0.0.0:6333:6333/tcp"', [6333]),
        ('"[::]:6333:6333"', [6333]),
        ('"${PORT}:6333"', [6333]),
        ('"${PORT:-7000}:6333"', [6333]),
        ('"${ADDRESS:-0.0.0.0}:6333:6333"', [6333]),
        ('"6333-6335:6333-6335"', [6333, 6334, 6335]),
        ("6333", [6333]),
        ('"127.0.0.1:6333:6333"', []),
        ('"localhost:6333:6333"', []),
        ('"[::1]:6333:6333"', []),
        ('"${ADDRESS:-127.0.0.1}:6333:6333"', []),
        ('"${ADDRESS}:6333:6333"', []),
        ('"6333:6333/udp"', []),
        ("{target: 6333, host_ip: 127.0.0.1}", []),
        ("{target: 6333, published: 80}", [6333]),
        ('"x:y:z"', []),
    ],
)
def test_what_is_published(port: str, reached: list[int]) -> None:
    (service,) = started(compose(port))
    assert [one.number for one in service.ports] == reached


def test_settings_come_from_tables_lists_merges_and_files_beside(tmp_path: Path) -> None:
    found = review(
        tmp_path,
        {
            "docker-compose.yml": "x-env: &env {QDRANT__SERVICE__API_KEY: a}\nservices:\n"
            "  merged:\n    image: qdrant/qdrant\n    ports: ['1:6333']\n    environment: {<<: *env, OTHER: b}\n"
            "  both:\n    image: qdrant/qdrant\n    ports: ['6:6333']\n    environment:\n      <<: [*env, {OTHER: b}]\n"
            "  listed:\n    image: qdrant/qdrant\n    ports: ['2:6333']\n    environment: [QDRANT__SERVICE__API_KEY]\n"
            "  beside:\n    image: qdrant/qdrant\n    ports: ['3:6333']\n    env_file: [settings.env]\n"
            "  unknown:\n    image: qdrant/qdrant\n    ports: ['4:6333']\n    env_file: gone.env\n"
            "  open:\n    image: qdrant/qdrant\n    ports: ['5:6333']\n",
            "settings.env": "export QDRANT__SERVICE__API_KEY='c'\n",
        },
    )
    told = {(finding.function, finding.confidence) for finding in found.findings}
    assert told == {("unknown", Confidence.LOW), ("open", Confidence.MEDIUM)}


@pytest.mark.parametrize(
    "path", ["docker-compose.dev.yml", "tests/compose.yaml", "examples/rag/docker-compose.yml", ".devcontainer/compose.yml"]
)
def test_what_is_for_developers_weighs_little(tmp_path: Path, path: str) -> None:
    found = review(tmp_path, {path: compose("'6333:6333'")})
    assert (found.coverage.status, found.coverage.files) == ("complete", 1)
    (finding,) = found.findings
    assert (finding.severity, finding.confidence) == (Severity.LOW, Confidence.LOW)


def test_a_comment_accepts_and_a_text_does_not(tmp_path: Path) -> None:
    comment = f"headwater: ignore[{RULE}] behind the firewall of the office"
    found = review(
        tmp_path,
        {
            "a/compose.yml": f"services:\n  qdrant:\n    image: qdrant/qdrant\n    ports:\n      # {comment}\n      - '6333:6333'\n",
            "b/compose.yml": f"services:\n  qdrant:\n    image: qdrant/qdrant\n    ports:\n      - '6333:6333' # {comment}\n",
            "c/compose.yml": f"services:\n  qdrant:\n    image: qdrant/qdrant\n    labels: ['x # {comment}']\n    ports: ['6333:6333']\n",
            "d/compose.yml": f"services:\n  qdrant:\n    image: qdrant/qdrant\n    labels:\n      note: |\n        # {comment}\n"
            "    ports: ['6333:6333']\n",
        },
    )
    assert {finding.place.path: finding.suppression is not None for finding in found.findings} == {
        "a/compose.yml": True,
        "b/compose.yml": True,
        "c/compose.yml": False,
        "d/compose.yml": False,
    }


def test_a_dockerfile_and_several_documents() -> None:
    (made,) = started("FROM python AS build\nENV A=1\nFROM chromadb/chroma:0.5.0\nENV ALLOW_RESET=TRUE B='c d'\n", "dockerfile")
    assert made.image == "chromadb/chroma:0.5.0"
    assert {name: one.value for name, one in made.settings.items()} == {"ALLOW_RESET": "TRUE", "B": "c d"}
    assert [one.name for one in started("a: 1\n---\n" + compose("'1:6333'") + "---\n- x\n")] == ["qdrant"]


def test_hostile_files_cost_little(tmp_path: Path) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
    )
    files = {
        "compose.yml": bomb + compose("'6333:6333'"),
        "deep.yml": "image: " + "[" * 50_000,
        "loop.yml": "services: &s\n  image: x\n  <<: *s\n  again: *s\n",
        "template.yaml": "image: {{ .Values.image }}\n{{- if }}\n",
        "wide.yml": "services:\n" + "".join(f"  s{n}: {{image: redis, ports: ['6379:6379']}}\n" for n in range(20_000)),
        "bytes.yml": "image: \x00\x07 {\n",
    }
    begin = time.process_time()
    found = review(tmp_path, files)
    assert time.process_time() - begin < 20
    assert {finding.place.path for finding in found.findings} == {"compose.yml", "wide.yml"}
    assert [gap.path for gap in found.coverage.gaps] == ["wide.yml"]


def test_nothing_outside_of_the_repository_is_read(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (outside / "a.env").write_text("QDRANT__SERVICE__API_KEY=a\n")
    root.mkdir()
    (root / ".git").mkdir()
    os.symlink(outside, root / "link")
    os.symlink(outside / "a.env", root / "b.env")
    for path in ("link/a.env", "../outside/a.env", str(outside / "a.env"), "b.env"):
        (finding,) = review(root, {"compose.yml": compose("'6333:6333'", f"    env_file: {path}\n")}).findings
        assert finding.confidence is Confidence.LOW
