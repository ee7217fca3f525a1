// Text that becomes code: eval, the constructors of functions, node:vm, workers, modules by name, the script itself.
"use strict";

const path = require("node:path");
const vm = require("node:vm");
const workers = require("node:worker_threads");
const { Module } = require("node:module");
const { caller, note, own, piece, text, tokens, within, wrap } = require("./record.cjs");

const SCRIPT_BYTES = 4_000_000;
// Packages that make code of templates: that it runs proves nothing about the text.
const TEMPLATES = /[\\/]node_modules[\\/](ejs|pug[\w-]*|handlebars|nunjucks|lodash[\w.-]*|underscore|eta|dot|art-template|hogan\.js|squirrelly|template7|@vue[\\/]compiler-\w+)[\\/]/;
// Packages that make code of schemas and names, which they quote.
const QUOTED = /[\\/]node_modules[\\/](ajv|fast-json-stringify|protobufjs|@protobufjs[\\/]\w+|generate-function|mysql2|avsc|depd|fast-querystring|find-my-way)[\\/]/;

// Code that runs, or is made; nothing where a generator that quotes made it.
function code(kind, call, source) {
  if (!tokens(source).length) return;
  const by = within(() => caller()) || "";
  if (QUOTED.test(by)) return;
  note(TEMPLATES.test(by) ? "template" : kind, call, text(source), { harmless: true });
}

function watchFunctions() {
  const kinds = [Function, (async () => {}).constructor, function* () {}.constructor, async function* () {}.constructor];
  for (const kind of kinds) {
    const made = (args, target) => {
      const result = target === undefined ? Reflect.apply(kind, undefined, args) : Reflect.construct(kind, args, target);
      const source = within(() => (tokens(...args.map((part) => (typeof part === "string" ? part : ""))).length ? args.map(String).join("\n") : ""));
      if (!source) return result;
      const ran = () => code("exec", "Function", source);
      return new Proxy(result, {
        apply(inner, self, given) {
          ran();
          return Reflect.apply(inner, self, given);
        },
        construct(inner, given, wanted) {
          ran();
          return Reflect.construct(inner, given, wanted);
        },
      });
    };
    const watched = new Proxy(kind, {
      apply: (_, self, args) => made(args),
      construct: (_, args, target) => made(args, target === watched ? kind : target),
    });
    Object.defineProperty(kind.prototype, "constructor", { value: watched, configurable: true, writable: kind === Function });
    if (kind === Function) globalThis.Function = watched;
  }
}

// A direct eval cannot be replaced, since it sees the names around it. V8 tells its debugger of each script when it is compiled.
let compiling = false; // of a function by node:vm, which runs later

function watchEval() {
  const { Session } = require("node:inspector");
  const session = new Session();
  session.connect();
  session.post("Debugger.enable");
  session.post("Debugger.setSkipAllPauses", { skip: true });
  session.on("Debugger.scriptParsed", ({ params }) => {
    if (compiling || (params.url && !params.hasSourceURL)) return;
    session.post("Debugger.getScriptSource", { scriptId: params.scriptId }, (error, found) => {
      const source = error ? "" : found.scriptSource;
      if (/^\(?(async )?function\*? anonymous\(/.test(source)) code("compile", "Function", source);
      else code("exec", "eval", source);
    });
  });
}

function watchVm() {
  const sources = new WeakMap();
  const { Script } = vm;
  const parses = (source) => {
    try {
      new Script(source);
      return true;
    } catch {
      return false;
    }
  };
  for (const name of ["runInThisContext", "runInContext", "runInNewContext"]) {
    wrap(
      Script.prototype,
      name,
      (original) =>
        function (...args) {
          if (sources.has(this)) code("exec", `vm.Script.${name}`, sources.get(this));
          return Reflect.apply(original, this, args);
        },
    );
    wrap(
      vm,
      name,
      (original) =>
        function (...args) {
          if (tokens(args[0]).length) code(within(() => parses(args[0])) ? "exec" : "compile", `vm.${name}`, args[0]);
          return Reflect.apply(original, this, args);
        },
    );
  }
  vm.Script = new Proxy(Script, {
    construct(target, args, wanted) {
      const script = Reflect.construct(target, args, wanted);
      if (tokens(args[0]).length) {
        code("compile", "vm.Script", args[0]);
        sources.set(script, piece(text(args[0])));
      }
      return script;
    },
  });
  wrap(
    vm,
    "compileFunction",
    (original) =>
      function (...args) {
        let made;
        compiling = true;
        try {
          made = Reflect.apply(original, this, args);
        } finally {
          compiling = false;
        }
        if (!tokens(args[0]).length) return made;
        code("compile", "vm.compileFunction", args[0]);
        const apply = (inner, self, given) => {
          code("exec", "vm.compileFunction", args[0]);
          return Reflect.apply(inner, self, given);
        };
        return new Proxy(made, { apply });
      },
  );
}

function watchModules() {
  workers.Worker = new Proxy(workers.Worker, {
    construct(target, args, wanted) {
      const [source, options] = args;
      const runs = options?.eval === true || (source instanceof URL && source.protocol === "data:");
      if (runs) code("exec", "worker_threads.Worker", text(source));
      else note("import", "worker_threads.Worker", text(source), { harmless: true });
      return Reflect.construct(target, args, wanted);
    },
  });
  wrap(
    Module,
    "_load",
    (original) =>
      function (request, ...rest) {
        if (typeof request === "string") note("import", "require", request, { harmless: true });
        return Reflect.apply(original, this, [request, ...rest]);
      },
  );
}

// The script that this process was started with may be text of a model, written to a file or given as an argument.
function watchScript() {
  if (!workers.isMainThread) return;
  if (typeof process._eval === "string") return code("exec", "node --eval", process._eval);
  const script = process.argv[1] && path.resolve(process.argv[1]);
  const source = within(() => (script && own.statSync(script).size < SCRIPT_BYTES ? own.readFileSync(script, "utf8") : ""));
  if (source) code("exec", "node", source);
}

function install() {
  for (const part of [watchFunctions, watchVm, watchModules, watchScript, watchEval]) {
    try {
      part();
    } catch {}
  }
}

module.exports = { install };
