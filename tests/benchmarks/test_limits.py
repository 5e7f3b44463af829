"""What the limits do, they do in earnest: a limit that drops bytes would prove too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load import KIB, Payload, Task
from benchmarks.peers.base import Peer
from benchmarks.peers.limits import LeastLoop, LeastProtocol
from benchmarks.wire import LoadError

#: Three chunks, the last one smaller, none a whole number of the servers' pieces.
TASK = Task(size=5000 * KIB + 7, chunk=2000 * KIB)


class _Forgetful(Payload):
    """A file of whose MD5 the client is wrong."""

    def digest(self, size: int, checksum: str = "md5") -> str:
        return "0" * 32


@pytest.mark.parametrize("limit", [LeastLoop(), LeastProtocol()], ids=lambda limit: limit.key)
def test_a_limit_stores_and_verifies(limit: Peer, tmp_path: Path) -> None:
    runner = limit.open(tmp_path / "server")
    try:
        payload = Payload()
        runner.run(payload, TASK)
        (stored,) = runner.files.rglob("*.bin")
        assert stored.read_bytes() == b"".join(payload.pieces(0, TASK.size))
        with pytest.raises(LoadError):
            runner.run(_Forgetful(), TASK)
    finally:
        runner.close()
