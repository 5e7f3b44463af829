"""What is postponed until an answer is on its way."""

from __future__ import annotations

from threading import Thread

import pytest

from chunked_upload import afterwards


def test_what_is_postponed_is_done_at_the_end_in_order() -> None:
    done: list[int] = []
    afterwards.begin()
    try:
        assert afterwards.postpone(lambda: done.append(1))
        assert afterwards.postpone(lambda: done.append(2))
        assert done == []
    finally:
        afterwards.finish()
    assert done == [1, 2]


def test_what_is_postponed_again_and_again_is_done_once() -> None:
    """A body may come in a million pieces."""
    done: list[int] = []

    def work() -> None:
        done.append(1)

    afterwards.begin()
    try:
        assert all(afterwards.postpone(work) for _ in range(3))
    finally:
        afterwards.finish()
    assert done == [1]


def test_where_no_answer_is_waited_for_nothing_is_postponed() -> None:
    refused = lambda: pytest.fail("was told that nobody would")  # noqa: E731
    assert not afterwards.postpone(refused)
    afterwards.begin()
    afterwards.finish()
    assert not afterwards.postpone(refused)


def test_a_thread_postpones_only_its_own() -> None:
    taken: list[bool] = []
    afterwards.begin()
    try:
        other = Thread(target=lambda: taken.append(afterwards.postpone(lambda: None)))
        other.start()
        other.join()
    finally:
        afterwards.finish()
    assert taken == [False]
