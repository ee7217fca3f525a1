"""What a comparison proves about a value, and the few builtin calls whose meaning is the engine's own.

A fact says for which sink classes a value is safe while it only moves; a weak fact lowers confidence instead. Guards
that are calls of library functions are API models.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from headwater import ir, limits
from headwater.apis import patterns
from headwater.apis.paths import CALL, ApiPath
from headwater.index.calls import COMMON_METHODS, instructions
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst
from headwater.index.symbols import instance_refs
from headwater.taint import arrays, chains, containers, fills, firsts, hosts, members, objects, prompts, rounds, texts, ways
from headwater.taint.labels import (
    ADDRESS,
    ALL,
    BIT,
    CHECKED,
    CONTAINED,
    DENIED,
    FIRST,
    FIRST_HOST,
    FIRST_IN,
    HOST,
    HOST_FIXED,
    INSIDE,
    MODULE,
    NAME_HEAD,
    NEAR,
    NO_NAMES,
    NO_UP,
    OPERATORS,
    PATHS,
    PROGRAM,
    RESOLVED,
    Label,
    bits,
)
from headwater.taint.value import (
    BOTTOM,
    CHOSEN,
    NO_CONST,
    NONE,
    Alloc,
    ElementsOf,
    Fact,
    OnlyObjects,
    PathOf,
    Pred,
    Value,
    as_given,
    join,
    same,
)

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.frame import Frame
    from headwater.taint.instructions import Instructions

_MEMBERS = frozenset({"__members__", "_member_map_", "_value2member_map_", "_member_names_"})
"""Collections of an enumeration."""
_OWN_HOST = frozenset(
    f"js:{holder}location.{part}" for holder in ("", "window.", "document.", "self.") for part in ("origin", "host", "hostname")
)
"""The host of the page that a script runs in."""
_OF_REQUEST = (("base_url",), ("url",))
_HOST_PARTS = frozenset({"hostname", "netloc"})
"""Of a request of Starlette: the server that it was sent to."""
_OR_AN_ADDRESS = "js:Request"
"""What may be no request but an address is what is handed to ``fetch``: it goes out, and has not come in."""
_REGISTERED = re.compile(r"(?i)^(?:registered|allowed|post_?logout)?_?redirect_?ur[il]s$")
"""The addresses that a client of an authorisation server has registered, as its metadata calls them."""
_LISTS = frozenset(
    {"os.listdir()", "node:fs.readdirSync()", *(f"node:{module}.readdir()" for module in ("fs", "fs/promises", "fs.promises"))}
)
"""The names in a folder."""
NAMES = (*sorted(texts.SEPARATORS), *sorted(_LISTS), *sorted(_OWN_HOST), "typing.Literal[]", "typing_extensions.Literal[]")
"""API paths that mean something here without a call."""
_PLACES = frozenset({"commonpath", "is_relative_to", "parents", "relative", "relpath", "startsWith", "startswith"})
_SET = "the folder that it is compared with is set by others too"
_SCALAR_TYPES = frozenset(f"builtins.{name}" for name in ("int", "float", "bool", "complex"))
_KEPT = frozenset({"cli", "env", "config", "secret", "database", "file-content", "model-file"})


def prove(frame: Instructions, op: str, left_register: int, left: Value, right_register: int, right: Value) -> Pred | None:
    """What a test shows where it is true and where it is false; None where nothing."""
    cells = frame.cells_of(left_register)
    if op == "not":
        return (left.pred[1], left.pred[0]) if left.pred is not None else None
    if frame.mod.script and (shown := members.compared(frame, op, left_register, left, right_register, right)) is not None:
        return shown
    if op in ("in", "not in"):
        fact = _membership(cells, left, right, frame, left_register, right_register)
        asked = prompts.role_checked(frame, left_register, right, right_register)
        if fact is None and not asked:
            return None
        true, false = fact or ((), ())
        true += asked
        return (true, false) if op == "in" else (false, true)
    if op in ("==", "is", "!=", "is not"):
        true_: tuple[Fact, ...] = ()
        for word, said in ((left, right), (right, left)):
            if word.subject and (shown := _of_word(word, said)) is not None:
                return shown if op in ("==", "is") else (shown[1], shown[0])
        if right.const is not NO_CONST and left.const is NO_CONST:
            true_ = ((cells, ALL, 0, (), ""), *_made_of(frame, left_register))
            true_ += _whole(frame, left, right)
            true_ += ways.at_root(left) if right.const in ("", ".") else ()
        elif left.const is not NO_CONST and right.const is NO_CONST:
            true_ = ((frame.cells_of(right_register), ALL, 0, (), ""), *_made_of(frame, right_register))
        elif left.subject and (configured(frame, right) or _own_host(right)) and not configured(frame, left):
            true_ = _whole(frame, left, right)
        elif right.subject and (configured(frame, left) or _own_host(left)) and not configured(frame, right):
            true_ = _whole(frame, right, left)
        elif left.subject and _asked_host(right) and not _asked_host(left):
            true_ = ((left.subject, BIT["redirect"], 0, (), ""),)
        elif right.subject and _asked_host(left) and not _asked_host(right):
            true_ = ((right.subject, BIT["redirect"], 0, (), ""),)
        elif left.subject and right.subject and _given(left) != _given(right):  # what was found is on the host that the caller asked for
            found = right if _given(left) else left
            true_ = ((found.subject, ADDRESS, 0, (), ""),) if not found.proven & NAME_HEAD else ()
        elif left.labels and right.labels and _given(left) and _given(right) and left.labels != right.labels:
            true_ = hosts.alike(frame, left_register, left, right_register, right)
        elif right.refs and any(isinstance(ref, Inst) and frame.symbols.is_enum(ref.cls) for ref in right.refs):
            true_ = ((cells, ALL, 0, (), ""),)
        for one, other in ((left_register, right_register), (right_register, left_register)):
            source = frame.elements_from.get(other)
            if source is not None and frame.fixed(frame.cells.get(source)):  # one of a fixed set, in a loop over the set
                true_ += ((frame.cells_of(one), ALL, 0, (), ""),)
        true_ += _left_over(frame, left_register, right_register) + _left_over(frame, right_register, left_register)
        true_ += _as_first(frame, left_register, left, right) + _as_first(frame, right_register, right, left)
        if left.labels != right.labels:  # path == root
            for path, register, root in ((left, left_register, right), (right, right_register, left)):
                if path.proven & RESOLVED and (root.proven & RESOLVED or configured(frame, root) or (_given(root) and _asks_where(frame))):
                    true_ += ((frame.cells_of(register) + path.origin, PATHS, 0, (), ""),)
                elif left.pred is None and as_given(path) and (configured(frame, root) or (_given(root) and _asks_where(frame))):
                    true_ += ((frame.cells_of(register), INSIDE, 0, (), ""),)
                elif path.proven & RESOLVED and root.labels and left.pred is None and right.pred is None and _asks_where(frame):
                    checked = all(_own(frame, label) or label.cleared & PATHS == PATHS for label in root.labels)
                    true_ += ((frame.cells_of(register) + path.origin, PATHS if checked else 0, 0 if checked else PATHS, (), _SET),)
        for side in (left, right):
            if side.subject and side.proven & RESOLVED:  # commonpath([root, path]) == root
                true_ += ((side.subject, PATHS, 0, (), ""),)
            elif side.subject and side.proven & CHECKED:
                true_ += ((side.subject, 0, PATHS | NEAR, (), "a comparison of texts can be passed by a neighbour of the folder"),)
        if frame.holders:
            true_ += prompts.role_checked(frame, left_register, right, right_register)
            true_ += prompts.role_checked(frame, right_register, left, left_register)
        if left.pred is not None and right.const in (True, False, None):  # a match that is not None was one
            positive = left.pred if right.const is True else (left.pred[1], left.pred[0])
            return positive if op in ("==", "is") else (positive[1], positive[0])
        # Comparing a computed value (commonpath, a suffix) with a trusted one: what models proved of it.
        if left.pred is not None and not true_:
            return left.pred if op in ("==", "is") else (left.pred[1], left.pred[0])
        if not true_:
            return None
        return (true_, ()) if op in ("==", "is") else ((), true_)
    if op == "isinstance":
        return _isinstance(frame, cells, right)
    return None


def _of_word(word: Value, other: Value) -> Pred | None:
    """What it shows of an address that a word which says where it is, is equal to another: ``parse(host).range() === "unicast"``."""
    for ref in word.refs:
        for entry in getattr(ref, "entries", ()):
            shows = getattr(entry, "shows", None)
            if shows is not None and shows.words:
                known = other.const in shows.words
                shown: Fact = (word.subject, bits(shows.when_true), 0, (), "")
                passed: Fact = (word.subject, 0, bits(shows.when_true), (), "the check of the address can be passed")
                return ((shown,), ()) if known else ((), (passed,))
    return None


def _as_first(frame: Instructions, register: int, value: Value, other: Value) -> tuple[Fact, ...]:
    """What is equal to the first argument of a local function, or to the host of it."""
    if not firsts.is_first(frame, other) or firsts.is_first(frame, value):
        return ()
    host: tuple[Fact, ...] = ((value.subject, FIRST_HOST, 0, (), ""),) if value.subject and not value.proven & NAME_HEAD else ()
    return ((frame.cells_of(register), FIRST, 0, (), ""), *host) if as_given(other) else host if other.subject else ()


def _asks_where(frame: Instructions) -> bool:
    """Whether the function asks besides where a path lies: ``path == root or path.startswith(root + sep)``."""
    if frame.places is None:
        frame.places = any(type(one) is ir.Attr and one.name in _PLACES for one in instructions(frame.fn.ir.body))
    return frame.places


def _membership(
    cells: tuple[Any, ...], left: Value, right: Value, frame: Instructions, left_register: int, right_register: int
) -> tuple[tuple[Fact, ...], tuple[Fact, ...]] | None:
    first = _first_word(frame, left_register, left)
    if frame.fixed(right):
        whole = _whole(frame, left, right)
        cells += tuple(cell for part in frame.texts.get(left_register, ()) for cell in frame.cells_of(part))
        for alloc in left.allocs if len(left.allocs) == 1 else ():  # (module, name) in ALLOWED
            for key in alloc.keys:
                if alloc.kind == "tuple":
                    cells += tuple(frame.cells_holding(frame.cells.get((alloc, key), BOTTOM)))
        refused = ((left.subject, 0, ADDRESS, (), "a list of hosts that are refused can be passed"),)
        refusing = bool(whole) and not left.proven & NAME_HEAD
        shown = ALL if _with_slash(frame, right) else ALL | CONTAINED
        return ((cells, shown, 0, (), ""), *_made_of(frame, left_register), *whole, *first), (*first, *(refused if refusing else ()))
    if isinstance(right.const, str) and left.labels:  # some characters of a text
        shown = PROGRAM | NO_NAMES if patterns.sums(patterns.mask(right.const)) else 0
        if not _with_slash(frame, right):  # without a separator
            shown |= CONTAINED if ".." in right.const else PATHS | CONTAINED
        if shown:
            return ((cells, shown, 0, (), ""),), ()
    if left.labels and (_operators(frame, right) or (frame.mod.script and _settings(right))) and not configured(frame, left):
        return ((cells, ALL, 0, (), ""), *_whole(frame, left, right), *first), first
    if _REGISTERED.match(frame.named_calls.get(right_register, "")) and not _brought_along(left, right):
        return ((cells, BIT["redirect"], 0, (), ""),), ()
    of = frame.receivers.get(right_register, -1) if frame.named_calls.get(right_register) in _MEMBERS else right_register
    members = frame.cells.get(of, BOTTOM)
    if any(isinstance(ref, Cls) and frame.symbols.is_enum(ref) for ref in members.refs):
        return ((cells, ALL, 0, (), ""),), ()
    if any(getattr(ref, "text", "") in _LISTS for ref in right.refs):  # the name of a file, with no folder in it
        return ((cells, PATHS, 0, (), ""),), ()
    if left.labels and not right.labels and right.allocs and all(_found_here(frame, alloc) for alloc in right.allocs):
        return ((cells, ALL, 0, (), ""), *_whole(frame, left, right), *first), first
    if right.subject and right.proven & RESOLVED:  # root in path.parents
        return ((right.subject, PATHS, 0, (), ""),), ()
    if right.subject and right.proven & INSIDE:
        return ((right.subject, INSIDE, PATHS, (), "a check of the parents looks at a path that is not resolved"),), ()
    if left.subject and not left.proven & NAME_HEAD and configured(frame, right) and not configured(frame, left):
        # A host in the hosts of the configuration, an address in a network; the other way round, a list of what is refused.
        weak = ((left.subject, 0, ADDRESS, (), "a list of hosts that are refused can be passed"),)
        return _whole(frame, left, right), () if right.allocs or right.labels else weak
    if right.labels and as_given(left) and firsts.is_first(frame, left) and not firsts.is_first(frame, right):
        return (), ((frame.cells_of(right_register), FIRST_IN, 0, (), ""),)
    if right.labels and (
        left.const is not NO_CONST or not (left.labels or any(alloc.root is None for alloc in right.allocs))
    ):  # ".." in path: a deny list
        if isinstance(left.const, str) and all(one < " " for one in left.const):
            return None  # for NUL: no list of what leads elsewhere
        held = frame.cells_of(right_register)
        if frame.named_calls.get(right_register) == "parts":  # of a path
            held += frame.cells_of(frame.receivers[right_register])
        seen = rounds.absent(frame, left_register, held) if left.const is NO_CONST else ()
        what = f"a check for {left.const!r}" if left.const is not NO_CONST else "a list of what is refused"
        denied: Fact = (held, 0, DENIED, (), f"{what} can be passed")
        if left.const == "..":
            return (), ((held, NO_UP, 0, (), ""), denied)
        if texts.separator(left):
            return (), ((held, PATHS, 0, (), ""), denied)
        return (), (*seen, denied)
    return None


def _made_of(frame: Instructions, register: int) -> tuple[Fact, ...]:
    """What was made of a value, and of no other data, before it was shown to be one of a fixed set: it is one of a fixed set too."""
    cells = set(frame.cells_of(register))
    origins = chains.origins(frame.cells.get(register, BOTTOM))
    made = []
    for one in dict.fromkeys((*frame.origins, *frame.texts)):
        value = frame.cells.get(one, BOTTOM)
        if one != register and value.labels and chains.origins(value) <= origins and _of_alone(frame, one, cells):
            made.append(one)
    return ((tuple(made), ALL, 0, (), ""),) if made else ()


def _found_here(frame: Instructions, alloc: Alloc) -> bool:
    """Whether a collection is made of what the program finds by itself, such as the names of files, and of nothing that was sent."""
    if alloc.root is not None or alloc.mixed or alloc.kind not in ("list", "set", "tuple") or list(alloc.keys) != ["*"]:
        return False
    held = frame.cells.get((alloc, "*"))
    if held is None or not held.refs or held.allocs or not configured(frame, held):
        return False
    return all(isinstance(ref, ApiPath) for ref in held.refs)


def _of_alone(frame: Instructions, register: int, cells: set[Any]) -> bool:
    """Whether all data in a register is what some cells hold."""
    parts: list[Any] = [part for part in frame.texts.get(register, ()) if frame.cells.get(part, BOTTOM).labels]
    for cell, before in frame.origins.get(register, ()):
        whole = cell.cell if type(cell) is PathOf else cell
        if frame.unchecked(frame.cells.get(whole, BOTTOM)) is not frame.unchecked(before):
            return False
        parts.append(whole)
    return bool(parts) and all(not cells.isdisjoint(frame.cells_of(part) if type(part) is int else (part,)) for part in parts)


def _brought_along(one: Value, others: Value) -> bool:
    """Whether others come as one does, by whoever sends it; what is found under a name that he sends came through more than it did."""
    known = _sources(one)
    return any(drop <= known.get(source, -1) for source, drop in _sources(others).items())


def _sources(value: Value) -> dict[Any, int]:
    """Where the data of a value comes from, and the steps of confidence lost on the way."""
    found: dict[Any, int] = {}
    for label in value.labels:
        key = label.source or (label.param, label.path[:1])
        found[key] = min(found.get(key, label.drop), label.drop)
    return found


def _with_slash(frame: Instructions, value: Value) -> bool:
    """Whether a separator of folders is in one of the words of a collection, or may be."""
    if isinstance(value.const, str):
        return "/" in value.const or "\\" in value.const
    words = [frame.cells.get((alloc, key), BOTTOM) for alloc in value.allocs for key in alloc.keys]
    return not words or any(not isinstance(one.const, str) or "/" in one.const or "\\" in one.const for one in words)


def _operators(frame: Instructions, value: Value) -> bool:
    """Whether a value is a display of words of the program and of the operator: of the command line, of a setting."""
    if value.labels or not value.allocs:
        return False
    for alloc in value.allocs:
        if not alloc.closed or alloc.mixed or alloc.kind not in ("list", "tuple", "set") or "*" in alloc.keys:
            return False
        for key in alloc.keys:
            one = frame.cells.get((alloc, key), BOTTOM)
            said = bool(one.labels) and all(label.source is not None and label.source.kind in OPERATORS for label in one.labels)
            if not said and one.const is NO_CONST:
                return False
    return True


def _settings(value: Value) -> bool:
    """Whether all data in a value is the operator's: words of a setting, cut apart."""
    return bool(value.labels) and all(label.source is not None and label.source.kind in OPERATORS for label in value.labels)


