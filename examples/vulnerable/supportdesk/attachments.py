"""Files that customers uploaded."""

import os
from pathlib import Path

from supportdesk.config import load_settings

FOLDER = load_settings().data / "attachments"


def keep(name: str, content: bytes) -> Path:
    target = FOLDER / name
    target.write_bytes(content)
    return target


def read_attachment(name: str) -> str:
    with open(FOLDER / name, encoding="utf-8", errors="replace") as file:
        return file.read(20_000)


def search_attachments(words: str) -> str:
    return os.popen(f"grep -ril '{words}' {FOLDER}").read()
