"""``/metrics``: what is counted, what is read at the scrape, and who may see it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.middleware.proxy_fix import ProxyFix

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.delivery.deliverer import Delivered, Deliverer
from chunked_upload.support.clock import utcnow
from tests.conftest import create_tables
from tests.support.missing import skip_without
from tests.support.protocol import Protocol

TOKEN = "a-token-for-prometheus"
PROJECT = Path(__file__).parents[2]

MakeApp = Callable[..., Flask]
Scrape = Callable[[], dict[str, float]]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(CHUNKED_UPLOAD_METRICS=True, CHUNKED_UPLOAD_METRICS_TOKEN=TOKEN)
    app.extensions["tests"] = ChunkedUpload(app)
    create_tables(app)
    return app


@pytest.fixture
def scrape(client: FlaskClient) -> Scrape:
    """Return the figures that have changed since the test began, and those that are not counts."""
    before = scraped(client)

    def difference() -> dict[str, float]:
        now = scraped(client)
        return {name: value - before.get(name, 0) for name, value in now.items()}

    return difference


def scraped(client: FlaskClient) -> dict[str, float]:
    response = client.get("/metrics")
    assert response.status_code == 200, response.text
    return dict(figures(response.text))


def figures(text: str) -> Iterator[tuple[str, float]]:
    """Yield each sample by its name and its labels, ``name label label``."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield " ".join([sample.name, *sorted(sample.labels.values())]), sample.value


def test_an_upload_is_counted(protocol: Protocol, scrape: Scrape) -> None:
    upload_id = protocol.chunk(b"hello", 0, 10).get_json()["upload_id"]
    protocol.put(upload_id, b"world", 5, 10)
    protocol.complete(upload_id, b"helloworld")
    found = scrape()
    assert found["chunked_upload_chunk_bytes_sum"] == 10
    assert found["chunked_upload_chunk_bytes_count"] == 2
    assert found["chunked_upload_sync_seconds_count"] == 2
    assert found["chunked_upload_digest_lag_bytes_count"] == 2
    assert found["chunked_upload_requests_total 200 POST chunked_upload django"] == 2
    assert found["chunked_upload_requests_total 200 PUT chunked_upload django"] == 1
    assert found["chunked_upload_request_seconds_count PUT chunked_upload django"] == 1
    assert found["chunked_upload_events_total chunked_upload created"] == 1
    assert found["chunked_upload_events_total chunked_upload completed"] == 1


@pytest.mark.one_database
def test_a_refusal_is_counted_by_reason_and_dialect(protocol: Protocol, scrape: Scrape) -> None:
    upload_id = protocol.chunk(b"hello", 0, 10).get_json()["upload_id"]
    assert protocol.put(upload_id, b"world", 6, 11).status_code == 400
    assert protocol.client.head("/uploads/tus/" + "0" * 32).status_code == 412
    protocol.client.get("/uploads/" + "0" * 32)
    assert protocol.client.delete("/uploads/complete").status_code == 405
    found = scrape()
    assert found["chunked_upload_errors_total chunked_upload django total_mismatch"] == 1
    assert found["chunked_upload_requests_total 400 PUT chunked_upload django"] == 1
    [unknown_version] = [n for n in found if "errors_total" in n and " tus " in f"{n} "]
    assert found[unknown_version] == 1
    assert any(n.endswith("upload_not_found") and v == 1 for n, v in found.items())
    assert any("method_not_offered" in n and v == 1 for n, v in found.items())


def test_what_is_stored_is_read_at_the_scrape(protocol: Protocol, client: FlaskClient) -> None:
    protocol.chunk(b"hello", 0, 10)
    protocol.complete(protocol.chunk(b"whole", 0, 5).get_json()["upload_id"], b"whole")
    found = scraped(client)
    assert found["chunked_upload_uploads chunked_upload uploading"] == 1
    assert found["chunked_upload_stored_bytes chunked_upload uploading"] == 5
    assert found["chunked_upload_uploads chunked_upload complete"] == 1
    assert found["chunked_upload_storage_free_bytes chunked_upload"] > 0
    assert found["chunked_upload_up database"] == found["chunked_upload_up storage"] == 1


@pytest.mark.one_database
def test_a_hook_that_fails_waits(app: Flask, protocol: Protocol, scrape: Scrape) -> None:
    uploads: ChunkedUpload = app.extensions["tests"]

    @uploads.on_completion
    def fail(uploaded_file: Any, request: Any) -> None:
        raise RuntimeError("the other service is down")

    protocol.complete(protocol.chunk(b"whole", 0, 5).get_json()["upload_id"], b"whole")
    found = scrape()
    assert found["chunked_upload_hook_failures_total"] == 1
    assert found["chunked_upload_hooks_waiting chunked_upload"] == 1
    assert 0 <= found["chunked_upload_hooks_waiting_seconds chunked_upload"] < 60


