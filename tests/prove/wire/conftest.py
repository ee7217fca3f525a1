"""The server with a model that says what a test tells it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wireplay import Played, Script

from headwater.prove.server import Server


@pytest.fixture
def played() -> Iterator[Played]:
    script = Script()
    with Server(script) as server:
        yield Played(script, server)
        assert server.failures == []
