"""Labels: where the data in a value may come from, and what was done to it on the way.

A label is a source (an operation that brings data in) or a parameter of the function at hand (by access path), with
the sink classes that sanitizers cleared, the confidence steps lost, the weak checks passed, and whether it moved
unchanged. Labels are interned: equal labels are one object. How values carry them is in ``headwater.taint.value``.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from headwater import limits
from headwater.apis.paths import CALL
from headwater.apis.schema import SINK_CLASSES, SOURCE_KINDS
from headwater.index.entities import Fn

BIT: dict[str, int] = {name: 1 << number for number, name in enumerate(SINK_CLASSES)}
ALL = (1 << len(SINK_CLASSES)) - 1
RESOLVED = 1 << len(SINK_CLASSES)
PARSED_URL = RESOLVED << 1
NAME_HEAD = PARSED_URL << 1
HOST_FIXED = NAME_HEAD << 1
CONTAINED = HOST_FIXED << 1
"""Of a part of a path: joined to its folder it does not lead out of there (alone it may lead anywhere)."""
CHECKED = CONTAINED << 1
"""Of an object that no label stands for: the paths in it were checked in a way that can be passed."""
PATHS = BIT["path-read"] | BIT["path-write"]
ADDRESS = BIT["url"] | BIT["redirect"]
DENIED = BIT["code"] | BIT["shell"] | BIT["sql"] | PATHS | BIT["url"] | BIT["template"]
"""Where a list of what is refused counts for something, though it can be passed."""
TEXTUAL = sum(BIT[name] for name in ("shell", "sql", "html", "template", "ldap", "xml", "query", "regex", "log"))
"""Where the characters of a text decide: one that was checked breaks out of no text that it becomes part of."""
OF_OTHERS = ALL & ~(BIT["code"] | BIT["import"] | BIT["sandboxed-code"] | BIT["shell"] | BIT["deserialize"] | BIT["sql"])
"""What data that somebody put into one object of a class is cleared for in the field of any other: all that does not run it."""
GUESSED = sum(BIT[name] for name in ("prompt-system", "prompt", "log", "response", "generation", "telemetry", "limit", "waiting"))
"""What data is cleared for of which it is not known in which field of an object it is."""
TREE = PARSED_URL << 1
"""In ``Label.weak``: the data is part of the syntax tree of a program."""
TREE_IMPORTS = TREE << 1
TREE_NAMES = TREE << 2
TREE_ATTRIBUTES = TREE << 3
TREE_NODES = TREE << 4
"""In ``Label.weak``: the program's tree was walked, and imports, names, attributes, all but some kinds of nodes were refused."""
TREE_CHECKS = TREE_IMPORTS | TREE_NAMES | TREE_ATTRIBUTES | TREE_NODES
OPTED_IN = TREE << 5
"""In ``Label.weak``: only where the operator has switched it on, by a name that says that it is dangerous."""
NO_OPTION = OPTED_IN << 1
"""In ``Value.proven``: text that does not begin with a dash is no option of a program."""
MODULE = NO_OPTION << 1
"""In ``Value.proven``: a module that was imported by its name."""
ASKED = MODULE << 1
"""In ``Value.proven``: a message whose role, which came with it, is the operator's."""
RECALLED = ASKED << 1
"""In ``Label.weak``: the data was read back from where somebody may have put it before: a guess, and of two guesses nothing is told."""
SLASHED = RECALLED << 1
"""In ``Value.proven``: text that ends with a separator of folders."""
QUOTED = SLASHED << 1
"""In ``Value.proven``: text quoted as one word for a shell, which between other quotes it is not."""
NEAR = QUOTED << 1
"""In ``Label.weak``: what can be reached is little: a neighbour of the folder whose name begins like the folder's, files of some kinds, a
host whose name somebody lets lead inside."""
GLUED = NEAR << 1
"""In ``Label.weak``: in a path it stands behind something written in the same name; a folder of such a name hardly exists."""
ENDED = GLUED << 1
"""In ``Label.weak``: in a path the program writes the name at the end, behind it; no other file can be reached."""
HANDED = ENDED << 1
"""In ``Label.weak``: it was given to a function that the caller has handed over; what that returns, a caller can tell."""
NUMBERS = (ALL & ~BIT["response"]) | HANDED << 1
"""In ``Label.cleared``: what was a text is a number, or it was numbers before; they say something of a model alone."""
_NUMBER = HANDED << 1
PARTS = _NUMBER << 1
"""In ``Label.cleared``: one of many numbers, or a rounded one: it says little of the model that computed it."""
WAY = PARTS << 1
"""In ``Value.proven``: the way from a folder to a path: .. at its beginning leads out."""
INSIDE = WAY << 1
"""In ``Value.proven``: a path that lies inside a folder, if it is resolved: what a function shows of its parameter, the caller can tell."""
FIRST = INSIDE << 1
FIRST_HOST = FIRST << 1
FIRST_IN = FIRST << 2
FIRST_BEGINS = FIRST << 3
FIRSTS = FIRST | FIRST_HOST | FIRST_IN | FIRST_BEGINS
"""In ``Value.proven``, of what a local function has captured: equal to its first argument, on its host, without it, beginning with it."""
BASED = FIRST_BEGINS << 1
"""In ``Label.weak``: a path that begins with the data, whole, so that it lies in the folder that the data was shown to lie in."""
NO_NAMES = BASED << 1
"""In ``Value.proven``: text with which a program can name nothing: in whatever program it is put, it is a sum."""
PROGRAM = BIT["code"] | BIT["sandboxed-code"]
NO_DOT = NO_NAMES << 1
"""In ``Label.cleared``: no dot is in the data, so no .. either: behind a folder or the beginning of a name it leads out of no folder."""
HOSTED = NO_DOT << 1
"""In ``Label.weak``: an address on the host of the data, which is one, whole."""
HOST_ALONE = HOSTED << 1
"""In ``Label.weak``, beside ``HOSTED``: nothing else of the data is in the address, before a path that is written."""
_OF_WHOLE = BASED | HOSTED | HOST_ALONE
"""In ``Label.weak``: what is so no more once the data is changed."""
NUMERIC = "model-internals"
"""The source kind of which numbers tell something."""
SERVICE = HOST_ALONE << 1
"""In ``Label.weak``: parsed as what services answer; whether one did, the caller can tell."""
PEER = SERVICE << 1
"""In ``Value.proven``: on the host of another parameter; the caller, who knows both, can tell what that shows."""
BEHIND = PEER << 1
"""In ``Label.weak``: it stands behind something written in the same name; without a dot, as a caller may know, it is no way up."""
WORD = BEHIND << 1
"""In ``Label.cleared``: it stands between quotes of a shell, from which it cannot break out, unless they stand inside others."""
IN_QUOTES = WORD << 1
"""In ``Label.cleared``, and the four above it: signs that are special between the quotes of a shell are gone (``taint.quotes``)."""
LITERAL = IN_QUOTES << 5
"""In ``Label.weak``: it stands in a text behind a single quote, where a query has a value; it takes nothing away from what can be done."""
ENCODED = LITERAL << 1
"""In ``Label.cleared``: it is base64 or hex."""
PERCENT = ENCODED << 1
"""In ``Label.cleared``: signs of tags and double quotes stand percent-encoded in it."""
DECODED = PERCENT << 1
"""In ``Label.weak``, of a parameter: it was decoded, so that what its caller knows of encoded signs is so no more."""
HOST = DECODED << 1
"""In ``Value.proven``: what was shown of an address was shown of its host: data that is one, alone, may stand behind a scheme."""
IN_NUMBERS = HOST << 1
"""In ``Label.cleared`` and ``Value.proven``: an address in numbers, perhaps what a name leads to; no name passes a check of it."""
OF_PARAMETER = IN_NUMBERS << 1
"""In ``Value.proven``: a parameter in another spelling, as a host: what is shown of it as a host, a caller knows of what it gave."""
ROOTED = OF_PARAMETER << 1
"""In ``Value.proven``, and in ``Label.cleared`` where it is joined with other data: it begins with a slash, so that behind an address its
host is at an end."""
NO_UP = ROOTED << 1
"""In ``Value.proven``: no .. is in it: behind a folder it leads out of none; alone it may be any path."""
ABSENT_HERE = NO_UP << 1
"""In ``Value.proven``: the word that the round of a loop is about is not in it."""
ONE_NAME = ABSENT_HERE << 1
"""In ``Value.proven``: no separator of folders is in it: whatever a method of texts makes of it is no way out of a folder."""
OWN_NAMES = ONE_NAME << 1
"""In ``Value.proven``: a mapping whose keys are the names of fields that the program declares."""
HELD = NO_UP | ROOTED | ALL | CONTAINED | CHECKED | NO_OPTION | INSIDE | FIRSTS | NO_NAMES | PEER | HOST | IN_NUMBERS | ONE_NAME
"""What a function's checks may prove to its caller."""
OBJECT = "{}"
"""In an access path, before numbers of classes: what comes before is an object of one of them, and no text or number."""
KEYED = "*$"
"""In an access path, before the number of a parameter: what is under the key that the caller gives as that parameter."""
DEEP = "**"
"""In an access path, before the last name: any attributes and keys, or none."""
OPERATORS = frozenset({"cli", "env", "config"})
"""Source kinds of what whoever runs the program says."""
KIND_RANK = {kind: number for number, kind in enumerate(SOURCE_KINDS)}


