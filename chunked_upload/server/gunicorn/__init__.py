"""The bundled server's worker: what it overrides of gunicorn, and nothing else."""
