"""Leaving out functions that nobody asks for loses nothing: with every function of interest, the same is found."""

from __future__ import annotations

from pathlib import Path

import pytest

import headwater
from headwater import limits
from headwater.config import Config
from headwater.rules.load import Case
from headwater.taint.interest import Interest
from suites.suites import cases, together

SUITES: dict[str, list[Case]] = {}
for suite, case in cases():
    SUITES.setdefault(suite.name, []).append(case)
EXAMPLES = Path(__file__).parent.parent / "examples"


def found(folder: Path) -> set[tuple[str, int, str]]:
    review = headwater.review(folder, Config(processes=1))
    return {(finding.place.path, finding.place.start, finding.rule) for finding in review.findings}


def all_functions(self: Interest) -> list[int]:
    return [fn.id for fn in self.symbols.functions]


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_as_one_project(suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together(SUITES[suite], tmp_path)
    lazily = found(tmp_path)
    monkeypatch.setattr(Interest, "seeds", all_functions)
    assert lazily
    assert lazily == found(tmp_path)


def test_the_example_application(monkeypatch: pytest.MonkeyPatch) -> None:
    lazily = found(EXAMPLES / "vulnerable")
    monkeypatch.setattr(Interest, "seeds", all_functions)
    assert lazily == found(EXAMPLES / "vulnerable")


def test_most_functions_are_left_out_of_a_library_without_operations(tmp_path: Path) -> None:
    lines = ["import subprocess", "", "def run(command):", "    subprocess.run(command, shell=True)", ""]
    for number in range(50):
        lines += [f"def area{number}(a, b):", f"    return a * b + {number}", ""]
    lines += ["def main(command):", "    run(command)", ""]
    (tmp_path / "main.py").write_text("\n".join(lines), encoding="utf-8")
    counts = headwater.review(tmp_path, Config(processes=1)).coverage.counts
    assert counts["functions-solved"] == 3  # the module, run and main


def test_functions_that_ask_for_one_another_deep_inside_their_blocks(tmp_path: Path) -> None:
    depth, count = 95, limits.NESTED + 16  # each is interpreted inside the one before, all at the bound of nesting
    lines = ["import os", "from flask import request", ""]
    for number in range(count):
        lines.append(f"def g{number}(x):")
        lines += [" " * (level + 1) + f"if x > {level}:" for level in range(depth)]
        lines += [" " * (depth + 1) + (f"return g{number + 1}(x)" if number + 1 < count else "return x"), " return x", ""]
    lines += ["def main():", "    os.system(g0(request.args['command']))", ""]
    (tmp_path / "main.py").write_text("\n".join(lines), encoding="utf-8")
    review = headwater.review(tmp_path, Config(processes=1))
    assert not [gap for gap in review.coverage.gaps if gap.kind == "parse-error"]
    assert {finding.rule for finding in review.findings} == {"remote-input-to-shell"}


def test_a_field_that_many_classes_have_says_nothing_of_who_gives_it(tmp_path: Path) -> None:
    def solved(count: int) -> int:
        lines = ["import os", "", "def read(thing):", "    return open(thing.source).read()", ""]
        for number in range(count):
            lines += [f"class Part{number}:", "    def __init__(self, given):", "        os.remove('lock')", "        self.source = given"]
            lines += [f"def make{number}(given):", f"    return Part{number}(given)", ""]
        (tmp_path / "main.py").write_text("\n".join(lines), encoding="utf-8")
        return headwater.review(tmp_path, Config(processes=1)).coverage.counts["functions-solved"]

    known = 2  # the module and read
    assert solved(limits.SETTERS) == 2 * limits.SETTERS + known  # who makes a part hands over what is read
    assert solved(limits.SETTERS + 1) == limits.SETTERS + 1 + known


def test_methods_of_a_layer_that_call_one_another_in_a_long_chain(tmp_path: Path) -> None:
    """Looking through them ends early, and takes no recursion."""
    length = 40 * limits.COMPUTING
    chain = "".join(f"    def m{number}(self, x):\n        return self.m{number + 1}(x)\n\n" for number in range(length))
    (tmp_path / "layer.py").write_text(
        "import os\n\nfrom flask import Flask, request\nfrom torch import nn\n\napp = Flask(__name__)\n\n\nclass Layer(nn.Module):\n"
        + chain
        + f"    def m{length}(self, x):\n        return x\n\n    def forward(self, x):\n        return self.m0(x)\n\n\n"
        + '@app.post("/run")\ndef run():\n    os.system(request.json["x"])\n    return str(Layer()(request.json["y"]))\n'
    )
    review = headwater.review(tmp_path, Config(processes=1))
    assert [finding.rule for finding in review.findings if finding.place.path == "layer.py"] == ["remote-input-to-shell"]
    assert not [gap for gap in review.coverage.gaps if "fail" in str(gap)]
