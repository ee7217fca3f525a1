"""What ``fuzz.py`` tries: of each reader and writer, how an input is made, how it is run, and which errors are its own."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import random
import shutil
import struct
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec
import mutate

import headwater
from headwater import baseline, configfile, limits, scanners, suppressions
from headwater import cache as kept
from headwater.apis.load import Catalogue
from headwater.comparison import compare
from headwater.config import Config
from headwater.documents.examine import examine
from headwater.files.discover import discover, language_of, safe
from headwater.files.read import source_of
from headwater.files.source import Source
from headwater.files.versions import declared
from headwater.findings import Confidence, Coverage, Finding, Gap, Place, Review, Severity, Step, Suppression, Trace
from headwater.frontends.pool import lower_source, pack, unpack
from headwater.reports import escape, github, gitlab, json_v1, junit, markdown, sarif, text
from headwater.reports.view import View, view
from headwater.rules import own
from headwater.rules.load import load_rules
from headwater.taint.interest import Interest

Files = dict[str, bytes]
"""An input: contents by relative path."""


class FaultError(Exception):
    """Something that must never be, found without an exception: a broken report, a crash that the ledger tells, other bytes."""


class Corpus:
    """Real files by the kind of what reads them."""

    def __init__(self, files: Mapping[str, Sequence[bytes]]) -> None:
        self.files = files

    def __getitem__(self, kind: str) -> Sequence[bytes]:
        return self.files.get(kind) or self.files["py"]


class Target(NamedTuple):
    """One thing that is tried."""

    inputs: int
    """How many inputs it gets by default."""
    make: Callable[[Random, Corpus], Files]
    run: Callable[[Files, Path], None]
    expected: tuple[type[Exception], ...] = ()
    """The errors that are its answer to a wrong input."""
    slow: bool = False
    """Whether an input is a whole review, which may take as long as a large file."""


# ------------------------------------------------------------------------------------------------------------ frontends


def _lower(path: str, data: bytes, language: str) -> None:
    source, gaps = source_of(path, data, language)
    for gap in gaps:
        escape.line(gap.reason).encode()
    if source is None:
        return
    module = lower_source(source, language)
    wrong = [gap.reason for gap in module.gaps if gap.reason.startswith("internal") or not 0 <= gap.start <= gap.end <= len(source.data)]
    if wrong:
        raise FaultError(f"a gap of the frontend: {wrong[0]}")
    unpack(pack(module))
    said = [*module.gaps, *module.remarks]
    for one in said[:50]:
        source.position(one.start)
        source.utf16_column(one.end)


def _python(rng: Random, corpus: Corpus) -> Files:
    return {"a.py": mutate.mutated(rng, corpus["py"], mutate.CODE)}


SCRIPTS: Final = ("ts", "tsx", "js", "vue", "svelte")
"""Kinds of files that are scripts."""


def _scripts(rng: Random, corpus: Corpus) -> Files:
    kind = rng.choice(SCRIPTS)
    data = rng.choice(corpus[kind])
    for _ in range(mutate.some(rng, 3)):
        data = rng.choice(mutate.SCRIPT)(rng, data, rng.choice(corpus[rng.choice(SCRIPTS)]))
    return {f"a.{kind}": data}


def _run_scripts(files: Files, folder: Path) -> None:
    for name, data in files.items():
        _lower(name, data, language_of(name))


def _notebook(rng: Random, corpus: Corpus) -> Files:
    data = rng.choice(corpus["ipynb"])
    if not data.lstrip().startswith(b"{"):  # a corpus without notebooks: code becomes one
        cells = [{"cell_type": "code", "source": part.decode("utf-8", "replace").splitlines(True)} for part in data.split(b"\n\n\n")]
        data = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()
    if rng.randrange(4):
        data = mutate.in_json(rng, data)
    if not rng.randrange(3):
        data = mutate.in_bytes(rng, data, rng.choice(corpus["ipynb"]))
    return {"a.ipynb": data}


def _each(language: str) -> Callable[[Files, Path], None]:
    def run(files: Files, folder: Path) -> None:
        for name, data in files.items():
            _lower(name, data, language)

    return run


# ------------------------------------------------------------------------------------------ rules, models, configuration

_OWN: Final = (
    "import os, pickle\nfrom flask import request\n\n\ndef act(x):\n    return pickle.load(open(request.args['a'])), os.system(x)\n"
)


def _rules(rng: Random, corpus: Corpus) -> Files:
    made: Files = {}
    for number in range(mutate.some(rng, 3)):
        kind = rng.choice(("md", "yaml"))
        data = (
            rng.choice(corpus[kind])
            .replace(b"\nid: ", b"\nid: own-", 1)
            .replace(b"\nflow:", b"\ncalls: [{path: a.b}]\nx-flow:" if rng.randrange(2) else b"\nflow:")
        )
        if rng.randrange(20):
            data = _short(rng, data)
            for _ in range(mutate.some(rng, 3)):
                data = rng.choice(mutate.TEXT)(rng, data, rng.choice(corpus[kind]))
        made[f"{number}.{kind}"] = data
    return made


def _short(rng: Random, data: bytes) -> bytes:
    """Often only its first entries: a change of a long file is rarely where it matters."""
    parts = data.split(b"\n  - path:")
    return b"\n  - path:".join(parts[: rng.choice((2, 4, len(parts)))])


def _run_rules(files: Files, folder: Path) -> None:
    _written(folder / "rules", files)
    read = own.read_folder(folder / "rules")
    rules, models = own.known(read), own.parsed(read).models
    Catalogue(list(models), [], ())
    assert rules
    if hashlib.sha256(b"".join(files.values())).digest()[0] < 16:  # one of sixteen, which is the same on each run
        _written(folder / "code", {"a.py": _OWN.encode()})
        _sound(headwater.review(folder / "code", Config(processes=1, own=read)))


_TOML: Final = (
    b'fail-on = "high"\nmin-confidence = "low"\nexclude = ["tests/", "*.ipynb"]\nprocesses = 2\n\n[rules]\nllm-output-to-code = "off"\n',
    b'persona = "audit"\nstrict-coverage = true\nrule-folders = ["rules", "../x"]\nexclude = ["/a/**/b", "!c", "[a-z]?"]\n',
    b"[rules]\nllm-output-to-shell = 'medium'\n'a.b' = \"low\"\n",
)


def _configuration(rng: Random, corpus: Corpus) -> Files:
    shared = bool(rng.randrange(2))
    data = rng.choice(_TOML)
    if shared:
        data = b"[tool.headwater]\n" + data.replace(b"[rules]", b"[tool.headwater.rules]")
        data = rng.choice(corpus["toml"]) + b"\n" + data if rng.randrange(2) else data
    for _ in range(mutate.some(rng, 3)):
        data = rng.choice(mutate.TEXT)(rng, data, rng.choice(_TOML))
    if not rng.randrange(30):
        data += b"a" + b".a" * rng.choice((150, 5_000)) + b" = 1\n" + b"[" * rng.choice((1, 400)) + b"x]\n"
    if not rng.randrange(30):
        data += b"x = " + b"[" * rng.choice((50, 5_000)) + b"]\ny = {" + b"a={" * rng.choice((10, 3_000)) + b"}\n"
    return {"pyproject.toml" if shared else "headwater.toml": data}


def _run_configuration(files: Files, folder: Path) -> None:
    _written(folder, files)
    config = configfile.load(folder)
    discover(folder, config.exclude)


# ---------------------------------------------------------------------------------------- what stands beside the source


def _comments(rng: Random, corpus: Corpus) -> Files:
    ids = ["llm-output-to-code", "x", "*", "", " llm-output-to-shell , x", mutate.text(rng)]
    lines = []
    for _ in range(mutate.some(rng, 20)):
        ends = ["a reason", "until=2027-01-31 reason", "reason until=2024-02-30", "until= x", "until=９999-01-01 r", mutate.text(rng), ""]
        comment = f"# headwater: ignore[{rng.choice(ids)}] {rng.choice(ends)}"
        if rng.randrange(2):
            comment = mutate.in_bytes(rng, comment.encode("utf-8", "replace"), b"# headwater : ignore [[a]").decode("utf-8", "replace")
        lines.append(rng.choice(("x = 1  {}", "{}", "def f():  {}", "x = (  {}\n  1)", "'''{}'''", "if x: {}\n y")).replace("{}", comment))
    data = "\n".join(lines).encode("utf-8", "replace")
    return {"a.py": data if rng.randrange(3) else mutate.in_bytes(rng, data, data)}


def _run_comments(files: Files, folder: Path) -> None:
    for line in files["a.py"].decode("utf-8", "replace").splitlines():
        suppressions.read(line.strip())
    source, _ = source_of("a.py", files["a.py"], "python")
    if source is None:
        return
    module = lower_source(source, "python")
    findings = [_finding("llm-output-to-code", Place("a.py", at, at + 1)) for at in range(0, len(source.data), 400)]
    applied = suppressions.apply(findings, {"a.py": module.remarks}, {"a.py": source}, load_rules(), datetime.date(2026, 6, 1))
    _reports(Review("/", tuple(applied.findings), Coverage(1, 1, 1, {}, tuple(applied.gaps), {}), {"a.py": source}, applied.suppressions))


_MANIFESTS: Final[Mapping[str, bytes]] = {
    "requirements.txt": b"torch==2.5.1\nlangchain>=0.3,<0.4 ; python_version < '3.12'\n-r o.txt\nx[y]~=1.0 --hash=sha256:0 \\\n  # c\n",
    "pyproject.toml": b'[project]\ndependencies = ["torch>=2.6", "gradio"]\n[tool.poetry.dependencies]\nflask = {version = "^2"}\n',
    "setup.cfg": b"[options]\ninstall_requires =\n    torch>=2\n    flask<3; extra == 'x'\n",
    "setup.py": b"from setuptools import setup\nsetup(install_requires=['torch>=2', \"flask<3\", # c\n 'x'])\n",
    "Pipfile.lock": b'{"default": {"torch": {"version": "==2.5.1"}, "flask": {"version": "*"}}, "develop": {}}',
    "poetry.lock": b'[[package]]\nname = "torch"\nversion = "2.5.1"\n\n[[package]]\nname = "flask"\nversion = "3.0"\n',
    "uv.lock": b'version = 1\n[[package]]\nname = "torch"\nversion = "2.5.1"\nsource = { registry = "x" }\n',
    "environment.yml": b"name: x\ndependencies:\n  - pytorch=2.5\n  - flask>=2,<3\n  - pip:\n    - gradio==4.0\n",
    "PKG-INFO": b'Metadata-Version: 2.1\nName: x\nRequires-Dist: torch>=2\nRequires-Dist: flask<3; extra == "x"\n\nText\n',
}


def _manifests(rng: Random, corpus: Corpus) -> Files:
    made = {}
    for name in rng.sample(sorted(_MANIFESTS), mutate.some(rng, 4)):
        data = _MANIFESTS[name]
        if rng.randrange(10):
            for _ in range(mutate.some(rng, 4)):
                data = rng.choice(mutate.TEXT)(rng, data, rng.choice(list(_MANIFESTS.values())))
        made[name] = data * rng.choice((1, 1, 1, 50))
    return made


def _run_manifests(files: Files, folder: Path) -> None:
    _written(folder, files)
    versions, gaps = declared(folder, ["a.py", "b/c.py"])
    for library in ("torch", "flask", "pytorch", "langchain", "gradio", "x"):
        versions.words("b/c.py", library).encode("utf-8", "surrogateescape")
        for operator in ("<", ">="):
            versions.all("b/c.py", library, operator, "2.6.0")
    versions.key()
    for gap in gaps:
        escape.line(gap.reason).encode()


_IGNORE: Final = b"*.pyc\n/build/\n!keep.py\n**/x/**\na[!b-d]?\\ \n# c\nfoo/*/bar\n[[:alpha:]]*\n"


def _beside(rng: Random, corpus: Corpus) -> Files:
    made = {"a.py": b"x = 1\n", "b/keep.py": b"x = 1\n", "b/build/c.py": b"x = 1\n", "n": b"#!/usr/bin/env python3\n"}
    for name in (".gitignore", "b/.gitignore", ".git/info/exclude"):
        data = _IGNORE
        for _ in range(mutate.some(rng, 4)):
            data = rng.choice(mutate.TEXT)(rng, data, rng.choice(corpus["py"])[:2_000])
        made[name] = data + (b"*a" * rng.choice((0, 0, 20, 400))) + b"\n"
    made[".git/HEAD"] = b"ref: refs/heads/x\n"
    index = _index([b"a.py", b"b/keep.py", b"b/build/c.py"])
    made[".git/index"] = mutate.in_bytes(rng, index, index) if rng.randrange(10) else index
    return made


def _index(names: Sequence[bytes]) -> bytes:
    """Git's list of tracked files, version 2."""
    data = struct.pack(">4sII", b"DIRC", 2, len(names))
    for name in names:
        entry = struct.pack(">10I20sH", 0, 0, 0, 0, 0, 0, 0o100644, 0, 0, 0, bytes(20), len(name)) + name
        data += entry + b"\0" * (8 - len(entry) % 8)
    return data + hashlib.sha1(data).digest()


