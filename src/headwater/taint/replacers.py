"""Functions that a text's ``replace`` is given: what such a function puts in the place of one sign, followed by hand.

A table of what stands for what is often read with a way out (``table[sign] || sign``), so that the sign itself seems to come back. Whether
it does is seen by following the function for that sign; what is not understood counts as if it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from headwater import ir
from headwater.apis import patterns
from headwater.index.calls import instructions
from headwater.index.entities import Fn
from headwater.taint.labels import BIT
from headwater.taint.state import cleared
from headwater.taint.value import Value

if TYPE_CHECKING:
    from headwater.taint.arguments import Args

_TAG: Final = "<"
_UNKNOWN: Final = object()


def shown(args: Args, result: Value) -> Value:
    """The result of a replacement by a function: no tag is in it where the function writes ``<`` in another way."""
    if len(args.positional) != 2:
        return result
    pattern, by = args.positional
    everywhere = any(getattr(ref, "text", "").startswith("js:RegExp.all") for ref in pattern.refs) or args.name == "replaceAll"
    if not everywhere or not isinstance(pattern.const, str) or len(by.refs) != 1 or not isinstance(by.refs[0], Fn):
        return result
    if not patterns.read(pattern.const).refused & patterns.mask(_TAG):
        return result
    written = _Run(by.refs[0]).of(_TAG)
    return cleared(result, BIT["html"] | BIT["xml"]) if isinstance(written, str) and _TAG not in written else result


class _Run:
    """One function, followed for one sign."""

    def __init__(self, fn: Fn) -> None:
        self.fn = fn
        self.held: dict[int, Any] = {}
        self.result: Any = _UNKNOWN

    def of(self, sign: str) -> Any:
        """What the function returns for a sign; something else than a text where that is not understood."""
        function = self.fn.ir
        first = 1 if self.fn.bound else 0
        if len(function.params) <= first or function.params[first].kind == "star":
            return _UNKNOWN
        self.held[first] = sign
        for number, name in enumerate(function.captured, len(function.params)):
            self.held[number] = self._table(function.parent, name)
        self._block(function.body)
        return self.result

    def _table(self, outer: int, name: str) -> Any:
        """The table that a variable of a function around this one holds, if it is written once."""
        functions = self.fn.module.ir.functions
        if not 0 <= outer < len(functions) or name not in functions[outer].names:
            return _UNKNOWN
        body, register = functions[outer].body, functions[outer].names[name]
        consts: dict[int, Any] = {}
        found: Any = _UNKNOWN
        for one in instructions(body):
            if type(one) is ir.Const:
                consts[one.dst] = one.value
            elif type(one) in (ir.StoreAttr, ir.StoreItem) and one.obj == register:
                return _UNKNOWN
            if getattr(one, "dst", -1) == register:
                if found is not _UNKNOWN or type(one) is not ir.Build:
                    return _UNKNOWN
                found = _display(one, consts)
        return found

    def _block(self, block: Iterable[Any]) -> bool:
        """Whether the function ends in a block."""
        for one in block:
            kind = type(one)
            if kind is ir.Const:
                self.held[one.dst] = one.value
            elif kind is ir.Move:
                self.held[one.dst] = self.held.get(one.src, _UNKNOWN)
            elif kind is ir.Build:
                self.held[one.dst] = _display(one, self.held)
            elif kind is ir.Name:
                self.held[one.dst] = self._table(0, one.name)
            elif kind is ir.Item:
                table = self.held.get(one.obj, _UNKNOWN)
                key = one.key if one.key is not None else self.held.get(one.reg, _UNKNOWN)
                self.held[one.dst] = table.get(key) if isinstance(table, dict) and isinstance(key, str) else _UNKNOWN
            elif kind is ir.Test:
                left, right = self.held.get(one.left, _UNKNOWN), self.held.get(one.right, _UNKNOWN)
                known = one.op in ("==", "!=", "is", "is not") and isinstance(left, str) and isinstance(right, str)
                self.held[one.dst] = (left == right) is (one.op in ("==", "is")) if known else _UNKNOWN
            elif kind is ir.If:
                if self._choose(one):
                    return True
            elif kind is ir.Return:
                self.result = self.held.get(one.src, _UNKNOWN)
                return True
            else:
                return True
        return False

    def _choose(self, choice: ir.If) -> bool:
        for arm in choice.arms:
            holds = self._condition(arm.cond)
            if holds is _UNKNOWN:
                return True
            if holds:
                return self._block(arm.body)
        return self._block(choice.orelse)

    def _condition(self, condition: Any) -> Any:
        if type(condition) is ir.Leaf:
            if self._block(condition.pre):
                return _UNKNOWN
            return self.held.get(condition.reg, _UNKNOWN)
        if type(condition) is ir.Not:
            inner = self._condition(condition.part)
            return _UNKNOWN if inner is _UNKNOWN else not inner
        return _UNKNOWN


def _display(made: ir.Build, held: dict[int, Any]) -> Any:
    """A table whose keys and texts are all written."""
    if made.kind != "dict" or any(made.spread):
        return _UNKNOWN
    texts = [held.get(part, _UNKNOWN) for part in made.parts]
    if not all(isinstance(key, str) for key in made.keys) or not all(isinstance(one, str) for one in texts):
        return _UNKNOWN
    return dict(zip(made.keys, texts, strict=True))