def test_events_that_wait_and_those_that_are_given_up_are_told(make_app: MakeApp) -> None:
    def fail(event: Any) -> None:
        raise RuntimeError("the index is down")

    def deliver_in(days: int) -> Delivered:
        return Deliverer(uploads.engine, now=lambda: utcnow() + timedelta(days=days)).deliver()

    app = make_app(CHUNKED_UPLOAD_METRICS=True, CHUNKED_UPLOAD_EVENT_LISTENERS={"index": fail})
    uploads = ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    before = scraped(client)
    Protocol(client).upload(b"abc")
    with app.app_context():
        assert Deliverer(uploads.engine).deliver().failed == 1
    found = scraped(client)
    failed = "chunked_upload_event_deliveries_total failed"
    assert found[failed] - before[failed] == 1
    assert found["chunked_upload_events_waiting chunked_upload index"] == 1
    assert 0 <= found["chunked_upload_events_waiting_seconds chunked_upload index"] < 60
    with app.app_context():
        # A new one each time, since one that has failed rests.
        tries = [deliver_in(days) for days in range(2, 30, 2)]
    assert sum(done.dead for done in tries) == 1
    assert scraped(client)["chunked_upload_events_dead chunked_upload index"] == 1


def test_a_takeover_is_counted(app: Flask, protocol: Protocol, scrape: Scrape) -> None:
    uploads: ChunkedUpload = app.extensions["tests"]
    upload_id = protocol.chunk(b"hello", 0, 10).get_json()["upload_id"]
    with app.app_context():
        record = uploads.engine.find_own(upload_id, upload_set="chunked_upload", owner=None)
        storage: Any = uploads.engine.storage
        older = storage.open_writer(record, 5, 10, have=5)
    protocol.put(upload_id, b"world", 5, 10)
    older.abandon()
    assert scrape()["chunked_upload_takeovers_total"] == 1


def test_connections_are_counted(protocol: Protocol, client: FlaskClient) -> None:
    protocol.chunk(b"hello", 0, 10)
    found = scraped(client)
    assert found["chunked_upload_database_connections_open"] >= 1
    assert found["chunked_upload_database_connections_used"] <= 1  # the scrape's own


def test_a_database_that_fails_is_told(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        app.extensions["sqlalchemy"].drop_all()
    found = scraped(client)
    assert (found["chunked_upload_up database"], found["chunked_upload_up storage"]) == (0, 1)
    assert not any(name.startswith("chunked_upload_uploads ") for name in found)


@pytest.mark.one_database
def test_nothing_is_told_of_a_storage_that_is_not_asked(make_app: MakeApp) -> None:
    storage = "tests.support.memory_storage.MemoryStorage"
    app = make_app(CHUNKED_UPLOAD_METRICS=True, CHUNKED_UPLOAD_STORAGE_CLASS=storage)
    ChunkedUpload(app)
    create_tables(app)
    found = scraped(app.test_client())
    assert found["chunked_upload_up database"] == 1
    assert not any(name.startswith("chunked_upload_storage_free") for name in found)
    assert "chunked_upload_up storage" not in found


@pytest.mark.one_database
def test_openmetrics_is_spoken(client: FlaskClient) -> None:
    response = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert response.content_type.startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


# Who may see them

LOCAL, ELSEWHERE = {"REMOTE_ADDR": "127.0.0.1"}, {"REMOTE_ADDR": "203.0.113.7"}


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("environ", "headers", "status"),
    [
        (LOCAL, {}, 200),
        ({"REMOTE_ADDR": "::1"}, {}, 200),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, {}, 200),
        (ELSEWHERE, {}, 403),
        ({"REMOTE_ADDR": ""}, {}, 403),
        (ELSEWHERE, {"Authorization": f"Bearer {TOKEN}"}, 200),
        (ELSEWHERE, {"Authorization": f"bearer  {TOKEN} "}, 200),
        (ELSEWHERE, {"Authorization": "Bearer another"}, 403),
        (ELSEWHERE, {"Authorization": "Bearer ü"}, 403),
        (ELSEWHERE, {"Authorization": TOKEN}, 403),
        (LOCAL, {"Authorization": "Bearer another"}, 403),
        # A proxy on this host, whose own address the connection has.
        (LOCAL, {"X-Forwarded-For": "203.0.113.7"}, 403),
        (LOCAL, {"X-Forwarded-For": "127.0.0.1"}, 403),
        (LOCAL, {"Forwarded": "for=203.0.113.7"}, 403),
        (LOCAL, {"X-Real-IP": "127.0.0.1"}, 403),
        (LOCAL, {"Via": "1.1 proxy"}, 403),
        (LOCAL, {"X-Forwarded-Proto": "https"}, 403),
    ],
)
def test_only_this_host_and_the_token_see_them(
    client: FlaskClient, environ: dict[str, str], headers: dict[str, str], status: int
) -> None:
    response = client.get("/metrics", environ_base=environ, headers=headers)
    assert response.status_code == status
    if status == 403:
        assert response.get_json()["detail"] == "These figures are not for you"
        assert "CHUNKED_UPLOAD_METRICS_TOKEN" in response.get_json()["reason"]