def _first_word(frame: Instructions, register: int, word: Value) -> tuple[Fact, ...]:
    """What it shows of a command that its first word is one of a set."""
    first = frame.firsts.get(register)
    if first is None or not word.labels:
        return ()
    return (((*frame.cells_of(first), *frame.cuts.get(first, ())), 0, BIT["shell"], (), "only the first word is checked"),)


def _left_over(frame: Instructions, register: int, other: int) -> tuple[Fact, ...]:
    """``basename(name) == name``: nothing had to be taken away."""
    known = frame.reduced.get(register)
    cells = frame.cells_of(other)
    if known is None:
        return ()
    of = {cell.cell if type(cell) is PathOf else cell for cell in known[0]}
    return ((cells, known[1], 0, (), ""),) if of & set(cells) else ()


def host_ends(frame: Instructions, host: Value, cells: tuple[Any, ...], suffix: Value) -> Pred:
    """What it shows of an address that its host ends with a text."""
    options = [suffix, *(frame.cells.get((alloc, key), BOTTOM) for alloc in suffix.allocs for key in alloc.keys)]
    begins = [one.const if isinstance(one.const, str) else one.head or "" for one in options if not one.allocs]
    if begins and all(text.startswith(".") for text in begins):
        first = FIRST_HOST if firsts.is_first(frame, suffix) else 0
        return (((*host.subject, *cells), ADDRESS | HOST | first, 0, (), ""),), ()
    return (((*host.subject, *cells), 0, ADDRESS, (), "endswith() can be passed by a host whose name ends alike"),), ()


