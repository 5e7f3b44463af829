"""Small helpers that know nothing of uploads."""
