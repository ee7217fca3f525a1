"""The order of the stages of a review: discover, read and lower, index, solve, report, suppress. No analysis of its own."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from headwater import ir
from headwater.config import Config
from headwater.files import twins
from headwater.files.discover import Ledger, discover
from headwater.findings import Coverage, Finding, Review, Severity
from headwater.frontends.tree import Seen, Tree, read

if TYPE_CHECKING:
    from headwater.cache import Cache, Result
    from headwater.files.beside import Beside
    from headwater.files.npm import Npm
    from headwater.files.versions import Versions
    from headwater.rules.load import Rule

Progress = Callable[[str, int, int], None]


def review(path: Path, config: Config, progress: Progress | None = None, root: str = "") -> Review:
    """Review a file or folder; raises OSError where it cannot be read at all. ``root``: as for ``discover``."""
    enabled = gc.isenabled()
    gc.disable()  # nothing here makes garbage cycles that matter before the end; collecting costs a fifth of the run
    try:
        return _review(path, config, progress, root)
    finally:
        if enabled:
            gc.enable()


def _review(path: Path, config: Config, progress: Progress | None, root: str) -> Review:
    from headwater import suppressions
    from headwater.cache import Cache
    from headwater.documents.examine import examine
    from headwater.files.beside import beside
    from headwater.files.npm import npm
    from headwater.files.package import is_deployed, is_package
    from headwater.files.versions import declared
    from headwater.masked import masked
    from headwater.rules import own

    found = discover(path, config.exclude, by=config.file or "the configuration", partial=config.own_file, root=root)
    ledger = Ledger()
    ledger.extend(config.notes)
    ledger.extend(found.gaps)
    cache = Cache(config.cache, found.root, cards=not root)  # a folder that is given lives as long as this run
    tree = read(found.entries, cache, config.processes, ledger, (lambda n, total: progress("read", n, total)) if progress else None)
    versions, unread = declared(found.root, tree.files)
    ledger.extend(unread)
    known = own.known(config.own, cache)
    rules = {id: rule for id, rule in known.items() if config.rules.get(id, rule.severity) is not None}
    package = is_package(found.root), is_deployed(found.root)
    scripts = npm(found.root, tree.in_languages(ir.SCRIPTS))
    others = beside(found.root, tree.in_languages(("python",)))
    key = ""
    result = None
    if cache.usable:
        own_files = [text.encode() for one in config.own for text in (one.name, one.text)]
        key = tree.key(
            [
                cache.tool.encode(),
                versions.key(),
                scripts.key(),
                others.key(),
                str(package).encode(),
                " ".join(sorted(rules)).encode(),
                *own_files,
            ]
        )
        result = cache.result(key)
        if result is not None and any(tree.code_of(name) != digest for name, digest in result.texts.items()):
            result = None
    if result is None:
        result = _analysed(tree, cache, config, rules, versions, package, scripts, others, progress)
        if cache.usable:
            cache.keep_result(key, result)
    cache.shrink()
    notebooks = [entry for entry in found.entries if entry.language == "notebook"]
    with_keys = {path: source for path, source in tree.files.items() if tree.cards[path].keys or source.layout is not None}
    beside_code = examine(found.papers, with_keys, notebooks, rules)
    ledger.extend(beside_code.gaps)
    findings, repeated = twins.without(result.findings, tree.files)
    counts, shown = result.counts, dict(tree.files)
    if found.weights:
        from headwater import modelreview

        scanned = modelreview.examine(
            found.weights, config.processes, (lambda n, total: progress("models", n, total)) if progress else None
        )
        models = modelreview.findings(scanned, dict(found.weights), rules, tree.files)
        findings = [*modelreview.joined(findings, scanned, tree.files), *models.findings]
        ledger.extend(models.gaps)
        counts = {**counts, **models.counts}
        shown.update(models.sources)
    ledger.extend(repeated)
    findings = sorted([*findings, *beside_code.findings], key=lambda one: (one.place, one.rule))
    findings = [_lowered(finding, config.rules) for finding in findings]
    ledger.extend(result.gaps)
    remarks = {name: card.remarks for name, card in tree.cards.items()} | beside_code.remarks
    files = {**shown, **beside_code.sources}
    applied = suppressions.apply(findings, remarks, files, known, config.today, wanted=config.suppressions)
    findings = applied.findings
    ledger.extend(applied.gaps)
    gaps = tuple(ledger.result())
    languages = dict(sorted(found.languages.items()))
    lines = sum(card.lines for card in tree.cards.values())
    coverage = Coverage(len(tree.cards) + counts.get("model-files", 0), lines, result.functions, languages, gaps, counts)
    needed = _needed(findings) | {gap.path for gap in gaps}
    sources = {name: source for name, source in files.items() if name in needed}
    made = Review(
        str(found.root), tuple(findings), coverage, sources, applied.suppressions, found.scope, notice=cache.problem, system=result.system
    )
    return masked(made, beside_code.mask)


def _analysed(
    tree: Tree,
    cache: Cache,
    config: Config,
    rules: Mapping[str, Rule],
    versions: Versions,
    package: tuple[bool, bool],
    scripts: Npm,
    others: Beside,
    progress: Progress | None,
) -> Result:
    """Index, solve, report: all that needs the code itself."""
    from headwater.cache import Result

    if not tree.cards:
        return Result([], [], 0, {}, {})
    from headwater.apis.load import CallRule, Catalogue
    from headwater.index.symbols import Symbols
    from headwater.rules import builtin, own
    from headwater.system import checks
    from headwater.system.build import Builder
    from headwater.taint import launched, skips
    from headwater.taint.findings import Reporter
    from headwater.taint.guards import NAMES, SPECIAL
    from headwater.taint.labels import clear_interned
    from headwater.taint.ledger import cuts
    from headwater.taint.programs import KNOWN
    from headwater.taint.solve import Solver
    from headwater.taint.value import clear_joined

    calls = [
        (
            one,
            CallRule(
                rule.id, call.when, call.confidence, call.message, tuple(word.casefold() for word in call.unless), tuple(call.but_for)
            ),
        )
        for rule in rules.values()
        for call in rule.head.calls
        for one in ([call.path] if isinstance(call.path, str) else call.path)
    ]
    clear_interned()
    clear_joined()
    catalogue = Catalogue([*builtin.models(cache), *own.parsed(config.own).models], calls, (*SPECIAL, *NAMES, *KNOWN))
    symbols = Symbols(tree.modules(), catalogue.paths, scripts)
    classes = {class_ for rule in rules.values() if rule.head.flow is not None for class_ in rule.head.flow.to}
    solver = Solver(symbols, catalogue, classes, (lambda n, total: progress("analyse", n, total)) if progress else None, versions)
    solver.shapes = {
        one.shape: CallRule(rule.id, "", one.confidence, one.message, tuple(word.casefold() for word in one.unless))
        for rule in rules.values()
        for one in rule.head.shapes
    }
    solver.published, solver.deployed = package
    solver.solve()
    skips.look(solver)
    launched.look(solver)
    files = Seen(tree.files)
    builder = Builder(solver, files, others)
    system = builder.build()
    checks.check(builder)  # what is wrong with the whole is told with the rest
    reporter = Reporter(solver, rules, files)
    findings = reporter.findings()
    gaps = [*reporter.gaps, *cuts(solver.counts)]
    texts = {name: tree.code_of(name) for name in sorted(files.seen)}
    return Result(findings, gaps, len(symbols.functions), dict(sorted(solver.counts.items())), texts, system)


def _lowered(finding: Finding, severities: Mapping[str, Severity | None]) -> Finding:
    wanted = severities.get(finding.rule)
    return finding if wanted is None or wanted >= finding.severity else msgspec.structs.replace(finding, severity=wanted)


def _needed(findings: list[Finding]) -> set[str]:
    """Files that findings name."""
    paths = {finding.place.path for finding in findings}
    return paths | {step.place.path for finding in findings for trace in finding.traces for step in trace.steps}
