"""tus-js-client 4 and Uppy 6, over the tus protocol and over the IETF's resumable uploads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.client import Client, Fault, Outcome

#: Their pages remember addresses, tus-js-client no files.
PICKED_AGAIN = {Fault.RELOADED: Outcome.RETRIED, Fault.BROWSER_KILLED: Outcome.RETRIED}

#: What makes a difference to them: whether there are bytes at all.
FEW = ("0", "2·chunk+1")

#: Looks for the address of an upload, which of one in parts is noted when all parts have one.
NOTED = "Object.keys(localStorage).some((key) => key.startsWith('tus::'))"

#: Two tabs share an upload, and the library does not retry what it is told about a finished one.
TOGETHER = {Fault.TWO_TABS: Outcome.RETRIED}

#: The Dashboard's input for files; another is for folders.
INPUT = ".uppy-Dashboard-input >> nth=0"

#: Looks into Golden Retriever's database, to which it writes twice a second.
KEPT = """async () => {
    const open = indexedDB.open("uppy-blobs");
    await new Promise((then) => (open.onsuccess = then));
    const read = open.result.transaction(["files", "metadata"]);
    const all = (store) => new Promise((then) => {
        const request = read.objectStore(store).getAll();
        request.onsuccess = () => then(request.result);
    });
    const [files, states] = await Promise.all([all("files"), all("metadata")]);
    open.result.close();
    return files.length > 0 && states.some(({ metadata }) => metadata.includes("uploadUrl"));
}"""


def tus_js_client(
    name: str,
    *,
    share: Collection[Fault] = (),
    chunked: bool = True,
    keeps: bool = True,
    expects: dict[Fault, Outcome] | None = None,
    **others: Any,
) -> Client:
    """Return tus-js-client with options.

    :param others: ``data-`` attributes of the page.
    """
    attributes = {key.replace("_", "-"): value for key, value in others.items()}
    return Client(
        name=name,
        page="tus-js-client.html",
        packages={"tus-js-client": "tus-js-client"},
        attributes=attributes,
        chunked=chunked,
        keeps=keeps,
        remembered=lambda page: page.wait_for_function(NOTED),
        expects=PICKED_AGAIN | (expects or {}),
        why=dict.fromkeys(PICKED_AGAIN, "when the file is picked again")
        | dict.fromkeys(expects or {}, "sometimes without a press of the button"),
        sizes=FEW,
        share=share,
    )


def uppy(name: str, *, share: Collection[Fault], attributes: Mapping[str, str]) -> Client:
    """Return Uppy's Dashboard with Golden Retriever."""
    return Client(
        name=name,
        page="uppy.html",
        packages={
            folder: folder
            for folder in ("uppy", "@uppy/core", "@uppy/tus", "@uppy/golden-retriever")
        },
        attributes=attributes,
        keeps=True,
        input=INPUT,
        done=".uppy-Dashboard-Item.is-complete",
        failed=".uppy-Dashboard-Item.is-error",
        retry=lambda page: page.click(".uppy-StatusBar-actionBtn--retry"),
        remembered=lambda page: page.wait_for_function(KEPT),
        resume=resume,
        expects=PICKED_AGAIN,
        why=dict.fromkeys(PICKED_AGAIN, "the file is still there; one click resumes"),
        sizes=FEW,
        share=share,
    )


def resume(page: Page, files: Sequence[Path]) -> None:
    """Press the button of what Golden Retriever has brought back."""
    page.click(".uppy-StatusBar-actionBtn--upload")


CLIENTS = [
    tus_js_client(
        "tus-js-client",
        chunked=False,
        share=(Fault.CUT, Fault.LAST_REPLY_LOST, Fault.SERVER_KILLED, Fault.RELOADED),
    ),
    tus_js_client("tus-js-client, chunkSize", share=(Fault.TWO_TABS,)),
    tus_js_client(
        "tus-js-client, parallelUploads: 2",
        parallel_uploads="2",
        expects=TOGETHER,
        share=(Fault.CUT, Fault.LAST_REPLY_LOST),
    ),
    tus_js_client(
        "tus-js-client, uploadDataDuringCreation",
        data_during_creation="true",
        keeps=False,  # of the first request, whose answer tells where the upload is
        share=(Fault.CUT,),
    ),
    tus_js_client(
        "tus-js-client, protocol: ietf-draft-05",
        endpoint="/uploads/",
        protocol="ietf-draft-05",
        expects=TOGETHER,
        share=(Fault.CUT, Fault.LAST_REPLY_LOST),
    ),
    uppy("Uppy", share=(Fault.CUT, Fault.RELOADED), attributes={}),
]
