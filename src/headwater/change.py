"""Reviews a change: the work tree, compared with the revision that it comes from.

The change may be an attacker's. What Headwater is told (configuration, own rules and API models, what comments accept) is what BASE says;
where the change says something else, the report tells, and it does not count. Git is never run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from headwater import configfile, limits, pipeline
from headwater.comparison import Known, compare, known
from headwater.components import SystemMap
from headwater.config import Config
from headwater.files import checkout
from headwater.files.discover import discover, git_root, safe
from headwater.files.gitobjects import GitError
from headwater.files.read import Entry, UnreadableError, read_bytes
from headwater.files.renames import renamed
from headwater.files.revisions import Commit, Repository
from headwater.findings import Gap, Review
from headwater.rules import own

Progress = Callable[[str, int, int], None]
_ID: Final = 12  # digits of an id that are shown


class ChangeError(ValueError):
    """A change that cannot be reviewed; the message says why."""


class Earlier(msgspec.Struct, frozen=True):
    """The review of a revision, as far as a later one is compared with it."""

    known: tuple[Known, ...]
    files: Mapping[str, str]
    """The files that were looked at, with the ids of their content."""
    gaps: tuple[Gap, ...]
    system: SystemMap = SystemMap()


def review_change(
    path: str | os.PathLike[str],
    base: str,
    given: Mapping[str, Any] | None = None,
    *,
    file: str | os.PathLike[str] | None = None,
    repository: bool = True,
    rules: Iterable[str | os.PathLike[str]] = (),
    progress: Progress | None = None,
) -> tuple[Review, Config]:
    """Reviews what the work tree at ``path`` brings that ``base`` does not have; the review, and the configuration that counts.

    The other arguments are those of ``configfile.load``. Raises :class:`ChangeError`, ``ConfigError``, or OSError.
    """
    start, repo, before, config, earlier = _prepared(path, base, given, file, repository, rules, progress)
    result = pipeline.review(Path(start), config, progress)
    moved, kept = _moved(repo, earlier, start, config)
    compared = compare(result, earlier.known, _against(base, before), config.enabled(own.known(config.own)), moved, kept, trusted=False)
    return compared, config


def map_change(
    path: str | os.PathLike[str],
    base: str,
    given: Mapping[str, Any] | None = None,
    *,
    file: str | os.PathLike[str] | None = None,
    repository: bool = True,
    rules: Iterable[str | os.PathLike[str]] = (),
    progress: Progress | None = None,
) -> tuple[SystemMap, Review, str]:
    """The system map of where the work tree at ``path`` comes from, the review of now, and what that revision is called.

    Arguments and errors are those of ``review_change``.
    """
    start, _, before, config, earlier = _prepared(path, base, given, file, repository, rules, progress)
    return earlier.system, pipeline.review(Path(start), config, progress), _against(base, before)


def _against(base: str, before: Commit) -> str:
    return f"{safe(base)} ({before.id[:_ID]})"


def _prepared(
    path: str | os.PathLike[str],
    base: str,
    given: Mapping[str, Any] | None,
    file: str | os.PathLike[str] | None,
    repository: bool,
    rules: Iterable[str | os.PathLike[str]],
    progress: Progress | None,
) -> tuple[str, Repository, Commit, Config, Earlier]:
    """What both need: where to look, the repository, the commit that the change comes from, what counts, and the review of that commit."""
    start = os.path.realpath(path, strict=True)
    root = git_root(start if os.path.isdir(start) else os.path.dirname(start))
    if root is None:
        raise ChangeError(f"{safe(os.fspath(path))}: it is not in a git repository")
    scope = "" if start == root else os.path.relpath(start, root)
    named = _Named(root, file, rules)
    try:
        repo = Repository(root)
        tip = repo.find(base)
        before, notes = _parting(repo, tip, base)
        with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
            said = os.path.join(folder, "base")
            os.mkdir(said, 0o700)
            checkout.write(repo.objects, tip.tree, said, named.inside)
            config = _configured(said, base, given, named, repository)
            notes += _altered(said, root, named) if repository else []
            earlier = of_revision(repo, before, scope, config, progress)
    except GitError as error:
        raise ChangeError(f"{safe(base)}: {error}") from None
    config = msgspec.structs.replace(config, notes=(*config.notes, *notes, *earlier.gaps))
    return start, repo, before, config, earlier


def of_revision(repo: Repository, commit: Commit, scope: str, config: Config, progress: Progress | None = None) -> Earlier:
    """The review of a revision. It depends on nothing but the tree of the commit, the scope and the configuration."""
    with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
        written = checkout.write(repo.objects, commit.tree, folder)
        start = os.path.join(folder, scope) if scope else folder
        found: tuple[Known, ...] = ()
        system = SystemMap()
        gaps = list(written.gaps)
        if os.path.exists(start):
            result = pipeline.review(Path(start), config, progress, folder)
            found, system = known(result), result.system
            unread = [gap for gap in result.coverage.gaps if gap.partial and gap.path in written.files]
            gaps += [Gap("comparison", gap.path, 0, f"not wholly known before the change: {gap.reason}", partial=False) for gap in unread]
        return Earlier(found, written.files, tuple(gaps), system)


def _parting(repo: Repository, tip: Commit, base: str) -> tuple[Commit, list[Gap]]:
    """The commit that the change comes from: where its history and that of BASE part."""
    try:
        head: Commit | None = repo.find("HEAD")
    except GitError:
        head = None  # no commit yet
    found = repo.merge_base(tip, head) if head is not None else None
    if found is not None:
        return found, []
    why = "this clone is shallow" if repo.shallow else "no common history is known"
    reason = f"compared with {safe(base)} itself ({why}): what it has fixed since counts as new"
    return tip, [Gap("comparison", "", 0, reason, partial=False)]


# ------------------------------------------------------------------------------------------------------ configuration


class _Named:
    """The configuration file and the folders of rules that the user named; those in the repository are read from BASE."""

    def __init__(self, root: str, file: str | os.PathLike[str] | None, rules: Iterable[str | os.PathLike[str]]) -> None:
        self.root = root
        self.file = None if file is None else os.fspath(file)
        self.rules = [os.fspath(one) for one in rules]
        self.inside = [relative for one in (*([self.file] if self.file else []), *self.rules) if (relative := self.relative(one))]

    def relative(self, name: str) -> str:
        """The path in the repository; empty where it is elsewhere. What a link in the repository leads to is the repository's as well."""
        absolute = os.path.abspath(name)
        place = os.path.join(os.path.realpath(os.path.dirname(absolute)), os.path.basename(absolute))
        for one in (place, os.path.realpath(absolute)):
            if one.startswith(os.path.join(self.root, "")):
                return os.path.relpath(one, self.root)
        return ""

    def at(self, folder: str, name: str) -> str:
        relative = self.relative(name)
        return os.path.join(folder, relative) if relative else name


