"""Whole proofs, on small applications: what gets through is proved, what is refused is not, what was not tried is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from applications import prove, write

from headwater import limits
from headwater.prove import launch
from headwater.prove.replay import read
from headwater.reports import proof_json, proof_text

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="applications are started as POSIX processes")

EXECS = """
    import os
    from client import say

    def clean(answer):
        return answer.partition("```python")[2].partition("```")[0] or answer

    if __name__ == "__main__":
        print(sorted(name for name, value in os.environ.items() if "mine" in value))
        exec(clean(say("Write Python code that prints two and two. Answer with a ```python fence.")))
"""


def test_a_command_that_runs_what_the_model_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.setenv("MY_TOKEN", "mine")
    app = write(tmp_path / "app", app=EXECS)
    before = sorted(app.iterdir())
    run, records = prove(app, run="python3 app.py")
    (proof,) = run.proved
    assert run.verdict == "effect"
    assert (proof.sink_class, proof.channel, proof.granted, proof.blocked) == ("code", "text", False, True)
    assert proof.event == "os.system"
    assert proof.what == f"touch {{run}}/scratch/{proof.token}"
    assert ("app.py", "<module>") in [(frame.file, frame.function) for frame in proof.stack]
    assert run.exercised.monitored
    assert len(records) == 1
    assert sorted(app.iterdir()) == before
    again, _ = prove(app, run="python3 app.py")
    assert proof_json.render([again], "") == proof_json.render([run], "")
    text = proof_text.render([run], [])
    assert "PROVED  code: code of the attacker's ran in the process (effect)" in text
    assert "[stopped by the monitor]" in text


def test_no_key_of_the_user_comes_to_the_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MY_TOKEN"):
        monkeypatch.setenv(name, "mine")
    app = write(tmp_path / "app", app="""
        import os, sys
        sys.exit(str(sorted(name for name, value in os.environ.items() if "mine" in value) + [os.environ["HOME"]]))
    """)  # fmt: skip
    run, _ = prove(app, run="python3 app.py")
    assert "['{run}/home']" in " ".join(run.gaps)


def test_effects_that_are_let_through(tmp_path: Path) -> None:
    run, _ = prove(write(tmp_path / "app", app=EXECS), run="python3 app.py", block=False)
    (proof,) = run.proved
    assert not proof.blocked
    assert "--allow-effects" in " ".join(run.isolation)


CHECKS = """
    import ast
    from client import say

    ALLOWED = (ast.Expression, ast.BinOp, ast.Constant, ast.operator, ast.UnaryOp, ast.unaryop)
    tree = ast.parse(say("Answer with one arithmetic expression of Python.").strip("`").removeprefix("python").strip(), mode="eval")
    for node in ast.walk(tree):
        if not isinstance(node, ALLOWED):
            raise SystemExit(f"not allowed: {type(node).__name__}")
    print(eval(compile(tree, "answer", "eval")))
"""


def test_a_check_that_holds(tmp_path: Path) -> None:
    run, records = prove(write(tmp_path / "app", app=CHECKS), run="python3 app.py", starts=4)
    assert run.proved == ()
    assert records == []
    assert run.verdict == "parsed"  # as the check does itself
    assert run.exercised.attempts >= 3
    assert any("4 starts are the most" in gap for gap in run.gaps)
    assert "not allowed" in " ".join(proof.refused for proof in run.proofs)


FORBIDS = """
    import ast
    from client import say

    source = say("Answer with one expression of Python.").strip("`").removeprefix("python").strip()
    if any(word in source for word in ("import", "os.", "open", "exec")):
        raise SystemExit("forbidden word")
    print(eval(source))
