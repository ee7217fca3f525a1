"""The loopback server: plays the model in every wire format, is the proxy of the application, and the sink of hostile addresses.

One port speaks all of it: plain HTTP, TLS for any name, ``CONNECT`` and absolute targets of a proxy. What a request is for is told by its
target and host. The model is whoever is given (``talk.Model``); nothing is ever sent to anyone but the application.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from headwater import limits
from headwater.prove import http1, http2
from headwater.prove.authority import Authority, MissingError
from headwater.prove.talk import Answer, Ask, Model
from headwater.prove.wire import Heard, accounts, hear, providers, shape
from headwater.prove.wire.shape import Reply, Request

LOOPBACK: Final = "127.0.0.1"
SINK: Final = "127.83.73.78"
"""Another address of this machine, so that a request for it is told from those for the model; where it cannot be used, ``LOOPBACK``."""
Via = Literal["direct", "proxy", "redirect"]
"""How it came: to the server's own address, by the variables of a proxy, or to another name at a connection that was led here."""
TRUST: Final = """
    SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS AWS_CA_BUNDLE GIT_SSL_CAINFO GRPC_DEFAULT_SSL_ROOTS_FILE_PATH
"""
"""Variables that name the file of authorities to trust."""
TLS_RECORD: Final = b"\x16"


class Exchange(msgspec.Struct, frozen=True):
    """One request for the model, and what it was answered."""

    number: int
    via: Via
    method: str
    url: str
    ask: Ask | None
    """None where the request is in no format that is known."""
    answer: Answer
    headers: Mapping[str, str]
    body: bytes
    """Its beginning."""


class Seen(msgspec.Struct, frozen=True):
    """One request that was for no model."""

    number: int
    via: Via | Literal["sink"]
    method: str
    """Empty where a connection was given up before a request: see ``fault``."""
    url: str
    headers: Mapping[str, str]
    body: bytes
    """Its beginning."""
    fault: str = ""
    """Why it came to no request: a certificate that was not accepted, a proxy that cannot speak TLS."""


