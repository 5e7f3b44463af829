"""The bundled server's worker under its first name, for ``gunicorn -k`` in existing units."""

from .server.gunicorn.worker import UploadWorker

__all__ = ["UploadWorker"]
