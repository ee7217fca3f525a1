"""The style sheets of this package: with variables for a page and its pictures, and with fixed colours for pictures on paper."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

_VARIABLE: Final = re.compile(r"--([\w-]+):([^;}]+)")
_USED: Final = re.compile(r"var\(--([\w-]+)\)")


def read(*names: str) -> str:
    """Files of this package, one after the other."""
    return "".join(resources.files("headwater.reports.html").joinpath(name).read_text("utf-8") for name in names)


def fixed(name: str) -> str:
    """A style sheet in the light colours, for readers that know no variables."""
    light = dict(_VARIABLE.findall(read("theme.css").partition("@media")[0]))
    return _USED.sub(lambda found: light[found.group(1)], read(name))