def _configured(folder: str, base: str, given: Mapping[str, Any] | None, named: _Named, repository: bool) -> Config:
    if not repository:
        return configfile.load(named.root, given, file=named.file, repository=False, rules=named.rules)
    file = named.at(folder, named.file) if named.file else None
    rules = [named.at(folder, one) for one in named.rules]
    there = [one for one in rules if os.path.isdir(one)]
    try:
        config = configfile.load(folder, given, file=file, rules=there, root=folder)
    except configfile.ConfigError as error:
        raise configfile.ConfigError(f"at {safe(base)}: {_without(str(error), folder)}") from None
    files = tuple(msgspec.structs.replace(one, name=_without(one.name, folder)) for one in config.own)
    return msgspec.structs.replace(config, own=files)


def _without(text: str, folder: str) -> str:
    return text.replace(os.path.join(os.path.realpath(folder), ""), "").replace(os.path.join(folder, ""), "")


def _altered(folder: str, root: str, named: _Named) -> list[Gap]:
    """What the change says to Headwater that BASE does not."""
    file = named.relative(named.file) if named.file else ""
    rules = [relative for one in named.rules if (relative := named.relative(one))]
    names = [configfile.OWN, file, configfile.SHARED, *rules]
    before, now = configfile.said(folder, file, rules), configfile.said(root, file, rules)
    return [
        Gap("configuration", safe(name), 0, "the change alters what it says to Headwater: what it said before counts", partial=False)
        for name, one, other in zip(names, before, now, strict=True)
        if one != other
    ]


# ------------------------------------------------------------------------------------------------------ renamed files


def _moved(repo: Repository, earlier: Earlier, start: str, config: Config) -> tuple[dict[str, str], set[str]]:
    """Files of before that have another name now, and those that have the same."""
    found = discover(start, config.exclude)
    entries = {entry.path: entry for entry in (*found.entries, *found.deployment)}
    kept = entries.keys() & earlier.files.keys()
    gone = {one.item.path for one in earlier.known} - entries.keys()
    if not gone:
        return {}, kept

    def before(path: str) -> bytes | None:
        try:
            return repo.objects.read(earlier.files[path], "blob", limits.NOTEBOOK_BYTES)
        except (GitError, KeyError):
            return None

    return renamed(gone, entries.keys() - earlier.files.keys(), before, lambda path: _now(entries[path])), kept


def _now(entry: Entry) -> bytes | None:
    try:
        return read_bytes(entry.absolute, entry.size)
    except UnreadableError:
        return None
