"""The threats that are known, as data: ``catalogue/*.yaml``, with what their terms mean.

Each threat holds for components of its ``types``; ``when`` narrows it by what the map says. Terms of a condition are joined by ``and``; of
the conditions in a list any is enough:

- ``uses KIND``, ``used-by KIND``: an edge of that kind begins or ends here
- ``with TYPE``: one of the neighbours is of this type
- ``can CAPABILITY``: the tool's code can do that; ``offers CAPABILITY``: one of the tools that are offered to the model can
- ``remote``: a request from outside leads here
- ``in ZONE``: the component is in this trust zone (``zones.yaml``)
- ``crosses network``: of a flow: one of its sides is run by others

``rules`` are the findings that show a threat; ``mitigated`` is the kind of the edges that answer it. Type ``flow`` is the data that
crosses one trust boundary.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Final

import msgspec
import yaml

from headwater.knowledge.load import LOADER, read

FLOW: Final = "flow"
LETTERS: Final = ("S", "T", "R", "I", "D", "E")
ELEMENTS: Final = {
    "entry-point": "process",
    "server": "process",
    "guard": "process",
    "llm": "llm",
    "llm-call": "llm",
    "embedding-model": "llm",
    "agent": "agent",
    "tool": "tool_or_mcp_server",
    "mcp-server": "tool_or_mcp_server",
    "mcp-client": "tool_or_mcp_server",
    "vector-store": "memory_or_vector_store",
    "memory": "memory_or_vector_store",
    "retriever": "memory_or_vector_store",
    "prompt": "prompt_template",
    "document-source": "store",
    "dataset": "store",
    "secret": "store",
    "model-file": "model_file",
    FLOW: "flow",
}
"""The element of ``knowledge/stride.yaml`` that a type of component is. Actors have no code: what they may do stands at entry points."""


class Threat(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """One entry."""

    id: str
    letter: str
    types: list[str]
    severity: str
    """For the strongest case; a finding brings its own."""
    title: str
    gains: str
    mitigation: str
    question: str
    when: list[str] = []
    rules: list[str] = []
    mitigated: str = ""
    """The kind of edges to the component, or to its tools that act, that answer it."""
    standards: dict[str, list[str | int]] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    threats: list[Threat]


@functools.cache
def catalogue() -> tuple[Threat, ...]:
    """All of them, by letter and id."""
    found = []
    for file in resources.files("headwater.threats").joinpath("catalogue").iterdir():
        if file.name.endswith(".yaml"):
            found += msgspec.convert(yaml.load(file.read_bytes(), LOADER), _File).threats
    return tuple(sorted(found, key=lambda one: (LETTERS.index(one.letter), one.id)))


@functools.cache
def letters() -> dict[str, tuple[str, str, str]]:
    """STRIDE by letter: its name, the property that it breaks, and what it means for a system with a model."""
    return {one["id"]: (one["name"], one["property"], one["llm_reading"]) for one in read("stride.yaml")["categories"]}


@functools.cache
def elements() -> dict[str, tuple[str, ...]]:
    """The letters by element."""
    return {element: tuple(found) for element, found in read("stride.yaml")["per_element"].items()}