"""


def test_a_check_that_is_escaped(tmp_path: Path) -> None:
    run, _ = prove(write(tmp_path / "app", app=FORBIDS), run="python3 app.py", starts=12)
    (proof,) = run.proved
    assert proof.verdict == "effect"
    assert proof.start > 1
    assert proof.family != "naive"


SERVICE = """
    import http.server, json, os, shlex, subprocess, sys, urllib.parse
    from client import say

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(parts.query))
            if parts.path == "/openapi.json":
                self.reply(json.dumps(OPENAPI))
            elif parts.path == "/count":
                self.reply(count(query.get("name", "")))
            elif parts.path == "/safe":
                self.reply(safe(query.get("name", "")))
            else:
                self.reply("nothing", 404)

        def reply(self, text, status=200):
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args):
            pass

    def count(name):
        return subprocess.run(f"wc -l {name}", shell=True, capture_output=True, text=True).stdout

    def safe(name):
        return subprocess.run(f"wc -l {shlex.quote(name)}", shell=True, capture_output=True, text=True).stdout

    NAME = {"parameters": [{"name": "name", "in": "query", "required": True, "schema": {"type": "string"}}]}
    OPENAPI = {"openapi": "3.1.0", "paths": {"/count": {"get": NAME}, "/safe": {"get": NAME}}}

    if __name__ == "__main__":
        http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_service_with_a_hole_and_without(tmp_path: Path) -> None:
    app = write(tmp_path / "app", app=SERVICE)
    run, records = prove(app, serve="python3 app.py {port}", classes=("shell", "sql"))
    (proof,) = run.proved
    assert (proof.sink_class, proof.channel, proof.tool, proof.argument) == ("shell", "http", "GET /count", "name")
    assert proof.request == "GET /count"
    assert "count" in [frame.function for frame in proof.stack]
    tried = {(one.tool, one.verdict) for one in run.proofs if not one.rank.proof}
    assert ("GET /safe", "reached") in tried
    assert run.exercised.tools_offered == ("GET /count", "GET /safe")
    replayed, _ = prove(app, records[0], serve="python3 app.py {port}")
    assert [(one.tool, one.payload, one.verdict) for one in replayed.proved] == [(proof.tool, proof.payload, "effect")]
    assert replayed.exercised.attempts == 1


AGENT = """
    import json, subprocess
    from client import complete

    def list_notes(folder):
        return "no notes in " + repr(folder)

    def count_lines(name):
        return subprocess.run("wc -l " + name, shell=True, capture_output=True, text=True).stdout

    TOOLS = {one.__name__: one for one in (list_notes, count_lines)}

    def offered(name, argument):
        schema = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
        return {"type": "function", "function": {"name": name, "description": name.replace("_", " "), "parameters": schema}}

    messages = [{"role": "system", "content": "You look after notes."}, {"role": "user", "content": "How many lines?"}]
    for _ in range(6):
        message = complete(messages, tools=[offered("list_notes", "folder"), offered("count_lines", "name")])
        messages.append(message)
        if not message.get("tool_calls"):
            break
        for call in message["tool_calls"]:
            function = call["function"]
            result = TOOLS[function["name"]](**json.loads(function["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
"""


def test_an_agent_with_two_tools(tmp_path: Path) -> None:
    run, records = prove(write(tmp_path / "app", app=AGENT), run="python3 app.py", classes=("shell", "sql"), starts=10)
    assert {(one.tool, one.argument, one.sink_class, one.channel) for one in run.proved} == {("count_lines", "name", "shell", "tool")}
    assert run.exercised.tools_offered == ("count_lines", "list_notes")
    assert len(records) == len(run.proved)


GRANTS = AGENT
for _old, _new in (
    ('"wc -l " + name, shell', "command, shell"),
    ("count_lines", "run_command"),
    ('"name")', '"command")'),
    ("(name)", "(command)"),
):
    GRANTS = GRANTS.replace(_old, _new)


def test_a_tool_that_is_there_to_run_commands_is_granted(tmp_path: Path) -> None:
    run, _ = prove(write(tmp_path / "app", app=GRANTS), run="python3 app.py", classes=("shell",), starts=10)
    assert {(one.tool, one.granted) for one in run.proved} == {("run_command", True)}
    assert "GRANTED" in proof_text.render([run], [])


