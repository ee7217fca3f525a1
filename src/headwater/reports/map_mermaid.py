"""The system map as a Mermaid flow chart."""

from __future__ import annotations

from typing import Final

from headwater.findings import Review

_SHAPES: Final = {
    "entry-point": ("([", "])"),
    "server": ("([", "])"),
    "llm": ("{{", "}}"),
    "llm-call": ("{{", "}}"),
    "embedding-model": ("{{", "}}"),
    "prompt": (">", "]"),
    "agent": ("[[", "]]"),
    "vector-store": ("[(", ")]"),
    "memory": ("[(", ")]"),
    "dataset": ("[(", ")]"),
    "document-source": ("[(", ")]"),
}


def render(review: Review) -> str:
    """A chart from left to right; text of the repository is quoted."""
    numbers = {one.id: f"c{number}" for number, one in enumerate(review.system.components)}
    lines = ["flowchart LR"]
    for one in review.system.components:
        opening, closing = _SHAPES.get(one.type, ("[", "]"))
        can = f"<br/>{', '.join(one.capabilities)}" if one.capabilities else ""
        lines.append(f'  {numbers[one.id]}{opening}"{one.type}<br/>{_quoted(one.name)}{can}"{closing}')
    lines += [f"  {numbers[edge.from_]} -->|{edge.kind}| {numbers[edge.to]}" for edge in review.system.edges]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Text that Mermaid shows as it is: all but letters, digits and a few signs as entities."""
    return "".join(char if char.isascii() and (char.isalnum() or char in " _-./:") else f"#{ord(char)};" for char in text)
