"""Of which code a folder is a package that others install."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.files.package import published

NPM = '{"name": "a", "version": "1.0.0", "main": "index.js"}'


@pytest.mark.parametrize(
    ("files", "of_python", "of_scripts"),
    [
        ({"pyproject.toml": '[project]\nname = "a"\n'}, True, False),
        ({"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n'}, True, False),
        ({"pyproject.toml": '[tool.poetry]\nname = "a"\n'}, True, False),
        ({"pyproject.toml": "[tool.poetry]\npackage-mode = false\n"}, False, False),
        ({"pyproject.toml": '[project]\nname = "a"\n\n[tool.uv]\ndev-dependencies = ["b"]\npackage = false\n'}, False, False),
        ({"pyproject.toml": '[project]\nname = "a"\n\n[tool.uv]\n[tool.other]\npackage = false\n'}, True, False),
        ({"pyproject.toml": "[tool.ruff]\nline-length = 100\n", "package.json": NPM}, False, True),
        ({"setup.py": "", "package.json": NPM}, True, True),
        ({"PKG-INFO": "", "package.json": '{"name": "a", "version": "1.0.0", "bin": "a.js"}'}, True, False),
        ({"a-1.0.dist-info/METADATA": ""}, True, False),
        ({}, False, False),
    ],
)
def test_of_which_code_a_folder_is_a_package(tmp_path: Path, files: dict[str, str], of_python: bool, of_scripts: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert (False in published(tmp_path), True in published(tmp_path)) == (of_python, of_scripts)
