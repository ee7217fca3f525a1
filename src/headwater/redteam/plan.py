"""Chooses probes by what the system map and the findings of a review have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from headwater.findings import Review
from headwater.redteam.join import made_by_model
from headwater.redteam.probes import table

NEEDS: Final = {
    "data": "a data set from a hub (--online)",
    "attacker": "a model that writes the attacks",
    "judge": "a model that judges",
    "role": "a target that takes a system prompt (--openai)",
    "media": "pictures or sound",
    "prompt": "the system prompt of the application (--system-prompt FILE)",
}


class Choice(msgspec.Struct, frozen=True, order=True):
    """A probe that is worth running."""

    probe: str
    """As the tool names it; of a scenario of PyRIT without its technique."""
    technique: str
    """Of PyRIT: technique or scorer; else empty."""
    kind: str
    because: tuple[str, ...]
    """What of the system makes it worth running, with a place."""
    needs: tuple[str, ...] = ()


def facts(review: Review) -> dict[str, str]:
    """The words that the table knows, for what there is; each with the first place of it."""
    found: dict[str, str] = {}
    for part in review.system.components:
        place = f"{part.name}, {part.file}:{part.line}"
        words = [part.type, *part.capabilities]
        if part.type in ("llm", "llm-call", "agent"):
            words.append("model")
        if part.type == "entry-point":
            words.append(f"entry:{part.detail.get('kind', '')}")
        for word in words:
            found.setdefault(word, place)
    for finding in review.findings:
        if made_by_model(finding) and finding.sink_class and finding.suppression is None:
            source = review.sources.get(finding.place.path)
            line = source.file_line(source.position(finding.place.start)[0]) if source is not None else 1
            found.setdefault(f"sink:{finding.sink_class}", f"{finding.rule}, {finding.place.path}:{line}")
    return found


def choose(tool: str, known: dict[str, str]) -> list[Choice]:
    """The probes of a tool that something calls for, in the order of their names."""
    chosen = []
    for name, probe in table().tools[tool].probes.items():
        because = tuple(f"{word} ({known[word]})" for word in probe.when if word in known)
        if because:
            chosen += [_choice(tool, name, run, probe.kind, because, probe.needs) for run in probe.run]
    return sorted(chosen)


def named(tool: str, names: Iterable[str]) -> list[Choice]:
    """Probes that the user names, as ``module`` or ``module.Name``; those of a module that the table would run."""
    chosen = []
    for name in names:
        base, _, last = name.rpartition(".")
        entries = table().tools[tool].probes
        probe = entries.get(name) or entries.get(base)
        kind = probe.kind if probe else ""
        needs = probe.needs if probe else ()
        runs = entries[name].run if name in entries and entries[name].run else ()
        because = ("named by you",)
        if runs:
            chosen += [_choice(tool, name, run, kind, because, needs) for run in runs]
        elif tool == "pyrit" and base:
            chosen.append(Choice(base, last, kind, because, needs))
        else:
            chosen.append(Choice(name, "", kind, because, needs))
    return sorted(set(chosen))


def lacking(choice: Choice, *, online: bool, role: bool, prompt: bool) -> list[str]:
    """What it needs and does not have, in words."""
    have = {"data": online, "role": role, "prompt": prompt}
    return [NEEDS[need] for need in choice.needs if not have.get(need, False)]


def _choice(tool: str, name: str, run: str, kind: str, because: tuple[str, ...], needs: tuple[str, ...]) -> Choice:
    if tool == "garak":
        return Choice(f"{name.partition('.')[0]}.{run}", "", kind, because, needs)
    scenario = name if name.startswith("headwater.") else name.partition(".")[0]
    return Choice(scenario, run, kind, because, needs)
