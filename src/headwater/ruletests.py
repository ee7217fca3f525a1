"""Runs the tests of rules and API models: small projects whose comments say where a rule must report, and where not.

Tests are the cases of rule pages, the examples of API model files, and code that stands beside them in a folder of the user's:
``<name>.py`` or a folder ``<name>`` beside ``<name>.md`` or ``<name>.yaml``. Each is reviewed by itself, in a folder of its own, and
never run. What a mark looks like is said in ``headwater.rules.marks``.
"""

from __future__ import annotations

import gc
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec
import yaml

from headwater import limits, pipeline
from headwater.apis import load as apis
from headwater.apis.schema import ApiFile
from headwater.config import Config, OwnFile
from headwater.files.discover import FRONTENDS, is_deployed, language_of, safe
from headwater.files.read import UnreadableError, read_bytes
from headwater.findings import Review
from headwater.rules import builtin, own
from headwater.rules import load as rules
from headwater.rules.load import Rule
from headwater.rules.marks import Mark, marks
from headwater.rules.own import OwnError

_CODE: Final = ".py"
_MODELS: Final = (".jinja", ".json", ".yaml", ".pmml")
"""Files of text that are examples of model files."""
_NAME: Final = "example.py"
_COLLECT: Final = 8
"""Tests after which memory is given back: each leaves some 15 MB of cycles, and the command line runs without a garbage collector."""
_WANTED: Final = frozenset({"expect", "ruleid", "flow"})
_MISSED: Final = frozenset({"MISSING", "todoruleid"})
_FLOW: Final = "---\nid: {id}\ntitle: A flow\nseverity: low\nmessage: A flow.\nfix: None.\nflow: {{from: [{kind}], to: [{class_}]}}\n---\n"


class TestFile(msgspec.Struct, frozen=True):
    """One file of a test."""

    path: str
    """In the project that is reviewed."""
    data: bytes
    shown: str
    """The file that the user knows."""
    first: int
    """The line of that file on which it begins; 0: all of it is told as one line, ``line``."""
    line: int = 1

    @property
    def is_code(self) -> bool:
        name = self.path.rpartition("/")[2]
        return language_of(name) in FRONTENDS or is_deployed(name)

    @property
    def marks(self) -> tuple[Mark, ...]:
        marked = self.is_code or self.path.endswith(_MODELS)
        return marks(self.path, self.data.decode("utf-8", "replace")) if marked else ()

    def place(self, line: int) -> tuple[str, int]:
        return self.shown, self.first + line - 1 if self.first else self.line


