"""A component as a script: what it does each time it is made is one function of its properties, ``default``, as compilers make it.

The code in the template follows the script in that function: what a binding may do is written as what it does to an element of a page.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

from headwater import ir
from headwater.frontends.bounded import EffortError
from headwater.frontends.components.markup import Open, scan
from headwater.frontends.components.script import Scripts
from headwater.frontends.components.template import Svelte, Template, Vue
from headwater.frontends.rewritten import Rewritten, move
from headwater.frontends.text import SYNTAX, TOO_LONG
from headwater.frontends.typescript import grammar as g
from headwater.frontends.typescript.module import lower as lower_script
from headwater.frontends.typescript.module import too_deep

_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*\Z", re.ASCII)
_MOST: Final = 4
"""Script blocks of one file."""


def lower(path: str, data: bytes) -> ir.Module:
    """Turns a component into the IR. Never raises: what is not understood is a gap."""
    out = Rewritten()
    parser = g.PLAIN.parser()
    parser.begin(4 * len(data))
    kind: type[Template] = Svelte if path.endswith(".svelte") else Vue
    gaps: list[ir.Gap] = []
    try:
        if too_deep(data):
            raise EffortError
        parts = list(scan(data, kind is Svelte))
        blocks = [part for part in parts if isinstance(part, Open) and part.name.lower() == "script" and part.inside[0] < part.inside[1]]
        scripts = Scripts(parser, data, out, blocks[:_MOST], kind is Svelte)
        name = posixpath.basename(path).rpartition(".")[0]
        template = kind(parser, data, out, scripts, gaps)
        scripts.write(name if _NAME.match(name) else "component", lambda: template.write(parts))
        gaps += [ir.Gap(*span, SYNTAX) for span in scripts.broken]
    except EffortError:
        out = Rewritten()
        gaps = [ir.Gap(0, len(data), TOO_LONG)]
    module = lower_script(path + ".ts", bytes(out.data))
    module.path = path
    move(module, out)
    told = {(gap.start, gap.end, gap.reason) for gap in [*gaps, *module.gaps]}
    size = len(data)  # a broken element may end at once, and its value behind its end
    module.gaps = [ir.Gap(min(start, size), max(min(start, size), min(end, size)), reason) for start, end, reason in sorted(told)]
    module.remarks = sorted((_remark(remark, out) for remark in module.remarks), key=lambda remark: remark.start)
    return module


def _remark(remark: ir.Remark, out: Rewritten) -> ir.Remark:
    """A comment and its line, where they stand in the component."""
    start, first = out.old_start(remark.start), out.old_start(remark.first)
    end = out.old_end(remark.end)
    last = max(first, out.old_end(remark.last)) if remark.last > remark.first else first
    return ir.Remark(start, max(start, end), first, last)
