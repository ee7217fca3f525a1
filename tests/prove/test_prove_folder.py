"""The folder of a run, and what keeps the application in: its copy, its processes, its network, what it says."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater import limits
from headwater.prove import folder, inside, launch, lines, plant
from headwater.prove.folder import CopyError, Folder
from headwater.prove.scenario import ScenarioError

separate = pytest.mark.skipif(not launch.can_separate(), reason="this system lets no process have a network of its own")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


@pytest.fixture
def made() -> Iterator[Folder]:
    with folder.made() as one:
        one.work.mkdir()
        yield one


# ------------------------------------------------------------------------------------------------------------ copies


def application(path: Path) -> Path:
    source = path / "app"
    for name in ("src/main.py", "data/a.txt", ".git/config", "src/__pycache__/x.pyc", ".venv/bin/python", "web/node_modules/a/index.js"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name, encoding="utf-8")
    (path / "outside.txt").write_text("outside", encoding="utf-8")
    return source


def test_a_copy_has_what_the_application_needs(tmp_path: Path) -> None:
    source = application(tmp_path)
    with folder.made() as made:
        assert stat.S_IMODE(made.root.stat().st_mode) == 0o700
        folder.copy(source, made)
        assert (made.work / "src/main.py").read_text(encoding="utf-8") == "src/main.py"
        assert not (made.work / ".git").exists()
        assert not (made.work / "src/__pycache__").exists()
        assert os.readlink(made.work / ".venv") == str(source / ".venv")
        assert os.readlink(made.work / "web/node_modules") == str(source / "web/node_modules")
        (made.work / "src/main.py").write_text("changed", encoding="utf-8")
        (made.work / "new").touch()
        folder.copy(source, made)
        assert (made.work / "src/main.py").read_text(encoding="utf-8") == "src/main.py"
        assert not (made.work / "new").exists()
    assert not made.root.exists()
    assert (source / "src/main.py").read_text(encoding="utf-8") == "src/main.py"


def test_links_within_lead_into_the_copy_and_others_where_they_led(tmp_path: Path) -> None:
    source = application(tmp_path)
    (source / "relative").symlink_to("data/a.txt")
    (source / "absolute").symlink_to(source / "data" / "a.txt")
    (source / "src/up").symlink_to("../../outside.txt")
    (source / "away").symlink_to(tmp_path / "outside.txt")
    (source / "nowhere").symlink_to("not-there")
    with folder.made() as made:
        folder.copy(source, made)
        for name in ("relative", "absolute"):
            (made.work / name).write_text("changed", encoding="utf-8")
        assert (source / "data/a.txt").read_text(encoding="utf-8") == "data/a.txt"
        assert (made.work / "data/a.txt").read_text(encoding="utf-8") == "changed"
        assert (made.work / "src/up").read_text(encoding="utf-8") == "outside"
        assert (made.work / "away").read_text(encoding="utf-8") == "outside"
        assert os.readlink(made.work / "nowhere") == "not-there"


def test_pipes_and_sockets_are_left_out(tmp_path: Path) -> None:
    source = application(tmp_path)
    os.mkfifo(source / "pipe")
    with folder.made() as made:
        folder.copy(source, made)  # reading the pipe would never end
        assert not (made.work / "pipe").exists()


@pytest.mark.parametrize(("name", "value"), [("PROVE_COPY_FILES", 3), ("PROVE_COPY_BYTES", 20)])
def test_copies_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    source = application(tmp_path)
    (source / "more").mkdir()
    for number in range(3):
        (source / "more" / str(number)).write_text("0123456789", encoding="utf-8")
    monkeypatch.setattr(limits, name, value)
    with folder.made() as made, pytest.raises(CopyError, match="the application has more than"):
        folder.copy(source, made)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is locked to the superuser")
def test_what_was_locked_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/c/file").touch()
    for one in ("a/b/c", "a/b", "a"):
        (tmp_path / one).chmod(0)
    assert folder.remove(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_rights_are_given_back_from_the_top_down_and_links_are_let_be(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    outside.chmod(0o500)
    (tmp_path / "a/b/link").symlink_to(outside)
    for one in ("a/b", "a"):
        (tmp_path / one).chmod(0)
    folder._unlock(tmp_path / "a")
    assert [stat.S_IMODE((tmp_path / one).stat().st_mode) for one in ("a", "a/b")] == [0o700, 0o700]
    assert stat.S_IMODE(outside.stat().st_mode) == 0o500


def test_an_application_that_replaced_its_folder_is_copied_again(tmp_path: Path) -> None:
    source = application(tmp_path)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    with folder.made() as made:
        for target in (tmp_path / "precious", tmp_path / "not-there"):
            folder.copy(source, made)
            folder.remove(made.work)
            made.work.symlink_to(target)
            folder.copy(source, made)
            assert (made.work / "src/main.py").is_file()
    assert (tmp_path / "precious/file").exists()


def test_hostile_files_are_put_into_the_copy_alone(made: Folder, tmp_path: Path) -> None:
    (tmp_path / "index.pkl").write_text("mine", encoding="utf-8")
    (made.work / "index.pkl").symlink_to(tmp_path / "index.pkl")
    (made.work / "away").symlink_to(tmp_path)
    plant.put(made.work, "index.pkl", "hostile")
    plant.put(made.work, "data/new.pkl", "hostile")
    assert (tmp_path / "index.pkl").read_text(encoding="utf-8") == "mine"
    assert (made.work / "index.pkl").read_text(encoding="utf-8") == (made.work / "data/new.pkl").read_text(encoding="utf-8") == "hostile"
    for name in ("away/index.pkl", "../x", "/etc/passwd", ".", "data"):
        with pytest.raises(ScenarioError, match="--plant"):
            plant.put(made.work, name, "hostile")
    assert (tmp_path / "index.pkl").read_text(encoding="utf-8") == "mine"
    assert [plant.payload_for(name).language for name in ("a.pkl", "a.yml", "a.json")] == ["pickle", "yaml", "json"]


def test_the_folder_that_may_be_used(made: Folder, tmp_path: Path) -> None:
    (made.work / "files").mkdir()
    (made.work / "away").symlink_to(tmp_path, target_is_directory=True)
    assert folder.usable(made.work, ["--root", "./files"]) == str(made.work / "files")
    assert (made.work / "files_evil").is_dir()
    assert folder.usable(made.work, ["..", "/etc", ".", "none"]) == ""
    assert folder.usable(made.work, ["away"]) == str(tmp_path)
    assert not tmp_path.with_name(f"{tmp_path.name}_evil").exists()


# ------------------------------------------------------------------------------------------------ environment, processes


def test_no_key_of_the_user_is_handed_on(made: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DATABASE_URL", "PYTHONPATH", "HTTP_PROXY"):
        monkeypatch.setenv(name, "mine")
    environment = launch.environment(made, {"PYTHONPATH": "/a", "X": "1"}, {"PYTHONPATH": "/b", "X": "2"}, {"NODE_OPTIONS": "-a"})
    assert "mine" not in environment.values()
    assert environment["HOME"] == str(made.home)
    assert environment["PYTHONPATH"] == "/a:/b"
    assert environment["X"] == "2"


def run(made: Folder, code: str, *, seconds: float = 20, ports: list[tuple[str, int, str]] | None = None) -> launch.Process:
    process = launch.start(
        [sys.executable, "-c", code], made.work, launch.environment(made), seconds=seconds, ports=ports, told=str(made.wire / "left")
    )
    process.wait(seconds)
    process.end()
    return process


def test_what_is_printed_is_kept_to_its_end(made: Folder) -> None:
    process = run(made, "import sys\nfor n in range(400): sys.stdout.write('x' * 10000 + '\\n')\nprint('the end')\nsys.exit(3)")
    assert process.status == 3
    assert process.output.endswith("the end\n")
    assert len(process.output) <= limits.PROVE_OUTPUT


def test_a_program_that_is_not_there(made: Folder) -> None:
    process = launch.start(["no-such-program"], made.work, launch.environment(made), seconds=10)
    assert process.wait(10)
    process.end()
    assert (process.status, process.output) == (inside.NOT_STARTED, "no-such-program: No such file or directory\n")


def test_files_are_bounded(made: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PROVE_FILE_BYTES", 1000)
    process = run(made, "with open('a', 'w', buffering=1) as file: file.write('x' * 5000)")
    assert process.status
    assert (made.work / "a").stat().st_size == 1000


FORKING = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    open("pid", "w").write(str(os.getpid()))
    time.sleep(100)
while not os.path.exists("pid") or not open("pid").read():
    time.sleep(0.01)
STAY and time.sleep(100)
"""