def _run_beside(files: Files, folder: Path) -> None:
    _written(folder, files)
    found = discover(folder)
    for gap in found.gaps:
        escape.path(gap.path).encode()


# --------------------------------------------------------------------------------------------------------------- reports


def _finding(rule: str, place: Place, **more: object) -> Finding:
    made = Finding(rule, "T", "M.", Severity.HIGH, Confidence.HIGH, place, "f", "code", "llm-output", "x", 0, (), "F.", (95,), ())
    return msgspec.structs.replace(made, **more)


def _name(rng: Random) -> str:
    """A path as the file system may have it, as the reader of folders says it."""
    return safe(os.fsdecode(mutate.text(rng).encode("utf-8", "replace")))


def _hostile(rng: Random, corpus: Corpus) -> Files:
    """The text is made again from the seed: a report is of values, not of a file."""
    return {"seed": str(rng.getrandbits(60)).encode(), "code": mutate.mutated(rng, corpus["py"], mutate.TEXT)[:20_000]}


def _run_hostile(files: Files, folder: Path) -> None:
    rng = random.Random(files["seed"].decode())
    names = [_name(rng) for _ in range(3)]
    sources = {name: Source(name, files["code"] + mutate.text(rng).encode("utf-8", "replace")) for name in names}
    rules = sorted(load_rules())

    def place() -> Place:
        name = rng.choice(names)
        size = len(sources[name].data)
        start = rng.randrange(size + 1)
        return Place(name, start, min(size, start + rng.choice((0, 1, 40, 5_000))))

    def trace() -> Trace:
        roles = ["source", *["step"] * rng.randrange(4), "sink"]
        kind = rng.choice(("llm-output", "http-input"))
        return Trace(kind, tuple(Step(place(), mutate.text(rng), kind, mutate.text(rng), role) for role in roles))

    findings = []
    for _ in range(rng.randrange(5)):
        words = [mutate.text(rng) for _ in range(4)]
        accepted = Suppression(names[0], rng.randrange(9), mutate.text(rng), "used", mutate.text(rng)) if not rng.randrange(4) else None
        findings.append(_finding(
            rng.choice(rules), place(), message=words[0], function=words[1], expression=words[2], weaknesses=(words[3],),
            severity=rng.choice(list(Severity)), traces=tuple(trace() for _ in range(rng.randrange(3))), suppression=accepted,
        ))  # fmt: skip
    gaps = tuple(
        Gap(rng.choice(("parse-error", "crash", "limit")), rng.choice(names), rng.randrange(5), mutate.text(rng))
        for _ in range(rng.randrange(4))
    )
    coverage = Coverage(3, 10, 2, {"python": 3}, gaps, {"calls": 1})
    _reports(
        Review(
            "/", tuple(findings), coverage, sources, (Suppression(names[0], 1, "x", "malformed", mutate.text(rng), "", mutate.text(rng)),)
        )
    )


