"""Dropzone's chunks: named by the client, in any order, complete with the last one."""
