"""What tokens, limits, events, metrics, the log and the admin page cost on a chunk's way.

``python -m benchmarks.operating`` prints a table. Servers with one worker each differ in these
alone. Each gets a few chunks of a long file, one server after another, in turns whose order
rotates. What counts is the processor time of a server's processes, which other programs on the
machine disturb less than the time of the clock, beside that of the server with all of it off in the
same turn. Where a process has its memory alone makes a few percent, so all servers start again and
again; each start's median counts. The last column compares all that was spent from the first turn
to the last: what a server does once a second, and while others have their turn, is in it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from itertools import chain
from operator import truediv
from pathlib import Path
from typing import Any

from benchmarks.process import Service
from tests.support.receiver import LOOPBACK, SECRET, receiving
from tests.support.server import PROGRAM, clean_environment

#: Serves without an access log.
_WITHOUT_LOG = """\
import sys
from chunked_upload.server import access_log, command

access_log.init_app = lambda *_, **__: None
sys.argv[1:] = ["serve"]
command.main()
"""

#: What is switched on, by the part. The receiver's address is added.
PARTS: dict[str, dict[str, str]] = {
    "metrics": {"CHUNKED_UPLOAD_METRICS": "1"},
    "access log": {},
    "tokens": {"CHUNKED_UPLOAD_REQUIRE_TOKENS": "1"},
    "limits": {
        "CHUNKED_UPLOAD_MAX_STORED_FILES": "1000000",
        "CHUNKED_UPLOAD_MAX_STORED_BYTES": "100T",
        "CHUNKED_UPLOAD_MAX_BYTES_PER_DAY": "100T",
        "CHUNKED_UPLOAD_MAX_REQUESTS_PER_SECOND": "100000",
    },
    "events": {
        "CHUNKED_UPLOAD_WEBHOOK_SECRETS": SECRET,
        "CHUNKED_UPLOAD_WEBHOOK_NETWORKS": LOOPBACK,
    },
    "admin page": {},
}


class Without:
    """The configuration of servers without the admin page."""

    SECRET_KEY = "only for this measurement"
    CHUNKED_UPLOAD_ADMIN_LOADER = None


class Measured:
    """A server, and what it has cost."""

    def __init__(self, place: Path, parts: list[str], webhook: str) -> None:
        place.mkdir()
        environment = clean_environment() | {
            "WORKERS": "1",
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "SECRET_KEY": Without.SECRET_KEY,
        }
        for part in parts:
            environment |= PARTS[part]
        if "events" in parts:
            environment["CHUNKED_UPLOAD_WEBHOOKS"] = webhook
        if "admin page" not in parts:
            environment["CHUNKED_UPLOAD_CONFIG"] = "benchmarks.operating.Without"
        command = [PROGRAM, "serve"]
        if "access log" not in parts:
            command = [sys.executable, "-c", _WITHOUT_LOG]
        self.service = Service(command, directory=place, environment=environment)
        self.service.environment = {**environment, "PORT": str(self.service.port)}
        self.service.start()
        self.headers: dict[str, str] = {}
        if "tokens" in parts:
            made = subprocess.check_output(
                [PROGRAM, "create-token", "bench", "--json"],
                cwd=place,
                env=self.service.environment,
            )
            self.headers["Authorization"] = f"Bearer {json.loads(made)['token']}"

    def begin(self, chunk: bytes, count: int) -> None:
        """Begin a file of so many chunks."""
        self._chunk, self._sent, self._total = chunk, 0, len(chunk) * count
        self._connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=300)
        self._target = "POST", "/uploads/?filename=a.bin"
        self._send(1)

    def send(self, count: int) -> float:
        """Send chunks, and return the processor time of each, in seconds."""
        began = self.spent()
        self._send(count)
        return (self.spent() - began) / count

    def spent(self) -> float:
        """Return the processor time of its processes so far, in seconds."""
        return processor_seconds(self.service.pids())

    def end(self) -> None:
        """Remove the file."""
        self._asked("DELETE", self._target[1], b"", {})
        self._connection.close()

    def _send(self, count: int) -> None:
        for _ in range(count):
            end = self._sent + len(self._chunk)
            span = {"Content-Range": f"bytes {self._sent}-{end - 1}/{self._total}"}
            answer = self._asked(*self._target, self._chunk, span)
            self._sent, self._target = end, ("PUT", f"/uploads/{answer['upload_id']}")

    def _asked(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        kind = {"Content-Type": "application/octet-stream"}
        self._connection.request(method, url, body, {**kind, **self.headers, **headers})
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{method} {url}: {answer.status} {said[:200]!r}")
        found: dict[str, Any] = json.loads(said or b"{}")
        return found


def processor_seconds(pids: list[int]) -> float:
    """Return the processor time of processes to the nanosecond, ended threads included."""
    # The clock of another process: what clock_getcpuclockid(3) makes of its id.
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=12, help="of the servers (12)")
    parser.add_argument("--each", action="store_true", help="also each part alone")
    parser.add_argument("--kib", type=int, nargs="+", default=[64, 1024, 8192], help="of a chunk")
    parser.add_argument(
        "--beside", choices=["all off", *PARTS], default="all off", help="what the others exceed"
    )
    options = parser.parse_args()
    sets = {"all off": [], "all on": list(PARTS)}
    if options.beside != "all off":
        sets = {options.beside: [options.beside], "all on": list(PARTS)}
    if options.each:
        sets |= {part: [part] for part in PARTS}
    columns = ["chunks of", "", "ms of processor time each", f"beside {options.beside}"]
    print(f"| {' | '.join(columns)} | from first to last |")
    print("|---|---|---:|---:|---:|")
    for kib in options.kib:
        chunk, measured = os.urandom(kib * 1024), Figures(options.beside)
        for _ in range(options.starts):
            _measure(sets, chunk, measured)
        for name in sets:
            print(f"| {kib} KiB | {name} | {measured.told(name)} |", flush=True)


class Figures:
    """What the servers of each name took, in seconds of processor time."""

    def __init__(self, beside: str) -> None:
        self._beside = beside
        #: For a chunk, by start and turn.
        self.turns: defaultdict[str, list[list[float]]] = defaultdict(list)
        #: From the first turn of a start to its last.
        self.whole: defaultdict[str, list[float]] = defaultdict(list)

    def told(self, name: str) -> str:
        """Return the columns of one name."""
        beside = self.turns[self._beside]
        ratios = [
            statistics.median(map(truediv, *start)) * 100 - 100
            for start in zip(self.turns[name], beside, strict=True)
        ]
        whole = list(map(truediv, self.whole[name], self.whole[self._beside]))
        took = statistics.median(chain(*self.turns[name])) * 1000
        low, middle, high = _middle(ratios)
        more = statistics.median(whole) * 100 - 100
        return f"{took:.3f} | {middle:+.1f} % ({low:+.1f} to {high:+.1f}) | {more:+.1f} %"


def _measure(sets: dict[str, list[str]], chunk: bytes, measured: Figures) -> None:
    """Start the servers, and measure what chunks take in turns."""
    turns, count = (40, 10) if len(chunk) < 2**20 else (16, 4)
    warming = turns // 4  # caches, connections, statements
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="operating-")))
        webhook = stack.enter_context(receiving()).url
        servers = {}
        for name, parts in sets.items():
            servers[name] = Measured(place / name.replace(" ", "-"), parts, webhook)
            stack.callback(servers[name].service.stop)
            servers[name].begin(chunk, (warming + turns) * count + 1)
            servers[name].send(warming * count)
        began = {name: server.spent() for name, server in servers.items()}
        took: dict[str, list[float]] = {name: [] for name in servers}
        names = list(servers)
        for turn in range(turns):
            for name in (names * 2)[turn % len(names) :][: len(names)]:
                took[name].append(servers[name].send(count))
        for name, server in servers.items():
            measured.turns[name].append(took[name])
            measured.whole[name].append(server.spent() - began[name])
            server.end()


def _middle(values: list[float]) -> tuple[float, float, float]:
    """Return the median between the ends of its 95 % confidence interval (order statistics)."""
    ordered, half = sorted(values), 0.98 * len(values) ** 0.5
    low, high = int(len(values) / 2 - half), int(len(values) / 2 + half)
    return ordered[max(0, low)], statistics.median(values), ordered[min(high, len(values) - 1)]


if __name__ == "__main__":
    main()
