"""The bundled server's worker: what it is built on of gunicorn, and nothing else of gunicorn."""

from . import parts

parts.check()
