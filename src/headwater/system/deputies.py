"""Whose rights a tool acts with: keys of an administrator, the token of a client that is passed on, nobody's who is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from headwater import ir
from headwater.index.calls import instructions, made_of
from headwater.index.entities import Fn, Mod, Var, is_test
from headwater.system.build import Builder
from headwater.system.graph import Key
from headwater.system.reported import Report, Step

_CALLS: Final = 2
"""Calls between a tool and what it works with."""
_TOKEN_OF: Final = frozenset({"get_access_token", "get_http_headers", "get_http_request", "getAccessToken"})
"""Functions that give what the client of an MCP server has sent."""
_SENT: Final = frozenset({"authInfo", "auth_info", "requestInfo", "request_info", "request_context"})
"""Fields of what a tool is handed that hold it."""
_HEADER: Final = re.compile(r"^(?:proxy-)?authorization$|^x-api-key$|^cookie$", re.IGNORECASE)
_USER: Final = re.compile(
    r"(?:^|_)(?:user|users|tenant|owner|principal|identity|session|current|caller|account|member|org|organization|auth|claims|runtime|context|ctx|deps|viewer|me|acl|permission|permissions)(?:_|$)",
)
"""Names of what says who is signed in, or what is theirs."""
_SIGNED: Final = re.compile(
    r"^(?:get_?)?(?:current_?)?(?:user|active_?user|principal|identity|claims|account)$|^(?:auth|getServerSession|getSession|currentUser|getUser|requireUser|requireAuth|verify_?[tT]oken|get_?[cC]urrent_?\w*)$"
)
"""Names of what gives the one who is signed in."""
_OBJECT: Final = re.compile(
    r"(?:^|_)(?:id|ids|number|no|uuid|email|customer|order|invoice|account|user|ticket|patient|employee|client|contract|document)(?:_|$)|(?:Id|Number|Email|Uuid)$"
)
"""Names of parameters that say on which of many objects something is done."""
_ADMIN: Final = re.compile(
    r"(?:^|_)(?:ADMIN|ROOT|MASTER|SERVICE_ROLE|SUPERUSER|SUPER_USER|SYSADMIN|SERVICE_ACCOUNT|OWNER)(?:_|$)", re.IGNORECASE
)
"""Names of keys that may do everything."""
_KEY: Final = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|URL|DSN|CREDENTIAL")
_MANY: Final = frozenset({"agent", "llm-call", "mcp-server"})
"""Who is offered tools."""
Secret = tuple[str, Fn, int, int]
"""The name of a key, and where it is read."""
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _reach(builder: Builder, key: Key) -> list[Fn]:
    """The functions that a tool's code runs, as far as one sees them at a glance."""
    found: dict[int, Fn] = {}
    level = list(builder.nodes[key].bodies.values())
    for _ in range(_CALLS + 1):
        following: list[Fn] = []
        for fn in level:
            if fn.id not in found and fn not in builder.dispatchers:
                found[fn.id] = fn
                following += builder.following(fn)
        level = following
    return list(found.values())


# ------------------------------------------------------------------------------------------ tokens that are passed on


def passed_on(builder: Builder) -> Iterator[Report]:
    """Tools of MCP servers that send the token of their client to another service."""
    servers = {to for from_, to, kind in builder.edges if kind == "offers-tool" and builder.nodes[from_].type == "mcp-server"}
    told: set[tuple[int, int]] = set()
    for key, node in builder.ordered():
        if node.type != "tool" or key not in servers:
            continue
        for fn in _reach(builder, key):
            for at, found in _tokens(builder, fn):
                if (fn.id, at.start) not in told:
                    told.add((fn.id, at.start))
                    step: Step = (fn, found.start, found.end, "the token that the client has sent")
                    yield Report(fn, at.start, at.end, "", (step,), "sends it to another service")


def _tokens(builder: Builder, fn: Fn) -> Iterator[tuple[Any, Any]]:
    """Headers of requests with what the client has sent in them."""
    definitions = builder.places.definitions(fn)
    for one in instructions(fn.ir.body):
        if type(one) is ir.Build and one.kind == "dict":
            for name, part in zip(one.keys, one.parts, strict=True):
                found = _sent(builder, fn, part, definitions, set(), 0) if isinstance(name, str) and _HEADER.match(name) else None
                if found is not None:
                    yield one, found
        elif type(one) is ir.Call:
            for name, register in one.kw:
                if name == "headers" and not builder.places.displays(fn, register):
                    found = _sent(builder, fn, register, definitions, set(), 0)
                    if found is not None:
                        yield one, found


