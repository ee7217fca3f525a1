"""Real code: the standard library of the running Python is read without a gap, and its IR is whole."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from pathlib import Path

import pytest
from ir_check import check

from headwater import ir
from headwater.frontends.python import lower

STDLIB = Path(sysconfig.get_path("stdlib"))
SAMPLE = 300
# Valid Python with a gap, each for a known reason
EXPECTED = {
    "test/re_tests.py": {"display"},
    "test/test_print.py": {"python2"},  # `print >> f, x`, which is an expression that fails when it runs
    "test/test_future_stmt/badsyntax_future8.py": {"syntax not understood"},  # `from __future__ import *`
    "test/test_future_stmt/badsyntax_future10.py": {"syntax not understood"},
}


def _sample() -> list[Path]:
    files = sorted(p for p in STDLIB.rglob("*.py") if "site-packages" not in p.parts)
    step = max(1, len(files) // SAMPLE)
    largest = sorted(files, key=lambda p: p.stat().st_size)[-10:]
    return sorted({*files[::step], *largest})


def _is_valid(data: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def test_standard_library() -> None:
    files = _sample()
    assert len(files) >= 200
    wrong: list[str] = []
    for path in files:
        data = path.read_bytes()
        module = lower(str(path), data)
        check(module)
        name = path.relative_to(STDLIB).as_posix()
        reasons = {gap.reason.partition(":")[0] for gap in module.gaps}
        assert "internal" not in reasons, module.gaps
        if reasons - EXPECTED.get(name, set()) and _is_valid(data):
            wrong.append(f"{name}: {sorted(reasons)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["argparse.py", "dataclasses.py", "asyncio/base_events.py", "typing.py"])
def test_functions_and_classes_are_those_of_ast(name: str) -> None:
    """Every function, lambda and class of the file is there, with its parameters, at its place."""
    data = (STDLIB / name).read_bytes()
    module = lower(name, data)
    tree = ast.parse(data)
    lines = [0]
    for line in data.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    expected_functions: set[tuple[int, str, tuple[str, ...]]] = set()
    expected_classes: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            a = node.args
            params = [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]
            label = "<lambda>" if isinstance(node, ast.Lambda) else node.name
            expected_functions.add((lines[node.lineno - 1] + node.col_offset, label, tuple(p.arg for p in params)))
        elif isinstance(node, ast.ClassDef):
            expected_classes.add((lines[node.lineno - 1] + node.col_offset, node.name))
    assert {(f.start, f.name, tuple(p.name for p in f.params)) for f in module.functions[1:]} == expected_functions
    assert {(c.start, c.name) for c in module.classes} == expected_classes


@pytest.mark.parametrize("name", ["argparse.py", "dataclasses.py", "asyncio/base_events.py", "inspect.py", "tarfile.py"])
def test_scopes_are_those_of_symtable(name: str) -> None:
    """Captured and local names of each function agree with the compiler's own symbol table."""
    import symtable

    data = (STDLIB / name).read_bytes()
    module = lower(name, data)
    lines = data.split(b"\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    ours: dict[tuple[int, str], tuple[set[str], set[str]]] = {}
    for f in module.functions[1:]:
        line = data.count(b"\n", 0, f.start) + 1
        captured = set(f.captured)
        ours[line, f.name] = (captured, set(f.names) - captured)
    compared = 0
    todo = [(symtable.symtable(data.decode(), name, "exec"), False)]
    while todo:
        table, inside = todo.pop()
        todo += [(child, inside or table.get_type() == "function") for child in table.get_children()]
        if table.get_type() != "function" or table.get_name() not in {f.name for f in module.functions}:
            continue
        if "lambda" in table.get_name():
            continue
        found = ours.get((table.get_lineno(), table.get_name()))
        if found is None:  # a decorated function begins at its decorator there
            continue
        assert isinstance(table, symtable.Function)
        free = {n for n in table.get_frees() if n != "__class__"}
        local = {n for n in table.get_locals() if not n.startswith(".")}
        captured, names = found
        assert captured >= free, (name, table.get_name())
        assert captured <= free | local, (name, table.get_name())
        assert names - local <= {n for n in names if n in free}, (name, table.get_name(), names - local)
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("name", ["argparse.py", "dataclasses.py", "asyncio/base_events.py", "test/test_patma.py"])
def test_positions_are_those_of_the_expressions(name: str) -> None:
    path = STDLIB / name
    if not path.exists():
        pytest.skip("not installed")
    data = path.read_bytes()
    module = lower(name, data)
    seen = dict.fromkeys((ir.Name, ir.Attr, ir.Call, ir.Const), 0)
    for function in module.functions:
        todo: list[object] = [function.defaults, function.body]
        while todo:
            part = todo.pop()
            if isinstance(part, list):
                todo += part
                continue
            if isinstance(part, (ir.If, ir.Loop, ir.Try, ir.Arm, ir.Leaf, ir.Not, ir.AllOf, ir.AnyOf, ir.Handler)):
                todo += [getattr(part, field) for field in part.__struct_fields__]
                continue
            if not isinstance(part, ir.Instr):
                continue
            text = data[part.start : part.end].decode()
            if isinstance(part, ir.Name):
                assert text == part.name
            elif isinstance(part, ir.Attr):
                assert text.endswith(part.name)
            elif isinstance(part, ir.Call):
                assert text.endswith(")")
            elif isinstance(part, ir.Const) and type(part.value) is int:
                assert ast.literal_eval(text) == part.value
            if type(part) in seen:
                seen[type(part)] += 1
    assert min(seen.values()) > 20
