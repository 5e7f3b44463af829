"""What is measured: each row a function that fills a :class:`~benchmarks.results.Measured`."""
