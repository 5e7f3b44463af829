"""How many connections each worker of a server has, so that they share them evenly.

All workers are woken for a new connection, and it goes to the one that is first. So of sixteen
clients ten may sit with one worker and six with the other, on a machine whose second core is then
idle for the last quarter of the time. A worker that has more than another lets the others go first.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress

#: Workers that are told apart.
_PLACES = 256

#: A worker's process and its connections.
_PLACE = struct.Struct("=ii")


class Siblings:
    """The workers of a server; made before they are forked, from then on shared between them."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _PLACES * _PLACE.size)

    def note(self, place: int, connections: int) -> None:
        """Say how many connections this process has.

        :param place: a number that no other living worker has; large ones begin anew.
        """
        at = place % _PLACES * _PLACE.size
        _PLACE.pack_into(self._memory, at, os.getpid(), connections)

    def least(self) -> int | None:
        """Return the fewest connections that one of the others has; None without others."""
        mine = os.getpid()
        others = [
            (connections, process)
            for process, connections in _PLACE.iter_unpack(self._memory[:])
            if process and process != mine
        ]
        for connections, process in sorted(others):
            with suppress(ProcessLookupError):  # one that was killed
                os.kill(process, 0)
                return int(connections)
        return None
