"""Searches in the records of all users by who is known: the user is there where the request comes in, and reaches no filter.

Said only where a store is known to hold records of several users (``headwater.taint.tenancy``), and where nothing between the entry
point and the search speaks of the user: what is compared, looked up or handed on may well be the check. Logs do not count, nor that
somebody has signed in at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headwater.apis.paths import Sited
from headwater.index.entities import Fn, is_test
from headwater.system import ways
from headwater.system.build import Builder
from headwater.system.graph import Key, refs_in
from headwater.taint.solve import Told
from headwater.taint.tenancy import Tenancy
from headwater.taint.value import Shape

SHAPE: Final = "search-without-owner"
_STORES: Final = frozenset({"vector-store", "retriever"})
_WHO: Final = r"[\w.]*(?:user|auth|principal|identity|claims|jwt)\w*"
_HANDED: Final = re.compile(rf"\b(?:Depends|Security)\(\s*{_WHO}|:\s*(?:CurrentUser|Auth(?:enticated)?User|UserDep)\w*", re.IGNORECASE)
"""A parameter that the framework fills with who has signed in."""
_SIGNED_IN: Final = re.compile(
    r"@[\w.]*(?:login|auth|jwt|token)_?required|@[\w.]*requires?_?(?:login|auth)|@permission_classes|LoginRequired", re.IGNORECASE
)
_OF_REQUEST: Final = re.compile(r"\b(?:request|req|g|ctx|c)(?:\.state)?\.(?:user|user_id|userId|auth)\b")
"""Elsewhere in the project, of any request."""
_ASKED: Final = re.compile(
    r"(?:const|let|var)\s+(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\w+)\s*=\s*(?:await\s+)?\(?\s*(?:await\s+)?"
    r"(?:auth|currentUser|getServerSession|getSession|getUser|getToken|[\w.]+\.auth\.getUser|[\w.]+\.auth\.getSession|getAuth)\([^()]*\)\)?\s*;?"
    r"|(\w+)\s*=\s*(?:await\s+)?(?:\w+\.)*(?:get_current_user|get_jwt_identity|current_user|get_user)\([^()]*\)[^\n]*"
)
"""Who has signed in is asked for."""
_REFUSED: Final = re.compile(
    r"if\s*\(\s*!\s*[\w?.]+(?:\s*\|\|\s*!\s*[\w?.]+)*\s*\)\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|(?:return|throw)[^;\n]*;?)"
    r"|if\s+not\s+[\w.]+\s*:\s*(?:raise|return|abort)[^\n]*"
)
"""Nobody has: the request ends."""
_LOGS: Final = re.compile(
    r"(?:\b(?:log|logger|logging|console|print|audit|metrics|analytics|sentry_sdk|posthog)\b)[\w.]*\((?:[^()]|\([^()]*\))*\)"
)
_FIXED: Final = r"(?:self|this|cls|settings|config|cfg|env|process\.env|os\.environ)\b|[\"'A-Z]"
"""What is the same for all: a text, a constant, a setting, a field of the object."""
_PARTED: Final = re.compile(
    r"(?i:namespace|tenan|partition)|match_documents|row.level"
    rf"|\b(?:get|getOrCreate|get_or_create)_?[cC]ollection\((?!\s*(?:\{{\s*)?(?:name\s*[=:]\s*)?(?:{_FIXED}))"
    rf"|collection_?[nN]ame\s*[=:]\s*(?:[fF][\"']|`[^`]*\$\{{|(?!{_FIXED}|[`\s]))"
)
"""The store is parted in another way."""
_NAMED: Final = re.compile(
    r"(?:collection\w*\(\s*(?:\{\s*)?(?:name\s*[=:]\s*)?|(?:collection_?name|index_?name)\s*[=:]\s*|index\(\s*|open_?table\(\s*|collections\.\w+\(\s*"
    r"|points\(\s*|(?:search|scroll|retrieve|upsert)\(\s*)[\"'`]([\w .-]+)[\"'`]",
    re.IGNORECASE,
)
"""What a collection is called."""
_EMBEDDING: Final = re.compile(r"\b(?:VectorField|HalfVectorField|Vector|VECTOR|HALFVEC)\(")
_OF_OWNER: Final = re.compile(r"(?m)^\s+(?:user|owner|author|tenant|account|customer|org|organi[sz]ation|workspace)(?:_id)?\s*[:=]")
"""Columns of a class of rows."""
_ABOVE: Final = 600
"""Bytes above a function in which its decorators stand."""
_ROLE: Final = re.compile(r"(?i)\badmin|superuser|is_staff|\brole")


Place = tuple[Fn, int, int]
Kept = tuple[frozenset[Key], frozenset[str], Place]
"""Stores, names of collections as far as they are known, and the place where records are kept."""


def check(builder: Builder) -> None:
    """Report such searches."""
    solver = builder.solver
    rule = solver.shapes.get(SHAPE)
    rows = [report for one in sorted(solver.reports) for report in solver.reports[one].values() if report.rule.reach == "known"]
    tenancy = Tenancy(solver, builder.files)
    searched = rule is not None and tenancy.several()
    if not searched and not rows:
        return
    shown: set[tuple[int, int]] = set()
    by_request = _known_by_request(builder)
    kept = list(_kept(builder, tenancy)) if searched else []
    tables = _tables(builder) if rows else {}
    for entry in ways.entries(builder):
        names = _known(builder, tenancy, entry.fn, by_request)
        if names is None:
            continue
        inside = builder.reached(entry.fn)
        handed = _handed(builder, entry.fn, names, inside)
        for number in inside:
            fn = builder.symbols.functions[number]
            found = [] if rule is None or is_test(fn.module.path) else list(_searches(builder, kept, fn))
            table = next((place for name, place in tables.items() if re.search(rf"\b{name}\b", tenancy.text(fn))), None)
            of_rows = [report for report in rows if report.fn is fn and table is not None and report.key not in solver.led_to]
            if not found and not of_rows:
                continue
            way = [builder.symbols.functions[one] for one in inside if number in builder.reached(builder.symbols.functions[one])]
            if _may_ask(tenancy, [*way, *handed], names, entry.fn):
                continue
            for name, start, end, place in found:
                if rule is not None and (number, start) not in shown:
                    shown.add((number, start))
                    solver.report_call(fn, rule, name, start, end, told=_told(builder, entry.fn, place))
            for report in of_rows:
                assert table is not None
                solver.led_to[report.key] = _told(builder, entry.fn, table)


def _told(builder: Builder, fn: Fn, place: Place) -> Told:
    """Why, in words and as steps."""
    first = _called(builder, fn, fn.ir.start)
    steps = (
        (fn, fn.ir.start, fn.ir.end, f"{first} knows who asks, and does not use it"),
        (*place, "records are kept with their owner"),
    )
    return Told(f"{first} knows who has signed in, and records are kept with their owner ({_spot(builder, place)})", steps)


def _called(builder: Builder, fn: Fn, start: int) -> str:
    return f"{fn.name}()" if fn.name.isidentifier() else f"the function at {_spot(builder, (fn, start, start))}"


def _spot(builder: Builder, place: Place) -> str:
    file = builder.files.get(place[0].module.path)
    return file.place(place[1]) if file is not None else place[0].module.path


def _searches(builder: Builder, kept: list[Kept], fn: Fn) -> Iterator[tuple[str, int, int, Place]]:
    """The searches of a function in stores that are known to hold records of several users, and where these are kept."""
    for start, end in sorted(builder.solver.uses_in.get(fn.id, ())):
        asked = [key for key in builder.solver_origin(fn.id, start, end) if builder.nodes[key].type in _STORES]
        names = _collections(builder, builder.solver.uses.get((fn.id, start, end)), fn, start, end)
        writer = _of_stores(kept, asked, names, builder) if asked else None
        if writer is not None:
            yield builder.nodes[asked[0]].name, start, end, writer


def _tables(builder: Builder) -> dict[str, Place]:
    """Classes of rows with an embedding and an owner, by their names."""
    found: dict[str, Place] = {}
    for cls in builder.symbols.classes:
        file = builder.files.get(cls.module.path)
        text = file.slice(cls.ir.start, cls.ir.end) if file is not None and not is_test(cls.module.path) else ""
        if _EMBEDDING.search(text) and _OF_OWNER.search(text):
            found[cls.name] = (cls.module.body, cls.ir.start, cls.ir.end)
    return found


def _known_by_request(builder: Builder) -> bool:
    """Whether the project finds who has signed in at any request."""
    return any(
        _OF_REQUEST.search(file.text)
        for mod in builder.symbols.modules
        if not is_test(mod.path) and (file := builder.files.get(mod.path)) is not None
    )


def _known(builder: Builder, tenancy: Tenancy, fn: Fn, by_request: bool) -> frozenset[str] | None:
    """The names by which an entry point knows who has signed in; None where it does not know."""
    file = builder.files.get(fn.module.path)
    if file is None or fn.index == 0:
        return None
    first = _first(fn)
    head = _head(builder, fn)
    if _ROLE.search(head):
        return None
    params = fn.ir.params
    ends = [*(one.start for one in params[1:]), first]
    names = {one.name for one, end in zip(params, ends, strict=False) if _HANDED.search(file.slice(one.start, end))}
    body = tenancy.text(fn)
    asked = list(_ASKED.finditer(body))
    names |= {name for match in asked for part in match.groups() if part for name in re.findall(r"\w+", part)}
    has_request = any(param.name in ("request", "req", "ctx", "c") for param in fn.ir.params)
    if names or _SIGNED_IN.search(head) or (by_request and has_request):
        return frozenset(names)
    return None


def _first(fn: Fn) -> int:
    """Where the body of a function begins."""
    return min((one.start for one in fn.ir.body if one.start > fn.ir.start), default=fn.ir.end)


def _head(builder: Builder, fn: Fn) -> str:
    """What stands above a function and in its header."""
    file = builder.files[fn.module.path]
    above = file.slice(max(0, fn.ir.start - _ABOVE), fn.ir.start).rpartition("\n\n")[2]
    return above + file.slice(fn.ir.start, _first(fn))


def _handed(builder: Builder, fn: Fn, names: frozenset[str], inside: tuple[int, ...]) -> list[Fn]:
    """Functions that make what the framework hands to an entry point beside the user: they may open the store for the user alone."""
    file = builder.files[fn.module.path]
    params = fn.ir.params
    ends = [*(one.start for one in params[1:]), fn.ir.end]
    given = "".join(file.slice(one.start, end) for one, end in zip(params, ends, strict=False) if one.name not in names)
    makers = set(re.findall(r"\b(?:Depends|Security)\(\s*(?:\w+\.)*(\w+)", given))
    return [one for number in inside if (one := builder.symbols.functions[number]).name in makers]


def _may_ask(tenancy: Tenancy, way: list[Fn], names: frozenset[str], first: Fn) -> bool:
    """Whether something between the entry point and the search may look at whose records are found."""
    word = re.compile(rf"\b(?:{'|'.join(sorted(names))})\b") if names else None
    for fn in way:
        text = tenancy.text(fn) if fn is not first else tenancy.body(fn)
        if fn is not first and _HANDED.search(text):
            return True
        text = _LOGS.sub("", _REFUSED.sub("", _ASKED.sub("", text)))
        if (
            tenancy.asks(text)
            or tenancy.names_owner(text)
            or _PARTED.search(text)
            or (fn is first and word is not None and word.search(text))
        ):
            return True
    return False


def _kept(builder: Builder, tenancy: Tenancy) -> Iterator[Kept]:
    """Where records are kept with their owner, in a part of a store that is not the owner's alone."""
    doors = [(entry.fn, frozenset(builder.reached(entry.fn))) for entry in ways.entries(builder)]
    for number, sights in sorted(builder.solver.sights.items()):
        fn = builder.symbols.functions[number]
        if is_test(fn.module.path) or not tenancy.owned(fn) or _PARTED.search(tenancy.text(fn)):
            continue
        leading = [first for first, inside in doors if number in inside]
        if leading and all(_ROLE.search(_head(builder, first)) for first in leading):
            continue  # what administrators put in is for all
        for sight in sights.values():
            receiver = sight.parts.get("self")
            if sight.entry is not None and receiver is not None and tenancy.writes(sight.entry):
                stores = frozenset(builder._in(receiver, fn, parts=True))
                yield stores, _collections(builder, receiver, fn, sight.start, sight.end), (fn, sight.start, sight.end)