def _own_host(value: Value) -> bool:
    return not value.labels and any(getattr(ref, "text", "") in _OWN_HOST for ref in value.refs)


def _asked_host(value: Value) -> bool:
    """Whether a value is the host that a request was sent to: who is sent on there stays where he is."""
    return bool(value.labels) and all(
        label.path[-2:-1] in _OF_REQUEST and label.path[-1] in _HOST_PARTS
        if label.source is None
        else label.source.text == "the host of the request"
        for label in value.labels
    )


def _whole(frame: Instructions, part: Value, known: Value) -> tuple[Fact, ...]:
    """What it proves of the whole that a part of it is one of a fixed set: an address by its host, a module by its first name."""
    if not part.subject:
        return ()
    options = [known, *(frame.contents(alloc) for alloc in known.allocs if alloc.constant)]
    named = [ref for option in options if not option.labels for ref in option.refs]
    if any(ref is EXTERNAL or (isinstance(ref, ApiPath) and ref.text.startswith("socket.")) for ref in named):
        return ()  # the family of an address, not the address
    return ((part.subject, BIT["import"] if part.proven & NAME_HEAD else ADDRESS, 0, (), ""),)


def _given(value: Value) -> bool:
    """Whether a value is of the caller alone, or by default the operator's."""
    return all(label.source is None or label.source.kind in OPERATORS for label in value.labels)


