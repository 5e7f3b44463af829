"""A photo site in the manner of Flask-Uploads: a form, a zone for large files, a gallery.

    flask --app examples/flask_uploads_app.py run

The form's view saves its photo with ``photos.save()``. The zone uploads in chunks, into the same
set. Both are rows of the gallery, which one hook makes.
"""

from typing import Any

from flask import Flask, flash, redirect, render_template_string, request, url_for
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.wrappers import Response

from chunked_upload import (
    IMAGES,
    UploadedFile,
    UploadNotAllowed,
    UploadSet,
    configure_uploads,
)

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Photos</title>
{{ chunked_upload.head() }}
</head>
<body>
<main>
<h1>Photos</h1>
{% for message in get_flashed_messages() -%}
<p role="status">{{ message }}</p>
{% endfor -%}
<form method="post" action="{{ url_for('upload') }}" enctype="multipart/form-data">
  <label>Photo <input type="file" name="photo" required></label>
  <button>Upload</button>
</form>
{{ chunked_upload.dropzone(upload_set="photos", redirect_view="index") }}
<ul>
{% for photo in photos -%}
  <li><img src="{{ photo.url }}" alt="{{ photo.filename }}"></li>
{% endfor -%}
</ul>
</main>
</body>
</html>
"""

db = SQLAlchemy()
photos = UploadSet("photos", IMAGES, db=db, public_files=True)


class Photo(db.Model):  # type: ignore[name-defined,misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    filename: Mapped[str] = mapped_column(unique=True)

    @property
    def url(self) -> str:
        return photos.url(self.filename)


@photos.on_completion
def add_photo(file: UploadedFile, request: object) -> None:
    """Make the gallery's row. It may run again after a crash, so it looks whether it has run."""
    upload: Any = file.upload
    if db.session.scalar(db.select(Photo).filter_by(filename=upload.path)) is None:
        db.session.add(Photo(filename=upload.path))
        db.session.commit()


def index() -> str:
    return render_template_string(PAGE, photos=db.session.scalars(db.select(Photo)))


def upload() -> Response:
    """Save a photo as with Flask-Uploads."""
    try:
        filename = photos.save(request.files["photo"])
        flash(f"Saved as {filename}")
    except UploadNotAllowed:
        flash("Photos only, please")
    return redirect(url_for("index"), 303)


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="change me",  # noqa: S106 - an example's
        SQLALCHEMY_DATABASE_URI="sqlite:///photos.db",
        UPLOADED_PHOTOS_DEST="photos",
    )
    app.config.from_prefixed_env()  # FLASK_SECRET_KEY and so on
    db.init_app(app)
    configure_uploads(app, photos)
    app.add_url_rule("/", view_func=index)
    app.add_url_rule("/photo", view_func=upload, methods=["POST"])
    with app.app_context():
        db.create_all()  # a real app has migrations
    return app
