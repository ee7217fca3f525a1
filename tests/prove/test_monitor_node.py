"""The Node.js monitor, in processes of every Node.js that the machine has."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from prove.monitored import PREFIX, Monitored, token
from prove.servers import Secure, certificates


def interpreters() -> list[str]:
    candidates = [path] if (path := shutil.which("node")) else []
    candidates += map(str, sorted((Path.home() / ".nvm" / "versions" / "node").glob("*/bin/node")))
    found: dict[str, str] = {}
    for candidate in candidates:
        version = subprocess.run([candidate, "--version"], capture_output=True, text=True).stdout.split(".")[0]
        if version[1:].isdigit() and int(version[1:]) >= 18:
            found.setdefault(version, candidate)
    return list(found.values())


NODES = interpreters()
pytestmark = pytest.mark.skipif(not NODES, reason="node is missing")
every = pytest.mark.parametrize("node", NODES)

SPAWN, SYNC = ("process", "child_process.spawn"), ("process", "child_process.spawnSync")

# What an application does with a token T, and the events of it: kind, operation, whether a shell has it.
OPERATIONS: tuple[tuple[str, tuple[tuple[str, str, bool], ...]], ...] = (
    ("promisify(exec)(`echo ${T}`).then((done) => done.stdout.length)", ((*SPAWN, True),)),
    ("new Promise((done, failed) => exec(`echo ${T}`, (error) => error ? failed(error) : done()))", ((*SPAWN, True),)),
    ("promisify(execFile)('echo', [T])", ((*SPAWN, False),)),
    ("new Promise((done, failed) => spawn(`echo ${T}`, {shell: true}).on('error', failed).on('exit', done))", ((*SPAWN, True),)),
    ("execSync(`echo ${T}`)", (("process", "child_process.execSync", True),)),
    ("execFileSync('bash', ['-ec', `echo ${T}`])", (("process", "child_process.execFileSync", True),)),
    ("execFileSync('echo', [T])", (("process", "child_process.execFileSync", False),)),
    # The shell has a command of the application's; the token is an argument of it
    ("execFileSync('sh', ['-c', 'echo \"$1\"', 'sh', T])", (("process", "child_process.execFileSync", False),)),
    ("thrown(spawnSync('echo', [T]))", ((*SYNC, False),)),
    ("thrown(spawnSync(`echo ${T}`, {shell: true}))", ((*SYNC, True),)),
    # The token is in the environment, which is nobody's sink
    ("execFileSync('true', {env: {...process.env, X: T}})", ()),
    ("fs.readFileSync(T)", (("read", "fs.readFileSync", False),)),
    ("readFileSync(Buffer.from(T))", (("read", "fs.readFileSync", False),)),
    ("fs.readFileSync(new URL(`file:///tmp/${T}`))", (("read", "fs.readFileSync", False),)),
    ("promisify(fs.writeFile)(T, 'x')", (("write", "fs.writeFile", False),)),
    (
        "new Promise((done, failed) => fs.appendFile(T, 'x', (error) => error ? failed(error) : done()))",
        (("write", "fs.appendFile", False),),
    ),
    ("fs.closeSync(fs.openSync(T, 'w'))", (("write", "fs.openSync", False),)),
    ("promises.open(T).then((file) => file.close())", (("read", "fs.promises.open", False),)),
    ("promises.readdir(T)", (("read", "fs.promises.readdir", False),)),
    ("mkdir(T + '/a/b', {recursive: true})", (("write", "fs.promises.mkdir", False),)),
    ("fs.renameSync('app.mjs.old', T)", (("write", "fs.renameSync", False),)),
    ("promises.rm(T)", (("write", "fs.promises.rm", False),)),
    ("promises.symlink('/', T + '-link')", (("write", "fs.promises.symlink", False),)),
    (
        "new Promise((done, failed) => fs.createWriteStream(T + '-stream').on('error', failed).on('finish', done).end('x'))",
        (("write", "fs.createWriteStream", False),),
    ),
    # Code that sees the names around it
    ("((local) => eval(`local + ${JSON.stringify(T)}`))(1)", (("exec", "eval", False),)),
    ("(0, eval)(`'${T}'`)", (("exec", "eval", False),)),
    ("new Function('a', `return '${T}'`)(1)", (("exec", "Function", False),)),
    ("Function(`return '${T}'`)()", (("exec", "Function", False),)),
    ("(() => {}).constructor(`return '${T}'`)()", (("exec", "Function", False),)),
    ("(async () => {}).constructor(`return '${T}'`)()", (("exec", "Function", False),)),
    # Made to see whether it is code, and never run
    ("{ new Function(`return '${T}'`) }", ()),
    ("{ new vm.Script(`'${T}'`) }", ()),
    ("new vm.Script(`'${T}'`).runInNewContext()", (("exec", "vm.Script.runInNewContext", False),)),
    ("vm.runInNewContext(`'${T}'`)", (("exec", "vm.runInNewContext", False),)),
    ("vm.runInNewContext('eval(text)', {text: `'${T}'`})", (("exec", "eval", False),)),
    ("vm.compileFunction(`return '${T}'`)()", (("exec", "vm.compileFunction", False),)),
    # Not code in the end
    ("vm.runInNewContext(`'${T}' is no code`)", ()),
    (
        "new Promise((done, failed) => new Worker(`require('fs').mkdirSync('${T}')`, {eval: true}).on('error', failed).on('exit', done))",
        (("exec", "worker_threads.Worker", False), ("write", "fs.mkdirSync", False)),
    ),
    ("require(T)", (("import", "require", False),)),
    ("fetch(`http://192.0.2.1/${T}`, {method: 'POST', body: T})", (("request", "fetch", False),)),
    (
        "new Promise((done, failed) => http.get(`http://192.0.2.1/?q=${T}`, done).on('error', failed))",
        (("request", "http.request", False),),
    ),
    (
        "new Promise((done, failed) => https.get({host: '192.0.2.1', path: '/' + T}).on('error', failed))",
        (("request", "https.request", False),),
    ),
    ("JSON.parse(JSON.stringify({T, [T]: [T]}))[T]", ()),
    ("new RegExp(T).test(T)", ()),
)

HARMLESS = {"exec", "import", "compile"}

APPLICATION = """
import { exec, execFile, execFileSync, execSync, spawn, spawnSync } from "node:child_process";
import fs, { promises, readFileSync } from "fs";
import { mkdir } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import vm from "node:vm";
import { Worker } from "node:worker_threads";

