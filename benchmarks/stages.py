"""What each stage of a review costs: CPU time, wall time and memory, for folders of any size.

    python benchmarks/stages.py FOLDER... [--processes N]

Every folder is reviewed in a process of its own, first without a cache, then twice with one (the second time nothing has changed).
CPU time is that of the process and its workers. One line for each folder, so that growth shows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STAGES = ("read", "index", "solve", "report")


def cpu() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def measured(folder: str, processes: int, cache: str) -> dict[str, Any]:
    """One review in this process, with the time at which each stage began."""
    from headwater import pipeline
    from headwater.config import Config
    from headwater.index import symbols
    from headwater.taint import findings, solve

    spent = dict.fromkeys(STAGES, 0.0)

    def timed(owner: Any, name: str, stage: str) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            begin = cpu()
            try:
                return real(*args, **kwargs)
            finally:
                spent[stage] += cpu() - begin

        setattr(owner, name, call)

    timed(pipeline, "read", "read")
    timed(symbols.Symbols, "__init__", "index")
    timed(solve.Solver, "solve", "solve")
    timed(findings.Reporter, "findings", "report")
    begin, wall = cpu(), time.monotonic()
    review = pipeline.review(Path(folder), Config(processes=processes, cache=cache))
    whole = cpu() - begin
    peak = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "lines": review.coverage.lines,
        "findings": len(review.findings),
        "cpu": whole,
        "wall": time.monotonic() - wall,
        "peak": max(peak),
        **spent,
    }


def child(folder: str, processes: int, cache: str) -> dict[str, Any]:
    command = [sys.executable, __file__, folder, "--processes", str(processes), "--one", cache]
    made = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ, PYTHONHASHSEED="0"))
    found: dict[str, Any] = json.loads(made.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(measured(options.folders[0], options.processes, options.one)))
        return
    print("folder | lines | CPU s | wall s | read | index | solve | report | ms per 1,000 lines | peak MB | warm CPU s | warm wall s")
    print("--- | --: " + "| --: " * 10)
    for folder in options.folders:
        cold = child(folder, options.processes, "")
        with tempfile.TemporaryDirectory() as cache:
            child(folder, options.processes, cache)
            warm = child(folder, options.processes, cache)
        stages = " | ".join(f"{cold[stage]:.2f}" for stage in STAGES)
        figures = f"{cold['lines']:,} | {cold['cpu']:.2f} | {cold['wall']:.2f} | {stages}"
        each = 1_000_000 * cold["cpu"] / max(cold["lines"], 1)
        print(f"{Path(folder).name} | {figures} | {each:.0f} | {cold['peak']:.0f} | {warm['cpu']:.2f} | {warm['wall']:.2f}", flush=True)


if __name__ == "__main__":
    main()
