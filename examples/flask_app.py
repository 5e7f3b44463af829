"""A small document library: what logged-in users upload becomes a row of the app's own.

    flask --app examples/flask_app.py run

It has its own database and its own upload model with a user, two upload sets with different rules,
a hook that turns a finished upload into a document, and a receiver of a signal. In a browser, open
http://127.0.0.1:5000/ and log in. With curl, log in first, as
``curl -c jar -d name=ada http://127.0.0.1:5000/login`` does, and upload with that cookie.
"""

from typing import Any

from flask import Flask, Request, Response, abort, jsonify, redirect, request, session
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.wrappers import Response as AnyResponse

from chunked_upload import ChunkedUpload, ChunkedUploadMixin, UploadedFile, upload_aborted

db = SQLAlchemy()


class User(db.Model):  # type: ignore[name-defined,misc]
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class DocumentUpload(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
    """An upload of a document. The extension fills ``user`` with what the loader returned."""

    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User | None] = relationship()


class Document(db.Model):  # type: ignore[name-defined,misc]
    """What the app is about; made from a finished upload."""

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    title: Mapped[str]
    size: Mapped[int]
    path: Mapped[str]


documents = ChunkedUpload(
    db=db,
    name="documents",
    url_prefix="/documents/uploads",
    model=DocumentUpload,
    max_bytes=50 * 2**30,
    allowed_extensions=("pdf", "zip", "mp4"),
)
avatars = ChunkedUpload(
    db=db,
    name="avatars",
    url_prefix="/avatars/uploads",
    field_name="avatar",
    max_bytes=5 * 2**20,
    path="avatars",
)


@documents.user_loader
@avatars.user_loader
def current_user(request: Request) -> User | None:
    user_id = session.get("user_id")
    return None if user_id is None else db.session.get(User, user_id)


@documents.on_completion
def add_document(file: UploadedFile, request: Request) -> None:
    """Make the document. It may run again after a crash, so it looks whether it has run."""
    upload: Any = file.upload
    if db.session.scalar(select(Document).filter_by(upload_id=upload.upload_id)) is None:
        title = upload.extra_fields.get("title", file.filename)
        db.session.add(
            Document(
                upload_id=upload.upload_id,
                user_id=upload.user_id,
                title=title,
                size=file.size,
                path=file.path,
            )
        )
        db.session.commit()


def note_aborted(app: Flask, upload: Any, upload_set: str) -> None:
    app.logger.warning("%s: upload %s was given up or deleted", upload_set, upload.upload_id)


LOGIN = """<!doctype html>
<html lang="en">
<title>Documents</title>
<form method="post" action="/login">
<label>Your name: <input name="name" required></label> <button>Log in</button>
</form>
"""


def index() -> Response | str:
    """Show the upload page to users, a form to log in to others."""
    if current_user(request) is None:
        return LOGIN
    return documents.page(title="Documents", sign_in="/")


def login() -> AnyResponse:
    """Log in by name alone. A real app asks for more."""
    name = request.form.get("name") or abort(400)
    user = db.session.scalar(select(User).filter_by(name=name)) or User(name=name)
    db.session.add(user)
    db.session.commit()
    session["user_id"] = user.id
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return redirect("/")  # a browser, which sent the form
    return jsonify(id=user.id, name=user.name)


def list_documents() -> Response:
    user = current_user(request) or abort(403)
    mine = db.session.scalars(select(Document).filter_by(user_id=user.id).order_by(Document.id))
    return jsonify([{"title": document.title, "size": document.size} for document in mine])


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="change me",  # noqa: S106 - an example's
        SQLALCHEMY_DATABASE_URI="sqlite:///library.db",
    )
    app.config.from_prefixed_env()  # FLASK_SECRET_KEY and so on
    db.init_app(app)
    documents.init_app(app)
    avatars.init_app(app)
    upload_aborted.connect(note_aborted, sender=app)
    app.add_url_rule("/", view_func=index)
    app.add_url_rule("/login", view_func=login, methods=["POST"])
    app.add_url_rule("/documents", view_func=list_documents)
    with app.app_context():
        db.create_all()  # a real app has migrations
    return app
