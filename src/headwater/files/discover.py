"""Finds the files to review, and says which were left out and why.

The tree is hostile: nothing is followed out of it, and every count is bounded. Folders are walked in the order of
their names, so that a limit cuts at the same place on every machine.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from headwater import limits
from headwater.files.exclude import Exclusion
from headwater.files.git import Tracked, git_folder, tracked
from headwater.files.gitignore import Patterns
from headwater.files.papers import is_paper
from headwater.files.papers import most_bytes as most_of_paper
from headwater.files.read import Entry, UnreadableError, most_bytes, read_bytes
from headwater.files.weights import is_candidate
from headwater.findings import Gap

FRONTENDS: Final = frozenset({"python", "notebook", "typescript", "javascript", "vue", "svelte"})
"""Languages that are analysed; the others are only counted."""

_AI_CODE: Final = frozenset({"python bytecode"})
"""Languages without a frontend in which the code of AI systems is written: a review without them is partial."""

_CONFIG: Final = frozenset({"sql", "yaml", "json", "toml", "dockerfile", "hcl"})
"""Not programs: left out without a gap."""

_SUFFIXES: Final[dict[str, str]] = {
    suffix: language
    for language, suffixes in {
        "python": "py pyi pyw",
        "python bytecode": "pyc pyo",
        "cython": "pyx pxd pxi",
        "typescript": "ts tsx mts cts",
        "javascript": "js jsx mjs cjs",
        "notebook": "ipynb",
        "go": "go",
        "java": "java",
        "rust": "rs",
        "c": "c h",
        "c++": "cc cpp cxx hh hpp hxx cu cuh",
        "c#": "cs",
        "ruby": "rb",
        "php": "php",
        "kotlin": "kt kts",
        "swift": "swift",
        "scala": "scala",
        "vue": "vue",
        "svelte": "svelte",
        "shell": "sh bash zsh",
        "sql": "sql",
        "yaml": "yaml yml",
        "json": "json",
        "toml": "toml",
        "dockerfile": "dockerfile",
        "hcl": "tf hcl",
    }.items()
    for suffix in suffixes.split()
}
_TITLES: Final = {"php": "PHP", "python bytecode": "Python bytecode"}
_SCRIPTS: Final = frozenset({"typescript", "javascript"})
_DECLARED: Final = (".d.ts", ".d.mts", ".d.cts")
_BUNDLED: Final = (".min", "-min", ".bundle", ".umd", ".iife")
"""Ends of the names, before the suffix, of scripts that a tool made of others."""
_NAMES: Final = {"dockerfile": "dockerfile", "containerfile": "dockerfile"}
_INTERPRETERS: Final = {
    "python": "python",
    "pypy": "python",
    "node": "javascript",
    "deno": "typescript",
    "bun": "typescript",
    "ruby": "ruby",
    "php": "php",
}
_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh"})

_STORES: Final = frozenset({".git", ".hg", ".svn"})
_CACHES: Final = frozenset({"__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
_INSTALLED: Final = frozenset({"node_modules", ".tox", ".nox"})
_ENVIRONMENTS: Final = frozenset({".venv", "venv"})

_Applied: TypeAlias = tuple[tuple[int, Patterns], ...]
"""Patterns that apply to a folder, outermost first, each with the length of the path that it does not see."""


class Discovery(NamedTuple):
    """What there is to review."""

    root: Path
    """The folder that paths are relative to: the git root that holds the path, else the path, or the folder of the file."""
    scope: str
    """What was asked for, relative to the root; empty for all of it."""
    entries: list[Entry]
    """Files of the languages that are analysed, by path."""
    languages: dict[str, int]
    """Number of files of each language known, analysed or not."""
    gaps: list[Gap]
    weights: list[tuple[str, str]] = []
    """Files that may be models: what they are called in results, and by the file system."""
    papers: list[Entry] = []
    """Files beside the code that are read for what they declare or give away (``headwater.files.papers``)."""


def discover(
    path: str | os.PathLike[str], exclude: Sequence[str] = (), *, by: str = "", partial: bool = False, root: str = ""
) -> Discovery:
    """The files at and below ``path``; raises OSError where there is no such file or folder.

    ``path`` is reviewed whatever a .gitignore above it says, and even where it is a link: the user named it.
    ``root`` is the folder that paths are relative to, where it is not to be looked for.
    ``exclude`` are patterns of what is left out, ``by`` says who wants that, and ``partial`` whether the review is partial then.
    """
    start = os.path.realpath(path, strict=True)
    folder = start if os.path.isdir(start) else os.path.dirname(start)
    root = os.path.realpath(root) if root else root_of(start)
    walk = _Walk(root, Exclusion(exclude, by, partial))
    relative = "" if start == root else os.path.relpath(start, root).replace(os.sep, "/")
    if start == folder:
        walk.folder(relative)
    else:
        walk.single(relative)
    return walk.result(relative)


def root_of(start: str) -> str:
    """The folder that paths are relative to: the git root above a file or folder, else that folder, or the file's."""
    folder = start if os.path.isdir(start) else os.path.dirname(start)
    return git_root(folder) or folder


