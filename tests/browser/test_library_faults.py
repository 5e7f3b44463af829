"""The client library: what goes wrong on the way, how it waits, and what its user can do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route

from tests.browser.faults import Request
from tests.browser.library import CHUNK, LibraryPage, Network
from tests.browser.trial import make_file

Open = Callable[..., LibraryPage]

#: Longer than any test: a wait that ends before was ended by something else.
NEVER = [600_000]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of four chunks."""
    return make_file(tmp_path / "file.bin", 4 * CHUNK)


def is_completion(request: Request) -> bool:
    return request.path.endswith("/complete")


def is_creation(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/uploads/")


def assert_stored(network: Network, file: Path) -> None:
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
    assert network.unfinished == []


def test_a_connection_that_breaks_is_waited_for(
    library: Open, network: Network, file: Path
) -> None:
    page = library()
    network.proxy.cut(0)
    network.proxy.cut(2)
    page.pick(file)
    seen = page.done()
    assert seen["states"].count("waiting: unreachable") == 2
    assert_stored(network, file)


@pytest.mark.parametrize("chunk", [0, 2, 3])
def test_a_lost_reply_does_not_send_a_chunk_twice(
    library: Open, network: Network, file: Path, chunk: int
) -> None:
    page = library()
    network.proxy.lose_reply(chunk)
    page.pick(file)
    assert "waiting: unreachable" in page.done()["states"]
    assert len(network.proxy.chunks) == 4
    assert_stored(network, file)


def test_a_creation_that_the_browser_repeats_by_itself_makes_one_upload(
    library: Open, network: Network, file: Path
) -> None:
    """Chromium sends a POST again when a connection that it has used before breaks."""
    page = library()
    network.proxy.keep_alive = True
    network.proxy.lose_reply(of=is_creation)
    page.pick(file)
    seen = page.done()
    assert sum(map(is_creation, network.proxy.requests)) == 2
    assert "waiting: unreachable" not in seen["states"], "the browser has done it by itself"
    assert page.evaluate("() => uploader.list({ status: 1 })")["uploads"] == []
    assert_stored(network, file)


def test_a_lost_reply_to_the_completion_is_asked_for_again(
    library: Open, network: Network, file: Path
) -> None:
    page = library()
    network.proxy.lose_reply(of=is_completion)
    page.pick(file)
    assert "waiting: unreachable" in page.done()["states"]
    assert_stored(network, file)


def test_a_dead_server_is_waited_for(library: Open, network: Network, file: Path) -> None:
    page = library()
    fault = network.proxy.hold(2)
    page.pick(file)
    fault.wait()
    network.server.kill()
    fault.release()
    waiting = page.until("waiting: unreachable")["waiting"]
    assert waiting["attempt"] >= 1
    network.proxy.wait(lambda proxy: proxy.refused > 3)  # it goes on trying
    network.restart()
    page.done()
    assert_stored(network, file)


def test_the_network_coming_back_ends_the_wait(library: Open, network: Network, file: Path) -> None:
    page = library(retryDelays=NEVER)
    page.page.context.set_offline(True)
    page.pick(file)
    page.until("waiting: offline")
    page.page.context.set_offline(False)
    page.done()
    assert_stored(network, file)


def test_a_connection_in_which_nothing_moves_is_given_up(
    library: Open, network: Network, file: Path
) -> None:
    page = library(stallTimeout=1000, retryDelays=NEVER)
    fault = network.proxy.hold(1)
    page.pick(file)
    page.until("waiting: unreachable")
    fault.release()
    page.call("resume")
    page.done()
    assert_stored(network, file)


def test_a_connection_in_which_nothing_moves_has_no_speed(
    library: Open, network: Network, file: Path
) -> None:
    page = library()
    fault = network.proxy.hold(2)
    page.pick(file)
    fault.wait()
    page.evaluate("""() => {
        const [now, passed] = [performance.now.bind(performance), 10_000];
        performance.now = () => now() + passed;
        notes[0].progress = [];
    }""")
    told = (
        "() => notes[0].progress.some(({ speed, secondsLeft }) => !speed && secondsLeft === null)"
    )
    page.page.wait_for_function(told)
    fault.release()
    page.done()


def test_a_busy_server_says_when_to_come_back(library: Open, network: Network, file: Path) -> None:
    page = library(retryDelays=NEVER)
    headers = {"Retry-After": "2"}
    with page.answered("**/uploads/", status=503, json={}, headers=headers):
        page.pick(file)
        page.until("waiting: server")
    page.done()
    assert_stored(network, file)


def test_a_full_disk_is_waited_for_while_other_files_go_on(
    library: Open, network: Network, file: Path, tmp_path: Path
) -> None:
    page = library(simultaneous=1, retryDelays=NEVER)
    detail = "Storage is full; nothing of this request was kept, retry later"
    with page.answered("**/uploads/", status=507, json={"detail": detail}):
        page.pick(file)
        seen = page.until("waiting: storage-full")
    assert seen["waiting"]["detail"] == detail
    page.pick(make_file(tmp_path / "small.bin", 5))
    page.done(1)
    page.call("resume")
    page.done()
    assert len(network.stored) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 403, "json": {"detail": "Authentication credentials were not provided"}}, 0),
        ({"status": 507, "json": {"detail": "Storage is full"}}, 1),
        ({"status": 200, "body": "<h1>Welcome to our hotel</h1>"}, 2),
        ({"status": 504, "body": "<h1>504 Gateway Time-out</h1>"}, 2),
    ],
)
def test_what_ends_an_upload_near_its_end_costs_nothing_that_arrived(
    library: Open, network: Network, file: Path, answer: dict[str, Any], reason: int
) -> None:
    """A token runs out, the disk is full, a proxy answers in the server's place."""
    page = library(retryDelays=NEVER)
    fault = network.proxy.hold(2)
    page.pick(file)
    fault.wait()
    with page.answered("**/uploads/*", **answer):
        fault.release()
        seen = page.until(f"waiting: {['sign-in', 'storage-full', 'server'][reason]}")
    assert seen["offset"] == 3 * CHUNK
    page.call("resume")
    page.done()
    assert network.sent == file.stat().st_size
    assert_stored(network, file)


