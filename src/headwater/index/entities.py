"""What a name of the project can be: modules, functions, classes, instances, module variables.

Together with ``apis.paths.ApiPath`` these are the *references* that abstract values carry. Each has a ``key`` that orders
references the same way in every run. Resolution of names to entities is in ``headwater.index.symbols``.
"""

from __future__ import annotations

import re
from typing import Any

from headwater import ir, limits
from headwater.apis.paths import ApiPath

Key = tuple[Any, ...]


class Mod:
    """A module of the project."""

    __slots__ = ("api", "body", "classes", "functions", "id", "ir", "is_package", "key", "name", "names", "path", "script")

    def __init__(self, number: int, module: ir.Module) -> None:
        self.id = number
        self.ir = module
        self.path = module.path
        self.script = module.language in ir.SCRIPTS
        """TypeScript or JavaScript."""
        self.key: Key = (0, number)
        self.is_package = module.path.endswith(("/__init__.py", "/__init__.pyi")) or module.path in ("__init__.py", "__init__.pyi")
        self.name = ""
        """The dotted name that imports inside its own package tree use."""
        self.names: tuple[str, ...] = ()
        self.functions: list[Fn] = []
        self.body: Fn
        """Function 0; set when the module is entered."""
        self.classes: list[Cls] = []
        self.api: tuple[ApiPath[Any], ...] = ()

    def __repr__(self) -> str:
        return f"<module {self.name}>"


class Fn:
    """A function, method, lambda or module body."""

    __slots__ = ("api", "cls", "component", "id", "index", "ir", "key", "module")

    def __init__(self, number: int, module: Mod, index: int, function: ir.Function) -> None:
        self.id = number
        self.module = module
        self.index = index
        self.ir = function
        self.key: Key = (1, number)
        self.cls: Cls | None = None
        self.api: tuple[ApiPath[Any], ...] = ()
        self.component = -1

    @property
    def name(self) -> str:
        return self.ir.name

    @property
    def bound(self) -> bool:
        """Whether a call on an instance fills the first parameter with it."""
        return self.cls is not None and "static" not in self.ir.flags

    def __repr__(self) -> str:
        return f"<function {self.module.name}.{self.ir.qualname}>"


class Cls:
    """A class; ``instance`` is what calling it makes."""

    __slots__ = (
        "api", "bases", "children", "externals", "id", "instance", "ir", "key", "methods", "module", "mro", "parent", "setters", "written",
    )  # fmt: skip

    def __init__(self, number: int, module: Mod, cls: ir.Class) -> None:
        self.id = number
        self.module = module
        self.ir = cls
        self.key: Key = (2, number)
        self.methods: dict[str, Fn] = {}
        self.setters: dict[str, Fn] = {}
        """Of properties, by name."""
        self.bases: list[Cls] = []
        self.externals: list[ApiPath[Any]] = []
        """API paths among the bases."""
        self.mro: tuple[Cls, ...] = (self,)
        self.children: list[Cls] = []
        self.api: tuple[ApiPath[Any], ...] = ()
        """API paths that name the class itself."""
        self.instance = Inst(self)
        self.parent = Super(self)
        self.written: dict[str, list[Fn]] = {}
        """Methods that store the field, by field."""

    @property
    def name(self) -> str:
        return self.ir.name

    def method(self, name: str) -> Fn | None:
        """The method that an instance has, by MRO."""
        for cls in self.mro:
            found = cls.methods.get(name)
            if found is not None:
                return found
        return None

    def setter(self, name: str) -> Fn | None:
        """What runs when an instance's property is set, by MRO."""
        for cls in self.mro:
            found = cls.setters.get(name)
            if found is not None or name in cls.methods:
                return found
        return None

    def descendants(self, limit: int) -> list[Cls]:
        """Subclasses, nearest first, at most ``limit`` of them plus one (so that a caller sees that there are more)."""
        found: dict[int, Cls] = {}
        todo = list(self.children)
        while todo and len(found) <= limit:
            one = todo.pop(0)
            if one.id not in found:
                found[one.id] = one
                todo += one.children
        return list(found.values())

    def overriders(self, method: Fn | None) -> tuple[list[Cls], bool]:
        """Subclasses that a call of the method may reach, and whether they are all: an abstract one is a table of what overrides it."""
        limit = limits.DISPATCH if method is not None and "abstract" in method.ir.flags else limits.OVERRIDES
        found = self.descendants(limit)
        return found[:limit], len(found) <= limit

    def __repr__(self) -> str:
        return f"<class {self.module.name}.{self.ir.qualname}>"


class Inst:
    """An instance of a class of the project."""

    __slots__ = ("cls", "key", "paths")

    def __init__(self, cls: Cls) -> None:
        self.cls = cls
        self.key: Key = (2, cls.id, 1)
        self.paths: tuple[ApiPath[Any], ...] = ()
        """API paths that an instance has besides (public names of the class, external bases)."""

    def __repr__(self) -> str:
        return f"<instance of {self.cls.ir.qualname}>"


class Super:
    """What ``super()`` gives in a method of a class: the methods of its bases, on the same object."""

    __slots__ = ("cls", "key")

    def __init__(self, cls: Cls) -> None:
        self.cls = cls
        self.key: Key = (2, cls.id, 2)

    def method(self, name: str) -> Fn | None:
        """The method that is next in line after the class."""
        for cls in self.cls.mro[1:]:
            found = cls.methods.get(name)
            if found is not None:
                return found
        return None

    def __repr__(self) -> str:
        return f"<bases of {self.cls.ir.qualname}>"


class Var:
    """A module variable."""

    __slots__ = ("key", "module", "name")

    def __init__(self, module: Mod, name: str) -> None:
        self.module = module
        self.name = name
        self.key: Key = (4, module.id, name)

    def __repr__(self) -> str:
        return f"<variable {self.module.name}.{self.name}>"


class External:
    """Something outside of the project that no model speaks of."""

    __slots__ = ("key",)

    def __init__(self) -> None:
        self.key: Key = (9,)

    def __repr__(self) -> str:
        return "<external>"


EXTERNAL = External()

Ref = Mod | Fn | Cls | Inst | Super | ApiPath[Any] | External
Binding = Mod | Fn | Cls | Var | ApiPath[Any] | External


_TESTS = re.compile(
    r"(^|/)("
    r"tests?/|testing/|benchmarks?/|__tests__/|e2e(?:[-_]tests?)?/|integration[-_]tests?/|manual[-_]test(?:s|ing)?(?:[-_][^/]*)?/"
    r"|(?:__mocks__|__fixtures__|mocks|fixtures?|test[-_]?(?:data|fixtures?|helpers?|support|utils?))/"
    r"|test_[^/]*$|conftest\.py$|[^/]*_test\.py$|[^/]*\.(test|vitest|spec|stories|bench)\.[cm]?[jt]sx?$"
    r"|(?:fake|mock|[^/]*[-_]test)[-_](?:[a-z0-9]+[-_])?(?:api|http|llm|mcp|oauth|openai|server)(?:[-_.][^/]*)?(?:/|$)"
    r")"
)
"""Also what stands in for a service while a program is tested: ``mock_server.py``, ``fake-llm-server/``."""


def is_test(path: str) -> bool:
    """Whether a file is of a test or a benchmark, which its authors start themselves: nobody sends it anything."""
    return _TESTS.search(path) is not None
