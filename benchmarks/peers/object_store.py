"""An S3 store alone: boto3 sends the parts of a multipart upload one after another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.support.s3 import Store

from ..load import MIB, Payload, Task
from ..workshop import Workshop
from .base import Contestant, Runner, Sample


@dataclass
class StoreAlone(Contestant):
    """What anybody could reach with this store and boto3."""

    store: Store
    key: str = "store"
    title: str = "the store alone, boto3's upload_part in a loop"

    def prepare(self, workshop: Workshop) -> None:
        """Nothing to install: the store runs."""

    def versions(self) -> Mapping[str, str]:
        return {"boto3": version("boto3")}

    def open(self, place: Path) -> Runner:
        return _Loop(self.store)


class _Loop(Runner):
    def __init__(self, store: Store) -> None:
        storage = store.storage()
        self._client, self._bucket = storage.store(), storage.bucket

    def run(self, payload: Payload, task: Task, *, clients: int = 1) -> Sample:
        place = {"Bucket": self._bucket, "Key": "file"}
        kind = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
        begun = time.monotonic()
        upload = self._client.create_multipart_upload(**place, **kind)["UploadId"]
        parts = []
        for number, start in enumerate(range(0, task.size, task.chunk), start=1):
            stop = min(task.size, start + task.chunk)
            body = b"".join(payload.pieces(start, stop))
            sent = self._client.upload_part(
                **place, UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32"
            )
            parts.append({"PartNumber": number, **{k: sent[k] for k in ("ETag", "ChecksumCRC32")}})
        self._client.complete_multipart_upload(
            **place, UploadId=upload, MultipartUpload={"Parts": parts}, ChecksumType="FULL_OBJECT"
        )
        return {"speed": task.size / MIB / (time.monotonic() - begun)}

    def clean(self) -> None:
        self._client.delete_object(Bucket=self._bucket, Key="file")