def steps_down(weak: int) -> int:
    """How many steps of confidence checks cost that can be passed: one each; a list of the allowed kinds of nodes is worth two, and so is
    a folder that hardly exists."""
    lost = 2 if weak & GLUED else 1 if weak & ALL else 0
    for check in (TREE_IMPORTS, TREE_NAMES, TREE_ATTRIBUTES):
        lost += 1 if weak & check else 0
    return lost + (2 if weak & TREE_NODES else 0)


def eased(weak: int) -> bool:
    """Whether what stands in the way leaves little: an opt-in, a neighbour of a folder, a folder that hardly exists, a walk that allows
    few kinds of nodes and looks at attributes too."""
    return bool(weak & (OPTED_IN | NEAR | GLUED)) or weak & (TREE_NODES | TREE_ATTRIBUTES) == TREE_NODES | TREE_ATTRIBUTES


def left_of(weak: int) -> int:
    """How little is left of a way, from 0 (all) to 2."""
    return 2 if weak & ENDED else int(eased(weak))


def if_resolved(proven: int, given: int) -> int:
    """What a function's check proves of a value of which its caller knows what is in ``given``."""
    return proven | PATHS if proven & INSIDE and given & RESOLVED else proven


_WORDS = {
    "all": ALL,
    "no-option": NO_OPTION,
    "no-slash": CONTAINED,
    "text": NUMBERS,
    "parts": PARTS,
    "no-names": NO_NAMES,
    "one-name": ONE_NAME,
    "in-numbers": IN_NUMBERS,
    "rooted": ROOTED,
}