def _reports(review: Review) -> bytes:
    """All reports of it; raises FaultError where one is broken, or holds what steers its reader. Returns one."""
    shown = view(review, Config(persona="audit", processes=1), load_rules(), "0")
    moment = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
    made = {
        "json": json_v1.render(shown), "sarif": sarif.render(shown), "github": github.render(shown), "quality": gitlab.code_quality(shown),
        "sast": gitlab.sast(shown, moment), "junit": junit.render(shown), "markdown": markdown.render(shown), "text": _page(shown),
    }  # fmt: skip
    for format, data in made.items():
        page = data.decode("utf-8")
        if escape.visible(page := page.replace("\u26a0\ufe0f", "\u26a0")) != page:  # Markdown has a sign of its own
            raise FaultError(f"{format}: a hidden character")
        if format != "github" and escape.log(page) != page:
            raise FaultError(f"{format}: a command for a build server")
        if format in ("json", "sarif", "quality", "sast"):
            json.loads(data)
        elif format == "junit":
            ElementTree.fromstring(data)
    return made["json"] + made["sarif"]


def _page(shown: View) -> bytes:
    for width in (1, 20, 79):
        text.render(shown, width=width)
    return text.render(shown).encode()


# ----------------------------------------------------------------------------------------- scripts, and other scanners

