"""Tells webhooks and listeners what has happened to uploads, from the outbox."""
