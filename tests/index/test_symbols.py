"""Names to entities: modules of every layout, re-exports, classes, what type expressions say."""

from __future__ import annotations

from typing import Any

import pytest

from headwater import ir
from headwater.apis.paths import ApiPath, Patterns
from headwater.frontends.python import lower
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst, Mod, Var
from headwater.index.symbols import Symbols, TypeValue


def index(files: dict[str, str]) -> Symbols:
    patterns: Patterns[str] = Patterns({})
    for path in (
        "openai.OpenAI().responses.create",
        "langchain.agents.Tool",
        "langchain.chains.base.Chain().run",
        "builtins.int",
        "uuid.UUID",
    ):
        patterns.add(path, path)
    return Symbols([lower(path, text.encode()) for path, text in files.items()], patterns)


def mod(symbols: Symbols, path: str) -> Mod:
    return next(one for one in symbols.modules if one.path == path)


def cls(symbols: Symbols, name: str) -> Cls:
    return next(one for one in symbols.classes if one.ir.qualname == name)


def told(found: Any) -> list[str]:
    return [repr(one) for one in found]


# ------------------------------------------------------------------------------------------------------- modules


@pytest.mark.parametrize(
    ("paths", "path", "names"),
    [
        (["a.py"], "a.py", ("a",)),
        (["folder/a.py"], "folder/a.py", ("a", "folder.a")),
        (["p/__init__.py", "p/a.py"], "p/a.py", ("p.a",)),
        (["p/__init__.py"], "p/__init__.py", ("p",)),
        (["p/__init__.py", "p/q/__init__.py", "p/q/a.py"], "p/q/a.py", ("p.q.a",)),
        (["src/p/__init__.py", "src/p/a.py"], "src/p/a.py", ("p.a", "src.p.a")),
        (["src/p/a.py"], "src/p/a.py", ("a", "p.a", "src.p.a")),
        (["libs/core/src/p/a.py"], "libs/core/src/p/a.py", ("a", "p.a", "libs.core.src.p.a")),
        (["libs/core/p/__init__.py", "libs/core/p/a.py"], "libs/core/p/a.py", ("p.a", "libs.core.p.a")),
        (["__init__.py", "a.py"], "a.py", ("a",)),
        (["p/__init__.py", "p/tests/a.py"], "p/tests/a.py", ("a", "p.tests.a")),
    ],
)
def test_names_of_modules(paths: list[str], path: str, names: tuple[str, ...]) -> None:
    symbols = index(dict.fromkeys(paths, ""))
    found = mod(symbols, path)
    assert set(found.names) == set(names)
    assert found.name == found.names[0]
    for name in found.names:
        assert symbols.module(name) is found


def test_of_two_modules_the_nearer() -> None:
    symbols = index({"a/utils.py": "", "a/main.py": "import utils", "b/utils.py": "", "b/main.py": "import utils", "c/main.py": ""})
    for folder in "ab":
        assert symbols.lookup(mod(symbols, f"{folder}/main.py"), "utils") == (mod(symbols, f"{folder}/utils.py"),)
    assert symbols.module("utils", mod(symbols, "c/main.py")) is mod(symbols, "a/utils.py")
    assert symbols.module("b.utils", mod(symbols, "a/main.py")) is mod(symbols, "b/utils.py")
    assert symbols.module("nothing") is None


def test_source_before_stub() -> None:
    for paths in (["p/a.py", "p/a.pyi"], ["p/a.pyi", "p/a.py"]):
        symbols = index({**dict.fromkeys(paths, ""), "p/main.py": "from . import a"})
        assert symbols.lookup(mod(symbols, "p/main.py"), "a") == (mod(symbols, "p/a.py"),)


def test_a_script_finds_its_neighbour() -> None:
    symbols = index({"app/__init__.py": "", "app/main.py": "import helper\nfrom helper import run", "app/helper.py": "def run(): ..."})
    main = mod(symbols, "app/main.py")
    assert symbols.lookup(main, "helper") == (mod(symbols, "app/helper.py"),)
    assert told(symbols.lookup(main, "run")) == ["<function app.helper.run>"]


# --------------------------------------------------------------------------------------------------------- names


def test_what_a_name_is() -> None:
    text = """
import openai, os.path, unheard.of
from openai import OpenAI as Client
x = 1
def f(): ...
class C:
    def m(self): ...
"""
    symbols = index({"a.py": text})
    a = mod(symbols, "a.py")
    assert told(symbols.lookup(a, "openai")) == ["openai"]
    assert told(symbols.lookup(a, "Client")) == ["openai.OpenAI"]
    assert symbols.lookup(a, "unheard") == (EXTERNAL,)
    assert symbols.lookup(a, "os") == (EXTERNAL,)  # no pattern speaks of it
    assert told(symbols.lookup(a, "f")) == ["<function a.f>"]
    assert told(symbols.lookup(a, "C")) == ["<class a.C>"]
    assert [type(one) for one in symbols.lookup(a, "x")] == [Var]
    assert symbols.lookup(a, "nothing") == ()
    assert told(symbols.name(a, "int")) == ["builtins.int"]
    assert symbols.name(a, "len") == (EXTERNAL,)


