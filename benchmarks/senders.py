"""Chunks as ordinary clients send them, beside the load generator's one ``sendmsg`` per request.

What a client hands to the kernel in two pieces arrives in two: the head alone wakes the server,
and the body comes later. Every sender here appends raw chunks of one size to an upload that has
been begun, over one connection, and tells how many seconds that took.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from .load import Payload
from .wire import Piece, Wire, expect, head, send_all
from .workshop import Unavailable

_SECONDS = 600

#: Node's fetch, which keeps its connection; prints the milliseconds.
_NODE = """
const [url, file, size, count] = process.argv.slice(1);
const data = require("fs").readFileSync(file), total = size * (+count + 2);
async function send(at) {
  const range = `bytes ${at * size}-${(at + 1) * size - 1}/${total}`;
  const headers = {"Content-Range": range, "Content-Type": "application/octet-stream"};
  const answer = await fetch(url, {method: "PUT", body: data, headers});
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}
(async () => {
  await send(1);
  const begun = performance.now();
  for (let at = 2; at < +count + 2; at++) await send(at);
  console.log(performance.now() - begun);
})();
"""


class Job:
    """Chunks to append to one upload, which has its first chunk already.

    :param place: a folder for what programs read.
    """

    def __init__(self, port: int, payload: Payload, *, size: int, count: int, place: Path) -> None:
        self.port, self.size, self.count = port, size, count
        #: One for the upload's creation, one for the connection, and those that are measured.
        self.total = size * (count + 2)
        self.file = place / "chunk"
        self.data = b"".join(payload.pieces(0, size))
        self.file.write_bytes(self.data)
        with Wire(port) as wire:
            answer = wire.ask(head("POST", "/uploads/", self.headers(0)), [self.data])
        self.path = f"/uploads/{expect(answer, 200).json['upload_id']}"

    @property
    def url(self) -> str:
        """The upload's."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def headers(self, at: int) -> dict[str, str]:
        """Return the headers of the chunk with a number."""
        start = at * self.size
        return {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {start}-{start + self.size - 1}/{self.total}",
            "Content-Length": str(self.size),
        }


class Sender(ABC):
    """One way to send."""

    key: ClassVar[str]
    title: ClassVar[str]

    @abstractmethod
    def send(self, job: Job) -> float:
        """Send the job's chunks, after one that opens the connection; return the seconds.

        :raises LoadError, Unavailable:
        """


class OnePacket(Sender):
    """The load generator's own way."""

    key, title = "one", "one sendmsg (load generator)"

    def send(self, job: Job) -> float:
        with Wire(job.port) as wire:
            self._send(wire, job, 1)
            begun = time.monotonic()
            for at in range(2, job.count + 2):
                self._send(wire, job, at)
            return time.monotonic() - begun

    def _send(self, wire: Wire, job: Job, at: int) -> None:
        expect(wire.ask(head("PUT", job.path, job.headers(at)), [job.data]), 200)


class TwoPackets(OnePacket):
    """The head, and then the body."""

    key, title = "two", "head and body in two packets"

    def _send(self, wire: Wire, job: Job, at: int) -> None:
        pieces: tuple[Piece, Piece] = (head("PUT", job.path, job.headers(at)), job.data)
        for piece in pieces:
            send_all(wire.connection(), [piece])
        expect(wire.reply(), 200)


class HttpClient(Sender):
    """Python's own client, on which most of Python's others are built."""

    key, title = "http.client", "http.client (Python)"

    def send(self, job: Job) -> float:
        connection = http.client.HTTPConnection("127.0.0.1", job.port, timeout=_SECONDS)
        try:
            self._send(connection, job, 1)
            begun = time.monotonic()
            for at in range(2, job.count + 2):
                self._send(connection, job, at)
            return time.monotonic() - begun
        finally:
            connection.close()

    def _send(self, connection: http.client.HTTPConnection, job: Job, at: int) -> None:
        connection.request("PUT", job.path, job.data, job.headers(at))
        answer = connection.getresponse()
        if answer.read() and answer.status != 200:
            raise Unavailable(f"http.client was answered {answer.status}")


class Curl(Sender):
    """curl, one process for all requests."""

    key, title = "curl", "curl"

    def send(self, job: Job) -> float:
        requests = [self._request(job, at) for at in range(1, job.count + 2)]
        listed = job.file.with_name("curl")
        listed.write_text("\nnext\n".join(requests))
        said = _run("curl", "--config", str(listed)).split()
        if len(said) != 2 * (job.count + 1) or set(said[::2]) != {"200"}:
            raise Unavailable(f"curl was answered {sorted(set(said[::2]))}")
        return sum(map(float, said[3::2]))

    def _request(self, job: Job, at: int) -> str:
        headers = [f'header = "{name}: {value}"' for name, value in job.headers(at).items()]
        options = [
            f'url = "{job.url}"',
            f'upload-file = "{job.file}"',
            'output = "/dev/null"',
            'write-out = "%{http_code} %{time_total}\\n"',
            "silent",
        ]
        return "\n".join([*options, *(line for line in headers if "Content-Length" not in line)])


class NodeFetch(Sender):
    """``fetch`` of Node.js."""

    key, title = "node", "fetch (Node.js)"

    def send(self, job: Job) -> float:
        said = _run("node", "-e", _NODE, job.url, str(job.file), str(job.size), str(job.count))
        return float(said) / 1000


#: All of them, in the order of the report.
SENDERS = (OnePacket(), TwoPackets(), HttpClient(), Curl(), NodeFetch())


def _run(program: str, *arguments: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise Unavailable(f"{program} is not installed")
    done = subprocess.run(
        [found, *arguments], capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode:
        raise Unavailable(f"{program} failed: {done.stderr.strip()[-300:]}")
    return done.stdout
