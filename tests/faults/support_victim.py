"""One upload on a server whose parts fail, and what must hold before, during and after."""

from __future__ import annotations

from random import Random

from tests.faults.support_client import Answer, Http
from tests.support.protocol import md5_of
from tests.support.scorecard import Run
from tests.support.server import Server


class Victim:
    """An upload in equal chunks, beside a completed one that must stay readable.

    :param chunks: how many; :attr:`left` tells how many are still to be sent.
    """

    def __init__(self, run: Run, server: Server, *, chunks: int, size: int = 30_000) -> None:
        self.run = run
        self.http = Http(server.port, timeout=90)
        self.size = size
        rng = Random(run.seed)
        self.data = rng.randbytes(chunks * size)
        self._other = rng.randbytes(size)
        self._other_id = self.new(self._other)
        run.check(self.http.complete(self._other_id, md5_of(self._other)).status == 200, "other")
        self.upload_id = ""
        self.offset = 0
        #: Set when no answer but success may follow.
        self.left = chunks

    def new(self, data: bytes) -> str:
        """Begin another upload with all of its bytes; returns its id."""
        answer = self.http.create(data, len(data), "other.bin")
        self.run.check(answer.status == 200, f"another upload cannot be made: {answer}")
        return str(answer.json.get("upload_id"))

    def send(self) -> Answer:
        """Send the next chunk, and count it when it is acknowledged."""
        self.run.tried()
        piece = self.data[self.offset : self.offset + self.size]
        total = len(self.data)
        if self.upload_id:
            answer = self.http.put(
                self.upload_id, piece, self.offset, total, form=bool(self.left % 2)
            )
        else:
            answer = self.http.create(piece, total, "victim.bin", form=bool(self.left % 2))
        if answer.status == 200:
            self.upload_id = answer.json["upload_id"]
            self._took(answer, len(piece), answer.json["offset"])
        return answer

    def _took(self, answer: Answer, size: int, told: int) -> None:
        self.offset += size
        self.left -= 1
        self.run.check(told == self.offset, f"offset: {answer}")

    def must_fail(self, *statuses: int) -> None:
        """Send the next chunk, which must be refused with a status, a detail and no harm."""
        answer = self.send()
        self.run.check(answer.status in statuses, f"chunk: {answer.status} {answer.body[:200]!r}")
        self.run.check(answer.json.get("detail"), f"no detail: {answer.body[:200]!r}")
        self.run.count(f"answers {answer.status}")

    def must_go_on(self) -> None:
        """Send the next chunk, which must work."""
        answer = self.send()
        self.run.check(
            answer.status in (200, 204), f"does not go on: {answer.status} {answer.body[:200]!r}"
        )

    def check_reads(self) -> None:
        """State and downloads must work, and tell the acknowledged offset."""
        if self.upload_id:
            state = self.http.state(self.upload_id)
            right = state.status == 200 and state.json["offset"] == self.offset
            self.run.check(right, f"state: {state.status} {state.body[:200]!r}")
        file = self.http.request("GET", f"/uploads/{self._other_id}/file")
        self.run.check(file.status == 200 and file.body == self._other, f"file: {file.status}")

    def check_health(self, part: str | None) -> None:
        """``/healthz`` must name the failing part, or be well when ``part`` is None."""
        answer = self.http.health()
        said = answer.json.get(part or "status", "")
        right = (
            (answer.status, said) == (200, "ok")
            if part is None
            else (answer.status == 503 and said.startswith("failed"))
        )
        self.run.check(right, f"health ({part}): {answer.status} {answer.body!r}")

    def finish(self) -> None:
        """Send what is left, complete, and compare the file."""
        while self.left:
            before = self.left
            self.must_go_on()
            if self.left == before:
                return
        done = self.http.complete(self.upload_id, md5_of(self.data))
        self.run.check(done.status == 200, f"completion: {done.status} {done.body[:200]!r}")
        file = self.http.request("GET", f"/uploads/{self.upload_id}/file")
        self.run.check(file.body == self.data, "the completed file is wrong")
        self.http.close()