def configured(frame: Frame, value: Value) -> bool:
    """Whether a value is of the program's own: no data of a caller or a request, but a field of the object, a setting, what was stored."""
    return all(_own(frame, label) for label in value.labels)


def _own(frame: Frame, label: Label) -> bool:
    return label.source.kind in _KEPT if label.source is not None else frame.fn.bound and label.param == 0


def _isinstance(frame: Instructions, cells: tuple[Any, ...], right: Value) -> Pred | None:
    options = [right, *(frame.contents(alloc) for alloc in right.allocs)]
    refs: list[Any] = []
    scalar = True
    seen = False
    for value in options:
        for ref in value.refs:
            seen = True
            if isinstance(ref, Cls):
                refs += instance_refs(ref)
                scalar = False
            elif isinstance(ref, ApiPath):
                if ref.text not in _SCALAR_TYPES:
                    scalar = False
                    child = ref.child("()")
                    if child is not None and ref.text != _OR_AN_ADDRESS:
                        refs.append(child)
            else:
                scalar = False
    if not seen:
        return None
    classes = all(isinstance(ref, Cls) for value in options for ref in value.refs)
    return ((cells, ALL if scalar else 0, 0, OnlyObjects(tuple(refs)) if classes and refs else tuple(refs), ""),), ()


