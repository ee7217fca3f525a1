"""Slots: named places outside of a program's objects, where one function keeps data and another reads it back.

A key of a cache or a session, a file of a constant path, a key of the state that the nodes of a graph share. API models say which calls
keep and recall (``keeps``, ``recalls``), and by which arguments a slot is known. Only where all of those are constants, or one and the
same variable or object, there is a slot: data goes from a writer to the readers of that slot alone. What slots hold is kept by
``headwater.taint.stores``, beside the module variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headwater import ir, limits
from headwater.apis import conditions
from headwater.apis.paths import ApiPath
from headwater.apis.schema import Slot
from headwater.index.calls import instructions
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst, Mod, Var
from headwater.taint import addresses
from headwater.taint.labels import RECALLED, Label
from headwater.taint.value import BOTTOM, IDENTITY, NO_CONST, STATE, Alloc, Node, Value, join, join_all, of_other, only_sources

if TYPE_CHECKING:
    from headwater.apis.schema import Api
    from headwater.taint.arguments import Args, Arguments
    from headwater.taint.frame import Frame

BETWEEN = "\0"
"""Between the parts of a slot's name."""
_SURE = ("state key", "state of a component", "context of components")
"""Slots that a framework hands from one function to the next: to read back what was written is what they are for."""


def words(slot: str) -> str:
    """A slot in words."""
    kind, *parts = slot.split(BETWEEN)
    return f"the {kind} {parts[-1]}" if parts and ":" not in parts[-1] else f"the {kind}"


def keep(frame: Frame, slot: str, value: Value, by: Fn | None = None) -> None:
    """Data goes into a slot, here or in a function that was called; what of it the caller decides, the caller is told."""
    whole = frame.collapse(value)
    frame.solver.know_slot(slot)
    if not whole.labels and not value.allocs and all(ref is EXTERNAL for ref in value.refs):
        return
    if frame.traced and whole.steps:
        at, steps = frame.at, {}
        text = f"kept in {words(slot)}" + (f" by {by.name}()" if by is not None else "")
        for label, node in whole.steps.items():
            if node is not None and node.hop is not None and node.hop[0][0] is by:
                steps[label] = node  # the steps of the function tell
            elif frame.virtual and node is not None:  # what the function did with it stands behind the last step
                steps[label] = Node(node.start, node.end, "" if by is not None else text, node.prev, node.hop)
            else:
                steps[label] = Node(at.start, at.end, text, node)
        remember(frame, slot, steps)
    shape = frame.export(value, 0, limits.SLOT_NODES)
    frame.solver.store_slot(frame.fn, slot, shape, slot.startswith(_SURE), frame.virtual)
    if any(label.source is None for label in whole.labels):
        frame.kept[slot] = join(frame.kept.get(slot, BOTTOM), value)


def remember(frame: Frame, slot: str, steps: Mapping[Label, Node]) -> None:
    """Keep the steps of what goes into a slot."""
    kept = frame.stored.setdefault(slot, {})
    for label, node in steps.items():
        kept.setdefault(label, node)
        less = of_other(label, weak=RECALLED)
        if less is not None:
            kept.setdefault(less, node)


def recall(frame: Frame, slot: str) -> Value:
    """What a slot holds, as a value here: what is changed in it is changed in the slot."""
    frame.sources += 1  # it may hold more at the next place
    shape = frame.solver.read_slot(None if frame.virtual else frame.fn, slot)
    value = frame.instantiate(shape, ("slot", slot), f"read back from {words(slot)}")
    return frame.own(value, ("slot", None, slot)) if value.allocs else value


def changed(frame: Frame, slot: str, alloc: Alloc, key: str | int, stored: Value) -> None:
    """A container that was read from a slot is changed."""
    part = frame.alloc((frame.at.start, "slot", slot), alloc.kind, alloc.closed)
    frame.put(part, key, stored, weak=True)
    keep(frame, slot, Value(allocs=(part,)))


# ------------------------------------------------------------------------------------- variables, by who calls

