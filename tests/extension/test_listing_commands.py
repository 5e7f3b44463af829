"""``flask chunked-upload list|show|delete|expire``: which uploads they choose, and what they do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from chunked_upload import ChunkedUpload, upload_aborted, upload_expired
from chunked_upload.server.command import cli
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.extension.test_commands import age
from tests.support.protocol import Protocol, files, records

MakeApp = Callable[..., Flask]


def run(app: Flask, *words: str, answers: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["chunked-upload", *words], input=answers)


def listed(app: Flask, *options: str) -> list[str]:
    """The names of the listed files."""
    result = run(app, "list", "--json", *options)
    assert result.exit_code == 0, result.output
    return [upload["filename"] for upload in json.loads(result.output)]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app with two upload sets; ada owns the photo."""
    app = make_app()
    photos = ChunkedUpload(app, name="photos", url_prefix="/photos")
    photos.user_loader(lambda request: request.headers.get("X-User"))
    ChunkedUpload(app, name="videos", url_prefix="/videos")
    create_tables(app)
    return app


@pytest.fixture
def ids(app: Flask) -> dict[str, str]:
    """Three uploads by the names of their files."""
    client = app.test_client()
    ada = {"X-User": "ada"}
    photo = Protocol(client, "/photos").chunk(b"half", 0, 8, filename="a_1.png", headers=ada)
    videos = Protocol(client, "/videos")
    late = answer(videos.chunk(b"late", 0, 9, filename="late.mp4"))["upload_id"]
    age(app, late, name="videos")
    return {
        "a_1.png": answer(photo)["upload_id"],
        "late.mp4": late,
        "done.mp4": videos.completed(b"done", filename="done.mp4"),
    }


#: Which files' names options list.
CHOSEN: list[tuple[list[str], list[str]]] = [
    ([], ["a_1.png", "late.mp4", "done.mp4"]),
    (["--set", "videos"], ["late.mp4", "done.mp4"]),
    (["--status", "complete"], ["done.mp4"]),
    (["--status", "uploading"], ["a_1.png", "late.mp4"]),
    (["--expired"], ["late.mp4"]),
    (["--owner", "ada"], ["a_1.png"]),
    (["--owner", ""], ["late.mp4", "done.mp4"]),
    (["--name", "MP4"], ["late.mp4", "done.mp4"]),
    (["--name", "a_"], ["a_1.png"]),
    (["--name", "%"], []),
    (["--set", "videos", "--expired", "--name", "late"], ["late.mp4"]),
    (["--search", "LATE"], ["late.mp4"]),
    (["--storage", "file"], ["a_1.png", "late.mp4", "done.mp4"]),
    (["--storage", "s3"], []),
    (["--storage", ""], []),
    (["--older", "1h"], []),
    (["--newer", "1h"], ["a_1.png", "late.mp4", "done.mp4"]),
    (["--larger", "8"], ["a_1.png", "late.mp4"]),
    (["--smaller", "8"], ["a_1.png", "done.mp4"]),
]


@pytest.mark.usefixtures("ids")
def test_list_chooses_by_every_option(app: Flask) -> None:
    for options, expected in CHOSEN:
        assert listed(app, *options) == expected, options


def test_search_also_finds_the_beginning_of_an_id(app: Flask, ids: dict[str, str]) -> None:
    assert listed(app, "--search", ids["done.mp4"][:12].upper()) == ["done.mp4"]


@pytest.mark.one_database
def test_list_is_a_line_for_each_upload(app: Flask, ids: dict[str, str]) -> None:
    lines = run(app, "list").output.splitlines()
    assert [line.split()[:3] + line.split()[-2:] for line in lines] == [
        [ids["a_1.png"], "uploading", "4/8", "ada", "a_1.png"],
        [ids["late.mp4"], "expired", "4/9", "-", "late.mp4"],
        [ids["done.mp4"], "complete", "4/4", "-", "done.mp4"],
    ]


