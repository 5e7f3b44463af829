"""A model of uploads against the real server: whatever is done in whatever order, they agree.

The model is what a careful client believes: the bytes it was told are stored. The server is killed
(SIGKILL) and started again in between, also while a chunk is on its way. Invariant: what was
acknowledged is there, the bytes are the model's, and each status is the one that the contract says.
"""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.protocol import md5_of
from tests.support.scorecard import BOTH, Run, row
from tests.support.site import Site
from tests.support.wire import Client, Reply, Wire, form_chunk, raw_chunk

COMPLETE = 'Upload has already been marked as "complete"'
SIZES = st.sampled_from([1, 7, 1000, 70_000])


@dataclass
class Model:
    """One upload as a client that keeps book believes it to be."""

    upload_id: str
    content: bytes
    state: str = "open"  # or: complete, expired, gone
    stored: int = 0
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return len(self.content)

    @property
    def full(self) -> bool:
        return self.stored == self.length


class Uploads(RuleBasedStateMachine):
    """The rules; ``site`` and ``run`` are set by the test, ``kills`` is what may still be spent."""

    site: ClassVar[Site]
    run: ClassVar[Run]
    kills: ClassVar[int]

    uploads = Bundle("uploads")

    def __init__(self) -> None:
        super().__init__()
        self.client = Client(self.site.port)
        self.models: list[Model] = []
        self.run.tried()

    def teardown(self) -> None:
        for model in self.models:
            reply = self.client.delete(model.upload_id)
            expected = (404, 410) if model.state == "gone" else (204,)
            assert reply.status in expected, (model.state, reply)
        self.client.close()
        assert self.site.stored.nothing_left(), self.site.stored.files()

    # Rules

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

    @rule(model=consumes(uploads))
    def abort(self, model: Model) -> None:
        reply = self.client.delete(model.upload_id)
        assert reply.status == (204 if model.state != "gone" else 404), (model.state, reply)
        model.state = "gone"

    @rule(model=uploads)
    def expire(self, model: Model) -> None:
        """Its time is up; a completed upload does not mind."""
        self.site.stored.expire(model.upload_id)
        if model.state == "open":
            model.state = "expired"

    @precondition(lambda self: any(model.state == "expired" for model in self.models))
    @rule()
    def clean(self) -> None:
        said = self.site.command("delete-expired-uploads").result()
        assert said.returncode == 0, said
        for model in self.models:
            if model.state == "expired":
                model.state = "gone"

    @precondition(lambda self: type(self).kills > 0)
    @rule()
    def kill_and_restart(self) -> None:
        self.spend_a_kill()
        self.site.server.kill()
        self.site.server.start()

    @precondition(lambda self: type(self).kills > 0)
    @rule(model=uploads, delay=st.floats(0, 0.02))
    def kill_while_a_chunk_is_on_its_way(self, model: Model, delay: float) -> None:
        if model.full or model.state != "open":
            return
        self.spend_a_kill()
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

    # What holds at any time

    @invariant()
    def states_are_as_believed(self) -> None:
        for model in self.models:
            reply = self.client.state(model.upload_id)
            if model.state in ("expired", "gone"):
                self.check_refused(model, reply)
                continue
            assert reply.status == 200, (model.state, reply)
            assert reply.offset == model.stored, "what was acknowledged is not what is recorded"
            assert reply.json["length"] == model.length
            assert reply.json["status"] == (2 if model.state == "complete" else 1)
            self.check_bytes(model, reply)

    def check_bytes(self, model: Model, reply: Reply) -> None:
        stored = self.site.stored
        if model.state == "complete":
            assert self.client.download(model.upload_id).body == model.content
            return
        part = stored.root / ".incoming" / model.upload_id[:2] / f"{model.upload_id}.part"
        with part.open("rb") as file:
            assert file.read(model.stored) == model.content[: model.stored], "other bytes"

    # Helpers

    def send(self, model: Model, data: bytes, start: int, *, form: bool = False) -> Reply:
        build = form_chunk if form else raw_chunk
        return self.client.ask(build(data, start, model.length, upload_id=model.upload_id))

    def check_refused(self, model: Model, reply: Reply) -> None:
        if model.state == "complete":
            assert (reply.status, reply.detail) == (400, COMPLETE), reply
        elif model.state == "expired":
            assert (reply.status, reply.detail) == (410, "Upload has expired"), reply
        else:
            assert (reply.status, reply.detail) == (404, "Upload not found"), reply

    def spend_a_kill(self) -> None:
        type(self).kills -= 1
        self.run.count("kills")


@row("stateful model against the server", databases=BOTH)
def test_server_agrees_with_the_model_whatever_happens(run: Run) -> None:
    """One server for all examples; reduced, it is killed a few times only."""
    with Site(run) as at:
        Uploads.site, Uploads.run = at, run
        Uploads.kills = run.amount(reduced=2, full=60)
        options = settings(
            max_examples=run.amount(reduced=6, full=120),
            stateful_step_count=run.amount(reduced=12, full=40),
            deadline=None,
            database=InMemoryExampleDatabase(),
            # Kills are spent, so an example does not repeat exactly; shrinking would mislead.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        run_state_machine_as_test(seed(run.seed)(Uploads), settings=options)
        for line in at.server.log.read_text().splitlines():
            if line.startswith("{"):
                run.count("requests")
                run.check(json.loads(line)["status"] < 500, f"answered {line}")
        at.check_log()
