"""What the tests of the extension share."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse


def answer(response: TestResponse) -> Any:
    """Return the JSON of a successful answer."""
    assert response.status_code == 200, response.text
    return response.get_json()


def refusal(response: TestResponse) -> tuple[int, str]:
    """Return status and ``detail`` of a refused request."""
    return response.status_code, (response.get_json() or {}).get("detail", "")
