"""How many examples Hypothesis tries: ``EXAMPLES`` is per cent of what ``make test`` does.

``make check`` tries fewer; for a long run set ``EXAMPLES=2000``.
"""

from __future__ import annotations

import os

_PERCENT = int(os.environ.get("EXAMPLES", "100"))


def examples(usual: int) -> int:
    """Return how many examples to try where ``make test`` tries ``usual``."""
    return max(usual * _PERCENT // 100, 1)
