"""The Python monitor, in processes of every Python from 3.8 on that the machine has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from headwater.prove.monitors import environment
from prove.monitored import PREFIX, Monitored, token
from prove.servers import Secure, certificates


def interpreters() -> list[str]:
    """One interpreter for each version of Python, this one among them."""
    candidates = [sys.executable]
    candidates += [path for minor in range(8, 16) if (path := shutil.which(f"python3.{minor}"))]
    candidates += map(str, sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python")))
    found: dict[str, str] = {}
    for candidate in candidates:
        asked = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.version_info >= (3, 8))"]
        answer = subprocess.run(asked, capture_output=True, text=True).stdout.split()
        if answer[1:] == ["True"]:
            found.setdefault(answer[0], candidate)
    return list(found.values())


PYTHONS = interpreters()
every = pytest.mark.parametrize("python", PYTHONS)

# What an application does with a token T, and the events of it: kind, operation, whether a shell has it.
OPERATIONS: tuple[tuple[str, tuple[tuple[str, str, bool], ...]], ...] = (
    ("exec(f'x = {T!r}')", (("exec", "exec", False),)),
    ("eval(f'[{T!r}]')", (("exec", "exec", False),)),
    # The token is in a function of a function, as a name
    ("exec(f'def f():\\n def {T}(): pass')", (("exec", "exec", False),)),
    # A tree is compiled: there is no text
    ("exec(compile(ast.parse(f'x = {T!r}'), 'x', 'exec'))", (("exec", "exec", False),)),
    # A validator parses only
    ("ast.parse(f'x = {T!r}')", ()),
    ("ast.literal_eval(f'[{T!r}]')", ()),
    ("exec(f'import os\\nos.system(\"echo {T}\")')", (("exec", "exec", False), ("process", "os.system", True))),
    ("os.popen(f'echo {T}').read()", (("process", "subprocess.Popen", True),)),
    ("subprocess.run(f'echo {T}', shell=True)", (("process", "subprocess.Popen", True),)),
    ("subprocess.run(['bash', '-ec', f'echo {T}'])", (("process", "subprocess.Popen", True),)),
    ("subprocess.run(['env', 'sh', '-c', f'echo {T}'])", (("process", "subprocess.Popen", True),)),
    ("subprocess.run(['echo', T])", (("process", "subprocess.Popen", False),)),
    # The shell has a command of the application's; the token is an argument of it
    ("subprocess.run(['sh', '-c', 'echo \"$1\"', 'sh', T])", (("process", "subprocess.Popen", False),)),
    # The token is in the environment, which is nobody's sink
    ("subprocess.run(['true'], env={**os.environ, 'X': T})", ()),
    ("os.posix_spawn('/bin/echo', ['echo', T], {})", (("process", "os.posix_spawn", False),)),
    ("os.spawnv(os.P_WAIT, '/bin/echo', ['echo', T])", (("process", "os.exec", False),)),
    ("asyncio.run(shell(f'echo {T}'))", (("process", "subprocess.Popen", True),)),
    ("open(T, 'w').close()", (("write", "open", False),)),
    ("open(T.encode()).close()", (("read", "open", False),)),
    ("open(pathlib.Path('..') / T, 'a').close()", (("write", "open", False),)),
    ("os.close(os.open(T, os.O_CREAT | os.O_WRONLY))", (("write", "open", False),)),
    ("pathlib.Path(T).read_text()", (("read", "open", False),)),
    ("os.listdir(T)", (("read", "os.listdir", False),)),
    ("list(os.scandir(T))", (("read", "os.scandir", False),)),
    ("os.mkdir(T)", (("write", "os.mkdir", False),)),
    ("pathlib.Path('a').rename(T)", (("write", "os.rename", False),)),
    ("os.remove(T)", (("write", "os.remove", False),)),
    ("os.symlink('/', T)", (("write", "os.symlink", False),)),
    ("os.link('app.py', T)", (("write", "os.link", False),)),
    ("os.chmod(T, 0o700)", (("write", "os.chmod", False),)),
    ("os.truncate(T, 0)", (("write", "os.truncate", False),)),
    ("__import__(T)", (("import", "import", False),)),
    ("pickle.loads(b'c' + T.encode() + b'\\nx\\n.')", (("unpickle", "pickle.find_class", False), ("import", "import", False))),
    ("sqlite3.connect(':memory:').execute(f'select {T!r}')", (("sql", "sqlite3.execute", False),)),
    ("sqlite3.connect(':memory:').cursor().executescript(f'select {T!r}')", (("sql", "sqlite3.executescript", False),)),
    ("sqlite3.connect(':memory:', factory=Mine).cursor(Cursor).execute(f'select {T!r}')", (("sql", "sqlite3.execute", False),)),
    # The token is a value beside the statement
    ("sqlite3.connect(':memory:').execute('select ?', [T]).fetchall()", ()),
    ("sqlite3.connect(T).close()", (("write", "sqlite3.connect", False),)),
    ("collections.namedtuple(T, 'a b')", ()),
    ("json.loads(json.dumps({T: [T]}))", ()),
    ("re.compile(T).match(T)", ()),
    ("logging.getLogger(T).debug(T)", ()),
)

HARMLESS = {"exec", "import", "unpickle", "compile"}

APPLICATION = """
import ast, asyncio, collections, json, logging, os, pathlib, pickle, re, sqlite3, subprocess, sys

