"""What is tried with each page; a trial returns what the table says."""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Response
from playwright.sync_api import TimeoutError as Late

from tests.browser.comparison.bench import SIZE, Bench
from tests.support import npm

MANY = 1000
#: Seconds after which a page with many files is given up.
PATIENCE = 90

MAKE_FILES = """([count, size, paths]) => {
    const input = document.querySelector(%s);
    const transfer = new DataTransfer();
    for (let at = 0; at < count; at += 1) {
        const file = new File([new Uint8Array(size).fill(at)], `file-${at}.bin`);
        if (paths) Object.defineProperty(file, "webkitRelativePath", {value: paths[at]});
        transfer.items.add(file);
    }
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", {bubbles: true}));
}"""


def rows(bench: Bench, page: Page) -> int:
    return page.locator(bench.peer.row).count()


def words(bench: Bench, page: Page) -> str:
    shown = page.locator(bench.peer.message).all_inner_texts()
    return " | ".join(" ".join(text.split()) for text in shown if text.strip())[:300]


def reload_in_mid_file(bench: Bench) -> dict[str, Any]:
    """What a user has to do then, and how much is sent in all."""
    with bench.page() as page:
        file = bench.file("film.mp4")
        page.set_input_files(bench.peer.input, file)
        bench.wait_until_sent(SIZE // 2)
        page.reload()
        page.wait_for_timeout(5000)
        listed, before = rows(bench, page), bench.sent
        said = words(bench, page)
        if listed and bench.peer.start and page.locator(bench.peer.start).count():
            page.locator(bench.peer.start).first.click()
            did = "one click"
        else:
            page.set_input_files(bench.peer.input, file)
            did = "choose the file again"
        bench.wait_until_sent(before + 1)
        bench.wait_until_quiet()
        return {
            "listed": listed,
            "said": said,
            "then": did,
            "sent_before": before,
            "sent": round(bench.sent / SIZE, 2),
        }


def pause(bench: Bench) -> dict[str, Any]:
    if bench.peer.pause is None or bench.peer.resume is None:
        return {"pause": "none"}
    with bench.page() as page:
        page.set_input_files(bench.peer.input, bench.file("film.mp4"))
        bench.wait_until_sent(SIZE // 2)
        page.locator(bench.peer.pause).first.click()
        page.wait_for_timeout(1500)
        said = words(bench, page)
        page.locator(bench.peer.resume).first.click()
        bench.wait_until_quiet()
        return {"said": said, "sent": round(bench.sent / SIZE, 2)}


def four_files_then_a_reload(bench: Bench) -> dict[str, Any]:
    with bench.page() as page:
        files = [bench.file(f"{name}.mp4", SIZE) for name in "abcd"]
        page.set_input_files(bench.peer.input, files)
        bench.wait_until_sent(SIZE // 4)
        page.reload()
        page.wait_for_timeout(5000)
        return {"listed": rows(bench, page)}


def large_file_then_a_reload(bench: Bench) -> dict[str, Any]:
    """One of 40 MB: more than Golden Retriever keeps."""
    with bench.page() as page:
        page.set_input_files(bench.peer.input, bench.file("large.mp4", 5 * SIZE))
        bench.wait_until_sent(SIZE // 2)
        page.reload()
        page.wait_for_timeout(5000)
        return {"listed": rows(bench, page), "said": words(bench, page)}


def equal_names_in_folders(bench: Bench) -> dict[str, Any]:
    with bench.page(slow=False) as page:
        selector = json.dumps(bench.peer.input.partition(" >>")[0])
        script = MAKE_FILES.replace("`file-${at}.bin`", '"same.bin"') % selector
        page.evaluate(script, [2, 100_000, ["a/same.bin", "b/same.bin"]])
        bench.wait_until_sent(200_000)
        bench.wait_until_quiet()
        return {"listed": rows(bench, page), "said": words(bench, page), "sent": bench.sent}


def dead_server(bench: Bench) -> dict[str, Any]:
    with bench.page() as page:
        page.set_input_files(bench.peer.input, bench.file("film.mp4"))
        bench.wait_until_sent(SIZE // 2)
        alive, bench.proxy.upstream = bench.proxy.upstream, 9
        bench.proxy.break_connections()
        page.wait_for_timeout(6000)
        said = words(bench, page)
        bench.proxy.upstream = alive
        before = bench.sent
        bench.wait_until_sent(before + 1, 25)
        goes_on = bench.sent > before
        bench.wait_until_quiet()
        return {
            "said": said,
            "goes_on_by_itself": goes_on,
            "sent": round(bench.sent / SIZE, 2),
        }


#: Ten seconds after the first frame with a thousand files.
MEASURED = """() => window.shown && performance.now() > window.shown + 10_000 && ({
    longest_task_ms: Math.round(window.longest),
    height: document.documentElement.scrollHeight,
    elements: document.querySelectorAll("*").length,
})"""


def a_thousand_files(bench: Bench) -> dict[str, Any]:
    with bench.page(slow=False) as page:
        selector = json.dumps(bench.peer.input.partition(" >>")[0])
        page.evaluate(
            f"""(given) => setTimeout(() => {{
                window.longest = 0;
                ({MAKE_FILES % selector})(given);
                requestAnimationFrame(() => setTimeout(() => (window.shown = performance.now())));
            }})""",
            [MANY, 1000, None],
        )
        try:
            seen = page.wait_for_function(MEASURED, timeout=PATIENCE * 1000).json_value()
        except Late:
            return {"gave_up_after": PATIENCE}
        page.context.new_cdp_session(page).send("HeapProfiler.collectGarbage")
        heap = page.evaluate("performance.memory.usedJSHeapSize")
        return {**seen, "heap_mb": round(heap / 1e6, 1)}


def first_view(bench: Bench) -> dict[str, Any]:
    """KB of all that is loaded, each response compressed by gzip."""
    bodies: list[bytes] = []
    with bench.page(slow=False) as page:

        def note(response: Response) -> None:
            if response.ok and response.request.resource_type in (
                "document",
                "script",
                "stylesheet",
                "fetch",
            ):
                bodies.append(response.body())

        page.on("response", note)
        page.context.clear_cookies()
        session = page.context.new_cdp_session(page)
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.reload()
        page.wait_for_timeout(2000)
    kilobytes = sum(len(gzip.compress(body, 9)) for body in bodies) / 1000
    return {"kb": round(kilobytes), "requests": len(bodies)}


def accessibility(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = {}
    axe = npm.package("axe-core") / "axe.min.js"
    look = """async () => (await axe.run()).violations.map(
        ({id, nodes}) => `${id} (${nodes.length})`)"""
    with bench.page() as page:
        page.add_script_tag(path=axe)
        found["empty"] = page.evaluate(look)
        page.set_input_files(bench.peer.input, bench.file("film.mp4"))
        bench.wait_until_sent(SIZE // 4)
        found["uploading"] = page.evaluate(look)
    return found


def _comes(shown: Locator) -> bool:
    try:
        shown.first.wait_for(timeout=15_000)
    except Late:
        return False
    return True


def looks(bench: Bench) -> dict[str, Any]:
    """Whether it is dark where the system is, and shows pictures."""
    with bench.page(slow=False) as page:
        light = page.evaluate(BACKGROUNDS)
    with bench.page(color_scheme="dark") as page:
        dark = page.evaluate(BACKGROUNDS)
        file = bench.directory / "p.png"
        file.write_bytes(_png())
        page.set_input_files(bench.peer.input, file)
        shown = page.locator(bench.peer.row).locator("canvas, img")
        picture = _comes(shown)
    return {"dark": light != dark, "thumbnail": picture}


BACKGROUNDS = """() => [...new Set([...document.querySelectorAll("*")].map(
    (element) => getComputedStyle(element).backgroundColor))].sort().join()"""


def _block(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _png(side: int = 1000) -> bytes:
    """Return a picture of noise, of three megabytes: long enough on its way to be looked at."""
    rows = b"".join(b"\0" + os.urandom(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    blocks = (_block(b"IHDR", head), _block(b"IDAT", zlib.compress(rows)), _block(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(blocks)


TRIALS: list[Callable[[Bench], dict[str, Any]]] = [
    first_view,
    reload_in_mid_file,
    large_file_then_a_reload,
    four_files_then_a_reload,
    pause,
    dead_server,
    equal_names_in_folders,
    a_thousand_files,
    accessibility,
    looks,
]
