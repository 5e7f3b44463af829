"""The old module name of the bundled server's worker, for ``gunicorn -k`` in existing units."""

import sys

from .errors import ConfigurationError

try:
    from .server.gunicorn.worker import UploadWorker
except ConfigurationError as error:  # gunicorn would show it below a traceback of its own
    sys.exit(f"chunked-upload: {error}")

__all__ = ["UploadWorker"]
