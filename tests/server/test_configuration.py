"""The environment configures the server; what cannot work ends it with one clear line."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.server.client import FORM_TYPE, call, form, stored_files
from tests.server.waiting import eventually
from tests.support import postgres
from tests.support.missing import skip_without
from tests.support.server import Server

Run = Callable[..., "subprocess.CompletedProcess[str]"]

REFUSED = {
    "production without a secret key": (
        {"CHUNKED_UPLOAD_CONFIG": "production"},
        "SECRET_KEY is not set",
    ),
    "not a size": (
        {"CHUNKED_UPLOAD_MAX_BYTES": "lots"},
        "CHUNKED_UPLOAD_MAX_BYTES='lots': expected bytes",
    ),
    "not a duration": (
        {"CHUNKED_UPLOAD_EXPIRATION_DELTA": "soon"},
        "CHUNKED_UPLOAD_EXPIRATION_DELTA='soon': expected seconds",
    ),
    "not a switch": (
        {"CHUNKED_UPLOAD_DURABLE": "perhaps"},
        "CHUNKED_UPLOAD_DURABLE='perhaps': expected 1, true",
    ),
    "not a prefix": (
        {"CHUNKED_UPLOAD_URL_PREFIX": "uploads/"},
        "CHUNKED_UPLOAD_URL_PREFIX must begin with a slash",
    ),
    "a path that leaves the root": (
        {"CHUNKED_UPLOAD_PATH": "../%Y"},
        "CHUNKED_UPLOAD_PATH must be a relative path",
    ),
    "not tokens": (
        {"CHUNKED_UPLOAD_TOKENS": "anna:secret"},
        "CHUNKED_UPLOAD_TOKENS must map names to SHA-256",
    ),
    "a token without its digest": (
        {"CHUNKED_UPLOAD_TOKENS": "alice"},
        "`chunked-upload create-token NAME` makes one",
    ),
    "upload sets that are no JSON": (
        {"CHUNKED_UPLOAD_SETS": "photos"},
        "CHUNKED_UPLOAD_SETS='photos': expected a JSON object",
    ),
    "a set of a place that cannot be": (
        {"CHUNKED_UPLOAD_SETS": '{"photos": {"root": "/proc/photos"}}'},
        "the storage cannot be used",
    ),
    "negative proxy hops": (
        {"CHUNKED_UPLOAD_PROXY_HOPS": "-1"},
        "CHUNKED_UPLOAD_PROXY_HOPS must be a number, 0 or more",
    ),
    "an unknown storage": (
        {"CHUNKED_UPLOAD_STORAGE_CLASS": "no.such.Storage"},
        "CHUNKED_UPLOAD_STORAGE_CLASS='no.such.Storage' cannot be imported",
    ),
    "a mistyped key": (
        {"CHUNKED_UPLOAD_MAX_BYTE": "10G"},
        "CHUNKED_UPLOAD_MAX_BYTE is not a setting; did you mean CHUNKED_UPLOAD_MAX_BYTES?",
    ),
    "an unknown key": (
        {"CHUNKED_UPLOAD_QQQQQQ": "1"},
        "CHUNKED_UPLOAD_QQQQQQ is not a setting; docs/settings.md lists them all",
    ),
    "an unknown configuration": (
        {"CHUNKED_UPLOAD_CONFIG": "staging"},
        "CHUNKED_UPLOAD_CONFIG='staging' is neither one of development",
    ),
    "not a database": (
        {"CHUNKED_UPLOAD_DATABASE_URI": "my database"},
        "the database URI cannot be used",
    ),
    "a database without its driver": (
        {"SQLALCHEMY_DATABASE_URI": "oracle://scott@127.0.0.1/tiger"},
        "the database URI cannot be used",
    ),
    "a database that is not there": (
        {"CHUNKED_UPLOAD_DATABASE_URI": "postgresql://nobody@127.0.0.1:1/nothing"},
        "the database cannot be used",
    ),
    "not a port": ({"PORT": "http"}, "'http' is not a valid integer"),
    "no such port": ({"PORT": "65536"}, "65536 is not in the range"),
    "no workers": ({"WORKERS": "0"}, "0 is not in the range"),
    "an unknown host": ({"HOST": "no such host"}, "cannot listen on no such host:8000"),
    "an instance below a file": ({"CHUNKED_UPLOAD_INSTANCE": "/dev/null/x"}, "Not a directory"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_cannot_work_ends_the_server_with_one_clear_line(outcome: Run, case: str) -> None:
    environment, said = REFUSED[case]
    ended = outcome("serve", **environment)
    assert ended.returncode != 0
    *usage, line = ended.stderr.splitlines()
    assert said in line
    assert all(other == "" or "serve" in other for other in usage)


def test_a_port_in_use_is_refused(outcome: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = outcome("serve", PORT=str(port))
    assert ended.returncode != 0
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in ended.stderr


def test_a_second_server_on_the_same_port_is_refused(server: Server, outcome: Run) -> None:
    """Some servers share it, and clients find either."""
    ended = outcome("serve", PORT=str(server.port), CHUNKED_UPLOAD_INSTANCE="other")
    assert ended.returncode != 0
    assert "Address already in use" in ended.stderr


def test_production_runs_with_a_secret_key_of_its_own(make_server: Callable[..., Server]) -> None:
    server = make_server(CHUNKED_UPLOAD_CONFIG="production", SECRET_KEY="s" * 32)
    assert not (server.instance / "secret_key").exists()
    answer = call(server, "POST", "/uploads/", form(b"hello"), FORM_TYPE)
    assert answer.status == 200
    assert "; Secure" in answer.headers["Set-Cookie"]


def test_a_class_in_the_working_directory_can_be_the_configuration(
    make_server: Callable[..., Server], tmp_path: object
) -> None:
    with open(f"{tmp_path}/mine.py", "w") as module:
        module.write("class Config:\n    SECRET_KEY = 's'\n    CHUNKED_UPLOAD_MAX_BYTES = 3\n")
    server = make_server(CHUNKED_UPLOAD_CONFIG="mine.Config")
    answer = call(server, "POST", "/uploads/", form(b"hello"), FORM_TYPE)
    assert answer.json["detail"] == "Size of file exceeds the limit (3 bytes)"


def test_the_secret_key_is_made_once_for_its_owner_alone(server: Server) -> None:
    path = server.instance / "secret_key"
    made = path.read_text()
    assert re.fullmatch("[0-9a-f]{64}", made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.instance.stat().st_mode) == 0o700
    server.stop()
    server.start()
    assert path.read_text() == made


def test_a_session_outlives_a_restart(server: Server) -> None:
    answer = call(server, "POST", "/uploads/", form(b"hello"), FORM_TYPE)
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    server.kill()
    server.start()
    listed = call(server, "GET", "/uploads/", headers=cookie).json["uploads"]
    assert [upload["upload_id"] for upload in listed] == [answer.json["upload_id"]]


def test_a_session_outlives_the_browser(server: Server) -> None:
    answer = call(server, "POST", "/uploads/", form(b"hello"), FORM_TYPE)
    [expires] = re.findall(r"Expires=([^;]+)", answer.headers["Set-Cookie"])
    left = parsedate_to_datetime(expires) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=32)


def test_settings_come_from_the_environment(make_server: Callable[..., Server]) -> None:
    server = make_server(CHUNKED_UPLOAD_MAX_BYTES="1K", CHUNKED_UPLOAD_URL_PREFIX="/api/files")
    answer = call(server, "POST", "/api/files/", form(b"x" * 1025), FORM_TYPE)
    assert (answer.status, answer.json["detail"]) == (
        400,
        "Size of file exceeds the limit (1024 bytes)",
    )
    assert stored_files(server) == []
    assert call(server, "POST", "/api/files/", form(b"x" * 1024), FORM_TYPE).status == 200
    assert call(server, "POST", "/uploads/", form(b"x"), FORM_TYPE).status == 404


def test_it_has_the_upload_sets_of_the_environment(make_server: Callable[..., Server]) -> None:
    sets = '{"photos": {"allowed_extensions": ["jpg"]}, "docs": {"max_bytes": 3}}'
    server = make_server(CHUNKED_UPLOAD_SETS=sets, CHUNKED_UPLOAD_SET_FIELD="set")
    photo = call(server, "POST", "/uploads/?set=photos&filename=a.jpg", b"hello")
    assert photo.status == 200
    assert call(server, "GET", f"/uploads/photos/{photo.json['upload_id']}").json["offset"] == 5
    assert call(server, "POST", "/uploads/photos/?filename=a.txt", b"hello").status == 415
    assert call(server, "POST", "/uploads/docs/?filename=a.txt", b"hello").status == 400
    assert call(server, "GET", "/healthz").json["storage"] == "ok"


def test_a_created_token_is_required_and_let_in(
    make_server: Callable[..., Server], outcome: Run
) -> None:
    made = outcome("create-token", "anna", "--configure")
    assert made.returncode == 0
    token = made.stdout.splitlines()[0].split()[-1]
    setting = made.stdout.splitlines()[1].split()[-1]
    server = make_server(CHUNKED_UPLOAD_TOKENS=setting)

    for headers, reason in (
        ({}, "no token was sent"),
        ({"Authorization": "Bearer wrong"}, "the token is not one that this service knows"),
        ({"Authorization": "Bearer "}, "has no Bearer token"),
        ({"Authorization": f"Basic {token}"}, "has no Bearer token"),
    ):
        refused = call(server, "POST", "/uploads/", form(b"hello"), FORM_TYPE | headers)
        assert refused.status == 403
        assert refused.json["detail"] == "Authentication credentials were not provided"
        assert reason in refused.json["reason"]
    assert stored_files(server) == []

    bearer = {"Authorization": f"Bearer {token}"}
    answer = call(server, "POST", "/uploads/", form(b"hello"), FORM_TYPE | bearer)
    assert answer.status == 200
    path = f"/uploads/{answer.json['upload_id']}"
    assert call(server, "GET", path).status == 403
    assert call(server, "GET", path, headers=bearer).status == 200
    assert token not in server.log.read_text()
    assert setting.rpartition(":")[2] not in server.log.read_text()


@pytest.mark.parametrize(("hops", "seen"), [("0", "127.0.0.1"), ("1", "203.0.113.7")])
def test_only_the_proxies_that_are_there_are_believed(
    make_server: Callable[..., Server], hops: str, seen: str
) -> None:
    server = make_server(CHUNKED_UPLOAD_PROXY_HOPS=hops)
    forged = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    assert call(server, "GET", "/forwarded", headers=forged).status == 404
    line = next(line for line in server.log.read_text().splitlines() if "/forwarded" in line)
    assert f'"remote": "{seen}"' in line


def test_the_server_listens_on_the_host_that_is_named(make_server: Callable[..., Server]) -> None:
    server = make_server(HOST="localhost")
    assert call(server, "GET", "/healthz").status == 200


@pytest.mark.long
def test_a_server_that_may_have_neighbours_says_that_its_key_is_its_own(
    make_server: Callable[..., Server], postgres_cluster: postgres.Cluster
) -> None:
    server = make_server(CHUNKED_UPLOAD_DATABASE_URI=postgres_cluster.fresh_database())
    assert "Set SECRET_KEY to the same long random text" in server.log.read_text()


def test_an_ipv6_address_is_shown_as_browsers_take_it(make_server: Callable[..., Server]) -> None:
    if not socket.has_ipv6:
        skip_without("IPv6", install="a kernel with IPv6")
    server = make_server()
    server.stop()
    server.environment["HOST"] = "::1"
    server.launch()

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("::1", server.port), 5):
            return True
        return False

    eventually(answers)
    assert f"Serving on http://[::1]:{server.port}," in server.log.read_text()


def test_the_server_says_where_the_data_is(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    assert f", data in {server.instance}\n" in server.log.read_text()
    server.stop()
    server.environment["CHUNKED_UPLOAD_ROOT"] = str(tmp_path / "elsewhere")
    server.start()
    files, database = tmp_path / "elsewhere", server.instance / "chunked_upload.db"
    assert f", files in {files}, database {database}\n" in server.log.read_text()


def test_the_session_cookie_is_no_other_apps(make_server: Callable[..., Server]) -> None:
    server = make_server(CHUNKED_UPLOAD_PROXY_HOPS="1")
    [cookie] = call(server, "GET", "/uploads/").headers.get_all("Set-Cookie") or []
    assert cookie.startswith("chunked_upload_session=")
    assert "; Path=/" in cookie
    prefix = {"X-Forwarded-Prefix": "/files"}
    for path in ("/", "/uploads/"):
        assert "; Path=/files" in call(server, "GET", path, headers=prefix).headers["Set-Cookie"]


def test_the_session_cookie_has_settings(make_server: Callable[..., Server]) -> None:
    server = make_server(
        CHUNKED_UPLOAD_SESSION_COOKIE_NAME="mine", CHUNKED_UPLOAD_SESSION_COOKIE_PATH="/uploads"
    )
    cookie = call(server, "GET", "/uploads/").headers["Set-Cookie"]
    assert cookie.startswith("mine=")
    assert "; Path=/uploads" in cookie


@pytest.mark.parametrize("workers", ["1", "3"])
def test_as_many_workers_run_as_are_asked_for(
    make_server: Callable[..., Server], workers: str
) -> None:
    server = make_server(WORKERS=workers)
    eventually(lambda: len(server.workers()) == int(workers) + 1)


def test_workers_inherit_no_connection_and_no_thread(make_server: Callable[..., Server]) -> None:
    """They serve the app that the main process has made, and used."""
    server = make_server(WORKERS="2")
    files = [os.readlink(entry) for entry in Path(f"/proc/{server.pid}/fd").iterdir()]
    assert not [file for file in files if server.instance.name in Path(file).parts]
    assert len(os.listdir(f"/proc/{server.pid}/task")) == 1
