"""Helpers of the tests: servers, databases, wires."""
