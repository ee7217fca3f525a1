"""The source files of one review and their IR: lowered now, or known from an earlier review.

IR that is known is read only where the analysis asks for it. What is used of a file is always what the file says now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from headwater import ir
from headwater.cache import Cache, Card, digest_of
from headwater.files import secrets
from headwater.files.discover import Ledger
from headwater.files.read import Entry, read_source
from headwater.files.source import Source
from headwater.findings import Gap, gap_at
from headwater.frontends.pool import Lowered, lower_all

Progress = Callable[[int, int], None]


class Tree:
    """Sources and cards by path, in the order of the paths; modules on demand."""

    def __init__(self, cache: Cache) -> None:
        self.files: dict[str, Source] = {}
        self.cards: dict[str, Card] = {}
        self._cache = cache
        self._entries: dict[str, Entry] = {}
        self._modules: dict[str, ir.Module] = {}

    def add(self, entry: Entry, source: Source, card: Card, module: ir.Module | None) -> None:
        self.files[entry.path] = source
        self.cards[entry.path] = card
        self._entries[entry.path] = entry
        if module is not None:
            self._modules[entry.path] = module

    def key(self, parts: Sequence[bytes]) -> str:
        """The digest of the IR of all files, and of ``parts``."""
        files = [text.encode("utf-8", "surrogatepass") for path, card in self.cards.items() for text in (path, card.module)]
        return digest_of([*parts, *files])

    def in_languages(self, languages: Collection[str]) -> list[str]:
        """The files that are written in one of these languages."""
        return [path for path, entry in self._entries.items() if entry.language in languages]

    def code_of(self, path: str) -> str:
        """The digest of the text of a file up to the end of its code; empty where there is no such file."""
        source, card = self.files.get(path), self.cards.get(path)
        return hashlib.sha256(source.data[: card.end]).hexdigest() if source is not None and card is not None else ""

    def modules(self) -> list[ir.Module]:
        """The IR of all files."""
        return [self._modules.get(path) or self._known(path) for path in self.cards]

    def _known(self, path: str) -> ir.Module:
        entry, card = self._entries[path], self.cards[path]
        module = self._cache.module(path, card)
        if module is None:  # it was removed meanwhile
            lowered = next(iter(lower_all([entry], 1)))
            if lowered.module is None or lowered.source is None or lowered.source.digest != card.digest:
                raise FileChangedError(path)
            module = lowered.module
            if self._cache.usable and lowered.packed is not None:
                self._cache.keep_module(path, card.digest, lowered.packed)
        return module


class FileChangedError(OSError):
    """A file was changed while it was reviewed."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was changed during the review")


class Seen(Mapping[str, Source]):
    """Sources by path, and which of them somebody has asked for."""

    def __init__(self, files: Mapping[str, Source]) -> None:
        self._files = files
        self.seen: set[str] = set()

    def __getitem__(self, path: str) -> Source:
        self.seen.add(path)
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def read(entries: Sequence[Entry], cache: Cache, processes: int, ledger: Ledger, progress: Progress | None = None) -> Tree:
    """Reads all files; those that the cache does not know as they are now are lowered."""
    known = cache.cards()
    sources: dict[str, Source] = {}
    gaps: dict[str, list[Gap]] = {}
    for entry in entries:
        card = known.get(entry.path)
        if card is not None and card.size == entry.size:
            source, said = read_source(entry)
            if source is not None and source.digest == card.digest:
                sources[entry.path], gaps[entry.path] = source, said
    tree = Tree(cache)
    changed = [entry for entry in entries if entry.path not in sources]
    lowered = lower_all(changed, processes, progress)
    for entry in entries:
        if entry.path in sources:
            card = known[entry.path]
            ledger.extend(gaps[entry.path])
            tree.add(entry, sources[entry.path], card, None)
        else:
            one = next(lowered)
            ledger.extend(one.gaps)
            if one.source is None or one.module is None:
                continue
            card = _card(one, one.source, one.module, keep=cache.usable)
            if cache.usable and one.packed is not None:
                cache.keep_module(entry.path, card.digest, one.packed)
            tree.add(entry, one.source, card, one.module)
        ledger.extend(_gap(tree.files[entry.path], gap.start, gap.reason) for gap in card.parse)
    next(lowered, None)  # ends the workers
    if changed and cache.usable:
        cache.keep_cards(tree.cards)
    return tree


def _card(lowered: Lowered, source: Source, module: ir.Module, keep: bool) -> Card:
    """``keep``: with the digests that a later review asks for."""
    packed = hashlib.sha256(lowered.packed).hexdigest() if keep and lowered.packed is not None else ""
    digest = source.digest if keep else ""
    end = module.functions[0].end if module.functions else len(source.data)
    return Card(digest, lowered.entry.size, source.lines, packed, end, module.gaps, module.remarks, bool(secrets.find(source.data)))


def _gap(source: Source, start: int, reason: str) -> Gap:
    kind = "python2" if reason.startswith("python2:") else "parse-error"
    return gap_at(source, kind, start, reason.removeprefix("python2:").strip())
