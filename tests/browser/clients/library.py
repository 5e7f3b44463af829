"""The project's client library, in an example page of its own."""

from __future__ import annotations

from tests.browser.client import Client, Fault, Outcome

CLIENTS = [
    Client(
        name="The client library",
        page="client-library.html",
        waits="[data-waiting=other-tab]",
        expects={Fault.RELOADED: Outcome.RETRIED, Fault.BROWSER_KILLED: Outcome.RETRIED},
        why={Fault.RELOADED: "remembers it, and resumes when the file is picked again"},
    ),
]