def _sent(builder: Builder, fn: Fn, register: int, definitions: dict[int, list[Any]], seen: set[int], depth: int) -> Any:
    """Where a value takes what the client of the server has sent."""
    if register in seen or register < 0:
        return None
    seen.add(register)
    for one in definitions.get(register, ()):
        following = made_of(one)
        if type(one) is ir.Attr and one.name in _SENT:
            return one
        if type(one) is ir.Call:
            callees = definitions.get(one.fn, ())
            if any(type(it) in (ir.Name, ir.Attr) and it.name in _TOKEN_OF for it in callees):
                return one
            following = [*(it.obj for it in callees if type(it) is ir.Attr), *(it for it in one.args if it >= 0)]
            for callee in builder.places.functions(fn, one.fn) if depth < _CALLS else ():
                inner = builder.places.definitions(callee)
                for back in instructions(callee.ir.body):
                    if type(back) is ir.Return and _sent(builder, callee, back.src, inner, set(), depth + 1) is not None:
                        return one
        for inner_ in following:
            found = _sent(builder, fn, inner_, definitions, seen, depth)
            if found is not None:
                return found
    return None


# ------------------------------------------------------------------------------------------- nobody who is signed in


def for_anybody(builder: Builder) -> Iterator[Report]:
    """Tools that look up or change the object that the model names, for whoever asks, though a user is signed in where it begins."""
    entries = {
        key: signed for key, node in builder.ordered() if node.type == "entry-point" and (signed := _signed(builder, key)) is not None
    }
    if not entries:
        return
    calls: dict[Key, list[Key]] = {}
    for from_, to, kind in builder.edges:
        if kind in ("calls", "delegates-to", "offers-tool"):
            calls.setdefault(from_, []).append(to)
    reached: dict[Key, Key] = {}
    for entry in entries:
        todo, seen = [entry], {entry}
        while todo:
            for to in calls.get(todo.pop(), ()):
                if to not in seen:
                    seen.add(to)
                    todo.append(to)
                    reached.setdefault(to, entry)
    for key, node in builder.ordered():
        if node.type != "tool" or key not in reached or not node.bodies:
            continue
        can = builder.abilities_of(key)
        doing = next((one for one in ("database-write", "database-read") if one in can), None)
        params = [name for fn in node.bodies.values() for name in sorted(_given(fn)) if _OBJECT.search(_snake(name))]
        if doing is None or not params or _knows(builder, key):
            continue
        at, start = can[doing]
        begins = builder.nodes[reached[key]]
        fn, place, end = entries[reached[key]]
        steps: tuple[Step, ...] = (
            (fn, place, end, f"who is signed in is known to {begins.name}"),
            (at, start, start, "changes the database" if doing == "database-write" else "reads the database"),
        )
        why = f"`{params[0]}`"
        yield Report(node.fn, node.start, node.end, why, steps, f"{node.name} does not know for whom it does so")


def _given(fn: Fn) -> set[str]:
    """The names of what a tool is given by the model: of scripts, the parts of the first parameter."""
    if not fn.module.script:
        return {one.name for one in fn.ir.params}
    return {one.name for one in instructions(fn.ir.defaults + fn.ir.body) if type(one) is ir.Attr and one.obj == 0}


def _snake(name: str) -> str:
    return _CAMEL.sub("_", name).lower()


def _signed(builder: Builder, entry: Key) -> tuple[Fn, int, int] | None:
    """Where an entry point learns who is signed in."""
    for fn in builder.nodes[entry].bodies.values():
        if not fn.index:
            continue
        for param in fn.ir.params:
            if _SIGNED.match(param.name) and (param.default >= 0 or param.annotation is not None):
                return fn, param.start, param.end
        for one in instructions(fn.ir.body):
            if type(one) is ir.Attr and one.name == "user" and one.obj < len(fn.ir.params) and one.obj >= 0:
                return fn, one.start, one.end
            if type(one) is ir.Call:
                for callee in builder.places.definitions(fn).get(one.fn, ()):
                    if type(callee) is ir.Name and _SIGNED.match(callee.name):
                        return fn, one.start, one.end
    return None


def _knows(builder: Builder, tool: Key) -> bool:
    """Whether anything in a tool's code, but for what the model gives it, speaks of a user."""
    for fn in _reach(builder, tool):
        own = _given(fn) if fn.id in builder.nodes[tool].bodies else set()
        names = {one.name for one in instructions(fn.ir.body) if type(one) in (ir.Name, ir.Attr)}
        names |= {one.name for one in fn.ir.params} | set(fn.ir.captured) | set(fn.ir.names)
        injected = {one.name for one in fn.ir.params if one.annotation is not None and one.annotation.name.rpartition(".")[2] not in _PLAIN}
        if any(_USER.search(_snake(name)) for name in (names - own) | injected):
            return True
    return False


