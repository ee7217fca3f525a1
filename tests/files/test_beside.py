"""What is read beside the code: console scripts, and prompts in YAML that may be anything."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from headwater import limits
from headwater.files.beside import Section, beside, sections


def test_sections_have_their_lines_and_short_values() -> None:
    text = "# crew\nwriter:\n  role: >\n    Writes\n    much\n  llm: gpt-4o\n  tools:\n    - a\n    - b: c\n  agent: second\n"
    text += "reader: {role: Reads}\nplain: text\n"
    assert sections(text) == (
        Section("writer", 2, {"role": "Writes much\n", "llm": "gpt-4o", "agent": "second"}),
        Section("reader", 11, {"role": "Reads"}),
        Section("plain", 12, {}),
    )


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*b{n - 1}, *b{n - 1}]\n" for n in range(1, 60)),
        "a: " + "[" * 100_000,
        "a: " + "{x: " * 50_000,
        "? " * 20_000 + "a",
        "a: !!python/object/apply:os.system ['true']\n",
        "a:\n  b: 'never closed",
        "- a\n- b\n",
        "\x00",
        "",
    ],
)
def test_no_text_takes_long_or_raises(text: str) -> None:
    start = time.process_time()
    assert len(sections(text)) <= limits.BESIDE_SECTIONS
    assert time.process_time() - start < 5


def test_more_sections_than_a_crew_has_are_not_read() -> None:
    assert len(sections("".join(f"agent{n}: x\n" for n in range(2 * limits.BESIDE_SECTIONS)))) == limits.BESIDE_SECTIONS


def test_scripts_and_prompts_of_the_folders_of_code(tmp_path: Path) -> None:
    (tmp_path / "shop/crew/config").mkdir(parents=True)
    (tmp_path / "elsewhere/config").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[project.scripts]\nshop = "shop.cli:main"\nbad = 3\n[tool.poetry.scripts]\nadmin = "shop.admin:run [extra]"\n'
    )
    (tmp_path / "shop/setup.cfg").write_text("[options.entry_points]\nconsole_scripts =\n    tell = crew.tell:main\n    broken\n")
    for place in ("shop/crew", "elsewhere"):
        (tmp_path / place / "config/agents.yaml").write_text("writer:\n  role: Writes\n")
    found = beside(tmp_path, ["shop/cli.py", "shop/crew/team.py"])
    assert found.scripts == (("", "shop.cli", "main"), ("", "shop.admin", "run"), ("shop", "crew.tell", "main"))
    assert found.prompts == {"shop/crew/config/agents.yaml": (Section("writer", 1, {"role": "Writes"}),)}
    assert found.key() != beside(tmp_path, ["shop/cli.py"]).key()


def test_links_and_files_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("token:\n  agent: abc\n")
    root = tmp_path / "root"
    (root / "config").mkdir(parents=True)
    (root / "config/agents.yaml").symlink_to(secret)
    (root / "config/tasks.yaml").mkdir()
    (root / "agents.yaml").write_bytes(b"x: " + b"y" * limits.BESIDE_BYTES)
    (root / "pyproject.toml").write_text("[project\n")
    assert beside(root, ["app.py"]) == ((), {}, frozenset())
