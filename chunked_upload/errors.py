"""The errors that an app sees: refused requests, and wrong settings.

The engine's errors are in ``engine/errors.py``, those of HTTP requests in ``http/errors.py``. Both
derive from :class:`ChunkedUploadError`, so that one ``except`` catches every refusal.
"""

from __future__ import annotations

import re
from typing import Any

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class ChunkedUploadError(Exception):
    """A request that is refused.

    The signature is django-chunked-upload's, so hooks written for it can raise
    ``ChunkedUploadError(status=400, detail="...")`` unchanged.

    :param status: HTTP status code. None for an error that does not know HTTP: the dialect that
        answers the request gives it a status and words.
    :param data: fields of the JSON answer, ``detail`` among them.
    """

    def __init__(self, status: int | None = None, **data: Any) -> None:
        super().__init__(data.get("detail", ""))
        self.status_code = status
        self.data = data
        #: Headers of the answer.
        self.headers: dict[str, str] = {}


class ConfigurationError(Exception):
    """A setting that cannot work, found when the app starts: which, why, and what would work."""


def reason_of(error: Exception) -> str:
    """Return an error's kind as a label of figures and lists: ``offset_mismatch``."""
    if not isinstance(error, ChunkedUploadError):
        return "internal_error"
    return _WORD.sub("_", type(error).__name__).lower()
