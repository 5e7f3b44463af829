"""One operation in a process of its own that can be stopped, traced and killed anywhere.

``python -m tests.faults.support_operations`` loads the stand-alone server's app once and then, for
each JSON line on its standard input, forks a child that carries the line's steps out against the
app with Werkzeug's test client: single-threaded, on real files and a real database, so that every
run makes the same system calls. ``{"stop": true}`` among the steps stops the child with SIGSTOP,
for strace to be attached. Each child reports one JSON line; one that was killed reports nothing.
"""

from __future__ import annotations

import gc
import io
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TextIO

from chunked_upload.http.views import progress
from tests.support import preloaded
from tests.support.server import PROGRAM
from tests.support.strace import attached, wait_until_stopped

#: File in the instance folder to which the app's on_completion adds a line for each call.
COMPLETIONS = "completions"

Step = dict[str, Any]


class Operations:
    """The parent's side: forks children and reads their reports.

    :param instance: the instance folder of the app.
    :param warm_up: steps that the process carries out before its first child: no child then has to
        import and compile what they need, in calls that belong to no operation. The last of them
        leaves no record.
    """

    def __init__(
        self, instance: Path, environment: dict[str, str], warm_up: Sequence[Step] = ()
    ) -> None:
        self._warm_up = list(warm_up)
        self.instance = instance
        self.root = instance / "uploads"
        # Without coverage: it would make calls of its own, never the same.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
        self._environment = {
            **inherited,
            "CHUNKED_UPLOAD_INSTANCE": str(instance),
            **environment,
        }

    def __enter__(self) -> Self:
        project = Path(__file__).parents[2]
        migrated = preloaded.run([PROGRAM, "migrate"], cwd=project, env=self._environment)
        migrated.check_returncode()
        requests, self._requests = pipe()
        self._reports, reports = pipe()
        with requests, reports, (self.instance / "operations.log").open("ab") as log:
            self._process = preloaded.start(
                [sys.executable, "-m", "tests.faults.support_operations"],
                cwd=project,
                env=self._environment,
                given=requests,
                output=reports,
                errors=log,
            )
        self._send(self._warm_up)
        return self

    def __exit__(self, *exception: object) -> None:
        self._requests.close()
        self._process.wait()
        self._reports.close()

    def run(self, steps: list[Step]) -> list[Any]:
        """Carry steps out in one new process; returns what each of them said."""
        self._send(steps)
        self._receive()
        report = self._receive()
        if report is None:
            raise RuntimeError(f"an operation died:\n{self.log()}")
        said: list[Any] = report
        return said

    def run_traced(
        self, before: list[Step], steps: list[Step], *options: str, output: Path | None = None
    ) -> list[Any] | None:
        """Carry ``before`` out, then ``steps`` under strace; None when the process was killed."""
        self._send([*before, {"stop": True}, *steps])
        pid = self._receive()
        wait_until_stopped(pid)
        with attached(pid, *options, output=output):
            os.kill(pid, signal.SIGCONT)
            report = self._receive()
        return None if report is None else report[len(before) + 1 :]

    def log(self) -> str:
        """Return the end of what the children wrote to their standard error."""
        return (self.instance / "operations.log").read_text()[-3000:]

    def completions(self, upload_id: str) -> int:
        """Return how often on_completion ran for an upload."""
        path = self.instance / COMPLETIONS
        return path.read_text().split().count(upload_id) if path.exists() else 0

    def _send(self, steps: list[Step]) -> None:
        self._requests.write(json.dumps(steps) + "\n")
        self._requests.flush()

    def _receive(self) -> Any:
        line = self._reports.readline()
        if not line:
            raise RuntimeError(f"the operations process ended:\n{self.log()}")
        return json.loads(line)


def pipe() -> tuple[TextIO, TextIO]:
    """Return the reading and the writing end of a pipe."""
    reading, writing = os.pipe()
    return os.fdopen(reading), os.fdopen(writing, "w")


# The child's side


def main() -> None:
    """Serve the lines of standard input."""
    say = _speaker()
    sys.dont_write_bytecode = True  # the first child to import something would make more calls
    app = _make_app()
    client = _warm_up(app, json.loads(sys.stdin.readline()))
    gc.collect()
    gc.freeze()  # else each child would copy what it looks through for garbage
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _carry_out(app, client, json.loads(line), writing)
        os.close(writing)
        say(pid)
        with os.fdopen(reading) as pipe:
            report = pipe.read()
        os.waitpid(pid, 0)
        say(json.loads(report) if report else None)


def _speaker() -> Callable[[Any], None]:
    """Keep standard output for reports; what the app prints there goes to standard error."""
    reports = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(what: Any) -> None:
        reports.write(json.dumps(what) + "\n")
        reports.flush()

    return say


def _make_app() -> Any:
    from chunked_upload.checksum.md5 import MD5
    from chunked_upload.server.app import create_app

    MD5.resumable()  # looks for the library once, with the help of other programs
    app = create_app()
    path = Path(app.instance_path) / COMPLETIONS

    def note(uploaded_file: Any, _request: Any) -> None:
        with path.open("a") as file:
            file.write(f"{uploaded_file.upload.upload_id}\n")

    app.extensions["chunked_upload"]["chunked_upload"].hooks.on_completion.append(note)
    return app


