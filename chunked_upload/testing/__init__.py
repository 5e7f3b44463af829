"""For tests of what extends this package: conformance suites. They need pytest."""
