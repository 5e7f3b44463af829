"""Paths that try to leave their folder, and were refused: security events.

No path of a client becomes one on a disk, so these requests find nothing. They are told all the
same, since whoever sends them is looking for a way in.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: What http/security.py logs to.
logger = logging.getLogger("chunked_upload.security")

#: A step to the folder above, however its slashes are written, or a NUL, in a decoded path.
_STEP = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)|\0")

#: Separators, NUL and steps that are encoded, once or twice, in a path as it was sent.
_ENCODED = re.compile(r"%(?:25)*(?:2f|5c|00)|(?:%(?:25)*2e|\.){2}(?:[/\\]|$)", re.IGNORECASE)

#: Where servers put the path as it was sent: gunicorn, and others.
_RAW = ("RAW_URI", "REQUEST_URI")

_MAX_PATH = 500


def tell_refused(environ: WSGIEnvironment, status: str) -> None:
    """Log a request that was refused, if its path is such a one."""
    path = environ.get("PATH_INFO", "")
    raw = next((environ[key] for key in _RAW if key in environ), "").partition("?")[0]
    if not (_STEP.search(path) or _ENCODED.search(raw)):
        return
    shown, address = ascii(path)[1:-1][:_MAX_PATH], environ.get("REMOTE_ADDR")
    logger.warning(
        "path_refused: %s %s from %s: %s",
        environ["REQUEST_METHOD"],
        shown,
        address,
        status[:3],
        extra={
            "event": "path_refused",
            "reason": "the path steps out of its folder, or hides a separator",
            "method": environ["REQUEST_METHOD"],
            "path": shown,
            "address": address,
        },
    )