const require = createRequire(import.meta.url);
const thrown = (done) => { if (done.error) throw done.error; };
let number = 0;
"""

STEP = """
number += 1;
try {
  const T = process.argv[2] + number.toString(16).padStart(4, "0");
  await %s;
} catch (error) {
  const { message } = error.cause || error;
  console.log(number, /blocked by headwater/.test(message) ? "blocked" : message.split("\\n")[0]);
}
"""


@every
@pytest.mark.parametrize("block", [True, False], ids=["block", "allow"])
def test_each_operation(node: str, block: bool, tmp_path: Path) -> None:
    run = Monitored(tmp_path, block=block)
    steps = "".join(STEP.replace("await %s;", operation) if operation.startswith("{") else STEP % operation for operation, _ in OPERATIONS)
    (run.app / "app.mjs").write_text(APPLICATION + steps)
    done = run.run(node, "app.mjs", PREFIX)
    assert done.returncode == 0, done.stderr
    for number, (operation, expected) in enumerate(OPERATIONS, 1):
        events = run.of(number)
        told = dict.fromkeys((event.kind, event.call, event.shell) for event in events)
        # A stream's file is opened when the stream has been told of, in a later turn
        assert tuple(kind for kind in told if kind[1] != "fs.open") == expected, operation
        for event in events:
            assert event.blocked == (block and event.kind not in HARMLESS), operation
        assert (f"{number} blocked\n" in done.stdout) == any(event.blocked for event in events), operation
    made = [path.name for path in run.app.iterdir() if PREFIX in path.name]
    assert not made if block else f"{token(24)}-stream" in made


@every
def test_attributes_are_noted_and_not_refused(node: str, tmp_path: Path) -> None:
    """A check of a path does no harm. What the path is used for after it is what matters."""
    run = Monitored(tmp_path)
    (run.app / "app.mjs").write_text(f"""
