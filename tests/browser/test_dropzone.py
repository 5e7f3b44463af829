"""Dropzone beyond the matrix: its options, what it shows of errors, cancel and remove."""

from __future__ import annotations

import filecmp
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.client import CHUNK, Client
from tests.browser.clients.dropzone import CLIENTS
from tests.browser.faults import Request
from tests.browser.site import Site, Sites
from tests.browser.trial import make_file
from tests.support.browser import print_failures
from tests.support.protocol import md5_of
from tests.support.tabs import Browser

SIZE = 3 * CHUNK + 1
BY_NAME = {client.name: client for client in CLIENTS}
PARALLEL = BY_NAME["Dropzone 6, parallel"]
MULTIPLE = BY_NAME["Dropzone 6, uploadMultiple"]
PATIENCE = 60_000


class Tab:
    """A client's page, open in a tab of a new visitor."""

    def __init__(self, sites: Sites, browser: Browser, client: Client) -> None:
        self.client = client
        self.site: Site = sites.of(client)
        self.page: Page = browser.new_page()
        print_failures(self.page)
        self.page.on("dialog", lambda dialog: dialog.accept())
        client.open(self.page, self.site.url)
        self._before = self.site.stored()

    @property
    def stored(self) -> set[Path]:
        """The files that were completed since."""
        return self.site.stored() - self._before

    def pick(self, *files: Path) -> None:
        self.client.begin(self.page, files)

    def done(self, *files: Path) -> None:
        """Wait until files are done, and check that they, and only they, are stored."""
        done = self.page.locator(self.client.done)
        expect(done).to_have_count(len(files), timeout=PATIENCE)
        assert len(self.stored) == len(files)
        for file in files:
            assert any(filecmp.cmp(file, path, shallow=False) for path in self.stored), file

    def shows(self, text: str) -> None:
        """Wait until the file's error says so."""
        message = self.page.locator("[data-dz-errormessage]")
        expect(message).to_have_text(text, timeout=PATIENCE)

    def removed(self) -> None:
        """Wait until the server has answered the deletion."""
        self.site.proxy.wait(lambda proxy: any(is_over(request) for request in proxy.requests))


def is_over(request: Request) -> bool:
    return request.method == "DELETE" and request.status == 204


@pytest.mark.parametrize("name", ["Dropzone 5", "Dropzone 6, binaryBody"])
def test_cancel_in_mid_upload(sites: Sites, browser: Browser, tmp_path: Path, name: str) -> None:
    """Whatever is in flight then, nothing of the file stays."""
    tab = Tab(sites, browser, BY_NAME[name])
    parts = tab.site.unfinished()
    held = tab.site.proxy.hold(1)
    tab.pick(make_file(tmp_path / "file.bin", SIZE))
    held.wait()
    assert tab.site.unfinished() - parts
    tab.page.click(".dz-remove")
    tab.removed()
    held.release()
    tab.site.proxy.wait(lambda proxy: all(request.over for request in proxy.requests))
    assert tab.site.unfinished() <= parts
    assert not tab.stored


def test_cancel_with_chunks_in_flight(sites: Sites, browser: Browser, tmp_path: Path) -> None:
    """Version 5 leaves parallel requests running; what they bring is not the upload any more."""
    tab = Tab(sites, browser, BY_NAME["Dropzone 5, parallel"])
    parts = tab.site.unfinished()
    held = [tab.site.proxy.hold(number) for number in (0, 2)]
    tab.pick(make_file(tmp_path / "file.bin", SIZE))
    for one in held:
        one.wait()
    tab.page.click(".dz-remove")
    tab.removed()
    for one in held:
        one.release()
    tab.site.proxy.wait(lambda proxy: all(request.over for request in proxy.requests))
    assert {chunk.status for chunk in tab.site.proxy.chunks} & {404}
    assert tab.site.unfinished() <= parts
    assert not tab.stored


@pytest.mark.parametrize("client", [PARALLEL, MULTIPLE], ids=str)
def test_remove_a_file_that_is_done(
    sites: Sites, browser: Browser, tmp_path: Path, client: Client
) -> None:
    tab = Tab(sites, browser, client)
    file = make_file(tmp_path / "file.bin", SIZE)
    tab.pick(file)
    tab.done(file)
    tab.page.click(".dz-remove")
    tab.removed()
    assert not tab.stored


#: The first chunk is stored before the others are sent, and its answer comes after theirs.
FIRST_ANSWERED_LAST = """
() => {
    let stored;
    const first = new Promise((resolve) => (stored = resolve));
    zone.on("sending", (file, xhr, form) => {
        const send = xhr.send.bind(xhr);
        if (form.get("dzchunkindex") !== "0") {
            xhr.send = (body) => first.then(() => send(body));
            return;
        }
        xhr.send = (body) => {
            const { onload } = xhr;
            const others = () => file.upload.chunks.slice(1);
            const answer = (event) => {
                if (others().every((chunk) => chunk?.status === "success")) onload.call(xhr, event);
                else setTimeout(answer, 5, event);
            };
            xhr.onload = (event) => (stored(), answer(event));
            send(body);
        };
    });
}
"""


def test_the_answer_that_comes_last_may_be_that_of_an_earlier_chunk(
    sites: Sites, browser: Browser, tmp_path: Path
) -> None:
    tab = Tab(sites, browser, PARALLEL)
    file = make_file(tmp_path / "file.bin", SIZE)
    tab.page.evaluate(FIRST_ANSWERED_LAST)
    with tab.page.expect_response(lambda answer: answer.request.method == "GET"):
        tab.pick(file)
    tab.done(file)