def _cast(frame: Instructions, args: Args) -> Value | None:
    """``cast(T, o)`` is ``o``, of the type that is said."""
    if len(args.positional) != 2:
        return None
    type_, value = args.positional
    if not frame.solver.foreign(value):
        return value
    refs: list[Any] = []
    if isinstance(type_.const, str) and type_.const.isidentifier():
        refs += frame.symbols.type_value(frame.mod, ir.Type(type_.const)).refs
    for ref in type_.refs:
        if isinstance(ref, Cls):
            refs += instance_refs(ref)
        elif isinstance(ref, ApiPath) and (made := ref.child(CALL)) is not None:
            refs.append(made)
    return frame.of_type(value.with_(refs=()), tuple(refs)) if refs else value


def _truth(frame: Instructions, args: Args) -> Value | None:
    """``bool(m)`` shows what ``m`` shows where it is true, and where it is not."""
    if len(args.positional) != 1 or args.kw or args.positional[0].pred is None:
        return None
    return Value(pred=args.positional[0].pred)


def _getattr(frame: Instructions, args: Args) -> Value | None:
    """``getattr(o, "x")`` is ``o.x``; with a name from elsewhere it is any method of ``o``."""
    if len(args.positional) < 2:
        return None
    target, name = args.positional[0], args.positional[1]
    made = BOTTOM
    if isinstance(name.const, str):
        made = frame.attribute(target, name.const)
        if not made.refs and name.const in frame.names and name.const not in COMMON_METHODS:
            made = made.with_(refs=(frame.names[name.const],))
    else:
        methods: list[Any] = []
        for ref in target.refs:
            if isinstance(ref, Inst):
                for cls in ref.cls.mro:
                    methods += [fn for method, fn in cls.methods.items() if not method.startswith("__")]
            elif hasattr(ref, "functions"):
                methods += [fn for fn in ref.functions if fn.index and fn.cls is None and fn.ir.parent == 0]
        if methods and len(methods) <= limits.DISPATCH:
            made = Value(refs=tuple(sorted(dict.fromkeys(methods), key=lambda fn: fn.key)), bound=target)
        else:
            if methods:
                frame.solver.count("dispatch-cut")
            if target.labels:
                made = frame.part(target, "*")
            if _may_be_anything(frame, target) and (names := frame.collapse(name)).labels and not name.head:
                alloc = frame.alloc((frame.at.start, CHOSEN), CHOSEN, closed=True)
                frame.put(alloc, "$name", names)
                made = join(made, Value(allocs=(alloc,)))
    if len(args.positional) > 2:
        made = join(made, args.positional[2])
    if isinstance(name.const, str) and any(alloc.kind == CHOSEN for alloc in target.allocs):
        mark = marked(args.cells[0], name.const)
        made = made.with_(pred=mark) if mark is not None else made
    return made


