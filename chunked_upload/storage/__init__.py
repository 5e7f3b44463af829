"""Where bytes live: the interface, optional powers, and the local disk."""

from .base import LeaseLost, PartMissing, PartWriter, Storage, StoredUpload, WriteLease
from .local import LocalStorage
from .registry import register_storage

__all__ = [
    "LeaseLost",
    "LocalStorage",
    "PartMissing",
    "PartWriter",
    "Storage",
    "StoredUpload",
    "WriteLease",
    "register_storage",
]
