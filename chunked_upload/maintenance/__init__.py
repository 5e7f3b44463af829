"""Maintenance outside of requests: expiry, orphans, retries, and their commands."""
