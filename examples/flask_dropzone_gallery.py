"""A gallery written for Flask-Dropzone, ported by docs/porting-flask-dropzone.md.

    flask --app examples/flask_dropzone_gallery.py run

Pictures of any size go in chunks and resume after a lost connection. Without scripts the zone is a
plain form. Lines with "was:" are those that porting has changed.
"""

from typing import Any

from flask import Flask, Request, Response, abort, render_template_string, send_file
from flask_wtf.csrf import CSRFProtect

# was: from flask_dropzone import Dropzone
from chunked_upload import ChunkedUpload, Dropzone, Status

INDEX = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Add pictures</title>
{{ dropzone.load_css() }}
</head>
<body>
<h1>Add pictures</h1>
{# was: action="upload" #}
{{ dropzone.create(action="chunked_upload.uploads") }}
{{ dropzone.load_js() }}
{{ dropzone.config(default_message="Drop pictures here or click.") }}
</body>
</html>
"""

GALLERY = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Gallery</title>
</head>
<body>
<h1>Gallery</h1>
{% for picture in pictures %}
<img src="{{ url_for('picture', upload_id=picture.upload_id) }}" alt="{{ picture.filename }}">
{% else %}
<p>No pictures yet.</p>
{% endfor %}
<p><a href="{{ url_for('index') }}">Add pictures</a></p>
</body>
</html>
"""

#: The first bytes of what the gallery shows, and its type.
KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}

dropzone = Dropzone()
csrf = CSRFProtect()
uploads = ChunkedUpload()


# was: the view "upload", which checked and saved request.files["file"]
@uploads.validate
def pictures_only(request: Request, upload: Any) -> Any:
    if not upload.filename.lower().endswith((".png", ".jpg", ".gif")):
        return "PNG, JPEG and GIF only!", 400
    return None


def index() -> str:
    return render_template_string(INDEX)


def gallery() -> str:
    complete = uploads.db.select(uploads.model).where(uploads.model.status == Status.COMPLETE)
    newest = complete.order_by(uploads.model.completed_on.desc())
    return render_template_string(GALLERY, pictures=uploads.db.session.scalars(newest))


def picture(upload_id: str) -> Response:
    found = uploads.db.session.scalar(
        uploads.db.select(uploads.model).filter_by(upload_id=upload_id, status=Status.COMPLETE)
    )
    if found is None:
        abort(404)
    path = uploads.path_of(found)
    with open(path, "rb") as file:
        start = file.read(4)
    kind = next((kind for magic, kind in KINDS.items() if start.startswith(magic)), None)
    response = send_file(path, mimetype=kind or "application/octet-stream")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def protect(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';"
        " img-src 'self' data:; connect-src 'self'; worker-src 'self'; form-action 'self'",
    )
    return response


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="change me",  # noqa: S106 - an example's
        SESSION_COOKIE_SAMESITE="Lax",
        DROPZONE_ALLOWED_FILE_TYPE="image",
        DROPZONE_MAX_FILE_SIZE=200,
        CHUNKED_UPLOAD_MAX_BYTES="200M",  # new: the server's own limit
        DROPZONE_ENABLE_CSRF=True,
        DROPZONE_REDIRECT_VIEW="gallery",
    )
    app.config.from_prefixed_env()  # FLASK_SECRET_KEY and so on
    csrf.init_app(app)
    dropzone.init_app(app)
    uploads.init_app(app)  # new
    app.add_url_rule("/", view_func=index)
    app.add_url_rule("/gallery", view_func=gallery)
    app.add_url_rule("/pictures/<upload_id>", view_func=picture)
    app.after_request(protect)
    with app.app_context():
        uploads.db.create_all()  # new; a real app has migrations
    return app