@linux
@pytest.mark.parametrize("stays", [False, True])
def test_nothing_is_left_running(made: Folder, stays: bool) -> None:
    """Neither a process that has a session of its own, nor one that takes no notice of being asked to end."""
    program = [sys.executable, "-c", FORKING.replace("STAY", str(stays))]
    process = launch.start(program, made.work, launch.environment(made), seconds=20, told=str(made.wire / "left"))
    until = time.monotonic() + 10
    while not (made.work / "pid").exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.1)
    assert process.wait(0.1 if stays else 10) is not stays
    process.end()
    assert not process.running
    assert not Path("/proc", (made.work / "pid").read_text(encoding="ascii")).exists()
    assert stays or (made.wire / "left").exists()


# ----------------------------------------------------------------------------------------------------------- network


@separate
def test_a_network_of_its_own_has_no_way_out_but_the_ports_that_are_given(made: Folder) -> None:
    """What it may reach answers; another port of this machine, and another machine, do not."""
    listeners = [inside.listening(socket.AF_INET, ("127.0.0.1", 0)) for _ in range(2)]
    given, hidden = (one.getsockname()[1] for one in listeners)

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # one of them is closed while nobody has come
            came, _ = listener.accept()
            came.sendall(b"hello " + came.recv(100))
            came.close()

    for one in listeners:
        threading.Thread(target=serve, args=(one,), daemon=True).start()
    code = f"""
import socket
def ask(host, port):
    try:
        with socket.create_connection((host, port), timeout=5) as one:
            one.sendall(b"you")
            return one.recv(100).decode() or "closed"
    except OSError as error:
        return type(error).__name__
print(ask("127.0.0.1", {given}), ask("127.0.0.1", {hidden}), ask("192.0.2.1", 80))
"""
    with launch.network(made, launch.Network((("127.0.0.1", given),), True)) as ports:
        assert run(made, code, ports=ports).output == "hello you ConnectionRefusedError OSError\n"
    for one in listeners:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)  # wakes who waits
        one.close()


