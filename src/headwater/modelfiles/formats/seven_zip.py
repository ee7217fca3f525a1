"""7z archives."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles import members, sevenread
from headwater.modelfiles.blob import Blob, PartBlob
from headwater.modelfiles.spool import Broken, unpack
from headwater.modelfiles.work import Examination

NAME: Final = "7z"
_LINK: Final = 0o120000


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return head.startswith(sevenread.MAGIC)


def examine(blob: Blob, work: Examination) -> None:
    try:
        streams, found = sevenread.read(blob)
        for member in found:
            members.name(member.name, work)
        if streams is not None:
            _contents(blob, streams, [one for one in found if one.stream], work)
    except sevenread.Unsupported as reason:
        work.concern("7z-method", "inconclusive", f"The archive cannot be looked into: {reason}.")
    except Broken as reason:
        work.concern("7z-damaged", "inconclusive", f"The archive is damaged: {reason}. What could be found was looked at.")


def _contents(blob: Blob, streams: sevenread.Streams, found: list[sevenread.Member], work: Examination) -> None:
    at = 32 + streams.start
    number = 0
    for folder, packed, sizes in zip(streams.folders, streams.packed, streams.parts, strict=False):
        if at + packed > blob.size:
            raise Broken("it ends in the middle")
        with unpack(sevenread.plain(blob, at, packed, folder), work, packed) as spooled:
            whole = spooled.blob()
            begin = 0
            for size in sizes:
                member = found[number] if number < len(found) else sevenread.Member(f"member {number}", size, 0, True)
                number += 1
                part = PartBlob(whole, begin, size)
                begin += size
                if member.mode & 0o170000 == _LINK:
                    members.link(member.name, part.read(0, 4096).decode("utf-8", "replace"), work)
                else:
                    members.content(member.name, part, work)
            if spooled.cut not in ("", "bomb", "size"):
                work.concern("7z-damaged", "inconclusive", f"A part of the archive cannot be unpacked to its end: {spooled.cut}.")
        at += packed
