"""Faults: crashes, power cuts, failing parts, the network, many writers, hostile clients.

Every test here that takes a ``run`` is a row of the scorecard (tests/support/scorecard.py).
"""
