"""Runs all pickles of one blob: one after another, with arrays, padding or junk between them, and those inside byte strings."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from headwater import limits
from headwater.modelfiles.blob import PIECE, Blob, BytesBlob, PartBlob
from headwater.modelfiles.pickles import arrays
from headwater.modelfiles.pickles.judge import Judge
from headwater.modelfiles.pickles.machine import Broken, Exhausted, Machine
from headwater.modelfiles.pickles.reader import Ended, Reader
from headwater.modelfiles.pickles.values import Big, Global, How, Made, Value, arguments
from headwater.modelfiles.verdicts import Concern, Verdict
from headwater.modelfiles.work import Examination

LOADER: Final = "Loading it with pickle"
TRIALS: Final = "Too many places in it look like hidden pickles to look into all of them."
DEPTH: Final = 4
"""Pickles in byte strings in pickles."""

_PADDING: Final = b"\0 \t\r\n"
_START: Final = re.compile(
    rb"\x80[\x02-\x05][\x95c(}\])\x8cXUKM\x8f]|c[A-Za-z_][\w.]{1,60}\n[A-Za-z_][\w.]{0,60}\n|\x8c[\x02-\x40][A-Za-z_][\w.]+[\x94\x8c]"
    rb"|i[A-Za-z_][\w.]{1,60}\n[A-Za-z_][\w.]{0,60}\n|X[\x02-\x40]\0\0\0[A-Za-z_][\w.]+"
)
_BASE64: Final = re.compile(r"(?:gA[IJMNQS]|Y[0-9A-Za-z])[A-Za-z0-9+/_\-]{12,}={0,2}\Z")


class Silent:
    """Hears a machine and only counts what it does."""

    def __init__(self) -> None:
        self.imports = self.calls = 0

    def imported(self, name: Global, at: int) -> None:
        self.imports += 1

    def computed(self, module: Value, name: Value, at: int) -> None:
        self.calls += 1

    def called(self, what: Value, args: Value, keywords: Value, how: How, at: int) -> Value:
        self.calls += 1
        return Made(what, args, how, keywords)

    def built(self, target: Value, state: Value, at: int) -> None: ...

    def changed(self, target: Value, at: int) -> None: ...

    def extension(self, code: int, at: int) -> None: ...

    def data(self, value: str | bytes | Big, at: int) -> None: ...

    def persistent(self, id: Value) -> None:
        if not self.imports:
            raise Broken("an id where nothing was made")  # in text, and an error for all loaders but torch's


def looks(blob: Blob, at: int = 0, strict: bool = False) -> bool:
    """Whether a pickle begins here: one that ends, or that acts before it breaks. ``strict`` is for numbers, which look like anything."""
    silent = Silent()
    reader = Reader(blob, at)
    machine = Machine(reader, silent, limits.MODEL_PICKLE_TRIAL)
    head = blob.read(at, 3)
    protocol = head[:1] == b"\x80" and head[1:2] <= b"\x05"
    try:
        machine.run()
    except Exhausted:
        return True
    except (Broken, Ended) as error:
        if silent.imports and silent.calls:
            return True
        if strict or not protocol:
            return False
        return bool(silent.imports) or machine.steps >= 8 or (machine.steps >= 2 and isinstance(error, Ended))
    if silent.imports or (protocol and not strict):
        return True
    rest = blob.read(reader.at, 4096)
    return machine.steps >= 1 and (not rest.strip(_PADDING) or (rest[:1] == b"\x80" and looks(blob, reader.at, strict)))


class Stream(Judge):
    """The examination of a blob that begins with a pickle."""

    def __init__(self, blob: Blob, work: Examination, loader: str = LOADER, depth: int = 0) -> None:
        super().__init__(self._tell, self._inside, loader)
        self._blob = blob
        self._work = work
        self._depth = depth
        self._reader = Reader(blob)
        self._most = 0
        self.notes: list[Concern] = []
        self._said: set[tuple[str, str]] = set()
        self.storages: dict[str, int] = {}

    def _tell(self, check: str, verdict: Verdict, message: str, evidence: str, at: int) -> None:
        if (check, message) in self._said:
            return  # the same class is made for each tree of a forest
        self._said.add((check, message))
        if len(self.notes) < limits.MODEL_CONCERNS:
            self.notes.append(Concern(check, verdict, message, evidence[: limits.MODEL_EVIDENCE], at))

    # What it may cost.

    def tried(self, most: int = limits.MODEL_PICKLE_TRIAL) -> Stream:
        """This stream as a trial: at a place where a pickle may be, and mostly none is."""
        self._most = most
        return self

    def _room(self) -> int:
        if not self._most:
            return self._work.budget.opcodes
        if self._work.budget.trials <= 0:
            self._work.concern("pickle-trials", "inconclusive", TRIALS)
        return min(self._most, self._work.budget.trials)

    def _spent(self, steps: int) -> None:
        if self._most:
            self._most = max(self._most - steps, 1)
            self._work.budget.trials -= steps
        else:
            self._work.budget.opcodes -= steps

    # One pickle.

    def one(self, at: int) -> Value:
        """Runs the pickle that begins at a place; raises what its machine raises. ``end`` tells where it ended."""
        self._reader.seek(at)
        machine = Machine(self._reader, self, self._room())
        try:
            return machine.run()
        finally:
            self._spent(machine.steps)
            self.stopped = machine.at

    @property
    def end(self) -> int:
        return self._reader.at

    def built(self, target: Value, state: Value, at: int) -> None:
        super().built(target, state, at)
        if isinstance(target, Made) and isinstance(target.what, Global) and target.what.full in arrays.WRAPPERS:
            self._array(state, at)

    def _array(self, state: Value, at: int) -> None:
        """joblib reads the array from the file, right behind the opcode; pickle would take its bytes for opcodes."""
        found = arrays.wrapped(state)
        start = self._reader.at
        if found is None:
            return self._tell("joblib-array", "inconclusive", "It holds an array of joblib whose length cannot be computed.", "", at)
        size, padded = found
        if size < 0:
            self._inner(start)
            return
        self._other_reading(start, size)
        if padded:
            start += 1 + (self._blob.read(start, 1) or b"\0")[0]
        if start + size > self._blob.size:
            raise Ended
        self._reader.seek(start + size)

    def _inner(self, start: int) -> None:
        """The pickle of an array of objects. It has a memo of its own."""
        if self._depth > DEPTH:
            raise Exhausted
        self._depth += 1
        machine = Machine(self._reader, self, self._room())
        try:
            machine.run()
        finally:
            self._spent(machine.steps)
            self._depth -= 1

    def _other_reading(self, start: int, size: int) -> None:
        """The bytes of the array as opcodes: if its length is not what it is said to be, or pickle loads the file, they are run."""
        if self._depth >= DEPTH:
            return
        search(self._blob, start, self._work, self.notes, min(size, PIECE))
        if self._blob.read(start, 1) in (b"\0", b""):
            return
        other = Stream(self._blob, self._work, "Loading it with pickle instead of joblib", DEPTH).tried()
        other.quietly(start)
        self.notes += [one for one in other.notes if one.verdict == "malicious"]

    def quietly(self, start: int) -> int | None:
        """Runs a pickle that may be none; where it ended, None where it broke."""
        try:
            self.one(start)
        except (Broken, Ended, Exhausted):
            return None
        finally:
            self.close()
            self._named.clear()
        return self.end

    # What is in byte strings.

    def _inside(self, value: str | bytes | Big, at: int, loaded: bool) -> None:
        if loaded:
            if isinstance(value, Big):
                blob: Blob = PartBlob(self._blob, value.at, value.size)
            else:
                blob = BytesBlob(value.encode("latin-1", "replace") if isinstance(value, str) else value)
            return self._work.member(f"bytes at {at}", blob)
        if self._depth >= DEPTH:
            return
        raw: bytes
        if isinstance(value, Big):
            head = value.head
            if (head[:1] == b"\x80" and head[1:2] <= b"\x05") or (head[:1] in b"c(" and head[1:2].isalpha()):
                self._pickle_inside(PartBlob(self._blob, value.at, value.size), at)
            return
        if isinstance(value, str):
            if _BASE64.match(value) is None:
                return
            try:
                raw = base64.b64decode(value.replace("-", "+").replace("_", "/") + "==")
            except (binascii.Error, ValueError):
                return
        else:
            raw = value
        if (raw[:1] == b"\x80" and raw[1:2] <= b"\x05") or raw[:1] in (b"c", b"("):
            self._pickle_inside(BytesBlob(raw), at)

    def _pickle_inside(self, blob: Blob, at: int) -> None:
        inner = Stream(blob, self._work, "Loading the pickle in one of its byte strings", self._depth + 1)
        inner.tried(limits.MODEL_PICKLE_TRIAL * 10)
        inner.quietly(0)
        for one in inner.notes:
            if one.verdict == "malicious":
                self._tell("pickle-nested", one.verdict, one.message, one.evidence, at)

    def persistent(self, id: Value) -> None:
        values = arguments(id)
        if values and len(values) >= 5 and values[0] == "storage" and isinstance(values[1], Global) and isinstance(values[4], int):
            self.storages[str(values[2])[:200]] = values[4] * STORAGES.get(values[1].name, 1)

    # All of them.

    def all(self) -> None:
        """Runs every pickle of the blob and notes what was found."""
        at, number, plain = 0, 0, True
        first: list[Value] = []
        while at < self._blob.size:
            try:
                value = self.one(at)
            except (Broken, Ended, Exhausted) as error:
                self._stopped(error)
                at = self.stopped + 1
                plain = False
                break
            number += 1
            if len(first) < 5:
                first.append(value)
            at = self.end
            if len(first) == 5 and number == 5 and isinstance(first[0], int) and first[0] == MAGIC:
                at += sum(8 + size for size in self.storages.values())
                if at > self._blob.size:
                    self._tell("pickle-truncated", "inconclusive", "It ends before the tensors that it says it has.", "", at)
            at = self._padding(at)
            if number >= limits.MODEL_PICKLE_STREAMS:
                self._tell("pickle-many", "inconclusive", "It has too many pickles after one another to look into all of them.", "", at)
                break
            if at < self._blob.size and not looks(self._blob, at):
                break
        self.close()
        if at < self._blob.size:
            self._behind(at, plain)
        self._hand_over()

    def finish(self) -> None:
        """Notes what was found, where the pickles were run one by one."""
        self.close()
        self._hand_over()

    def _hand_over(self) -> None:
        for one in self.notes:
            self._work.concern(one.check, one.verdict, one.message, one.evidence, one.at)

    def _stopped(self, error: Exception) -> None:
        if isinstance(error, Exhausted):
            self._tell("pickle-long", "inconclusive", "It is longer than what is looked into.", "", self.stopped)
        elif isinstance(error, Ended):
            self._tell("pickle-truncated", "inconclusive", "It ends in the middle: what the rest would do is not known.", "", self.stopped)
        else:
            said = f"It is broken: an unpickler runs what stands before and stops here ({error})."
            self._tell("pickle-broken", "inconclusive", said, "", self.stopped)

    def _padding(self, at: int) -> int:
        """Where the next byte stands that is no padding."""
        while piece := self._blob.read(at, PIECE):
            rest = piece.lstrip(_PADDING)
            if rest:
                return at + len(piece) - len(rest)
            at += len(piece)
        return at

    def _behind(self, start: int, whole: bool) -> None:
        """What follows that is no pickle: of another format, or junk with a pickle in it."""
        found = search(self._blob, start, self._work, self.notes)
        if not whole or found:
            return
        before = len(self._work.members)
        self._work.member(f"behind the pickle at {start}", PartBlob(self._blob, start, self._blob.size - start))
        if any(one.format != "unknown" for one in self._work.members[before : before + 1]):
            return
        del self._work.members[before:]
        said = f"Behind the pickle follow {self._blob.size - start} bytes that are of no known format."
        self._tell("pickle-trailing", "inconclusive", said, "", start)
        self._work.concern("pickle-trailing", "inconclusive", said, "", start)


def search(blob: Blob, start: int, work: Examination, notes: list[Concern], most: int = limits.MODEL_PICKLE_SEARCH) -> bool:
    """Looks for pickles that do harm in bytes that are none, up to a bound; whether there are any."""
    at, tries, found = start, 0, False
    stop = min(blob.size, start + most)
    while at < stop and tries < limits.MODEL_PICKLE_TRIES:
        piece = blob.read(at, PIECE + 256)
        skip = 0
        for match in _START.finditer(piece):
            if match.start() < skip or match.start() >= min(PIECE, stop - at):
                continue
            tries += 1
            if tries > limits.MODEL_PICKLE_TRIES:
                break
            if work.budget.trials <= 0:
                work.concern("pickle-trials", "inconclusive", TRIALS)
                return found
            inner = Stream(blob, work, "Loading it with pickle from a later place of the file", DEPTH - 1).tried()
            end = inner.quietly(at + match.start())
            bad = [one for one in inner.notes if one.verdict == "malicious" and one.check != "pickle-import"]
            if bad and (inner.capable or match[0][:1] == b"\x80"):  # lists of words have calls of names that nobody knows
                found = True
                notes += bad
                skip = (end or 0) - at
        at += PIECE
    return found


MAGIC: Final = 0x1950A86A20F9469CFC6C
"""The first pickle of a file of torch before 1.6."""

STORAGES: Final = {
    f"{kind}Storage": size
    for kind, size in {
        "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1,
        "ComplexDouble": 16, "ComplexFloat": 8, "QInt8": 1, "QUInt8": 1, "QInt32": 4, "QUInt4x2": 1, "QUInt2x4": 1, "Untyped": 1,
    }.items()
}  # fmt: skip


def pickles(blob: Blob, work: Examination, loader: str = LOADER) -> None:
    """Examines a blob that begins with a pickle."""
    Stream(blob, work, loader).all()
