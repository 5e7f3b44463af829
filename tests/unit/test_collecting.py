"""How the client library sends where something on the way collects whole requests (sender.js), in
Node: a line is simulated that all requests share, with a clock of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_page_texts import STATIC, node

#: Sends a file with the real sender over a line that is computed step by step; prints what came by.
_SIMULATION = """
const [folder, scenarios] = process.argv.slice(1);
const { Sender } = await import(`${folder}/sender.js`);
const { Pace } = await import(`${folder}/pace.js`);
const { Setback } = await import(`${folder}/errors.js`);
const STEP = 10;

/** Lets promises go on until nothing is left to do at this time. */
const settle = async () => { for (let n = 0; n < 3; n += 1) await new Promise(setImmediate); };

async function run({ size, delay, rate, buffers, slower = null }) {
    let now = 0, id = 0;
    const timers = new Map();
    globalThis.performance.now = () => now;
    globalThis.setTimeout = (call, after = 0) => (timers.set(++id, { call, at: now + after }), id);
    globalThis.setInterval = (call, every) => {
        const again = () => { call(); timers.set(own, { call: again, at: now + every }); };
        const own = ++id;
        timers.set(own, { call: again, at: now + every });
        return own;
    };
    globalThis.clearTimeout = globalThis.clearInterval = (one) => timers.delete(one);
    const later = (ms, call) => setTimeout(call, ms);

    const seen = { requests: [], refused: 0, together: 0, idle: 0 };
    const server = { offset: 0, latency: 2 * delay };
    const line = [];
    /** One step: all requests share the line; whole ones go on to the server. */
    const step = () => {
        const speed = slower !== null && server.offset > slower.from ? slower.rate : rate;
        if (line.length === 0) seen.idle += STEP;
        seen.together = Math.max(seen.together, line.length);
        const share = (speed * STEP) / 1000 / line.length;
        for (const one of [...line]) {
            one.left -= share;
            one.onProgress(Math.min(one.length - one.left + buffers, one.length));
            if (one.left <= buffers) one.onSent?.();
            if (one.left > 0) continue;
            line.splice(line.indexOf(one), 1);
            later(delay, () => {
                const fits = one.start === server.offset;
                if (fits) server.offset += one.length;
                else seen.refused += 1;
                const { offset } = server;
                later(delay, () => (fits ? one.resolve({ offset }) :
                    one.reject(new Setback("moved", { offset }))));
            });
        }
    };

    const file = { size, slice: (start, stop) => ({ length: stop - start, arrayBuffer() {} }) };
    const state = {
        ...{ file, size, uploadId: "1", offset: 0, sent: 0, speed: rate, metadata: {}, path: "" },
        enter() {}, move(offset, sent) { [this.offset, this.sent] = [offset, sent ?? offset]; },
    };
    const append = (_, { length }, { start }, { signal, onProgress, onSent }) =>
        new Promise((resolve, reject) => {
            seen.requests.push(length);
            const one = { start, length, left: length, resolve, reject, onProgress, onSent };
            line.push(one);
            signal.addEventListener("abort", () => {
                if (line.includes(one)) line.splice(line.indexOf(one), 1);
                reject(signal.reason);
            });
        });
    const position = {
        keepsPrefix: true, protocol: { append },
        moveTo(offset, _, sent) { state.move(offset, sent); },
        async locate() { seen.lost = true; state.move(server.offset); },
    };
    const pace = new Pace(null, server);
    pace.stored(2 ** 23, (2 ** 23 / rate) * 1000 + server.latency); // the first request's
    const recorded = () => ({ offset: server.offset });
    const ask = () => new Promise((tell) => later(2 * delay, () => tell(recorded())));
    const sender = new Sender(state, {
        ...{ position, pace, metadata: {}, identity: { fields: {} }, memory: { save() {} } },
        server: { latency: server.latency, state: ask }, checksum: { allow() {} },
        retry: { waitAfter: () => new Promise((end) => later(1000, end)) },
    });
    const sending = sender.sendRest(new AbortController().signal);
    let over = false;
    sending.finally(() => (over = true));
    await settle();
    while (!over && now < 600_000) {
        now += STEP;
        step();
        for (const [key, { call, at }] of [...timers]) {
            if (at > now) continue;
            timers.delete(key);
            call();
        }
        await settle();
    }
    await sending;
    return { ...seen, milliseconds: now, stored: server.offset };
}

const found = {};
for (const [name, given] of Object.entries(JSON.parse(scenarios))) found[name] = await run(given);
console.log(JSON.stringify(found));
"""

#: Bytes, milliseconds each way, bytes per second, and bytes that the system's buffers take at once.
_LINE = {"size": 60_000_000, "delay": 100, "rate": 6_000_000, "buffers": 1_000_000}

SCENARIOS: dict[str, dict[str, Any]] = {
    "long": _LINE,
    "longer": {**_LINE, "delay": 400},
    "short": {**_LINE, "delay": 50},
    "short rest": {**_LINE, "size": 49_500_000},
    "slower": {**_LINE, "slower": {"from": 40_000_000, "rate": 2_000_000}},
    "slower, all in buffers": {
        **_LINE,
        "buffers": 2**23,
        "slower": {"from": 40_000_000, "rate": 2_000_000},
    },
    "much slower": {**_LINE, "buffers": 2**23, "slower": {"from": 30_000_000, "rate": 300_000}},
}


@pytest.fixture(scope="module")
def seen() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = node(
        _SIMULATION, STATIC / "chunked-upload", Path(json.dumps(SCENARIOS))
    )
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_everything_arrives_once(seen: dict[str, dict[str, Any]], name: str) -> None:
    run = seen[name]
    assert run["stored"] == SCENARIOS[name]["size"]
    assert "lost" not in run, "the server need not be asked for its offset"
    assert run["together"] <= 3


@pytest.mark.parametrize("name", ["short", "long", "short rest"])
def test_the_line_is_never_idle_for_longer_than_the_way_there_and_back(
    seen: dict[str, dict[str, Any]], name: str
) -> None:
    """At the end, that is; before, the next request follows as soon as one has left."""
    assert seen[name]["refused"] == 0
    assert seen[name]["idle"] <= 2 * SCENARIOS[name]["delay"] + 100
