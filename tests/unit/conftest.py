"""Hypothesis in these tests: no deadlines on shared machines."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.support.examples import examples

settings.register_profile(
    "unit",
    deadline=None,
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unit")
