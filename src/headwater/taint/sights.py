"""What is seen of the system map while functions are interpreted: components that calls make, what these are given, what code can do.

Nothing here changes what the analysis finds. What the sights become is in ``headwater.system``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headwater import limits
from headwater.apis.load import Kind
from headwater.apis.paths import CALL, UNKNOWN, ApiPath, Site, Sited
from headwater.apis.schema import COMPONENTS, Api
from headwater.index.entities import Cls, Fn
from headwater.taint.arguments import Args
from headwater.taint.labels import BIT
from headwater.taint.value import NOTHING, Shape, Value

if TYPE_CHECKING:
    from headwater.taint.calls import Calls
    from headwater.taint.models import Models

JOINS: Final = "joins"
"""A call that makes nothing: what it is given belongs to its receiver."""
HOLDS: Final = "holds"
"""A call that makes something that is no component, and holds those that it is given: a chain, a runner, settings."""
_ALIASES: Final = {"embedding-call": "embedding-model", "moderation-call": "guard"}
_OBJECTS: Final = frozenset({*COMPONENTS, HOLDS}) - {"llm-call", "entry-point", "secret"}
"""What is an object: others may hold it."""
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
    "vector-write": "database-write",
}
"""What a call can do whose operand is of a sink class."""
DEEDS: Final = frozenset({"executes-shell", "executes-code", "writes-files", "database-write", "sends-messages", "spends-money"})
"""Abilities that change something outside."""
_BASE: Final = re.compile(r"^(\$?[\w*]+(?:/\w+)?).*", re.DOTALL)
"""An argument, without the parts of it."""
_SETTINGS: Final = frozenset({"env", "config", "secret", "cli"})
_READS: Final = ("select", "with", "show", "describe", "explain", "pragma")
_WRITES: Final = ("insert", "update", "delete", "create", "drop", "alter", "replace", "merge", "truncate")

_DATA: Final = re.compile(
    r"(?:Message|Messages|Response|Chunk|Type|Types|Mode|Metadata|Input|Output|Result|Config|Options|Params|Args|Error|Exception|Schema"
    r"|Formatter|Parser|Block|Selection|Stream|Event|Action|Finish|Step|Setup|Call|Callback|Handler|Info|Usage|Content|Part|Item|Settings"
    r"|Tokenizer|Mixin|Protocol|Enum|Details|Request|Status|State|Spec(?<!ToolSpec)|Worker|Document|Record|Field|Filter|Filters|Query)$"
)
"""Classes that modules of a kind have beside the objects: data, and what works for them."""
_MAKES: Final = re.compile(r"(?:create|from|load|init|initialize|resolve|build|make|as|connect|open|get|setup)(?:_|$)")
"""Functions that make an object, where a pattern names none by itself."""

Want = tuple[int, tuple[Any, ...]]
"""A parameter and an access path below it that a component takes."""


class Deed(NamedTuple):
    """An operation by which code changes something outside of itself."""

    ability: str
    start: int
    end: int
    path: str
    """The API path of what is called."""
    text: str
    """What is known of its operand: a text, or how it begins."""
    steered: bool
    """Its operand is made of what the function is given or reads, and no check holds it to a choice."""
    keys: tuple[str, ...] = ()
    """The names of the arguments of which that is so."""


class Sight:
    """One call that makes a component, or asks one, or gives it something."""

    __slots__ = ("can", "end", "entry", "fn", "kind", "name", "parts", "path", "start")

    def __init__(self, kind: str, fn: Fn, start: int, end: int, path: str, entry: Api | None) -> None:
        self.kind = kind
        """A component type, ``joins`` or ``holds``."""
        self.fn = fn
        self.start = start
        self.end = end
        self.path = path
        """The API path of the call."""
        self.entry = entry
        self.name = ""
        """What names it, where that is a constant."""
        self.can: tuple[str, ...] = ()
        """What it can do, of which the code is a library's."""
        self.parts: dict[str, Shape] = {}
        """Arguments by position (``0``) or name; ``self`` is the receiver."""

    @property
    def key(self) -> tuple[int, int, str]:
        return (self.start, self.end, self.kind)

    @property
    def site(self) -> Site:
        """What its result is known by (``Sited``)."""
        return (self.fn.module.id, self.start, self.end)


def kind_of(entry: Any, made: ApiPath[Any] | None, components: Mapping[str, Kind]) -> str:
    """What a call makes in the map: by the model of what is called, else by the type of its result."""
    said: str = getattr(entry, "is_", "")
    said = _ALIASES.get(said, said)
    if said in COMPONENTS or said in (JOINS, HOLDS):
        return said
    known = typed(made, components)
    return known.is_ if known is not None and getattr(entry, "decorates", None) is None else ""


def typed(made: ApiPath[Any] | None, components: Mapping[str, Kind]) -> Kind | None:
    """What an object of an API path is in the map, by its type."""
    if made is not None and made.types:
        name = made.text.removesuffix(CALL).rpartition(".")[2]
        for type_ in sorted(made.types):
            known = components.get(type_)
            if known is not None and (name in known.names or (not _DATA.search(name) if name[:1].isupper() else _MAKES.match(name))):
                return known
    return None


