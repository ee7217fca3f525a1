"""Users' own rules and API models: what they add to a review, what is refused, and who may name their folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import headwater
from headwater import configfile
from headwater.apis.load import load
from headwater.apis.paths import expand
from headwater.cli import run
from headwater.config import Config
from headwater.findings import Severity
from headwater.rules.own import OwnError, known, parsed, read_folder

RULE = """\
---
id: unread-mail
title: Model output is mailed unread
severity: high
message: "{sink} mails {source}. Whoever steers the model writes mail in our name."
fix: "Have a person approve it."
flow:
  from: [llm-output]
  to: [message]
---

## What it is

A model writes to customers.
"""
CALL = """\
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
  - path: acme.approved
    passes: [$0]
    clears: [message]
"""
CODE = """\
import subprocess

import acme


def reply(question):
    answer = acme.Client(debug=True).ask(question)
    acme.send(answer)
    acme.send(acme.approved(answer))
    subprocess.run(answer, shell=True)
"""
FOUND = {(7, "acme-debug"), (8, "unread-mail"), (10, "llm-output-to-shell")}

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return write(tmp_path / "rules", {"unread-mail.md": RULE, "acme-debug.md": CALL, "acme.yaml": MODEL})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", {"app.py": CODE})


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def found(project: Path, config: Config) -> set[tuple[int, str]]:
    review = headwater.review(project, config)
    return {(review.sources[one.place.path].position(one.place.start)[0], one.rule) for one in review.findings}


# ---------------------------------------------------------------------------------------------------------- reviewing


def test_own_rules_and_models_add_findings(project: Path, rules: Path) -> None:
    assert found(project, Config(processes=1)) == set()
    assert found(project, Config(processes=1, own=read_folder(rules))) == FOUND
    models_alone = tuple(file for file in read_folder(rules) if file.name.endswith(".yaml"))
    assert found(project, Config(processes=1, own=models_alone)) == {(10, "llm-output-to-shell")}


def test_folders_add_up(project: Path, rules: Path, tmp_path: Path, capsys: Captured) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (rules / "acme.yaml").rename(models / "acme.yaml")
    options = ["--rules", str(rules), "--rules", str(models), "--rules", str(models)]
    assert run(["review", str(project), "--format", "json", "-q", "--persona", "audit", *options]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {(one["place"]["start"]["line"], one["rule"]) for one in report["findings"]} == FOUND
    notes = [gap["reason"] for gap in report["coverage"]["gaps"] if gap["kind"] == "configuration"]
    assert notes == ["beside the built-in ones: 2 own rules and own API models in 1 file"]
    assert str(tmp_path) not in json.dumps(report)


@pytest.mark.parametrize("format_", ["text", "sarif", "github", "gitlab-sast", "gitlab-codequality", "junit", "markdown"])
def test_every_report_shows_a_rule_without_standards_and_sections(
    project: Path, rules: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    arguments = ["review", str(project), "-q", "--format", format_, "--rules", str(rules)]
    assert run(arguments) == 1
    first = capsys.readouterr().out
    assert "unread-mail" in first
    assert run(arguments) == 1
    assert capsys.readouterr().out == first


def test_a_call_rule_does_not_hide_another_that_says_more_exactly_where(tmp_path: Path) -> None:
    code = write(tmp_path / "code", {"app.py": "import requests\n\nrequests.get('https://a', verify=False)\n"})
    text = CALL.replace("acme-debug", "any-request").replace("acme.Client", "requests.*").replace("    when: $debug is True\n", "")
    own = write(tmp_path / "own", {"any-request.md": text})
    assert found(code, Config(processes=1)) == {(3, "tls-verification-off")}
    assert found(code, Config(processes=1, own=read_folder(own))) == {(3, "tls-verification-off"), (3, "any-request")}


def test_a_path_of_ones_own_is_of_a_built_in_type(tmp_path: Path) -> None:
    call = "acme.client().chat.completions.create(messages=[question])"
    ours = f"import acme\n\n\ndef act(question):\n    exec({call}.choices[0].message.content)\n"
    code = write(tmp_path / "code", {"app.py": ours})
    (name,) = (name for name, paths in known_types().items() if any("openai.OpenAI()" in expand(path) for path in paths))
    own = write(tmp_path / "own", {"acme.yaml": f"library: acme\ntypes:\n  {name}: [acme.client()]\n"})
    assert found(code, Config(processes=1, own=read_folder(own))) == {(5, "llm-output-to-code")}


def known_types() -> dict[str, list[str]]:
    return {name: paths for _, file in load() for name, paths in file.types.items()}


def test_suppressions_know_own_rules(project: Path, rules: Path, capsys: Captured) -> None:
    text = CODE.replace("acme.send(answer)", "acme.send(answer)  # headwater: ignore[unread-mail] read by the team")
    (project / "app.py").write_text(text)
    assert run(["suppressions", str(project), "--check", "--rules", str(rules)]) == 0
    assert "used [unread-mail]" in capsys.readouterr().out
    assert run(["suppressions", str(project), "--check"]) == 1
    assert "there is no such rule" in capsys.readouterr().out


def test_own_rules_are_listed_and_explained(rules: Path, capsys: Captured) -> None:
    assert run(["rules", "list", "--rules", str(rules)]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"unread-mail", "acme-debug", "llm-output-to-code"} <= set(listed)
    assert listed == sorted(listed)
    assert run(["rules", "explain", "unread-mail", "--rules", str(rules)]) == 0
    assert "A model writes to customers." in capsys.readouterr().out
    assert run(["rules", "explain", "unread-mail"]) == 2


def test_nothing_is_kept_of_a_folder_that_changed(project: Path, rules: Path) -> None:
    assert (10, "llm-output-to-shell") in found(project, Config(processes=1, own=read_folder(rules)))
    (rules / "acme.yaml").write_text(MODEL.replace("Acme.ask", "Acme.asked"))
    assert (10, "llm-output-to-shell") not in found(project, Config(processes=1, own=read_folder(rules)))


# ------------------------------------------------------------------------------------------------------- configuration


def test_the_configuration_lowers_and_switches_off_own_rules(project: Path, rules: Path) -> None:
    (project / "headwater.toml").write_text("[rules]\nunread-mail = 'low'\nacme-debug = 'off'\n")
    config = configfile.load(project, {"processes": 1}, rules=[rules])
    assert config.rules == {"unread-mail": Severity.LOW, "acme-debug": None}
    assert found(project, config) == FOUND - {(7, "acme-debug")}
    with pytest.raises(configfile.ConfigError, match=r"headwater\.toml:[23]: there is no rule"):
        configfile.load(project)


def test_the_reviewed_repository_names_no_folder_of_rules(project: Path) -> None:
    """An API model can call a function harmless: what comes with a change must not open its gate."""
    model = "library: x\napis:\n  - {path: subprocess.run, clears: [all]}\n"
    write(project / "rules", {"x.yaml": model})
    (project / "headwater.toml").write_text('rule-folders = ["rules"]\n')
    with pytest.raises(configfile.ConfigError, match=r"headwater\.toml:1: rule-folders is for the command line, or for a file outside"):
        configfile.load(project)
    (project / "policy.toml").write_text('rule-folders = ["rules"]\n')
    with pytest.raises(configfile.ConfigError, match="rule-folders is for the command line"):
        configfile.load(project, file=project / "policy.toml")


def test_a_file_from_elsewhere_names_folders_beside_it(project: Path, rules: Path, capsys: Captured) -> None:
    policy = rules.parent / "policy.toml"
    policy.write_text('rule-folders = ["rules"]\n[rules]\nacme-debug = "off"\n')
    assert run(["review", str(project), "-q", "--no-repo-config", "--config", str(policy)]) == 1
    out = capsys.readouterr().out
    assert "high[unread-mail]" in out
    assert "acme-debug" not in out.partition("Notes:")[0]


def test_a_folder_of_the_repository_is_said_to_be_one(project: Path, capsys: Captured) -> None:
    write(project / "rules", {"unread-mail.md": RULE, "acme.yaml": MODEL})
    assert run(["review", str(project), "-q", "--rules", str(project / "rules")]) == 1
    assert "(from a folder that is part of what is reviewed)" in " ".join(capsys.readouterr().out.split())
    assert run(["review", str(project), "-q", "--rules", str(project / "rules"), "--no-repo-config"]) == 2
    assert "it is part of the repository, of which nothing is to count" in capsys.readouterr().err


def test_a_link_does_not_hide_that_a_folder_is_of_the_repository(project: Path, tmp_path: Path, capsys: Captured) -> None:
    write(project / "rules", {"unread-mail.md": RULE})
    (tmp_path / "elsewhere").symlink_to(project / "rules")
    assert run(["review", str(project), "-q", "--rules", str(tmp_path / "elsewhere"), "--no-repo-config"]) == 2
    assert "it is part of the repository" in capsys.readouterr().err


# -------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("llm-output-to-code.md", RULE.replace("unread-mail", "llm-output-to-code"), ":2", "that of a built-in rule"),
        ("mine.md", RULE.replace("unread-mail", "mine").replace("[message]", "[code]"), ":7", "belong to the rule llm-output-to-code"),
        ("zmine.md", RULE.replace("unread-mail", "zmine"), ":7", "belong to the rule unread-mail"),
        ("mine.md", RULE.replace("unread-mail", "mine").replace("[message]", "[messages]"), ":9", "no sink class"),
        ("mine.md", "# Mine\n", ":1", "front matter"),
        ("mine.md", RULE.replace("unread-mail", "mine").partition("flow:")[0] + "---\n", ":1", "neither 'flow' nor 'calls'"),
        ("mine.md", RULE.replace("unread-mail", "mine").replace("{source}", "{source:>9}"), ":5", "only {source}"),
        ("mine.md", CALL.replace("acme-debug", "mine").replace("acme.Client", "acme.Client(x)"), ":8", "is no name, call"),
        ("mine.md", CALL.replace("acme-debug", "mine").replace("$debug is True", "'$a matches \"(?=x)\"'"), ":9", "look-around"),
        ("mine.md", CALL.replace("acme-debug", "mine").replace("$debug is True", "declared acme < 1.x"), ":9", "not a version"),
        ("b.yaml", MODEL.replace("class: message", "class: mail"), ":8", "no sink class"),
        ("b.yaml", MODEL.replace("at: $0", "at: $0, confidence: sure"), ":8", "no confidence"),
        ("b.yaml", MODEL.replace("path: Acme.ask", "path: Acme.ask\n    path: x"), ":6", "'path' is there twice"),
        ("b.yaml", MODEL.replace("Acme", "acme"), ":3", "must begin with a capital letter"),
        ("b.yaml", MODEL.replace("Acme", "IPython"), ":3", "is a module that built-in API models speak of"),
        ("b.yaml", MODEL.replace("passes: [$0]", "when: '$0 matches \"(a)\\1\"'"), ":11", "back references"),
        ("b.yaml", MODEL.replace("does: mails it", "does: 'mails\x1bit'"), ":9", "U+001B"),
        ("b.yaml", MODEL.replace("does: mails it", 'does: "mails\\x1bit"'), ":1", "U+001B"),
        ("b.yaml", MODEL.replace("library: acme", "library: 2020-99-99"), ":1", "month must be"),
        ("b.yaml", "library: [\n", ":2", ""),
        ("b.yml", "library: a\nlibraries: b\n", ":1", "unknown field"),
    ],
)
def test_errors_name_file_and_line(project: Path, rules: Path, capsys: Captured, name: str, text: str, line: str, message: str) -> None:
    (rules / name).write_text(text, encoding="utf-8")
    if name == "mine.md":
        (rules / "unread-mail.md").unlink()
    assert run(["review", str(project), "--rules", str(rules)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"headwater: {rules / name}{line}: "), captured.err
    assert message in captured.err


def test_two_folders_with_one_id(rules: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"acme-debug.md": CALL})
    with pytest.raises(OwnError, match=r"other/acme-debug\.md:2: the id 'acme-debug' is that of .*rules/acme-debug\.md too"):
        parsed((*read_folder(rules), *read_folder(other)))


@pytest.mark.parametrize(("files", "message"), [({}, "there is no rule"), ({"README.md": "# Rules\n", "x.txt": ""}, "there is no rule")])
def test_a_folder_without_rules_is_an_error(project: Path, tmp_path: Path, capsys: Captured, files: dict[str, str], message: str) -> None:
    """A folder named by mistake must not pass for one whose rules find nothing."""
    empty = write(tmp_path / "empty", files)
    assert run(["review", str(project), "--rules", str(empty)]) == 2
    assert message in capsys.readouterr().err
    assert run(["review", str(project), "--rules", str(tmp_path / "missing")]) == 2


def test_own_files_are_read_into_rules_beside_the_built_in_ones(rules: Path) -> None:
    own = read_folder(rules)
    assert [Path(file.name).name for file in own] == ["acme-debug.md", "acme.yaml", "unread-mail.md"]
    assert set(known(own)) - set(known(())) == {"acme-debug", "unread-mail"}
