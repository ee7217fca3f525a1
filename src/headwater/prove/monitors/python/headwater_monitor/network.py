"""Keeps connections on this machine: refuses others or sends them to the proof's server, and tells where the process listens."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from . import record
from .record import note, state, text, tokens

MARKED = "127.254."
"""Addresses that names which are redirected seem to have: a client may look up a name and connect with a port of its own."""

_marks: dict[str, str] = {}


def loopback(host: str) -> bool:
    """Whether a name or address is this machine."""
    host = host.lower().strip("[]").split("%")[0].rstrip(".")
    if host in ("", "localhost", "::1", "::", "0.0.0.0", "0", "<broadcast>", "ip6-localhost") or host.endswith(".localhost"):
        return True
    if host.startswith("::ffff:"):
        host = host[7:]
    return (_numeric(host) and host.startswith("127.")) or host == os.uname().nodename.lower()


def _numeric(host: str) -> bool:
    return ":" in host or (host.count(".") == 3 and host.replace(".", "").isdigit())


def redirected(host: str) -> bool:
    """Whether connections to a host go to the proof's server."""
    if not state.redirect or loopback(host):
        return False
    host = host.lower().rstrip(".")
    return any(pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:])) for pattern in state.hosts)


def _refused(call: str, host: str, port: Any, error: BaseException) -> BaseException:
    value = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    found = tokens(value)
    record.record("connect" if found else "outside", call, value, found, True)
    return record.refusal(call) if found and state.block else error


def _unreachable() -> BaseException:
    return OSError(errno.ENETUNREACH, "refused by headwater: not on this machine")


def _connect(event: str, args: tuple[Any, ...]) -> BaseException | None:
    address = args[1]
    if isinstance(address, (str, bytes)):
        return note("connect", event, text(address), harmless=True)
    if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[0], (str, bytes)):
        return None
    host = text(address[0])
    if not loopback(host):
        return _refused(event, host, address[1], _unreachable())
    return note("connect", event, f"{host}:{address[1]}", harmless=True)


def _name(event: str, args: tuple[Any, ...]) -> BaseException | None:
    host = args[0]
    if isinstance(host, tuple):
        host = host[0] if host else ""
    host, port = text(host), text(args[1]) or args[1] if len(args) > 1 else 0
    if loopback(host) or (_numeric(host) and event == "socket.getaddrinfo"):
        return note("connect", event, host, harmless=True)
    socket: Any = sys.modules["_socket"]
    return _refused(event, host, port or 0, socket.gaierror(socket.EAI_AGAIN, "refused by headwater: not on this machine"))


def _bound(event: str, args: tuple[Any, ...]) -> BaseException | None:
    sock, address = args[0], args[1]
    if isinstance(address, (str, bytes)):
        return note("write", event, text(address))
    # Of other libraries' sockets (gevent, eventlet) it is not seen when they listen
    own: Any = getattr(sys.modules.get("socket"), "socket", ())
    if isinstance(address, tuple) and address[1] and sock.type == 1 and not isinstance(sock, own):
        record.record("listen", event, f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}")
    return None


HANDLERS: dict[str, Callable[[str, tuple[Any, ...]], BaseException | None]] = {
    "socket.connect": _connect,
    "socket.sendto": _connect,
    "socket.sendmsg": _connect,
    "socket.bind": _bound,
    "socket.getaddrinfo": _name,
    "socket.gethostbyname": _name,
    "socket.gethostbyaddr": _name,
    "socket.getnameinfo": _name,
}


# Where a name or an address is sent to the proof's server


def _mark(host: str) -> str:
    host = host.lower()
    if host not in _marks:
        number = len(_marks) % 65_000 + 1
        _marks[host] = f"{MARKED}{number >> 8}.{number & 255}"
    return _marks[host]


def _looked_up(call: str, host: str, port: Any) -> BaseException | None:
    return note("connect", call, f"{host}:{port or 0}", host)


