"""What is seen of the system map while functions are interpreted: components that calls make, what these are given, what code can do.

Nothing here changes what the analysis finds. What the sights become is in ``headwater.system``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from headwater import limits
from headwater.apis.paths import UNKNOWN, ApiPath, Sited
from headwater.apis.schema import COMPONENTS, Api
from headwater.index.entities import Fn
from headwater.taint.arguments import Args
from headwater.taint.value import Shape, Value

if TYPE_CHECKING:
    from headwater.taint.calls import Calls
    from headwater.taint.models import Models

JOINS: Final = "joins"
"""A call that makes nothing: what it is given belongs to its receiver."""
_ALIASES: Final = {"embedding-call": "embedding-model", "moderation-call": "guard"}
_OBJECTS: Final = frozenset(COMPONENTS) - {"llm-call", "entry-point", "secret"}
"""Components that are objects: others may hold them."""
_BY_SINK: Final = {
    "shell": "executes-shell",
    "code": "executes-code",
    "sandboxed-code": "executes-code",
    "path-read": "reads-files",
    "path-write": "writes-files",
    "url": "network-out",
    "egress": "network-out",
    "message": "sends-messages",
    "query": "database-read",
}
"""What a call can do whose operand is of a sink class."""
_READS: Final = ("select", "with", "show", "describe", "explain", "pragma")
_WRITES: Final = ("insert", "update", "delete", "create", "drop", "alter", "replace", "merge", "truncate")

Want = tuple[int, tuple[Any, ...]]
"""A parameter and an access path below it that a component takes."""


class Sight:
    """One call that makes a component, or asks one, or gives it something."""

    __slots__ = ("end", "entry", "fn", "kind", "name", "parts", "path", "start")

    def __init__(self, kind: str, fn: Fn, start: int, end: int, path: str, entry: Api | None) -> None:
        self.kind = kind
        """A component type, or ``joins``."""
        self.fn = fn
        self.start = start
        self.end = end
        self.path = path
        """The API path of the call."""
        self.entry = entry
        self.name = ""
        """What names it, where that is a constant."""
        self.parts: dict[str, Shape] = {}
        """Arguments by position (``0``) or name; ``self`` is the receiver."""

    @property
    def key(self) -> tuple[int, int, str]:
        return (self.start, self.end, self.kind)


def kind_of(entry: Any, made: ApiPath[Any] | None, components: dict[str, str]) -> str:
    """What a call makes in the map: by the model of what is called, else by the type of its result."""
    said: str = getattr(entry, "is_", "")
    said = _ALIASES.get(said, said)
    if said in COMPONENTS or said == JOINS:
        return said
    if made is not None and made.types:
        for type_ in sorted(made.types):
            if type_ in components:
                return components[type_]
    return ""


def see(frame: Models, node: ApiPath[Any], made: ApiPath[Any] | None, args: Args) -> ApiPath[Any] | None:
    """Note what a call of ``node`` makes; its result, told apart by its place where it is an object."""
    solver = frame.solver
    entries: tuple[Any, ...] = tuple(entry for entry in node.entries if isinstance(entry, Api)) or (None,)
    for entry in entries:
        kind = kind_of(entry, made, solver.catalogue.components)
        if not kind:
            continue
        if not frame.traced:
            _note(frame, kind, node, entry, args)
        if kind in _OBJECTS and made is not None and not made.text.startswith(UNKNOWN):
            return solver.sited(made, frame.fn.module.id, frame.at.start)
    return made


def _note(frame: Models, kind: str, node: ApiPath[Any], entry: Api | None, args: Args) -> None:
    fn, at = frame.fn, frame.at
    sight = Sight(kind, fn, at.start, at.end, node.text, entry)
    for role in (entry.named, entry.model if kind not in ("agent", "llm-call") else "") if entry is not None else ():
        value = frame._argument(role, args) if role else None
        if value is not None and isinstance(value.const, str) and not sight.name:
            sight.name = value.const[: limits.COMPONENT_NAME]
    given: list[tuple[str, Value]] = [(str(number), value) for number, value in enumerate(args.positional)]
    given += args.kw.items()
    if args.receiver is not None:
        given.append(("self", args.receiver))
    if args.star is not None:
        given.append(("*", args.star))
    if args.spread is not None:
        given.append(("**", args.spread))
    for name, value in given:
        shape = frame.export(value, budget=limits.SIGHT_NODES)
        if not shape.empty:
            sight.parts[name] = shape
            want(frame, shape)
    frame.solver.sights.setdefault(fn.id, {})[sight.key] = sight


def want(frame: Models, shape: Shape) -> None:
    """What of a component a caller decides is asked of the callers."""
    if not shape.given:
        return
    wants = frame.solver.wants.setdefault(frame.fn.id, {})
    for label in labels_in(shape):
        if label.source is None and len(wants) < limits.WANTS:
            wants.setdefault((label.param, label.path))


def labels_in(shape: Shape) -> list[Any]:
    """All labels of a shape and its parts, in an order that is the same in every run."""
    found: set[Any] = set()
    todo = [shape]
    while todo:
        one = todo.pop()
        found |= one.labels
        if one.fields:
            todo += one.fields.values()
    return sorted(found, key=_key)


def _key(label: Any) -> Any:
    return label.key


def hand(frame: Calls, fn: Fn, actuals: Any) -> None:
    """A function of the project is called, in which components take what its callers give."""
    for param, path in list(frame.solver.wants[fn.id]):
        value = frame.project(actuals, param, path)
        if value is None or not (value.labels or value.refs or value.allocs):
            continue
        shape = frame.export(value, budget=limits.SIGHT_NODES)
        if shape.empty:
            continue
        given = frame.solver.given.setdefault((fn.id, param, path), {})
        given[(frame.fn.id, frame.at.start)] = shape
        if frame.fn is not fn:
            want(frame, shape)


def use(frame: Models, receiver: Value) -> None:
    """Note whom a call asks for data."""
    shape = frame.export(receiver, budget=limits.SIGHT_NODES)
    if any(type(ref) is Sited for ref in shape.refs) or shape.given:
        solver, fn, start = frame.solver, frame.fn.id, frame.at.start
        solver.uses[(fn, start)] = shape
        solver.uses_in.setdefault(fn, {})[start] = None
        want(frame, shape)


def does(frame: Models, entry: Api, args: Args) -> None:
    """Note what the function at hand can do by a call."""
    known = frame.solver.abilities.setdefault(frame.fn.id, {})
    place = (frame.at.start, frame.at.end)
    for one in entry.can:
        known.setdefault(one, place)
    for sink in entry.sinks:
        ability = _BY_SINK.get(sink.class_)
        if ability is not None:
            if ability not in known and (holds := frame.holds(sink.when, args, [])) is not False and (holds or ability != "executes-code"):
                known[ability] = place
        elif sink.class_ == "sql":
            value = frame._argument(sink.at if isinstance(sink.at, str) else sink.at[0], args)
            text = "" if value is None else value.const if isinstance(value.const, str) else value.head
            first = text.split(None, 1)[0].lower() if text.strip() else ""
            if first not in _WRITES:
                known.setdefault("database-read", place)
            if first not in _READS:
                known.setdefault("database-write", place)
