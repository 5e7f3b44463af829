"""What is measured: each row a function that fills a :class:`~benchmarks.results.Measured`."""

from . import (
    big,
    download,
    nodes,
    object_store,
    patch,
    scale,
    senders,
    sizes,
    slow,
    small,
    start,
    thousand,
    two_databases,
    variants,
)

#: All rows, in the order of the report.
ROWS = [
    *big.ROWS,
    *small.ROWS,
    *senders.ROWS,
    *patch.ROWS,
    *slow.ROWS,
    *thousand.ROWS,
    *two_databases.ROWS,
    *sizes.ROWS,
    *scale.ROWS,
    *download.ROWS,
    *start.ROWS,
    *variants.ROWS,
    *object_store.ROWS,
    *nodes.ROWS,
]
