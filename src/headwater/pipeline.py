"""The order of the stages of a review: discover, read and lower, index, solve, report, suppress. No analysis of its own."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from headwater.config import Config
from headwater.files.discover import Ledger, discover
from headwater.files.source import Source
from headwater.findings import Coverage, Finding, Gap, Review, Severity, gap_at

Progress = Callable[[str, int, int], None]


def review(path: Path, config: Config, progress: Progress | None = None) -> Review:
    """Review a file or folder; raises OSError where it cannot be read at all."""
    enabled = gc.isenabled()
    gc.disable()  # nothing here makes garbage cycles that matter before the end; collecting costs a fifth of the run
    try:
        return _review(path, config, progress)
    finally:
        if enabled:
            gc.enable()


def _review(path: Path, config: Config, progress: Progress | None) -> Review:
    from headwater import suppressions
    from headwater.apis.load import CallRule, Catalogue
    from headwater.apis.load import load as load_models
    from headwater.files.package import is_deployed, is_package
    from headwater.files.versions import declared
    from headwater.frontends.pool import lower_all
    from headwater.index.symbols import Symbols
    from headwater.rules import own
    from headwater.taint.findings import Reporter
    from headwater.taint.guards import NAMES, SPECIAL
    from headwater.taint.labels import clear_interned
    from headwater.taint.ledger import cuts
    from headwater.taint.programs import KNOWN
    from headwater.taint.solve import Solver
    from headwater.taint.value import clear_joined

    found = discover(path, config.exclude, by=config.file or "the configuration", partial=config.own_file)
    ledger = Ledger()
    ledger.extend(config.notes)
    ledger.extend(found.gaps)
    files: dict[str, Source] = {}
    modules = []
    lines = 0
    for lowered in lower_all(found.entries, config.processes, (lambda n, total: progress("read", n, total)) if progress else None):
        ledger.extend(lowered.gaps)
        if lowered.source is None or lowered.module is None:
            continue
        source, module = lowered.source, lowered.module
        files[module.path] = source
        lines += source.lines
        modules.append(module)
        ledger.extend(_gap(source, one.start, one.reason) for one in module.gaps)
    versions, unread = declared(found.root, files)
    ledger.extend(unread)
    known = own.known(config.own)
    rules = {id: rule for id, rule in known.items() if config.rules.get(id, rule.severity) is not None}
    calls = [
        (one, CallRule(rule.id, call.when, call.confidence, call.message))
        for rule in rules.values()
        for call in rule.head.calls
        for one in ([call.path] if isinstance(call.path, str) else call.path)
    ]
    clear_interned()
    clear_joined()
    catalogue = Catalogue([*load_models(), *own.parsed(config.own).models], calls, (*SPECIAL, *NAMES, *KNOWN))
    symbols = Symbols(modules, catalogue.paths)
    classes = {class_ for rule in rules.values() if rule.head.flow is not None for class_ in rule.head.flow.to}
    solver = Solver(symbols, catalogue, classes, (lambda n, total: progress("analyse", n, total)) if progress else None, versions)
    solver.shapes = {one.shape: CallRule(rule.id, "", one.confidence, one.message) for rule in rules.values() for one in rule.head.shapes}
    solver.published, solver.deployed = is_package(found.root), is_deployed(found.root)
    solver.solve()
    reporter = Reporter(solver, rules, files)
    findings = [_lowered(finding, config.rules) for finding in reporter.findings()]
    ledger.extend(reporter.gaps)
    ledger.extend(cuts(solver.counts))
    applied = suppressions.apply(findings, modules, files, known, config.today, wanted=config.suppressions)
    findings = applied.findings
    ledger.extend(applied.gaps)
    gaps = tuple(ledger.result())
    languages = dict(sorted(found.languages.items()))
    coverage = Coverage(len(modules), lines, len(symbols.functions), languages, gaps, dict(sorted(solver.counts.items())))
    needed = _needed(findings) | {gap.path for gap in gaps}
    sources = {name: source for name, source in files.items() if name in needed}
    return Review(str(found.root), tuple(findings), coverage, sources, applied.suppressions)


def _lowered(finding: Finding, severities: Mapping[str, Severity | None]) -> Finding:
    wanted = severities.get(finding.rule)
    return finding if wanted is None or wanted >= finding.severity else msgspec.structs.replace(finding, severity=wanted)


def _needed(findings: list[Finding]) -> set[str]:
    """Files that findings name."""
    paths = {finding.place.path for finding in findings}
    return paths | {step.place.path for finding in findings for trace in finding.traces for step in trace.steps}


def _gap(source: Source, start: int, reason: str) -> Gap:
    kind = "python2" if reason.startswith("python2:") else "parse-error"
    return gap_at(source, kind, start, reason.removeprefix("python2:").strip())
