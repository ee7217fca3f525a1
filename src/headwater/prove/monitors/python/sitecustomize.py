"""Loads the monitor into every Python process whose PYTHONPATH has this folder, then the ``sitecustomize`` that it stands before."""

import sys
from contextlib import suppress
from importlib import import_module, util
from importlib.machinery import PathFinder
from os.path import abspath, dirname

FOLDER = dirname(abspath(__file__))


def _next() -> None:
    """Runs the next ``sitecustomize`` on the path, if there is one, in this one's place."""
    here = [place for place, entry in enumerate(sys.path) if abspath(entry) == FOLDER]
    spec = PathFinder.find_spec("sitecustomize", sys.path[here[-1] + 1 :] if here else [])
    if spec is not None and spec.loader is not None:
        module = util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


with suppress(Exception):  # the application must run; that no event tells of a start is what is seen
    import_module("headwater_monitor").start()
_next()