def bits(classes: list[str]) -> int:
    """The bit set of sink classes; ``all`` is every one."""
    found = 0
    for name in classes:
        found |= _WORDS[name] if name in _WORDS else BIT[name]
    return found


class Source:
    """An operation of the code under review that brings in data of others."""

    __slots__ = ("end", "fn", "key", "kind", "of_service", "start", "text")

    def __init__(self, kind: str, fn: Fn, start: int, end: int, text: str) -> None:
        self.kind = kind
        self.fn = fn
        self.start = start
        self.end = end
        self.text = text
        self.of_service = False
        """It is the answer of a server whose address nobody but the program and its callers is seen to choose."""
        self.key = (KIND_RANK[kind], fn.module.id, start, end)


class Label:
    """One origin of data; see the module's text. ``param`` is -1 for a source."""

    __slots__ = ("_derived", "_extended", "cleared", "drop", "exact", "key", "param", "path", "source", "weak")

    def __init__(
        self, source: Source | None, param: int, path: tuple[str | int, ...], cleared: int, drop: int, exact: bool, weak: int, key: Any
    ) -> None:
        self.source = source
        self.param = param
        self.path = path
        self.cleared = cleared
        self.drop = drop
        self.exact = exact
        self.weak = weak
        self.key = key
        self._derived: dict[tuple[int, int, int, bool], Label | None] = {}
        self._extended: dict[Any, Label] = {}

    def __repr__(self) -> str:
        name = f"{self.source.kind}@{self.source.start}" if self.source else f"${self.param}{''.join(f'.{k}' for k in self.path)}"
        return name + ("" if self.exact else "~") + "-" * self.drop


_INTERNED: dict[Any, Label] = {}
_WIDENED: dict[frozenset[Label], frozenset[Label]] = {}
_PARAMS: dict[tuple[int, tuple[str | int, ...]], Label] = {}
_ORDERED: dict[frozenset[Label], tuple[Label, ...]] = {}
_DERIVED: dict[tuple[frozenset[Label], int, int, int, bool], frozenset[Label]] = {}
_EXTENDED: dict[tuple[frozenset[Label], str | int], frozenset[Label]] = {}
_SETS: dict[frozenset[Label], frozenset[Label]] = {}


