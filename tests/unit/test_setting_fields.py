"""The kinds of setting: text and Python values agree; what cannot work is refused with advice."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.errors import ConfigurationError
from chunked_upload.settings import fields
from chunked_upload.settings.keys import SPECS, Settings, from_environment
from chunked_upload.settings.schema import Given, read, setting
from chunked_upload.settings.sources import PREFIX, Sources
from chunked_upload.support.filenames import extensions, has_extension

SWITCHES = [
    name for name, spec in SPECS.items() if isinstance(spec.metadata["field"], fields.Switch)
]
SIZES = ["max_bytes", "max_chunk_bytes", "max_open_bytes", "max_stored_bytes", "max_metadata_bytes"]
COUNTS = ["max_open_uploads", "max_metadata_fields", "page_size", "max_form_files"]

#: Extensions as people write them; what a file system would change is left to other tests.
extension = st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,8})?", fullmatch=True)


def loaded(name: str, value: Any) -> Any:
    return getattr(Settings.load({}, {name: value}), name)


def everywhere(name: str, text: str) -> list[Any]:
    """Return what a text means as a keyword, in the config, and in both kinds of environment."""
    key = PREFIX + name.upper()
    app = Flask("tests")
    with mock.patch.dict(os.environ, {f"FLASK_{key}": text}):
        app.config.from_prefixed_env()
    read_by = [
        Settings.load({}, {name: text}),
        Settings.load({key: text}, {}),
        Settings.load(from_environment({key: text}), {}),
        Settings.load(app.config, {}),
    ]
    return [getattr(settings, name) for settings in read_by]


# Text and Python values agree


@given(
    st.sampled_from(SWITCHES),
    st.sampled_from([("off", False), ("No", False), ("0", False), ("false", False), ("on", True),
                     ("YES", True), ("1", True), ("true", True)]),
)  # fmt: skip
def test_a_switch_is_the_same_everywhere(name: str, case: tuple[str, bool]) -> None:
    assert everywhere(name, case[0]) == [case[1]] * 4


@given(st.sampled_from(SIZES), st.integers(1, 2**53), st.sampled_from(["", "K", "M", "B"]))
def test_a_size_is_the_same_everywhere(name: str, number: int, unit: str) -> None:
    size = number * {"K": 2**10, "M": 2**20}.get(unit, 1)
    if size >= 2**63:
        return
    assert everywhere(name, f"{number}{unit}") == [loaded(name, size)] * 4 == [size] * 4


@given(st.sampled_from(COUNTS), st.integers(1, 2**31 - 1))
def test_a_count_is_the_same_everywhere(name: str, number: int) -> None:
    assert everywhere(name, str(number)) == [number] * 4


@given(st.integers(0, 365_000 * 86_400))
def test_a_duration_is_the_same_everywhere(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert everywhere("expiration_delta", str(seconds)) == [span] * 4
    assert loaded("expiration_delta", seconds) == loaded("expiration_delta", span) == span


@given(
    st.sampled_from(["allowed_extensions", "denied_extensions"]), st.lists(extension, min_size=2)
)
def test_extensions_are_the_same_everywhere(name: str, items: list[str]) -> None:
    assert everywhere(name, ",".join(items)) == [tuple(items)] * 4
    assert loaded(name, [f"*.{item.upper()} " for item in items]) == tuple(items)
    assert loaded(name, dict.fromkeys(items, 0).keys()) == tuple(dict.fromkeys(items))


@given(st.integers(0, 0o177))
def test_a_file_mode_is_the_same_everywhere(rest: int) -> None:
    mode = 0o600 | rest
    for text in (f"0{mode:o}", f"0o{mode:o}"):
        assert everywhere("file_mode", text) == [mode] * 4
    assert loaded("file_mode", f"{mode:o}") == mode


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_open_uploads", "none", None),
        ("max_bytes", " None ", None),
        ("tokens", f"ci:{'A' * 64}", {"ci": "a" * 64}),
        ("dropzone", '{"max_files": 3}', {"max_files": 3}),
        ("field_name", "file,files[]", ("file", "files[]")),
        ("cors_origins", "https://a.example,https://b.example",
         ("https://a.example", "https://b.example")),
        ("encoder", "json.dumps", json.dumps),
        ("storage_class", "chunked_upload.LocalStorage", mock.ANY),
        ("root", "/srv/uploads", "/srv/uploads"),
        ("proxy_hops", "2", 2),
    ],
)  # fmt: skip
def test_other_kinds_are_the_same_everywhere(name: str, text: str, value: Any) -> None:
    assert everywhere(name, text) == [value] * 4


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.timedeltas(),
    st.lists(st.text()), st.dictionaries(st.text(), st.text()), st.just(len), st.just(dict),
)  # fmt: skip


@given(st.sampled_from(sorted(SPECS)), values)
def test_a_value_is_read_or_refused_and_reading_it_again_changes_nothing(
    name: str, value: Any
) -> None:
    once = refusal = None
    try:
        once = loaded(name, value)
    except ConfigurationError as error:
        refusal = str(error)
    if refusal is None:
        assert loaded(name, once) == once
    else:
        assert refusal.startswith(PREFIX + name.upper())


# What cannot work


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("file_mode", 640, "write 0o640 or '640'"),
        ("file_mode", 644, "write 0o644 or '644'"),
        ("file_mode", 0o440, "must let the service use its own files, which takes 0o600"),
        ("file_mode", "0440", "which takes 0o600"),
        ("file_mode", 0o4640, "must be a file mode up to 0o777"),
        ("file_mode", True, "must be a file mode"),
        ("directory_mode", 750, "write 0o750 or '750'"),
        ("directory_mode", 0o640, "which takes 0o700"),
        ("root", lambda: "/srv", "must be the path of a directory"),
        ("root", b"/srv", "must be the path of a directory"),
        ("root", "~/uploads", "~ is not expanded"),
        ("content_type", 5, "must be a media type, as application/json"),
        ("content_type", "json", "must be a media type"),
        ("content_type", "a/b\r\nX: y", "must be a media type"),
        ("mimetype", "", "must be a media type"),
        ("md5", None, "must not be None"),
        ("md5", "of", "expected 1, true, yes, on"),
        ("md5", 2, "must be True or False"),
        ("md5", 1.0, "must be True or False"),
        ("durable", [], "must be True or False"),
        ("abstract_model", "maybe", "expected 1, true"),
        ("allowed_extensions", (), "must be at least one"),
        ("allowed_extensions", "", "must be at least one"),
        ("allowed_extensions", ("jpg,png",), "'jpg,png' would match no file"),
        ("allowed_extensions", ("image/*",), "'image/*' would match no file"),
        ("denied_extensions", ("ph*",), "'ph*' would match no file"),
        ("denied_extensions", ("a:b",), "'a:b' would match no file"),
        ("denied_extensions", (".",), "'.' would match no file"),
        ("denied_extensions", b"php", "must be a name or several names"),
        ("denied_extensions", {"php": 1}, "must be a name or several names"),
        ("max_bytes", 0, "None means no limit"),
        ("max_bytes", 2**63, "must be at most"),
        ("max_bytes", 1e9, "must be a positive number"),
        ("max_bytes", lambda: 5, "must be a function of one argument"),
        ("max_chunk_bytes", len, "must be a positive number"),
        ("max_filename_length", 256, "must be at most 255"),
        ("page_size", "many", "must be a positive number"),
        ("expiration_delta", timedelta(seconds=-1), "must be from 0"),
        ("expiration_delta", timedelta.max, "must be from 0 to"),
        ("expiration_delta", True, "write timedelta"),
        ("path", "files/%", "write %% for a percent sign"),
        ("path", "files/%Q", "write %% for a percent sign"),
        ("path", "a" * 256, "names longer than 255 bytes"),
        ("encoder", "json.no_such", "cannot be imported"),
        ("encoder", 5, "must be a function of one argument"),
        ("encoder", json.JSONEncoder, "write lambda content: json.dumps(content, cls=JSONEncoder)"),
        ("storage_class", 5, "must be a subclass of chunked_upload.Storage"),
        ("url_prefix", "/a?b", "must begin with a slash"),
        ("url_prefix", "/a/../b", "must begin with a slash"),
        ("url_prefix", "/<name>", "must begin with a slash"),
        ("form_redirect", "", "must be an endpoint, a path or a URL"),
        ("form_redirect", 5, "must be an endpoint, a path or a URL"),
        ("dropzone", [1], "expected a dict"),
        ("dropzone", "{", "expected a JSON object"),
        ("tokens", {}, "must map names to SHA-256"),
        ("tokens", "", "must map names to SHA-256"),
        ("tokens", "alice", "create-token NAME"),
        ("tokens", f"a:{'0' * 64},a:{'1' * 64}", "expected each name once"),
        ("database_uri", 5, "must be text"),
        ("proxy_hops", -1, "must be a number, 0 or more"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_what_would(name: str, value: Any, advice: str) -> None:
    for config, overrides in (({PREFIX + name.upper(): value}, {}), ({}, {name: value})):
        with pytest.raises(ConfigurationError) as raised:
            Settings.load(config, overrides)
        assert PREFIX + name.upper() in str(raised.value)
        assert advice in str(raised.value)


def test_secrets_are_not_shown() -> None:
    for name, value in (("tokens", {"alice": "s3cret"}), ("database_uri", "a://b:s3cret@c\n")):
        with pytest.raises(ConfigurationError) as raised:
            loaded(name, value)
        assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("root", Path("/srv"), "/srv"),
        ("root", "", None),
        ("path", Path("a/%Y"), "a/%Y"),
        ("path", "100%%/%Y", "100%%/%Y"),
        ("directory_mode", 0o2750, 0o2750),
        ("denied_extensions", (".PHP", "*.tar.gz", "jpg "), ("php", "tar.gz", "jpg")),
        ("denied_extensions", (".htaccess",), ("htaccess",)),
        ("max_bytes", str(2**63 - 1), 2**63 - 1),
        ("content_type", "application/json; charset=utf-8", "application/json; charset=utf-8"),
    ],
)
def test_what_can(name: str, value: Any, kept: Any) -> None:
    assert loaded(name, value) == kept


# Extensions


@given(extension, st.from_regex(r"[a-z]{1,5}(\.[a-z]{1,5})?", fullmatch=True))
def test_an_extension_that_is_taken_matches_names_that_end_in_it(suffix: str, stem: str) -> None:
    [plain] = loaded("denied_extensions", (suffix,))
    assert has_extension(f"{stem}.{suffix}", (plain,))
    assert has_extension(f"{stem}.{suffix.upper()}", (plain,))
    assert not has_extension(f"{stem}.{suffix}x", (plain,))


def test_extensions_of_a_name() -> None:
    assert extensions("a.tar.gz") == ("tar.gz", "gz")
    assert extensions("tar.gz") == ("gz",)
    assert extensions("a") == ()
    assert extensions(".htaccess") == ("htaccess",)


# Settings of other rooms


@dataclass(frozen=True, kw_only=True)
class ToySettings:
    toy_place: str | None = setting(fields.Directory(), "Where toys are kept.", default=None)
    toy_count: int = setting(fields.Count(), "Toys.", default=3)


def sources(config: Mapping[str, Any], **keywords: Any) -> Sources:
    found = Sources(config, keywords)
    found.read(Settings)
    return found


def test_a_class_of_settings_is_read_from_the_same_sources() -> None:
    found = sources(
        {"CHUNKED_UPLOAD_TOY_PLACE": "/srv", "CHUNKED_UPLOAD_TOY_COUNT": 1}, toy_count="2"
    )
    assert found.read(ToySettings) == ToySettings(toy_place="/srv", toy_count=2)
    found.refuse_unknown()


def test_they_are_unknown_where_nobody_reads_them() -> None:
    found = sources({"CHUNKED_UPLOAD_TOY_PLACE": "/srv"})
    with pytest.raises(ConfigurationError, match="CHUNKED_UPLOAD_TOY_PLACE is not a setting"):
        found.refuse_unknown()


def test_a_mistyped_one_is_named() -> None:
    found = sources({"CHUNKED_UPLOAD_TOY_PLAC": "/srv"})
    found.read(ToySettings)
    with pytest.raises(ConfigurationError, match=r"did you mean CHUNKED_UPLOAD_TOY_PLACE\?"):
        found.refuse_unknown()


def test_the_label_names_what_was_wrong() -> None:
    with pytest.raises(
        ConfigurationError, match="toys: toy_count must be a positive number, not 0"
    ):
        read(ToySettings, {"toy_count": Given("toys: toy_count", 0)})
