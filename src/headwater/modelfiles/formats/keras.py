"""Keras 3 archives (``.keras``): the configuration, and weights that are no HDF5."""

from __future__ import annotations

from typing import Final

from headwater.modelfiles import keras_config, texts
from headwater.modelfiles.blob import Blob
from headwater.modelfiles.work import Examination

NAME: Final = "keras"
PART: Final = "config.json"


def is_one(members: set[str]) -> bool:
    """Whether an archive with these members is one."""
    return PART in members and ("metadata.json" in members or any(name.startswith("model.weights.") for name in members))


def examine_config(blob: Blob, work: Examination) -> None:
    """The member ``config.json``."""
    text = texts.whole(blob)
    if text is None:
        work.concern("size", "inconclusive", "The configuration is too long to be read.")
        return
    try:
        keras_config.judge(work, texts.loads(text))
    except (ValueError, RecursionError) as error:
        work.concern("keras-config", "inconclusive", "The configuration is no JSON.", str(error))