def git_root(folder: str) -> str | None:
    """The nearest folder at or above that holds ``.git``."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def language_of(name: str) -> str:
    """The language that a file's name tells; empty if it tells none."""
    lower = name.lower()
    stem, dot, suffix = lower.rpartition(".")
    if dot and stem and suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    return _NAMES.get(lower.partition(".")[0], "")


def script_made_by_tools(name: str) -> str:
    """What a script is that only repeats others, by its name: ``declaration`` of types or ``bundle``; else empty."""
    lower = name.lower()
    if lower.endswith(_DECLARED):
        return "declaration"
    return "bundle" if lower.rpartition(".")[0].endswith(_BUNDLED) else ""


def language_of_shebang(head: bytes) -> str:
    """The language of the interpreter that the first line names."""
    if not head.startswith(b"#!"):
        return ""
    words = head[2:].partition(b"\n")[0].split()
    for word in words:
        name = os.fsdecode(word.rpartition(b"/")[2])
        if name == "env" or name.startswith("-") or "=" in name:
            continue
        if name in _SHELLS:
            return "shell"
        return _INTERPRETERS.get(name.rstrip("0123456789."), "")
    return ""


def safe(name: str) -> str:
    """A name of the file system as text that can be encoded."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")


class Ledger:
    """Gaps, of each kind only as many as someone reads; the rest is counted."""

    def __init__(self) -> None:
        self._gaps: list[Gap] = []
        self._kinds: Counter[str] = Counter()
        self._further: dict[str, bool] = {}

    def add(self, kind: str, path: str, reason: str, *, partial: bool = True) -> None:
        self.extend((Gap(kind, path, 0, reason, partial),))

    def extend(self, gaps: Iterable[Gap]) -> None:
        for gap in gaps:
            self._kinds[gap.kind] += 1
            if self._kinds[gap.kind] <= limits.GAPS_OF_KIND:
                self._gaps.append(gap)
            else:
                self._further[gap.kind] = self._further.get(gap.kind, False) or gap.partial

    def result(self) -> list[Gap]:
        further = [
            Gap(kind, "", 0, f"{self._kinds[kind] - limits.GAPS_OF_KIND:,} more", partial) for kind, partial in self._further.items()
        ]
        return sorted(self._gaps + further)


class _Folder(NamedTuple):
    relative: str
    depth: int
    patterns: _Applied
    in_environment: bool
    only_tracked: bool
    """Below an ignored folder: git looks only at what is tracked."""


class _Walk:
    def __init__(self, root: str, exclusion: Exclusion) -> None:
        self.root = root
        self.exclusion = exclusion
        self.ledger = Ledger()
        self.entries: list[Entry] = []
        self.weights: list[tuple[str, str]] = []
        self.papers: list[Entry] = []
        self.of_papers = 0
        """Their bytes."""
        self.unread_papers = 0
        self.languages: Counter[str] = Counter()
        self.names = 0
        self.links: list[tuple[str, str]] = []
        self.walked: set[str] = set()
        self.paths: set[str] = set()
        self.total_patterns = 0
        self.ignored_files = 0
        self.ignored_folders = 0
        self.left_out: Counter[str] = Counter()
        self.made: Counter[str] = Counter()  # scripts that tools made
        self._index: tuple[Tracked | None] | None = None

    def absolute(self, relative: str) -> str:
        return os.path.join(self.root, relative) if relative else self.root

    @property
    def index(self) -> Tracked | None:
        if self._index is None:  # only when something is ignored
            self._index = (tracked(self.root),)
        return self._index[0]

    # -------------------------------------------------------------------------------------------------- walking

    def single(self, relative: str) -> None:
        """One file that the user named."""
        name = relative.rpartition("/")[2]
        found = os.lstat(self.absolute(relative))
        self.file(relative, name, found)
        if is_candidate(name):
            self._weights(relative, found)
        self.links.clear()

    def folder(self, scope: str) -> None:
        """A folder that the user named, with the patterns of those above it."""
        patterns = self._exclude()
        parts = scope.split("/") if scope else []
        for size in range(len(parts)):
            patterns = self._with_gitignore("/".join(parts[:size]), patterns)
        stack = [_Folder(scope, 0, patterns, False, False)]
        while stack:
            below = self._list(stack.pop())
            if below is None:
                return
            stack.extend(reversed(below))

    def _list(self, here: _Folder) -> list[_Folder] | None:
        """Takes the files of one folder and gives the folders in it; None where a limit ends the walk."""
        absolute = self.absolute(here.relative)
        shown = safe(here.relative)
        try:
            with os.scandir(absolute) as found:
                children = list(itertools.islice(found, limits.NAMES_OF_FOLDER + 1))
        except OSError as error:
            self._failed(error, shown)
            return []
        if len(children) > limits.NAMES_OF_FOLDER:
            self.ledger.add("too-many", shown, f"more than {limits.NAMES_OF_FOLDER:,} names in one folder")
            return []
        self.walked.add(absolute)
        children.sort(key=lambda child: child.name)
        patterns = here.patterns
        environment = here.in_environment
        names = {child.name for child in children}
        if ".gitignore" in names:
            patterns = self._with_gitignore(here.relative, patterns)
        if "pyvenv.cfg" in names and here.depth:
            environment = True
        prefix = here.relative + "/" if here.relative else ""
        below: list[_Folder] = []
        for child in children:
            self.names += 1
            if self.names > limits.NAMES:
                self.ledger.add("too-many", shown, f"more than {limits.NAMES:,} names; the rest was not looked at")
                return None
            name, relative = child.name, prefix + child.name
            try:
                folder = child.is_dir(follow_symlinks=False)
                if self.exclusion.has(relative, folder, "." not in name or language_of(name) in FRONTENDS):
                    continue
                if child.is_symlink():
                    if not self._is_ignored(relative, patterns, False, here.only_tracked):
                        self.links.append((relative, name))
                elif folder:
                    inner = self._inner(child.name, relative, here, patterns, environment)
                    if inner is not None:
                        below.append(inner)
                elif is_candidate(name):
                    if not self._is_ignored(relative, patterns, False, here.only_tracked):
                        size = child.stat(follow_symlinks=False)
                        self._weights(relative, size)
                        if is_paper(name):
                            self._take_paper(relative, name, size.st_size)
                        language = language_of(name)
                        if language:
                            self.languages[language] += 1
                elif (known := language_of(name) or "." not in name) or is_paper(name):
                    if self._is_ignored(relative, patterns, False, here.only_tracked):
                        self.ignored_files += bool(known)
                    elif not self.file(relative, name, child):
                        return None
            except OSError as error:
                self._failed(error, safe(relative))
        return below

    def _inner(self, name: str, relative: str, here: _Folder, patterns: _Applied, environment: bool) -> _Folder | None:
        """A folder to walk; None where it is left out."""
        if name in _STORES:
            return None
        if (
            name in _CACHES
            or name in _INSTALLED
            or (name == "site-packages" and environment)
            or (name in _ENVIRONMENTS and os.path.lexists(os.path.join(self.absolute(relative), "pyvenv.cfg")))
        ):
            self._leave_out(name, relative)
            return None
        only_tracked = here.only_tracked
        if self._is_ignored(relative, patterns, True, only_tracked):
            index = self.index
            if index is None or os.fsencode(relative) not in index.folders:
                self.ignored_folders += 1
                return None
            only_tracked = True
        if here.depth >= limits.DEPTH_OF_FOLDERS:
            self.ledger.add("limit", safe(relative), f"more than {limits.DEPTH_OF_FOLDERS} folders deep")
            return None
        return _Folder(relative, here.depth + 1, patterns, environment, only_tracked)

    def _leave_out(self, name: str, relative: str) -> None:
        """Folders of tools, which hold copies of what is elsewhere; but what is committed to them is the author's."""
        if name not in _CACHES:
            self.left_out[name] += 1
        below = self.index.below(os.fsencode(relative)) if self.index else []
        code = sum(language_of(os.fsdecode(file).rpartition("/")[2]) in FRONTENDS for file in below)
        if code:
            reason = f"{name} is left out by its name, but {code:,} source files in it are tracked by git"
            self.ledger.add("excluded", safe(relative), reason)

    def _is_ignored(self, relative: str, patterns: _Applied, folder: bool, only_tracked: bool) -> bool:
        """Tracked files are never ignored, as in git: else one line of a .gitignore would hide committed code."""
        if not patterns and not only_tracked:
            return False
        path = os.fsencode(relative)
        ignored = only_tracked
        if not ignored:
            for skip, rules in reversed(patterns):
                decision = rules.decide(path[skip:], folder)
                if decision is not None:
                    ignored = decision
                    break
        if not ignored or folder:
            return ignored
        return self.index is None or path not in self.index.files

    # -------------------------------------------------------------------------------------------------- patterns

    def _exclude(self) -> _Applied:
        # That of a worktree is outside the root and is not read: then more is reviewed, not less.
        folder = git_folder(self.root)
        if folder is None or folder != os.path.join(self.root, ".git"):
            return ()
        return self._read_patterns(os.path.join(folder, "info", "exclude"), ".git/info/exclude", 0, ())

    def _with_gitignore(self, folder: str, outer: _Applied) -> _Applied:
        relative = folder + "/.gitignore" if folder else ".gitignore"
        skip = len(os.fsencode(folder)) + 1 if folder else 0
        return self._read_patterns(self.absolute(relative), safe(relative), skip, outer)

    def _read_patterns(self, absolute: str, shown: str, skip: int, outer: _Applied) -> _Applied:
        # Whatever is wrong here, the patterns are dropped and more is reviewed: no gap is partial.
        try:
            data = read_bytes(absolute, limits.GITIGNORE_BYTES)
        except UnreadableError as error:
            if error.kind not in ("vanished", "symlink"):  # git does not follow a .gitignore that is a link
                self.ledger.add("limit", shown, f"its patterns are not applied: {error.reason}", partial=False)
            return outer
        most = min(
            limits.GITIGNORE_LINES,
            limits.GITIGNORE_PATTERNS - sum(rules.count for _, rules in outer),
            limits.GITIGNORE_TOTAL - self.total_patterns,
        )
        patterns = Patterns(data, max(most, 0))
        self.total_patterns += patterns.count
        if patterns.dropped:
            self.ledger.add("limit", shown, f"{patterns.dropped:,} of its patterns are over a limit and not applied", partial=False)
        return (*outer, (skip, patterns)) if patterns.groups else outer

    # ----------------------------------------------------------------------------------------------------- files

    def file(self, relative: str, name: str, child: os.DirEntry[str] | os.stat_result) -> bool:
        """Takes a file that is no link; false where a limit ends the walk."""
        found = child.stat(follow_symlinks=False) if isinstance(child, os.DirEntry) else child
        language = language_of(name)
        if not stat.S_ISREG(found.st_mode):
            if language in FRONTENDS:
                self.ledger.add("unreadable", safe(relative), "it is no regular file", partial=False)
            return True
        if language not in FRONTENDS and is_paper(name):
            self._take_paper(relative, name, found.st_size)
        if not language and "." not in name and found.st_size:
            language = self._sniff(relative)
        made = script_made_by_tools(name) if language in _SCRIPTS else ""
        if made:
            self.made[made] += 1
        if not language or made:
            return True
        self.languages[language] += 1
        return language not in FRONTENDS or self._take(relative, self.absolute(relative), found.st_size, language)

    def _weights(self, relative: str, found: os.stat_result) -> None:
        if stat.S_ISREG(found.st_mode) and found.st_size:
            self.weights.append((safe(relative), self.absolute(relative)))

    def _sniff(self, relative: str) -> str:
        try:
            descriptor = os.open(self.absolute(relative), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            self._failed(error, safe(relative), partial=False)
            return ""
        try:
            return language_of_shebang(os.read(descriptor, 128))
        finally:
            os.close(descriptor)

    def _take(self, relative: str, absolute: str, size: int, language: str) -> bool:
        shown = safe(relative)
        while shown in self.paths:  # a name that is not UTF-8 may look like another file's after it was made safe
            shown += "~"
        most = most_bytes(language)
        if size > most:
            self.ledger.add("too-large", shown, f"{size:,} bytes; the limit is {most:,}")
            return True
        if len(self.entries) >= limits.FILES:
            self.ledger.add("too-many", "", f"more than {limits.FILES:,} source files; the rest was not looked at")
            return False
        self.paths.add(shown)
        self.entries.append(Entry(shown, absolute, size, language))
        return True

    def _take_paper(self, relative: str, name: str, size: int) -> None:
        if not size:
            return
        if size > most_of_paper(name) or len(self.papers) >= limits.PAPERS or self.of_papers + size > limits.PAPERS_BYTES:
            self.unread_papers += 1
            return
        self.of_papers += size
        self.papers.append(Entry(safe(relative), self.absolute(relative), size, "paper"))

    def _failed(self, error: OSError, shown: str, *, partial: bool = True) -> None:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            self.ledger.add("vanished", shown, "it vanished during the review", partial=partial)
        elif isinstance(error, PermissionError):
            self.ledger.add("unreadable", shown, "permission denied", partial=partial)
        else:
            self.ledger.add("unreadable", shown, "it cannot be read", partial=partial)

    # ----------------------------------------------------------------------------------------------------- links

    def _links(self) -> None:
        """No link is followed out of the root; one that gives a source name to a file that is not reviewed is a file to review."""
        taken = {entry.absolute for entry in self.entries} if self.links else set()
        for relative, name in self.links:
            shown = safe(relative)
            language = language_of(name)
            try:
                target = os.path.realpath(self.absolute(relative), strict=True)
                found = os.lstat(target)
            except (OSError, ValueError):
                if language in FRONTENDS:
                    self.ledger.add("symlink", shown, "a link that leads nowhere", partial=False)
                continue
            folder = stat.S_ISDIR(found.st_mode)
            if not folder and language not in FRONTENDS:
                continue
            if target != self.root and not target.startswith(os.path.join(self.root, "")):
                self.ledger.add("symlink", shown, "a link out of the repository; it was not followed", partial=False)
            elif folder and target in self.walked:
                self.ledger.add("symlink", shown, "a link to a folder that is reviewed where it is", partial=False)
            elif folder:
                self.ledger.add("symlink", shown, "a link to a folder that is not reviewed")
            elif target in taken:
                self.ledger.add("symlink", shown, "a link to a file that is reviewed where it is", partial=False)
            elif stat.S_ISREG(found.st_mode):
                self.languages[language] += 1
                taken.add(target)
                if not self._take(relative, target, found.st_size, language):
                    return

    def result(self, scope: str) -> Discovery:
        self._links()
        for language, count in self.languages.items():
            if language not in FRONTENDS and language not in _CONFIG:
                title = _TITLES.get(language, language.capitalize())
                reason = f"{count:,} {title} file{'s' if count > 1 else ''}: this language is not analysed"
                self.ledger.add("no-frontend", "", reason, partial=language in _AI_CODE)
        if self.ignored_files or self.ignored_folders:
            what = f"{self.ignored_files:,} source files and {self.ignored_folders:,} folders"
            reason = f"{what} that .gitignore names and git does not track"
            self.ledger.add("ignored", "", reason, partial=False)
        if self.left_out:
            names = ", ".join(f"{name} ({count:,})" for name, count in sorted(self.left_out.items()))
            self.ledger.add("excluded", "", f"folders left out by their names: {names}", partial=False)
        for made, count in sorted(self.made.items()):
            what = "with declarations of types only" if made == "declaration" else "minified or bundled"
            reason = f"{count:,} script{'s' if count > 1 else ''} {what}, by {'their names' if count > 1 else 'its name'}"
            self.ledger.add("generated", "", reason, partial=False)
        self.ledger.extend(self.exclusion.gaps())
        if self.unread_papers:
            reason = f"{self.unread_papers:,} files beside the code are over a limit and were not searched for secrets or what they declare"
            self.ledger.add("limit", "", reason, partial=False)
        self.entries.sort(key=lambda entry: entry.path)
        self.papers.sort(key=lambda entry: entry.path)
        languages = dict(sorted(self.languages.items()))
        return Discovery(Path(self.root), safe(scope), self.entries, languages, self.ledger.result(), sorted(self.weights), self.papers)