def test_an_option_of_a_program_is_broken_out_of(tmp_path: Path) -> None:
    """No shell, and the value is one argument: the program takes it for an option. That is not what the tool is for."""
    options = AGENT.replace('"wc -l " + name, shell=True', '["sort", "/dev/null", name]').replace("count_lines", "sort_lines")
    run, _ = prove(write(tmp_path / "app", app=options), run="python3 app.py", classes=("shell",), starts=10)
    assert {(one.tool, one.family, one.granted, one.verdict) for one in run.proved} == {("sort_lines", "option", False, "effect")}


def test_a_function(tmp_path: Path) -> None:
    app = write(tmp_path / "app", work="""
        import sqlite3, sys
        from client import say

        async def answer(question, *, limit=3):
            print("noise on standard output")
            assert sys.stdin.read() == ""
            base = sqlite3.connect(":memory:")
            base.execute("CREATE TABLE orders (name TEXT)")
            statement = say(f"Write one SQL query for the table orders (name TEXT): {question}. At most {limit} rows.")
            return base.execute(statement.replace("```sql", "").strip("`")).fetchall()
    """)  # fmt: skip
    run, _ = prove(app, call="work:answer", args=("all",), kwargs={"limit": 5}, python=sys.executable, classes=("sql",))
    (proof,) = run.proved
    assert (proof.sink_class, proof.event) == ("sql", "sqlite3.execute")
    assert run.exercised.starts == 1


def test_a_function_that_is_not_there(tmp_path: Path) -> None:
    run, _ = prove(write(tmp_path / "app"), call="nowhere:answer", python=sys.executable)
    assert run.verdict == "not-exercised"
    assert "nowhere:answer cannot be imported" in run.gaps[0]
    assert "ModuleNotFoundError" in run.gaps[0]


MCP = """
    import json, os, sys

    ROOT = os.path.realpath(sys.argv[1])

    def read_note(name):
        path = os.path.realpath(os.path.join(ROOT, name))
        if CHECK:
            raise ValueError("not below the folder of notes: " + name)
        with open(path) as file:
            return file.read()

    SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "description": "path of a note"}}, "required": ["name"]}
    TOOL = {"name": "read_note", "description": "Reads a note.", "inputSchema": SCHEMA}

    for line in sys.stdin:
        message = json.loads(line)
        method, given = message["method"], message.get("params", {})
        if method == "initialize":
            who = {"name": "notes", "version": "1"}
            result = {"protocolVersion": given["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": who}
        elif method == "tools/list":
            result = {"tools": [TOOL]}
        elif method == "tools/call":
            try:
                result = {"content": [{"type": "text", "text": read_note(**given["arguments"])}]}
            except Exception as error:
                result = {"content": [{"type": "text", "text": str(error)}], "isError": True}
        else:
            continue
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""


@pytest.mark.parametrize(
    ("check", "proved"),
    [
        ("not path.startswith(ROOT)", True),
        ("path != ROOT and not path.startswith(ROOT + os.sep)", False),
    ],
)
def test_a_server_of_tools_that_checks_how_a_path_begins(tmp_path: Path, check: str, proved: bool) -> None:
    """A folder beside it, whose name begins the same, is outside as well."""
    app = write(tmp_path / "app", server=MCP.replace("CHECK", check))
    (app / "notes").mkdir()
    (app / "notes" / "one.txt").write_text("hello", encoding="utf-8")
    run, records = prove(app, mcp="python3 server.py ./notes", classes=("path-read", "path-write"))
    assert {(one.tool, one.argument, one.sink_class, one.channel) for one in run.proved} == (
        {("read_note", "name", "path-read", "mcp")} if proved else set()
    )
    assert run.exercised.tools_called == ("read_note",)
    if proved:
        assert "_evil" in run.proved[0].value
        again, _ = prove(app, records[0], mcp="python3 server.py ./notes")
        assert [one.payload for one in again.proved] == [run.proved[0].payload]
    else:
        assert any("not below the folder" in one.refused for one in run.proofs)


FETCHES = MCP.replace(
    """        path = os.path.realpath(os.path.join(ROOT, name))
        if CHECK:
            raise ValueError("not below the folder of notes: " + name)
        with open(path) as file:
            return file.read()
