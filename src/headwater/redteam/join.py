"""Joins model-level evidence with the findings of a review: what a model was seen to write, and what the code does with such text.

A finding keeps its severity and its confidence: that a model can be made to write something is no proof that the code runs it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.findings import Finding, Review
from headwater.redteam.evidence import Evidence, Result

RED_TEAM: Final = "red-team"
"""What ``Finding.evidence`` says then: the finding is static, and the model was seen to do its part."""
MODEL_MADE: Final = frozenset({"llm-output", "tool-args"})
"""Kinds of data that the model decides."""
_SPEAK: Final = frozenset({"AML.T0051.000", "AML.T0051.001", "AML.T0056"})
"""Techniques (injected instructions, the system prompt told) that evidence and findings about the model itself meet at."""


def joined(review: Review, evidence: Evidence) -> Review:
    """The review with the findings marked that the evidence speaks of."""
    return msgspec.structs.replace(review, findings=tuple(_marked(finding, evidence) for finding in review.findings))


def supporting(finding: Finding, evidence: Evidence) -> list[Result]:
    """The results that show the model doing its part of the finding, those with the most bad answers first."""
    made = made_by_model(finding)
    about = {mapping.id for mapping in finding.mappings} & _SPEAK
    found = [
        one
        for one in evidence.results
        if one.failed
        and ((made and finding.sink_class in one.sinks) or (not one.sinks and about & {mapping.id for mapping in one.mappings}))
    ]
    return sorted(found, key=lambda one: (-one.failed, one.tool, one.probe, one.detector))


def made_by_model(finding: Finding) -> bool:
    """Whether the model decides what reaches the operation."""
    return finding.kind in MODEL_MADE or any(trace.kind in MODEL_MADE for trace in finding.traces)


def _marked(finding: Finding, evidence: Evidence) -> Finding:
    if finding.evidence != "static" or not supporting(finding, evidence):
        return finding
    return msgspec.structs.replace(finding, evidence=RED_TEAM)
