"""The rules of an upload. No Flask, no HTTP, no SQL."""
