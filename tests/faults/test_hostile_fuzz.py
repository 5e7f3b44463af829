"""Requests that nobody sane sends: whatever comes, an answer below 500, no traceback, no growth.

Three kinds, all drawn from a seed: requests put together from odd pieces, good requests with bytes
changed, and noise. Each goes over a connection of its own, whose sending half is closed when no
answer comes, so that an end that is missing is one.
"""

from __future__ import annotations

import random
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.faults.test_hostile_crowds import MEBIBYTE, memory
from tests.support.concurrency import spread
from tests.support.protocol import md5_of, nothing_left
from tests.support.scorecard import BOTH, Run, row
from tests.support.site import Site
from tests.support.wire import BOUNDARY, Request, Wire, completion, form_chunk, raw_chunk, request

NUMBERS = ["0", "1", "9", "10", "-1", "+1", " 1", "1 ", "01", "1e3", "0x10", "1.5", "", "²", "１"]
NUMBERS += ["2147483648", "9223372036854775807", "9223372036854775808", "9" * 40, "9" * 5000, "*"]
TEXTS = ["", " ", "a", "None", "null", "\0", "\r\n", "../../etc/passwd", "..\\..\\x", "/etc/passwd"]
TEXTS += [
    "%2e%2e%2f",
    "%00",
    "CON",
    "a" * 300,
    "é" * 200,
    "\ud7ff\ue000",
    "\u202e",
    "'; DROP TABLE",
]
TEXTS += [
    "{{7*7}}",
    "<b>",
    "=1+1",
    "x\x85y",
    "\U0001f600" * 60,
    ".",
    "..",
    "...",
    "a/b/c",
    "%",
    "%%%",
]
BODIES = [
    b"",
    b"x",
    b"\0" * 100,
    b"\r\n" * 100,
    b"--\r\n",
    b"\xff\xfe" * 50,
    b"-" * 5000,
    b"{" * 3000,
]
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "get",
    "X",
]
TYPES = ["", "multipart/form-data", f"multipart/form-data; boundary={BOUNDARY}", "application/json"]
TYPES += ["multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 300]
TYPES += [
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "text/plain",
    ";;;",
    "a/b/c",
]
TYPES += [
    'multipart/form-data; boundary="\\"',
    "multipart/mixed; boundary=x",
    "application/vnd.x+json",
]
HEADERS = ["Content-Range", "Content-Disposition", "Range", "If-Range", "If-None-Match", "Accept"]
HEADERS += ["Content-Encoding", "Expect", "Authorization", "Cookie", "Host", "X-Forwarded-For"]
HEADERS += ["If-Modified-Since", "Upload-Offset", "X-HTTP-Method-Override", "Content-MD5", "Origin"]
JSONS = ["{}", "[]", "1", "null", '"x"', "NaN", '{"upload_id": NaN}', '{"upload_id": 1, "md5": []}']
JSONS += [
    "[" * 2000,
    '{"a":' * 2000,
    '{"upload_id": "\\ud800", "md5": "\\ud800"}',
    '{"upload_id": null}',
]
JSONS += ['{"upload_id": "%s", "md5": true}', "{'a': 1}", '{"md5": 1e999}', "\ufeff{}", '{"a":1}{}']


class Fuzzer:
    """Draws requests; ``ids`` are uploads that it may spoil."""

    def __init__(self, seed: int, ids: list[str]) -> None:
        self.random = random.Random(seed)
        self.ids = ids

    def draw(self) -> bytes:
        """Return the bytes of one request."""
        kinds: list[Callable[[], bytes]] = [self.odd, self.odd, self.changed, self.noise, self.form]
        kinds += [self.odd_chunked, self.complete]
        return self.random.choice(kinds)()

    def odd(self) -> bytes:
        """A well-framed request from odd pieces."""
        choose = self.random.choice
        headers: dict[str, str] = {}
        for _ in range(self.random.randrange(4)):
            headers[choose(HEADERS)] = self.header_value()
        if self.random.random() < 0.5:
            headers["Content-Range"] = self.content_range()
        if self.random.random() < 0.7:
            headers["Content-Type"] = choose(TYPES)
        if self.random.random() < 0.15:
            headers["Content-Length"] = choose(NUMBERS)
        if self.random.random() < 0.1:
            headers["Transfer-Encoding"] = choose(["chunked", "gzip", "identity", "chunked, gzip"])
        return bytes(request(choose(METHODS), self.target(), self.body(), headers))

    def odd_chunked(self) -> bytes:
        """A chunked body with odd sizes."""
        sizes = ["5", "0", "-1", "FFFFFFFFFFFFFFFFFF", "5;ext=1", "zz", "", "1" * 100]
        body = b"".join(
            f"{self.random.choice(sizes)}\r\n".encode() + b"hello\r\n"
            for _ in range(self.random.randrange(4))
        )
        headers = {"Transfer-Encoding": "chunked", "Content-Type": self.random.choice(TYPES)}
        headers["Content-Range"] = self.content_range()
        return bytes(request("POST", self.target(), body + b"0\r\n\r\n", headers))

    def changed(self) -> bytes:
        """A good request, some of its bytes changed, cut out, doubled or cut off."""
        data = bytearray(bytes(self.good()))
        for _ in range(self.random.choice([1, 1, 2, 5, 20])):
            at = self.random.randrange(len(data))
            act = self.random.randrange(5)
            if act == 0:
                data[at] = self.random.randrange(256)
            elif act == 1:
                del data[at : at + self.random.randrange(1, 20)]
            elif act == 2:
                data[at:at] = data[at : at + self.random.randrange(1, 40)]
            elif act == 3:
                data[at:at] = self.random.choice(BODIES)[:50]
            else:
                del data[max(at, 20) :]
            if not data:
                return b"\n"
        return bytes(data)

    def form(self) -> bytes:
        """A form from odd parts."""
        choose = self.random.choice
        lines = []
        for _ in range(choose([0, 1, 2, 3, 50])):
            name, file = choose(["file", "files[]", "upload_id", "md5", *TEXTS]), choose(TEXTS)
            named = f'; name="{name}"' if self.random.random() < 0.9 else ""
            filed = f'; filename="{file}"' if self.random.random() < 0.6 else ""
            extra = choose(
                ["", "Content-Type: x\r\n", "X: " + "y" * 9000 + "\r\n", ": \r\n", "\r\n"]
            )
            lines.append(
                f"--{BOUNDARY}\r\nContent-Disposition: form-data{named}{filed}\r\n{extra}\r\n"
                f"{choose([*TEXTS, *self.ids])}\r\n"
            )
        end = choose([f"--{BOUNDARY}--\r\n", f"--{BOUNDARY}--", f"--{BOUNDARY}\r\n", "", "--"])
        body = ("".join(lines) + end).encode("utf-8", "surrogatepass")
        headers = {"Content-Type": TYPES[2], "Content-Range": self.content_range()}
        return bytes(request("POST", self.target(), body, headers))

    def complete(self) -> bytes:
        """A completion from odd fields."""
        choose = self.random.choice
        if self.random.random() < 0.5:
            body = choose(JSONS).replace("%s", choose(self.ids)).encode()
            kind = "application/json"
        else:
            pairs = [
                f"{choose(['upload_id', 'md5', '', 'x'])}={choose([*TEXTS, *self.ids])}"
                for _ in range(choose([0, 1, 2, 2, 3, 1000]))
            ]
            body = "&".join(pairs).encode("utf-8", "surrogatepass")
            kind = "application/x-www-form-urlencoded"
        return bytes(request("POST", "/uploads/complete", body, {"Content-Type": kind}))

    def noise(self) -> bytes:
        """No HTTP at all, or hardly."""
        start = self.random.choice(
            [b"", b"GET / ", b"POST /uploads/ HTTP/1.1\r\n", b"\x16\x03\x01"]
        )
        return start + self.random.randbytes(self.random.randrange(1, 300))

    def good(self) -> Request:
        """A request as it should be."""
        upload_id = self.random.choice(self.ids)
        data = self.random.randbytes(self.random.choice([1, 20, 3000]))
        return self.random.choice(
            [
                form_chunk(data, 0, 2 * len(data)),
                form_chunk(data, len(data), 3 * len(data), upload_id=upload_id),
                raw_chunk(data, 10, 20 + len(data), upload_id=upload_id),
                raw_chunk(data, 0, len(data)),
                completion(upload_id, md5_of(data)),
                request("GET", f"/uploads/{upload_id}"),
                request("GET", f"/uploads/{upload_id}/file", headers={"Range": "bytes=0-1"}),
                request("GET", "/uploads/?page=1&per_page=10"),
                request("DELETE", f"/uploads/{upload_id}"),
            ]
        )

    def target(self) -> str:
        choose = self.random.choice
        known = choose(self.ids)
        odd = "".join(f"%{byte:02X}" for byte in choose(TEXTS).encode("utf-8", "surrogatepass"))
        return choose(
            [
                "/uploads/",
                "/uploads/",
                "/uploads/complete",
                f"/uploads/{known}",
                f"/uploads/{known}/file",
                f"/uploads/{known.upper()}",
                f"/uploads/{odd}",
                f"/uploads/{odd}/file",
                f"/uploads/?file={odd}",
                f"/uploads/?filename={odd}",
                f"/uploads/?page={choose(NUMBERS)[:500].encode('ascii', 'ignore').decode()}",
                f"/uploads/?per_page={odd}&page=1&page=2",
                "/uploads//../../etc/passwd",
                "/uploads/%2e%2e/%2e%2e/etc/passwd",
                f"/static/{odd}",
                "*",
                "http://elsewhere/uploads/",
                "/" + "a" * 5000,
            ]
        )

    def content_range(self) -> str:
        choose = self.random.choice
        if self.random.random() < 0.5:
            low = self.random.randrange(30)
            return f"bytes {low}-{low + self.random.randrange(-1, 30)}/{self.random.randrange(60)}"
        unit = choose(["bytes", "bytes", "items", "", "Bytes", "bytes="])
        return f"{unit} {choose(NUMBERS)}-{choose(NUMBERS)}/{choose(NUMBERS)}"

    def header_value(self) -> str:
        choose = self.random.choice
        value: str = choose([*TEXTS, *NUMBERS, "bytes=0-", "bytes=-5", 'W/"x"', "gzip", "Bearer x"])
        if self.random.random() < 0.3:
            value = f'attachment; filename="{value}"'
        if self.random.random() < 0.1:
            value = "bytes=" + ",".join(f"{i}-{i + 1}" for i in range(500))
        # Line breaks and NUL would end the header, and with it what this is meant to test.
        return "".join(char for char in value if char not in "\r\n\0")

    def body(self) -> bytes:
        if self.random.random() < 0.3:
            return self.random.randbytes(self.random.randrange(60))
        return self.random.choice([*BODIES, *(text.encode() for text in JSONS)])


def throw(run: Run, at: Site, data: bytes, counts: dict[str, int]) -> None:
    """Send bytes, end the sending half, and judge the answer."""
    try:
        wire = Wire(at.port, timeout=30)
        wire.try_send(data)
        try:
            # Hyper drops what it works on when the other half closes, so only when it waits.
            if not select.select([wire.socket], [], [], 0.1)[0]:
                wire.half_close()
            reply = wire.reply(_method(data))
            run.check(reply.status < 500, f"answered {reply} to {data[:3000]!r}")
            counts[f"{reply.status // 100}xx"] = counts.get(f"{reply.status // 100}xx", 0) + 1
        finally:
            wire.reset()  # leaves no port in TIME_WAIT
    except TimeoutError:
        run.violation(f"no answer in 30 s to {data[:3000]!r}")
    except (OSError, ValueError):  # hung up on; that is an answer too
        counts["hung up"] = counts.get("hung up", 0) + 1


def _method(data: bytes) -> str:
    return "HEAD" if data[:5] == b"HEAD " else "POST"


def tree(directory: Path) -> set[str]:
    """Return every path below a directory, except what the storage root holds."""
    return {
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if "uploads" not in path.relative_to(directory).parts[:3]
    }


@row("fuzzed requests", databases=BOTH)
def test_no_request_brings_the_server_down(run: Run) -> None:
    count, warm_up = run.amount(reduced=800, full=12_000), run.amount(reduced=300, full=2000)
    environment: dict[str, str] = {"CHUNKED_UPLOAD_DURABLE": "0"}
    with Site(run, environment=environment) as at, at.client() as client:
        sentinel = client.create(b"sentinel", 16)
        ids = [client.create(b"0123456789", 30) for _ in range(20)]
        whole = client.create(b"x" * 100, 100)
        client.complete(whole, b"x" * 100)
        ids += [whole, "0" * 32, "x"]
        counts: dict[str, int] = {}
        seeds = [run.random.randrange(2**32) for _ in range(4)]

        def work(index: int, number: int, offset: int = 0) -> None:
            fuzzer = Fuzzer(seeds[index] + offset, ids)
            for _ in range(number // 4):
                run.tried()
                throw(run, at, fuzzer.draw(), counts)

        before = tree(run.directory)
        spread(range(4), lambda index: work(index, warm_up), 4)
        start = memory(at.server)
        spread(range(4), lambda index: work(index, count - warm_up, 1), 4)
        grown = (memory(at.server) - start) / MEBIBYTE
        for name, times in sorted(counts.items()):
            run.count(name, times)
        run.sample("memory grown", grown, "MiB")
        run.check(grown < 50, f"memory grew by {grown:.0f} MiB")
        check_unharmed(run, at, client, sentinel)
        made = {
            path for path in tree(run.directory) - before if not path.endswith(("-wal", "-shm"))
        }
        run.check(not made, f"files outside of the root: {made}")
        at.check_log()


def check_unharmed(run: Run, at: Site, client: Any, sentinel: str) -> None:
    """An upload that nobody touched is as it was, and goes on."""
    reply = client.state(sentinel)
    run.check(reply.status == 200 and reply.offset == 8, f"the untouched upload is {reply}")
    client.put(sentinel, b"sentinel", 8, 16)
    reply = client.complete(sentinel, b"sentinel" * 2)
    run.check(reply.status == 200, f"the untouched upload's completion got {reply}")
    run.check(client.download(sentinel).body == b"sentinel" * 2, "the untouched upload's bytes")
    root = at.stored.root
    for path in at.stored.files():
        run.check(path.resolve().is_relative_to(root), f"{path} lies elsewhere")


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 10**19 - 1])
def test_length_that_no_record_can_hold_is_refused(app: Flask, length: int) -> None:
    reply = app.test_client().post(
        "/uploads/?filename=large.bin",
        data=b"x",
        environ_overrides={"CONTENT_LENGTH": str(length)},
    )
    assert reply.status_code == 400
    assert reply.json is not None
    assert reply.json["detail"] == "Error in request headers"
    assert nothing_left(app)
