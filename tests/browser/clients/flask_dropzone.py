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

EXPECTS = dict.fromkeys((Fault.RELOADED, Fault.BROWSER_KILLED), Outcome.ANEW)

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
        expects=EXPECTS,
        why=dict.fromkeys(EXPECTS, "it keeps nothing across pages"),
        share=(Fault.CUT, Fault.LAST_REPLY_LOST),
    )
]
