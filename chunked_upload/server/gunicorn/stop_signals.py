"""Signals to stop that come while a worker is forked.

Until a worker has handlers of its own, it has its parent's, which would put a signal in a queue
that nobody reads: the server would wait for that worker until it kills it. So these signals are
held from before the fork until the worker can handle them.
"""

from __future__ import annotations

import os
import signal

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def hold() -> None:
    """Keep signals to stop until :func:`release`; the parent gets its own after the next fork."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def release() -> None:
    """Get the signals that were held, and those to come."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


os.register_at_fork(after_in_parent=release)
