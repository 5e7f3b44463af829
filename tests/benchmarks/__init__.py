"""The benchmark harness itself: what it sends, what it makes of the figures."""
