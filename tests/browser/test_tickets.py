"""Clients in a browser upload with a ticket alone, by the options that docs/tickets.md shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.site import Site
from tests.support import npm, preloaded
from tests.support.protocol import md5_of
from tests.support.server import PROGRAM, Server
from tests.support.tabs import Browser

DOCUMENT = Path(__file__).parents[2] / "docs" / "tickets.md"

#: The document's table: a client's options by its name.
OPTIONS = dict(
    re.findall(r"^\| \[?([\w -]+\w).* \| `(headers: .+)` \|$", DOCUMENT.read_text(), re.M)
)

#: Upload `file` with `options`, and call `end` with "done" or the server's answer. What is sent by
#: django-chunked-upload's protocol is completed with `complete`.
UPLOADS = {
    "jQuery-File-Upload": """
        $("<form><input type='file' name='file'></form>").appendTo("body").fileupload({
            url: "/uploads/",
            maxChunkSize: 10,
            formData: [],
            chunkdone: (_, data) => {
                data.formData[0] = {name: "upload_id", value: data.result.upload_id};
            },
            done: async (_, data) => end(await complete(data.result.upload_id)),
            fail: (_, data) => end(data.jqXHR.responseJSON.detail),
            ...options,
        }).fileupload("add", {files: [file]});
    """,
    "Uppy (Tus)": """
        const {Uppy, Tus} = await import("/uppy.js");
        const uppy = new Uppy({autoProceed: true});
        uppy.use(Tus, {endpoint: "/uploads/tus/", ...options});
        uppy.on("upload-success", () => end("done"));
        uppy.on("upload-error", (_, error) => end(error.message));
        uppy.addFile({name: file.name, data: file});
    """,
    "Uppy (XHRUpload)": """
        const {Uppy, XHRUpload} = await import("/uppy.js");
        const uppy = new Uppy({autoProceed: true});
        uppy.use(XHRUpload, {endpoint: "/uploads/", fieldName: "file", ...options});
        uppy.on("upload-success", async (_, answer) => end(await complete(answer.body.upload_id)));
        uppy.on("upload-error", (_, error) => end(error.request.responseText));
        uppy.addFile({name: file.name, data: file});
    """,
    "Dropzone": """
        const element = document.createElement("div");
        const zone = new Dropzone(element, {url: "/uploads/", chunking: true, ...options});
        zone.on("success", () => end("done"));
        zone.on("error", (_, answer) => end(answer.detail));
        zone.addFile(file);
    """,
    "tus-js-client": """
        const ended = {onSuccess: () => end("done"), onError: (error) => end(error.message)};
        const metadata = {filename: file.name};
        new tus.Upload(file, {endpoint: "/uploads/tus/", metadata, ...ended, ...options}).start();
    """,
    "the client library": """
        const {ChunkedUploader} = await import("/uploads/static/chunked-upload.js");
        const upload = new ChunkedUploader({endpoint: "/uploads/", ...options}).add(file);
        upload.addEventListener("done", () => end("done"));
        upload.addEventListener("error", () => end(upload.error.detail));
    """,
}

_PAGE = b"""<!doctype html>
<title>an app's page</title>
<script src="/dropzone.js"></script><script src="/tus.js"></script>
<script src="/jquery.js"></script><script src="/widget.js"></script>
<script src="/fileupload.js"></script>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that takes nothing from who has no token and no ticket."""
    dropzone = npm.package("dropzone-6") / "dist" / "dropzone-min.js"
    tus = npm.package("tus-js-client") / "dist" / "tus.min.js"
    uppy = npm.package("uppy") / "dist" / "uppy.min.mjs"
    jquery = npm.package("jquery") / "dist" / "jquery.min.js"
    file_upload = npm.package("blueimp-file-upload") / "js"
    environment = {"CHUNKED_UPLOAD_REQUIRE_TOKENS": "1"}
    with Site(Server(tmp_path_factory.mktemp("tickets"), environment)) as running:
        running.proxy.files = {
            "/page.html": _PAGE,
            "/dropzone.js": dropzone.read_bytes(),
            "/tus.js": tus.read_bytes(),
            "/uppy.js": uppy.read_bytes(),
            "/jquery.js": jquery.read_bytes(),
            "/widget.js": (file_upload / "vendor" / "jquery.ui.widget.js").read_bytes(),
            "/fileupload.js": (file_upload / "jquery.fileupload.js").read_bytes(),
        }.get
        yield running


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    with browser.new_context() as context:
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.goto(f"{site.url}/page.html")
        yield tab


@pytest.fixture
def ticket(site: Site) -> str:
    """A ticket for one upload, made where the server runs."""
    command = [PROGRAM, "create-ticket", "--uploads", "1"]
    server = site.server
    made = preloaded.run(command, cwd=server.directory, env=server.environment)
    made.check_returncode()
    return made.stdout.strip()


@pytest.mark.parametrize("client", UPLOADS)
def test_a_client_uploads_with_a_ticket(page: Page, site: Site, ticket: str, client: str) -> None:
    def upload(content: str, ticket: str) -> str:
        script = f"""async ([content, ticket, md5]) => {{
            const file = new File([content], `${{content}}.txt`);
            const options = {{{OPTIONS[client.partition(" (")[0]]}}};
            const complete = async (upload_id) => {{
                const body = new URLSearchParams({{upload_id, md5}});
                const asked = {{method: "POST", body, ...options}};
                return (await fetch("/uploads/complete", asked)).ok ? "done" : "not completed";
            }};
            const upload = async (end) => {{ {UPLOADS[client]} }};
            return new Promise((end, fail) => {{ upload(end).catch(fail); }});
        }}"""
        ended: str = page.evaluate(script, [content, ticket, md5_of(content.encode())])
        return ended

    content = f"sent by {client}"
    assert upload(content, ticket) == "done"
    assert content in [path.read_text() for path in site.stored()]
    assert "The ticket has begun 1 uploads" in upload("one too many", ticket)
