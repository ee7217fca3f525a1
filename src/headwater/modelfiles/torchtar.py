"""The members of a tar archive of torch before 0.1.11: pickles with numbers and raw data between them."""

from __future__ import annotations

from headwater.modelfiles.blob import Blob
from headwater.modelfiles.pickles.machine import Broken, Exhausted
from headwater.modelfiles.pickles.reader import Ended
from headwater.modelfiles.pickles.stream import STORAGES, Stream
from headwater.modelfiles.pickles.values import Global, arguments
from headwater.modelfiles.work import Examination


def examine(name: str, blob: Blob, work: Examination) -> None:
    """``storages``: a count, then for each a pickle, a length and the data. ``tensors``: a count, then a pickle and the shape."""
    stream = Stream(blob, work, "Loading it with torch.load")
    try:
        count = stream.one(0)
        at = stream.end
        for _ in range(count if isinstance(count, int) else 0):
            values = arguments(stream.one(at))
            at = stream.end
            kind = values[2] if values and len(values) > 2 else None
            if name == "storages":
                size = STORAGES.get(kind.name, 1) if isinstance(kind, Global) else 1
                at += 8 + int.from_bytes(blob.read(at, 8), "little") * size
            else:
                dimensions = int.from_bytes(blob.read(at, 4), "little")
                at += 8 + 16 * dimensions + 8
            if at > blob.size:
                raise Ended
        if name == "storages" and at < blob.size:
            views = stream.one(at)  # views of storages: a list
            at = stream.end
            del views
    except (Broken, Ended, Exhausted) as error:
        said = f"Its {name} cannot be read to their end: {error or 'they end in the middle'}."
        work.concern("torch-tar", "inconclusive", said)
    stream.finish()
