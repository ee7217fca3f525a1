"""The configuration file: what it may say, and what that of a hostile repository may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import headwater
from headwater import limits
from headwater.config import Config
from headwater.configfile import ConfigError, load
from headwater.findings import Confidence, Review, Severity

SHELL = "import os\nfrom flask import request\n\n\ndef act():\n    os.system(request.args['x'])\n"


def write(root: Path, text: str | bytes, name: str = "headwater.toml") -> Path:
    path = root / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def reasons(config: Config) -> list[str]:
    return [note.reason for note in config.notes]


def review(root: Path, **options: object) -> Review:
    return headwater.review(root, load(root, {"processes": 1}, **options))  # type: ignore[arg-type]


ALL = """\
fail-on = "never"
min-confidence = "medium"
persona = "audit"
strict-coverage = true
exclude = ["tests/", "*_pb2.py"]

[rules]
flask-debug = "off"
remote-input-to-shell = "low"
"""


def test_every_setting(tmp_path: Path) -> None:
    write(tmp_path, ALL)
    config = load(tmp_path)
    assert (config.fail_on, config.min_confidence, config.persona) == (None, Confidence.MEDIUM, "audit")
    assert config.strict_coverage
    assert config.exclude == ("tests/", "*_pb2.py")
    assert config.rules == {"flask-debug": None, "remote-input-to-shell": Severity.LOW}
    assert config.own_file


def test_the_table_in_pyproject(tmp_path: Path) -> None:
    table = "[project]\nname = 'x'\n[tool.headwater]\n" + ALL.replace("[rules]", "[tool.headwater.rules]")
    write(tmp_path, table, "pyproject.toml")
    assert load(tmp_path).rules == {"flask-debug": None, "remote-input-to-shell": Severity.LOW}


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    write(tmp_path, "[project]\nname = 'headwater-plugin'\n", "pyproject.toml")
    assert load(tmp_path) == Config()


def test_it_is_that_of_the_root_wherever_the_path_is(tmp_path: Path) -> None:
    """So that a finding is judged alike whichever part of a repository is reviewed, and a folder cannot except itself."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    write(tmp_path, 'fail-on = "low"\n')
    write(tmp_path / "sub", 'fail-on = "never"\n')
    assert load(tmp_path / "sub").fail_on is Severity.LOW


