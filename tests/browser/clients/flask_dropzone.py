"""Flask-Dropzone 2.0, the package, as the example sets it up."""

from __future__ import annotations

from pathlib import Path

from tests.browser.client import Client, Fault, Outcome

EXAMPLES = Path(__file__).parents[3] / "examples"

#: What a user does: removes the file that failed, and adds it again.
AGAIN = """() => {
    const [zone] = Dropzone.instances;
    for (const file of zone.getFilesWithStatus(Dropzone.ERROR)) {
        zone.removeFile(file);
        zone.addFile(file);
    }
}"""

CLIENTS = [
    Client(
        name="Flask-Dropzone",
        page="/",
        app=EXAMPLES / "flask_dropzone_app.py",
        environment={"FLASK_CHUNK_SIZE": "{chunk}"},
        # It leaves the page after failures too, so that there would be nothing to see.
        prepare=lambda page: page.evaluate("Dropzone.instances[0].off('queuecomplete')"),
        input=".dz-hidden-input",
        done=".dz-success",
        failed=".dz-error",
        retry=lambda page: page.evaluate(AGAIN),
        expects={
            Fault.SERVER_KILLED: Outcome.RETRIED,
            Fault.RELOADED: Outcome.ANEW,
            Fault.BROWSER_KILLED: Outcome.ANEW,
        },
        # Dropzone tries chunks again, but not a file that goes in one request.
        whole=dict.fromkeys((Fault.CUT, Fault.REPLY_LOST, Fault.LAST_REPLY_LOST), Outcome.RETRIED),
        why={
            Fault.SERVER_KILLED: "its tries follow at once",
            Fault.RELOADED: "it keeps nothing across pages",
            Fault.BROWSER_KILLED: "it keeps nothing across pages",
        },
        share=(Fault.CUT, Fault.LAST_REPLY_LOST),
    )
]
