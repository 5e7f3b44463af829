"""Settings: read from config, environment and keywords; each mistake named with what would do."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.errors import ConfigurationError
from chunked_upload.settings.keys import KEYS, SPECS, Settings, from_environment
from chunked_upload.settings.text import (
    parse_bool,
    parse_duration,
    parse_list,
    parse_mode,
    parse_size,
    parse_tokens,
)

# Parsing


@given(st.integers(0, 2**70))
def test_sizes_in_bytes(size: int) -> None:
    assert parse_size(str(size)) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1K", 1024),
        ("1k", 1024),
        ("10G", 10 * 2**30),
        ("1.5TiB", 3 * 2**39),
        ("5 MB", 5 * 2**20),
        ("100b", 100),
        (" 7 ", 7),
        ("0.5k", 512),
        ("9" * 400 + "k", int("9" * 400) * 1024),
    ],
)
def test_sizes_with_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "-1", "1X", "1.5", "1e3", "10 G G", "K", "1,000"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected bytes"):
        parse_size(text)


@given(st.integers(0, 10**6), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_durations(days: int, hours: int, minutes: int, seconds: int) -> None:
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    assert parse_duration(f"{days}d {hours}h{minutes}m  {seconds}s") == span
    assert parse_duration(str(int(span.total_seconds()))) == span


@pytest.mark.parametrize(
    "text", ["", "x", "1x", "1d2", "9" * 400 + "w", "d", "-1", "1.5h", "1 day", "9" * 40]
)
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected seconds"):
        parse_duration(text)


def test_switches() -> None:
    assert all(parse_bool(text) for text in ("1", "true", "YES", "on"))
    assert not any(parse_bool(text) for text in ("0", "False", "no", "off", ""))
    with pytest.raises(ValueError, match="expected"):
        parse_bool("maybe")


def test_lists() -> None:
    assert parse_list("jpg, png,,gif ") == ("jpg", "png", "gif")
    assert parse_list("") == ()


def test_modes() -> None:
    assert parse_mode("0640") == parse_mode("640") == 0o640
    with pytest.raises(ValueError, match="expected a file mode in octal"):
        parse_mode("99")


def test_tokens() -> None:
    digest = "a" * 64
    assert parse_tokens(f"ci:{digest}, team:ci:{digest}") == {"ci": digest, "team:ci": digest}


# The environment


def test_every_key_that_the_environment_can_set() -> None:
    environ = {
        "CHUNKED_UPLOAD_MAX_BYTES": "10G",
        "CHUNKED_UPLOAD_DURABLE": "no",
        "CHUNKED_UPLOAD_EXPIRATION_DELTA": "2h",
        "CHUNKED_UPLOAD_FIELD_NAME": "file,blob",
        "CHUNKED_UPLOAD_FILE_MODE": "0600",
        "CHUNKED_UPLOAD_PATH": "done/%Y",
        "OTHER": "x",
    }
    found = from_environment(environ)
    assert found == {
        "CHUNKED_UPLOAD_MAX_BYTES": 10 * 2**30,
        "CHUNKED_UPLOAD_DURABLE": False,
        "CHUNKED_UPLOAD_EXPIRATION_DELTA": timedelta(hours=2),
        "CHUNKED_UPLOAD_FIELD_NAME": ("file", "blob"),
        "CHUNKED_UPLOAD_FILE_MODE": 0o600,
        "CHUNKED_UPLOAD_PATH": "done/%Y",
    }
    assert Settings.load(found, {}).max_bytes == 10 * 2**30


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MAX_BYTES", "lots"),
        ("EXPIRATION_DELTA", "9" * 40),
        ("DURABLE", "maybe"),
        ("FILE_MODE", "rw"),
    ],
)
def test_a_bad_variable_is_named(key: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"CHUNKED_UPLOAD_{key}="):
        from_environment({f"CHUNKED_UPLOAD_{key}": value})


@given(st.sampled_from(KEYS), st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_no_text_breaks_reading_the_environment(key: str, text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        Settings.load(from_environment({key: text}), {})


# Loading


def test_the_defaults_are_django_chunked_uploads() -> None:
    settings = Settings.load({}, {})
    assert settings.expiration_delta == timedelta(days=1)
    assert settings.path == "chunked_uploads/%Y/%m/%d"
    assert settings.abstract_model is True
    assert settings.max_bytes is None
    assert settings.content_type == "application/json"


def test_keywords_win_over_the_config() -> None:
    config = {"CHUNKED_UPLOAD_MAX_BYTES": 1, "CHUNKED_UPLOAD_PAGE_SIZE": 7}
    settings = Settings.load(config, {"max_bytes": 2})
    assert (settings.max_bytes, settings.page_size) == (2, 7)


def test_an_unknown_keyword_is_named() -> None:
    with pytest.raises(
        ConfigurationError, match=r"max_byte is not a setting; did you mean max_bytes\?"
    ):
        Settings.load({}, {"max_byte": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_bytes", 0),
        ("max_bytes", -1),
        ("max_bytes", "ten"),
        ("max_bytes", 1.5),
        ("max_bytes", True),
        ("max_chunk_bytes", "x"),
        ("max_open_uploads", 0),
        ("max_filename_length", None),
        ("page_size", 0),
        ("expiration_delta", 3600.5),
        ("field_name", ""),
        ("field_name", ()),
        ("field_name", 5),
        ("allowed_extensions", 5),
        ("url_prefix", "uploads"),
        ("url_prefix", "/uploads/"),
        ("url_prefix", ""),
        ("path", "/etc"),
        ("path", "../x"),
        ("path", "a/../../x"),
        ("path", 5),
        ("path", ".incoming"),
        ("path", ".incoming/%Y"),
        ("path", "./.incoming"),
        ("path", "a\0b"),
        ("tokens", {"ci": "plain text"}),
        ("tokens", {"": "a" * 64}),
        ("tokens", ["ci"]),
        ("file_mode", "rw-r-----"),
        ("file_mode", -1),
        ("file_mode", 0o10000),
        ("directory_mode", None),
    ],
)
def test_values_that_cannot_work(name: str, value: Any) -> None:
    key = f"CHUNKED_UPLOAD_{name.upper()}"
    with pytest.raises(ConfigurationError, match=key):
        Settings.load({key: value}, {})
    with pytest.raises(ConfigurationError, match=key):
        Settings.load({}, {name: value})


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("field_name", "file", ("file",)),
        ("field_name", ["a", "b"], ("a", "b")),
        ("allowed_extensions", "jpg", ("jpg",)),
        ("allowed_extensions", None, None),
        ("max_bytes", len, len),
        ("path", "", ""),
        ("path", "a/%Y", "a/%Y"),
    ],
)
def test_values_that_can(name: str, value: Any, kept: Any) -> None:
    assert getattr(Settings.load({}, {name: value}), name) == kept


def test_every_key_has_a_meaning() -> None:
    assert all(spec.metadata["meaning"].endswith(".") for spec in SPECS.values())
