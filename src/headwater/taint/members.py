"""How scripts ask whether something is in a collection, how many elements it has, and whether a text is a number.

``known.indexOf(word) !== -1``, ``Object.hasOwn(table, word)``, ``unknown.length === 0``, ``!isNaN(Number(text))``; and the parts of a
parsed address. What membership shows is in ``headwater.taint.guards``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from headwater import ir
from headwater.index.entities import Fn
from headwater.taint import encoded, fills, firsts, guards, hosts
from headwater.taint.labels import ADDRESS, BIT, NAME_HEAD, NEAR, OF_PARAMETER, PARSED_URL, PATHS, SLASHED
from headwater.taint.learned import in_numbers
from headwater.taint.state import cleared
from headwater.taint.texts import separator
from headwater.taint.value import BOTTOM, Fact, PathOf, Pred, Value, as_given, join

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.instructions import Instructions

_HAS_OWN: Final = "hasOwnProperty"
_HOLDS: Final = frozenset({"includes", "has", "indexOf", "lastIndexOf", _HAS_OWN})
_PLACES: Final = frozenset({"indexOf", "lastIndexOf", "findIndex", "findLastIndex"})
_NUMBERS: Final = frozenset({"js:Number", "js:BigInt"})
_URLS: Final = frozenset({"js:URL()", "node:url.URL()"})
_HOST: Final = frozenset({"host", "hostname", "origin"})
_NAMES: Final = frozenset({"host", "hostname", "port"})
"""Parts of an address in which no slash can stand: in a path they are one name."""
_SCHEMES: Final = frozenset({"http", "https", "http:", "https:"})
_ENDING: Final = re.compile(r"^(?!\.(?:bat|cjs|cmd|env|exe|js|jsx|mjs|pth|pyc?|ps1|sh|so|tsx?)$)\.[A-Za-z0-9.]+$")
"""What the name of a file of some kind ends in that is not run."""
_INSIDE: Final = re.compile(
    r"(?i)^(?:is|in|has)_?.*(?:private|internal|loopback|link_?local|reserved|blocked|non_?public|forbidden|denied|disallowed|restricted|unsafe|local)"
    r"_?(?:ip|ip_?v[46]|addr|address|host|host_?name|network|range|target)?(?:_?(?:v[46]|range|octets|bytes))?$"
)
"""What a function is called that says of an address that it is one of ours."""
_OUTSIDE: Final = re.compile(r"(?i)^is_?(?:public|global|external|routable|safe)_?(?:ip|ip_?v[46]|addr|address|host|host_?name|target)$")
_A_NAME: Final = "a name that leads to a private address passes"
_ENDS: Final = "files whose names end so can be reached in any folder"


def read(frame: Instructions, i: ir.Attr, base: Value, value: Value) -> Value:
    """A member: how many there are, the scheme or the whole of an address."""
    frame.schemes.pop(i.dst, None)
    if i.name == "location" and value.labels and frame.named_calls.get(i.obj) == "headers":
        return sent_on(frame, value)
    if i.name == "length":
        shown = fills.pred(frame, base)
        return value.with_(pred=shown) if shown is not None else value
    parsed = base.proven & PARSED_URL or any(getattr(ref, "text", "") in _URLS for ref in base.refs)
    if parsed and i.name in _NAMES and value.labels:
        value = cleared(value, PATHS)
    if base.proven & PARSED_URL:
        if i.name == "pathname" and base.proven & BIT["redirect"]:  # on the host of the request: its scheme is one of the web
            value = encoded.path_of_address(value)
        if i.name == "href":
            return hosts.as_text(base)
        if i.name in _HOST and base.proven & BIT["redirect"]:
            value = cleared(value, ADDRESS)  # the server that was asked: nothing else of the request is in it
        if i.name == "protocol":
            frame.schemes[i.dst] = (*base.subject, *frame.cells_of(i.obj))
        elif i.name == "origin" and value.labels:
            value = value.with_()
            value.subject = (*base.subject, *frame.cells_of(i.obj))
    elif i.name in _HOST and value.labels and (parsed or (as_given(base) and not base.refs)):  # by who gave it
        value = value.with_()
        value.subject = frame.cells_of(i.obj)
    return value


def sent_on(frame: Instructions, value: Value) -> Value:
    """Where a server sends the client on to: every client follows it, so that it says no more than that the server was asked."""
    kept, sent = (
        frozenset(label for label in value.labels if (label.source is None or label.source.kind == "retrieved-content") is one)
        for one in (False, True)
    )
    if not sent:
        return value
    on = frame.derived([value.with_(labels=sent, allocs=())], "where the server sends the client on to", drop=2)
    return join(value.with_(labels=kept, allocs=()), on)  # a text, and no object with fields


def called(frame: Instructions, i: ir.Call, args: Args, callee: Value, result: Value) -> Value:
    """The result of a call that asks whether something is in a collection, or that makes a text or a number of something."""
    receiver = callee.bound
    if args.name == "get" and result.labels and args.positional and str(args.positional[0].const).lower() == "location":
        result = sent_on(frame, result)
    pred = firsts.without(result.pred)
    if args.name in _HOLDS and len(i.args) == 1 and i.args[0] >= 0 and i.fn in frame.receivers:
        pred = guards.prove(frame, "in", i.args[0], args.positional[0], frame.receivers[i.fn], receiver or BOTTOM) or pred
    elif _asks_own(frame, i, args, callee):
        pred = guards.prove(frame, "in", i.args[1], args.positional[1], i.args[0], args.positional[0]) or pred
    elif args.name == "endsWith" and receiver is not None and len(args.positional) == 1 and separator(args.positional[0]):
        shown: Fact = (args.receiver_cells, SLASHED, 0, (), "")
        pred = ((*(pred[0] if pred else ()), shown), pred[1] if pred else ())
    elif args.name == "endsWith" and len(args.positional) == 1 and _kinds([args.positional[0]]):
        known = (args.receiver_cells, 0, PATHS | NEAR, (), _ENDS)
        pred = ((*(fact for fact in (pred[0] if pred else ()) if not fact[2] & PATHS), known), pred[1] if pred else ())
    elif pred is None or not any(fact[1] & ADDRESS for side in pred for fact in side):
        pred = _of_network(args, callee) or pred
    if args.name in _PLACES:
        if pred is not None:
            frame.indexed[i.dst] = pred
        pred = None
    if pred is not result.pred:
        result = result.with_(pred=pred)
    if args.name in ("toString", "toJSON") and receiver is not None and receiver.proven & PARSED_URL:
        return hosts.as_text(receiver)
    if result.proven & PARSED_URL and not result.subject:
        result = _parsed_there(frame, args, callee, result)
    elif result.proven & OF_PARAMETER and receiver is None:
        result = _spelt_there(frame, args, callee, result)
    if args.name == "extname" and args.cells and args.positional[0].labels:
        frame.endings[i.dst] = (*args.cells[0], *args.positional[0].origin)
    if args.cells and any(getattr(ref, "text", "") in _NUMBERS for ref in callee.refs):
        number_of(frame, i.dst, args.cells[0], "+")
    return result


def _of_network(args: Args, callee: Value) -> Pred | None:
    """A function of the project says of an address whether it is inside of the network, as its name tells: ``isPrivateAddress(address)``.

    How it finds out is arithmetic. Of an address in numbers it decides; what is known of a name is less.
    """
    if len(callee.refs) != 1 or not isinstance(callee.refs[0], Fn) or not args.positional:
        return None
    inside, outside = _INSIDE.search(callee.refs[0].name), _OUTSIDE.search(callee.refs[0].name)
    given = args.positional[0]
    cells = (*given.subject, *args.cells[0])
    if bool(inside) is bool(outside) or not given.labels or not cells or given.proven & NAME_HEAD:
        return None
    safe: Fact = (cells, ADDRESS, 0, (), "") if in_numbers(given) else (cells, 0, ADDRESS | NEAR, (), _A_NAME)
    return ((), (safe,)) if inside else ((safe,), ())


def _asks_own(frame: Instructions, i: ir.Call, args: Args, callee: Value) -> bool:
    """``Object.hasOwn(table, word)``, ``Object.prototype.hasOwnProperty.call(table, word)``."""
    if len(i.args) != 2 or min(i.args) < 0:
        return False
    if any(getattr(ref, "text", "") == "js:Object.hasOwn" for ref in callee.refs):
        return True
    return args.name == "call" and frame.named_calls.get(frame.receivers.get(i.fn, -1)) == _HAS_OWN


def number_of(frame: Instructions, register: int, cells: tuple[Any, ...], op: str) -> None:
    """The register holds the number that a whole text is: where it is one, nothing else is in the text."""
    frame.origins.pop(register, None)
    if op == "+":
        inner = ((cell, frame.cells.get(cell.cell if type(cell) is PathOf else cell)) for cell in cells)
        frame.origins[register] = tuple((cell, value) for cell, value in inner if value is not None)


def _parsed_there(frame: Instructions, args: Args, callee: Value, result: Value) -> Value:
    """A function of the project parses an address that it is given: what is shown of the host is shown of the address."""
    place = _made_of(frame, args, callee)
    return result.with_(subject=args.cells[place]) if place >= 0 else result


def _spelt_there(frame: Instructions, args: Args, callee: Value, result: Value) -> Value:
    """A function of the project spells a host in another way: what is shown of the result is shown of what it was given."""
    place = _made_of(frame, args, callee)
    if place < 0:
        return result
    given = args.positional[place]
    subject = given.subject if given.subject or not as_given(given) else args.cells[place]
    return result.with_(subject=subject, proven=result.proven if as_given(given) else result.proven & ~OF_PARAMETER)


def _made_of(frame: Instructions, args: Args, callee: Value) -> int:
    """The place of the one argument that a function of the project makes its result of; -1 where there is none."""
    if len(callee.refs) != 1 or not isinstance(callee.refs[0], Fn):
        return -1
    fn = callee.refs[0]
    summary = frame.solver.summary(frame.fn, fn)
    labels = summary.returns.labels if summary is not None else ()
    params = {label.param if label.source is None else -1 for label in labels}
    place = params.pop() - (1 if fn.bound else 0) if len(params) == 1 else -1
    return place if 0 <= place < len(args.cells) else -1


def compared(frame: Instructions, op: str, left_register: int, left: Value, right_register: int, right: Value) -> Pred | None:
    """A comparison of a place, of a number of elements, of a scheme; None where it is none of these."""
    if op == "<":
        return _below(frame, left_register, left, right_register, right)
    if op == "in" and (left_register in frame.schemes or left_register in frame.endings):
        return _of_part(frame, left_register, [frame.cells.get((alloc, key), BOTTOM) for alloc in right.allocs for key in alloc.keys])
    if op not in ("==", "!=", "is", "is not"):
        return None
    shown: Pred | None = None
    for register, value, other in ((left_register, left, right), (right_register, right, left)):
        if register in frame.indexed and _number(other, -1):
            shown = _not(frame.indexed[register])
        elif value.pred is not None and frame.named_calls.get(register) == "length" and _number(other, 0):
            shown = _not(value.pred)
        elif register in frame.schemes or register in frame.endings:
            shown = _of_part(frame, register, [other])
    if shown is None:
        return None
    return shown if op in ("==", "is") else _not(shown)


def _below(frame: Instructions, left_register: int, left: Value, right_register: int, right: Value) -> Pred | None:
    """``left < right``: of scripts, the order is kept."""
    if left_register in frame.indexed and _number(right, 0):
        return _not(frame.indexed[left_register])
    if right_register in frame.indexed and _number(left, -1):
        return frame.indexed[right_register]
    if right.pred is not None and frame.named_calls.get(right_register) == "length" and _number(left, 0):
        return right.pred
    if left.pred is not None and frame.named_calls.get(left_register) == "length" and _number(right, 1):
        return _not(left.pred)
    return None


def _not(pred: Pred) -> Pred:
    return pred[1], pred[0]


def _number(value: Value, number: int) -> bool:
    return type(value.const) is int and value.const == number


def _of_part(frame: Instructions, register: int, words: list[Value]) -> Pred | None:
    """What it shows that the scheme of an address, or the ending of a name, is one of some words.

    An address of the web is no file, no script, and no program of the system's; what it holds besides is not looked at.
    """
    if register in frame.endings:
        return (((frame.endings[register], 0, PATHS | NEAR, (), _ENDS),), ()) if _kinds(words) else None
    if not words or not all(one.const in _SCHEMES for one in words):
        return None
    said = "an address of the web may hold characters that end a word of a command"
    cells = frame.schemes[register]
    return ((cells, 0, BIT["shell"], (), said), (cells, 0, BIT["redirect"], (), "addresses of all hosts pass")), ()


def _kinds(words: list[Value]) -> bool:
    """Whether words are endings of files that are not run."""
    return bool(words) and all(isinstance(one.const, str) and _ENDING.match(one.const) for one in words)
