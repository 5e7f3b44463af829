"""Flask-Dropzone 2.0 in front of the service: its form, its CSRF switch, its redirect.

    pip install flask-dropzone flask-wtf
    flask --app examples/flask_dropzone_app.py run

It draws the forms; their action is the upload set's endpoint, and on_completion stands in for the
view that saves request.files. Files go in chunks by ``custom_options``, except with "upload on
click",
which Flask-Dropzone cannot combine with chunks. What else it cannot do (going on after a reload,
the redirect only when all went well), ``{{ chunked_upload.dropzone(...) }}`` can:
docs/templates.md.
"""

from flask import Flask, Request, render_template_string
from flask_dropzone import Dropzone
from flask_wtf.csrf import CSRFProtect

from chunked_upload import ChunkedUpload, UploadedFile

LAYOUT = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Uploads</title>
{{ dropzone.load_css() }}
</head>
<body>
<main>
%s
</main>
</body>
</html>
"""

CHUNKED = (
    LAYOUT
    % """\
<!-- snippet -->
{{ dropzone.create(action="chunked_upload.uploads") }}
{{ dropzone.load_js() }}
{{ dropzone.config(custom_options=options, custom_init=init) }}
<!-- /snippet -->
"""
)

# Flask-Dropzone sends them whole, all in one request; all are taken or none.
ON_CLICK = (
    LAYOUT
    % """\
<!-- snippet -->
{{ dropzone.create(action="chunked_upload.uploads") }}
<button id="upload">Upload</button>
{{ dropzone.load_js() }}
{{ dropzone.config(upload_on_click=True, max_files=5) }}
<!-- /snippet -->
"""
)

# Dropzone's own options: a chunk that gets no answer is sent again, three times at once.
OPTIONS = "chunking: true, chunkSize: %d, retryChunks: true"

# The body of Dropzone's init(), after what Flask-Dropzone writes into it.
INIT = """
// What may pass is tried again in a while; as long as it waits, the queue is not complete.
this.on("error", (file, message, xhr) => {
  file.tries = (file.tries || 0) + 1;
  if (!xhr || (xhr.status > 0 && xhr.status < 500) || file.tries > 9) return;
  file.status = Dropzone.ADDED;
  file.previewElement.classList.remove("dz-error");
  setTimeout(() => this.enqueueFile(file), 500 * file.tries);
});
// Removed files are removed from the server as well, by Dropzone's name for them.
this.on("removedfile", (file) => {
  const url = `${this.options.url}?dzuuid=${file.upload.uuid}`;
  if (file.xhr) fetch(url, { method: "DELETE", headers: this.options.headers });
});
// Chunks have that name already, whole files get it here.
this.on("sending", (file, xhr, form) => {
  if (!file.upload.chunked) form.append("dzuuid", file.upload.uuid);
});
"""

uploads = ChunkedUpload()
dropzone = Dropzone()
csrf = CSRFProtect()


@uploads.on_completion
def note(file: UploadedFile, request: Request) -> None:
    uploads.upload_set.app.logger.warning("%s: %d bytes in %s", file.filename, file.size, file.path)


def index(size: int) -> str:
    return render_template_string(CHUNKED, options=OPTIONS % size, init=INIT)


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="change me",  # noqa: S106 - an example's
        SESSION_COOKIE_SAMESITE="Lax",
        DROPZONE_SERVE_LOCAL=True,
        DROPZONE_MAX_FILE_SIZE=4096,  # MiB, for Dropzone
        CHUNKED_UPLOAD_MAX_BYTES=4096 * 2**20,  # and for the server
        DROPZONE_ALLOWED_FILE_CUSTOM=True,
        DROPZONE_ALLOWED_FILE_TYPE=".jpg,.png,.pdf,.bin",
        CHUNKED_UPLOAD_ALLOWED_EXTENSIONS=("jpg", "png", "pdf", "bin"),
        DROPZONE_ENABLE_CSRF=True,
        DROPZONE_REDIRECT_VIEW="thanks",
        CHUNK_SIZE=8 * 2**20,
    )
    app.config.from_prefixed_env()  # FLASK_SECRET_KEY and so on
    csrf.init_app(app)
    dropzone.init_app(app)
    uploads.init_app(app)
    app.add_url_rule("/", "index", lambda: index(app.config["CHUNK_SIZE"]))
    app.add_url_rule("/click", "click", lambda: render_template_string(ON_CLICK))
    app.add_url_rule("/thanks", "thanks", lambda: "Thank you.")
    with app.app_context():
        uploads.db.create_all()  # a real app has migrations
    return app
