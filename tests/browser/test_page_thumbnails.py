"""Thumbnails: small pictures of photos and videos, icons for all else, no harm from any file."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

#: Makes files as cameras and attackers do, by name.
_FILES = """
async () => {
    const paint = (width, height, type) => new Promise((resolve) => {
        const canvas = Object.assign(document.createElement("canvas"), {width, height});
        const context = canvas.getContext("2d");
        context.fillStyle = "rgb(200, 30, 40)";
        context.fillRect(0, 0, width, height);
        canvas.toBlob(resolve, type);
    });
    const png = new Uint8Array(await (await paint(64, 64, "image/png")).arrayBuffer());
    const bomb = png.slice();
    new DataView(bomb.buffer).setUint32(16, 60000);
    new DataView(bomb.buffer).setUint32(20, 60000);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="hacked()"/>';
    const made = {
        "photo.jpg": await paint(640, 480, "image/jpeg"),
        "upright.webp": await paint(30, 900, "image/webp"),
        "screen.png": png,
        "misnamed.gif": await paint(50, 50, "image/png"),
        "broken.png": png.slice(0, 70),
        "bomb.png": bomb,
        "drawing.svg": svg,
        "svg-as.png": svg,
        "script.jpg": "<script>hacked()</script>",
        "empty.jpg": "",
    };
    return Object.fromEntries(Object.entries(made).map(([n, d]) => [n, new File([d], n)]));
}
"""

#: Records a second of a moving picture.
_VIDEO = """
async () => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 160, height: 120});
    const context = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(20), {mimeType: "video/webm"});
    const parts = [];
    recorder.ondataavailable = ({data}) => parts.push(data);
    recorder.start();
    for (let n = 0; n < 20; n += 1) {
        context.fillStyle = `rgb(20, ${150 + n}, 40)`;
        context.fillRect(0, 0, 160, 120);
        await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
    return new File(parts, "film.webm", {type: "video/webm"});
}
"""

_SHELF = """
async () => {
    const {Thumbnails} = await import("/uploads/static/page/thumbnails.js");
    window.dropped = 0;
    const close = ImageBitmap.prototype.close;
    ImageBitmap.prototype.close = function () { window.dropped += 1; close.call(this); };
    window.thumbnails = new Thumbnails({headers: () => ({"X-Token": "secret"})});
    window.shelf = document.querySelector(".cu").appendChild(document.createElement("ul"));
    window.put = (subject) => {
        const row = window.shelf.appendChild(document.createElement("li"));
        row.title = subject.name;
        row.append(window.thumbnails.element(subject));
        return row;
    };
    window.made = await (FILES)();
}
"""


@pytest.fixture
def shelf(visitor: Visitor) -> Visitor:
    """A page with the policy of all pages, and thumbnails of many files on it."""
    visitor.serve_sources()
    visitor.page.evaluate(_SHELF.replace("FILES", _FILES))
    return visitor


def put(visitor: Visitor, *names: str) -> None:
    script = "(names) => names.forEach((name) => put({file: made[name], name}))"
    visitor.page.evaluate(script, list(names))


def colour(visitor: Visitor, name: str) -> list[int]:
    """The middle of a thumbnail's picture."""
    canvas = visitor.page.locator(f"li[title='{name}'] canvas")
    expect(canvas).to_have_count(1)
    read = """(canvas) => {
        const copy = new OffscreenCanvas(96, 96).getContext("2d", {willReadFrequently: true});
        copy.drawImage(canvas, 0, 0);
        return [...copy.getImageData(48, 48, 1, 1).data];
    }"""
    rgba: list[int] = canvas.evaluate(read)
    return rgba


def box(visitor: Visitor, name: str) -> dict[str, Any] | None:
    return visitor.page.locator(f"li[title='{name}'] .cu-thumbnail").bounding_box()  # type: ignore[return-value]


