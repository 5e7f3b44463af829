"""Settings that a storage or a dialect has of its own, read and checked as all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload, ConfigurationError, LocalStorage
from chunked_upload.http.dialect import Dialect, Recognition
from chunked_upload.settings import fields
from chunked_upload.settings.keys import Settings
from chunked_upload.settings.schema import setting

MakeApp = Callable[..., Flask]


@dataclass(frozen=True, kw_only=True)
class ToySettings:
    toy_place: str | None = setting(fields.Directory(), "Where toys are kept.", default=None)
    toy_count: int = setting(fields.Count(), "Toys.", default=3)


class ToyStorage(LocalStorage):
    settings = ToySettings

    @classmethod
    def from_settings(cls, settings: Settings, default_root: str) -> LocalStorage:
        return cls(settings.of(ToySettings).toy_place or default_root)


@dataclass(frozen=True, kw_only=True)
class SpokenSettings:
    spoken_loudly: bool = setting(fields.Switch(), "Whether it shouts.", default=False)


class ToyDialect(Dialect):
    name = "toy"
    title = "Toy"
    recognised_by = Recognition.FIELDS
    settings: ClassVar[type | None] = SpokenSettings


@pytest.mark.parametrize(
    ("config", "keywords"),
    [
        ({"CHUNKED_UPLOAD_TOY_PLACE": "/srv/toys", "CHUNKED_UPLOAD_TOY_COUNT": "4"}, {}),
        ({"CHUNKED_UPLOAD_TOY_PLACE": "/elsewhere"}, {"toy_place": "/srv/toys", "toy_count": 4}),
    ],
)
def test_a_storage_has_settings_of_its_own(
    make_app: MakeApp, config: dict[str, Any], keywords: dict[str, Any]
) -> None:
    uploads = ChunkedUpload(app := make_app(**config), storage_class=ToyStorage, **keywords)
    with app.app_context():
        assert uploads.upload_set.settings.of(ToySettings).toy_count == 4
        assert str(uploads.engine.storage.root) == "/srv/toys"  # type: ignore[attr-defined]


def test_they_are_checked_at_the_start(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match="CHUNKED_UPLOAD_TOY_COUNT must be a positive"):
        ChunkedUpload(make_app(CHUNKED_UPLOAD_TOY_COUNT=0), storage_class=ToyStorage)
    with pytest.raises(ConfigurationError, match=r"toy_plac is not a .* did you mean toy_place\?"):
        ChunkedUpload(make_app(), storage_class=ToyStorage, toy_plac="/srv")
    with pytest.raises(ConfigurationError, match="did you mean CHUNKED_UPLOAD_TOY_PLACE"):
        ChunkedUpload(make_app(CHUNKED_UPLOAD_TOY_PLAC=1), storage_class=ToyStorage)


def test_another_upload_sets_storage_may_have_keys_in_the_same_config(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_TOY_COUNT=4)
    ChunkedUpload(app)
    ChunkedUpload(app, name="toys", url_prefix="/toys", storage_class=ToyStorage)
    with pytest.raises(ConfigurationError, match="toy_count is not a setting"):
        ChunkedUpload(app, name="more", url_prefix="/more", toy_count=4)


def test_a_dialect_has_settings_of_its_own(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_SPOKEN_LOUDLY="yes")
    uploads = ChunkedUpload(app, dialects=[ToyDialect])
    with app.app_context():
        assert uploads.upload_set.settings.of(SpokenSettings) == SpokenSettings(spoken_loudly=True)
