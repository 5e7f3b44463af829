"""The template helper's zones, in the example's pages and under their strict policy.

Files of all sizes over a bad network are the matrix's (test_matrix.py).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Route, expect

from tests.browser.accessibility import violations
from tests.browser.site import Site
from tests.browser.trial import make_file
from tests.browser.zones import CHUNK, ZonePage, bytes_of, running_example
from tests.support.tabs import Browser

#: Dropzone puts it into the page as HTML.
MESSAGE = "<img src=x onerror=alert(1)> \"Drop\" 'files' & `folders` ${here}"

#: One transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)

Open = Callable[..., ZonePage]


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_example(tmp_path_factory.mktemp("helper"), default_message=MESSAGE) as running:
        yield running


@pytest.fixture
def site(shared_site: Site) -> Site:
    """The example, its network mended."""
    shared_site.proxy.clear()
    return shared_site


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Open]:
    """Open pages in one browser; at the end none of them may have complained."""
    context = browser.new_context()
    pages: list[ZonePage] = []

    def open_page(path: str = "/") -> ZonePage:
        pages.append(ZonePage(context, site, path))
        return pages[-1]

    yield open_page
    assert [page.complaints for page in pages] == [[]] * len(pages)


def test_several_files_at_once_are_of_one_visitor(
    open_page: Open, site: Site, tmp_path: Path
) -> None:
    before = site.stored()
    page = open_page()
    files = [make_file(tmp_path / f"{number}.bin", CHUNK + number) for number in range(4)]
    page.pick(*files)
    page.wait("success", 4)
    assert bytes_of(site.stored() - before) == sorted(file.read_bytes() for file in files)
    assert len(page.uploads()) == 4


def test_after_a_reload_it_goes_on(open_page: Open, site: Site, tmp_path: Path) -> None:
    before = site.stored()
    page = open_page()
    file = make_file(tmp_path / "file.bin", 4 * CHUNK)
    fault = site.proxy.hold(3)
    page.pick(file)
    fault.wait()
    page.open("/")
    fault.release()
    sent = len(site.proxy.chunks)
    page.pick(file)
    page.wait("success")
    assert sum(chunk.received for chunk in site.proxy.chunks[sent:]) <= 2 * CHUNK
    assert bytes_of(site.stored() - before) == [file.read_bytes()]


def test_what_it_waits_for_is_said(open_page: Open, site: Site, tmp_path: Path) -> None:
    page = open_page()
    fault = site.proxy.cut(1)
    page.pick(make_file(tmp_path / "file.bin", 3 * CHUNK))
    fault.wait()
    page.page.get_by_role("status").filter(has_text="The server cannot be reached").wait_for()
    page.wait("success")
    # The first sentence may still be there, if the file was sent again soon enough.
    expect(page.page.get_by_role("status")).to_have_text(re.compile(r"file\.bin is uploaded\.$"))
    expect(page.page.locator(".chunked-upload-said")).to_have_text("Done · 197 kB")
    page.complaints.clear()  # Chromium's own, of the connection


def test_removing_a_file_removes_it_from_the_server(
    open_page: Open, site: Site, tmp_path: Path
) -> None:
    before = site.stored()
    page = open_page()
    page.pick(make_file(tmp_path / "file.bin", 2 * CHUNK))
    page.wait("success")
    with page.page.expect_response(lambda response: response.request.method == "DELETE") as gone:
        page.page.click("text=Remove file")
    assert gone.value.status == 204
    assert site.stored() == before
    assert page.uploads() == []
    assert page.page.locator(".dz-preview").count() == 0


def test_cancelling_removes_what_has_arrived(open_page: Open, site: Site, tmp_path: Path) -> None:
    before = site.unfinished()
    page = open_page()
    asked: list[str] = []

    def confirm(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    page.page.on("dialog", confirm)
    fault = site.proxy.hold(1)
    page.pick(make_file(tmp_path / "file.bin", 3 * CHUNK))
    fault.wait()
    with page.page.expect_response(lambda response: response.request.method == "DELETE") as gone:
        page.page.click("text=Cancel upload")
    fault.release()
    assert gone.value.status == 204
    assert asked == ["You really want to delete this file?"]
    assert site.unfinished() == before
    assert page.uploads() == []


def test_what_is_refused_is_said_before_a_byte_is_sent(
    open_page: Open, site: Site, tmp_path: Path
) -> None:
    page = open_page()
    page.pick(make_file(tmp_path / "program.exe", 10))
    page.wait("error")
    assert page.errors() == ["You can't upload files of this type."]
    assert site.proxy.chunks == []


def test_what_the_server_refuses_is_said(open_page: Open, site: Site, tmp_path: Path) -> None:
    """Here the page lets a type pass that the server does not take."""
    page = open_page()
    page.page.evaluate("document.querySelector('.dropzone').dropzone.options.acceptedFiles = null")
    page.pick(make_file(tmp_path / "program.exe", 10))
    page.wait("error")
    assert page.errors() == [
        "Files of type 'exe' are not accepted, only: jpg, png, pdf, zip, mp4, bin"
    ]
    assert page.page.get_by_role("button", name="Try again").is_visible()
    page.complaints.clear()  # Chromium's own, of the status


def test_a_failed_file_can_be_tried_again(open_page: Open, site: Site, tmp_path: Path) -> None:
    before = site.stored()
    page = open_page()
    file = make_file(tmp_path / "file.bin", CHUNK)
    page.page.route(
        "**/complete", lambda route: route.fulfill(status=400, json={"detail": "Not now"})
    )
    page.pick(file)
    page.wait("error")
    assert page.errors() == ["Not now"]
    page.page.unroute("**/complete")
    page.page.get_by_role("button", name="Try again").click()
    page.page.locator(".dz-success").wait_for()
    assert page.page.locator(".dz-error").count() == 0
    assert bytes_of(site.stored() - before) == [file.read_bytes()]
    page.complaints.clear()


def test_texts_are_texts(open_page: Open) -> None:
    assert open_page().page.inner_text(".dz-message") == MESSAGE


@pytest.mark.parametrize("path", ["/", "/apply"])
def test_it_is_accessible(browser: Browser, site: Site, tmp_path: Path, path: str) -> None:
    """By axe-core, with one file done and one refused."""
    page = ZonePage(browser.new_context(), site, path)
    page.pick(make_file(tmp_path / "a.bin", 5), make_file(tmp_path / "b.exe", 5))
    page.page.locator(".dz-success").wait_for()
    page.page.locator(".dz-error").wait_for()
    assert violations(page.page) == []


def test_pictures_are_shown(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    (tmp_path / "dot.png").write_bytes(PNG)
    page.pick(tmp_path / "dot.png")
    page.page.locator("img[data-dz-thumbnail][src^='data:image/png']").wait_for(state="attached")
    page.wait("success")


def test_under_a_policy_of_nonces(open_page: Open, site: Site, tmp_path: Path) -> None:
    """The scripts that a trusted one loads are trusted too: no address is named."""
    page = open_page()

    def with_nonces(route: Route) -> None:
        answer = route.fetch()
        policy = (
            "default-src 'none'; script-src 'nonce-n0nce' 'strict-dynamic' 'wasm-unsafe-eval';"
            " style-src 'nonce-n0nce'; connect-src 'self'; img-src data:"
        )
        body = re.sub("<(script|link) ", r'<\1 nonce="n0nce" ', answer.text())
        headers = {**answer.headers, "content-security-policy": policy}
        route.fulfill(response=answer, body=body, headers=headers)

    page.page.route(site.url + "/", with_nonces)
    page.open("/")
    page.pick(make_file(tmp_path / "file.bin", CHUNK + 1))
    page.wait("success")


# On a click


def test_on_a_click_then_on_to_the_next_page(open_page: Open, site: Site, tmp_path: Path) -> None:
    before = site.stored()
    page = open_page("/click")
    files = [make_file(tmp_path / f"{number}.png", 2 * CHUNK + number) for number in range(3)]
    page.pick(*files)
    page.page.locator(".dz-preview").nth(2).wait_for()
    assert site.proxy.chunks == []
    with page.going_to("/thanks"):
        page.page.click("#upload")
    assert bytes_of(site.stored() - before) == sorted(file.read_bytes() for file in files)


def test_no_next_page_after_a_failure(open_page: Open, site: Site, tmp_path: Path) -> None:
    page = open_page("/click")
    page.pick(make_file(tmp_path / "a.png", 5), make_file(tmp_path / "b.txt", 5))
    page.page.locator(".dz-error").wait_for()
    page.page.evaluate("""() => {
        const element = document.querySelector(".dropzone");
        element.addEventListener("chunked-upload:complete", () => { document.title = "wrong"; });
        element.dropzone.on("queuecomplete", () => element.classList.add("over"));
    }""")
    page.page.click("#upload")
    page.page.locator(".dropzone.over .dz-success").wait_for()
    assert (page.page.url, page.page.title()) == (f"{site.url}/click", "Uploads")


# In a form


def test_a_form_waits_for_its_uploads(open_page: Open, site: Site, tmp_path: Path) -> None:
    page = open_page("/apply")
    fault = site.proxy.hold(0)
    page.pick(make_file(tmp_path / "a.bin", CHUNK + 1), make_file(tmp_path / "b.bin", 7))
    fault.wait()
    page.page.fill("[name=name]", "Ada")
    page.page.click("button:text('Apply')")
    assert page.page.url == f"{site.url}/apply"
    fault.release()
    page.page.wait_for_function("() => document.body.innerText.includes('sent')")
    said = page.page.inner_text("body")
    assert said.startswith("Ada sent ")
    assert "a.bin (65537 bytes)" in said
    assert "b.bin (7 bytes)" in said


def test_a_removed_file_is_not_in_the_form(open_page: Open, site: Site, tmp_path: Path) -> None:
    page = open_page("/apply")
    page.pick(make_file(tmp_path / "a.bin", 1), make_file(tmp_path / "b.bin", 2))
    page.wait("success", 2)
    with page.page.expect_response(lambda response: response.request.method == "DELETE"):
        page.page.locator(".dz-preview", has_text="a.bin").locator(".dz-remove").click()
    page.page.fill("[name=name]", "Ada")
    page.page.click("button:text('Apply')")
    page.page.wait_for_function("() => document.body.innerText.includes('sent')")
    assert page.page.inner_text("body") == "Ada sent b.bin (2 bytes)"


# Elsewhere


def test_pages_of_an_app_hear_of_it(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    page.page.evaluate(
        "document.addEventListener('chunked-upload:complete', ({ detail }) =>"
        " (document.title = JSON.stringify(detail.uploads)))"
    )
    page.pick(make_file(tmp_path / "file.bin", 3))
    page.page.wait_for_function("() => document.title.startsWith('[')")
    heard: Any = json.loads(page.page.title())
    assert (heard[0]["filename"], heard[0]["length"]) == ("file.bin", 3)


def test_a_page_that_is_older_than_its_session_gets_a_new_token(
    open_page: Open, site: Site, tmp_path: Path
) -> None:
    before = site.stored()
    page = open_page()
    page.page.context.clear_cookies()
    file = make_file(tmp_path / "file.bin", CHUNK + 1)
    page.pick(file)
    page.wait("success")
    assert bytes_of(site.stored() - before) == [file.read_bytes()]
    page.complaints.clear()  # Chromium's own, of the status 400


def test_without_scripts_it_is_a_plain_form(browser: Browser, site: Site, tmp_path: Path) -> None:
    before = site.stored()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url)
    file = make_file(tmp_path / "file.bin", 2 * CHUNK + 1)
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/uploads/form")
    assert bytes_of(site.stored() - before) == [file.read_bytes()]


def test_a_script_that_does_not_arrive_is_no_silence(browser: Browser, site: Site) -> None:
    page = browser.new_context(locale="de").new_page()
    page.route("**/chunked-upload-dropzone.js", lambda route: route.abort())
    page.goto(site.url)
    page.evaluate("() => document.getAnimations().forEach((one) => one.finish())")
    expect(page.get_by_text("Ein Teil dieser Seite wurde nicht geladen.")).to_be_visible()
    page.unroute_all()
    page.get_by_role("link", name="Seite neu laden").click()
    page.locator(".dz-hidden-input").first.wait_for(state="attached")
    expect(page.locator(".chunked-upload-not-loaded")).to_have_count(0)
    page.context.close()
