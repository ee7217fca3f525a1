"""What the template of a component does, as statements of its script: elements with dangerous bindings, other components, handlers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from headwater import ir
from headwater.frontends.bounded import BoundedParser
from headwater.frontends.components.expressions import Code
from headwater.frontends.components.markup import Attribute, Braces, Close, Comment, Open, Span, closing_brace
from headwater.frontends.components.script import Scripts
from headwater.frontends.rewritten import Rewritten
from headwater.frontends.text import SYNTAX

Part = Open | Close | Braces | Comment

_HTML: Final = frozenset(("innerhtml", "outerhtml", "srcdoc"))
_ADDRESS: Final = frozenset(("href", "action", "formaction"))
_PROPERTY: Final = {"innerhtml": "innerHTML", "outerhtml": "outerHTML", "srcdoc": "srcdoc", "formaction": "formAction"}
_FOR: Final = re.compile(rb"\s*(?:\(\s*(.*?)\s*\)|(.*?))\s+(?:in|of)\s+(.*)", re.DOTALL)
_EACH: Final = re.compile(rb"(.*)\s+as\s+(.*)", re.DOTALL)
_EACH_NAMES: Final = re.compile(rb"(.*?)(?:\s*,\s*([A-Za-z_$][\w$]*))?\s*(?:\(.*\))?\s*\Z", re.DOTALL)
_BLOCK: Final = re.compile(rb"\s*([#:/@])\s*(else\s+if|[a-z]+)\b\s*", re.DOTALL)
_THEN: Final = re.compile(rb"(.*?)\s+then\s+(.*)", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z_$][\w$]*\Z", re.ASCII)
_HEADWATER: Final = re.compile(rb"<!--\s*headwater\s*:")
_DEPTH: Final = 60  # blocks in one another; hand-written templates stay below 15


class Template:
    """What Vue and Svelte have in common."""

    def __init__(self, parser: BoundedParser, data: bytes, out: Rewritten, scripts: Scripts, gaps: list[ir.Gap]) -> None:
        self.data = data
        self.out = out
        self.scripts = scripts
        self.gaps = gaps
        self.code = Code(parser, data, out, self.named)
        self.locals: list[str] = []
        self.said = False
        self.opened: list[tuple[str, int, int]] = []
        """Elements or blocks that are open: their names, how many braces they close, how many local names there were before."""

    def named(self, name: str, assigned: bool) -> str:
        """What a free name of the template is in the script."""
        return name

    def write(self, parts: Sequence[Part]) -> None:
        """Handlers first: what they change is there when the template is shown again."""
        self.rules()
        self.handlers(parts)
        self.rules()
        for part in parts:
            self.part(part)
        while self.opened:
            self.leave(len(self.data))

    def rules(self) -> None:
        for target, value in self.scripts.again:
            if target[0] < target[1]:
                self.put("(", target)
                self.out.keep(self.data, *target)
                self.put(" = ", target)
            self.scripts.keep(value)
            self.put(");\n" if target[0] < target[1] else "\n", value)

    def put(self, text: str, span: Span) -> None:
        self.out.put(text.encode("utf-8", "surrogateescape"), *span)

    def too_deep(self, span: Span) -> None:
        """Said once: what is below is read without the blocks around it."""
        if not self.said:
            self.said = True
            self.gaps.append(ir.Gap(*span, f"nesting beyond {_DEPTH}"))

    def not_understood(self, span: Span) -> None:
        self.gaps.append(ir.Gap(*span, SYNTAX))

    # ------------------------------------------------------------------------------------------------ blocks

    def enter(self, name: str, braces: int, before: int) -> None:
        self.opened.append((name, braces, before))

    def leave(self, at: int) -> None:
        _, braces, before = self.opened.pop()
        self.put("}" * braces + "\n", (at, at))
        del self.locals[before:]

    def bind(self, span: Span, value: Span | None, loop: bool) -> int:
        """Writes ``for (const pattern of value) {`` or ``{ const pattern = value;``; gives the number of braces."""
        names = self.code.pattern(span)
        if names is None or (value is not None and not self.code.is_expression(value)):
            self.not_understood(span)
            return 0
        self.put("for (const " if loop else "{ const ", span)
        self.put(self.code.text(span).decode("utf-8", "replace"), span)
        self.put(" of (" if loop else " = (", span)
        if value is not None:
            self.code.write(value, self.locals)
        else:
            self.put("$slot()", span)
        self.put(")) {\n" if loop else ");\n", span)
        self.locals += names
        return 1

    def condition(self, span: Span) -> int:
        if not self.code.is_expression(span):
            self.put("{\n", span)
            return 1
        self.put("if (", span)
        self.code.write(span, self.locals)
        self.put(") {\n", span)
        return 1

    # ------------------------------------------------------------------------------------------------ parts

    def handlers(self, parts: Sequence[Part]) -> None:
        raise NotImplementedError

    def part(self, part: Part) -> None:
        if isinstance(part, Comment):
            if _HEADWATER.match(self.data, part.start) and b"*/" not in self.data[part.start : part.end]:
                self.put("/*", (part.start, part.start + 4))
                self.out.keep(self.data, part.start + 4, max(part.start + 4, part.end - 3))
                self.put("*/\n", (part.end - 3, part.end))
        elif isinstance(part, Open):
            if part.name.lower() not in ("script", "style"):
                self.element(part)
        elif isinstance(part, Close):
            if any(name == part.name for name, _, _ in self.opened):
                while self.opened[-1][0] != part.name:
                    self.leave(part.start)
                self.leave(part.start)
        else:
            self.braces(part)

    def element(self, part: Open) -> None:
        raise NotImplementedError

    def braces(self, part: Braces) -> None:
        pass

    def binding(self, element: Open, attribute: Attribute, name: str, value: Span) -> None:
        """A property of a plain element that is set to the value of an expression."""
        lower = name.lower().rpartition(":")[2]
        if lower not in _HTML and lower not in _ADDRESS:
            return
        if not self.code.is_expression(value):
            self.not_understood(value)
            return
        place = (attribute.start, value[1] + 1)
        self.put(f'document.createElement("{element.name}").{_PROPERTY.get(lower, lower)} = (', place)
        self.code.write(value, self.locals)
        self.put(");\n", place)

    def component(self, element: Open) -> str:
        """The name of the component that an element is; empty where it is a plain element."""
        names = self.scripts.names
        joined = "".join(word[:1].upper() + word[1:] for word in element.name.split("-"))
        for name in (element.name, joined):
            if name in names and (name[:1].isupper() or "-" in element.name):
                return name
        return ""

    def call(self, component: str, element: Open, given: list[tuple[str, Span | None, str]]) -> None:
        """Calls another component with its properties: names, expressions, or texts."""
        place = (element.start, element.end)
        self.put(f"{component}({{ ", place)
        for name, span, text in given:
            if span is None:
                self.put(f"{name}: {text}, ", place)
            elif self.code.is_expression(span):
                self.put("...(" if name == "..." else f"{name}: (", span)
                self.code.write(span, self.locals)
                self.put("), ", span)
        self.put("});\n", place)


class Vue(Template):
    """Templates of Vue."""

    def named(self, name: str, assigned: bool) -> str:
        scripts = self.scripts
        if name.startswith("$"):
            return name
        if scripts.options is not None:
            return name if name in scripts.names else f"(this.{name} ?? this.{name}.value)" if not assigned else f"this.{name}"
        if name not in scripts.names:
            return f"$given.{name}"
        return f"({name} ?? {name}.value)" if name in scripts.held and not assigned else name

    def handlers(self, parts: Sequence[Part]) -> None:
        for part in parts:
            for one in part.attributes if isinstance(part, Open) else ():
                if one.name.startswith(("@", "v-on:")) and one.value[0] < one.value[1]:
                    if self.code.is_function(one.value):
                        self.put("(", one.value)
                        self.code.write(one.value, ())
                        self.put(")();\n", one.value)
                    else:
                        self.put("{ ", one.value)
                        self.code.write_statements(one.value, ())
                        self.put(" }\n", one.value)

    def element(self, part: Open) -> None:
        before, braces = len(self.locals), 0
        deep = len(self.opened) >= _DEPTH
        found = {one.name: one for one in part.attributes}
        loop, test = found.get("v-for"), found.get("v-if")
        if deep and (loop is not None or test is not None):
            self.too_deep((part.start, part.end))
        if loop is not None and not deep:
            braces += self.loop(loop.value)
        if test is not None and not deep:
            braces += self.condition(test.value)
        for one in part.attributes:
            if one.name.startswith(("v-slot", "#")) and one.value[0] < one.value[1] and not deep:
                braces += self.bind(one.value, None, False)
        component = self.component(part)
        given: list[tuple[str, Span | None, str]] = []
        for one in part.attributes:
            name = one.name
            if name == "v-html":
                self.binding(part, one, "innerHTML", one.value)
            elif name == "v-bind" and component:
                given.append(("...", one.value, ""))
            elif name.startswith((":", "v-bind:", ".")):
                name = name.removeprefix("v-bind").lstrip(":.").partition(".")[0]
                if not component:
                    self.binding(part, one, name, one.value)
                elif _WORD.match(_camel(name)):
                    given.append((_camel(name), one.value, ""))
            elif name.startswith("v-model") and component:
                name = _camel(name.partition(":")[2].partition(".")[0]) or "modelValue"
                given += [(name, one.value, "")] if _WORD.match(name) else []
        if component:
            self.call(component, part, given)
        if part.closed:
            self.enter(part.name, braces, before)
            self.leave(part.end)
        elif braces or len(self.opened) < _DEPTH * 4:
            self.enter(part.name, braces, before)

    def loop(self, span: Span) -> int:
        found = _FOR.match(self.data, *span)
        if found is None:
            return 0
        group = 1 if found.group(1) is not None else 2
        start, end = found.span(group)
        first = self.data[start:end]
        names: list[str] = []
        if group == 1 and not first.startswith((b"{", b"[")):
            head, _, rest = first.partition(b",")
            end = start + len(head)
            names = [word for part in rest.split(b",") if _WORD.match(word := part.strip().decode("utf-8", "replace"))]
        elif group == 1:
            close = first.rfind(b"}" if first.startswith(b"{") else b"]") + 1
            names = [word for part in first[close:].split(b",") if _WORD.match(word := part.strip().decode("utf-8", "replace"))]
            end = start + close
        braces = self.bind((start, end), found.span(3), True)
        if braces:
            for name in names:
                self.put(f"const {name} = 0;\n", span)
                self.locals.append(name)
        return braces


class Svelte(Template):
    """Templates of Svelte."""

    def named(self, name: str, assigned: bool) -> str:
        return self.scripts.dollar(name[1:], "", assigned) if name.startswith("$") and len(name) > 1 else name

    def handlers(self, parts: Sequence[Part]) -> None:
        for part in parts:
            for one in part.attributes if isinstance(part, Open) else ():
                if one.braces and one.name.startswith("on") and self.code.is_function(one.value):
                    self.put("(", one.value)
                    self.code.write(one.value, ())
                    self.put(")();\n", one.value)

    def element(self, part: Open) -> None:
        component = self.component(part)
        given: list[tuple[str, Span | None, str]] = []
        for one in part.attributes:
            name, value = one.name.removeprefix("bind:"), one.value
            if not name:  # {text} or {...others}
                text = self.data[slice(*value)].strip()
                start = self.data.find(text, *value)
                if text.startswith(b"..."):
                    given.append(("...", (start + 3, start + len(text)), ""))
                    continue
                name, value = text.decode("utf-8", "replace"), (start, start + len(text))
            elif not one.braces:
                inside = self.data[slice(*value)]
                if b"{" not in inside:
                    continue
                if not (inside.startswith(b"{") and closing_brace(self.data, value[0] + 1, value[1]) == value[1] - 1):
                    self.mixed(part, one)
                    continue
                value = (value[0] + 1, value[1] - 1)
            if component and _WORD.match(name):
                given.append((name, value, ""))
            elif not component:
                self.binding(part, one, name, value)
        if component:
            self.call(component, part, given)
        if not part.closed and len(self.opened) < _DEPTH * 4:
            self.enter(part.name, 0, len(self.locals))

    def mixed(self, part: Open, attribute: Attribute) -> None:
        """An address of texts and expressions: ``href="/a/{name}"``."""
        lower = attribute.name.lower()
        if lower not in _HTML and lower not in _ADDRESS:
            return
        at, end = attribute.value
        place = (attribute.start, end + 1)
        self.put(f'document.createElement("{part.name}").{_PROPERTY.get(lower, lower)} = ""', place)
        while at < end:
            brace = self.data.find(b"{", at, end)
            stop = closing_brace(self.data, brace + 1, end) if brace >= 0 else -1
            text = self.data[at : brace if stop >= 0 else end].decode("utf-8", "replace")
            if text:
                self.put(" + " + json.dumps(text), place)
            if stop < 0:
                break
            if self.code.is_expression((brace + 1, stop)):
                self.put(" + (", place)
                self.code.write((brace + 1, stop), self.locals)
                self.put(")", place)
            at = stop + 1
        self.put(";\n", place)

    def braces(self, part: Braces) -> None:
        start, end = part.inside
        found = _BLOCK.match(self.data, start, end)
        if found is None:
            return
        kind, word = found.group(1), found.group(2).decode("ascii", "replace")
        rest = (found.end(), end)
        if kind == b"@":
            self.tag(word, rest, (part.start, end + 1))
        elif kind == b"/":
            if any(name == "#" + word for name, _, _ in self.opened):
                while self.opened[-1][0] != "#" + word:
                    self.leave(part.start)
                self.leave(part.start)
        elif kind == b"#":
            if sum(braces for _, braces, _ in self.opened) < _DEPTH:
                before = len(self.locals)
                self.enter("#" + word, self.begin(word, rest), before)
            else:
                self.too_deep((part.start, end + 1))
        elif (at := next((n for n in range(len(self.opened) - 1, -1, -1) if self.opened[n][0].startswith("#")), -1)) >= 0:
            name, before = self.opened[at][0], self.opened[at][2]
            while len(self.opened) > at:
                self.leave(part.start)
            braces = 0
            if word.startswith("else"):
                braces = self.condition(rest) if word != "else" else 0
            elif word == "then" and rest[0] < rest[1] and self.awaited is not None:
                braces = self.bind(rest, self.awaited, False)
            elif word == "catch" and rest[0] < rest[1]:
                braces = self.bind(rest, None, False)
            self.enter(name, braces, before)

    awaited: Span | None = None
    """What the innermost ``{#await}`` waits for."""

    def begin(self, word: str, rest: Span) -> int:
        """Writes the start of a block; gives the number of braces."""
        if word == "if":
            return self.condition(rest)
        if word == "each" and (found := _EACH.match(self.data, *rest)) is not None:
            names = _EACH_NAMES.match(self.data, *found.span(2))
            if names is None:
                return 0
            braces = self.bind(names.span(1), found.span(1), True)
            if braces and names.group(2):
                self.put(f"const {names.group(2).decode()} = 0;\n", rest)
                self.locals.append(names.group(2).decode())
            return braces
        if word == "await":
            then = _THEN.match(self.data, *rest)
            self.awaited = then.span(1) if then else rest
            return self.bind(then.span(2), then.span(1), False) if then else 0
        if word == "snippet" and (opening := self.data.find(b"(", *rest)) >= 0:
            closing = self.data.rfind(b")", *rest)
            name = self.data[rest[0] : opening].strip().decode("utf-8", "replace")
            names_bound = self.code.pattern((opening + 1, closing)) if closing > opening and _WORD.match(name) else None
            if names_bound is not None:
                self.put(f"function {name}(", rest)
                self.put(self.data[opening + 1 : closing].decode("utf-8", "replace") + ") {\n", rest)
                self.locals += names_bound
                return 1
        return 0

    def tag(self, word: str, rest: Span, place: Span) -> None:
        """``{@html x}``, ``{@const x = y}``, ``{@render x(y)}``."""
        if word == "html":
            if not self.code.is_expression(rest):
                self.not_understood(rest)
                return
            self.put('document.createElement("div").innerHTML = (', place)
            self.code.write(rest, self.locals)
            self.put(");\n", place)
        elif word == "render" and self.code.is_expression(rest):
            self.code.write(rest, self.locals)
            self.put(";\n", rest)
        elif word == "const":
            equals = self.data.find(b"=", *rest)
            names = self.code.pattern((rest[0], equals)) if equals > 0 else None
            if names is not None and self.code.is_expression((equals + 1, rest[1])):
                self.put("const " + self.data[rest[0] : equals].decode("utf-8", "replace") + "= (", rest)
                self.code.write((equals + 1, rest[1]), self.locals)
                self.put(");\n", rest)
                self.locals += names


def _camel(name: str) -> str:
    first, *others = name.split("-")
    return first + "".join(word[:1].upper() + word[1:] for word in others)
