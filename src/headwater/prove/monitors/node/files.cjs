// Files: what is opened, listed, made, renamed, removed. Attributes are noted and never refused: a check of a path does no harm, and
// what it lets through is to be seen.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { caller, note, own, refuse, state, text, tokens, within, wrap } = require("./record.cjs");

const ATTRIBUTES = ["stat", "lstat", "access", "exists", "realpath", "readlink", "statfs"];
const READ = ["readFile", "readdir", "opendir", "openAsBlob", "watch", "watchFile", "glob"];
const WRITE = ["writeFile", "appendFile", "mkdir", "mkdtemp", "mkdtempDisposable", "rm", "rmdir", "unlink", "truncate", "chmod", "lchmod"];
WRITE.push("chown", "lchown", "utimes", "lutimes");
const TWO = ["rename", "copyFile", "cp", "link", "symlink"];
const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = fs.constants;

// A path as it was given, below the folder that it is relative to.
function full(value) {
  const given = text(value);
  return path.isAbsolute(given) ? given : process.cwd() + path.sep + given;
}

function ours(given) {
  try {
    return state.scratch !== "" && own.realpathSync(given).startsWith(state.scratch);
  } catch {
    return false;
  }
}

function writes(flags) {
  return typeof flags === "number" ? (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) !== 0 : /[wax+]/.test(String(flags ?? "r"));
}

// Whether an operation on the first `count` arguments is to be stopped.
function stops(kind, call, args, count, attributes = false) {
  const given = args.slice(0, count);
  if (!tokens(...given).length) return false;
  if (attributes && within(() => caller(true))?.startsWith("node:")) return false; // a part of an operation that has been told of
  const paths = given.map(full);
  const harmless = attributes || (kind === "read" && ours(paths[0])); // a secret of ours may be read: the answer tells
  return note(kind, call, paths.join(" -> "), { held: given, harmless });
}

function watch(owner, library, name, kindOf, count, attributes) {
  const call = `${library}.${name}`;
  const promises = library === "fs.promises" && name !== "watch" && name !== "glob";
  wrap(
    owner,
    name,
    (original) =>
      function (...args) {
        if (stops(kindOf(args), call, args, count, attributes)) return refuse(call, args, promises);
        return Reflect.apply(original, this, args);
      },
  );
}

function install() {
  const owners = [
    [fs, "fs", ""],
    [fs, "fs", "Sync"],
    [fs.promises, "fs.promises", ""],
  ];
  for (const [owner, library, suffix] of owners) {
    for (const name of ATTRIBUTES) {
      const { native } = owner[name + suffix] || {};
      watch(owner, library, name + suffix, () => "read", 1, true);
      if (native) owner[name + suffix].native = native;
      if (native) watch(owner[name + suffix], `${library}.${name}${suffix}`, "native", () => "read", 1, true);
    }
    for (const name of READ) watch(owner, library, name + suffix, () => "read", 1);
    for (const name of WRITE) watch(owner, library, name + suffix, () => "write", 1);
    for (const name of TWO) watch(owner, library, name + suffix, () => "write", 2);
    watch(owner, library, "open" + suffix, (args) => (writes(typeof args[1] === "function" ? "r" : args[1]) ? "write" : "read"), 1);
  }
  // Streams open their file later, by fs.open: here is known who made them, there they are stopped.
  for (const [name, kind] of [
    ["createReadStream", "read"],
    ["createWriteStream", "write"],
  ]) {
    wrap(
      fs,
      name,
      (original) =>
        function (...args) {
          stops(kind, `fs.${name}`, args, 1);
          return Reflect.apply(original, this, args);
        },
    );
  }
  wrap(
    process,
    "chdir",
    (chdir) =>
      function (...args) {
        if (stops("read", "process.chdir", args, 1)) return refuse("process.chdir", [], false);
        return Reflect.apply(chdir, this, args);
      },
  );
}

module.exports = { install };
