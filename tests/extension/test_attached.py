"""Uploads attached to an app's own rows, and claims."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from chunked_upload import CannotAttach, ChunkedUpload, ChunkedUploadMixin, attached_upload
from chunked_upload.engine.errors import UploadClaimed
from chunked_upload.support.clock import utcnow
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.extension.test_cleaning import run
from tests.support.concurrency import at_once
from tests.support.protocol import Protocol, files, nothing_left, records

DATA = b"picture"


class Site:
    """An app with posts that have a picture, and people that have one."""

    def __init__(self, app: Flask, *, own_model: bool = False, **settings: Any) -> None:
        db = self.db = SQLAlchemy(app)
        model: Any = db
        if own_model:

            class Upload(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
                __tablename__ = "own_upload"

            model = Upload

        class Post(db.Model):  # type: ignore[name-defined,misc]
            id: Mapped[int] = mapped_column(primary_key=True)
            picture_id, picture = attached_upload(model)

        class Person(db.Model):  # type: ignore[name-defined,misc]
            id: Mapped[int] = mapped_column(primary_key=True)
            portrait_id, portrait = attached_upload(model)

        self.app, self.Post, self.Person = app, Post, Person
        self.uploads = ChunkedUpload(app, db=db, model=model if own_model else None, **settings)
        create_tables(app)
        self.client = app.test_client()
        self.protocol = Protocol(self.client)

    def upload(self, name: str = "a.jpg") -> int:
        """Return the key of a new completed upload."""
        upload_id = self.protocol.completed(DATA, filename=name)
        [key] = [record.id for record in records(self.app) if record.upload_id == upload_id]
        return int(key)

    def post(self, picture_id: int | None) -> int:
        """Return the key of a new post."""
        post = self.Post(picture_id=picture_id)
        self.db.session.add(post)
        self.db.session.commit()
        return int(post.id)

    def row(self, key: int) -> Any:
        """Return a post."""
        return self.db.session.get(self.Post, key)


@pytest.fixture(params=[False, True], ids=["built-in model", "own model"])
def site(make_app: Callable[..., Flask], request: pytest.FixtureRequest) -> Site:
    return Site(make_app(), own_model=request.param)


def test_a_row_has_its_upload_and_keeps_it(site: Site) -> None:
    key = site.upload()
    with site.app.app_context():
        post = site.post(key)
        assert site.row(post).picture.filename == "a.jpg"
    [record] = records(site.app)
    assert record.claimed_by == "post.picture_id"
    refused = refusal(site.client.delete(f"/uploads/{record.upload_id}"))
    assert refused == (409, "Upload is in use")
    run(site.app, "delete-expired-uploads", "--include-complete")
    with site.client.get(f"/uploads/{record.upload_id}/file") as kept:
        assert kept.data == DATA


def test_deleting_the_row_deletes_the_bytes(site: Site) -> None:
    key = site.upload()
    with site.app.app_context():
        row = site.row(site.post(key))
        site.db.session.delete(row)
        assert files(site.app)  # until it is committed
        site.db.session.commit()
    assert nothing_left(site.app)


def test_a_rollback_keeps_row_and_bytes(site: Site) -> None:
    key = site.upload()
    with site.app.app_context():
        row = site.row(site.post(key))
        site.db.session.delete(row)
        site.db.session.flush()
        site.db.session.rollback()
        assert row.picture.id == key
    assert len(files(site.app)) == 1


def test_another_upload_in_its_place_deletes_the_first(site: Site) -> None:
    first, second = site.upload("1.jpg"), site.upload("2.jpg")
    with site.app.app_context():
        row = site.row(site.post(first))
        row.picture = site.db.session.get(site.uploads.model, second)
        site.db.session.commit()
    assert [record.filename for record in records(site.app)] == ["2.jpg"]
    assert len(files(site.app)) == 1


def test_an_upload_belongs_to_one_row(site: Site) -> None:
    key = site.upload()
    with site.app.app_context():
        site.post(key)
        with pytest.raises(IntegrityError):
            site.post(key)
        site.db.session.rollback()
        site.db.session.add(site.Person(portrait_id=key))
        with pytest.raises(CannotAttach, match=r"person\.portrait_id.*attached elsewhere"):
            site.db.session.commit()


def test_an_unfinished_upload_is_not_attached(site: Site) -> None:
    site.protocol.chunk(b"half", 0, 8)
    [record] = records(site.app)
    with site.app.app_context(), pytest.raises(CannotAttach, match="not complete"):
        site.post(record.id)


def test_an_upload_is_claimed_once(site: Site) -> None:
    site.upload()
    [record] = records(site.app)

    def claim(_number: int) -> bool:
        with site.app.test_request_context():
            try:
                site.uploads.claim(record.upload_id)
            except UploadClaimed:
                return False
            return True

    assert sorted(at_once(4, claim)) == [False, False, False, True]
    with site.app.app_context():
        site.post(record.id)  # a row takes over what the request has claimed


def test_claims_are_all_or_none(site: Site) -> None:
    site.upload("1.jpg")
    site.upload("2.jpg")
    first, second = (record.upload_id for record in records(site.app))
    with site.app.test_request_context():
        site.uploads.claim(second)
        with pytest.raises(UploadClaimed):
            site.uploads.claim(first, second)
        claimed = site.uploads.claim(first, first)  # as a form may send it
        assert [record.upload_id for record in claimed] == [first]


def test_a_request_that_fails_gives_its_claims_up_but_not_those_of_rows(site: Site) -> None:
    site.upload("1.jpg")
    rows = site.upload("2.jpg")
    first, second = (record.upload_id for record in records(site.app))

    def fail() -> None:
        with site.app.test_request_context():
            site.uploads.claim(first, second)
            site.post(rows)
            raise RuntimeError("the view fails")

    with pytest.raises(RuntimeError):
        fail()
    with site.app.test_request_context():
        site.uploads.claim(first)
        with pytest.raises(UploadClaimed):
            site.uploads.claim(second)


def test_a_removal_that_was_decided_before_the_claim_looks_again(site: Site) -> None:
    key = site.upload()
    with site.app.app_context():
        engine = site.uploads.engine
        [read_before] = records(site.app)
        [also_before] = records(site.app)
        site.post(key)
        assert not engine.expire_unclaimed(read_before)
        with pytest.raises(UploadClaimed):
            engine.abort(also_before)
    assert len(files(site.app)) == 1


@pytest.mark.one_database
def test_an_operator_deletes_what_a_request_claimed_and_no_row_has(site: Site) -> None:
    rows, request = site.upload("1.jpg"), site.upload("2.jpg")
    with site.app.app_context():
        site.post(rows)
    attached, claimed = (record.upload_id for record in records(site.app))
    with site.app.test_request_context():
        site.uploads.claim(claimed)
    code, output = run(site.app, "delete", "--yes", attached, claimed)
    assert code == 1
    assert "the app has claimed it" in output
    assert [record.id for record in records(site.app)] == [rows] != [request]


@pytest.mark.one_database
def test_unclaimed_uploads_expire_and_others_stay(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(make_app(), unclaimed_expiration_delta="2d")
    attached, claimed, _ = (site.upload(name) for name in ("1.jpg", "2.jpg", "3.jpg"))
    with site.app.app_context():
        site.post(attached)
    with site.app.test_request_context():
        site.uploads.claim(records(site.app)[1].upload_id)
    assert run(site.app, "delete-expired-uploads")[1].startswith("0 complete")
    later = utcnow() + timedelta(days=2, minutes=1)
    monkeypatch.setattr("chunked_upload.maintenance.expiry.steady_now", lambda _set: later)
    assert run(site.app, "delete-expired-uploads", "--dry-run", "--include-complete")[1].endswith(
        "1 complete upload would be deleted.\n0 incomplete uploads would be deleted.\n"
    )
    assert run(site.app, "delete-expired-uploads")[1].startswith("1 complete")
    assert [record.id for record in records(site.app)] == [attached, claimed]
    assert len(files(site.app)) == 2


@pytest.mark.one_database
def test_without_the_setting_completed_uploads_are_kept(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(make_app())
    site.upload()
    later = utcnow() + timedelta(days=4000)
    monkeypatch.setattr("chunked_upload.maintenance.expiry.steady_now", lambda _set: later)
    assert run(site.app, "delete-expired-uploads")[1].startswith("0 complete")
    assert len(files(site.app)) == 1


def test_the_example_of_the_documentation_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs" / "extension.md"
    [code] = re.findall(r"<!-- attached -->\n```python\n(.*?)```", page.read_text(), re.DOTALL)
    (tmp_path / "posts_example.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("posts_example")
    app = module.create_app()
    client = app.test_client()
    upload_id = Protocol(client).completed(DATA, filename="a.jpg")
    form = {"title": "Summer", "upload_id": upload_id}
    shown = answer(client.post("/posts", data=form, follow_redirects=True))
    with client.get(shown["Summer"]) as picture:
        assert picture.data == DATA
    assert client.post("/posts", data=form).status_code == 400  # it is claimed
    client.post("/posts/1/delete")
    assert client.get(shown["Summer"]).status_code == 404
    assert nothing_left(app)
    with app.app_context():
        module.db.engine.dispose()
