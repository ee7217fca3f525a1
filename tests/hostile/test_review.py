"""Whole reviews of sources made to exhaust: each ends in bounded time with a review, and says what it left out.

The ceilings are generous: they catch growth that is not linear, not slow machines.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import headwater
from headwater.apis.load import load
from headwater.apis.paths import expand
from headwater.apis.schema import ApiFile
from headwater.config import Config
from headwater.findings import Review
from headwater.taint.interest import Interest
from headwater.taint.summary import Summary
from headwater.taint.transfer import Interpreter

IMPORTS = "import os\nfrom flask import request\n\n\n"
PROBE = f"{IMPORTS}def probe():\n    os.system(request.args['x'])\n"
"""A finding that must stay, whatever stands in the other file."""


@pytest.fixture(autouse=True)
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine meets every function, also those that name no operation and would be left out."""
    monkeypatch.setattr(Interest, "seeds", lambda self: [fn.id for fn in self.symbols.functions])


def review(root: Path, files: dict[str, str | bytes], seconds: float) -> Review:
    (root / "probe.py").write_text(PROBE)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    began = time.process_time()
    found = headwater.review(root, Config(processes=1))
    used = time.process_time() - began
    assert used < seconds, f"{used:.1f} s of CPU"
    assert ("probe.py", "remote-input-to-shell") in places(found)
    assert all(finding.traces for finding in found.findings if finding.sink_class)
    return found


def places(found: Review) -> set[tuple[str, str]]:
    return {(finding.place.path, finding.rule) for finding in found.findings}


def gaps(found: Review) -> set[str]:
    return {gap.path for gap in found.coverage.gaps}


def test_nesting(tmp_path: Path) -> None:
    made = review(tmp_path, {"deep.py": "x = " + "[" * 100_000 + "]" * 100_000 + "\n", "calls.py": "f(" * 100_000}, 30)
    assert {"deep.py", "calls.py"} <= gaps(made)
    assert made.coverage.status == "partial"


def test_nested_blocks(tmp_path: Path) -> None:
    lines = [f"{' ' * depth}if x{depth}:" for depth in range(2_000)] + [" " * 2_000 + "pass", ""]
    made = review(tmp_path, {"deep.py": "\n".join(lines)}, 30)
    assert "deep.py" in gaps(made)


def test_a_large_literal(tmp_path: Path) -> None:
    elements = "".join(f"    'word{number}': [{number}, 'x'],\n" for number in range(25_000))
    text = f"{IMPORTS}TABLE = {{\n{elements}}}\n\n\ndef act():\n    os.system(TABLE[request.args['x']][1])\n"
    made = review(tmp_path, {"table.py": text}, 30)
    assert places(made) == {("probe.py", "remote-input-to-shell")}
    words = "".join(f"    'word{number}',\n" for number in range(50_000))
    review(tmp_path, {"list.py": f"WORDS = [\n{words}]\n"}, 30)


def test_a_long_sum(tmp_path: Path) -> None:
    text = IMPORTS + "def act():\n    os.system(request.args['x']" + "\n        + 'a'" * 4_000 + ")\n"
    made = review(tmp_path, {"sum.py": text}, 30)
    assert ("sum.py", "remote-input-to-shell") in places(made) or "sum.py" in gaps(made)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "invalid.py": b"import os\nname = '\xff\xfe\x80'\nos.system(input())\n",
        "nul.py": b"import os\nname = 'a\x00b'\nos.system(input())\n",
        "all_nul.py": b"\x00" * 10_000,
        "utf16.py": "import os\n".encode("utf-16"),
        "codec.py": b"# -*- coding: rot13 -*-\nvzcbeg bf\n",
        "no_codec.py": b"# -*- coding: nothing-like-it -*-\nimport os\n",
        "surrogate.py": "name = '\ud800'\n".encode("utf-8", "surrogatepass"),
        "bom.py": b"\xef\xbb\xbfimport os\n",
        "returns.py": b"import os\rx = 1\r\n\x0cy = 2\n",
        "empty.py": b"",
    }
    made = review(tmp_path, files, 20)
    assert {"all_nul.py", "utf16.py"} <= gaps(made)
    assert made.coverage.status == "partial"


