"""A form without a script: the browser shows the answer, or its own page about a broken line."""

from __future__ import annotations

from tests.browser.client import Client, Fault, Outcome

BROKEN = (
    Fault.CUT,
    Fault.REPLY_LOST,
    Fault.LAST_REPLY_LOST,
    Fault.SERVER_KILLED,
    Fault.RELOADED,
    Fault.BROWSER_KILLED,
)

#: Its one reply is the last one too, and a browser that was killed knows as little as a page that
#: was loaded again.
SHARE = (
    Fault.NONE,
    Fault.CUT,
    Fault.LAST_REPLY_LOST,
    Fault.SERVER_KILLED,
    Fault.RELOADED,
    Fault.TWO_TABS,
    Fault.TWO_FILES,
)

STORED = "the file was stored, and is stored again"

CLIENTS = [
    Client(
        name="Plain form",
        page="plain-form.html",
        chunked=False,
        submit="button",
        done="pre:has-text('\"status\": 2')",
        failed="#main-frame-error",
        retry=None,
        expects=dict.fromkeys(BROKEN, Outcome.ANEW),
        why={
            Fault.CUT: "Chromium often sends the form again by itself",
            **dict.fromkeys((Fault.REPLY_LOST, Fault.LAST_REPLY_LOST), STORED),
        },
        sizes=("0", "2·chunk+1"),
        share=SHARE,
    )
]
