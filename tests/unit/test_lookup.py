"""Looking a record up by id: as the ORM's session would, whatever the model is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, ForeignKey, create_engine, event, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from chunked_upload.records.lookup import Lookup
from chunked_upload.records.model import ChunkedUploadMixin, Status
from chunked_upload.support.clock import utcnow


class Base(DeclarativeBase):
    """Mapped classes of these tests."""


class Person(Base):
    """What a record of :class:`Related` belongs to."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Plain(ChunkedUploadMixin, Base):
    """A column of its own, and one under another name."""

    __tablename__ = "plain"
    note: Mapped[str] = mapped_column("remark", default="none")


class Related(ChunkedUploadMixin, Base):
    """A record that is read together with its person."""

    __tablename__ = "related"
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person | None] = relationship(lazy="joined")


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://")
    Base.metadata.create_all(made)
    yield made
    made.dispose()


def add(engine: Engine, model: Any, **values: Any) -> str:
    with Session(engine) as session:
        record = model(upload_set="main", filename="f", expires_on=utcnow(), **values)
        session.add(record)
        session.commit()
        upload_id: str = record.upload_id
        return upload_id


def find(engine: Engine, model: Any, upload_id: str, owner: str | None = None) -> Any:
    return Lookup(model).find(engine, upload_id, upload_set="main", owner=owner)


def test_a_record_has_what_a_session_reads(engine: Engine) -> None:
    upload_id = add(engine, Plain, received=[[3, 5]], extra_fields={"a": "b"}, note="x")
    found = find(engine, Plain, upload_id)
    with Session(engine) as session:
        read = session.scalars(select(Plain)).one()
    names = [attribute.key for attribute in inspect(Plain).column_attrs]
    assert {n: getattr(found, n) for n in names} == {n: getattr(read, n) for n in names}
    assert found.created_on.tzinfo is not None


def test_a_record_is_detached_and_unchanged(engine: Engine) -> None:
    found = find(engine, Plain, add(engine, Plain))
    state: Any = inspect(found)
    assert state.detached
    assert not state.modified
    found.note = "changed"
    with Session(engine) as session:
        session.merge(found)
        session.commit()
        assert session.scalars(select(Plain.note)).one() == "changed"


@pytest.mark.parametrize("model", [Plain, Related])
def test_only_the_owners_own_is_found(engine: Engine, model: Any) -> None:
    mine, nobodys = add(engine, model, owner="me"), add(engine, model)
    assert find(engine, model, mine, "me").upload_id == mine
    assert find(engine, model, mine, "you") is None
    assert find(engine, model, mine) is None
    assert find(engine, model, nobodys).upload_id == nobodys
    assert find(engine, model, nobodys, "me") is None


@pytest.mark.parametrize("model", [Plain, Related])
def test_what_another_mount_has_or_is_being_removed_is_not_found(
    engine: Engine, model: Any
) -> None:
    upload_id = add(engine, model)
    assert Lookup(model).find(engine, upload_id, upload_set="other", owner=None) is None
    assert find(engine, model, add(engine, model, status=Status.DELETING)) is None


def test_what_is_read_along_with_a_record_is_there(engine: Engine) -> None:
    assert find(engine, Related, add(engine, Related, person=Person(name="Ada"))).person.name == (
        "Ada"
    )


def test_listeners_for_loading_are_called(engine: Engine) -> None:
    loaded = []

    def listen(record: Any, _context: Any) -> None:
        loaded.append(record.upload_id)

    upload_id = add(engine, Plain)
    event.listen(Plain, "load", listen)
    try:
        find(engine, Plain, upload_id)
    finally:
        event.remove(Plain, "load", listen)
    assert loaded == [upload_id]
