"""Reading of notebooks: the text of the Python cells, where each line of it stands, and what is said of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater import limits
from headwater.files.read import source_of
from headwater.files.source import Source
from headwater.findings import Gap


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source, **more}


def notebook(*cells: Any, **more: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}


def look(value: Any, *, raw: bytes | None = None) -> tuple[Source | None, list[Gap]]:
    data = raw if raw is not None else json.dumps(value, indent=1, ensure_ascii=False).encode()
    return source_of("n.ipynb", data, "notebook")


def read(value: Any) -> Source:
    source, gaps = look(value)
    assert source is not None
    assert gaps == []
    return source


def test_code_cells_are_joined_and_outputs_are_not_looked_at() -> None:
    markdown = {"cell_type": "markdown", "metadata": {}, "source": ["import no\n"]}
    output = {"output_type": "stream", "name": "stdout", "text": ["import no_more\n"]}
    source = read(notebook(markdown, code(["x = 1\n", "y = 2"]), code("z = 3\n", outputs=[output]), code([])))
    assert source.text == "x = 1\ny = 2\nz = 3\n"


def test_every_line_knows_its_cell_and_its_line_of_the_file() -> None:
    value = notebook(
        {"cell_type": "raw", "metadata": {}, "source": "raw"}, code(["é = '😀'\r\n", "b\n", "c"]), code("d\ne\n"), code(["f", "\ng\n", "h"])
    )
    for text in (json.dumps(value, indent=1, ensure_ascii=False), json.dumps(value, indent=4).replace("\n", "\r\n")):
        source, gaps = look(None, raw=text.encode())
        assert source is not None
        assert gaps == []
        lines = text.splitlines()
        assert source.lines == 8
        for number in range(1, 9):
            assert json.dumps(source.line_text(number), ensure_ascii="\r\n" in text)[1:-1] in lines[source.file_line(number) - 1]
        cells = [source.cell(number) for number in range(1, 9)]
        assert [(cell.number, number - cell.before, cell.lines) for number, cell in enumerate(cells, 1) if cell] == [
            (2, 1, 3),
            (2, 2, 3),
            (2, 3, 3),
            (3, 1, 2),
            (3, 2, 2),
            (4, 1, 3),
            (4, 2, 3),
            (4, 3, 3),
        ]
    assert source.place(source.data.index(b"g")) == "n.ipynb cell 4 line 2"


def test_a_file_of_one_line() -> None:
    source, _ = look(None, raw=json.dumps(notebook(code("a\nb\n"), code("c"))).encode())
    assert source is not None
    assert [source.file_line(number) for number in (1, 2, 3)] == [1, 1, 1]


def test_nbformat_3() -> None:
    cells = [
        {"cell_type": "heading", "level": 1, "source": "no"},
        {"cell_type": "code", "input": ["x = 1\n", "y"], "language": "python", "outputs": []},
        {"cell_type": "code", "input": "cat(1)", "language": "R", "outputs": []},
    ]
    source, gaps = look({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}, {"cells": [code("z")]}]})
    assert source is not None
    assert source.text == "x = 1\ny\nz\n"
    assert [(gap.kind, gap.cell, gap.partial) for gap in gaps] == [("language", 3, True)]
    assert [cell.number for line in (1, 3) if (cell := source.cell(line))] == [2, 4]


@pytest.mark.parametrize(
    ("text", "partial"),
    [
        ("%%bash\nls", False),
        ("\n  %%html\n<b>", False),
        ("%%writefile notes.txt\nx", False),
        ("%%writefile app.py\nimport os", True),
        ("%%javascript\nx", True),
        ("%%script python\nx", True),
        ("%%unheard-of\nx", True),
        ("%%capture out\n%%time\n%%bash\nls", False),
    ],
)
def test_cells_of_other_languages_are_left_out_and_said(text: str, partial: bool) -> None:
    source, gaps = look(notebook(code("x = 1"), code(text)))
    assert source is not None
    assert source.text == "x = 1\n"
    assert [(gap.kind, gap.cell, gap.cell_line, gap.partial) for gap in gaps] == [("language", 2, 1, partial)]
    assert gaps[0].line > 1


@pytest.mark.parametrize("text", ["%%time\nx", "%%timeit -n 3 y\nx", "%%capture\n%%prun\nx", "# %%bash\nx", "%%bash?\n", "%%python3\nx"])
def test_cells_that_are_python_stay(text: str) -> None:
    assert read(notebook(code(text))).text == text + ("" if text.endswith("\n") else "\n")


@pytest.mark.parametrize(
    "metadata",
    [{"kernelspec": {"language": "R", "name": "ir"}}, {"language_info": {"name": "julia"}}, {"kernelspec": {"language": "x" * 9000}}],
)
def test_kernels_of_other_languages(metadata: Any) -> None:
    source, gaps = look(notebook(code("x"), metadata=metadata))
    assert source is None
    assert [(gap.kind, gap.partial) for gap in gaps] == [("language", True)]
    assert len(gaps[0].reason) < 200


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"language": "python"}, "language_info": {"name": "other"}},
        {"language_info": {"name": "ipython"}},
        {"kernelspec": []},
        {"kernelspec": {"language": 7}},
        None,
        "x",
    ],
)
def test_kernels_of_python_and_of_none(metadata: Any) -> None:
    assert read(notebook(code("x"), metadata=metadata)).text == "x\n"


@pytest.mark.parametrize(
    ("raw", "kind", "line"),
    [
        (b"", "parse-error", 1),
        (b"import os\n", "parse-error", 1),
        (b'{"cells": [\n\n}', "parse-error", 3),
        (b'{"cells": [], "nbformat": 4', "parse-error", 1),
        (b'{"cells": [], "nbformat": ' + b"4" * 10_000 + b"}", "parse-error", 0),
        (b"[" * 100_000, "limit", 0),
        (b'{"cells": ' + b"[" * 101 + b"]" * 101 + b"}", "limit", 0),
        (b'{"a":' * 100_000, "limit", 0),
        (b"[]", "parse-error", 0),
        (b"null", "parse-error", 0),
        (b'"cells"', "parse-error", 0),
        (b"{}", "parse-error", 0),
        (b'{"nbformat": 3}', "parse-error", 0),
        (b'{"nbformat": 3, "worksheets": [{"cells": []}, 5]}', "parse-error", 0),
        (b'{"nbformat": 2, "cells": []}', "parse-error", 0),
        (b'{"nbformat": "4", "cells": []}', "parse-error", 0),
        (b'{"nbformat": true, "cells": []}', "parse-error", 0),
        (b'{"nbformat": {}, "cells": []}', "parse-error", 0),
        (b'{"nbformat": 4, "cells": {"a": 1}}', "parse-error", 0),
        (b'{"cells": [{"cell_type": "code", "source": "a\nb"}]}', "parse-error", 1),
    ],
)
def test_what_is_no_notebook_costs_itself(raw: bytes, kind: str, line: int) -> None:
    source, gaps = look(None, raw=raw)
    assert source is None
    assert [(gap.kind, gap.line, gap.partial) for gap in gaps] == [(kind, line, True)]


@pytest.mark.parametrize(
    "cell",
    [
        None,
        1,
        "import os",
        [],
        {},
        {"cell_type": "code"},
        {"cell_type": "Code", "source": "x"},
        {"cell_type": ["code"], "source": "x"},
        code(None),
        code(1),
        code({"a": "b"}),
        code(["x = 1\n", 2]),
        code([["x"]]),
        code([None]),
    ],
)
def test_a_malformed_cell_costs_itself(cell: Any) -> None:
    source, gaps = look(notebook(code("x = 1"), cell, code("y = 2")))
    assert source is not None
    assert source.text == "x = 1\ny = 2\n"
    assert [(gap.kind, gap.cell, gap.partial) for gap in gaps] == [("parse-error", 2, True)]
    assert gaps[0].line > 1


def test_texts_that_are_hard_to_encode() -> None:
    source = read(notebook(code(["a = '\u2028'\n", "b = '\x00'\n"])))
    assert source.lines == 2
    raw = b'\xef\xbb\xbf{"cells": [{"cell_type": "code", "source": ["x = \'\\ud800\'\\n", "\xff"]}], "nbformat": 4}'
    found, gaps = look(None, raw=raw)
    assert found is not None
    assert found.lines == 2
    assert [(gap.kind, gap.partial) for gap in gaps] == [("encoding", False)]


def test_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILE_BYTES", 1_000)
    monkeypatch.setattr(limits, "NOTEBOOK_BYTES", 5_000)
    image = {"output_type": "display_data", "data": {"image/png": "A" * 3_000}}
    assert read(notebook(code("x = 1", outputs=[image]))).text == "x = 1\n"
    for value in (notebook(code("x = 1\n" * 200)), notebook(code("x", outputs=[image, image]))):
        source, gaps = look(value)
        assert source is None
        assert [gap.kind for gap in gaps] == ["too-large"]
