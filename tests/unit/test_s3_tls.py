"""A store that is reached by https, with a certificate of a company's own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from chunked_upload.storage.base import StorageBusy
from chunked_upload.storage.s3 import ahead
from chunked_upload.testing import AnUpload, put
from tests.support import s3
from tests.support.missing import skip_without
from tests.support.s3 import PART, Store
from tests.support.s3_faults import counted

DATA = bytes(range(256)) * (PART // 256)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if shutil.which("openssl") is None:
        skip_without("openssl", install="the package openssl")
    place = tmp_path_factory.mktemp("tls")
    certificate, key = place / "certificate.pem", place / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ["-subj", "/CN=store", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    subprocess.run([*command.split(), *subject, *files], check=True, capture_output=True)
    with s3.versitygw(place, certificate=(certificate, key)) as running:
        yield running


@pytest.fixture
def trusted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.certificate is not None
    monkeypatch.setenv("AWS_CA_BUNDLE", str(store.certificate[0]))


@pytest.mark.usefixtures("trusted")
def test_bytes_are_sent_while_they_arrive(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_QUICK", 0)
    storage = store.storage(multipart=True)
    with counted() as calls:
        upload = put(storage, AnUpload(length=len(DATA)), DATA)
    assert not {"UploadPart", "PutObject"} & set(calls.names)
    with storage.open(storage.promote(upload, "done")) as file:
        assert file.read() == DATA


def test_a_certificate_that_nobody_vouches_for_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("AWS_CA_BUNDLE", str(store.certificate and store.certificate[0]))
        bucket = store.bucket()
    # Another client than the one that trusts it: connections are shared by their options.
    storage = store.storage(bucket, multipart=True, timeout=5, attempts=1)
    with pytest.raises(StorageBusy):
        put(storage, AnUpload(length=len(DATA)), DATA)
