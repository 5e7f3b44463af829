"""A body that the app has read before the view, in ``before_request`` for example.

Werkzeug keeps what ``get_data()`` and ``get_json()`` have read, and the server has nothing left to
give. So what was kept is read again; where it was not kept, the error says why nothing arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

#: What to do about a body that was read and not kept.
READ_BEFORE = (
    "; the app has read the body before the upload's view (in before_request, for example):"
    " it must leave the upload endpoints out"
)


def is_touched(environ: Mapping[str, Any]) -> bool:
    """Whether the app has asked Flask for the body of this request."""
    request = environ.get("werkzeug.request")
    return request is not None and "stream" in request.__dict__


def unread(environ: Mapping[str, Any]) -> Any:
    """Return the stream of the body: the server's, or of what the app has read and Flask has kept.

    A stream that was read in part knows its position.
    """
    if not is_touched(environ):
        return environ["wsgi.input"]
    request = environ["werkzeug.request"]
    # get_data() would return it too, but read all of a large body when nothing has been kept.
    kept = getattr(request, "_cached_data", None)
    return request.stream if kept is None else BytesIO(kept)
