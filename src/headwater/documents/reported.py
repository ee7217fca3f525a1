"""Where the secrets that other scanners report stand in the files, and which of them were found here too.

A report names a file as its scanner saw it: from another folder, or before the last change. So a secret counts where its text stands;
one that was left out of the report is what stands between its neighbours in its line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

from headwater import limits
from headwater.files.secrets import Secret, by_chance, find
from headwater.findings import Gap
from headwater.scanners.values import Leaked, Report

_NAMED: Final = 3  # files that a note names
_WORD: Final = re.compile(rb"[^\s\"'`=:,;<>()]+")


class Reported:
    """Secrets of all reports, by the files that they are in."""

    def __init__(self, reports: Iterable[Report], paths: Iterable[str]) -> None:
        leaks = [(report.tool, one) for report in reports for one in report.leaked]
        self._known = Paths(paths if leaks else ())
        self._by_path: dict[str, list[tuple[str, Leaked]]] = {}
        self._lost: dict[tuple[str, bool], list[str]] = {}
        """What stands nowhere, by tool and whether it was found in a commit."""
        self._cut: set[str] = set()
        for tool, one in leaks:
            path = self._known.find(one.path)
            if not path:
                self._lose(tool, one)
            elif len(of_file := self._by_path.setdefault(path, [])) < limits.IMPORT_OF_FILE:
                of_file.append((tool, one))
            else:
                self._cut.add(path)

    def __contains__(self, path: object) -> bool:
        return path in self._by_path

    @property
    def paths(self) -> frozenset[str]:
        """The files in which there are such."""
        return frozenset(self._by_path)

    def secrets(self, path: str, data: bytes) -> list[Secret]:
        """The secrets of a file, found here or reported, in order; what overlaps is one."""
        made = find(data)
        leaks = self._by_path.get(path, ())
        lines = [0, *(found.end() for found in re.finditer(rb"\n", data))] if leaks else []
        for tool, one in leaks:
            near = lines[one.line - 1] if 0 < one.line <= len(lines) else 0
            span = _span(data, near, one) if one.value else _known(made, data, near, one) or _between(data, near, one)
            if span is None:
                self._lose(tool, one)
            else:
                _join(made, data, span, tool, one)
        return made

    def gaps(self) -> list[Gap]:
        """What no finding tells."""
        made = []
        for (tool, in_history), names in sorted(self._lost.items()):
            where = "which the history has and the files have not" if in_history else "which is not in the files that were read"
            count = "a secret" if len(names) == 1 else f"{len(names):,} secrets"
            where = where if len(names) == 1 else where.replace("which is not", "which are not")
            named = ", ".join(sorted(set(names))[:_NAMED])
            made.append(Gap("import", "", 0, f"{tool} reports {count}, {where} ({named}): revoke what is true", partial=False))
        reason = f"more than {limits.IMPORT_OF_FILE:,} reported secrets: the rest is not told"
        return made + [Gap("import", path, 0, reason, partial=False) for path in sorted(self._cut)]

    def _lose(self, tool: str, one: Leaked) -> None:
        line = f":{one.line}" if one.line else ""
        self._lost.setdefault((tool, bool(one.commit)), []).append(f"{_plain(one.path)}{line}, {one.rule}")


class Paths:
    """Finds the file that a path of another tool is about: it may have been started in another folder."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._by_end: dict[str, list[str]] = {}
        for path in sorted(self._known):
            self._by_end.setdefault(path.rpartition("/")[2], []).append(path)

    def find(self, written: str) -> str:
        """The file; empty where there is none, or more than one might be meant."""
        parts = [part for part in written.split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            return ""
        for at in range(len(parts)):
            if (path := "/".join(parts[at:])) in self._known:
                return path
        end = "/" + "/".join(parts)
        inside = [path for path in self._by_end.get(parts[-1], ()) if path.endswith(end)]
        return inside[0] if len(inside) == 1 else ""


def advised(reports: Sequence[Report]) -> bool:
    """Whether reports speak of packages."""
    return any(report.advised for report in reports)


def notes(reports: Sequence[Report]) -> list[Gap]:
    """What scanners say of themselves."""
    return [Gap("import", "", 0, f"{report.tool}: {note}", partial=False) for report in reports for note in report.notes]


def _plain(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()[-limits.IMPORT_NAME :]


def _span(data: bytes, near: int, one: Leaked) -> tuple[int, int] | None:
    """Where it stands: next to the line that is told, which begins at ``near``."""
    value = one.value.encode("utf-8", "surrogatepass")
    if len(value) < limits.IMPORT_SHORT or not value.strip():
        return None
    for written in dict.fromkeys((value, value.replace(b"\n", b"\r\n"), value.replace(b"\n", b"\\n"))):  # as it is read, and as it stands
        after = data.find(written, near)
        before = data.rfind(written, 0, near)
        found = [place for place in (after, before) if place >= 0]
        if found:
            start = min(found, key=lambda place: abs(place - near))
            return start, start + len(written)
    return None


def _known(made: Sequence[Secret], data: bytes, start: int, one: Leaked) -> tuple[int, int] | None:
    """What was found here in that line, with the same neighbours."""
    end = data.find(b"\n", start)
    first = bisect_left(made, start, key=lambda known: known.start)
    last = bisect_left(made, end if end >= 0 else len(data), key=lambda known: known.start)
    before, after = one.before.encode(), one.after.encode()
    for known in made[first:last]:
        if data.startswith(after, known.end) and data.endswith(before, 0, known.start):
            return known.start, known.end
    return None


def _between(data: bytes, start: int, one: Leaked) -> tuple[int, int] | None:
    """What stands between the neighbours that the report tells; else the longest word of the line, if it is of now."""
    end = data.find(b"\n", start, start + limits.LINE_BYTES_GENERATED)
    text = data[start : end if end >= 0 else start + limits.LINE_BYTES_GENERATED]
    before, after = one.before.rpartition("\n")[2].encode(), one.after.partition("\n")[0].encode()
    at = text.find(before) if before else -1
    if at >= 0:
        first = at + len(before)
        last = text.find(after, first) if after else len(text.rstrip())
        if last - first >= limits.IMPORT_SHORT:
            return start + first, start + last
    if one.commit:  # the line was another one then
        return None
    words = max(_WORD.finditer(text), key=lambda found: found.end() - found.start(), default=None)
    if words is None or words.end() - words.start() < limits.IMPORT_SHORT:
        return None
    return start + words.start(), start + words.end()


def _join(made: list[Secret], data: bytes, span: tuple[int, int], tool: str, one: Leaked) -> None:
    """Adds it, or to what stands there already that the tool reports it, too."""
    start, end = span
    said = (tool, one.rule)
    at = bisect_left(made, start, key=lambda known: known.start)
    for number in (at, at - 1):
        if 0 <= number < len(made) and made[number].start < end and start < made[number].end:
            same = made[number]
            tools = same.tools if said in same.tools else (*same.tools, said)
            made[number] = same._replace(tools=tools, verified=same.verified or one.verified)
            return
    text = data[start:end].decode("utf-8", "replace")
    made.insert(at, Secret(start, end, "", 0, False, not by_chance(text[-200:]) and not one.verified, (said,), one.verified))


def said(tools: Sequence[tuple[str, str]]) -> str:
    """Who reports it, in words."""
    return " and ".join(f"{tool} (`{rule}`)" for tool, rule in tools)
