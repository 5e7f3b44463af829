"""A page without scripts: Flask's upload pattern, streaming, with files of any size.

    flask --app examples/form_app.py run

The form goes to the upload set's own endpoint, which completes the files at once, flashes what
became of them, and sends the browser to the form's ``next``.
"""

from flask import Flask, render_template_string
from flask_wtf.csrf import CSRFProtect

from chunked_upload import ChunkedUpload, UploadedFile

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
</main>
</body>
</html>
"""

uploads = ChunkedUpload(allowed_extensions=("jpg", "png", "pdf", "bin"))
csrf = CSRFProtect()


@uploads.on_completion
def note(file: UploadedFile, request: object) -> None:
    uploads.upload_set.app.logger.warning("%s: %d bytes in %s", file.filename, file.size, file.path)


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "change me"  # noqa: S105 - an example's
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config.from_prefixed_env()  # FLASK_SECRET_KEY and so on
    csrf.init_app(app)
    uploads.init_app(app)
    app.add_url_rule("/", "index", lambda: render_template_string(PAGE))
    with app.app_context():
        uploads.db.create_all()  # a real app has migrations
    return app
