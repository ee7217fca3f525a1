// What the monitor was told, which tokens a value holds, stacks, and the file of events: one for each process and worker.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const url = require("node:url");
const { Module } = require("node:module");

const ENVIRONMENT = "HEADWATER_PROOF";
const CONTROL_BYTES = 1_000_000;
const EVENTS = 5_000; // of one process: a payload can run in an endless loop
const ALIKE = 40; // of one kind, by one operation, with the same tokens: others must not be crowded out
const VALUE = 2_000; // characters that are kept of a value
const BEFORE = 500; // of them before the token
const FILE = 240; // characters of the names of a frame
const FUNCTION = 120;
const FRAMES = 80;
const ITEMS = 2_000; // arguments of a command that are looked at
const TOKENS = 20; // of one value
const LOWERED = 65_536; // characters: longer texts are searched as they are
const MAPS = 200; // source maps that are kept
const MAP_BYTES = 30_000_000;

const OWN = __dirname + path.sep;
const state = { block: true, scratch: "", hosts: [], redirect: 0, authority: "" };
let folder = "";
let prefix = "";
let pattern;
let file = -1;
let identity = "";
let number = 0;
const levels = []; // of each wrapped call that is running: what it has told
let busy = false;
const counts = new Map();

// Taken before anything is wrapped
const own = {
  openSync: fs.openSync,
  writeSync: fs.writeSync,
  fstatSync: fs.fstatSync,
  readFileSync: fs.readFileSync,
  statSync: fs.statSync,
  realpathSync: fs.realpathSync,
};

function load() {
  try {
    const told = JSON.parse(own.readFileSync(process.env[ENVIRONMENT] || "", "utf8").slice(0, CONTROL_BYTES));
    folder = path.resolve(told.folder);
    prefix = String(told.prefix);
    if (!/^hwc[0-9a-f]{6}$/.test(prefix) || !own.statSync(folder).isDirectory()) return false;
    pattern = new RegExp(prefix + "[0-9a-f]{4}", "g");
    state.block = told.block !== false;
    if (told.scratch) state.scratch = own.realpathSync(told.scratch) + path.sep;
    state.hosts = (told.hosts || []).map((host) => String(host).toLowerCase());
    state.redirect = Number(told.redirect) || 0;
    state.authority = String(told.authority || "");
    return true;
  } catch {
    return false;
  }
}

function announce() {
  const line = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  within(() => write("start", `node ${process.versions.node}`, JSON.stringify(line), [], false, false, []));
}

// Tokens

// A text, bytes, a URL of a file or an address as text; empty for what is none of them.
function text(value) {
  if (typeof value === "string") return value;
  if (value instanceof URL) return value.protocol === "file:" ? url.fileURLToPath(value) : value.href;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
  return "";
}

function tokens(...values) {
  const found = [];
  for (const value of values.slice(0, ITEMS)) {
    let whole = text(value);
    if (!whole.includes(prefix)) {
      if (whole.length > LOWERED) continue;
      whole = whole.toLowerCase();
      if (!whole.includes(prefix)) continue;
    }
    for (const token of whole.match(pattern) || []) if (found.length < TOKENS && !found.includes(token)) found.push(token);
  }
  return found;
}

function piece(whole) {
  if (whole.length <= VALUE) return whole;
  const begin = Math.max(whole.indexOf(prefix) - BEFORE, 0);
  return whole.slice(begin, begin + VALUE);
}

// Stacks

