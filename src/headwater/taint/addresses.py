"""Addresses: which functions of the project answer a request that another part of the project sends, and what they answer.

API models say of calls that make routers (``router``) and put them under others (``mounts``), under which address a function is a route
(``Callback.address``), what it answers besides what it returns (``answers``), and which calls send requests (``asks``). The answer of a
request is what the routes at its address answer: nothing of what the request itself brings, which is the sender's own. An address is
compared by the parts of its path; a part that is not known can be any.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headwater import ir, limits
from headwater.index.entities import Fn, Mod
from headwater.taint import slots
from headwater.taint.labels import RECALLED
from headwater.taint.state import lacks
from headwater.taint.value import ANSWER, BOTTOM, NO_CONST, NO_LABELS, Node, Shape, Value, join, join_all

if TYPE_CHECKING:
    from headwater.apis.paths import ApiPath
    from headwater.apis.schema import Address, Asks, Mount
    from headwater.taint.arguments import Args, Arguments
    from headwater.taint.frame import Frame
    from headwater.taint.shapes import Shapes
    from headwater.taint.shared import Shared

HOLE: Final = "\0"
"""In the form of a text: what is not known."""
_GIVEN: Final = re.compile("\1(\\d+)\2")
"""In the form of a text: what the caller gives as a parameter."""
_GLUED: Final = re.compile("[^/\0=&?]\1\\d+\2$")
"""It stands where more parts of the path may follow."""
ASKED: Final = "$ask"
"""What the key of an access path begins with that stands for the answer of a request to what is there."""
_SERVER: Final = re.compile(r"^(?:https?|wss?)://([^/]*)")
_LOCAL: Final = re.compile(r"^(?:localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\]|[\w-]+)?(?::(?:\d+|\0))?$")
_NAMED: Final = re.compile(r"^(?:\{[^}]*\}|<[^>]*>|:\w+\??(?:\(.*\))?|\[[^\]]*\]|\*|\$\w+)$")
_REST: Final = re.compile(r"^(?:\{[^}]*:path\}|<path:[^>]*>|:\w+\*|\[\[?\.\.\..*\]|\*+\w*|\{\*.*\})$")
_ANY: Final = "*"
_ALL: Final = "**"
_OWN: Final = frozenset({"http-input", "websocket-input", "user-prompt"})
"""Kinds of what a request brings: to be shown what one has sent oneself does nobody harm, unless it was kept for others."""


class Route(NamedTuple):
    """A function that answers requests: the router that it belongs to, the method (or any), the path there."""

    fn: Fn
    router: str
    method: str
    path: str
    returns: bool
    """What it returns is its answer."""


class Routes:
    """All routes, and the routers that they belong to."""

    def __init__(self) -> None:
        self.routes: dict[Route, None] = {}
        self.mounts: dict[str, dict[tuple[str, str], None]] = {}
        """By router: those that it is put under (itself, for a prefix of its own), and with what prefix."""
        self._found: dict[tuple[str, str, str], list[tuple[Route, int]]] = {}

    def add(self, route: Route) -> bool:
        """Whether that is new."""
        if route in self.routes or len(self.routes) >= limits.ROUTES:
            return False
        self.routes[route] = None
        self._found.clear()
        return True

    def mount(self, child: str, parent: str, prefix: str) -> bool:
        """Whether that is new."""
        known = self.mounts.setdefault(child, {})
        if (parent, prefix) in known:
            return False
        known[(parent, prefix)] = None
        self._found.clear()
        return True

    def _prefixes(self, router: str, depth: int = 0) -> list[str]:
        """What may stand before the paths of a router."""
        own = [prefix for parent, prefix in self.mounts.get(router, {}) if parent == router]
        under = [one for one in self.mounts.get(router, {}) if one[0] != router]
        first = own[:1] or [""]
        if not under or depth >= limits.ROUTERS_NESTED:
            return first
        return [f"{before}/{prefix}/{first[0]}" for parent, prefix in under for before in self._prefixes(parent, depth + 1)][
            : limits.CANDIDATES
        ]

    def told(self) -> dict[int, str]:
        """Method and path of each function that is a route, by its number; the first of several."""
        made: dict[int, str] = {}
        for route in self.routes:
            prefix = self._prefixes(route.router)[0]
            path = "/" + "/".join(part for part in f"{prefix}/{route.path}".split("/") if part)
            made.setdefault(route.fn.id, f"{route.method.upper()} {path}".strip())
        return made

    def asked(self, form: str, method: str, place: str) -> list[tuple[Route, int]]:
        """The routes that a request is for, and how many confidence steps less that is; ``place``: the file that sends it."""
        key = (form, method, place)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._asked(form, method, place)
        return found

    def _asked(self, form: str, method: str, place: str) -> list[tuple[Route, int]]:
        wanted = _request(form)
        if wanted is None:
            return []
        rooted, parts = wanted
        best: tuple[int, ...] = (0,)
        found: dict[Route, int] = {}
        for route in self.routes:
            if method and route.method and method != route.method:
                continue
            for prefix in self._prefixes(route.router):
                rank = _rank(parts, rooted, _parts(f"{prefix}/{route.path}"))
                if rank is None:
                    continue
                rank = (*rank, _near(place, route.fn.module.path))
                if rank > best:
                    best, found = rank, {}
                if rank == best:
                    found[route] = int(rank[0] == 1 or rank[1] < 0)
        return list(found.items()) if len(found) <= limits.ROUTES_ASKED else []


def _parts(path: str) -> list[str]:
    """The parts of the path of a route."""
    return [_ALL if _REST.match(part) else _ANY if _NAMED.match(part) else part for part in path.split("/") if part]


def _request(form: str) -> tuple[bool, list[str]] | None:
    """Whether a request's path is known from its beginning, and its parts; None where it is not for the project, or for anything."""
    form = _GIVEN.sub(HOLE, form)
    server = _SERVER.match(form)
    rooted = True
    if server is not None:
        if HOLE in server[1].partition(":")[0]:
            rooted = False
        elif not _LOCAL.match(server[1]):
            return None
        form = form[server.end() :]
    elif not form.startswith("/") or form.startswith("//"):
        rooted = False
        if form.startswith(HOLE):
            form = form.partition("/")[2]
    path = re.split(r"[?#]", form, maxsplit=1)[0]
    parts = [part if HOLE not in part else _ANY for part in path.split("/") if part and part != "."]
    last = path.rpartition("/")[2]
    if parts and last.endswith(HOLE) and last.strip(HOLE) and HOLE not in last[:-1]:
        parts[-1] = last  # a query may follow, or the rest of the name
    if not any(part != _ANY for part in parts):
        return None
    return rooted, parts


