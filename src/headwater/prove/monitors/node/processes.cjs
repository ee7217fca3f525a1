// Programs and shells that are started.
"use strict";

const path = require("node:path");
const children = require("node:child_process");
const { note, refusal, text, tokens, wrap } = require("./record.cjs");

const SHELLS = new Set(["sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "csh", "tcsh", "cmd", "cmd.exe", "powershell", "pwsh"]);

// The place of the command that a shell is given in a list of arguments; -1 where there is none.
function command(args) {
  for (let place = 0; place < args.length; place++) {
    if (!SHELLS.has(path.basename(args[place]).toLowerCase())) continue;
    for (let after = place + 1; after < args.length - 1; after++) {
      const option = args[after];
      if (!/^[-/+]/.test(option)) break;
      if (/^(\/[ck]|-command|-[^-]*c)$/i.test(option)) return after + 1;
    }
  }
  return -1;
}

function started(call, program, args) {
  const given = args.map((argument) => text(argument) || String(argument));
  if (program && given[0] !== program && tokens(program).length) given[0] = program;
  const place = command([program, ...given.slice(1)]);
  // An argument that a program may take for one of its options, or not: it alone can tell, so it is started.
  const optional = place < 0 && given.every((argument, index) => !tokens(argument).length || (index > 0 && argument.startsWith("-")));
  return note("process", call, JSON.stringify(given), {
    held: [program, ...given],
    harmless: optional && !tokens(program).length,
    shell: place >= 0 && tokens(given[place]).length > 0,
  });
}

// The arguments of spawnSync and execFileSync: a program, perhaps a list, perhaps options with a shell.
function synchronous(call, args) {
  const [program, second] = args;
  const list = Array.isArray(second) ? second.map(String) : [];
  const options = Array.isArray(second) ? args[2] : second && typeof second === "object" ? second : args[2];
  if (options?.shell) {
    const shell = typeof options.shell === "string" ? options.shell : "/bin/sh";
    return started(call, shell, [shell, "-c", [program, ...list].join(" ")]);
  }
  return started(call, text(program), [text(program), ...list]);
}

function install() {
  // spawn, exec, execFile, fork, and what is promisified of them
  wrap(
    children.ChildProcess.prototype,
    "spawn",
    (spawn) =>
      function (options) {
        const call = "child_process.spawn";
        if (options && Array.isArray(options.args) && started(call, text(options.file), options.args)) {
          // There is no such program: the failure comes in the way that the caller expects.
          options = { ...options, file: path.join(__dirname, `blocked by headwater: ${call}`) };
        }
        return Reflect.apply(spawn, this, [options]);
      },
  );
  wrap(
    children,
    "spawnSync",
    (spawnSync) =>
      function (...args) {
        if (!synchronous("child_process.spawnSync", args)) return Reflect.apply(spawnSync, this, args);
        return { pid: 0, output: null, stdout: null, stderr: null, status: null, signal: null, error: refusal("child_process.spawnSync") };
      },
  );
  wrap(
    children,
    "execFileSync",
    (execFileSync) =>
      function (...args) {
        if (synchronous("child_process.execFileSync", args)) throw refusal("child_process.execFileSync");
        return Reflect.apply(execFileSync, this, args);
      },
  );
  wrap(
    children,
    "execSync",
    (execSync) =>
      function (...args) {
        if (note("process", "child_process.execSync", text(args[0]), { shell: true })) throw refusal("child_process.execSync");
        return Reflect.apply(execSync, this, args);
      },
  );
}

module.exports = { install };
