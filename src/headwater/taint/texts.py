"""What is known of a text by how it was made: a host that is written, a part in which no slash is left, a name that begins with something.

What models say of the methods of texts is in ``apis/python/stdlib_data.yaml``; what checks show is in ``headwater.taint.guards``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headwater.apis import patterns
from headwater.taint.labels import ADDRESS, BIT, CONTAINED, HOST, HOST_FIXED, NO_UP, PATHS, ROOTED, SLASHED, WAY, derive
from headwater.taint.state import cleared
from headwater.taint.value import BOTTOM, LAST, Value

if TYPE_CHECKING:
    from headwater.taint.arguments import Args
    from headwater.taint.frame import Frame

WITH_HOST = re.compile(r"^([A-Za-z][\w+.-]*://[^/?#\s]+[/?#]|/[^/\\]|[\w.-]+/)")  # or relative to an address that something else fixes
_RUN = re.compile(r"(?i)\.(?:bat|cmd|pth|pyc?|ps1|sh|so)$")
_SCHEME = re.compile(r"^(?:[A-Za-z][\w+.-]*:)?//\[?$")
HOST_ENDS = re.compile(r"(?<!:)(?<!:/)/|[?#]")
"""What follows a slash, a question mark or a number sign behind an address cannot change the host any more."""
_HOST = re.compile(r"\0|[A-Za-z][\w+.-]*://[^/?#\s]")
"""The begin of an address: it is not known, or some of a host is written."""
_DOT_AFTER = re.compile(r"\.(?:[/\\]|$)")
_DOT_BEFORE = re.compile(r"(?:^|[/\\])\.$")
SHAPED = frozenset({"format", "join", "replace", "replaceAll", "rpartition", "rsplit", "split"})
_SPLITS = frozenset({"re.split", "regex.split"})
SEPARATORS: frozenset[str] = frozenset({"os.sep", "os.path.sep", "posixpath.sep", "node:path.sep", "node:path.posix.sep"})


def shaped(frame: Frame, args: Args, receiver: Value, result: Value) -> Value:
    """What the text of a call's receiver or argument says of the result: a host that is written, a part without a slash."""
    if args.name == "format":
        if isinstance(receiver.const, str) and (found := WITH_HOST.match(receiver.const)) is not None and "{" not in found[0]:
            head = receiver.const.partition("{")[0]
            return cleared(result, BIT["url"]).with_(proven=result.proven | HOST_FIXED, head=head)
        if isinstance(receiver.const, str) and args.spread is None and args.star is None:  # "{}.gz".format(path)
            given = [value for value in (*args.positional, *args.kw.values()) if value.labels]
            if given and all(stays(value, not receiver.const.startswith("{")) for value in given):
                return cleared(result, PATHS)
        return result
    cut = args.positional[0] if args.positional else BOTTOM
    if args.name.startswith("replace") and (head := _kept_host(receiver, cut)):  # "https://host/users/{id}".replace("{id}", name)
        return cleared(result, ADDRESS).with_(proven=result.proven | HOST_FIXED, head=head)
    if args.name == "join":  # of parts that were cut apart at slashes, with something else between them
        lasts = [frame.cells.get((alloc, LAST)) if len(alloc.keys) == 2 else None for alloc in cut.allocs]
        cut_up = bool(lasts) and all(one is not None and all(label.cleared & PATHS == PATHS for label in one.labels) for one in lasts)
        if not cut_up and cut.allocs and _written(receiver):  # of characters, each of which was looked at
            parts = frame.elements(cut)
            cut_up = bool(parts.labels) and bool(parts.proven & CONTAINED)
        return no_slash(result) if cut_up and not cut.labels and _written(receiver) else result
    if args.name.startswith("replace"):
        if frame.mod.script or not separator(cut):  # replaces once
            return result
        return no_slash(result) if len(args.positional) == 2 and _written(args.positional[1]) else result
    if not (separator(cut) if args.name != "split" else _at_slashes(frame, args, receiver)):
        return result
    alloc = frame.alloc((frame.at.start, frame.at.end, "cut"), "list")
    whole = Value(result.labels, steps=result.steps)
    last = no_slash(whole)
    if receiver.proven & WAY and receiver.proven & PATHS == PATHS:  # no .. is left in the way, so that no part of it leads up
        whole = last
    frame.put(alloc, "*", whole)
    frame.put(alloc, LAST, last)
    if args.name == "rpartition":
        frame.put(alloc, 2, last)
    return Value(refs=result.refs, allocs=(alloc,))


def separator(value: Value) -> bool:
    """Whether a text is the one that stands between folders."""
    return value.const == "/" or any(getattr(ref, "text", "") in SEPARATORS for ref in value.refs)


def _at_slashes(frame: Frame, args: Args, receiver: Value) -> bool:
    """Whether ``split`` cuts a text apart at every separator: at the text itself, or at what a pattern finds."""
    cut, given, pattern = args.positional[0] if args.positional else BOTTOM, 1, BOTTOM
    called = [getattr(ref, "text", "") for ref in args.callee.refs] if args.callee is not None else []
    if frame.mod.script:
        pattern = cut if any("RegExp" in getattr(ref, "text", "") for ref in cut.refs) else BOTTOM
    elif any(one in _SPLITS for one in called):
        pattern, given = cut, 2
    elif isinstance(receiver.const, str) and any(one.endswith("compile().split") for one in called):
        pattern = receiver
    if not frame.mod.script and (len(args.positional) != given or args.kw):  # the rest is left whole; scripts leave it out
        return False
    if pattern is BOTTOM:
        return separator(cut)
    return isinstance(pattern.const, str) and bool(patterns.read(pattern.const).refused & patterns.mask("/"))


