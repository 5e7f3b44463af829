"""What an upload consists of: its record's state, read and changed.

The state is a flat JSON object, so that requests that write different ranges at once change
different keys of it, and their commits merge:

    o<name>: [start, size, crc, etag]           an object with bytes of the file
    p<name>: [start, size, crc, etag, number]   a part of the multipart upload
    m<name>: [start, size, crc]                 a list of full objects and parts, kept as an object
    x<name>: [time, name, ...]                  objects that others have replaced
    multipart: [key, id, checksums, length]     the multipart upload, and the length it is cut for
    reserved: [attempt, until, end]             the part numbers given to requests (numbers.py)
    handed: token                               the request that handed its numbers over

Names are random, so that no key is ever used twice. What a state does not name does not count, so
a paused request that wakes up cannot change anything. Full objects and parts are moved into lists
of 64, so that a commit costs the same for the first part of a file as for the last.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..base import PartMissing, StorageBusy, StorageState
from .bucket import Multipart
from .grid import Grid, Slot

#: Entries that make a list.
LISTED = 64


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes in the store, from one object or part.

    :param number: the part's; 0 for an object, which can be read.
    """

    name: str
    start: int
    size: int
    crc: int
    etag: str
    number: int = 0

    @property
    def stop(self) -> int:
        """The end of the bytes in the file."""
        return self.start + self.size

    @property
    def entry(self) -> StorageState:
        """The extent as an entry of the state."""
        values = [self.start, self.size, self.crc, self.etag]
        if self.number:
            return {f"p{self.name}": [*values, self.number]}
        return {f"o{self.name}": values}

    @property
    def removal(self) -> StorageState:
        """The change of the state that removes the extent."""
        return dict.fromkeys(self.entry)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of extents that is kept as an object."""

    name: str
    start: int
    size: int
    crc: int


class Layout:
    """The extents of one upload, as a request sees them.

    :param state: the record's.
    """

    def __init__(self, state: StorageState | None) -> None:
        self.extents: dict[str, Extent] = {}
        self.listings: dict[str, Listing] = {}
        self.replaced: dict[str, tuple[float, list[str]]] = {}
        self.multipart: Multipart | None = None
        #: The declared length that the multipart upload's slots were made for.
        self.length: int | None = None
        self.change(state or {})

    def change(self, changes: StorageState) -> None:
        """Take in changes of the state."""
        for key, value in changes.items():
            kind, name = key[0], key[1:]
            if key == "multipart":
                self.multipart, self.length = Multipart(*value[:3]), value[3]
            elif key in ("reserved", "handed"):
                continue
            elif kind in "op":
                self._set(self.extents, name, value and Extent(name, *value))
            elif kind == "m":
                self._set(self.listings, name, value and Listing(name, *value))
            elif kind == "x":
                self._set(self.replaced, name, value and (value[0], value[1:]))

    @staticmethod
    def _set(table: dict[str, Any], name: str, value: Any) -> None:
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value

    @property
    def end(self) -> int:
        """The end of the last byte."""
        extents: Iterable[Extent | Listing] = [*self.extents.values(), *self.listings.values()]
        return max((each.start + each.size for each in extents), default=0)

    def run_before(self, position: int, *, not_before: int) -> list[Extent]:
        """Return the objects that lie side by side up to a position, first to last.

        :param not_before: the start of the slot, where the run ends.
        """
        by_stop = {each.stop: each for each in self.extents.values() if not each.number}
        run: list[Extent] = []
        while position > not_before and (each := by_stop.get(position)) is not None:
            if each.start < not_before:
                break
            run.insert(0, each)
            position = each.start
        return run

    def whole_slots(self, grid: Grid) -> list[Extent]:
        """Return the extents of slots that are whole, without those in lists."""
        by_slot: dict[Slot, list[Extent]] = {}
        for each in self.extents.values():
            by_slot.setdefault(grid.at(each.start), []).append(each)
        found: list[Extent] = []
        for slot, extents in by_slot.items():
            with suppress(PartMissing):
                covering(extents, slot.start, slot.stop)
                found += extents
        return found

    def load(self, read: Callable[[str], bytes]) -> list[Extent]:
        """Return all extents, also those in lists.

        :param read: reads a list, by its name.
        :raises PartMissing: when a list is missing.
        :raises StorageBusy: when it is not what was stored.
        """
        found = list(self.extents.values())
        for listing in self.listings.values():
            content = read(listing.name)
            if zlib.crc32(content) != listing.crc:
                raise StorageBusy("the object store returned another list than it was given")
            found += [Extent(*entry) for entry in json.loads(content)]
        return found


def listed(extents: Iterable[Extent]) -> bytes:
    """Return a list of extents as the content of an object."""
    rows = [[e.name, e.start, e.size, e.crc, e.etag, e.number] for e in extents]
    return json.dumps(rows, separators=(",", ":")).encode()


def covering(extents: Iterable[Extent], start: int, stop: int) -> list[tuple[Extent, int, int]]:
    """Return extents that make up ``[start, stop)``, each with the range of the file it gives.

    Where several have the same bytes, the one that reaches furthest gives them.

    :raises PartMissing: when there is a gap.
    """
    waiting = sorted(extents, key=lambda each: each.start, reverse=True)
    chosen: list[tuple[Extent, int, int]] = []
    best: Extent | None = None
    while start < stop:
        while waiting and waiting[-1].start <= start:
            each = waiting.pop()
            if best is None or each.stop > best.stop:
                best = each
        if best is None or best.stop <= start:
            raise PartMissing(f"no object has the bytes from {start} on")
        chosen.append((best, start, min(best.stop, stop)))
        start = best.stop
    return chosen
