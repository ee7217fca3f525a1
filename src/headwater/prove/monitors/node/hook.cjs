// Watches what a Node.js process does with the values of one proof: loaded by --require, before the application, also in its workers.
//
// record.cjs writes events; processes, files, code, network and libraries wrap what has effects. A fault in here is none of the
// application's: what cannot be wrapped is not watched.
"use strict";

const record = require("./record.cjs");

if (record.load()) {
  record.announce();
  for (const part of ["./processes.cjs", "./files.cjs", "./code.cjs", "./network.cjs", "./libraries.cjs"]) {
    try {
      require(part).install();
    } catch {}
  }
  try {
    require("node:module").syncBuiltinESMExports(); // ES modules have bindings of their own to what is exported
  } catch {}
}
