"""The client library behind proxies that refuse long requests; servers that speak only chunks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Route

from tests.browser.library import CHUNK, LibraryPage, Network
from tests.browser.proxy import Proxy
from tests.browser.site import Site
from tests.browser.trial import make_file
from tests.support import nginx
from tests.support.protocol import md5_of
from tests.support.tabs import Browser

Open = Callable[..., LibraryPage]

#: nginx as it comes: requests of at most 1 MiB, collected whole.
UNCONFIGURED = """\
upstream app { server 127.0.0.1:8000; }
server {
    listen 443 ssl;
    location / { proxy_pass http://app; proxy_set_header Host $http_host; }
}
"""


def test_nginx_as_it_comes(browser: Browser, library_site: Site, tmp_path: Path) -> None:
    """Its refusal is a page of HTML; requests get shorter until it takes them."""
    upstream = library_site.server.port
    with (
        nginx.running(tmp_path, UNCONFIGURED, upstream=upstream, places={}) as port,
        Proxy(port) as proxy,
    ):
        page = LibraryPage(browser.new_context(), proxy, chunkSize=None)
        file = make_file(tmp_path / "file.bin", 3 * 2**20)
        page.pick(file)
        assert page.done()["result"]["md5"] == md5_of(file.read_bytes())
        statuses = [request.status for request in proxy.chunks]
        assert statuses[:2] == [413, 413]
        assert set(statuses[2:]) == {204}
        another = make_file(tmp_path / "another.bin", 2 * 2**20)
        page.pick(another)
        page.done(1)
        learned = proxy.chunks[len(statuses) :]
        assert {request.status for request in learned} == {204}


def without_the_draft(route: Route) -> None:
    if route.request.method == "OPTIONS":
        route.fulfill(status=204, headers={"Allow": "GET, POST"})
    else:
        route.continue_()


def test_a_server_without_the_draft_gets_chunks(
    library: Open, network: Network, tmp_path: Path
) -> None:
    """What such a server says is found out once; what it does not keep is sent again."""
    page = library()
    file = make_file(tmp_path / "file.bin", 3 * CHUNK)
    page.page.route("**/uploads/", without_the_draft)
    network.proxy.cut(1)
    page.pick(file)
    seen = page.done()
    assert [request.method for request in network.proxy.chunks] == ["POST", "PUT", "PUT", "PUT"]
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
    assert seen["states"].count("waiting: unreachable") == 1


def test_a_page_may_choose_the_protocol(library: Open, network: Network, tmp_path: Path) -> None:
    for protocol, methods in (("chunks", ["POST", "PUT"]), ("offsets", ["PATCH", "PATCH"])):
        page = library(protocol=protocol)
        so_far = len(network.proxy.chunks)
        page.pick(make_file(tmp_path / f"{protocol}.bin", 2 * CHUNK))
        page.done()
        assert [request.method for request in network.proxy.chunks[so_far:]] == methods
        assert [one for one in network.proxy.requests if one.method == "OPTIONS"] == []


def test_a_name_of_255_emoji(library: Open) -> None:
    page = library()
    name = "\N{CAT FACE}" * 255
    page.evaluate("name => { follow(uploader.add(new File(['abc'], name))) }", name)
    assert page.done()["result"]["filename"] == name


def test_names_and_fields_that_headers_cannot_hold(
    library: Open, network: Network, tmp_path: Path
) -> None:
    page = library(metadata={"Straße": "große", "name": "not the file's"})
    name = "\N{CAT FACE}" * 60 + "'(*).txt"
    page.pick(make_file(tmp_path / name, 3))
    result = page.done()["result"]
    assert (result["filename"], result["metadata"]["Straße"]) == (name, "große")
    page = library(metadata={"name": "not the file's", "album": "für Ü"})
    page.pick(make_file(tmp_path / name, 4))
    result = page.done()["result"]
    assert (result["filename"], result["metadata"]["album"]) == (name, "für Ü")