VARIABLE = "variable"
"""The kind of what stands for a module variable, or a field of a class, into which a function puts what its caller gives."""


def is_variable(slot: str) -> bool:
    """Whether a slot stands for a variable."""
    return slot.startswith(VARIABLE + BETWEEN)


def given_to(frame: Frame, owner: Mod | Cls, name: str, value: Value) -> None:
    """A function puts what its caller gives into a variable (``TOOLS[name] = function``): the caller is told, and knows what it is."""
    if any(label.source is None for label in frame.collapse(value).labels):
        slot = BETWEEN.join((VARIABLE, "module" if isinstance(owner, Mod) else "class", str(owner.id), name))
        frame.kept[slot] = join(frame.kept.get(slot, BOTTOM), value)


def put(frame: Frame, slot: str, value: Value) -> None:
    """A function that was called has put something into a variable: what of it can be called, or is an object, is there now.

    Data is not: whose it is that another finds there later would be a guess.
    """
    _, of, number, name = slot.split(BETWEEN)
    owner: Mod | Cls = frame.symbols.modules[int(number)] if of == "module" else frame.symbols.classes[int(number)]
    shape = only_sources(frame.export(value, 0, limits.SLOT_NODES), -1)
    if isinstance(owner, Mod):
        frame.solver.store_global(frame.fn, owner, name, shape)
    else:
        frame.solver.store_field(frame.fn, owner, name, lambda: shape)
    given_to(frame, owner, name, value)


# ------------------------------------------------------------------------------------------------ what models say


def called(frame: Arguments, entry: Api, node: ApiPath[Any], args: Args, default: Value) -> Value:
    """What a call keeps and recalls; ``default``: what is in those of a state that nobody keeps."""
    for one in entry.keeps:
        at = place(frame, one, node, args)
        value = join_all(default if text == RESULT else frame._argument(text, args) or BOTTOM for text in one.value)
        if one.made and at is not None and any(isinstance(ref, Fn) for ref in value.refs):
            value = made_by(frame, value, recall(frame, at))
        if at is not None and one.items:
            keep_items(frame, at, value)
        elif at is not None:
            keep(frame, at, value)
    made = BOTTOM
    for one in entry.recalls:
        at = place(frame, one, node, args)
        if at is not None:
            held = state(frame, at, default) if one.items else recall(frame, at)
            made = join(made, frame.collapse(held).with_(allocs=()) if one.whole else held)
    return made


def made_by(frame: Frame, value: Value, before: Value) -> Value:
    """What is put into a state: where it is a function, what that makes of what is there."""
    if not any(isinstance(ref, Fn) for ref in value.refs):
        return value
    return join(
        frame.call_value(value, [before], {}), value.with_(refs=tuple(ref for ref in value.refs if not isinstance(ref, Fn)), allocs=())
    )


def read(frame: Frame, node: ApiPath[Any], key: str | None) -> Value:
    """What an attribute or an element that a model speaks of recalls."""
    made = BOTTOM
    for entry in node.entries:
        for one in getattr(entry, "recalls", ()):
            if key is not None and one.key == [NAME]:
                made = join(made, recall(frame, f"{one.in_}{BETWEEN}{key}"))
    return made


def is_place(node: ApiPath[Any]) -> bool:
    """Whether an attribute or an element is a slot, and nothing else: what it is, those tell who keep something there."""
    return bool(node.entries) and all(
        any(one.key == [NAME] and not one.also for one in getattr(entry, "recalls", ())) for entry in node.entries
    )


RESULT = "result"
"""In a model: what is kept is what the call gives."""
FUNCTION = "function"
"""In a model: the slot is known by the identity of what is called."""
NAME = "name"
"""In a model: the slot is known by the last name of the path, or by the key in brackets."""


