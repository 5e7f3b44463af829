"""``chunked_upload`` in templates: what the helpers write, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask_dropzone import Dropzone
from flask_wtf.csrf import CSRFProtect
from jinja2 import DictLoader
from markupsafe import Markup

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.pages import template_helpers as helpers
from chunked_upload.pages.zone_options import NOT_NEEDED, SPECS, Message
from tests.conftest import create_tables
from tests.extension.helpers import Elements, answer
from tests.http.forms import field, file, post_form
from tests.support.protocol import Protocol

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]
Make = Callable[..., Flask]

#: Breaks out of attributes, elements, scripts and template strings, where it may.
HOSTILE = "\"'`><script>alert(1)</script>${alert(1)}\\\n&quot;é"


@pytest.fixture
def make(make_app: MakeApp) -> Make:
    """Make an app; keywords are its config."""

    def make(**config: Any) -> Flask:
        app = make_app(**config)
        ChunkedUpload(app)
        create_tables(app)
        app.add_url_rule("/thanks", "thanks", lambda: "thanks")
        return app

    return make


@pytest.fixture(autouse=True)
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A static folder with Dropzone in it, whether or not npm was there to build it."""
    (tmp_path / "static" / "vendor").mkdir(parents=True)
    (tmp_path / "static" / "vendor" / "dropzone.min.js").touch()
    monkeypatch.setattr(helpers, "resource", lambda name: tmp_path / name)


def render(app: Flask, template: str, **context: Any) -> str:
    with app.test_request_context():
        return render_template_string(template, **context)


def zone(app: Flask, call: str = "", **context: Any) -> dict[str, Any]:
    """Return the options that the module gets from ``dropzone(<call>)``."""
    page = Elements(render(app, f"{{{{ chunked_upload.dropzone({call}) }}}}", **context))
    [options] = [
        found["data-chunked-upload"] for _, found in page.all if "data-chunked-upload" in found
    ]
    loaded: dict[str, Any] = json.loads(options or "")
    return loaded


# head()


def test_head_has_no_inline_script(make: Make) -> None:
    page = Elements(render(make(), "{{ chunked_upload.head() }}"))
    [script] = page.find("script")
    assert script == {"type": "module", "src": "/uploads/static/chunked-upload-dropzone.js"}
    assert [link["href"] for link in page.find("link")] == [
        "/uploads/static/vendor/dropzone.min.css",
        "/uploads/static/chunked-upload-dropzone.css",
    ]
    assert not page.text.strip()


def test_head_with_a_nonce(make: Make) -> None:
    page = Elements(render(make(), "{{ chunked_upload.head(nonce=nonce) }}", nonce=HOSTILE))
    tags = page.find("script") + page.find("link")
    assert [tag["nonce"] for tag in tags] == [HOSTILE] * 3


def test_without_dropzone_head_says_how_to_get_it(make: Make, tmp_path: Path) -> None:
    (tmp_path / "static" / "vendor" / "dropzone.min.js").unlink()
    with pytest.raises(RuntimeError, match="make vendor"):
        render(make(), "{{ chunked_upload.head() }}")


# dropzone()


def test_a_zone_as_it_comes(make: Make) -> None:
    app = make()
    page = Elements(render(app, "{{ chunked_upload.dropzone() }}"))
    [form] = page.find("form")
    assert (form["action"], form["method"], form["enctype"]) == (
        "/uploads/form",
        "post",
        "multipart/form-data",
    )
    options = json.loads(form["data-chunked-upload"] or "")
    assert options["endpoint"] == "/uploads/"
    assert options["csrfToken"] == ""
    assert (options["maxBytes"], options["maxFiles"], options["accept"]) == (None, None, None)
    assert options["texts"]["dictDefaultMessage"] == "Drop files here or click to upload."


def test_limits_of_the_upload_set_are_the_zones(make: Make) -> None:
    app = make(
        CHUNKED_UPLOAD_MAX_BYTES=5 * 2**20,
        CHUNKED_UPLOAD_ALLOWED_EXTENSIONS=("jpg", ".png"),
        CHUNKED_UPLOAD_FIELD_NAME="photo",
    )
    options = zone(app)
    assert options["maxBytes"] == 5 * 2**20
    assert options["accept"] == ".jpg,.png"
    assert options["fieldName"] == "photo"