class Mine(sqlite3.Connection): pass
class Cursor(sqlite3.Cursor): pass

async def shell(command):
    await (await asyncio.create_subprocess_shell(command)).wait()

for number, operation in enumerate(json.loads(sys.stdin.read() or open("operations.json").read()), 1):
    T = sys.argv[1] + "%04x" % number
    try:
        eval(operation, globals()) if not operation.startswith("exec(") else exec(operation, globals())
    except Exception as error:
        print(number, operation, type(error).__name__, error, flush=True)
"""


@every
@pytest.mark.parametrize("block", [True, False], ids=["block", "allow"])
def test_each_operation(python: str, block: bool, tmp_path: Path) -> None:
    run = Monitored(tmp_path, block=block)
    (run.app / "app.py").write_text(APPLICATION)
    (run.app / "operations.json").write_text(json.dumps([operation for operation, _ in OPERATIONS]))
    done = run.run(python, "app.py", PREFIX)
    assert done.returncode == 0, done.stderr
    for number, (operation, expected) in enumerate(OPERATIONS, 1):
        events = run.of(number)
        told = dict.fromkeys((event.kind, event.call, event.shell) for event in events)  # an opener of 3.8 tells twice
        assert tuple(told) == expected, operation
        for event in events:
            assert event.blocked == (block and event.kind not in HARMLESS), operation
        stopped = any(event.blocked for event in events) and not operation.startswith("os.spawnv")  # it is a child that is stopped
        assert (f"{number} {operation} PermissionError [Errno 13] blocked by headwater: " in done.stdout) == stopped, operation
    made = [path.name for folder in (run.app, run.folder) for path in folder.iterdir() if PREFIX in path.name]
    assert not made if block else token(18) in made


@every
def test_an_event_says_where_and_what(python: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.app / "tools.py").write_text("import os\n\ndef ping(host):\n    return os.system('ping -c1 ' + host)\n")
    (run.app / "app.py").write_text("import sys, tools\n\ndef main():\n    tools.ping(sys.argv[1])\n\nmain()\n")
    run.run(python, "app.py", f"127.0.0.1; touch {token(1)} {token(2)} {token(1)} hwcffffff0001 {PREFIX}xyz")
    event = run.seen()[-1]
    assert event.value == f"ping -c1 127.0.0.1; touch {token(1)} {token(2)} {token(1)} hwcffffff0001 {PREFIX}xyz"
    assert event.tokens == (token(1), token(2)), "each once; those of other runs are none"
    assert [(os.path.basename(frame.file), frame.line, frame.function) for frame in event.stack[:3]] == [
        ("tools.py", 4, "ping"),
        ("app.py", 4, "main"),
        ("app.py", 6, "<module>"),
    ]
    assert all(os.path.isabs(frame.file) for frame in event.stack)
    assert len(event.stack) == 3


@every
def test_work_of_a_pool_has_the_stack_of_who_gave_it(python: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.app / "app.py").write_text("""
import asyncio, os, sys

async def handler():
    await asyncio.get_running_loop().run_in_executor(None, os.mkdir, sys.argv[1])

async def main():
    await asyncio.create_task(handler())

try:
    asyncio.run(main())
except PermissionError as error:
    print(error)
""")
    assert run.run(python, "app.py", token(1)).stdout == "[Errno 13] blocked by headwater: os.mkdir\n"
    (event,) = run.of(1)
    assert [(frame.line, frame.function) for frame in event.stack if frame.file == str(run.app / "app.py")] == [
        (5, "handler"),
        (11, "<module>"),
    ]


@every
def test_a_layer_tells_once_and_a_second_operation_again(python: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path, block=False)
    (run.app / "app.py").write_text("""
import os, sqlite3, sys
from http.client import HTTPConnection
from urllib.request import urlopen

