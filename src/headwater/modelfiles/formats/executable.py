"""Programs: ELF, PE, Mach-O, WebAssembly and scripts. One that is called weights, or lies in an archive of weights, is no weights."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles import names, payload, texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "executable"
_MACH_O: Final = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce")

_PACKAGES: Final = frozenset({"jar", "war", "whl", "egg", "aar", "apk", "deb", "rpm", "nupkg", "vsix", "conda"})


def kind(head: bytes, blob: Blob) -> str:
    """What kind of program it is, in words; empty if it is none."""
    if head.startswith(b"\x7fELF"):
        return "an ELF program or library"
    if head.startswith(_MACH_O):
        return "a Mach-O program or library"
    if head.startswith((b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")) and len(head) >= 8:
        return "a Mach-O program or library" if 0 < int.from_bytes(head[4:8], "big") < 30 else "a Java class"
    if head.startswith(b"MZ") and len(head) >= 64:
        at = int.from_bytes(head[60:64], "little")
        if blob.read(at, 4) == b"PE\0\0" or b"DOS mode" in head[:512] or b"!This program" in head[:512]:
            return "a Windows program or library"
        # llamafile: a program for all systems, with a model behind it
        return "a program for several systems (APE)" if head.startswith(b"MZqFpD") else ""
    if head.startswith(b"\0asm"):
        return "a WebAssembly module"
    line = head[:200].split(b"\n")[0]
    if head.startswith((b"#!/", b"#! /")) and len(line) > 6 and texts.is_text(line):
        return "a script that an interpreter runs"
    if head[:40].lower().startswith((b"@echo off", b"powershell ")):
        return "a script of Windows"
    return "a script of PHP" if head.startswith(b"<?php") else ""


def matches(head: bytes, blob: Blob, path: str) -> bool:
    return bool(kind(head, blob))


def _of_programs(path: str) -> bool:
    """Whether it lies in an archive that holds programs by its name: a wheel, a package of a system."""
    return any(names.extension(outer) in _PACKAGES for outer in path.split("!")[:-1])


def examine(blob: Blob, work: Examination) -> None:
    head = blob.read(0, 4096)
    what = kind(head, blob)
    ending = names.extension(work.path)
    if ".so." in names.base(work.path) and ending.isdigit():  # libm.so.6
        ending = "so"
    evidence = head[:16].hex() if not head.startswith((b"#!", b"@")) else head[:120].decode("utf-8", "replace")
    if ending == "llamafile" or "(APE)" in what:
        work.concern("executable", "review", f"The file is {what}: it is not loaded but run.", evidence, 0)
    elif ending in names.WEIGHTS and ending not in names.LIBRARIES:
        work.concern(
            "executable",
            "malicious",
            f"The file is called '.{ending}' as weights are, and is {what}: running it runs its code.",
            evidence,
            0,
        )
    elif ending in names.SOURCE or ending == "class" or (ending in names.LIBRARIES and (work.depth == 0 or _of_programs(work.path))):
        return  # it says what it is
    else:
        where = "in an archive of a model" if work.depth else "where model files are"
        work.concern("executable", "review", f"The file is {what}, {where}: a loader that loads or runs it runs its code.", evidence, 0)
    if head.startswith((b"#!", b"@")):
        code = payload.code_in(blob.read(0, 1 << 18).decode("utf-8", "replace"))
        if code:
            work.concern("executable", "review", "The script runs other programs or hidden code.", code, 0)
