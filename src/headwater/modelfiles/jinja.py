"""Parses Jinja templates into a small syntax tree, bounded, and renders nothing.

It follows Jinja 2.11 to 3.1 with the extensions that chat templates are rendered with (``do``, loop controls, ``generation``).
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from typing import Final, NamedTuple

from headwater import limits

DEPTH: Final = 60
"""Nested brackets of one expression: published templates stay below 8."""

_TAG: Final = re.compile(r"\{%[-+]?|\{\{[-+]?|\{#")
_RAW_END: Final = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
    |(?P<end>[-+]?%\}|[-+]?\}\})
    |(?P<string>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")
    |(?P<float>\d[\d_]*(?:\.\d[\d_]*(?:[eE][+-]?\d+)?|[eE][+-]?\d+))
    |(?P<integer>0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|\d[\d_]*)
    |(?P<name>[^\W\d]\w*)
    |(?P<op>\*\*|//|==|!=|>=|<=|[-+/*%~<>=.:|,;()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|N\{[^}]*\}|\n|.)", re.DOTALL)
_SIMPLE: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "\n": ""}

_BINARY: Final = {"or": 1, "and": 2, "in": 4, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5}
_BINARY_TIGHT: Final = {"~": 6, "*": 7, "/": 7, "//": 7, "%": 7, "**": 9}
_PRECEDENCE: Final = {**_BINARY, **_BINARY_TIGHT}
_NOT: Final = 3
_BLOCKS: Final = frozenset(
    {"if", "for", "macro", "call", "filter", "block", "with", "autoescape", "generation", "trans", "set", "elif", "else", "pluralize"}
)


class TemplateError(Exception):
    """It does not parse as a template."""


class Node(NamedTuple):
    """One node: its kind, a name or a constant, its operands, and the nodes of its body (of a statement)."""

    kind: str
    value: object = None
    parts: tuple[Node, ...] = ()
    body: tuple[Node, ...] = ()
    at: int = 0


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> tuple[Node, ...]:
    """The statements of a template; raises TemplateError."""
    return _Parser(text).template()


class _Open:
    """A statement whose end was not seen yet."""

    def __init__(self, tag: str, node: Node) -> None:
        self.tag = tag
        self.node = node
        self.body: list[Node] = []


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > limits.MODEL_TEMPLATE:
            raise TemplateError("it is too long")
        self.text = text
        self.nodes = 0
        self.tokens: list[_Token] = []
        self.next = 0
        self.depth = 0

    def make(self, kind: str, value: object = None, parts: tuple[Node, ...] = (), at: int = 0) -> Node:
        self.nodes += 1
        if self.nodes > limits.MODEL_TEMPLATE_NODES:
            raise TemplateError("it is too large")
        return Node(kind, value, parts, (), at)

    def template(self) -> tuple[Node, ...]:
        stack = [_Open("", self.make("template"))]
        at = 0
        while (found := _TAG.search(self.text, at)) is not None:
            self._data(stack, at, found.start())
            opening = found.group()
            if opening.startswith("{#"):
                end = self.text.find("#}", found.end())
                if end < 0:
                    raise TemplateError("a comment does not end")
                stack[-1].body.append(self.make("comment", self.text[found.end() : end], at=found.start()))
                at = end + 2
                continue
            at = self._lex(found.end(), "}}" if opening.startswith("{{") else "%}")
            if opening.startswith("{{"):
                stack[-1].body.append(self.make("output", None, (self._whole(),), found.start()))
            elif self.tokens and self.tokens[0].text == "raw":
                end_raw = _RAW_END.search(self.text, at)
                if end_raw is None:
                    raise TemplateError("a raw block does not end")
                self._data(stack, at, end_raw.start())
                at = end_raw.end()
            else:
                self._statement(stack, found.start())
        self._data(stack, at, len(self.text))
        if len(stack) > 1:
            raise TemplateError(f"the end of '{stack[-1].tag}' is missing")
        return tuple(stack[0].body)

    def _data(self, stack: list[_Open], start: int, end: int) -> None:
        if end > start:
            stack[-1].body.append(self.make("text", self.text[start:end], at=start))

    def _lex(self, at: int, closing: str) -> int:
        """Reads the tokens of one tag; returns where the text goes on."""
        self.tokens = []
        self.next = 0
        brackets: list[str] = []
        while True:
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise TemplateError(f"a tag cannot be read at character {at}")
            kind = found.lastgroup or ""
            text = found.group()
            if kind == "end":
                if not brackets and text.endswith(closing):
                    return found.end()
                # Inside brackets it is the end of a dictionary or of two, or an operator with one.
                kind, text = "op", text[0]
                at += 1
                self._bracket(brackets, text)
                self.tokens.append(_Token(kind, text, at - 1))
                continue
            if kind == "op":
                self._bracket(brackets, text)
            if kind != "space":
                self.tokens.append(_Token(kind, text, at))
            at = found.end()

    @staticmethod
    def _bracket(brackets: list[str], text: str) -> None:
        if text in "([{":
            brackets.append(text)
            if len(brackets) > DEPTH:
                raise TemplateError("it is nested too deep")
        elif text in ")]}":
            if not brackets:
                raise TemplateError("a bracket is not opened")
            brackets.pop()

    # Statements

    def _statement(self, stack: list[_Open], at: int) -> None:
        if not self.tokens:
            raise TemplateError("a tag is empty")
        tag = self._take().text
        if tag.startswith("end") and tag != "end":
            self._close(stack, tag[3:])
            return
        if tag in ("elif", "else", "pluralize"):
            if stack[-1].tag not in ("if", "elif", "for", "trans"):
                raise TemplateError(f"'{tag}' has no beginning")
            outer = stack[-1].tag
            self._finish(stack)
            stack.append(_Open("if" if outer != "for" else "for", self.make(tag, None, (self._whole(),) if tag == "elif" else (), at)))
            return
        if len(stack) > limits.NESTING:
            raise TemplateError("it is nested too deep")
        parts: tuple[Node, ...] = ()
        value: object = None
        block = tag in _BLOCKS
        if tag == "for":
            target = self._tuple(3, names=True)
            self._need("in")
            parts = (target, self._tuple(1, conditional=False))
            if self._is("if"):
                self._take()
                parts = (*parts, self._expression())
            if self._is("recursive"):
                self._take()
        elif tag == "set":
            target = self._tuple(3, names=True)
            filtered: Node = target
            if self._is("="):
                self._take()
                parts = (target, self._tuple(0))
                block = False
            else:
                if self._is("|"):
                    filtered = self._postfix(target)
                parts = (target, filtered) if filtered is not target else (target,)
        elif tag == "macro":
            value = self._take().text
            parts = self._signature()
        elif tag == "call":
            signature = self._signature() if self._is("(") else ()
            parts = (self._expression(), *signature)
        elif tag == "filter":
            parts = (self._postfix(self.make("name", "(body)"), first_filter=True),)
        elif tag == "with":
            assigned: list[Node] = []
            while self._more():
                left = self._primary()
                self._need("=")
                assigned.append(self.make("set", None, (left, self._expression()), at))
                if not self._is(","):
                    break
                self._take()
            parts = tuple(assigned)
        elif tag in ("if", "do", "print", "include", "extends", "import", "autoescape"):
            parts = (self._tuple(0),)
        elif tag == "from":
            parts = (self._expression(),)
        if tag not in ("if", "for", "set", "macro", "do", "print", "call", "filter", "with"):
            self.next = len(self.tokens)  # words of its own
        if self._more():
            raise TemplateError(f"'{tag}' goes on with '{self._peek()}'")
        node = self.make(tag, value, parts, at)
        if block:
            stack.append(_Open(tag, node))
        else:
            stack[-1].body.append(node)

    def _close(self, stack: list[_Open], tag: str) -> None:
        if len(stack) == 1 or stack[-1].tag != tag:
            raise TemplateError(f"'end{tag}' has no beginning")
        self._finish(stack)

    @staticmethod
    def _finish(stack: list[_Open]) -> None:
        done = stack.pop()
        stack[-1].body.append(done.node._replace(body=tuple(done.body)))

    def _signature(self) -> tuple[Node, ...]:
        found: list[Node] = []
        self._need("(")
        while not self._is(")"):
            name = self._take().text
            default: tuple[Node, ...] = ()
            if self._is("="):
                self._take()
                default = (self._expression(),)
            found.append(self.make("parameter", name, default))
            if self._is(","):
                self._take()
        self._need(")")
        return tuple(found)

    # Expressions

    def _more(self) -> bool:
        return self.next < len(self.tokens)

    def _peek(self, ahead: int = 0) -> str:
        at = self.next + ahead
        return self.tokens[at].text if at < len(self.tokens) else ""

    def _is(self, text: str) -> bool:
        return self._more() and self.tokens[self.next].text == text and self.tokens[self.next].kind != "string"

    def _take(self) -> _Token:
        if not self._more():
            raise TemplateError("a tag ends too early")
        self.next += 1
        return self.tokens[self.next - 1]

    def _need(self, text: str) -> None:
        if not self._is(text):
            raise TemplateError(f"'{text}' is missing")
        self.next += 1

    def _whole(self) -> Node:
        made = self._tuple(0)
        if self._more():
            raise TemplateError(f"an expression goes on with '{self._peek()}'")
        return made

    def _tuple(self, least: int, names: bool = False, conditional: bool = True) -> Node:
        """An expression, or several with commas between."""
        found: list[Node] = []
        comma = False
        while self._more() and not (self._is("in") and names) and not self._is(")") and not self._is("="):
            found.append(self._postfix(self._primary()) if names else self._expression(conditional=conditional))
            if not self._is(","):
                break
            comma = True
            self._take()
        if len(found) == 1 and not comma:
            return found[0]
        if not found and least:
            raise TemplateError("a name is missing")
        return self.make("tuple", None, tuple(found))

    def _expression(self, conditional: bool = True) -> Node:
        self.depth += 1
        if self.depth > DEPTH:
            raise TemplateError("it is nested too deep")
        try:
            made = self._binary(1)
            while conditional and self._is("if"):
                self._take()
                test = self._binary(1)
                other: tuple[Node, ...] = ()
                if self._is("else"):
                    self._take()
                    other = (self._expression(),)
                made = self.make("condition", None, (test, made, *other))
            return made
        finally:
            self.depth -= 1

    def _binary(self, least: int) -> Node:
        if self._is("not") and least <= _NOT:
            token = self._take()
            self.depth += 1
            if self.depth > DEPTH:
                raise TemplateError("it is nested too deep")
            left = self.make("unary", "not", (self._binary(_NOT),), token.at)
            self.depth -= 1
        else:
            left = self._unary()
        while self._more() and self.tokens[self.next].kind in ("op", "name"):
            operator = self._peek()
            if operator == "not" and self._peek(1) == "in" and least <= 4:
                self._take()
                token = self._take()
                left = self.make("binary", "not in", (left, self._binary(5)), token.at)
                continue
            power = _PRECEDENCE.get(operator, 0)
            if power < least or not power:
                break
            token = self._take()
            left = self.make("binary", operator, (left, self._binary(power + 1)), token.at)
        return left

    def _unary(self) -> Node:
        signs: list[_Token] = []
        while self._is("-") or self._is("+"):
            signs.append(self._take())
        made = self._postfix(self._primary())
        for sign in reversed(signs):
            made = self.make("unary", sign.text, (made,), sign.at)
        return made

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "string":
            text = unescaped(token.text[1:-1])
            while self._more() and self.tokens[self.next].kind == "string":
                text += unescaped(self._take().text[1:-1])
            return self.make("const", text, at=token.at)
        if token.kind == "integer":
            return self.make(
                "const", int(token.text.replace("_", "")[:30], 0 if token.text[:2].lower() in ("0x", "0o", "0b") else 10), at=token.at
            )
        if token.kind == "float":
            return self.make("const", float(token.text.replace("_", "")), at=token.at)
        if token.kind == "name":
            known = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}
            if token.text in known:
                return self.make("const", known[token.text], at=token.at)
            return self.make("name", token.text, at=token.at)
        if token.text == "(":
            inner = self._tuple(0)
            self._need(")")
            return inner
        if token.text == "[":
            return self.make("list", None, self._items("]"), token.at)
        if token.text == "{":
            parts: list[Node] = []
            while not self._is("}"):
                parts.append(self._expression())
                self._need(":")
                parts.append(self._expression())
                if not self._is("}"):
                    self._need(",")
            self._need("}")
            return self.make("dict", None, tuple(parts), token.at)
        raise TemplateError(f"'{token.text}' is not expected")

    def _items(self, closing: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._is(closing):
            found.append(self._expression())
            if not self._is(closing):
                self._need(",")
        self._need(closing)
        return tuple(found)

    def _arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        self._need("(")
        while not self._is(")"):
            while self._is("*") or self._is("**"):
                self._take()
            if self.tokens[self.next].kind == "name" and self._peek(1) == "=":
                name = self._take()
                self._take()
                found.append(self.make("keyword", name.text, (self._expression(),), name.at))
            else:
                found.append(self._expression())
            if not self._is(")"):
                self._need(",")
        self._need(")")
        return tuple(found)

    def _postfix(self, made: Node, first_filter: bool = False) -> Node:
        while self._more():
            token = self.tokens[self.next]
            if token.kind == "string":
                break
            if first_filter or token.text == "|":
                if not first_filter:
                    self._take()
                first_filter = False
                name = self._take().text
                while self._is("."):
                    self._take()
                    name += "." + self._take().text
                arguments = self._arguments() if self._is("(") else ()
                made = self.make("filter", name, (made, *arguments), token.at)
            elif token.text == ".":
                self._take()
                name = self._take().text
                made = self.make("attribute" if not name.isdigit() else "item", name, (made,), token.at)
            elif token.text == "[":
                self._take()
                made = self.make("item", None, (made, self._subscript()), token.at)
                self._need("]")
            elif token.text == "(":
                made = self.make("call", None, (made, *self._arguments()), token.at)
            elif token.text == "is" and token.kind == "name":
                made = self._test(made)
            else:
                break
        return made

    def _subscript(self) -> Node:
        parts: list[Node] = []
        sliced = False
        while not self._is("]"):
            if self._is(":"):
                self._take()
                if not sliced and not parts:
                    parts.append(self.make("const", None))
                sliced = True
                if self._is(":") or self._is("]"):
                    parts.append(self.make("const", None))
                continue
            parts.append(self._expression())
            if self._is(","):
                self._take()
        if not parts:
            raise TemplateError("a subscript is empty")
        return self.make("slice", None, tuple(parts)) if sliced else parts[0] if len(parts) == 1 else self.make("tuple", None, tuple(parts))

    def _test(self, made: Node) -> Node:
        at = self._take().at
        negated = self._is("not")
        if negated:
            self._take()
        name = self._take().text
        while self._is("."):
            self._take()
            name += "." + self._take().text
        arguments: tuple[Node, ...] = ()
        if self._is("("):
            arguments = self._arguments()
        elif self._more():
            token = self.tokens[self.next]
            if token.kind in ("string", "integer", "float") or token.text in ("[", "{"):
                arguments = (self._primary(),)
            elif token.kind == "name" and token.text not in ("else", "or", "and", "is", "if", "in", "not", "recursive"):
                arguments = (self._postfix(self._primary()),)
        test = self.make("test", name, (made, *arguments), at)
        return self.make("unary", "not", (test,), at) if negated else test


def unescaped(text: str) -> str:
    """What a literal stands for."""

    def one(found: re.Match[str]) -> str:
        mark = found.group()[1:]
        if mark[0] in "xuU" and len(mark) > 1:
            code = int(mark[1:], 16)
            return chr(code) if code < 0x110000 else ""
        if mark[0].isdigit():
            return chr(int(mark, 8)) if mark.isascii() and all(one < "8" for one in mark) else mark
        if mark[0] == "N" and len(mark) > 1:
            with contextlib.suppress(KeyError):
                return unicodedata.lookup(mark[2:-1])
        return _SIMPLE.get(mark, mark if mark in "\\'\"" else f"\\{mark}")

    return _ESCAPE.sub(one, text) if "\\" in text else text