one, two, three = sys.argv[1:]
database = sqlite3.connect(":memory:")
for _ in range(2):
    database.execute("select '%s'" % one)  # makes a cursor, in some versions by the methods that are watched
for operation in (os.listdir, open, os.listdir):
    try:
        operation(two)
    except OSError:
        pass
try:
    urlopen("http://127.0.0.1:9/" + three)  # is a request of http.client
except OSError:
    pass
HTTPConnection("127.0.0.1", 9).putrequest("GET", "/" + three)
""")
    done = run.run(python, "app.py", *map(token, (1, 2, 3)))
    assert done.stderr == ""
    assert [event.call for event in run.of(1)] == ["sqlite3.execute"] * 2
    assert [event.call for event in run.of(2)] == ["os.listdir", "open", "os.listdir"]
    assert [event.call for event in run.of(3)] == ["urllib.request.open", "http.client.putrequest"]


@every
def test_processes_threads_and_modules(python: str, tmp_path: Path) -> None:
    """Children by every way have a monitor; a fork has its own file."""
    run = Monitored(tmp_path)
    (run.app / "worker.py").write_text(
        "import os\n\ndef work(path):\n    try:\n        os.mkdir(path)\n    except PermissionError:\n        pass\n"
    )
    (run.app / "app.py").write_text(f"""
import multiprocessing, os, subprocess, sys, threading
from worker import work

if __name__ == "__main__":
    if os.fork() == 0:
        work("{token(1)}")
        os._exit(0)
    os.wait()
    thread = threading.Thread(target=work, args=["{token(2)}"])
    thread.start()
    thread.join()
    for number, method in enumerate(["fork", "spawn", "forkserver"], 3):
        process = multiprocessing.get_context(method).Process(target=work, args=["{PREFIX}%04x" % number])
        process.start()
        process.join()
    subprocess.run([sys.executable, "-c", "import sys, worker; worker.work(sys.stdin.read())"], input="{token(6)}", text=True)
    subprocess.run([sys.executable, "-m", "worker2"])
    subprocess.run(["sh", "-c", "%s worker3.py" % sys.executable])
""")
    (run.app / "worker2.py").write_text(f"import worker\nworker.work('{token(7)}')\n")
    (run.app / "worker3.py").write_text(f"import worker\nworker.work('{token(8)}')\n")
    done = run.run(python, "app.py")
    assert done.returncode == 0, done.stderr
    events = run.seen()
    for number in range(1, 9):
        assert [event.blocked for event in run.of(number) if event.call == "os.mkdir"] == [True], number
    assert len({event.pid for event in events if event.call == "os.mkdir"}) == 8, "one of them is a thread"
    # A script that the application's process runs by itself is text of the application, with a token in it
    assert [event.kind for event in run.of(8)] == ["exec", "write"]
    commands = [json.loads(event.value) for event in events if event.kind == "start"]
    assert [python, "app.py"] in [[python, *command[1:]] for command in commands]
    assert any(command[1:] == ["-m", "worker2"] for command in commands)
    assert all(event.number for event in events)


def test_a_secret_may_be_read_and_nothing_written_beside_it(tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.scratch / f"{token(1)}.txt").write_text("the secret word")
    up = "../" * 20 + str(run.scratch)[1:]
    (run.app / "app.py").write_text(f"""
import os
print(open("{up}/{token(1)}.txt").read())
for attempt in (
    lambda: open("{up}/{token(1)}.txt", "r+"),
    lambda: open("{run.scratch}/../{token(2)}"),
    lambda: os.mkdir("{run.scratch}/{token(3)}"),
):
    try:
        attempt()
        print("not stopped")
    except PermissionError:
        pass
""")
    done = run.run(sys.executable, "app.py")
    assert done.stdout == "the secret word\n"
    assert [(event.kind, event.blocked) for event in run.of(1)] == [("exec", False), ("read", False), ("write", True)]
    assert [(event.kind, event.blocked) for event in run.of(2)] == [("exec", False), ("read", True)]
    assert [(event.kind, event.blocked) for event in run.of(3)] == [("exec", False), ("write", True)]


def test_only_the_program_can_tell_what_an_option_does(tmp_path: Path) -> None:
    """A value that begins with a dash goes to the program, whose file shows that it was taken for an option. No shell, no other value."""
    run = Monitored(tmp_path)
    (run.app / "words").write_text("b\na\n")
    values = [f"--output={run.scratch}/{token(1)}", str(run.scratch / token(2)), f"--output={run.scratch}/{token(3)} {token(3)}"]
    commands = [["sort", "words", values[0]], ["touch", values[1]], ["sh", "-c", f"sort words {values[2]}"], [values[0], "words"]]
    (run.app / "app.py").write_text(f"""
