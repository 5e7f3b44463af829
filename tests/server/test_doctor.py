"""``chunked-upload doctor``: a healthy installation, broken ones, and what it says to do."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from chunked_upload.server.app import create_app
from chunked_upload.server.doctor import proxies
from chunked_upload.server.doctor.finding import Verdict
from chunked_upload.server.doctor.host import file_system, file_systems
from tests.server.client import call, complete, create
from tests.support import nginx, postgres, preloaded
from tests.support.server import PROGRAM, Server, clean_environment

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def examined(outcome: Run, *arguments: str, **environment: str) -> dict[str, dict[str, Any]]:
    """Return the findings by their parts; the worst of each part."""
    done = outcome("doctor", "--json", *arguments, **environment)
    assert "Traceback" not in done.stderr, done.stderr
    found = json.loads(done.stdout)
    wrong = any(finding["verdict"] == "problem" for finding in found)
    assert done.returncode == int(wrong), done
    # Tests may keep their files in memory.
    found = [finding for finding in found if "is in memory" not in finding["said"]]
    worst = sorted(found, key=lambda finding: list(Verdict).index(Verdict(finding["verdict"])))
    return {finding["part"]: finding for finding in worst}


def test_a_healthy_installation(outcome: Run) -> None:
    outcome("migrate").check_returncode()
    found = examined(outcome)
    assert {finding["verdict"] for finding in found.values()} == {"ok"}, found
    assert {"settings", "versions", "instance folder", "database", "tables"} <= found.keys()
    assert {"storage of chunked_upload", "secret key", "open files"} <= found.keys()


def test_what_people_read(outcome: Run) -> None:
    done = outcome("doctor")
    assert done.returncode == 1
    assert "problem  tables" in done.stdout
    assert "-> `chunked-upload migrate`" in done.stdout
    assert "\nProblems: 1. Warnings: " in done.stdout


def test_a_setting_that_cannot_work(outcome: Run) -> None:
    found = examined(outcome, CHUNKED_UPLOAD_MAX_BYTES="lots")
    assert "CHUNKED_UPLOAD_MAX_BYTES='lots': expected bytes" in found["settings"]["said"]
    assert list(found) == ["settings"]


def test_a_database_that_does_not_answer(outcome: Run) -> None:
    uri = "postgresql://anna:secret-word@127.0.0.1:1/uploads"
    found = examined(outcome, CHUNKED_UPLOAD_DATABASE_URI=uri)
    assert found["database"]["verdict"] == "problem"
    assert "Connection refused" in found["database"]["said"]
    assert "secret-word" not in str(found)
    assert found["storage of chunked_upload"]["verdict"] == "ok"  # it goes on


def test_tables_of_a_newer_version(outcome: Run, tmp_path: Path) -> None:
    outcome("migrate").check_returncode()
    with sqlite3.connect(tmp_path / "instance" / "chunked_upload.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    tables = examined(outcome)["tables"]
    assert tables["verdict"] == "warning"  # a node serves on meanwhile: test_rolling.py
    assert "newer version" in tables["said"]
    assert "9999" in tables["said"]


def test_a_storage_that_cannot_be_written(outcome: Run, tmp_path: Path) -> None:
    outcome("migrate").check_returncode()
    root = tmp_path / "instance" / "uploads"
    if root.exists():
        root.rename(tmp_path / "moved")
    root.write_text("in the way")
    storage = examined(outcome)["storage of chunked_upload"]
    assert storage["verdict"] == "problem"
    assert str(root) in storage["said"]


def test_an_object_store_that_does_not_answer(outcome: Run) -> None:
    pytest.importorskip("boto3")
    found = examined(
        outcome,
        CHUNKED_UPLOAD_STORAGE="s3://bucket/prefix",
        CHUNKED_UPLOAD_S3_ENDPOINT="http://127.0.0.1:1",
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="y",
    )
    assert found["storage of chunked_upload"]["verdict"] == "problem"
    assert "credentials" in found["storage of chunked_upload"]["advice"]


def test_an_instance_folder_that_others_may_read(outcome: Run, tmp_path: Path) -> None:
    outcome("migrate").check_returncode()
    (tmp_path / "instance").chmod(0o755)
    folder = examined(outcome)["instance folder"]
    assert (folder["verdict"], folder["advice"]) == ("warning", f"chmod 700 {tmp_path}/instance")


def test_an_instance_folder_that_everybody_may_write(outcome: Run, tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance").chmod(0o777)
    assert "every user can write" in examined(outcome)["settings"]["said"]


def test_anybody_may_upload(outcome: Run) -> None:
    callers = examined(outcome, HOST="0.0.0.0")["callers"]
    assert callers["verdict"] == "warning"
    assert "CHUNKED_UPLOAD_REQUIRE_TOKENS=1" in callers["advice"]


def test_several_hosts_without_a_common_key(
    outcome: Run, postgres_cluster: postgres.Cluster
) -> None:
    uri = postgres_cluster.fresh_database()
    found = examined(outcome, CHUNKED_UPLOAD_DATABASE_URI=uri)
    assert found["secret key"]["verdict"] == "warning"
    assert found["clock"]["verdict"] == "ok"
    assert found["tables"]["verdict"] == "problem"
    found = examined(outcome, CHUNKED_UPLOAD_DATABASE_URI=uri, SECRET_KEY="the same on all")
    assert found["secret key"]["verdict"] == "ok"


def test_nobody_cares_for_expired_uploads(outcome: Run, server: Server) -> None:
    for _ in range(2):
        assert (
            call(
                server, "POST", "/uploads/?filename=a", b"hello", {"Content-Range": "bytes 0-4/10"}
            ).status
            == 200
        )
    server.stop()
    with sqlite3.connect(server.instance / "chunked_upload.db") as database:
        database.execute("UPDATE chunked_upload SET expires_on = '2020-01-01 00:00:00.000000'")
    database.close()
    care = examined(outcome)["care"]
    assert care["said"].startswith("2 uploads of chunked_upload expired")
    assert "delete-expired-uploads" in care["advice"]


def test_a_hook_that_has_not_returned(outcome: Run, server: Server) -> None:
    complete(server, create(server, b"hello", 5), b"hello")
    server.stop()
    said = []
    for completed in ("datetime('now')", "datetime('now', '-1 hour')"):
        with sqlite3.connect(server.instance / "chunked_upload.db") as database:
            database.execute(
                f"UPDATE chunked_upload SET notified_on = NULL, completed_on = {completed}"
            )
        database.close()
        said.append(examined(outcome).get("care", {}).get("said", ""))
    assert said[0] == ""  # it may be running
    assert "has not returned for 1 uploads" in said[1]


def test_too_few_files_may_be_opened(outcome: Run, tmp_path: Path) -> None:
    outcome("migrate").check_returncode()
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n 1000; exec {PROGRAM} doctor --json"],
        cwd=tmp_path,
        env={**clean_environment(), "THREADS": "2048"},
        capture_output=True,
        text=True,
        check=False,
    )
    [files] = [each for each in json.loads(done.stdout) if each["part"] == "open files"]
    assert files["verdict"] == "warning"
    assert "may open 1,000 files, and 2,048 uploads at a time need" in files["said"]


def test_threads_that_are_no_number(outcome: Run) -> None:
    for given in ("many", "0"):
        files = examined(outcome, THREADS=given)["open files"]
        assert (files["verdict"], given in files["said"]) == ("problem", True)
    assert examined(outcome, THREADS="")["open files"]["verdict"] == "ok"  # as for serve


# File systems

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
server:/files /srv/my\\040uploads nfs4 rw 0 0
/dev/sdb1 /srv/my\\040uploads/local xfs rw 0 0
"""