@pytest.mark.one_database
@pytest.mark.parametrize("told", ["203.0.113.7", "127.0.0.1"])
@pytest.mark.parametrize("connection", [LOCAL, ELSEWHERE])
def test_an_address_that_a_header_tells_opens_nothing(
    app: Flask, client: FlaskClient, connection: dict[str, str], told: str
) -> None:
    """A client that reaches a server behind proxies directly may claim any address."""
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    headers = {"X-Forwarded-For": told}
    assert client.get("/metrics", environ_base=connection, headers=headers).status_code == 403
    assert client.get("/metrics", environ_base=LOCAL).status_code == 200


@pytest.mark.one_database
def test_other_verbs_and_places_of_the_token_open_nothing(client: FlaskClient) -> None:
    assert client.head("/metrics", environ_base=ELSEWHERE).status_code == 403
    assert client.post("/metrics", environ_base=ELSEWHERE).status_code == 405
    url = f"/metrics?token={TOKEN}&access_token={TOKEN}"
    assert client.get(url, environ_base=ELSEWHERE).status_code == 403


@pytest.mark.one_database
def test_a_refused_scrape_is_counted_and_logged(
    client: FlaskClient, scrape: Scrape, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/metrics", environ_base=ELSEWHERE, headers={"Authorization": "Bearer secret-word"})
    assert scrape()["chunked_upload_metrics_refused_total"] == 1
    assert "203.0.113.7" in caplog.text
    assert "secret-word" not in caplog.text


@pytest.mark.one_database
def test_they_are_off_by_default(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    assert app.test_client().get("/metrics").status_code == 404


@pytest.mark.one_database
def test_an_app_has_the_url_already(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_METRICS=True)
    app.add_url_rule("/metrics", "own", lambda: "own")
    with pytest.raises(ConfigurationError, match="adds the URL /metrics"):
        ChunkedUpload(app)


@pytest.mark.one_database
def test_the_package_is_missing(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    find = util.find_spec
    monkeypatch.setattr(
        "chunked_upload.metrics.view.find_spec",
        lambda name: None if name == "prometheus_client" else find(name),
    )
    with pytest.raises(ConfigurationError, match=r"install chunked-upload\[metrics\]"):
        ChunkedUpload(make_app(CHUNKED_UPLOAD_METRICS=True))


@pytest.mark.one_database
def test_a_short_token_is_refused(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match="METRICS_TOKEN must be at least 16") as caught:
        ChunkedUpload(make_app(CHUNKED_UPLOAD_METRICS_TOKEN="guess"))
    assert "guess" not in str(caught.value)


# What is made of them


@pytest.mark.one_database
def test_the_alerts_are_about_figures_that_exist(client: FlaskClient) -> None:
    assert named("deploy/monitoring/rules.yml") - known(client) == set()


def test_the_alerts_work() -> None:
    promtool = shutil.which("promtool") or skip_without("promtool", install="prometheus")
    place = PROJECT / "deploy/monitoring"
    for arguments in (["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]):
        done = subprocess.run([promtool, *arguments], cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.one_database
def test_promtool_finds_nothing_to_say(client: FlaskClient) -> None:
    promtool = shutil.which("promtool") or skip_without("promtool", install="prometheus")
    text = client.get("/metrics").text
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.one_database
def test_the_dashboard_shows_every_figure(client: FlaskClient) -> None:
    shown = named("deploy/monitoring/dashboard.json")
    # The log tells more of these.
    refused = {"chunked_upload_metrics_refused_total", "chunked_upload_admin_refused_total"}
    assert known(client) ^ shown == refused


@pytest.mark.one_database
def test_the_document_explains_every_figure(client: FlaskClient) -> None:
    assert known(client) ^ named("docs/operating.md") == {
        "chunked_upload_database_connections_used"  # said as …_used
    }


def known(client: FlaskClient) -> set[str]:
    """Return the names of all figures, those of histograms without their parts."""
    families = list(text_string_to_metric_families(client.get("/metrics").text))
    counted = {family.name for family in families if family.type == "counter"}
    when = {f"{family.name}_created" for family in families}  # prometheus-client's own
    names = {family.name for family in families} - counted - when
    return names | {f"{name}_total" for name in counted}


def named(file: str) -> set[str]:
    words = re.findall(r"\bchunked_upload_[a-z_]+", (PROJECT / file).read_text())
    return {re.sub(r"_(bucket|sum|count)$", "", word) for word in words}