def _hasattr(frame: Instructions, args: Args) -> Value | None:
    """``hasattr(f, "exposed")`` of a function that was looked up by a name from elsewhere."""
    if len(args.positional) != 2 or not any(alloc.kind == CHOSEN for alloc in args.positional[0].allocs):
        return None
    name = args.positional[1].const
    mark = marked(args.cells[0], name) if isinstance(name, str) else None
    return Value(pred=mark) if mark is not None else None


def marked(cells: tuple[Any, ...], name: str) -> Pred | None:
    """What the truth of an attribute shows of a function that was looked up by a name from elsewhere: somebody marked it for that."""
    return None if name.startswith("__") else (((cells, BIT["code"], 0, (), ""),), ())


def _may_be_anything(frame: Instructions, target: Value) -> bool:
    """Whether an object is not known to be a module or class of a library: of those, what has a name is what the library offers.

    Who chooses the module too has been told so where it is imported; a class that looks up its own methods offers them.
    """
    own = frame.fn.bound and any(label.source is None and label.param == 0 and not label.path for label in target.labels)
    if own or target.proven & MODULE:
        return False
    return all(
        isinstance(ref, Inst) or (isinstance(ref, ApiPath) and (CALL in ref.text or ref.text.startswith("?"))) for ref in target.refs
    )


def _super(frame: Instructions, args: Args) -> Value | None:
    """``super()``: the bases of the class at hand, on the same object."""
    fn: Fn | None = frame.fn
    while fn is not None and fn.cls is None and fn.ir.parent > 0:
        fn = frame.mod.functions[fn.ir.parent]
    if fn is None or fn.cls is None:
        return None
    cls = fn.cls
    receiver = frame.cells.get(0, BOTTOM)
    paths = [path for base in cls.bases for path in base.instance.paths]
    paths += [child for node in cls.externals if (child := node.child("()")) is not None]
    return receiver.with_(refs=(cls.parent, *dict.fromkeys(paths))[: limits.REFS], loose=False, bound=receiver)


def _setattr(frame: Instructions, args: Args) -> Value | None:
    if len(args.positional) == 3:
        target, name, value = args.positional
        if isinstance(name.const, str):
            frame.store(target, name.const, value)
        elif not (value.refs and all(isinstance(ref, Fn) for ref in value.refs)):  # a function is no data that another field may hold
            # Any field may hold the data now; to call it an object that each of them may be would be a guess.
            stored = frame.derived([value], "kept in a field")
            if not name.labels and stored.labels and all(_some_field(frame, label) for label in stored.labels):
                return Value(const=None)  # fields of one object copied to another: each stays what it is, as its class knows
            mapping = _item_of(frame, args)
            if mapping is not None:
                containers.store_items(frame, target, mapping)
                return Value(const=None)
            frame.store(target, "*", stored)
            for alloc in target.allocs:
                alloc.mixed = True
    return Value(const=None)


def _item_of(frame: Instructions, args: Args) -> Value | None:
    """The mapping of which name and value are one item, as they came from ``items()``."""
    if len(args.cells) < 3:
        return None
    for cell in args.cells[1]:
        if type(cell) is tuple and cell[1] == 0 and cell[0] in frame.pairs and (cell[0], 1) in args.cells[2]:
            held = frame.cells.get((cell[0], 1))
            return frame.pairs[cell[0]] if held is not None and same(held, args.positional[2]) else None
    return None