def test_two_files_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, "")
    write(tmp_path, "[tool.headwater]\n", "pyproject.toml")
    with pytest.raises(ConfigError, match=r"headwater\.toml: pyproject\.toml has a table"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nfail_on = 'high'\n", "headwater.toml:2: there is no setting 'fail_on'; known: fail-on, min-confidence"),
        ("[rules]\n\n[other]\nx = 1\n", "headwater.toml:3: there is no setting 'other'"),
        ("fail-on = 'all'\n", "headwater.toml:1: 'all' is not one of critical, high, medium, low, never"),
        ("persona = 'me'\n", "headwater.toml:1: 'me' is not one of default, audit"),
        ("# x\nfail-on = 3\n", "headwater.toml:2: expected `str`, got `int`"),
        ("strict-coverage = 'yes'\n", "headwater.toml:1: expected `bool`, got `str`"),
        ("exclude = 'tests'\n", "headwater.toml:1: expected `array`, got `str`"),
        ("\nexclude = [1]\n", "headwater.toml:2: expected `str`, got `int`"),
        ("exclude = ['# tests']\n", "headwater.toml:1: '# tests' is no pattern"),
        ('exclude = ["a\\nb"]\n', "headwater.toml:1: 'a\\nb' is no pattern"),
        ("exclude = ['']\n", "headwater.toml:1: '' is no pattern"),
        ("rules = ['x']\n", "headwater.toml:1: expected `object`, got `array`"),
        ("[rules]\nflask-debug = 'off'\nflask-debgu = 'off'\n", "headwater.toml:3: there is no rule 'flask-debgu'"),
        ("[rules]\nflask-debug = 'none'\n", "headwater.toml:2: 'none' is not one of off, critical"),
        ("[rules]\nflask-debug = false\n", "headwater.toml:1: expected `str`, got `bool`"),
        ("[rules]\nflask-debug = 'critical'\n", "headwater.toml:2: flask-debug is high: a severity can be lowered, not raised"),
        ("rules.flask-debug = 'none'\n", "headwater.toml:1: 'none' is not one of"),
        ("persona = 'audit'\npersona = 'audit'\n", "headwater.toml:2: Cannot overwrite a value"),
        ("x = \n", "headwater.toml:1: Invalid value"),
        ("processes = 64\n", "headwater.toml:1: processes is for the command line"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(message)


def test_errors_in_pyproject_name_its_line(tmp_path: Path) -> None:
    write(tmp_path, "[tool.other]\nfail_on = 1\n[tool.headwater]\npersona = 'audit'\nfail_on = 1\n", "pyproject.toml")
    with pytest.raises(ConfigError, match=r"pyproject\.toml:5: there is no setting 'fail_on'"):
        load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "x=" + "[" * 200_000,
        "x=" + "{a=" * 60_000,
        "a." * 120_000 + "b=1",
        "[" + "a." * 120_000 + "b]",
        "x={" + "a." * 120_000 + "b=1}",
        "".join(f"{'a.' * 100}b{number}=1\n" for number in range(1_200)),
        "[[a]]\n" * 40_000,
        "processes=" + "9" * 250_000,
        "fail-on='" + "x" * 250_000 + "'",
        "exclude=[" + "'*a*a*a*b'," * 20_000 + "]",
        "fail-on='high'" + " " * limits.CONFIG_BYTES,
        b"x='\xff'",
        b"\0",
        "x='\x1b[2J'",
        "strict-coverage=1979-99-99",
    ],
)
def test_bombs_are_short_errors(tmp_path: Path, text: str | bytes) -> None:
    write(tmp_path, text)
    before = os.times()
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    after = os.times()
    assert after.user + after.system - before.user - before.system < 5
    assert str(caught.value).startswith("headwater.toml:")
    assert len(str(caught.value)) <= 400


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Its target may be a file of the machine, of which an error would tell something."""
    root, outside = tmp_path / "root", tmp_path / "secret.toml"
    root.mkdir()
    outside.write_text("token = 'abc'\n")
    (root / "headwater.toml").symlink_to(outside)
    with pytest.raises(ConfigError, match=r"^headwater\.toml: it is a symbolic link$"):
        load(root)


def test_a_pipe_or_a_folder_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "headwater.toml")
    with pytest.raises(ConfigError, match="no regular file"):
        load(tmp_path)


@pytest.mark.parametrize("text", [b"name = {{ cookiecutter.name }}\n", b"\xff", b"x" * (limits.CONFIG_BYTES + 1)])
def test_a_pyproject_of_others_may_be_anything(tmp_path: Path, text: bytes) -> None:
    write(tmp_path, text, "pyproject.toml")
    config = load(tmp_path)
    assert config.file == ""
    assert len(reasons(config)) == (0 if text.startswith(b"name") else 1)  # what may have been meant for Headwater is told


def test_a_broken_pyproject_that_names_headwater_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "[tool.headwater\n", "pyproject.toml")
    with pytest.raises(ConfigError, match=r"pyproject\.toml:1: "):
        load(tmp_path)


# ------------------------------------------------------------------------------------------------------------- trust


def test_what_the_repository_changes_is_told(tmp_path: Path) -> None:
    write(tmp_path, ALL)
    assert reasons(load(tmp_path)) == [
        "the configuration file sets fail-on = never, min-confidence = medium, persona = audit, strict-coverage = true",
        "the configuration file leaves out files: tests/, *_pb2.py",
        "the configuration file switches off the rule flask-debug",
        "the configuration file lowers remote-input-to-shell to low",
    ]


def test_the_command_line_outranks_the_file(tmp_path: Path) -> None:
    write(tmp_path, "fail-on = 'never'\npersona = 'audit'\n")
    config = load(tmp_path, {"fail_on": Severity.LOW})
    assert (config.fail_on, config.persona) == (Severity.LOW, "audit")
    assert reasons(config) == ["the configuration file sets persona = audit"]


def test_a_file_outside_replaces_that_of_the_repository(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write(root, "fail-on = 'never'\n")
    config = load(root, file=write(tmp_path, "processes = 3\npersona = 'audit'\n", "policy.toml"))
    assert (config.fail_on, config.persona, config.processes) == (Severity.HIGH, "audit", 3)
    assert not config.own_file
    assert str(tmp_path) not in str(config)  # reports hold no absolute paths


@pytest.mark.parametrize("named", ["ci.toml", "sub/../ci.toml", "../into/ci.toml"])
def test_a_named_file_in_the_repository_is_still_the_repository_s(tmp_path: Path, named: str) -> None:
    """The user vouches for where it stands, not for what a pull request wrote into it."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "into").symlink_to(root)
    write(root, "processes = 3\n", "ci.toml")
    with pytest.raises(ConfigError, match=r"ci\.toml:1: processes is for the command line"):
        load(root, file=root / named)
    with pytest.raises(ConfigError, match="part of the repository"):
        load(root, file=root / named, repository=False)


