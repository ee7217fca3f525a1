"""Does a finding stay the same one when the code is refactored? Makes random refactorings of real packages, reviews before and after.

    python benchmarks/refactorings.py --count 500 PACKAGE...

Each PACKAGE is a folder with Python source. Every refactoring changes a copy; where each finding must be afterwards is known from the
change itself (``edits.py``), so that a finding that is matched to another one's place is seen. Status 1: under 98 % were matched, or two
were swapped.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from edits import Change, Code, Piece

from headwater import review
from headwater.config import Config
from headwater.findings import Finding, Review
from headwater.matching import Item, item, match

LEAST = 0.98


class ImpossibleError(Exception):
    """A refactoring that this code gives no occasion for."""


class Project:
    """The files as they are, and the findings in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = {one.relative_to(root).as_posix(): one.read_bytes() for one in sorted(root.rglob("*.py")) if one.is_file()}
        self.review = self._reviewed()
        self.findings = [one for one in self.review.findings if one.place.path in self.files]
        self.items = items(self.review, self.findings)
        self._codes: dict[str, Code | None] = {}

    def _reviewed(self) -> Review:
        return review(self.root, Config(processes=1))

    def code(self, path: str) -> Code:
        if path not in self._codes:
            data = self.files[path]
            try:
                self._codes[path] = None if b"\r" in data or b"\f" in data or data.startswith(b"\xef\xbb\xbf") else Code(path, data)
            except (SyntaxError, ValueError):
                self._codes[path] = None
        found = self._codes[path]
        if found is None:
            raise ImpossibleError
        return found

    def after(self, change: Change) -> Review:
        texts = change.texts()
        for text in texts.values():
            try:
                ast.parse(text)
            except SyntaxError:
                raise ImpossibleError from None
        try:
            for path in change.gone:
                (self.root / path).unlink()
            for path, text in texts.items():
                (self.root / path).write_bytes(text)
            return self._reviewed()
        finally:
            for path in texts:
                (self.root / path).unlink(missing_ok=True)
            for path in {*change.gone, *texts} & set(self.files):
                (self.root / path).write_bytes(self.files[path])


def items(result: Review, findings: list[Finding]) -> list[Item]:
    return [item(one, result.sources[one.place.path].position(one.place.start)[0]) for one in findings]


# ------------------------------------------------------------------------------------------------------ refactorings

Maker = Callable[[Project, random.Random, Finding, Change], None]


def holding(project: Project, finding: Finding) -> tuple[Code, ast.AST, ast.FunctionDef | ast.AsyncFunctionDef]:
    code = project.code(finding.place.path)
    found = code.holding(finding.place.start)
    if found is None:
        raise ImpossibleError
    return code, *found