def place(frame: Arguments, one: Slot, node: ApiPath[Any] | None, args: Args) -> str | None:
    """The slot of a call, or the part of its name that the call tells; None where it is not known."""
    parts = [one.in_]
    for text in one.key:
        part = (node.text.rpartition(".")[2] if node is not None else "") if text == NAME else _known_by(frame, text, args, one.named)
        if not part:
            return None
        parts.append(part)
    return BETWEEN.join(parts)


def _known_by(frame: Arguments, text: str, args: Args, named: bool = True) -> str:
    """What an argument is known by in every function: a constant, an object with an identity, a module variable or a field (``named``)."""
    if text == FUNCTION:
        return identity(frame, args.callee) if args.callee is not None else ""
    where = conditions.argument(text)
    value = frame.argument(where, args)
    if value is None:
        return ""
    if isinstance(value.const, str | int) and not isinstance(value.const, bool):
        return str(value.const)
    found = identity(frame, value)
    if found or where.steps or not named:
        return found
    cells = (
        args.receiver_cells
        if where.receiver
        else args.cells[where.position]
        if 0 <= where.position < len(args.cells)
        else args.kw_cells.get(where.keyword, ())
    )
    return variable(frame, cells[0]) if cells and isinstance(cells[0], int) else ""


def identity(frame: Frame, value: Value) -> str:
    """What the object is known by, where it is one and known by something."""
    names = {cell.const for alloc in value.allocs if (cell := frame.field(alloc, IDENTITY)) is not None} - {NO_CONST}
    return str(names.pop()) if len(names) == 1 else ""


def variable(frame: Frame, register: int) -> str:
    """The module variable, or the field of the own object, that a register was read from."""
    if frame.read_from is None:
        frame.read_from = {}
        for instr in instructions([*frame.fn.ir.defaults, *frame.fn.ir.body]):
            if type(instr) in (ir.Name, ir.Attr):
                frame.read_from[instr.dst] = instr
    instr = frame.read_from.get(register)
    if type(instr) is ir.Name:
        for binding in frame.solver.bindings(frame.mod, instr.name):
            if isinstance(binding, Var):
                return f"{binding.module.name}.{binding.name}"
    elif type(instr) is ir.Attr:
        for ref in frame.cells.get(instr.obj, BOTTOM).refs:
            if isinstance(ref, Mod):
                for found in frame.symbols.lookup(ref, instr.name):
                    if isinstance(found, Var):
                        return f"{found.module.name}.{found.name}"
            elif isinstance(ref, Inst):
                owner = next((one for one in reversed(ref.cls.mro) if instr.name in one.written), None)
                if owner is not None:
                    return f"{owner.module.name}.{owner.name}.{instr.name}"
    return ""


def identify(frame: Arguments, made: Value, entry: Api, args: Args) -> Value:
    """The result of a call, an object with an identity."""
    start = frame.at.start
    name = f"{frame.mod.path}:{start}" if entry.router or entry.identity == "place" else _known_by(frame, entry.identity, args)
    if not name:
        return made
    alloc = made.allocs[0] if made.allocs else frame.alloc((start, "identity", entry.identity), "instance")
    if entry.router:
        addresses.made(frame, entry.router, args, name)
    frame.put(alloc, IDENTITY, Value(const=name))
    return made.with_(allocs=(alloc,))


# ------------------------------------------------------------------------------------------------ shared state


def keep_items(frame: Frame, prefix: str, value: Value, depth: int = 2) -> None:
    """What updates a state: a mapping, an object with fields, or a message of the framework that holds one (``Command``, ``Send``)."""
    for alloc in value.allocs:
        if alloc.kind in ("list", "tuple", "set", "generator"):
            if depth:
                keep_items(frame, prefix, frame.contents(alloc), depth - 1)
            continue
        if (alloc, UPDATE) in frame.cells:
            if depth:
                keep_items(frame, prefix, frame.cells[(alloc, UPDATE)], depth - 1)
            continue
        if alloc.kind not in ("dict", "instance", STATE):
            continue
        for key in list(alloc.keys):
            found = frame.cells.get((alloc, key))
            if found is not None and isinstance(key, str) and key != "*" and not key.startswith("$"):
                keep(frame, f"{prefix}{BETWEEN}{key}", found)