def test_reexports() -> None:
    symbols = index(
        {
            "p/__init__.py": "from .a import f as g\nfrom .sub import *\nfrom p.b import C",
            "p/a.py": "def f(): ...",
            "p/b.py": "class C: ...",
            "p/sub/__init__.py": "from .inner import h, _hidden",
            "p/sub/inner.py": "def h(): ...\ndef _hidden(): ...",
            "main.py": "import p\nfrom p import g, h, C, sub\nfrom p.sub import inner\nimport p.sub.inner as deep\nfrom p import nothing",
        }
    )
    main = mod(symbols, "main.py")
    assert told(symbols.lookup(main, "g")) == ["<function p.a.f>"]
    assert told(symbols.lookup(main, "h")) == ["<function p.sub.inner.h>"]
    assert told(symbols.lookup(main, "C")) == ["<class p.b.C>"]
    assert told(symbols.lookup(main, "sub")) == ["<module p.sub>"]
    assert told(symbols.lookup(main, "inner")) == told(symbols.lookup(main, "deep")) == ["<module p.sub.inner>"]
    assert told(symbols.lookup(main, "p")) == ["<module p>"]
    assert symbols.lookup(mod(symbols, "p/__init__.py"), "_hidden") == ()


@pytest.mark.parametrize("order", [["a.py", "b.py", "c.py"], ["c.py", "b.py", "a.py"], ["b.py", "c.py", "a.py"]])
def test_cycles_of_imports(order: list[str]) -> None:
    files = {
        "a.py": "from b import *\nfrom b import f, ghost",
        "b.py": "from c import *\nfrom c import f, ghost",
        "c.py": "from a import *\nfrom a import g, ghost\n\n\ndef f(): ...\n",
    }
    symbols = index({path: files[path] for path in order})
    for path in order:
        assert told(symbols.lookup(mod(symbols, path), "f")) == ["<function c.f>"]
        assert set(symbols.lookup(mod(symbols, path), "ghost")) <= {EXTERNAL}
    assert set(symbols.lookup(mod(symbols, "a.py"), "g")) <= {EXTERNAL}


def test_a_module_that_imports_itself() -> None:
    symbols = index(
        {"p/__init__.py": "from . import p\nfrom .p import p", "p/p.py": "from p import p\nfrom .p import q\nfrom ....... import r"}
    )
    assert symbols.lookup(mod(symbols, "p/p.py"), "q") == ()
    assert symbols.lookup(mod(symbols, "p/p.py"), "r") == ()
    assert mod(symbols, "p/p.py") in symbols.lookup(mod(symbols, "p/__init__.py"), "p")


def test_relative_imports() -> None:
    symbols = index(
        {
            "p/__init__.py": "",
            "p/x.py": "def f(): ...",
            "p/q/__init__.py": "from .. import x\nfrom . import r",
            "p/q/r.py": "from ..x import f\nfrom ..q import r\nfrom . import r as own",
        }
    )
    r = mod(symbols, "p/q/r.py")
    assert told(symbols.lookup(r, "f")) == ["<function p.x.f>"]
    assert symbols.lookup(r, "own") == symbols.lookup(r, "r") == (r,)
    package = mod(symbols, "p/q/__init__.py")
    assert symbols.lookup(package, "x") == (mod(symbols, "p/x.py"),)
    assert symbols.lookup(package, "r") == (r,)


def test_conditional_imports_are_both() -> None:
    symbols = index(
        {"a.py": "def f(): ...", "b.py": "def f(): ...", "main.py": "try:\n    from a import f\nexcept ImportError:\n    from b import f\n"}
    )
    assert told(symbols.lookup(mod(symbols, "main.py"), "f")) == ["<function a.f>", "<function b.f>"]


# ------------------------------------------------------------------------------------------------------- classes


def mro(symbols: Symbols, name: str) -> list[str]:
    return [one.name for one in cls(symbols, name).mro]


def test_mro() -> None:
    symbols = index({"a.py": "class A: ...\nclass B(A): ...\nclass C: ...\nclass D(B, C): ...\n"})
    assert mro(symbols, "D") == ["D", "B", "A", "C"]
    assert mro(symbols, "A") == ["A"]
    assert [one.name for one in cls(symbols, "A").descendants(9)] == ["B", "D"]


