"""Tar archives: torch before 0.1.11, NeMo, SageMaker, layers of images, and plain ones, of every age: v7, ustar, GNU, pax, sparse."""

from __future__ import annotations

import posixpath
from typing import Final

from headwater.modelfiles import members, torchtar
from headwater.modelfiles.blob import Blob, PartBlob
from headwater.modelfiles.tarread import Entry, checksum, entries
from headwater.modelfiles.work import Examination

NAME: Final = "tar"


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return len(head) >= 512 and checksum(head[:512])


def examine(blob: Blob, work: Examination) -> None:
    found: list[Entry] = []
    end, said = entries(blob, found)
    if said:
        work.concern("tar-damaged", "inconclusive", f"The archive is damaged: {said}. What stands before was looked at.")
    names = [entry.name.removeprefix("./") for entry in found]
    bases = {posixpath.basename(name) for name in names}
    old = {"sys_info", "pickle", "storages", "tensors"} <= bases
    if old:
        work.format = "torch-tar"
    elif "model_config.yaml" in bases:
        work.format = "nemo"
    system = members.is_system(names)
    script = members.is_torchscript(names)
    links: set[str] = set()
    left = blob.size
    for entry in found:
        name = entry.name
        members.name(name, work)
        if entry.kind in (b"1", b"2"):
            links.add(name.rstrip("/"))
            if entry.kind == b"1":
                if not system:
                    members.name(entry.link, work)
            else:
                members.link(name, entry.link, work, system)
            continue
        if entry.kind in (b"3", b"4", b"6"):
            if not system:
                work.concern("tar-device", "review", f"Unpacking it makes a device or a pipe, {name[:200]!r}.", name)
            continue
        if entry.kind == b"5":
            continue
        through = next((one for one in _parents(name) if one in links), None)
        if through is not None and not system:
            work.concern("tar-through-link", "malicious", f"Unpacking it writes {name[:200]!r} through the link {through[:200]!r}.", name)
        left -= entry.size
        if left < 0:
            return work.concern("tar-overlap", "inconclusive", "Its members are longer than the archive.")
        if entry.sparse:
            work.concern(
                "tar-sparse", "inconclusive", f"The member {name[:200]!r} is stored with holes; only its parts were looked at.", name
            )
        part = PartBlob(blob, entry.at, entry.size)
        if old and posixpath.basename(name) in ("storages", "tensors"):
            torchtar.examine(posixpath.basename(name), part, work)
        else:
            members.content(name, part, work, script)
    rest = PartBlob(blob, end, blob.size - end)
    if rest.size and rest.read(0, 1 << 20).strip(b"\0"):
        work.member("behind the archive", rest)
        work.concern("polyglot", "review", f"{rest.size} bytes stand behind the archive, which only some readers see.", "", end)


def _parents(name: str) -> list[str]:
    parts = name.rstrip("/").split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
