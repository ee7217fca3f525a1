"""Model files as part of a review: findings, the ledger, and the calls in the code that load them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from model_builders import code, gguf, keras, layer, safetensors

import headwater
from headwater import gate
from headwater.change import review_change
from headwater.config import Config
from headwater.findings import Finding, Level, Review, Severity
from headwater.modelfiles import dispatch
from headwater.modelfiles.verdicts import Examined
from headwater.reports import json_v1, sarif, text
from headwater.reports.view import view
from headwater.rules.load import load_rules

SSTI = "{% for m in messages %}{{ m.role }}{% endfor %}{{ ''.__class__ }}"
LAMBDA = layer("Lambda", {"name": "l", "function": layer("__lambda__", {"code": code("lambda x: open('f')")}, None)})
WHOLE = safetensors({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4))


def reviewed(folder: Path, files: dict[str, bytes | str], **config: object) -> Review:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return headwater.review(folder, Config(processes=1, **config))  # type: ignore[arg-type]


def of(review: Review, rule: str) -> list[Finding]:
    return [finding for finding in review.findings if finding.rule == rule]


def test_findings_by_verdict(tmp_path: Path) -> None:
    review = reviewed(
        tmp_path,
        {
            "app.py": "x = 1\n",
            "models/bad.gguf": gguf({"tokenizer.chat_template": SSTI}),
            "models/config.json": json.dumps({"model_type": "m", "auto_map": {"AutoModel": "a.B"}}),
            "models/cut.safetensors": WHOLE[:40],
            "models/good.safetensors": WHOLE,
            "config.json": json.dumps({"name": "an application"}),
        },
    )
    found = {(finding.rule, finding.place.path): finding for finding in review.findings}
    assert sorted(found) == [
        ("malicious-model-file", "models/bad.gguf"),
        ("model-file-for-review", "models/config.json"),
        ("model-file-not-readable", "models/cut.safetensors"),
    ]
    malicious, for_review, unread = (found[key] for key in sorted(found))
    assert (malicious.severity, malicious.level) == (Severity.CRITICAL, Level.ERROR)
    assert (for_review.severity, for_review.level) == (Severity.MEDIUM, Level.WARNING)
    assert unread.level == Level.NOTE
    assert "'__class__'" in malicious.message
    config = Config()
    assert [gate.counts(one, config) for one in (malicious, for_review, unread)] == [True, False, False]
    assert review.coverage.counts["model-files"] == 4
    assert review.coverage.counts["model-files-malicious"] == 1
    assert review.coverage.files == 5
    assert [gap.path for gap in review.coverage.gaps if gap.kind == "model-file"] == ["models/cut.safetensors"]
    assert review.coverage.status == "partial"


def test_a_pointer_is_no_gap_that_makes_the_review_partial(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
    review = reviewed(tmp_path, {"app.py": "x = 1\n", "model.safetensors": pointer})
    assert [one.rule for one in review.findings] == ["model-file-not-readable"]
    assert review.coverage.status == "complete"


def test_only_model_files(tmp_path: Path) -> None:
    review = reviewed(tmp_path, {"good.safetensors": WHOLE})
    assert (review.findings, review.coverage.status, review.coverage.files) == ((), "complete", 1)


LOADERS = {
    "in the call": 'import torch\nm = torch.load("models/m.keras", weights_only=False)\n',
    "by a name": 'import torch\nPATH = "models/m.keras"\nm = torch.load(PATH, weights_only=False)\n',
    "by parts": 'import os\nimport torch\nm = torch.load(os.path.join("models", "m.keras"), weights_only=False)\n',
    "beside the code": "import os\nimport torch\nHERE = os.path.dirname(__file__)\n"
    'm = torch.load(os.path.join(HERE, "models/m.keras"), weights_only=False)\n',
    "by pathlib": 'import torch\nfrom pathlib import Path\nm = torch.load(Path("models") / "m.keras", weights_only=False)\n',
    "by an open file": 'import pickle\ndef f():\n    with open("models/m.keras", "rb") as file:\n        return pickle.load(file)\n',
    "by a name that is opened": 'import pickle\nP = "models/m.keras"\ndef f():\n'
    '    with open(P, "rb") as file:\n        return pickle.load(file)\n',
}


@pytest.mark.parametrize("source", LOADERS.values(), ids=list(LOADERS))
def test_the_loader_is_told_and_tells(source: str, tmp_path: Path) -> None:
    review = reviewed(tmp_path, {"app.py": source, "models/m.keras": keras(LAMBDA)})
    [finding] = of(review, "malicious-model-file")
    line = next(number for number, one in enumerate(source.split("\n"), 1) if ".load(" in one)
    assert f"at app.py:{line}" in finding.message
    assert ".load(" in finding.message
    [loader] = of(review, "unsafe-model-loading")
    assert "The file that it names, 'models/m.keras', is malicious" in loader.message


def test_the_flags_of_a_loader_are_told(tmp_path: Path) -> None:
    source = (
        'import keras\nm = keras.models.load_model("m.keras", safe_mode=False)\nn = keras.models.load_model("m.keras", safe_mode=True)\n'
    )
    review = reviewed(tmp_path, {"app.py": source, "m.keras": keras(LAMBDA)})
    [finding] = of(review, "malicious-model-file")
    assert "safe_mode=False)` at app.py:2" in finding.message
    assert "safe_mode=True)` at app.py:3" in finding.message


def test_a_folder_that_is_loaded(tmp_path: Path) -> None:
    source = 'from transformers import AutoModel\nm = AutoModel.from_pretrained("./hf", trust_remote_code=True)\n'
    config = json.dumps({"model_type": "m", "auto_map": {"AutoModel": "a.B"}})
    review = reviewed(tmp_path, {"app.py": source, "hf/config.json": config})
    [finding] = of(review, "model-file-for-review")
    assert "trust_remote_code=True)` at app.py:2" in finding.message
    [loader] = of(review, "unsafe-model-loading")
    assert "'hf/config.json', is to be reviewed" in loader.message


CONFIG = json.dumps({"model_type": "m", "auto_map": {"AutoModel": "modeling_m.M", "AutoConfig": "somebody/else--configuration_m.C"}})
KERNELS = "from torch.utils import cpp_extension\n\nkernels = cpp_extension.load(name='k', sources=['k.cu'])\n"
MODEL = "import torch\nfrom .helper_m import f\n\n\nclass M(torch.nn.Module):\n    def forward(self, x):\n        return f(x)\n"


@pytest.mark.parametrize(
    ("files", "rule", "said"),
    [
        ({"modeling_m.py": MODEL, "helper_m.py": "def f(x):\n    return x\n"}, "model-file-for-review", ""),
        ({"modeling_m.py": MODEL, "helper_m.py": KERNELS}, "model-file-for-review", "importing it calls cpp_extension.load("),
        (
            {"modeling_m.py": MODEL.replace("return f(x)", "import os; os.system(x)")},
            "model-file-for-review",
            "using the model calls os.system(x)",
        ),
        (
            {"modeling_m.py": MODEL, "helper_m.py": "import os\n\nos.system('id')\n"},
            "malicious-model-file",
            "'helper_m.py': importing it calls os.system('id') (line 3)",
        ),
        ({"configuration_m.py": "import os\n\nos.system('id')\n"}, "model-file-for-review", ""),  # that of another repository is meant
    ],
)
def test_code_that_a_configuration_names_is_looked_at(tmp_path: Path, files: dict[str, str], rule: str, said: str) -> None:
    review = reviewed(tmp_path, {"hf/config.json": CONFIG, **{f"hf/{name}": text for name, text in files.items()}})
    told = [one for one in review.findings if one.rule.endswith(("model-file", "file-for-review"))]
    assert [(one.rule, one.place.path) for one in told] == [(rule, "hf/config.json")]
    [examined], _ = dispatch.scan_file(str(tmp_path / "hf" / "config.json"), "config.json", hashed=False)
    acts = [one.message for one in examined.concerns if " calls " in one.message]
    assert len(acts) == bool(said)
    assert said in "".join(acts)


def test_code_beside_a_configuration_is_no_link_and_of_that_folder(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("import os\n\nos.system('id')\n")
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "a.py").symlink_to(tmp_path / "evil.py")
    (tmp_path / "hf" / "config.json").write_text(
        json.dumps({"model_type": "m", "auto_map": {"A": "a.B", "B": "../evil.B", "C": "...evil.B"}})
    )
    [examined], _ = dispatch.scan_file(str(tmp_path / "hf" / "config.json"), "config.json", hashed=False)
    assert examined.verdict == "review"


def test_another_file_is_not_joined(tmp_path: Path) -> None:
    source = 'import torch\nm = torch.load("other/m.keras", weights_only=False)\nn = torch.load(name, weights_only=False)\n'
    review = reviewed(tmp_path, {"app.py": source, "models/m.keras": keras(LAMBDA)})
    assert "It is loaded by" not in of(review, "malicious-model-file")[0].message
    assert all("The file that it names" not in one.message for one in of(review, "unsafe-model-loading"))


def test_python_code_in_a_model_is_reviewed_as_a_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = b"import subprocess\nfrom flask import request\n\n\ndef handle():\n    subprocess.run(request.args['c'], shell=True)\n"
    helper = b"from handler import handle\n\n\ndef helped():\n    return handle()\n"
    scan = dispatch.scan_file

    def with_code(path: str, name: str, hashed: bool = True) -> tuple[list[Examined], list[tuple[str, bytes]]]:
        sources = [
            ("m.gguf!handler.py", handler),
            ("m.gguf!../../helper", helper),
            ("n.gguf!a/x.py", b"x = (\n"),
            ("n.gguf!..", b"x = 1\n"),
        ]
        return scan(path, name, hashed)[0], sources

    monkeypatch.setattr(dispatch, "scan_file", with_code)
    review = reviewed(tmp_path, {"app.py": "x = 1\n", "m.gguf": gguf({"a": "b"})})
    [finding] = review.findings
    assert finding.rule == "remote-input-to-shell"
    assert finding.place.path == "m.gguf!handler.py"
    assert {step.place.path for trace in finding.traces for step in trace.steps} == {"m.gguf!handler.py"}
    shown = view(review, Config(), load_rules(), "0")
    assert "m.gguf!handler.py:6" in text.render(shown)
    assert json.loads(sarif.render(shown))["runs"][0]["results"]


def test_a_change_is_compared_with_the_model_files_before_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments], cwd=tmp_path, check=True, capture_output=True)

    bad = gguf({"tokenizer.chat_template": SSTI})
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
    for name, data in {"x.py": b"a = 1\n", "old.gguf": bad, "lfs.safetensors": pointer}.items():
        (tmp_path / name).write_bytes(data)
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    (tmp_path / "new.gguf").write_bytes(bad)
    result, _ = review_change(tmp_path, "HEAD", {"processes": 1})
    assert {(one.place.path, one.is_open) for one in result.findings} == {
        ("old.gguf", False),
        ("lfs.safetensors", False),
        ("new.gguf", True),
    }


def test_reports_show_binary_files(tmp_path: Path) -> None:
    review = reviewed(tmp_path, {"app.py": "x = 1\n", "bad.gguf": gguf({"tokenizer.chat_template": SSTI})})
    config = Config()
    shown = view(review, config, load_rules(), "0")
    assert "bad.gguf:1:1" in text.render(shown)
    assert json.loads(json_v1.render(shown))
    [result] = json.loads(sarif.render(shown))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "bad.gguf"


def test_identity_survives_other_findings_and_is_of_the_file(tmp_path: Path) -> None:
    one = reviewed(tmp_path / "a", {"x.py": "a = 1\n", "bad.gguf": gguf({"tokenizer.chat_template": SSTI})})
    two = reviewed(tmp_path / "b", {"x.py": "b = 2\n", "bad.gguf": gguf({"a": "b", "tokenizer.chat_template": SSTI})})
    assert one.findings[0].identity == two.findings[0].identity
    assert one.findings[0].moved_identity == two.findings[0].moved_identity


def test_ignored_files_and_programs_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    files: dict[str, bytes | str] = {
        ".gitignore": "*.gguf\n",
        "x.py": "a = 1\n",
        "bad.gguf": gguf({"tokenizer.chat_template": SSTI}),
        "lib.so": b"\x7fELF" + bytes(60),
        "run": b"#!/bin/sh\ntrue\n",
        "bin/tool.bin": b"\x00\x01" * 100,
    }
    assert reviewed(tmp_path, files).findings == ()


def test_rules_that_are_off_find_nothing(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"x.py": "a = 1\n", "bad.gguf": gguf({"tokenizer.chat_template": SSTI})}
    assert reviewed(tmp_path, files, rules={"malicious-model-file": None}).findings == ()