def test_import_cycles(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.py": "from b import *\nfrom b import x as y\n\n\ndef act():\n    return x(y)\n",
        "b.py": "from c import *\nfrom c import y as x\n",
        "c.py": "from a import *\nfrom a import y\nfrom c import c\nimport c\n",
        "own.py": "from own import name\nfrom . import own\nimport own.own.own\nname.name.name()\n",
        "package/__init__.py": "from .package import package\nfrom . import *\nfrom package import package\n",
        "package/package.py": "from package import package\nfrom .. import package\nfrom ....... import x\npackage.package.package()\n",
    }
    review(tmp_path, files, 20)


def test_star_imports_of_what_is_missing(tmp_path: Path) -> None:
    missing = "".join(f"from .generated{number} import *\n" for number in range(300))
    review(tmp_path, {"package/__init__.py": missing, "package/a.py": "from . import *\nfrom . import ghost\nghost(f, g)\n"}, 20)


def test_import_cycles_in_which_everything_imports_everything(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(24)]
    stars = {f"stars/{one}.py": "".join(f"from .{other} import *\n" for other in names if other != one) + "ghost()\n" for one in names}
    named = {
        f"named/{one}.py": "".join(
            f"try:\n    from .{other} import ghost\nexcept ImportError:\n    pass\n" for other in names if other != one
        )
        + "ghost()\n"
        for one in names
    }
    both = {f"both/{one}.py": "".join(f"from .{other}.ghost import *\n" for other in names if other != one) + "ghost()\n" for one in names}
    files: dict[str, str | bytes] = {**stars, **named, **both}
    for folder in ("stars", "named", "both"):
        files[f"{folder}/__init__.py"] = ""
    review(tmp_path, files, 20)


def test_a_long_chain_of_imports(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"package/m{number}.py": f"from .m{number + 1} import f\nf()\n" for number in range(600)}
    files["package/m600.py"] = "def f():\n    return 1\n"
    review(tmp_path, files, 20)


def test_class_cycles(tmp_path: Path) -> None:
    text = """
class A(B):
    def run(self, x): return super().run(self.y)
class B(A):
    def __init__(self): self.y = A(); self.y.y = self
    def run(self, x): return self.y.run(x)
class C(C): ...
class D(D.E):
    class E(D): ...
A().run(B().y.y.y)
"""
    review(tmp_path, {"classes.py": text, "other.py": "from classes import A as B\nclass A(B): ...\nA().run(1)\n"}, 20)


def test_mutual_recursion(tmp_path: Path) -> None:
    functions = "\n".join(
        f"def f{number}(a, b):\n    f{(number + 1) % 1000}(b, a)\n    return f{(number * 7 + 3) % 1000}(a, a)\n" for number in range(1_000)
    )
    text = f"{IMPORTS}{functions}\n\ndef act():\n    f0(request.args['x'], '')\n"
    review(tmp_path, {"cycle.py": text}, 40)


@pytest.mark.parametrize("count", [1_500, 20_000])
def test_a_long_elif_chain(count: int, tmp_path: Path) -> None:
    arms = "\n".join(f"    elif x == {number}:\n        y = 'word{number}'" for number in range(count))
    text = f"{IMPORTS}def act(x):\n    y = request.args['x']\n    if x is None:\n        y = ''\n{arms}\n    os.system(y)\n"
    made = review(tmp_path, {"arms.py": text}, 60)
    assert ("arms.py", "remote-input-to-shell") in places(made) or "arms.py" in gaps(made)


def test_many_branches_in_turn(tmp_path: Path) -> None:
    branches = "\n".join(f"    if x == {number}:\n        y = y + 'word{number}'" for number in range(20_000))
    text = f"{IMPORTS}def act(x):\n    y = request.args['x']\n{branches}\n    os.system(y)\n"
    made = review(tmp_path, {"branches.py": text}, 60)
    assert ("branches.py", "remote-input-to-shell") in places(made) or "branches.py" in gaps(made)


