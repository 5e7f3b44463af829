"""Flask-Dropzone's interface: templates written for it run with only the import changed.

The apps are those of its documentation, written anew; what they do in a browser is
tests/browser/test_ported_dropzone.py's.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, render_template_string, request
from flask_dropzone import Dropzone as TheirDropzone
from flask_wtf.csrf import CSRFError, CSRFProtect

from chunked_upload import ChunkedUpload, ConfigurationError, Dropzone
from chunked_upload.pages.custom_options import plain_values
from tests.conftest import create_tables
from tests.extension.helpers import Elements

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]

#: The page of its first example.
PAGE = """\
<head>
{{ dropzone.load_css() }}
{{ dropzone.style("border: 2px dashed #0087F7; margin: 10%; min-height: 400px;") }}
</head>
<body>
{{ dropzone.create(action="upload") }}
{{ dropzone.load_js() }}
{{ dropzone.config() }}
</body>
"""


def ported_app(extension: type[Any] = Dropzone, template: str = PAGE, **config: Any) -> Flask:
    """Return an app of Flask-Dropzone's documentation, which notes what it saves."""
    app = Flask("ported")
    app.config.update(TESTING=True, SECRET_KEY="tests", **config)
    extension(app)
    saved = app.extensions["saved"] = {}

    def upload() -> Any:
        if request.method == "POST":
            for key, f in request.files.items():
                if f.filename.split(".")[1] != "png":  # type: ignore[union-attr]
                    return "PNG only!", 400
                saved[f.filename] = (key, f.read())
        return render_template_string(template)

    app.add_url_rule("/", "upload", upload, methods=["GET", "POST"])
    app.add_url_rule("/completed", "completed", lambda: "Upload completed.")
    return app


def page_of(app: Flask, template: str | None = None, **context: Any) -> Elements:
    if template is None:
        return Elements(app.test_client().get("/").text)
    with app.test_request_context():
        return Elements(render_template_string(template, **context))


def zones_of(page: Elements) -> dict[str, dict[str, Any]]:
    """Return the options by which the script makes each zone of a page."""
    options: dict[str, dict[str, Any]] = {}
    for _, attributes in page.all:
        if attributes.get("data-chunked-upload"):
            name = attributes.get("data-chunked-upload-for") or attributes["id"]
            options[name or ""] = json.loads(attributes["data-chunked-upload"] or "")
    return options


def zone(app: Flask, config: str = "", create: str = "action='upload'") -> dict[str, Any]:
    """Return the options of one zone."""
    template = f"{{{{ dropzone.create({create}) }}}}{{{{ dropzone.config({config}) }}}}"
    [options] = zones_of(page_of(app, template)).values()
    return options


@pytest.fixture
def sets(make_app: MakeApp) -> Flask:
    """An app with an upload set besides."""
    app = make_app(DROPZONE_REDIRECT_VIEW="completed")
    app.add_url_rule("/completed", "completed", lambda: "Upload completed.")
    ChunkedUpload(app, max_bytes=2**20, allowed_extensions=("png",))
    Dropzone(app)
    create_tables(app)
    return app


# The examples of its documentation, with files for a view of the app's own


