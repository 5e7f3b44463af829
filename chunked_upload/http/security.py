"""Events that whoever watches over the service wants to see: credentials that were refused.

Each is a line of the logger ``chunked_upload.security``. What happened, and to whom, is also in the
attributes of the log record (``extra``), for formatters that write JSON. No line has a secret.
"""

from __future__ import annotations

import logging
import re

from flask import Request

from chunked_upload.errors import ChunkedUploadError

logger = logging.getLogger("chunked_upload.security")

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def security_event(
    error: ChunkedUploadError, request: Request, *, upload_set: str, owner: str | None
) -> None:
    """Log that a request was refused.

    :param owner: the caller, as far as it is known.
    """
    event = _WORD.sub("_", type(error).__name__).lower()
    reason = error.data.get("reason")
    logger.warning(
        "%s: %s %s from %s: %s",
        event,
        request.method,
        request.path,
        request.remote_addr,
        reason,
        extra={
            "event": event,
            "reason": reason,
            "method": request.method,
            "path": request.path,
            "address": request.remote_addr,
            "upload_set": upload_set,
            "owner": owner,
        },
    )