def test_many_variables_and_branches(tmp_path: Path) -> None:
    branches = "\n".join(f"    if x:\n        y{number} = z\n    else:\n        y{number} = x" for number in range(3_000))
    review(tmp_path, {"variables.py": f"def act(x, z):\n{branches}\n    return y7\n"}, 60)


def test_nested_loops(tmp_path: Path) -> None:
    loops = "\n".join(f"{' ' * (4 + depth)}for x{depth} in x{depth - 1 if depth else ''}:" for depth in range(20))
    body = "\n".join(f"{' ' * 30}x{(number + 1) % 20} = x{number % 20} + x" for number in range(60))
    review(tmp_path, {"loops.py": f"def act(x):\n{loops}\n{body}\n"}, 60)


def test_many_small_files(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"package{number % 100}/m{number}.py": f"from package{(number + 1) % 100} import m{number}\n\n\ndef run(x):\n    return x\n"
        for number in range(10_000)
    }
    made = review(tmp_path, files, 60)
    assert made.coverage.files == 10_001


def test_a_deep_chain_of_calls(tmp_path: Path) -> None:
    functions = "\n".join(f"def f{number}(a):\n    return f{number + 1}(a)\n" for number in range(2_000))
    text = f"{IMPORTS}{functions}\ndef f2000(a):\n    os.system(a)\n\n\ndef act():\n    f0(request.args['x'])\n"
    made = review(tmp_path, {"chain.py": text}, 40)
    assert ("chain.py", "remote-input-to-shell") in places(made) or "chain.py" in gaps(made)


def test_a_path_longer_than_a_trace_is_still_a_finding(tmp_path: Path) -> None:
    functions = "\n".join(f"def f{number}(a):\n    return f{number + 1}(a)\n" for number in range(60))
    text = f"{IMPORTS}{functions}\ndef f60(a):\n    os.system(a)\n\n\ndef act():\n    f0(request.args['x'])\n"
    made = review(tmp_path, {"chain.py": text}, 20)
    assert ("chain.py", "remote-input-to-shell") in places(made)
    assert "traces-failed" not in made.coverage.counts


def test_data_that_holds_itself(tmp_path: Path) -> None:
    text = """
import os
from flask import request

D = {}
D["x"] = D
L = [D]
L.append(L)


class Node:
    def __init__(self, parent=None):
        self.parent = parent or self
        self.children = [self]
        self.value = request.args["x"]

    def root(self):
        return self.parent.parent.root().children[0].parent


def act():
    d = {"value": request.args["x"]}
    d["x"] = d
    for _ in range(9):
        d = {"x": d, "y": d}
        d["x"]["x"] = d
    os.system(d["x"]["x"]["x"])
    node = Node(Node(Node()))
    node.parent.parent = node
    node.children += [node.root(), L, D]
    f = lambda: f
    f()()()
    os.system(node.root().root().value)
    return d, node, f
"""
    review(tmp_path, {"own.py": text}, 20)


def test_a_family_of_classes(tmp_path: Path) -> None:
    classes = "\n".join(
        f"class C{number}(Base):\n    def run(self, x):\n        self.f{number} = x\n        return self.next(self.f{number})\n"
        for number in range(500)
    )
    text = f"{IMPORTS}class Base:\n    def run(self, x): ...\n    def next(self, x): return self.run(x)\n\n{classes}\n"
    review(tmp_path, {"family.py": text + "\ndef act(base: Base):\n    os.system(base.run(request.args['x']))\n"}, 40)


def test_a_ladder_of_classes(tmp_path: Path) -> None:
    rungs = "\n".join(
        f"class C{number}(C{number - 1}, D{number - 1}): ...\nclass D{number}(C{number - 1}, D{number - 1}): ...\n"
        for number in range(1, 300)
    )
    review(tmp_path, {"ladder.py": f"class C0:\n    def run(self): ...\nclass D0: ...\n{rungs}\nC299().run()\nD299().x.y\n"}, 30)


def test_doubling_of_objects(tmp_path: Path) -> None:
    functions = "\n".join(f"def f{number}(a):\n    return {{'x': f{number + 1}(a), 'y': f{number + 1}(a)}}\n" for number in range(200))
    text = f"{IMPORTS}{functions}\ndef f200(a):\n    return a\n\n\ndef act():\n    os.system(f0(request.args['x']))\n"
    review(tmp_path, {"doubling.py": text}, 40)


