"""What holds for every trace."""

from __future__ import annotations

from headwater import limits
from headwater.findings import Finding, Review


def check(review: Review) -> int:
    for finding in review.findings:
        if finding.sink_class:
            assert 1 <= len(finding.traces) <= limits.TRACES
            check_traces(review, finding)
        else:  # a call that is wrong by itself: what it works on may have come from somewhere
            assert len(finding.traces) <= 1
            check_traces(review, finding)
    assert "traces-failed" not in review.coverage.counts, [gap for gap in review.coverage.gaps if gap.kind == "trace"]
    return len(review.findings)


def check_traces(review: Review, finding: Finding) -> None:
    if finding.sink_class:
        assert finding.traces[0].kind == finding.kind
    for trace in finding.traces:
        steps = trace.steps
        where = [(step.role, step.place.path, review.sources[step.place.path].position(step.place.start)[0], step.what) for step in steps]
        assert 2 <= len(steps) <= limits.TRACE_STEPS, where
        roles = [step.role for step in steps]
        assert roles[-1] == "sink", where
        assert roles.count("source") == roles.count("sink") == 1, where
        assert trace.source.role == "source", where
        assert steps[-1].place == finding.place, where
        assert steps[-1].function == finding.function, where
        for step in steps:
            assert step.what.strip() == step.what != "", where
            assert step.function, where
            source = review.sources[step.place.path]
            assert 0 <= step.place.start < step.place.end <= len(source.data), where
        places = [(step.place, step.what) for step in steps]
        assert len(set(places)) == len(places), where