def _rank(asked: list[str], rooted: bool, route: list[str]) -> tuple[int, ...] | None:
    """How well a request fits a route; None where it does not."""
    if route[-1:] == [_ALL] and len(asked) >= len(route):
        route = [*route[:-1], *[_ANY] * (len(asked) - len(route) + 1)]
    if len(asked) == len(route):
        sure = 3 if rooted else 2
    elif asked and len(asked) < len(route) and not rooted:
        sure, route = 2, route[-len(asked) :]
    elif rooted and route and len(asked) > len(route):  # a server in between that takes a prefix away
        sure, asked = 1, asked[-len(route) :]
    else:
        return None
    same = open_ = guessed = 0
    for one, other in zip(asked, route, strict=True):
        if one == other:
            same, open_ = same + (one != _ANY), open_ + (one == _ANY)
        elif one.rstrip(HOLE) == other:
            same += 1
        elif one == _ANY or (one.endswith(HOLE) and other.startswith(one.rstrip(HOLE))):
            guessed += 1
        elif other != _ANY:
            return None
    return (sure, -guessed, same, open_) if same else None


def _near(one: str, other: str) -> int:
    """How many folders two files have in common: of several applications in one repository, a page asks its own."""
    found = 0
    for a, b in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if a != b:
            break
        found += 1
    return found


# ------------------------------------------------------------------------------------------- what models say


def form_of(value: Value) -> str:
    """A text with what is not known of it."""
    if isinstance(value.const, str):
        return value.const
    if value.form:
        return value.form
    if value.head:
        return value.head + HOLE
    return given(value) or HOLE


def given(value: Value) -> str:
    """The form of a parameter as it came in."""
    if len(value.labels) == 1 and value.const is NO_CONST:
        (label,) = value.labels
        if label.source is None and label.exact and not (label.path or label.cleared or label.drop or label.weak):
            return f"\1{label.param}\2"
    return ""


def _text(frame: Arguments, text: str, args: Args) -> str:
    """An argument that is a constant text."""
    value = frame._argument(text, args) if text else None
    return value.const if value is not None and isinstance(value.const, str) else ""