def test_many_sources_and_sinks(tmp_path: Path) -> None:
    reads = "\n".join(f"    x{number} = request.args['{number}']" for number in range(400))
    joined = "\n".join(f"    y += x{number}" for number in range(400))
    sinks = "\n".join("    os.system(y)" for number in range(400))
    text = f"{IMPORTS}def act():\n    y = ''\n{reads}\n{joined}\n{sinks}\n"
    made = review(tmp_path, {"many.py": text}, 60)
    assert len([finding for finding in made.findings if finding.place.path == "many.py"]) == 400


def test_long_lines_and_names(tmp_path: Path) -> None:
    name = "n" * 100_000
    files: dict[str, str | bytes] = {
        "name.py": f"import os\n{name} = input()\nos.system({name})\n",
        "chain.py": "import a\nx = a" + ".b" * 50_000 + "\n",
        "calls.py": "import a\nx = a" + ".b()" * 20_000 + "\n",
        "text.py": "x = '" + "a" * 1_000_000 + "'\n",
        "comment.py": "# " + "headwater: ignore[" * 50_000 + "\n",
        "annotation.py": "x: " + "list[" * 5_000 + "int" + "]" * 5_000 + "\n",
        "strings.py": "x: '" + "list[" * 5_000 + "'\n",
    }
    review(tmp_path, files, 60)


def test_a_fault_of_the_engine_costs_one_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADWATER_TRACEBACK", raising=False)
    run = Interpreter.run

    def faulty(self: Interpreter) -> Summary:
        if self.fn.name == "broken":
            raise IndexError("text of the repository")
        return run(self)

    monkeypatch.setattr(Interpreter, "run", faulty)
    text = f"{IMPORTS}def broken(name):\n    os.system(name)\n\n\ndef whole():\n    broken('a')\n    os.system(request.args['y'])\n"
    found = review(tmp_path, {"a.py": text}, 10)
    assert ("a.py", "remote-input-to-shell") in places(found)
    (gap,) = [gap for gap in found.coverage.gaps if gap.kind == "crash"]
    assert (gap.path, gap.line) == ("a.py", 5)
    assert gap.partial
    assert gap.reason == "the engine failed on broken() (IndexError): what it does is not known"


FORMS = ("{}()", "{}(*x)", "{}(**x)", "{}(a_name=x)", "asyncio.to_thread({})")


def test_calls_of_models_without_the_arguments_they_speak_of(tmp_path: Path) -> None:
    """Every model meets calls without arguments, with names that nobody knows, with ``*`` and ``**``, and as a callback."""
    calls = []
    files_ = [file for _, file in load()]
    types = {name: next(iter(expand(made[0]))) for file in files_ for name, made in file.types.items()}
    for name in sorted({one for file in files_ for path in _paths(file) for one in expand(path)}):
        while (first := re.split(r"[.(\[]", name)[0]) in types:  # who makes an object, in the place of its type
            name = types[first] + name.removeprefix(first)
        expression = name.replace("[]", "[0]").removeprefix("builtins.")
        if all(part.isidentifier() for part in re.split(r"\.|\(\)|\[\d\]", expression) if part):
            root = expression.partition(".")[0].partition("(")[0]
            body = "".join(f"    {form.format(expression)}\n" for form in FORMS)
            calls.append(f"def f{len(calls)}(x):\n    import {root}\n{body}")
    assert len(calls) > 9_000
    files: dict[str, str | bytes] = {
        f"a{start}.py": "import asyncio\n\n\n" + "\n\n".join(calls[start : start + 500]) for start in range(0, len(calls), 500)
    }
    found = review(tmp_path, files, 240)
    assert not [gap for gap in found.coverage.gaps if gap.kind == "crash"]
    assert found.coverage.counts["functions-solved"] > len(calls)


def _paths(file: ApiFile) -> list[str]:
    return [path for api in file.apis for path in ([api.path] if isinstance(api.path, str) else api.path)]
