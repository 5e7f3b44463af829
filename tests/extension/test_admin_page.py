"""``/admin``: who may see it, what it tells, what can be done, and what bad requests get."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload, ChunkedUploadMixin, ConfigurationError
from chunked_upload.administration.failures import Failures
from chunked_upload.records.journal import Entry, Journal
from chunked_upload.support.clock import utcnow
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.extension.test_commands import age
from tests.support.protocol import Protocol, files, records

MakeApp = Callable[..., Flask]

ADMIN = {"X-Admin": "carol"}


def who(request: Any) -> str | None:
    return request.headers.get("X-Admin") or None


@pytest.fixture
def app(make_app: MakeApp) -> Iterator[Flask]:
    """An app with two upload sets and an admin; ada owns the photo. Hooks of videos fail."""
    app = make_app()
    photos = ChunkedUpload(app, name="photos", url_prefix="/photos", admin_loader=who)
    photos.user_loader(lambda request: request.headers.get("X-User"))
    videos = ChunkedUpload(app, name="videos", url_prefix="/videos", max_open_uploads=2)
    videos.on_completion(hook)
    app.extensions["broken"] = True
    create_tables(app)
    yield app
    app.extensions["chunked_upload_admin"].flush()  # nothing is left to write in a moment


def hook(uploaded_file: Any, request: Any) -> None:
    if current_app.extensions["broken"]:
        raise RuntimeError("the other service is down")


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    """Three uploads by the names of their files; the last one's hook has failed."""
    client = app.test_client()
    photo = Protocol(client, "/photos").chunk(
        b"half", 0, 8, filename="a_1.png", headers={"X-User": "ada"}
    )
    videos = Protocol(client, "/videos")
    late = answer(videos.chunk(b"late", 0, 900, filename="late.mp4"))["upload_id"]
    age(app, late, name="videos")
    return {
        "a_1.png": answer(photo)["upload_id"],
        "late.mp4": late,
        "done.mp4": videos.completed(b"done", filename="done.mp4"),
    }


def get(client: FlaskClient, path: str, **headers: str) -> TestResponse:
    return client.get(f"/admin{path}", headers={**ADMIN, **headers})


def names(client: FlaskClient, query: str = "") -> list[str]:
    return [one["filename"] for one in answer(get(client, f"/uploads?{query}"))["uploads"]]


def act(client: FlaskClient, action: str, *upload_ids: str, **more: Any) -> dict[str, Any]:
    body = {"action": action, "upload_ids": list(upload_ids), **more}
    told: dict[str, Any] = answer(client.post("/admin/actions", json=body, headers=ADMIN))
    return {one["upload_id"]: (one["done"], one["said"]) for one in told["results"]}