""",
    """        import urllib.request
        if CHECK:
            raise ValueError("unknown scheme: " + name)
        with urllib.request.urlopen(name, timeout=10) as answer:
            return answer.read().decode()
""",
).replace("path of a note", "URL of a page")


@pytest.mark.parametrize(("check", "files"), [("False", True), ("not name.startswith('http:')", False)])
def test_a_server_of_tools_that_fetches_any_address_may_not_read_files(tmp_path: Path, check: str, files: bool) -> None:
    app = write(tmp_path / "app", server=FETCHES.replace("CHECK", check))
    run, _ = prove(app, mcp="python3 server.py .", classes=("url",))
    found = {(one.sink_class, one.family, one.granted) for one in run.proved}
    assert found == {("url", "absolute", True), *([("path-read", "file", False)] if files else [])}


LOADS = """
    import pickle, sys
    print(LOAD(open("data/index.pkl", "rb")))
"""


@pytest.mark.parametrize("load", ["pickle.load", "(lambda file: len(file.read()))"])
def test_a_planted_file(tmp_path: Path, load: str) -> None:
    app = write(tmp_path / "app", app=LOADS.replace("LOAD", load))
    (app / "data").mkdir()
    (app / "data" / "index.pkl").write_bytes(b"\x80\x04N.")
    run, records = prove(app, run="python3 app.py", plant=("data/index.pkl",))
    assert (app / "data" / "index.pkl").read_bytes() == b"\x80\x04N."
    if load == "pickle.load":
        (proof,) = run.proved
        assert (proof.sink_class, proof.channel, proof.tool) == ("deserialize", "document", "data/index.pkl")
        again, _ = prove(app, records[0], run="python3 app.py")
        assert [(one.tool, one.verdict) for one in again.proved] == [("data/index.pkl", "effect")]
    else:
        assert run.proved == ()
        assert "the model was never asked" in " ".join(run.gaps)


def test_who_asks_no_model_is_not_shown_to_be_safe(tmp_path: Path) -> None:
    run, _ = prove(write(tmp_path / "app", app="print('nothing to ask')"), run="python3 app.py")
    assert run.verdict == "not-exercised"
    assert (run.exercised.starts, run.exercised.model_calls) == (1, 0)
    assert run.gaps == ("the model was never asked: nothing that it could say was tried",)


def test_an_application_without_a_monitor_is_told_of(tmp_path: Path) -> None:
    app = write(tmp_path / "app", app=EXECS.replace("import os", "import os, sys; sys.path.insert(0, '.')"))
    run, _ = prove(app, run="python3 -I app.py", starts=2)
    assert not run.exercised.monitored
    assert "no monitor was loaded" in run.gaps[0]
    (proof,) = run.proved  # what it wrote is seen all the same
    assert (proof.event, proof.blocked, proof.verdict) == ("file", False, "effect")


def test_an_application_that_fails_says_why(tmp_path: Path) -> None:
    run, _ = prove(write(tmp_path / "app", app="raise SystemExit('set DATABASE_URL')"), run="python3 app.py")
    assert "the command ended with status 1\nset DATABASE_URL" in run.gaps


# ------------------------------------------------------------------------------------------------- hostile applications


def test_an_application_that_fights_back_is_bounded_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It floods the events, writes what is none, prints without measure, locks and replaces its folders, leaves a process, never ends."""
    monkeypatch.setattr(limits, "PROOF_EVENTS", 100)
    app = write(tmp_path / "app", app="""
        import json, os, signal, sys, time
        from client import say
        control = json.load(open(os.environ["HEADWATER_PROOF"]))
        say("Write Python code.")
        if not os.fork():
            os.setsid()
            open(sys.argv[1], "w").write(str(os.getpid()))
            time.sleep(300)
        event = {"kind": "listen", "call": "bind", "value": "[" * 50000, "tokens": []}
        with open(os.path.join(control["folder"], "events-1-1.jsonl"), "wb") as file:
            file.write(b"\\xff\\x00garbage\\n" + b"[" * 100000 + b"\\n{}\\n")
            for _ in range(200):
                file.write(json.dumps(event).encode() + b"\\n")
        os.symlink("/dev/zero", os.path.join(control["folder"], "events-2-1.jsonl"))
        os.mkfifo(os.path.join(control["folder"], "events-3-1.jsonl"))
        os.mkdir(os.path.join(control["folder"], "events-4-1.jsonl"))
        os.makedirs(os.path.join(control["folder"], "..", "2"))
        for _ in range(100):
            sys.stdout.write("x" * 1000000)
        os.mkdir("locked")
        os.chmod("locked", 0)
        os.chmod(control["scratch"], 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(300)
    """)  # fmt: skip
    left = tmp_path / "pid"
    began = time.monotonic()
    run, _ = prove(app, run=f"python3 app.py {left}", timeout=4, starts=2)
    assert time.monotonic() - began < 40
    assert any("still ran after 4 seconds" in gap for gap in run.gaps)
    assert "not all that the application did was noted: there was too much of it" in run.gaps
    assert run.proved == ()
    with pytest.raises(ProcessLookupError):
        os.kill(int(left.read_text(encoding="ascii")), signal.SIGCONT)


