"""A model of uploads against the real server: whatever is done in whatever order, they agree.

These are the rules of the chunk dialect; support_model.py has what holds for every dialect.
"""

from __future__ import annotations

import random
import threading

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.faults.support_model import SIZES, Model, Uploads, hold_against
from tests.support.protocol import md5_of
from tests.support.scorecard import BOTH, Run, row
from tests.support.site import Site
from tests.support.wire import Reply, Wire, form_chunk, raw_chunk

uploads = Uploads.uploads


class ChunkedUploads(Uploads):
    """Adds the rules of the chunk dialect."""

    @rule(
        target=uploads,
        seed=st.integers(0, 2**32),
        size=SIZES,
        chunks=st.integers(1, 5),
        form=st.booleans(),
    )
    def create(self, seed: int, size: int, chunks: int, form: bool) -> Model:
        content = random.Random(seed).randbytes(size * chunks)
        build = form_chunk if form else raw_chunk
        reply = self.client.ask(build(content[:size], 0, len(content)))
        assert reply.status == 200, reply
        assert reply.offset == size
        model = Model(reply.json["upload_id"], content, stored=size)
        self.models.append(model)
        return model

    @rule(model=uploads, size=SIZES, form=st.booleans())
    def next_chunk(self, model: Model, size: int, form: bool) -> None:
        if model.full:
            return
        data = model.content[model.stored : model.stored + size]
        reply = self.send(model, data, model.stored, form=form)
        if model.state == "open":
            assert reply.status == 200, reply
            model.stored += len(data)
            assert reply.offset == model.stored
        else:
            self.check_refused(model, reply)

    @rule(model=uploads, shift=st.sampled_from([-1000, -7, -1, 1, 500]))
    def chunk_at_a_wrong_offset(self, model: Model, shift: int) -> None:
        start = model.stored + shift
        if not 0 <= start < model.length:
            return
        reply = self.send(model, b"!" * min(10, model.length - start), start)
        if model.state == "open":
            assert (reply.status, reply.detail) == (400, "Offsets do not match")
            assert reply.offset == model.stored
        else:
            self.check_refused(model, reply)

    @rule(model=uploads, size=SIZES)
    def stored_chunk_again(self, model: Model, size: int) -> None:
        """As a client does that has lost the reply."""
        start = max(0, model.stored - size)
        reply = self.send(model, model.content[start : model.stored], start)
        if model.state == "open":
            assert (reply.status, reply.detail) == (400, "Offsets do not match")
            assert reply.offset == model.stored
        else:
            self.check_refused(model, reply)

    @rule(model=uploads)
    def chunk_with_another_total(self, model: Model) -> None:
        start = model.stored
        asked = raw_chunk(b"!" * 10, start, model.length + 10, upload_id=model.upload_id)
        reply = self.client.ask(asked)
        if model.state == "open":
            assert (reply.status, reply.detail) == (400, "Total size does not match")
            assert reply.json["length"] == model.length
        else:
            self.check_refused(model, reply)

    @rule(model=uploads, part=st.floats(0, 0.99))
    def chunk_cut_short(self, model: Model, part: float) -> None:
        if model.full or model.state != "open":
            return
        data = b"!" * (model.length - model.stored)
        asked = form_chunk(data, model.stored, model.length, upload_id=model.upload_id)
        with Wire(self.site.port) as wire:
            wire.send(asked.head + asked.body[: int(len(asked.body) * part)])
            wire.half_close()
            assert wire.reply().status == 400

    @rule(model=uploads)
    def complete(self, model: Model) -> None:
        reply = self.client.complete(model.upload_id, model.content)
        if model.state == "open" and model.full:
            assert reply.status == 200, reply
            model.state, model.answer = "complete", reply.json
        elif model.state == "open":
            assert (reply.status, reply.detail) == (400, "Upload is not complete")
            assert reply.offset == model.stored
        elif model.state == "complete":
            assert (reply.status, reply.json) == (200, model.answer)
        else:
            self.check_refused(model, reply)

    @rule(model=uploads)
    def complete_with_a_wrong_md5(self, model: Model) -> None:
        if model.full and model.state in ("open", "complete"):
            reply = self.client.complete(model.upload_id, md5_of(b"something else"))
            assert (reply.status, reply.detail) == (400, "md5 checksum does not match")

    @rule(model=uploads, delay=st.floats(0, 0.02))
    def kill_while_a_chunk_is_on_its_way(self, model: Model, delay: float) -> None:
        if model.full or model.state != "open" or not self.spend_a_kill():
            return
        data = model.content[model.stored :]
        timer = threading.Timer(delay, self.site.server.kill)
        asked = form_chunk(data, model.stored, model.length, upload_id=model.upload_id)
        reply = None
        try:
            with Wire(self.site.port) as wire:
                timer.start()
                reply = wire.ask(asked)
        except OSError:  # it died before it could answer
            pass
        timer.join()
        self.site.server.start()
        offset = self.client.offset(model.upload_id)
        if reply is not None and reply.status == 200:
            assert offset == model.length, "acknowledged and lost"
        assert offset in (model.stored, model.length), "a part of a chunk"
        model.stored = offset

    def send(self, model: Model, data: bytes, start: int, *, form: bool = False) -> Reply:
        build = form_chunk if form else raw_chunk
        return self.client.ask(build(data, start, model.length, upload_id=model.upload_id))


@row("stateful model against the server", databases=BOTH)
def test_server_agrees_with_the_model_whatever_happens(run: Run) -> None:
    """One server for all examples; reduced, it is killed a few times only."""
    with Site(run) as at:
        kills = run.amount(reduced=2, full=60)
        examples = run.amount(reduced=6, full=120)
        hold_against(run, at, ChunkedUploads, kills=kills, examples=examples)