def _of_stores(kept: list[Kept], asked: list[Key], names: frozenset[str], builder: Builder) -> Place | None:
    """Where records are kept in one of these stores, or in one that a retriever of these reads, and in no collection of another name."""
    behind = {to for from_, to, _ in builder.edges if from_ in asked} | set(asked)
    made = {text for key in behind if (text := _made(builder, key))}
    for stores, known, place in kept:
        same = stores & behind or any(_made(builder, key) in made for key in stores)
        if same and (not names or not known or names & known):
            return place
    return None


def _made(builder: Builder, key: Key) -> str:
    """The call that makes a store, as it is written: the same call elsewhere opens the same store."""
    node = builder.nodes.get(key)
    file = builder.files.get(node.fn.module.path) if node is not None and node.type == "vector-store" else None
    text = "".join(file.slice(node.start, node.end).split()) if file is not None and node is not None else ""
    return text if "(" in text and not text.endswith("()") else ""


def _collections(builder: Builder, receiver: Shape | None, fn: Fn, start: int, end: int) -> frozenset[str]:
    """The names of the collections that a call works on: in the call, or where its receiver was made."""
    places = [(fn.module, start, end)]
    for shape in [receiver] if receiver is not None else []:
        places += [(builder.symbols.modules[ref.site[0]], *ref.site[1:]) for ref in refs_in(shape) if type(ref) is Sited]
    files = [(builder.files.get(mod.path), at, until) for mod, at, until in places]
    return frozenset(name for file, at, until in files if file is not None for name in _NAMED.findall(file.slice(at, until)))
