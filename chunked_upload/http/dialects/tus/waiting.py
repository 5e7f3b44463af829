"""Final uploads that wait for their partial uploads (``concatenation-unfinished``).

Each partial upload that is not finished knows which final uploads wait for it. The request that
brings the last byte of the last one puts the final upload together. A final upload is noted before
its partial uploads are looked at again, so that either its creation or the last request sees that
all are finished.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from chunked_upload.engine.errors import ServiceUnavailable, UploadExpired, UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.records.repository import Record

from .base import TusView, is_complete, is_whole
from .concatenation import Concatenation
from .declared import Declared
from .headers import split_urls
from .partials import Partials

#: Compare-and-swap tries before giving up on a record that others keep changing.
_TRIES = 20


def must_wait(view: TusView, record: Record, partials: Partials) -> bool:
    """Return whether a final upload has to wait, and note it with its partial uploads then."""
    if is_complete(record) or not view.joins_unfinished:
        return False
    for partial in partials.unfinished:
        _note(view, partial.upload_id, record.upload_id)
    if partials.unfinished:
        partials.look_up()
    return bool(partials.unfinished)


def complete_finals(view: TusView, partial: Record) -> None:
    """Put the final uploads together that have waited for a partial upload, once it is whole.

    While it is not, they live as long as it does.

    :raises ChunkedUploadError: when one is refused.
    """
    for final in _waiting(view, partial):
        if not is_whole(partial):
            with suppress(ServiceUnavailable), translate_failures():
                view.engine.records.swap(final, {"expires_on": partial.expires_on})
            continue
        partials = partials_of(view, final)
        if not partials.unfinished:
            Concatenation(view, final, partials, known=True).run()


def partials_of(view: TusView, final: Record) -> Partials:
    """Return the partial uploads of a final one."""
    return Partials(view, split_urls(Declared.of(final).concat.partition(";")[2]))


def _waiting(view: TusView, partial: Record) -> Iterator[Record]:
    """Yield the final uploads that wait for a partial one."""
    if not view.joins_unfinished or not Declared.of(partial).is_partial:
        return
    with suppress(UploadNotFound):
        partial = view.find(partial.upload_id)  # with those that were noted meanwhile
    for upload_id in Declared.of(partial).finals:
        with suppress(UploadNotFound, UploadExpired):
            final = view.find(upload_id)
            view.engine.check_unexpired(final)
            yield final


def _note(view: TusView, partial_id: str, final_id: str) -> None:
    """Note with a partial upload that a final one waits for it."""
    for _ in range(_TRIES):
        partial = view.find(partial_id)
        said = Declared.of(partial)
        if final_id in said.finals:
            return
        noted = replace(said, finals=(*said.finals, final_id)).dump()
        values = {
            "declared": {**(partial.declared or {}), **noted},
            # Another final upload may be noted at the same time.
            "fencing_token": partial.fencing_token + 1,
        }
        with translate_failures():
            if view.engine.records.swap(partial, values):
                return
    raise ServiceUnavailable("Upload is being changed by other requests")
