"""Git repositories for tests: made by git itself, or object by object, also such as git would not make."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zlib
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def git(root: Path, *arguments: str, day: int = 1, text: str | None = None) -> str:
    """Runs git as the makers of the repository would."""
    times = {"GIT_AUTHOR_DATE": f"{1_700_000_000 + day * 86_400} +0000", "GIT_COMMITTER_DATE": f"{1_700_000_000 + day * 86_400} +0000"}
    made = subprocess.run(
        ["git", "-C", str(root), "-c", "protocol.file.allow=always", *arguments],
        env={**ENVIRONMENT, **times},
        check=True,
        capture_output=True,
        text=True,
        input=text,
    )
    return made.stdout.strip()


def repository(root: Path, files: dict[str, str]) -> Path:
    """One with a first commit on ``main``."""
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    commit(root, files)
    return root


def commit(root: Path, files: dict[str, str | None], day: int = 1) -> str:
    """Writes files (None: takes them away) and commits all there is."""
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "x", day=day)
    return git(root, "rev-parse", "HEAD")


def put(root: Path, kind: str, data: bytes, id: str = "") -> str:
    """A loose object, under another id if one is given."""
    whole = b"%s %d\0" % (kind.encode(), len(data)) + data
    id = id or hashlib.sha1(whole).hexdigest()
    path = root / ".git" / "objects" / id[:2] / id[2:]
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(zlib.compress(whole))
    return id


def tree(root: Path, entries: list[tuple[str, bytes, str]]) -> str:
    return put(root, "tree", b"".join(f"{mode} ".encode() + name + b"\0" + bytes.fromhex(id) for mode, name, id in entries))


def committed(root: Path, tree: str, parents: tuple[str, ...] = (), ref: str = "evil") -> str:
    """A commit of a tree, under a name."""
    above = "".join(f"parent {one}\n" for one in parents)
    id = put(root, "commit", f"tree {tree}\n{above}author a <a@b> 1700000000 +0000\ncommitter a <a@b> 1700000000 +0000\n\nx\n".encode())
    (root / ".git" / "refs" / "heads" / ref).write_text(id + "\n")
    return id