def _kept_host(receiver: Value, cut: Value) -> str:
    """How an address begins in which a word is replaced that stands behind the host; nothing where it is not known."""
    begin = receiver.const if isinstance(receiver.const, str) else receiver.head or ""
    found = WITH_HOST.match(begin)
    if found is None or any(label.cleared & ADDRESS != ADDRESS for label in receiver.labels):
        return ""
    place = begin.find(cut.const) if isinstance(cut.const, str) and cut.const else 0
    return begin if place < 0 else begin[:place] if place >= found.end() else ""


def ended(args: Args) -> bool:
    """Whether the end of a text is replaced by a separator: ``folder.replace(/\\\\?$/, "\\\\")``."""
    if len(args.positional) != 2:
        return False
    cut, by = args.positional[0], args.positional[1].const
    at_end = isinstance(cut.const, str) and cut.const.endswith("$") and not cut.const.endswith("\\$")
    pattern = any("RegExp" in getattr(ref, "text", "") for ref in cut.refs)
    return at_end and pattern and isinstance(by, str) and by.endswith(("/", "\\"))


def leads_up(value: Value) -> bool:
    """Whether a part of a path is written and leads out of the folder before it."""
    return isinstance(value.const, str) and ".." in value.const


def _written(value: Value) -> bool:
    """Whether a value is a text of the program without a slash in it."""
    return isinstance(value.const, str) and "/" not in value.const


def no_slash(value: Value) -> Value:
    """A text in which no slash is left: joined to a folder, it stays there."""
    made = cleared(value, PATHS)
    return made.with_(proven=made.proven | PATHS | CONTAINED)


def stays(value: Value, behind: bool) -> int:
    """The sink classes to which a part of a text does no harm as a path: it was checked, maybe as a name ``behind`` something."""
    return PATHS if value.proven & PATHS == PATHS or (behind and value.proven & CONTAINED) else 0


def below(folder: str, value: Value) -> int:
    """The sink classes to which what is put behind a folder does no harm as a path, since no .. is in it."""
    return PATHS if value.proven & NO_UP and folder.strip("/.") and folder.endswith("/") else 0


def leads_nowhere_up(literals: Sequence[str], values: Sequence[Value]) -> bool:
    """Whether no part of a path that a text makes is .., since none of its parts has one and what is written adds no dot to their ends."""
    if any(".." in literal for literal in literals) or any(not literal for literal in literals[1:-1]):
        return False
    if any(_DOT_AFTER.match(literal) for literal in literals[1:]) or any(_DOT_BEFORE.search(literal) for literal in literals[:-1]):
        return False
    return bool(values) and all(value.proven & NO_UP for value in values)


def glued(text: str) -> bool:
    """Whether what follows the text is in the same name of a path as something written: a folder of such a name hardly exists."""
    name = text.rpartition("/")[2]
    return bool(name.strip("\0.")) and "://" not in text and "\\" not in name


def keeps_host(value: Value, behind: str) -> bool:
    """Whether an address whose host was checked has the same host with something else behind it."""
    return bool(value.labels and value.proven & BIT["url"] and (value.proven & SLASHED or behind.startswith(("/", "?", "#"))))


def is_host(value: Value, before: str) -> bool:
    """Whether a part of an address is its host, and was checked: the host of another address, or what that resolves to."""
    return bool(value.labels and value.proven & HOST and value.proven & BIT["url"] and _SCHEME.match(before))


def behind_host(text: str, value: Value) -> Value:
    """What is put behind an address that ``text`` begins: where it begins with a slash, the host is at an end before it."""
    if not value.labels or not _HOST.match(text) or text.endswith("/"):
        return value
    if value.proven & ROOTED:
        return cleared(value, ADDRESS)
    if not any(label.cleared & ROOTED for label in value.labels):
        return value
    made = {label: derive(label, ADDRESS if label.cleared & ROOTED else 0, exact=True) for label in value.labels}
    steps = {after: value.steps[one] for one, after in made.items() if after and one in value.steps} if value.steps else None
    return value.with_(labels=frozenset(after for after in made.values() if after is not None), steps=steps)


def ends_in_a_name(text: str) -> bool:
    """Whether a text that stands behind a folder ends in the name of a file that does little harm: no hidden file and no program."""
    folder, slash, name = text.rpartition("/")
    return bool(slash and name.strip("*?")) and not name.startswith(".") and not _RUN.search(name) and ".." not in folder.split("/")


def ends_a_folder(value: Value) -> bool:
    """Whether a text ends with a separator of folders."""
    if value.proven & SLASHED or any(getattr(ref, "text", "") in SEPARATORS for ref in value.refs):
        return True
    return isinstance(value.const, str) and value.const.endswith(("/", "\\"))