function callSites() {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder = {};
  try {
    Error.stackTraceLimit = FRAMES * 2;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, callSites);
    return Array.isArray(holder.stack) ? holder.stack : [];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const maps = new Map();

// The source map of a script: the loader's, or the one that its file names.
function mapOf(name) {
  if (!maps.has(name) && maps.size < MAPS) {
    let map = Module.findSourceMap?.(name);
    try {
      if (!map && own.statSync(name).size < MAP_BYTES) {
        const named = /\n\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(own.readFileSync(name, "utf8"));
        if (named) {
          const data = /^data:[^,]*;base64,(.*)$/.exec(named[1]);
          const place = path.resolve(path.dirname(name), decodeURI(named[1]));
          const whole = data ? Buffer.from(data[1], "base64").toString("utf8") : own.statSync(place).size < MAP_BYTES ? own.readFileSync(place, "utf8") : "";
          map = new Module.SourceMap(JSON.parse(whole));
          map.folder = data ? path.dirname(name) : path.dirname(place);
        }
      }
    } catch {}
    maps.set(name, map);
  }
  return maps.get(name);
}

// Where a place in a script was written, where a map tells and the file is there.
function original(name, line, column) {
  const map = path.isAbsolute(name) ? mapOf(name) : undefined;
  if (map) {
    try {
      const entry = map.findEntry(line - 1, column - 1);
      const source = entry.originalSource?.startsWith("file:")
        ? url.fileURLToPath(entry.originalSource)
        : path.resolve(map.folder || path.dirname(name), map.payload?.sourceRoot || "", entry.originalSource);
      if (own.statSync(source).isFile()) return [source, entry.originalLine + 1];
    } catch {}
  }
  return [name, line];
}

function stack() {
  const frames = [];
  for (const site of callSites()) {
    let name = site.getFileName() || (site.isEval() ? "<eval>" : "");
    if (name.startsWith("file:")) name = url.fileURLToPath(name);
    if (!name || name.startsWith(OWN) || name.startsWith("node:internal/") || frames.length >= FRAMES) continue;
    if (!frames.length && (name === "node:inspector" || name === "node:events")) continue; // by which the monitor was told
    const [source, line] = original(name, site.getLineNumber() || 0, site.getColumnNumber() || 1);
    const called = [site.getTypeName?.(), site.getFunctionName()].filter((part) => part && part !== "Object" && part !== "global");
    const last = called[called.length - 1] || "<anonymous>";
    frames.push([source.slice(-FILE), line, (last.includes(".") ? last : called.join(".") || last).slice(0, FUNCTION)]);
  }
  return frames;
}

// The file of the innermost call that is not the monitor's, and perhaps not Node's.
function caller(withNode = false) {
  for (const site of callSites()) {
    let name = site.getFileName() || "";
    if (name.startsWith("file:")) name = url.fileURLToPath(name);
    if (name && !name.startsWith(OWN) && (withNode || !name.startsWith("node:"))) return name;
  }
  return "";
}

// Events

function write(kind, call, value, found, blocked, shell, frames) {
  number += 1;
  const clean = Buffer.from(value, "utf8").toString("utf8"); // without lone surrogates
  const event = { kind, call, value: clean, tokens: found, blocked, shell, stack: frames, pid: process.pid, number };
  let status = "";
  try {
    const { dev, ino } = own.fstatSync(file);
    status = `${dev}:${ino}`;
  } catch {}
  if (file < 0 || status !== identity) open(); // the application closed it, and opened its own
  own.writeSync(file, JSON.stringify(event) + "\n");
}

function open() {
  const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_APPEND;
  for (let count = 0; count < 1_000; count++) {
    try {
      file = own.openSync(path.join(folder, `events-${process.pid}-${count}.jsonl`), flags, 0o600);
    } catch (error) {
      if (error.code === "EEXIST") continue;
      throw error;
    }
    const { dev, ino } = own.fstatSync(file);
    identity = `${dev}:${ino}`;
    return;
  }
}

function event(kind, call, value, found, blocked, shell) {
  value = piece(value);
  // Functions of Node and of libraries call each other: the outermost has told.
  const told = found.length ? `${kind} ${value}` : "";
  if (told && levels.slice(0, -1).includes(told)) return;
  if (levels.length) levels[levels.length - 1] = told;
  if (number > EVENTS) return;
  const key = `${kind} ${call} ${found.join()}`;
  const count = (counts.get(key) || 0) + 1;
  counts.set(key, count);
  if (number === EVENTS) write("lost", call, `${EVENTS} events of this process`, found, false, false, []);
  else if (count <= ALIKE) write(kind, call, value, found, blocked, shell, stack());
  else if (count === ALIKE + 1) write("lost", call, `${kind}: ${ALIKE} events alike`, found, false, false, []);
}

// Runs a part of the monitor, not watched itself; what goes wrong in it is undefined.
function within(run) {
  if (busy) return undefined;
  busy = true;
  try {
    return run();
  } catch {
    return undefined;
  } finally {
    busy = false;
  }
}

// An event where a value holds a token. True where the operation is to be stopped.
function note(kind, call, value, { held = [value], harmless = false, shell = false } = {}) {
  return (
    within(() => {
      const found = tokens(...held);
      if (!found.length) return false;
      const blocked = state.block && !harmless;
      event(kind, call, value, found, blocked, shell);
      return blocked;
    }) === true
  );
}

function refusal(call, code = "EACCES", errno = -13) {
  return Object.assign(new Error(`${code}: blocked by headwater: ${call}`), { code, errno, syscall: call.split(".").pop() });
}

// Replaces a function of an object by what `make` makes of it, which looks like it.
function wrap(owner, name, make) {
  const before = owner?.[name];
  if (typeof before !== "function") return;
  const watched = make(before);
  const after = function (...args) {
    levels.push("");
    try {
      return Reflect.apply(watched, this, args);
    } finally {
      levels.pop();
    }
  };
  for (const key of Reflect.ownKeys(before)) {
    if (key === "prototype") continue;
    try {
      Object.defineProperty(after, key, Object.getOwnPropertyDescriptor(before, key)); // util.promisify.custom among them
    } catch {}
  }
  try {
    owner[name] = after;
  } catch {}
  if (owner[name] !== after) Object.defineProperty(owner, name, { value: after, writable: true, configurable: true });
}

// Answers a call that is stopped in the way of the function: by its callback, a rejected promise, or an exception.
function refuse(call, args, promises) {
  const error = refusal(call);
  if (promises) return Promise.reject(error);
  const callback = args[args.length - 1];
  if (typeof callback !== "function") throw error;
  process.nextTick(callback, error);
  return undefined;
}

module.exports = { announce, caller, event, load, note, own, piece, refusal, refuse, state, text, tokens, within, wrap };
