"""Users' keys: what stands for somebody, what for nobody, what for neither."""

from __future__ import annotations

from typing import Any

import pytest

from chunked_upload.http.access.callers import hash_token, owner_key


class WithId:
    id = 7


@pytest.mark.parametrize(
    ("user", "key"),
    [("ann", "ann"), (7, "7"), (0, "0"), (WithId(), "7"), (None, None), (False, None), ("", None)],
)
def test_keys(user: Any, key: str | None) -> None:
    assert owner_key(user) == key


@pytest.mark.parametrize("user", [object(), 1.5, ["ann"], b"ann"])
def test_what_has_no_key_is_a_mistake_of_the_app(user: Any) -> None:
    with pytest.raises(TypeError, match="user_loader must return an id"):
        owner_key(user)


def test_tokens_are_kept_as_sha256() -> None:
    known = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
    assert hash_token("secret") == known