@pytest.mark.one_database
def test_without_an_admin_loader_there_is_no_page(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    for path in ("/admin", "/admin/uploads", "/admin/actions"):
        assert app.test_client().get(path).status_code == 404


@pytest.mark.one_database
def test_a_url_that_the_app_has_already_is_refused_at_the_start(make_app: MakeApp) -> None:
    app = make_app()
    app.add_url_rule("/admin/", "own", lambda: "own")
    with pytest.raises(ConfigurationError, match="set CHUNKED_UPLOAD_ADMIN_URL to another"):
        ChunkedUpload(app, admin_loader=who)


@pytest.mark.one_database
def test_another_url_can_be_chosen(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_ADMIN_URL="/care/uploads")
    app.add_url_rule("/admin/", "own", lambda: "own")
    ChunkedUpload(app, admin_loader=who)
    create_tables(app)
    page = app.test_client().get("/care/uploads", headers=ADMIN)
    assert page.status_code == 200
    assert "/care/uploads" in page.text


@pytest.mark.one_database
@pytest.mark.parametrize("path", ["/uploads", f"/uploads/{'0' * 32}", "/totals", "/active"])
def test_others_are_refused_and_that_is_logged(
    app: Flask, client: FlaskClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    refused = client.get(f"/admin{path}")
    assert refused.status_code == 403
    assert refused.get_json()["detail"] == "This is for administrators"
    assert refused.get_json()["reason"] == "sign in as an administrator"
    assert f"admin_refused: GET /admin{path} from 127.0.0.1" in caplog.text


@pytest.mark.one_database
def test_others_get_the_page_without_a_word_about_uploads(
    app: Flask, client: FlaskClient, ids: dict[str, str]
) -> None:
    page = client.get("/admin")
    assert page.status_code == 403
    assert "a_1.png" not in page.text
    allowed = get(client, "")
    assert allowed.status_code == 200
    assert "default-src 'none'" in allowed.headers["Content-Security-Policy"]
    assert allowed.headers["Cache-Control"] == "no-store"


@pytest.mark.one_database
def test_guesses_are_not_logged_for_ever(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [client.get("/admin/uploads") for _ in range(11)]
    assert [one.status_code for one in answers] == [403] * 10 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert len([each for each in caplog.records if each.name.endswith("security")]) == 10
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/admin/uploads", environ_base=elsewhere).status_code == 403
    # An administrator behind the same router as the attacker goes on working.
    assert get(client, "/uploads").status_code == 200


#: Which uploads a query lists, in their order.
LISTED = [
    ("", ["done.mp4", "late.mp4", "a_1.png"]),
    ("sort=oldest", ["a_1.png", "late.mp4", "done.mp4"]),
    ("sort=largest", ["late.mp4", "a_1.png", "done.mp4"]),
    ("sort=smallest", ["done.mp4", "a_1.png", "late.mp4"]),
    ("sort=name", ["a_1.png", "done.mp4", "late.mp4"]),
    ("sort=expires", ["late.mp4", "a_1.png"]),
    ("status=uploading", ["late.mp4", "a_1.png"]),
    ("status=complete", ["done.mp4"]),
    ("status=expired", ["late.mp4"]),
    ("status=hook-waiting", ["done.mp4"]),
    ("owner=ada", ["a_1.png"]),
    ("owner=", ["done.mp4", "late.mp4"]),
    ("set=photos", ["a_1.png"]),
    ("storage=file", ["done.mp4", "late.mp4", "a_1.png"]),
    ("storage=s3", []),
    ("search=MP4", ["done.mp4", "late.mp4"]),
    ("search=%25", []),
    ("older=1h", []),
    ("older=99999999d", []),
    ("newer=1h&larger=8", ["late.mp4", "a_1.png"]),
    ("smaller=8&status=complete", ["done.mp4"]),
]


@pytest.mark.usefixtures("ids")
def test_the_list_is_filtered_and_sorted(client: FlaskClient) -> None:
    for query, expected in LISTED:
        assert names(client, query) == expected, query


def page_by_page(client: FlaskClient, query: str) -> list[str]:
    """Return the names of all pages of a list."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = answer(get(client, f"/uploads?{query}{after}"))
        found += [one["filename"] for one in page["uploads"]]
        after = None if page["next"] is None else f"&after={page['next']}"
    return found


def test_pages_follow_each_other_without_a_gap(client: FlaskClient, ids: dict[str, str]) -> None:
    for sort in ("newest", "oldest", "largest", "smallest", "name", "expires"):
        whole = names(client, f"sort={sort}")
        assert page_by_page(client, f"limit=1&sort={sort}") == whole, sort


def began(app: Flask, name: str, filename: str, when: datetime) -> None:
    """Set when an upload began: each table has a clock of its own, off by what asking it takes."""
    with app.app_context():
        [record] = [one for one in records(app, name) if one.filename == filename]
        upload_set = app.extensions["chunked_upload"][name]
        assert upload_set.engine.records.swap(record, {"created_on": when})


def test_uploads_of_several_tables_are_one_list(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, name="photos", url_prefix="/photos", admin_loader=who)
    db = app.extensions["sqlalchemy"]

    class Film(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        __tablename__ = "film"

    ChunkedUpload(app, name="films", url_prefix="/films", model=Film)
    create_tables(app)
    client = app.test_client()
    for number in range(6):
        kind = ("photos", "films")[number % 2]
        Protocol(client, f"/{kind}").upload(b"x", filename=f"{number}.bin")
        began(app, kind, f"{number}.bin", utcnow() - timedelta(minutes=6 - number))
    found = page_by_page(client, "limit=2")
    assert found == [f"{number}.bin" for number in reversed(range(6))]


#: What is wrong with a query.
REFUSED = [
    ("colour=red", "There is no filter 'colour'; there are: after, larger, limit, newer,"),
    ("status=gone", "it must be one of: uploading, complete, expired, hook-waiting"),
    ("status=", "it must be one of: uploading"),
    ("sort=random", "it must be one of: newest, oldest, largest, smallest, name, expires"),
    ("set=audio", "it must be one of: photos, videos"),
    ("older=long", "it must be a span of time, as 90m or 7d"),
    ("older=", "'older' is empty; leave it out, or give a span of time"),
    ("larger=big", "it must be a number of bytes, as 500K or 10G"),
    ("larger=99999999999T", "it must be a number of bytes"),
    ("limit=0", "it must be a number from 1 to 500"),
    ("limit=%C2%B2", "it must be a number from 1 to 500"),
    ("search=%00", "has a character in it that no value has"),
    ("owner=a&owner=b", "'owner' is there 2 times; give it once"),
    ("after=junk", "begin with the first page"),
    ("after=WyJuYW1lIix7fV0&sort=newest", "begin with the first page"),
]


@pytest.mark.one_database
def test_a_filter_that_is_none_gets_400_and_what_is_allowed(
    app: Flask, client: FlaskClient
) -> None:
    for query, said in REFUSED:
        refused = get(client, f"/uploads?{query}")
        assert refused.status_code == 400, query
        assert said in refused.get_json()["detail"], query


def test_one_uploads_life(client: FlaskClient, ids: dict[str, str]) -> None:
    life = answer(get(client, f"/uploads/{ids['done.mp4']}"))
    assert (life["filename"], life["upload_set"], life["stored_in"]) == (
        "done.mp4",
        "videos",
        "file",
    )
    assert life["on_completion"] == "waiting"
    assert life["checksums"]["md5"] == life["md5"]
    other = answer(get(client, f"/uploads/{ids['a_1.png']}"))
    assert (other["offset"], other["length"], other["owner"]) == (4, 8, "ada")
    assert other["write_lease"] is False
    assert other["events"] == []
    unknown = get(client, f"/uploads/{'0' * 32}")
    assert (unknown.status_code, unknown.get_json()["detail"]) == (404, "Upload not found")


def test_one_uploads_life_has_its_events(make_app: MakeApp) -> None:
    app = make_app()
    listeners = {"index": print, "mail": print}
    ChunkedUpload(app, admin_loader=who, event_listeners=listeners)
    create_tables(app)
    client = app.test_client()
    upload_id = Protocol(client).completed(b"hello", filename="a.txt")
    events = answer(get(client, f"/uploads/{upload_id}"))["events"]
    assert [(one["type"], one["target"]) for one in events] == [
        ("upload.created", "index"),
        ("upload.created", "mail"),
        ("upload.completed", "index"),
        ("upload.completed", "mail"),
    ]
    assert {(one["status"], one["attempts"], one["problem"]) for one in events} == {
        ("waiting", 0, None)
    }


def test_totals_by_status_storage_owner_and_disk(client: FlaskClient, ids: dict[str, str]) -> None:
    totals = answer(get(client, "/totals"))
    assert totals["statuses"]["uploading"] == {"uploads": 2, "bytes": 8}
    assert totals["storages"] == {"file": {"uploads": 3, "bytes": 12}}
    assert totals["hooks_waiting"] == 1
    assert {one["owner"]: one["uploads"] for one in totals["owners"]} == {"ada": 1, None: 2}
    [disk] = totals["disks"]
    assert disk["free"] > 0
    assert disk["size"] >= disk["used"]


def test_active_are_those_with_a_recent_chunk(
    app: Flask, client: FlaskClient, ids: dict[str, str]
) -> None:
    assert [one["filename"] for one in answer(get(client, "/active"))["uploads"]] == ["a_1.png"]


def test_a_held_lease_makes_an_upload_active(
    app: Flask, client: FlaskClient, ids: dict[str, str]
) -> None:
    storage = app.extensions["chunked_upload"]["photos"].engine.storage
    [record] = [one for one in records(app, "photos") if one.filename == "a_1.png"]
    with storage.open_writer(record, 4, 8, have=4):
        [active] = answer(get(client, "/active"))["uploads"]
        assert active["write_lease"] is True
        assert answer(get(client, f"/uploads/{record.upload_id}"))["write_lease"] is True
    assert answer(get(client, f"/uploads/{record.upload_id}"))["write_lease"] is False


def failures(app: Flask, client: FlaskClient) -> list[dict[str, Any]]:
    noted: Failures = app.extensions["chunked_upload_admin"]
    noted.flush()
    told: list[dict[str, Any]] = answer(get(client, "/failures"))["failures"]
    return told


def test_failures_are_noted_and_equal_ones_counted(
    app: Flask, client: FlaskClient, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = Protocol(client, "/videos")
    for _ in range(3):  # late.mp4 is unfinished still, and so is the next
        videos.chunk(b"x", 0, 9, filename="more.mp4")
    storage = app.extensions["chunked_upload"]["photos"].engine.storage

    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "open_writer", full)
    refused = client.put(
        f"/photos/{ids['a_1.png']}",
        data=b"more",
        headers={"X-User": "ada", "Content-Range": "bytes 4-7/8"},
    )
    assert refused.status_code == 507
    found = {one["what"]: one for one in failures(app, client)}
    assert found["hook_failed"]["detail"] == "RuntimeError: the other service is down"
    assert found["hook_failed"]["upload_id"] == ids["done.mp4"]
    assert found["limit_reached"]["times"] == 2
    assert found["storage_full"]["status"] == 507
    assert (found["storage_full"]["who"], found["storage_full"]["upload_id"]) == (
        "ada",
        ids["a_1.png"],
    )
    assert "No space left" in found["storage_full"]["detail"]


@pytest.mark.one_database
def test_what_is_being_written_is_written_when_flush_returns(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a worker that ends would lose it: the thread that writes ends with the process."""
    add, begun, may_end = Journal.add, threading.Event(), threading.Event()

    def add_slowly(journal: Journal, entries: Iterable[Entry]) -> None:
        begun.set()
        assert may_end.wait(60)
        add(journal, entries)

    monkeypatch.setattr(Journal, "add", add_slowly)
    Protocol(client, "/videos").completed(b"done")
    noted: Failures = app.extensions["chunked_upload_admin"]
    threads = [threading.Thread(target=noted.flush) for _ in range(2)]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    threads[1].join(0.1)
    assert threads[1].is_alive()
    may_end.set()
    for thread in threads:
        thread.join()
    assert [one["what"] for one in failures(app, client)] == ["hook_failed"]


@pytest.mark.one_database
def test_mistakes_of_clients_are_no_failures(
    app: Flask, client: FlaskClient, ids: dict[str, str]
) -> None:
    videos = Protocol(client, "/videos")
    assert videos.put(ids["done.mp4"], b"x", 7, 9).status_code == 400
    assert videos.state("0" * 32).status_code == 404
    assert {one["what"] for one in failures(app, client)} == {"hook_failed"}


def test_delete_removes_bytes_and_says_who_did_it(
    app: Flask, client: FlaskClient, ids: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chunked_upload.security")
    gone = "f" * 32
    results = act(client, "delete", ids["done.mp4"], ids["a_1.png"], gone)
    assert results[ids["done.mp4"]] == (True, "deleted 'done.mp4', 4 bytes")
    assert results[gone] == (False, "there is no such upload any more")
    assert [record.filename for record in records(app, "videos")] == ["late.mp4"]
    assert not [name for name in files(app) if "done" in name or ids["a_1.png"] in name]
    assert f"admin carol from 127.0.0.1: delete of upload {ids['a_1.png']}" in caplog.text


def test_expire_and_extend_unfinished_uploads_alone(
    app: Flask, client: FlaskClient, ids: dict[str, str]
) -> None:
    assert act(client, "expire", ids["a_1.png"]) == {ids["a_1.png"]: (True, "expired")}
    assert names(client, "status=expired") == ["late.mp4", "a_1.png"]
    [(done, said)] = act(client, "extend", ids["late.mp4"], **{"for": "30d"}).values()
    assert done
    assert said.startswith("expires ")
    assert names(client, "status=expired") == ["a_1.png"]
    videos = Protocol(client, "/videos")
    assert videos.put(ids["late.mp4"], b"r", 4, 900).status_code == 200
    for action in ("expire", "extend"):
        [(done, said)] = act(client, action, ids["done.mp4"], **{"for": "1d"}).values()
        assert (done, said) == (False, "it is complete, and complete uploads do not expire")


def test_the_hook_is_run_again_until_it_has_returned(
    app: Flask, client: FlaskClient, ids: dict[str, str]
) -> None:
    done = ids["done.mp4"]
    assert act(client, "run-hook", done)[done][0] is False
    app.extensions["broken"] = False
    assert act(client, "run-hook", done) == {done: (True, "on_completion has returned")}
    assert act(client, "run-hook", done)[done] == (
        False,
        "on_completion has returned already, and runs once",
    )
    assert act(client, "run-hook", ids["late.mp4"])[ids["late.mp4"]][0] is False
    life = answer(get(client, f"/uploads/{done}"))
    assert life["on_completion"] == "returned"
    assert [(one["who"], one["what"]) for one in life["journal"] if one["kind"] == "action"] == [
        ("carol", "run-hook")
    ]


def verify(client: FlaskClient, upload_id: str, state: Any = None) -> Any:
    url = f"/admin/uploads/{upload_id}/verify"
    return client.post(url, json={"state": state}, headers=ADMIN)


@pytest.mark.one_database
def test_verify_reads_a_file_in_pieces_and_any_process_continues(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chunked_upload.administration.acting._READ_SECONDS", 0)
    monkeypatch.setattr("chunked_upload.engine.file_check._BUFFER", 1024)
    size = 2 * 1024 + 5
    upload_id = Protocol(client, "/videos").completed(bytes(size), filename="zeros.bin")
    first = answer(verify(client, upload_id))
    assert (first["read"], first["length"], first["done"]) == (1024, size, False)
    second = answer(verify(app.test_client(), upload_id, first["state"]))
    again = answer(verify(client, upload_id, first["state"]))  # its answer was lost
    assert second == again
    last = answer(verify(client, upload_id, second["state"]))
    assert (last["read"], last["done"], last["problem"]) == (size, True, None)
    assert last["checksums"] == ["md5"]
    [path] = [path for path in Path(app.instance_path).rglob("zeros.bin") if path.is_file()]
    damaged = bytearray(path.read_bytes())
    damaged[-1] = 1
    path.write_bytes(damaged)
    last = answer(verify(client, upload_id, second["state"]))
    assert last["problem"] == "its md5 differs from the record's"
    path.unlink()
    assert answer(verify(client, upload_id))["problem"].startswith("its file is missing")


@pytest.mark.one_database
def test_a_state_that_somebody_else_made_is_refused(
    app: Flask, client: FlaskClient, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chunked_upload.administration.acting._READ_SECONDS", 0)
    monkeypatch.setattr("chunked_upload.engine.file_check._BUFFER", 1024)
    upload_id = Protocol(client, "/videos").completed(bytes(1025), filename="zeros.bin")
    state = answer(verify(client, upload_id))["state"]
    for wrong in (state[:-3] + "abc", "", 7, {"a": 1}, [state]):
        refused = verify(client, upload_id, wrong)
        assert (refused.status_code, refused.get_json()["detail"]) == (
            400,
            "'state' is not one that this service has made; leave it out",
        )
    others = verify(client, ids["done.mp4"], state)
    assert (others.status_code, others.get_json()["detail"]) == (
        400,
        "'state' is another upload's; leave it out",
    )
    assert verify(client, ids["late.mp4"]).status_code == 400


#: What is wrong with a body.
NO_ACTION: list[tuple[Any, str]] = [
    ({"action": "paint", "upload_ids": ["a"]}, "'action' must be one of: delete, expire,"),
    ({"action": ["delete"], "upload_ids": ["a"]}, "'action' must be one of: delete,"),
    ({"action": "delete"}, "'upload_ids' must be a list of 1 to 100 ids"),
    ({"action": "delete", "upload_ids": []}, "'upload_ids' must be a list of 1 to 100 ids"),
    ({"action": "delete", "upload_ids": ["a"] * 101}, "must be a list of 1 to 100 ids"),
    ({"action": "delete", "upload_ids": [7]}, "must be a list of 1 to 100 ids"),
    ({"action": "extend", "upload_ids": ["a"]}, "'for' must be a span of time, as 12h or 7d"),
    ({"action": "extend", "upload_ids": ["a"], "for": "9999d"}, "at most 365 days"),
    ([], "The JSON body must be an object"),
]


@pytest.mark.one_database
def test_an_action_that_is_none_gets_400(app: Flask, client: FlaskClient) -> None:
    for body, said in NO_ACTION:
        refused = client.post("/admin/actions", json=body, headers=ADMIN)
        assert refused.status_code == 400, body
        assert said in refused.get_json()["detail"]


@pytest.mark.one_database
def test_nothing_is_changed_by_get_or_from_another_site(
    app: Flask, client: FlaskClient, ids: dict[str, str]
) -> None:
    body = {"action": "delete", "upload_ids": list(ids.values())}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        refused = client.post("/admin/actions", json=body, headers={**ADMIN, **headers})
        assert refused.status_code == 403
    form = client.post("/admin/actions", data=json.dumps(body), headers=ADMIN)
    assert (form.status_code, "send JSON" in form.text) == (400, True)
    assert get(client, "/actions").status_code == 405
    assert len(names(client)) == 3


@pytest.mark.one_database
def test_with_flask_wtf_a_csrf_token_is_needed(make_app: MakeApp) -> None:
    from flask_wtf.csrf import CSRFProtect

    app = make_app()
    CSRFProtect(app)
    ChunkedUpload(app, admin_loader=who)
    create_tables(app)
    client = app.test_client()
    body = {"action": "expire", "upload_ids": ["a"]}
    refused = client.post("/admin/actions", json=body, headers=ADMIN)
    assert (refused.status_code, "CSRF" in refused.text) == (400, True)
    token = client.get("/uploads/csrf-token").get_json()["csrf_token"]
    headers = {**ADMIN, "X-CSRFToken": token}
    assert client.post("/admin/actions", json=body, headers=headers).status_code == 200
