"""Prompts of a system map: where their texts are written, and which of them make one prompt."""

from __future__ import annotations

from typing import Final

from headwater import limits
from headwater.index.entities import Fn
from headwater.system.graph import Graph, Key
from headwater.system.written import Text
from headwater.taint.sights import Sight

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


class Prompts(Graph):
    """Finds prompts."""

    def _prompt(self, text: Text) -> Key:
        key: Key = self.of_text.get(text) or ("prompt", text.fn.module.id, text.start)
        if key not in self.nodes:
            node = self._node(key, "prompt", text.name or text.fn.ir.qualname, text.fn, text.start)
            node.detail["begins"] = " ".join(text.literal.split())[: limits.COMPONENT_NAME]
        return key

    def _template(self, sight: Sight) -> Key:
        """The prompt that a call makes a template of: where its text is written, if that is one text elsewhere, else the call."""
        texts = [text for text in self._texts(sight) if len(text.literal.strip()) >= limits.PROMPT_CHARS]
        inside = [text for text in texts if text.fn is sight.fn and sight.start <= text.start < sight.end]
        if len(texts) == 1 and not inside and not sight.name:
            return self._prompt(texts[0])
        key: Key = ("prompt", sight.fn.module.id, sight.start)
        name = sight.name or self.places.holder(sight.fn, sight.start, sight.end) or sight.fn.ir.qualname
        node = self._node(key, "prompt", name, sight.fn, sight.start)
        if texts:
            node.detail["begins"] = " ".join(texts[0].literal.split())[: limits.COMPONENT_NAME]
        for text in inside:
            self.of_text[text] = key
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
        if entry.prompt:
            for fn, register in self.places.argument(sight.fn, call, entry.prompt):
                found += [text for text in self._messages(fn, register) if len(text.literal.strip()) >= limits.PROMPT_CHARS]
        return list(dict.fromkeys(found))

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
                parts = [part for key, part in zip(build.keys, build.parts, strict=True) if key in ("content", "text", "parts")]
            else:
                parts = list(build.parts)
            for part in parts:
                found += self._messages(at, part, depth + 1)
        for part in self.places.appended(fn, register):
            found += self._messages(fn, part, depth + 1)
        return found
