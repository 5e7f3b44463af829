"""Links by which others may download a completed file, until they expire or are revoked."""
