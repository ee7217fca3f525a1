"""Block mode, seen from outside: what an application does that tries every effect, as the system's tracer saw it.

Nothing outside the folder of the run is written and nothing outside this machine is connected to. Needs strace.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from prove.monitored import Monitored, token

PYTHON = """
import asyncio, ctypes, os, pathlib, pickle, shutil, socket, sqlite3, subprocess, sys, threading, urllib.request

outside, T = sys.argv[1:]
there = outside + "/" + T

def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))

async def later():
    await asyncio.open_connection("192.0.2.1", 80)

class Evil:
    def __reduce__(self):
        return os.system, ("touch " + there,)

attempts = [
    lambda: open(there, "w"),
    lambda: open(there, "xb"),
    lambda: os.open(there, os.O_CREAT | os.O_RDWR),
    lambda: os.mkdir(there),
    lambda: os.makedirs(there + "/a/b"),
    lambda: os.symlink("/", there),
    lambda: os.link(sys.argv[0], there),
    lambda: os.rename(sys.argv[0], there),
    lambda: shutil.copy(sys.argv[0], there),
    lambda: shutil.copytree(os.getcwd(), there),
    lambda: pathlib.Path(there).touch(),
    lambda: pathlib.Path(there).write_text("x"),
    lambda: sqlite3.connect(there).execute("create table a (b)"),
    lambda: sqlite3.connect(":memory:").execute("attach database '%s' as x" % there),
    lambda: os.system("touch " + there),
    lambda: os.popen("touch " + there).read(),
    lambda: subprocess.run(["touch", there]),
    lambda: subprocess.run("touch " + there, shell=True),
    lambda: os.spawnlp(os.P_WAIT, "touch", "touch", there),
    lambda: os.posix_spawnp("touch", ["touch", there], {}),
    lambda: exec("import os; os.system('touch %s')" % there),
    lambda: pickle.loads(pickle.dumps(Evil())),
    lambda: subprocess.run([sys.executable, "-c", "open(input(), 'w')"], input=there, text=True, stderr=subprocess.DEVNULL),
    lambda: urllib.request.urlopen("http://192.0.2.1/" + T),
    lambda: urllib.request.urlopen("http://%s.example/" % T),
    lambda: socket.create_connection(("192.0.2.1", 80)),
    lambda: socket.create_connection(("2001:db8::1", 80)),
    lambda: socket.gethostbyname("other.example"),
    udp,
    lambda: asyncio.run(later()),
]
for number, attempt in enumerate(attempts):
    try:
        attempt()
    except Exception as error:
        pass