def test_the_file_system_of_a_path(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    expected = {
        "/home/anna": "ext4",
        "/run/uploads": "tmpfs",
        "/running": "ext4",
        "/srv/my uploads/x": "nfs4",
        "/srv/my uploads/local/x": "xfs",
    }
    assert {path: file_system(Path(path), mounts) for path in expected} == expected
    assert file_system(Path("/"), tmp_path / "none") == ""


@pytest.mark.parametrize(("kind", "verdict"), [("nfs4", "problem"), ("tmpfs", "warning")])
def test_where_nothing_should_be_kept(
    monkeypatch: pytest.MonkeyPatch, kind: str, verdict: str
) -> None:
    monkeypatch.setattr("chunked_upload.server.doctor.host.file_system", lambda place: kind)
    [finding] = file_systems({"database": Path("/srv/db")})
    assert (finding.part, finding.verdict) == ("database", verdict)


# Proxies


@pytest.mark.parametrize(
    ("hops", "headers", "said"),
    [
        ("1", "X-Forwarded-For $proxy_add_x_forwarded_for", []),
        ("0", "X-Forwarded-For $proxy_add_x_forwarded_for", ["the server believes none"]),
        ("1", "X-Forwarded-For '$remote_addr, $remote_addr'", ["the server believes 1"]),
        ("1", "X-Nothing none", ["may choose its own address"]),
        ("1", "X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https", ["scheme"]),
    ],
)
def test_what_the_server_sees_through_a_proxy(
    make_server: Callable[..., Server], tmp_path: Path, hops: str, headers: str, said: list[str]
) -> None:
    server = make_server(CHUNKED_UPLOAD_PROXY_HOPS=hops)
    site = f"""
        upstream app {{
            server 127.0.0.1:8000;
        }}
        server {{
            listen 443 ssl;
            location / {{
                proxy_pass http://app;
                proxy_set_header Host $http_host;
                proxy_set_header {headers};
            }}
        }}"""
    place = tmp_path / "nginx"
    place.mkdir()
    with nginx.running(place, site, upstream=server.port) as port:
        done = preloaded.run(
            [PROGRAM, "doctor", "--json", "--url", f"http://127.0.0.1:{port}/"],
            cwd=server.directory,
            env=server.environment,
        )
    found = [f for f in json.loads(done.stdout) if f["part"] == "proxy"]
    wrong = [finding["said"] for finding in found if finding["verdict"] == "problem"]
    assert len(wrong) == len(said), found
    assert all(part in one for part, one in zip(said, wrong, strict=True)), found


def test_only_the_doctor_is_told_what_the_server_sees(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for given in ("", "x", "e30.x.y"):
        answer = call(server, "GET", "/healthz", headers={proxies.HEADER: given})
        assert answer.json.keys() == {"status", "database", "storage"}
    monkeypatch.setenv("CHUNKED_UPLOAD_INSTANCE", str(tmp_path / "other"))
    [finding] = proxies.through(create_app("testing"), server.url)
    assert "another SECRET_KEY" in finding.said


def test_an_address_that_does_not_answer(outcome: Run) -> None:
    found = examined(outcome, "--url", "http://127.0.0.1:1")
    assert "cannot be read" in found["proxy"]["said"]


def test_an_address_of_something_else(outcome: Run) -> None:
    """Such as an SSH server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        greeting = Thread(target=greet)
        greeting.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert "cannot be read" in examined(outcome, "--url", url)["proxy"]["said"]
        greeting.join()


@pytest.mark.parametrize("url", ["example.org", "file:///etc/passwd", "http://"])
def test_an_address_that_is_none(outcome: Run, url: str) -> None:
    done = outcome("doctor", "--url", url)
    assert (done.returncode, "such as https://" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://anna@example.org:443/up", "example.org"),
        ("http://example.org:80", "example.org"),
        ("https://example.org:80", "example.org:80"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_host_of_an_address(url: str, host: str) -> None:
    told = {"client": "203.0.113.7", "scheme": url.partition(":")[0], "host": host}
    told |= {"prefix": "/up" if url.endswith("/up") else ""}
    [finding] = proxies.compared({**told, "proxy_hops": 1, "forwarded_for": 1}, url)
    assert finding.verdict == "ok"