def module_name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def move_function(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """Into a file that is there, or a new one, which imports what the old one did; the old one imports the function."""
    code, parent, fn = holding(project, finding)
    if parent is not code.tree:
        raise ImpossibleError
    folder = code.path.rpartition("/")[0]
    package = f"{folder}/__init__.py" in project.files
    others = [one for one in project.files if one.rpartition("/")[0] == folder and one != code.path and not one.endswith("__init__.py")]
    new = f"{folder}/moved_code.py".lstrip("/")
    target = rng.choice(others) if others and rng.random() < 0.5 else new
    start, end = code.lines(fn)
    imports = [code.text(one) for one in code.tree.body if isinstance(one, ast.Import | ast.ImportFrom) and one.col_offset == 0]
    used = {one.id for one in ast.walk(fn) if isinstance(one, ast.Name)}
    own = sorted(used & (defined(code.tree) - {fn.name}))
    dot = "." if package else ""
    head = [*imports, *([f"from {dot}{module_name(code.path)} import {', '.join(own)}"] if own else [])]
    future = [one for one in head if "__future__" in one]
    text = "\n".join(one for one in head if one not in future) + "\n\n\n"
    moved = change.cut(code.path, start, end)
    change.insert(code.path, start, f"from {dot}{module_name(target)} import {fn.name}\n")
    if target == new:
        change.append(target, [Piece(text=("\n".join([*future, text])).encode()), *moved])
    else:
        project.code(target)
        change.append(target, [Piece(text=f"\n\n{text}".encode()), *moved])


def defined(tree: ast.Module) -> set[str]:
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return names


def rename_file(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """With the imports of it."""
    path = finding.place.path
    old = module_name(path)
    if old.startswith("__"):
        raise ImpossibleError
    new = f"{old}_renamed"
    dotted = path.removesuffix(".py").split("/")
    for other in project.files:
        if old.encode() not in project.files[other]:
            continue
        code = project.code(other)
        package = other.split("/")[:-1]
        for node in ast.walk(code.tree):
            if isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                module = [*base, *(node.module or "").split(".")] if node.module else base
                if module == dotted:
                    swap(change, code, node, rf"\b{old}(?=\s+import\b)", new)
                elif [*module, old] == dotted and any(one.name == old and not one.asname for one in node.names):
                    swap(change, code, node, rf"(?<=[\s,(]){old}\b(?!\s+import)(?!\.)", f"{new} as {old}")
            elif isinstance(node, ast.Import) and any(one.name.split(".") == dotted for one in node.names):
                raise ImpossibleError
    change.rename(path, path.removesuffix(".py") + "_renamed.py")


def swap(change: Change, code: Code, node: ast.AST, pattern: str, new: str) -> None:
    start, _ = code.span(node)
    found = re.search(pattern, code.text(node))
    if found is None:
        raise ImpossibleError
    before = len(code.text(node)[: found.start()].encode())
    change.replace(code.path, start + before, start + before + len(found.group().encode()), new)


def everywhere(project: Project, change: Change, old: str, new: str) -> None:
    """A name in all files."""
    for path, data in project.files.items():
        if old.encode() in data:
            code = project.code(path)
            for name, start, end in list(code.names()):
                if name == old:
                    change.replace(path, start, end, new)


def rename_function(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    _, _, fn = holding(project, finding)
    rename_definition(project, change, fn.name)


def rename_class(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    _, parent, _ = holding(project, finding)
    if not isinstance(parent, ast.ClassDef):
        raise ImpossibleError
    rename_definition(project, change, parent.name)


def rename_definition(project: Project, change: Change, name: str) -> None:
    """One that is unlike every other name, so that it is the same thing wherever it is written."""
    count = sum(len(re.findall(rf"\b(?:def|class)\s+{name}\b".encode(), data)) for data in project.files.values())
    if count != 1 or len(name) < 5 or name.startswith("__"):
        raise ImpossibleError
    everywhere(project, change, name, f"{name}_renamed" if name.islower() else f"{name}Renamed")


def rename_variable(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """A local variable, one of the operation if it has any."""
    code, _, fn = holding(project, finding)
    stored = {one.id for one in ast.walk(fn) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    rename_local(change, code, fn, rng, finding, stored - parameters(fn))


def rename_parameter(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """With the calls that name it."""
    code, _, fn = holding(project, finding)
    name = rename_local(change, code, fn, rng, finding, parameters(fn) - {"self", "cls"})
    for path, data in project.files.items():
        if fn.name.encode() not in data:
            continue
        other = project.code(path)
        for call in ast.walk(other.tree):
            called = getattr(call, "func", None)
            if isinstance(call, ast.Call) and fn.name in (getattr(called, "id", ""), getattr(called, "attr", "")):
                for keyword in call.keywords:
                    if keyword.arg == name:
                        start = other.span(keyword)[0]
                        change.replace(path, start, start + len(name.encode()), f"{name}_renamed")


def parameters(fn: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    some = fn.args
    return {one.arg for one in [*some.posonlyargs, *some.args, *some.kwonlyargs]}


def rename_local(
    change: Change,
    code: Code,
    fn: ast.FunctionDef | ast.AsyncFunctionDef,
    rng: random.Random,
    finding: Finding,
    names: set[str],
) -> str:
    outside = {name for node in ast.walk(fn) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    usable = sorted(names - outside)
    place = code.data[finding.place.start : finding.place.end].decode()
    used = [one for one in usable if re.search(rf"\b{one}\b", place)]
    if not usable:
        raise ImpossibleError
    name = rng.choice(used or usable)
    new = f"{name}_renamed"
    inner = [code.span(one) for one in ast.walk(fn) if isinstance(one, ast.JoinedStr)]
    for node in ast.walk(fn):
        if isinstance(node, ast.Name) and node.id == name:
            start, end = code.span(node)
            if not any(a <= start < b for a, b in inner):
                change.replace(code.path, start, end, new)
        elif isinstance(node, ast.arg) and node.arg == name:
            start = code.span(node)[0]
            change.replace(code.path, start, start + len(name.encode()), new)
    for start, end in {one for one in inner if not any(a < one[0] and one[1] <= b for a, b in inner)}:
        for slot in re.finditer(rb"\{[^{}]*\}", code.data[start:end]):
            for found in re.finditer(rf"(?<![\w.'\"]){name}\b".encode(), slot.group()):
                at = start + slot.start() + found.start()
                change.replace(code.path, at, at + len(name.encode()), new)
    return name


def reformat(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """By ruff, with another length of lines and other quotes. Names and most signs keep their order, which tells where everything is."""
    code = project.code(finding.place.path)
    length, quotes = rng.choice([60, 79, 100, 160]), rng.choice(["single", "double"])
    told = ["--config", f"line-length={length}", "--config", f"format.quote-style='{quotes}'"]
    told += ["--config", "format.skip-magic-trailing-comma=true"] if rng.random() < 0.5 else []
    ruff = [str(Path(sys.executable).parent / "ruff"), "format", "--isolated", "--target-version", "py311", *told, "-"]
    made = subprocess.run(ruff, input=code.data, capture_output=True, check=False)
    if made.returncode or made.stdout == code.data:
        raise ImpossibleError
    new = Code(code.path, made.stdout)
    old_names, new_names = list(code.names(True)), list(new.names(True))
    if [one[0] for one in old_names] != [one[0] for one in new_names]:
        raise ImpossibleError
    pieces = []
    at = 0
    for (_, old_start, old_end), (_, start, end) in zip(old_names, new_names, strict=True):
        pieces += [Piece(text=made.stdout[at:start]), Piece(code.path, old_start, old_end)]
        at = end
    change.pieces[code.path] = [*pieces, Piece(text=made.stdout[at:])]


def add_code(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """Before the function and in it."""
    code, _, fn = holding(project, finding)
    change.insert(code.path, code.after_imports(), "\n\ndef added_function(value):\n    return [value, len(value)]\n\n\n")
    first = fn.body[0]
    if first.lineno > fn.lineno:
        indent = " " * first.col_offset
        change.insert(code.path, code.at(first.lineno, 0), f"{indent}added_value = added_function([1])\n")


def copy_function(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """Under another name, before the first one: what is in it is new."""
    code, _, fn = holding(project, finding)
    start, end = code.lines(fn)
    text = code.data[start:end].decode()
    text = re.sub(rf"\b(def\s+){fn.name}\b", rf"\1{fn.name}_copied", text, count=1)
    change.insert(code.path, start, text if text.endswith("\n\n") else f"{text}\n")


def copy_statement(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """The statement with the operation, once more at the begin of the function: what is in it is new."""
    code, _, fn = holding(project, finding)
    statement = innermost(code, fn, finding)
    first = fn.body[0]
    if not isinstance(statement, ast.Expr | ast.Assign) or statement in fn.body[:2] or first.lineno == fn.lineno:
        raise ImpossibleError
    start, end = code.span(statement)
    text = " " * first.col_offset + code.data[start:end].decode()
    change.insert(code.path, code.at(first.lineno, 0), f"{text}\n")


def extract_constant(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """A text or a number of the operation, or else of its function, gets a name."""
    code, _, fn = holding(project, finding)
    inner = [code.span(one) for one in ast.walk(fn) if isinstance(one, ast.JoinedStr)]
    found = []
    for statement in fn.body[1:] or fn.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | int) and not isinstance(node.value, bool):
                start, end = code.span(node)
                if not any(a <= start < b for a, b in inner) and b"\n" not in code.data[start:end]:
                    found.append((start, end))
    within = [one for one in found if finding.place.start < one[0] and one[1] <= finding.place.end]
    if not found:
        raise ImpossibleError
    start, end = rng.choice(sorted(within or found))
    change.insert(code.path, code.after_imports(), f"\nEXTRACTED_VALUE = {code.data[start:end].decode()}\n")
    change.replace(code.path, start, end, "EXTRACTED_VALUE")


def innermost(code: Code, fn: ast.AST, finding: Finding) -> ast.stmt:
    found = [
        one
        for one in ast.walk(fn)
        if isinstance(one, ast.stmt) and one is not fn and code.span(one)[0] <= finding.place.start < code.span(one)[1]
    ]
    if not found:
        raise ImpossibleError
    return max(found, key=lambda one: code.span(one)[0])


def extract_function(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """The value of the statement with the operation is made in a function of its own."""
    code, _, fn = holding(project, finding)
    statement = innermost(code, fn, finding)
    value = getattr(statement, "value", None)
    if not isinstance(statement, ast.Expr | ast.Assign | ast.Return) or value is None:
        raise ImpossibleError
    kinds = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    if any(isinstance(one, kinds) for one in ast.walk(value)):
        raise ImpossibleError
    start, end = code.span(value)
    if not start <= finding.place.start < end:
        raise ImpossibleError
    local = parameters(fn) | {one.arg for one in (fn.args.vararg, fn.args.kwarg) if one}
    local |= {one.id for one in ast.walk(fn) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    used = ", ".join(sorted(local & {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}))
    top = next(one for one in code.tree.body if code.span(one)[0] <= code.span(fn)[0] < code.span(one)[1])
    if not isinstance(top, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        raise ImpossibleError
    moved = change.cut(code.path, start, end)
    change.insert(code.path, start, f"extracted_function({used})")
    where = code.lines(top)[rng.choice([0, 1])]
    made = [Piece(text=f"\n\ndef extracted_function({used}):\n    return (".encode()), *moved, Piece(text=b")\n\n\n")]
    change.insert(code.path, where, made)


def reorder(project: Project, rng: random.Random, finding: Finding, change: Change) -> None:
    """The function changes its place with the one after or before it."""
    code, parent, fn = holding(project, finding)
    body = getattr(parent, "body", [])
    at = body.index(fn) if fn in body else -1
    near = [n for n in (at - 1, at + 1) if 0 <= n < len(body) and isinstance(body[n], ast.FunctionDef | ast.AsyncFunctionDef)]
    if at < 0 or not near:
        raise ImpossibleError
    one, other = sorted([at, rng.choice(near)])
    start, end = code.lines(body[one])
    where = code.lines(body[other])[1]
    change.insert(code.path, where, [Piece(text=b"\n"), *change.cut(code.path, start, end)])


KINDS: dict[str, Maker] = {
    "move a function": move_function,
    "rename a file": rename_file,
    "rename a function": rename_function,
    "rename a variable": rename_variable,
    "rename a parameter": rename_parameter,
    "reformat": reformat,
    "add code before": add_code,
    "copy a function": copy_function,
    "copy a statement": copy_statement,
    "extract a function": extract_function,
    "extract a constant": extract_constant,
    "reorder functions": reorder,
    "rename a class": rename_class,
}


# ----------------------------------------------------------------------------------------------------------- judging


class Tally:
    """What became of the findings, by the kind of refactoring."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)

    def row(self, kind: str) -> str:
        some = self.counts[kind]
        share = 100 * some["kept"] / max(1, some["kept"] + some["lost"] + some["swapped"])
        columns = ("made", "kept", "lost", "swapped", "unlike", "gone", "wrong pair")
        return f"{kind:<20}" + "".join(f"{some[one]:>12,}" for one in columns) + f"{share:>10.2f} %"

    def show(self) -> None:
        columns = ("made", "kept", "lost", "swapped", "unlike", "gone", "wrong pair", "share")
        print(f"{'':<20}" + "".join(f"{one:>12}" for one in columns))
        for kind in KINDS:
            if self.counts[kind]:
                print(self.row(kind))
        total: Counter[str] = Counter()
        for some in list(self.counts.values()):
            total.update(some)
        self.counts["all"] = total
        print(self.row("all"))


def judge(project: Project, change: Change, kind: str, tally: Tally, verbose: bool) -> None:
    """Only findings in the changed files count: the others are too easy."""
    after = project.after(change)
    places = change.places()
    found = [one for one in after.findings if one.place.path in after.sources]
    at = {(one.rule_class, one.place.path, one.place.start): number for number, one in enumerate(found)}
    pairs = match(project.items, items(after, found))
    matched = {old: new for new, old in pairs.items()}
    counts = tally.counts[kind]
    counts["made"] += 1
    expected: dict[int, int] = {}
    for number, one in enumerate(project.findings):
        if one.place.path not in places.changed:
            continue
        where = places.now(one.place.path, one.place.start)
        new = at.get((one.rule_class, *where)) if where else None
        if new is None:
            counts["gone"] += 1  # another analysis: nothing that could be matched
            continue
        expected[new] = number
        got = matched.get(number)
        result = "kept" if got == new else "lost" if got is None else "swapped"
        counts[result] += 1
        if found[new].identity != one.identity:
            counts["unlike"] += 1  # the exact identity does not hold
        if verbose and result != "kept":
            print(f"{result}: {kind}: {one.rule} {one.place.path} {one.function} {one.expression}")
            print(f"    -> {found[new].place.path} {found[new].function} {found[new].expression}")
            if got is not None:
                print(f"    but {found[got].place.path} {found[got].function} {found[got].expression}")
    for new, old in pairs.items():
        if project.findings[old].place.path in places.changed and expected.get(new) != old and expected.get(new) is None:
            counts["wrong pair"] += 1
            if verbose:
                one, other = project.findings[old], found[new]
                print(f"pair: {kind}: {one.place.path} {one.function} {one.expression} -> {other.function} {other.expression}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=500, help="refactorings in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="show what was not matched")
    arguments = parser.parse_args()
    tally = Tally()
    try:
        refactor(arguments, tally)
    except KeyboardInterrupt:
        print("interrupted")
    tally.show()
    total = tally.counts["all"]
    right = total["kept"] >= LEAST * (total["kept"] + total["lost"] + total["swapped"])
    return 0 if right and not total["swapped"] else 1


def refactor(arguments: argparse.Namespace, tally: Tally) -> None:
    made = 0
    for number, package in enumerate(arguments.packages):
        wanted = arguments.count * (number + 1) // len(arguments.packages)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "project"
            shutil.copytree(package, root, symlinks=True)
            project = Project(root)
            rng = random.Random(f"{arguments.seed} {package.name}")
            tries = 0
            failed: Counter[str] = Counter()
            while made < wanted and project.findings and tries < 20 * arguments.count:
                tries += 1
                kind = min(rng.sample(list(KINDS), 4), key=lambda one: tally.counts[one]["made"] + failed[one] / 3)  # all about as often
                change = Change(project.files)
                try:
                    KINDS[kind](project, rng, rng.choice(project.findings), change)
                    judge(project, change, kind, tally, arguments.verbose)
                except (ImpossibleError, ValueError):
                    failed[kind] += 1
                    continue
                made += 1
        print(f"{package.name}: {len(project.findings)} findings, {made} refactorings so far", flush=True)


if __name__ == "__main__":
    sys.exit(main())