def see(frame: Models, node: ApiPath[Any], made: ApiPath[Any] | None, args: Args, own: bool) -> ApiPath[Any] | None:
    """Note what a call of ``node`` makes; its result, told apart by its place where it is an object.

    ``own``: the project has the function itself.
    """
    solver = frame.solver
    if not frame.traced:
        makes_decorator(frame, node, args)
    entries: tuple[Any, ...] = tuple(entry for entry in node.entries if isinstance(entry, Api)) or (None,)
    for entry in entries:
        kind = kind_of(entry, made, solver.catalogue.components) or _of_class(entry, args)
        if not kind or (own and kind == "llm-call"):
            continue
        if not frame.traced:
            known = typed(made, solver.catalogue.components)
            _note(frame, kind, node, entry, args, known if known is not None and known.is_ == kind else None)
        if kind in _OBJECTS and made is not None and (kind == HOLDS or not made.text.startswith(UNKNOWN)):
            return solver.sited(made, frame.fn.module.id, frame.at.start, frame.at.end)
    return made


def _of_class(entry: Api | None, args: Args) -> str:
    """What a decorator makes that is called with a class: ``tool(Answer)``."""
    if entry is None or entry.decorates is None or entry.decorates.is_ != "tool" or not args.positional:
        return ""
    return "tool" if any(isinstance(ref, Cls) for ref in args.positional[0].refs) else ""


def makes_decorator(frame: Models, node: ApiPath[Any], args: Args) -> None:
    """Note whose method makes a decorator, and with what name: ``@server.tool("look_up")``."""
    if any(isinstance(one, Api) and one.decorates is not None for one in node.entries):
        receiver = NOTHING if args.receiver is None else frame.export(args.receiver, budget=limits.SIGHT_NODES)
        named = args.kw.get("name") or args.kw.get("name_override") or (args.positional[0] if args.positional else None)
        name = named.const if named is not None and isinstance(named.const, str) else ""
        frame.solver.decorators[(frame.fn.id, frame.at.start)] = (receiver, name[: limits.COMPONENT_NAME])
        if args.positional and any(type(ref) is Fn for ref in args.positional[0].refs):  # server.tool(look_up, name="look_up")
            _gives(frame, receiver, name, args.positional[0], frame.at.start, frame.at.end)


def decorated(frame: Models, start: int, end: int, decorator: Value, target: Value) -> None:
    """Note that a function is given to the object whose method decorates it."""
    if not any(getattr(entry, "decorates", None) is not None for ref in decorator.refs for entry in getattr(ref, "entries", ())):
        return
    solver, fn = frame.solver, frame.fn
    receiver, name = frame.export(decorator, budget=limits.SIGHT_NODES), ""  # @server.tool
    if not any(type(ref) is Sited for ref in receiver.refs):
        made = (solver.decorators.get((fn.id, at)) for at in range(start, start + limits.BEHIND_AT))
        found = next((one for one in made if one is not None), None)
        if found is not None and (not receiver.labels or any(type(ref) is Sited for ref in found[0].refs)):
            receiver, name = found
    if not receiver.empty or name:
        _gives(frame, receiver, name, target, start, end)


def _gives(frame: Models, receiver: Shape, name: str, target: Value, start: int, end: int) -> None:
    """Note that a function is given to an object, under a name."""
    sight = Sight(JOINS, frame.fn, start, end, "", None)
    sight.name = name
    sight.parts = {"self": receiver, "0": frame.export(target, budget=limits.SIGHT_NODES)}
    want(frame, receiver)
    frame.solver.sights.setdefault(frame.fn.id, {})[sight.key] = sight


def chained(frame: Models, stages: list[Value]) -> tuple[Any, ...]:
    """What a chain is known by: it is no component, and holds its stages."""
    solver, fn, at = frame.solver, frame.fn, frame.at
    refs = tuple(solver.sited(one, fn.module.id, at.start, at.end) for one in solver.chain_refs)
    if refs and not frame.traced:
        sight = Sight(HOLDS, fn, at.start, at.end, "", None)
        for number, stage in enumerate(stages):
            shape = frame.export(stage, budget=limits.SIGHT_NODES)
            if not shape.empty:
                sight.parts[str(number)] = shape
                want(frame, shape)
        solver.sights.setdefault(fn.id, {})[sight.key] = sight
    return refs


