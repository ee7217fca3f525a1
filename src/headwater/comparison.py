"""Tells which findings of a review an earlier one has already, which are new or worse, and which of the earlier ones are gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from headwater import limits
from headwater.findings import Comparison, Finding, Fixed, Gap, Level, Review, Severity, Suppression
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
    *,
    trusted: bool = True,
) -> Review:
    """The review with a state for each finding. ``rules`` are those that it could report; ``renamed`` and ``kept`` as for ``match``.

    Without ``trusted`` a comment suppresses only what the earlier review has as suppressed: those who wrote the change may have written it.
    """
    pairs = match([one.item for one in earlier], [_item(review, one) for one in review.findings], renamed, kept)
    if not trusted:
        review = _distrusted(review, [number in pairs and earlier[pairs[number]].suppressed for number in range(len(review.findings))])
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


def _distrusted(review: Review, accepted: Sequence[bool]) -> Review:
    """Without the suppressions of findings that were not accepted before."""
    findings = list(review.findings)
    refused: set[Suppression] = set()
    for number, one in enumerate(findings):
        if one.suppression is not None and not accepted[number]:
            refused.add(one.suppression)
            findings[number] = msgspec.structs.replace(one, suppression=None)
    if not refused:
        return review
    problem = "the change brings it, or what it suppresses: it is not applied"
    suppressions = tuple(
        msgspec.structs.replace(one, state="added", problem=problem) if one in refused else one for one in review.suppressions
    )
    gaps = [Gap("suppression", one.path, one.line, f"added suppression of {one.rule}: {problem}", partial=False) for one in sorted(refused)]
    coverage = msgspec.structs.replace(review.coverage, gaps=tuple(sorted((*review.coverage.gaps, *gaps[: limits.GAPS_OF_KIND]))))
    return msgspec.structs.replace(review, findings=tuple(findings), suppressions=suppressions, coverage=coverage)


def _item(review: Review, finding: Finding) -> Item:
    source = review.sources.get(finding.place.path)
    return item(finding, source.position(finding.place.start)[0] if source is not None else 0)