_COMMANDS: Final[Mapping[str, bytes]] = {
    "Dockerfile": b"FROM a\nENV PIP_TRUSTED_HOST=h.b X=1\nRUN --mount=type=cache pip install \\\n  # c\n  'torch>=2' x==1 && \\\n"
    b'    curl -o m "https://h.b/model.bin?x" | tar\nRUN ["npm", "i", "@a/b@1"]\nADD https://h.b/w.pt /w\n',
    "a.sh": b"if [ x ]; then uv pip install -r r.txt 'a[b]' --extra-index-url=https://u:p@h.b/s > l 2>&1; fi\ncat <<'E'\npip install\nE\n"
    b"hf download a/b\n",
    "pip.conf": b"[global]\nindex-url = http://h.b/s\nextra-index-url = https://h.b/s https://c.d\n",
    "requirements.txt": b"-i http://h.b/s\n--trusted-host h.b\njinja2==2.4\n",
    ".npmrc": b"@a:registry=http://h.b/\nstrict-ssl=false\n",
}
_IMPORTS: Final = Path(__file__).parent.parent / "tests" / "data" / "imports"


def _commands(rng: Random, corpus: Corpus) -> Files:
    made = {}
    for name in rng.sample(sorted(_COMMANDS), mutate.some(rng, 4)):
        data = _COMMANDS[name]
        for _ in range(mutate.some(rng, 4)):
            data = rng.choice(mutate.TEXT)(rng, data, rng.choice(list(_COMMANDS.values())))
        made[name] = data * rng.choice((1, 1, 1, 50))
    report = rng.choice(sorted(_IMPORTS.iterdir())).read_bytes()
    if rng.randrange(4) and not report.startswith(b'{"SourceMetadata'):
        report = mutate.in_json(rng, report)
    return {**made, "report": report if rng.randrange(3) else mutate.in_bytes(rng, report, report), "app.py": b'K = "Zk39vTq8LmW2xPf7Rb"\n'}


