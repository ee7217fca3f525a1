// Keeps connections on this machine: refuses others or sends them to the proof's server, and tells where the process listens.
"use strict";

const dgram = require("node:dgram");
const dns = require("node:dns");
const http = require("node:http");
const https = require("node:https");
const net = require("node:net");
const os = require("node:os");
const tls = require("node:tls");
const { event, note, own, refusal, state, text, tokens, within, wrap } = require("./record.cjs");

// Addresses that names which are redirected seem to have: a client may look up a name and connect with a port of its own.
const MARKED = "127.254.";
const marks = new Map();

function loopback(name) {
  let host = String(name).toLowerCase().replace(/^\[|\]$/g, "").split("%")[0].replace(/\.$/, "");
  if (["", "localhost", "::1", "::", "0.0.0.0", "ip6-localhost"].includes(host) || host.endsWith(".localhost")) return true;
  host = host.replace(/^::ffff:/, "");
  return (net.isIPv4(host) && host.startsWith("127.")) || host === os.hostname().toLowerCase();
}

function redirected(name) {
  const host = String(name).toLowerCase().replace(/\.$/, "");
  if (!state.redirect || loopback(host)) return false;
  return state.hosts.some((pattern) => pattern === "*" || pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1))));
}

function mark(name) {
  const host = String(name).toLowerCase();
  if (!marks.has(host)) {
    const number = (marks.size % 65_000) + 1;
    marks.set(host, `${MARKED}${number >> 8}.${number & 255}`);
  }
  return marks.get(host);
}

function outside(call, host, port) {
  within(() => {
    const value = net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
    const found = tokens(value);
    event(found.length ? "connect" : "outside", call, value, found, true, false);
  });
}

function unreachable(code = "ENETUNREACH", errno = -101) {
  return Object.assign(new Error(`${code}: refused by headwater: not on this machine`), { code, errno, syscall: "connect" });
}

// The options of a connection, wherever they stand: Node passes [options, callback] between its own functions.
function connection(args) {
  const [first, second] = args;
  if (Array.isArray(first)) return first[0];
  if (first !== null && typeof first === "object") return first;
  if (typeof first === "string" && Number.isNaN(Number(first))) return { path: first };
  return { port: first, host: typeof second === "string" ? second : undefined };
}

function watchConnections() {
  wrap(
    net.Socket.prototype,
    "connect",
    (original) =>
      function (...args) {
        const call = "net.connect";
        const options = within(() => connection(args));
        if (!options) return Reflect.apply(original, this, args);
        if (options.path) {
          note("connect", call, text(options.path), { harmless: true });
          return Reflect.apply(original, this, args);
        }
        const host = options.host ?? "localhost";
        const marked = String(host).startsWith(MARKED);
        if (loopback(host) && !marked) {
          note("connect", call, `${host}:${options.port}`, { held: [String(host)], harmless: true });
          return Reflect.apply(original, this, args);
        }
        if (marked || redirected(host)) {
          if (!note("connect", call, `${host}:${options.port}`, { held: [String(host)] })) {
            const there = { ...options, host: "127.0.0.1", port: state.redirect, family: 4 };
            delete there.lookup;
            if (!Array.isArray(args[0])) {
              const callback = args.find((argument) => typeof argument === "function");
              return Reflect.apply(original, this, callback ? [there, callback] : [there]);
            }
            const list = args[0].slice();
            for (const symbol of Object.getOwnPropertySymbols(args[0])) list[symbol] = args[0][symbol];
            list[0] = there;
            return Reflect.apply(original, this, [list, ...args.slice(1)]);
          }
          process.nextTick(() => this.destroy(refusal(call)));
          return this;
        }
        outside(call, String(host), options.port);
        this.connecting = true;
        process.nextTick(() => this.destroy(unreachable()));
        return this;
      },
  );
  wrap(
    net.Server.prototype,
    "listen",
    (original) =>
      function (...args) {
        this.once("listening", () =>
          within(() => {
            const place = this.address();
            const value = typeof place === "string" ? place : net.isIPv6(place.address) ? `[${place.address}]:${place.port}` : `${place.address}:${place.port}`;
            event("listen", "net.Server.listen", value, [], false, false);
          }),
        );
        return Reflect.apply(original, this, args);
      },
  );
  for (const name of ["send", "connect"]) {
    wrap(
      dgram.Socket.prototype,
      name,
      (original) =>
        function (...args) {
          const host = (name === "send" ? args.slice(1) : args).find((argument) => typeof argument === "string");
          if (host !== undefined && !loopback(host)) {
            outside(`dgram.${name}`, host, args.find((argument) => typeof argument === "number") ?? 0);
            const callback = args[args.length - 1];
            if (typeof callback !== "function") throw unreachable();
            process.nextTick(callback, unreachable());
            return undefined;
          }
          return Reflect.apply(original, this, args);
        },
    );
  }
}

