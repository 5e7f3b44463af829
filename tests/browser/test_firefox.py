"""The page, a zone and the client library in Firefox: the main line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.clients.page import PAGE
from tests.browser.library import PAGE as LIBRARY
from tests.browser.site import AppServer, Site, Sites
from tests.browser.trial import make_file
from tests.browser.zones import ROOT, bytes_of, need_dropzone
from tests.support.firefox import Firefox, firefox
from tests.support.protocol import md5_of

# Mozilla's client leaves sockets to the collector while it waits for Firefox to start, and Firefox
# keeps connections to a site that is closed before it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <(socket|function StreamWriter)"
    ":pytest.PytestUnraisableExceptionWarning"
)

CHUNK = 64 * 1024
SIZE = 6 * CHUNK + 1

#: The state of a file's row.
STATE = "return document.querySelector(`[title='${arguments[0]}']`)?.closest('.cu-row')"

#: A picked file's handle is Chromium's alone; here files are chosen at inputs.
INPUT = "[data-input=files]"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox")) as started:
        yield started


@pytest.fixture
def tab(running: Firefox, sites: Sites) -> Iterator[Firefox]:
    """Firefox as a visitor who is new at the page's site."""
    yield running
    running.open("about:blank")


def wait_for_state(tab: Firefox, name: str, state: str) -> None:
    tab.wait(f"{STATE}?.dataset.state === arguments[1]", name, state)


def test_a_file_is_uploaded_downloaded_and_deleted(
    tab: Firefox, sites: Sites, tmp_path: Path
) -> None:
    site = sites.of(PAGE)
    before = site.stored()
    tab.open(f"{site.url}/")
    files = [make_file(tmp_path / name, SIZE) for name in ("a.bin", "b.bin")]
    tab.choose(INPUT, *files)
    for file in files:
        wait_for_state(tab, file.name, "done")
    assert bytes_of(site.stored() - before) == sorted(file.read_bytes() for file in files)
    tab.open(f"{site.url}/")  # where finished files are listed, and may be deleted
    link = tab.wait(
        "return [...document.querySelectorAll('a[href]')]"
        ".find((link) => link.ariaLabel === 'Download a.bin')?.href"
    )
    received = tab.wait(
        """return (window.received ??= fetch(arguments[0]).then(async (answer) =>
            [answer.headers.get("Content-Disposition"),
             (await answer.arrayBuffer()).byteLength])) && window.received""",
        link,
    )
    assert received[0].startswith("attachment;")
    assert received[1] == SIZE
    tab.click("Delete a.bin")
    tab.click("Delete")
    tab.wait("return document.querySelector(`[title='a.bin']`) === null")
    assert bytes_of(site.stored() - before) == [files[1].read_bytes()]


def test_pause_resume_then_a_reload_and_the_file_chosen_again(
    tab: Firefox, sites: Sites, tmp_path: Path
) -> None:
    site = sites.of(PAGE)
    before = site.stored()
    tab.open(f"{site.url}/")
    film = make_file(tmp_path / "film.mp4", SIZE)
    held = site.proxy.hold(1)
    tab.choose(INPUT, film)
    held.wait()
    wait_for_state(tab, film.name, "uploading")
    tab.click("Pause film.mp4")
    wait_for_state(tab, film.name, "paused")
    held.release()
    again = site.proxy.hold(4)
    tab.click("Resume film.mp4")
    again.wait()
    tab.open(f"{site.url}/")  # leaves the page in mid-file
    again.finish()
    tab.wait(STATE, film.name)  # it is named as unfinished
    sent = sum(request.received for request in site.proxy.chunks)
    tab.choose(INPUT, film)
    wait_for_state(tab, film.name, "done")
    tab.says("Resumed at")
    assert sum(request.received for request in site.proxy.chunks) - sent < SIZE
    assert [md5_of(path.read_bytes()) for path in site.stored() - before] == [
        md5_of(film.read_bytes())
    ]


def test_a_zone(tab: Firefox, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    need_dropzone()
    app = AppServer(tmp_path_factory.mktemp("zone"), ROOT / "examples" / "dropzone_app.py", {})
    with Site(app) as site:
        tab.open(f"{site.url}/")
        film = make_file(tmp_path / "film.mp4", SIZE)
        tab.choose(".dz-hidden-input", film, make_file(tmp_path / "program.exe", 5))
        tab.says("Done · 393 kB")
        tab.says("You can't upload files of this type.")
        assert bytes_of(site.stored()) == [film.read_bytes()]
        tab.click("Remove file: film.mp4")
        tab.wait("return document.querySelector(`[title='film.mp4']`) === null")


def test_the_library_over_a_connection_that_is_cut(
    tab: Firefox, sites: Sites, tmp_path: Path
) -> None:
    site = sites.of(PAGE)
    before = site.stored()
    site.proxy.files = {"/library.html": LIBRARY}.get
    tab.open(f"{site.url}/library.html")
    tab.wait("return 'begin' in window")
    tab.run("begin(arguments[0])", {"chunkSize": CHUNK, "retryDelays": [50]})
    film = make_file(tmp_path / "film.mp4", SIZE)
    cut = site.proxy.cut(2)
    tab.choose("input", film)
    cut.wait()
    tab.wait("return look(0).state === 'done'")
    seen = tab.run("const { states, errors, result } = look(0); return [states, errors, result]")
    assert "waiting: unreachable" in seen[0]
    assert seen[1] == []
    assert seen[2]["md5"] == md5_of(film.read_bytes())
    assert bytes_of(site.stored() - before) == [film.read_bytes()]
