"""``flask chunked-upload verify``: whether completed files are what their records say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
from flask.cli import with_appcontext

from chunked_upload.engine.errors import ServiceUnavailable
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from chunked_upload.support.plural import counted, were

from .listing import Found, by_ids, filtered, matching, read_filter


@click.command("verify", short_help="Check that completed uploads have their files.")
@click.argument("upload_ids", metavar="[UPLOAD_ID]...", nargs=-1)
@filtered
@click.option("--checksums", is_flag=True, help="Also read every file and compare its checksums.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def verify(upload_ids: tuple[str, ...], checksums: bool, as_json: bool, **options: Any) -> None:
    """Check that completed uploads have their files, of the right size.

    It checks all of them, or those that ids or options choose. Run it after a restore. It changes
    nothing; exit code 1 says that a file is wrong.
    """
    checked, wrong = 0, []
    for upload_set, record in _completed(upload_ids, **options):
        checked += 1
        try:
            problem = upload_set.engine.file_check.problem_of(record, checksums=checksums)
        except ServiceUnavailable as error:
            problem = error.problem
        if problem is None or not _is_there(upload_set, record):
            continue
        wrong.append(
            {"upload_id": record.upload_id, "filename": record.filename, "problem": problem}
        )
        if not as_json:
            click.echo(f"{record.upload_id} {record.filename!r}: {problem}")
    if as_json:
        click.echo(json.dumps({"checked": checked, "wrong": wrong}, indent=2))
    else:
        files = f"{counted(checked, 'file')} {were(checked)} checked"
        click.echo(f"{files}, {len(wrong)} {'is' if len(wrong) == 1 else 'are'} wrong.")
    if wrong:
        raise click.exceptions.Exit(1)


def _completed(upload_ids: tuple[str, ...], **options: Any) -> Iterator[Found]:
    upload_sets, wanted = read_filter(**options)
    if upload_ids and wanted:
        raise click.UsageError("Give the ids of uploads, or options that choose them, not both.")
    chosen = by_ids(list(upload_ids), upload_sets) if upload_ids else matching(upload_sets, wanted)
    for upload_set, record in chosen:
        if record.status == Status.COMPLETE:
            yield upload_set, record
        elif upload_ids:
            raise click.ClickException(f"{record!r} is not complete, it has no file yet")


def _is_there(upload_set: BoundUploadSet, record: Record) -> bool:
    """Return whether an upload has not been removed while its file was read."""
    return upload_set.engine.records.refresh(record) and record.status == Status.COMPLETE
