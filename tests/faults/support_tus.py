"""Clients of tus, for the rows whose clients send chunks otherwise."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.faults.support_client import Answer, Upload
from tests.faults.support_victim import Victim

_VERSION = {"Tus-Resumable": "1.0.0"}
_BODY = {"Content-Type": "application/offset+octet-stream"}


class TusUpload(Upload):
    """One file by tus: created with its first bytes or without any, then appended to.

    What was acknowledged is what an answer or a question for the offset has told.

    :cvar VERSION, FOLDER: the header of all requests, and where uploads are.
    :cvar APPENDED: statuses of an append that was stored.
    """

    VERSION: ClassVar[dict[str, str]] = _VERSION
    FOLDER: ClassVar[str] = "/uploads/tus/"
    APPENDED: ClassVar[tuple[int, ...]] = (204,)

    def _ask(self) -> None:
        assert self.upload_id is not None
        if self._rng.random() < 0.5:
            super()._ask()
            return
        path = f"{self.FOLDER}{self.upload_id}"
        answer = self.http.request("HEAD", path, headers=self.VERSION)
        if answer.status >= 500:
            self._failed(f"HEAD: {answer.status}")
        elif answer.status not in (200, 204):
            self._report(f"an acknowledged upload is gone: HEAD {answer.status}")
            self.upload_id, self.acked = None, 0
        else:
            self._note(answer)

    def _send(self) -> None:
        piece = self._piece()
        if self.acked + len(piece) == len(self.data):
            self.completing = True  # the last byte promotes the file
        answer = self._create(piece) if self.upload_id is None else self._append(piece)
        if answer.status in (201, *self.APPENDED):
            expected = self.acked + len(piece)
            if int(self._told(answer)) != expected:
                self._report(f"offset {self._told(answer)} instead of {expected}")
            if answer.status == 201 and answer.headers is not None:
                self.upload_id = answer.headers["Location"].rpartition("/")[2]
            self.acked = expected
            self._progress()
        elif answer.status == 409:
            self._note(answer)
            self._failed("offset")
        elif answer.status >= 500:
            self._failed(f"append: {answer.status} {answer.body[:200]!r}")
        else:
            self._report(f"append refused: {answer.status} {answer.body[:200]!r}")
            self._failed("refused")

    def _piece(self) -> bytes:
        size = self._rng.randint(0 if self.upload_id is None else 1, 2 * self._chunk)
        return self.data[self.acked : self.acked + size]

    def _create(self, piece: bytes) -> Answer:
        headers = {**_VERSION, "Upload-Length": str(len(self.data))}
        return self.http.request(
            "POST", "/uploads/tus/", piece or None, headers | (_BODY if piece else {})
        )

    def _append(self, piece: bytes) -> Answer:
        headers = {**_VERSION, **_BODY, "Upload-Offset": str(self.acked)}
        return self.http.request("PATCH", f"/uploads/tus/{self.upload_id}", piece, headers)

    def _note(self, answer: Answer) -> None:
        offset = int(self._told(answer))
        if offset < self.acked:
            self._report(f"the offset went back from {self.acked} to {offset}")
        self.acked = offset

    def _told(self, answer: Answer) -> str:
        told = answer.headers and answer.headers["Upload-Offset"]
        # A creation without bytes may leave it out: it is 0.
        return told or ("0" if answer.status == 201 else "-1")


class TusVictim(Victim):
    """An upload by tus in equal appends; it completes itself."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        headers = {**_VERSION, "Upload-Length": str(len(self.data))}
        created = self.http.request("POST", "/uploads/tus/", None, headers)
        assert created.headers is not None
        self.upload_id = created.headers["Location"].rpartition("/")[2]

    def send(self) -> Answer:
        """Send the next append, and count it when it is acknowledged."""
        self.run.tried()
        piece = self.data[self.offset : self.offset + self.size]
        headers = {**_VERSION, **_BODY, "Upload-Offset": str(self.offset)}
        answer = self.http.request("PATCH", f"/uploads/tus/{self.upload_id}", piece, headers)
        if answer.status == 204 and answer.headers is not None:
            self._took(answer, len(piece), int(answer.headers["Upload-Offset"]))
        return answer
