"""What this process has counted, as prometheus-client keeps it: one set for the process.

With ``PROMETHEUS_MULTIPROC_DIR`` set before this module is imported, the processes of a server
count in files of that directory, and any of them can tell the sums. So nothing imports this module
before the first request; a command that runs beside the server makes no files there.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from chunked_upload.support.measuring import Figure

_KIB = 1024
_MIB = 1024 * _KIB

#: Bytes of a chunk: from what a form sends to the largest that clients choose.
_SIZES = [4 * _KIB * 4**power for power in range(10)]

#: Seconds; a chunk over a slow line takes minutes.
_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

#: The registry of all of them, besides prometheus-client's own.
REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "chunked_upload_requests",
    "Requests answered, by the dialect that answered them.",
    ["upload_set", "dialect", "method", "status"],
    registry=REGISTRY,
)
ERRORS = Counter(
    "chunked_upload_errors",
    "Requests refused, by reason.",
    ["upload_set", "dialect", "reason"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "chunked_upload_request_seconds",
    "Time of a request, the wait for the client's bytes included.",
    ["upload_set", "dialect", "method"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
EVENTS = Counter(
    "chunked_upload_events",
    "Uploads created, completed, expired and aborted.",
    ["upload_set", "event"],
    registry=REGISTRY,
)
CHUNK_BYTES = Histogram(
    "chunked_upload_chunk_bytes",
    "Bytes of each request that was recorded; the sum is what has been received.",
    buckets=_SIZES,
    registry=REGISTRY,
)
SYNC_SECONDS = Histogram(
    "chunked_upload_sync_seconds",
    "Time that the storage took to confirm bytes.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
DIGEST_LAG_BYTES = Histogram(
    "chunked_upload_digest_lag_bytes",
    "Bytes that the checksum had not seen yet when a chunk was recorded.",
    buckets=[0, *_SIZES],
    registry=REGISTRY,
)
TAKEOVERS = Counter(
    "chunked_upload_takeovers",
    "Requests that a newer one for the same bytes has ended.",
    registry=REGISTRY,
)
HOOK_FAILURES = Counter(
    "chunked_upload_hook_failures",
    "Times that on_completion raised an error.",
    registry=REGISTRY,
)
EVENT_DELIVERIES = Counter(
    "chunked_upload_event_deliveries",
    "Tries to tell a webhook or listener of an event, by result; a dead one is given up.",
    ["result"],
    registry=REGISTRY,
)
ADMIN_REFUSALS = Counter(
    "chunked_upload_admin_refused",
    "Requests for the admin page by callers who are no administrators.",
    registry=REGISTRY,
)
CONNECTIONS_OPEN = Gauge(
    "chunked_upload_database_connections_open",
    "Connections to the database.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
CONNECTIONS_USED = Gauge(
    "chunked_upload_database_connections_used",
    "Connections to the database that requests are using.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
REFUSED_SCRAPES = Counter(
    "chunked_upload_metrics_refused",
    "Requests for these figures by callers who may not have them.",
    registry=REGISTRY,
)

#: What counts the engine's figures.
HISTOGRAMS = {
    Figure.CHUNK_BYTES: CHUNK_BYTES,
    Figure.SYNC_SECONDS: SYNC_SECONDS,
    Figure.DIGEST_LAG_BYTES: DIGEST_LAG_BYTES,
}
COUNTERS = {
    Figure.TAKEOVERS: TAKEOVERS,
    Figure.HOOK_FAILURES: HOOK_FAILURES,
    Figure.EVENTS_DELIVERED: EVENT_DELIVERIES.labels("delivered"),
    Figure.EVENTS_FAILED: EVENT_DELIVERIES.labels("failed"),
    Figure.EVENTS_DEAD: EVENT_DELIVERIES.labels("dead"),
    Figure.ADMIN_REFUSALS: ADMIN_REFUSALS,
}
