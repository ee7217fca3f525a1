"""Tells which findings of a review an earlier one has already, which are new or worse, and which of the earlier ones are gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from headwater.findings import Comparison, Finding, Fixed, Level, Review, Severity
from headwater.matching import Item, item, match


class Known(msgspec.Struct, frozen=True):
    """A finding of the earlier review."""

    item: Item
    severity: Severity
    level: Level
    suppressed: bool = False


def known(review: Review) -> tuple[Known, ...]:
    """Those of a review, to compare a later one with it."""
    return tuple(Known(_item(review, one), one.severity, one.level, one.suppression is not None) for one in review.findings)


def compare(
    review: Review,
    earlier: Sequence[Known],
    against: str,
    rules: Collection[str],
    renamed: Mapping[str, str] | None = None,
    kept: Collection[str] = (),
) -> Review:
    """The review with a state for each finding. ``rules`` are those that it could report; ``renamed`` and ``kept`` as for ``match``."""
    pairs = match([one.item for one in earlier], [_item(review, one) for one in review.findings], renamed, kept)
    findings = tuple(
        msgspec.structs.replace(one, state=_state(one, earlier[pairs[number]]) if number in pairs else "new")
        for number, one in enumerate(review.findings)
    )
    gone = sorted(set(range(len(earlier))) - set(pairs.values()))
    unseen = {gap.path for gap in review.coverage.gaps if gap.partial and gap.path}
    scope = f"{review.scope}/" if review.scope else ""
    fixed = []
    for number in gone:
        one = earlier[number].item
        inside = one.path == review.scope or one.path.startswith(scope)
        if inside and one.rule in rules and (renamed or {}).get(one.path, one.path) not in unseen and not earlier[number].suppressed:
            fixed.append(Fixed(one.path, one.rule, one.function))
    # What was suppressed is neither: nobody counted it.
    left = sum(not earlier[number].suppressed for number in gone) - len(fixed)
    return msgspec.structs.replace(review, findings=findings, comparison=Comparison(against, tuple(sorted(fixed)), left))


def _state(now: Finding, before: Known) -> str:
    """``worse`` is what has risen in severity or level, or lost the comment that suppressed it: the change has to answer for it."""
    if before.suppressed and now.suppression is None:
        return "worse"
    if now.severity > before.severity or now.level > before.level:
        return "worse"
    return "unchanged" if (now.severity, now.level, now.rule) == (before.severity, before.level, before.item.rule) else "updated"


def _item(review: Review, finding: Finding) -> Item:
    source = review.sources.get(finding.place.path)
    return item(finding, source.position(finding.place.start)[0] if source is not None else 0)
