"""Runs readers, writers and whole reviews on seeded hostile inputs made from real files, and counts crashes and hangs.

A crash is any exception but those that an error of the input should raise, and any fault that a report tells. A hang is an input that
takes longer than it may. Each target runs in a child process of bounded memory, so that a native crash costs one input; that
child is the only one. Every input has a number, and ``--only TARGET --from N --inputs 1`` runs it alone, with its traceback.

    python benchmarks/fuzz.py [FOLDER]... [--files N] [--share X] [--seed N] [--only TARGET] [--from N] [--inputs N] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import re
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import IO, Final, NamedTuple

import headwater

os.environ["HEADWATER_TRACEBACK"] = "1"  # a fault of the engine in one function shows itself
import targets
from targets import TARGETS, Corpus, Files, Target

HERE: Final = Path(__file__).resolve().parent.parent
DEFAULT: Final = (HERE / "examples", HERE / "tests")
MEMORY: Final = 3 * 1024**3
KINDS: Final = {"py": 120_000, "ipynb": 300_000, "toml": 20_000, **dict.fromkeys(("ts", "tsx", "js", "vue", "svelte"), 120_000)}
"""The largest file of each kind that is taken."""
_STATE: Final = struct.Struct("qddqd")  # number of the input, when it began, seconds in all, number and seconds of the slowest


class HangError(BaseException):
    """An input takes too long. No Exception, which what is tried could catch."""


class Fault(NamedTuple):
    """What went wrong with one input."""

    target: str
    number: int
    hang: bool
    what: str


def collect(folders: Iterable[Path], most: int, seed: int = 0) -> Corpus:
    """Real files: ``most`` of each kind, and always the built-in rules and API models."""
    found: dict[str, list[bytes]] = {}
    for kind, size in KINDS.items():
        paths = sorted(
            path for folder in folders for path in folder.rglob(f"*.{kind}") if path.is_file() and 0 < path.stat().st_size <= size
        )
        found[kind] = [path.read_bytes() for path in sorted(Random(seed).sample(paths, min(most, len(paths))))]
    for kind in targets.SCRIPTS:
        found[kind] += _of_pages(kind)
    package = Path(headwater.__file__).parent
    found["md"] = [path.read_bytes() for path in sorted((package / "rules").glob("*.md"))]
    found["yaml"] = [path.read_bytes() for path in sorted((package / "apis" / "python").glob("*.yaml"))]
    return Corpus(found)


def _of_pages(kind: str) -> list[bytes]:
    """The scripts in the pages of the suites."""
    block = re.compile(rf"^```\w+ path=\S+\.{kind}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    pages = [path.read_text(encoding="utf-8") for path in sorted((HERE / "tests" / "suites").glob("*.md"))]
    return [text.encode() for page in pages for text in block.findall(page)]


def made(name: str, number: int, seed: int, corpus: Corpus) -> Files:
    """The input of that number."""
    return TARGETS[name].make(Random(f"{name} {seed} {number}"), corpus)


def attempt(target: Target, files: Files, folder: Path) -> str:
    """Runs one input; returns what went wrong, or nothing."""
    try:
        target.run(files, targets.emptied(folder / "input"))
    except target.expected:
        return ""
    except HangError:
        return "hang: " + _place()
    except (Exception, RecursionError) as error:
        return f"{type(error).__name__}: {str(error)[:200]}: {_place()}"
    return ""


def _place() -> str:
    """Where the exception that is handled came from, innermost last."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    return " < ".join(f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(frames[-4:]))


# ----------------------------------------------------------------------------------------------------------------- child


