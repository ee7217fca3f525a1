"""Decompresses streams piece by piece: gzip, bzip2, xz, LZMA, zlib, Zstandard, LZ4."""

from __future__ import annotations

import bz2
import importlib
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from headwater.modelfiles import lz4frame
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.spool import Broken

STEP: Final = 1 << 18
OUT: Final = 1 << 20


class Missing(Exception):  # noqa: N818 - a fact of the installation
    """A library of the extra ``models`` is needed and is not installed."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


class Inflater:
    """zlib with the interface of the others. ``bits``: 15 zlib, -15 raw, 31 gzip."""

    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


def _lzma(form: int) -> Callable[[], _Decoder]:
    return lambda: lzma.LZMADecompressor(form, memlimit=1 << 28)


def _zstd() -> _Decoder:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        made: _Decoder = module.ZstdDecompressor()
        return made
    try:
        return _Zstandard(importlib.import_module("zstandard"))
    except ImportError:
        raise Missing("zstandard") from None


class _Zstandard:
    """The package zstandard, which has no bound of its own on what one piece unpacks to; so pieces are short."""

    def __init__(self, module: Any) -> None:
        self._inner = module.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        return b"".join(self._inner.decompress(data[at : at + 1024]) for at in range(0, len(data), 1024) if not self._inner.eof)


DECODERS: Final[dict[str, Callable[[], _Decoder]]] = {
    "gzip": lambda: Inflater(31),
    "zlib": lambda: Inflater(15),
    "deflate": lambda: Inflater(-15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": _lzma(lzma.FORMAT_XZ),
    "lzma": _lzma(lzma.FORMAT_ALONE),
    "zstd": _zstd,
    "lz4": lz4frame.Decompressor,
}
"""By the names that results use."""

ERRORS: Final = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError)


class Stream:
    """One compressed stream in a blob. ``end`` is the place behind it once all pieces were taken."""

    def __init__(self, kind: str, blob: Blob, at: int = 0, stop: int = -1) -> None:
        self._decoder = DECODERS[kind]()
        self._blob = blob
        self._at = at
        self._stop = blob.size if stop < 0 else min(stop, blob.size)
        self.end = at

    def pieces(self) -> Iterator[bytes]:
        """All that it unpacks to; Broken where it is damaged or has no end."""
        decoder = self._decoder
        at = self._at
        while not decoder.eof:
            data = b""
            if decoder.needs_input:
                data = self._blob.read(at, min(STEP, self._stop - at))
                if not data:
                    raise Broken("it ends in the middle")
                at += len(data)
            try:
                piece = decoder.decompress(data, OUT)
            except Missing:
                raise
            except Exception as error:  # each library has errors of its own
                raise Broken(f"it is damaged ({error})") from None
            if piece:
                yield piece
        self.end = at - len(decoder.unused_data)


def begins(kind: str, head: bytes) -> bool:
    """Whether bytes are the start of such a stream: some of it unpacks without an error."""
    try:
        decoder = DECODERS[kind]()
        piece = decoder.decompress(head, 4096)
    except Exception:  # each library has errors of its own
        return False
    return bool(piece) or decoder.eof