import fs from "node:fs";
console.log(fs.existsSync("{token(1)}"));
console.log(await fs.promises.stat("{token(2)}").catch((error) => error.code));
try {{ fs.realpathSync.native("{token(3)}"); }} catch (error) {{ console.log(error.code); }}
try {{ fs.mkdirSync("{token(1)}"); }} catch (error) {{ console.log(error.code, error.message); }}
if (!fs.existsSync("{token(4)}")) try {{ fs.readFileSync("{token(4)}"); }} catch {{}}
""")
    done = run.run(node, "app.mjs")
    assert done.stdout.splitlines() == ["false", "ENOENT", "ENOENT", "EACCES EACCES: blocked by headwater: fs.mkdirSync"], done.stderr
    effects = [(event.call, event.blocked) for event in run.seen() if event.kind in ("read", "write")]
    assert effects == [
        ("fs.existsSync", False),
        ("fs.promises.stat", False),
        ("fs.realpathSync.native", False),
        ("fs.mkdirSync", True),
        ("fs.existsSync", False),
        ("fs.readFileSync", True),
    ]


@every
def test_an_event_says_where_and_what(node: str, tmp_path: Path) -> None:
    """Places are those of the source where a source map tells."""
    run = Monitored(tmp_path)
    (run.app / "tools.ts").write_text(
        'import { execSync } from "node:child_process";\n\n'
        'export function ping(host: string): Buffer {\n  return execSync("ping " + host);\n}\n'
    )
    (run.app / "tools.mjs").write_text(
        'import { execSync } from "node:child_process";\nexport function ping(host) {\n  return execSync("ping " + host);\n}\n'
        "//# sourceMappingURL=tools.mjs.map\n"
    )
    mappings = "AAAA,SAAS,gBAAgB;AAElB;AACL,SAAO,SAAS,UAAU,IAAI;AAChC;"
    whole = {"version": 3, "sources": ["tools.ts"], "names": [], "mappings": mappings}
    (run.app / "tools.mjs.map").write_text(json.dumps(whole))
    (run.app / "app.mjs").write_text(
        'import { ping } from "./tools.mjs";\nclass Agent {\n  async act(host) {\n    await null;\n    ping(host);\n  }\n}\n'
        "await new Agent().act(process.argv[2]).catch(() => {});\n"
    )
    run.run(node, "app.mjs", f"::1; touch {token(1)} {token(2)} {token(1)} hwcffffff0001 {PREFIX}xyz")
    event = run.seen()[-1]
    assert event.value == f"ping ::1; touch {token(1)} {token(2)} {token(1)} hwcffffff0001 {PREFIX}xyz"
    assert event.tokens == (token(1), token(2))
    assert [(frame.file, frame.line, frame.function) for frame in event.stack[:2]] == [
        (str(run.app / "tools.ts"), 4, "ping"),
        (str(run.app / "app.mjs"), 5, "Agent.act"),
    ]


@every
def test_children_and_workers(node: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.app / "work.cjs").write_text("""
const fs = require("fs");
try { fs.mkdirSync(process.argv[2] || require("worker_threads").workerData); } catch {}
""")
    (run.app / "app.cjs").write_text("""
