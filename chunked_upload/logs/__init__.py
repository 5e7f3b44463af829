"""A filter and formatters for an app's log; the stand-alone server uses them.

Nothing here configures a logger of an app::

    handler = logging.StreamHandler()
    handler.addFilter(RequestFilter())
    handler.setFormatter(JsonFormatter())
"""

from .formatters import JsonFormatter, RequestFilter, TextFormatter
from .redaction import storable

__all__ = ["JsonFormatter", "RequestFilter", "TextFormatter", "storable"]
