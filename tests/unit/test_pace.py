"""What the client library works out about a line, in Node: how long requests may be (pace.js), how
fast bytes flow (overlapping.js), how many have arrived (arrival.js).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_page_texts import STATIC, node

#: Runs each script with a new pace and a clock of its own; a script puts what it finds into `seen`.
_WITH_A_CLOCK = """
const [pacePath, overlappingPath, arrivalPath, scripts] = process.argv.slice(1);
const { Pace } = await import(pacePath);
const { Flow } = await import(overlappingPath);
const { Arrival } = await import(arrivalPath);
const found = {};
for (const [name, script] of Object.entries(JSON.parse(scripts))) {
    let now = 1000;
    performance.now = () => now;
    const server = { latency: 0 };
    const pace = new Pace(null, server);
    /** Seconds that the next request would last on a line of 1 MB/s. */
    const seconds = (keepsPrefix = true) => pace.next(keepsPrefix) / 1e6;
    const learn = () => { for (let n = 0; n < 4; n += 1) pace.stored(8e6, 8000 + server.latency); };
    const seen = [];
    eval(script);
    found[name] = seen;
}
console.log(JSON.stringify(found));
"""

SCRIPTS = {
    #: MiB of requests: at some speeds, as one is cut, and as a server takes less and less.
    "lengths": """
        const MIB = 2 ** 20;
        const after = (speed, change) => {
            const pace = new Pace(null, server);
            const first = pace.next(true);
            pace.stored(first, (first / speed) * 1000);
            change?.(pace);
            pace.observe(false);
            return [true, false].map((keepsPrefix) => pace.next(keepsPrefix) / MIB);
        };
        const small = new Pace(2 ** 23, server);
        const less = [];
        for (let size = 2 ** 23; small.shrink(size); ) less.push((size = small.next(true)));
        seen.push({
            slow: after(0.25 * MIB), fast: after(10 * MIB), faster: after(1000 * MIB),
            cut: after(10 * MIB, (pace) => pace.cut(8000))[0], less,
        });
    """,
    #: A request of 20 MB over a line of 1 MB/s whose buffers take 4 MB at once.
    "arriving": """
        const sent = () => 4e6 + now * 1000;
        now = 0;
        const arrival = new Arrival(0, 0);
        const shown = [];
        for (now = 0; now <= 8000; now += 250) {
            if (now === 2000 || now === 5000) arrival.recorded((now - 1000) * 1000 + 500_007);
            shown.push(arrival.estimate(sent()));
        }
        const later = new Arrival(8e6, arrival.speed);
        now += 500;
        seen.push({ shown, first: later.estimate(8e6 + 4e6) - 8e6 });
    """,
    "unknown": "learn(); seen.push(seconds()); pace.observe(false); seen.push(seconds());",
    "some minutes": """
        learn(); pace.observe(true); seen.push(seconds(), pace.isBuffered, pace.isUnknown);
        now += 301000; seen.push(seconds(), pace.isBuffered, pace.isUnknown);
    """,
    "cut": """
        for (const isBuffered of [true, false]) {
            learn(); pace.observe(isBuffered); pace.cut(100); seen.push(pace.isUnknown);
        }
    """,
    "chunks": """
        for (server.latency of [20, 250, 2000]) { learn(); seen.push(seconds(false)); }
    """,
    "latency": "server.latency = 500; pace.stored(1e6, 1500); seen.push(pace.speed);",
    "flow": """
        const flow = new Flow(0, now);
        for (const [ms, offset] of [[9000, 1e6], ...[2e6, 3e6, 4e6, 5e6].map((n) => [1000, n])]) {
            now += ms;
            pace.flowed(...flow.stored(offset));
        }
        seen.push(pace.speed);
    """,
}


@pytest.fixture(scope="module")
def seen() -> dict[str, list[Any]]:
    modules = (
        STATIC / "chunked-upload" / name for name in ("pace.js", "overlapping.js", "arrival.js")
    )
    found: dict[str, list[Any]] = node(_WITH_A_CLOCK, *modules, Path(json.dumps(SCRIPTS)))
    return found


def test_a_request_is_long_once_its_bytes_are_known_to_arrive_one_by_one(
    seen: dict[str, list[Any]],
) -> None:
    """Before, one is so short that nothing is lost when a proxy turns out to collect it."""
    assert seen["unknown"] == [4, 20]


def test_whether_a_proxy_collects_requests_is_found_out_again_after_some_minutes(
    seen: dict[str, list[Any]],
) -> None:
    assert seen["some minutes"] == [1, True, False, 4, False, True]


def test_after_a_cut_the_line_may_be_another_one(seen: dict[str, list[Any]]) -> None:
    assert seen["cut"] == [True, True]


def test_chunks_are_so_long_that_the_way_there_and_back_hardly_counts(
    seen: dict[str, list[Any]],
) -> None:
    assert seen["chunks"] == [2, 3.75, 6]


def test_the_way_there_and_back_does_not_count_as_a_slow_line(seen: dict[str, list[Any]]) -> None:
    assert seen["latency"] == [1e6]


def test_the_speed_of_overlapping_requests_is_that_of_the_last_few(
    seen: dict[str, list[Any]],
) -> None:
    """After a slow start, the next requests would begin too late for ever."""
    assert seen["flow"] == [1e6]


def test_requests_are_as_long_as_the_line_can_bear(seen: dict[str, list[Any]]) -> None:
    """20 s where what arrived counts, 2 s where a chunk counts whole."""
    [lengths] = seen["lengths"]
    assert lengths["slow"] == [5, 0.5]
    assert lengths["fast"] == [64, 20]  # at most 8 times as long as any before
    assert lengths["faster"] == [64, 32]
    assert lengths["cut"] == 40
    assert lengths["less"] == [2**power for power in range(22, 15, -1)]


def test_progress_is_what_has_arrived(seen: dict[str, list[Any]]) -> None:
    """Buffers are not counted once the server has told its offset, and progress goes back once."""
    [told] = seen["arriving"]
    shown = told["shown"]
    assert shown[7] == 5_750_000  # nothing is known yet
    assert all(
        abs(one - 250_000 * number) < 1_000_000 for number, one in enumerate(shown) if number > 7
    )
    assert shown[8:] == sorted(shown[8:])
    assert all(one == int(one) for one in shown)  # the checksum's worker reads up to there
    assert told["first"] < 2_000_000
