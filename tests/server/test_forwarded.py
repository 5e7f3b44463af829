"""What proxies tell: believed where it is an address, a scheme, a host, a path."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, request, url_for
from werkzeug.test import Client

from chunked_upload.server.forwarded import believe_proxies

OURS = ("10.0.0.1", "http", "ours", "")


@pytest.fixture
def client() -> Client:
    """An app that answers whom, how and where it was asked."""
    app = Flask("app")
    app.wsgi_app = believe_proxies(app.wsgi_app, 1)  # type: ignore[method-assign]

    @app.get("/")
    def index() -> dict[str, Any]:
        return {
            "seen": [request.remote_addr, request.scheme, request.host, request.script_root],
            "url": url_for("index", _external=True),
        }

    return Client(app)


def seen(client: Client, **headers: str) -> tuple[str, ...]:
    named = {f"X-Forwarded-{name}": value for name, value in headers.items()}
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_HOST": "ours"}
    answer = client.get("/", headers=named, environ_overrides=environ)
    assert answer.status_code == 200
    return tuple((answer.get_json())["seen"])


def test_everything_is_believed_that_makes_sense(client: Client) -> None:
    told = {"For": "203.0.113.7", "Proto": "https", "Host": "files.example", "Prefix": "/a/b"}
    assert seen(client, **told) == ("203.0.113.7", "https", "files.example", "/a/b")
    assert seen(client, Proto="HTTPS")[1] == "https"
    assert seen(client, Host="files.example:8443")[2] == "files.example:8443"
    assert seen(client, Prefix="/a/")[3] == "/a"
    assert seen(client, Prefix="/")[3] == ""


@pytest.mark.parametrize(
    "told",
    ["203.0.113.7:4711", "203.0.113.7", "198.51.100.1, 203.0.113.7:80", "[::ffff:203.0.113.7]:80"],
)
def test_ports_of_clients_are_dropped(client: Client, told: str) -> None:
    assert seen(client, For=told)[0] == "203.0.113.7"


def test_addresses_of_ipv6_lose_brackets_and_port(client: Client) -> None:
    assert seen(client, For='"[2001:db8::7]:4711"')[0] == "2001:db8::7"


@pytest.mark.parametrize(
    "prefix",
    [
        "a",
        "//evil.example",
        "https://evil.example",
        "/../a",
        "/a/..",
        "/a//b",
        "/a b",
        "/a\\b",
        "/a?b",
        "/a#b",
        "/a;Domain=x",
        '/"a',
        "/<a>",
    ],
)
def test_a_prefix_that_is_no_path_is_ignored(client: Client, prefix: str) -> None:
    assert seen(client, Prefix=prefix) == OURS


@pytest.mark.parametrize(
    "told",
    [
        {"Proto": "javascript"},
        {"Proto": "http://evil"},
        {"Host": "evil.example/path"},
        {"Host": "user@evil.example"},
        {"Host": "a b"},
        {"Port": "x"},
        {"Port": "80:80"},
    ],
)
def test_what_makes_no_sense_is_ignored(client: Client, told: dict[str, str]) -> None:
    assert seen(client, **told) == OURS
