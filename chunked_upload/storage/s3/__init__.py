"""Bytes in an S3-compatible object store, for any number of hosts.

See storage.py for how uploads lie in the bucket.
"""

from .settings import S3Settings
from .storage import S3Storage

__all__ = ["S3Settings", "S3Storage"]