def _router(frame: Arguments, text: str, args: Args) -> str:
    """What a router is known by; an application itself, or one of which nothing is known, by nothing."""
    if text == "module":
        return frame.mod.path
    value = frame._argument(text, args)
    if value is None:
        return ""
    known = slots.identity(frame, value)
    modules = [*value.refs, *(frame.symbols.alias(frame.mod, ir.Alias(known, 0)) if known and ":" not in known else ())]
    return next((ref.path for ref in modules if isinstance(ref, Mod)), known)


def made(frame: Arguments, prefix: str, args: Args, router: str) -> None:
    """A router with a prefix of its own."""
    text = _text(frame, prefix, args)
    if text:
        frame.solver.mount(router, router, text)


def mounted(frame: Arguments, mount: Mount, args: Args) -> None:
    """A router is put under another."""
    child = _router(frame, mount.router, args)
    parent = _router(frame, mount.under, args) if mount.under else ""
    if child and child != parent:
        frame.solver.mount(child, parent, _text(frame, mount.prefix, args))


def address(frame: Arguments, said: Address, node: ApiPath[Any], args: Args, returns: bool) -> list[tuple[str, str, str, bool]]:
    """Under which addresses a call makes a function a route: router, method and path."""
    written = frame._argument(said.path, args)
    if written is None:
        return []
    several = (frame.cells.get((alloc, key), BOTTOM) for alloc in written.allocs for key in alloc.keys)  # app.get(["/", "/:name"], ...)
    paths = [one.const for one in (written, *several) if isinstance(one.const, str)]
    if not paths:
        return []
    methods = [node.text.rpartition(".")[2].removesuffix("()").upper()] if said.method == slots.NAME else [said.default]
    value = frame._argument(said.method, args) if said.method not in ("", slots.NAME) else None
    if value is not None:
        known = [value, *(frame.cells.get((alloc, key), BOTTOM) for alloc in value.allocs for key in alloc.keys)]
        methods = [one.const.upper() for one in known if isinstance(one.const, str)] or [""]
    router = _router(frame, said.router, args)
    return [(router, method if method in _METHODS else "", path, returns) for path in paths[: limits.CANDIDATES] for method in methods]


_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def answered(frame: Arguments, at: list[str], args: Args, made: Value) -> Value:
    """A call whose argument is what a route answers: it goes into the object that stands for the response, and into the result."""
    value = next((found for one in at if (found := frame._argument(one, args)) is not None), None)
    if value is None and args.kw:  # jsonify(answer=...)
        fields = frame.alloc((frame.at.start, "answered"), "dict", closed=True)
        for name, held in args.kw.items():
            frame.put(fields, name, held)
        value = Value(allocs=(fields,))
    if value is None:
        return made
    if args.receiver is not None and args.receiver.allocs:
        frame.store(args.receiver, ANSWER, value, weak=True)
    alloc = frame.alloc((frame.at.start, "response"), "instance")
    frame.put(alloc, ANSWER, value)
    return made.with_(allocs=(*made.allocs, alloc))


def answer_of(frame: Frame, value: Value | None) -> Value | None:
    """What a response holds that a route has answered; of a response that the caller gives, the caller knows."""
    if value is None:
        return None
    found = [cell for alloc in value.allocs if (cell := frame.cells.get((alloc, ANSWER))) is not None]
    if not found and given(value):
        found = [one for alloc in value.allocs if (one := frame.field(alloc, ANSWER)) is not None]
    return join_all(found) if found else None


def asked(frame: Arguments, asks: Asks, node: ApiPath[Any], args: Args) -> Value | None:
    """What the project itself answers to a request; None where that is not known."""
    value = frame._argument(asks.at, args)
    if value is None:
        return None
    method = node.text.rpartition(".")[2].upper() if asks.method == slots.NAME else asks.default
    method = method if method in _METHODS else ""
    if asks.method and asks.method != slots.NAME:
        said = frame._argument(asks.method, args)
        options = frame._argument(asks.method.rpartition(".")[0], args)
        if said is not None and isinstance(said.const, str):
            method = said.const.upper()
        elif options is not None and lacks(options, asks.method.rpartition(".")[2]) is not True:
            method = ""
    form = form_of(value)
    if asks.based and not _SERVER.match(form):
        form = HOLE + "/" + form.lstrip("/")
    answer = answer_to(frame, form, method, place(frame))
    if answer is None:
        return None
    if asks.gives == "answer":
        return answer
    alloc = frame.alloc((frame.at.start, frame.at.end, "asked"), "instance")
    if asks.gives == "data":
        frame.put(alloc, "data", answer)
    elif asks.gives == "event":
        event = frame.alloc((frame.at.start, frame.at.end, "event"), "instance")
        frame.put(event, "data", answer)
        frame.put(alloc, ANSWER, Value(allocs=(event,)))
    else:
        whole = frame.collapse(answer)
        frame.put(alloc, ANSWER, answer)
        frame.put(alloc, "body", Value(whole.labels, steps=whole.steps))
    return Value(allocs=(alloc,))


