"""When an operation on a file is an effect: where the payload aims at, and not only for its name being there."""

from __future__ import annotations

import pytest

from headwater.proofs import Verdict
from headwater.prove import verdicts
from headwater.prove.attempts import Attempt
from headwater.prove.events import Event
from headwater.prove.payloads import by_id

TOKEN = "hwc0000aa0001"
WHERE = verdicts.Where(
    work="/run/work",
    root="/run/work/notes",
    home="/run/home",
    scratch="/run/scratch",
    canary=f"/run/scratch/{TOKEN}",
    secret=f"/run/scratch/secrets/{TOKEN}.txt",
    sink="127.1.2.3:1",
    languages={},
)
SECRET, CANARY = WHERE.secret, WHERE.canary
DATA = "/usr/lib/node_modules/docs/data"


def verdict(payload: str, kind: str, call: str, value: str, where: verdicts.Where = WHERE) -> Verdict:
    made = by_id()[payload]
    attempt = Attempt(TOKEN, payload, made.sink_class, made.family, made.breaks, "mcp", "")
    events = [Event(kind, call, value, (TOKEN,))]
    return verdicts.judge(attempt, made, events, asked=False, answered=(), looks=None, written=False, where=where).verdict


@pytest.mark.parametrize(
    ("payload", "kind", "call", "value", "effect"),
    [
        ("path-absolute", "read", "open", SECRET, True),
        ("path-traversal", "read", "fs.promises.readFile", f"notes/../../../../../../../../../../../..{SECRET}", True),
        # With something of the application's behind it
        ("path-traversal", "read", "fs.readFileSync", f"{SECRET}.md", True),
        ("path-folder", "read", "os.scandir", f"/run/scratch/folders/{TOKEN}", True),
        ("path-home", "read", "open", f"/run/home/{TOKEN}", True),
        ("path-sibling", "read", "open", f"notes_evil/{TOKEN}", True),
        ("path-root-traversal", "read", "open", f"notes/../{TOKEN}", True),
        ("path-write-absolute", "write", "fs.rename", f"/run/work/notes/a.txt -> {CANARY}", True),
        # It stays in the folder that it may use, or in one of the application's that nobody named
        ("path-absolute", "read", "open", f"/run/work/notes{SECRET}", False),
        ("path-absolute", "read", "fs.promises.readFile", DATA + SECRET, False),
        ("path-encoded", "read", "open", f"{DATA}/..%2f..%2f..%2f{SECRET[1:]}", False),
        ("path-write-absolute", "write", "open", f"/tmp/uploads/{CANARY[1:]}", False),
        # Checks look where a path leads before they refuse it
        ("path-absolute", "read", "fs.promises.realpath", SECRET, False),
        ("path-absolute", "read", "fs.realpathSync.native", SECRET, False),
        ("path-folder", "read", "fs.statSync", f"/run/scratch/folders/{TOKEN}", False),
        # Other payloads than paths, which happen to become the name of a file
        ("xml-entity-file", "read", "open", f'{DATA}/<!ENTITY e SYSTEM "file://{SECRET}">', False),
        ("xml-entity-file", "read", "open", SECRET, True),
        ("python-open", "write", "open", f"notes/open('{CANARY}', 'w').close()", False),
        ("python-open", "write", "open", CANARY, True),
    ],
)
def test_operations_on_files(payload: str, kind: str, call: str, value: str, effect: bool) -> None:
    assert verdict(payload, kind, call, value) is (Verdict.EFFECT if effect else Verdict.REACHED)


def test_beside_a_folder_that_is_not_known() -> None:
    """Without a folder of its own there is nothing beside it: what lies in its folder is the application's."""
    where = WHERE._replace(root="")
    assert verdict("path-root-traversal", "read", "open", f"notes/../{TOKEN}", where) is Verdict.REACHED
    assert verdict("path-absolute", "read", "open", SECRET, where) is Verdict.EFFECT
