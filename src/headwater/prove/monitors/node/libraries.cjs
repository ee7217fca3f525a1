// Statements that drivers of databases are given. Wrapped when the application loads a driver; values beside a statement are none of it.
"use strict";

const { Module } = require("node:module");
const { note, refusal, refuse, within, wrap } = require("./record.cjs");

// package -> class -> methods whose first argument is a statement, as text or in an object
const DRIVERS = {
  pg: { Client: ["query"] },
  mysql: { Connection: ["query"] },
  mysql2: { Connection: ["query", "execute"], BaseConnection: ["query", "execute"] },
  mariadb: { ConnectionCallback: ["query", "execute"], ConnectionPromise: ["query", "execute"] },
  "better-sqlite3": { Database: ["prepare", "exec"] },
  libsql: { Database: ["prepare", "exec"] },
  sqlite3: { Database: ["run", "all", "get", "each", "exec", "prepare"] },
  duckdb: { Database: ["run", "all", "each", "exec", "prepare"], Connection: ["run", "all", "each", "exec", "prepare"] },
  "@duckdb/node-api": { DuckDBConnection: ["run", "runAndRead", "runAndReadAll", "stream", "prepare"] },
  "@electric-sql/pglite": { PGlite: ["query", "exec"] },
  "neo4j-driver-core": { Session: ["run"], Transaction: ["run"] },
};
const PROMISES = new Set(["@duckdb/node-api", "@electric-sql/pglite"]);
const MEMBERS = 200; // of a module's exports that are looked at

const patched = new WeakSet();

function statement(value) {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object") return "";
  return [value.sql, value.text].find((part) => typeof part === "string") || "";
}

function watch(library, cls, methods) {
  if (patched.has(cls.prototype)) return;
  patched.add(cls.prototype);
  for (const method of methods) {
    const call = `${library}.${method}`;
    wrap(
      cls.prototype,
      method,
      (original) =>
        function (...args) {
          if (note("sql", call, statement(args[0]))) return stopped(call, args, library);
          return Reflect.apply(original, this, args);
        },
    );
  }
}

function stopped(call, args, library) {
  if (typeof args[args.length - 1] === "function" || PROMISES.has(library)) return refuse(call, args, PROMISES.has(library));
  if (library === "pg") return Promise.reject(refusal(call));
  throw refusal(call);
}

// The package of a module that is loaded by its name, or by its file.
function packageOf(request) {
  const below = request.replaceAll("\\", "/").split("/node_modules/").pop();
  const parts = below.split("/");
  return parts[0].startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

function patch(library, exports) {
  const classes = DRIVERS[library];
  const members = [exports];
  for (const name of Object.keys(exports).slice(0, MEMBERS)) {
    const member = Object.getOwnPropertyDescriptor(exports, name);
    if (member && "value" in member) members.push(member.value); // a getter may load what is not there
  }
  for (const member of members) {
    if (typeof member === "function" && Object.hasOwn(classes, member.name) && member.prototype) watch(library, member, classes[member.name]);
  }
}

function install() {
  wrap(
    Module,
    "_load",
    (original) =>
      function (request, ...rest) {
        const exports = Reflect.apply(original, this, [request, ...rest]);
        if (typeof request === "string" && (typeof exports === "function" || (exports !== null && typeof exports === "object"))) {
          const library = packageOf(request);
          const parent = /^\.{1,2}\//.test(request) && typeof rest[0]?.filename === "string" ? packageOf(rest[0].filename) : "";
          for (const name of [library, parent]) if (Object.hasOwn(DRIVERS, name)) within(() => patch(name, exports));
        }
        return exports;
      },
  );
  const { emitWarning } = process;
  try {
    process.emitWarning = () => {}; // that it is new
    const sqlite = require("node:sqlite");
    watch("node:sqlite", sqlite.DatabaseSync, ["exec", "prepare"]);
  } catch {
  } finally {
    process.emitWarning = emitWarning;
  }
}

module.exports = { install };