def test_mro_of_a_diamond() -> None:
    """The common base comes after both: a method of the right branch beats that of the base."""
    symbols = index({"a.py": "class A:\n    def m(self): ...\nclass B(A): ...\nclass C(A):\n    def m(self): ...\nclass D(B, C): ...\n"})
    assert mro(symbols, "D") == ["D", "B", "C", "A"]
    method = cls(symbols, "D").method("m")
    assert method is not None
    assert method.ir.qualname == "C.m"


def test_mro_where_python_has_none() -> None:
    symbols = index({"a.py": "class A: ...\nclass B(A): ...\nclass C(A, B): ...\nclass D(C): ...\n"})
    assert mro(symbols, "C") == ["C", "A", "B"]
    assert mro(symbols, "D") == ["D", "C", "A", "B"]


def test_mro_does_not_need_the_order_of_the_files() -> None:
    files = {"a.py": "from b import B, C\nclass D(B, C): ...\n", "b.py": "from c import A\nclass B(A): ...\nclass C(A): ...\n"}
    assert mro(index({**files, "c.py": "class A: ...\n"}), "D") == ["D", "B", "C", "A"]


def test_mro_of_many_classes_ends() -> None:
    chain = "class C0: ...\n" + "".join(f"class C{n}(C{n - 1}): ...\n" for n in range(1, 3000))
    wide = "".join(f"class W{n}: ...\n" for n in range(3000)) + f"class W({', '.join(f'W{n}' for n in range(3000))}): ...\n"
    symbols = index({"a.py": chain, "b.py": wide})
    assert mro(symbols, "C2999")[:3] == ["C2999", "C2998", "C2997"]
    assert mro(symbols, "W")[:3] == ["W", "W0", "W1"]


def test_class_cycles() -> None:
    symbols = index({"a.py": "class A(B):\n    def m(self): ...\nclass B(A): ...\nclass C(C): ...\n"})
    assert mro(symbols, "A") == ["A", "B"]
    assert mro(symbols, "B") == ["B", "A"]
    assert mro(symbols, "C") == ["C"]
    assert cls(symbols, "B").method("m") is cls(symbols, "A").methods["m"]
    assert len(cls(symbols, "A").descendants(9)) <= 2


def test_fields_that_methods_declare() -> None:
    text = """
class A:
    x: int
    def __init__(me, client):
        me.client: OpenAI = client
        me.x: str = ""
        me.a.b: int = 1
        other.y: int = 1
    @staticmethod
    def s(self):
        self.z: int = 1
"""
    symbols = index({"a.py": "from openai import OpenAI\n" + text})
    found = cls(symbols, "A")
    assert sorted(found.ir.fields) == ["client", "x"]
    assert found.ir.fields["x"].annotation == ir.Type("int")
    assert found.ir.fields["client"].value == -1
    assert refs(symbols.type_value(found.module, found.ir.fields["client"].annotation)) == ["openai.OpenAI()"]


def test_bases_of_libraries() -> None:
    symbols = index(
        {"a.py": "import openai\nfrom openai import OpenAI\nclass A(openai.OpenAI): ...\nclass B(A): ...\nclass C(OpenAI): ...\n"}
    )
    for name in "ABC":
        assert told(cls(symbols, name).instance.paths) == ["openai.OpenAI()"]
    assert mro(symbols, "B") == ["B", "A"]


def test_generic_bases() -> None:
    symbols = index({"a.py": "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass A(Generic[T]): ...\nclass B(A[int]): ...\n"})
    assert mro(symbols, "B") == ["B", "A"]


def test_overloads_and_setters_do_not_hide_the_method() -> None:
    text = """
from typing import overload
class A:
    @property
    def x(self): return 1
    @x.setter
    def x(self, value): ...
    @overload
    def f(self, a: int) -> int: ...
    @overload
    def f(self, a: str) -> str: ...
    def f(self, a): return a
"""
    found = cls(index({"a.py": text}), "A")
    assert "property" in found.methods["x"].ir.flags
    assert "overload" not in found.methods["f"].ir.flags


def test_a_library_under_review_has_its_public_names() -> None:
    symbols = index(
        {
            "langchain/__init__.py": "",
            "langchain/agents/__init__.py": "from langchain.agents.tools import Tool",
            "langchain/agents/tools.py": "class Tool: ...",
            "langchain/chains/__init__.py": "",
            "langchain/chains/base.py": "class Chain:\n    def run(self): ...",
            "langchain/chains/mine.py": "from langchain.chains.base import Chain\nclass Mine(Chain): ...",
        }
    )
    assert "langchain.agents.Tool" in told(cls(symbols, "Tool").api)
    assert "langchain.chains.base.Chain()" in told(cls(symbols, "Mine").instance.paths)


# --------------------------------------------------------------------------------------------------------- types

