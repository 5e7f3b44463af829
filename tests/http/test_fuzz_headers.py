"""Every request header that anything may read, on every endpoint: never a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chunked_upload.server.app import create_app
from tests.support.examples import examples
from tests.support.protocol import Protocol

HEADERS = [
    *("Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization"),
    *("Access-Control-Request-Headers", "Access-Control-Request-Method", "Cache-Control"),
    *("Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length"),
    *("Content-Location", "Content-MD5", "Content-Range", "Content-Type", "Cookie", "Date"),
    *("Digest", "Expect", "Forwarded", "From", "Host", "If-Match", "If-Modified-Since"),
    *("If-None-Match", "If-Range", "If-Unmodified-Since", "Max-Forwards", "Origin", "Pragma"),
    *("Prefer", "Range", "Referer", "Repr-Digest", "Sec-Fetch-Site", "TE", "Trailer"),
    *("Transfer-Encoding", "Upgrade", "Upload-Complete", "Upload-Length", "Upload-Metadata"),
    *("Content-Digest", "Upload-Draft-Interop-Version", "Upload-Incomplete", "Want-Repr-Digest"),
    *("Upload-Offset", "User-Agent", "Via", "X-CSRFToken", "X-Forwarded-For"),
    *("X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-HTTP-Method-Override"),
    *("X-Requested-With", "dzchunkindex", "dztotalchunkcount", "dzuuid"),
]  # fmt: skip

numbers = st.sampled_from(["0", "1", "-1", "9" * 20, "9" * 5000, "1.5", "nan", "inf", "1e999"])
dates = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    *(st.sampled_from(["Mon", "", "Xyz"]), numbers, st.sampled_from(["Jan", "Foo"])),
    *(numbers, numbers, numbers, numbers),
    st.sampled_from(["GMT", "+9999", "-99999999", "", "+2400", "EST"]),
)
pieces = st.sampled_from(
    [
        *("bytes=", "bytes ", "0-1", "-5", "5-", "/", "*", ",", ";", "=", '"', "W/", "\\", "%"),
        *("q=nan", "q=1e999", "gzip", "text/html", "Basic ", "Bearer ", "Digest ", "session=", "é"),
        *("http://", "[", "]", ":", "@", "\xa0", "\t", "multipart/form-data; boundary=", "utf-8''"),
        *("filename*=", "filename=", "charset=", "localhost"),
        *("?1", "?0", "sha-256=", ":AAAA:", "md5", "application/partial-upload", "(", ")", "@1"),
    ]
)  # fmt: skip
values = (
    dates
    | numbers
    | st.lists(pieces | numbers, max_size=6).map("".join)
    | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30)
)


class Site:
    """The stand-alone server's app, with an upload that is complete."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._protocol = Protocol(client)
        self._done = self._protocol.completed(b"hello world")

    def done(self) -> str:
        """The complete upload's id; a new one where the last request has deleted it."""
        if self._protocol.state(self._done).status_code != 200:
            self._done = self._protocol.completed(b"hello world")
        return self._done


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory: Path = tmp_path_factory.mktemp("fuzz")

    class Config:
        TESTING = False
        SECRET_KEY = "x" * 32
        SQLALCHEMY_DATABASE_URI = f"sqlite:///{directory}/fuzz.db"
        CHUNKED_UPLOAD_ROOT = str(directory / "files")
        CHUNKED_UPLOAD_TOKENS = None
        CHUNKED_UPLOAD_PROXY_HOPS = 1
        CHUNKED_UPLOAD_CORS_ORIGINS = ("https://a.example",)
        CHUNKED_UPLOAD_DURABLE = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHUNKED_UPLOAD_INSTANCE", str(directory / "instance"))
        app = create_app(Config)
    with app.app_context():
        app.extensions["sqlalchemy"].create_all()
    yield Site(app.test_client())
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example("GET", 3, [("If-Range", "Mon, 01 Jan 99999999999 00:00:00 GMT")])
@example("GET", 4, [("If-Modified-Since", "Mon, 01 Jan 99999999999 00:00:00 GMT")])
@given(
    st.sampled_from(["GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    st.integers(0, 9),
    st.lists(st.tuples(st.sampled_from(HEADERS), values), min_size=1, max_size=3),
)
def test_no_header_is_too_odd(
    site: Site, method: str, place: int, headers: list[tuple[str, str]]
) -> None:
    done = site.done()
    paths = [
        *("/", "/uploads/", f"/uploads/{done}", f"/uploads/{done}/file"),
        *("/static/chunked-upload.js", "/uploads/static/chunked-upload.js"),
        *("/uploads/complete", "/uploads/form", "/uploads/csrf-token", "/healthz"),
    ]
    response = site.client.open(
        paths[place], method=method, headers=headers, data=b"hello", buffered=True
    )
    assert response.status_code < 500, (method, paths[place], headers, response.text)
