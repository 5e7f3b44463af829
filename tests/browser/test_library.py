"""The client library: files of all sizes arrive, whatever is picked, and are checked."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.browser.library import CHUNK, LibraryPage
from tests.browser.trial import make_file


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 1])
def test_a_file_of_any_size_arrives_and_is_checked(
    library: Any, network: Any, tmp_path: Path, size: int
) -> None:
    page: LibraryPage = library()
    file = make_file(tmp_path / "grüße & co.bin", size)
    page.pick(file)
    seen = page.done()
    [stored] = network.stored()
    assert stored.read_bytes() == file.read_bytes()
    md5 = hashlib.md5(file.read_bytes()).hexdigest()
    assert (seen["result"]["md5"], seen["result"]["filename"]) == (md5, "grüße & co.bin")
    assert (seen["offset"], seen["sent"], seen["done"]) == (size, size, 1)
    assert [request.status for request in network.proxy.chunks] == [200] * max(-(-size // CHUNK), 1)
