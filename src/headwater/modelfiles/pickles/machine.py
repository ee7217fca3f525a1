"""Runs the opcodes of one pickle over symbols: what an unpickler would import, make and call, in its order."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, Protocol

from headwater import limits
from headwater.modelfiles.pickles.names import modern, plausible
from headwater.modelfiles.pickles.reader import Ended, Reader
from headwater.modelfiles.pickles.values import Big, Global, How, Items, Made, Mark, Persistent, Unknown, Value, arguments

SHORT: Final = 16
"""Bytes and text shorter than this hold no pickle that acts."""


class Broken(Exception):  # noqa: N818 - a fact of the file, no error of ours
    """An unpickler stops here with an error. All that it did before is done."""


class Exhausted(Exception):  # noqa: N818
    """The pickle is longer than what is looked into."""


class Watcher(Protocol):
    """Hears what the unpickler would do, and says what comes of it."""

    def imported(self, name: Global, at: int) -> None: ...

    def computed(self, module: Value, name: Value, at: int) -> None: ...

    def called(self, what: Value, args: Value, keywords: Value, how: How, at: int) -> Value: ...

    def built(self, target: Value, state: Value, at: int) -> None: ...

    def changed(self, target: Value, at: int) -> None: ...

    def extension(self, code: int, at: int) -> None: ...

    def data(self, value: str | bytes | Big, at: int) -> None: ...

    def persistent(self, id: Value) -> None: ...


class Machine:
    """The state of an unpickler."""

    def __init__(self, reader: Reader, watcher: Watcher, budget: int) -> None:
        self.reader = reader
        self.watcher = watcher
        self.stack: list[Value] = []
        self.marks = 0
        self.memo: dict[int, Value] = {}
        self.protocol = 0
        self.steps = 0
        self.at = reader.at
        self.budget = budget

    def run(self) -> Value:
        """The value of the pickle; Broken, Ended or Exhausted where an unpickler ends without one, or would go on too long."""
        read = self.reader.byte
        while True:
            self.at = self.reader.at
            code = read()
            if code == 0x2E:  # STOP
                return self.pop()
            if code < 0:
                raise Ended
            act = ACTS[code]
            if act is None:
                raise Broken(f"{code:#04x} is no opcode")
            self.steps += 1
            if self.steps > self.budget or len(self.stack) > limits.MODEL_PICKLE_STACK or len(self.memo) > limits.MODEL_PICKLE_MEMO:
                raise Exhausted
            act(self)

    # The stack.

    def pop(self) -> Value:
        if not self.stack:
            raise Broken("the stack is empty")
        value = self.stack.pop()
        if isinstance(value, Mark):
            raise Broken("a mark where a value must be")
        return value

    def top(self) -> Value:
        if not self.stack or isinstance(self.stack[-1], Mark):
            raise Broken("the stack is empty")
        return self.stack[-1]

    def push(self, value: Value) -> None:
        self.stack.append(value)

    def above_mark(self) -> list[Value]:
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            if isinstance(stack[at], Mark):
                taken = stack[at + 1 :]
                del stack[at:]
                return taken
        raise Broken("no mark")

    # What the opcodes do.

    def keep(self, index: int) -> None:
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        if index not in self.memo:
            raise Broken("nothing is kept under that number")
        self.push(self.memo[index])

    def text(self, raw: bytes | Big, encoding: str = "utf-8") -> None:
        value: str | Big
        if isinstance(raw, Big):
            value = Big(raw.at, raw.size, raw.head, True)
        else:
            try:
                value = raw.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
            except UnicodeDecodeError:
                value = raw.decode("latin-1")  # the eight-bit strings of Python 2, and what a loader with another encoding reads
        self.hold(value)

    def hold(self, value: str | bytes | Big) -> None:
        self.push(value)
        if isinstance(value, Big) or len(value) >= SHORT:
            self.watcher.data(value, self.at)

    def sized(self, width: int, text: bool, signed: bool = False) -> bytes | Big:
        count = self.reader.number(width)
        if signed and count >= 1 << 31:
            raise Broken("a negative length")
        return self.reader.chunk(count, text)

    def find(self, module: str, name: str) -> None:
        if not plausible(module, name):
            raise Broken("no name of Python")
        found = Global(*modern(module, name))
        self.watcher.imported(found, self.at)
        self.push(found)

    def find_lines(self) -> tuple[str, str]:
        module, name = self.reader.line(), self.reader.line()
        try:
            return module.decode(), name.decode()
        except UnicodeDecodeError:
            raise Broken("no name of Python") from None

    def find_stack(self) -> None:
        name, module = self.pop(), self.pop()
        if isinstance(name, str) and isinstance(module, str):
            return self.find(module, name)
        if not isinstance(name, Made | Unknown | Big) and not isinstance(module, Made | Unknown | Big):
            raise Broken("a name that is no text")
        self.watcher.computed(module, name, self.at)
        self.push(Unknown("<a name that is computed>"))

    def call(self, what: Value, args: Value, how: How = "call", keywords: Value = None) -> None:
        if arguments(args) is None and not isinstance(args, Made | Unknown | Items | Persistent):
            raise Broken("arguments that are none")
        self.push(self.watcher.called(what, args, keywords, how, self.at))

    def reduce(self) -> None:
        args = self.pop()
        self.call(self.pop(), args)

    def new(self) -> None:
        args = self.pop()
        self.call(self.pop(), args, "new")

    def new_keywords(self) -> None:
        keywords, args = self.pop(), self.pop()
        self.call(self.pop(), args, "new", keywords)

    def inst(self) -> None:
        module, name = self.find_lines()
        args = tuple(self.above_mark())
        self.find(module, name)
        self.call(self.pop(), args, "call" if args else "new")

    def obj(self) -> None:
        taken = self.above_mark()
        if not taken:
            raise Broken("no class")
        args = tuple(taken[1:])
        self.call(taken[0], args, "call" if args else "new")

    def build(self) -> None:
        state = self.pop()
        target = self.top()
        if isinstance(target, Made):
            target.state = state
        self.watcher.built(target, state, self.at)

    def extension(self, width: int) -> None:
        code = self.reader.number(width)
        self.watcher.extension(code, self.at)
        self.push(Unknown(f"<extension {code}>"))

    def collect(self, kind: str, values: list[Value]) -> None:
        made = Items(kind)
        made.add(values)
        self.push(made)

    def grow(self, values: list[Value]) -> None:
        target = self.top()
        if isinstance(target, Items):
            target.add(values)
        else:
            self.watcher.changed(target, self.at)

    def persist(self, id: Value) -> None:
        self.watcher.persistent(id)
        values = arguments(id)
        if values and len(values) == 4 and values[0] == "module" and isinstance(values[1], Global):
            return self.push(values[1])  # torch before 1.6 keeps the source of a class beside it, and hands out the class
        self.push(Persistent(id))

    def pop_mark(self) -> None:
        self.above_mark()

    def pop_one(self) -> None:
        if not self.stack:
            raise Broken("the stack is empty")
        self.stack.pop()

    def number_line(self, kind: str) -> None:
        raw = self.reader.line()
        try:
            if kind == "F":
                return self.push(float(raw))
            if kind == "I" and raw in (b"00", b"01"):
                return self.push(raw == b"01")
            if len(raw) > 4000:
                return self.push(Unknown("<a large number>"))
            self.push(int(raw.removesuffix(b"L") if kind == "L" else raw, 0))
        except ValueError:
            raise Broken("no number") from None

    def long(self, width: int) -> None:
        count = self.reader.number(width)
        raw = self.reader.chunk(count, False)
        self.push(int.from_bytes(raw, "little", signed=True) if isinstance(raw, bytes) and count < 4000 else Unknown("<a large number>"))

    def quoted(self) -> None:
        raw = self.reader.line()
        if len(raw) < 2 or raw[0] != raw[-1] or raw[0] not in b"\"'":
            raise Broken("no text")
        self.text(_unescaped(raw[1:-1]))

    def unicode_line(self) -> None:
        raw = self.reader.line()
        value = raw.decode("latin-1")
        if "\\u" in value or "\\U" in value:
            try:
                value = raw.decode("raw-unicode-escape", "surrogatepass")
            except UnicodeDecodeError:
                raise Broken("no text") from None
        self.hold(value)

    def index_line(self) -> int:
        try:
            index = int(self.reader.line())
        except ValueError:
            raise Broken("no number") from None
        if index < 0:
            raise Broken("a negative number")
        return index

    def set_protocol(self) -> None:
        self.protocol = self.reader.number(1)
        if self.protocol > 5:
            raise Broken("a protocol that there is not")

    def frame(self) -> None:
        self.reader.number(8)  # a frame changes nothing but how the file is read

    def set_items(self, values: list[Value]) -> None:
        if len(values) % 2:
            raise Broken("a key without a value")
        self.grow(values)

    def make_dict(self) -> None:
        values = self.above_mark()
        if len(values) % 2:
            raise Broken("a key without a value")
        self.collect("dict", values)

    def two(self) -> list[Value]:
        value = self.pop()
        return [self.pop(), value]

    def make_tuple(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(values)))


def _unescaped(raw: bytes) -> bytes:
    if b"\\" not in raw:
        return raw
    import codecs

    try:
        return bytes(codecs.escape_decode(raw)[0])
    except ValueError:
        raise Broken("no text") from None


def _floating(machine: Machine) -> None:
    machine.push(float(struct.unpack(">d", machine.reader.take(8))[0]))


Act = Callable[[Machine], None]

_BY_CODE: Final[dict[bytes, Act]] = {
    b"(": lambda m: m.push(Mark()),
    b"0": Machine.pop_one,
    b"1": Machine.pop_mark,
    b"2": lambda m: m.push(m.top()),
    b"F": lambda m: m.number_line("F"),
    b"I": lambda m: m.number_line("I"),
    b"L": lambda m: m.number_line("L"),
    b"J": lambda m: m.push(int.from_bytes(m.reader.take(4), "little", signed=True)),
    b"K": lambda m: m.push(m.reader.number(1)),
    b"M": lambda m: m.push(m.reader.number(2)),
    b"N": lambda m: m.push(None),
    b"P": lambda m: m.persist(m.reader.line().decode("latin-1")),
    b"Q": lambda m: m.persist(m.pop()),
    b"R": Machine.reduce,
    b"S": Machine.quoted,
    b"T": lambda m: m.text(m.sized(4, True, signed=True)),
    b"U": lambda m: m.text(m.sized(1, True)),
    b"V": Machine.unicode_line,
    b"X": lambda m: m.text(m.sized(4, True)),
    b"a": lambda m: m.grow([m.pop()]),
    b"b": Machine.build,
    b"c": lambda m: m.find(*m.find_lines()),
    b"d": Machine.make_dict,
    b"}": lambda m: m.push(Items("dict")),
    b"e": lambda m: m.grow(m.above_mark()),
    b"g": lambda m: m.recall(m.index_line()),
    b"h": lambda m: m.recall(m.reader.number(1)),
    b"i": Machine.inst,
    b"j": lambda m: m.recall(m.reader.number(4)),
    b"l": lambda m: m.collect("list", m.above_mark()),
    b"]": lambda m: m.push(Items("list")),
    b"o": Machine.obj,
    b"p": lambda m: m.keep(m.index_line()),
    b"q": lambda m: m.keep(m.reader.number(1)),
    b"r": lambda m: m.keep(m.reader.number(4)),
    b"s": lambda m: m.grow(m.two()),
    b"t": lambda m: m.push(tuple(m.above_mark())),
    b")": lambda m: m.push(()),
    b"u": lambda m: m.set_items(m.above_mark()),
    b"G": _floating,
    b"\x80": Machine.set_protocol,
    b"\x81": Machine.new,
    b"\x82": lambda m: m.extension(1),
    b"\x83": lambda m: m.extension(2),
    b"\x84": lambda m: m.extension(4),
    b"\x85": lambda m: m.make_tuple(1),
    b"\x86": lambda m: m.make_tuple(2),
    b"\x87": lambda m: m.make_tuple(3),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"\x8a": lambda m: m.long(1),
    b"\x8b": lambda m: m.long(4),
    b"B": lambda m: m.hold(m.sized(4, False)),
    b"C": lambda m: m.hold(m.sized(1, False)),
    b"\x8c": lambda m: m.text(m.sized(1, True)),
    b"\x8d": lambda m: m.text(m.sized(8, True)),
    b"\x8e": lambda m: m.hold(m.sized(8, False)),
    b"\x8f": lambda m: m.push(Items("set")),
    b"\x90": lambda m: m.grow(m.above_mark()),
    b"\x91": lambda m: m.collect("frozenset", m.above_mark()),
    b"\x92": Machine.new_keywords,
    b"\x93": Machine.find_stack,
    b"\x94": lambda m: m.keep(len(m.memo)),
    b"\x95": Machine.frame,
    b"\x96": lambda m: m.hold(m.sized(8, False)),
    b"\x97": lambda m: m.push(Unknown("<a buffer of the loader's>")),
    b"\x98": lambda m: m.push(m.pop()),
}

ACTS: Final[tuple[Act | None, ...]] = tuple(_BY_CODE.get(bytes([code])) for code in range(256))
