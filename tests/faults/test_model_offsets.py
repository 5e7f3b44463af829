"""A model of uploads in the offset dialects against the real server, with kills and takeovers.

What differs from the chunk dialect: the bytes of a request that breaks off are kept, a client asks
for the offset after every failure, and the last byte completes the upload.
"""

from __future__ import annotations

import random
import threading
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.faults.support_model import SIZES, Model, Uploads, hold_against
from tests.support.offset_dialects import RESUMABLE, TUS, Asked, OffsetDialect, id_of
from tests.support.scorecard import SQLITE, Run, row
from tests.support.site import Site
from tests.support.wire import Reply, Wire

uploads = Uploads.uploads


class OffsetUploads(Uploads):
    """Adds the rules of an offset dialect."""

    dialect: ClassVar[OffsetDialect]

    @rule(
        target=uploads,
        seed=st.integers(0, 2**32),
        size=SIZES,
        chunks=st.integers(2, 5),
        with_bytes=st.booleans(),
        deferred=st.booleans(),
    )
    def create(self, seed: int, size: int, chunks: int, with_bytes: bool, deferred: bool) -> Model:
        content = random.Random(seed).randbytes(size * chunks)
        first = content[:size] if with_bytes else b""
        reply = self.ask(self.dialect.create(None if deferred else len(content), first))
        assert reply.status == 201, reply
        upload_id = id_of(reply.headers["location"])
        model = Model(upload_id, content, stored=len(first), declared=not deferred)
        self.models.append(model)
        return model

    @rule(model=uploads, size=SIZES, digested=st.booleans())
    def append(self, model: Model, size: int, digested: bool) -> None:
        if model.full:
            return
        data = model.content[model.stored : model.stored + size]
        asked = self.appending(model, data)
        reply = self.ask(self.dialect.digested(asked, data) if digested else asked)
        if model.state != "open":
            assert reply.status in (404, 410), reply
            return
        assert reply.status in (200, 201, 204), reply
        model.stored += len(data)
        assert reply.headers["upload-offset"] == str(model.stored)
        if model.full:
            self.settle(model)

    @rule(model=uploads, shift=st.sampled_from([-1000, -7, -1, 1, 500]))
    def append_at_a_wrong_offset(self, model: Model, shift: int) -> None:
        offset = model.stored + shift
        if model.state != "open" or not 0 <= offset < model.length:
            return
        reply = self.ask(self.dialect.append(model.upload_id, offset, b"!"))
        assert reply.status == self.dialect.MISMATCH, reply
        assert reply.headers["upload-offset"] == str(model.stored)

    @rule(model=uploads)
    def append_with_a_wrong_digest(self, model: Model) -> None:
        """All of its bytes are dropped."""
        if model.state != "open" or model.full:
            return
        data = model.content[model.stored :]
        reply = self.ask(self.dialect.digested(self.appending(model, b"!" * len(data)), data))
        assert reply.status == self.dialect.WRONG_DIGEST, reply

    @rule(model=uploads)
    def append_beyond_the_length(self, model: Model) -> None:
        if model.state != "open" or not model.declared:
            return
        data = model.content[model.stored :] + b"!"
        reply = self.ask(self.dialect.append(model.upload_id, model.stored, data))
        assert reply.status == self.dialect.BEYOND, reply
        if self.dialect.invalid_once_beyond:
            model.state = "expired"

    @rule(model=uploads, part=st.floats(0, 0.99))
    def append_cut_short(self, model: Model, part: float) -> None:
        """The client says that it is done in the middle of the body: what arrived is kept."""
        if model.state != "open" or model.full:
            return
        asked = self.appending(model, model.content[model.stored :]).bytes
        sent = int(len(asked.body) * part)
        with Wire(self.site.port) as wire:
            wire.send(asked.head + asked.body[:sent])
            wire.half_close()
            assert 400 <= wire.reply("PATCH").status < 500
        assert self.told(model) == model.stored + sent
        self.believe(model, model.stored + sent)

    @rule(model=uploads, part=st.floats(0, 0.99))
    def append_reset(self, model: Model, part: float) -> None:
        """The client crashes: any of the bytes that were on their way may be lost."""
        if model.state != "open" or model.full:
            return
        with Wire(self.site.port) as wire:
            sent, _ = self.begin_append(wire, model, part)
            wire.reset()
        offset = self.told(model)
        assert model.stored <= offset <= model.stored + sent
        self.believe(model, offset)

    @rule(model=uploads, part=st.floats(0, 0.99))
    def offset_asked_while_an_append_hangs(self, model: Model, part: float) -> None:
        """The old request writes nothing more, and the offset that was told is accepted next."""
        if model.state != "open" or model.full:
            return
        with Wire(self.site.port) as wire:
            sent, left = self.begin_append(wire, model, part)
            offset = self.told(model)
            assert model.stored <= offset <= model.stored + sent
            self.believe(model, offset)
            if model.full:
                return
            next_byte = model.content[offset : offset + 1]
            reply = self.ask(self.appending(model, next_byte))
            assert reply.status in (200, 201, 204), reply
            wire.try_send(b"!" * left)
            self.believe(model, offset + 1)

    @rule(model=uploads, delay=st.floats(0, 0.02))
    def kill_while_an_append_is_on_its_way(self, model: Model, delay: float) -> None:
        if model.state != "open" or model.full or not self.spend_a_kill():
            return
        timer = threading.Timer(delay, self.site.server.kill)
        asked = self.appending(model, model.content[model.stored :])
        reply = None
        try:
            with Wire(self.site.port) as wire:
                timer.start()
                reply = wire.ask(asked.bytes, "PATCH")
        except OSError:  # it died before it could answer
            pass
        timer.join()
        self.site.server.start()
        offset = self.told(model)
        if reply is not None and reply.status in (200, 201, 204):
            assert offset == model.length, "acknowledged and lost"
        assert model.stored <= offset <= model.length
        self.believe(model, offset)

    # Helpers

    def appending(self, model: Model, data: bytes) -> Asked:
        """Append ``data`` where the model is; the last bytes declare a length not yet known."""
        last = model.stored + len(data) == model.length
        return self.dialect.append(
            model.upload_id,
            model.stored,
            data,
            length=model.length if last and not model.declared else None,
            last=last,
        )

    def begin_append(self, wire: Wire, model: Model, part: float) -> tuple[int, int]:
        """Send a part of an append that the server has begun; return the bytes sent and left.

        One that begins only after the offset was told would be a newcomer.
        """
        append = self.appending(model, model.content[model.stored :])
        sent = int(len(append.body) * part)
        wire.send(append.but(expect="100-continue").bytes.head)
        wire.wait_for_continue()
        wire.send(append.body[:sent])
        return sent, len(append.body) - sent

    def told(self, model: Model) -> int:
        """Return the offset that the server tells."""
        reply = self.ask(self.dialect.head(model.upload_id))
        assert reply.status in (200, 204), reply
        model.declared = "upload-length" in reply.headers
        return int(reply.headers["upload-offset"])

    def believe(self, model: Model, offset: int) -> None:
        """Go on from an offset that the server has told; at the end, do what remains to be done."""
        model.stored = offset
        if model.full and not self.dialect.complete_at_the_end:
            reply = self.ask(self.appending(model, b""))
            assert reply.status in (200, 201, 204), reply
        if model.full:
            self.settle(model)

    def settle(self, model: Model) -> None:
        """Note that the upload is complete, as its client believes."""
        model.state, model.declared = "complete", True
        model.answer = self.client.state(model.upload_id).json

    def ask(self, asked: Asked) -> Reply:
        return self.client.ask(asked.bytes, asked.method)

    def remove(self, model: Model) -> Reply:
        return self.ask(self.dialect.cancel(model.upload_id))


class TusUploads(OffsetUploads):
    """tus 1.0."""

    dialect = TUS


class ResumableUploads(OffsetUploads):
    """The IETF's draft."""

    dialect = RESUMABLE


@row("stateful model of tus uploads", databases=(SQLITE,))
def test_tus_agrees_with_the_model(run: Run) -> None:
    check(run, TusUploads)


@row("stateful model of resumable uploads", databases=(SQLITE,))
def test_resumable_uploads_agree_with_the_model(run: Run) -> None:
    check(run, ResumableUploads)


def check(run: Run, machine: type[OffsetUploads]) -> None:
    """Hold one server against the model; reduced, it is killed a few times only."""
    with Site(run) as at:
        kills = run.amount(reduced=2, full=60)
        hold_against(run, at, machine, kills=kills, examples=run.amount(reduced=6, full=120))
