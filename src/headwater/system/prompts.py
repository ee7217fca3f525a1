"""Prompts of a system map: where their texts are written, and which of them make one prompt."""

from __future__ import annotations

import re
from typing import Any, Final

from headwater import limits
from headwater.index.entities import Fn
from headwater.system.graph import Graph, Key
from headwater.system.written import Text
from headwater.taint.sights import Sight, labels_in
from headwater.taint.value import Shape

_TEXTS: Final = frozenset(
    {
        "template",
        "messages",
        "message_templates",
        "prompt",
        "content",
        "prefix",
        "suffix",
        "system_template",
        "message",
        "text",
        "description",
    }
)
"""Arguments of a template that are texts of it."""
_SLOT: Final = re.compile(r"\{\w+\}")
_KEYS: Final = frozenset({"prompt", "template", "messageModifier", "stateModifier", "systemMessage", "content", "system", "messages"})
"""Keys under which a prompt is handed over, which are no names for it."""
_PARTS: Final = ("content", "text", "parts", "template", "prompt", "promptMessages")
"""Keys of objects in which texts for a model stand."""


class Prompts(Graph):
    """Finds prompts."""

    def _prompt(self, text: Text) -> Key:
        key: Key = self.of_text.get(text.place) or ("prompt", text.fn.module.id, text.start)
        if key not in self.nodes:
            node = self._node(key, "prompt", text.name or self._name_of(text.fn), text.fn, text.start)
            node.detail["begins"] = " ".join(text.literal.split())[: limits.COMPONENT_NAME]
            node.text = text.literal
        if not text.fixed or _SLOT.search(text.literal):
            self.slotted.add(key)
        return key

    def _template(self, sight: Sight) -> Key:
        """The prompt that a call makes a template of: where its text is written, if that is one text elsewhere, else the call."""
        every = self._texts(sight)
        texts = [text for text in every if len(text.literal.strip()) >= limits.PROMPT_CHARS]
        open_ = not texts or any(not text.fixed or _SLOT.search(text.literal) for text in every)
        inside = [text for text in texts if text.fn is sight.fn and sight.start <= text.start < sight.end]
        if len(texts) == 1 and not inside and not sight.name:
            key = self._prompt(texts[0])
            if open_:  # in another message of the same template
                self.slotted.add(key)
            return key
        key = ("prompt", sight.fn.module.id, sight.start)
        held = self.places.holder(sight.fn, sight.start, sight.end)
        name = sight.name or ("" if held in _KEYS and held not in sight.fn.ir.names else held) or self._name_of(sight.fn)
        node = self._node(key, "prompt", name, sight.fn, sight.start)
        if texts:
            node.detail["begins"] = " ".join(texts[0].literal.split())[: limits.COMPONENT_NAME]
            node.text = "\n".join(text.literal for text in texts)
        for text in inside:
            self.of_text[text.place] = key
        if open_:
            self.slotted.add(key)
        return key

    def _texts(self, sight: Sight) -> list[Text]:
        """The texts for a model among the arguments of a call."""
        entry = sight.entry
        call = self.places.call(sight.fn, sight.start, sight.end)
        if call is None:
            return []
        if sight.kind == "prompt":
            given = [one for one in call.args if one >= 0] + [register for name, register in call.kw if name in _TEXTS]
            return list(dict.fromkeys(text for register in given for text in self._messages(sight.fn, register)))
        if entry is None:
            return []
        found: list[Text] = []
        system = [entry.system] if isinstance(entry.system, str) else list(entry.system)
        template = [entry.template] if isinstance(entry.template, str) else list(entry.template)
        for spec in (*system, *template):
            for fn, register in self.places.argument(sight.fn, call, spec) if spec else ():
                found += self.places.texts(fn, register)
                found += [text for maker in self.places.functions(fn, register) for text in self.places.returned(maker)]
        if entry.prompt:
            for fn, register in self.places.argument(sight.fn, call, entry.prompt):
                found += [text for text in self._messages(fn, register) if len(text.literal.strip()) >= limits.PROMPT_CHARS]
        return list(dict.fromkeys(found))

    def _around(self, sight: Sight, text: Text) -> list[Shape]:
        """The parts of what a call is given in which a text is: what is beside it does not fill it."""
        call = self.places.call(sight.fn, sight.start, sight.end)
        given = [(str(number), one) for number, one in enumerate(call.args)] + list(call.kw) if call is not None else []
        found: list[Shape] = []
        for name, register in given:
            path = self._path_to(sight.fn, register, text) if register >= 0 else None
            shape = sight.parts.get(name)
            for key in path if path is not None else ():
                fields = shape.fields if shape is not None else None
                if fields:
                    shape = fields.get(key, fields.get("*"))
            if path is not None and shape is not None and labels_in(shape):
                found.append(shape)
        return found

    def _path_to(self, fn: Fn, register: int, text: Text, depth: int = 0) -> tuple[Any, ...] | None:
        """The keys under which a text stands in a display of the function."""
        displays = [build for at, build in self.places.displays(fn, register) if at is fn] if depth <= limits.PROMPT_NESTING else []
        if not displays:
            return () if text in self.places.texts(fn, register) else None
        for build in displays:
            for key, part in zip(build.keys, build.parts, strict=True):
                path = self._path_to(fn, part, text, depth + 1)
                if path is not None:
                    return (key, *path)
        return None

    def _messages(self, fn: Fn, register: int, depth: int = 0) -> list[Text]:
        """The texts of a prompt: a text, or messages with contents."""
        displays = self.places.displays(fn, register)
        if not displays:
            return self.places.texts(fn, register)
        if depth > limits.PROMPT_NESTING:  # messages that are added to themselves
            return []
        found: list[Text] = []
        for at, build in displays:
            if build.kind == "dict":
                parts = [part for key, part in zip(build.keys, build.parts, strict=True) if key in _PARTS]
            else:
                parts = list(build.parts)
            for part in parts:
                found += self._messages(at, part, depth + 1)
        for part in self.places.appended(fn, register):
            found += self._messages(fn, part, depth + 1)
        return found
