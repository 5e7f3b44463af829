"""What must be true of database and disk once the faults are over."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from chunked_upload.records.durability import newest_sqlite
from tests.faults.support_client import promoted_files
from tests.support import preloaded
from tests.support.scorecard import Run
from tests.support.server import PROGRAM, Server


def audit(run: Run, server: Server, environment: dict[str, str]) -> None:
    """Let every unfinished upload expire, clean, and compare records with files."""
    execute(
        server,
        environment,
        "UPDATE chunked_upload SET expires_on = '2001-01-01 00:00:00' WHERE status <> 2",
    )
    said = command(server, environment, "delete-expired-uploads")
    run.check(said.returncode == 0, f"the cleaner failed: {said.stderr[-500:]}")
    rows = execute(server, environment, 'SELECT status, path, "offset" FROM chunked_upload')
    compare(run, server.root, [tuple(found) for found in rows])


def compare(run: Run, root: Path, rows: list[tuple[int, str | None, int]]) -> None:
    """Compare the rows (status, path, offset) left after a cleaning with the files."""
    files = {str(path.relative_to(root)): path for path in promoted_files(root)}
    for status, path, offset in rows:
        if not run.check(status == 2, f"a record of status {status} survived the cleaner"):
            continue
        found = files.pop(str(path), None)
        if run.check(found is not None, f"a completed record points to nothing: {path}"):
            assert found is not None
            run.check(found.stat().st_size == offset, f"{path} has not its recorded size")
    run.check(not files, f"promoted files without record: {sorted(files)}")
    litter = [path.name for path in (root / ".incoming").rglob("*") if path.is_file()]
    run.check(not litter, f"files without record: {sorted(litter)[:6]} ({len(litter)})")


def command(
    server: Server, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of the ``chunked-upload`` program on the server's data."""
    return preloaded.run(
        [PROGRAM, *arguments],
        cwd=server.directory,
        env={**os.environ, "CHUNKED_UPLOAD_INSTANCE": str(server.instance), **environment},
    )


def execute(server: Server, environment: dict[str, str], statement: str) -> list[Any]:
    """Run one SQL statement on the server's database; returns its rows, if it has any."""
    uri = environment.get("CHUNKED_UPLOAD_DATABASE_URI")
    options: dict[str, Any] = {}
    if uri is None:
        uri = f"sqlite:///{server.instance / 'chunked_upload.db'}"
        driver = None if "PYTHONPATH" in environment else newest_sqlite()
        options = {"module": driver} if driver else {}
    engine = create_engine(uri, poolclass=NullPool, **options)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return list(result) if result.returns_rows else []
