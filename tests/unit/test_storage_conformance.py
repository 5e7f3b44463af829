"""The conformance suite for storages, run on our own and on a toy."""

from __future__ import annotations

from pathlib import Path

import pytest

from chunked_upload.storage import LocalStorage
from chunked_upload.testing import StorageConformance
from tests.support.memory_storage import MemoryStorage


class TestLocalStorage(StorageConformance):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> LocalStorage:
        return LocalStorage(tmp_path / "root", durable=False)


class TestLocalStorageWithoutLinks(StorageConformance):
    @pytest.fixture
    def storage(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStorage:
        def refuse(*_args: object, **_options: object) -> None:
            raise PermissionError(1, "no hard links here")

        monkeypatch.setattr("os.link", refuse)
        return LocalStorage(tmp_path / "root", durable=False)

    # Promoting moves the part away where there are no links.
    test_a_promoted_file_outlives_its_part = None  # type: ignore[assignment]


# Files on a disk have any names.
for _class in (TestLocalStorage, TestLocalStorageWithoutLinks):
    _class.test_files_are_listed = None  # type: ignore[assignment]


class TestMemoryStorage(StorageConformance):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()


# Tests of powers that it does not have.
for _name in (
    "test_leases_beside_each_other_both_stand",
    "test_an_overlapping_lease_ends_the_older",
    "test_an_abandoned_lease_is_ended_by_the_next",
    "test_a_path_leads_to_the_file",
    "test_parts_are_concatenated",
    "test_a_source_that_is_too_short_is_missed",
    "test_parts_are_listed",
    "test_files_are_listed",
    "test_one_holder_at_a_time",
    "test_room_is_a_number_of_bytes",
):
    setattr(TestMemoryStorage, _name, None)
