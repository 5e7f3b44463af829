"""The routes of links, which every upload set has, whether it shares or not."""

from chunked_upload.http.dialect import Route

from . import operations
from .public import SharedFileView
from .views import SharesView, ShareView

ROUTES = (
    Route(
        "/<upload_id>/shares",
        "shares",
        {"GET": SharesView, "POST": SharesView},
        operations=operations.shares_operations,
    ),
    Route(
        "/<upload_id>/shares/<share_id>",
        "share",
        {"DELETE": ShareView},
        operations=operations.share_operations,
    ),
    Route(
        "/shared/<token>",
        "shared",
        {"GET": SharedFileView},
        operations=operations.shared_operations,
    ),
)
