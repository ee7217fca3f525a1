"""What is known in the whole project of places that functions share: which slots there are, which states are one, which classes are tables.

What slots hold is in ``headwater.taint.stores``, what goes into them and out of them in ``headwater.taint.slots``.
"""

from __future__ import annotations

from typing import Any

from headwater.apis.load import Catalogue
from headwater.apis.paths import CALL, ApiPath
from headwater.files.versions import Versions
from headwater.index.entities import Cls, Fn, Mod, Var
from headwater.index.symbols import Symbols
from headwater.taint import slots
from headwater.taint.addresses import Route, Routes
from headwater.taint.labels import Label
from headwater.taint.project import Project
from headwater.taint.value import Shape


class Shared(Project):
    """The names of slots, and the classes whose objects are rows."""

    def __init__(self, symbols: Symbols, catalogue: Catalogue, versions: Versions | None = None) -> None:
        super().__init__(symbols, catalogue, versions)
        self._slots: dict[str, None] = {}
        """The slots that somebody writes."""
        self._links: dict[str, dict[str, None]] = {}
        """States that are one: of a graph, and of another that is a stage of it."""
        self._state_readers: dict[str, dict[int, None]] = {}
        """Who has asked which slots a state has."""
        self.row_bases: dict[int, ApiPath[Any]] = {}
        """The base of a class of rows that an object of a library makes."""
        self._row_classes: dict[int, bool] = {}
        self.routes = Routes()
        self.unanswered: dict[str, frozenset[Label]] = {}
        """What a request brings to whose address only callers can say whether a route of the project answers, if none does."""
        self.route_readers: dict[int, None] = {}
        """Functions that have sent requests: there may be routes for them that were not known yet."""

    def locate(self, route: Route) -> None:
        """A function answers requests at an address."""
        raise NotImplementedError

    def mount(self, child: str, parent: str, prefix: str) -> None:
        """A router is below another."""
        raise NotImplementedError

    def routes_asked(self, reader: Fn, form: str, method: str) -> list[tuple[Route, int]]:
        """The routes that a request is for."""
        self.route_readers[reader.id] = None
        return self.routes.asked(form, method, reader.module.path)

    def read_global(self, reader: Fn, mod: Mod, name: str) -> Shape:
        """A module variable."""
        raise NotImplementedError

    def link_slots(self, one: str, other: str) -> None:
        """The items of two states of the same names are the same."""
        self._links.setdefault(one, {})[other] = None
        self._links.setdefault(other, {})[one] = None

    def linked(self, prefix: str) -> list[str]:
        """The states that are one with a state, itself included."""
        found = {prefix: None}
        todo = [prefix]
        while todo:
            for other in self._links.get(todo.pop(), {}):
                if other not in found:
                    found[other] = None
                    todo.append(other)
        return sorted(found)

    def slots_of(self, reader: Fn | None, prefix: str) -> list[str]:
        """The slots of a state, and of those that are one with it."""
        found: list[str] = []
        for one in self.linked(prefix):
            if reader is not None:
                self._state_readers.setdefault(one, {})[reader.id] = None
            found += [slot for slot in self._slots if slot.startswith(one + slots.BETWEEN)]
        return sorted(found)

    def is_row(self, reader: Fn, cls: Cls) -> bool:
        """Whether objects of a class are rows of a table."""
        known = self._row_classes.get(cls.id)
        if known is None:
            self._row_classes[cls.id] = False
            known = self._row_classes[cls.id] = any(self._of_table(reader, one) for one in cls.mro)
        return known

    def _of_table(self, reader: Fn, cls: Cls) -> bool:
        if not cls.ir.bases:
            return False
        if "__tablename__" in cls.ir.fields or "table" in cls.ir.keywords or any(map(_of_rows, cls.instance.paths)):
            return True
        for base in cls.ir.bases:  # Base = declarative_base(), db.Model
            first, *rest = base.name.split(".")
            for found in self.symbols.lookup(cls.module, first):
                for ref in self.read_global(reader, found.module, found.name).refs if isinstance(found, Var) else ():
                    path = ref if isinstance(ref, ApiPath) else None
                    for name in rest:
                        path = path.child(name) if path is not None else None
                    made = path.child(CALL) if path is not None else None
                    if path is not None and made is not None and _of_rows(made):
                        self.row_bases[cls.id] = path
                        return True
        return False


def _of_rows(path: ApiPath[Any]) -> bool:
    """Whether a path is of a type of rows: the name of such a type ends so."""
    return any(name.endswith("Row") for name in path.types)
