"""A Django site with django-chunked-upload's two views and nothing else."""

import os
from pathlib import Path

import django
from django.conf import settings

place = Path(os.environ["BENCH_PLACE"])

settings.configure(
    SECRET_KEY="only for benchmarks",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "chunked_upload"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(place / "site.sqlite3")}
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    MEDIA_ROOT=os.environ["BENCH_FILES"],
    # Its temporary files on the disk that the uploads go to.
    FILE_UPLOAD_TEMP_DIR=os.environ["BENCH_FILES"],
    USE_TZ=True,
    MIDDLEWARE=[],
)
django.setup()

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import path

from chunked_upload.views import ChunkedUploadCompleteView, ChunkedUploadView

urlpatterns = [
    path("uploads/", ChunkedUploadView.as_view()),
    path("uploads/complete", ChunkedUploadCompleteView.as_view()),
]

call_command("migrate", verbosity=0)
connection.close()  # each worker opens its own
application = get_wsgi_application()
