"""The fencing protocol as a model: every order of the steps of three requests, and their deaths."""