def test_processes_that_stay_are_told_of(tmp_path: Path) -> None:
    app = write(tmp_path / "app", app="""
        import os, time
        if not os.fork():
            os.setsid()
            time.sleep(300)
    """)  # fmt: skip
    run, _ = prove(app, run="python3 app.py")
    assert "processes that the command had left running were ended" in run.gaps


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("sys.exit(1)", "the service does not listen on port {port}: it ended with status 1"),
        ("serve('os._exit(1)')", "the service ended at GET /a"),
        ("serve('time.sleep(60)')", "the service was given up after 3 requests without an answer"),
        ("serve('drip(self)')", "the service was given up after 3 requests without an answer"),
    ],
)
def test_a_service_that_does_not_answer_is_given_up(tmp_path: Path, body: str, told: str) -> None:
    app = write(tmp_path / "app", app=f"""
        import http.server, os, sys, time

        def drip(handler):
            handler.wfile.write(b"HTTP/1.0 200 OK\\r\\nX: ")
            while True:
                handler.wfile.write(b"x")
                time.sleep(0.2)

        def serve(what):
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    eval(what)
                do_OPTIONS = do_GET
            http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

        {body}
    """)  # fmt: skip
    began = time.monotonic()
    run, _ = prove(app, serve="python3 app.py {port}", send=("GET /a?b=1",), openapi="", timeout=1)
    assert time.monotonic() - began < 20
    assert told in " ".join(run.gaps)


def test_a_server_of_tools_that_talks_without_end_is_given_up(tmp_path: Path) -> None:
    noise = MCP.replace("CHECK", "False").replace(
        'elif method == "tools/call":', 'elif method == "tools/call":\n            while True: print(json.dumps({"method": "n"}))'
    )
    app = write(tmp_path / "app", server=noise)
    began = time.monotonic()
    run, _ = prove(app, mcp="python3 server.py .", timeout=1)
    assert time.monotonic() - began < 20
    assert any("was given up after 3 calls without an answer" in gap for gap in run.gaps)


def test_the_network_is_said_to_be_shared_where_the_system_allows_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "can_separate", lambda: False)
    run, _ = prove(write(tmp_path / "app", app=EXECS), run="python3 app.py")
    assert len(run.proved) == 1
    assert any("the network is that of this machine" in gap for gap in run.gaps)
    assert "connections to other machines are refused by the monitor alone" in run.isolation


# ---------------------------------------------------------------------------------------------------------- command line


