"""The pages of this folder: each case is a small project, and the map that is drawn of it is exactly the one below its files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import headwater
from headwater.config import Config
from headwater.system.written import Places
from test_api_examples import drawn

FOLDER = Path(__file__).parent
_BLOCK = re.compile(r"^```(\w+)(?: path=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Case(NamedTuple):
    page: str
    title: str
    files: dict[str, str]
    map: list[str]


def cases() -> Iterator[Case]:
    for page in sorted(FOLDER.glob("*.md")):
        for part in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            blocks = _BLOCK.findall(part)
            lines = next(text for language, _, text in blocks if language == "text")
            yield Case(page.stem, part.partition("\n")[0], {path: text for _, path, text in blocks if path}, lines.splitlines())


CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[f"{one.page}: {one.title}" for one in CASES])
def test_map(case: Case, tmp_path: Path) -> None:
    for path, text in case.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    system = headwater.review(tmp_path, Config(processes=1)).system
    names = {one.id: f"{one.type} {one.name}" for one in system.components}
    gaps = [f"unresolved {gap.what} of {names[gap.component]}, line {gap.line}" for gap in system.unresolved]
    assert sorted([*drawn(system), *gaps]) == sorted(case.map)


def test_two_runs_draw_the_same(tmp_path: Path) -> None:
    for number, case in enumerate(CASES):
        for path, text in case.files.items():
            place = tmp_path / f"app{number}" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    first = headwater.review(tmp_path, Config(processes=1)).system
    assert first == headwater.review(tmp_path, Config(processes=2)).system
    assert len(first.components) >= 5 * len(CASES)


def test_lists_made_of_lists_are_followed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["const t0 = [{ run: () => 1 }];", *(f"const t{n} = t{n - 1}.concat(t{n - 1}, t{n - 1}, t{n - 1});" for n in range(1, 11))]
    lines = ['import express from "express";', "const app = express();", *lines]
    lines += ['app.get("/run", (req, res) => {', "  res.json(t10[0].run(req.query.name));", "});"]
    (tmp_path / "app.ts").write_text("\n".join(lines), encoding="utf-8")
    followed = 0
    follow = Places._followed

    def counted(self: Places, *given: Any) -> Any:
        nonlocal followed
        followed += 1
        return follow(self, *given)

    monkeypatch.setattr(Places, "_followed", counted)
    headwater.review(tmp_path, Config(processes=1))
    assert 10 <= followed < 500
