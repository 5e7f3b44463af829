"""gunicorn's own log, in the format of the server's."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from chunked_upload.logs import RequestFilter


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's log, whose lines look like those of the root logger's handler."""

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, as gunicorn does at the start and when it is reloaded."""
        super().setup(cfg)
        for handler in logging.getLogger().handlers[:1]:
            for own in self.error_log.handlers:
                own.setFormatter(handler.formatter)
                own.addFilter(RequestFilter())
