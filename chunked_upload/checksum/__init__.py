"""Checksums of files: what they are, the built-in ones, and the background digest.

A checksum is one module in this folder that registers its class. One from elsewhere is the class as
an entry point of the group ``chunked_upload.checksums``, under the checksum's name. Nothing else
needs to know it: ``CHUNKED_UPLOAD_CHECKSUMS`` names the ones that an upload set keeps.
"""