def headwater(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, ("src", os.environ.get("PYTHONPATH", ""))))
    return subprocess.run(
        [sys.executable, "-P", "-m", "headwater", *words],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path, **variables}, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_the_command_joins_proofs_with_findings_and_writes_replays(tmp_path: Path) -> None:
    app = write(tmp_path / "app", app=EXECS)
    report, replays = tmp_path / "report.json", tmp_path / "replays"
    done = headwater("prove", str(app), "--run", "python3 app.py", "--format", "json", "--output", str(report), "--replays", str(replays))
    assert done.returncode == 1, done.stderr
    assert done.stderr.strip() == "headwater: 1 proved, strongest verdict: effect"
    told = json.loads(report.read_text(encoding="utf-8"))
    (finding,) = [one for one in told["findings"] if one["state"] == "proved"]
    assert (finding["path"], finding["line"]) == ("app.py", 10)
    (script,) = replays.glob("*.sh")
    record = read(script.with_suffix(".json"))
    assert record.attempt.token == told["runs"][0]["proofs"][0]["token"]

    # The script does it again, with a program of that name in the path.
    program = tmp_path / "bin" / "headwater"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m headwater "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
    }
    again = subprocess.run([str(script)], capture_output=True, text=True, env=environment)
    assert again.returncode == 1, again.stderr
    assert "[stopped by the monitor]" in again.stdout

    review = headwater("review", str(app), "--proof", str(report), "--format", "json", "--no-progress", "--fail-on", "never")
    shown = [one["proof"] for one in json.loads(review.stdout)["findings"] if one.get("proof", {}).get("state") == "proved"]
    assert [one["payload"] for one in shown] == [record.attempt.payload]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("--run", "python3 silent.py"), 3, "Not exercised: nothing is proved, and nothing is shown to be safe."),
        (("--run", "python3 app.py", "--fail-on", "never"), 0, "Proved: 1."),
        (("--run", "python3 app.py", "--fail-on", "granted"), 1, "Proved: 1."),
        (("--scenario", "x"), 2, "--trust-config"),
        (("--scenario", "x", "--trust-config", "--run", "a"), 2, "leave out --run"),
        (("--scenario", "x", "--trust-config", "--env", "A=b"), 2, "leave out --env"),
        (("--call", "app:main", "--with", "{"), 2, "--with is no JSON"),
        (("--run", "a", "--env", "A"), 2, "--env takes NAME=VALUE"),
        (("--run", "a", "--plant", "../x"), 2, "it is not below the application's folder"),
        (("--run", "a", "--plant", "../\x1b[2J"), 2, "--plant ../\\x1b[2J"),
        (("--run", "a", "--replay", "app.py"), 2, "app.py is no record of a proof"),
    ],
)
def test_exit_statuses(tmp_path: Path, words: tuple[str, ...], status: int, told: str) -> None:
    app = write(tmp_path / "app", app=EXECS, silent="print()")
    words = tuple(str(app / one) if words[-2] == "--replay" and one == "app.py" else one for one in words)
    done = headwater("prove", str(app), "--no-review", *words)
    assert (done.returncode, told in done.stdout + done.stderr) == (status, True), done.stdout + done.stderr


KEEPS = """
    import pathlib, sys
    from client import say

    kept = pathlib.Path.home() / "answers"
    if not kept.exists():
        kept.write_text(say("Write Python code that prints two and two. Answer with a ```python fence."))
    code = kept.read_text().partition("```python")[2].partition("```")[0]
    if "import" not in code and "__" not in code:
        exec(code, {"__builtins__": {"print": print, "open": open}})
"""


def test_an_application_that_keeps_what_the_model_said(tmp_path: Path) -> None:
    run, _ = prove(write(tmp_path / "app", app=KEEPS), run="python3 app.py", starts=12)
    (proof,) = run.proved
    assert proof.event == "open"
    # The second start asked nothing, all later ones had a home of their own.
    assert run.exercised.model_calls == run.exercised.starts - 1


def test_an_application_that_asks_no_more(tmp_path: Path) -> None:
    app = write(tmp_path / "app", app="""
        import os, pathlib
        from client import say

        # Kept outside of all that is its own.
        kept = pathlib.Path(os.environ["KEPT"])
        if not kept.exists():
            kept.write_text(say("Write Python code. Answer with a ```python fence."))
    """)  # fmt: skip
    run, _ = prove(app, run="python3 app.py", starts=12, env={"KEPT": str(tmp_path / "kept")})
    assert run.exercised.starts == 3
    assert any("in its first starts only" in gap for gap in run.gaps)