@pytest.mark.parametrize(
    ("call", "name", "value"),
    [
        ("max_file_size=3", "maxBytes", 3 * 2**20),
        ("max_file_size=2.5", "maxBytes", 5 * 2**19),
        ("max_file_size='2G'", "maxBytes", 2**31),
        ("max_files=4", "maxFiles", 4),
        ("allowed_file_type='image'", "accept", "image/*"),
        ("allowed_file_type='.pdf,image/*'", "accept", ".pdf,image/*"),
        ("allowed_file_type=['.pdf', '.txt']", "accept", ".pdf,.txt"),
        ("input_name='files[]'", "fieldName", "files[]"),
        ("parallel_uploads=5", "parallel", 5),
        ("timeout=5000", "timeout", 5000),
        ("chunk_size='4M'", "chunkSize", 4 * 2**20),
        ("chunk_size=65536", "chunkSize", 65536),
        ("resume=False", "resume", False),
        ("md5=False", "md5", False),
        ("metadata={'album': 7}", "metadata", {"album": "7"}),
        ("thumbnails=False", "thumbnails", False),
        ("remove_links=False", "removeLinks", False),
        ("redirect_view='thanks'", "redirect", "/thanks"),
        ("redirect_view='/after?x=1'", "redirect", "/after?x=1"),
        ("redirect_view='https://else.example/'", "redirect", "https://else.example/"),
        ("upload_on_click=True", "button", "upload"),
        ("upload_on_click=True, upload_btn_id='go'", "button", "go"),
        ("upload_btn_id='go'", "button", None),
        ("in_form=True", "inForm", True),
        ("upload_id_name='document'", "uploadIdName", "document"),
        ("upload_action='https://files.example/u'", "endpoint", "https://files.example/u/"),
        ("upload_action='https://files.example/u/'", "csrfTokenUrl",
         "https://files.example/u/csrf-token"),
        ("upload_action='https://files.example/u/'", "csrfToken", None),
        ("upload_action='chunked_upload.uploads'", "endpoint", "/uploads/"),
    ],
)  # fmt: skip
def test_options(make: Make, call: str, name: str, value: Any) -> None:
    assert zone(make(), call)[name] == value


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("max_fils=3", r"unknown option; did you mean max_files\?"),
        ("max_files=0", "must be a positive number"),
        ("max_files=True", "must be a positive number"),
        ("max_file_size='big'", "expected bytes"),
        ("max_file_size=-1", "expected a number of MiB"),
        ("upload_on_click='maybe'", "expected 1, true, yes, on, or 0"),
        ("upload_on_click=7", "must be True or False"),
        ("metadata=3", "expected a dict"),
        ("redirect_view=''", "expected a name"),
        ("input_name='other'", "CHUNKED_UPLOAD_FIELD_NAME"),
        ("upload_set='other'", "upload_set= must be one of"),
        *[(f"{name}=True", f"not needed, {why[:20]}") for name, why in NOT_NEEDED.items()],
    ],
)
def test_options_that_cannot_work_are_named(make: Make, call: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem.replace("(", r"\(")):
        zone(make(), call)


def test_no_text_breaks_out(make: Make) -> None:
    """Flask-Dropzone's messages could; here every one is data."""
    app = make()
    texts = [name for name, spec in SPECS.items() if isinstance(spec.metadata["field"], Message)]
    others = ["id", "upload_btn_id", "upload_id_name", "allowed_file_type", "upload_action"]
    call = ", ".join(f"{name}=bad" for name in (*texts, *others))
    for more in ("", ", in_form=True"):
        page = Elements(
            render(app, f"{{{{ chunked_upload.dropzone({call}{more}) }}}}", bad=HOSTILE)
        )
        assert page.find("script") == []
        [element] = [found for _, found in page.all if "data-chunked-upload" in found]
        assert element["id"] == HOSTILE
        options = json.loads(element["data-chunked-upload"] or "")
        assert set(options["texts"].values()) == {HOSTILE}


def test_texts_may_be_lazy(make: Make) -> None:
    class Lazy:
        def __str__(self) -> str:
            return "Hierher"

    assert zone(make(), "default_message=lazy", lazy=Lazy())["texts"]["dictDefaultMessage"] == (
        "Hierher"
    )


