"""What all archives do with a member: paths that leave, links, code; the rest is examined as a file of its own."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from headwater.modelfiles import pycode, torchscript
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.paths import escapes, link_escapes
from headwater.modelfiles.work import Examination

_SCRIPT: Final = re.compile(r"(?:^|/)code/(?:.+/)?[^/]+\.py$")
_ROOT: Final = re.compile(r"^(?:\./)?(?:etc|usr|bin|lib|lib64|var|opt|root|home|proc|sbin|app|workspace)/|(?:^|/)\.wh\.")


def is_torchscript(names: list[str]) -> bool:
    """Whether an archive has code of TorchScript: constants or data beside it, as torch writes them."""
    return any(_SCRIPT.search(name) for name in names) and any(posixpath.basename(name) in ("constants.pkl", "data.pkl") for name in names)


def is_system(names: list[str]) -> bool:
    """Whether an archive is a layer of an image: links there lead to places of the image."""
    return sum(1 for name in names[:2000] if _ROOT.search(name)) > 0 and not any(name.endswith((".ckpt", ".nemo")) for name in names)


def name(said: str, work: Examination) -> None:
    """Notes a name that leaves the folder."""
    if escapes(said):
        message = f"Unpacking it writes {said[:200]!r}, outside the folder that it is unpacked to."
        work.concern("path-escape", "malicious", message, said)


def link(said: str, target: str, work: Examination, system: bool = False) -> None:
    """Notes a link that leads outside."""
    if not link_escapes(said, target):
        return
    if system and target.startswith("/"):
        return
    message = f"Unpacking it makes a link {said[:200]!r} to {target[:200]!r}, outside the folder: who uses the one uses the other."
    work.concern("link-escape", "malicious", message, f"{said} -> {target}")


def is_package(names: list[str]) -> bool:
    """Whether an archive is a package of Python (a wheel, an egg): its code is no part of a model."""
    return any(name.endswith((".dist-info/WHEEL", "EGG-INFO/PKG-INFO")) for name in names)


def content(said: str, blob: Blob, work: Examination, script: bool = False, package: bool = False) -> None:
    """Examines the bytes of a member."""
    if said.endswith(".py"):
        if package:
            return
        data = blob.read(0, min(blob.size, pycode.LARGEST + 1))
        if script and _SCRIPT.search(said):
            return torchscript.code(said, data.decode("utf-8", "replace"), work)
        return python(said, data, work)
    work.member(said, blob)


def python(said: str, data: bytes, work: Examination) -> None:
    """Python code that comes with a model: whoever serves or loads it runs that."""
    work.code(said, data[: pycode.LARGEST])
    found = pycode.acts(data)
    if found is None:
        message = f"The Python code in {said[:200]} cannot be parsed."
        return work.concern("python-code", "inconclusive", message)
    for act in found[:20]:
        when = "importing it" if act.at_import else "serving the model with it"
        message = f"Python code comes with the model in {said[:200]}; {when} calls {act.call[:200]} (line {act.line})."
        work.concern("python-code", "malicious" if act.at_import and not act.usual else "review", message, act.call)
