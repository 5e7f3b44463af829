"""What an operator says about the page: its title, logo, accent colour and languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.pages.accent import contrast, shades
from tests.extension.test_page import configuration, page_app

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'

#: The page's grounds, from css/base.css.
LIGHT, DARK = ("#f5f6f8", "#ffffff", "#eceff3"), ("#0f1216", "#181c22", "#262c35")


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    file = tmp_path / "our logo.svg"
    file.write_bytes(SVG)
    return file


# Title


def test_the_title_is_a_setting_that_a_view_may_change(make_app: MakeApp) -> None:
    text = page_app(make_app(), page_title="Ours & theirs").get("/files").text
    assert "<title>Ours &amp; theirs</title>" in text
    assert configuration(text)["title"] == "Ours & theirs"
    own = page_app(make_app(), page={"title": "Mine"}, page_title="Ours").get("/files").text
    assert configuration(own)["title"] == "Mine"


# Logo


def test_a_file_of_this_host_is_served_by_the_upload_set(make_app: MakeApp, logo: Path) -> None:
    client = page_app(make_app(), page_logo=logo.as_uri())
    page = client.get("/files")
    assert configuration(page.text)["logo"] == "/uploads/static/page/logo"
    assert '<link rel="preload" as="image" href="/uploads/static/page/logo">' in page.text
    assert "img-src 'self';" in page.headers["Content-Security-Policy"]
    picture = client.get("/uploads/static/page/logo", buffered=True)
    assert (picture.data, picture.mimetype) == (SVG, "image/svg+xml")
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert str(logo.parent) not in page.text
    logo.unlink()
    assert client.get("/uploads/static/page/logo").status_code == 404


def test_a_picture_elsewhere_is_allowed_by_the_policy(make_app: MakeApp) -> None:
    url = "https://cdn.example.org:8443/a/logo.png?v=1"
    page = page_app(make_app(), page_logo=url).get("/files")
    assert configuration(page.text)["logo"] == url
    policy = page.headers["Content-Security-Policy"]
    assert "; img-src 'self' https://cdn.example.org:8443; " in policy


def test_a_path_of_the_app(make_app: MakeApp) -> None:
    client = page_app(make_app(), page={"logo": "/static/logo.svg"})
    page = client.get("/files")
    assert configuration(page.text)["logo"] == "/static/logo.svg"
    assert client.get("/uploads/static/page/logo").status_code == 404


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("logo.svg", "must be the URL of a picture"),
        ("//example.org/logo.svg", "must be the URL of a picture"),
        ("javascript:alert(1)", "must be the URL of a picture"),
        ("https://example.org; script-src */x", "must be the URL of a picture"),
        ("https://a,b/x.png", "must be the URL of a picture"),
        ("https://*/x.png", "must be the URL of a picture"),
        ("https://name:word@example.org/x.png", "must be the URL of a picture"),
        ("https://例.example/x.png", "must be the URL of a picture"),
        ("file:///nowhere/logo.svg", "must be a file"),
        ("file:///etc/passwd", "must be a picture: .svg"),
    ],
)
def test_what_is_no_logo_stops_the_app(make_app: MakeApp, value: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=f"CHUNKED_UPLOAD_PAGE_LOGO {problem}"):
        ChunkedUpload(make_app(CHUNKED_UPLOAD_PAGE_LOGO=value))


# Accent


@pytest.mark.parametrize(
    "colour",
    [
        "#000000",
        "#ffffff",
        "#ff0000",
        "#00ff00",
        "#0000ff",
        "#ffff00",
        "#2b59d9",
        "#0a6b4f",
        "#808080",
        "#f4a3c1",
    ],
)
def test_every_colour_is_made_readable(colour: str) -> None:
    made = {name: re.findall("#[0-9a-f]{6}", value) for name, value in shades(colour).items()}
    assert set(made) == {"accent", "accent-fill", "accent-fill-strong", "accent-tint"}
    for mode, grounds in enumerate((LIGHT, DARK)):
        tint = made["accent-tint"][mode]
        assert all(contrast(made["accent"][mode], ground) >= 4.5 for ground in (*grounds, tint))
        assert contrast(made["accent-fill"][mode], "#ffffff") >= 4.5
        assert contrast(made["accent-fill-strong"][mode], "#ffffff") >= 4.5
        assert all(contrast(made["accent-fill"][mode], ground) >= 3 for ground in grounds[:2])


def test_white_words_are_readable_on_the_pages_own_fills() -> None:
    css = Path("static/page/css/base.css").read_text()
    fills = re.findall(r"--cu-[a-z]+-fill(?:-strong)?: light-dark\((#\w{6}), (#\w{6})\)", css)
    _wait = fills.pop()  # the bar of what waits has no words
    assert len(fills) == 3
    assert all(contrast(shade, "#ffffff") >= 4.5 for pair in fills for shade in pair)


def test_a_colour_that_is_readable_stays_as_it_is() -> None:
    assert shades("#0a6b4f")["accent"].startswith("light-dark(#0a6b4f, ")
    assert shades("#2b59d9")["accent-fill"].startswith("light-dark(#2b59d9, ")


def test_contrasts_are_those_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    style = (Path(__file__).parents[2] / "static/page/css/base.css").read_text()
    for name, light, dark in zip(("ground", "surface", "sunken"), LIGHT, DARK, strict=True):
        assert f"--cu-{name}: light-dark({light}, {dark});" in style


def test_the_page_is_told_the_shades(make_app: MakeApp) -> None:
    text = page_app(make_app(), page_accent="#0a6b4f").get("/files").text
    assert configuration(text)["accent"] == shades("#0a6b4f")
    short = page_app(make_app(), page={"accent": "0A0"}, page_accent="#123").get("/files").text
    assert configuration(short)["accent"] == shades("#00aa00")
    assert configuration(page_app(make_app()).get("/files").text)["accent"] is None


@pytest.mark.parametrize("value", ["blue", "#12", "#12345g", "rgb(1,2,3)", "", 7])
def test_what_is_no_colour_stops_the_app(make_app: MakeApp, value: Any) -> None:
    message = r"CHUNKED_UPLOAD_PAGE_ACCENT must be a colour in hex digits, as #2b59d9, not "
    with pytest.raises(ConfigurationError, match=message):
        ChunkedUpload(make_app(CHUNKED_UPLOAD_PAGE_ACCENT=value))


def test_a_view_is_told_which_option_is_wrong(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    with app.test_request_context():
        with pytest.raises(ConfigurationError, match="accent= must be a colour"):
            uploads.page(accent="blue")
        with pytest.raises(ConfigurationError, match="logo= must be the URL of a picture"):
            uploads.page(logo="logo.svg")


# Languages


def test_the_default_language_and_those_that_are_offered(make_app: MakeApp) -> None:
    client = page_app(make_app(), page_language="de-AT", page_languages="de,fr")
    page = client.get("/files", headers={"Accept-Language": "tlh"})
    assert '<html lang="de-AT">' in page.text
    told = configuration(page.text)
    assert (told["language"], told["languages"]) == ("de-AT", ["de", "fr"])
    [root] = re.findall(r'<div class="cu"[^>]*>', page.text)
    assert " lang=" not in root  # the browser's own setting counts


def test_the_first_language_that_is_offered_is_the_default(make_app: MakeApp) -> None:
    """Not English, where it is not offered."""
    client = page_app(make_app(), page_languages="de,fr")
    text = client.get("/files", headers={"Accept-Language": "en"}).text
    assert 'href="/uploads/static/page/texts/de.js"' in text


@pytest.mark.parametrize(
    ("key", "value"), [("LANGUAGE", "german please"), ("LANGUAGE", ""), ("LANGUAGES", "de,x")]
)
def test_what_is_no_language_stops_the_app(make_app: MakeApp, key: str, value: str) -> None:
    name = f"CHUNKED_UPLOAD_PAGE_{key}"
    with pytest.raises(ConfigurationError, match=f"{name} must .*tag"):
        ChunkedUpload(make_app(**{name: value}))


# In a template


def test_an_apps_template_has_them_too(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, page_accent="#0a6b4f")
    with app.test_request_context():
        text = render_template_string('{{ chunked_upload.page(logo="/static/logo.svg") }}')
    told = configuration(text)
    assert (told["logo"], told["accent"]) == ("/static/logo.svg", shades("#0a6b4f"))


# Without scripts


def test_who_needs_a_token_is_told_how_curl_sends_it(make_app: MakeApp) -> None:
    plain = page_app(make_app()).get("/files").text
    assert "curl -T photo.jpg http://localhost/uploads/<" in plain
    known = page_app(make_app(), tokens={"alice": "0" * 64}).get("/files").text
    sent = "curl -T photo.jpg -H 'Authorization: Bearer …' http://localhost/uploads/<"
    assert sent in known


# What else the page is told


def test_the_page_knows_about_links_and_the_account(make_app: MakeApp) -> None:
    told = configuration(page_app(make_app()).get("/files").text)
    assert (told["share"], told["account"]) == (None, "/uploads/account")
    assert told["expiresAfter"] == 86400
    sharing = page_app(make_app(), share=True, share_max_age="1h", expiration_delta="2d")
    told = configuration(sharing.get("/files").text)
    assert (told["share"], told["expiresAfter"]) == ({"maxAge": 3600}, 172800)