def _warm_up(app: Any, steps: list[Step]) -> Any:
    """Import and compile what every child would, and leave no connection to the database.

    :param steps: carried out here; the last of them leaves no record.
    :return: the client that each child continues: a browser that has the page open, and its cookie.
    """
    app.test_cli_runner()
    client = app.test_client()
    client.get("/")
    client.get(f"/uploads/{'0' * 32}")
    if steps:
        for _ in _results(app, client, steps):
            pass
        shutil.rmtree(Path(app.instance_path) / "uploads")
    assert threading.active_count() == 1, threading.enumerate()  # no thread survives a fork
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    return client


def _carry_out(app: Any, client: Any, steps: list[Step], report: int) -> None:
    """Run in the child, which never returns from here."""
    code = 1
    try:
        said = list(_results(app, client, steps))
        os.write(report, json.dumps(said).encode())
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _results(app: Any, client: Any, steps: list[Step]) -> Iterator[Any]:
    names = Path(app.instance_path) / "names.json"
    known = {"id": "0" * 32, **(json.loads(names.read_text()) if names.exists() else {})}
    for step in steps:
        if "stop" in step:
            os.kill(os.getpid(), signal.SIGSTOP)
            yield None
        elif "command" in step:
            result = app.test_cli_runner().invoke(args=["chunked-upload", *step["command"]])
            yield {"code": result.exit_code, "output": result.output}
        elif "id" in step:
            found = _sql(app, step["id"])
            known["id"] = found[0][0] if found else "0" * 32
            yield found
        elif "sql" in step:
            yield _sql(app, step["sql"])
        elif "promote" in step:
            _promote(app, known["id"])
            yield None
        elif "file" in step:
            _touch(app, step, known)
            yield None
        else:
            answer = _request(client, step, known)
            if upload_id := answer["json"].get("upload_id") or _named(answer["location"]):
                known["id"] = upload_id
                if "as" in step:
                    known[step["as"]] = upload_id
                    names.write_text(json.dumps({k: v for k, v in known.items() if k != "id"}))
            yield answer


def _request(client: Any, step: Step, known: dict[str, str]) -> dict[str, Any]:
    """Send a request; ``{id}`` in path, headers and form is the last upload's.

    ``"as"`` names the upload that it creates, for later processes too. ``"piece"`` has its body
    arrive in pieces of so many bytes, with the progress recorded after each.
    """
    headers = {key: value.format(**known) for key, value in step.get("headers", {}).items()}
    options: dict[str, Any] = {"headers": headers}
    if "form" in step:
        options["data"] = {key: value.format(**known) for key, value in step["form"].items()}
    elif "body" in step:
        body = step["body"].encode()
        # A client that declares more than it sends, and goes away.
        declared = step.get("declared", len(body))
        options |= {"input_stream": _Pieces(body, step.get("piece"))}
        options["environ_overrides"] = {"CONTENT_LENGTH": str(declared)}
    response = client.open(step["path"].format(**known), method=step["method"], **options)
    parsed = response.get_json(silent=True)
    return {
        "status": response.status_code,
        "json": parsed or {},
        "text": response.text[:5000],
        "location": response.headers.get("Location", ""),
    }


class _Pieces(io.BytesIO):
    """A body that arrives in pieces, after each of which a long request's progress is recorded."""

    def __init__(self, body: bytes, piece: int | None) -> None:
        super().__init__(body)
        self._piece = piece
        if piece is not None:
            progress._BYTES = piece

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size if self._piece is None else self._piece)

    read1 = read


def _named(location: str) -> str:
    """Return the upload that a URL is of."""
    last = location.rpartition("/")[2]
    return last if re.fullmatch("[0-9a-f]{32}", last) else ""


def _sql(app: Any, statement: str) -> list[list[Any]]:
    from sqlalchemy import text

    with app.app_context(), app.extensions["sqlalchemy"].engine.begin() as connection:
        result = connection.execute(text(statement))
        return [list(found) for found in result] if result.returns_rows else []


def _promote(app: Any, upload_id: str) -> None:
    """Put an upload's file in its final place, and record nothing: a completion that died there."""
    upload_set = app.extensions["chunked_upload"]["chunked_upload"]
    with app.test_request_context():
        statement = upload_set.engine.records.query(upload_set.name)
        record = upload_set.engine.find(statement.where(upload_set.model.upload_id == upload_id))
        upload_set.engine.completion.promote(record)


def _touch(app: Any, step: Step, known: dict[str, str]) -> None:
    """Add bytes to a file of the storage, as a writer that died before its commit leaves them."""
    path = Path(app.instance_path) / "uploads" / step["file"].format(**known, two=known["id"][:2])
    with path.open("ab") as file:
        file.write(step["append"].encode())


if __name__ == "__main__":
    main()
