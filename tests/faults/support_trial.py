"""Operations whose system calls are enumerated, and what must be true after one was disturbed.

A :class:`Trial` carries an operation out in a process of its own, has strace kill it, or fail one
of its calls, then repeats the client's last request in a new process, as any client would: it must
move on. Then the upload is carried to its end (or let expire), the cleaner runs, and records and
files must agree.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.faults.support_audit import compare
from tests.faults.support_client import part_path
from tests.faults.support_operations import Operations, Step
from tests.support.protocol import md5_of
from tests.support.scorecard import Run, Size
from tests.support.strace import CHANGING, parse

DATA = "".join(chr(97 + i % 26) for i in range(3000))
HALF = len(DATA) // 2
MD5 = md5_of(DATA.encode())


def _first(stop: int = HALF) -> Step:
    return {
        "method": "POST",
        "path": "/uploads/?filename=file.bin",
        "body": DATA[:stop],
        "headers": _range(0, stop),
    }


def _second(start: int = HALF, stop: int = len(DATA)) -> Step:
    return {
        "method": "PUT",
        "path": "/uploads/{id}",
        "body": DATA[start:stop],
        "headers": _range(start, stop),
    }


def _range(start: int, stop: int) -> dict[str, str]:
    return {
        "Content-Range": f"bytes {start}-{stop - 1}/{len(DATA)}",
        "Content-Type": "application/octet-stream",
    }


def _dropzone(index: int) -> Step:
    fields = {
        "filename": "file.bin",
        "dzuuid": "one",
        "dzchunkindex": index,
        "dzchunkbyteoffset": index * HALF,
        "dzchunksize": HALF,
        "dztotalchunkcount": 2,
        "dztotalfilesize": len(DATA),
        "md5": MD5,
    }
    return {
        "method": "POST",
        "path": f"/uploads/?{urlencode(fields)}",
        "body": DATA[index * HALF : (index + 1) * HALF],
        "headers": {"Content-Type": "application/octet-stream"},
    }


_COMPLETE: Step = {
    "method": "POST",
    "path": "/uploads/complete",
    "form": {"upload_id": "{id}", "md5": MD5},
}
DELETE: Step = {"method": "DELETE", "path": "/uploads/{id}"}
_STATE: Step = {"method": "GET", "path": "/uploads/{id}"}
_FILE: Step = {"method": "GET", "path": "/uploads/{id}/file"}
_EXPIRE: Step = {
    "sql": "UPDATE chunked_upload SET expires_on = '2001-01-01 00:00:00' WHERE status <> 2"
}
_CLEAN: Step = {"command": ["delete-expired-uploads"]}
_EXPIRE_ALL: Step = {"sql": "UPDATE chunked_upload SET expires_on = '2001-01-01 00:00:00'"}
_CLEAN_ALL: Step = {"command": ["delete-expired-uploads", "--include-complete"]}
_RETRY: Step = {"command": ["retry-completions"]}
#: What is answered when the database does not work, without a known reason.
_UNAVAILABLE = "Database is unavailable"
_ROWS: Step = {"sql": 'SELECT status, path, "offset" FROM chunked_upload'}
_FORGET: Step = {"sql": "DELETE FROM chunked_upload"}
_DEAD_COMPLETION: Step = {"promote": True}
GARBAGE: Step = {"file": ".incoming/{two}/{id}.part", "append": "garbage of a dead writer"}
_NEWEST: Step = {"id": "SELECT upload_id FROM chunked_upload ORDER BY id DESC LIMIT 1"}
_BROKEN = {**_first(), "body": DATA[: HALF // 2], "declared": HALF}


@dataclass(frozen=True)
class Operation:
    """What is done before, what is killed, and which answers its repetition may get.

    :param acked: bytes that were acknowledged before.
    :param ends: the upload is gone afterwards, or complete, or goes on.
    :param unknown: a client that has no answer cannot know of the upload. So none repeats its
        completion: ``retry-completions`` does, and the lock of a dead one goes with the upload.
    """

    before: list[Step]
    killed: Step
    repeated: tuple[int, ...]
    acked: int = 0
    ends: str = "goes on"
    unknown: bool = False


OPERATIONS = {
    "first chunk": Operation([], _first(), (200,)),
    "first chunk that breaks off": Operation([], _BROKEN, (400,), ends="gone"),
    "chunk": Operation([_first()], _second(stop=2500), (200, 400), acked=HALF),
    "last chunk": Operation([_first()], _second(), (200, 400), acked=HALF),
    "chunk after a dead writer": Operation([_first(), GARBAGE], _second(), (200, 400), acked=HALF),
    "completion": Operation(
        [_first(), _second()], _COMPLETE, (200,), acked=len(DATA), ends="complete"
    ),
    "completion with garbage to cut off": Operation(
        [_first(), _second(), GARBAGE], _COMPLETE, (200,), acked=len(DATA), ends="complete"
    ),
    "completion under a taken name": Operation(
        [_first(len(DATA)), _COMPLETE, _first(), _second()],
        _COMPLETE,
        (200,),
        acked=len(DATA),
        ends="complete",
    ),
    "completion after a dead one": Operation(
        [_first(), _second(), _DEAD_COMPLETION],
        _COMPLETE,
        (200,),
        acked=len(DATA),
        ends="complete",
    ),
    "abort after a dead completion": Operation(
        [_first(), _second(), _DEAD_COMPLETION], DELETE, (204, 404), ends="gone"
    ),
    "expiry after a dead completion": Operation(
        [_first(), _second(), _DEAD_COMPLETION, _EXPIRE], _CLEAN, (0,), ends="gone"
    ),
    "abort": Operation([_first()], DELETE, (204, 404), ends="gone"),
    "deletion of a completed upload": Operation(
        [_first(), _second(), _COMPLETE], DELETE, (204, 404), ends="gone"
    ),
    "Dropzone's first chunk": Operation([], _dropzone(0), (200,)),
    "Dropzone's last chunk": Operation(
        [_dropzone(0)], _dropzone(1), (200,), acked=HALF, ends="complete"
    ),
    "Dropzone's cancel": Operation(
        [_dropzone(0)],
        {"method": "DELETE", "path": "/uploads/?dzuuid=one"},
        (204,),
        ends="gone",
    ),
    "expiry": Operation([_first(), _EXPIRE], _CLEAN, (0,), ends="gone"),
}


def _steps(name: str) -> list[Step]:
    operation = OPERATIONS[name]
    return [*operation.before, operation.killed, _STATE, _FILE]


#: At reduced size these are carried out before all trials (see :class:`Operations`). At full size
#: the calls by which Python imports a module in the middle of a request are disturbed as well.
WARM_UP: list[Step] = [
    *(step for name in ("completion", "Dropzone's last chunk", "abort") for step in _steps(name)),
    *(_RETRY, _EXPIRE_ALL, _CLEAN_ALL, _CLEAN_ALL, _FORGET),
]


def warm_up(run: Run) -> list[Step]:
    """Return what to carry out before all trials of a run."""
    return WARM_UP if run.size is Size.REDUCED else []


class Trial:
    """One operation, killed again and again; before each time the storage is empty."""

    def __init__(self, run: Run, operations: Operations, name: str, operation: Operation) -> None:
        self._run = run
        self._operations = operations
        self._name = name
        self._operation = operation

    def points(self) -> list[tuple[str, int]]:
        """Run the operation undisturbed; return each call that changes something, in order."""
        trace = self._run.directory / "trace"
        said = self._operations.run_traced(
            self._before(), [self._operation.killed], "-e", "trace=all", output=trace
        )
        if said is None:
            raise RuntimeError(f"{self._name} died untouched:\n{self._operations.log()}")
        self._judge_end(self._end([]))
        counted: Counter[str] = Counter()
        found = []
        for call in parse(trace.read_text()):
            if call.name in CHANGING:
                counted[call.name] += 1
                found.append((call.name, counted[call.name]))
        return found

    def kill_at(self, call: str, k: int) -> None:
        """Kill the operation at the ``k``-th ``call``, repeat its request, carry it to its end."""
        noted = len(self._run.violations)
        said = self._disturbed(call, k, "signal=SIGKILL")
        self._run.check(said is None, "was not killed")
        self._carry_on()
        self._say_where(noted, f"killed at {call} {k}")

    def fail_at(self, call: str, k: int, error: str, status: int) -> None:
        """Make the ``k``-th ``call`` fail; the answer is ``status`` or what success would say."""
        noted = len(self._run.violations)
        said = self._disturbed(call, k, f"error={error}")
        if self._run.check(said is not None, "died") and said is not None:
            # Of a file that it cannot open SQLite says just that, whatever the reason.
            mute = call == "openat" and (said[0].get("json") or {}).get("detail") == _UNAVAILABLE
            self._judge_failure(said[0], 503 if mute else status)
        self._carry_on()
        self._say_where(noted, f"{error} at {call} {k}")

    def _disturbed(self, call: str, k: int, how: str) -> list[Any] | None:
        self._run.tried()
        options = ("-e", f"trace={call}", "-e", f"inject={call}:{how}:when={k}")
        return self._operations.run_traced(self._before(), [self._operation.killed], *options)

    def _judge_failure(self, said: dict[str, Any], status: int) -> None:
        if "code" in said:  # a command: it may fail, but says so in a line
            self._run.check(said["code"] in (0, 1), f"ended with {said}")
            self._run.count("commands failed", said["code"])
        elif said["status"] == status:
            self._run.count(f"answers {status}")
            mute = self._operation.killed["method"] == "HEAD"
            self._run.check(mute or said["json"].get("detail"), f"no detail: {said}")
        else:
            self._run.count("answers as success")
            self._run.check(said["status"] in self._operation.repeated, f"answered {said}")

    def _carry_on(self) -> None:
        newest, state, again, after = self._operations.run(
            [_NEWEST, _STATE, self._operation.killed, _STATE]
        )
        self._judge_state(state)
        self._judge_again(again, after, known=bool(newest))
        self._judge_end(self._end(self._rest(after)))

    def _say_where(self, noted: int, where: str) -> None:
        for number in range(noted, len(self._run.violations)):
            self._run.violations[number] += f" ({self._name}, {where})"

    def _before(self) -> list[Step]:
        warm_up: Step = {"method": "GET", "path": "/uploads/" + "0" * 32}
        return [*self._operation.before, warm_up]

    def _judge_state(self, state: dict[str, Any]) -> None:
        """Nothing that was acknowledged is lost, right after the restart."""
        if not self._operation.acked:
            return
        offset = state["json"].get("offset", -1)
        self._run.check(offset >= self._operation.acked, f"after the kill: {state}")
        if state["json"].get("status") == 1:
            path = part_path(self._operations.root, state["json"]["upload_id"])
            # The repetition may have written after it, never before it.
            stored = path.read_bytes()[:offset] if path.exists() else DATA[:offset].encode()
            self._run.check(stored == DATA[:offset].encode(), "recorded bytes are wrong")

    def _judge_again(self, said: dict[str, Any], after: dict[str, Any], *, known: bool) -> None:
        """The same request moves on: it works, or says that it has worked."""
        operation = self._operation
        status = said.get("status", said.get("code"))
        if operation.ends == "gone" and not known and operation.acked:
            self._run.check(status == 404, f"repeated: {said}")
            return
        self._run.check(status in operation.repeated, f"repeated: {said}")
        if status in (400, 409) and operation.ends == "goes on":
            moved = after["json"].get("offset", 0) > operation.acked
            self._run.check(moved, f"repeated: {said}")

    def _rest(self, state: dict[str, Any]) -> list[Step]:
        """Return what carries the upload to its end from where it stands."""
        ends = self._operation.ends
        if ends == "gone":
            return []
        offset = state["json"].get("offset", 0)
        more = [_second(offset)] if ends == "goes on" and offset < len(DATA) else []
        return [*more, _COMPLETE, _FILE]

    def _end(self, rest: list[Step]) -> list[Any]:
        """Finish, let expire what is unfinished, clean, and look what is left; then empty all."""
        # What a client named stays marked for once more as long, to refuse its late chunks.
        cleaned, retried = [_EXPIRE, _CLEAN], []
        if self._operation.unknown:
            cleaned, retried = [_EXPIRE_ALL, _CLEAN_ALL], [_RETRY]
        last: list[Step] = [*retried, _NEWEST, *rest, *cleaned, *cleaned, _ROWS, _FORGET]
        return self._operations.run(last)

    def _judge_end(self, said: list[Any]) -> None:
        *steps, _, cleaned, _, _, rows, _ = said
        if len(steps) > 2:
            done, file = steps[-2:]
            self._run.check(done["status"] == 200, f"cannot be completed: {done}")
            right = file["status"] == 200 and file["text"] == DATA
            self._run.check(right, f"not the right file: {file['status']}")
            self._run.check(
                self._operations.completions(done["json"].get("upload_id", "")), "no hook"
            )
        self._run.check(cleaned["code"] == 0, f"the cleaner failed: {cleaned}")
        compare(self._run, self._operations.root, [tuple(found) for found in rows])
        if self._operation.ends == "gone":
            self._run.check(not rows, f"still there: {rows}")
        shutil.rmtree(self._operations.root, ignore_errors=True)
