"""Upload zones in an app's own pages, by the template helper: alone, on a click, inside a form.

    flask --app examples/dropzone_app.py run

Files of any size go in chunks, and on where they stopped after a reload. CSRF tokens are checked
(Flask-WTF), and the pages' Content-Security-Policy allows no inline script.
"""

from flask import Flask, Response, redirect, render_template_string, request, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from chunked_upload import ChunkedUpload

# 'wasm-unsafe-eval' is for the MD5 in its worker, data: for the pictures' thumbnails.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; worker-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)

LAYOUT = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Uploads</title>
{{ chunked_upload.head() }}
</head>
<body>
<main>
%s
</main>
</body>
</html>
"""

ZONE = (
    LAYOUT
    % """\
<h1>Your files</h1>
<!-- snippet -->
{{ chunked_upload.dropzone(max_file_size="2G") }}
<!-- /snippet -->
"""
)

ON_CLICK = (
    LAYOUT
    % """\
<h1>At most three pictures</h1>
<!-- snippet -->
{{ chunked_upload.dropzone(upload_on_click=True, max_files=3, allowed_file_type="image",
                           redirect_view="thanks") }}
<button id="upload">Upload</button>
<!-- /snippet -->
"""
)

IN_FORM = (
    LAYOUT
    % """\
<h1>Apply</h1>
<!-- snippet -->
<form method="post" action="{{ url_for('apply') }}">
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  <label>Name <input name="name" required></label>
  {{ chunked_upload.dropzone(in_form=True, max_files=5) }}
  <button>Apply</button>
</form>
<!-- /snippet -->
"""
)

uploads = ChunkedUpload(allowed_extensions=("jpg", "png", "pdf", "zip", "mp4", "bin"))
csrf = CSRFProtect()


def thanks() -> str:
    return "Thank you."


def apply() -> str | BaseResponse:
    """Take the form; its files have been uploaded before, and their ids come along."""
    if request.method == "GET":
        return render_template_string(IN_FORM)
    files = [uploads.find(upload_id) for upload_id in request.form.getlist("upload_id")]
    if not files:
        return redirect(url_for("apply"), 303)
    names = ", ".join(f"{file.filename} ({file.length} bytes)" for file in files)
    return render_template_string(
        "{{ name }} sent {{ names }}", name=request.form["name"], names=names
    )


def protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "change me"  # noqa: S105 - an example's
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config.from_prefixed_env()  # FLASK_SECRET_KEY and so on
    csrf.init_app(app)
    uploads.init_app(app)
    app.add_url_rule("/", "index", lambda: render_template_string(ZONE))
    app.add_url_rule("/click", "click", lambda: render_template_string(ON_CLICK))
    app.add_url_rule("/apply", view_func=apply, methods=["GET", "POST"])
    app.add_url_rule("/thanks", view_func=thanks)
    app.after_request(protect)
    with app.app_context():
        uploads.db.create_all()  # a real app has migrations
    return app
