"""Looks at text that a model file carries as data for what is no data: packed pickles and executables, and code."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from typing import Final

from headwater.modelfiles.blob import BytesBlob
from headwater.modelfiles.work import Examination

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){20,}")
_PICKLE: Final = re.compile(rb"\x80[\x02-\x05].{4,}\.", re.DOTALL)
_PICKLE_0: Final = re.compile(rb"[(]?[ic][A-Za-z_][\w.]{0,80}\n[A-Za-z_][\w.]{0,80}\n.*\.", re.DOTALL)
_EXECUTABLE: Final = (b"\x7fELF", b"MZ\x90\x00", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!/")

_WORDS: Final = (
    *("__import__", "os", "posix", "subprocess", "eval", "exec", "marshal", "importlib", "pickle", "Runtime"),
    *("curl", "wget", "bash", "/dev/tcp/", "powershell", "PowerShell", "POWERSHELL"),
)
"""What such code begins with: to look for these first is a hundred times faster than to look for it at each place."""
_BEFORE: Final = 40
_AFTER: Final = 400
_HITS: Final = 2_000_000
_CODE: Final = re.compile(
    r"""\b__import__\s*\(\s*['"\\]
    |\b(?:os|posix)\s*\.\s*(?:system|popen|exec[lv]p?e?|spawn\w+|posix_spawn)\s*\(
    |\bsubprocess\s*\.\s*(?:run|call|Popen|check_call|check_output|getoutput|getstatusoutput)\s*\(
    |\b(?:eval|exec)\s*\(\s*(?:compile|base64|bytes|codecs|zlib|marshal|__import__|open|requests|urllib|os\.|input|b?['"\\])
    |\bmarshal\s*\.\s*loads\s*\(
    |\bimportlib\s*\.\s*import_module\s*\(\s*['"\\]+(?:os|subprocess|pty|ctypes|socket)
    |\bpickle\s*\.\s*loads\s*\(\s*(?:base64|b['"\\]|bytes)
    |\bRuntime\s*\.\s*getRuntime\s*\(\s*\)\s*\.\s*exec
    |\b(?:curl|wget)\s+[^\n|;]{4,200}\|\s*(?:ba|z|da)?sh\b
    |\bbash\s+-i\s+>&\s*/dev/tcp/
    |/dev/tcp/[\w.]+/\d+
    |\b(?:powershell|PowerShell|POWERSHELL)(?:\.exe)?\s+-(?:e|enc|encodedcommand|nop|w)\b
    """,
    re.VERBOSE,
)


def code_in(text: str) -> str:
    """The first piece of text that is code which runs other programs or hidden code; empty if there is none."""
    best = -1
    for word in _WORDS:
        at = text.find(word)
        for _ in range(_HITS):
            if at < 0 or 0 <= best <= at:
                break
            if _CODE.match(text, at, at + _AFTER) and not (at and (text[at - 1].isalnum() or text[at - 1] == "_")):
                best = at
            at = text.find(word, at + 1)
    return text[max(0, best - _BEFORE) : best + 200] if best >= 0 else ""


def packed_in(data: bytes) -> str:
    """What a run of bytes is that should be text or numbers: ``pickle``, ``executable`` or empty."""
    if _PICKLE.match(data) or _PICKLE_0.match(data):
        return "pickle"
    return "executable" if data.startswith(_EXECUTABLE) else ""


def look(work: Examination, text: str, where: str, at: int = -1) -> None:
    """Examines one string of a file; ``where`` names it in words: ``its metadata 'loader'``."""
    code = code_in(text)
    if code:
        work.concern(
            "code-in-data",
            "review",
            f"There is code in {where}. No loader runs it by itself; one that evaluates the value does.",
            code,
            at,
        )
    for data in decoded(text):
        kind = packed_in(data)
        if kind:
            work.concern("packed-in-data", "malicious", f"There is a {kind} in {where}, written as text.", text[:200], at)
            work.member(f"{where.rsplit(' ', 1)[-1].strip(chr(39))}#decoded", BytesBlob(data))


def decoded(text: str) -> list[bytes]:
    """What the text is when it is read as Base64 or as hexadecimal numbers, where it can be."""
    found: list[bytes] = []
    text = text.strip()
    if packed_in(text[:4096].encode("latin-1", "replace")) and len(text) < 1 << 20:
        found.append(text.encode("latin-1", "replace"))
    if len(text) < 24 or len(text) > 64 << 20:
        return found
    compact = re.sub(r"\s+", "", text) if any(mark in text[:200] for mark in "\n\r") else text
    compact = compact.removeprefix("base64:").split(";base64,")[-1]
    if _HEX.fullmatch(compact):
        found.append(bytes.fromhex(compact))
    if _BASE64.fullmatch(compact):
        with contextlib.suppress(binascii.Error, ValueError):
            found.append(base64.b64decode(compact.translate(str.maketrans("-_", "+/")) + "=" * (-len(compact) % 4)))
    return found
