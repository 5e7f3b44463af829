"""Flask-Dropzone's interface: ``Dropzone(app)``, and ``dropzone`` in templates.

    from chunked_upload import Dropzone  # was: from flask_dropzone import Dropzone

Templates stay as they are. A zone whose action is an upload set sends its files in chunks, as
``{{ chunked_upload.dropzone(...) }}`` does. One whose action is a view of the app's own sends them
whole, for the view to find in ``request.files``, as it does under Flask-Dropzone. The options are
JSON in an attribute instead of an inline script (docs/porting-flask-dropzone.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, url_for
from markupsafe import Markup

from chunked_upload.errors import ConfigurationError
from chunked_upload.http.errors import FileNotFound
from chunked_upload.http.upload_set import BoundUploadSet

from .assets import send_asset
from .custom_options import plain_values
from .zone import Target, Zone, upload_set_as_target, view_as_target
from .zone_options import NOT_NEEDED, ZoneOptions

#: The version of Dropzone that the package ships.
VERSION = "5.9.3"

_CDN = "https://cdn.jsdelivr.net/npm/dropzone@{}/dist/min/{}"

#: Where the files of Flask-Dropzone's static folder are in ours.
_MOVED = {name: f"vendor/{name}" for name in ("dropzone.min.js", "dropzone.min.css")}

#: What Flask-Dropzone sets where an app does not. An upload set has limits of its own.
_DEFAULTS = {"DROPZONE_MAX_FILE_SIZE": 3, "DROPZONE_ALLOWED_FILE_TYPE": "default"}

_CONFIGURED = Markup(
    '<template data-chunked-upload-for="{id}" data-chunked-upload="{options}"></template>'
    '{controls}\n<script type="module" src="{script}"></script>\n'
)


class Dropzone:
    """Flask-Dropzone's extension, over this package's zones.

    :param app: the app; or call :meth:`init_app` later.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add ``dropzone`` to the app's templates.

        :raises ConfigurationError: for a ``DROPZONE_*`` key that cannot work, or if the app has
            Flask-Dropzone too.
        """
        if "dropzone" in app.blueprints:
            raise ConfigurationError(
                "this app already has a blueprint 'dropzone', of Flask-Dropzone or of another"
                " Dropzone(app); keep one of them"
            )
        ZoneOptions.load({}, ported=app.config)
        blueprint = Blueprint("dropzone", __name__, url_prefix="/dropzone")
        blueprint.add_url_rule("/static/<path:filename>", "static", _send_static)
        app.register_blueprint(blueprint)
        app.context_processor(lambda: {"dropzone": FlaskDropzoneHelpers()})


class FlaskDropzoneHelpers:
    """What templates call ``dropzone``; the names and arguments are Flask-Dropzone's."""

    def load_css(self, css_url: str | None = None, version: str | None = None) -> Markup:
        """Return the tags of the style sheets.

        :param css_url: URL of another style sheet for Dropzone.
        :param version: Dropzone's version, from jsDelivr.
        """
        link = Markup('<link rel="stylesheet" href="{}" type="text/css">\n')
        dropzone = css_url or _dropzone_url("dropzone.min.css", version)
        return link.format(dropzone) + link.format(_static_url("chunked-upload-dropzone.css"))

    def load_js(self, js_url: str | None = None, version: str | None = None) -> Markup:
        """Return the tags of the scripts.

        :param js_url: URL of another build of Dropzone 5.
        :param version: Dropzone's version, from jsDelivr.
        """
        dropzone = js_url or _dropzone_url("dropzone.min.js", version)
        return Markup(
            '<script src="{}"></script>\n<script type="module" src="{}"></script>\n'
        ).format(dropzone, _script_url())

    def load(
        self, js_url: str | None = None, css_url: str | None = None, version: str | None = None
    ) -> Markup:
        """Return the tags of everything, and the configuration; Flask-Dropzone 1 had this."""
        return self.load_css(css_url, version) + self.load_js(js_url, version) + self.config()

    def style(self, css: str, id: str | None = None) -> Markup:  # noqa: A002 - as there
        """Return a style sheet for the zones of the page, or for one of them."""
        selector = f".dropzone#{id}" if id else ".dropzone"
        text = f"{selector}{{{css}}}".replace("<", r"\3c ")
        return Markup(f"<style>\n{text}\n</style>")  # noqa: S704 - it cannot end the element

    def create(
        self,
        action: str = "",
        csrf: bool = False,
        action_view: str = "",
        id: str = "myDropzone",  # noqa: A002 - as there
        **values: Any,
    ) -> Markup:
        """Return a zone.

        :param action: endpoint or URL that takes the files.
        :param csrf: as ``DROPZONE_ENABLE_CSRF``.
        :param action_view: the same as ``action``.
        :param values: for the endpoint's URL.
        """
        action = action or action_view
        page, target = _page(), _target(action, values)
        given = page.configured.pop(id, None)
        zone = _zone(id, target, {"enable_csrf": True, **(given or {})} if csrf else given or {})
        if given is None:
            page.targets[id] = target
        # The controls need what config() says, so they come with it.
        return zone.element(with_controls=given is not None)

    def config(
        self,
        redirect_url: str | None = None,
        custom_init: str = "",
        custom_options: str | Mapping[str, Any] = "",
        nonce: str | None = None,
        id: str = "myDropzone",  # noqa: A002 - as there
        **options: Any,
    ) -> Markup:
        """Return the configuration of the zone with this id.

        :param redirect_url: the page to go to once all files are uploaded.
        :param custom_init: JavaScript, the body of Dropzone's ``init``; needs a nonce.
        :param custom_options: Dropzone's options; a dict, or JavaScript, which needs a nonce unless
            all values are plain.
        :param nonce: for the Content-Security-Policy.
        :param options: ``DROPZONE_*`` keys in lower case, without the prefix.
        :raises ConfigurationError: for JavaScript without a nonce.
        """
        if redirect_url is not None:
            options["redirect_view"] = redirect_url
        plain = plain_values(custom_options)
        if plain:
            options["options"] = plain
        own_script = _own_script(
            id, custom_init, custom_options if plain is None else "", nonce=nonce
        )
        page = _page()
        if id not in page.targets:  # create() follows
            page.configured[id] = options
            script = Markup('<script type="module" src="{}"></script>\n').format(_script_url())
            return own_script + script
        zone = _zone(id, page.targets[id], options)
        return own_script + _CONFIGURED.format(
            id=id,
            options=zone.options_as_json(),
            controls=zone.controls(form=id),
            script=_script_url(),
        )


