"""The bridge and what is behind it: real commands and a real server, on loopback."""

from __future__ import annotations

import json
import shlex
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from headwater import limits
from headwater.redteam.bridge import Bridge
from headwater.redteam.service import served
from headwater.redteam.target import Command, Endpoint, OpenAI, Target, TargetError, Turn, UnansweredError, found, path

PYTHON = shlex.quote(sys.executable)
ASK = [Turn("user", 'what\'s $INPUT "now"?\n{prompt}')]


def script(folder: Path, text: str) -> str:
    file = folder / "ask.py"
    file.write_text(text, encoding="utf-8")
    return f"{PYTHON} {shlex.quote(str(file))}"


def post(bridge: Bridge, body: bytes, key: str | None = None, place: str = "/chat/completions") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {bridge.key if key is None else key}", "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(bridge.url + place, body, headers), timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def chat(*turns: tuple[str, Any]) -> bytes:
    return json.dumps({"model": "target", "messages": [{"role": role, "content": content} for role, content in turns]}).encode()


class Upper:
    """Answers in capitals."""

    name = "upper"

    def __init__(self, whole: bool = False) -> None:
        self.whole = whole

    def close(self) -> None:
        pass

    def ask(self, turns: Sequence[Turn]) -> str:
        return " | ".join(f"{turn.role}: {turn.text.upper()}" for turn in turns)


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, str, dict[str, str], bytes]]]]:
    """A service that keeps what it was asked: ``/echo`` answers with it, other places as they are called."""
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.command, self.path, dict(self.headers), body))
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/echo")
                self.end_headers()
            elif self.path == "/broken":
                self.send_error(500)
            elif self.path == "/slow":
                time.sleep(3)
            elif self.path == "/odd":
                self.wfile.write(b"what is this\r\n\r\n")
            elif self.path == "/long":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * (limits.REDTEAM_ANSWER + 10))
            else:
                data = json.dumps({"choices": [{"message": {"content": "said"}}], "got": body.decode()}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(data)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}", seen
        http.shutdown()


# ----------------------------------------------------------------------------------------------------------- commands


def test_a_command_reads_the_prompt_from_standard_input(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys; print(sys.stdin.read()[::-1], len(sys.argv))")
    assert Command(command).ask(ASK) == ASK[0].text[::-1] + " 1\n"


def test_a_command_gets_the_prompt_as_one_argument_and_no_shell_reads_it(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys; print(sys.argv[1:], sys.stdin.read())")
    mark = tmp_path / "mark"
    hostile = [Turn("user", f"'; touch {mark}; $(touch {mark}) \0 &")]
    said = Command(command + " --ask={prompt}").ask(hostile)
    assert f"--ask='; touch {mark}; $(touch {mark}) \\\\0 &" in said
    assert not mark.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import sys; print('half'); print('no', 'model', file=sys.stderr); sys.exit(3)", "status 3: no model"),
        ("import time; time.sleep(60)", "did not end within"),
    ],
)
def test_a_command_that_fails_has_not_answered(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnansweredError, match=reason):
        Command(script(tmp_path, text), timeout=1).ask(ASK)


