"""What the expressions of a template are worth where they are made of constants: by joining, escaping, slicing and filters."""

from __future__ import annotations

import itertools
from typing import Final, TypeAlias

from headwater.modelfiles.jinja import Node

Worth: TypeAlias = "str | int | float | bool | list[Worth] | None"

WIDE: Final = 6
"""Constants that one name may stand for."""
LONG: Final = 4_000
"""Characters of a text that is put together: names of attributes are far shorter."""
DEEP: Final = 30


class Unknown(Exception):  # noqa: N818  (it is no error: the value is decided while the template is rendered)
    """It is no constant."""


class Values:
    """The constants that the names of a template may stand for."""

    def __init__(self, tree: tuple[Node, ...]) -> None:
        self._named: dict[str, list[Worth]] = {}
        self._local: set[str] = set()
        self._made: set[str] = set()
        self._known: dict[int, list[Worth]] = {}
        self._kept: list[Node] = []
        for _ in range(3):  # names that are made of names that are made of names
            self._known.clear()
            self._collect(tree)
        self._known.clear()

    def is_local(self, name: str) -> bool:
        """Whether the template makes it: a macro, a variable, a parameter."""
        return name in self._local

    def is_made_here(self, node: Node) -> bool:
        """Whether it is the object of ``namespace`` or a template's own part."""
        return node.kind == "name" and str(node.value) in self._made

    def texts(self, node: Node) -> list[str]:
        """The texts that an expression may be worth; empty if it is not known."""
        return [one for one in self.worth(node) if isinstance(one, str)]

    def worth(self, node: Node, depth: int = 0) -> list[Worth]:
        known = self._known.get(id(node))
        if known is None:
            try:
                known = self._fold(node, depth)[:WIDE]
            except (Unknown, ValueError, TypeError, OverflowError, IndexError, KeyError, RecursionError):
                known = []
            self._known[id(node)] = known
            self._kept.append(node)  # so that its identity is not given to another one
        return known

    def _collect(self, tree: tuple[Node, ...]) -> None:
        stack = list(tree)
        while stack:
            node = stack.pop()
            stack += [*node.parts, *node.body]
            if node.kind == "set" and node.parts:
                self._assign(node)
            elif node.kind == "for" and len(node.parts) > 1:
                for name in _names(node.parts[0]):
                    self._local.add(name)
                    for one in self.worth(node.parts[1]):
                        for item in one if isinstance(one, list) else ():
                            self._note(name, item)
            elif node.kind == "macro":
                self._local.add(str(node.value))
            elif node.kind == "parameter":
                self._local.add(str(node.value))
                for one in self.worth(node.parts[0]) if node.parts else ():
                    self._note(str(node.value), one)
            elif node.kind == "keyword":
                for one in self.worth(node.parts[0]):
                    self._note(f".{node.value}", one)

    def _assign(self, node: Node) -> None:
        target, value = node.parts[0], node.parts[-1]
        names = _names(target)
        self._local.update(names)
        if len(node.parts) < 2:  # a block: what stands in it
            texts = [str(one.value) for one in node.body if one.kind == "text"]
            outputs = [one for one in node.body if one.kind == "output"]
            if len(texts) + len(outputs) == len(node.body):
                parts = [self.texts(one.parts[0])[:1] if one.kind == "output" else [str(one.value)] for one in node.body]
                if all(parts):
                    for name in names:
                        self._note(name, "".join(part[0] for part in parts).strip())
            return
        if value.kind == "call" and value.parts[0].kind == "name" and value.parts[0].value == "namespace":
            self._made.update(names)
        if target.kind == "attribute":
            for one in self.worth(value):
                self._note(f".{target.value}", one)
        elif target.kind == "tuple" and value.kind in ("tuple", "list") and len(target.parts) == len(value.parts):
            for part, given in zip(target.parts, value.parts, strict=True):
                for one in self.worth(given):
                    self._note(str(part.value), one)
        else:
            for one in self.worth(value):
                for name in names:
                    self._note(name, one)

    def _note(self, name: str, one: Worth) -> None:
        kept = self._named.setdefault(name, [])
        if one not in kept and len(kept) < WIDE:
            kept.append(one)

    def _fold(self, node: Node, depth: int) -> list[Worth]:
        if depth > DEEP:
            raise Unknown
        kind = node.kind
        if kind == "const":
            return [node.value] if isinstance(node.value, (str, int, float, bool)) or node.value is None else []
        if kind == "name":
            return list(self._named.get(str(node.value), ()))
        if kind == "attribute":
            return list(self._named.get(f".{node.value}", ()))
        parts = [self.worth(part, depth + 1) for part in node.parts]
        if kind in ("list", "tuple"):
            return [list(one) for one in _products(parts)]
        if kind == "dict":
            return [[one[0] for one in parts[::2] if one]]
        if kind == "condition":
            return [one for part in parts[1:] for one in part]
        if kind == "binary":
            return [_operated(str(node.value), left, right) for left, right in _products(parts)]
        if kind == "unary":
            return [-one for one in parts[0] if isinstance(one, (int, float)) and node.value == "-"]
        if kind == "item" and len(parts) == 2:
            return self._item(node, parts)
        if kind == "filter":
            return self._filtered(node, parts)
        if kind == "call":
            return self._called(node, parts, depth)
        raise Unknown

    def _item(self, node: Node, parts: list[list[Worth]]) -> list[Worth]:
        found: list[Worth] = []
        key = node.parts[1]
        for one in parts[0]:
            if not isinstance(one, (str, list)):
                continue
            if key.kind == "slice":
                bounds = [next(iter(self.worth(part)), None) for part in key.parts]
                whole = [bound if isinstance(bound, int) else None for bound in (*bounds, None, None)][:3]
                found.append(one[slice(*whole)])
            else:
                found += [one[index] for index in parts[1] if isinstance(index, int)]
        return found

    def _filtered(self, node: Node, parts: list[list[Worth]]) -> list[Worth]:
        name = str(node.value)
        given = [next(iter(part), None) for part in parts[1:]]
        return [_filter(name, one, given) for one in parts[0]]

    def _called(self, node: Node, parts: list[list[Worth]], depth: int) -> list[Worth]:
        called = node.parts[0]
        given = [next(iter(part), None) for part in parts[1:]]
        if called.kind == "name" and called.value == "dict":  # dict(__cla=1, ss__=2)|join
            return [[str(part.value) for part in node.parts[1:] if part.kind == "keyword"]]
        if called.kind == "attribute":
            return [_method(str(called.value), one, given) for one in self.worth(called.parts[0], depth + 1)]
        raise Unknown


