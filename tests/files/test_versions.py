"""Declared versions: every kind of manifest, what they prove, and hostile ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import limits
from headwater.files.versions import Versions, declared, of_poetry


def read(root: Path, files: dict[str, str], module: str = "app.py") -> Versions:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    found, gaps = declared(root, [module])
    assert not gaps
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "-r base.txt\nTorch[cuda] == 2.3.1 ; python_version < '3.13' # why\n"),
        ("requirements-gpu.txt", "torch==2.3.1 \\\n    --hash=sha256:00\n"),
        ("pyproject.toml", '[project]\ndependencies = ["torch==2.3.1"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\ntorch = {version = "2.3.1", extras = ["x"]}\n'),
        ("setup.cfg", "[options]\ninstall_requires =\n  torch==2.3.1\n"),
        ("setup.py", "setup(install_requires=['numpy', # arrays\n 'torch==2.3.1'])"),
        ("Pipfile.lock", '{"default": {"torch": {"version": "==2.3.1"}}}'),
        ("poetry.lock", '[[package]]\nname = "torch"\nversion = "2.3.1"\n'),
        ("pylock.toml", '[[packages]]\nname = "torch"\nversion = "2.3.1"\nindex = "https://pypi.org/simple"\n'),
        ("pdm.lock", '[[package]]\nname = "torch"\nversion = "2.3.1"\nrequires_python = ">=3.8.0"\n'),
        ("uv.lock", '[[package]]\nname = "torch"\nversion = "2.3.1"\nsource = { registry = "x" }\n'),
        ("environment.yml", "dependencies:\n  - conda-forge::pytorch=2.3.1=py311_0\n"),
        ("environment.yaml", "dependencies:\n  - pip:\n    - torch==2.3.1\n"),
    ],
)
def test_every_manifest_pins(tmp_path: Path, name: str, text: str) -> None:
    versions = read(tmp_path, {name: text})
    assert versions.words("app.py", "torch") == f"torch is pinned to 2.3.1 in {name}"
    assert versions.all("app.py", "torch", "<", "2.6")
    assert not versions.all("app.py", "torch", ">=", "2.6")


@pytest.mark.parametrize(
    ("said", "below", "above"),
    [
        ("", False, False),
        (">=2.0", False, False),
        (">=2.6", False, True),
        (">2.6", False, True),
        ("<2.6", True, False),
        ("<=2.6", False, False),
        ("<=2.5.1", True, False),
        (">=2.0,<2.6", True, False),
        ("~=2.5.0", True, False),
        ("~=2.5", False, False),
        ("~=2.6", False, True),
        ("==2.5.*", True, False),
        ("==2.*", False, False),
        ("==2.7.1+cu121", False, True),
        ("!=2.5", False, False),
    ],
)
def test_ranges_prove_what_all_their_versions_are(tmp_path: Path, said: str, below: bool, above: bool) -> None:
    versions = read(tmp_path, {"requirements.txt": f"torch{said}\n"})
    assert (versions.all("app.py", "torch", "<", "2.6"), versions.all("app.py", "torch", ">=", "2.6")) == (below, above)


@pytest.mark.parametrize(
    ("said", "below", "above"),
    [
        ("^2.0", False, False),
        ("~2.5", True, False),
        ("^2.6", False, True),
        ("^1.13", True, False),
        ("*", False, False),
        ("2.5", True, False),
    ],
)
def test_poetrys_own_ranges(tmp_path: Path, said: str, below: bool, above: bool) -> None:
    versions = read(tmp_path, {"pyproject.toml": f'[tool.poetry.dependencies]\ntorch = "{said}"\n'})
    assert (versions.all("app.py", "torch", "<", "2.6"), versions.all("app.py", "torch", ">=", "2.6")) == (below, above)


def test_nothing_declared_proves_nothing(tmp_path: Path) -> None:
    versions = read(tmp_path, {"requirements.txt": "numpy\n"})
    assert not versions.all("app.py", "torch", "<", "2.6")
    assert not versions.all("app.py", "torch", ">=", "2.6")
    assert versions.words("app.py", "torch") == ""
    assert versions.words("app.py", "numpy") == "requirements.txt allows any version of numpy"


def test_several_pins_must_agree(tmp_path: Path) -> None:
    versions = read(tmp_path, {"requirements.txt": "torch==2.7\n", "requirements-old.txt": "torch==2.1\n"})
    assert not versions.all("app.py", "torch", "<", "2.6")
    assert not versions.all("app.py", "torch", ">=", "2.6")


def test_the_nearest_folder_counts(tmp_path: Path) -> None:
    files = {"requirements.txt": "torch==2.7\n", "old/requirements.txt": "torch==2.1\n"}
    assert read(tmp_path, files, "old/a/b.py").all("old/a/b.py", "torch", "<", "2.6")
    assert read(tmp_path, files, "new/a.py").all("new/a.py", "torch", ">=", "2.6")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "a = [\n"),
        ("pyproject.toml", "a = " + "[" * 5_000),
        ("pyproject.toml", "a" + ".a" * 10_000 + " = 1\n"),
        ("Pipfile.lock", "[" * 100_000),
        ("setup.cfg", "no section = 1\n"),
        ("requirements.txt", "#" * (limits.MANIFEST_BYTES + 1)),
    ],
)
def test_what_cannot_be_read_stands_in_the_ledger(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    versions, gaps = declared(tmp_path, ["app.py"])
    assert versions.words("app.py", "torch") == ""
    assert [(gap.path, gap.partial) for gap in gaps] == [(name, False)]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("torch==2.1\n", encoding="utf-8")
    root = tmp_path / "root"
    root.mkdir()
    (root / "requirements.txt").symlink_to(tmp_path / "outside.txt")
    versions, gaps = declared(root, ["app.py"])
    assert versions.words("app.py", "torch") == ""
    assert [gap.kind for gap in gaps] == ["symlink"]


@pytest.mark.parametrize(
    "name", ["requirements.txt", "pyproject.toml", "setup.cfg", "setup.py", "Pipfile.lock", "poetry.lock", "environment.yml"]
)
@given(text=st.text(alphabet=st.sampled_from("torch[]{}\"'=<>~^*.,;#-:\\\n 0129installrequpkg@"), max_size=120), begin=st.booleans())
def test_any_text_is_survived(tmp_path_factory: pytest.TempPathFactory, name: str, text: str, begin: bool) -> None:
    root = tmp_path_factory.mktemp("root")
    starts = {
        "setup.py": "install_requires=[",
        "setup.cfg": "[options]\ninstall_requires =\n  torch",
        "pyproject.toml": "[tool.poetry.dependencies]\ntorch = ",
    }
    (root / name).write_text((starts.get(name, "torch") if begin else "") + text, encoding="utf-8")
    versions, _ = declared(root, ["app.py"])
    versions.all("app.py", "torch", "<", "2.6")
    versions.all("app.py", "torch", ">=", "2.6")
    versions.words("app.py", "torch")


def test_a_number_of_thousands_of_digits_is_no_fault() -> None:
    assert of_poetry("^" + "9" * 5000 + ".1").startswith(">=9")
    assert of_poetry("^1.2.3") == ">=1.2.3,<2"
