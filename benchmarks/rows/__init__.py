"""What is measured: each row a function that fills a :class:`~benchmarks.results.Measured`."""

from . import big, download, scale, sizes, slow, small, variants

#: All rows, in the order of the report.
ROWS = [
    *big.ROWS,
    *small.ROWS,
    *slow.ROWS,
    *sizes.ROWS,
    *scale.ROWS,
    *download.ROWS,
    *variants.ROWS,
]