@dataclass
class _Page:
    """The zones of the page that is being made: create() and config() come in any order."""

    targets: dict[str, Target] = field(default_factory=dict)
    configured: dict[str, dict[str, Any]] = field(default_factory=dict)


def _page() -> _Page:
    if "_chunked_upload_zones" not in g:
        g._chunked_upload_zones = _Page()
    page: _Page = g._chunked_upload_zones
    return page


def _target(action: str, values: Mapping[str, Any]) -> Target:
    """Return the upload set with this URL, or the app's own view.

    :raises ConfigurationError: when nothing says where the files go.
    """
    action = action or current_app.config.get("DROPZONE_UPLOAD_ACTION") or ""
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions.get("chunked_upload", {})
    if not action and len(upload_sets) == 1:
        return upload_set_as_target(next(iter(upload_sets.values())))
    if not action:
        raise ConfigurationError(
            "dropzone.create() needs action=, the endpoint or URL that takes the files (in a form:"
            " DROPZONE_UPLOAD_ACTION)"
        )
    url = action if "/" in action else url_for(action, **values)
    for upload_set in upload_sets.values():
        if url.rstrip("/") == upload_set.url("uploads").rstrip("/"):
            return upload_set_as_target(upload_set)
    return view_as_target(url)


def _zone(zone_id: str, target: Target, given: Mapping[str, Any]) -> Zone:
    """Return a zone with the options of a call, else of the app's config."""
    keywords = {name: value for name, value in given.items() if name not in NOT_NEEDED}
    keywords["id"] = zone_id
    if keywords.get("upload_action"):
        target = _target(keywords["upload_action"], {})
    if _is_on("enable_csrf", given):
        _check_csrf(target)
    multiple = _is_on("upload_multiple", given)
    if target.is_own and not multiple:
        return Zone(target, ZoneOptions.load(keywords, target.defaults, current_app.config))
    return _whole_zone(replace(target, takes_chunks=False), keywords, multiple=multiple)


