"""Fifty thousand files on the page: the work grows with their number, and not with its square.

What is counted is how often a file is looked at, so that no clock is needed.
"""

from __future__ import annotations

from tests.unit.test_page_texts import STATIC, node

#: Prints how many files were matched, and how often what was asked for was looked at.
_MATCH = """
const { match } = await import(process.argv[1]);
const count = 2000;
let looks = 0;
const handler = { get: (one, key) => ((looks += 1), one[key]) };
const names = Array.from({ length: count }, (_, n) => `${n}.txt`);
const wanted = names.map((name) => new Proxy({ name, path: `a/${name}`, size: 1 }, handler));
const picked = names.toReversed().map((name) => ({ file: { name, size: 1 }, path: `a/${name}` }));
const { matched, changed, others } = match(picked, wanted);
console.log(JSON.stringify([matched.length, changed.length, others.length, looks / count]));
"""

#: Prints in which order uploads run, and how often one is compared with others.
_QUEUE = """
const { Semaphore } = await import(process.argv[1]);
const count = 2000;
let compared = 0;
const order = (n) => ({ valueOf: () => ((compared += 1), n) });
const semaphore = new Semaphore(1);
const ran = [];
const left = Array.from({ length: count }, () => new AbortController());
const all = left.map(({ signal }, n) =>
    semaphore.acquire(order(n), signal).then(() => ran.push(n), () => {}));
for (const one of left.slice(count / 2).reverse()) one.abort();  // half of them are paused
for (let n = 0; n < count; n += 1) {
    semaphore.release();
    await null;
}
await Promise.all(all);
const orderly = ran.every((n, at) => n === at);
console.log(JSON.stringify([ran.length, orderly, compared / count]));
"""


def test_files_that_are_chosen_again_are_found_by_name() -> None:
    matched, changed, others, looks = node(_MATCH, STATIC / "page" / "resume-all.js")
    assert (matched, changed, others) == (2000, 0, 0)
    assert looks < 10


def test_a_file_takes_its_place_in_the_queue_at_once() -> None:
    ran, orderly, compared = node(_QUEUE, STATIC / "chunked-upload" / "semaphore.js")
    assert (ran, orderly) == (1000, True)
    assert compared <= 2
