"""The order of the stages of a review: discover, read and lower, index, solve, report, deployments, suppress. No analysis here."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from headwater import ir
from headwater.config import Config
from headwater.files import twins
from headwater.files.discover import Ledger, discover
from headwater.files.source import Source
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
    from headwater.documents.deployed import check
    from headwater.documents.examine import examine
    from headwater.files.beside import beside
    from headwater.files.npm import npm
    from headwater.files.package import is_deployed, published
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
    package = published(found.root), is_deployed(found.root)
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
                f"{sorted(package[0])} {package[1]}".encode(),
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
    keyed = {path for path, source in tree.files.items() if tree.cards[path].keys or source.layout is not None}
    beside_code = examine(found.papers, tree.files, keyed, notebooks, rules, config.imported)
    ledger.extend(beside_code.gaps)
    findings, repeated = twins.without(result.findings, tree.files)
    counts, shown = result.counts, dict(tree.files)
    if found.weights:
        from headwater import modelreview

        advance = (lambda n, total: progress("models", n, total)) if progress else None
        scanned, packed = modelreview.examine(found.weights, config.processes, advance)
        models = modelreview.findings(scanned, dict(found.weights), rules, tree.files)
        findings = [*modelreview.joined(findings, scanned, tree.files), *models.findings]
        ledger.extend(models.gaps)
        counts = {**counts, **models.counts}
        shown.update(models.sources)
        if packed:
            inside, code = _packed(packed, config)
            findings += inside
            shown.update(code)
    ledger.extend(repeated)
    deployed = check(found.root, found.deployment, rules)
    findings = _in_order(_in_order(findings, deployed.findings), beside_code.findings)
    findings = [_lowered(finding, config.rules) for finding in findings]
    ledger.extend(result.gaps)
    ledger.extend(deployed.gaps)
    remarks = {name: card.remarks for name, card in tree.cards.items()} | deployed.remarks | beside_code.remarks
    files = {**shown, **deployed.sources, **beside_code.sources}
    applied = suppressions.apply(findings, remarks, files, known, config.today, wanted=config.suppressions)
    findings = applied.findings
    ledger.extend(applied.gaps)
    gaps = tuple(ledger.result())
    languages = dict(sorted(found.languages.items()))
    lines = sum(card.lines for card in tree.cards.values())
    looked_at = len(tree.cards) + counts.get("model-files", 0) + deployed.files
    coverage = Coverage(looked_at, lines, result.functions, languages, gaps, counts)
    needed = _needed(findings) | {gap.path for gap in gaps}
    sources = {name: source for name, source in files.items() if name in needed}
    made = Review(
        str(found.root), tuple(findings), coverage, sources, applied.suppressions, found.scope, notice=cache.problem, system=result.system
    )
    return masked(made, beside_code.mask)


def _packed(packed: list[tuple[str, bytes]], config: Config) -> tuple[list[Finding], dict[str, Source]]:
    """The findings in Python code that model files bring, each archive a project of its own, and the code."""
    from headwater import modelreview

    with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
        names = modelreview.unpack(packed, Path(folder))
        inner = _review(Path(folder), msgspec.structs.replace(config, cache="", exclude=()), None, folder)
    sources = {names.get(path, path): Source(names.get(path, path), one.data) for path, one in inner.sources.items()}
    return modelreview.renamed(inner.findings, names), sources


def _analysed(
    tree: Tree,
    cache: Cache,
    config: Config,
    rules: Mapping[str, Rule],
    versions: Versions,
    package: tuple[frozenset[bool], bool],
    scripts: Npm,
    others: Beside,
    progress: Progress | None,
) -> Result:
    """Index, solve, report: all that needs the code itself."""
    from headwater.cache import Result

    if not tree.cards:
        return Result([], [], 0, {}, {})
    from headwater.apis.load import CallRule
    from headwater.index.symbols import Symbols
    from headwater.rules import builtin, own
    from headwater.rules.catalogue import ready
    from headwater.system import checks, owners, ways
    from headwater.system.build import Builder
    from headwater.taint import launched, skips
    from headwater.taint.findings import reported
    from headwater.taint.guards import NAMES, SPECIAL
    from headwater.taint.labels import clear_interned
    from headwater.taint.ledger import cuts
    from headwater.taint.programs import KNOWN
    from headwater.taint.solve import Solver
    from headwater.taint.value import clear_joined

    clear_interned()
    clear_joined()
    models = [*builtin.models(cache), *own.parsed(config.own).models]
    catalogue = ready(models, rules.values(), (*SPECIAL, *NAMES, *KNOWN))
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
    launched.look(solver, others.names)
    files = Seen(tree.files)
    builder = Builder(solver, files, others)
    system = builder.build()
    checks.check(builder)  # what is wrong with the whole is told with the rest
    owners.check(builder)
    ways.check(builder)
    findings, gaps = reported(solver, rules, files)
    gaps += cuts(solver.counts)
    texts = {name: tree.code_of(name) for name in sorted(files.seen)}
    return Result(findings, gaps, len(symbols.functions), dict(sorted(solver.counts.items())), texts, system)


def _in_order(findings: list[Finding], others: list[Finding]) -> list[Finding]:
    """All findings, by place and rule."""
    return sorted((*findings, *others), key=lambda one: (one.place, one.rule)) if others else findings


def _lowered(finding: Finding, severities: Mapping[str, Severity | None]) -> Finding:
    wanted = severities.get(finding.rule)
    return finding if wanted is None or wanted >= finding.severity else msgspec.structs.replace(finding, severity=wanted)


def _needed(findings: list[Finding]) -> set[str]:
    """Files that findings name."""
    paths = {finding.place.path for finding in findings}
    return paths | {step.place.path for finding in findings for trace in finding.traces for step in trace.steps}
