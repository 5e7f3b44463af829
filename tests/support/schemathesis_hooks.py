"""What schemathesis is told besides the description (``SCHEMATHESIS_HOOKS``)."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/offset+octet-stream", "application/partial-upload")
def bytes_of_a_file(context: Any, value: Any) -> bytes:
    """Send bodies of the offset dialects' types as they are."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Ask for no interim responses: Python's http.client takes 104 for the answer."""
    for name in [
        name for name in case.headers or {} if name.lower() == "upload-draft-interop-version"
    ]:
        del case.headers[name]


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out requests whose only fault is a header of schemathesis' own, which HTTP ignores."""
    return not any(name.lower().startswith("x-schemathesis") for name in case.headers or {})
