"""The part numbers that are given to requests, each only once.

A request is given its numbers in the statement that gives it its write lease, and they are in the
record from then on. A paused request may still send the parts that it was given, however late, and
a part that is sent again replaces the older one. So a newcomer for the same slots takes the next
attempt's numbers. The state's ``reserved`` is ``[attempt, until, end]``: the latest request's
attempt at the slots before ``until``, and the end of the slots that were given to anybody; from
``until`` on, nobody else had a number before.

A request that ends with its commit sends nothing more, and hands its numbers over to the next one:
``handed`` is its fencing token, which is still the record's if no other request came in between. So
a file of many requests needs one attempt. It also gives the slots that the next one most likely
needs, so that taking the lease need not change the state.
"""

from __future__ import annotations

from ..base import StorageState
from .grid import Grid, Slot

#: Slots given at a time to a request that records its progress, and is given more then.
AHEAD = 8

#: The end of slots for a request whose end is not known, and that records nothing on its way.
_ALL = 2**62


class PartNumbers:
    """The numbers that one request may use."""

    def __init__(self, reserved: list[int]) -> None:
        self._attempt, self._until, self._end = reserved

    def of(self, slot: Slot) -> int | None:
        """Return the number for a slot; None when it must not send this part."""
        if slot.nth >= self._end:
            return None
        attempt = self._attempt if slot.nth < self._until else 0
        return slot.first_number + attempt if attempt < max(1, slot.attempts - 1) else None

    def extended(self, slot: Slot) -> StorageState:
        """Return the change of the state that gives the slots from here on, and take it in."""
        self._end = max(self._end, slot.nth + AHEAD)
        return {"reserved": [self._attempt, self._until, self._end]}


def reserve(
    state: StorageState | None,
    grid: Grid,
    start: int,
    stop: int | None,
    *,
    extends: bool,
    token: int | None = None,
) -> StorageState:
    """Return the change of the state that gives a newcomer its numbers.

    :param extends: it records its progress (:meth:`PartNumbers.extended`).
    :param token: the record's fencing token; None for a newcomer that nothing was handed over to.
    """
    first = grid.at(start).nth
    end = _ALL if stop is None else grid.at(max(start, stop - 1)).nth + 1
    if extends:
        end = min(end, first + AHEAD)
    return _given(state, first, end, token=token)


def handed_over(
    state: StorageState | None, grid: Grid, start: int, stop: int, *, token: int, own: bool
) -> StorageState:
    """Return the change of the state that hands numbers over to the next request.

    :param start, stop: what it most likely writes.
    :param token: the fencing token of the request that ends.
    :param own: whether that had numbers itself; otherwise the next one gets those of a newcomer.
    """
    first = grid.at(start).nth
    end = max(grid.at(max(start, stop - 1)).nth + 1, first + AHEAD)
    state = {**(state or {}), "handed": token}
    return {"handed": token} | _given(state, first, end, token=token if own else None)


def _given(state: StorageState | None, first: int, end: int, *, token: int | None) -> StorageState:
    state = state or {}
    attempt, until, given = state.get("reserved", [0, 0, 0])
    if token is not None and state.get("handed") == token:
        return {"reserved": [attempt, until, max(given, end)]}
    if first >= given:
        return {"reserved": [0, 0, end]}
    if first >= until:
        return {"reserved": [1, given, max(given, end)]}
    return {"reserved": [attempt + 1, given, max(given, end)]}


def for_completion(slot: Slot) -> int:
    """Return the number under which a completion sends a slot."""
    return slot.first_number + slot.attempts - 1
