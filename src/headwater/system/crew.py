"""Crews of CrewAI whose agents and tasks are told in YAML beside the class: ``Agent(config=self.agents_config["writer"])``."""

from __future__ import annotations

import posixpath
from typing import Final

from headwater import ir
from headwater.files.beside import Section
from headwater.index.entities import Cls, Fn
from headwater.system.graph import Key, Node
from headwater.system.parts import Parts
from headwater.taint.sights import Sight

_FILES: Final = {"agents_config": "config/agents.yaml", "tasks_config": "config/tasks.yaml"}
"""Fields of a class that name its files, and what they are where it does not say."""


class Crews(Parts):
    """Finds the prompts of crews."""

    def _crews(self, sights: list[Sight]) -> None:
        """The prompts that stand in YAML, and the agents that a crew collects from its class."""
        agents: dict[int, list[Key]] = {}
        crews: list[tuple[Sight, Key]] = []
        for sight in sights:
            place = (sight.fn.module.id, sight.start)
            if sight.kind == "agent" and sight.path.startswith("crewai.") and sight.fn.cls is not None:
                key: Key = ("agent", *place)
                if sight.path.endswith("Crew"):
                    crews.append((sight, key))
                else:
                    agents.setdefault(sight.fn.cls.id, []).append(key)
        for sight in sights:
            if sight.path.startswith("crewai.") and sight.kind in ("agent", "prompt"):
                self._configured(sight, agents)
        for sight, key in crews:
            cls = sight.fn.cls
            if cls is not None and any(one.name.rpartition(".")[2] == "CrewBase" for one in cls.ir.decorators):
                for other in agents.get(cls.id, ()):
                    self._edge(key, other, "delegates-to", sight.fn, sight.start)

    def _configured(self, sight: Sight, agents: dict[int, list[Key]]) -> None:
        found = self._section(sight)
        if found is None:
            return
        path, section = found
        place = (sight.fn.module.id, sight.start)
        key: Key = ("yaml", path, section.name)
        if key not in self.nodes:
            self.nodes[key] = node = Node("prompt", section.name, sight.fn, sight.start, sight.end)
            node.spot = (path, section.line)
        if sight.kind == "agent":
            self._edge(key, ("agent", *place), "fills-slot", sight.fn, sight.start)
            return
        self.nodes.pop(("prompt", *place), None)
        self.of_site[sight.site] = [key]
        cls = sight.fn.cls
        for agent in agents.get(cls.id, ()) if cls is not None and "agent" in section.values else ():
            if self.nodes[agent].fn.name == section.values["agent"]:
                self._edge(key, agent, "fills-slot", sight.fn, sight.start)

    def _section(self, sight: Sight) -> tuple[str, Section] | None:
        """The part of a file that a call is given as its configuration."""
        call = self.places.call(sight.fn, sight.start, sight.end)
        definitions = self.places.definitions(sight.fn)
        for name, register in call.kw if call is not None else ():
            for one in definitions.get(register, ()) if name == "config" else ():
                for base in definitions.get(one.obj, ()) if type(one) is ir.Item and isinstance(one.key, str) else ():
                    if type(base) is ir.Attr and base.name in _FILES and sight.fn.cls is not None:
                        path = self._file(sight.fn, sight.fn.cls, base.name)
                        for section in self.beside.prompts.get(path, ()):
                            if section.name == one.key:
                                return path, section
        return None

    def _file(self, fn: Fn, cls: Cls, field: str) -> str:
        """The file that a field of a class names."""
        name = self._text_field(cls, field) or _FILES[field]
        return posixpath.normpath(posixpath.join(posixpath.dirname(fn.module.path), name))
