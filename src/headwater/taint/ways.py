"""The way from a folder to a path (``path.relative``, ``os.path.relpath``): where it does not begin with .. the path is in the folder.

What other checks show is in ``headwater.taint.guards``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from headwater.taint.labels import NO_UP, PATHS, WAY
from headwater.taint.value import BOTTOM, Fact, Pred, Value

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.instructions import Instructions

MAKERS: Final = tuple(f"node:{module}.relative" for module in ("path", "path.posix", "path.win32", "path/posix", "path/win32"))
"""They take the folder and the path."""
PYTHON: Final = tuple(f"{module}.relpath" for module in ("os.path", "posixpath", "ntpath"))
"""They take the path and the folder."""
TESTS: Final = frozenset({"startsWith", "startswith", "includes"})
BEGINS: Final = frozenset({"startsWith", "startswith"})


def relative(frame: Instructions, args: Args) -> Value | None:
    """``relative(folder, path)``: it resolves both, so that a check of it speaks of any path."""
    return _way(frame, args, 1)


def relpath(frame: Instructions, args: Args) -> Value | None:
    """``relpath(path, folder)``: so does this."""
    return _way(frame, args, 0)


def _way(frame: Instructions, args: Args, number: int) -> Value | None:
    if len(args.positional) != 2:
        return None
    path = args.positional[number]
    made = frame.derived([path], "through relative")
    made = made.with_(proven=made.proven | WAY)
    made.subject = (*args.cells[number], *path.origin)
    made.pred = ((), at_root(made))  # `!way`
    return made


def at_root(way: Value) -> tuple[Fact, ...]:
    """What it shows that a way leads nowhere else: ``way === ""``."""
    return ((way.subject, PATHS, 0, (), ""),) if way.proven & WAY else ()


def tested(way: Value, cells: tuple[object, ...], text: Value | None) -> Pred | None:
    """``way.startsWith("..")``: the path is in the folder where that is false."""
    text = text or BOTTOM
    begin = text.const if isinstance(text.const, str) else text.head
    if not begin.startswith(".."):
        return None
    shown: Fact = ((*cells, *way.subject), PATHS, 0, (), "")
    return (), (shown, (cells, NO_UP, 0, (), "")) if text.const == ".." else (shown,)


def normal(cells: tuple[object, ...], word: Value, result: Value) -> Value:
    """``path.normalize(name).startsWith("..")``: where a path was made normal, .. stands at its beginning or nowhere."""
    if word.const != "..":
        return result
    true, false = result.pred or ((), ())
    return result.with_(pred=(true, (*false, (cells, NO_UP, 0, (), ""))))
