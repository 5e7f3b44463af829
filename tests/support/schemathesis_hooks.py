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
    """Leave out requests whose only fault is a header that means nothing in them.

    That is one of schemathesis' own, which HTTP ignores; or any of a POST that tus makes a DELETE,
    which has no offset. Those without a token, too: one check asks for 401 where the protocol has
    403, and another (``ignored_auth``) looks at what is answered to them.
    """
    headers = {name.lower(): value for name, value in (case.headers or {}).items()}
    if headers.get("x-http-method-override") == "DELETE":
        return False
    about = getattr(case.meta.phase.data, "parameter", None) if case.meta else None
    if about is not None and about.lower() == "authorization":
        return False
    return not any(name.startswith("x-schemathesis") for name in headers)
