"""The stand-alone program: its app, its command, its access log, its gunicorn worker."""
