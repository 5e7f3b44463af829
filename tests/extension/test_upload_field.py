"""The form field for WTForms: a finished upload as a form's value, with and without scripts."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import FlaskForm
from flask_wtf.file import FileAllowed, FileRequired, FileSize
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.datastructures import MultiDict
from wtforms import FieldList, Form, StringField
from wtforms.validators import DataRequired, Optional

from chunked_upload import (
    ALL,
    IMAGES,
    ChunkedUpload,
    UploadSet,
    attached_upload,
    configure_uploads,
)
from chunked_upload.wtforms import ChunkedFileField, MultipleChunkedFileField
from tests.conftest import create_tables
from tests.support.concurrency import at_once
from tests.support.protocol import Protocol, files, md5_of, records

pytestmark = pytest.mark.one_database

DATA = b"picture"


class Site:
    """An app with two upload sets, posts, and a view for each form."""

    def __init__(self, app: Flask, **settings: Any) -> None:
        db = self.db = SQLAlchemy(app)

        class Post(db.Model):  # type: ignore[name-defined,misc]
            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str]
            picture_id, picture = attached_upload(db)

        class PostForm(FlaskForm):  # type: ignore[misc]
            title = StringField(validators=[DataRequired()])
            picture = ChunkedFileField(
                "Picture",
                [FileRequired(), FileAllowed(["jpg", "png"], "Pictures only"), FileSize(1000)],
                upload_set="pictures",
            )

        self.app, self.Post, self.PostForm = app, Post, PostForm
        self.uploads = ChunkedUpload(app, db=db, name="pictures", **settings)
        ChunkedUpload(app, db=db, name="others", url_prefix="/others")
        create_tables(app)
        self.client = app.test_client()
        self.protocol = Protocol(self.client)
        self.add_view("/post", PostForm, lambda form: form.populate_obj(self.new_post()))
        self.posts = 0

    def new_post(self) -> Any:
        post = self.Post()
        self.db.session.add(post)
        return post

    def add_view(self, path: str, form_class: Any, use: Callable[[Any], Any]) -> None:
        """Add a view that answers ``valid`` and what ``use`` returned, or the errors."""

        def view() -> Any:
            form = form_class()
            if not form.validate_on_submit():
                page = render_template_string(
                    "{% for f in form if f.type != 'CSRFTokenField' %}{{ f() }}{% endfor %}",
                    form=form,
                )
                return {"errors": form.errors, "page": page}
            used = use(form)
            self.db.session.commit()
            return {"valid": used}

        self.app.add_url_rule(path, path, view, methods=["GET", "POST"])

    def send(self, path: str = "/post", **fields: Any) -> Any:
        """Post a form, ``title`` and its token among the fields; return the answer."""
        fields = {"title": "Summer"} | fields
        return self.client.post(path, data=fields).get_json()

    def rows(self) -> list[tuple[str, str, str]]:
        """Return title, file name and digest of each post."""
        with self.app.app_context():
            posts = self.db.session.scalars(self.db.select(self.Post))
            return [(post.title, post.picture.filename, post.picture.md5) for post in posts]


@pytest.fixture
def site(make_app: Callable[..., Flask]) -> Site:
    return Site(make_app(WTF_CSRF_ENABLED=False), max_bytes=5000)


def file(data: bytes = DATA, name: str = "a.jpg") -> Any:
    return io.BytesIO(data), name


# Both ways give the same


def test_the_id_of_a_finished_upload_is_the_upload(site: Site) -> None:
    assert site.send(picture=site.protocol.completed(DATA, filename="a.jpg")) == {"valid": None}
    assert site.rows() == [("Summer", "a.jpg", md5_of(DATA))]


def test_without_scripts_the_file_of_the_form_is(site: Site) -> None:
    seen = []
    site.uploads.on_completion(lambda file, request: seen.append(file.stream.read()))
    assert site.send(picture=file()) == {"valid": None}
    assert site.rows() == [("Summer", "a.jpg", md5_of(DATA))]
    assert seen == [DATA]
    assert [record.claimed_by for record in records(site.app, "pictures")] == ["post.picture_id"]


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (DATA, "a.txt", "Pictures only"),
        (bytes(1001), "a.jpg", "File must be between 0 and 1000 bytes."),
    ],
)
def test_validators_of_flask_wtf_check_it(
    site: Site, scripts: bool, data: bytes, name: str, error: str
) -> None:
    given = site.protocol.completed(data, filename=name) if scripts else file(data, name)
    assert site.send(picture=given)["errors"] == {"picture": [error]}
    assert site.rows() == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_validator_of_ones_own_may_read_the_file(site: Site, scripts: bool) -> None:
    seen = []

    class ReadingForm(FlaskForm):  # type: ignore[misc]
        picture = ChunkedFileField(upload_set="pictures")

        def validate_picture(self, field: Any) -> None:
            seen.append((field.data.filename, field.data.read(3)))

    site.add_view("/reading", ReadingForm, lambda form: form.picture.data.md5)
    given = site.protocol.completed(DATA, filename="a.jpg") if scripts else file()
    assert site.send("/reading", picture=given) == {"valid": md5_of(DATA)}
    assert seen == [("a.jpg", b"pic")]


@pytest.mark.parametrize("nothing", [{}, {"picture": ""}, {"picture": (io.BytesIO(), "")}])
def test_a_required_file_is_missing(site: Site, nothing: dict[str, Any]) -> None:
    assert site.send(**nothing)["errors"] == {"picture": ["This field is required."]}


def test_an_optional_field_may_be_empty(site: Site) -> None:
    class OptionalForm(FlaskForm):  # type: ignore[misc]
        picture = ChunkedFileField(validators=[Optional()], upload_set="pictures")
        more = MultipleChunkedFileField(upload_set=site.uploads)

    site.add_view("/optional", OptionalForm, lambda form: [form.picture.data, form.more.data])
    assert site.send("/optional") == {"valid": [None, []]}


def test_several_uploads_by_both_ways(site: Site) -> None:
    class AlbumForm(FlaskForm):  # type: ignore[misc]
        pictures = MultipleChunkedFileField(
            validators=[FileRequired()], upload_set="pictures", zone={"max_files": 3}
        )

    site.add_view("/album", AlbumForm, lambda form: [each.filename for each in form.pictures.data])
    ids = [site.protocol.completed(DATA, filename=name) for name in ("1.jpg", "2.jpg")]
    assert site.send("/album", pictures=[*ids, file(name="3.jpg")]) == {
        "valid": ["1.jpg", "2.jpg", "3.jpg"]
    }
    four = [file(name=f"{number}.jpg") for number in range(4)]
    assert site.send("/album", pictures=four)["errors"] == {
        "pictures": ["Too many files (at most 3)."]
    }


def test_the_newest_of_several_counts_for_a_single_field(site: Site) -> None:
    ids = [site.protocol.completed(DATA, filename=name) for name in ("1.jpg", "2.jpg")]
    site.send(picture=ids)
    assert [name for _, name, _ in site.rows()] == ["2.jpg"]


def test_plain_wtforms_work_too(site: Site) -> None:
    class PlainForm(Form):  # type: ignore[misc]
        picture = ChunkedFileField(validators=[FileRequired()], upload_set="pictures")

    upload_id = site.protocol.completed(DATA)
    with site.app.test_request_context(method="POST"):
        form = PlainForm(MultiDict({"picture": upload_id}))
        assert form.validate()
        assert form.validate()  # again: it is the app's by now
        assert form.picture.data.upload_id == upload_id


def test_file_allowed_takes_an_upload_set(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    photos = UploadSet("photos", IMAGES)

    class PhotoForm(FlaskForm):  # type: ignore[misc]
        photo = ChunkedFileField(
            validators=[FileRequired(), FileAllowed(photos, "images only")], upload_set=photos
        )
        copy = ChunkedFileField(validators=[FileAllowed(photos, "images only")], upload_set="files")

    app = make_app(WTF_CSRF_ENABLED=False, UPLOADS_DEFAULT_DEST=str(tmp_path / "files"))
    files_set = UploadSet("files", ALL)
    configure_uploads(app, (photos, files_set))
    create_tables(app)

    @app.post("/photo")
    def post() -> Any:
        form = PhotoForm()
        return [
            form.validate_on_submit(),
            form.errors,
            form.photo.data and form.photo.data.filename,
        ]

    client = app.test_client()
    text = Protocol(client, "/uploads/files").completed(DATA, filename="a.txt")
    photo = Protocol(client, "/uploads/photos").completed(DATA, filename="a.JPG")
    refused = client.post("/photo", data={"photo": photo, "copy": text}).get_json()
    assert refused[:2] == [False, {"copy": ["images only"]}]
    assert client.post("/photo", data={"photo": photo}).get_json() == [True, {}, "a.JPG"]


# Bad ids


def _unfinished(site: Site) -> str:
    return str(site.protocol.chunk(b"half", 0, 8).get_json()["upload_id"])


def _expired(site: Site) -> str:
    upload_id = _unfinished(site)
    with site.app.app_context():
        upload = site.db.session.scalars(site.db.select(site.uploads.model)).one()
        upload.expires_on -= timedelta(days=30)
        site.db.session.commit()
    return upload_id


def _of_another_user(site: Site) -> str:
    upload_id = site.protocol.completed(DATA)
    with site.app.app_context():
        upload = site.db.session.scalars(site.db.select(site.uploads.model)).one()
        upload.owner = "ada"
        site.db.session.commit()
    return upload_id


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda site: "../etc/passwd", "does not exist"),
        (lambda site: "\0", "does not exist"),
        (lambda site: "0" * 32, "does not exist"),
        (lambda site: Protocol(site.client, "/others").completed(DATA), "does not exist"),
        (_of_another_user, "does not exist"),
        (_unfinished, "is not finished"),
        (_expired, "has expired"),
    ],
    ids=["no id", "NUL", "unknown", "another set's", "another user's", "unfinished", "expired"],
)
def test_an_upload_that_cannot_be_used_is_an_error_of_the_form(
    site: Site, make: Callable[[Site], str], problem: str
) -> None:
    answer = site.send(picture=make(site))
    [error] = answer["errors"]["picture"]
    assert problem in error
    assert "chunked-upload-kept" not in answer["page"]
    assert site.rows() == []


def test_a_second_submission_is_refused(site: Site) -> None:
    upload_id = site.protocol.completed(DATA, filename="a.jpg")
    site.send(picture=upload_id)
    answer = site.send(picture=upload_id)
    assert answer["errors"] == {
        "picture": ["This upload has been used already; upload the file again."]
    }
    assert len(site.rows()) == 1


def test_if_the_view_fails_the_form_can_be_submitted_again(site: Site) -> None:
    failures = [True]

    def fail_once(form: Any) -> None:
        form.populate_obj(site.new_post())
        site.db.session.flush()  # on SQLite, from here on others cannot write
        if failures.pop():
            raise RuntimeError("the view fails")

    site.add_view("/failing", site.PostForm, fail_once)
    picture = site.protocol.completed(DATA, filename="a.jpg")
    with pytest.raises(RuntimeError):
        site.send("/failing", picture=picture)
    failures.append(False)
    assert site.send("/failing", picture=picture) == {"valid": None}
    assert site.rows() == [("Summer", "a.jpg", md5_of(DATA))]


def test_of_submissions_at_once_one_gets_the_upload(site: Site) -> None:
    upload_id = site.protocol.completed(DATA, filename="a.jpg")

    def send(_number: int) -> Any:
        form = {"title": "Summer", "picture": upload_id}
        return site.app.test_client().post("/post", data=form).get_json()

    answers = at_once(4, send)
    assert sorted("valid" in answer for answer in answers) == [False, False, False, True]
    assert len(site.rows()) == 1


# Refused forms


@pytest.mark.parametrize("scripts", [True, False])
def test_a_form_that_is_refused_otherwise_keeps_the_upload(site: Site, scripts: bool) -> None:
    given = site.protocol.completed(DATA, filename="<a>.jpg") if scripts else file(name="<a>.jpg")
    answer = site.send(picture=given, title="")
    assert answer["errors"] == {"title": ["This field is required."]}
    [kept] = re.findall(
        r'<input type="checkbox" name="picture" value="(\w+)" checked>', answer["page"]
    )
    assert "<a>" not in answer["page"]
    assert site.send(picture=kept) == {"valid": None}
    assert len(site.rows()) == len(files(site.app)) == 1


def test_checks_in_the_forms_own_validate_come_before_the_claim(site: Site) -> None:
    class Strict(site.PostForm):  # type: ignore[name-defined,misc]
        def validate(self, extra_validators: Any = None) -> bool:
            return bool(super().validate(extra_validators) and self.title.data == "right")

    site.add_view("/strict", Strict, lambda form: form.picture.data.filename)
    upload_id = site.protocol.completed(DATA, filename="a.jpg")
    assert site.send("/strict", picture=upload_id)["errors"] == {}
    assert site.send("/strict", picture=upload_id, title="right") == {"valid": "a.jpg"}


def test_two_fields_are_claimed_both_or_neither(site: Site) -> None:
    class TwoForm(FlaskForm):  # type: ignore[misc]
        one = ChunkedFileField(upload_set="pictures")
        two = ChunkedFileField(upload_set="pictures")

    site.add_view("/two", TwoForm, lambda form: [form.one.data.filename, form.two.data.filename])
    upload_id = site.protocol.completed(DATA, filename="1.jpg")
    assert list(site.send("/two", one=upload_id, two=upload_id)["errors"]) == ["two"]
    other = site.protocol.completed(DATA, filename="2.jpg")
    assert site.send("/two", one=upload_id, two=other) == {"valid": ["1.jpg", "2.jpg"]}


def test_limits_and_hooks_of_the_upload_set_are_errors_of_the_form(site: Site) -> None:
    class LargeForm(FlaskForm):  # type: ignore[misc]
        picture = ChunkedFileField(upload_set="pictures")

    site.add_view("/large", LargeForm, lambda form: None)

    @site.uploads.validate
    def no_cats(request: Any, upload: Any) -> Any:
        return ("No cats", 400) if "cat" in upload.filename else None

    for name, data, error in (
        ("a.jpg", bytes(5001), "Size of file exceeds the limit (5000 bytes)"),
        ("cat.jpg", DATA, "No cats"),
    ):
        assert site.send("/large", picture=file(data, name))["errors"] == {"picture": [error]}
    assert files(site.app) == []
    assert records(site.app, "pictures") == []


def test_a_forged_form_stores_no_file(make_app: Callable[..., Flask]) -> None:
    site = Site(make_app())
    assert list(site.send(picture=file())["errors"]) == ["csrf_token"]
    assert files(site.app) == []


# Editing, rendering


def test_an_edited_row_keeps_its_upload_until_another_is_submitted(site: Site) -> None:
    def edit() -> Any:
        post = site.db.session.scalars(site.db.select(site.Post)).one()
        form = site.PostForm(obj=post)
        assert form.validate_on_submit(), form.errors
        form.populate_obj(post)
        site.db.session.commit()
        return {}

    site.app.add_url_rule("/edit", "edit", edit, methods=["POST"])
    site.send(picture=file())
    site.send("/edit", title="Autumn")
    assert site.rows() == [("Autumn", "a.jpg", md5_of(DATA))]
    site.send("/edit", picture=site.protocol.completed(b"other", filename="b.jpg"))
    assert site.rows() == [("Summer", "b.jpg", md5_of(b"other"))]
    assert len(files(site.app)) == 1


def test_it_is_rendered_as_a_zone_and_a_file_input(site: Site) -> None:
    with site.app.test_request_context():
        field = site.PostForm().picture
        shown = str(field(class_="wide", thumbnails=False))
    assert 'id="picture-zone"' in shown
    assert "&#34;uploadIdName&#34;: &#34;picture&#34;" in shown
    assert "&#34;maxFiles&#34;: 1" in shown
    assert "&#34;thumbnails&#34;: false" in shown
    assert shown.endswith(
        '<noscript><input type="file" name="picture" id="picture" class="wide" required></noscript>'
    )


def test_a_field_in_a_list_says_what_to_use(site: Site) -> None:
    class ListForm(FlaskForm):  # type: ignore[misc]
        pictures = FieldList(ChunkedFileField(), min_entries=1)

    refused = pytest.raises(TypeError, match="MultipleChunkedFileField takes several files")
    with site.app.test_request_context(method="POST", data={"pictures-0": ""}), refused:
        ListForm().validate()


def test_a_view_can_give_its_claim_up(site: Site) -> None:
    class ReleasingForm(FlaskForm):  # type: ignore[misc]
        picture = ChunkedFileField(upload_set="pictures")

    site.add_view("/release", ReleasingForm, lambda form: form.picture.release())
    upload_id = site.protocol.completed(DATA, filename="a.jpg")
    assert site.send("/release", picture=upload_id) == {"valid": None}
    assert site.send(picture=upload_id) == {"valid": None}


def test_no_app_needs_wtforms() -> None:
    code = (
        "import sys, flask, chunked_upload\n"
        "chunked_upload.ChunkedUpload(flask.Flask('app'))\n"
        "assert not {'wtforms', 'flask_wtf'} & sys.modules.keys()\n"
        "sys.modules['wtforms'] = None\n"
        "import chunked_upload.wtforms\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "needs WTForms; install chunked-upload[wtf]" in ended.stderr.splitlines()[-1]
