"""Forms with files of any size, with scripts and without.

    flask --app examples/form_app.py run

``/`` is a page without scripts: Flask's upload pattern, streaming. The form goes to the upload
set's own endpoint, which completes the files at once, flashes what became of them, and sends the
browser to the form's ``next``.

``/posts`` has a form of Flask-WTF with an upload field. The file goes in chunks before the form is
sent, or with the form where scripts are off. It belongs to the post: deleting the post deletes it.
"""

from flask import Flask, redirect, render_template_string, url_for
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFProtect
from flask_wtf.file import FileAllowed, FileRequired
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import DataRequired

from chunked_upload import ChunkedUpload, UploadedFile, attached_upload
from chunked_upload.wtforms import ChunkedFileField

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Uploads</title>
</head>
<body>
<main>
<h1>Your files</h1>
{% for category, message in get_flashed_messages(with_categories=true) -%}
<p class="{{ category }}" role="status">{{ message }}</p>
{% endfor -%}
<!-- snippet -->
<form action="{{ url_for('chunked_upload.form') }}" method="post" enctype="multipart/form-data">
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  <input type="hidden" name="next" value="{{ url_for('index') }}">
  <label>Files <input type="file" name="file" multiple></label>
  <button>Upload</button>
</form>
<!-- /snippet -->
<p><a href="{{ url_for('posts') }}">Posts with a file</a></p>
</main>
</body>
</html>
"""

POSTS = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Posts</title>
{{ chunked_upload.head() }}
</head>
<body>
<main>
<h1>Posts</h1>
<form method="post" enctype="multipart/form-data">
  {{ form.csrf_token }}
  <p>{{ form.title.label }} {{ form.title(required=False) }}</p>
  {{ form.attachment(thumbnails=False, required=False) }}
  {% for error in form.title.errors + form.attachment.errors -%}
  <p class="error" role="alert">{{ error }}</p>
  {% endfor -%}
  <button>Post</button>
</form>
{% for post in posts -%}
<form method="post" action="{{ url_for('delete_post', post_id=post.id) }}">
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  {{ post.title }}:
  <a href="{{ url_for('chunked_upload.file', upload_id=post.attachment.upload_id) }}">
    {{- post.attachment.filename }}</a>
  <button>Delete</button>
</form>
{% endfor -%}
</main>
</body>
</html>
"""

db = SQLAlchemy()
uploads = ChunkedUpload(
    db=db, allowed_extensions=("jpg", "png", "pdf", "bin"), unclaimed_expiration_delta="2d"
)
csrf = CSRFProtect()


class Post(db.Model):  # type: ignore[name-defined,misc]
    """A post and its file, which is deleted with it."""

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    attachment_id, attachment = attached_upload(db, nullable=False)


class PostForm(FlaskForm):  # type: ignore[misc]
    title = StringField("Title", [DataRequired()])
    attachment = ChunkedFileField(
        "File", [FileRequired(), FileAllowed(["jpg", "png", "bin"], "Pictures only")]
    )


@uploads.on_completion
def note(file: UploadedFile, request: object) -> None:
    uploads.upload_set.app.logger.warning("%s: %d bytes in %s", file.filename, file.size, file.path)


def posts() -> str | Response:
    form = PostForm()
    if form.validate_on_submit():
        post = Post()
        form.populate_obj(post)
        db.session.add(post)
        db.session.commit()
        return redirect(url_for("posts"))
    return render_template_string(POSTS, form=form, posts=db.session.scalars(db.select(Post)))


def delete_post(post_id: int) -> Response:
    db.session.delete(db.get_or_404(Post, post_id))
    db.session.commit()
    return redirect(url_for("posts"))


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "change me"  # noqa: S105 - an example's
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///uploads.db"
    app.config.from_prefixed_env()  # FLASK_SECRET_KEY and so on
    db.init_app(app)
    csrf.init_app(app)
    uploads.init_app(app)
    app.add_url_rule("/", "index", lambda: render_template_string(PAGE))
    app.add_url_rule("/posts", "posts", posts, methods=["GET", "POST"])
    app.add_url_rule("/posts/<int:post_id>/delete", "delete_post", delete_post, methods=["POST"])
    with app.app_context():
        db.create_all()  # a real app has migrations
    return app
