"""When the build asks for npm from PyPI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hatchling.metadata.core import ProjectMetadata

from hatch_build import NPM_FROM_PYPI, StaticFilesHook


def hook(root: Path) -> StaticFilesHook:
    metadata: Any = ProjectMetadata(str(root), None)
    config: Any = None
    return StaticFilesHook(str(root), {}, config, metadata, str(root / "dist"), "wheel")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def add(folder: Path, name: str, said: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho {said}\n")
    program.chmod(0o755)


@pytest.mark.usefixtures("programs")
def test_without_npm_it_comes_from_pypi(tmp_path: Path) -> None:
    assert hook(tmp_path).dependencies() == [NPM_FROM_PYPI]


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("v20.1.0", []), ("v18.19.0", []), ("v12.22.5", [NPM_FROM_PYPI]), ("what", [NPM_FROM_PYPI])],
)
def test_the_systems_npm_is_used_where_its_node_is_new_enough(
    tmp_path: Path, programs: Path, version: str, wanted: list[str]
) -> None:
    add(programs, "npm", "10")
    add(programs, "node", version)
    assert hook(tmp_path).dependencies() == wanted


@pytest.mark.usefixtures("programs")
def test_an_unpacked_sdist_needs_none(tmp_path: Path) -> None:
    (tmp_path / "PKG-INFO").touch()
    assert hook(tmp_path).dependencies() == []