def test_nothing_is_sent_after_close(library: Open, network: Network, file: Path) -> None:
    """After a sign-out, for example."""
    page = library()
    fault = network.proxy.hold(1)
    page.pick(file)
    fault.wait()
    page.evaluate("uploader.close()")
    asked = len(network.proxy.requests)
    fault.release()
    network.proxy.wait(lambda proxy: all(request.over for request in proxy.requests))
    page.page.wait_for_timeout(500)
    assert len(network.proxy.requests) == asked
    assert page.look()["state"] == "paused"
    page.call("resume")
    page.done()
    assert_stored(network, file)


@pytest.mark.parametrize("status", [401, 403])
def test_a_lost_sign_in_keeps_the_file_and_asks(
    library: Open, network: Network, file: Path, status: int
) -> None:
    page = library()
    detail = "Authentication credentials were not provided"
    with page.answered("**/uploads/*", status=status, json={"detail": detail}):
        page.pick(file)
        waiting = page.until("waiting: sign-in")["waiting"]
    assert waiting["until"] is None
    page.call("resume")  # signed in meanwhile
    page.done()
    assert_stored(network, file)


def test_a_sign_in_while_a_request_is_under_way_is_noticed(
    library: Open, network: Network, file: Path
) -> None:
    page = library(retryDelays=NEVER)
    refusal = {"detail": "Authentication credentials were not provided"}
    under_way: list[Route] = []
    page.page.route("**/uploads/?file=*", lambda route: under_way.append(route), times=1)
    with page.page.expect_request("**/uploads/?file=*"):
        page.pick(file)
    page.call("resume")  # signed in meanwhile
    under_way[0].fulfill(status=403, json=refusal)
    page.done()
    assert_stored(network, file)


def test_a_server_that_fails_again_and_again_is_given_up_and_can_be_retried(
    library: Open, network: Network, file: Path
) -> None:
    page = library(retryDelays=[10, 10, 10])
    with page.answered("**/uploads/", status=500, body="a proxy's page") as came:
        page.pick(file)
        error = page.failed()
    assert (error["code"], error["status"]) == ("server", 500)
    assert len(came) in (4, 5)  # one is sent while the file's samples are read
    page.call("retry")
    page.done()
    assert_stored(network, file)


def test_a_file_changed_on_disk_meanwhile_is_noticed(
    library: Open, network: Network, file: Path
) -> None:
    page = library()
    fault = network.proxy.hold(1)
    page.pick(file)
    fault.wait()
    with file.open("ab") as stream:
        stream.write(b"more")
    os.utime(file, (1, 1))
    fault.release()
    error = page.failed()
    assert error["code"] == "changed"
    assert error["message"].startswith("The file was changed or moved during")
    page.pick(file)
    page.done(1)
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]


