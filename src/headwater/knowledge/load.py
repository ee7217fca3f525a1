"""Looks up ids of standards: ``entry("owasp-llm", "LLM05:2025")`` gives the name and the edition.

The data are the YAML files beside this module; each says where its facts come from. A file is read when something of its
framework is first asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

import msgspec
import yaml

LOADER: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 8 times faster where libyaml is there


class KnowledgeError(Exception):
    """A knowledge file does not say what it must."""


class Entry(msgspec.Struct, frozen=True, order=True):
    """One item of a standard."""

    framework: str
    edition: str
    id: str
    name: str
    url: str = ""


class Framework(msgspec.Struct, frozen=True):
    """A standard, or all editions of it that are known here."""

    id: str
    title: str
    publisher: str
    url: str
    files: tuple[str, ...]


FRAMEWORKS: Final[Mapping[str, Framework]] = {
    framework.id: framework
    for framework in (
        Framework(
            "owasp-llm",
            "OWASP Top 10 for LLM Applications",
            "OWASP",
            "https://genai.owasp.org/llm-top-10/",
            ("owasp-llm-2025.yaml", "owasp-llm-2026.yaml"),
        ),
        Framework(
            "owasp-agentic", "OWASP Top 10 for Agentic Applications", "OWASP", "https://genai.owasp.org/", ("owasp-agentic-2026.yaml",)
        ),
        Framework("owasp-mcp", "OWASP MCP Top 10", "OWASP", "https://owasp.org/www-project-mcp-top-10/", ("mcp-top10.yaml",)),
        Framework("atlas", "MITRE ATLAS", "MITRE", "https://atlas.mitre.org/", ("atlas.yaml",)),
        Framework("cwe", "Common Weakness Enumeration", "MITRE", "https://cwe.mitre.org/", ("cwe.yaml",)),
        Framework(
            "nist-ai-600-1",
            "NIST AI 600-1, Generative AI Profile",
            "NIST",
            "https://doi.org/10.6028/NIST.AI.600-1",
            ("nist-ai-600-1.yaml",),
        ),
        Framework("iso-42001", "ISO/IEC 42001 Annex A", "ISO/IEC", "https://www.iso.org/standard/42001", ("iso42001.yaml",)),
    )
}


@functools.cache
def read(file: str) -> Mapping[str, Any]:
    """One knowledge file as it stands."""
    text = resources.files("headwater.knowledge").joinpath(file).read_bytes()
    data = yaml.load(text, LOADER)
    if not isinstance(data, dict) or "source" not in data:
        raise KnowledgeError(f"{file}: a mapping with 'source' is expected")
    return data


@functools.cache
def entries(framework: str) -> Mapping[str, Entry]:
    """All items of a framework by id, editions together (their ids differ)."""
    if framework not in FRAMEWORKS:
        raise KnowledgeError(f"unknown framework {framework!r}; known: {', '.join(FRAMEWORKS)}")
    found: dict[str, Entry] = {}
    for file in FRAMEWORKS[framework].files:
        for item in _items(framework, file):
            if not item.id or not item.name:
                raise KnowledgeError(f"{file}: an item without id or name: {item}")
            if item.id in found:
                raise KnowledgeError(f"{file}: {item.id} is there twice")
            found[item.id] = item
    return found


def entry(framework: str, id: str) -> Entry:
    """One item. Raises KeyError with a message that can be shown where the id does not exist."""
    known = entries(framework)
    if id not in known:
        edition = " (the edition belongs to the id, as in LLM05:2025)" if framework.startswith("owasp") and ":" not in id else ""
        raise KeyError(f"{FRAMEWORKS[framework].title} has no {id!r}{edition}")
    return known[id]


def editions(framework: str) -> tuple[str, ...]:
    """The editions known here, oldest first."""
    return tuple(sorted({item.edition for item in entries(framework).values()}))


def _items(framework: str, file: str) -> Iterator[Entry]:
    data = read(file)
    if framework.startswith("owasp"):
        for row in data["items"]:
            yield Entry(framework, str(row["id"]).rpartition(":")[2], row["id"], row["name"], FRAMEWORKS[framework].url)
    elif framework == "atlas":
        edition = str(data["source"]["file_version"])
        for group, folder in (("tactics", "tactics"), ("techniques", "techniques"), ("mitigations", "mitigations")):
            for row in data[group]:
                yield Entry(framework, edition, row["id"], row["name"], f"https://atlas.mitre.org/{folder}/{row['id']}")
    elif framework == "cwe":
        # "MITRE CWE 4.20 (2026-04-30)"
        edition = str(data["source"]["name"]).split()[2]
        for group in ("ai_specific", "general"):
            for row in data[group]:
                yield Entry(framework, edition, str(row["id"]), row["name"], f"https://cwe.mitre.org/data/definitions/{row['id']}.html")
    elif framework == "nist-ai-600-1":
        for row in data["risks"]:
            yield Entry(framework, str(data["source"]["date"]), row["id"], row["name"], FRAMEWORKS[framework].url)
    elif framework == "iso-42001":
        for area in data["objectives"]:
            for row in area["controls"]:
                yield Entry(framework, "2023", row["id"], row["title"], FRAMEWORKS[framework].url)