def _target(sock: Any, address: Any) -> Any:
    """Where a socket shall connect that was told to connect to ``address``."""
    if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[0], str):
        return address
    host = address[0]
    plain = host[7:] if host.startswith("::ffff:") else host
    if plain.startswith(MARKED) or redirected(host):
        socket: Any = sys.modules["socket"]
        if sock.type == socket.SOCK_DGRAM:
            return address
        return ("127.0.0.1" if sock.family == socket.AF_INET else "::ffff:127.0.0.1", state.redirect)
    return address


def _patch_socket(module: Any) -> None:
    getaddrinfo, gethostbyname = module.getaddrinfo, module.gethostbyname
    cls = module.socket
    listen, connect, connect_ex = cls.listen, cls.connect, cls.connect_ex

    def listens(sock: Any) -> None:
        name = sock.getsockname()
        if isinstance(name, tuple):
            name = f"[{name[0]}]:{name[1]}" if ":" in str(name[0]) else f"{name[0]}:{name[1]}"
        record.record("listen", "socket.listen", text(name))

    @functools.wraps(listen)
    def listen_(self: Any, *args: Any) -> Any:
        result = listen(self, *args)
        record.within(listens, self)
        return result

    cls.listen = listen_
    if not state.redirect:
        return

    @functools.wraps(getaddrinfo)
    def getaddrinfo_(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        name = text(host)
        if not name or _numeric(name) or not redirected(name):
            return getaddrinfo(host, port, family, type, proto, flags)
        record.within(_looked_up, "socket.getaddrinfo", name, port)
        wide = family == module.AF_INET6
        address = "::ffff:" + _mark(name) if wide else _mark(name)
        number = int(port) if isinstance(port, int) or text(port).isdigit() else {"https": 443, "http": 80}.get(text(port), 0)
        place = (address, number, 0, 0) if wide else (address, number)
        return [(module.AF_INET6 if wide else module.AF_INET, type or module.SOCK_STREAM, proto or module.IPPROTO_TCP, "", place)]

    @functools.wraps(gethostbyname)
    def gethostbyname_(host: Any) -> Any:
        name = text(host)
        if not name or _numeric(name) or not redirected(name):
            return gethostbyname(host)
        record.within(_looked_up, "socket.gethostbyname", name, 0)
        return _mark(name)

    @functools.wraps(connect)
    def connect_(self: Any, address: Any) -> Any:
        return connect(self, _target(self, address))

    @functools.wraps(connect_ex)
    def connect_ex_(self: Any, address: Any) -> Any:
        return connect_ex(self, _target(self, address))

    module.getaddrinfo, module.gethostbyname = getaddrinfo_, gethostbyname_
    cls.connect, cls.connect_ex = connect_, connect_ex_


def _patch_ssl(module: Any) -> None:
    """The proof's certificate authority is trusted besides others, however a client made its context."""
    if not state.authority:
        return
    cls = module.SSLContext

    def trust(context: Any) -> None:
        if context.verify_mode != module.CERT_NONE and not getattr(context, "_headwater_trusted", False):
            context.load_verify_locations(cafile=state.authority)
            with suppress(AttributeError):
                context._headwater_trusted = True

    for name in ("wrap_socket", "wrap_bio"):
        original = getattr(cls, name)

        def wrapped(self: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            record.within(trust, self)
            return _original(self, *args, **kwargs)

        setattr(cls, name, functools.wraps(original)(wrapped))


def _patch_uvloop(module: Any) -> None:
    """libuv connects and looks up names where no audit event is raised: the loop of the standard library does the same."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None:
        return
    module.install = lambda: None
    module.new_event_loop = asyncio.new_event_loop
    module.run = asyncio.run
    module.Loop = asyncio.SelectorEventLoop
    module.EventLoopPolicy = asyncio.DefaultEventLoopPolicy


PATCHES: dict[str, Callable[[Any], None]] = {"socket": _patch_socket, "ssl": _patch_ssl, "uvloop": _patch_uvloop}
