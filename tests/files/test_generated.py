"""Scripts that tools made: left out and told; what a compiler made of one file is read, and told once where its source is there."""

from __future__ import annotations

from pathlib import Path

import pytest

import headwater
from headwater.config import Config
from headwater.files.generated import made_by_tools
from headwater.files.twins import source_of

ROOT = Path(__file__).parent.parent.parent

MINIFIED = b'!function(e,t){"object"==typeof exports?module.exports=t():e.x=t()}(this,(function(){"use strict";var e=1;return e+2}));' * 30
PRETTY = b"".join(b"function %s(%s) {\n  const t = %s + 1;\n  return t;\n}\n" % ((bytes([97 + n % 26]),) * 3) for n in range(60))
PROMPT = (
    b'export const PROMPT = "' + b"You are a helpful assistant who answers in short sentences; " * 60 + b'";\nexport const run = () => 1;\n'
)
BASE64 = b'export const ICON = "' + b"iVBORw0KGgoAAAANSUhEUgAA" * 200 + b'";\n'
WRITTEN = b"import { exec } from 'child_process';\n\nexport function run(command) {\n  return exec(command);\n}\n" * 20


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (MINIFIED, "length of its lines"),
        (PRETTY, "names"),
        (b"/******/ (() => { // webpackBootstrap\n/******/ function __webpack_require__(moduleId) {\n" + WRITTEN, "webpack"),
        (b"var __commonJS = (cb, mod) => function __require() {};\n\n// node_modules/ws/lib/stream.js\n" + WRITTEN, "esbuild"),
        (b"function getDefaultExportFromCjs (x) {\n  return x.default;\n}\n" + WRITTEN, "rollup"),
        (b"//#region node_modules/ws/lib/stream.js\n" + WRITTEN, "rolldown"),
        (PROMPT, ""),
        (BASE64, ""),
        (WRITTEN, ""),
        (MINIFIED[:500], ""),
        (b"const text = 'function getDefaultExportFromCjs(x)';\n// see node_modules/ws\n" + WRITTEN, ""),
        (b"var __defProp = Object.defineProperty;\nvar __export = (target, all) => {};\n// src/index.ts\n" + WRITTEN, ""),
        (WRITTEN + b"//# sourceMappingURL=index.js.map\n", ""),
    ],
)
def test_looks(data: bytes, word: str) -> None:
    made = made_by_tools(data)
    assert (word in made) if word else not made


CHUNK = b"import { f as fade } from './Button-0502e555.js';\n" + WRITTEN


@pytest.mark.parametrize(
    ("path", "data", "built"),
    [
        ("app/templates/assets/Index-f0a843d1.js", CHUNK, True),
        ("web/static/index-Dh2pQ_8z.js", CHUNK, True),
        ("web/static/js/main.3f2a1b9c.chunk.js", WRITTEN + b"//# sourceMappingURL=main.3f2a1b9c.chunk.js.map", True),
        ("web/assets/index.js", CHUNK + b"const lazy = () => import('./Chart-1a2b3c4d.js');\n", True),
        ("web/assets/Index-f0a843d1.js", WRITTEN, False),
        ("web/assets/index.js", CHUNK, False),
        ("web/assets/index-settings.js", b"import './dark-contrast.js';\nimport './page-20240101.js';\n" + WRITTEN, False),
        ("dist/chunk-0502e555.js", CHUNK + CHUNK, False),
        ("src/static/run.js", WRITTEN, False),
    ],
)
def test_builds_of_front_ends(path: str, data: bytes, built: bool) -> None:
    assert ("built for browsers" in made_by_tools(data, path)) == built


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes(MINIFIED)
    (tmp_path / "b.js").write_bytes(WRITTEN)
    review = headwater.review(tmp_path, Config(processes=1))
    assert [(gap.kind, gap.path, gap.partial) for gap in review.coverage.gaps] == [("generated", "a.js", True)]
    assert review.coverage.files == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("dist/index.js", "src/index.ts"),
        ("pkg/dist/cjs/tools/run.cjs", "pkg/src/tools/run.ts"),
        ("pkg/dist/esm/tools/run.js", "pkg/src/tools/run.ts"),
        ("pkg/dist/src/tools/run.js", "pkg/src/tools/run.ts"),
        ("pkg/lib/view.js", "pkg/src/view.tsx"),
        ("build/tool.mjs", "tool.mts"),
        ("src/index.ts", ""),
        ("dist/other.js", ""),
        ("other/index.js", ""),
    ],
)
def test_sources_of_compiled_scripts(path: str, source: str) -> None:
    paths = {"src/index.ts", "pkg/src/tools/run.ts", "pkg/src/view.tsx", "tool.mts", "dist/other.js", "dist/index.js", "pkg/dist/view.js"}
    assert source_of(path, paths) == source


SOURCE = """import { exec } from "child_process";
import express from "express";

const app = express();

export async function run(command: string): Promise<void> {
  exec(command);
}

app.get("/run", async (req, res) => {
  await run(req.query.command as string);
  res.end();
});
"""
COMPILED = """"use strict";
var __awaiter = (this && this.__awaiter) || function () {};
Object.defineProperty(exports, "__esModule", { value: true });
exports.run = run;
const child_process_1 = require("child_process");
const express_1 = __importDefault(require("express"));
const app = (0, express_1.default)();
function run(command) {
    return __awaiter(this, void 0, void 0, function* () {
        (0, child_process_1.exec)(command);
    });
}
app.get("/run", (req, res) => __awaiter(void 0, void 0, void 0, function* () {
    yield run(req.query.command);
    res.end();
}));
"""


def _reported(root: Path, files: dict[str, str]) -> list[str]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    review = headwater.review(root, Config(processes=1))
    return [f"{one.place.path}:{review.sources[one.place.path].position(one.place.start)[0]}" for one in review.findings]


def test_what_is_compiled_is_read_and_told_once(tmp_path: Path) -> None:
    assert _reported(tmp_path / "compiled", {"dist/index.js": COMPILED}) == ["dist/index.js:10"]
    both = {"src/index.ts": SOURCE, "dist/index.js": COMPILED}
    assert _reported(tmp_path / "both", both) == ["src/index.ts:7"]
    more = {**both, "dist/index.js": COMPILED + 'app.get("/more", (req, res) => { (0, child_process_1.exec)(req.query.more); });\n'}
    assert sorted(_reported(tmp_path / "more", more)) == ["dist/index.js:17", "src/index.ts:7"]