@separate
def test_a_service_in_a_network_of_its_own_is_reached_by_its_door(made: Folder) -> None:
    code = "import http.server\nhttp.server.test(http.server.SimpleHTTPRequestHandler, port=8123, bind='127.0.0.1')"
    (made.work / "index.html").write_text("inside", encoding="utf-8")
    door = str(made.wire / "door.sock")
    process = launch.start([sys.executable, "-c", code], made.work, launch.environment(made), seconds=20, ports=[], doors=[(door, 8123)])
    try:
        assert launch.opened(8123, process, 10, door)
        with launch.connected(8123, door) as one:
            one.sendall(b"GET / HTTP/1.0\r\n\r\n")
            data = b""
            while piece := one.recv(1000):
                data += piece
        assert data.endswith(b"inside")
        with pytest.raises(OSError, match="refused"):
            launch.connected(8123)
    finally:
        process.end()
    assert not process.running


def test_who_does_not_listen_is_not_waited_for(made: Folder) -> None:
    process = launch.start([sys.executable, "-c", "pass"], made.work, launch.environment(made), seconds=10)
    began = time.monotonic()
    assert not launch.opened(launch.free_port(), process, 30)
    assert time.monotonic() - began < 20
    process.end()


def test_a_connection_that_drips_is_ended() -> None:
    one, other = socket.socketpair()
    ending = launch.Ending(one, 0.3)
    other.sendall(b"x")
    assert one.recv(1) == b"x"
    began = time.monotonic()
    assert one.recv(1) == b""
    assert time.monotonic() - began < 5
    assert ending.late
    ending.cancel()
    one.close()
    other.close()


# ------------------------------------------------------------------------------------------------------------- lines


def talking(made: Folder, code: str) -> tuple[launch.Process, lines.Channel]:
    process = launch.start([sys.executable, "-c", code], made.work, launch.environment(made), seconds=20, talks=True)
    return process, lines.Channel(process)


def test_lines_to_and_from_a_process(made: Folder) -> None:
    process, channel = talking(
        made, "import sys\nprint('noise')\nprint('[1]')\nprint('[' * 100000)\nfor line in sys.stdin: print(line, end='', flush=True)"
    )
    try:
        for number in range(3):
            channel.write({"n": number, "long": "x" * 100_000})
            answer = channel.read(10)
            assert answer is not None
            assert (answer["n"], len(answer["long"])) == (number, 100_000)
        assert channel.read(0.05) is None
    finally:
        process.end()
    assert channel.read(5) is None
    assert channel.read(5) is None
    channel.write({"nobody": "reads"})


def test_who_talks_without_end_must_wait_and_who_does_not_listen_is_not_waited_for(made: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_PATIENCE", 0.2)
    process, channel = talking(made, "import json\nwhile True: print(json.dumps({'a': 'x' * 1000}))")
    try:
        assert channel.read(10) == {"a": "x" * 1000}
        time.sleep(0.2)
        assert channel._came.qsize() <= lines._WAITING
        began = time.monotonic()
        channel.write({"long": "x" * 1_000_000})
        assert time.monotonic() - began < 5
    finally:
        process.end()
    assert not process.running
