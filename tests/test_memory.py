"""What a review needs only for a while is gone without a collection: none takes place until a review ends."""

from __future__ import annotations

import gc
from pathlib import Path

import headwater
from headwater.config import Config
from headwater.taint.transfer import Interpreter

EXAMPLE = Path(__file__).parent.parent / "examples" / "vulnerable"


def test_no_run_of_the_interpreter_holds_itself() -> None:
    gc.collect()
    gc.disable()
    try:
        review = headwater.review(EXAMPLE, Config(processes=1, cache=""))
        assert any(finding.traces for finding in review.findings)  # runs for traces among them
        assert not any(type(one) is Interpreter for one in gc.get_objects())
    finally:
        gc.enable()