def test_a_command_that_is_not_there_has_not_answered() -> None:
    with pytest.raises(UnansweredError, match="cannot be started"):
        Command("/nowhere/at/all").ask(ASK)


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "child"
    command = script(
        tmp_path,
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nopen({str(file)!r}, 'w').write(str(child.pid))",
    )
    begun = time.monotonic()
    Command(command).ask(ASK)
    assert time.monotonic() - begun < 20
    for _ in range(100):
        try:
            with open(f"/proc/{file.read_text()}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":  # nobody waits for orphans where there is no init
                    break
        except FileNotFoundError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child lives")


def test_a_long_answer_is_cut(tmp_path: Path) -> None:
    command = script(tmp_path, f"print('x' * {limits.REDTEAM_ANSWER + 10})")
    assert len(Command(command).ask(ASK)) == limits.REDTEAM_ANSWER


# ---------------------------------------------------------------------------------------------------------- endpoints


def test_a_prompt_goes_into_the_texts_of_a_template(server: Any) -> None:
    url, seen = server
    target = Endpoint(f"{url}/echo", request='{"a": ["$INPUT", {"b": "> $INPUT"}], "n": 1}', answer="$.choices[0].message.content")
    assert target.ask(ASK) == "said"
    method, _, headers, body = seen[0]
    assert (method, headers["Content-Type"]) == ("POST", "application/json")
    assert json.loads(body) == {"a": [ASK[0].text, {"b": f"> {ASK[0].text}"}], "n": 1}


def test_a_prompt_goes_into_an_address(server: Any) -> None:
    url, seen = server
    Endpoint(f"{url}/echo?q=$INPUT&n=1").ask([Turn("user", "a b&c=#/")])
    assert seen[0][:2] == ("GET", "/echo?q=a%20b%26c%3D%23%2F&n=1")


def test_a_key_comes_from_the_environment(server: Any) -> None:
    url, seen = server
    Endpoint(f"{url}/echo?q=$INPUT", headers=["X-Key: ${SOME_KEY}!"], environment={"SOME_KEY": "k"}).ask(ASK)
    assert seen[0][2]["X-Key"] == "k!"
    with pytest.raises(TargetError, match="no OTHER_KEY"):
        Endpoint(f"{url}/echo?q=$INPUT", headers=["X-Key: ${OTHER_KEY}"], environment={})


@pytest.mark.parametrize(
    ("place", "reason"),
    [("/moved", "302"), ("/broken", "500"), ("/slow", "does not answer"), ("/odd", "not HTTP"), ("/echo", "no 'gone'")],
)
def test_an_endpoint_that_fails_has_not_answered(server: Any, place: str, reason: str) -> None:
    url, seen = server
    with pytest.raises(UnansweredError, match=reason):
        Endpoint(url + place, request="$INPUT", answer="$.gone", timeout=1).ask(ASK)
    assert [one[1] for one in seen] == [place], "nothing is followed"


def test_a_proxy_of_the_environment_is_not_asked(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, _ = server
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert "said" in Endpoint(f"{url}/echo?q=$INPUT").ask(ASK)


def test_the_whole_conversation_goes_to_a_server_of_the_protocol(server: Any) -> None:
    url, seen = server
    turns = [Turn("system", "be kind"), Turn("user", "hello")]
    assert OpenAI(f"{url}/v1", model="m", key="k").ask(turns) == "said"
    assert seen[0][1] == "/v1/chat/completions"
    assert seen[0][2]["Authorization"] == "Bearer k"
    assert json.loads(seen[0][3])["messages"] == [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}]


@pytest.mark.parametrize("url", ["", "ftp://x/$INPUT", "http://", "http://[x/$INPUT", "http://x:99999/$INPUT", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(TargetError):
        Endpoint(url, request="$INPUT")


def test_a_place_for_the_prompt_is_needed() -> None:
    with pytest.raises(TargetError, match="where the prompt goes"):
        Endpoint("http://127.0.0.1/", request="{}")


@pytest.mark.parametrize(
    ("text", "steps"),
    [("$", ()), ("$.a.b", ("a", "b")), ("a[0]['x y'][-1]", ("a", 0, "x y", -1)), ("$['a.b'].c-d", ("a.b", "c-d"))],
)
def test_places_in_an_answer(text: str, steps: tuple[Any, ...]) -> None:
    assert path(text) == steps


@pytest.mark.parametrize("text", ["$..a", "$.a[", "$.a[x]", "$.a[*]"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(TargetError):
        path(text)


def test_what_stands_at_a_place() -> None:
    assert found(b'{"a": [{"b": "x"}]}', path("$.a[0].b")) == "x"
    assert found(b'{"a": [{"b": "x"}]}', path("$.a")) == '[{"b": "x"}]'
    for data in (b"no", b'{"a": null}', b"{}", b"[" * 100_000):
        with pytest.raises(UnansweredError):
            found(data, path("$.a"))


# ------------------------------------------------------------------------------------------------------------- bridge


def bridged(target: Target) -> Bridge:
    return Bridge(target)


def test_the_bridge_speaks_the_protocol() -> None:
    with bridged(Upper()) as bridge:
        status, answer = post(bridge, chat(("user", "hello")))
        assert (status, answer["choices"][0]["message"]["content"]) == (200, "user: HELLO")
        assert post(bridge, chat(("user", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])))[0] == 200
        assert bridge.asked == 2


def test_the_bridge_answers_nobody_without_its_key() -> None:
    with bridged(Upper()) as bridge:
        assert post(bridge, chat(("user", "hello")), key="")[0] == 401
        assert bridge.asked == 0
        assert bridge.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([("system", "be kind"), ("user", "hello")], "has its own"),
        ([("user", "a"), ("assistant", "b"), ("user", "c")], "takes one prompt"),
    ],
)
def test_what_an_application_cannot_be_asked_is_not_answered(turns: list[tuple[str, str]], reason: str) -> None:
    with bridged(Upper()) as bridge:
        status, answer = post(bridge, chat(*turns))
        assert status == 424
        assert reason in answer["error"]["message"]
        assert sum(bridge.unanswered.values()) == 1
    with bridged(Upper(whole=True)) as bridge:
        assert post(bridge, chat(*turns))[0] == 200


def test_the_bridge_keeps_what_was_not_answered(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys; text = sys.stdin.read(); sys.exit(1 if 'bad' in text else 0)")
    with bridged(Command(command)) as bridge:
        assert [post(bridge, chat(("user", text)))[0] for text in ("good", "bad", "bad")] == [200, 424, 424]
        assert bridge.asked == 3
        assert dict(bridge.unanswered) == {"the command ended with status 1": 2}


def test_the_bridge_hands_on_so_many_prompts_and_no_more() -> None:
    with bridged(Upper()) as bridge:
        bridge.bound(2)
        assert [post(bridge, chat(("user", "x")))[0] for _ in range(4)] == [200, 200, 424, 424]
        bridge.bound(1)
        assert [post(bridge, chat(("user", "x")))[0] for _ in range(2)] == [200, 424]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"messages": []}', b'{"messages": [1]}', b'{"messages": [{"role": 1, "content": "x"}]}', b"[" * 90_000],
)
def test_what_is_no_request_breaks_nothing(body: bytes) -> None:
    with bridged(Upper()) as bridge:
        assert post(bridge, body)[0] == 400
        assert post(bridge, chat(("user", "x")))[0] == 200


def test_a_request_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REDTEAM_BRIDGE_BODY", 100)
    with bridged(Upper()) as bridge:
        assert post(bridge, chat(("user", "x" * 200)))[0] == 413
        assert post(bridge, chat(("user", "x")))[0] == 200


def test_commands_at_work_end_with_the_bridge(tmp_path: Path) -> None:
    file = tmp_path / "started"
    command = script(tmp_path, f"import time\nopen({str(file)!r}, 'w').close()\ntime.sleep(60)")
    asked: list[tuple[int, Any]] = []
    with bridged(Command(command)) as bridge:
        thread = Thread(target=lambda: asked.append(post(bridge, chat(("user", "x")))))
        thread.start()
        while not file.exists():
            time.sleep(0.02)
    thread.join(20)
    assert [status for status, _ in asked] == [424]
    assert "status -9" in asked[0][1]["error"]["message"]


# ------------------------------------------------------------------------------------------------------------ service


def free() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
        return int(http.server_address[1])


def test_a_service_is_started_and_ended(tmp_path: Path) -> None:
    port = free()
    url = f"http://127.0.0.1:{port}/?q=$INPUT"
    command = f"{PYTHON} -m http.server {port} --bind 127.0.0.1 --directory {shlex.quote(str(tmp_path))}"
    with served(command, url, tmp_path / "log", 20):
        assert "Directory listing" in Endpoint(url).ask(ASK)
        with pytest.raises(TargetError, match="already"), served(command, url, tmp_path / "log", 5):
            pass
    with pytest.raises(UnansweredError):
        Endpoint(url).ask(ASK)


@pytest.mark.parametrize(("text", "reason"), [("raise SystemExit(4)", "status 4"), ("import time; time.sleep(60)", "nothing listens")])
def test_a_service_that_does_not_come_up_is_said(tmp_path: Path, text: str, reason: str) -> None:
    with (
        pytest.raises(TargetError, match=reason),
        served(script(tmp_path, text), f"http://127.0.0.1:{free()}/", tmp_path / "log", 1),
    ):
        pass
