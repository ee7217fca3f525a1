"""What a schema says of the data that it describes: which texts are safe, field by field. No frame, no names: plain values."""

from __future__ import annotations

from headwater import limits
from headwater.taint.labels import ALL


class Schema:
    """The data that passes: equal where all parts are."""

    __slots__ = ("but", "elements", "fields", "key", "keyed", "open", "remade", "safe", "size", "weak")

    def __init__(
        self,
        safe: int = 0,
        fields: dict[str, Schema] | None = None,
        elements: Schema | None = None,
        keyed: bool = False,
        open_: bool = False,
        remade: bool = False,
        weak: int = 0,
        but: str = "",
    ) -> None:
        self.safe = safe
        """Sink classes to which it does no harm; all of them: no text of the sender's choice is in it."""
        self.fields = fields
        """Of an object: what is under each name."""
        self.open = open_
        """There may be other names."""
        self.elements = elements
        """Of a list, or of an object whose names are not known (``keyed``)."""
        self.keyed = keyed
        self.remade = remade
        """A function has made something else of it: which part is which is not known."""
        self.weak = weak & ~safe
        self.but = but if self.weak else ""
        """How a check is passed, in words, that was to make it safe for ``weak``."""
        parts = fields.values() if fields else (elements,) if elements is not None else ()
        self.size: int = 1 + sum(part.size for part in parts)
        inside = ",".join(f"{name!r}:{part.key}" for name, part in fields.items()) if fields else elements.key if elements else ""
        marks = f"{safe:x}{keyed:d}{open_:d}{remade:d}{self.weak:x}{self.but}"
        self.key: str = f"{marks}({inside})" if inside or self.weak or remade else f"{safe:x}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Schema({self.key})"

    @property
    def whole(self) -> bool:
        """Whether nothing is said of its parts."""
        return self.fields is None and self.elements is None

    @property
    def fixed(self) -> bool:
        """Whether it is a number, a truth value, one of a few words or the like."""
        return self.safe & ALL == ALL


ANY = Schema()
"""Any data at all."""
FIXED = Schema(ALL)


def of_fields(fields: dict[str, Schema], open_: bool = False) -> Schema:
    """An object with these fields; of one without any, or with too many, nothing is said."""
    made = Schema(fields=fields, open_=open_) if fields else ANY
    return made if made.size <= limits.SCHEMA_PARTS else ANY


def of_elements(elements: Schema, keyed: bool = False) -> Schema:
    """A list of such elements, or an object of them under names of the sender's choice."""
    if elements.fixed and not keyed:
        return FIXED
    return ANY if elements == ANY and not keyed else Schema(elements=elements, keyed=keyed)


def either(one: Schema, other: Schema) -> Schema:
    """What is one or the other."""
    if one == other or other.fixed:
        return one if one == other or not one.whole else _weakest(one, other)
    if one.fixed:
        return other if not other.whole else _weakest(one, other)
    if one.remade or other.remade:
        return ANY
    if one.fields is not None and other.fields is not None:
        names = {**one.fields, **other.fields}
        return of_fields(
            {
                name: either(one.fields[name], other.fields[name]) if name in one.fields and name in other.fields else part
                for name, part in names.items()
            },
            one.open or other.open,
        )
    if one.elements is not None and other.elements is not None:
        return of_elements(either(one.elements, other.elements), one.keyed or other.keyed)
    return _weakest(one, other) if one.whole and other.whole else ANY


def _weakest(one: Schema, other: Schema) -> Schema:
    weak = (one.weak | other.weak) & (one.safe | one.weak) & (other.safe | other.weak)
    return Schema(one.safe & other.safe, weak=weak, but=one.but or other.but)


def both(one: Schema, other: Schema) -> Schema:
    """What is one and the other."""
    if one == other or other == ANY or one.fixed:
        return one
    if one == ANY or other.fixed:
        return other
    if one.fields is not None and other.fields is not None:
        names = {**one.fields, **other.fields}
        return of_fields(
            {
                name: both(one.fields[name], other.fields[name]) if name in one.fields and name in other.fields else part
                for name, part in names.items()
            },
            one.open or other.open,
        )
    if one.whole and other.whole:
        return Schema(one.safe | other.safe, remade=one.remade or other.remade, weak=one.weak | other.weak, but=one.but or other.but)
    return other if one.whole else one
