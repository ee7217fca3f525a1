"""What names, attributes and elements are in one function run, and what is stored in them.

The registers and objects themselves are in ``headwater.taint.state``, values cut loose from them in ``headwater.taint.shapes``;
instructions are in ``headwater.taint.instructions``, calls in ``headwater.taint.calls``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headwater import limits
from headwater.apis.paths import CALL, ApiPath
from headwater.apis.schema import Api
from headwater.index.entities import EXTERNAL, Cls, Fn, Inst, Mod, Super, Var
from headwater.taint import personal, rows, schemas, secrets, slots
from headwater.taint.described import Schema
from headwater.taint.labels import (
    ALL,
    KEYED,
    OF_OTHERS,
    Label,
    bits,
    ordered,
    source_label,
)
from headwater.taint.narrow import as_object
from headwater.taint.shapes import Shapes, guessed_again
from headwater.taint.state import Cell, cleared, own_inside
from headwater.taint.summary import Path, ToParam
from headwater.taint.value import (
    BOTTOM,
    CAPTURED,
    KEYS,
    LAST,
    NO_CONST,
    NO_LABELS,
    NOTHING,
    STATE,
    WITHIN,
    Alloc,
    Node,
    Shape,
    Value,
    join,
    join_all,
    join_refs,
    of_other,
)

if TYPE_CHECKING:
    from headwater.taint.solve import Solver


_OF_MAPS = frozenset({"get", "set", "has", "delete", "clear", "keys", "values", "entries", "forEach", "size", "toString", "then", "catch"})
"""What is called on maps and promises, and no key of an object."""


class Frame(Shapes):
    """One run of the abstract interpreter over one function."""

    def __init__(self, solver: Solver, fn: Fn, traced: bool = False) -> None:
        super().__init__(solver, fn, traced)
        self.loaded: dict[int, Cell] = {}
        """The field that a temporary register was read from."""
        self.mutations: dict[Any, ToParam] = {}
        self.properties: dict[Any, Value] = {}
        self.pairs: dict[Alloc, Value] = {}
        """The mapping whose items ``items()`` gives, by the object that stands for one of them."""
        self.attributes: dict[tuple[int, str], tuple[Value, int, list[Value | None], Value]] = {}
        """Attributes read before, with what they were read from; they hold until a field is written."""
        self.field_version = 0
        """Raised by every write to a class-wide field."""
        self.sources = 0
        """Sources met so far."""
        self.fields_read: dict[tuple[int, str], tuple[Shape, Value]] = {}
        """Class-wide fields as this run has seen them."""
        self.virtual = False
        """The run of a framework's call, and not of the function itself."""
        self.fills: dict[Alloc, dict[Cell, int]] = {}
        """Lists into which something was put behind a test alone, with what the tests have shown of other cells."""
        self.bodies: list[list[Any]] = []
        """The blocks of the loops around the instruction at hand."""
        self.kept: dict[str, Value] = {}
        """What goes into slots and depends on the caller."""
        self.read_from: dict[int, Any] | None = None
        """The instructions that read registers from names and attributes, once somebody has asked."""
        self.stored: dict[str, dict[Label, Node]] = {}
        """Steps of what was stored in class-wide fields and module variables, by name (traced runs only)."""

    # ----------------------------------------------------------------------------------------- names, types

    def named(self, ref: Any, bound: Value | None = None, base: Value | None = None) -> Value:
        """The value of a reference; an API path that is a source when it is read, of ``base``, brings its label."""
        if isinstance(ref, Var):
            made = self.instantiate(
                self.solver.read_global(self.fn, ref.module, ref.name), ("global", ref.key), f"the module variable {ref.name}"
            )
            return self.own(made, ("global", ref.module, ref.name)) if made.allocs else made
        labels, steps, proven = NO_LABELS, None, 0
        if isinstance(ref, ApiPath):
            for entry in ref.entries:
                kind = getattr(entry, "yields", "")
                if kind:
                    value = self.from_source(kind, entry.label or ref.text, bits(entry.harmless), base)
                    labels, steps, proven = labels | value.labels, value.steps, bits(entry.as_it_is)
        return Value(labels, (ref,), bound=bound, steps=steps, proven=proven)

    def from_source(self, kind: str, text: str, harmless: int = 0, base: Value | None = None) -> Value:
        """Data fresh from a source at the instruction at hand; ``base``: the object that it is read from."""
        self.sources += 1
        source = self.solver.source(kind, self.fn, self.at.start, self.at.end, text)
        label = source_label(source, cleared=harmless)
        steps = {label: Node(self.at.start, self.at.end, text, self._given_as(base))} if self.traced else None
        return Value(frozenset((label,)), steps=steps)

    def _given_as(self, base: Value | None) -> Node | None:
        """The parameter as which a caller has handed an object over (traced runs only)."""
        if base is None or not base.steps:
            return None
        for label in ordered(base.labels):
            node = base.steps.get(label) if label.source is None else None
            while node is not None and node.prev is not None:
                node = node.prev
            if node is not None and node.what and node.hop is None:
                return node
        return None

    def of_type(self, value: Value, refs: tuple[Any, ...]) -> Value:
        """The value as an object of a class."""
        if any(type(ref) is Inst and self.solver.does_things(ref.cls) for ref in refs):
            value = as_object(value)
        return value.with_(refs=join_refs(value.refs, refs))

    def typed(self, value: Value, type_: Any) -> Value:
        """The value with what an annotation says of it."""
        if type_ is None:
            return value
        if type_.refs:
            value = self.of_type(value, type_.refs)
        if type_.held is not None and type_.held[1].refs:
            name, of_held = type_.held
            for alloc in value.allocs:
                if alloc.root is not None:
                    index, path = alloc.root
                    alloc.keys[name] = None
                    alloc.version += 1
                    self.cells[(alloc, name)] = self.typed(self.param_value(index, (*path, name)), of_held)
        if type_.elements is not None and (type_.elements.refs or type_.elements.elements is not None):
            for alloc in value.allocs:
                if alloc.root is not None and len(alloc.root[1]) < limits.ACCESS_PATH - 1:
                    index, path = alloc.root
                    alloc.keys["*"] = None
                    alloc.version += 1
                    self.cells[(alloc, "*")] = self.typed(self.param_value(index, (*path, "*")), type_.elements)
            if not value.allocs:
                made = self.alloc(("typed", self.at.start if self.at is not None else 0, id(type_)), "list")
                made.keys["*"] = None
                made.version += 1
                self.cells[(made, "*")] = self.typed(self.part(value, "*"), type_.elements)
                value = value.with_(allocs=(made,))
        return value

    # ----------------------------------------------------------------------------------------- attributes

    def attribute(self, value: Value, name: str) -> Value:
        """``value.name``: fields, methods, properties, members of modules, API paths."""
        if self.traced:
            return self._attribute(value, name)
        key = (id(value), name)
        cells = self.cells
        allocs = value.allocs
        known = self.attributes.get(key)
        if known is not None and known[1] == self.field_version:
            for alloc, cell in zip(allocs, known[2], strict=True):
                if cells.get((alloc, name)) is not cell:
                    break
            else:
                return known[3]
        sources = self.sources
        made = self._attribute(value, name)
        if self.sources != sources or any(alloc.mixed or (alloc.kind == "dict" and "*" in alloc.keys) for alloc in allocs):
            return made  # each place that reads a source is a source of its own; fields set by unknown names change with the others
        self.attributes[key] = (value, self.field_version, [cells.get((alloc, name)) for alloc in allocs], made)
        return made

    def _attribute(self, value: Value, name: str) -> Value:
        made = BOTTOM
        if name == "__dict__" and (objects := tuple(alloc for alloc in value.allocs if alloc.kind == "instance")):
            return Value(value.labels, allocs=objects, steps=value.steps)  # its fields, by name
        if name == "__class__":  # what it is, and not what is in it
            return Value(refs=tuple(ref.cls for ref in value.refs if isinstance(ref, Inst)))
        if not (value.refs and isinstance(value.refs[0], Super)):  # what super() gives has methods alone
            for alloc in value.allocs:
                found = self.cells.get((alloc, name))
                if (found is None and (alloc.root is not None or alloc.kind == STATE)) or (
                    alloc.mixed and alloc.kind in ("instance", "param")
                ):
                    found = self.field(alloc, name)  # setattr() with a name from elsewhere: any field may be what it has set
                elif found is None and alloc.kind == "dict" and self.mod.script and name not in _OF_MAPS:
                    found = self.field(alloc, name)  # of an object of scripts a name is a key
                if found is not None:
                    made = join(made, found)
            if value.labels:
                given = self.apart(value)
                if made is not BOTTOM and name.startswith(CAPTURED):  # of a function; text from elsewhere is none
                    given = as_object(given)
                part = self.part(given, name)
                made = join(made, guessed_again(part) if part.labels and any(type(ref) is Inst for ref in value.refs) else part)
        refs: list[Any] = []
        loose = value.loose
        opaque = False
        for ref in value.refs:
            if isinstance(ref, ApiPath):
                child = ref.child(name)
                if child is not None:
                    found = self.named(child, base=value)
                    held = slots.read(self, child, name) if child.entries else BOTTOM
                    if slots.is_place(child):
                        opaque = opaque or not (held.refs or held.allocs)
                    elif not held.allocs:  # else it is the object that somebody has put there
                        refs.append(child)
                    made = join(made, held)
                    if type(value.const) is Schema:
                        found = schemas.part_of(self, value.const, name, found)
                        made = made if found.const is NO_CONST else made.with_(const=found.const)
                    if found.labels or found.allocs:
                        made = join(made, found.with_(refs=()))
                        if found.proven:  # by its nature, whoever has handed the object over
                            made = made.with_(proven=made.proven | found.proven)
                    if type(value.const) is Schema and any(getattr(entry, "describes", None) for entry in child.entries):
                        made = join(made, self._table(value, child))
                    if made.labels:
                        clear = self.solver.clears_when_read(child)
                        if clear and not any(isinstance(one, Inst) and ref in one.paths for one in value.refs):
                            made = self.derived([made], clear=clear)
                else:
                    opaque = opaque or not ref.text.startswith("?")
                if made.labels:
                    made = self._without_clean(ref, name, made)
            elif isinstance(ref, Inst):
                if made.labels:
                    made = self._checked(ref.cls, name, made)
                made, found_refs = self._member(ref, value, name, made)
                refs += found_refs
                if secrets.named(name) and self.solver.setting(ref.cls, name):
                    made = join(made, self.from_source("secret", f"the setting {name}", secrets.harmless(name)))
                if about := personal.field(ref.cls, name):
                    made = join(made, self.from_source(about, f"the field {name} of {ref.cls.name}"))
            elif isinstance(ref, Super):
                method = ref.method(name)
                own = value.bound or value
                if method is None:
                    opaque = True
                elif "property" in method.ir.flags:
                    made = join(made, self._property((method,), own, name))
                else:
                    made = Value(refs=(method,), bound=own)
            elif isinstance(ref, Mod):
                made = join(made, self._in_module(ref, name))
            elif isinstance(ref, Cls):
                made = join(made, self._of_class(ref, value, name))
            elif ref is EXTERNAL:
                opaque = True
            elif isinstance(ref, Fn):
                for node in ref.api:
                    child = node.child(name)
                    if child is not None:
                        refs.append(child)
        receiver = value if value.bound is None else value.with_(bound=None)  # the receiver of a receiver is of no use
        guessed = value.refs and all(isinstance(ref, ApiPath) and ref.text.startswith("?") for ref in value.refs)
        if ((not refs and not made.refs) or guessed) and not opaque:
            candidates = [ref for ref in self.solver.candidates(name, self.mod) if ref not in refs]
            if candidates and not self._own(value, name):
                loose = loose or any(isinstance(ref, Fn) for ref in candidates)
                refs += candidates
                for ref in candidates:
                    if isinstance(ref, Fn) and ref.cls is not None and self.solver.replaced(ref.cls, name):
                        made = join(made, self._put_there(ref.cls, name))
        if opaque and not refs and not made.refs:
            # A method of the result of a library call: text and bytes have the methods that they have everywhere.
            unknown = self.solver.unknowns[self.mod.script]
            child = unknown.child(name) if unknown is not None else None
            if child is not None and not value.labels and not any(getattr(entry, "by_text", False) for entry in child.entries):
                child = None
            refs = [child if child is not None else EXTERNAL]
        if refs or made.refs:
            whole = tuple(refs) if len(refs) < 2 else tuple(sorted(dict.fromkeys(refs), key=lambda ref: ref.key))
            bound = made.bound if made.bound is not None else receiver
            result = Value(
                made.labels, join_refs(whole, made.refs), made.const, made.allocs, made.proven, bound, loose or made.loose, None, made.steps
            )
        else:
            result = made.with_(bound=receiver) if made.bound is None else made
        if value.subject and name in ("hostname", "netloc", "host"):
            if result is made:
                result = result.with_()
            result.subject = value.subject
        return result

    def _table(self, value: Value, child: ApiPath[Any]) -> Value:
        """The fields of a schema by name (``schema.shape``)."""
        if not any(entry.describes is not None and entry.describes.table for entry in child.entries if isinstance(entry, Api)):
            return BOTTOM
        alloc = self.alloc((self.at.start, "table", child.text), "dict", closed=True)
        return Value(allocs=(alloc,)) if schemas.put_fields(self, alloc, value) else BOTTOM

    def _own(self, value: Value, name: str) -> bool:
        """Whether an attribute is a field that the class of an instance sets: not what others have by that name."""
        return any(isinstance(ref, Inst) and any(name in one.written for one in ref.cls.mro) for ref in value.refs)

    def _without_clean(self, ref: ApiPath[Any], name: str, made: Value) -> Value:
        """Attributes of a result that carry no data of others (``response.status_code``)."""
        for entry in ref.entries:
            if name in getattr(entry, "clean", ()):
                return Value()
        if ref.text.endswith(CALL):
            clean = self.solver.clean_of(ref)
            if name in clean:
                return Value()
        return made

    def _in_module(self, mod: Mod, name: str) -> Value:
        made = BOTTOM
        for binding in self.symbols.member(mod, name):
            made = join(made, self.named(binding))
        if made is BOTTOM and mod.script and name not in mod.ir.exported:  # module.exports is an object
            for binding in self.symbols.member(mod, "default"):
                if not isinstance(binding, Mod):
                    made = join(made, self.attribute(self.named(binding), name))
        return made

    def _of_class(self, cls: Cls, value: Value, name: str) -> Value:
        method = cls.method(name)
        if method is not None:
            return Value(refs=(method,), bound=value if "classmethod" in method.ir.flags else None)
        if self.symbols.is_enum(cls):
            return Value(refs=(cls.instance,))
        shape = self.solver.read_field(self.fn, cls, name)
        if shape is not NOTHING:
            made = self.instantiate(shape, ("class", cls.id, name), f"the field {name}")
            return self.own(made, ("field", cls, name)) if made.allocs else made
        nodes = (node for one in cls.mro for node in (*one.api, *one.externals))
        refs = dict.fromkeys(child for node in nodes if (child := node.child(name)) is not None)
        if not self.solver.is_row(self.fn, cls):
            return Value(refs=tuple(refs)[: limits.REFS])
        refs |= dict.fromkeys(
            child for one in cls.mro if (base := self.solver.row_bases.get(one.id)) is not None and (child := base.child(name)) is not None
        )
        made = Value(refs=tuple(refs)[: limits.REFS])
        return rows.manager(self, cls, made) if refs else made

    def _member(self, ref: Inst, value: Value, name: str, made: Value) -> tuple[Value, list[Any]]:
        """A method, property or class-wide field of an instance."""
        cls = ref.cls
        methods = self.solver.methods(cls, name)
        exact = not value.loose and any(alloc.exact_class for alloc in value.allocs)
        if methods:
            first = methods[0]
            if exact and "abstract" not in first.ir.flags:  # of a class with one there are no objects: it is what is declared of others
                methods = methods[:1]
            if "property" in first.ir.flags:
                if _only_asked(made, name) and self.solver.computed(cls, first):
                    made = BOTTOM
                return join(made, self._property(methods, value, name)), []
            promised = all("abstract" in method.ir.flags for method in methods)  # what does it, the caller knows
            if made.allocs and all(alloc.root is not None for alloc in made.allocs) and not promised:
                made = Value(proven=0)  # a method, not a field of the parameter
            if self.solver.replaced(cls, name):
                made = join(made, self._put_there(cls, name))
            return made, list(methods)
        if self.solver.is_row(self.fn, cls):
            made = join(made, rows.read(self, cls, value, name))
        seen = self.fields_read.get((cls.id, name))
        if seen is None:
            shape = self.solver.read_field(self.fn, cls, name)
            seen = shape, self.own(self.instantiate(shape, ("field", cls.id, name), f"the field {name}"), ("field", cls, name))
            self.fields_read[(cls.id, name)] = seen
        shape, kept = seen
        if shape is not NOTHING and not any((alloc, name) in self.cells for alloc in value.allocs if alloc.root is None):
            if shape.constant and not any(name in one.written for one in self.solver.family(cls)):
                return kept, []  # a constant of the class that no method sets
            made = join(made, self._checked(cls, name, kept) if kept.labels else kept)
        dunder = name.startswith("__") and name.endswith("__")  # Python finds those without asking
        getter = cls.method("__getattr__") if shape is NOTHING and not self.projecting and not dunder else None
        if getter is not None:  # whatever the object keeps, under whatever name: which of it this name is, is not known
            found = self._implied(getter, value, [Value(const=name)], name)
            if any(label.drop for label in found.labels):  # where the data is a guess already, that it has this name would be a second one
                found = found.with_(labels=frozenset(label for label in found.labels if not label.drop))
            made = join(made, self.lower(found))
        return made, []

    def _put_there(self, cls: Cls, name: str) -> Value:
        """The functions that objects of a class get in the place of a method."""
        found = self.instantiate(self.solver.read_field(self.fn, cls, name), ("field", cls.id, name), f"the field {name}")
        return found if any(isinstance(ref, Fn) for ref in found.refs) else BOTTOM

    def _property(self, methods: tuple[Fn, ...], value: Value, name: str) -> Value:
        """The results of a property and its overrides."""
        return join_all(self._implied(method, value, [], name) for method in methods)

    def _implied(self, method: Fn, value: Value, args: list[Value], name: str | int | None) -> Value:
        """The result of a method that the syntax calls, computed once for each object."""
        key = (method.id, value.allocs, value.labels, value.refs, name)
        found = self.properties.get(key)
        if found is None:
            self.properties[key] = BOTTOM  # a property that reads itself adds nothing
            found = self.properties[key] = self.call_function(method, value, args, {})
        return found

    # ---------------------------------------------------------------------------------------------- elements

    def _checked(self, cls: Cls, name: str, value: Value) -> Value:
        """What a field can hold, whose class checks what it is given."""
        safe, checks = self.solver.checked_field(cls, name)
        for fn in checks:
            summary = self.solver.summary(self.fn, fn)
            for index, proven, _, _ in summary.proofs if summary is not None else ():
                safe |= proven & ALL if index == 1 else 0
        return Value() if safe == ALL else cleared(value, safe) if safe else value

    def fixed(self, value: Value | None) -> bool:
        """Whether a value is a collection that nobody changes, or an enumeration."""
        if value is None or value.labels:
            return False
        if not value.allocs:
            return bool(value.refs) and all(isinstance(ref, Cls) and self.symbols.is_enum(ref) for ref in value.refs)
        return all(alloc.constant or (alloc.kind == "dict" and alloc.closed and (alloc, KEYS) not in self.cells) for alloc in value.allocs)

    def elements(self, value: Value) -> Value:
        """What iterating gives."""
        made = BOTTOM
        for alloc in value.allocs:
            if alloc.kind == "dict":
                made = join(made, self.cells.get((alloc, KEYS), BOTTOM))
            elif alloc.kind in ("param", "instance"):
                made = join(made, self.field(alloc, "*") or BOTTOM)
            else:
                made = join(made, self.contents(alloc))
        if value.labels:
            made = join(made, self.part(self.apart(value), "*"))
        for ref in value.refs:
            if isinstance(ref, ApiPath):
                child = ref.child("[]")
                if child is not None:
                    made = join(made, self.named(child))
            elif isinstance(ref, Inst) and not self.projecting:
                made = join(made, self._iterated(ref, value))
        return made

    def _iterated(self, ref: Inst, value: Value) -> Value:
        step, method = self.solver.iteration(ref.cls)
        if step is not None:
            return self._implied(step, value, [], "*")
        if method is None:
            return BOTTOM
        iterator = self._implied(method, value, [], "*")
        return self.elements(iterator.with_(refs=tuple(one for one in iterator.refs if not isinstance(one, Inst))))

    def item(self, value: Value, key: str | int | None, index: Value | None) -> Value:
        """``value[key]``; ``index`` is the value of a key that is no literal, None for a slice."""
        if key is None and index is not None and isinstance(index.const, str | int) and not isinstance(index.const, bool):
            key = index.const
        if key is None and index is None:  # a slice
            made = self.copy(value, "slice").with_(const=NO_CONST, proven=0) if value.allocs else self.derived([value])
            lists = tuple(ref for ref in value.refs if isinstance(ref, ApiPath) and ref.child("[]") is not None)
            return made.with_(refs=lists) if lists and not value.allocs else made
        made = BOTTOM
        place = self.keyed(index) if key is None else "*"
        own: set[str | int] = set()
        if place != "*" and self.fn.bound:
            own = {alloc.root[1][0] for alloc in value.allocs if alloc.root is not None and not alloc.root[0] and alloc.root[1]}
        for alloc in value.allocs:
            if key is None:
                found = self.field(alloc, place) if alloc.root is not None else self.contents(alloc)
                if alloc.owner is not None and alloc.owner[0] == "field" and alloc.owner[2] in own:
                    found = self._without_data(found or BOTTOM)  # a caller sees it under the key that it gives
            elif isinstance(key, int) and key < 0 and alloc.root is None:
                last = self.cells.get((alloc, LAST)) if key == -1 and not alloc.mixed else None
                found = last if last is not None else self.contents(alloc)
            else:
                found = self.field(alloc, key)
            made = join(made, found or BOTTOM)
        if value.labels:
            made = join(made, self.part(self.apart(value), key if key is not None else "*"))
        for ref in value.refs:
            if not self.fn.module.script and self._is_generic(ref, key):
                made = join(made, Value(refs=(ref,)))
            elif isinstance(ref, ApiPath):
                child = ref.child("[]")
                if child is not None:
                    held = slots.read(self, child, key) if isinstance(key, str) and child.entries else BOTTOM
                    given = self.named(child)
                    made = join(made, given.with_(refs=()) if held.allocs or (held.refs and slots.is_place(child)) else given)
                    made = join(made, held)
                if isinstance(key, str) and made.labels:
                    made = self._without_clean(ref, key, made)
            elif isinstance(ref, Inst):
                method = ref.cls.method("__getitem__")
                if method is not None:
                    argument = Value(const=key) if key is not None else index or BOTTOM
                    made = join(made, self.call_function(method, value, [argument], {}))
        return made

    @staticmethod
    def _is_generic(ref: object, key: str | int | None) -> bool:
        """Whether a subscript only says with which types a class works: ``Agent[Context](...)``."""
        if isinstance(ref, Cls):
            return not isinstance(key, str) and ref.method("__class_getitem__") is None
        if type(ref) is not ApiPath or isinstance(key, int) or ref.text.startswith(("typing.", "typing_extensions.")):
            return False
        name = ref.text.rpartition(".")[2]
        child = ref.child("[]")
        return name[:1].isupper() and name.isidentifier() and not name.isupper() and (child is None or not child.entries)

    def _without_data(self, value: Value) -> Value:
        """What of a value can be called, or is an object."""
        if not self.collapse(value).labels:
            return value
        allocs = tuple(alloc for alloc in value.allocs if not self.collapse(Value(allocs=(alloc,))).labels)
        return value.with_(labels=NO_LABELS, allocs=allocs, steps=None)

    def store(self, value: Value, key: str | int, stored: Value, weak: bool = False, asked: bool = False, told: bool = False) -> None:
        """``value.key = stored`` or ``value[key] = stored``: into every object that the value can be.

        ``asked``: a method of the object does it, asked by code that may be of another class. ``told``: the class knows of it.
        """
        weak = weak or len(value.allocs) > 1
        for alloc in value.allocs if self.fills else ():
            self.fills.pop(alloc, None)
        if value.refs and isinstance(key, str) and stored is not BOTTOM:
            rows.stored(self, value, key, stored)
        for alloc in value.allocs:
            alloc.constant = False
            place = key
            if type(key) is str and key.startswith(KEYED):
                if alloc.root is not None and alloc.keyed in ("", key):
                    alloc.keyed = key
                else:
                    place = "*"
            self.put(alloc, place, stored, weak or (type(place) is str and place[:1] == "*"))
            if alloc.owner is not None:
                self._write_back(alloc, place, stored)
                if alloc.owner[0] != "slot":
                    own_inside(alloc, place, stored)
            if alloc.root is not None:
                self.mutated(alloc.root, place, value.refs)
        if told or not isinstance(key, str) or key.startswith(KEYED) or _only_given(stored):
            return
        instances = [ref for ref in value.refs if isinstance(ref, Inst)]
        if len(instances) > limits.CANDIDATES:  # of an object that may be anything, no class is told
            self.solver.count("stores-cut")
            return
        clear = 0 if asked else OF_OTHERS
        for ref in instances:
            self.solver.store_field(self.fn, ref.cls, key, lambda: self.export(stored), self._from_outside(ref.cls), clear)
            if self.fields_read.pop((ref.cls.id, key), None) is not None:
                self.field_version += 1
            self.remember(key, stored)

    def _from_outside(self, cls: Cls) -> bool:
        """Whether code that is not of the class, its bases or its subclasses stores here: it speaks of one object, readers of any."""
        fn = self.fn
        while fn.cls is None and fn.ir.parent > 0:
            fn = self.mod.functions[fn.ir.parent]
        own = fn.cls
        return own is None or not (own in cls.mro or cls in own.mro)

    def _write_back(self, alloc: Alloc, key: str | int, stored: Value) -> None:
        """A container that a field or module variable holds is changed: everybody who reads it sees that."""
        assert alloc.owner is not None
        where, owner, name = alloc.owner
        if where == "slot":
            slots.changed(self, str(name), alloc, key, stored)
            return
        part = Shape(fields={key: self.export(stored, 1, limits.SET_NODES)}, kind=alloc.kind, closed=alloc.closed)
        around = []
        while where == WITHIN:
            part = Shape(fields={name: part}, kind=owner.kind, closed=owner.closed)
            around.append((owner, name))
            if owner.owner is None:
                return
            where, owner, name = owner.owner
        name = str(name)
        if stored.labels and any(label.source is None for label in stored.labels):
            holder = self.alloc(("given to", owner.id, name, *(at for _, at in around)), alloc.kind)
            self.put(holder, key, stored, weak=True)
            for outer, at in around:
                inner, holder = holder, self.alloc(("given in", owner.id, name, at), outer.kind)
                self.put(holder, at, Value(allocs=(inner,)), weak=True)
            slots.given_to(self, owner, name, Value(allocs=(holder,)))
        if where == "global":
            self.solver.store_global(self.fn, owner, name, part)
        else:
            self.solver.store_field(self.fn, owner, name, lambda: part, self._from_outside(owner))
        self.remember(name, stored)

    def remember(self, name: str, value: Value) -> None:
        """Keep the steps of what goes into a field or module variable."""
        if self.traced:
            for label, node in (self.collapse(value).steps or {}).items():
                kept = self.stored.setdefault(name, {})
                kept.setdefault(label, node)
                for clear in (0, OF_OTHERS):
                    elsewhere = of_other(label, clear)
                    if elsewhere is not None:
                        kept.setdefault(elsewhere, node)

    def mutated(self, root: tuple[int, Path], key: str | int, refs: tuple[Any, ...] = ()) -> None:
        """A field of an argument takes something, of an object that is one of ``refs``."""
        classes = tuple(ref.cls for ref in refs if type(ref) is Inst)
        known = self.mutations.get((root, str(key)))
        if known is None:
            self.mutations[(root, str(key))] = ToParam(root[0], root[1], key, NOTHING, classes)
        elif known.classes and known.classes != classes:
            known.classes = tuple(sorted({*known.classes, *classes}, key=_class_key)) if classes else ()

    # Filled in by the subclasses in transfer, models and calls.


def _class_key(cls: Cls) -> Any:
    return cls.key


def _only_asked(value: Value, name: str) -> bool:
    """Whether a value is no more than a part of a parameter that has this name."""
    return all(label.source is None and label.exact and label.path[-1:] == (name,) for label in value.labels) and all(
        alloc.root is not None for alloc in value.allocs
    )


def _only_given(value: Value) -> bool:
    """Whether a value is nothing but data of the caller, of which a class-wide field says nothing."""
    if value.refs or value.const is not NO_CONST or value.bound is not None:
        return False
    return all(label.source is None for label in value.labels) and all(alloc.root is not None for alloc in value.allocs)
