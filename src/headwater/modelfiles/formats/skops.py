"""skops archives: a schema of nodes, and arrays beside it."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles import skops_schema, texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "skops"
PART: Final = "schema.json"


def is_one(members: set[str]) -> bool:
    """Whether an archive with these members is one."""
    return PART in members and all(name == PART or name.endswith((".npy", ".npz", ".bin", "/")) for name in members)


def examine_config(blob: Blob, work: Examination) -> None:
    """The member ``schema.json``."""
    text = texts.whole(blob)
    if text is None:
        work.concern("size", "inconclusive", "The schema is too long to be read.")
        return
    try:
        skops_schema.judge(work, texts.loads(text))
    except (ValueError, RecursionError) as error:
        work.concern("skops-schema", "inconclusive", "The schema is no JSON.", str(error))
