"""``deploy/compose.yaml`` without a container engine: whether it agrees with what it names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chunked_upload.settings.keys import from_environment
from tests.server.conftest import PROJECT
from tests.support import nginx
from tests.support.containerfile import read

DEPLOY = PROJECT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [
    name for name, service in SERVICES.items() if service["image"].startswith("chunked-upload:")
]
NODES = ["node1", "node2"]

#: What the reader makes, as the file's comments say.
MADE = {"certificate.pem", "certificate.key"}


def test_images_are_pinned() -> None:
    for service in SERVICES.values():
        assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+[\w.-]*", service["image"])


def test_every_file_that_is_mounted_exists_or_is_said_to_be_made() -> None:
    mounted = [
        volume.split(":")[0].removeprefix("./")
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    assert set(mounted) > MADE
    assert all(name in TEXT.partition("x-node")[0] for name in MADE)
    assert [name for name in mounted if name not in MADE and not (DEPLOY / name).exists()] == []


def test_every_named_volume_is_declared_and_used() -> None:
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith("./")
    }
    assert used == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_our_services_exist(name: str) -> None:
    environment: dict[str, str] = SERVICES[name]["environment"]
    given = {key: value for key, value in environment.items() if key.startswith("CHUNKED_UPLOAD_")}
    known = (PROJECT / "docs" / "settings.md").read_text()
    assert [key for key in given if f"`{key}`" not in known] == []
    assert from_environment(given)
    assert environment["CHUNKED_UPLOAD_PROXY_HOPS"] == "1"


def test_every_secret_is_asked_for_and_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?[^}]+\}", TEXT))
    assert asked == set(re.findall(r"\$\{?(\w+)", TEXT))
    example = (DEPLOY / "compose.env.example").read_text()
    assert asked == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))


def test_the_nodes_are_where_nginx_looks_for_them() -> None:
    site = nginx.recipe("nginx-nodes.conf")
    port = read(DEPLOY / "Containerfile")[-1].environment()["PORT"]
    addresses = [SERVICES[name]["networks"]["uploads"]["ipv4_address"] for name in NODES]
    assert re.findall(r"^    server ([\d.:]+)", site, re.MULTILINE) == [
        f"{address}:{port}" for address in addresses
    ]
    published = SERVICES["balancer"]["ports"]
    assert [f"listen {port.split(':')[1]} ssl;" in site for port in published] == [True]


def test_the_store_and_the_database_are_those_that_nodes_are_told() -> None:
    told = SERVICES["node1"]["environment"]
    store = SERVICES["store"]
    assert told["CHUNKED_UPLOAD_S3_ENDPOINT"] == f"http://store{store['command'][1]}"
    own = SERVICES["database"]["environment"]
    assert told["CHUNKED_UPLOAD_DATABASE_URI"].startswith(f"postgresql://{own['POSTGRES_USER']}:")
    assert told["CHUNKED_UPLOAD_DATABASE_URI"].endswith(f"@database/{own['POSTGRES_DB']}")
    assert told["AWS_SECRET_ACCESS_KEY"] == store["environment"]["ROOT_SECRET_KEY"]
    bucket = told["CHUNKED_UPLOAD_STORAGE"].removeprefix("s3://").partition("/")[0]
    assert f'Bucket="{bucket}"' in SERVICES["bucket"]["command"][-1]


def test_everything_waits_for_what_it_needs() -> None:
    conditions = {
        name: {on: said["condition"] for on, said in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    for name in [*NODES, "cleaner"]:
        assert conditions[name]["migration"] == "service_completed_successfully"
        assert conditions[name]["bucket"] == "service_completed_successfully"
    assert conditions["migration"]["database"] == "service_healthy"
    assert conditions["balancer"] == dict.fromkeys(NODES, "service_healthy")
    healthy = {on for said in conditions.values() for on, how in said.items() if "healthy" in how}
    assert [name for name in healthy if "healthcheck" not in SERVICES[name]] == []


def test_nodes_have_no_rights_and_time_to_stop() -> None:
    final = read(DEPLOY / "Containerfile")[-1]
    for name in OURS:
        service = SERVICES[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert int(service["stop_grace_period"].removesuffix("s")) > 30
        assert service["healthcheck"]["test"] == ["CMD", *final.words("HEALTHCHECK")]
    mounted = {volume.split(":")[1] for volume in SERVICES["node1"]["volumes"]}
    assert mounted | set(SERVICES["node1"]["tmpfs"]) == set(json.loads(final.said("VOLUME")[0]))


def test_the_programs_of_the_bucket_service_are_python() -> None:
    compile(SERVICES["bucket"]["command"][-1], str(Path("compose.yaml")), "exec")
