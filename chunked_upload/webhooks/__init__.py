"""Sends signed messages to configured addresses. No Flask, no SQL."""
