"""``{{ chunked_upload.dropzone(...) }}``: Dropzone's looks over the project's own library."""

from __future__ import annotations

from pathlib import Path

from tests.browser.client import Client, Fault, Outcome

EXAMPLES = Path(__file__).parents[3] / "examples"

CLIENTS = [
    Client(
        name="Template helper",
        page="/",
        app=EXAMPLES / "dropzone_app.py",
        environment={"FLASK_CHUNKED_UPLOAD_DROPZONE": '{"chunk_size": {chunk}}'},
        input=".dz-hidden-input",
        done=".dz-success",
        failed=".dz-error",
        retry=lambda page: page.click(".dz-error button"),
        waits=".dz-preview[data-state=waiting]",
        expects={Fault.RELOADED: Outcome.RETRIED, Fault.BROWSER_KILLED: Outcome.RETRIED},
        why={Fault.RELOADED: "when the file is picked again"},
        share=(Fault.CUT, Fault.RELOADED),
    )
]
