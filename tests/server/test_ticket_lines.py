"""The lines of docs/tickets.md, run as they stand there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.server.client import call
from tests.server.conftest import PROJECT
from tests.support.missing import skip_without
from tests.support.server import PROGRAM, Server


def test_curl(server: Server) -> None:
    if not Path("/usr/bin/curl").exists():
        skip_without("curl", install="the package curl")
    [lines] = re.findall(r"```sh\n(.*?)```", (PROJECT / "docs" / "tickets.md").read_text(), re.S)
    place = Path(server.directory)
    (place / "video.mp4").write_bytes(b"hello world")
    environment = {
        **server.environment,
        "PATH": f"{Path(PROGRAM).parent}:/usr/bin:/bin",
        "URL": f"http://127.0.0.1:{server.port}/uploads",
    }
    done = subprocess.run(
        ["bash", "-ec", lines], cwd=place, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"upload_id"') == 2
    # They belong to the ticket: nobody else sees them.
    assert call(server, "GET", "/uploads/").json["total"] == 0
