"""On whose host an address is: ``new URL(address, base)``, and what is set on it afterwards.

The base gives no more than the host and the folder: where it is on a host of ours, so is the address, unless what stands before it names
another. An address that is the request's as a whole leads back to whom the request was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from headwater import ir
from headwater.taint.labels import ADDRESS, BIT, HOST_ALONE, HOSTED, NAME_HEAD, PARSED_URL, PEER, ordered
from headwater.taint.value import BOTTOM, Fact, Value, as_given, join

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.calls import Calls
    from headwater.taint.instructions import Instructions
    from headwater.taint.models import Models
    from headwater.taint.summary import Proof

_CHOOSES: Final = frozenset({"host", "hostname", "href", "protocol"})
"""What names another host, or another way to go, when it is set on an address."""


def shown(weak: int, proven: int) -> int:
    """For which classes an address is safe that is made, in the way that a label's ``weak`` says, of data of which ``proven`` is known."""
    if not weak & HOSTED:
        return 0
    return ADDRESS if weak & HOST_ALONE and proven & BIT["redirect"] else proven & ADDRESS


def as_text(address: Value) -> Value:
    """The text of a parsed address: what was shown of the one holds for the other."""
    return address.with_(refs=(), allocs=(), bound=None, pred=None, proven=address.proven & ~PARSED_URL)


def parsed(frame: Models, args: Args, clear: int, what: str) -> Value:
    """An address, with a base or without."""
    address, base = (*args.positional, BOTTOM, BOTTOM)[:2]
    of_base = HOSTED | HOST_ALONE
    behind = frame.derived([base], what, clear=clear | shown(of_base, base.proven), weak=of_base)
    made = join(frame.derived([address], what, clear=clear, weak=HOSTED), behind)
    return made if behind.labels else made.with_(proven=made.proven | (address.proven & ADDRESS))


def changed(frame: Instructions, i: ir.StoreAttr, base: Value, value: Value) -> None:
    """``address.hostname = ...``: what is set decides from now on where the address leads."""
    if not base.proven & PARSED_URL or i.name not in _CHOOSES:
        return
    given = frame.derived([value], f"kept in .{i.name}")
    if given.labels:
        after = join(base, given).with_(refs=base.refs, proven=base.proven & ~ADDRESS)
    elif i.name != "protocol":
        after = base.with_(proven=base.proven | ADDRESS)
    else:
        return
    for cell in frame.cells_of(i.obj):
        if frame.cells.get(cell) is base:
            frame.write(cell, after)


def alike(frame: Instructions, left_register: int, left: Value, right_register: int, right: Value) -> tuple[Fact, ...]:
    """Two parameters have the same host: of one the host was taken, of the other too, or it is one."""
    made: list[Fact] = []
    for register, value, other in ((left_register, left, right), (right_register, right, left)):
        if (value.subject and value.proven & NAME_HEAD) or not (value.subject or (other.subject and as_given(value))):
            return ()
        params = tuple(("in", label.param) for label in ordered(value.labels) if label.source is None)
        made.append(((value.subject or frame.cells_of(register)) + params[:1], PEER, 0, (), ""))
    return tuple(made)


def settled(frame: Calls, proofs: tuple[Proof, ...], actuals: list[Value]) -> int:
    """Of two arguments that have the same host, the place of the one of which that shows something: the other is on a host of ours, or on
    that which our own caller asks for. -1 where there is none."""
    alike = [index for index, proven, _, _ in proofs if proven & PEER and index < len(actuals)]
    if len(alike) != 2:
        return -1
    ranks = [_rank(frame, actuals[index]) for index in alike]
    return -1 if ranks[0] == ranks[1] else alike[ranks[0] < ranks[1]]


def _rank(frame: Calls, value: Value) -> int:
    """Who says on which host an address is: the program, the caller, somebody else."""
    open_ = frozenset(label for label in frame.collapse(value).labels if label.cleared & ADDRESS != ADDRESS)
    if frame.own_data(Value(open_)):
        return 0
    return 1 if all(label.source is None for label in open_) else 2
