"""The contestants: one module each."""