def clear_interned() -> None:
    """Forget all labels: between two analyses in one process."""
    _INTERNED.clear()
    _WIDENED.clear()
    _ORDERED.clear()
    _PARAMS.clear()
    _DERIVED.clear()
    _EXTENDED.clear()
    _SETS.clear()


def _intern(source: Source | None, param: int, path: tuple[str | int, ...], cleared: int, drop: int, exact: bool, weak: int) -> Label:
    origin: Any = (0, param, tuple((0, k, "") if isinstance(k, int) else (1, 0, k) for k in path)) if source is None else (1, *source.key)
    key = (origin, cleared, drop, not exact, weak)
    found = _INTERNED.get(key)
    if found is None:
        found = _INTERNED[key] = Label(source, param, path, cleared, drop, exact, weak, key)
    return found


def source_label(source: Source, drop: int = 0, cleared: int = 0) -> Label:
    """The label of data fresh from a source."""
    return _intern(source, -1, (), cleared, min(drop, limits.DROPS), False, 0)


def param_label(param: int, path: tuple[str | int, ...] = ()) -> Label:
    """The label of a parameter as it came in."""
    known = _PARAMS.get((param, path))
    if known is None:
        known = _PARAMS[(param, path)] = _intern(None, param, path, 0, 0, True, 0)
    return known


def derive(label: Label, clear: int = 0, drop: int = 0, weak: int = 0, exact: bool = False) -> Label | None:
    """The label after an operation; None where it is cleared for every sink class. ``exact`` keeps what was exact."""
    key = (clear, drop, weak, exact)
    try:
        return label._derived[key]
    except KeyError:
        pass
    cleared = (decoded(label.cleared) if weak & DECODED else label.cleared) & (-1 if exact else ~ROOTED) | clear
    if label.source is not None:
        weak &= ~DECODED
    whole = _OF_WHOLE if label.exact else label.weak & _OF_WHOLE
    whole &= label.weak if exact else weak
    if weak & BEHIND and label.cleared & NO_DOT:
        cleared |= PATHS
    made: Label | None
    if cleared & ALL == ALL or (drop and label.weak & RECALLED) or (cleared & (_NUMBER | PARTS) and _told_no_more(label, cleared)):
        made = None
    else:
        made = _intern(
            label.source,
            label.param,
            label.path,
            cleared,
            min(label.drop + drop, limits.DROPS),
            exact and label.exact,
            ((label.weak | weak) & ~_OF_WHOLE) | whole,
        )
    label._derived[key] = made
    return made


def decoded(cleared: int) -> int:
    """What a label is cleared for once its data was decoded."""
    undone = (ENCODED if cleared & ENCODED else 0) | (PERCENT | BIT["html"] | BIT["xml"] if cleared & PERCENT else 0)
    return cleared & ~undone


def _told_no_more(label: Label, cleared: int) -> bool:
    """Whether a number, or a part of many numbers, says nothing of where it comes from."""
    if label.source is None:
        return False
    return bool(cleared & (PARTS if label.source.kind == NUMERIC else _NUMBER))


def uncleared(label: Label, classes: int) -> Label:
    """The label as it was before it was cleared for some classes: what made it safe has been undone."""
    return _intern(label.source, label.param, label.path, label.cleared & ~classes, label.drop, label.exact, label.weak)


def settled(label: Label, weak: int = HANDED, instead: int = 0) -> Label:
    """The label without what stood in the way, or with something ``instead``: where nobody knows the function that was handed over, what
    it was given may be in what it returns."""
    after = (label.weak & ~weak) | instead
    if after == label.weak:
        return label
    return _intern(label.source, label.param, label.path, label.cleared, label.drop, label.exact, after)


def extend(label: Label, key: str | int) -> Label:
    """The label of an attribute or element: a longer access path for an exact parameter, else the same.

    Of a path that is too long, the last name is kept, and not what stands before it.
    """
    if not label.exact:
        return settled(label, HOSTED | HOST_ALONE)
    long = len(label.path) >= limits.ACCESS_PATH or DEEP in label.path
    if label.source is None and not (long and key == CALL):
        known = label._extended.get(key)
        if known is None:
            path = deeper(label.path, key) if long else (*label.path, key)
            known = label._extended[key] = _intern(None, label.param, path, label.cleared, label.drop, True, label.weak)
        return known
    made = derive(label)
    return made if made is not None else label


