"""Compares the services of a deployment with the rules that speak of them: findings, and the comments that accept some."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from headwater import ir, limits
from headwater.anchors import anchor
from headwater.apis import regex
from headwater.documents.services import Port, Service, comments, services
from headwater.files.read import Entry, UnreadableError, read_bytes, read_source
from headwater.files.source import Source
from headwater.findings import Confidence, Finding, Gap, Place, Severity
from headwater.frontends.remarks import about
from headwater.rules.load import Rule
from headwater.rules.schema import DeploymentPattern

_STARTS: Final = re.compile(rb"(?mi)^(?:\"?(?:services|apiVersion)\"?\s*:|\s*FROM\s)|^\s*\{")
"""Without such a line a file starts nothing."""


class Checked(NamedTuple):
    """What there is to tell of the files of a deployment."""

    findings: list[Finding]
    sources: dict[str, Source]
    """The files with findings or comments."""
    remarks: dict[str, list[ir.Remark]]
    gaps: list[Gap]
    files: int
    """Those that start something."""


def check(root: str | os.PathLike[str], entries: Sequence[Entry], rules: Mapping[str, Rule]) -> Checked:
    """What rules say of the services that the files start."""
    wanted = [(rule, one) for rule in rules.values() for one in rule.head.deployments]
    found = Checked([], {}, {}, [], 0)
    files = 0
    for entry in entries if wanted else ():
        if entry.size > limits.BESIDE_BYTES:  # data, no settings
            continue
        source, _ = read_source(entry)
        if source is None or _STARTS.search(source.data) is None:
            continue
        try:
            started, cut = services(source, entry.language, lambda path: _beside(root, path))
        except Exception as error:
            found.gaps.append(Gap("crash", entry.path, 0, f"what it starts is not known: a reader failed on it ({type(error).__name__})"))
            continue
        files += bool(started)
        if cut:
            reason = f"more than {limits.DEPLOYMENT_NODES:,} values: what services the rest of the file starts is not known"
            found.gaps.append(Gap("too-large", entry.path, 0, reason, partial=False))
        findings = [finding for service in started for finding in _of_service(service, source, wanted)]
        spoken = comments(source, entry.language) if b"headwater" in source.data else []
        if findings or spoken:
            found.findings.extend(_numbered(findings))
            found.sources[entry.path] = source
            found.remarks[entry.path] = _remarks(source, spoken)
    return found._replace(files=files)


def _beside(root: str | os.PathLike[str], path: str) -> Source | None:
    """A file of settings that another one names, if it is in the repository."""
    file, home = os.path.join(root, path), os.path.realpath(root)
    if not os.path.realpath(file).startswith(os.path.join(home, "")):
        return None
    try:
        return Source(path, read_bytes(file, limits.BESIDE_BYTES))
    except UnreadableError:
        return None


def _remarks(source: Source, spoken: list[tuple[int, int]]) -> list[ir.Remark]:
    starts = [source.line_start(line) for line in range(1, source.lines + 1)]
    texts = [source.line_text(line).strip() for line in range(1, source.lines + 1)]
    code = [number for number, text in enumerate(texts) if text and not text.startswith("#")]
    return about(source.data, spoken, starts, code, b" \t")


def _of_service(service: Service, source: Source, wanted: list[tuple[Rule, DeploymentPattern]]) -> list[Finding]:
    """One finding of each rule at most: the surest."""
    best: dict[str, Finding] = {}
    for rule, pattern in wanted:
        spot = _spot(service, pattern)
        if spot is None:
            continue
        sure = Confidence.LOW if service.aside or (pattern.without and service.partial) else Confidence[pattern.confidence.upper()]
        known = best.get(rule.id)
        if known is None or sure > known.confidence:
            best[rule.id] = _finding(service, source, rule, pattern, spot, sure)
    return list(best.values())


def _spot(service: Service, pattern: DeploymentPattern) -> tuple[int, int] | None:
    """Where the pattern holds."""
    name = service.image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    if not _found(pattern.image, f"{folder}{slash}{last.partition(':')[0]}"):
        return None
    port: Port | None = None
    if pattern.ports:
        port = next((one for one in service.ports if one.number in (0, *pattern.ports)), None)
        if port is None:
            return None
    spot = (port.start, port.end) if port is not None else (service.start, service.end)
    if pattern.set:
        at = _wrong(service, pattern.set)
        if at is None:
            return None
        spot = at
    texts = (*service.settings, service.command)
    if any(_found(word, text) for word in pattern.without for text in texts):
        return None
    return spot


def _wrong(service: Service, settings: Mapping[str, str]) -> tuple[int, int] | None:
    """Where a setting has a value that it should not have."""
    for name, value in settings.items():
        for key, one in service.settings.items():
            if one.value is not None and _whole(name, key) and _whole(value, one.value):
                return one.start, one.end
        if _found(rf"(^|[\s-])({name})[= ]({value})(\s|$)", service.command):
            return service.start, service.end
    return None


def _found(pattern: str, text: str) -> bool:
    return regex.search(f"(?i:{pattern})", text)


def _whole(pattern: str, text: str) -> bool:
    return regex.search(f"^(?i:{pattern})$", text)


def _finding(service: Service, source: Source, rule: Rule, pattern: DeploymentPattern, spot: tuple[int, int], sure: Confidence) -> Finding:
    start, end = spot
    line = source.position(start)[0]
    text = " ".join(source.slice(start, end).split())
    words = {"{sink}": f"`{text if len(text) <= 80 else text[:77] + '...'}`", "{function}": service.name, "{source}": service.image}
    message = pattern.message or rule.head.message
    for word, value in words.items():
        message = message.replace(word, value)
    around = (source.line_start(line), source.line_start(line + 1))
    known_by = anchor(source, start, end, around, ())
    return Finding(
        rule=rule.id,
        title=rule.head.title,
        message=message,
        severity=min(rule.severity, Severity.LOW) if service.aside else rule.severity,
        confidence=sure,
        place=Place(source.path, start, end),
        function=service.name,
        sink_class="",
        kind="",
        expression=known_by.expression,
        ordinal=0,
        traces=(),
        fix=rule.head.fix,
        cwe=tuple(rule.head.mappings.cwe),
        mappings=rule.mappings,
        shape=known_by.shape,
        around=known_by.around,
    )


def _numbered(findings: list[Finding]) -> list[Finding]:
    """Told apart where their service and their text are the same."""
    counts: dict[tuple[str, str, str], int] = {}
    made = []
    for one in sorted(findings, key=lambda one: (one.place, one.rule)):
        key = (one.rule, one.function, one.expression)
        number = counts[key] = counts.get(key, -1) + 1
        made.append(msgspec.structs.replace(one, ordinal=number) if number else one)
    return made
