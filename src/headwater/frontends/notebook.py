"""Lowers a notebook: its cells, each mended on its own, make one Python module; what it says of places is that of the notebook."""

from __future__ import annotations

from itertools import pairwise

from headwater import ir
from headwater.files.source import Source
from headwater.frontends.bounded import BoundedParser, EffortError
from headwater.frontends.ipython import rewrite
from headwater.frontends.python.grammar import new_parser
from headwater.frontends.python.module import lower_given_up, lower_parsed
from headwater.frontends.python.recovery import Parsed, parse
from headwater.frontends.rewritten import Rewritten, move


def lower(source: Source) -> ir.Module:
    """Turns a notebook into the IR; cells are taken to run from top to bottom."""
    parser = new_parser()
    parser.begin(4 * len(source.data))  # a magic becomes a call several times as long, and all is parsed twice
    try:
        return _lowered(parser, source)
    except EffortError:
        return lower_given_up(source.path, source.data, parser)


def _lowered(parser: BoundedParser, source: Source) -> ir.Module:
    text = Rewritten()
    mended = bytearray()
    gaps: list[ir.Gap] = []
    old_exec: set[int] = set()
    starts = [offset for offset, _ in source.layout.cells] if source.layout is not None else [0]
    for start, end in pairwise([*starts, len(source.data)]):
        begin = len(text.data)
        rewrite(parser, source.data, start, end, text)
        # Alone: a text that one cell leaves open must not swallow the next cells, which run all the same.
        parsed = parse(parser, bytes(text.data[begin:]))
        mended += parsed.source + b"\n"
        gaps += [ir.Gap(begin + gap.start, begin + gap.end, gap.reason) for gap in parsed.gaps]
        old_exec |= {begin + at for at in parsed.old_exec}
        text.put(b"\n", end, end)  # ends what a backslash at the end of the cell would go on with
    whole = parse(parser, bytes(mended))
    module = lower_parsed(
        source.path, bytes(text.data), Parsed(whole.tree, gaps + whole.gaps, whole.old_exec | old_exec, whole.source), parser
    )
    move(module, text)
    return module
