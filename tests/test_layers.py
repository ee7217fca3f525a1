"""Data flows downward only: a module imports from its own layer and the ones before it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"

LAYERS = (
    ("headwater.limits",),
    ("headwater.files.source",),
    ("headwater.anchors", "headwater.components", "headwater.findings", "headwater.ir", "headwater.ir_text", "headwater.proofs"),
    ("headwater.matching",),
    ("headwater.anchors", "headwater.components", "headwater.findings", "headwater.ir", "headwater.ir_text"),
    ("headwater.matching", "headwater.redteam.evidence", "headwater.redteam.join"),
    ("headwater.scanners",),
    ("headwater.cache", "headwater.config", "headwater.gate", "headwater.suppressions", "headwater.comparison"),
    ("headwater.files",),
    ("headwater.baseline",),
    ("headwater.modelfiles",),
    ("headwater.frontends",),
    ("headwater.apis",),
    ("headwater.knowledge",),
    ("headwater.rules",),
    ("headwater.configfile",),
    ("headwater.index",),
    ("headwater.documents",),
    ("headwater.taint",),
    ("headwater.system",),
    ("headwater.threats",),
    ("headwater.modelreview",),
    ("headwater.reports",),
    ("headwater.masked",),
    ("headwater.pipeline",),
    ("headwater.change",),
    ("headwater.prove", "headwater.redteam"),
    ("headwater.ruletests",),
    ("headwater", "headwater.review"),  # the public API
    ("headwater.cli", "headwater.__main__"),
)


def layer(module: str) -> int:
    """The layer of the longest name that the module is, or lies below."""
    matches = [
        (len(name), number) for number, names in enumerate(LAYERS) for name in names if module == name or module.startswith(f"{name}.")
    ]
    length, number = max(matches)
    assert length > len("headwater") or module == "headwater", f"{module} is in no layer"
    return number


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(name: str) -> bool:
    path = SOURCE.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


def imports(path: Path) -> set[str]:
    """The project's modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if is_module(name) or node.module == "headwater" else str(node.module))
    # The package itself imports nothing: its place and its version are for all, its ``review`` is not.
    return {name for name in found if name.startswith("headwater.") and name != "headwater.__version__"}


MODULES = {name_of(path): path for path in sorted((SOURCE / "headwater").rglob("*.py")) if path.stat().st_size}


# What the interpreter of an application under proof runs: a package of its own
MONITOR = "headwater.prove.monitors.python."


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith(MONITOR)])
def test_imports_only_from_layers_before_it(module: str) -> None:
    own = layer(module)
    wrong = {name for name in imports(MODULES[module]) if layer(name) > own}
    assert not wrong


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith(MONITOR)])
def test_the_monitor_has_the_standard_library_alone(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"), feature_version=(3, 8))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("module", MODULES)
def test_begins_with_its_purpose(module: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))
