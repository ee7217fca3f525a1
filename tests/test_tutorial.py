"""The tutorial on rules of one's own: its files are written, its commands are run, and what it shows is what they print.

``UPDATE_SNAPSHOTS=1 pytest tests/test_tutorial.py`` writes what the commands print anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parent.parent / "docs" / "writing-rules-tutorial.md"
BLOCK = re.compile(r"^(`{3,})(\w+)(?: ([^\n]+))?\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
LEFT_OUT = "[...]\n"


class Printed(NamedTuple):
    """What one command printed, and its status."""

    text: str
    status: int


def command(line: str, folder: Path) -> Printed:
    """Runs a line of a console block as a shell would, with ``headwater`` being the one under test."""
    program, _, rest = line.partition(" ")
    assert program in ("headwater", "sed"), line
    shown = f"{sys.executable} -P -m headwater {rest}" if program == "headwater" else line
    surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "SOURCE_DATE_EPOCH": "1780000000"}
    done = subprocess.run(shown, shell=True, cwd=folder, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return Printed(done.stdout.decode(), done.returncode)


def test_the_tutorial(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    made = BLOCK.sub(lambda block: block.group().replace(block.group(4), told(block, tmp_path)), page)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(made, encoding="utf-8")
    assert made == page


def told(block: re.Match[str], folder: Path) -> str:
    """Does what a block says, and gives what it would have to say."""
    _, language, info, body = block.groups()
    settings = dict(word.split("=", 1) for word in (info or "").split())
    if path := settings.get("path"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(body, encoding="utf-8")
    if language != "console":
        return body
    shown, statuses = "", []
    for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE)[1:]:
        line, _, expected = part.partition("\n")
        printed = command(line.removeprefix("$ "), folder)
        statuses.append(printed.status)
        shown += f"{line}\n{expected if is_shortened(printed.text, expected) else printed.text}"
    assert max(statuses) == int(settings.get("status", 0)), body
    return shown


def is_shortened(printed: str, expected: str) -> bool:
    """Whether the text was printed, but for what ``[...]`` stands for."""
    at = 0
    for part in expected.split(LEFT_OUT):
        found = printed.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return LEFT_OUT in expected
