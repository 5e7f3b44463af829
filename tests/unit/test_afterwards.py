"""What is postponed until an answer is on its way."""

from __future__ import annotations

from threading import Thread

import pytest

from chunked_upload import afterwards


def test_what_is_postponed_is_done_at_the_end_in_order() -> None:
    done: list[int] = []
    with afterwards.answering():
        assert afterwards.postpone(lambda: done.append(1))
        assert afterwards.postpone(lambda: done.append(2))
        assert done == []
    assert done == [1, 2]


def test_what_is_postponed_again_and_again_is_done_once() -> None:
    """A body may come in a million pieces."""
    done: list[int] = []

    def work() -> None:
        done.append(1)

    with afterwards.answering():
        assert all(afterwards.postpone(work) for _ in range(3))
    assert done == [1]


def test_where_no_answer_is_waited_for_nothing_is_postponed() -> None:
    refused = lambda: pytest.fail("was told that nobody would")  # noqa: E731
    assert not afterwards.postpone(refused)
    with afterwards.answering():
        pass
    assert not afterwards.postpone(refused)


def test_a_thread_postpones_only_its_own() -> None:
    taken: list[bool] = []
    with afterwards.answering():
        other = Thread(target=lambda: taken.append(afterwards.postpone(lambda: None)))
        other.start()
        other.join()
    assert taken == [False]