def test_the_script_knows_which_texts_are_the_apps(make: Make) -> None:
    """It shows those as they are, and all others in the page's language."""
    assert zone(make())["given"] == []
    english = "Drop files here or click to upload."
    given = zone(make(), "default_message=english, retry='Once more'", english=english)["given"]
    assert given == ["dictDefaultMessage", "retry"]


def test_many_zones_on_a_page(make: Make) -> None:
    page = Elements(
        render(make(), "{{ chunked_upload.dropzone() }}{{ chunked_upload.dropzone(id='b') }}")
    )
    first, second = page.find("form")
    assert "id" not in first
    assert second["id"] == "b"


def test_in_a_form_the_zone_is_no_form(make: Make) -> None:
    page = Elements(render(make(), "<form>{{ chunked_upload.dropzone(in_form=True) }}</form>"))
    assert len(page.find("form")) == 1
    assert page.find("input") == []


def test_macros_of_other_templates_have_it_with_context(make: Make) -> None:
    app = make()
    macro = "{% macro zone() %}{{ chunked_upload.dropzone() }}{% endmacro %}"
    app.jinja_loader = DictLoader({"macros.html": macro})
    page = "{% import 'macros.html' as macros with context %}{{ macros.zone() }}"
    assert "data-chunked-upload" in render(app, page)


# Dropzone's own options


