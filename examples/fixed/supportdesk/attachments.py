"""Files that customers uploaded: one folder for each customer, file names of our own."""

from pathlib import Path
from uuid import uuid4

from supportdesk.config import load_settings

FOLDER = (load_settings().data / "attachments").resolve()
LARGEST = 1_000_000


def keep(customer: int, content: bytes) -> str:
    if len(content) > LARGEST:
        raise ValueError("too large")
    folder = FOLDER / str(int(customer))
    folder.mkdir(exist_ok=True)
    name = f"{uuid4().hex}.txt"
    (folder / name).write_bytes(content)
    return name


def read_attachment(customer: int, name: str) -> str:
    folder = (FOLDER / str(int(customer))).resolve()
    path: Path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise PermissionError("not one of your files")
    return path.read_text(encoding="utf-8", errors="replace")[:20_000]


def search_attachments(customer: int, words: str) -> str:
    folder = FOLDER / str(int(customer))
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*.txt"))}
    return "\n".join(name for name, text in texts.items() if words.lower() in text.lower())
