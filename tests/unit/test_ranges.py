"""Sets of ranges against plain sets of numbers."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from chunked_upload.engine import ranges
from chunked_upload.engine.ranges import Ranges

span = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: sorted(pair))
sets = st.lists(span, max_size=8).map(lambda spans: build(spans))


def build(spans: list[list[int]]) -> Ranges:
    result: Ranges = []
    for start, stop in spans:
        result = ranges.add(result, start, stop)
    return result


def members(given: Ranges) -> set[int]:
    return {n for start, stop in given for n in range(start, stop)}


def check_form(given: Ranges) -> None:
    assert all(start < stop for start, stop in given)
    assert all(one[1] < next_[0] for one, next_ in zip(given, given[1:], strict=False))  # noqa: RUF007


@given(sets, span)
def test_adding(some: Ranges, more: list[int]) -> None:
    before = [list(pair) for pair in some]
    result = ranges.add(some, *more)
    check_form(result)
    assert members(result) == members(some) | set(range(*more))
    assert some == before


@given(sets, st.integers(0, 60))
def test_settling(some: Ranges, prefix: int) -> None:
    grown, beyond = ranges.settle(prefix, some)
    have = members(some) | set(range(prefix))
    check_form(beyond)
    assert set(range(grown)) | members(beyond) == have
    assert grown not in have
    assert not beyond or beyond[0][0] > grown


@given(sets, st.integers(0, 60), st.integers(60, 80))
def test_gaps(some: Ranges, prefix: int, total: int) -> None:
    prefix, beyond = ranges.settle(prefix, some)
    missing = ranges.gaps(prefix, beyond, total)
    check_form(missing)
    assert members(missing) == set(range(prefix, total)) - members(beyond)


@given(sets, span)
@example([[0, 2]], [1, 1])
def test_splitting(some: Ranges, whole: list[int]) -> None:
    start, stop = whole
    pieces = list(ranges.split(some, start, stop))
    at = start
    for low, high, stored in pieces:
        assert low == at < high
        inside = set(range(low, high))
        assert inside <= members(some) if stored else not inside & members(some)
        at = high
    assert at == stop