def test_pictures_and_videos_are_shown_small_and_move_nothing(shelf: Visitor) -> None:
    shelf.page.evaluate("put({name: 'a.zip'}); 0")
    size = box(shelf, "a.zip")
    for name in ("photo.jpg", "upright.webp", "screen.png", "misnamed.gif"):
        put(shelf, name)
        red, green, blue, _ = colour(shelf, name)
        assert (red > 180, green < 60, blue < 70) == (True, True, True), name
    shelf.page.evaluate(f"async () => void (made['film.webm'] = await ({_VIDEO})())")
    put(shelf, "film.webm")
    red, green, blue, _ = colour(shelf, "film.webm")
    assert (red < 60, green > 120, blue < 80) == (True, True, True)
    shown = box(shelf, "photo.jpg")
    assert size is not None
    assert shown is not None
    assert (shown["width"], shown["height"]) == (size["width"], size["height"])
    assert shelf.shifts < 0.01


def test_what_is_no_picture_keeps_its_icon_and_does_no_harm(shelf: Visitor) -> None:
    bad = ["broken.png", "bomb.png", "drawing.svg", "svg-as.png", "script.jpg", "empty.jpg"]
    put(shelf, *bad, "photo.jpg")
    colour(shelf, "photo.jpg")  # all before it have been tried
    for name in bad:
        row = shelf.page.locator(f"li[title='{name}']")
        expect(row.locator("svg.cu-icon")).to_have_attribute("data-icon", "picture")
        expect(row.locator("canvas, img, video")).to_have_count(0)


def test_icons_say_the_type(shelf: Visitor) -> None:
    kinds = {
        "a.mp3": "audio",
        "b.tar.gz": "archive",
        "c.pdf": "text",
        "d.XLSX": "table",
        "e.py": "code",
        "f": "file",
        "g.unknown": "file",
    }
    for name, kind in kinds.items():
        shelf.page.evaluate("(name) => void put({name})", name)
        icon = shelf.page.locator(f"li[title='{name}'] svg")
        expect(icon).to_have_attribute("data-icon", kind)
    expect(shelf.page.locator("li[title='b.tar.gz']")).to_have_text("GZ")


def test_finished_files_are_fetched_when_small_and_seen(shelf: Visitor) -> None:
    asked: list[dict[str, str]] = []
    jpeg = bytes(
        shelf.page.evaluate(
            "async () => [...new Uint8Array(await made['photo.jpg'].arrayBuffer())]"
        )
    )

    def answer(route: Any) -> None:
        asked.append({"url": route.request.url, **route.request.headers})
        route.fulfill(body=jpeg, content_type="application/octet-stream")

    shelf.page.route("**/*/file", answer)
    put_record = """([name, offset]) => {
        put({record: {upload_id: name, url: `/uploads/${name}/file`, offset}, name});
    }"""
    for name, size in (("huge.jpg", 9_000_000), ("video.mp4", 2**33), ("seen.jpg", len(jpeg))):
        shelf.page.evaluate(put_record, [name, size])
    colour(shelf, "seen.jpg")
    assert [one["url"].split("/")[-2] for one in asked] == ["seen.jpg"]
    assert asked[0]["x-token"] == "secret"
    shelf.page.evaluate(put_record, ["seen.jpg", len(jpeg)])  # a row that is made again
    expect(shelf.page.locator("li[title='seen.jpg'] canvas")).to_have_count(2)
    assert len(asked) == 1


def test_rows_far_away_wait_and_memory_is_bounded(shelf: Visitor) -> None:
    shelf.page.evaluate("""async () => {
        thumbnails = new thumbnails.constructor({most: 20});
        const png = await made["screen.png"].arrayBuffer();
        for (let n = 0; n < 50; n += 1) {
            const name = `${n}.png`;
            put({file: new File([png], name), name});
        }
    }""")
    colour(shelf, "0.png")
    expect(shelf.page.locator("li[title='49.png'] svg")).to_have_count(1)
    assert shelf.page.evaluate("dropped") == 0
    for n in range(0, 50, 5):
        shelf.page.evaluate("n => shelf.children[n].scrollIntoView({block: 'center'})", n)
        colour(shelf, f"{n}.png")
    shelf.page.evaluate("shelf.lastChild.scrollIntoView()")
    expect(shelf.page.locator("li canvas")).to_have_count(50)
    assert shelf.page.evaluate("dropped") == 30