@pytest.mark.parametrize("extension", [TheirDropzone, Dropzone])
def test_the_page_has_the_form_that_it_had(extension: type[Any]) -> None:
    """Side by side with the original."""
    [form] = page_of(ported_app(extension)).find("form")
    assert (form["action"], form["method"], form["enctype"]) == ("/", "post", "multipart/form-data")
    assert form["id"] == "myDropzone"
    assert "dropzone" in (form["class"] or "").split()


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"DROPZONE_ALLOWED_FILE_TYPE": "image", "DROPZONE_MAX_FILES": 30},
        {
            "DROPZONE_ALLOWED_FILE_CUSTOM": True,
            "DROPZONE_ALLOWED_FILE_TYPE": "image/*, .pdf",
            "DROPZONE_MAX_FILE_SIZE": 1024,
            "DROPZONE_INPUT_NAME": "photo",
            "DROPZONE_MAX_FILES": "null",
        },
        {"DROPZONE_PARALLEL_UPLOADS": 3, "DROPZONE_UPLOAD_MULTIPLE": True},
        {"DROPZONE_MAX_FILES": 20, "DROPZONE_UPLOAD_ON_CLICK": True},
        {"DROPZONE_MAX_FILE_EXCEED": "Enough", "DROPZONE_SERVER_ERROR": "It fails"},
    ],
)
def test_dropzone_gets_the_values_that_it_got(config: dict[str, Any]) -> None:
    """Side by side with the original's script."""
    script = page_of(ported_app(TheirDropzone, **config)).text
    theirs = dict(re.findall(r"^ *(\w+): (.*?), *(?://.*)?$", script, re.MULTILINE))
    ours = zones_of(page_of(ported_app(**config)))["myDropzone"]
    assert theirs["acceptedFiles"].replace(", ", ",") == f'"{ours["accept"]}"'.replace(", ", ",")
    assert int(theirs["maxFilesize"]) * 2**20 == ours["maxBytes"]
    assert theirs["paramName"] == f'"{ours["fieldName"]}"'
    for name, value in {
        "maxFiles": ours["maxFiles"],
        "parallelUploads": ours["parallel"],
        "uploadMultiple": ours["multiple"],
    }.items():
        assert theirs[name] == json.dumps(value), name
    assert theirs.get("autoProcessQueue", "true") == json.dumps(ours["button"] is None)
    texts = ours["texts"].keys() & theirs.keys() - {"dictDefaultMessage", "dictFileTooBig"}
    assert len(texts) == 8
    assert all(theirs[name] == f'"{ours["texts"][name]}"' for name in texts)


def test_the_basic_example() -> None:
    app = ported_app(
        DROPZONE_ALLOWED_FILE_TYPE="image", DROPZONE_MAX_FILE_SIZE=3, DROPZONE_MAX_FILES=30
    )
    options = zones_of(page_of(app))["myDropzone"]
    assert (options["endpoint"], options["fieldName"], options["whole"]) == ("/", "file", True)
    assert (options["maxBytes"], options["maxFiles"]) == (3 * 2**20, 30)
    assert (options["accept"], options["parallel"]) == ("image/*", 2)
    reply = app.test_client().post("/", data={"file": (io.BytesIO(b"data"), "a.png")})
    assert reply.status_code == 200
    assert app.extensions["saved"] == {"a.png": ("file", b"data")}


def test_what_is_not_set_is_as_it_was() -> None:
    options = zone(ported_app())
    assert options["maxBytes"] == 3 * 2**20
    assert options["accept"] == "image/*,audio/*,video/*,text/*,application/*"
    assert not options["removeLinks"]


def test_a_views_own_check_refuses() -> None:
    app = ported_app()
    reply = app.test_client().post("/", data={"file": (io.BytesIO(b"data"), "a.exe")})
    assert (reply.status_code, reply.text) == (400, "PNG only!")
    assert not app.extensions["saved"]


def test_parallel_uploads_in_one_request() -> None:
    app = ported_app(DROPZONE_PARALLEL_UPLOADS=3, DROPZONE_UPLOAD_MULTIPLE=True)
    options = zone(app)
    assert (options["multiple"], options["parallel"]) == (True, 3)


def test_upload_on_a_click_sends_all_in_one_request() -> None:
    options = zone(ported_app(DROPZONE_MAX_FILES=20, DROPZONE_UPLOAD_ON_CLICK=True))
    assert (options["button"], options["multiple"], options["parallel"]) == ("upload", True, 20)


def test_in_a_form() -> None:
    app = ported_app(
        DROPZONE_IN_FORM=True,
        DROPZONE_UPLOAD_ON_CLICK=True,
        DROPZONE_UPLOAD_ACTION="upload",
        DROPZONE_UPLOAD_BTN_ID="submit",
    )
    template = "<form>{{ dropzone.create() }}</form>{{ dropzone.load_js() }}{{ dropzone.config() }}"
    page = page_of(app, template)
    assert len(page.find("form")) == 1
    options = zones_of(page)["myDropzone"]
    assert (options["inForm"], options["button"], options["endpoint"]) == (True, "submit", "/")


def test_the_redirect_when_all_are_uploaded() -> None:
    app = ported_app(DROPZONE_REDIRECT_VIEW="completed")
    assert zone(app)["redirect"] == "/completed"
    assert zone(app, "redirect_url='/album/7'")["redirect"] == "/album/7"
    assert zone(app, "redirect_view='upload'")["redirect"] == "/"


