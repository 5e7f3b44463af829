"""Dropzone 5.9 and 6, as their documentation has them set up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tests.browser.client import Client, Fault, Outcome

#: It keeps nothing across pages.
EXPECTS = dict.fromkeys((Fault.RELOADED, Fault.BROWSER_KILLED), Outcome.ANEW)
WHY = dict.fromkeys(EXPECTS, "it keeps nothing across pages")

#: Where nothing is kept, a browser that was killed is as a page that was loaded again.
SHARE = tuple(fault for fault in Fault if fault is not Fault.BROWSER_KILLED)

#: Several files in one request are sent once; their page leaves a second time to the user.
FAILING = (Fault.CUT, Fault.REPLY_LOST, Fault.LAST_REPLY_LOST, Fault.SERVER_KILLED)
MULTIPLE = EXPECTS | dict.fromkeys(FAILING, Outcome.RETRIED)

#: Version 5 has its script in another place.
SCRIPT = {"dropzone/dist/dropzone-min.js": "dropzone-5/dist/min/dropzone.min.js"}


def dropzone(
    name: str,
    folder: str,
    *,
    page: str = "dropzone.html",
    share: Collection[Fault] = (),
    **others: Any,
) -> Client:
    """Return a client.

    :param folder: its npm package among the tests'.
    :param others: ``data-`` attributes of the page.
    """
    attributes: Mapping[str, str] = others
    packages = {"dropzone": folder}
    if page == "dropzone.html":
        packages["spark-md5"] = "spark-md5"
    multiple = page == "dropzone-multiple.html"
    return Client(
        name=name,
        page=page,
        packages=packages,
        files=SCRIPT if folder == "dropzone-5" else {},
        attributes=attributes,
        share=share,
        chunked=not multiple,
        input=".dz-hidden-input",
        done=".dz-success",
        failed=".dz-error button",
        retry=lambda tab: tab.click(".dz-error button"),
        expects=MULTIPLE if multiple else EXPECTS,
        why=WHY,
    )


CLIENTS = [
    dropzone("Dropzone 5", "dropzone-5", share=(Fault.CUT, Fault.LAST_REPLY_LOST)),
    dropzone("Dropzone 5, parallel", "dropzone-5", parallel="true"),
    dropzone("Dropzone 6", "dropzone-6", force="true"),
    dropzone("Dropzone 6, parallel", "dropzone-6", parallel="true", share=SHARE),
    dropzone("Dropzone 6, binaryBody", "dropzone-6", page="dropzone-binary.html"),
    dropzone("Dropzone 6, uploadMultiple", "dropzone-6", page="dropzone-multiple.html"),
    dropzone("Dropzone 6.0.0-beta.2, parallel", "dropzone-6-beta", parallel="true"),
]
