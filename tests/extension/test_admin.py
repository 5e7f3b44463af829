"""The list of uploads in a real Flask-Admin: what it shows, finds and deletes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask_admin import Admin
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFProtect

from chunked_upload import ChunkedUpload, upload_aborted
from chunked_upload.admin import ChunkedUploadAdmin
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.extension.test_commands import age
from tests.support.protocol import Protocol, files, records

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]

#: Three uploads, the newest first.
ALL = ["done.mp4", "late.mp4", "photo.png"]


class Pages:
    """The admin's pages, as a browser sends their forms."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def listed(self, **query: str) -> list[str]:
        """The names of the listed files."""
        html = self.client.get("/admin/uploads/", query_string=query).text
        cells = re.findall(r'<td class="col-filename">(.*?)</td>', html, re.DOTALL)
        return [re.sub("<.*?>", "", cell).strip() for cell in cells]

    def filtered(self, **values: str) -> list[str]:
        """The names of the files listed with a filter, called as its parameter."""
        return self.listed(**{f"flt1_{name}": value for name, value in values.items()})

    def token(self) -> str:
        html = self.client.get("/admin/uploads/").text
        return str(re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', html)[0])

    def send(self, page: str, **fields: Any) -> str:
        """Send a form of the list, and return the page that its browser then sees."""
        form = {"csrf_token": self.token(), "url": "/admin/uploads/", **fields}
        answered = self.client.post(f"/admin/uploads/{page}/", data=form, follow_redirects=True)
        return answered.text

    def delete(self, record: Any) -> str:
        return self.send("delete", id=str(record.id))

    def act(self, action: str, chosen: list[Any]) -> str:
        return self.send("action", action=action, rowid=[str(record.id) for record in chosen])


def serve(app: Flask, view: type[ChunkedUploadAdmin] = ChunkedUploadAdmin) -> Pages:
    """Put two upload sets and the admin into an app, and upload three files."""
    videos = ChunkedUpload(app)
    photos = ChunkedUpload(app, name="photos", url_prefix="/photos")
    photos.user_loader(lambda request: "ada")
    create_tables(app)
    admin = Admin(app)
    with app.app_context():
        admin.add_view(view(videos.model, videos.db, name="Uploads", endpoint="uploads"))
    return Pages(app)


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def pages(app: Flask) -> Pages:
    pages = serve(app)
    photos, videos = (Protocol(app.test_client(), prefix) for prefix in ("/photos", "/uploads"))
    answer(photos.chunk(b"half", 0, 8, filename="photo.png"))
    late = answer(videos.chunk(b"late", 0, 9, filename="late.mp4"))["upload_id"]
    age(app, late)
    videos.completed(b"done", filename="done.mp4")
    return pages


@pytest.mark.both_databases
def test_it_lists_every_upload_but_those_being_removed(app: Flask, pages: Pages) -> None:
    assert pages.listed() == ALL
    [photo, *_] = records(app)
    with app.app_context():
        engine = app.extensions["chunked_upload"]["photos"].engine
        assert engine.records.swap(photo, {"status": 3})
    assert pages.listed() == ALL[:2]
    assert (
        "Record does not exist"
        in pages.client.get(f"/admin/uploads/details/?id={photo.id}", follow_redirects=True).text
    )
    pages.delete(photo)
    assert len(records(app)) == 3


@pytest.mark.both_databases
def test_it_finds_by_name_and_by_id(app: Flask, pages: Pages) -> None:
    assert pages.listed(search="mp4") == ["done.mp4", "late.mp4"]
    assert pages.listed(search=records(app)[0].upload_id) == ["photo.png"]


@pytest.mark.both_databases
def test_it_filters(pages: Pages) -> None:
    for name, value, expected in (
        ("status_equals", "2", ["done.mp4"]),
        ("status_equals", "1", ["late.mp4", "photo.png"]),
        ("status_equals", "x", ALL),
        ("expired_is", "1", ["late.mp4"]),
        ("expired_is", "0", ["done.mp4", "photo.png"]),
        ("owner_equals", "ada", ["photo.png"]),
        ("owner_empty", "1", ["done.mp4", "late.mp4"]),
        ("upload_set_equals", "photos", ["photo.png"]),
        ("expires_smaller_than", "2000-01-01 00:00:00", []),
        ("expires_greater_than", "2000-01-01 00:00:00", ALL),
        ("created_smaller_than", "2999-01-01 00:00:00", ALL),
    ):
        assert pages.filtered(**{name: value}) == expected, name


@pytest.mark.parametrize("number", ["x", "9" * 20, "-1", ""])
def test_details_of_what_is_no_number_send_back_to_the_list(pages: Pages, number: str) -> None:
    answer = pages.client.get("/admin/uploads/details/", query_string={"id": number})
    assert (answer.status_code, answer.location) == (302, "/admin/uploads/")


def test_details_show_what_is_recorded(app: Flask, pages: Pages) -> None:
    done = records(app)[2]
    html = pages.client.get(f"/admin/uploads/details/?id={done.id}").text
    for shown in (done.upload_id, done.md5, done.path, "Complete"):
        assert shown in html


def test_deleting_removes_the_bytes_through_the_engine(app: Flask, pages: Pages) -> None:
    gone: list[str] = []
    done = records(app)[2]
    assert [name for name in files(app) if "done" in name]
    with upload_aborted.connected_to(lambda sender, upload, **_: gone.append(upload.upload_id)):
        assert "successfully deleted" in pages.delete(done)
    assert gone == [done.upload_id]
    assert not [name for name in files(app) if "done" in name]
    assert pages.listed() == ["late.mp4", "photo.png"]


def test_several_are_deleted_at_once_each_by_its_own_upload_set(app: Flask, pages: Pages) -> None:
    assert "3 records were successfully deleted" in pages.act("delete", records(app))
    assert records(app) == []
    assert files(app) == []


@pytest.mark.both_databases
def test_unfinished_uploads_can_be_expired(app: Flask, pages: Pages) -> None:
    [photo, _, done] = records(app)
    assert "1 upload was expired" in pages.act("expire", [photo, done])
    assert pages.filtered(expired_is="1") == ["late.mp4", "photo.png"]
    chunk = Protocol(app.test_client(), "/photos").chunk(b"more", 4, 8, upload_id=photo.upload_id)
    assert chunk.status_code == 410


def test_what_cannot_be_deleted_stays_and_says_why(
    app: Flask, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = app.extensions["chunked_upload"]["chunked_upload"].engine.storage

    def broken(key: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(storage, "delete", broken)
    assert "could not be deleted" in pages.delete(records(app)[2])
    del app.extensions["chunked_upload"]["photos"]
    assert "belongs to an upload set that this app does not have" in pages.delete(records(app)[0])
    assert len(records(app)) == 3


@pytest.mark.parametrize("page", ["new", "edit"])
def test_nothing_can_be_made_or_edited(app: Flask, pages: Pages, page: str) -> None:
    """An offset that somebody types in would be one that the stored bytes do not have."""
    before = [(r.id, r.filename, r.offset, r.status) for r in records(app)]
    form = {"filename": "x", "offset": "9", "status": "2", "csrf_token": pages.token()}
    answered = pages.client.post(f"/admin/uploads/{page}/?id={before[0][0]}", data=form)
    assert answered.status_code == 302
    edited = pages.client.post(
        "/admin/uploads/ajax/update/", data={"list_form_pk": before[0][0], **form}
    )
    assert edited.status_code == 404
    assert [(r.id, r.filename, r.offset, r.status) for r in records(app)] == before


def test_another_sites_request_deletes_nothing(app: Flask, pages: Pages) -> None:
    for page, form in (
        ("delete", {"id": "1"}),
        ("action", {"action": "delete", "rowid": ["1", "2", "3"]}),
    ):
        pages.client.post(f"/admin/uploads/{page}/", data=form)
    assert len(records(app)) == 3


def test_beside_flask_wtfs_protection(make_app: MakeApp) -> None:
    class View(ChunkedUploadAdmin):
        form_base_class = FlaskForm

    app = make_app()
    CSRFProtect(app)
    pages = serve(app, View)
    with app.test_request_context():
        upload_set = app.extensions["chunked_upload"]["chunked_upload"]
        record = upload_set.model(filename="a", upload_set="chunked_upload", length=1)
        upload_set.engine.create(record)
    assert "successfully deleted" in pages.delete(records(app)[0])
    assert records(app) == []


def test_no_app_needs_flask_admin() -> None:
    code = (
        "import sys, flask, chunked_upload\n"
        "chunked_upload.ChunkedUpload(flask.Flask('app'))\n"
        "assert not [name for name in sys.modules if name.startswith('flask_admin')]\n"
        "sys.modules['flask_admin'] = None\n"
        "import chunked_upload.admin\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "needs Flask-Admin; install chunked-upload[admin]" in ended.stderr.splitlines()[-1]
