"""For tests: uploads through an app's test client, and conformance suites.

An app's test::

    from chunked_upload.testing import upload_file

    def test_a_photo_is_listed(app):
        client = app.test_client()
        upload = upload_file(client, "/uploads/", b"...", filename="photo.jpg")
        assert upload["status"] == 2

A test of a package that extends this one; the suites need pytest::

    from chunked_upload.testing import StorageConformance

    class TestMyStorage(StorageConformance):
        @pytest.fixture
        def storage(self, tmp_path):
            return MyStorage(tmp_path)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .client import UploadRefused, upload_file

if TYPE_CHECKING:
    from .storage import AnUpload, StorageConformance, an_upload, put

__all__ = [
    "AnUpload",
    "StorageConformance",
    "UploadRefused",
    "an_upload",
    "put",
    "upload_file",
]

#: What needs pytest, which tests of apps may do without.
_OF_SUITES = ("AnUpload", "StorageConformance", "an_upload", "put")


def __getattr__(name: str) -> Any:
    if name not in _OF_SUITES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    pytest.register_assert_rewrite(f"{__name__}.storage")
    from . import storage

    return getattr(storage, name)