def test_more_options_of_dropzone(make: Make) -> None:
    options = zone(make(), "options={'thumbnailWidth': 200, 'dictFileSizeUnits': {'tb': 'TiB'}}")
    assert options["dropzone"] == {"thumbnailWidth": 200, "dictFileSizeUnits": {"tb": "TiB"}}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"chunking": True}, "files go in chunks"),
        ({"url": "/x"}, "write upload_action="),
        ({"dictDefaultMessage": "<b>"}, "write default_message="),
        ({"accept": lambda file, done: None}, r"a script of your own, as Dropzone\.options"),
    ],
)
def test_options_of_dropzone_that_a_zone_decides_are_refused(
    make: Make, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        zone(make(), "options=given", given=given)


def test_a_message_may_be_html_if_it_says_so(make: Make) -> None:
    app = make()
    assert zone(app)["htmlTexts"] == []
    given = Markup("Drop here<br>or click")
    options = zone(app, "default_message=given", given=given)
    assert options["htmlTexts"] == ["dictDefaultMessage"]
    assert options["texts"]["dictDefaultMessage"] == "Drop here<br>or click"


# Without scripts


@pytest.mark.parametrize(
    ("target", "goes"),
    [("thanks", "/thanks"), ("/after?x=1", "/after?x=1"), ("https://else.example/", None)],
)
def test_without_scripts_the_zone_redirects_within_its_site(
    make: Make, target: str, goes: str | None
) -> None:
    app = make()
    page = Elements(render(app, f"{{{{ chunked_upload.dropzone(redirect_view='{target}') }}}}"))
    fields = [field(tag["name"] or "", tag["value"] or "") for tag in page.find("input")[:-1]]
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    reply = post_form(client, *fields, file(b"data"), path="/uploads/form")
    assert reply.headers.get("Location") == goes
    assert answer(client.get("/uploads/"))["total"] == 1


def test_without_scripts_the_zone_is_a_plain_form(make: Make) -> None:
    app = make(CHUNKED_UPLOAD_CSRF=True)
    client = app.test_client()
    app.add_url_rule("/", "page", lambda: render_template_string(
        "{{ chunked_upload.dropzone(max_files=1, allowed_file_type='.txt', upload_button='Go') }}"
    ))  # fmt: skip
    page = Elements(client.get("/").text)
    hidden, chooser = page.find("input")
    assert chooser == {"type": "file", "name": "file", "accept": ".txt"}
    assert "Go" in page.text
    [form] = page.find("form")
    token = field(hidden["name"] or "", hidden["value"] or "")
    [upload] = answer(post_form(client, token, file(b"data"), path=form["action"] or ""))["uploads"]
    assert upload["status"] == 2


# CSRF and sessions


@pytest.mark.parametrize("config", [{"CHUNKED_UPLOAD_CSRF": True}, {}])
def test_a_token_goes_along_where_it_is_checked(make: Make, config: dict[str, Any]) -> None:
    app = make(**config)
    if not config:
        CSRFProtect(app)
    page = "{{ chunked_upload.dropzone() }}"
    app.add_url_rule("/", "page", lambda: render_template_string(page))
    client = app.test_client()
    [form] = Elements(client.get("/").text).find("form")
    options = json.loads(form["data-chunked-upload"] or "")
    assert options["csrfTokenUrl"] == "/uploads/csrf-token"
    answer(Protocol(client).chunk(b"data", headers={"X-CSRFToken": options["csrfToken"]}))


def test_a_token_for_a_form_of_ones_own(make: Make) -> None:
    template = "<{{ chunked_upload.csrf_token() }}>"
    assert render(make(), template) == "<>"
    assert len(render(make(CHUNKED_UPLOAD_CSRF=True), template)) > 40


def test_files_sent_at_once_are_one_visitors(make: Make) -> None:
    app = make()
    page = "{{ chunked_upload.dropzone() }}"
    app.add_url_rule("/", "page", lambda: render_template_string(page))
    client = app.test_client()
    client.get("/")
    cookie = client.get_cookie("session")
    assert cookie is not None
    for name in ("a.bin", "b.bin"):
        client.set_cookie("session", cookie.value)
        Protocol(client).upload(b"data", filename=name)
    assert answer(client.get("/uploads/"))["total"] == 2


# Where options come from


def test_an_apps_defaults_and_a_calls_options(make: Make) -> None:
    app = make(CHUNKED_UPLOAD_DROPZONE={"max_files": 3, "default_message": "Hier"})
    assert zone(app)["maxFiles"] == 3
    assert zone(app, "max_files=5")["maxFiles"] == 5
    assert zone(app, "max_files=None")["maxFiles"] is None
    assert zone(app)["texts"]["dictDefaultMessage"] == "Hier"


def test_defaults_that_cannot_work_stop_the_app(make: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"CHUNKED_UPLOAD_DROPZONE: max_fils=3: unknown"):
        make(CHUNKED_UPLOAD_DROPZONE={"max_fils": 3})


def test_flask_dropzones_settings_go_on_to_hold(make: Make) -> None:
    """All of its keys are known: ported, or not needed."""
    app = make()
    ported = {f"DROPZONE_{spec.metadata['ported']}" for spec in SPECS.values()} - {"DROPZONE_"}
    Dropzone(other := Flask("other"))
    theirs = {key for key in other.config if key.startswith("DROPZONE_")}
    assert theirs == ported | {f"DROPZONE_{name.upper()}" for name in NOT_NEEDED}

    app.config.update(
        DROPZONE_MAX_FILE_SIZE=7,
        DROPZONE_MAX_FILES="null",
        DROPZONE_REDIRECT_VIEW="thanks",
        DROPZONE_MAX_FILE_EXCEED="Genug",
        DROPZONE_SERVE_LOCAL=True,
    )
    options = zone(app)
    assert (options["maxBytes"], options["maxFiles"]) == (7 * 2**20, None)
    assert options["redirect"] == "/thanks"
    assert options["texts"]["dictMaxFilesExceeded"] == "Genug"


def test_beside_flask_dropzone_its_settings_are_its_own(make: Make) -> None:
    app = make()
    Dropzone(app)  # sets DROPZONE_MAX_FILE_SIZE = 3
    assert zone(app)["maxBytes"] is None


# Several upload sets


def test_the_only_upload_set_is_meant_else_the_one_named(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, name="photos", url_prefix="/photos", csrf=True)
    assert zone(app)["endpoint"] == "/photos/"
    ChunkedUpload(app, name="videos", url_prefix="/videos")
    with pytest.raises(ConfigurationError, match="upload_set= must be one of"):
        zone(app)
    assert zone(app, "upload_set='videos'")["endpoint"] == "/videos/"
    assert "/videos/static/" in render(app, "{{ chunked_upload.head(upload_set='videos') }}")
    ChunkedUpload(app)
    assert zone(app)["endpoint"] == "/uploads/"


# What a form's view does with the ids


def test_find_gives_the_callers_own_upload(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    protocol = Protocol(app.test_client())
    sent = protocol.chunk(b"data", filename="a.txt", headers={"X-User": "ada"})
    upload_id = answer(sent)["upload_id"]
    with app.test_request_context(headers={"X-User": "ada"}):
        assert uploads.find(upload_id).filename == "a.txt"
    for user, asked in (("bob", upload_id), ("ada", "0" * 32), ("ada", "../etc")):
        with app.test_request_context(headers={"X-User": user}), pytest.raises(UploadNotFound):
            uploads.find(asked)
