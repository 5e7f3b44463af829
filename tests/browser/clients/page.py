"""The page that the stand-alone server has at ``/``, on the project's own library."""

from __future__ import annotations

from tests.browser.client import Client, Fault, Outcome

PAGE = Client(
    name="The page",
    page="/",
    # Also what the tests of the page itself look for.
    environment={
        "CHUNKED_UPLOAD_MAX_CHUNK_BYTES": "{chunk}",
        "CHUNKED_UPLOAD_MAX_BYTES": "2G",
        "CHUNKED_UPLOAD_DENIED_EXTENSIONS": "exe",
        "CHUNKED_UPLOAD_PAGE_SIZE": "5",
    },
    input="[data-input=files]",
    done="[data-state=done]",
    failed="[data-state=failed]",
    waits="[data-waiting=other-tab]",
    expects={Fault.RELOADED: Outcome.RETRIED, Fault.BROWSER_KILLED: Outcome.RETRIED},
    why={
        Fault.RELOADED: "lists it, and resumes with one click or when the file is picked again",
    },
)

CLIENTS = [PAGE]
