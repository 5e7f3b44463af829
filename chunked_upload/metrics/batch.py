"""What this process counts: noted at once, given to prometheus-client a second later.

With several processes, prometheus-client writes every change to a file, under a lock. A chunk has
thirteen of them, which cost twenty times as much as to note what happened. So requests only append
to a queue. A thread counts what is in it once a second; the process's own scrape does before it
answers, and so does the end of the process. A process that is killed loses that second.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import Counter, defaultdict, deque
from typing import Any
from weakref import WeakSet

from chunked_upload.http.views.answered import Answered
from chunked_upload.records.pool import Pools
from chunked_upload.support.measuring import Figure

from . import counts

logger = logging.getLogger(__name__)

#: Seconds between two countings.
_SECONDS = 1.0

#: Appending to them and taking from them needs no lock.
_figures: deque[tuple[Figure, float]] = deque()
_answers: deque[Answered] = deque()

note_figure = _figures.append
note_answer = _answers.append

#: The pools of connections of this process, for as long as their apps exist.
_pools: WeakSet[Pools] = WeakSet()

_counting = threading.Lock()
_has_begun = False

#: What counts the requests of one kind; to look that up costs as much as to count.
_children: dict[tuple[str, str, str, int], tuple[Any, Any]] = {}


def begin(pools: Pools) -> None:
    """Begin to count in this process.

    :param pools: of an app, whose connections are counted; it must keep them.
    """
    global _has_begun
    _pools.add(pools)
    if not _has_begun:
        _has_begun = True
        atexit.register(count)
        os.register_at_fork(after_in_child=_begin_in_child)
        _start()


def count() -> None:
    """Count what has been noted."""
    with _counting:
        _count_figures([_figures.popleft() for _ in range(len(_figures))])
        _count_answers([_answers.popleft() for _ in range(len(_answers))])
        connections = [pools.connections() for pools in _pools]
        counts.CONNECTIONS_OPEN.set(sum(opened for opened, _ in connections))
        counts.CONNECTIONS_USED.set(sum(used for _, used in connections))


def _count_figures(noted: list[tuple[Figure, float]]) -> None:
    sums: dict[Any, float] = defaultdict(float)
    for figure, value in noted:
        if (histogram := counts.HISTOGRAMS.get(figure)) is not None:
            histogram.observe(value)
        else:
            sums[counts.COUNTERS[figure]] += value
    for counter, value in sums.items():
        counter.inc(value)


def _count_answers(noted: list[Answered]) -> None:
    requests: Counter[Any] = Counter()
    for upload_set, dialect, method, status, reason, seconds in noted:
        counter, histogram = _of_kind(upload_set, dialect, method, status)
        requests[counter] += 1
        histogram.observe(seconds)
        if reason is not None:
            counts.ERRORS.labels(upload_set, dialect, reason).inc()
    for counter, number in requests.items():
        counter.inc(number)


def _of_kind(*kind: Any) -> tuple[Any, Any]:
    found = _children.get(kind)
    if found is None:
        found = counts.REQUESTS.labels(*kind), counts.REQUEST_SECONDS.labels(*kind[:-1])
        _children[kind] = found
    return found


def _start() -> None:
    threading.Thread(target=_count_again_and_again, name="count-metrics", daemon=True).start()


def _count_again_and_again() -> None:
    wait = threading.Event().wait
    while not wait(_SECONDS):
        try:
            count()
        except Exception:  # or this process would count nothing from now on
            logger.exception("some figures of /metrics are lost")


def _begin_in_child() -> None:
    """Leave to the parent what it has noted; a child has none of its threads."""
    global _counting
    _counting = threading.Lock()
    _figures.clear()
    _answers.clear()
    _start()
