"""Conformance suites for tests of packages that extend this one. They need pytest.

Example::

    from chunked_upload.testing import StorageConformance

    class TestMyStorage(StorageConformance):
        @pytest.fixture
        def storage(self, tmp_path):
            return MyStorage(tmp_path)
"""

import pytest

pytest.register_assert_rewrite("chunked_upload.testing.storage")

from .storage import AnUpload, StorageConformance, an_upload, put  # noqa: E402

__all__ = ["AnUpload", "StorageConformance", "an_upload", "put"]