def place(frame: Frame) -> str:
    """What a request is known by in all who give it an address."""
    return f"{frame.fn.id}:{frame.at.start}"


def is_open(frame: Frame, value: Value) -> bool:
    """Whether it is for the caller to say who answers."""
    return any(isinstance(key, str) and key.startswith(ASKED) for label in frame.collapse(value).labels for key in label.path) or any(
        is_open(frame, held) for alloc in value.allocs if (held := frame.cells.get((alloc, ANSWER))) is not None
    )


def answer_to(frame: Shapes, form: str, method: str, request: str) -> Value | None:
    """The answer to a request; where its address is what the caller gives, the caller is told to ask."""
    parameters = _GIVEN.findall(form)
    solver: Shared = frame.solver
    found = solver.routes_asked(frame.fn, form, method)
    if not parameters or (found and not any(drop for _, drop in found)):
        known = [one for route, drop in found if (one := _answer(frame, route, drop)) is not None]
        return join_all(known) if known else None
    whole = found or _GLUED.search(form) or _request(form) is None  # more of the path than one part may be in it
    if len(set(parameters)) != 1 or not solver.routes.routes or not whole:
        return None
    number = int(parameters[0])
    key = f"{ASKED}{method}{HOLE}{request}{HOLE}{_GIVEN.sub(chr(1), form)}"
    return frame.param_value(number, (key,)).with_(allocs=())


def told(frame: Shapes, key: str, value: Value) -> Value:
    """The answer of a request that a function sends to an address made of what it was given: ``value``."""
    method, request, form = key.removeprefix(ASKED).split(HOLE, 2)
    answer = answer_to(frame, form.replace("\1", form_of(value)), method, request)
    if answer is not None:
        return answer
    labels = frame.solver.unanswered.get(request, NO_LABELS)
    at = frame.at
    return Value(
        labels, steps={one: Node(at.start, at.end, "", None, (("asked", request), one)) for one in labels} if frame.traced else None
    )


def _answer(frame: Shapes, route: Route, drop: int) -> Value | None:
    """What a route answers; None where that is not known."""
    fn = route.fn
    summary = frame.solver.summary(frame.fn, fn)
    if summary is None or fn is frame.fn:
        return None
    what = f"the answer of {fn.name}() to {route.method + ' ' if route.method else ''}{route.path or '/'}"
    shapes: list[tuple[Shape, tuple[Fn, str, Any]]] = [
        (one.shape, (fn, "set", one.key)) for one in summary.mutations if one.field == ANSWER
    ]
    shapes += [(one, (fn, "return", None)) for one in _returned(summary.returns, route.returns)]
    made = BOTTOM
    known = False
    for number, (shape, hop) in enumerate(shapes):
        known = known or not shape.empty
        made = join(made, frame.instantiate(shape, ("answer", fn.id, number), what, None, hop))
    if not known:
        return None
    made = _of_others(frame, made, 0)
    return frame.lower(made) if drop else made


def _returned(shape: Shape, whole: bool) -> list[Shape]:
    """The parts of what a route returns that are its answer."""
    fields = shape.fields or {}
    if ANSWER in fields:
        return [fields[ANSWER]]
    if shape.kind == "tuple" and 0 in fields:  # with a status
        return _returned(fields[0], whole)
    return [shape] if whole else []


def _of_others(frame: Shapes, value: Value, depth: int) -> Value:
    """What is answered, without what the request has brought itself."""
    for alloc in value.allocs if depth < limits.SHAPE_DEPTH else ():
        for key in list(alloc.keys):
            held = frame.cells.get((alloc, key))
            if held is not None:
                frame.write((alloc, key), _of_others(frame, held, depth + 1))
    labels = frozenset(label for label in value.labels if label.source is None or label.source.kind not in _OWN or label.weak & RECALLED)
    return value if len(labels) == len(value.labels) else value.with_(labels=labels)
