"""Monitors: what is loaded into the processes of an application under proof. ``reading`` reads what they wrote.

They are the folders ``python`` and ``node``, which import nothing of Headwater: the application's interpreter runs them. What they
hear, refuse and redirect is in docs/prove-monitors.md.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from headwater.prove.events import ENVIRONMENT, Control
from headwater.prove.monitors.reading import Reader, read

__all__ = ["Reader", "environment", "read", "write_control"]

FOLDER = Path(__file__).resolve().parent


def environment(control: Path) -> dict[str, str]:
    """Variables that load the monitors: ``PYTHONPATH`` and ``NODE_OPTIONS`` go before what the application has there."""
    hook = str(FOLDER / "node" / "hook.cjs")
    quoted = '"' + hook.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return {
        ENVIRONMENT: str(control.resolve()),
        "PYTHONPATH": str(FOLDER / "python"),
        "NODE_OPTIONS": f"--require {quoted}",
    }


def write_control(control: Control, path: Path) -> None:
    """Writes what the monitors are told, and makes the folder that they write to."""
    Path(control.folder).mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(control))