class Server:
    """Plays the model until it is closed; a context manager.

    ``folder``: where certificates are written, a private one by default. ``outside``: the status that requests for hosts that are no
    model's are answered with. ``ports``: others of 127.0.0.1 to listen at where they are free, for applications with the usual address of a
    local server written in their code (``providers.PORTS``).
    """

    def __init__(self, model: Model, *, folder: Path | None = None, outside: int = 200, ports: Iterable[int] = ()) -> None:
        self._model = model
        self._outside = outside
        self._state = threading.RLock()
        self._turn = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._closed = False
        self._temporary = tempfile.TemporaryDirectory(prefix="headwater-") if folder is None else None
        folder = Path(self._temporary.name) if self._temporary else folder
        assert folder is not None
        try:
            self.authority: Authority | None = Authority(folder)
            """None where the package for certificates is missing: then no request by HTTPS can be answered."""
        except MissingError:
            self.authority = None
        self.exchanges: list[Exchange] = []
        self.requests: list[Seen] = []
        self.failures: list[Exception] = []
        """What the model or a format raised: mistakes of our own. The application was answered with status 500."""
        self._serial = 0
        self._memory = limits.PROVE_KEPT_TOTAL
        self._listeners = [socket.create_server((LOOPBACK, 0), backlog=128)]
        for port in ports:
            with contextlib.suppress(OSError):
                self._listeners.append(socket.create_server((LOOPBACK, port), backlog=128))
        self._sink = _sink_listener()
        self.port, *self._usual = (int(one.getsockname()[1]) for one in self._listeners)
        self.base = f"http://{LOOPBACK}:{self.port}"
        self._sink_host, self._sink_port = self._sink.getsockname()[:2]
        for listener in (*self._listeners, self._sink):
            threading.Thread(target=self._accept, args=(listener, listener is self._sink), daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._state:
            self._closed = True
            for one in (*self._listeners, self._sink, *self._connections):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        if self._temporary:
            self._temporary.cleanup()

    @property
    def ports(self) -> tuple[tuple[str, int], ...]:
        """The addresses at which it listens: its own, that of the sink, and the usual ones that were free."""
        return (LOOPBACK, self.port), (self._sink_host, self._sink_port), *((LOOPBACK, port) for port in self._usual)

    def sink(self, token: str, *, tls: bool = False) -> str:
        """An address whose requests are only noted; ``tls``: with a certificate that no careful client accepts."""
        if tls and self.authority is None:
            raise MissingError("certificates need the package cryptography: pip install 'headwater[prove]'")
        return f"http{'s' if tls else ''}://{self._sink_host}:{self._sink_port}/{token}"

    def environment(self) -> dict[str, str]:
        """Variables that lead the clients of models here, and everything else by the proxy."""
        here = ",".join(dict.fromkeys((LOOPBACK, "localhost", "::1", self._sink_host)))
        found = {
            **providers.environment(self.base),
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), self.base),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), here),
            "NODE_USE_ENV_PROXY": "1",
        }
        if self.authority:
            found |= dict.fromkeys(TRUST.split(), str(self.authority.file))
        return found

    # Connections

    def _accept(self, listener: socket.socket, sink: bool) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                if self._closed:
                    return
                continue
            with self._state:
                if self._closed or len(self._connections) >= limits.PROVE_CONNECTIONS:
                    connection.close()
                    continue
                self._connections.add(connection)
            connection.settimeout(limits.PROVE_SECONDS_IDLE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a stream is many short writes
            threading.Thread(target=self._serve, args=(connection, sink), daemon=True).start()

    def _serve(self, connection: socket.socket, sink: bool) -> None:
        try:
            self._speak(connection, "", sink)
        except (OSError, ValueError):  # the application went away, or the server was closed
            pass
        finally:
            with self._state:
                self._connections.discard(connection)
            connection.close()

    def _speak(self, connection: socket.socket, origin: str, sink: bool) -> None:
        """All requests of a connection; ``origin``: what it was opened for by ``CONNECT``, as ``host:port``."""
        began = connection.recv(len(http2.PREFACE), socket.MSG_PEEK)
        secure = began[:1] == TLS_RECORD
        if secure:
            host = origin.rpartition(":")[0] or (self._sink_host if sink else LOOPBACK)
            encrypted = self._encrypt(connection, host, sink)
            if encrypted is None:
                return
            connection = encrypted
        try:
            if began == http2.PREFACE or (isinstance(connection, ssl.SSLSocket) and connection.selected_alpn_protocol() == "h2"):
                if http2.available():
                    http2.serve(connection, lambda message: self._respond(message, origin, secure, sink))
            else:
                self._requests(connection, origin, secure, sink)
        finally:
            if secure:
                connection.close()

    def _encrypt(self, connection: socket.socket, host: str, sink: bool) -> ssl.SSLSocket | None:
        fault = "certificates need the package cryptography"
        if self.authority:
            context = self.authority.untrusted(host) if sink else self.authority.context(host)
            try:
                return context.wrap_socket(connection, server_side=True)
            except (ssl.SSLError, OSError) as problem:
                fault = str(problem)
        self._note("sink" if sink else "redirect", "", f"https://{host}/", {}, b"", fault)
        return None

    def _requests(self, connection: socket.socket, origin: str, secure: bool, sink: bool) -> None:
        reader, writer = cast(BinaryIO, connection.makefile("rb")), cast(BinaryIO, connection.makefile("wb"))
        with reader, writer:
            while True:
                try:
                    message = http1.read(reader, writer)
                except http1.BadRequestError as problem:
                    http1.write(writer, problem.status, {"content-type": "text/plain"}, (f"{problem}\n".encode(),), close=True)
                    _drain(connection)
                    return
                if message is None:
                    return
                if message.method == "CONNECT" and not secure and not origin:
                    http1.write(writer, 200, {}, ())
                    to_sink = message.target == f"{self._sink_host}:{self._sink_port}"
                    self._speak(connection, message.target, sink or to_sink)
                    return
                answered = self._respond(message, origin, secure, sink)
                http1.write(
                    writer,
                    answered.status,
                    {"content-type": answered.kind, **dict(answered.headers)},
                    answered.parts,
                    stream=answered.stream,
                    close=message.close,
                    old=message.old,
                    head=message.method == "HEAD",
                )
                if message.close:
                    return

    # Requests

    def _respond(self, message: http1.Message, origin: str, secure: bool, sink: bool) -> Reply:
        """What a request is answered, wherever it came from."""
        try:
            return self._answered(message, origin, secure, sink)
        except Exception as problem:  # a mistake of ours must not look like one of the application
            self.failures.append(problem)
            return shape.reply({"error": {"message": "The server had an error.", "type": "server_error"}}, 500)

    def _answered(self, message: http1.Message, origin: str, secure: bool, sink: bool) -> Reply:
        target = message.target
        absolute = not target.startswith("/") and "://" in target
        if not absolute:
            scheme = "https" if secure else "http"
            place = (origin or message.headers.get("host") or self.base[7:]).removesuffix(":443" if secure else ":80")
            target = f"{scheme}://{place}{target if target.startswith('/') else '/'}"
        try:
            parts = urlsplit(target)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return shape.reply({"error": "a target that is none"}, 400)
        if sink or (host == self._sink_host and port == self._sink_port):
            return self._note("sink", message.method, target, message.headers, message.body)
        own = host in (LOOPBACK, "localhost", "::1") and port in (self.port, *self._usual, None)
        via: Via = "direct" if own else "proxy" if absolute or origin else "redirect"
        request = Request(
            message.method,
            host,
            unquote(parts.path),
            dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=None)),
            message.headers,
            shape.parse(message.body) if message.body else None,
            message.body,
        )
        token = accounts.reply(request)
        if token:
            self._note(via, message.method, target, message.headers, message.body)
            return token
        heard = hear(request)
        if own or providers.is_model(host, port) or (heard and heard.clear):
            return self._play(message, target, via, heard)
        return self._note(via, message.method, target, message.headers, message.body)

    def _play(self, message: http1.Message, url: str, via: Via, heard: Heard | None) -> Reply:
        with self._turn:
            with self._state:
                self._serial += 1
                serial = self._serial
            answer = self._answer(heard, serial)
            if len(self.exchanges) < limits.PROVE_EXCHANGES:
                kept = self._kept(message.body)
                ask = heard.ask if heard else None
                if ask and not kept:  # the texts of a request are as large as its body
                    ask = msgspec.structs.replace(ask, turns=(), tools=(), inputs=(), schema=None)
                self.exchanges.append(Exchange(serial, via, message.method, url, ask, answer, message.headers, kept))
        if heard is None:
            return _unknown(message, url)
        return heard.reply(answer, serial)

    def _kept(self, body: bytes) -> bytes:
        """What is kept of a body: its beginning, and nothing more when the memory of the run is used up."""
        with self._state:
            self._memory -= len(body)
            return body[: limits.PROVE_KEPT_BYTES] if self._memory > 0 else b""

    def _answer(self, heard: Heard | None, serial: int) -> Answer:
        if heard is None:
            return Answer(status=404)
        if heard.fault:
            return Answer(heard.fault, status=400)
        if serial > limits.PROVE_EXCHANGES:
            return Answer("The service is overloaded.", status=503)
        try:
            return self._model.answer(heard.ask)
        except Exception as problem:
            self.failures.append(problem)
            return Answer("The server had an error.", status=500)

    def _note(self, via: Via | Literal["sink"], method: str, url: str, headers: Mapping[str, str], body: bytes, fault: str = "") -> Reply:
        with self._state:
            self._serial += 1
            if len(self.requests) < limits.PROVE_EXCHANGES:
                self.requests.append(Seen(self._serial, via, method, url, headers, self._kept(body), fault))
        return Reply(200 if via == "sink" else self._outside, "text/plain; charset=utf-8", (b"ok\n",))


def _drain(connection: socket.socket) -> None:
    """Reads on for a while before a connection is closed: unread bytes would make the client lose the answer."""
    if isinstance(connection, ssl.SSLSocket):
        return
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(1.0)
    for _ in range(limits.PROVE_HEADERS):
        if not connection.recv(65_536):
            return


def _unknown(message: http1.Message, url: str) -> Reply:
    """What is in no format: a health check, or a part of a service that is not played."""
    if urlsplit(url).path in ("", "/"):
        return Reply(200, "text/plain; charset=utf-8", (b"Ollama is running",))
    problem = {"message": f"Unknown request URL: {message.method} {urlsplit(url).path}.", "type": "invalid_request_error", "code": None}
    return shape.reply({"error": {**problem, "param": None}}, 404)


def _sink_listener() -> socket.socket:
    try:
        return socket.create_server((SINK, 0), backlog=128)
    except OSError:  # systems that have only one address of loopback
        return socket.create_server((LOOPBACK, 0), backlog=128)