TYPES = """
from __future__ import annotations
import enum
import typing as t
import uuid
from typing import Annotated, Any, Dict, List, Literal, Optional, Sequence, Type, TypeVar, Union
import openai
from openai import OpenAI

class C:
    class Inner: ...
class Base: ...
class Kind(str, enum.Enum):
    A = "a"
T = TypeVar("T", bound=C)
Alias = OpenAI

def f(x: {annotation}): ...
"""


def value_of(annotation: str) -> TypeValue:
    symbols = index({"a.py": TYPES.replace("{annotation}", annotation)})
    a = mod(symbols, "a.py")
    function = next(fn for fn in a.functions if fn.name == "f")
    return symbols.type_value(a, function.ir.params[0].annotation)


def refs(value: TypeValue | None) -> list[str]:
    assert value is not None
    return sorted(repr(ref) for ref in value.refs)


@pytest.mark.parametrize(
    ("annotation", "wanted"),
    [
        ("OpenAI", ["openai.OpenAI()"]),
        ("openai.OpenAI", ["openai.OpenAI()"]),
        ("C", ["<instance of C>"]),
        ("C.Inner", ["<instance of C.Inner>"]),
        ("'C'", ["<instance of C>"]),
        ("'openai.OpenAI'", ["openai.OpenAI()"]),
        ("Optional[OpenAI]", ["openai.OpenAI()"]),
        ("Optional['OpenAI']", ["openai.OpenAI()"]),
        ("'Optional[OpenAI]'", ["openai.OpenAI()"]),
        ("t.Optional[OpenAI]", ["openai.OpenAI()"]),
        ("OpenAI | None", ["openai.OpenAI()"]),
        ("None | C | OpenAI", ["<instance of C>", "openai.OpenAI()"]),
        ("Union[C, OpenAI, None]", ["<instance of C>", "openai.OpenAI()"]),
        ("Annotated[OpenAI, 'x', f(1)]", ["openai.OpenAI()"]),
        ("T", ["<instance of C>"]),
        ("Type[C]", ["<class a.C>"]),
        ("type[C]", ["<class a.C>"]),
        ("Nothing", []),
        ("Any", []),
        ("str", []),
        ("1 + 2", []),
        ("'not a [type'", []),
    ],
)
def test_types(annotation: str, wanted: list[str]) -> None:
    assert refs(value_of(annotation)) == wanted


@pytest.mark.parametrize(
    "annotation",
    [
        "list[OpenAI]",
        "List['OpenAI']",
        "Sequence[OpenAI]",
        "t.Iterable[OpenAI]",
        "tuple[OpenAI, ...]",
        "set[OpenAI]",
        "dict[str, OpenAI]",
        "Dict[str, Optional[OpenAI]]",
        "Optional[list[OpenAI]]",
        "list[OpenAI] | None",
    ],
)
def test_elements(annotation: str) -> None:
    found = value_of(annotation)
    assert found.refs == ()
    assert refs(found.elements) == ["openai.OpenAI()"]


@pytest.mark.parametrize(
    ("annotation", "scalar"),
    [
        ("int", True),
        ("float", True),
        ("bool | None", True),
        ("Optional[int]", True),
        ("Union[int, Literal['a']]", True),
        ("Kind", True),
        ("uuid.UUID", True),
        ("str", False),
        ("int | str", False),
        ("Optional[str]", False),
        ("Any", False),
        ("C", False),
    ],
)
def test_what_no_text_fits_into(annotation: str, scalar: bool) -> None:
    assert value_of(annotation).scalar is scalar


def test_literals() -> None:
    assert value_of("Literal['a', 'b']").literal
    assert not value_of("str").literal


def test_deep_types_end() -> None:
    assert refs(value_of("list[" * 30 + "OpenAI" + "]" * 30).elements) == []
    symbols = index({"a.py": ""})
    type_ = ir.Type("OpenAI")
    for _ in range(50):
        type_ = ir.Type("Optional", (type_,))
    assert symbols.type_value(symbols.modules[0], type_).refs == ()


def test_kinds_of_entities() -> None:
    symbols = index({"a.py": "class C:\n    @staticmethod\n    def s(): ...\n    def m(self): ...\n\n\ndef f(): ...\n"})
    bound = {fn.ir.qualname: fn.bound for fn in symbols.functions}
    assert bound == {"<module>": False, "C.s": False, "C.m": True, "f": False}
    assert isinstance(symbols.classes[0].instance, Inst)
    assert all(isinstance(fn, Fn) for fn in symbols.functions)
    keys = [one.key for one in (*symbols.modules, *symbols.functions, *symbols.classes, symbols.classes[0].instance)]
    assert len(set(keys)) == len(keys)
    assert isinstance(symbols.paths.root("openai"), ApiPath)
