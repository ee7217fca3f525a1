"""Unpicklers that look classes up themselves: what their ``find_class`` lets a pickle name.

Which modules and names get through is read from the summary of the method: the sinks that its parameters still reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater import ir
from headwater.index.calls import instructions
from headwater.index.entities import Cls

if TYPE_CHECKING:
    from headwater.taint.calls import Calls

_LIBRARIES = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle")
PATHS = frozenset(f"{module}.{name}()" for module in _LIBRARIES for name in ("Unpickler", "_Unpickler"))
_MODULE, _NAME = 1, 2  # parameters of find_class(self, module, name)


def is_unpickler(cls: Cls) -> bool:
    """Whether a class of the project is an unpickler."""
    return any(path.text in PATHS for path in cls.instance.paths)


def lets_through(frame: Calls, cls: Cls) -> str | None:
    """How its list of what a pickle may name is passed, in words; empty where it has none, None where it holds."""
    method = cls.method("find_class")
    if method is None:
        return ""
    summary = frame.solver.summary(frame.fn, method)
    if summary is None:
        return None  # is not known yet: it is asked again
    reached = {one.param: one.weak for one in summary.sinks if one.sink.class_ == "import"}
    if _NAME not in reached:
        return None if _MODULE not in reached else ""
    if _MODULE not in reached:
        return "find_class() lets any function of the modules that it allows be called"
    refuses = reached[_NAME] | reached[_MODULE] or any(type(one) is ir.Raise for one in instructions(method.ir.body))
    return "what find_class() refuses is a list that can be passed" if refuses else ""
