"""The instruction set that every frontend produces and every analysis reads.

A module is lowered to functions; a function is a tree of blocks (no control-flow graph: join points are
syntactic). Registers are small integers, one space per function: parameters first (in order), then captured
variables, then named variables and temporaries. A named local variable has one register for the whole
function. Positions are byte offsets into the source; lines and columns are computed only for what is shown.

What is not here: names are resolved in ``headwater.index``, meaning is given in ``headwater.taint``.
"""

from __future__ import annotations

import msgspec

SCRIPTS = ("typescript", "javascript", "vue", "svelte")
"""Languages whose modules are found by their files, and say what they export."""
LOWERING_VERSION = 4  # part of every cache key: raise it when a frontend's output changes

Literal = str | int | float | bool | None
"""A literal value. Bytes are kept as text (latin-1); text beyond ``limits.LITERAL_CHARS`` is cut."""


class Type(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A type expression as written: ``Optional[openai.OpenAI]`` is ``Type("Optional", (Type("openai.OpenAI"),))``.

    ``X | Y`` is ``Type("|", (X, Y))``; ``Literal["a"]`` is ``Type("Literal", (), ("a",))``; text annotations
    are parsed; what is no type expression is ``Type("?")``. ``constr(pattern="a")`` has the argument ``Type("pattern=", (), ("a",))``.
    """

    name: str
    args: tuple[Type, ...] = ()
    literals: tuple[Literal, ...] = ()


# --------------------------------------------------------------------------------------------- instructions


class Instr(msgspec.Struct, array_like=True, gc=False):
    """Base of all instructions: a half-open byte range of the source that it stands for."""

    start: int
    end: int


class Const(Instr, tag=1):
    """``dst`` is a literal."""

    dst: int
    value: Literal


class Name(Instr, tag=2):
    """``dst`` is the module-level, builtin or otherwise free name ``name``."""

    dst: int
    name: str


class Move(Instr, tag=3):
    """``dst`` is ``src``: assignment, ``await x``, ``(x)``, ``x as y``."""

    dst: int
    src: int


class Attr(Instr, tag=4):
    """``dst = obj.name``."""

    dst: int
    obj: int
    name: str


class Item(Instr, tag=5):
    """``dst = obj[key]``: ``key`` where it is a literal; else ``reg``, the register of the key, or -1 for a slice."""

    dst: int
    obj: int
    key: str | int | None
    reg: int = -1


class StoreAttr(Instr, tag=6):
    """``obj.name = src``."""

    obj: int
    name: str
    src: int


class StoreItem(Instr, tag=7):
    """``obj[key] = src`` (key as in :class:`Item`). ``yield`` and comprehension appends use key None, reg -1."""

    obj: int
    key: str | int | None
    reg: int
    src: int


class StoreGlobal(Instr, tag=8):
    """A function assigns a name that it declared ``global``."""

    name: str
    src: int


class Build(Instr, tag=9):
    """``dst`` is a new list, tuple, set, dict or generator.

    ``keys[i]`` is the literal key or index of ``parts[i]``; None is a key that is not a literal; ``"**"`` with
    ``spread[i]`` true means that ``parts[i]`` is spread (``*xs``, ``**d``).
    """

    dst: int
    kind: str  # list, tuple, set, dict, generator
    keys: tuple[str | int | None, ...]
    parts: tuple[int, ...]
    spread: tuple[bool, ...] = ()  # empty: none is spread


class Concat(Instr, tag=10):
    """Text made of literal pieces and values (f-string): ``literals[0] parts[0] literals[1] ...`` (one more literal)."""

    dst: int
    parts: tuple[int, ...]
    literals: tuple[str, ...]


class Binary(Instr, tag=11):
    """``dst = left op right``; op as written: ``+ - * / // % @ ** | & ^ << >>``; augmented assignment too."""

    dst: int
    op: str
    left: int
    right: int


class Unary(Instr, tag=12):
    """``dst = op operand``: ``- + ~``."""

    dst: int
    op: str
    operand: int


class Test(Instr, tag=13):
    """``dst`` is a comparison.

    ``in``, ``not in``, ``==``, ``!=``, ``is``, ``is not``, ``<`` (any order), ``isinstance``, ``not`` (right -1).
    """

    dst: int
    op: str
    left: int
    right: int


class Call(Instr, tag=14):
    """``dst = fn(args, **kw)``. A starred argument is ``~register`` (negative); ``**d`` has the name ``"**"``."""

    dst: int
    fn: int
    args: tuple[int, ...]
    kw: tuple[tuple[str, int], ...] = ()


class Decorate(Instr, tag=15):
    """``dst = decorator(target)`` where target holds a function or class that is being defined."""

    dst: int
    decorator: int
    target: int


class Func(Instr, tag=16):
    """``dst`` is the closure of ``Module.functions[function]``; ``captures`` are registers here, in order of its ``captured``."""

    dst: int
    function: int
    captures: tuple[int, ...] = ()


class ClassDef(Instr, tag=17):
    """``dst`` is ``Module.classes[cls]``."""

    dst: int
    cls: int


class Import(Instr, tag=18):
    """``dst`` is what an import statement inside a function (or one of a name bound again) names; as :class:`Alias`."""

    dst: int
    path: str
    level: int = 0


class Elem(Instr, tag=19):
    """``dst`` is one element of the iterable ``src``. ``what``: ``item``, ``async`` or ``rest`` (a list: ``a, *b = c``)."""

    dst: int
    src: int
    what: str = "item"


class Enter(Instr, tag=20):
    """``dst`` is what the context manager ``ctx`` gives (``with ctx as dst``)."""

    dst: int
    ctx: int


class Return(Instr, tag=21):
    """Return ``src`` (-1: nothing)."""

    src: int


class Yield(Instr, tag=22):
    """Yield ``src`` (-1: nothing); ``dst`` is what is sent in. ``each`` for ``yield from``."""

    dst: int
    src: int
    each: bool = False


class Raise(Instr, tag=23):
    """Raise ``src`` (-1: raise again, or nothing known)."""

    src: int


class Break(Instr, tag=24):
    """Leave the innermost loop."""


class Continue(Instr, tag=25):
    """Begin the innermost loop again."""


class Leaf(msgspec.Struct, array_like=True, tag=1, gc=False):
    """A condition: run ``pre``, then the truth of ``reg``."""

    pre: list[AnyInstr]
    reg: int


class Not(msgspec.Struct, array_like=True, tag=2, gc=False):
    """The negation of a condition."""

    part: Cond


class AllOf(msgspec.Struct, array_like=True, tag=3, gc=False):
    """``a and b and c``: each part is evaluated only where those before hold."""

    parts: list[Cond]


class AnyOf(msgspec.Struct, array_like=True, tag=4, gc=False):
    """``a or b or c``: each part is evaluated only where those before do not hold."""

    parts: list[Cond]


Cond = Leaf | Not | AllOf | AnyOf


class Arm(msgspec.Struct, array_like=True, gc=False):
    """One ``if``/``elif``/``case`` with its body."""

    cond: Cond
    body: list[AnyInstr]


class If(Instr, tag=26):
    """Conditions in turn, the first that holds is taken; ``assert c`` is an arm ``not c`` that raises."""

    arms: list[Arm]
    orelse: list[AnyInstr]


class Loop(Instr, tag=27):
    """``for`` (cond None; the body begins with :class:`Elem`) or ``while``; ``orelse`` runs after it."""

    cond: Cond | None
    body: list[AnyInstr]
    orelse: list[AnyInstr]


class Handler(msgspec.Struct, array_like=True, gc=False):
    """``except types as dst``: registers of the exception classes (evaluated before the Try), -1 where there is no name."""

    types: tuple[int, ...]
    dst: int
    body: list[AnyInstr]


class Try(Instr, tag=28):
    """``try``: body, handlers, ``orelse``, ``final``."""

    body: list[AnyInstr]
    handlers: list[Handler]
    orelse: list[AnyInstr]
    final: list[AnyInstr]


AnyInstr = (
    Const
    | Name
    | Move
    | Attr
    | Item
    | StoreAttr
    | StoreItem
    | StoreGlobal
    | Build
    | Concat
    | Binary
    | Unary
    | Test
    | Call
    | Decorate
    | Func
    | ClassDef
    | Import
    | Elem
    | Enter
    | Return
    | Yield
    | Raise
    | Break
    | Continue
    | If
    | Loop
    | Try
)
Block = list[AnyInstr]


# ------------------------------------------------------------------------------------------------- containers


class Param(msgspec.Struct, array_like=True, gc=False):
    """A parameter; its register is its index in ``Function.params``."""

    name: str
    start: int
    end: int
    kind: str = "normal"  # positional (only), normal, keyword (only), star (*args), stars (**kwargs)
    annotation: Type | None = None
    default: int = -1
    """Register (set by ``Function.defaults``) of the default; -1: none."""


class Function(msgspec.Struct, array_like=True, gc=False):
    """A function, a method, a lambda, or (index 0 of every module) the module body.

    Class bodies are lowered in place into the function that holds them.
    """

    name: str
    qualname: str
    """``Class.method``, ``outer.<locals>.inner`` becomes ``outer.inner``; the module body is ``<module>``."""
    start: int
    end: int
    params: list[Param]
    captured: tuple[str, ...]
    """Names taken from enclosing functions; their registers follow the parameters."""
    nonlocals: tuple[int, ...]
    """Indices into ``captured`` that this function assigns (``nonlocal``)."""
    registers: int
    names: dict[str, int]
    """Registers of the named local variables (of a module body: its global variables)."""
    annotations: dict[str, Type]
    """Annotations of local variables, and of attributes as written (``self.client: T`` in a method)."""
    returns: Type | None
    defaults: Block
    """Evaluates the parameters' defaults; runs before the body, in this function's registers."""
    body: Block
    cls: int = -1
    """Index of the class that this is a method of."""
    parent: int = -1
    """Index of the enclosing function (0 for functions of the module)."""
    flags: tuple[str, ...] = ()
    """Sorted. Of: async, generator, lambda, static, classmethod, property, setter, abstract, overload."""
    doc: str = ""
    """The text that it begins with, in a script its directives."""


class Field(msgspec.Struct, array_like=True, gc=False):
    """A name in a class body: annotated, assigned or both."""

    name: str
    start: int
    end: int
    annotation: Type | None = None
    value: int = -1
    """Register of the default, in the function that holds the class body."""


class Class(msgspec.Struct, array_like=True, gc=False):
    """A class. Methods are functions whose ``cls`` is this class's index."""

    name: str
    qualname: str
    start: int
    end: int
    bases: list[Type]
    keywords: dict[str, Type]
    methods: dict[str, tuple[int, ...]]
    """Name to function indices (several: overloads, property setters, conditional definitions; the last one counts first)."""
    fields: dict[str, Field]
    decorators: tuple[Type, ...]
    function: int
    """Index of the function whose body holds this class."""
    doc: str = ""


class Alias(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """What a module-level import binds: ``from ..a import b as c`` is ``c -> Alias("a.b", 2)``.

    ``import a.b`` binds ``a -> Alias("a")``; ``import a.b as c`` binds ``c -> Alias("a.b")``. ``module`` tells
    that the path names a module for sure (``import``), else its last part may be a name in a module.
    """

    path: str
    level: int = 0
    module: bool = False
    start: int = 0
    member: str = ""
    """Of a script: what is taken of the module ``path``: a name, ``default``, or ``*`` for the module itself."""


class Gap(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A place that was not understood and was left out."""

    start: int
    end: int
    reason: str


class Remark(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A comment that speaks to Headwater (``# headwater: ...``); what it says is read by ``headwater.suppressions``."""

    start: int
    end: int
    first: int
    """The logical line that it is about: the one that it stands in or beside, else the next one below."""
    last: int
    """Its end, exclusive; ``first`` where there is none."""


class Module(msgspec.Struct, array_like=True, gc=False):
    """One file."""

    path: str
    language: str
    functions: list[Function]
    classes: list[Class]
    imports: dict[str, list[Alias]]
    """Module-level bindings by import (several: try/except ImportError, if/else)."""
    imported: list[Alias]
    """Every module that is imported anywhere in the file (``import a.b`` also makes ``a.b`` reachable)."""
    stars: list[Alias]
    """``from m import *``."""
    exports: list[str] | None
    """``__all__`` where it is a literal."""
    definitions: dict[str, list[tuple[str, int]]]
    """Module-level ``def`` and ``class``: name to (``function`` or ``class``, index), in order."""
    gaps: list[Gap]
    remarks: list[Remark] = []
    """In the order of the file; one more than ``limits.SUPPRESSIONS_OF_FILE`` where there are too many."""
    exported: dict[str, str] = {}
    """Of a script: the names under which others import something, and what it is called here."""