const { fork, spawnSync } = require("child_process");
const { Worker } = require("worker_threads");
new Worker("./work.cjs", { workerData: require("fs").readFileSync("one", "utf8") });
fork("work.cjs", ["other"]);
spawnSync("sh", ["-c", `"$0" work.cjs $(cat two)`, process.execPath]);
""")
    (run.app / "one").write_text(token(1))
    (run.app / "two").write_text(token(2))
    (run.app / "written.cjs").write_text(f"require('fs').rmdirSync('{token(3)}')\n")
    run.run(node, "app.cjs")
    run.run(node, "written.cjs")
    run.run(node, "--eval", f"require('fs').rmdirSync('{token(4)}')")
    assert [(event.call, event.blocked) for event in run.of(1)] == [("fs.mkdirSync", True)]
    assert [(event.call, event.blocked) for event in run.of(2)] == [("fs.mkdirSync", True)]
    # A script that holds a token is text of a model that runs
    assert [(event.kind, event.call) for event in run.of(3)] == [("exec", "node"), ("write", "fs.rmdirSync")]
    assert [(event.kind, event.call) for event in run.of(4)] == [("exec", "node --eval"), ("write", "fs.rmdirSync")]
    starts = [json.loads(event.value)[1:] for event in run.seen() if event.kind == "start"]
    assert [str(run.app / "work.cjs"), "other"] in starts
    assert [str(run.app / "work.cjs"), token(2)] in starts


@every
def test_a_secret_may_be_read(node: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.scratch / f"{token(1)}.txt").write_text("the secret word")
    up = "../" * 20 + str(run.scratch)[1:]
    (run.app / "app.cjs").write_text(f"""
const fs = require("fs");
console.log(fs.readFileSync("{up}/{token(1)}.txt", "utf8"));
for (const attempt of [() => fs.writeFileSync("{up}/{token(1)}.txt", ""), () => fs.readFileSync("{run.scratch}/../{token(2)}")])
  try {{ attempt(); console.log("not stopped"); }} catch {{}}
""")
    assert run.run(node, "app.cjs").stdout == "the secret word\n"
    assert [(event.kind, event.blocked) for event in run.of(1) if event.kind != "exec"] == [("read", False), ("write", True)]
    assert [(event.kind, event.blocked) for event in run.of(2) if event.kind != "exec"] == [("read", True)]


@every
def test_only_the_program_can_tell_what_an_option_does(node: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.app / "words").write_text("b\na\n")
    (run.app / "app.cjs").write_text(f"""
const {{ execFileSync }} = require("child_process");
const option = "--output={run.scratch}/{token(1)}";
const commands = [["sort", "words", option], ["touch", "{run.scratch}/{token(2)}"], ["sh", "-c", `sort words ${{option}}`]];
for (const [program, ...given] of commands)
  try {{ execFileSync(program, given); }} catch {{}}
""")
    run.run(node, "app.cjs")
    assert [event.blocked for event in run.seen() if event.kind == "process"] == [False, True, True]
    assert [path.name for path in run.scratch.iterdir()] == [token(1)]


@every
def test_templates_and_generators_are_no_execution(node: str, tmp_path: Path) -> None:
    """A template engine makes code in which the text is quoted; so does one that checks by a schema."""
    run = Monitored(tmp_path)
    for package in ("ejs", "ajv", "plain"):
        (run.app / "node_modules" / package).mkdir(parents=True)
        made = "module.exports = (text) => new Function(`return ${JSON.stringify(text)}`)();\n"
        (run.app / "node_modules" / package / "index.js").write_text(made)
    (run.app / "app.cjs").write_text("for (const [at, name] of ['ejs', 'ajv', 'plain'].entries()) require(name)(process.argv[2 + at]);\n")
    run.run(node, "app.cjs", *map(token, (1, 2, 3)))
    assert {event.kind for event in run.of(1)} == {"template"}
    assert run.of(2) == []
    assert {event.kind for event in run.of(3)} == {"exec"}


@every
def test_statements_of_drivers(node: str, tmp_path: Path) -> None:
    """By the classes that a driver exports, whichever way it is loaded; values beside a statement are none of it."""
    run = Monitored(tmp_path, block=False)
    for package, source in {
        "pg": "exports.Client = class Client { query(config, values) { return Promise.resolve([]); } };",
        "better-sqlite3": "module.exports = class Database { prepare(text) { return { run() {} }; } exec(text) {} };",
        "mysql2": "class Connection { query(sql, values, done) { done(null, []); } }\nexports.Connection = Connection;",
    }.items():
        (run.app / "node_modules" / package).mkdir(parents=True)
        (run.app / "node_modules" / package / "index.js").write_text(source + "\n")
    (run.app / "app.mjs").write_text("""