class Test(msgspec.Struct, frozen=True):
    """One small project."""

    title: str
    subject: str
    """The rule or file of API models that it belongs to."""
    files: tuple[TestFile, ...]
    rules: frozenset[str] | None
    """Rules that may report nothing else than what is marked, beside those that marks name; None: all."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(mark for file in self.files for mark in file.marks)


class Said(msgspec.Struct, frozen=True, order=True):
    """Something that a test, or its absence, tells."""

    path: str
    line: int
    """0: the whole file."""
    rule: str
    message: str


class Outcome(msgspec.Struct, frozen=True):
    """What all tests told."""

    rules: int
    models: int
    tests: int
    expectations: int
    failures: tuple[Said, ...]
    known: tuple[Said, ...]
    """Misses and false alarms that marks own up to."""
    notes: tuple[Said, ...]
    """Such ones that are gone now."""
    warnings: tuple[Said, ...]


Progress = Callable[[str, int, int], None]


def run(folders: Sequence[str], progress: Progress | None = None) -> Outcome:
    """Runs all tests in folders of rules, or without folders those of the built-in ones; raises OwnError."""
    folders = own.each_once(folders)
    files = tuple(file for folder in folders for file in own.read_folder(folder))
    parsed = own.parsed(files)
    under_test = parsed.rules if folders else builtin.rules()
    models = parsed.models if folders else tuple(builtin.models())
    texts = {file.name: file.text for file in files}
    texts = texts or {name: apis.text_of(name) for name, _ in models}
    warnings: list[Said] = []
    tests = [test for rule in under_test.values() for test in _of_page(rule)]
    tests += [test for name, model in models for test in _of_model(name, model, texts[name])]
    for folder in folders:
        tests += _beside(folder, warnings)
    told = _Told(files)
    for number, test in enumerate(tests):
        if progress is not None:
            progress("test", number, len(tests))
        told.add(test)
        if number % _COLLECT == _COLLECT - 1:
            gc.collect()
    for rule in under_test.values():
        warnings += _lacks(rule.path, rule.id, [test for test in tests if _speaks_of(test, rule.id)], {rule.id})
    for name, _ in models:
        warnings += _lacks(name, "", [test for test in tests if test.subject == name], None)
    marked = sum(len(test.marks) for test in tests)
    said = (tuple(sorted(dict.fromkeys(some))) for some in (told.failures, told.known, told.notes, warnings))
    return Outcome(len(under_test), len(models), len(tests), marked, *said)


# ---------------------------------------------------------------------------------------------------------- collecting


def _of_page(rule: Rule) -> Iterator[Test]:
    try:
        cases = rule.cases
    except rules.RuleError as error:
        raise OwnError(str(error)) from None
    for case in cases:
        files = tuple(TestFile(file.path, file.text.encode(), rule.path, file.line) for file in case.files)
        yield Test(case.title, rule.path, files, frozenset({rule.id}))


def _of_model(name: str, model: ApiFile, text: str) -> Iterator[Test]:
    node: Any = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if model.examples else None
    for number, example in enumerate(model.examples):
        at = _child(_child(node, "examples"), number)
        blocks = {apis.example_file(name): (example.code, _child(at, "code"))}
        blocks |= {path: (code, _child(_child(at, "files"), path)) for path, code in example.files.items()}
        files = tuple(TestFile(_inside(path, name), code.encode(), name, *_lines(block)) for path, (code, block) in blocks.items())
        yield Test(example.why or f"example {number + 1}", name, files, None)


def _child(node: Any, key: str | int) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        return node.value[key]
    return None


def _lines(block: Any) -> tuple[int, int]:
    """The first line of a text in YAML, and the line to name where its lines are not those of the file."""
    at = int(block.start_mark.line) + 1 if block is not None else 1
    return (at + 1, at) if block is not None and block.style == "|" else (0, at)


def _inside(path: str, name: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path or "\0" in path or not parts.parts:
        raise OwnError(f"{name}:1: the path {path!r} of an example leaves it")
    return path


def _beside(folder: str, warnings: list[Said]) -> Iterator[Test]:
    """The code that stands beside rules and API models."""
    subjects: dict[str, list[str]] = {}
    names = sorted(os.listdir(folder))
    for name in names:
        if own.is_rule(name) or own.is_model(name):
            subjects.setdefault(name.rpartition(".")[0], []).append(name)
    for name in names:
        path = os.path.join(folder, name)
        shown = safe(path)
        is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
        if name.startswith((".", "__")) or not (is_folder or name.endswith(_CODE)):
            continue
        stem = name if is_folder else name.removesuffix(_CODE)
        if stem not in subjects:
            warnings.append(Said(shown, 0, "", f"not run: there is no {stem}.md and no {stem}.yaml beside it"))
            continue
        # A file beside acme.yaml must not become the module acme that it imports.
        files = tuple(_project(path, shown)) if is_folder else (_file(path, _NAME, shown),)
        under = None if any(own.is_model(subject) for subject in subjects[stem]) else frozenset({stem})
        for subject in subjects[stem]:
            yield Test(name, safe(os.path.join(folder, subject)), files, under)
            under = None  # what all rules say is the same for every subject; it is asked once


def _project(folder: str, shown: str) -> Iterator[TestFile]:
    """The files of a folder that is one project, without following a link."""
    names = total = 0
    waiting = [folder]
    while waiting:
        at = waiting.pop()
        for name in sorted(os.listdir(at)):
            names += 1
            if names > limits.RULE_TEST_NAMES:
                raise OwnError(f"{shown}: more than {limits.RULE_TEST_NAMES:,} files in one test")
            path = os.path.join(at, name)
            if name == "__pycache__" or name.startswith("."):
                continue
            if stat.S_ISDIR(os.lstat(path).st_mode):
                waiting.append(path)
                continue
            file = _file(path, os.path.relpath(path, folder).replace(os.sep, "/"), safe(path))
            total += len(file.data)
            if total > limits.RULE_TEST_BYTES:
                raise OwnError(f"{shown}: more than {limits.RULE_TEST_BYTES:,} bytes in one test")
            yield file


def _file(path: str, name: str, shown: str) -> TestFile:
    try:
        return TestFile(name, read_bytes(path, limits.FILE_BYTES), shown, 1)
    except UnreadableError as error:
        raise OwnError(f"{shown}: {'it is a symbolic link' if error.kind == 'symlink' else error.reason}") from None


# ------------------------------------------------------------------------------------------------------------- running


class _Told:
    """Reviews tests and compares what is reported with what is marked."""

    def __init__(self, files: tuple[OwnFile, ...]) -> None:
        self._files = files
        self._rules = own.known(files)
        self.failures: list[Said] = []
        self.known: list[Said] = []
        self.notes: list[Said] = []

    def add(self, test: Test) -> None:
        files = {file.path: file for file in test.files}
        said = list(dict.fromkeys(test.marks))
        flows, valid = self._flows(files, said)
        review = _review(test, Config(own=(*self._files, *flows), processes=1, suppressions=False))
        for gap in review.coverage.gaps:
            if gap.partial and gap.path in files:
                self._say(self.failures, files, gap.path, gap.line or 1, "", f"it was not looked at: {gap.reason}")
        under = None if test.rules is None else test.rules | {mark.rule for mark in valid}
        reported = _reported(review, under)
        for mark in valid:
            self._judge(mark, (mark.path, mark.line, mark.rule) in reported, files)
        spoken = {(mark.path, mark.line, mark.rule) for mark in valid}
        for path, line, rule in sorted(reported - spoken):
            self._say(self.failures, files, path, line, rule, "reported, but no mark expects it")

    def _flows(self, files: Mapping[str, TestFile], said: list[Mark]) -> tuple[list[OwnFile], list[Mark]]:
        """Rules for flows that no rule reports, and the marks that name a rule or such a flow."""
        made: dict[str, OwnFile] = {}
        valid: list[Mark] = []
        for mark in said:
            if mark.word != "flow":
                if mark.rule in self._rules:
                    valid.append(mark)
                else:
                    self._say(self.failures, files, mark.path, mark.line, mark.rule, "there is no such rule")
                continue
            kind, _, class_ = mark.rule.partition("-to-")
            flow = OwnFile(f"{mark.rule}.md", _FLOW.format(id=mark.rule, kind=kind, class_=class_))
            try:
                own.parsed((*self._files, flow))
            except OwnError as error:
                self._say(self.failures, files, mark.path, mark.line, mark.rule, str(error).partition(": ")[2])
                continue
            made[mark.rule] = flow
            valid.append(mark)
        return list(made.values()), valid

    def _judge(self, mark: Mark, found: bool, files: Mapping[str, TestFile]) -> None:
        """Whether one mark holds."""
        messages = {
            # word: where it is said, and what, if the rule reports; if it does not
            "expect": (None, (self.failures, "not reported")),
            "ruleid": (None, (self.failures, "not reported")),
            "flow": (None, (self.failures, "no such flow is found")),
            "ok": ((self.failures, "reported, but it is marked ok"), None),
            "MISSING": ((self.failures, "reported now: MISSING must become expect"), (self.known, "known miss")),
            "SPURIOUS": ((self.known, "known false alarm"), (self.failures, "not reported any more: SPURIOUS can go")),
            "todoruleid": ((self.notes, "reported now: todoruleid can become ruleid"), (self.known, "known miss")),
            "todook": ((self.known, "known false alarm"), (self.notes, "not reported any more: todook can become ok")),
        }
        told = messages[mark.word][0 if found else 1]
        if told is not None:
            self._say(told[0], files, mark.path, mark.line, mark.rule, told[1])

    def _say(self, where: list[Said], files: Mapping[str, TestFile], path: str, line: int, rule: str, message: str) -> None:
        where.append(Said(*files[path].place(line), rule, message))


def _review(test: Test, config: Config) -> Review:
    with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
        root = Path(folder, "test")
        for file in test.files:
            path = root / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        (root / ".git").mkdir(parents=True)  # what stands above the folder, as a repository with its own manifests, has no say
        return pipeline.review(root, config)


def _reported(review: Review, under: frozenset[str] | None) -> set[tuple[str, int, str]]:
    return {
        (finding.place.path, review.sources[finding.place.path].position(finding.place.start)[0], finding.rule)
        for finding in review.findings
        if under is None or finding.rule in under
    }


# ------------------------------------------------------------------------------------------------------------- lacking


def _speaks_of(test: Test, rule: str) -> bool:
    return (test.rules is not None and rule in test.rules) or any(mark.rule == rule for mark in test.marks)


def _lacks(path: str, rule: str, tests: Sequence[Test], about: set[str] | None) -> Iterator[Said]:
    """What tests a rule, or a file of API models, does not have."""
    said = [[mark for mark in file.marks if about is None or mark.rule in about] for test in tests for file in test.files if file.is_code]
    if not any(mark.word in _WANTED for some in said for mark in some):
        yield Said(path, 0, rule, "no example in which it must report")
    quiet = any(not any(mark.word in _WANTED | _MISSED for mark in some) for some in said)
    if not quiet and not any(mark.word == "ok" for some in said for mark in some):
        yield Said(path, 0, rule, "no example in which it must be quiet")