def _run_commands(files: Files, folder: Path) -> None:
    _written(folder, files)
    try:
        imported = (scanners.read(str(folder / "report")),)
    except scanners.ReportError:
        imported = ()
    found = discover(folder, ())
    code = {"app.py": Source("app.py", files["app.py"])}
    made = examine(found.papers, code, set(code), [], load_rules(), imported)
    some = tuple(made.findings[:20])  # writing a thousand of them is what takes time
    _reports(Review("/", some, Coverage(1, 1, 1, {}, tuple(made.gaps), {}), {**code, **made.sources}))


# -------------------------------------------------------------------------------------------------------------- baseline


@cache
def _known() -> tuple[Review, bytes, bytes]:
    """A review with findings, as a value and as the reports that one can be compared with."""
    with tempfile.TemporaryDirectory() as folder:
        _written(Path(folder), {"a.py": _OWN.encode(), "b/c.py": _OWN.replace("act", "other").encode() * 3})
        review = headwater.review(Path(folder), Config(processes=1))
    shown = view(review, Config(persona="audit"), load_rules(), "0")
    return review, json_v1.render(shown), sarif.render(shown)


def _report(rng: Random, corpus: Corpus) -> Files:
    data = rng.choice(_known()[1:])
    if not rng.randrange(8):  # many findings, the same ones or nearly
        report = json.loads(_known()[1])
        report["findings"] = report["findings"] * rng.choice((30, 600))
        for one in report["findings"][:: rng.choice((2, 7))]:
            one["ordinal"], one["expression"] = rng.randrange(5), mutate.text(rng)[:50].encode("utf-8", "replace").decode()
        data = json.dumps(report).encode()
    if rng.randrange(4):
        data = mutate.in_json(rng, data)
    return {"report.json": data if rng.randrange(3) else mutate.in_bytes(rng, data, data)}