def test_show_tells_all_that_is_recorded(app: Flask, ids: dict[str, str]) -> None:
    shown: dict[str, Any] = json.loads(run(app, "show", "--json", ids["done.mp4"]).output)
    assert shown["upload_set"] == "videos"
    assert (shown["status"], shown["offset"], shown["expired"]) == (2, 4, False)
    assert shown["checksums"] == {"md5": shown["md5"]}
    assert shown["path"].endswith("done.mp4")
    text = run(app, "show", ids["a_1.png"]).output.splitlines()
    assert "owner:        ada" in text
    assert "length:       8" in text


def test_delete_removes_bytes_and_records_and_tells_the_app(
    app: Flask, ids: dict[str, str]
) -> None:
    gone: list[str] = []
    with upload_aborted.connected_to(lambda sender, upload, **_: gone.append(upload.upload_id)):
        result = run(app, "delete", ids["done.mp4"], ids["a_1.png"], "--yes")
    assert result.output == "2 uploads were deleted.\n"
    assert sorted(gone) == sorted([ids["done.mp4"], ids["a_1.png"]])
    assert [record.filename for record in records(app, "videos")] == ["late.mp4"]
    assert not [name for name in files(app) if "done" in name or ids["a_1.png"] in name]


def test_delete_takes_the_same_options_and_removes_expired_ones_as_expired(
    app: Flask, ids: dict[str, str]
) -> None:
    gone: list[str] = []
    with upload_expired.connected_to(lambda sender, upload, **_: gone.append(upload.upload_id)):
        result = run(app, "delete", "--expired", "--yes", "--json")
    assert json.loads(result.output) == {"deleted": [ids["late.mp4"]]}
    assert gone == [ids["late.mp4"]]
    assert run(app, "delete", "--set", "videos", "-y").output == "1 upload was deleted.\n"
    assert listed(app) == ["a_1.png"]


@pytest.mark.one_database
def test_delete_asks_first(app: Flask, ids: dict[str, str]) -> None:
    refused = run(app, "delete", "--name", "mp4", answers="n\n")
    assert refused.exit_code == 1
    assert "Delete 2 uploads with their bytes?" in refused.output
    assert len(listed(app)) == len(ids)


@pytest.mark.one_database
@pytest.mark.parametrize("command", ["delete", "expire", "list"])
def test_an_empty_name_does_not_choose_everything(
    app: Flask, ids: dict[str, str], command: str
) -> None:
    refused = run(app, command, "--name", "", answers="y\n")
    assert refused.exit_code == 2
    assert "Invalid value for '--name': must not be empty" in refused.output
    assert len(listed(app)) == len(ids)
    assert listed(app, "--expired") == ["late.mp4"]


def test_expire_ends_the_time_of_an_unfinished_upload(app: Flask, ids: dict[str, str]) -> None:
    assert run(app, "expire", ids["a_1.png"]).output == "1 upload was expired.\n"
    chunk = Protocol(app.test_client(), "/photos").chunk(
        b"more", 4, 8, upload_id=ids["a_1.png"], headers={"X-User": "ada"}
    )
    assert refusal(chunk) == (410, "Upload has expired")
    assert listed(app, "--expired") == ["a_1.png", "late.mp4"]
    run(app, "delete-expired-uploads")
    assert listed(app) == ["done.mp4"]


def test_expire_leaves_complete_uploads_alone(app: Flask, ids: dict[str, str]) -> None:
    result = run(app, "expire", ids["done.mp4"])
    assert result.exit_code == 1
    assert "is complete and never expires; use delete" in result.output
    assert json.loads(run(app, "expire", "--set", "videos", "--json").output) == {
        "expired": [ids["late.mp4"]]
    }
    assert listed(app, "--status", "complete") == ["done.mp4"]


