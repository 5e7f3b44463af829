"""Where bytes live: the interface, and the local disk."""

from .base import LeaseLost, Storage, WriteLease
from .local import LocalStorage

__all__ = ["LeaseLost", "LocalStorage", "Storage", "WriteLease"]