import subprocess
for command in {commands}:
    try:
        subprocess.run(command)
    except OSError:
        pass
""")
    run.run(sys.executable, "app.py")
    told = [(event.value.split('"')[1].partition("=")[0], event.blocked) for event in run.seen() if event.kind == "process"]
    assert told == [("sort", False), ("touch", True), ("sh", True), ("--output", True)]
    assert [path.name for path in run.scratch.iterdir()] == [token(1)]


def test_no_monitor_no_start(tmp_path: Path) -> None:
    """Isolated mode ignores the environment. What then is missing is the event of the start."""
    run = Monitored(tmp_path)
    for option in ("-I", "-E", "-S"):
        assert run.run(sys.executable, option, "-c", "print('runs')").stdout == "runs\n"
    assert run.seen() == []
    run.control.write_text("{broken")
    done = run.run(sys.executable, "-c", "print('runs')")
    assert (done.stdout, done.stderr) == ("runs\n", "")
    run.control.unlink()
    assert run.run(sys.executable, "-c", "print('runs')").stdout == "runs\n"


def test_the_application_has_its_own_sitecustomize(tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.app / "sitecustomize.py").write_text("import builtins\nbuiltins.SITE = __name__\n")
    (run.app / "app.py").write_text("import sitecustomize\nprint(SITE, sitecustomize.__file__)\n")
    path = environment(run.control)["PYTHONPATH"] + os.pathsep + str(run.app)
    assert run.run(sys.executable, "app.py", variables={"PYTHONPATH": path}).stdout == f"sitecustomize {run.app}/sitecustomize.py\n"
    (run.app / "sitecustomize.py").write_text("raise ValueError('theirs')\n")
    done = run.run(sys.executable, "-c", "print('runs')", variables={"PYTHONPATH": path})
    assert done.stdout == "runs\n"
    assert "ValueError: theirs" in done.stderr
    assert [event.kind for event in run.seen()] == ["start", "start"]


def test_an_endless_loop_hides_no_other_event(tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.app / "app.py").write_text("""
import os, sys
for number in range(30_000):
    try:
        os.mkdir(sys.argv[1] + str(number))
    except PermissionError:
        pass
os.remove(sys.argv[2])
""")
    run.run(sys.executable, "app.py", token(1), token(2))
    assert [event.call for event in run.of(2)] == ["os.remove"]
    assert [event.kind for event in run.of(1)] == ["write"] * 40 + ["lost"]


def test_a_process_that_closes_its_files(tmp_path: Path) -> None:
    """Daemons close all descriptors; the file of events must not be what they open next."""
    run = Monitored(tmp_path)
    (run.app / "app.py").write_text("""
import os, sys
def attempt(path):
    try:
        os.mkdir(path)
    except PermissionError:
        pass
attempt(sys.argv[1])
os.closerange(3, 100)
own = [os.open("own%d" % number, os.O_CREAT | os.O_WRONLY) for number in range(20)]
attempt(sys.argv[2])
""")
    run.run(sys.executable, "app.py", token(1), token(2))
    assert [event.call for event in run.of(1) + run.of(2)] == ["os.mkdir", "os.mkdir"]
    assert all((run.app / f"own{number}").read_bytes() == b"" for number in range(20))


@every
def test_a_client_that_ignores_the_environment_is_redirected(python: str, tmp_path: Path) -> None:
    """By name, in every way to connect; the certificate is checked for the name, by an authority that the client was not told of."""
    authority = certificates(tmp_path)
    with Secure(authority.parent / "server.pem") as server:
        run = Monitored(tmp_path, hosts=("model.example",), redirect=server.port, authority=str(authority))
        (run.app / "app.py").write_text("""
import asyncio, http.client, socket, ssl, urllib.request

print(urllib.request.urlopen("https://model.example/1", timeout=10).read().decode())

client = http.client.HTTPSConnection("model.example", timeout=10, context=ssl.create_default_context())
client.request("GET", "/2")
print(client.getresponse().read().decode())

async def stream():
    reader, writer = await asyncio.open_connection("model.example", 443, ssl=True)
    writer.write(b"GET /3 HTTP/1.0\\r\\nHost: model.example\\r\\n\\r\\n")
    print((await reader.read()).decode()[-6:])
    # As anyio does: a look-up, then a connection with a port of its own
    found = await asyncio.get_running_loop().getaddrinfo("model.example", None)
    reader, writer = await asyncio.open_connection(found[0][4][0], 443, ssl=True, server_hostname="model.example")
    writer.write(b"GET /4 HTTP/1.0\\r\\nHost: model.example\\r\\n\\r\\n")
    print((await reader.read()).decode()[-6:])