@pytest.mark.one_database
@pytest.mark.parametrize("command", ["show", "delete", "expire"])
def test_an_unknown_id_changes_nothing(app: Flask, ids: dict[str, str], command: str) -> None:
    unknown = "f" * 32
    given = [unknown] if command == "show" else [ids["a_1.png"], unknown]
    result = run(app, command, *given)
    assert result.exit_code == 1
    assert result.output == f"Error: there is no upload with the id {unknown}\n"
    assert len(listed(app)) == len(ids)


#: What is said of wrong options.
WRONG = [
    (["list", "--set", "audio"], "no upload set named 'audio'; it has: photos, videos"),
    (["list", "--status", "gone"], "'gone' is not one of 'uploading', 'complete'"),
    (["delete"], "Give the ids of uploads, or options that choose them."),
    (["expire"], "Give the ids of uploads, or options that choose them."),
    (["delete", "f" * 32, "--expired"], "or options that choose them, not both."),
    (["verify", "f" * 32, "--expired"], "or options that choose them, not both."),
    (["list", "--larger", "big"], "expected bytes, as 1048576, 512K or 10G"),
    (["list", "--older", "long"], "expected seconds, or parts as in 1d 12h 30m"),
]


@pytest.mark.one_database
def test_wrong_options_say_what_was_expected(app: Flask) -> None:
    for words, said in WRONG:
        result = run(app, *words)
        assert result.exit_code == 2, words
        assert said in " ".join(result.output.split())


@pytest.mark.one_database
def test_verify_takes_ids_and_options(app: Flask, ids: dict[str, str]) -> None:
    assert run(app, "verify", ids["done.mp4"]).output == "1 file was checked, 0 are wrong.\n"
    assert json.loads(run(app, "verify", "--set", "photos", "--json").output)["checked"] == 0
    [place] = [path for path in Path(app.instance_path).rglob("*done*.mp4") if path.is_file()]
    place.write_bytes(b"DONE")
    assert run(app, "verify").exit_code == 0
    found = run(app, "verify", "--name", "done", "--checksums")
    assert found.exit_code == 1
    assert "its md5 differs from the record's\n1 file was checked, 1 is wrong.\n" in found.output
    assert "is not complete" in run(app, "verify", ids["a_1.png"]).output


@pytest.mark.one_database
def test_the_stand_alone_program_has_them(app: Flask) -> None:
    assert {"list", "show", "delete", "expire"} <= cli.commands.keys()
    assert listed(app) == []


def test_stats_count_by_status_and_owner(app: Flask, ids: dict[str, str]) -> None:
    result = run(app, "stats", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["photos"]["statuses"] == {"uploading": {"uploads": 1, "bytes": 4}}
    assert found["photos"]["owners"] == [{"owner": "ada", "uploads": 1, "bytes": 4}]
    assert found["videos"]["statuses"] == {
        "uploading": {"uploads": 1, "bytes": 4},
        "complete": {"uploads": 1, "bytes": 4},
    }
    assert found["videos"]["owners"] == [{"owner": None, "uploads": 2, "bytes": 8}]
    assert found["videos"]["hooks_waiting"] == 0
    assert found["videos"]["free_bytes"] > 0


@pytest.mark.one_database
def test_stats_for_people(app: Flask, ids: dict[str, str]) -> None:
    lines = run(app, "stats", "--owners", "1").output.splitlines()
    assert lines[0] == "photos:"
    assert lines[1].split() == ["uploading", "1", "upload", "4", "bytes"]
    assert any(line.split() == ["1", "upload", "4", "bytes", "ada"] for line in lines)
    assert any(line.endswith("no owner") for line in lines)


def test_stats_name_hooks_that_wait(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)

    @uploads.on_completion
    def fail(uploaded_file: Any, request: Any) -> None:
        raise RuntimeError

    create_tables(app)
    Protocol(app.test_client()).completed(b"done")
    found = json.loads(run(app, "stats", "--json").output)["chunked_upload"]
    assert found["hooks_waiting"] == 1
    assert found["hooks_waiting_seconds"] < 60
    assert "has not returned for 1 of them" in run(app, "stats").output
