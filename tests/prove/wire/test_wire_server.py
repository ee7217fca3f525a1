"""The server itself: framing, connections, the proxy, its certificates, the sink, what it notes, and its bounds."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from wireplay import Played, Script

from headwater import limits
from headwater.prove import authority, http2
from headwater.prove.server import Seen, Server
from headwater.prove.talk import Answer, Ask

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
BODY = json.dumps(ASKED).encode()
CHAT = "/v1/chat/completions"


def raw(port: int, sent: bytes, host: str = "127.0.0.1") -> bytes:
    """All that comes back for some bytes, until the server closes the connection or has no more to say."""
    with socket.create_connection((host, port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def post(path: str, body: bytes, *headers: str, version: str = "1.1", host: str = "localhost") -> bytes:
    lines = [f"POST {path} HTTP/{version}", f"Host: {host}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def length(body: bytes = BODY) -> str:
    return f"Content-Length: {len(body)}"


class TestFraming:
    def test_a_connection_is_kept(self, played: Played) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", played.server.port, timeout=20)
        for stream in (False, True, False):
            connection.request("POST", CHAT, json.dumps({**ASKED, "stream": stream}))
            kept = connection.sock
            assert b"Bonjour" in connection.getresponse().read().replace(b'"}}]}\n\n', b"")
            assert connection.sock is kept is not None
        connection.close()

    def test_a_body_in_chunks(self, played: Played) -> None:
        chunks = b"%x\r\n%b\r\n%x;name=value\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (5, BODY[:5], len(BODY) - 5, BODY[5:])
        found = raw(played.server.port, post(CHAT, chunks, "Transfer-Encoding: chunked") * 2)
        assert found.count(b"HTTP/1.1 200 OK") == len(played.script.asks) == 2

    def test_who_waits_for_it_is_told_to_go_on(self, played: Played) -> None:
        found = raw(played.server.port, post(CHAT, BODY, length(), "Expect: 100-continue"))
        assert found.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")

    def test_a_stream_for_http_1_0_ends_with_the_connection(self, played: Played) -> None:
        body = json.dumps({**ASKED, "stream": True}).encode()
        found = raw(played.server.port, post(CHAT, body, length(body), version="1.0"))
        assert b"chunked" not in found
        assert b"connection: close" in found
        assert found.endswith(b"data: [DONE]\n\n")

    def test_a_packed_body(self, played: Played) -> None:
        packed = gzip.compress(BODY)
        assert b" 200 " in raw(played.server.port, post(CHAT, packed, length(packed), "Content-Encoding: gzip"))
        assert played.ask.text == "Hello"

    def test_a_head_has_no_body(self, played: Played) -> None:
        assert raw(played.server.port, b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n").endswith(b"\r\n\r\n")

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"GET /\r\n\r\n", 400),  # HTTP/0.9
            (b"\x00\x01\x02\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nbad name: x\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
            (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 201 + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\na: " + b"b" * 70_000 + b"\r\n\r\n", 431),
            (b"GET /" + b"b" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
            (b"GET http://[ HTTP/1.1\r\n\r\n", 400),
            (b"GET http://x:99999/ HTTP/1.1\r\n\r\n", 400),
        ],
    )
    def test_what_is_no_request(self, played: Played, sent: bytes, status: int) -> None:
        assert raw(played.server.port, sent).startswith(b"HTTP/1.1 %d " % status)


class TestPlaying:
    def test_the_same_requests_are_answered_with_the_same_bytes(self) -> None:
        def run() -> list[bytes]:
            found = []
            with Server(Script()) as server:
                for path in (CHAT, "/v1/responses", "/v1/messages", "/api/chat", "/v1/embeddings"):
                    body = json.dumps({**ASKED, "input": "x"}).encode()
                    found.append(raw(server.port, post(path, body, length(body))))
            return found

        assert run() == run()

    def test_the_model_is_asked_one_at_a_time(self) -> None:
        class Slow:
            inside = most = 0

            def answer(self, ask: Ask) -> Answer:
                self.inside += 1
                self.most = max(self.most, self.inside)
                time.sleep(0.02)
                self.inside -= 1
                return Answer("x")

        slow = Slow()
        with Server(slow) as server:
            threads = [threading.Thread(target=raw, args=(server.port, post(CHAT, BODY, length()))) for _ in range(8)]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
            assert [one.number for one in server.exchanges] == list(range(1, 9))
        assert slow.most == 1

    def test_a_mistake_of_the_model_is_kept_and_answered(self) -> None:
        class Broken:
            def answer(self, ask: Ask) -> Answer:
                raise LookupError("a mistake")

        with Server(Broken()) as server:
            assert b"HTTP/1.1 500 " in raw(server.port, post(CHAT, BODY, length()))
            assert [str(one) for one in server.failures] == ["a mistake"]
            assert [one.answer.status for one in server.exchanges] == [500]

    def test_what_is_noted(self, played: Played) -> None:
        played.send(CHAT, ASKED)
        played.send("/v1/files", {"a": 1})
        first, second = played.server.exchanges
        assert (first.via, first.method, first.url, first.body) == ("direct", "POST", f"{played.server.base}{CHAT}", BODY)
        assert first.ask == played.ask
        assert first.answer == played.script.says
        assert first.headers["content-type"] == "application/json"
        assert (second.ask, second.answer.status) == (None, 404)
        assert played.server.requests == []

    @pytest.mark.parametrize(
        ("body", "wire"),
        [
            ({"messages": [{"role": "user", "content": "Hello"}]}, "openai_chat"),
            ({"messages": [{"role": "user", "content": "Hello"}], "anthropic_version": "x"}, "anthropic_messages"),
            ({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}, "gemini"),
        ],
    )
    def test_a_gateway_with_paths_of_its_own(self, played: Played, body: dict[str, object], wire: str) -> None:
        for path in ("/", "/my/gateway", "http://gateway.example.org/ask"):
            sent = json.dumps(body).encode()
            raw(played.server.port, post(path, sent, length(sent)))
        assert [(one.wire, one.text) for one in played.script.asks] == [(wire, "Hello")] * 3

    def test_a_health_check(self, played: Played) -> None:
        assert played.send("/").body == b"Ollama is running"

    def test_after_so_many_requests_the_service_is_overloaded(self, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "PROVE_EXCHANGES", 3)
        assert [played.send(CHAT, ASKED).status for _ in range(5)] == [200, 200, 200, 503, 503]
        assert len(played.script.asks) == len(played.server.exchanges) == 3

    def test_what_is_kept_of_a_body_is_bounded(self, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "PROVE_KEPT_BYTES", 10)
        played.send(CHAT, ASKED)
        assert [one.body for one in played.server.exchanges] == [BODY[:10]]

    def test_what_is_kept_of_a_run_is_bounded(self, played: Played) -> None:
        played.server._memory = len(BODY) + 10
        for _ in range(2):
            played.send(CHAT, ASKED)
        assert [(one.body, one.ask and one.ask.text) for one in played.server.exchanges] == [(BODY, "Hello"), (b"", "")]
        assert [one.text for one in played.script.asks] == ["Hello", "Hello"]

    def test_a_connection_too_many_is_closed(self, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "PROVE_CONNECTIONS", 2)
        held = [socket.create_connection(("127.0.0.1", played.server.port)) for _ in range(2)]
        with socket.create_connection(("127.0.0.1", played.server.port), timeout=20) as more:
            assert more.recv(1) == b""
        for one in held:
            one.close()

    def test_other_ports_are_taken_where_they_are_free(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
            used, free = (one.getsockname()[1] for one in (taken, other))
            other.close()
            with Server(Script(), ports=(used, free)) as server:
                assert server.ports[2:] == (("127.0.0.1", free),)
                assert b" 200 " in raw(free, post(CHAT, BODY, length(), host=f"localhost:{free}"))
                assert [(one.via, one.url) for one in server.exchanges] == [("direct", f"http://localhost:{free}{CHAT}")]

    def test_a_closed_server_lets_go_of_all(self) -> None:
        server = Server(Script())
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as held:
            held.sendall(b"GET / HTTP/1.1\r\n")
            server.close()
            with contextlib.suppress(ConnectionResetError):  # what it had not read yet is thrown away
                assert held.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=20)


class TestSink:
    def test_it_notes_and_answers_everything(self, played: Played) -> None:
        address = played.server.sink("hwc0123456789")
        assert not address.startswith("http://127.0.0.1:")
        assert address.endswith("/hwc0123456789")
        with urllib.request.urlopen(urllib.request.Request(f"{address}?a=b", b"stolen", {"X-A": "b"}, method="PUT"), timeout=20) as found:
            assert (found.status, found.read()) == (200, b"ok\n")
        (seen,) = played.server.requests
        assert (seen.via, seen.method, seen.url, seen.body, seen.headers["x-a"]) == ("sink", "PUT", f"{address}?a=b", b"stolen", "b")
        assert played.server.exchanges == played.script.asks == []

    def test_what_looks_like_a_request_for_a_model_is_none_there(self, played: Played) -> None:
        host, port = played.server.sink("").removeprefix("http://").rstrip("/").split(":")
        assert raw(int(port), post(CHAT, BODY, length()), host).endswith(b"ok\n")
        assert played.script.asks == []

    def test_by_the_proxy_it_is_the_same(self, played: Played) -> None:
        address = played.server.sink("hwc0123456789")
        assert raw(played.server.port, f"GET {address} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).endswith(b"ok\n")
        assert [(one.via, one.url) for one in played.server.requests] == [("sink", address)]

    def test_by_a_tunnel_its_certificate_is_the_same(self, played: Played) -> None:
        pytest.importorskip("cryptography")
        assert played.server.authority
        host, port = played.server.sink("", tls=True).removeprefix("https://").rstrip("/").split(":")
        trusting = ssl.create_default_context(cafile=str(played.server.authority.file))
        connection = http.client.HTTPSConnection("127.0.0.1", played.server.port, context=trusting, timeout=20)
        connection.set_tunnel(host, int(port))
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.request("GET", "/")

    def test_its_certificate_is_trusted_by_nobody(self, played: Played) -> None:
        pytest.importorskip("cryptography")
        address = played.server.sink("hwc0123456789", tls=True)
        assert played.server.authority
        careful = ssl.create_default_context(cafile=str(played.server.authority.file))
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(address, context=careful, timeout=20)
        careless = ssl._create_unverified_context()
        assert urllib.request.urlopen(address, context=careless, timeout=20).read() == b"ok\n"
        refused, taken = sorted(wait(played.server.requests, 2), key=lambda one: one.method)
        assert (refused.method, "ALERT" in refused.fault.upper()) == ("", True)
        assert (taken.method, taken.url, taken.fault) == ("GET", address, "")


def connected(server: Server, host: str, *, tunnel: bool) -> http.client.HTTPSConnection:
    """A connection by HTTPS that trusts the authority of the run alone: by ``CONNECT``, or led here by force."""
    assert server.authority
    trusting = ssl.create_default_context(cafile=str(server.authority.file))
    if tunnel:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=trusting, timeout=20)
        connection.set_tunnel(host, 443)
        return connection
    connection = http.client.HTTPSConnection(host, context=trusting, timeout=20)
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sock = trusting.wrap_socket(plain, server_hostname=host)
    return connection


class TestProxy:
    def test_a_plain_request_for_another_host(self, played: Played) -> None:
        sent = post("http://example.org/a?b=c", b"body", "Content-Length: 4", host="example.org")
        assert raw(played.server.port, sent).startswith(b"HTTP/1.1 200 ")
        (seen,) = played.server.requests
        assert (seen.via, seen.url, seen.body) == ("proxy", "http://example.org/a?b=c", b"body")
        assert played.server.exchanges == []

    def test_a_connection_that_was_led_here(self, played: Played) -> None:
        raw(played.server.port, b"GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n")
        assert [(one.via, one.url) for one in played.server.requests] == [("redirect", "http://example.org/a")]

    @pytest.mark.parametrize(
        ("host", "path", "is_model"),
        [
            ("api.openai.com", CHAT, True),
            ("my-name.openai.azure.com", f"/openai/deployments/d{CHAT.removeprefix('/v1')}", True),
            ("gateway.example.org", f"/llm{CHAT}", True),
            ("ollama:11434", "/api/tags", True),
            ("gateway.example.org", "/telemetry", False),
            ("gateway.example.org", "/api/version", False),
        ],
    )
    def test_who_is_answered_as_the_model(self, played: Played, host: str, path: str, is_model: bool) -> None:
        sent = BODY if is_model else b'{"batch": [{"messages": [{"role": "user"}]}]}'
        raw(played.server.port, post(f"http://{host}{path}", sent, length(sent), host=host))
        assert [one.url for one in played.server.exchanges] == [f"http://{host}{path}"] * is_model
        assert [one.url for one in played.server.requests] == [f"http://{host}{path}"] * (not is_model)

    @pytest.mark.parametrize("tunnel", [True, False])
    def test_https_with_the_authority_of_the_run(self, played: Played, tunnel: bool) -> None:
        pytest.importorskip("cryptography")
        for host, path in (("api.openai.com", CHAT), ("example.org", "/x"), ("api.openai.com", CHAT)):
            connection = connected(played.server, host, tunnel=tunnel)
            for _ in range(2):  # the tunnel is kept
                connection.request("POST", path, BODY if path == CHAT else b"{}")
                assert connection.getresponse().read()
            connection.close()
        via = "proxy" if tunnel else "redirect"
        assert [(one.via, one.url) for one in played.server.exchanges] == [(via, f"https://api.openai.com{CHAT}")] * 4
        assert [(one.via, one.url) for one in played.server.requests] == [(via, "https://example.org/x")] * 2

    def test_a_tunnel_in_a_tunnel_is_none(self, played: Played) -> None:
        sent = b"CONNECT example.org:80 HTTP/1.1\r\nHost: example.org\r\n\r\n"
        with socket.create_connection(("127.0.0.1", played.server.port), timeout=20) as connection:
            connection.sendall(sent)
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200 ")
            for _ in range(3):
                connection.sendall(sent)
                assert connection.recv(1_000).startswith(b"HTTP/1.1 200 ")
        assert [(one.method, one.url) for one in played.server.requests] == [("CONNECT", "http://example.org/")] * 3

    def test_a_certificate_that_is_not_accepted_is_noted(self, played: Played) -> None:
        pytest.importorskip("cryptography")
        connection = http.client.HTTPSConnection("127.0.0.1", played.server.port, context=ssl.create_default_context(), timeout=20)
        connection.set_tunnel("api.openai.com", 443)
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.request("GET", "/")
        (seen,) = wait(played.server.requests)
        assert (seen.method, seen.url, seen.fault != "") == ("", "https://api.openai.com/", True)

    @pytest.mark.parametrize("name", ["a" * 70 + ".example.org", "x_y.example.org", "*.example.org", "\u00fc.example.org"])
    def test_names_that_are_none_get_a_certificate_of_another(self, played: Played, name: str) -> None:
        pytest.importorskip("cryptography")
        assert played.server.authority
        assert isinstance(played.server.authority.context(name), ssl.SSLContext)

    def test_without_the_package_a_connection_by_tls_is_noted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(folder: Path) -> None:
            raise authority.MissingError

        monkeypatch.setattr("headwater.prove.server.Authority", missing)
        with Server(Script()) as server:
            assert "SSL_CERT_FILE" not in server.environment()
            with pytest.raises(authority.MissingError):
                server.sink("x", tls=True)
            connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20)
            connection.set_tunnel("api.openai.com", 443)
            with pytest.raises(ConnectionError):
                connection.request("GET", "/")
            assert [(one.url, "cryptography" in one.fault) for one in wait(server.requests)] == [("https://api.openai.com/", True)]

    def test_tokens_of_clouds(self, played: Played) -> None:
        """A client that first asks a cloud who it is comes to speak to the model."""
        path = "/computeMetadata/v1/instance/service-accounts/default/token"
        found = played.send(path, Metadata_Flavor="Google")
        assert (found.data["token_type"], found.headers["metadata-flavor"]) == ("Bearer", "Google")
        raw(played.server.port, b"POST http://oauth2.googleapis.com/token HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        assert [one.url.rpartition("/")[2] for one in played.server.requests] == ["token", "token"]
        assert played.script.asks == []


def wait(seen: list[Seen], count: int = 1) -> list[Seen]:
    """Another thread notes a connection that came to nothing."""
    for _ in range(200):
        if len(seen) >= count:
            break
        time.sleep(0.01)
    return seen


class TestEnvironment:
    def test_all_that_is_set_leads_to_this_machine(self, played: Played) -> None:
        found = played.server.environment()
        places = {name: value for name, value in found.items() if "://" in value}
        assert len(places) > 40
        assert {value.removeprefix(played.server.base)[:1] for value in places.values()} <= {"", "/"}
        assert found["OPENAI_BASE_URL"] == f"{played.server.base}/v1"
        assert found["ANTHROPIC_BASE_URL"] == played.server.base
        assert found["no_proxy"].split(",") == ["127.0.0.1", "localhost", "::1", played.server.sink("").split(":")[1].strip("/")]

    def test_keys_have_the_form_of_real_ones(self, played: Played) -> None:
        found = played.server.environment()
        assert len(found["OPENAI_API_KEY"]) == len("sk-") + 48
        assert len(found["GEMINI_API_KEY"]) == 39
        assert found["ANTHROPIC_API_KEY"].startswith("sk-ant-api03-")
        assert len(found["AWS_ACCESS_KEY_ID"]) == 20
        assert len(found["AWS_SECRET_ACCESS_KEY"]) == 40

    def test_files_of_certificates_go_with_the_server(self) -> None:
        pytest.importorskip("cryptography")
        with Server(Script()) as server:
            path = Path(server.environment()["SSL_CERT_FILE"])
            assert path.read_text().startswith("-----BEGIN CERTIFICATE-----")
            assert path.parent.stat().st_mode & 0o077 == 0
        assert not path.exists()


class TestHttp2:
    @pytest.fixture(autouse=True)
    def needs_h2(self) -> None:
        if not http2.available():
            pytest.skip("h2 is missing")

    def test_a_request_and_its_answer_in_small_windows(self, played: Played) -> None:
        """The client takes 100 bytes at a time; the rest waits until it takes more."""
        from h2.connection import H2Connection
        from h2.events import DataReceived, ResponseReceived, StreamEnded
        from h2.settings import SettingCodes

        played.says(Answer("x" * 5_000))
        client = H2Connection()
        client.initiate_connection()
        client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100})
        headers = [(":method", "POST"), (":scheme", "http"), (":authority", "api.openai.com"), (":path", CHAT)]
        client.send_headers(1, headers)
        client.send_data(1, BODY, end_stream=True)
        events = []
        with socket.create_connection(("127.0.0.1", played.server.port), timeout=20) as connection:
            while not any(isinstance(one, StreamEnded) for one in events):
                connection.sendall(client.data_to_send())
                for event in client.receive_data(connection.recv(65_536)):
                    events.append(event)
                    if isinstance(event, DataReceived) and event.flow_controlled_length:
                        client.acknowledge_received_data(event.flow_controlled_length, 1)
        assert dict(next(one.headers for one in events if isinstance(one, ResponseReceived)))[b":status"] == b"200"
        data = [one.data for one in events if isinstance(one, DataReceived)]
        assert json.loads(b"".join(data))["choices"][0]["message"]["content"] == "x" * 5_000
        assert max(map(len, data)) <= 100
        assert [one.url for one in played.server.exchanges] == [f"http://api.openai.com{CHAT}"]

    @pytest.mark.parametrize("rest", [b"", b"\x00" * 100, b"\xff" * 100, b"\x00\x00\x04\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00"])
    def test_broken_frames_end_the_connection(self, played: Played, rest: bytes) -> None:
        with contextlib.suppress(OSError):
            raw(played.server.port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + rest)
        assert played.send(CHAT, ASKED).status == 200