def test_csrf_with_a_handler_of_the_apps_own() -> None:
    app = ported_app(DROPZONE_ENABLE_CSRF=True)
    CSRFProtect(app)
    app.register_error_handler(CSRFError, lambda error: (error.description, 400))
    client = app.test_client()
    token = zones_of(Elements(client.get("/").text))["myDropzone"]["csrfToken"]
    refused = client.post("/", data={"file": (io.BytesIO(b"data"), "a.png")})
    assert (refused.status_code, refused.text) == (400, "The CSRF token is missing.")
    headers = {"X-CSRF-Token": token}
    taken = client.post("/", data={"file": (io.BytesIO(b"data"), "a.png")}, headers=headers)
    assert taken.status_code == 200


def test_csrf_that_nothing_checks_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="call CSRFProtect"):
        zone(ported_app(DROPZONE_ENABLE_CSRF=True))


def test_a_token_does_not_go_to_other_sites() -> None:
    app = ported_app()
    CSRFProtect(app)
    assert zone(app, create="'https://else.example/upload'")["csrfToken"] == ""
    assert zone(app)["csrfToken"]


def test_many_zones_each_with_its_options() -> None:
    template = (
        "{{ dropzone.create('upload', id='foo') }}{{ dropzone.create('upload', id='bar') }}"
        "{{ dropzone.config(id='foo', default_message='Foo') }}"
        "{{ dropzone.config(id='bar', default_message='Bar', max_files=1) }}"
    )
    zones = zones_of(page_of(ported_app(), template))
    texts = {name: options["texts"]["dictDefaultMessage"] for name, options in zones.items()}
    assert texts == {"foo": "Foo", "bar": "Bar"}
    assert (zones["foo"]["maxFiles"], zones["bar"]["maxFiles"]) == (None, 1)


def test_config_may_come_before_create() -> None:
    template = "{{ dropzone.config(max_files=4) }}{{ dropzone.create('upload') }}"
    assert zones_of(page_of(ported_app(), template))["myDropzone"]["maxFiles"] == 4


def test_no_links_that_remove_nothing(sets: Flask) -> None:
    assert zone(sets, create="")["removeLinks"]
    assert not zone(sets, "upload_multiple=True", create="")["removeLinks"]


def test_an_endpoint_with_values_or_by_its_old_name() -> None:
    app = ported_app()
    app.add_url_rule("/album/<int:number>", "album", lambda number: "", methods=["POST"])
    assert zone(app, create="'album', number=7")["endpoint"] == "/album/7"
    assert zone(app, create="action_view='upload'")["endpoint"] == "/"
    with pytest.raises(ConfigurationError, match=r"needs action="):
        zone(app, create="")


# Custom options


def test_plain_custom_options_need_no_script() -> None:
    given = "autoProcessQueue: false, addRemoveLinks: true, parallelUploads: 20,"
    app = ported_app()
    assert zone(app, f"custom_options='{given}'")["dropzone"] == {
        "autoProcessQueue": False,
        "addRemoveLinks": True,
        "parallelUploads": 20,
    }
    assert zone(app, "custom_options={'clickable': '.x'}")["dropzone"] == {"clickable": ".x"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("  method: 'put' ", {"method": "put"}),
        ('"a": "it\'s, b: 1", c: -1.5', {"a": "it's, b: 1", "c": -1.5}),
        ("a: null,\n  b: [1]", None),
        ("success: function(file) {}", None),
        ("a: 1 b: 2", None),
        ("a: 1 + 1", None),
        ("a: 'it\\'s'", None),
    ],
)
def test_what_plain_is(text: str, values: dict[str, Any] | None) -> None:
    assert plain_values(text) == values


def test_values_that_json_has_not_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"custom_options=.*expected values that JSON has"):
        zone(ported_app(), "custom_options={'accept': request}")


INIT = 'this.on("success", () => {});'


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (f"custom_init='{INIT}'", INIT),
        ("custom_options='success: function() {}'", "success: function() {}"),
    ],
)
def test_javascript_needs_a_nonce(call: str, code: str) -> None:
    template = "{{ dropzone.create('upload') }}{{ dropzone.config(%s) }}"
    with pytest.raises(ConfigurationError, match=r"Dropzone\.options\.myDropzone = \{init"):
        page_of(ported_app(), template % call)
    page = page_of(ported_app(), template % f"{call}, nonce='abc'")
    [script] = [script for script in page.find("script") if "src" not in script]
    assert script == {"nonce": "abc"}
    assert code in page.text


