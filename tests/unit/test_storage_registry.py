"""Storages are found by URL scheme, by class, by entry point; what cannot work is told at once."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from chunked_upload.errors import ConfigurationError
from chunked_upload.settings.keys import Settings
from chunked_upload.storage import LocalStorage, registry
from chunked_upload.storage.registry import make_storage
from tests.support.memory_storage import MemoryStorage


def make(default_root: str = "/default", **settings: Any) -> Any:
    return make_storage(Settings(**settings), default_root)


def test_the_default_is_the_local_disk() -> None:
    storage = make()
    assert isinstance(storage, LocalStorage)
    assert storage.root == Path("/default")
    assert make(root="/srv/bytes").root == Path("/srv/bytes")


def test_a_url_names_the_storage() -> None:
    assert make(storage="file:///srv/my%20uploads").root == Path("/srv/my uploads")
    assert isinstance(make(storage="memory://one"), MemoryStorage)
    assert make(storage="memory://one").identity == "memory://one"


def test_a_class_names_the_storage() -> None:
    assert isinstance(make(storage_class=MemoryStorage), MemoryStorage)
    dotted = "tests.support.memory_storage.MemoryStorage"
    assert isinstance(make(storage_class=dotted), MemoryStorage)


def test_other_packages_have_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("toy", "tests.support.memory_storage:MemoryStorage", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    monkeypatch.setattr(registry, "_by_scheme", dict(registry._by_scheme))
    registry.registered.cache_clear()
    try:
        assert isinstance(make(storage="toy://"), MemoryStorage)
    finally:
        registry.registered.cache_clear()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"storage": "nowhere://x"}, "has no known scheme; known are .*file"),
        ({"storage": "/srv/uploads"}, "has no known scheme"),
        ({"storage": "file://host/srv"}, "must be file:///absolute/directory"),
        ({"storage": "file:relative"}, "must be file:///absolute/directory"),
        ({"storage": "file:///srv?speed=fast"}, r"unknown option\(s\) \['speed'\]"),
        ({"storage": "file:///srv", "storage_class": MemoryStorage}, "exclude each other"),
        ({"storage_class": "no.such.Storage"}, "cannot be imported"),
        ({"storage_class": dict}, "must be a subclass"),
    ],
)
def test_what_cannot_work_is_told(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        make(**settings)
