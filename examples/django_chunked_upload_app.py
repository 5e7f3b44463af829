"""django-chunked-upload's back end and its demo page, ported by docs/porting.md.

    flask --app examples/django_chunked_upload_app.py run

The page is the original's: jQuery-File-Upload, and an MD5 that is computed while the file is sent.
Lines with "was:" are those that porting has changed.
"""

from typing import Any

from flask import Flask, Request, render_template_string
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

# was: from chunked_upload.models import ChunkedUpload
from chunked_upload import ChunkedUpload
from chunked_upload.constants import http_status
from chunked_upload.exceptions import ChunkedUploadError
from chunked_upload.models import AbstractChunkedUpload
from chunked_upload.views import ChunkedUploadCompleteView, ChunkedUploadView

PAGE = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>django-chunked-upload demo</title>
  {# was: {% static ... %} of copies of these scripts #}
  <script src="{{ config.SCRIPTS }}/jquery/dist/jquery.min.js"></script>
  <script src="{{ config.SCRIPTS }}/blueimp-file-upload/js/vendor/jquery.ui.widget.js"></script>
  <script src="{{ config.SCRIPTS }}/blueimp-file-upload/js/jquery.fileupload.js"></script>
  <script src="{{ config.SCRIPTS }}/spark-md5/spark-md5.min.js"></script>
</head>
<body>
  <h1>django-chunked-upload</h1>
  {# was: {% csrf_token %} #}
  <input type="hidden" name="csrfmiddlewaretoken" value="{{ csrf_token() }}">
  <input id="chunked_upload" type="file" name="the_file">
  <p id="progress"></p>
  <div id="messages"></div>

  <script>
    let md5;
    const csrf = $("input[name='csrfmiddlewaretoken']").val();
    const fields = [{ name: "csrfmiddlewaretoken", value: csrf }];

    function readMd5(file, chunkSize) {
      const spark = new SparkMD5.ArrayBuffer();
      const reader = new FileReader();
      const done = $.Deferred();
      let offset = 0;
      const next = () => {
        if (offset >= file.size) return done.resolve(spark.end());
        reader.readAsArrayBuffer(file.slice(offset, offset += chunkSize));
      };
      reader.onload = () => { spark.append(reader.result); next(); };
      next();
      return done;
    }

    $("#chunked_upload").fileupload({
      {# was: url: "{% url 'api_chunked_upload' %}" #}
      url: "{{ url_for('api_chunked_upload') }}",
      dataType: "json",
      maxChunkSize: 100000,
      formData: fields,
      add(event, data) {
        $("#messages").empty();
        fields.splice(1); // only the token stays
        md5 = readMd5(data.files[0], 100000);
        data.submit();
      },
      chunkdone(event, data) {
        if (fields.length < 2) fields.push({ name: "upload_id", value: data.result.upload_id });
        $("#messages").append($("<p>").text(JSON.stringify(data.result)));
        $("#progress").text(`${Math.floor((data.loaded / data.total) * 100)}%`);
      },
      done(event, data) {
        md5.then((value) => $.ajax({
          type: "POST",
          url: "{{ url_for('api_chunked_upload_complete') }}",
          data: { csrfmiddlewaretoken: csrf, upload_id: data.result.upload_id, md5: value },
          dataType: "json",
          success: (answer) => $("#messages").append($("<p>").text(answer.message)),
        }));
      },
      fail(event, data) {
        const answer = data.jqXHR.responseJSON;
        $("#messages").append($("<p>").text(answer ? answer.detail : "The connection broke."));
      },
    });
  </script>
</body>
</html>
"""

db = SQLAlchemy()
csrf = CSRFProtect()


class MyChunkedUpload(AbstractChunkedUpload, db.Model):  # type: ignore[name-defined,misc]
    """was: MyChunkedUpload = ChunkedUpload"""


class Document(db.Model):  # type: ignore[name-defined,misc]
    """A file that the back end keeps."""

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    path: Mapped[str] = mapped_column(String(1024))


class MyChunkedUploadView(ChunkedUploadView):
    """Takes chunks of anybody's files, but of no programs."""

    model = MyChunkedUpload
    field_name = "the_file"

    def check_permissions(self, request: Request) -> None:
        """Allow non authenticated users to make uploads."""

    def validate(self, request: Request) -> None:
        """Refuse what nobody should download."""
        # was: request.FILES["the_file"].name
        if self.upload_to_be.filename.endswith(".exe"):
            raise ChunkedUploadError(
                status=http_status.HTTP_400_BAD_REQUEST, detail="No programs, please"
            )


class MyChunkedUploadCompleteView(ChunkedUploadCompleteView):
    """Keeps finished files as documents."""

    model = MyChunkedUpload

    def check_permissions(self, request: Request) -> None:
        """Allow non authenticated users to make uploads."""

    def on_completion(self, uploaded_file: Any, request: Request) -> None:
        """Add a document, once."""
        # was: Document.objects.get_or_create(upload_id=..., defaults=...)
        upload_id = uploaded_file.upload.upload_id
        if not db.session.query(Document).filter_by(upload_id=upload_id).first():
            db.session.add(
                Document(
                    upload_id=upload_id,
                    name=uploaded_file.name,
                    size=uploaded_file.size,
                    path=uploaded_file.path,
                )
            )
            db.session.commit()

    def get_response_data(self, chunked_upload: Any, request: Request) -> dict[str, Any]:
        """Tell the page what it shows."""
        return {
            "message": f"You successfully uploaded '{chunked_upload.filename}'"
            f" ({chunked_upload.offset} bytes)!"
        }


def create_app() -> Flask:
    """Make the app."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="change me",  # noqa: S106
        SQLALCHEMY_DATABASE_URI="sqlite:///demo.db",
        SCRIPTS="https://cdn.jsdelivr.net/npm",
    )
    app.config.from_prefixed_env()
    db.init_app(app)
    csrf.init_app(app)
    ChunkedUpload(app, upload_view=MyChunkedUploadView, complete_view=MyChunkedUploadCompleteView)

    # was: urlpatterns = [path("api/chunked_upload/", MyChunkedUploadView.as_view(), name=...), ...]
    for rule, view_class, name in (
        ("/api/chunked_upload/", MyChunkedUploadView, "api_chunked_upload"),
        (
            "/api/chunked_upload_complete/",
            MyChunkedUploadCompleteView,
            "api_chunked_upload_complete",
        ),
    ):
        # The views check the token themselves, before the file is read.
        app.add_url_rule(rule, view_func=csrf.exempt(view_class.as_view(name)))

    @app.get("/")
    def demo() -> str:
        return render_template_string(PAGE)

    @app.get("/documents")
    def documents() -> list[dict[str, Any]]:
        found = db.session.query(Document).order_by(Document.id)
        return [{"name": each.name, "size": each.size} for each in found]

    with app.app_context():
        db.create_all()
    return app