def test_an_md5_that_does_not_match_is_shown(
    sites: Sites, browser: Browser, tmp_path: Path
) -> None:
    """The upload stays as it was; with the right one it is completed, sent again or not."""
    tab = Tab(sites, browser, PARALLEL)
    file = make_file(tmp_path / "file.bin", SIZE)
    tab.page.evaluate("window.md5Of = async () => '0'.repeat(32)")
    tab.pick(file)
    tab.shows("md5 checksum does not match")
    assert not tab.stored
    # Four tries of the last chunk; the server keeps what it has.
    assert [chunk.status for chunk in tab.site.proxy.chunks].count(400) == 4
    tab.page.evaluate("md5 => { zone.files[0].md5 = md5 }", md5_of(file.read_bytes()))
    tab.page.click(".dz-error button")
    tab.done(file)


@pytest.mark.parametrize("client", [PARALLEL, MULTIPLE], ids=str)
def test_a_refusal_is_shown(sites: Sites, browser: Browser, tmp_path: Path, client: Client) -> None:
    refusing = replace(client, environment={"CHUNKED_UPLOAD_MAX_BYTES": "100K"})
    tab = Tab(sites, browser, refusing)
    tab.pick(make_file(tmp_path / "large.bin", SIZE))
    tab.shows("Size of file exceeds the limit (102400 bytes)")
    assert not tab.stored


def test_several_files_in_one_request(sites: Sites, browser: Browser, tmp_path: Path) -> None:
    tab = Tab(sites, browser, MULTIPLE)
    files = [make_file(tmp_path / f"{size}.bin", size) for size in (0, 1, CHUNK, SIZE)]
    tab.pick(*files)
    tab.done(*files)
    assert len(tab.site.proxy.chunks) == 1
    names = tab.page.evaluate("zone.files.map((file) => file.uploaded.filename)")
    assert names == [file.name for file in files]


def test_one_of_several_is_refused(sites: Sites, browser: Browser, tmp_path: Path) -> None:
    """Then all are, and each file says why."""
    refusing = replace(MULTIPLE, environment={"CHUNKED_UPLOAD_DENIED_EXTENSIONS": "exe"})
    tab = Tab(sites, browser, refusing)
    tab.pick(make_file(tmp_path / "a.bin", 1), make_file(tmp_path / "b.exe", 1))
    messages = tab.page.locator("[data-dz-errormessage]")
    expected = ["Files of type 'exe' are not accepted"] * 2
    expect(messages).to_have_text(expected, timeout=PATIENCE)
    assert not tab.stored


@pytest.mark.parametrize("name", ["Dropzone 5", "Dropzone 6, parallel"])
@pytest.mark.parametrize("size", [CHUNK // 2, 2 * CHUNK + 7, SIZE - 3])
def test_a_transformed_file(
    sites: Sites, browser: Browser, tmp_path: Path, name: str, size: int
) -> None:
    """Dropzone announces the size of the file that was picked, whatever it makes of it."""
    tab = Tab(sites, browser, BY_NAME[name])
    tab.page.evaluate(
        """size => {
            zone.options.transformFile = (file, done) => done(file.slice(0, size));
            window.md5Of = async () => "";
        }""",
        size,
    )
    file = make_file(tmp_path / "file.bin", SIZE)
    short = tmp_path / "short.bin"
    short.write_bytes(file.read_bytes()[:size])
    tab.pick(file)
    tab.done(short)


def test_many_files_at_once(sites: Sites, browser: Browser, tmp_path: Path) -> None:
    """Of a browser without a cookie: several uploads begin before the first answer sets one."""
    tab = Tab(sites, browser, PARALLEL)
    files = [make_file(tmp_path / f"{number}.bin", SIZE + number) for number in range(5)]
    tab.pick(*files)
    tab.done(*files)


def test_the_browsers_own_repeat_on_a_kept_connection(
    sites: Sites, browser: Browser, tmp_path: Path
) -> None:
    """Chromium sends a chunk again by itself, behind the page's back."""
    tab = Tab(sites, browser, BY_NAME["Dropzone 5"])
    tab.site.proxy.keep_alive = True
    lost = tab.site.proxy.lose_reply(2)
    file = make_file(tmp_path / "file.bin", SIZE)
    tab.pick(file)
    lost.wait()
    tab.done(file)


def test_params_of_a_page_that_replace_dropzones_own(
    sites: Sites, browser: Browser, tmp_path: Path
) -> None:
    """A function gives its own fields beside Dropzone's, as docs/protocol.md says."""
    tab = Tab(sites, browser, BY_NAME["Dropzone 5"])
    tab.page.evaluate(
        """() => {
            const own = zone.options.params;
            zone.options.params = function (files, xhr, chunk) {
                return { ...own.call(this, files, xhr, chunk), album: "summer" };
            };
        }"""
    )
    file = make_file(tmp_path / "file.bin", SIZE)
    tab.pick(file)
    tab.done(file)
    upload = tab.page.evaluate(
        "fetch('/uploads/?status=2&metadata=1').then((answer) => answer.json())"
    )
    assert upload["uploads"][0]["metadata"] == {"album": "summer"}
    assert re.fullmatch(r"[0-9a-f]{32}", upload["uploads"][0]["md5"])
