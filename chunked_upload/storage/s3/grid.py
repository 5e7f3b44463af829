"""How a file is cut into slots: the parts of its multipart upload.

S3 takes at most 10,000 parts, of 5 MiB to 5 GiB each. A number that a request has been given is
never given to another one, since a paused request may still send that part. So every slot has
several numbers, one for each attempt, and the last is for the completion. With a declared length
all slots are equal. Without one they grow, so that the file may.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import NamedTuple

MIB = 1024 * 1024
GIB = 1024 * MIB

SMALLEST_PART, LARGEST_PART = 5 * MIB, 5 * GIB

#: Most parts of one multipart upload, and the highest part number.
MOST_PARTS = 10_000

#: Numbers that a slot has, if there are enough.
_ATTEMPTS = 4

#: Slots that a file of declared length has, unless its parts would be smaller than wanted.
_MOST_SLOTS = MOST_PARTS // _ATTEMPTS

#: Files of unknown length: how many slots are this many times as large as the first ones.
_GROWTH = ((500, 1), (500, 8), (500, 64))


class Slot(NamedTuple):
    """One slot: which it is, its range in the file, and its part numbers."""

    nth: int
    start: int
    stop: int
    first_number: int
    attempts: int


@dataclass(frozen=True)
class Tier:
    """Slots of one size: where they begin in the file, among slots and among numbers."""

    start: int
    index: int
    number: int
    size: int
    attempts: int


class Grid:
    """The slots of one file.

    :param length: its declared length; None when it is not known.
    :param smallest: the wanted size of a part, in bytes.
    :raises OSError: EFBIG when S3 cannot hold a file of that length.
    """

    def __init__(self, length: int | None, smallest: int) -> None:
        self._tiers = [_even(length, smallest)] if length is not None else _growing(smallest)

    def at(self, position: int) -> Slot:
        """Return the slot in which a byte lies.

        :raises OSError: EFBIG when S3 cannot hold a file that has this byte.
        """
        tier = next(tier for tier in reversed(self._tiers) if tier.start <= position)
        nth = (position - tier.start) // tier.size
        start, number = tier.start + nth * tier.size, tier.number + nth * tier.attempts
        if number > MOST_PARTS:
            raise _too_large()
        return Slot(
            tier.index + nth,
            start,
            start + tier.size,
            number,
            tier.attempts,
        )


def _too_large() -> OSError:
    return OSError(errno.EFBIG, "S3 cannot hold a file of this size")


def _even(length: int, smallest: int) -> Tier:
    if length > MOST_PARTS * LARGEST_PART:
        raise _too_large()
    size = max(smallest, -(-length // _MOST_SLOTS))
    size = min(-(-size // MIB) * MIB, LARGEST_PART)
    slots = max(1, -(-length // size))
    return Tier(0, 0, 1, size, max(1, min(_ATTEMPTS, MOST_PARTS // slots)))


def _growing(smallest: int) -> list[Tier]:
    tiers, start, index, number = [], 0, 0, 1
    for slots, factor in _GROWTH:
        size = min(smallest * factor, LARGEST_PART)
        tiers.append(Tier(start, index, number, size, _ATTEMPTS))
        start, index, number = start + slots * size, index + slots, number + slots * _ATTEMPTS
    return [*tiers, Tier(start, index, number, LARGEST_PART, 1)]