def test_every_other_script_and_its_place_is_the_sites() -> None:
    """So a policy of ``script-src 'self'`` allows them all."""
    page = page_of(ported_app())
    assert all(
        (script["src"] or "").startswith("/dropzone/static/") for script in page.find("script")
    )
    client = ported_app().test_client()
    for tag in page.find("script") + page.find("link"):
        name = tag.get("src") or tag.get("href") or ""
        if "vendor" not in name:  # built by npm
            with client.get(name) as reply:
                assert reply.status_code == 200, name
    assert client.get("/dropzone/static/no.js").status_code == 404


# Dropzone's own files


@pytest.mark.parametrize("helper", ["load_js", "load_css"])
@pytest.mark.parametrize(
    ("config", "call", "start"),
    [
        ({}, "", "/dropzone/static/vendor/dropzone.min."),
        ({"DROPZONE_SERVE_LOCAL": True}, "version='5.2.0'", "/dropzone/static/vendor/"),
        ({}, "version='5.2.0'", "https://cdn.jsdelivr.net/npm/dropzone@5.2.0/dist/min/dropzone."),
        ({"DROPZONE_SERVE_LOCAL": False}, "", "https://cdn.jsdelivr.net/npm/dropzone@5.9.3/dist/"),
        ({}, "'https://x.example/d'", "https://x.example/d"),
    ],
)
def test_where_dropzone_comes_from(
    helper: str, config: dict[str, Any], call: str, start: str
) -> None:
    page = page_of(ported_app(**config), f"{{{{ dropzone.{helper}({call}) }}}}")
    first = (page.find("script") + page.find("link"))[0]
    assert (first.get("src") or first.get("href") or "").startswith(start)


def test_load_is_everything() -> None:
    page = page_of(ported_app(), "{{ dropzone.load() }}{{ dropzone.create('upload') }}")
    assert len(page.find("link")) == 2
    assert "myDropzone" in zones_of(page)


def test_a_style_cannot_end_its_element() -> None:
    template = "{{ dropzone.style('a</style><script>', id='foo') }}"
    page = page_of(ported_app(), template)
    assert page.text.strip() == r".dropzone#foo{a\3c /style>\3c script>}"


# An upload set as the action


def test_an_upload_sets_zone_sends_chunks(sets: Flask) -> None:
    options = zone(sets, create="action='chunked_upload.uploads'")
    assert (options["endpoint"], options["whole"]) == ("/uploads/", False)
    assert (options["maxBytes"], options["accept"]) == (2**20, ".png")
    assert zone(sets, create="'/uploads'")["endpoint"] == "/uploads/"
    assert zone(sets, create="")["endpoint"] == "/uploads/"  # the only one


def test_several_in_one_request_go_whole(sets: Flask) -> None:
    options = zone(sets, "upload_multiple=True", create="")
    assert (options["whole"], options["multiple"], options["endpoint"]) == (True, True, "/uploads/")


def test_options_that_an_upload_set_decides_are_refused(sets: Flask) -> None:
    with pytest.raises(ConfigurationError, match="write chunk_size="):
        zone(sets, "custom_options='chunkSize: 100'", create="")
    with pytest.raises(ConfigurationError, match="files go in chunks"):
        zone(sets, "custom_options='chunking: true'", create="")


def test_without_scripts_the_form_redirects(sets: Flask) -> None:
    """config() has the controls, since it knows the redirect."""
    template = "{{ dropzone.create('chunked_upload.uploads') }}{{ dropzone.config() }}"
    page = page_of(sets, template)
    [form] = page.find("form")
    inputs = {tag["name"]: tag for tag in page.find("input")}
    assert {tag["form"] for tag in page.find("input") + page.find("button")} == {"myDropzone"}
    data = {"next": inputs["next"]["value"], "file": (io.BytesIO(b"data"), "a.png")}
    reply = sets.test_client().post(
        form["action"] or "", data=data, headers={"Accept": "text/html"}
    )
    assert (reply.status_code, reply.headers["Location"]) == (303, "/completed")


@pytest.mark.parametrize("other", [TheirDropzone, Dropzone])
def test_there_is_only_one_of_them(other: type[Any]) -> None:
    with pytest.raises(ConfigurationError, match="keep one of them"):
        Dropzone(ported_app(other))


@pytest.mark.parametrize("value", [{"DROPZONE_MAX_FILES": "many"}, {"DROPZONE_TIMEOUT": -1}])
def test_keys_that_cannot_work_stop_the_app(value: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="DROPZONE_"):
        ported_app(**value)
