"""A Django site with drf-chunked-upload's view and a model without a user."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings

place = Path(os.environ["BENCH_PLACE"])
sys.modules["bench_site"] = sys.modules[__name__]

settings.configure(
    SECRET_KEY="only for benchmarks",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="bench_site",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(place / "site.sqlite3")}
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    MEDIA_ROOT=os.environ["BENCH_FILES"],
    # Its temporary files on the disk that the uploads go to.
    FILE_UPLOAD_TEMP_DIR=os.environ["BENCH_FILES"],
    USE_TZ=True,
    MIDDLEWARE=[],
    DRF_CHUNKED_UPLOAD_USER_RESTRICTED=False,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import path
from drf_chunked_upload.models import AbstractChunkedUpload
from drf_chunked_upload.serializers import ChunkedUploadSerializer
from drf_chunked_upload.views import ChunkedUploadView


class Upload(AbstractChunkedUpload):
    class Meta:
        app_label = "bench"


class UploadSerializer(ChunkedUploadSerializer):
    class Meta(ChunkedUploadSerializer.Meta):
        model = Upload


class UploadView(ChunkedUploadView):
    model = Upload
    serializer_class = UploadSerializer


urlpatterns = [
    path("uploads/", UploadView.as_view()),
    path("uploads/<uuid:pk>/", UploadView.as_view(), name="chunkedupload-detail"),
]

with connection.schema_editor() as editor:
    editor.create_model(Upload)
connection.close()  # each worker opens its own
application = get_wsgi_application()