def _note(frame: Models, kind: str, node: ApiPath[Any], entry: Api | None, args: Args, known: Kind | None) -> None:
    fn, at = frame.fn, frame.at
    sight = Sight(kind, fn, at.start, at.end, node.text, entry)
    named = known.named if known is not None else ()
    if kind == "tool":
        sight.can = tuple(entry.can) if entry is not None else ()
        sight.can += tuple(known.abilities(_maker(node.text))) if known is not None else ()
        if sight.can:
            frame.solver.services.add((fn.id, at.start))
    roles = (entry.named, entry.model if kind not in ("agent", "llm-call") else "") if entry is not None else ()
    for role in (*roles, *named):
        value = frame._argument(role, args) if role else None
        if value is not None and isinstance(value.const, str) and not sight.name:
            sight.name = value.const[: limits.COMPONENT_NAME]
    given: list[tuple[str, Value]] = [(str(number), value) for number, value in enumerate(args.positional)]
    given += args.kw.items()
    if args.receiver is not None:
        given.append(("self", args.receiver))
    elif type(node) is Sited:  # an object that is called like a function
        given.append(("self", Value(refs=(node,))))
    if args.star is not None:
        given.append(("*", args.star))
    if frame.piped is not None:
        given += (("chain", frame.piped[0]), ("given", frame.piped[1]))
    if args.spread is not None:
        given.append(("**", args.spread))
    for name, value in given:
        shape = frame.export(value, budget=limits.SIGHT_NODES)
        if not shape.empty:
            sight.parts[name] = shape
            want(frame, shape)
    frame.solver.sights.setdefault(fn.id, {})[sight.key] = sight


def _maker(path: str) -> str:
    """The class, else the function or module, that a call makes an object of."""
    steps = re.split(r"[./]", path.removesuffix(CALL).replace(CALL, ""))
    return next((step for step in reversed(steps) if step[:1].isupper()), steps[-1])


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
        solver, fn, at = frame.solver, frame.fn.id, frame.at
        solver.uses[(fn, at.start, at.end)] = shape
        solver.uses_in.setdefault(fn, {})[(at.start, at.end)] = None
        want(frame, shape)


def does(frame: Models, entry: Api, node: ApiPath[Any], args: Args) -> None:
    """Note what the function at hand can do by a call."""
    known = frame.solver.abilities.setdefault(frame.fn.id, {})
    place = (frame.at.start, frame.at.end)
    for one in entry.can if entry.is_ != "tool" else ():  # a tool does it where it is run
        if one not in known:
            known[one] = place
            frame.solver.services.add((frame.fn.id, place[0]))
        if one in DEEDS:
            _deed(frame, one, node, args, [""])
    if entry.returns == "database" and not any(sink.class_ == "sql" for sink in entry.sinks):
        known.setdefault("database-read", place)
    for sink in entry.sinks:
        ability = _BY_SINK.get(sink.class_) if sink.safe_if != "no-option" else None  # one program, whatever its arguments say
        specs = [sink.at] if isinstance(sink.at, str) else sink.at
        if ability is not None:
            if not any(frame._argument(_BASE.sub(r"\1", one), args) is not None for one in specs):
                continue  # it is not told to
            if (holds := frame.holds(sink.when, args, [])) is not False and (holds or ability != "executes-code"):
                known.setdefault(ability, place)
                if ability in DEEDS:
                    _deed(frame, ability, node, args, specs, BIT[sink.class_])
        elif sink.class_ == "sql" and (not entry.by_text or frame.holds(sink.when, args, [])):
            text = ""
            for spec in (*specs, *(_BASE.sub(r"\1", one) for one in specs)):  # the text, or an object that holds it
                value = frame._argument(spec, args)
                text = text or ("" if value is None else value.const if isinstance(value.const, str) else value.head)
            first = text.split(None, 1)[0].lower() if text.strip() else ""
            if first not in _WRITES:
                known.setdefault("database-read", place)
            if first not in _READS:
                known.setdefault("database-write", place)
            if first in _WRITES:
                _deed(frame, "database-write", node, args, [""], text=text)


def _of_others(fn: Fn, label: Any) -> bool:
    """Whether data is what a function is given or fetches, and no setting of its own."""
    if label.source is not None:
        return label.source.kind not in _SETTINGS
    return not (fn.bound and label.param == 0)


def _deed(frame: Models, ability: str, node: ApiPath[Any], args: Args, specs: list[str], bit: int = 0, text: str = "") -> None:
    """Note an operation that changes something, with what decides on what."""
    keys: list[str] = []
    given: list[tuple[str, Value | None]] = [(spec, frame._argument(spec, args)) for spec in specs if spec]
    if not given:
        given = [*((str(number), value) for number, value in enumerate(args.positional)), *args.kw.items(), ("**", args.spread)]
    for name, value in given:
        if value is None:
            continue
        text = text or (value.const if isinstance(value.const, str) else value.head)
        shape = frame.export(value, budget=limits.SIGHT_NODES)
        if not text and shape.kind == "list" and (first := (shape.fields or {}).get(0)) is not None and isinstance(first.const, str):
            text = first.const
        inside = [(key, labels_in(part)) for key, part in (shape.fields or {}).items()]
        for key, labels in (*inside, ("", shape.labels)):
            if not value.proven & bit and any(not label.cleared & bit and _of_others(frame.fn, label) for label in labels):
                keys.append(name if not isinstance(key, str) or not key.isidentifier() else key)
    deed = Deed(ability, frame.at.start, frame.at.end, node.text, text, bool(keys), tuple(dict.fromkeys(keys)))
    frame.solver.deeds.setdefault(frame.fn.id, {})[(ability, frame.at.start, frame.at.end)] = deed