def _names(target: Node) -> list[str]:
    if target.kind == "name":
        return [str(target.value)]
    return [name for part in target.parts for name in _names(part)] if target.kind in ("tuple", "list") else []


def _products(parts: list[list[Worth]]) -> list[tuple[Worth, ...]]:
    return list(itertools.islice(itertools.product(*parts), WIDE))


def _short(text: str) -> str:
    if len(text) > LONG:
        raise Unknown
    return text


def _operated(operator: str, left: Worth, right: Worth) -> Worth:
    if operator == "~":
        return _short(f"{left}{right}")
    if operator == "+":
        if isinstance(left, str) and isinstance(right, str):
            return _short(left + right)
        if isinstance(left, list) and isinstance(right, list):
            return [*left, *right][:LONG]
        if isinstance(left, int) and isinstance(right, int):
            return left + right
    if operator == "*" and isinstance(left, str) and isinstance(right, int) and right * len(left) <= LONG:
        return left * right
    if operator == "*" and isinstance(left, int) and isinstance(right, int) and abs(left) < 1 << 32 and abs(right) < 1 << 32:
        return left * right
    if operator == "-" and isinstance(left, int) and isinstance(right, int):
        return left - right
    if operator == "%" and isinstance(left, str):
        return _formatted(left, right if isinstance(right, list) else [right])
    raise Unknown


def _formatted(text: str, given: list[Worth]) -> str:
    if len(text) > 400 or "*" in text or any(char.isdigit() for char in text):
        raise Unknown  # widths make texts of any length
    return _short(text % tuple(given))


def _filter(name: str, one: Worth, given: list[Worth]) -> Worth:
    if name == "join" and isinstance(one, (list, str)):
        return _short((str(given[0]) if given else "").join(str(part) for part in one))
    if name in ("list", "sort") and isinstance(one, (str, list)):
        return list(one) if name == "list" else sorted(one, key=str)
    if name == "reverse" and isinstance(one, (str, list)):
        return one[::-1]
    if name in ("first", "last") and isinstance(one, (str, list)):
        return one[0 if name == "first" else -1]
    if name == "format" and isinstance(one, str):
        return _formatted(one, given)
    if name in ("string", "safe", "trim", "lower", "upper", "capitalize", "title", "e", "escape", "replace", "striptags", "d", "default"):
        return one if name in ("safe", "e", "escape", "d", "default", "striptags") else _method(name, str(one), given)
    raise Unknown


def _method(name: str, one: Worth, given: list[Worth]) -> Worth:
    if name == "join" and isinstance(one, str) and given and isinstance(given[0], (list, str)):
        return _short(one.join(str(part) for part in given[0]))
    if isinstance(one, str):
        if name in ("strip", "trim", "string"):
            return one.strip()
        if name in ("lower", "upper", "title", "capitalize", "swapcase", "casefold"):
            return str(getattr(one, name)())
        if name == "replace" and len(given) >= 2 and given[0]:
            return _short(one.replace(str(given[0]), str(given[1])))
        if name == "split":
            return list(one.split(str(given[0]) if given and given[0] else None))
        if name == "format" and "{" in one and "." not in one and "[" not in one and ":" not in one:
            return _short(one.format(*given))
        if name in ("removeprefix", "removesuffix") and given:
            return str(getattr(one, name)(str(given[0])))
    raise Unknown