@pytest.mark.parametrize("link", ["ci.toml", "sub"])
def test_a_link_of_the_repository_does_not_make_a_file_trusted(tmp_path: Path, link: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    write(outside, "processes = 3\n", "ci.toml")
    (root / link).symlink_to(outside / "ci.toml" if link == "ci.toml" else outside)
    with pytest.raises(ConfigError, match="leads out of the repository"):
        load(root, file=root / link / "ci.toml" if link == "sub" else root / link)


def test_nothing_of_the_repository_counts_where_the_user_says_so(tmp_path: Path) -> None:
    write(tmp_path, "fail-on = nonsense")
    config = load(tmp_path, repository=False)
    assert (config.fail_on, config.suppressions, config.file) == (Severity.HIGH, False, "")


# ----------------------------------------------------------------------------------------------------- in the review


def test_a_rule_that_is_off_finds_nothing_and_one_that_is_lowered_less(tmp_path: Path) -> None:
    write(tmp_path, SHELL, "a.py")
    assert [finding.severity for finding in review(tmp_path).findings] == [Severity.CRITICAL]
    write(tmp_path, "[rules]\nremote-input-to-shell = 'medium'\n")
    assert [finding.severity for finding in review(tmp_path).findings] == [Severity.MEDIUM]
    write(tmp_path, "[rules]\nremote-input-to-shell = 'off'\n")
    made = review(tmp_path)
    assert made.findings == ()
    assert [(gap.kind, gap.path) for gap in made.coverage.gaps] == [("configuration", "headwater.toml")]


def test_files_left_out_by_the_repository_make_the_review_partial(tmp_path: Path) -> None:
    """A pull request that leaves out its own file does not get a complete review; a file outside of the repository decides freely."""
    root = tmp_path / "root"
    (root / "vendor").mkdir(parents=True)
    for name in ("a.py", "b_pb2.py", "script", "notes.txt", "vendor/c.py"):
        write(root, SHELL, name)
    text = "exclude = ['vendor/', '*_pb2.py', 'script', 'notes.txt']\n"
    outside = write(tmp_path, text, "policy.toml")
    write(root, text)
    for made, who, status in (
        (review(root), "the configuration file headwater.toml", "partial"),
        (review(root, file=outside), "the configuration file that was given", "complete"),
    ):
        assert {finding.place.path for finding in made.findings} == {"a.py"}
        assert f"2 source files and 1 folder left out by {who}" in [gap.reason for gap in made.coverage.gaps]
        assert made.coverage.status == status
    assert len({finding.place.path for finding in review(root, repository=False).findings}) == 3


def test_a_file_that_the_user_names_is_reviewed_though_it_is_excluded(tmp_path: Path) -> None:
    write(tmp_path, "exclude = ['a.py']\n")
    made = headwater.review(write(tmp_path, SHELL, "a.py"))
    assert len(made.findings) == 1
    assert headwater.review(tmp_path).findings == ()  # without a configuration the function reads the file as the command does