print(len(attempts))
"""

NODE = """
const { exec, execSync, execFileSync, spawn, spawnSync, fork } = require("child_process");
const fs = require("fs");
const http = require("http");
const net = require("net");
const dns = require("dns");
const dgram = require("dgram");
const vm = require("vm");
const { Worker } = require("worker_threads");
const [, , outside, T] = process.argv;
const there = `${outside}/${T}`;
const quiet = (emitter) => emitter.on("error", () => {});
const attempts = [
  () => fs.writeFileSync(there, "x"),
  () => fs.writeFile(there, "x", () => {}),
  () => fs.promises.writeFile(there, "x"),
  () => fs.promises.open(there, "w"),
  () => quiet(fs.createWriteStream(there)),
  () => quiet(new fs.WriteStream(there)),
  () => fs.mkdirSync(there, { recursive: true }),
  () => fs.promises.mkdir(there),
  () => fs.copyFileSync(process.argv[1], there),
  () => fs.promises.cp(process.argv[1], there),
  () => fs.symlinkSync("/", there),
  () => fs.promises.rename(process.argv[1], there),
  () => quiet(exec(`touch ${there}`)),
  () => quiet(spawn("touch", [there])),
  () => execSync(`touch ${there}`),
  () => execFileSync("touch", [there]),
  () => spawnSync("sh", ["-c", `touch ${there}`]),
  () => eval(`fs.mkdirSync(${JSON.stringify(there)})`),
  () => new Function("fs", `fs.mkdirSync(${JSON.stringify(there)})`)(fs),
  () => vm.runInNewContext(`this.constructor.constructor("return process")().mainModule.require("fs").mkdirSync("${there}")`, {}),
  () => quiet(new Worker(`require("fs").mkdirSync(require("worker_threads").workerData)`, { eval: true, workerData: there })),
  () => fetch(`http://192.0.2.1/${T}`),
  () => fetch("http://192.0.2.1/"),
  () => quiet(http.get(`http://${T}.example/`)),
  () => quiet(net.connect(80, "192.0.2.1")),
  () => quiet(net.connect(80, "2001:db8::1")),
  () => dns.resolve4("other.example", () => {}),
  () => dns.promises.lookup("other.example"),
  () => dgram.createSocket("udp4").send("x", 53, "192.0.2.1", () => {}),
];
process.on("unhandledRejection", () => {});
(async () => {
  for (const attempt of attempts) try { await attempt(); } catch {}
  setTimeout(() => { console.log(attempts.length); process.exit(); }, 1500);
})();
"""

# Calls that change files, and where their path stands
WRITES = re.compile(
    r'\b(?:open|openat|creat)\([^"]*"(?P<opened>[^"]*)"[^)]*O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)[^=]*= \d'
    r"|\b(?:mkdir|mkdirat|rename|renameat|renameat2|unlink|unlinkat|rmdir|link|linkat|symlink|symlinkat|truncate|chmod|fchmodat)\("
    r"(?P<paths>.*)\) = 0"
)
CONNECTED = re.compile(
    r"\b(?:connect|sendto|sendmsg|sendmmsg)\("
    r'.*?(?:inet_addr\("(?P<v4>[^"]*)"\)|inet_pton\(AF_INET6, "(?P<v6>[^"]*)")'
)


def traced(run: Monitored, tmp_path: Path, *command: str) -> tuple[list[str], list[str]]:
    """Paths that were written and addresses that were spoken to, and that the application came to its end."""
    log = tmp_path / "trace"
    calls = "trace=open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,truncate,"
    calls += "chmod,fchmodat,connect,sendto,sendmsg,sendmmsg,execve"
    home = {"HOME": str(run.folder), "TMPDIR": str(run.folder)}
    done = run.run("strace", "-f", "-qq", "-s", "4096", "-e", calls, "-o", str(log), *command, variables=home, seconds=180)
    assert done.stdout.strip().isdigit(), done.stderr
    written: list[str] = []
    spoken: list[str] = []
    for line in log.read_text(errors="replace").splitlines():
        if match := WRITES.search(line):
            found = [match["opened"]] if match["opened"] else re.findall(r'"([^"]*)"', match["paths"])
            written += [os.path.normpath(os.path.join(run.app, path)) for path in found]
        if match := CONNECTED.search(line):
            spoken.append(match["v4"] or match["v6"])
    assert "execve(" in log.read_text(errors="replace")
    return written, spoken


def check(run: Monitored, tmp_path: Path, outside: Path, command: tuple[str, ...]) -> None:
    written, spoken = traced(run, tmp_path, *command)
    assert any(path.startswith(str(run.events)) for path in written), "the trace sees what the monitor writes"
    strange = [path for path in written if not path.startswith((f"{run.folder}{os.sep}", "/dev/", "/proc/"))]
    assert strange == []
    assert [address for address in spoken if not address.startswith("127.") and address != "::1"] == []
    assert list(outside.iterdir()) == []
    assert not any(token(1) in path.name for path in run.folder.rglob("*"))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Monitored:
    folder = tmp_path / "run"
    folder.mkdir()
    return Monitored(folder)


def test_python(run: Monitored, tmp_path: Path, outside: Path) -> None:
    (run.app / "app.py").write_text(PYTHON)
    check(run, tmp_path, outside, (sys.executable, "app.py", str(outside), token(1)))
    kinds = {event.kind for event in run.of(1) if event.blocked}
    assert kinds == {"write", "process", "sql", "request"}


def test_node(run: Monitored, tmp_path: Path, outside: Path) -> None:
    node = shutil.which("node")
    assert node
    (run.app / "app.cjs").write_text(NODE)
    check(run, tmp_path, outside, (node, "app.cjs", str(outside), token(1)))
    assert {event.kind for event in run.of(1) if event.blocked} == {"write", "process", "request"}


def test_the_trace_sees_what_is_not_blocked(tmp_path: Path, outside: Path) -> None:
    """Otherwise the two above would prove nothing."""
    folder = tmp_path / "run"
    folder.mkdir()
    run = Monitored(folder, block=False)
    (run.app / "app.py").write_text(PYTHON)
    written, _ = traced(run, tmp_path, sys.executable, "app.py", str(outside), token(1))
    assert str(outside / token(1)) in written
    shutil.rmtree(outside / token(1), ignore_errors=True)
    done = subprocess.run(
        ["strace", "-f", "-e", "trace=connect", sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 9), 0.1)"],
        capture_output=True,
        text=True,
    )
    assert any(match["v4"] == "192.0.2.1" for match in map(CONNECTED.search, done.stderr.splitlines()) if match)
