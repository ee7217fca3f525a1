"""``headwater models``: what it looks at, what it says in each format, and its exit status."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from model_builders import gguf, keras, layer, safetensors, saved_model, tf_node

from headwater.cli import cli
from headwater.cli.models import command
from headwater.modelfiles import folders, pool
from headwater.modelfiles.pool import Scanned

ROOT = Path(__file__).parent.parent.parent
SSTI = "{% for m in messages %}{{ m.role }}{% endfor %}{{ ''.__class__ }}"
WHOLE = safetensors({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    for name, data in {
        "a/bad.gguf": gguf({"tokenizer.chat_template": SSTI}),
        "a/good.safetensors": WHOLE,
        "b/config.json": b'{"auto_map": {"AutoModel": "x.Y"}, "model_type": "x"}',
        "b/x.py": b"import os\n",
        "c/cut.safetensors": WHOLE[:20],
        "c/README.md": b"# A model\n",
        "c/logo.png": b"\x89PNG\r\n\x1a\n" + bytes(20),
        "saved/saved_model.pb": saved_model(tf_node("MatMul")),
        "saved/variables/variables.index": bytes(range(200)),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, ["-q", "--processes", "1", *map(str, arguments)], standalone_mode=False)


def as_json(*arguments: str | Path) -> dict[str, Any]:
    result = run("--format", "json", *arguments)
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def test_entries(models: Path) -> None:
    made = as_json(models)
    jsonschema.validate(made, json.loads((ROOT / "docs" / "schemas" / "models-1.schema.json").read_text(encoding="utf-8")))
    found = {one["path"]: (one["format"], one["verdict"]) for one in made["files"]}
    assert found == {
        "a/bad.gguf": ("gguf", "malicious"),
        "a/good.safetensors": ("safetensors", "clean"),
        "b/config.json": ("hf-config", "review"),
        "c/cut.safetensors": ("safetensors", "inconclusive"),
        "saved/saved_model.pb": ("savedmodel", "clean"),
        "saved/variables/variables.index": ("unknown", "clean"),
    }
    assert made["verdict"] == "malicious"
    assert made["counts"] == {"malicious": 1, "review": 1, "inconclusive": 1, "clean": 3}
    assert made["skipped"] == 3  # x.py, README.md, logo.png
    good = next(one for one in made["files"] if one["path"] == "a/good.safetensors")
    assert good["sha256"] == hashlib.sha256(WHOLE).hexdigest()
    assert good["size"] == len(WHOLE)
    bad = made["files"][0]["findings"][0]
    assert bad["check"] == "template-internals"
    assert bad["evidence"] == "{{ ''.__class__ }}"
    assert bad["offset"] > 0


def test_paths_are_relative_to_what_was_named(models: Path) -> None:
    assert [one["path"] for one in as_json(models / "a" / "bad.gguf")["files"]] == ["bad.gguf"]
    assert [one["path"] for one in as_json(models / "a")["files"]] == ["bad.gguf", "good.safetensors"]
    several = as_json(models / "a", models / "b" / "config.json")["files"]
    assert [one["path"] for one in several] == ["a/bad.gguf", "a/good.safetensors", "b/config.json"]


def test_members(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(keras(layer("Dense")))
    paths = [one["path"] for one in as_json(tmp_path)["files"]]
    assert paths[0] == "m.keras"
    assert "m.keras!model.weights.h5" in paths


def test_a_source_file_that_is_none_is_examined(models: Path) -> None:
    (models / "c" / "notes.md").write_bytes(gguf({"tokenizer.chat_template": SSTI}))
    (models / "c" / "picture.png").write_bytes(gguf({"tokenizer.chat_template": SSTI}))
    found = {one["path"]: one["verdict"] for one in as_json(models / "c")["files"]}
    assert found["c/notes.md" if "c/notes.md" in found else "notes.md"] == "malicious"
    assert found["picture.png"] == "malicious"


@pytest.mark.parametrize(
    ("where", "gate", "status"),
    [
        ("", "malicious", 1),
        ("", "never", 0),
        ("b", "malicious", 0),
        ("b", "review", 1),
        ("saved", "inconclusive", 0),
        ("c", "review", 3),
        ("c", "inconclusive", 1),
        ("a/good.safetensors", "inconclusive", 0),
    ],
)
def test_exit_status(models: Path, where: str, gate: str, status: int) -> None:
    assert run("--fail-on", gate, models / where).return_value == status


def test_other_statuses(models: Path, tmp_path: Path) -> None:
    assert run(models / "a").return_value == 1
    assert run("--strict-coverage", "--fail-on", "never", models).return_value == 3
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(empty).return_value == 3
    assert (
        subprocess.run([sys.executable, "-m", "headwater", "models", str(tmp_path / "none")], capture_output=True, check=False).returncode
        == 2
    )
    assert CliRunner().invoke(cli, ["models"]).exit_code == 2


def test_text(models: Path) -> None:
    result = run(models)
    assert "MALICIOUS  a/bad.gguf (gguf," in result.stdout
    assert "reaches '__class__'" in result.stdout
    assert "saved_model.pb" not in result.stdout
    assert "6 files and members: 1 malicious, 1 review, 1 inconclusive, 3 clean." in result.stdout.replace("\n", " ")
    assert "The gate (malicious) failed." in result.stdout.replace("\n", " ")
    assert "clean  saved/saved_model.pb (savedmodel)" in run("--all", models).stdout


def test_sarif(models: Path) -> None:
    log = json.loads(run("--format", "sarif", models).stdout)
    jsonschema.validate(log, json.loads((ROOT / "tests" / "data" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8")))
    results = log["runs"][0]["results"]
    assert [one["ruleId"] for one in results] == ["malicious-model-file", "model-file-for-review", "model-file-not-readable"]
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a/bad.gguf"


def test_reports_go_to_files(models: Path, tmp_path: Path) -> None:
    text, sarif = tmp_path / "out.txt", tmp_path / "out.sarif"
    result = run("--format", "text", "--output", text, "--format", "sarif", "--output", sarif, "--format", "json", models)
    assert json.loads(result.stdout)["version"] == 1
    assert "bad.gguf" in text.read_text(encoding="utf-8")
    assert json.loads(sarif.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_hostile_names_and_texts_are_written_out(tmp_path: Path) -> None:
    name = "x\x1b[31m\u202e\n::error::\udcff.gguf"
    (tmp_path / os.fsencode(name).decode("utf-8", "surrogateescape")).write_bytes(
        gguf({"tokenizer.chat_template": "{{ '\x1b[2J\u202e'.__class__ }}"})
    )
    for form in ("text", "json", "sarif"):
        shown = run("--format", form, tmp_path).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\n::error" not in shown


def test_links_are_not_followed(models: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.gguf"
    outside.write_bytes(gguf({"tokenizer.chat_template": SSTI}))
    (models / "a" / "link.gguf").symlink_to(outside)
    (models / "a" / "inside.safetensors").symlink_to(models / "a" / "good.safetensors")
    (models / "a" / "loop").symlink_to(models)
    (models / "a" / "nowhere.gguf").symlink_to(tmp_path / "none")
    found = {one["path"]: (one["verdict"], [finding["check"] for finding in one["findings"]]) for one in as_json(models)["files"]}
    assert found["a/link.gguf"] == ("inconclusive", ["link"])
    assert not {"a/inside.safetensors", "a/loop", "a/nowhere.gguf"} & found.keys()
    assert as_json(models / "a" / "link.gguf")["files"][0]["verdict"] == "malicious"  # the user named it


def test_what_is_no_file_is_not_opened(models: Path) -> None:
    os.mkfifo(models / "a" / "pipe.gguf")
    assert "a/pipe.gguf" not in {one["path"] for one in as_json(models)["files"]}
    assert as_json(models / "a" / "pipe.gguf")["files"][0]["verdict"] == "inconclusive"


def test_workers_say_the_same(models: Path) -> None:
    files = folders.find([str(models)]).files
    alone = pool.scan(files, 1)
    steps: list[tuple[int, int]] = []
    assert pool.scan(files, 3, lambda done, total: steps.append((done, total))) == alone
    assert steps == [(number, len(files)) for number in range(1, len(files) + 1)]
    assert all(isinstance(one, Scanned) for one in alone)


def test_a_worker_that_ends_costs_one_file(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_BOOT", pool._BOOT.replace("; work()", "; import ended; work()"))
    code = models / "ended.py"
    code.write_text(
        "import os\nfrom headwater.modelfiles import dispatch\nscan = dispatch.scan_file\n"
        "dispatch.scan_file = lambda path, *rest: os._exit(3) if 'bad' in path else scan(path, *rest)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(models))
    found = {one.files[0].path: one.files[0] for one in pool.scan(folders.find([str(models)]).files, 2)}
    assert found["a/bad.gguf"].concerns[0].check == "crash"
    assert found["a/bad.gguf"].verdict == "inconclusive"
    assert found["a/good.safetensors"].verdict == "clean"


def test_nothing_of_the_working_directory_is_imported(models: Path) -> None:
    (models / "multiprocessing.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    (models / "yaml.py").write_text("open('imported', 'w')\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-P", "-m", "headwater", "models", "--processes", "2", "--format", "json", "."]
    done = subprocess.run(command, cwd=models, env=environment, capture_output=True, check=False)
    assert json.loads(done.stdout)["counts"]["malicious"] == 1
    assert not (models / "imported").exists()


def test_an_interrupt_ends_it_and_its_workers(tmp_path: Path) -> None:
    for number in range(4):
        with open(tmp_path / f"{number}.gguf", "wb") as file:
            file.write(gguf({"a": "b"}))
            file.truncate(40_000_000_000)  # hashing takes longer than the test
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "headwater", "models", "--processes", "2", str(tmp_path)]
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not any(path.read_text() for path in Path(f"/proc/{running.pid}/task").glob("*/children")):  # its workers
            assert time.monotonic() < deadline
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()  # else its 160 GB slow down all tests that follow
        running.wait()
    assert running.returncode == 130
    assert b"interrupted" in err
    assert out == b""


def test_an_interrupt_while_workers_are_started_ends_those_that_are_there(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    begin, start = pool._Pool._begin, threading.Thread.start

    def noted(self: Any) -> Any:
        begun.append(begin(self))
        return begun[-1]

    def interrupted(self: threading.Thread) -> None:
        start(self)
        while not begun:
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(pool._Pool, "_begin", noted)
    monkeypatch.setattr(pool._Pool, "_ask", lambda self, worker, file: worker.wait())  # busy until it is ended
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.scan([folders.File("bad.gguf", str(models / "a" / "bad.gguf"), 1)] * 2, 2)
    assert [worker.wait(timeout=30) for worker in begun] == [-signal.SIGKILL]


def test_the_same_bytes_for_any_number_of_processes(models: Path) -> None:
    one = CliRunner().invoke(command, ["-q", "--processes", "1", "--format", "json", str(models)], standalone_mode=False).stdout
    two = CliRunner().invoke(command, ["-q", "--processes", "2", "--format", "json", str(models)], standalone_mode=False).stdout
    assert one == two