def _run_report(files: Files, folder: Path) -> None:
    _written(folder, files)
    earlier = baseline.read(folder / "report.json")
    _reports(compare(_known()[0], earlier, "report.json", load_rules()))


# ----------------------------------------------------------------------------------------------------------------- cache


@cache
def _store(folder: str) -> tuple[Path, list[Path], kept.Card]:
    """A cache of one file, made once for each process."""
    place = Path(folder)
    _written(place / "code", {"a.py": _OWN.encode()})
    store = place / "store"
    headwater.review(place / "code", Config(processes=1, cache=str(store)))
    files = sorted(path for path in store.rglob("*") if path.is_file())
    return store, files, kept.Cache(str(store), place / "code").cards()["a.py"]


def _cached(rng: Random, corpus: Corpus) -> Files:
    return {"seed": str(rng.getrandbits(60)).encode(), "other": rng.choice(corpus["py"])[:5_000]}


def _run_cached(files: Files, folder: Path) -> None:
    """What is read may be wrong, as long as it has its form; a file without the right digest is as none."""
    rng = random.Random(files["seed"].decode())
    store, names, card = _store(str(folder.parent / "cache"))
    chosen = rng.choice(names)
    before = chosen.read_bytes()
    head = len(kept._FORM) + kept._DIGEST
    if sealed := bool(rng.randrange(3)):
        inner = mutate.in_bytes(rng, before[head:], files["other"])
        after = kept._FORM + hashlib.sha256(inner).digest() + inner
    else:
        after = mutate.in_bytes(rng, before, files["other"])
    chosen.write_bytes(after)
    try:
        one = kept.Cache(str(store), folder.parent / "cache" / "code")
        one.cards()
        module = one.module("a.py", card)
        result = next(one.result(path.name) for path in names if path.parent.parent.name == "results")
        one.made("models", list, list)
        if not sealed and after != before and chosen.parent.parent.name == "results" and result is not None:
            raise FaultError("a result without its digest was taken")
        if after != before and chosen.parent.parent.name == "modules" and module is not None:
            raise FaultError("IR without its digest was taken")
    finally:
        chosen.write_bytes(before)


# --------------------------------------------------------------------------------------------------------- whole reviews


def _code(rng: Random, corpus: Corpus) -> Files:
    small = [data for data in corpus["py"] if len(data) < 25_000] or corpus["py"]
    names = ("a.py", "b.py", "p/__init__.py", "p/c.py", "p/d.py", "tests/test_e.py")
    return {name: mutate.mutated(rng, small, mutate.MEANING if rng.randrange(4) else mutate.CODE) for name in rng.sample(names, 4)}


def _code_of_scripts(rng: Random, corpus: Corpus) -> Files:
    """Scripts that import each other, by the names that the corpus has."""
    made: Files = {}
    for name in rng.sample(("a.ts", "b.tsx", "src/index.ts", "src/c.js", "lib/d.vue", "lib/e.svelte", "dist/c.js"), 4):
        files = corpus[name.rpartition(".")[2]]
        data = rng.choice([data for data in files if len(data) < 25_000] or files)
        for _ in range(mutate.some(rng, 3)):
            data = rng.choice(mutate.MEANING if rng.randrange(4) else mutate.SCRIPT)(rng, data, rng.choice(files))
        made[name] = data
    return made