def _some_field(frame: Instructions, label: Label) -> bool:
    """Whether a label is of a field, of which the name is not known, of an object of a class of the project."""
    held = frame.cells.get(("in", label.param)) if label.path[-1:] == ("*",) else None
    return held is not None and any(isinstance(ref, Inst) for ref in held.refs)


def _globals(frame: Instructions, args: Args) -> Value | None:
    """``globals()[name]``: any function of the module."""
    alloc = frame.alloc((frame.at.start, "globals"), "dict")
    functions = [fn for fn in frame.mod.functions if fn.index and fn.cls is None and fn.ir.parent == 0]
    if len(functions) <= limits.DISPATCH:
        frame.put(alloc, "*", Value(refs=tuple(functions)))
    else:
        frame.solver.count("dispatch-cut")
    return Value(allocs=(alloc,))


def _commonpath(frame: Instructions, args: Args) -> Value | None:
    """``commonpath([root, path])``: compared with the root, it is a check of the resolved paths in the list."""
    if len(args.positional) != 1:
        return None
    cells: list[Any] = []
    for alloc in args.positional[0].allocs:
        for key in alloc.keys:
            element = frame.cells.get((alloc, key))
            if element is not None and element.proven & RESOLVED:
                cells += (*frame.cells_holding(element), *element.origin)
    if not cells:
        return None
    made = Value(proven=RESOLVED)
    made.subject = tuple(cells)
    return made


def _last_part(frame: Instructions, args: Args) -> Value | None:
    """``split(path)`` and ``splitext(path)``: what comes second has no separator in it."""
    if len(args.positional) != 1:
        return None
    value = frame.collapse(args.positional[0])
    alloc = frame.alloc((frame.at.start, frame.at.end, "parts"), "tuple", closed=True)
    frame.put(alloc, 0, frame.derived([value], f"through {args.name}()"))
    frame.put(alloc, 1, frame.derived([value], f"through {args.name}()", clear=PATHS))
    return Value(allocs=(alloc,))


def _commonprefix(frame: Instructions, args: Args) -> Value | None:
    """``commonprefix([root, path])`` compares texts: a neighbour whose name begins like the root's passes."""
    made = _commonpath(frame, args)
    return made.with_(proven=CHECKED) if made is not None else None


def _unparsed(frame: Instructions, args: Args) -> Value | None:
    """``urlunparse((scheme, host, path, ...))``: behind the host nothing names another one."""
    if len(args.positional) != 1 or len(args.positional[0].allocs) != 1 or args.positional[0].labels:
        return None
    (alloc,) = args.positional[0].allocs
    if not alloc.closed or alloc.mixed or not set(range(5)) <= set(alloc.keys):
        return None
    scheme, host, *rest = [frame.cells.get((alloc, key), BOTTOM) for key in sorted(alloc.keys, key=str)]
    made = join(frame.derived([scheme], "", clear=BIT["url"]), frame.derived([host], "", clear=ADDRESS if texts.is_host(host, "//") else 0))
    made = join(made, frame.derived(rest, "", clear=ADDRESS))
    return made if host.labels else made.with_(proven=made.proven | HOST_FIXED)


def _constant_copy(frame: Instructions, args: Args) -> Value | None:
    """``frozenset({...})``, ``set([...])``, ``tuple([...])``, ``list(...)``, ``dict(...)``: the same elements."""
    if len(args.positional) == 1 and args.positional[0].allocs and not args.positional[0].labels and not args.kw:
        return frame.copy(args.positional[0], "copy")
    if not args.positional and not args.kw and args.spread is None:
        return Value(allocs=(frame.alloc((frame.at.start, frame.at.end, "empty"), "list", closed=True),))
    return None


def _dict(frame: Instructions, args: Args) -> Value | None:
    if args.positional and not args.kw:
        return _constant_copy(frame, args)
    alloc = frame.alloc((frame.at.start, frame.at.end, "dict"), "dict", closed=not args.positional and args.spread is None)
    made = Value(allocs=(alloc,))
    for name, value in args.kw.items():
        frame.put(alloc, name, value)
    if "role" in args.kw:
        prompts.message(frame, alloc, frame.at.start, frame.at.end)
    for value in [*args.positional, *([args.spread] if args.spread is not None else [])]:
        whole = frame.collapse(value)
        made = Value(
            made.labels | whole.labels, allocs=(alloc,), steps={**(made.steps or {}), **(whole.steps or {})} if frame.traced else None
        )
    return made


def _rows(frame: Instructions, columns: list[Value]) -> Value:
    row = frame.alloc((frame.at.start, frame.at.end, "row"), "tuple", closed=True)
    for number, column in enumerate(columns):
        frame.put(row, number, column)
    rows = frame.alloc((frame.at.start, frame.at.end, "rows"), "list", closed=True)
    frame.put(rows, "*", Value(allocs=(row,)))
    return Value(allocs=(rows,))


