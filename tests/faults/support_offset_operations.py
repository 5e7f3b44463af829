"""Operations of the offset dialects, for the trials of support_trial.py.

What another dialect does to their uploads is tried too: they are carried to their end by chunks.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

from tests.faults.support_operations import Step
from tests.faults.support_trial import DATA, DELETE, GARBAGE, HALF, Operation

#: Where an append stops that is not the last.
_STOP = 2500

_TUS = {"Tus-Resumable": "1.0.0"}
_BODY = {"Content-Type": "application/offset+octet-stream"}
_PARTIAL = {"Content-Type": "application/partial-upload"}


def _create(length: int = len(DATA), body: str | None = None, **more: str) -> Step:
    """Create an upload by tus, with the body's bytes if there is one."""
    step: Step = {
        "method": "POST",
        "path": "/uploads/tus/",
        "headers": {**_TUS, "Upload-Length": str(length), **_named(more)},
    }
    return step if body is None else _with(step, body, _BODY)


def _patch(start: int, stop: int = len(DATA), **more: str) -> Step:
    """Append by tus."""
    step: Step = {
        "method": "PATCH",
        "path": "/uploads/tus/{id}",
        "headers": {**_TUS, "Upload-Offset": str(start), **_named(more)},
    }
    return _with(step, DATA[start:stop], _BODY)


def _resumable(stop: int, *, complete: bool = False) -> Step:
    """Create an upload by the IETF's dialect, with bytes."""
    step: Step = {
        "method": "POST",
        "path": "/uploads/?filename=file.bin",
        "headers": {"Upload-Complete": f"?{int(complete)}", "Upload-Length": str(len(DATA))},
    }
    return _with(step, DATA[:stop], {"Content-Type": "application/octet-stream"})


def _append(start: int, stop: int = len(DATA), *, complete: bool = False) -> Step:
    """Append by the IETF's dialect."""
    step: Step = {
        "method": "PATCH",
        "path": "/uploads/{id}",
        "headers": {"Upload-Complete": f"?{int(complete)}", "Upload-Offset": str(start)},
    }
    return _with(step, DATA[start:stop], _PARTIAL)


def _with(step: Step, body: str, headers: dict[str, str]) -> Step:
    return {**step, "body": body, "headers": {**step["headers"], **headers}}


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _partial(name: str, body: str) -> list[Step]:
    """Create and fill a partial upload that has a name."""
    return [{**_create(len(body), body, Upload_Concat="partial"), "as": name}]


def _sha1(start: int, stop: int) -> str:
    digest = sha1(DATA[start:stop].encode(), usedforsecurity=False).digest()
    return f"sha1 {b64encode(digest).decode()}"


_HEAD: Step = {"method": "HEAD", "path": "/uploads/tus/{id}", "headers": _TUS}
_FINAL: Step = {
    "method": "POST",
    "path": "/uploads/tus/",
    "headers": {**_TUS, "Upload-Concat": "final;/uploads/tus/{a} /uploads/tus/{b}"},
}
_BEGUN = [_create(), _patch(0, HALF)]

OFFSET_OPERATIONS = {
    "tus creation": Operation([], _create(), (201,)),
    "tus creation with bytes": Operation([], _create(body=DATA[:HALF]), (201,)),
    "tus creation with all bytes": Operation(
        [], _create(body=DATA), (201,), ends="complete", unknown=True
    ),
    "tus append": Operation(_BEGUN, _patch(HALF, _STOP), (204, 409), acked=HALF),
    "tus append in pieces": Operation(
        _BEGUN, {**_patch(HALF, _STOP), "piece": 400}, (204, 409), acked=HALF
    ),
    "tus append with a checksum": Operation(
        _BEGUN,
        _patch(HALF, _STOP, Upload_Checksum=_sha1(HALF, _STOP)),
        (204, 409),
        acked=HALF,
    ),
    "tus append that breaks off": Operation(
        _BEGUN, {**_patch(HALF, _STOP), "declared": len(DATA) - HALF}, (400, 409), acked=HALF
    ),
    "tus append after a dead writer": Operation(
        [*_BEGUN, GARBAGE], _patch(HALF, _STOP), (204, 409), acked=HALF
    ),
    "tus last append": Operation(_BEGUN, _patch(HALF), (204,), acked=HALF, ends="complete"),
    "tus question after a dead writer": Operation([*_BEGUN, GARBAGE], _HEAD, (200,), acked=HALF),
    "tus concatenation": Operation(
        [*_partial("a", DATA[:HALF]), *_partial("b", DATA[HALF:])], _FINAL, (201,), ends="complete"
    ),
    "tus termination": Operation(
        _BEGUN, {**DELETE, "path": "/uploads/tus/{id}", "headers": _TUS}, (204, 404), ends="gone"
    ),
    "resumable creation": Operation([], _resumable(HALF), (201,)),
    "resumable creation with all bytes": Operation(
        [], _resumable(len(DATA), complete=True), (200,), ends="complete", unknown=True
    ),
    "resumable append": Operation([_resumable(HALF)], _append(HALF, _STOP), (204, 409), acked=HALF),
    "resumable last append": Operation(
        [_resumable(HALF)], _append(HALF, complete=True), (200, 409), acked=HALF, ends="complete"
    ),
}
