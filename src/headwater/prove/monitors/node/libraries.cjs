// Statements that drivers of databases are given, and requests by packages. Wrapped when the application loads a package; values beside a
// statement are none of it.
"use strict";

const { Module } = require("node:module");
const { asked } = require("./network.cjs");
const { note, refusal, refuse, text, within, wrap } = require("./record.cjs");

// package -> class -> methods whose first argument is a statement, as text or in an object
const DRIVERS = {
  pg: { Client: ["query"] },
  "pg-pool": { Pool: ["query"] },
  mysql: { Connection: ["query"] },
  mysql2: { Connection: ["query", "execute"], BaseConnection: ["query", "execute"], Pool: ["query", "execute"], BasePool: ["query", "execute"] },
  mariadb: { ConnectionCallback: ["query", "execute"], ConnectionPromise: ["query", "execute"] },
  "better-sqlite3": { Database: ["prepare", "exec"] },
  libsql: { Database: ["prepare", "exec"] },
  sqlite3: { Database: ["run", "all", "get", "each", "exec", "prepare"] },
  duckdb: { Database: ["run", "all", "each", "exec", "prepare"], Connection: ["run", "all", "each", "exec", "prepare"] },
  "@duckdb/node-api": { DuckDBConnection: ["run", "runAndRead", "runAndReadAll", "stream", "prepare"] },
  "@electric-sql/pglite": { PGlite: ["query", "exec"] },
  "neo4j-driver-core": { Session: ["run"], Transaction: ["run"] },
};
// Of these, a call without a callback makes a promise.
const PROMISES = new Set(["@duckdb/node-api", "@electric-sql/pglite", "pg", "pg-pool"]);
// undici is fetch, as a package
const CLIENTS = { undici: ["Agent", "Client", "Pool", "ProxyAgent", "EnvHttpProxyAgent"] };
const MEMBERS = 200; // of a module's exports that are looked at

const wrapped = new WeakSet();

function statement(value) {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object") return "";
  return [value.sql, value.text].find((part) => typeof part === "string") || "";
}

function watch(cls, method, check) {
  const { prototype } = cls;
  if (!prototype || wrapped.has(prototype[method])) return; // one that is not there yet may come with another module
  wrap(
    prototype,
    method,
    (original) =>
      function (...args) {
        const stopped = check(args);
        return stopped ? stopped() : Reflect.apply(original, this, args);
      },
  );
  if (typeof prototype[method] === "function") wrapped.add(prototype[method]);
}

function watchStatements(library, cls, methods) {
  for (const method of methods) {
    const call = `${library}.${method}`;
    watch(cls, method, (args) => {
      if (!note("sql", call, statement(args[0]))) return undefined;
      return () => refuse(call, args, PROMISES.has(library) && typeof args[args.length - 1] !== "function");
    });
  }
}

function watchRequests(cls) {
  watch(cls, "dispatch", ([options]) => {
    if (!asked("undici.dispatch", `${text(options?.origin) || options?.origin || ""}${options?.path ?? ""}`)) return undefined;
    return () => {
      throw refusal("undici.dispatch");
    };
  });
}

// The package of a module that is loaded by its name, or by its file.
function packageOf(request) {
  const below = request.replaceAll("\\", "/").split("/node_modules/").pop();
  const parts = below.split("/");
  return parts[0].startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

function patch(library, exports) {
  const members = [exports];
  for (const name of Object.keys(exports).slice(0, MEMBERS)) {
    const member = Object.getOwnPropertyDescriptor(exports, name);
    if (member && "value" in member) members.push(member.value); // a getter may load what is not there
  }
  for (const member of members) {
    if (typeof member !== "function" || !member.prototype) continue;
    if (Object.hasOwn(DRIVERS[library] || {}, member.name)) watchStatements(library, member, DRIVERS[library][member.name]);
    if (CLIENTS[library]?.includes(member.name)) watchRequests(member);
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
          for (const name of [library, parent]) if (Object.hasOwn(DRIVERS, name) || Object.hasOwn(CLIENTS, name)) within(() => patch(name, exports));
        }
        return exports;
      },
  );
  const { emitWarning } = process;
  try {
    process.emitWarning = () => {}; // that it is new
    const sqlite = require("node:sqlite");
    watchStatements("node:sqlite", sqlite.DatabaseSync, ["exec", "prepare"]);
  } catch {
  } finally {
    process.emitWarning = emitWarning;
  }
}

module.exports = { install };
