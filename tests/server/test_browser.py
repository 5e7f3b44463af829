"""A real browser against a real server: the page under its policy, and chunks from its scripts."""

from __future__ import annotations

import hashlib

from playwright.sync_api import Browser, ConsoleMessage, expect

from tests.server.client import call
from tests.support.built import can_be_built
from tests.support.missing import skip_without
from tests.support.server import Server

#: Uploads a Blob of ``size`` bytes in slices, as a page would, and returns the completion.
UPLOAD = """
async ({url, size, chunk, md5}) => {
    const bytes = new Uint8Array(size).map((_, at) => at % 251);
    const blob = new Blob([bytes]);
    const headers = {};
    let uploadId = null;
    for (let start = 0; start < size; start += chunk) {
        const stop = Math.min(start + chunk, size);
        const form = new FormData();
        if (uploadId) form.append("upload_id", uploadId);
        form.append("file", blob.slice(start, stop), "grüße.bin");
        headers["Content-Range"] = `bytes ${start}-${stop - 1}/${size}`;
        const response = await fetch(`${url}/uploads/`, {method: "POST", body: form, headers});
        const answer = await response.json();
        if (!response.ok || answer.offset !== stop) throw new Error(JSON.stringify(answer));
        uploadId = answer.upload_id;
    }
    const body = new URLSearchParams({upload_id: uploadId, md5});
    const response = await fetch(`${url}/uploads/complete`, {method: "POST", body});
    return await response.json();
}
"""

#: What a page sees when it is refused with most of the body still to be sent.
REFUSED = """
async ({url, size}) => {
    const body = new Blob([new Uint8Array(size)]);
    const headers = {"Content-Range": `bytes 0-${size - 1}/${size}`};
    const path = `${url}/uploads/${"0".repeat(32)}`;
    const response = await fetch(path, {method: "PUT", body, headers});
    return {status: response.status, answer: await response.json()};
}
"""


def test_the_tests_servers_serve_what_the_wheel_ships(server: Server) -> None:
    """A page of many files takes three times as long, and nobody would notice."""
    if not can_be_built():
        skip_without("frontend/node_modules", install="npm, then run make vendor")
    assert call(server, "GET", "/static/page/main.js").status == 200
    assert call(server, "GET", "/static/page/format.js").status == 404  # it is in a bundle


def test_the_page_loads_under_its_policy_without_complaints(
    server: Server, browser: Browser
) -> None:
    page = browser.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("response", lambda r: complaints.append(r.url) if r.status >= 400 else None)
    response = page.goto(server.url + "/", wait_until="load")
    assert response is not None
    assert response.status == 200
    assert page.inner_text("h1") == "Upload files"
    expect(page.get_by_text("Nothing here yet")).to_be_visible()  # its requests were allowed
    assert page.eval_on_selector(".cu", "page => getComputedStyle(page).containerType")
    assert complaints == []


def test_a_page_uploads_in_chunks_and_completes(server: Server, browser: Browser) -> None:
    size = 3_000_001
    data = bytes(at % 251 for at in range(size))
    page = browser.new_page()
    page.goto(server.url + "/uploads/")  # JSON: a page of this origin without a policy
    done = page.evaluate(
        UPLOAD,
        {
            "url": server.url,
            "size": size,
            "chunk": 700_000,
            "md5": hashlib.md5(data).hexdigest(),
        },
    )
    assert (done["status"], done["filename"]) == (2, "grüße.bin")
    assert call(server, "GET", done["url"]).body == data
    listed = page.evaluate("async () => (await fetch('/uploads/')).json()")
    assert [upload["upload_id"] for upload in listed["uploads"]] == [done["upload_id"]]


def test_a_page_reads_why_it_was_refused_in_the_middle_of_a_large_body(
    server: Server, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(server.url + "/uploads/")
    seen = page.evaluate(REFUSED, {"url": server.url, "size": 50_000_000})
    assert seen["status"] == 404
    assert seen["answer"]["detail"] == "Upload not found"
