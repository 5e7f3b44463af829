"""Fixtures of the tests over Flask's test client."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.support.tus import Tus


@pytest.fixture
def tus(client: FlaskClient) -> Tus:
    """A client of tus."""
    return Tus(client)
