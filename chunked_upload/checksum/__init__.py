"""Checksums that follow the bytes of an upload."""
