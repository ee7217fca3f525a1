"""XML: PMML and OpenVINO IR; entities that read files, scripts in extensions, libraries that layers are loaded from."""

from __future__ import annotations

import re
from typing import Final

from headwater.modelfiles import names, payload, texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "xml"
_START: Final = re.compile(r"<\s*([A-Za-z_][\w.:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"([A-Za-z_][\w.:-]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.DOTALL)
_ENTITY: Final = re.compile(r"<!ENTITY\s+(%\s+)?([\w.:-]+)\s+(?:(SYSTEM|PUBLIC)\s+([^>]*)|([^>]*))>", re.DOTALL)
_SCRIPT: Final = re.compile(r"script|code|exec|eval|command|python|groovy|javascript", re.IGNORECASE)
_SHAPES: Final = {"PMML": "pmml", "net": "openvino"}
_INSIDE: Final = 2_000
"""Characters of an extension that are looked at with its name; code is looked for in the whole document."""
_EXTENSIONS: Final = 50_000
"""Extensions and functions: documents of large forests have some hundreds."""
_BOMB: Final = 40
"""Entities: documents of models have none; those that grow without end have ten at least, and refer to one another."""


def matches(head: bytes, blob: Blob, path: str) -> bool:
    text = texts.first(head)
    if not text.startswith((b"<?xml", b"<PMML", b"<net", b"<!DOCTYPE")):
        return False
    if text.lower().startswith((b"<!doctype html", b"<?xml-stylesheet")) or b"<html" in text[:400].lower() or names.is_source(path):
        return False
    return b"<PMML" in head or bool(_root(head)) or (b"<!ENTITY" in head) or names.extension(path) in ("pmml", "xml")


def _root(head: bytes) -> bool:
    """An OpenVINO network: ``net`` with layers in it."""
    return bool(re.search(rb"<net\b[^>]*>", head)) and (b"<layers" in head or b"<layer " in head)


def examine(blob: Blob, work: Examination) -> None:
    text = texts.whole(blob)
    if text is None:
        head = blob.read(0, 1 << 20).decode("utf-8", "replace")
        work.format = "pmml" if "<PMML" in head else "xml"
        _doctype(work, head)
        work.concern("size", "inconclusive", "It is too long to be read whole.")
        return
    if "<PMML" in text:
        work.format = "pmml"
    elif _root(text[:8192].encode("utf-8", "replace")):
        work.format = "openvino"
    if work.format != "xml" or "<!ENTITY" in text:
        _doctype(work, text)
    if work.format == "pmml":
        _pmml(work, text)
    elif work.format == "openvino":
        _openvino(work, text)


def _doctype(work: Examination, text: str) -> None:
    found = list(_ENTITY.finditer(text))
    for entity in found:
        if entity.group(3):
            message = (
                f"The document declares the entity '{entity.group(2)[:80]}' from outside: a parser that resolves it"
                " reads that file or address."
            )
            work.concern("xml-entity", "malicious", message, entity.group()[:400], entity.start())
    if len(found) > _BOMB or sum(1 for entity in found if (entity.group(5) or "").count("&") >= 5) >= 3:
        work.concern(
            "xml-bomb",
            "malicious",
            "Its entities grow without end when a parser resolves them.",
            found[-1].group()[:400],
            found[-1].start(),
        )
    if not found and "<!DOCTYPE" in text and re.search(r"<!DOCTYPE\s+[\w:.-]+\s+(?:SYSTEM|PUBLIC)\s", text):
        place = text.find("<!DOCTYPE")
        work.concern(
            "xml-entity",
            "review",
            "The document names a definition from outside, which parsers may fetch.",
            text[place : place + 200],
            place,
        )


def _attributes(text: str) -> dict[str, str]:
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(text)}


def _pmml(work: Examination, text: str) -> None:
    extensions = 0
    for tag in _START.finditer(text):
        name = tag.group(1).rsplit(":", 1)[-1]
        if name not in ("Extension", "script", "Script", "Apply"):
            continue
        extensions += 1
        if extensions > _EXTENSIONS:
            work.concern("size", "inconclusive", "The document has more extensions than are read.", at=tag.start())
            break
        attributes = _attributes(tag.group(2))
        if name == "Apply":
            function = attributes.get("function", "")
            if re.match(r"(?:[a-z]+\.){2,}|x-", function):
                message = "The model applies a function that is none of PMML: an engine takes it for a class of Java and runs it."
                work.concern("pmml-function", "review", message, function, tag.start())
            continue
        end = text.find(f"</{tag.group(1)}", tag.end(), tag.end() + _INSIDE)
        inside = "" if tag.group(2).endswith("/") else text[tag.end() : end if end >= 0 else tag.end() + _INSIDE]
        words = f"{attributes.get('name', '')} {attributes.get('extender', '')} {attributes.get('value', '')} {inside}"
        code = payload.code_in(words)
        if code:
            message = "An extension of the document holds code. Engines that run scripts of extensions run it."
            work.concern("pmml-script", "malicious", message, code, tag.start())
        elif name.lower() == "script" or _SCRIPT.search(f"{attributes.get('name', '')} {attributes.get('extender', '')}"):
            message = "An extension of the document is called a script: engines that know it may run it."
            work.concern("pmml-script", "review", message, words[:400], tag.start())
    code = payload.code_in(text)
    if code:
        work.concern("pmml-script", "review", "There is code in the document.", code)


def _openvino(work: Examination, text: str) -> None:
    for tag in _START.finditer(text):
        name = tag.group(1).rsplit(":", 1)[-1]
        attributes = _attributes(tag.group(2))
        for key in ("library", "extension", "lib", "path_to_library"):
            value = attributes.get(key, "")
            if value and (re.search(r"\.(?:so|dll|dylib|xml|pyd)\b", value) or "/" in value or "\\" in value):
                message = "A layer names a library of native code: a loader that follows it runs its code."
                work.concern("native-library", "malicious", message, f"{key}='{value}'", tag.start())
        if "script" in attributes or attributes.get("implementation", "").lower() == "python":
            message = "A layer holds a script, or is implemented in Python."
            work.concern(
                "layer-script",
                "malicious" if payload.code_in(attributes.get("script", "")) else "review",
                message,
                tag.group()[:400],
                tag.start(),
            )
        version = attributes.get("version", "")
        if name == "layer" and version and not re.match(r"opset\d+$|ie_internal_opset|experimental|util$|internal$", version):
            message = (
                f"The layer '{attributes.get('name', '')[:80]}' is none of OpenVINO ('{version[:80]}'): the model runs"
                " only with a library of native code."
            )
            work.concern("custom-operator", "review", message, tag.group()[:400], tag.start())
    code = payload.code_in(text)
    if code:
        work.concern("code-in-data", "review", "There is code in the document.", code)