def message(frame: Arguments, entry: Api, args: Args) -> Value:
    """A message of a framework: what it, and what the messages in it, do to the state."""
    made = frame.alloc((frame.at.start, frame.at.end, "updates"), "instance")
    todo = [found for text in entry.updates if (found := frame._argument(text, args)) is not None]
    held = BOTTOM
    for _ in range(3):  # messages of a list, in a message
        todo, values = [], todo
        for value in values:
            for alloc in value.allocs:
                if alloc.kind in ("list", "tuple", "set", "generator"):
                    todo.append(frame.contents(alloc))
                elif (inner := frame.cells.get((alloc, UPDATE))) is not None:
                    held = join(held, inner)
                else:
                    held = join(held, value.with_(allocs=(alloc,), labels=frozenset()))
            held = join(held, value.with_(allocs=()))
    frame.put(made, UPDATE, held)
    return Value(allocs=(made,))


UPDATE = "$update"
"""The field of a message of a framework that holds what it does to the state."""


def state(frame: Frame, prefix: str, default: Value) -> Value:
    """The state as an object: what is known of each key that somebody writes, and ``default`` for all others."""
    alloc = frame.alloc((frame.at.start, "state", prefix), STATE)
    held: dict[str, Value] = {}
    for slot in frame.solver.slots_of(None if frame.virtual else frame.fn, prefix):
        key = slot.rpartition(BETWEEN)[2]
        held[key] = join(held.get(key, BOTTOM), recall(frame, slot))
    anywhere = held.pop(ANY, BOTTOM)
    frame.put(alloc, "*", join(default, anywhere))
    for key, value in held.items():
        frame.put(alloc, key, join(value, anywhere))
    return Value(allocs=(alloc,))


ANY = "*"
"""The key of a slot for data of which it is not known under which key it is kept."""


def hand_state(frame: Frame, prefix: str, stage: Value, kind: str) -> None:
    """A stage that is no function of the project takes part in a state: what it does to that is not known, or it has a state of its own."""
    other = identity(frame, stage)
    if other:
        frame.solver.link_slots(prefix, f"{prefix.partition(BETWEEN)[0]}{BETWEEN}{other}")
    elif not isinstance(stage.const, str) and not any(isinstance(ref, Fn | Cls | Inst) for ref in stage.refs):
        keep(frame, f"{prefix}{BETWEEN}{ANY}", frame.from_source(kind, "what a stage of the graph gives"))


def announce(frame: Frame, prefix: str, fn: Fn) -> None:
    """A function takes part in a state: the keys that it writes are known before anybody asks for them."""
    summary = frame.solver.summary(frame.fn, fn)
    if summary is None:
        return
    todo = [summary.returns]
    for _ in range(3):  # a list of messages with updates
        todo, shapes = [], todo
        for shape in shapes:
            for key, part in (shape.fields or {}).items():
                if key == UPDATE or shape.kind in ("list", "tuple", "set", "generator"):
                    todo.append(part)
                elif isinstance(key, str) and key != "*" and not key.startswith("$"):
                    frame.solver.know_slot(f"{prefix}{BETWEEN}{key}")
    for mutation in summary.mutations:
        if mutation.param == int(fn.bound) and not mutation.path and isinstance(mutation.field, str) and mutation.field.isidentifier():
            frame.solver.know_slot(f"{prefix}{BETWEEN}{mutation.field}")


def returned(frame: Frame, prefix: str, given: Value, result: Value, whole: bool) -> None:
    """A function that takes part in a state returns; ``whole``: what it returns are items of the state, if it is no message."""
    keep_items(frame, prefix, result)
    if whole and result.labels:
        known = frame.collapse(given).labels
        fresh = frozenset(label for label in result.labels if label.source is not None and label not in known)
        if fresh:
            keep(frame, f"{prefix}{BETWEEN}{ANY}", result.with_(labels=fresh, allocs=()))
