"""What the models of uploads share: the model, the machine around it, and what holds at any time.

The model is what a careful client believes: the bytes it was told are stored. The server is killed
(SIGKILL) and started again in between. Invariant: what was acknowledged is there, the bytes are the
model's, and each status is the one that the contract says. A machine for a dialect adds rules.
"""

from __future__ import annotations

import json
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
    rule,
    run_state_machine_as_test,
)

from tests.support.scorecard import Run
from tests.support.site import Site
from tests.support.wire import Client, Reply

COMPLETE = 'Upload has already been marked as "complete"'
SIZES = st.sampled_from([1, 7, 1000, 70_000])


@dataclass
class Model:
    """One upload as a client that keeps book believes it to be."""

    upload_id: str
    content: bytes
    state: str = "open"  # or: complete, expired, gone
    stored: int = 0
    declared: bool = True  # whether the server knows the length
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return len(self.content)

    @property
    def full(self) -> bool:
        return self.stored == self.length


class Uploads(RuleBasedStateMachine):
    """Rules of every dialect; ``site`` and ``run`` are set by the test.

    :cvar kills: what may still be spent.
    """

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

    @rule(model=consumes(uploads))
    def abort(self, model: Model) -> None:
        reply = self.remove(model)
        assert reply.status in ((404, 410) if model.state == "gone" else (204,)), reply
        model.state = "gone"

    @rule(model=uploads)
    def expire(self, model: Model) -> None:
        """Its time is up; a completed upload does not mind."""
        self.site.stored.expire(model.upload_id)
        if model.state == "open":
            model.state = "expired"

    @rule()
    def clean(self) -> None:
        if all(model.state != "expired" for model in self.models):
            return
        said = self.site.command("delete-expired-uploads").result()
        assert said.returncode == 0, said
        for model in self.models:
            if model.state == "expired":
                model.state = "gone"

    @rule()
    def kill_and_restart(self) -> None:
        if not self.spend_a_kill():
            return
        self.site.server.kill()
        self.site.server.start()

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
            assert reply.json["length"] == (model.length if model.declared else None)
            assert reply.json["status"] == (2 if model.state == "complete" else 1)
            self.check_bytes(model, reply)

    def check_bytes(self, model: Model, reply: Reply) -> None:
        stored = self.site.stored
        if model.state == "complete":
            assert self.client.download(model.upload_id).body == model.content
            return
        if not model.stored:
            return  # it may have no file yet
        part = stored.root / ".incoming" / model.upload_id[:2] / f"{model.upload_id}.part"
        with part.open("rb") as file:
            assert file.read(model.stored) == model.content[: model.stored], "other bytes"

    # Helpers

    def remove(self, model: Model) -> Reply:
        return self.client.delete(model.upload_id)

    def check_refused(self, model: Model, reply: Reply) -> None:
        if model.state == "complete":
            assert (reply.status, reply.detail) == (400, COMPLETE), reply
        elif model.state == "expired":
            assert (reply.status, reply.detail) == (410, "Upload has expired"), reply
        else:
            assert (reply.status, reply.detail) == (404, "Upload not found"), reply

    def spend_a_kill(self) -> bool:
        """Return whether a kill was left.

        No precondition: the same choices must find the same rules, or hypothesis calls it flaky.
        """
        if type(self).kills == 0:
            return False
        type(self).kills -= 1
        self.run.count("kills")
        return True


def hold_against(run: Run, at: Site, machine: type[Uploads], *, kills: int, examples: int) -> None:
    """Run a machine against the server of a site, and check the log for answers of 5xx.

    :param kills: how often the server is killed.
    :param examples: how many sequences of steps are tried.
    """
    machine.site, machine.run, machine.kills = at, run, kills
    options = settings(
        max_examples=examples,
        stateful_step_count=run.amount(reduced=12, full=40),
        deadline=None,
        database=InMemoryExampleDatabase(),
        # Kills are spent, so an example does not repeat exactly; shrinking would mislead.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    run_state_machine_as_test(seed(run.seed)(machine), settings=options)
    for line in at.server.log.read_text().splitlines():
        if line.startswith("{"):
            run.count("requests")
            run.check(json.loads(line).get("status", 0) < 500, f"answered {line}")
    at.check_log()
