"""Bytes in files on one host's disk."""

from .storage import LocalStorage

__all__ = ["LocalStorage"]
