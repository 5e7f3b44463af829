"""Points at which a node can be stopped: in the node, calls that stop it; outside, :class:`Gates`.

A gate is a file with the gate's name in a directory of the harness. A request that comes to the
place removes the file and stops its process (SIGSTOP), so that it stands exactly there and nowhere
else; the harness then stops the node's other processes. :func:`install` puts the gates into the
service (app.py).
"""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chunked_upload.engine.completion import Completion
from chunked_upload.engine.removal import Removal
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Records
from chunked_upload.storage.s3.bucket import Bucket

#: The environment variable with the directory.
GATES = "CLUSTER_GATES"

#: Where a node can be stopped while it stores a chunk, in the order in which it gets there.
STORING = ("before the store", "after the store", "before the commit", "after the commit")
#: The same for a completion; its hook is another gate.
COMPLETING = ("before the file", "after the file", "before completing", "after completing")
HOOK = "in the hook"
REMOVING = ("before removing", "after marking", "after removing")


def _is_chunk(_records: Any, _record: Any, values: dict[str, Any], **_options: Any) -> bool:
    return "offset" in values and "checksum_states" in values


def _is_completion(_records: Any, _record: Any, values: dict[str, Any], **_options: Any) -> bool:
    return values.get("status") == int(Status.COMPLETE)


def _always(*_arguments: Any, **_options: Any) -> bool:
    return True


#: A method, when it counts, and the gates before and after it.
_PLACES: list[tuple[type, str, Callable[..., bool], str | None, str | None]] = [
    (Bucket, "put", _always, *STORING[:2]),
    (Bucket, "put_part", _always, *STORING[:2]),
    (Records, "swap", _is_chunk, *STORING[2:]),
    (Completion, "promote", _always, *COMPLETING[:2]),
    (Records, "swap", _is_completion, *COMPLETING[2:]),
    (Removal, "_mark", _always, REMOVING[0], None),
    (Removal, "discard_files", _always, *REMOVING[1:]),
]


def install() -> None:
    """Put the gates into the service, in a node."""
    for owner, name, counts, before, after in _PLACES:
        setattr(owner, name, _gated(getattr(owner, name), counts, before, after))


def _gated(
    method: Callable[..., Any],
    counts: Callable[..., bool],
    before: str | None,
    after: str | None,
) -> Callable[..., Any]:
    @functools.wraps(method)
    def gated(*arguments: Any, **options: Any) -> Any:
        here = counts(*arguments, **options)
        if here and before:
            pass_gate(before)
        result = method(*arguments, **options)
        if here and after:
            pass_gate(after)
        return result

    return gated


def pass_gate(name: str) -> None:
    """Stop this node here, if it is asked to."""
    try:
        os.unlink(Path(os.environ[GATES], name))
    except FileNotFoundError:
        return
    # Sent to the process, it may reach another thread first, while this one goes on.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


class Gates:
    """The gates of one node, as the harness sees them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()

    def close(self, name: str) -> None:
        """Have the node stop at a gate, once."""
        (self.directory / name).touch()

    def open_all(self) -> None:
        """Have it stop nowhere."""
        for gate in self.directory.iterdir():
            gate.unlink(missing_ok=True)
