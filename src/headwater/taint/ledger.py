"""What bounds of the engine cut off in one review, in words for the coverage ledger."""

from __future__ import annotations

from headwater import limits
from headwater.findings import Gap

_CUTS: tuple[tuple[str, bool, str], ...] = (
    ("effects-cut", True, "functions have more effects than are kept of one ({limit}): some flows through them are not followed"),
    ("callbacks-cut", True, "calls of functions that were handed over are not followed: their callers hand over too many in one function"),
    ("overrides-cut", True, "methods have more overrides than are followed ({overrides}): some flows through them are not seen"),
    (
        "field-writers-cut",
        True,
        "fields are set in more subclasses than are followed ({overrides}): what those store is not seen by their bases",
    ),
    ("dispatch-cut", True, "objects have more methods than are followed when one is taken by a name from elsewhere ({dispatch})"),
    (
        "stores-cut",
        True,
        "fields are set on objects that may be of more classes than are followed ({classes}): other functions do not see it",
    ),
    ("nested-calls-cut", True, "calls that properties and iterators make are nested too deeply to be followed"),
    ("nested-callbacks", True, "callbacks that call callbacks are nested too deeply to be followed"),
    ("late-edges-left", True, "functions were read before all was known of what they call, and not again"),
    ("functions-cut", False, "functions are too large to be followed in detail: what they call is taken to pass on all that it is given"),
    ("components-widened", False, "groups of functions that call each other were not stable after {rounds} rounds, or {repeats} repeats"),
    ("flows-of-tests", False, "ways to operations of the program are made by its tests alone, and are not reported"),
    ("widened-objects", False, "objects have more fields than are told apart ({fields})"),
)
"""Counter, whether flows may be missed because of it, and the sentence that follows the number."""


def cuts(counts: dict[str, int]) -> list[Gap]:
    """The bounds that were met, one gap each; those that can only add false alarms leave the review complete."""
    words: dict[str, object] = {
        "limit": limits.EFFECTS,
        "overrides": limits.OVERRIDES,
        "dispatch": limits.DISPATCH,
        "classes": limits.CANDIDATES,
        "rounds": limits.COMPONENT_ROUNDS,
        "repeats": f"{limits.COMPONENT_REPEATS:,}",
        "fields": limits.FIELDS,
    }
    return [
        Gap("limit", "", 0, f"{counts[name]:,} {sentence.format(**words)}", partial)
        for name, partial, sentence in _CUTS
        if counts.get(name)
    ]
