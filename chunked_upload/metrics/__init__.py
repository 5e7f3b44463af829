"""Figures for Prometheus at ``/metrics``, when ``CHUNKED_UPLOAD_METRICS`` is on."""

from ..extension import after_init
from .view import add_metrics

after_init.append(add_metrics)
