"""Checksums of files: what they are, the built-in ones, and the background digest.

A checksum is one module in this folder that registers its class. Another package adds one as an
entry point of the group ``chunked_upload.checksums``, under the checksum's name. No other module
changes: ``CHUNKED_UPLOAD_CHECKSUMS`` names the checksums that an upload set keeps.
"""
