"""Runs what a command does again and again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

import click

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.failures import DatabaseProblem


def repeat(run: Callable[[], None], every: timedelta) -> NoReturn:
    """Run once per interval, forever; print failures and try again the next time."""
    while True:
        try:
            run()
        except click.ClickException as error:
            error.show()
        except (OSError, DatabaseProblem, ChunkedUploadError) as error:
            click.echo(f"Failed, will try again: {error}", err=True)
        sys.stdout.flush()
        time.sleep(every.total_seconds())
