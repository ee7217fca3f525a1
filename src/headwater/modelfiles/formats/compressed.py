"""Compressed files: gzip, bzip2, xz, LZMA, zlib (joblib's too), Zstandard, LZ4. What is inside is examined as a file of its own."""

from __future__ import annotations

import posixpath
from typing import Final

from headwater.modelfiles.blob import Blob, PartBlob
from headwater.modelfiles.compression import Missing, Stream, begins
from headwater.modelfiles.spool import unpack
from headwater.modelfiles.work import Examination

NAME: Final = "compressed"

_MAGIC: Final = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
)
_SUFFIXES: Final = (".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".z", ".tgz")
_ZFILE: Final = b"ZF0x"
"""joblib before 0.10: a length in hexadecimal digits, then zlib."""
_ZFILE_HEAD: Final = 21


def kind(head: bytes) -> tuple[str, int] | None:
    """The compression and where its stream begins."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name, 0
    if head[:1] == b"\x78" and len(head) > 2 and int.from_bytes(head[:2], "big") % 31 == 0 and not head[1] & 32 and begins("zlib", head):
        return "zlib", 0
    if head[:1] == b"\x5d" and head[1:3] == b"\0\0" and begins("lzma", head):
        return "lzma", 0
    if head.startswith(_ZFILE):
        for at in (_ZFILE_HEAD, 15, 14):
            if head[at : at + 1] == b"\x78":
                return "zlib", at
    return None


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return kind(head) is not None


def examine(blob: Blob, work: Examination) -> None:
    found = kind(blob.read(0, 4096))
    if found is None:
        return
    name, at = found
    work.format = name
    number = 0
    while found is not None and at < blob.size:
        try:
            stream = Stream(name, blob, at)
            with unpack(stream.pieces(), work, blob.size - at) as spooled:
                if spooled.size or not number:
                    work.member(_inner(work.path) + (f"#{number + 1}" if number else ""), spooled.blob())
                if spooled.cut:
                    if spooled.cut not in ("bomb", "size"):
                        said = f"It cannot be unpacked to its end: {spooled.cut}. What was unpacked before was looked at."
                        work.concern("broken-compression", "inconclusive", said)
                    return
        except Missing as missing:
            said = f"It is compressed with {name}; to look inside, install the extra 'models' ({missing})."
            return work.concern("extra-missing", "inconclusive", said)
        number += 1
        at = stream.end
        found = kind(blob.read(at, 4096))
        if found is not None:
            name, skip = found
            at += skip
        if number >= 1000:
            return work.concern("many-streams", "inconclusive", "It has too many compressed streams to look into all of them.")
    rest = PartBlob(blob, at, blob.size - at)
    if rest.read(0, 1 << 16).strip(b"\0"):
        work.member("behind the compressed data", rest)


def _inner(path: str) -> str:
    """The name of what is inside, as the usual programs give it."""
    name = posixpath.basename(path.rpartition("!")[2])
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)] + (".tar" if suffix == ".tgz" else "")
    return name or "content"
