"""Instructions of operators: texts that are put together, comparisons, arithmetic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from headwater import ir, limits
from headwater.index.entities import Inst
from headwater.taint import (
    addresses,
    dots,
    encoded,
    guards,
    members,
    quotes,
    texts,
)
from headwater.taint.building import Building
from headwater.taint.labels import (
    ADDRESS,
    ALL,
    BASED,
    BEHIND,
    BIT,
    GLUED,
    HOST_FIXED,
    NO_OPTION,
    NO_UP,
    SLASHED,
)
from headwater.taint.state import cleared, followed_by, rough
from headwater.taint.value import (
    BOTTOM,
    NO_CONST,
    ElementsOf,
    Value,
    join,
    join_all,
)

if TYPE_CHECKING:
    pass


_CONTAINERS = frozenset({"dict", "list", "tuple", "set", "generator"})
_ARITHMETIC = frozenset({"-", "*", "/", "%", "**", "|", "&", "^", "<<", ">>", ">>>"})
"""Operators of scripts whose result is a number."""
_NO_ADDRESS = re.compile(r"[\s<>{}]")
"""What no address of a request has in it."""
_BEFORE_PORT = re.compile(r"://[^/?#\s\0@]+:$")
JOINED = "becomes part of a text"
"""The step of a trace where a text is put together."""
_OPERATOR_METHODS = {"+": "__add__", "/": "__truediv__", "%": "__mod__", "|": "__or__", "-": "__sub__", "*": "__mul__", "@": "__matmul__"}


class Operators(Building):
    """Operators."""

    def i_concat(self, i: ir.Concat) -> None:
        parts: list[Value] = []
        places: list[int] = []
        """Where in the text each of them stands."""
        text = form = i.literals[0] if i.literals else ""
        fixed = bool(texts.WITH_HOST.match(text))
        seen = bool(text)
        for number, part in enumerate(i.parts):
            value = self.cells.get(part, BOTTOM)
            if any(alloc.kind in _CONTAINERS for alloc in value.allocs):
                value = self.collapse(value)  # the text shows what is inside
            literal = i.literals[number + 1] if number + 1 < len(i.literals) else ""
            if isinstance(value.const, str | int) and not value.labels:
                text += str(value.const)
                fixed = fixed or bool(texts.WITH_HOST.match(text))
            elif value.labels:
                value = dots.behind(text, texts.behind_host(text, value))
                value = rough(quotes.inside(text, self.unquoted(text, value)))  # of a number in a sentence, a few digits are seen
                value = encoded.behind(text, i.literals, quotes.in_value(text, value))
                if _BEFORE_PORT.search(text):
                    value = self.ports(value)
                glued = GLUED | BEHIND if texts.glued(text) else 0
                places.append(len(text))
                clear = (ADDRESS if fixed else 0) | texts.stays(value, bool(text)) | texts.below(text, value)
                parts.append(self.derived([value], clear=clear, weak=glued) if clear or glued else value)
            if not text and texts.keeps_host(value, literal):
                parts[-1:] = [cleared(parts[-1], ADDRESS)]
                fixed = True
            elif texts.is_host(value, text):
                parts[-1:] = [cleared(parts[-1], ADDRESS)]
                fixed = fixed or literal.startswith(("/", "?", "#", "]/"))
            fixed = fixed or (not text and bool(value.proven & HOST_FIXED))
            text += "\0" if value.const is NO_CONST else ""
            text += literal
            form += (addresses.form_of(value) if not isinstance(value.const, int) else str(value.const)) + literal
            # After a base address of any kind the host ends here.
            fixed = fixed or bool(texts.WITH_HOST.match(text)) or (text.startswith("\0") and bool(texts.HOST_ENDS.search(literal)))
            seen = True
        last = self.cells.get(i.parts[-1], BOTTOM) if i.parts else BOTTOM
        rest = i.literals[len(i.parts)] if len(i.literals) > len(i.parts) else ""
        slashed = SLASHED if rest.endswith(("/", "\\")) or (not rest and texts.ends_a_folder(last)) else 0
        if not parts:
            consts = [self.cells.get(part, BOTTOM).const for part in i.parts]
            if seen and all(isinstance(const, str | int) for const in consts):
                whole = i.literals[0] + "".join(f"{const}{i.literals[n + 1]}" for n, const in enumerate(consts))
                self.write(i.dst, Value(const=whole[: limits.LITERAL_CHARS]))
                return
        self.texts[i.dst] = tuple(i.parts)
        for number, place in enumerate(places):
            behind = text[place + 1 :]
            if "/" in behind or "\0" in behind:
                parts[number] = followed_by(parts[number], texts.ends_in_a_name(behind.rpartition("\0")[2]))
        begins = places[:1] == [0] and not any(".." in one for one in i.literals)
        made = join(self.derived(parts[:1], JOINED, weak=BASED if begins else 0), self.derived(parts[1:], JOINED))
        made_text = _begun(made, i.literals[0] if i.literals else "")
        no_up = NO_UP if texts.leads_nowhere_up(i.literals, [self.cells.get(part, BOTTOM) for part in i.parts]) else 0
        proven = made_text.proven | slashed | (HOST_FIXED if fixed else 0) | no_up
        self.write(i.dst, made_text.with_(proven=proven, head=text.partition("\0")[0], form=_address(form)))

    def i_binary(self, i: ir.Binary) -> None:
        left, right = self.cells.get(i.left, BOTTOM), self.cells.get(i.right, BOTTOM)
        if i.op == "|" and self.solver.operators and (left.refs or right.refs):
            if self.solver.makes_chain(left, right):
                self.write(i.dst, self.chain([left, right]))
                return
        if i.op == "+" and isinstance(left.const, str) and isinstance(right.const, str):
            self.write(i.dst, Value(const=(left.const + right.const)[: limits.LITERAL_CHARS]))
            return
        if i.op == "+" and (left.allocs or right.allocs):
            kinds = {alloc.kind for alloc in (*left.allocs, *right.allocs)}
            made_here = [bool(side.allocs) and {alloc.kind for alloc in side.allocs} <= {"list", "tuple"} for side in (left, right)]
            if kinds and (kinds <= {"list", "tuple"} or any(made_here)):  # to a list, only a list can be added
                alloc = self.alloc((i.start, i.end, "plus", i.dst), "list", closed=all(one.closed for one in (*left.allocs, *right.allocs)))
                for side, value in enumerate((left, right)):
                    for one in value.allocs:
                        if side == 0 and len(left.allocs) == 1 and not one.mixed:
                            for key in one.keys:  # the places on the left stay what they are
                                found = self.cells.get((one, key))
                                if found is not None:
                                    self.put(alloc, key, found)
                            continue
                        found = self.contents(one)
                        if found is not BOTTOM:
                            self.put(alloc, "*", found, weak=True)
                    if value.labels:
                        self.put(alloc, "*", self.part(value, "*"), weak=True)
                alloc.constant = self.fixed(left) and self.fixed(right)
                self.write(i.dst, Value(allocs=(alloc,)))
                return
        if self.mod.script and i.op in _ARITHMETIC:
            if i.op == "-" and right.const == 1 and self.named_calls.get(i.left) == "length" and i.dst not in self.variables:
                self.lasts[i.dst] = self.receivers[i.left]
            self.write(i.dst, Value())
            return
        if i.op in ("|", "-", "&") and right.allocs and (made_of := self._sets(left, right, i)) is not None:
            self.write(i.dst, made_of)
            return
        if i.op == "*" and (repeated := self._repeated(left, right, i)) is not None:
            self.write(i.dst, repeated)
            return
        fixed = i.op in ("+", "%") and (
            bool(left.proven & HOST_FIXED) or (isinstance(left.const, str) and bool(texts.WITH_HOST.match(left.const)))
        )
        if i.op == "+" and (left.const is NO_CONST or isinstance(left.const, str)):
            right = texts.behind_host(left.const if isinstance(left.const, str) else left.head or "\0", right)
        refs: list[Any] = []
        if i.op == "/":
            refs = [ref for ref in left.refs if getattr(ref, "text", "").startswith("pathlib.")]
        what = JOINED if i.op in ("+", "%") else ""
        right = dots.added(self, i, left, right)
        if i.op == "+" and right.labels and right.proven & HOST_FIXED:
            right = cleared(right, ADDRESS)  # whatever it is added to: in the text the data stands behind a slash
        if i.op in ("+", "%") and any(getattr(ref, "text", "").endswith("Markup()") for ref in left.refs):  # escapes what is put into it
            right = cleared(right, BIT["html"] | BIT["xml"])
        if i.op == "+" and right.labels:
            begun = left.const if isinstance(left.const, str) else left.head + self.tails.get(i.left, "")
            right = quotes.in_value(begun, quotes.inside(begun, self.unquoted(begun, right)))
        if i.op == "+" and isinstance(right.const, str) and texts.ends_in_a_name(right.const):
            left = followed_by(left, True)
        if i.op == "/":
            made = self.joined([left, right], "")
            made = cleared(made, BIT["url"]) if refs else made
        elif i.op in ("+", "%"):
            glued = GLUED | BEHIND if isinstance(left.const, str) and i.op == "+" and texts.glued(left.const) else 0
            # What follows cannot change the host any more.
            host = texts.is_host(right, left.const if isinstance(left.const, str) and i.op == "+" else "")
            clear = (ADDRESS if fixed or host else 0) | texts.stays(right, True)
            if i.op == "+":
                clear |= texts.below(left.const if isinstance(left.const, str) else self.tails.get(i.left, ""), right)
            kept = ADDRESS if texts.keeps_host(left, right.const if isinstance(right.const, str) else "") else 0
            based = BASED if i.op == "+" and not texts.leads_up(right) else 0
            made = self.derived([left], what, clear=texts.stays(left, False) | kept, weak=based)
            made = join(made, self.derived([right], what, clear=clear | kept, weak=glued))
            made = made.with_(proven=made.proven | kept | HOST_FIXED) if kept else made
        else:
            made = self.derived([left, right], what)
        base = left.const is NO_CONST and isinstance(right.const, str) and bool(texts.HOST_ENDS.search(right.const))
        if fixed or (i.op == "+" and base):
            made = made.with_(proven=made.proven | HOST_FIXED)
        if i.op == "%":
            made = quotes.in_values(left, made, "%")
        if i.op in ("+", "%") and isinstance(left.const, str):
            made = _begun(made, left.const.partition("%")[0] if i.op == "%" else left.const)
        if i.op == "+" and isinstance(left.const, str):
            made = made.with_(head=left.const)
        elif i.op in ("+", "%") and left.head:
            made = made.with_(head=left.head)
        if i.op == "+" and (form := _address(addresses.form_of(left) + addresses.form_of(right))):
            made = made.with_(form=form)
        for ref in left.refs:
            if isinstance(ref, Inst):
                method = ref.cls.method(_OPERATOR_METHODS.get(i.op, ""))
                if method is not None:
                    made = join(made, self.call_function(method, left, [right], {}))
        if refs:
            made = made.with_(refs=tuple(refs))
        if i.op == "+" and texts.ends_a_folder(right):
            made = made.with_(proven=made.proven | SLASHED)
        if i.op == "/":
            self._origin(i.dst, [self.cells_of(i.left) if left.labels else (), self.cells_of(i.right) if right.labels else ()], True)
        self.write(i.dst, made)

    def _sets(self, left: Value, right: Value, i: ir.Binary) -> Value | None:
        """Sets: two fixed ones joined are fixed; what is left of one without a fixed one says what is in it."""
        if not self.fixed(right):
            return None
        if self.fixed(left):
            alloc = self.alloc((i.start, i.end, "set", i.dst), "set", closed=True)
            for value in (left, right):
                for one in value.allocs:
                    self.put(alloc, "*", self.contents(one), weak=True)
            alloc.constant = True
            return Value(allocs=(alloc,))
        if i.op == "|":
            return None
        made = self.derived([left]) if i.op == "-" else BOTTOM
        cells = tuple(map(ElementsOf, (*self.cells_of(i.left), *self._whole_of(i.left))))
        return made.with_(pred=((), ((cells, ALL, 0, (), ""),))) if i.op == "-" else None

    def _repeated(self, left: Value, right: Value, i: ir.Binary) -> Value | None:
        """``[x] * n``: a list of as many as nobody knows."""
        value = left if left.allocs else right
        if not value.allocs or any(alloc.kind not in ("list", "tuple") for alloc in value.allocs):
            return None
        alloc = self.alloc((i.start, i.end, "times", i.dst), "list", closed=all(one.closed for one in value.allocs))
        alloc.constant = all(one.constant for one in value.allocs)
        alloc.mixed = True
        self.put(alloc, "*", join_all([*(self.contents(one) for one in value.allocs), self.part(value, "*")]))
        return Value(allocs=(alloc,))

    def i_unary(self, i: ir.Unary) -> None:
        value = self.cells.get(i.operand, BOTTOM)
        if isinstance(value.const, int | float) and i.op == "-":
            self.write(i.dst, Value(const=-value.const))
            return
        if self.mod.script:  # a number, whatever it was; `+text` is NaN where the text is none
            self.write(i.dst, Value())
            members.number_of(self, i.dst, self.cells_of(i.operand), i.op)
            return
        self.write(i.dst, self.derived([value]))

    def i_test(self, i: ir.Test) -> None:
        left = self.cells.get(i.left, BOTTOM)
        right = self.cells.get(i.right, BOTTOM) if i.right >= 0 else BOTTOM
        pred = guards.prove(self, i.op, i.left, left, i.right, right)
        self.programs.tested(i, left, right)
        self.write(i.dst, Value(pred=pred) if pred is not None else BOTTOM)


def _begun(made: Value, text: str) -> Value:
    """A text that begins with ``text``: a program that gets it reads no option in the rest."""
    return made.with_(proven=made.proven | NO_OPTION) if made.labels and text.lstrip("-") else made


def _address(form: str) -> str:
    """The form of a text that may be an address."""
    return form if ("/" in form or "\1" in form) and len(form) < limits.LITERAL_CHARS and not _NO_ADDRESS.search(form) else ""
