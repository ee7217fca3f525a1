"""Reads the suites: Markdown pages whose headings are cases and whose code blocks are small projects with marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec

from headwater.rules.load import Case, ExampleFile, Rule
from headwater.rules.schema import RuleHead

FOLDER = Path(__file__).parent


class Suite(msgspec.Struct, frozen=True):
    """One page; the blocks below its title are files of every case."""

    path: Path
    cases: tuple[Case, ...]

    @property
    def name(self) -> str:
        return self.path.stem


@cache
def suites() -> tuple[Suite, ...]:
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.md")))


def cases() -> Iterator[tuple[Suite, Case]]:
    for suite in suites():
        for case in suite.cases:
            yield suite, case


def write(files: tuple[ExampleFile, ...], root: Path) -> Path:
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    return root


def together(all_cases: Sequence[Case], root: Path) -> Path:
    """All cases side by side in one tree, so that names of one occur in the others; a manifest that all have is that of the tree too."""
    for number, case in enumerate(all_cases):
        write(case.files, root / f"case{number}")
    everywhere = [file for file in all_cases[0].files if all(file in case.files for case in all_cases)]
    return write(tuple(file for file in everywhere if file.path in ("pyproject.toml", "package.json")), root)


def _read(path: Path) -> Suite:
    page = path.read_text(encoding="utf-8")
    title = page.partition("\n")[0].removeprefix("# ")
    head = RuleHead(id="suite", title=title, severity="low", message="suite", fix="suite")
    found = Rule(head, page, 1, path.name).cases
    shared = tuple(file for case in found if case.title == title for file in case.files)
    made = []
    for case in found:
        if case.title == title:
            continue
        own = {file.path for file in case.files}
        made.append(Case(case.title, case.line, (*(file for file in shared if file.path not in own), *case.files)))
    titles = [case.title for case in made]
    assert len(set(titles)) == len(titles), f"{path.name}: two cases have the same heading"
    return Suite(path, tuple(made))
