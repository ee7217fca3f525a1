"""Reviews of repositories with notebooks, from the file to each report: places are cells, and SARIF points into the file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import headwater
from headwater.config import Config
from headwater.findings import Review
from headwater.reports import json_v1, sarif, text
from headwater.reports.view import View, view
from headwater.rules.load import load_rules

ANSWER = "OpenAI().chat.completions.create(model='gpt-4o', messages=[]).choices[0].message.content"
PROBE = ("import os\nfrom openai import OpenAI", f"os.system({ANSWER})")
"""Two cells with a finding that must stay, whatever stands between them."""
CELLS = [
    "# A notebook",
    ["import os\n", "from openai import OpenAI\n", "\n", "def ask():\n", f"    'é'; return {ANSWER}"],
    "%%bash\nls",
    ["%%time\r\n", "answer = ask()\r\n", "!echo 'é' && ls {answer} -la\r\n", "!pip install openai\r\n", "exec(answer)"],
]


def cells(*sources: Any) -> dict[str, Any]:
    """A notebook whose first cell is text, if it begins with ``#``."""
    made: list[dict[str, Any]] = []
    for source in sources:
        if isinstance(source, str) and source.startswith("#"):
            made.append({"cell_type": "markdown", "metadata": {}, "source": source})
        else:
            output = {"output_type": "stream", "name": "stdout", "text": ["os.system(input())\n"]}
            made.append({"cell_type": "code", "execution_count": 9, "metadata": {}, "outputs": [output], "source": source})
    return {"cells": made, "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, *sources: Any) -> list[str]:
    """The lines of the file."""
    lines = json.dumps(cells(*sources), indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lines, encoding="utf-8")
    return lines.splitlines()


def review(root: Path, processes: int = 1) -> Review:
    return headwater.review(root, Config(processes=processes))


def shown(found: Review) -> View:
    return view(found, Config(), load_rules(), "0")


def found_at(root: Path) -> set[tuple[str, str, str]]:
    """Rule, place in words and text of each finding."""
    made = review(root)
    places = ((one, made.sources[one.place.path]) for one in made.findings)
    return {(one.rule, source.place(one.place.start), source.slice(one.place.start, one.place.end)) for one, source in places}


def test_text(tmp_path: Path) -> None:
    write(tmp_path / "n.ipynb", *CELLS)
    page = text.render(shown(review(tmp_path)))
    assert "  --> n.ipynb cell 4 line 3:1 in <module>  (high confidence)" in page
    assert "   3 > | !echo 'é' && ls {answer} -la" in page
    assert "   1   | %%time" in page  # the lines around it are those of the cell
    assert "(n.ipynb cell 2 line 5)" in page
    assert "    1  n.ipynb cell 2 line 5:17  the answer of the model" in page
    assert "    2  n.ipynb cell 4 line 2:10  returned by ask()" in page
    assert "n.ipynb cell 3 line 1: a cell of %%bash: it is not Python" in page
    assert "2 findings" in page
    assert "Coverage: complete, 1 file, 10 lines, 2 functions (notebook 1)" in page


def test_json(tmp_path: Path) -> None:
    lines = write(tmp_path / "n.ipynb", *CELLS)
    document = json.loads(json_v1.render(shown(review(tmp_path))))
    first, second = sorted(document["findings"], key=lambda one: one["place"]["cell"]["line"])
    assert [one["place"]["cell"] for one in (first, second)] == [
        {"number": 4, "line": 3, "end_line": 3},
        {"number": 4, "line": 5, "end_line": 5},
    ]
    for place in (first["place"], second["place"], *(step["place"] for one in (first, second) for step in one["traces"][0]["steps"])):
        assert json.loads(lines[place["start"]["line"] - 1].strip().rstrip(",")).rstrip("\r\n") == place["code"]
    assert (second["place"]["start"]["column"], second["place"]["end"]["column"]) == (1, 13)
    (gap,) = document["coverage"]["gaps"]
    assert gap["cell"] == {"number": 3, "line": 1}
    assert "%%bash" in lines[gap["line"] - 1]


def test_sarif(tmp_path: Path) -> None:
    lines = write(tmp_path / "a folder" / "n.ipynb", *CELLS)
    log = json.loads(sarif.render(shown(review(tmp_path))))
    schema = json.loads((Path(__file__).parent / "data" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    assert list(jsonschema.Draft4Validator(schema).iter_errors(log)) == []
    run = log["runs"][0]
    result = next(one for one in run["results"] if one["ruleId"] == "llm-output-to-shell")
    location = result["locations"][0]
    region = location["physicalLocation"]["region"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "a%20folder/n.ipynb"
    assert set(region) == {"startLine", "endLine"}  # columns of the code are no columns of the file
    assert "!echo 'é' && ls {answer} -la" in lines[region["startLine"] - 1]
    assert location["properties"] == {"cell": 4, "cellLine": 3, "cellEndLine": 3}
    assert result["message"]["text"].startswith("Cell 4, line 3: ")
    assert "[a folder/n.ipynb cell 2 line 5](1)" in result["message"]["text"]
    step = result["codeFlows"][0]["threadFlows"][0]["locations"][0]["location"]
    assert "return OpenAI()" in lines[step["physicalLocation"]["region"]["startLine"] - 1]
    assert "primaryLocationLineHash" not in result["partialFingerprints"]
    notification = next(one for one in run["invocations"][0]["toolExecutionNotifications"] if "bash" in one["message"]["text"])
    assert "%%bash" in lines[notification["locations"][0]["physicalLocation"]["region"]["startLine"] - 1]
    assert notification["locations"][0]["properties"] == {"cell": 3, "cellLine": 1}


def test_the_same_from_workers_and_on_one_line(tmp_path: Path) -> None:
    write(tmp_path / "n.ipynb", *CELLS)
    (tmp_path / "one.ipynb").write_text(json.dumps(cells(*CELLS)))
    here, there = (json_v1.render(shown(review(tmp_path, processes))) for processes in (1, 2))
    assert here == there
    places = [one["place"] for one in json.loads(here)["findings"]]
    assert sorted((place["path"], place["start"]["line"], place["cell"]["line"]) for place in places if place["path"] == "one.ipynb") == [
        ("one.ipynb", 1, 3),
        ("one.ipynb", 1, 5),
    ]


def test_flows_between_notebook_and_modules(tmp_path: Path) -> None:
    """A notebook uses the modules beside it; nothing imports a notebook, whatever its name."""
    (tmp_path / "tools.py").write_text("import os\n\n\ndef run(command):\n    os.system(command)\n")
    write(tmp_path / "tools.ipynb", "def run(command):\n    pass\n")
    write(tmp_path / "n.ipynb", "import tools\nfrom openai import OpenAI", f"tools.run({ANSWER})")
    assert found_at(tmp_path) == {("llm-output-to-shell", "tools.py:5", "os.system(command)")}


def test_magics(tmp_path: Path) -> None:
    write(
        tmp_path / "n.ipynb",
        f"from openai import OpenAI\na = {ANSWER}",
        "files = !ls {a}\n!!cat $a\n%sx id {a}",
        "rows = %sql SELECT * FROM t WHERE x = '{a}'",
        "%time exec(a)\n%timeit -n 1 exec(a)\nx = %time eval(a)",
        "for f in files:\n    !rm '{f}' {a[0]}\n",
        "get_ipython().run_cell(a)",
        # Quiet: constant, quoted, not expanded, no code
        "!pip install {1 + 1} openai\n!ls -la $HOME\n%matplotlib inline\n%env KEY={a}\n%run {a}\nname?",
        "%pip install x\n!awk '{print $1}' {a}",
        "import shlex\n!ls {shlex.quote(a)}\n'''\n!ls {a}\n'''",
        f"%%html\n{{a}} {ANSWER}",
    )
    assert found_at(tmp_path) == {
        ("llm-output-to-shell", "n.ipynb cell 2 line 1", "!ls {a}"),
        ("llm-output-to-shell", "n.ipynb cell 2 line 2", "!!cat $a"),
        ("llm-output-to-shell", "n.ipynb cell 2 line 3", "%sx id {a}"),
        ("llm-output-to-sql", "n.ipynb cell 3 line 1", "%sql SELECT * FROM t WHERE x = '{a}'"),
        ("llm-output-to-code", "n.ipynb cell 4 line 1", "exec(a)"),
        ("llm-output-to-code", "n.ipynb cell 4 line 2", "exec(a)"),
        ("llm-output-to-code", "n.ipynb cell 4 line 3", "eval(a)"),
        ("llm-output-to-shell", "n.ipynb cell 5 line 2", "!rm '{f}' {a[0]}"),
        ("llm-output-to-code", "n.ipynb cell 6 line 1", "get_ipython().run_cell(a)"),
    }
    gaps = review(tmp_path).coverage.gaps
    assert [(gap.kind, gap.cell) for gap in gaps] == [("language", 10)]


def test_what_a_broken_cell_costs(tmp_path: Path) -> None:
    write(tmp_path / "n.ipynb", PROBE[0], "x = 1\ny = '''", PROBE[1], "'''", "?help")
    (tmp_path / "no.ipynb").write_text("{")
    made = review(tmp_path)
    assert [made.sources[one.place.path].place(one.place.start) for one in made.findings] == ["n.ipynb cell 3 line 1"]
    assert {(gap.kind, gap.path, gap.cell, gap.cell_line) for gap in made.coverage.gaps} == {
        ("parse-error", "n.ipynb", 2, 2),
        ("parse-error", "n.ipynb", 4, 1),
        ("parse-error", "no.ipynb", 0, 0),
    }
    assert made.coverage.status == "partial"


def test_other_kernels_and_checkpoints(tmp_path: Path) -> None:
    other = cells("x <- system(y)")
    other["metadata"]["kernelspec"]["language"] = "R"
    (tmp_path / "r.ipynb").write_text(json.dumps(other))
    write(tmp_path / ".ipynb_checkpoints" / "n-checkpoint.ipynb", *PROBE)
    made = review(tmp_path)
    assert made.findings == ()
    assert made.coverage.status == "failed"
    assert {(gap.kind, gap.path) for gap in made.coverage.gaps} == {("language", "r.ipynb")}


@pytest.mark.parametrize(
    "source",
    [
        "!echo " + "{a.b(1)}" * 100_000,
        "!echo " + "{" * 500_000,
        "!echo " + "$x'" * 200_000,
        "!ls\n" * 200_000,
        "x = '''" + "'" * 500_000,
        "(" * 100_000 + "\n!ls {x}" * 10_000,
        "!ls \\\n" * 200_000,
        " " * 500_000 + "%" * 500_000,
        "a" * 500_000 + " = !ls",
        ["\n"] * 300_000,
        [{}] * 300_000,
        "'" + "\\" * 500_000,
        "%timeit " + "-n 1 " * 100_000,
        "x?" * 200_000,
        "-" * 500_000 + "\n" + "[.*" * 100_000,
    ],
    ids=lambda source: repr(source)[:20],
)
def test_hostile_cells_end_soon(tmp_path: Path, source: Any) -> None:
    write(tmp_path / "n.ipynb", PROBE[0], source, PROBE[1])
    began = time.process_time()
    made = review(tmp_path)
    assert time.process_time() - began < 30
    beyond = any(gap.kind == "parse-error" and "instructions" in gap.reason for gap in made.coverage.gaps)
    assert beyond or [one.rule for one in made.findings] == ["llm-output-to-shell"]


def test_many_cells_and_a_huge_file(tmp_path: Path) -> None:
    write(tmp_path / "many.ipynb", PROBE[0], *["x = 1"] * 20_000, PROBE[1])
    with (tmp_path / "huge.ipynb").open("wb") as file:
        file.truncate(100_000_000)
    (tmp_path / "numbers.ipynb").write_text('{"cells": [' + "0," * 1_000_000 + "0]}")
    began = time.process_time()
    made = review(tmp_path)
    assert time.process_time() - began < 60
    assert [made.sources[one.place.path].place(one.place.start) for one in made.findings] == ["many.ipynb cell 20002 line 1"]
    assert ("too-large", "huge.ipynb") in {(gap.kind, gap.path) for gap in made.coverage.gaps}
    assert [gap.reason for gap in made.coverage.gaps if gap.path == "numbers.ipynb" and not gap.cell] == [
        "999,902 more cells that were left out"
    ]
