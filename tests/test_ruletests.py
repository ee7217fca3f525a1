"""``headwater rules test``: what each mark asks for, what is said where it does not hold, and that the built-in ones hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from headwater import ruletests
from headwater.cli import run
from headwater.rules.marks import Mark, marks, without

RULE = """\
---
id: acme-debug
title: The client logs prompts
severity: medium
message: "{sink} writes prompts to a log."
fix: "Switch it off."
calls:
  - path: acme.Client
    when: $debug is True
---

## Examples

### bad

```python
import acme

acme.Client(debug=True)  # expect: acme-debug
```

### fixed

```python
import acme

acme.Client()
```
"""
MODEL = """\
library: acme
types:
  Acme: ["acme.Client()"]
apis:
  - path: Acme.ask
    returns: llm-output
    label: the answer of our model
  - path: acme.send
    sinks: [{class: message, at: $0, does: mails it}]

examples:
  - why: the answer is run
    code: |
      import acme

      def act(question):
          exec(acme.Client().ask(question))  # expect: llm-output-to-code
          acme.send(acme.Client().ask(question))  # flow: llm-output-to-message
  - why: it is printed
    code: |
      import acme

      print(acme.Client().ask("?"))
"""
CLIENT = "import acme\n"
BAD = "acme.Client(debug=True)\n"
GOOD = "acme.Client()\n"

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "acme-debug.md").write_text(RULE)
    return folder


def ran(capsys: Captured, status: int, *folders: str) -> list[str]:
    """The lines that the command prints."""
    assert run(["rules", "test", *(folders or ("rules",))]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out.splitlines()


def test_examples_of_a_page(rules: Path, capsys: Captured) -> None:
    assert ran(capsys, 0) == ["2 tests of 1 rule: 1 expectation, 0 failed"]
    page = RULE.replace("  # expect: acme-debug", "").replace("acme.Client()\n", "acme.Client()  # expect: acme-debug\n")
    (rules / "acme-debug.md").write_text(page)
    assert ran(capsys, 1) == [
        "rules/acme-debug.md:19: acme-debug: reported, but no mark expects it",
        "rules/acme-debug.md:27: acme-debug: not reported",
        "2 tests of 1 rule: 1 expectation, 2 failed",
    ]


@pytest.mark.parametrize(
    ("code", "status", "line"),
    [
        ("# ruleid: acme-debug\n" + BAD, 0, ""),
        ("# ruleid: acme-debug\n" + GOOD, 1, "rules/acme-debug.py:3: acme-debug: not reported"),
        ("# ruleid:acme-debug\n" + BAD, 0, ""),
        ("# ok: acme-debug\n" + GOOD, 0, ""),
        ("# ok: acme-debug\n" + BAD, 1, "rules/acme-debug.py:3: acme-debug: reported, but it is marked ok"),
        (BAD, 1, "rules/acme-debug.py:2: acme-debug: reported, but no mark expects it"),
        ("# todoruleid: acme-debug\n" + GOOD, 0, "known: rules/acme-debug.py:3: acme-debug: known miss"),
        ("# todoruleid: acme-debug\n" + BAD, 0, "note: rules/acme-debug.py:3: acme-debug: reported now: todoruleid can become ruleid"),
        ("# todook: acme-debug\n" + BAD, 0, "known: rules/acme-debug.py:3: acme-debug: known false alarm"),
        ("# todook: acme-debug\n" + GOOD, 0, "note: rules/acme-debug.py:3: acme-debug: not reported any more: todook can become ok"),
        (BAD.rstrip() + "  # expect: acme-debug\n", 0, ""),
        (BAD.rstrip() + "  # MISSING: acme-debug\n", 1, "rules/acme-debug.py:2: acme-debug: reported now: MISSING must become expect"),
        (GOOD.rstrip() + "  # MISSING: acme-debug\n", 0, "known: rules/acme-debug.py:2: acme-debug: known miss"),
        (BAD.rstrip() + "  # SPURIOUS: acme-debug\n", 0, "known: rules/acme-debug.py:2: acme-debug: known false alarm"),
        (GOOD.rstrip() + "  # SPURIOUS: acme-debug\n", 1, "rules/acme-debug.py:2: acme-debug: not reported any more: SPURIOUS can go"),
        ("# ok: acme-debgu\n" + GOOD, 1, "rules/acme-debug.py:3: acme-debgu: there is no such rule"),
        ("# ruleid: acme-debug\n# ok: tls-verification-off\n" + BAD, 0, ""),
        ("# ruleid: acme-debug, tls-verification-off\n" + BAD, 1, "rules/acme-debug.py:3: tls-verification-off: not reported"),
        ("# ruleid: acme-debug\n\n" + BAD, 1, "rules/acme-debug.py:3: acme-debug: not reported"),
        ("# ok: it is only a comment\n", 0, ""),
        ("# ruleid: acme-debug", 1, "rules/acme-debug.py:3: acme-debug: not reported"),
        ("def f(:\n", 1, "rules/acme-debug.py:2: it was not looked at: "),
        ("acme.Client(debug=True)  # headwater: ignore[acme-debug] tests ignore it\n", 1, "reported, but no mark expects it"),
    ],
)
def test_code_beside_a_rule(rules: Path, capsys: Captured, code: str, status: int, line: str) -> None:
    (rules / "acme-debug.py").write_text(CLIENT + code)
    *lines, _ = ran(capsys, status)
    assert (line in " ".join(lines)) if line else lines == []


def test_only_rules_under_test_are_asked(rules: Path, capsys: Captured) -> None:
    """Code beside a rule may do what other rules report, as long as no mark names them."""
    other = "import requests\n\nrequests.get('https://a', verify=False)\n"
    (rules / "acme-debug.py").write_text(other)
    assert ran(capsys, 0)[-1].endswith("0 failed")
    (rules / "acme-debug.py").write_text(other + "# ok: tls-verification-off\nprint()\n")
    assert "rules/acme-debug.py:3: tls-verification-off: reported, but no mark expects it" in ran(capsys, 1)


def test_a_folder_is_one_project(rules: Path, capsys: Captured) -> None:
    project = rules / "acme-debug"
    (project / "inner").mkdir(parents=True)
    (project / "__pycache__").mkdir()
    (project / "__pycache__" / "x.py").write_text(CLIENT + BAD)
    (project / "inner" / "__init__.py").write_text(
        "import acme\n\n\ndef make(debug):\n    # ruleid: acme-debug\n    return acme.Client(debug=debug)\n"
    )
    (project / "app.py").write_text("import inner\n\ninner.make(True)\n")
    assert ran(capsys, 0) == ["3 tests of 1 rule: 2 expectations, 0 failed"]
    (project / "app.py").write_text(CLIENT + BAD)
    assert "rules/acme-debug/app.py:2: acme-debug: reported, but no mark expects it" in ran(capsys, 1)


def test_declared_versions_belong_to_the_project(rules: Path, capsys: Captured, tmp_path: Path) -> None:
    (rules / "acme-debug.md").write_text(RULE.partition("## Examples")[0].replace("$debug is True", "declared acme < 2"))
    (tmp_path / "requirements.txt").write_text("acme==1.0\n")  # no part of any test
    for version in ("1.0", "2.0"):
        project = rules / "acme-debug"
        project.mkdir(exist_ok=True)
        (project / "requirements.txt").write_text(f"acme=={version}\n")
        (project / "app.py").write_text(f"import acme\n# {'ruleid' if version == '1.0' else 'ok'}: acme-debug\nacme.Client()\n")
        assert ran(capsys, 0)[-1] == "1 test of 1 rule: 1 expectation, 0 failed"
    (rules / "acme-debug.py").write_text("import acme\n# ok: acme-debug\nacme.Client()\n")
    assert ran(capsys, 0)[-1].endswith("0 failed")


def test_a_model_is_tested_by_the_flows_that_it_enables(rules: Path, capsys: Captured) -> None:
    (rules / "acme.yaml").write_text(MODEL)
    assert ran(capsys, 0) == ["4 tests of 1 rule and 1 file of API models: 3 expectations, 0 failed"]
    (rules / "acme.yaml").write_text(MODEL.replace("Acme.ask", "Acme.asks"))
    assert ran(capsys, 1) == [
        "rules/acme.yaml:17: llm-output-to-code: not reported",
        "rules/acme.yaml:18: llm-output-to-message: no such flow is found",
        "4 tests of 1 rule and 1 file of API models: 3 expectations, 2 failed",
    ]


def test_beside_a_model_every_rule_is_asked(rules: Path, capsys: Captured) -> None:
    (rules / "acme.yaml").write_text(MODEL)
    (rules / "acme.py").write_text("import acme\n\n# ruleid: llm-output-to-code\nexec(acme.Client(debug=True).ask('?'))\n")
    assert ran(capsys, 1)[0] == "rules/acme.py:4: acme-debug: reported, but no mark expects it"


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ("llm-output-to-code", "flows from llm-output to code belong to the rule llm-output-to-code"),
        ("llm-to-code", "'llm' is no source kind"),
        ("llm-output-to-mail", "'mail' is no sink class"),
    ],
)
def test_a_flow_that_is_none(rules: Path, capsys: Captured, flow: str, message: str) -> None:
    (rules / "acme.yaml").write_text(MODEL.replace("# flow: llm-output-to-message", f"# flow: {flow}"))
    if flow == "llm-output-to-code":
        message = "is that of a built-in rule"
    assert message in ran(capsys, 1)[0]


def test_an_example_in_other_forms_of_yaml_names_its_line(rules: Path, capsys: Captured) -> None:
    (rules / "acme.yaml").write_text(
        'library: acme\n\nexamples:\n  - why: x\n    code: "import acme\\nacme.Client(debug=True)\\n"\n'
        "  - code: x = 1\n    files:\n      other.py: |\n        import acme\n        acme.Client(debug=True)\n"
    )
    assert ran(capsys, 1)[:2] == [
        "rules/acme.yaml:5: acme-debug: reported, but no mark expects it",
        "rules/acme.yaml:10: acme-debug: reported, but no mark expects it",
    ]


def test_what_has_no_example_is_said(rules: Path, capsys: Captured) -> None:
    (rules / "acme-debug.md").write_text(RULE.partition("## Examples")[0])
    (rules / "acme.yaml").write_text(MODEL.partition("examples:")[0])
    (rules / "stray.py").write_text(CLIENT + BAD)
    assert ran(capsys, 0) == [
        "warning: rules/acme-debug.md: acme-debug: no example in which it must be quiet",
        "warning: rules/acme-debug.md: acme-debug: no example in which it must report",
        "warning: rules/acme.yaml: no example in which it must be quiet",
        "warning: rules/acme.yaml: no example in which it must report",
        "warning: rules/stray.py: not run: there is no stray.md and no stray.yaml beside it",
        "0 tests of 1 rule and 1 file of API models: 0 expectations, 0 failed",
    ]
    (rules / "acme-debug.py").write_text(CLIENT + "# ruleid: acme-debug\n" + BAD)
    assert "warning: rules/acme-debug.md: acme-debug: no example in which it must be quiet" in ran(capsys, 0)
    (rules / "acme-debug.py").write_text(CLIENT + "# ruleid: acme-debug\n" + BAD + "# ok: acme-debug\n" + GOOD)
    assert not [line for line in ran(capsys, 0) if "acme-debug:" in line]


def test_several_folders_are_one_set(rules: Path, capsys: Captured, tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "acme.yaml").write_text(MODEL)
    (rules / "acme-debug.py").write_text("import acme\n\n# ruleid: llm-output-to-code\nexec(acme.Client().ask('?'))\n")
    assert "rules/acme-debug.py:4: llm-output-to-code: not reported" in ran(capsys, 1, "rules")
    assert ran(capsys, 0, "rules", "models", "./rules/")[-1] == "5 tests of 1 rule and 1 file of API models: 4 expectations, 0 failed"


def test_as_json(rules: Path, capsys: Captured) -> None:
    (rules / "acme-debug.py").write_text(CLIENT + BAD + "# todoruleid: acme-debug\n" + GOOD)
    assert run(["rules", "test", "rules", "--format", "json"]) == 1
    first = capsys.readouterr().out
    assert json.loads(first) == {
        "schema": "headwater-rules-test",
        "version": 1,
        "passed": False,
        "rules": 1,
        "models": 0,
        "tests": 3,
        "expectations": 2,
        "failures": [{"path": "rules/acme-debug.py", "line": 2, "rule": "acme-debug", "message": "reported, but no mark expects it"}],
        "known": [{"path": "rules/acme-debug.py", "line": 4, "rule": "acme-debug", "message": "known miss"}],
        "notes": [],
        "warnings": [],
    }
    assert run(["rules", "test", "rules", "--format", "json"]) == 1
    assert capsys.readouterr().out == first


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_same_bytes_for_every_hash_seed(rules: Path, seed: str) -> None:
    (rules / "acme.yaml").write_text(MODEL)
    (rules / "acme.py").write_text("import acme\n\nexec(acme.Client(debug=True).ask('?'))\n# ok: x, y, z\nprint()\n")
    command = [sys.executable, "-P", "-m", "headwater", "rules", "test", "rules"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "rules/acme.py:3: acme-debug: reported, but no mark expects it",
        "rules/acme.py:3: llm-output-to-code: reported, but no mark expects it",
        "rules/acme.py:5: x: there is no such rule",
        "rules/acme.py:5: y: there is no such rule",
        "rules/acme.py:5: z: there is no such rule",
        "5 tests of 1 rule and 1 file of API models: 6 expectations, 5 failed",
    ]


def test_wrong_usage(rules: Path, capsys: Captured) -> None:
    assert run(["rules", "test", "missing"]) == 2
    assert run(["rules", "test", "rules/acme-debug.md"]) == 2
    (rules / "broken.md").write_text("no rule\n")
    assert run(["rules", "test", "rules"]) == 2
    assert capsys.readouterr().err.endswith("headwater: rules/broken.md:1: a rule begins with front matter between two lines '---'\n")


def test_the_built_in_ones_are_tested_without_a_folder(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them take minutes; that each example holds is asked by tests of their own."""
    known = ruletests.builtin.rules()
    monkeypatch.setattr(ruletests.builtin, "rules", lambda *_: {"flask-debug": known["flask-debug"]})
    monkeypatch.setattr(ruletests.builtin, "models", lambda *_: [])
    assert run(["rules", "test"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("of 1 rule: 7 expectations, 0 failed")


# -------------------------------------------------------------------------------------------------------------- marks


def test_marks_about_the_next_line_stand_alone_on_theirs() -> None:
    text = "x = 1  # ruleid: a\n# ruleid: a, b-c\n// ok: d\r\n  # todook: e  \r"
    text += "y = '# expect: f'  # expect: g (high low)\n# ok: no ids at all\n"
    assert marks("p", text) == (
        Mark("p", 5, "a", "ruleid"),
        Mark("p", 5, "b-c", "ruleid"),
        Mark("p", 5, "d", "ok"),
        Mark("p", 5, "e", "todook"),
        Mark("p", 5, "f", "expect"),
        Mark("p", 5, "g", "expect", ("high", "low")),
    )
    assert [without(line) for line in ("# ruleid: a", "x()  # expect: a", "x()  # ok: a")] == [None, "x()", "x()  # ok: a"]