function watchNames() {
  const names = ["lookup", "lookupService", "resolve", "resolve4", "resolve6", "resolveAny", "resolveCaa", "resolveCname", "resolveMx"];
  names.push("resolveNaptr", "resolveNs", "resolvePtr", "resolveSoa", "resolveSrv", "resolveTxt", "resolveTlsa", "reverse");
  const owners = [
    [dns, false],
    [dns.Resolver.prototype, false],
    [dns.promises, true],
    [dns.promises.Resolver.prototype, true],
  ];
  for (const [owner, promises] of owners) {
    for (const name of names) {
      wrap(
        owner,
        name,
        (original) =>
          function (...args) {
            const call = `dns.${name}`;
            const host = text(args[0]);
            if (!host || loopback(host) || (name === "lookup" && net.isIP(host))) {
              note("connect", call, host, { harmless: true });
              return Reflect.apply(original, this, args);
            }
            const callback = args[args.length - 1];
            if (name === "lookup" && redirected(host) && !note("connect", call, host)) {
              const found = { address: mark(host), family: 4 };
              const all = typeof args[1] === "object" && args[1]?.all === true;
              if (promises) return Promise.resolve(all ? [found] : found);
              if (typeof callback === "function") process.nextTick(callback, null, ...(all ? [[found]] : [found.address, 4]));
              return {};
            }
            if (!redirected(host)) outside(call, host, 0);
            const error = Object.assign(unreachable("ENOTFOUND", -3008), { syscall: "getaddrinfo", hostname: host });
            if (promises) return Promise.reject(error);
            if (typeof callback === "function") process.nextTick(callback, error);
            return {};
          },
      );
    }
  }
}

// The address only. What a body or a header holds is seen by who gets it.
function asked(call, address) {
  let host = "";
  try {
    host = new URL(address).hostname;
  } catch {}
  return note("request", call, address, { harmless: loopback(host) });
}

function addressOf(protocol, args) {
  const [first, second] = args;
  const options = typeof first === "string" || first instanceof URL ? second : first;
  let base = typeof first === "string" ? first : first instanceof URL ? first.href : "";
  if (options && typeof options === "object" && (!base || options.path || options.host || options.hostname)) {
    const given = base ? new URL(base) : undefined;
    const host = options.hostname || options.host || given?.hostname || "localhost";
    const port = options.port || given?.port;
    const target = options.path ?? (given ? given.pathname + given.search : "/");
    if (/^[a-z]+:\/\//i.test(target)) return target; // for a proxy
    base = `${options.protocol || given?.protocol || protocol}//${net.isIPv6(host) ? `[${host}]` : host}${port ? `:${port}` : ""}${target}`;
  }
  return base;
}

function watchRequests() {
  for (const [owner, protocol] of [
    [http, "http:"],
    [https, "https:"],
  ]) {
    for (const name of ["request", "get"]) {
      wrap(
        owner,
        name,
        (original) =>
          function (...args) {
            const call = `${protocol.slice(0, -1)}.request`;
            const address = within(() => addressOf(protocol, args));
            if (address && asked(call, address)) throw refusal(call);
            return Reflect.apply(original, this, args);
          },
      );
    }
  }
  wrap(
    globalThis,
    "fetch",
    (original) =>
      function (...args) {
        const [input] = args;
        const address = typeof input === "string" ? input : input instanceof URL ? input.href : text(input?.url);
        if (asked("fetch", address)) return Promise.reject(new TypeError("fetch failed", { cause: refusal("fetch") }));
        return Reflect.apply(original, this, args);
      },
  );
}

// The proof's certificate authority is trusted besides others, however a client made its context.
function watchTrust() {
  if (!state.authority) return;
  const authority = own.readFileSync(state.authority, "utf8");
  wrap(
    tls,
    "createSecureContext",
    (original) =>
      function (...args) {
        const made = Reflect.apply(original, this, args);
        within(() => made.context.addCACert(authority));
        return made;
      },
  );
}

function install() {
  for (const part of [watchConnections, watchNames, watchRequests, watchTrust]) {
    try {
      part();
    } catch {}
  }
}

module.exports = { asked, install };
