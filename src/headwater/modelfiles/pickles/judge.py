"""Judges what an unpickler would do: what is not on the lists is told, and is malicious or for review by what it can do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from headwater.modelfiles.pickles import embedded, gadgets
from headwater.modelfiles.pickles.allow import Use, allowed, listed
from headwater.modelfiles.pickles.names import is_class
from headwater.modelfiles.pickles.render import call, render, spoken
from headwater.modelfiles.pickles.values import Big, Global, How, Made, Persistent, Unknown, Value, arguments
from headwater.modelfiles.verdicts import Verdict

Note = Callable[[str, Verdict, str, str, int], None]
Nested = Callable[[str | bytes | Big, int, bool], None]
"""Looks at bytes that may be a pickle of their own; the last says that the loader loads them."""


class Judge:
    """Hears the machine. ``how`` says who loads the file, in the words of a message."""

    def __init__(self, note: Note, nested: Nested, loader: str) -> None:
        self._note = note
        self._nested = nested
        self._loader = loader
        self._named: dict[str, tuple[Global, int]] = {}
        self._called: set[str] = set()
        self._fine: set[tuple[str, str]] = set()
        self.capable = False  # something was called of which it is known what it can do
        self.acted = 0  # names imported and calls made: a stream that does neither is data

    # What the machine says.

    def imported(self, name: Global, at: int) -> None:
        self.acted += 1
        if (name.module, name.name) in self._fine:
            return
        if allowed(name.module, name.name, "name"):
            self._fine.add((name.module, name.name))
        elif _is_method(name) or _is_constant(name):
            return
        elif name.full not in self._named and name.full not in BUILDERS:
            self._named[name.full] = (name, at)

    def computed(self, module: Value, name: Value, at: int) -> None:
        self.acted += 1
        said = f"import {render(module)} . {render(name)}"
        self._note("pickle-computed-name", "malicious", f"{self._loader} imports a name that the file computes, to hide it.", said, at)

    def extension(self, code: int, at: int) -> None:
        self.acted += 1
        said = f"{self._loader} takes entry {code} of the registry of extensions: what that is cannot be seen in the file."
        self._note("pickle-extension", "review", said, f"copyreg extension {code}", at)

    def changed(self, target: Value, at: int) -> None:
        if isinstance(target, Global):
            said = f"{self._loader} adds to {spoken(target)}, which is no object of the file."
            self._note("pickle-changes-global", "malicious", said, render(target), at)

    def data(self, value: str | bytes | Big, at: int) -> None:
        self._nested(value, at, False)

    def built(self, target: Value, state: Value, at: int) -> None:
        self.acted += 1
        if isinstance(target, Global | Unknown):
            said = f"{self._loader} writes attributes into {render(target)}, which changes it for the whole process."
            self._note("pickle-changes-global", "malicious", said, f"{render(target)}.__setstate__({render(state)})", at)
        elif isinstance(target, Made):
            self._built(target, state, at)
        elif isinstance(target, Persistent):
            said = f"{self._loader} writes attributes into an object that the loader hands out."
            self._note("pickle-changes-persistent", "review", said, render(state), at)

    def called(self, what: Value, args: Value, keywords: Value, how: How, at: int) -> Value:
        self.acted += 1
        if isinstance(what, Global):
            special = SPECIAL.get(what.full)
            if special is not None and (made := special(self, what, args, how, at)) is not None:
                return made
            self.use(what, args, keywords, how, at)
        else:
            self._computed_call(what, args, keywords, how, at)
        return Made(what, args, how, keywords)

    def close(self) -> None:
        """Notes the names that were imported and never called."""
        for full, (name, at) in self._named.items():
            if full in self._called:
                continue
            can = gadgets.capability(name)
            if can is not None:
                said = f"{self._loader} imports {spoken(name)}, which {can}; whatever is given it calls it."
                self._note("pickle-import", "malicious", said, spoken(name), at)
            elif "." in name.name and not is_class(name.name):
                said = f"{self._loader} reaches {spoken(name)} through the attributes of a module, to hide what it is."
                self._note("pickle-import", "malicious", said, spoken(name), at)
            else:
                said = f"{self._loader} imports {spoken(name)}, which is no known class or function of a library for ML: its code decides."
                self._note("pickle-import", "review", said, spoken(name), at)

    # Decisions.

    def use(self, what: Global, args: Value, keywords: Value, how: How, at: int) -> None:
        """A call of a name, or an instance made of it."""
        use: Use = how
        if allowed(what.module, what.name, use):
            if what.full in _ITERATING and use == "call":
                self._iterated(what, args, at)
            return
        if what.module == "types" and what.name == "CodeType":
            return  # told by what is done with it
        self._called.add(what.full)
        said = call(what, args, keywords)
        can = gadgets.capability(what)
        name = spoken(what)
        if can is not None:
            self.capable = True
            self._note("pickle-call", "malicious", f"{self._loader} calls {said[:300]}: {name} {can}.", said, at)
        elif "." in what.name and not is_class(what.name):
            message = f"{self._loader} calls {said[:300]}, which it reaches through the attributes of a module, to hide what it is."
            self._note("pickle-call", "malicious", message, said, at)
        elif is_class(what.name) or (how == "new"):
            message = f"{self._loader} makes a {name}, which is no known class of a library for ML: its code decides what happens."
            self._note("pickle-class", "review", message, said, at)
        else:
            message = f"{self._loader} calls {said[:300]}; {name} is no function that a pickle of a known library calls."
            self._note("pickle-call", "malicious", message, said, at)

    def _iterated(self, what: Global, args: Value, at: int) -> None:
        """Making a list of an object runs its ``__iter__``, which may call what the file has put into it."""
        for one in arguments(args) or ():
            if isinstance(one, Made) and not (
                isinstance(one.what, Global) and (one.what.module in _PLAIN or one.what.module.startswith("numpy"))
            ):
                said = call(what, args)
                message = f"{self._loader} makes a {spoken(what)} of an object of the file, which runs the object's own code: {said[:300]}."
                self._note("pickle-call", "review", message, said, at)

    def _computed_call(self, what: Value, args: Value, keywords: Value, how: How, at: int) -> None:
        said = call(what, args, keywords)
        if isinstance(what, Made) and embedded.is_function(what):
            message = f"{self._loader} calls a function whose code is in the file itself: {embedded.describe(what)}"
            self._note("pickle-call", "malicious", message, said, at)
        elif isinstance(what, Made) and embedded.is_class(what):
            message = f"{self._loader} makes an instance of a class whose code is in the file itself."
            self._note("pickle-code", "review", message, said, at)
        elif isinstance(what, Unknown) and what.said.startswith("<extension"):
            message = f"{self._loader} calls an entry of the registry of extensions: what that is cannot be seen in the file."
            self._note("pickle-call", "malicious", message, said, at)
        elif isinstance(what, Made | Unknown | Persistent | Big):
            message = f"{self._loader} calls what another call returns: {said[:300]}."
            self._note("pickle-call", "malicious", message, said, at)

    def _built(self, target: Made, state: Value, at: int) -> None:
        what = target.what
        if not isinstance(what, Global):
            return
        if what.full == "logging.getLogger":
            said = f"{self._loader} changes a logger of the process: {render(state)[:300]}."
            self._note("pickle-changes-global", "review", said, render(target), at)
        elif what.full == "functools.partial":
            values = arguments(state)
            if values and isinstance(values[0], Global) and allowed(values[0].module, values[0].name, "name"):
                return
            said = f"{self._loader} gives a partial function another function to call: {render(state)[:300]}."
            verdict: Verdict = "review" if values and isinstance(values[0], Global) else "malicious"
            self._note("pickle-call", verdict, said, f"functools.partial.__setstate__({render(state)})", at)
        elif what.module.startswith("scipy.stats.") and not embedded.is_distribution(state):
            said = f"{self._loader} runs the text in _parse_arg_template as code when it restores a distribution of scipy."
            self._note("pickle-call", "malicious", said, render(state), at)

    # Callables whose arguments say more than their names.

    def reconstruct(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """``copyreg._reconstructor(class, base, state)`` and ``__newobj__(class, ...)``."""
        values = arguments(args)
        if how != "call" or not values or not isinstance(values[0], Global):
            return None
        if what.name == "_reconstructor" and not (
            len(values) == 3 and isinstance(values[1], Global) and values[1].module == "builtins" and values[1].name in _BASES
        ):
            return None
        self.use(values[0], values[1:], None, "new", at)
        return Made(values[0], values[1:], "new")

    def attribute(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """``getattr(class, name)``: how Python 3.11 pickles members of an Enum, and every Python methods of classes."""
        values = arguments(args)
        if values and len(values) == 2 and isinstance(values[0], Global) and isinstance(values[1], str):
            owner, name = values[0], values[1]
            if allowed(owner.module, f"{owner.name}.{name}", "call"):
                return Global(owner.module, f"{owner.name}.{name}")
            if _is_method(Global(owner.module, f"{owner.name}.{name}")):
                return Made(what, args, "call")
        elif values and len(values) == 2 and isinstance(values[0], Made) and isinstance(values[1], str):
            of, name = values[0].what, values[1]  # a method of an object of the file, such as a hook: no harm while nobody calls it
            if isinstance(of, Global) and _is_method(Global(of.module, f"{of.name}.{name}")):
                return Made(what, args, "call")
        return None

    def ufunc(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """``_ufunc_reconstruct(module, name)`` imports what it is told."""
        values = arguments(args)
        if values and len(values) == 2 and isinstance(values[0], str) and isinstance(values[1], str):
            name = Global(values[0], values[1])
            self.imported(name, at)
            return name
        return None

    def encode(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """``_codecs.encode(text, codec)``: how protocol 2 keeps bytes."""
        values = arguments(args)
        if values and len(values) == 2 and isinstance(values[1], str) and values[1].lower().replace("-", "") in _CODECS:
            if isinstance(values[0], str):
                try:
                    raw = values[0].encode("latin-1")
                except UnicodeEncodeError:
                    raw = values[0].encode("utf-8", "surrogatepass")
                self._nested(raw, at, False)
                return raw
            return Made(what, args, "call")
        return None

    def load(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """A callable that loads the bytes it is given."""
        values = arguments(args)
        if values and isinstance(values[0], bytes | Big | str):
            self._nested(values[0], at, True)
            if what.full == "torch.storage._load_from_bytes":
                return Made(what, args, "call")
        return None

    def apply(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """Functions that call their first argument with a later one."""
        values = arguments(args)
        place = _APPLIED[what.full]
        if not values or len(values) <= place or not allowed(what.module, what.name, "call"):
            return None
        return self.called(values[0], values[place], None, "call", at)

    def instance_of(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """Functions that make an instance of their first argument without its constructor."""
        values = arguments(args)
        if not values or not isinstance(values[0], Global):
            return None
        if allowed(what.module, what.name, "call"):
            self.use(values[0], values[1:], None, "new", at)
            return Made(values[0], values[1:], "new")
        return None

    def partial(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """``functools.partial(function, ...)`` calls nothing yet."""
        values = arguments(args)
        return Made(what, args, how) if values and isinstance(values[0], Global | Made) else None

    def code(self, what: Global, args: Value, how: How, at: int) -> Value | None:
        """What cloudpickle and dill rebuild functions, classes and modules with."""
        found = embedded.rebuild(what, args)
        if found is None:
            return None
        if found.message:
            self._called.add(what.full)
            verdict: Verdict = found.verdict
            self._note("pickle-code", verdict, f"{self._loader} {found.message}", found.evidence, at)
        return found.value


def _is_constant(name: Global) -> bool:
    """torch pickles some constants as ``torch.channels_last``, and Python looks for that name in any module that has imported torch."""
    return name.name.startswith("torch.") and listed(name.module) and allowed("torch", name.name.removeprefix("torch."), "name")


def _is_method(name: Global) -> bool:
    """A method of a listed class, by name: no harm while nobody calls it."""
    owner, _, method = name.name.rpartition(".")
    return bool(owner) and method.isidentifier() and _TOUCHING.match(method) is None and allowed(name.module, owner, "new")


BUILDERS: Final = frozenset(embedded.BUILDERS)
_TOUCHING: Final = re.compile(
    r"__|to_|from_|save|load|read|write|eval|query|fetch|download|open|dump|exec|run|call|apply|pipe|map|register"
)
"""Methods that touch files or call what they are given."""

_ITERATING: Final = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "dict", "bytes", "bytearray", "str", "int", "float", "reversed")
) | frozenset(f"collections.{name}" for name in ("deque", "Counter", "OrderedDict", "UserDict", "UserList", "UserString", "ChainMap"))
_PLAIN: Final = frozenset(("builtins", "collections", "datetime", "decimal", "_codecs", "torch._utils", "torch"))

_BASES: Final = frozenset(["object", "dict", "list", "tuple", "set", "frozenset", "int", "float", "str", "bytes", "bytearray", "complex"])
_CODECS: Final = frozenset(("latin1", "latin", "iso88591", "utf8", "ascii"))

_APPLIED: Final = {"torch._tensor._rebuild_from_type_v2": 2, "torch._tensor._rebuild_from_type": 2, "dill._dill._create_array": 1}
"""Which of their arguments such functions call the first one with."""

_INSTANCES: Final = (
    *(f"pandas.core.indexes.{name}" for name in ("base._new_Index", "datetimes._new_DatetimeIndex", "timedeltas._new_TimedeltaIndex")),
    *(f"pandas.core.indexes.{name}" for name in ("period._new_PeriodIndex", "interval._new_IntervalIndex")),
    "numpy.ma.core._mareconstruct",
    "numpy.ma._mareconstruct",
    *(f"sklearn.neighbors.{name}.newObj" for name in ("_dist_metrics", "dist_metrics", "_kd_tree", "kd_tree", "_ball_tree", "ball_tree")),
    "sklearn.metrics._dist_metrics.newObj",
)
"""Functions that make an instance of the class that they are given."""

Special = Callable[[Judge, Global, Value, How, int], Value | None]

SPECIAL: Final[dict[str, Special]] = {
    "copyreg._reconstructor": Judge.reconstruct,
    "copyreg.__newobj__": Judge.reconstruct,
    "builtins.getattr": Judge.attribute,
    "numpy.core._ufunc_reconstruct": Judge.ufunc,
    "numpy._core._ufunc_reconstruct": Judge.ufunc,
    "numpy.core._multiarray_umath._ufunc_reconstruct": Judge.ufunc,
    "_codecs.encode": Judge.encode,
    "functools.partial": Judge.partial,
    "torch.storage._load_from_bytes": Judge.load,
    **dict.fromkeys(_APPLIED, Judge.apply),
    **dict.fromkeys(_INSTANCES, Judge.instance_of),
    **dict.fromkeys(
        [
            "pickle.loads",
            "_pickle.loads",
            "dill.loads",
            "dill._dill.loads",
            "cloudpickle.loads",
            "cloudpickle.cloudpickle.loads",
            "marshal.loads",
            "zlib.decompress",
            "joblib.load",
            "torch.load",
            "base64.b64decode",
            "binascii.unhexlify",
        ],
        Judge.load,
    ),
    **dict.fromkeys(embedded.BUILDERS, Judge.code),
}
"""By full name. One that returns None says that the call is judged as any other."""
