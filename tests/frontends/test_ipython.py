"""What IPython adds to Python: how it is written as Python, and that everything stays where it is in the notebook."""

from __future__ import annotations

import re
from itertools import accumulate

import pytest

from headwater import ir
from headwater.files.source import Layout, Source
from headwater.frontends import notebook
from headwater.frontends.ipython import Rewritten, rewrite
from headwater.frontends.python.grammar import new_parser

PARSER = new_parser()
SYSTEM, GETOUTPUT, MAGIC = "get_ipython().system", "get_ipython().getoutput", "get_ipython().run_line_magic"


def python(cell: str) -> str:
    """The cell as Python; every name in it must have kept its place."""
    data, out = cell.encode(), Rewritten()
    rewrite(PARSER, data, 0, len(data), out)
    made = bytes(out.data)
    for found in re.finditer(rb"\b[a-z]\b", made):
        at, end = out.old_start(found.start()), out.old_end(found.end())
        assert data[at:end] == found.group() or found.group() not in data[at:end] or end - at > 1, (found, data[at:end])
    return made.decode()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("!ls -la", f'{SYSTEM}(f"ls -la")'),
        ('!echo "a\\n" {x}', f'{SYSTEM}(f"echo \\"a\\\\n\\" {{(x)}}")'),
        ("!rm {d['k']} $y.z", f"{SYSTEM}(f\"rm {{(d['k'])}} {{(y.z)}}\")"),
        ("!rm {x!r} {y:} {f(z, [1, 2])}", f'{SYSTEM}(f"rm {{(x)}} {{(y)}} {{(f(z, [1, 2]))}}")'),
        ("!echo '$x' $$y {{z}}", f"{SYSTEM}(f\"echo '$x' $y {{{{z}}}}\")"),
        # One part that is no expression, and IPython expands none
        ("!awk '{print $1}' {x}", f"{SYSTEM}(f\"awk '{{{{print $1}}}}' {{{{x}}}}\")"),
        ("!find . -exec rm {} \\; {x}", f'{SYSTEM}(f"find . -exec rm {{{{}}}} \\\\; {{{{x}}}}")'),
        ("!echo {x) or (y} {", f'{SYSTEM}(f"echo {{{{x) or (y}}}} {{{{")'),
        ("!echo {x # }\n", f'{SYSTEM}(f"echo {{(x # \n)}}")\n'),
        ("!ls \\\n  {x}\ny = 1", f'{SYSTEM}(f"ls \\\\\\n  {{(x)}}")\ny = 1'),
        ("!!ls $x", f'{GETOUTPUT}(f"ls {{(x)}}")'),
        ("a, b['='] = !ls $x", "a, b['='] = !ls $x"),  # a gap
        ("x: list = !ls $y", f'x: list = {GETOUTPUT}(f"ls {{(y)}}")'),
        ("if x:\n\t!ls {y}\n", f'if x:\n\t{SYSTEM}(f"ls {{(y)}}")\n'),
        ("  !ls\n  if x:\n    y", f'{SYSTEM}(f"ls")\nif x:\n  y'),
        ("%cd {x}", f'{MAGIC}("cd", f"{{(x)}}")'),
        ("x = %sql SELECT $y", f'x = {MAGIC}("sql", f"SELECT {{(y)}}")'),
        ("%sx ls {x}", f'{GETOUTPUT}(f"ls {{(x)}}")'),
        ("%time x = f(y)", "x = f(y)"),
        ("%timeit -n 10 -r3 f(y)", "f(y)"),
        ("x = %time f(y)", "x = f(y)"),
        ("%%timeit -n 2 s(x)\nf(y)", "s(x)\nf(y)"),
        ("%%capture out\n%%time\nx", "pass\npass\nx"),
        ("\n\n%%time\nx", "\n\npass\nx"),
        ("if x:\n  ?f\nf??\nf.g?\npip install q", "if x:\n  pass\npass\npass\npass"),
    ],
)
def test_ipython_as_python(cell: str, expected: str) -> None:
    assert python(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "x = (y\n% z)\n",
        "x = '''\n!ls {y}\n%time z\n'''\n",
        'f("a", "b = %s" % c)\n',
        "x = y \\\n% z\n",
        "x[\n'(', # ]\n%y]\n",
        "# !ls\nx = 1 # = !ls\n",
        'print("x?")\nx = "= %d" % y\n',
        "x != y\nx %= y\nx = {\n'a': 1,\n}\n",
        "pip = install\nls -os.system(x)\n",
        "",
        "\n \n",
    ],
)
def test_python_stays_as_it_is(cell: str) -> None:
    assert python(cell) == cell


def lowered(*cells: str) -> tuple[ir.Module, bytes]:
    texts = [cell.encode() + b"\n" for cell in cells]
    starts = list(accumulate(map(len, texts), initial=0))[:-1]
    data = b"".join(texts)
    layout = Layout([(start, number) for number, start in enumerate(starts, 1)], [(start, 1) for start in starts])
    return notebook.lower(Source("n.ipynb", data, layout=layout)), data


def calls(module: ir.Module, data: bytes) -> list[str]:
    """The text of all calls of module bodies, in order."""
    body = module.functions[0].body
    return [data[one.start : one.end].decode() for one in body if isinstance(one, ir.Call)]


def test_places_are_those_of_the_notebook() -> None:
    module, data = lowered("  é = f(1)\n  !rm {g(x)} $y", "%time h(2)", "def d(a):\n    z = !ls {a}\n    return k(z)")
    assert calls(module, data) == ["f(1)", "!", "g(x)", "!rm {g(x)} $y", "h(2)"]
    function = module.functions[1]
    assert data[function.start : function.end].decode().startswith("def d(a):\n    z = !ls {a}")
    assert [data[p.start : p.end] for p in function.params] == [b"a"]
    assert [data[one.start : one.end].decode() for one in function.body if isinstance(one, ir.Call)] == ["!", "!ls {a}", "k(z)"]
    assert module.gaps == []


@pytest.mark.parametrize("broken", ['x = """', "x = (", "def f(", "x = 1 \\", "@d", "f'''{", "x = [\n'''"])
def test_a_broken_cell_swallows_no_other(broken: str) -> None:
    """Alone each cell runs or fails; joined, an open string would hide the next cells, and a later cell would close it."""
    module, data = lowered("a(1)", broken, "b(2)", '"""', "c(3)")
    assert {"a(1)", "b(2)", "c(3)"} <= set(calls(module, data))
    assert module.gaps
    first, second = len(b"a(1)\n"), data.index(b"b(2)")
    assert all(not gap.start < second < gap.end for gap in module.gaps)
    assert any(first <= gap.start < second for gap in module.gaps) or broken.endswith("\\")


def test_a_block_of_one_cell_does_not_go_on_in_the_next() -> None:
    module, data = lowered("if x:\n    a(1)", "    b(2)", "else:\n    c(3)")
    assert "b(2)" in calls(module, data)


def test_no_cells() -> None:
    module, _ = lowered()
    assert module.functions[0].body == []
    assert module.gaps == []
