"""jQuery-File-Upload 10, by the recipe of its documentation: ``GET ?file=``, ``uploadedBytes``."""

from __future__ import annotations

from tests.browser.client import Client, Fault, Outcome

PACKAGES = {
    "jquery": "jquery",
    "blueimp-file-upload": "blueimp-file-upload",
    "spark-md5": "spark-md5",
}

#: A page that has gone knows nothing of its upload; the user picks the file again.
PICKED_AGAIN = {Fault.RELOADED: Outcome.RETRIED, Fault.BROWSER_KILLED: Outcome.RETRIED}

CLIENTS = [
    Client(
        name="jQuery-File-Upload",
        page="jquery-file-upload.html",
        packages=PACKAGES,
        expects=PICKED_AGAIN,
        # Killed, the browser has its cookie left; the page's cell is about that.
        share=tuple(fault for fault in Fault if fault is not Fault.BROWSER_KILLED),
    ),
    Client(
        name="jQuery-File-Upload, multipart: false",
        page="jquery-file-upload.html",
        packages=PACKAGES,
        attributes={"multipart": "false"},
        expects=PICKED_AGAIN,
        share=(Fault.CUT, Fault.REPLY_LOST, Fault.RELOADED),
    ),
]