import pg from "pg";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const [, , a, b, c, d] = process.argv;
const client = new pg.Client();
await client.query(`select '${a}'`).catch((error) => console.log(error.code));
await client.query({ text: `select '${b}'`, values: [] }).catch((error) => console.log(error.code));
await client.query("select $1", [d]);
const database = new (require("better-sqlite3"))();
try { database.prepare(`select '${c}'`); } catch (error) { console.log(error.code); }
new (require("mysql2").Connection)().query({ sql: `select '${d}'` }, [], (error) => console.log(error && error.code));
""")
    done = run.run(node, "app.mjs", *map(token, range(1, 5)))
    assert done.stdout == "null\n", done.stderr
    calls = [(event.kind, event.call) for event in run.seen() if event.tokens]
    assert calls == [("sql", "pg.query"), ("sql", "pg.query"), ("sql", "better-sqlite3.prepare"), ("sql", "mysql2.query")]
    run.control.write_text(run.control.read_text().replace('"block":false', '"block":true'))
    assert run.run(node, "app.mjs", *map(token, range(1, 5))).stdout.split() == ["EACCES"] * 4


@every
def test_the_driver_of_node(node: str, tmp_path: Path) -> None:
    if subprocess.run([node, "-e", "require('node:sqlite')"], capture_output=True).returncode:
        pytest.skip("this Node.js has no node:sqlite")
    run = Monitored(tmp_path)
    (run.app / "app.mjs").write_text("""
import { DatabaseSync } from "node:sqlite";
const database = new DatabaseSync(":memory:");
for (const statement of [`select '${process.argv[2]}'`, "select 1"])
  try { console.log(database.prepare(statement).all().length); } catch (error) { console.log(error.message); }
""")
    assert run.run(node, "app.mjs", token(1)).stdout == "EACCES: blocked by headwater: node:sqlite.prepare\n1\n"


@every
def test_a_client_that_ignores_the_environment_is_redirected(node: str, tmp_path: Path) -> None:
    """By name, in every way to connect; the certificate is checked for the name, by an authority that the client was not told of."""
    authority = certificates(tmp_path)
    with Secure(authority.parent / "server.pem") as server:
        run = Monitored(tmp_path, hosts=("model.example",), redirect=server.port, authority=str(authority))
        (run.app / "app.mjs").write_text("""
import dns from "node:dns/promises";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";

const read = (stream, done) => {
  let all = "";
  stream.on("data", (part) => (all += part)).on("end", () => done(all.slice(-6)));
};
console.log(await (await fetch("https://model.example/1")).text());
console.log(await new Promise((done, failed) => https.get("https://model.example/2", (answer) => read(answer, done)).on("error", failed)));
const { address } = await dns.lookup("model.example");
for (const [path, host] of [["/3", "model.example"], ["/4", address]])
  console.log(await new Promise((done, failed) => {
    const socket = tls.connect({ host, port: 443, servername: "model.example" });
    socket.on("error", failed);
    read(socket, done);
    socket.write(`GET ${path} HTTP/1.0\\r\\nHost: model.example\\r\\n\\r\\n`);
  }));
for (const other of ["https://other.example/", "https://192.0.2.1/"])
  await fetch(other).catch((error) => console.log(error.cause.message));