@contextmanager
def _everything() -> Iterator[None]:
    """The engine meets every function, also those that name no operation and would be left out."""
    before = Interest.seeds
    Interest.seeds = lambda self: [fn.id for fn in self.symbols.functions]  # type: ignore[method-assign]
    try:
        yield
    finally:
        Interest.seeds = before  # type: ignore[method-assign]


def _run_code(files: Files, folder: Path) -> None:
    _written(folder, files)
    with _everything():
        _sound(headwater.review(folder, Config(processes=1)))


def _sound(review: Review) -> bytes:
    faults = [gap.reason for gap in review.coverage.gaps if gap.kind in ("crash", "trace")]
    if faults:
        raise FaultError(f"the ledger says: {faults[0]}")
    return _reports(review)


def _project(rng: Random, corpus: Corpus) -> Files:
    made = {
        **_code(rng, corpus),
        **_code_of_scripts(rng, corpus),
        **_notebook(rng, corpus),
        **_manifests(rng, corpus),
        **_comments(rng, corpus),
    }
    if not rng.randrange(4):
        made.update(_configuration(rng, corpus))
    if not rng.randrange(4):
        made.update({name: data for name, data in _beside(rng, corpus).items() if ".git" in name})
    for name in [name for name in made if not rng.randrange(4)]:
        odd = _name(rng).replace("/", "_").replace("\0", "")[:40]
        made[f"{odd}/{odd}.py"] = made[name]
    return made


def _run_project(files: Files, folder: Path) -> None:
    """One and two processes, without a cache, with a new one, a known one and a broken one: the same bytes."""
    project, store = folder / "project", folder / "store"
    _written(project, files)
    os.symlink("..", project / "up")
    os.symlink("/etc", project / "out")
    os.mkfifo(project / "fifo.py")
    try:
        config = configfile.load(project)
    except configfile.ConfigError:
        config = configfile.load(project, repository=False)

    def reviewed(processes: int, where: str) -> bytes:
        return _sound(headwater.review(project, msgspec.structs.replace(config, processes=processes, cache=where)))

    one = reviewed(1, "")
    if reviewed(2, "") != one:
        raise FaultError("two processes: other bytes")
    for state in ("new", "known"):
        if reviewed(1, str(store)) != one:
            raise FaultError(f"a {state} cache: other bytes")
    rng = random.Random(hashlib.sha256(one).digest()[0])
    for path in sorted(path for path in store.rglob("*") if path.is_file()):
        path.write_bytes(mutate.in_bytes(rng, path.read_bytes(), b"x"))
    if reviewed(1, str(store)) != one:
        raise FaultError("a broken cache: other bytes")


def _written(folder: Path, files: Files) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def emptied(folder: Path) -> Path:
    """A folder for one input, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


TARGETS: Final[Mapping[str, Target]] = {
    "python": Target(24_000, _python, _each("python")),
    "scripts": Target(12_000, _scripts, _run_scripts),
    "notebook": Target(8_000, _notebook, _each("notebook")),
    "rules": Target(4_000, _rules, _run_rules, (own.OwnError,)),
    "configuration": Target(6_000, _configuration, _run_configuration, (configfile.ConfigError,)),
    "suppressions": Target(2_500, _comments, _run_comments),
    "versions": Target(6_000, _manifests, _run_manifests),
    "ignored": Target(2_000, _beside, _run_beside),
    "reports": Target(2_500, _hostile, _run_hostile),
    "commands": Target(4_000, _commands, _run_commands),
    "baseline": Target(4_000, _report, _run_report, (baseline.BaselineError,)),
    "cache": Target(4_000, _cached, _run_cached),
    "engine": Target(700, _code, _run_code, slow=True),
    "scripts-engine": Target(400, _code_of_scripts, _run_code, slow=True),
    "reviews": Target(300, _project, _run_project, slow=True),
}


def seconds_of(target: Target, files: Files) -> float:
    """How long an input may take."""
    return limits.FILE_SECONDS if target.slow or sum(map(len, files.values())) > 100_000 else 5.0