@pytest.mark.parametrize("by", ["retry", "picking it again"])
def test_a_file_that_was_away_for_a_moment_keeps_what_has_arrived(
    library: Open, network: Network, file: Path, by: str
) -> None:
    """To the page, an unplugged drive or a share that is gone looks like a file that was moved."""
    page = library()
    fault = network.proxy.hold(2)
    page.pick(file)
    fault.wait()
    away = file.rename(file.with_name("away.bin"))
    fault.release()
    assert page.failed()["code"] == "changed"
    away.rename(file)
    if by == "retry":
        page.call("retry")
        page.done()
    else:
        page.evaluate("uploader.dismiss(uploads[0])")
        page.pick(file)
        page.done(1)
    assert_stored(network, file)
    assert network.sent <= 5 * CHUNK, "at most the chunk that was under way is sent twice"


def test_an_answer_without_an_offset_spoils_no_later_request(
    library: Open, network: Network, file: Path
) -> None:
    page = library()
    answers = [204]

    def spoil(route: Route) -> None:
        if answers and route.request.method == "PATCH":
            route.fulfill(status=answers.pop())
        else:
            route.continue_()

    page.page.route("**/uploads/*", spoil)
    page.pick(file)
    page.done()
    assert answers == []
    assert_stored(network, file)


def test_pause_stops_at_once_and_resume_goes_on(
    library: Open, network: Network, file: Path
) -> None:
    page = library()
    fault = network.proxy.hold(2)
    page.pick(file)
    fault.wait()
    page.call("pause")
    seen = page.look()
    assert (seen["state"], seen["offset"]) == ("paused", 2 * CHUNK)
    assert seen["sent"] >= 2 * CHUNK
    arrived = 2 * CHUNK + CHUNK // 2  # a half of a chunk counts, the library asks how much that is
    page.page.wait_for_function("arrived => uploads[0].offset === arrived", arg=arrived)
    assert page.look()["sent"] == arrived
    fault.release()
    asked = len(network.proxy.requests)
    page.page.wait_for_timeout(300)
    assert len(network.proxy.requests) == asked
    page.call("resume")
    page.done()
    assert_stored(network, file)


def test_cancel_removes_it_here_and_on_the_server(
    library: Open, network: Network, file: Path
) -> None:
    page = library()
    fault = network.proxy.hold(2)
    page.pick(file)
    fault.wait()
    assert page.call("cancel") is True
    fault.release()
    assert page.look()["state"] == "canceled"
    assert page.evaluate("uploader.uploads.length") == 0
    assert page.evaluate("() => uploader.remembered()") == []
    assert page.evaluate("async () => (await uploader.list()).total") == 0
    assert (network.stored, network.unfinished) == ([], [])
    assert page.problems == []


def test_cancel_removes_what_no_answer_told_of(library: Open, network: Network, file: Path) -> None:
    page = library(retryDelays=NEVER)
    network.proxy.lose_reply(0)
    page.pick(file)
    page.until("waiting: unreachable")
    assert page.call("cancel") is True
    assert network.unfinished == []


def test_canceling_what_waits_for_another_tab_leaves_that_one_alone(
    library: Open, network: Network, file: Path
) -> None:
    one, two = library(), library()
    fault = network.proxy.hold(1)
    one.pick(file)
    fault.wait()
    two.pick(file)
    two.until("waiting: other-tab")
    two.call("cancel")
    fault.release()
    one.done()
    assert_stored(network, file)


def test_pause_and_resume_in_a_hurry(library: Open, network: Network, file: Path) -> None:
    page = library()
    page.pick(file)
    page.evaluate("""async () => {
        for (let times = 0; times < 20; times += 1) {
            uploads[0].pause();
            if (times % 2) await new Promise((then) => setTimeout(then, times));
            uploads[0].resume();
        }
    }""")
    page.done()
    assert_stored(network, file)
    assert len(network.proxy.chunks) < 4 + 20


def test_all_at_once(library: Open, network: Network, tmp_path: Path) -> None:
    page = library(simultaneous=2)
    files = [make_file(tmp_path / f"{name}.bin", 2 * CHUNK) for name in "abcd"]
    first = [network.proxy.hold(0), network.proxy.hold(1)]
    page.pick(*files)
    for fault in first:
        fault.wait()
    page.evaluate("uploader.pauseAll()")
    assert [page.look(at)["state"] for at in range(4)] == ["paused"] * 4
    for fault in first:
        fault.release()
    assert len(network.proxy.chunks) == 2
    page.call("cancel", 0)
    page.evaluate("uploader.resumeAll()")
    for at in (1, 2, 3):
        page.done(at)
    page.evaluate("uploader.cancelAll()")
    assert page.evaluate("uploader.uploads.length") == 3  # what is done stays
    assert len(network.stored) == 3
    assert page.problems == []