def deeper(path: tuple[str | int, ...], key: str | int) -> tuple[str | int, ...]:
    """The access path of a name somewhere below ``path``, of any element of what ``path`` names, or of that as an object."""
    if type(key) is str and key.startswith(OBJECT):
        return path if of_object(path) else (*path, key)
    if key == "*" or isinstance(key, int) or key.startswith(KEYED):
        return path if path[-1:] == ("*",) else (*path, "*")
    return (*(path[: path.index(DEEP)] if DEEP in path else path), DEEP, key)


def of_object(path: tuple[str | int, ...]) -> bool:
    """Whether an access path says that something on it is an object of a class."""
    return any(type(key) is str and key.startswith(OBJECT) for key in path)


def extend_deep(label: Label, key: str) -> Label:
    """The label of what has a name somewhere inside."""
    if not label.exact or label.source is not None:
        return label
    known = label._extended.get((key,))
    if known is None:
        path = deeper(label.path, key)
        known = label._extended[(key,)] = _intern(None, label.param, path, label.cleared, label.drop, True, label.weak)
    return known


def _one_of(labels: frozenset[Label]) -> frozenset[Label]:
    """The set that stands for all that are equal: most are, and each takes some hundred bytes."""
    return _SETS.setdefault(labels, labels)


def derive_all(labels: frozenset[Label], clear: int = 0, drop: int = 0, weak: int = 0, exact: bool = False) -> frozenset[Label]:
    """All labels after an operation."""
    key = (labels, clear, drop, weak, exact)
    known = _DERIVED.get(key)
    if known is None:
        made = (derive(label, clear, drop, weak, exact) for label in labels)
        known = _DERIVED[key] = _one_of(frozenset([label for label in made if label is not None]))
    return known


def extend_all(labels: frozenset[Label], key: str | int) -> frozenset[Label]:
    """All labels of an attribute or element."""
    known = _EXTENDED.get((labels, key))
    if known is None:
        known = _EXTENDED[(labels, key)] = _one_of(frozenset([extend(label, key) for label in labels]))
    return known


def widen(labels: frozenset[Label]) -> frozenset[Label]:
    """At most ``limits.LABELS`` labels; where there are many, those that others cover go first, then the last by kind and place."""
    if len(labels) <= _CROWD:
        return labels
    known = _WIDENED.get(labels)
    if known is None:
        known = _WIDENED[labels] = _one_of(_widen(labels))
    return known


def _widen(labels: frozenset[Label]) -> frozenset[Label]:
    for steps in (1, 0):  # of many parts of one parameter, only the first step is told apart, or none
        crowded: dict[int, int] = {}
        for label in labels:
            if label.source is None:
                crowded[label.param] = crowded.get(label.param, 0) + 1
        if not any(count > _CROWD for count in crowded.values()):
            break
        labels = frozenset(
            _intern(
                None, label.param, label.path[: steps if label.path[:1] != (DEEP,) else 0], label.cleared, label.drop, False, label.weak
            )
            if label.source is None and crowded[label.param] > _CROWD
            else label
            for label in labels
        )
    best: dict[Any, Label] = {}
    for label in labels:
        key = (label.source or label.param, label.path, label.exact)
        other = best.get(key)
        if other is None:
            best[key] = label
        elif other.cleared == label.cleared and other.weak == label.weak:
            if label.drop < other.drop:
                best[key] = label
        else:  # what was cleared on one way only is not cleared
            cleared, drop, weak = other.cleared & label.cleared, min(other.drop, label.drop), other.weak & label.weak
            best[key] = _intern(label.source, label.param, label.path, cleared, drop, label.exact, weak)
    kept = [
        label
        for label in best.values()
        if label.source is not None or label.exact or not any((label.param, label.path[:n], False) in best for n in range(len(label.path)))
    ]
    if len(kept) > limits.LABELS:
        kept = sorted(kept, key=_label_key)[: limits.LABELS]
    return frozenset(kept)


def ordered(labels: frozenset[Label]) -> Iterable[Label]:
    """Labels in the order of their keys: what is made for each, and which of two traces is kept, is the same in every run."""
    if len(labels) < 2:
        return labels
    known = _ORDERED.get(labels)
    if known is None:
        known = _ORDERED[labels] = tuple(sorted(labels, key=_label_key))
    return known


_CROWD = 6  # labels in one value before those that others cover are dropped


_label_key = attrgetter("key")
