"""The stand-alone server for any WSGI server: ``gunicorn -k gthread --threads 64 wsgi:app``.

The database must be migrated first: ``chunked-upload migrate``.
"""

from chunked_upload.server.app import create_app

app = create_app()