def _enumerate(frame: Instructions, args: Args) -> Value | None:
    """``enumerate(xs)``: a number, and an element."""
    if not args.positional:
        return None
    made = _rows(frame, [BOTTOM, frame.elements(args.positional[0])])
    given = args.cells[0][0] if args.cells and args.cells[0] else None
    if type(given) is int and type(frame.at) is ir.Call:
        frame.counted[frame.at.dst] = given, made
    return made


def _zip(frame: Instructions, args: Args) -> Value | None:
    """``zip(xs, ys)``: an element of each."""
    return _rows(frame, [frame.elements(value) for value in args.positional]) if args.positional and args.star is None else None


def _get_args(frame: Instructions, args: Args) -> Value | None:
    """``get_args(Literal["a", "b"])``: a fixed set."""
    if len(args.positional) != 1 or not any(getattr(ref, "text", "").endswith("Literal[]") for ref in args.positional[0].refs):
        return None
    alloc = frame.alloc((frame.at.start, frame.at.end, "literals"), "tuple", closed=True)
    alloc.constant = True
    return Value(allocs=(alloc,))


def _quantifier(frame: Instructions, args: Args, every: bool) -> Value | None:
    """``any(test for ...)``, ``all(test for ...)``: what the test shows of what lies outside the loop."""
    if len(args.positional) != 1 or args.kw:
        return None
    tests = [frame.cells.get((alloc, "*"), BOTTOM) for alloc in args.positional[0].allocs if alloc.kind in ("generator", "list")]
    if len(tests) != 1 or tests[0].pred is None:
        return None
    true, false = tests[0].pred
    if every:
        return Value(pred=((*true, *_of_each(frame, true)), false))
    return Value(pred=(true, (*false, *_of_each(frame, false), *rounds.of_none(false))))


def _of_each(frame: Instructions, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """What is shown of the element at hand is shown of every element."""
    made: list[Fact] = []
    for cells, proven, _, _, _ in facts:
        if proven & ALL and (inner := chains.of_each_within(frame, cells)):
            made.append((inner, proven & ALL, 0, (), ""))
        sources = [frame.elements_from[cell] for cell in cells if type(cell) is int and cell in frame.elements_from]
        if proven & ALL and sources:
            made.append((tuple(ElementsOf(cell) for source in sources for cell in frame.cells_of(source)), proven & ALL, 0, (), ""))
    return tuple(made)


def _next(frame: Instructions, args: Args) -> Value | None:
    """``next((one for one in known if test), None)``: that there is one shows what the test shows."""
    if len(args.positional) != 2 or args.positional[1].const is not None:
        return None
    shown = fills.pred(frame, args.positional[0])
    return join(frame.elements(args.positional[0]), NONE).with_(pred=shown) if shown is not None else None


SPECIAL: dict[str, Callable[[Instructions, Args], Value | None]] = {
    "builtins.getattr": _getattr,
    "builtins.next": _next,
    "builtins.bool": _truth,
    "js:Boolean": _truth,
    "typing.cast": _cast,
    "typing_extensions.cast": _cast,
    "builtins.hasattr": _hasattr,
    "builtins.setattr": _setattr,
    "builtins.super": _super,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.any": partial(_quantifier, every=False),
    "builtins.all": partial(_quantifier, every=True),
    "typing.get_args": _get_args,
    "typing_extensions.get_args": _get_args,
    "builtins.globals": _globals,
    "os.path.commonpath": _commonpath,
    "urllib.parse.urlunparse": _unparsed,
    "urllib.parse.urlunsplit": _unparsed,
    **{f"{module}.{name}": _last_part for module in ("os.path", "posixpath", "ntpath") for name in ("split", "splitext")},
    "os.path.commonprefix": _commonprefix,
    **dict.fromkeys(ways.MAKERS, ways.relative),
    **dict.fromkeys(ways.PYTHON, ways.relpath),
    "builtins.locals": _globals,
    "builtins.set": _constant_copy,
    "js:Set": _constant_copy,
    "js:Map": objects.map_of,
    "js:Promise": arrays.promise,
    "js:Object.assign": objects.assign,
    "js:Object.entries": objects.entries,
    "js:Object.fromEntries": objects.from_entries,
    "js:Object.keys": objects.keys,
    "js:Object.values": objects.values,
    "js:structuredClone": objects.clone,
    "js:Object.freeze": _constant_copy,
    "js:Array.from": _constant_copy,
    "builtins.frozenset": _constant_copy,
    "builtins.tuple": _constant_copy,
    "builtins.list": _constant_copy,
    "builtins.dict": _dict,
}
"""By API path; the engine makes sure that these paths exist even where no model speaks of them."""