def _whole_zone(target: Target, keywords: dict[str, Any], *, multiple: bool) -> Zone:
    """Return a zone whose files Dropzone sends, so that every option of Dropzone's holds."""
    for_dropzone = keywords.pop("options", None)
    keywords.setdefault("remove_links", False)  # they would remove nothing from the server
    ported: Mapping[str, Any] = current_app.config
    if not target.is_own:
        ported = {**_DEFAULTS, **ported}
    options = ZoneOptions.load(keywords, target.defaults, ported)
    if options.upload_on_click:  # all in one request, as Flask-Dropzone sends them
        multiple = True
        options = replace(options, parallel_uploads=options.max_files or options.parallel_uploads)
    return Zone(target, replace(options, options=for_dropzone), multiple=multiple)


def _is_on(name: str, given: Mapping[str, Any]) -> bool:
    """Return whether Flask-Dropzone takes an option of a call, or of the app's config, for true."""
    setting = current_app.config.get(f"DROPZONE_{name.upper()}")
    return given.get(name, setting) in (True, "true", "True")


def _check_csrf(target: Target) -> None:
    """:raises ConfigurationError: when tokens are asked for, and none would be checked."""
    if target.csrf_token or not current_app.config.get("WTF_CSRF_ENABLED", True):
        return
    raise ConfigurationError(
        f"DROPZONE_ENABLE_CSRF is set, but {target.url} would check no CSRF token; call"
        " CSRFProtect(app) of Flask-WTF"
    )


def _own_script(
    zone_id: str, custom_init: str, custom_options: str | Mapping[str, Any], *, nonce: str | None
) -> Markup:
    """Return the app's JavaScript as Dropzone's options for the zone."""
    if not custom_init and not custom_options:
        return Markup("")
    if not nonce:
        name = "custom_init" if custom_init else "custom_options"
        raise ConfigurationError(
            f"dropzone.config({name}=...) is JavaScript inside of the page, which needs nonce=, the"
            " nonce of the page's Content-Security-Policy (any text if it has none); or write it in"
            f" a script file that follows load_js(): Dropzone.options.{_camelized(zone_id)} ="
            " {init() {...}}"
        )
    code = (
        f"Dropzone.options.{_camelized(zone_id)} = {{\n"
        f"init: function() {{\n{custom_init}\n}},\n{custom_options}\n}};"
    )
    script = Markup('<script nonce="{}">\n{}\n</script>\n')
    return script.format(nonce, Markup(re.sub("(?i)</(?=script)", r"<\/", code)))  # noqa: S704


def _camelized(zone_id: str) -> str:
    """Return the name of a zone's options, as Dropzone makes it from the element's id."""
    return re.sub(r"[-_](\w)", lambda found: found[1].upper(), zone_id)


def _dropzone_url(filename: str, version: str | None) -> str:
    """Return the URL of a file of Dropzone's: on this site, or on jsDelivr if that is asked for."""
    if current_app.config.get("DROPZONE_SERVE_LOCAL", version is None):
        return _static_url(filename)
    return _CDN.format(version or VERSION, filename)


def _script_url() -> str:
    return _static_url("chunked-upload-dropzone.js")


def _static_url(filename: str) -> str:
    return url_for("dropzone.static", filename=_MOVED.get(filename, filename))


def _send_static(filename: str) -> Response:
    try:
        return send_asset(_MOVED.get(filename, filename))
    except FileNotFound:
        abort(404)
