"""Files that a function removes after it has written them itself: what can be done is done by the write, and it is told there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from headwater.taint.asked import FIRST

if TYPE_CHECKING:
    from headwater.taint.summary import Issue, Sink

WRITES: Final = frozenset({"createWriteStream", "open", "outputFile", "outputFileSync", "writeFile", "writeFileSync"})
REMOVES: Final = frozenset({"remove", "rm", "rmSync", "unlink", "unlinkSync"})


def removals(groups: dict[Any, list[Issue]], text: Callable[[Sink], str]) -> list[Any]:
    """The keys of operations that remove what the same function, or one around it, wrote before: the same variable, further up."""
    written: dict[tuple[int, str], list[tuple[int, str]]] = {}
    asked: list[tuple[Any, Sink, str]] = []
    for key, issues in groups.items():
        sink = issues[0].sink
        name = sink.name.rpartition(".")[2].removesuffix("()") if sink.class_ == "path-write" else ""
        if name not in WRITES and name not in REMOVES:
            continue
        given = FIRST.match(text(sink))
        if given is None:
            continue
        if name in WRITES:
            written.setdefault((sink.fn.module.id, given[1]), []).append((sink.start, sink.fn.ir.qualname))
        else:
            asked.append((key, sink, given[1]))
    return [
        key
        for key, sink, name in asked
        if any(
            start < sink.start and f"{sink.fn.ir.qualname}.".startswith(f"{around}.")
            for start, around in written.get((sink.fn.module.id, name), ())
        )
    ]