def _child(name: str, numbers: range, seed: int, corpus: Corpus, folder: Path, state: mmap.mmap, said: IO[str]) -> None:
    """Runs inputs and tells of each fault as it happens."""
    target = TARGETS[name]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGALRM, _too_long)
    _, _, total, slowest, most = _STATE.unpack_from(state)
    for number in numbers:
        _STATE.pack_into(state, 0, number, time.monotonic(), total, slowest, most)
        files = made(name, number, seed, corpus)
        limit = targets.seconds_of(target, files)
        began = time.monotonic()
        _STATE.pack_into(state, 0, number, began, total, slowest, most)
        signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            wrong = attempt(target, files, folder)
        except HangError:  # it rang after the end
            wrong = "hang"
        signal.setitimer(signal.ITIMER_REAL, 0)
        used = time.monotonic() - began
        total += used
        if used > most:
            slowest, most = number, used
        if wrong:
            said.write(json.dumps([number, wrong]) + "\n")
            said.flush()
    _STATE.pack_into(state, 0, numbers.stop, 0, total, slowest, most)


def _too_long(*_: object) -> None:
    raise HangError


# ---------------------------------------------------------------------------------------------------------------- parent


def fuzz(name: str, numbers: range, seed: int, corpus: Corpus, folder: Path) -> tuple[list[Fault], float, int, float]:
    """Faults, seconds, and the slowest input with its seconds."""
    state = mmap.mmap(-1, _STATE.size)
    faults: list[Fault] = []
    following = numbers.start
    with tempfile.TemporaryFile("w+") as said:
        while following < numbers.stop:
            child = os.fork()
            if not child:
                status = 1
                try:
                    _child(name, range(following, numbers.stop), seed, corpus, folder, state, said)
                    status = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(status)
            status = _waited(child, state)
            number = _STATE.unpack_from(state)[0]
            if status:
                signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
                faults.append(
                    Fault(name, number, signalled == signal.SIGKILL, f"the process ended with {signalled or os.WEXITSTATUS(status)}")
                )
                number += 1
            following = number
        said.seek(0)
        faults += [Fault(name, number, what.startswith("hang"), what) for number, what in map(json.loads, said)]
    _, _, total, slowest, most = _STATE.unpack_from(state)
    return sorted(faults), total, slowest, most


def _waited(child: int, state: mmap.mmap) -> int:
    """The status of the child; one that hangs in native code, where no signal is looked at, is killed."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        began = _STATE.unpack_from(state)[1]
        if began and time.monotonic() - began > 2 * 60.0:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.05)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, help="where real files come from (default: the examples and tests here)")
    parser.add_argument("--files", type=int, default=300, help="of each kind, chosen by the seed")
    parser.add_argument("--share", type=float, default=1.0, help="of the inputs that each target gets by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(TARGETS), action="append")
    parser.add_argument("--from", dest="first", type=int, default=0, help="number of the first input")
    parser.add_argument("--inputs", type=int, help="of each target")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that failed")
    options = parser.parse_args(arguments)
    corpus = collect(options.folders or DEFAULT, options.files, options.seed)
    print(", ".join(f"{len(files)} {kind}" for kind, files in corpus.files.items()))
    faults: list[Fault] = []
    inputs = 0
    print(f"{'target':<14}{'inputs':>8}{'seconds':>9}{'crashes':>9}{'hangs':>7}  slowest")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only or TARGETS:
            count = options.inputs or max(1, int(TARGETS[name].inputs * options.share))
            found, seconds, slowest, most = fuzz(name, range(options.first, options.first + count), options.seed, corpus, Path(folder))
            hangs = sum(fault.hang for fault in found)
            print(f"{name:<14}{count:>8,}{seconds:>9.1f}{len(found) - hangs:>9}{hangs:>7}  {most:.2f} s (number {slowest})", flush=True)
            faults += found
            inputs += count
    print(f"{inputs:,} inputs, {len(faults)} faults")
    for (target, what), many in Counter((fault.target, fault.what) for fault in faults).most_common(60):
        first = next(fault.number for fault in faults if (fault.target, fault.what) == (target, what))
        print(f"{target} {first}: {many} times: {what}")
    if options.keep:
        for fault in faults:
            for path, data in made(fault.target, fault.number, options.seed, corpus).items():
                kept = options.keep / f"{fault.target}-{fault.number}" / path
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(data)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
