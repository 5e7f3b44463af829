"""The load generator's connections."""

from __future__ import annotations

import pytest

from benchmarks.process import free_port
from benchmarks.wire import LoadError, Wire, head


def test_a_server_that_has_died_is_told_as_a_failed_contestant() -> None:
    with Wire(free_port()) as wire, pytest.raises(LoadError, match="refused"):
        wire.ask(head("GET", "/", {}))