_PLAIN: Final = frozenset(
    {
        "str",
        "int",
        "float",
        "bool",
        "list",
        "dict",
        "Optional",
        "Literal",
        "|",
        "UUID",
        "date",
        "datetime",
        "List",
        "Dict",
        "string",
        "number",
        "boolean",
    }
)


# ------------------------------------------------------------------------------------------------ keys for everything


def with_admin_keys(builder: Builder) -> Iterator[Report]:
    """Keys of an administrator that tools of several agents work with."""
    if sum(node.type in _MANY for node in builder.nodes.values()) < 2:
        return
    users: dict[str, dict[Key, tuple[Fn, int]]] = {}
    secrets = list(_secrets(builder))
    kept = _kept(secrets)
    for key, node in builder.ordered():
        if node.type == "tool":
            for fn in _reach(builder, key):
                for name, start in _used(builder, fn, secrets, kept):
                    users.setdefault(name, {}).setdefault(key, (fn, start))
    for name in sorted(users):
        agents: dict[Key, Key] = {}
        for from_, to, kind in builder.edges:
            if kind == "offers-tool" and to in users[name] and builder.nodes[from_].type in _MANY:
                agents.setdefault(from_, to)
        if len(agents) < 2:
            continue
        _, fn, start, end = next(one for one in secrets if one[0] == name)
        who = ", ".join(f"`{builder.nodes[one].name}`" for one in list(agents)[:3])
        steps = tuple(
            (*_place(builder, users[name][tool]), f"{builder.nodes[tool].name} works with it for {builder.nodes[agent].name}")
            for agent, tool in list(agents.items())[:4]
        )
        yield Report(fn, start, end, who, steps, f"{name} may do everything")


def _place(builder: Builder, at: tuple[Fn, int]) -> tuple[Fn, int, int]:
    return at[0], at[1], at[1]


def _kept(secrets: list[Secret]) -> dict[tuple[int, str], str]:
    """Variables of modules that hold such a key, or something that was made with it."""
    found: dict[tuple[int, str], str] = {}
    for name, fn, start, _ in secrets:
        if fn.index:
            continue
        body = list(instructions(fn.ir.body))
        held = {one.dst for one in body if getattr(one, "dst", -1) >= 0 and one.start <= start < one.end}
        for _ in range(4):
            for one in body:
                if getattr(one, "dst", -1) >= 0 and not held.isdisjoint(_operands(one)):
                    held.add(one.dst)
        found |= {(fn.module.id, local): name for local, register in fn.ir.names.items() if register in held}
    return found


def _operands(one: Any) -> tuple[int, ...]:
    kind = type(one)
    if kind is ir.Call:
        return (*one.args, *(register for _, register in one.kw))
    if kind is ir.Move:
        return (one.src,)
    if kind in (ir.Concat, ir.Build):
        return tuple(one.parts)
    return ()


def _secrets(builder: Builder) -> Iterator[Secret]:
    """The keys of an administrator that the code reads."""
    for key, node in builder.nodes.items():
        if node.type == "secret" and key[0] == "secret" and _ADMIN.search(node.name):
            yield node.name, node.fn, node.start, node.end
    for mod in builder.symbols.modules:  # process.env.ADMIN_KEY, import.meta.env.ADMIN_KEY
        if mod.script and not is_test(mod.path):
            for fn in mod.functions:
                for one in instructions(fn.ir.body):
                    if type(one) is ir.Attr and one.name.isupper() and _ADMIN.search(one.name) and _KEY.search(one.name):
                        held = builder.places.definitions(fn).get(one.obj, ())
                        if any(type(it) is ir.Attr and it.name == "env" for it in held):
                            yield one.name, fn, one.start, one.end


def _used(builder: Builder, fn: Fn, secrets: list[Secret], kept: dict[tuple[int, str], str]) -> Iterator[tuple[str, int]]:
    """The keys that a function reads, or uses what was made with."""
    for name, at, start, _ in secrets:
        if at is fn:
            yield name, start
    for one in instructions(fn.ir.body) if kept else ():
        if type(one) is ir.Name:
            for bound in _variables(builder, fn.module, one.name):
                held = kept.get((bound.module.id, bound.name))
                if held is not None:
                    yield held, one.start


def _variables(builder: Builder, mod: Mod, name: str) -> Iterator[Var]:
    yield from (bound for bound in builder.symbols.lookup(mod, name) if isinstance(bound, Var))