asyncio.run(stream())

plain = socket.socket()
plain.settimeout(10)
plain.connect(("model.example", 443))
secure = ssl.create_default_context().wrap_socket(plain, server_hostname="model.example")
secure.sendall(b"GET /5 HTTP/1.0\\r\\nHost: model.example\\r\\n\\r\\n")
print(secure.makefile().read()[-6:])

for other in ("https://other.example/", "https://93.184.216.34/"):
    try:
        urllib.request.urlopen(other, timeout=10)
    except OSError as error:
        print(error)
try:
    ssl.create_default_context().wrap_socket(socket.create_connection(("model.example", 443)), server_hostname="other.example")
except ssl.SSLCertVerificationError:
    print("wrong name")
""")
        done = run.run(python, "app.py")
        assert done.stderr == ""
        assert done.stdout.splitlines() == [
            *["played"] * 5,
            "<urlopen error [Errno -3] refused by headwater: not on this machine>",
            "<urlopen error [Errno 101] refused by headwater: not on this machine>",
            "wrong name",
        ]
    assert server.asked == [f"model.example /{number}" for number in range(1, 6)]
    outside = [(event.call, event.value) for event in run.seen() if event.kind == "outside"]
    assert outside == [("socket.getaddrinfo", "other.example:443"), ("socket.connect", "93.184.216.34:443")]


@every
@pytest.mark.parametrize("block", [True, False], ids=["block", "allow"])
def test_requests(python: str, block: bool, tmp_path: Path) -> None:
    """A request is its address: what is in bodies and headers is no event. Loopback is the sink, it gets what it is sent."""
    run = Monitored(tmp_path, block=block)
    (run.app / "app.py").write_text("""
import http.server, socket, sys, threading, urllib.request

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        print("POST", self.path, flush=True)
    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
one, two, three, four, five = sys.argv[1:]
here = "http://127.0.0.1:%d/" % server.server_port
urllib.request.urlopen(here + one, data=b"").read()
urllib.request.urlopen(urllib.request.Request(here, data=two.encode(), headers={"x-" + two: two})).read()
for attempt in (
    lambda: urllib.request.urlopen("http://169.254.169.254/latest/" + three, data=b""),
    lambda: socket.create_connection((four + ".example", 80)),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    lambda: socket.socket(socket.AF_UNIX).connect(five),
):
    try:
        attempt()
    except OSError as error:
        print(type(error).__name__, str(error)[:60])
""")
    done = run.run(python, "app.py", *map(token, range(1, 6)))
    lines = [line.replace(token(1), "<1>") for line in done.stdout.splitlines()]
    assert lines[:2] == ["POST /<1>", "POST /"], done.stderr
    events = run.seen()
    port = next(event.value for event in events if event.kind == "listen").split(":")[1]
    assert [(event.call, event.value, event.blocked) for event in run.of(1)] == [
        ("urllib.request.open", f"http://127.0.0.1:{port}/{token(1)}", False)
    ]
    assert run.of(2) == []
    assert [(event.kind, event.value, event.blocked) for event in run.of(3)] == [
        ("request", f"http://169.254.169.254/latest/{token(3)}", block),
    ]
    # Names outside are refused in both modes
    assert [(event.kind, event.value, event.blocked) for event in run.of(4)] == [("connect", f"{token(4)}.example:80", True)]
    assert [(event.kind, event.blocked) for event in run.of(5)] == [("connect", False)]
    outside = [event.value for event in events if event.kind == "outside"]
    assert outside == ["192.0.2.1:53"] if block else ["169.254.169.254:80", "192.0.2.1:53"]


def test_sockets_that_are_not_those_of_the_standard_library(tmp_path: Path) -> None:
    """Of these is seen when they are bound. A datagram's address is none that is listened at."""
    run = Monitored(tmp_path)
    (run.app / "app.py").write_text("""
import _socket, socket

free = socket.socket()
free.bind(("127.0.0.1", 0))
place = free.getsockname()
free.close()
socket.socket(type=socket.SOCK_DGRAM).bind(place)
other = _socket.socket()
other.bind(place)
print("%s:%d" % place)
""")
    done = run.run(sys.executable, "app.py")
    assert done.stderr == ""
    assert [(event.kind, event.value) for event in run.seen()[1:]] == [("listen", done.stdout.strip())]