await new Promise((done) => net.connect(443, "other.example").on("error", (error) => done(console.log(error.code))));
const wrong = tls.connect({ host: "model.example", port: 443, servername: "wrong.example" });
await new Promise((done) => wrong.on("error", (error) => done(console.log(error.code))));
""")
        done = run.run(node, "app.mjs")
        refused = "ENETUNREACH: refused by headwater: not on this machine"
        assert done.stdout.splitlines() == [*["played"] * 4, refused, refused, "ENETUNREACH", "ERR_TLS_CERT_ALTNAME_INVALID"], done.stderr
    assert server.asked == [f"model.example /{number}" for number in range(1, 5)]
    outside = [event.value for event in run.seen() if event.kind == "outside"]
    assert outside == ["other.example:443", "192.0.2.1:443", "other.example:443"]


@every
def test_what_listens_and_what_loopback_gets(node: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.app / "app.mjs").write_text("""
import http from "node:http";
import dgram from "node:dgram";
import dns from "node:dns";
const server = http.createServer((request, answer) => answer.end(request.url)).listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  console.log(await (await fetch(`http://127.0.0.1:${port}/${process.argv[2]}`)).text());
  http.get({ port, path: "/get", headers: { "x-name": process.argv[3] } }, (answer) => { answer.resume(); server.close(); });
  dgram.createSocket("udp4").send("x", 53, "192.0.2.1", (error) => console.log(error.code));
  dns.resolveTxt(process.argv[4] + ".example", (error) => console.log(error.code));
  setTimeout(() => process.exit(), 300);
});
""")
    done = run.run(node, "app.mjs", *map(token, (1, 2, 3)))
    assert sorted(done.stdout.split()) == sorted([f"/{token(1)}", "ENETUNREACH", "ENOTFOUND"]), done.stderr
    events = run.seen()
    listen = next(event.value for event in events if event.kind == "listen")
    assert [(event.kind, event.value, event.blocked) for event in run.of(1)] == [("request", f"http://{listen}/{token(1)}", False)]
    assert run.of(2) == []
    assert [(event.kind, event.value, event.blocked) for event in run.of(3)] == [("connect", f"{token(3)}.example:0", True)]
    assert [event.value for event in events if event.kind == "outside"] == ["192.0.2.1:53"]


@every
def test_no_monitor_no_start(node: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    assert run.run(node, "-p", "1", variables={"NODE_OPTIONS": ""}).stdout == "1\n"
    for text in ("{broken", "{}", '{"folder": "/nowhere", "prefix": "hwcabc123"}'):
        run.control.write_text(text)
        done = run.run(node, "-p", "1")
        assert (done.stdout, done.stderr) == ("1\n", "")
    assert run.seen() == []


@every
def test_an_endless_loop_hides_no_other_event(node: str, tmp_path: Path) -> None:
    run = Monitored(tmp_path)
    (run.app / "app.cjs").write_text("""
const fs = require("fs");
for (let number = 0; number < 30000; number++) try { fs.mkdirSync(process.argv[2] + number); } catch {}
try { fs.rmSync(process.argv[3]); } catch {}
""")
    run.run(node, "app.cjs", token(1), token(2))
    assert [event.call for event in run.of(2)] == ["fs.rmSync"]
    assert [event.kind for event in run.of(1)] == ["write"] * 40 + ["lost"]


@every
def test_functions_look_as_before(node: str, tmp_path: Path) -> None:
    """Applications look at what they call: names, lengths, and what makes a promise of a callback."""
    run = Monitored(tmp_path)
    (run.app / "app.mjs").write_text("""
import fs from "node:fs";
import { promisify } from "node:util";
import { exec } from "node:child_process";
console.log(fs.readFile.name, fs.readFile.length, await promisify(fs.exists)("/"));
console.log(typeof exec[promisify.custom], typeof fs.realpath.native);
const made = new Function("a", "return a + 1");
console.log(made(1), made.constructor === Function, made instanceof Function, Function.name, Function("return this")() === globalThis);
class Callable extends Function { constructor() { super("return 7"); } }
console.log(new Callable()(), new Callable() instanceof Callable, Object.getPrototypeOf(Function.prototype) === Object.prototype);
debugger;
console.log(fs.createReadStream(new URL(import.meta.url)).constructor.name);
""")
    plain = run.run(node, "app.mjs", variables={"NODE_OPTIONS": ""})
    watched = run.run(node, "app.mjs")
    assert (watched.stdout, watched.stderr) == (plain.stdout, "")
    assert "2 true true Function true" in plain.stdout
