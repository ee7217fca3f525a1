"""``--diff BASE``: only what the change brings counts, and what the change says to Headwater does not."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import headwater.change
from changes.repositories import commit, git, repository
from headwater.cli import run
from headwater.files.renames import renamed

HEAD = "import os\nfrom flask import Flask, request\n\napp = Flask(__name__)\n"


def route(name: str, body: str = "os.system(command)") -> str:
    return f'\n\n@app.post("/{name}")\ndef {name}():\n    command = request.json["command"]\n    {body}\n'


ONE = HEAD + route("one")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "project", {"app.py": ONE})


def diff(root: Path, base: str = "main", *arguments: str, status: int | None = None) -> Any:
    """The JSON report of the change."""
    out = root.parent / "out.json"
    got = run(["review", str(root), "-q", "--processes", "1", "--format", "json", "--output", str(out), "--diff", base, *arguments])
    assert status is None or got == status
    return json.loads(out.read_text())


def told(report: Any, key: str = "findings") -> list[tuple[str, str, str]]:
    return [(one["place"]["path"], one["function"], one["state"]) for one in report[key]]


def notes(report: Any, kind: str) -> list[str]:
    return [f"{gap['path']}: {gap['reason']}" for gap in report["coverage"]["gaps"] if gap["kind"] == kind]


# ---------------------------------------------------------------------------------------------------- what is compared


def test_only_what_the_change_brings(root: Path) -> None:
    git(root, "switch", "-q", "-c", "change")
    commit(root, {"app.py": HEAD + route("zero", "pass") + route("two") + route("one"), "new.py": HEAD + route("three", "eval(command)")})
    report = diff(root, status=1)
    assert told(report) == [("app.py", "two", "new"), ("new.py", "three", "new")]
    assert told(report, "known") == [("app.py", "one", "unchanged")]
    assert report["comparison"] == {"against": f"main ({git(root, 'rev-parse', 'main')[:12]})", "fixed": [], "unseen": 0}


def test_a_change_that_brings_nothing_passes(root: Path) -> None:
    commit(root, {"app.py": HEAD + "LIMIT = 3\n" + route("renamed")})
    report = diff(root, "HEAD~1", status=0)
    assert told(report) == []
    assert len(report["known"]) == 1


def test_what_is_not_committed_counts(root: Path) -> None:
    (root / "more.py").write_text(HEAD + route("two"))
    (root / "app.py").write_text(HEAD)
    report = diff(root, "HEAD", status=1)
    assert told(report) == [("more.py", "two", "new")]
    assert report["comparison"]["fixed"] == [{"rule": "remote-input-to-shell", "path": "app.py", "function": "one"}]


def test_what_base_has_fixed_since_is_not_the_fault_of_the_change(root: Path) -> None:
    git(root, "switch", "-q", "-c", "change")
    commit(root, {"new.py": HEAD + route("two")})
    git(root, "switch", "-q", "main")
    commit(root, {"app.py": HEAD})
    git(root, "switch", "-q", "change")
    report = diff(root)
    assert told(report) == [("new.py", "two", "new")]
    assert told(report, "known") == [("app.py", "one", "unchanged")]
    assert report["comparison"]["against"] == f"main ({git(root, 'rev-parse', 'main~1')[:12]})"


def test_a_merge_commit_as_pull_requests_are_checked_out(root: Path) -> None:
    git(root, "switch", "-q", "-c", "change")
    commit(root, {"new.py": HEAD + route("two")})
    git(root, "switch", "-q", "main")
    commit(root, {"other.py": HEAD + route("three")})
    git(root, "merge", "-q", "-m", "x", "change")
    report = diff(root, "HEAD^1")
    assert told(report) == [("new.py", "two", "new")]
    assert len(report["known"]) == 2


def test_renamed_files_stay_what_they_are(root: Path) -> None:
    """Many files with the same operation in functions of the same name: only what else they hold tells them apart."""
    files = {f"{name}.py": HEAD + f"NAME = '{name}'\nWORDS = ['{name}', '{name}s']\n" + route("act") for name in ("red", "green", "blue")}
    commit(root, {**files, "app.py": None})
    git(root, "switch", "-q", "-c", "change")
    moved: dict[str, str | None] = {f"colours/{name.removesuffix('.py')}_routes.py": text + "\nEND = 1\n" for name, text in files.items()}
    report_before = diff(root, status=0)
    assert len(report_before["known"]) == 3
    commit(root, {**dict.fromkeys(files), **moved, "new.py": HEAD + route("act")})
    assert told(diff(root)) == [("new.py", "act", "new")]


def test_a_part_of_the_repository(root: Path) -> None:
    commit(root, {"sub/app.py": ONE})
    commit(root, {"sub/app.py": ONE + route("two"), "app.py": ONE + route("three")})
    assert told(diff(root / "sub", "HEAD~1")) == [("sub/app.py", "two", "new")]
    assert told(diff(root / "app.py", "HEAD~1")) == [("app.py", "three", "new")]
    commit(root, {"later/app.py": ONE})
    assert told(diff(root / "later", "HEAD~1")) == [("later/app.py", "one", "new")]


def test_flows_over_files_that_did_not_change(root: Path) -> None:
    commit(root, {"run.py": "import os\n\n\ndef act(what):\n    os.system(what)\n", "app.py": HEAD})
    commit(root, {"app.py": HEAD + "\nfrom run import act\n" + route("one", "act(command)")})
    assert told(diff(root, "HEAD~1")) == [("run.py", "act", "new")]


def test_what_says_how_scripts_are_found_is_read_of_the_base_too(root: Path) -> None:
    shell = 'import { exec } from "child_process";\n\nexport function act(command: string) {\n  exec(command);\n}\n'
    handler = "app.post('/run', (req, res) => { act(req.body.command); there(req.body.command); res.end(); });\n"
    app = "import express from 'express';\nimport { act } from '@/act';\nimport { act as there } from '@acme/shell';\n"
    app += "\nconst app = express();\n"
    files = {
        "tsconfig.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"]}}}',
        "packages/shell/package.json": '{"name": "@acme/shell", "main": "dist/index.js"}',
        "packages/shell/src/index.ts": shell,
        "src/act.ts": shell,
        "src/app.ts": app + handler,
    }
    commit(root, files)
    commit(root, {"src/app.ts": app + handler + "console.log('ready');\n"})
    assert told(diff(root, "HEAD~1")) == []
    commit(root, {"src/app.ts": app})
    commit(root, {"src/app.ts": app + handler})
    assert sorted(told(diff(root, "HEAD~1"))) == [("packages/shell/src/index.ts", "act", "new"), ("src/act.ts", "act", "new")]


def test_a_known_operation_that_anybody_reaches_now_counts(root: Path) -> None:
    package = {
        "pyproject.toml": '[project]\nname = "tables"\nversion = "1"\n',
        "tables/__init__.py": "from tables.read import read_table\n",
    }
    body = 'def read_table(path, kind):\n    """Reads a table."""\n    return eval(kind)\n'
    commit(root, {**package, "tables/read.py": body, "app.py": HEAD})
    commit(root, {"app.py": HEAD + "\nfrom tables import read_table\n" + route("one", "read_table('x', command)")})
    report = diff(root, "HEAD~1", status=1)
    assert [(one["rule"], one["state"]) for one in report["findings"]] == [("remote-input-to-code", "worse")]


def test_nothing_of_the_repository_is_touched(root: Path) -> None:
    commit(root, {"app.py": ONE + route("two")})
    (root / "app.py").write_text(ONE + route("three"))

    def state() -> dict[str, tuple[int, bytes]]:
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(root.rglob("*")) if path.is_file()}

    before = state()
    diff(root, "HEAD~1")
    assert state() == before
    assert git(root, "stash", "list") == ""


def test_the_same_bytes_every_time_and_wherever_it_is(root: Path, tmp_path: Path) -> None:
    commit(root, {"app.py": ONE + route("two")})
    made = [diff(root, "HEAD~1") for _ in range(2)]
    (tmp_path / "other").mkdir()
    copy = tmp_path / "other" / "elsewhere"
    git(tmp_path, "clone", "-q", str(root), str(copy))
    git(copy, "gc", "-q")
    assert made[0] == made[1] == diff(copy, "HEAD~1")
    assert str(tmp_path) not in json.dumps(made[0])


def test_a_cache_changes_nothing_and_keeps_nothing_of_folders_that_are_gone(root: Path, tmp_path: Path) -> None:
    commit(root, {"app.py": ONE + route("two")})
    without = diff(root, "HEAD~1", "--no-cache")
    cache = tmp_path / "cache"
    assert [diff(root, "HEAD~1", "--cache", str(cache)) for _ in range(3)] == [without] * 3
    kept = sorted(path.name for path in cache.rglob("*") if path.is_file())
    assert diff(root, "HEAD~1", "--cache", str(cache)) == without
    assert sorted(path.name for path in cache.rglob("*") if path.is_file()) == kept


def test_every_way_to_keep_a_repository(root: Path, tmp_path: Path) -> None:
    """Packed, packed references, a worktree, an annotated tag."""
    git(root, "tag", "-a", "v1", "-m", "x")
    commit(root, {"app.py": ONE + route("two"), "notes.txt": "x\n" * 5000})
    for number in range(20):
        commit(root, {"app.py": ONE + route("two") + f"\nLIMIT = {number}\n" * (number + 1)})
    git(root, "gc", "-q", "--aggressive")
    assert told(diff(root, "v1")) == [("app.py", "two", "new")]
    git(root, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    assert told(diff(tmp_path / "tree", "v1")) == [("app.py", "two", "new")]
    assert told(diff(tmp_path / "tree", "main")) == []
    assert told(diff(root, git(root, "rev-parse", "--short=8", "v1^{commit}"))) == [("app.py", "two", "new")]


# ------------------------------------------------------------------------------------------- what the change may not say

IGNORED = "os.system(command)  # headwater: ignore[remote-input-to-shell] operators only"


def test_a_suppression_that_the_change_brings_is_not_applied(root: Path) -> None:
    commit(root, {"app.py": ONE + route("two", IGNORED)})
    report = diff(root, "HEAD~1", status=1)
    assert told(report) == [("app.py", "two", "new")]
    assert report["suppressed"] == []
    assert any("added suppression of remote-input-to-shell" in one for one in notes(report, "suppression"))


def test_a_suppression_that_base_has_stays(root: Path) -> None:
    commit(root, {"app.py": HEAD + route("one", IGNORED)})
    commit(root, {"app.py": HEAD + "LIMIT = 3\n" + route("one", IGNORED)})
    report = diff(root, "HEAD~1", status=0)
    assert (told(report), told(report, "known"), len(report["suppressed"])) == ([], [], 1)
    assert notes(report, "suppression") == []


def test_a_comment_that_waits_at_base_accepts_nothing_new(root: Path) -> None:
    commit(root, {"app.py": HEAD + route("one", "pass  # headwater: ignore[remote-input-to-shell] operators only")})
    commit(root, {"app.py": HEAD + route("one", IGNORED)})
    assert told(diff(root, "HEAD~1", status=1)) == [("app.py", "one", "new")]


def test_taking_a_suppression_away_counts(root: Path) -> None:
    commit(root, {"app.py": HEAD + route("one", IGNORED)})
    commit(root, {"app.py": ONE})
    assert told(diff(root, "HEAD~1", status=1)) == [("app.py", "one", "worse")]


@pytest.mark.parametrize(
    "files",
    [
        {"headwater.toml": 'fail-on = "never"\nexclude = ["new.py"]\n[rules]\nremote-input-to-shell = "off"\n'},
        {"pyproject.toml": '[tool.headwater]\nfail-on = "never"\nexclude = ["new.py"]\nrules.remote-input-to-shell = "off"\n'},
        {"headwater.toml": "this is no TOML"},
        {"pyproject.toml": "[tool.headwater\n"},
        {"headwater.toml": 'fail-on = "low"\n', "pyproject.toml": "[tool.headwater]\n"},
    ],
)
def test_the_configuration_of_the_change_does_not_count(root: Path, files: dict[str, str | None]) -> None:
    commit(root, {**files, "new.py": HEAD + route("two")})
    report = diff(root, "HEAD~1", status=1)
    assert told(report) == [("new.py", "two", "new")]
    assert report["gate"]["fail_on"] == "high"
    assert [one for one in notes(report, "configuration") if "the change alters what it says" in one]


def test_the_configuration_of_base_counts(root: Path) -> None:
    commit(root, {"headwater.toml": 'exclude = ["gen"]\n[rules]\nremote-input-to-shell = "low"\n'})
    commit(root, {"headwater.toml": None, "new.py": HEAD + route("two"), "gen/x.py": HEAD + route("three")})
    report = diff(root, "HEAD~1", "--persona", "audit", status=0)
    assert [(one["place"]["path"], one["severity"]) for one in report["findings"]] == [("new.py", "low")]
    assert any("headwater.toml: the configuration file" in one for one in notes(report, "configuration"))


def test_configuration_is_that_of_base_itself_not_of_where_the_change_began(root: Path) -> None:
    """Else a change from an old commit would choose among the configurations of the past."""
    commit(root, {"headwater.toml": 'fail-on = "never"\n'})
    git(root, "switch", "-q", "-c", "change")
    commit(root, {"new.py": HEAD + route("two")})
    git(root, "switch", "-q", "main")
    commit(root, {"headwater.toml": 'fail-on = "high"\n'})
    git(root, "switch", "-q", "change")
    assert diff(root, status=1)["gate"]["failed"]


def test_a_configuration_file_and_rules_in_the_repository_are_read_from_base(root: Path) -> None:
    rule = "---\nid: no-print\ntitle: Print\nseverity: {0}\nmessage: x\nfix: x\ncalls:\n  - path: os.getpid\n"
    rule += "mappings:\n  cwe: [95]\n---\n\n# Print\n"
    model = "library: evil\nversions: '1'\nsanitizers: []\n"
    commit(root, {"rules/no-print.md": rule.format("high"), "ci/headwater.toml": 'fail-on = "high"\n'})
    more = {"new.py": "import os\n\nos.getpid()\n"}
    commit(root, {**more, "ci/headwater.toml": 'fail-on = "never"\n', "rules/no-print.md": rule.format("low")})
    (root / "rules" / "more.yaml").write_text(model)
    arguments = ["--rules", str(root / "rules"), "--config", str(root / "ci" / "headwater.toml")]
    report = diff(root, "HEAD~1", *arguments, status=1)
    assert [(one["rule"], one["severity"]) for one in report["findings"]] == [("no-print", "high")]
    altered = [one.partition(":")[0] for one in notes(report, "configuration") if "the change alters" in one]
    assert altered == ["ci/headwater.toml", "rules"]
    commit(root, {"own/no-print.md": rule.format("high")})
    report = diff(root, "HEAD~1", "--rules", str(root / "own"), status=0)
    assert [one.partition(":")[0] for one in notes(report, "configuration") if "the change alters" in one] == ["own"]


def test_nothing_of_the_repository_counts_if_the_user_says_so(root: Path) -> None:
    commit(root, {"headwater.toml": 'fail-on = "never"\n', "app.py": HEAD + route("one", IGNORED)})
    commit(root, {"new.py": HEAD + route("two")})
    report = diff(root, "HEAD~1", "--no-repo-config", status=1)
    assert told(report) == [("new.py", "two", "new")]
    assert told(report, "known") == [("app.py", "one", "unchanged")]


def test_a_broken_configuration_at_base_is_an_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(root, {"headwater.toml": "nonsense = 3\n"})
    commit(root, {"headwater.toml": None})
    assert run(["review", str(root), "--diff", "HEAD~1"]) == 2
    said = capsys.readouterr().err
    assert "at HEAD~1: headwater.toml:1: there is no setting 'nonsense'" in said
    assert "/tmp" not in said


# ------------------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("nosuch", "there is no such revision"),
        ("--output=x", "it is no name of a revision"),
        ("--upload-pack=touch x", "it is no name of a revision"),
        ("-x", "it is no name of a revision"),
        ("", "it is no name of a revision"),
        ("main..HEAD", "it is no name of a revision"),
        ("main:app.py", "it is no name of a revision"),
        ("../../etc/passwd", "it is no name of a revision"),
        ("/etc/passwd", "it is no name of a revision"),
        ("main@{1}", "it is no name of a revision"),
        ("main\nx\x1b[31m", "it is no name of a revision"),
        ("HEAD~99", "HEAD has no such parent"),
        ("HEAD^2", "HEAD has no such parent"),
        ("config", "there is no such revision"),
        ("main^{tree}", "it is no name of a revision"),
        ("0" * 40, "the commit is not in this clone"),
        ("x" * 5000, "it is no name of a revision"),
    ],
)
def test_revisions_that_are_none(root: Path, capsys: pytest.CaptureFixture[str], base: str, message: str) -> None:
    before = sorted(os.listdir(root))
    assert run(["review", str(root), f"--diff={base}"]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "\x1b" not in shown.err
    assert sorted(os.listdir(root)) == before


def test_no_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert run(["review", str(tmp_path), "--diff", "main"]) == 2
    assert "it is not in a git repository" in capsys.readouterr().err


def test_two_ways_at_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root.parent / "b.json").write_text("{}")
    assert run(["review", str(root), "--diff", "main", "--baseline", str(root.parent / "b.json")]) == 2
    assert "give one" in capsys.readouterr().err


def test_a_blob_is_no_revision(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["review", str(root), "--diff", git(root, "rev-parse", "HEAD:app.py")]) == 2
    assert "not a tag" in capsys.readouterr().err


def test_no_commit_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    assert run(["review", str(tmp_path), "--diff", "HEAD"]) == 2
    assert "there is no such revision" in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------------- renamed files


def test_renames_by_content() -> None:
    old = {"a.py": b"one\ntwo\nthree\nfour\n", "b.py": b"five\nsix\n", "c.py": b"seven\n", "d.ipynb": b"one\ntwo\nthree\nfour\n"}
    new = {"x/c.py": b"seven\n", "z/c2.py": b"seven\n", "y.py": b"one\ntwo\nthree\nFOUR\n", "w.py": b"nothing\nof\nit\n"}
    found = renamed(old, new, old.get, new.get)
    assert found == {"c.py": "x/c.py", "a.py": "y.py"}


def test_of_equal_files_the_nearest_name_wins() -> None:
    old = dict.fromkeys(("a/__init__.py", "b/__init__.py"), b"x = 1\n")
    new = dict.fromkeys(("c/__init__.py", "d/other.py"), b"x = 1\n")
    assert renamed(old, new, old.get, new.get) == {"a/__init__.py": "c/__init__.py", "b/__init__.py": "d/other.py"}


def test_the_function_gives_the_configuration_that_counts(root: Path) -> None:
    commit(root, {"headwater.toml": 'fail-on = "low"\n'})
    commit(root, {"headwater.toml": 'fail-on = "never"\n'})
    review, config = headwater.change.review_change(root, "HEAD~1")
    assert config.fail_on is not None
    assert config.fail_on.word == "low"
    assert [one.state for one in review.findings] == ["unchanged"]


# ----------------------------------------------------------------------------------------------------- documentation


def test_the_commands_of_the_page_work(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "pull-requests.md").read_text(encoding="utf-8")
    commands = [line.split() for line in re.findall(r"^\$ headwater (.+)$", page, re.MULTILINE)]
    assert len(commands) == 3
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    commit(root, {"more.py": HEAD + route("two")})
    monkeypatch.chdir(root)
    assert [run([*command, "--no-progress"]) for command in commands] == [1, 0, 0]
    assert "Compared with origin/main" in capsys.readouterr().out


def test_what_a_deployment_starts_is_compared_too(root: Path) -> None:
    compose = "services:\n  {0}:\n    image: qdrant/qdrant\n    env_file: settings.env\n    ports: ['6333:6333']\n"
    commit(root, {"compose.yml": compose.format("old"), "settings.env": "A=1\n"})
    git(root, "switch", "-q", "-c", "change")
    commit(root, {"deploy/compose.yml": compose.format("new"), "deploy/settings.env": "A=1\n", "note.txt": "x"})
    report = diff(root, status=0)
    assert told(report) == [("deploy/compose.yml", "new", "new")]
    assert ("compose.yml", "old", "unchanged") in told(report, "known")
