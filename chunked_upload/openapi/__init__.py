"""The description of the API, as OpenAPI 3.1: at ``/openapi.json``, and for people ``/openapi``."""

from ..extension import after_init
from .view import add_openapi

after_init.append(add_openapi)
