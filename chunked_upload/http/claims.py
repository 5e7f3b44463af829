"""Claims that a request makes. If nobody handles the error that ends it, they are given up.

So whoever sends the form again has not lost the upload. Rows of the app's own that were committed
by then keep theirs: they have taken the claim over.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from flask import appcontext_tearing_down, g

from chunked_upload.records.repository import Record

from .upload_set import BoundUploadSet

logger = logging.getLogger(__name__)

#: Where an app context keeps what its request has claimed.
_CLAIMED = "chunked_upload_claimed"


def claim(upload_set: BoundUploadSet, records: Sequence[Record]) -> None:
    """Claim completed uploads for the app, all or none.

    :raises UploadClaimed: when one is claimed already, or not complete.
    """
    upload_set.engine.claim(records)
    setattr(g, _CLAIMED, [*g.get(_CLAIMED, ()), (upload_set, records)])


@appcontext_tearing_down.connect
def _give_up(sender: Any, exc: BaseException | None = None, **more: Any) -> None:
    """Give up the claims of a request that ended in an error.

    By now the app's own session has ended, which may have held the database's lock.
    """
    claimed: list[tuple[BoundUploadSet, Sequence[Record]]] = g.pop(_CLAIMED, [])
    if exc is None:
        return
    for upload_set, records in claimed:
        try:
            upload_set.engine.release(records)
        except Exception:
            logger.exception("the claims of a failed request could not be given up")
