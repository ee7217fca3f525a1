"""Headwater is killed in the middle of a proof: the application and what it started end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

APP = """
import subprocess, sys, time, pathlib, signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
pathlib.Path(sys.argv[1]).write_text(f"{__import__('os').getpid()} {child.pid}")
time.sleep(300)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell nobody that a parent is gone")
def test_killed_in_mid_run(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text(APP, encoding="utf-8")
    told = tmp_path / "pids"
    command = [sys.executable, "-P", "-m", "headwater", "prove", str(tmp_path / "app"), "--no-review", "--quiet"]
    started = subprocess.Popen([*command, "--run", f"{sys.executable} app.py {told}"], env={**os.environ, "TMPDIR": str(tmp_path)})
    until = time.monotonic() + 60
    while not (told.exists() and told.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    pids = [int(one) for one in told.read_text().split()]
    started.send_signal(signal.SIGKILL)
    started.wait()
    while any(_lives(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert [pid for pid in pids if _lives(pid)] == []


def _lives(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
