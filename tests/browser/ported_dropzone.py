"""The examples of Flask-Dropzone's documentation, written anew as one app; only the import changed.

Their views save ``request.files`` themselves. The policy allows no inline script without a nonce.
"""

from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, render_template_string, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from chunked_upload import Dropzone

NONCE = "c2VjcmV0"

POLICY = (
    f"default-src 'none'; script-src 'self' 'nonce-{NONCE}'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'"
)

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="UTF-8">
  <title>Flask-Dropzone Demo</title>
  {{ dropzone.load_css() }}
  {{ dropzone.style('border: 2px dashed #0087F7; margin: 10%%; min-height: 400px;') }}
</head>
<body>
  %s
</body>
</html>
"""

BASIC = """\
{{ dropzone.create(action='upload') }}
{{ dropzone.load_js() }}
{{ dropzone.config() }}
"""

REDIRECT = """\
{{ dropzone.create('upload') }}
{{ dropzone.load_js() }}
{{ dropzone.config(redirect_view='completed') }}
"""

PARALLEL = """\
{{ dropzone.create('upload') }}
{{ dropzone.load_js() }}
{{ dropzone.config(upload_multiple=True, parallel_uploads=3, redirect_view='completed') }}
"""

CLICK = """\
{{ dropzone.create('/') }}
<button id="upload">Upload</button>
{{ dropzone.load_js() }}
{{ dropzone.config(upload_on_click=True, max_files=20, redirect_view='completed') }}
"""

CUSTOM = """\
{{ dropzone.create(action='upload') }}
<button id="upload-btn">Upload</button>
{{ dropzone.load_js() }}
{{ dropzone.config(
  custom_init='dz = this;
    document.getElementById("upload-btn").addEventListener(
      "click", function handler(e) {dz.processQueue();});',
  custom_options='autoProcessQueue: false, addRemoveLinks: true, parallelUploads: 20,
    success: function(file, response) {document.title = response;}',
  nonce=nonce
) }}
"""

TWO = """\
{{ dropzone.create(action='upload', id='foo') }}
{{ dropzone.create(action='upload', id='bar') }}
{{ dropzone.load_js() }}
{{ dropzone.config(id='foo', default_message='Dropzone Foo') }}
{{ dropzone.config(id='bar', default_message='Dropzone Bar',
                   custom_options='addRemoveLinks: true') }}
"""

IN_FORM = """\
<form action="{{ url_for('form') }}" enctype="multipart/form-data" method="post">
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  <input type="text" name="title">
  {{ dropzone.create() }}
  <input type="submit" id="submit" value="Submit and Upload">
</form>
{{ dropzone.load_js() }}
{{ dropzone.config(in_form=True, upload_on_click=True, upload_btn_id='submit') }}
"""

SAVED = Path("saved")


def upload() -> Any:
    for key, f in request.files.items():
        if not f.filename or f.filename.split(".")[1] != "png":
            return "PNG only!", 400
        if key.startswith("file"):
            f.save(SAVED / f.filename)
    with (SAVED / "requests.log").open("a") as log:
        log.write(",".join(sorted(request.files)) + "\n")
    return "saved"


def form() -> str:
    names = sorted(path.name for path in SAVED.glob("*.png"))
    return f"form submitted: {request.form['title']}, {names}"


def create_app() -> Flask:
    SAVED.mkdir(exist_ok=True)
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="dev key",
        DROPZONE_ALLOWED_FILE_TYPE="image",
        DROPZONE_MAX_FILE_SIZE=3,
        DROPZONE_MAX_FILES=30,
        DROPZONE_ENABLE_CSRF=True,
        DROPZONE_UPLOAD_ACTION="upload",
    )
    Dropzone(app)
    CSRFProtect(app)
    app.add_url_rule("/", view_func=upload, methods=["POST"])
    app.add_url_rule("/form", view_func=form, methods=["POST"])
    app.add_url_rule("/completed", "completed", lambda: "Upload completed.")
    pages = {
        "basic": BASIC,
        "redirect": REDIRECT,
        "parallel": PARALLEL,
        "click": CLICK,
        "custom": CUSTOM,
        "two": TWO,
    }
    for name, template in pages.items():
        app.add_url_rule(f"/{name}", name, _page(PAGE % template))
    app.add_url_rule("/in-form", "in_form", _page(PAGE % IN_FORM, DROPZONE_IN_FORM=True))

    @app.errorhandler(CSRFError)
    def csrf_error(e: CSRFError) -> Any:
        return e.description, 400

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


def _page(template: str, **config: Any) -> Any:
    def view() -> str:
        current_app.config.update({"DROPZONE_IN_FORM": False, **config})
        return render_template_string(template, nonce=NONCE)

    return view
