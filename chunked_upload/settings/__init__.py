"""Every setting once: its type, default, meaning and check."""
