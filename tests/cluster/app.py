"""What nodes import besides the service (``CHUNKED_UPLOAD_CONFIG``): a hook that leaves a trace,
gates at which they can be stopped, and ways to break them.

The trace is a file of the harness, not of the node, so it outlives the node's death. For each run
of the hook it has two lines: ``begin <upload> <boot> <seconds>``, and the same with ``end``.
"""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any

from chunked_upload.hooks import upload_completed
from chunked_upload.server.app import DevelopmentConfig
from chunked_upload.support import clock
from tests.cluster import gates, sabotage

gates.install()
sabotage.install()


class NodeConfig(DevelopmentConfig):
    """The stand-alone server's own; only importing this module does something."""


class WrongClock(datetime):
    """A clock that is ahead by ``CLUSTER_CLOCK_AHEAD`` seconds."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(seconds=float(os.environ["CLUSTER_CLOCK_AHEAD"]))


if "CLUSTER_CLOCK_AHEAD" in os.environ:
    # The service's own; what signs requests to the store must be right within 15 minutes.
    vars(clock)["datetime"] = WrongClock


@upload_completed.connect
def _completed(_app: Any, upload: Any, **_more: Any) -> None:
    _trace("begin", upload.upload_id)
    gates.pass_gate(gates.HOOK)
    time.sleep(float(os.environ.get("CLUSTER_HOOK_SECONDS", "0")))
    _trace("end", upload.upload_id)


def _trace(what: str, upload_id: str) -> None:
    line = f"{what} {upload_id} {os.environ['CLUSTER_BOOT']} {time.time()}\n"
    file = os.open(os.environ["CLUSTER_TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, line.encode())
    os.close(file)
