"""One bucket: the S3 requests that the storage makes, with checksums, and failures translated.

Every object and part is sent with its CRC-32, so that the store refuses bytes that were damaged on
the way. A store that does not confirm a CRC-32 must have answered with the MD5 as the ETag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple

from chunked_upload.support.blocking import blocking

from ..base import StorageBusy
from . import crc
from .body import Body
from .connection import Connection
from .failures import translate
from .grid import LARGEST_PART

#: Bytes read from the store at a time.
_BUFFER = 1024 * 1024

#: Most keys of one DeleteObjects.
_MOST_DELETED = 1000

#: Bytes copied at a time of an object that is too large to be copied at once.
_COPIED = 512 * 1024 * 1024

_TYPE = "application/octet-stream"


class Found(NamedTuple):
    """What the store says about an object."""

    size: int
    metadata: dict[str, str]


class Multipart(NamedTuple):
    """A multipart upload: the key of its object, its id, and whether the store keeps CRC-32s."""

    key: str
    upload: str
    checksums: bool


class SentPart(NamedTuple):
    """A part, as a completion lists it."""

    number: int
    size: int
    etag: str
    crc: int


class Bucket:
    """A bucket.

    :param name: the bucket's name.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    # Objects

    def put(
        self,
        key: str,
        body: Body,
        *,
        metadata: dict[str, str] | None = None,
        replaces: bool = False,
    ) -> str:
        """Store an object and return its ETag.

        :param metadata: of a finished file.
        :param replaces: whether a finished file may be there already.
        :raises FileExistsError:
        """
        more: dict[str, Any] = {}
        if metadata is not None:
            more = {"Metadata": metadata, "ContentType": _TYPE, **_unless_taken(replaces)}
        answer = self._send("put_object", key, body, more)
        return str(answer["ETag"])

    def read(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes ``[start, stop)`` of an object.

        :raises FileNotFoundError:
        :raises StorageBusy: when the store stops before.
        """
        if start >= stop:
            return
        with blocking():
            answer = self._call("get_object", key, Range=f"bytes={start}-{stop - 1}")
        missing, skip = stop - start, 0
        if "ContentRange" not in answer:  # the whole object
            skip = start
        with closing(answer["Body"]) as body:
            while missing:
                with translate(key), blocking():
                    data = body.read(min(_BUFFER, missing + skip))
                if not data:
                    raise StorageBusy(f"the object store returned too few bytes of {key}")
                skip, data = max(0, skip - len(data)), data[skip:]
                missing -= len(data)
                yield data

    def read_all(self, key: str) -> bytes:
        """Return a small object.

        :raises FileNotFoundError:
        """
        with blocking():
            answer = self._call("get_object", key)
            with closing(answer["Body"]) as body, translate(key):
                data: bytes = body.read()
        return data

    def copy(self, source: str, key: str, metadata: dict[str, str]) -> str:
        """Copy an object of at most 5 GiB within the store, and return the ETag.

        :raises FileNotFoundError: when the source is missing.
        """
        with blocking():
            answer = self._call(
                "copy_object",
                key,
                client=self.connection.slow_client,
                CopySource={"Bucket": self.name, "Key": source},
                Metadata=metadata,
                MetadataDirective="REPLACE",
                ContentType=_TYPE,
            )
        return str(answer["CopyObjectResult"].get("ETag", ""))

    def copy_any(self, source: str, key: str, metadata: dict[str, str]) -> None:
        """Copy an object of any size within the store.

        :raises FileNotFoundError: when the source is missing.
        """
        from boto3.s3.transfer import TransferConfig

        place = {"Bucket": self.name, "Key": source}
        more = {"Metadata": metadata, "MetadataDirective": "REPLACE", "ContentType": _TYPE}
        sizes = {"multipart_threshold": LARGEST_PART, "multipart_chunksize": _COPIED}
        with translate(source), blocking():
            self.connection.slow_client.copy(
                place, self.name, key, ExtraArgs=more, Config=TransferConfig(**sizes)
            )

    def find(self, key: str) -> Found | None:
        """Return an object's size and metadata; None when there is none."""
        try:
            with blocking():
                answer = self._call("head_object", key)
        except FileNotFoundError:
            return None
        metadata = {name.lower(): value for name, value in answer["Metadata"].items()}
        return Found(answer["ContentLength"], metadata)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are missing are left out."""
        wanted = list(keys)
        for at in range(0, len(wanted), _MOST_DELETED):
            objects = [{"Key": key} for key in wanted[at : at + _MOST_DELETED]]
            with translate(), blocking():
                answer = self.connection.client.delete_objects(
                    Bucket=self.name, Delete={"Objects": objects, "Quiet": True}
                )
            if answer.get("Errors"):
                error = answer["Errors"][0]
                raise StorageBusy(f"{error.get('Key')} could not be removed: {error.get('Code')}")

    def keys(self, prefix: str, *, most: int | None = None) -> Iterator[tuple[str, datetime]]:
        """Yield the keys with a prefix, in order, and when each was stored.

        :param most: how many are enough; None for all.
        """
        options: dict[str, Any] = {} if most is None else {"MaxKeys": most}
        while True:
            with translate(prefix), blocking():
                answer = self.connection.client.list_objects_v2(
                    Bucket=self.name, Prefix=prefix, **options
                )
            for item in answer.get("Contents", ()):
                yield item["Key"], item["LastModified"]
            if most is not None or not answer.get("IsTruncated"):
                return
            options["ContinuationToken"] = answer["NextContinuationToken"]

    def url(self, key: str, seconds: int, *, disposition: str) -> str:
        """Return a URL from which anybody can get the object for a while."""
        with translate(key):
            url: str = self.connection.client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.name,
                    "Key": key,
                    "ResponseContentDisposition": disposition,
                    "ResponseContentType": _TYPE,
                },
                ExpiresIn=seconds,
            )
        return url

    # Multipart uploads

    def start(self, key: str, metadata: dict[str, str]) -> Multipart:
        """Start a multipart upload."""
        with blocking():
            answer = self._call(
                "create_multipart_upload",
                key,
                Metadata=metadata,
                ContentType=_TYPE,
                ChecksumAlgorithm="CRC32",
                ChecksumType="FULL_OBJECT",
            )
        return Multipart(key, answer["UploadId"], answer.get("ChecksumType") == "FULL_OBJECT")

    def put_part(self, multipart: Multipart, number: int, body: Body) -> SentPart:
        """Send a part."""
        more = {"UploadId": multipart.upload, "PartNumber": number}
        answer = self._send("upload_part", multipart.key, body, more)
        return SentPart(number, body.size, str(answer["ETag"]), body.crc)

    def copy_part(self, multipart: Multipart, number: int, source: str) -> str:
        """Have the store copy an object as a part, and return its ETag.

        :raises FileNotFoundError: when the object or the multipart upload is missing.
        """
        with blocking():
            answer = self._call(
                "upload_part_copy",
                multipart.key,
                UploadId=multipart.upload,
                PartNumber=number,
                CopySource={"Bucket": self.name, "Key": source},
            )
        return str(answer["CopyPartResult"].get("ETag", ""))

    def complete(
        self, multipart: Multipart, parts: list[SentPart], *, replaces: bool = False
    ) -> None:
        """Make the object of the listed parts.

        :param replaces: whether there may be an object with the key.
        :raises FileNotFoundError: when the multipart upload is gone: completed or aborted.
        :raises FileExistsError: when the key is taken.
        """
        more: dict[str, Any] = {"MpuObjectSize": sum(part.size for part in parts)}
        more |= _unless_taken(replaces)
        if multipart.checksums:
            more |= {"ChecksumCRC32": crc.encoded(_whole(parts)), "ChecksumType": "FULL_OBJECT"}
        listed = [_listed(part, checksum=multipart.checksums) for part in parts]
        with blocking():
            self._call(
                "complete_multipart_upload",
                multipart.key,
                client=self.connection.slow_client,
                UploadId=multipart.upload,
                MultipartUpload={"Parts": listed},
                **more,
            )

    def abort(self, key: str, upload: str) -> None:
        """Abort a multipart upload, with all its parts. Idempotent."""
        try:
            with blocking():
                self._call("abort_multipart_upload", key, UploadId=upload)
        except FileNotFoundError:
            return

    def multiparts(self, prefix: str) -> Iterator[tuple[str, str, datetime]]:
        """Yield key, id and start of every multipart upload below a prefix."""
        options: dict[str, Any] = {}
        while True:
            try:
                with translate(prefix), blocking():
                    answer = self.connection.client.list_multipart_uploads(
                        Bucket=self.name, Prefix=prefix, **options
                    )
            except FileNotFoundError:  # what rclone says when there are none
                return
            for item in answer.get("Uploads", ()):
                yield item["Key"], item["UploadId"], item["Initiated"]
            if not answer.get("IsTruncated"):
                return
            options = {
                "KeyMarker": answer["NextKeyMarker"],
                "UploadIdMarker": answer["NextUploadIdMarker"],
            }

    def _send(self, name: str, key: str, body: Body, more: dict[str, Any]) -> dict[str, Any]:
        checksum = crc.encoded(body.crc)
        with blocking():
            if not isinstance(body.data, bytes):
                body.data.seek(0)
            connection = self.connection
            answer: dict[str, Any] = self._call(
                name,
                key,
                client=connection.client_again if body.tried else connection.client,
                Body=body.data,
                ContentLength=body.size,
                ChecksumAlgorithm="CRC32",
                ChecksumCRC32=checksum,
                **more,
            )
            if answer.get("ChecksumCRC32", checksum) != checksum:
                raise StorageBusy("the object store got other bytes than were sent")
            if "ChecksumCRC32" not in answer and answer["ETag"].strip('"') != body.md5():
                raise StorageBusy("the object store does not confirm the bytes that were sent")
        return answer

    def _call(self, name: str, key: str, *, client: Any = None, **options: Any) -> Any:
        with translate(key):
            client = client or self.connection.client
            return getattr(client, name)(Bucket=self.name, Key=key, **options)


def _unless_taken(replaces: bool) -> dict[str, str]:
    return {} if replaces else {"IfNoneMatch": "*"}


def _whole(parts: list[SentPart]) -> int:
    whole = 0
    for part in parts:
        whole = crc.combine(whole, part.crc, part.size)
    return whole


def _listed(part: SentPart, *, checksum: bool) -> dict[str, Any]:
    listed = {"PartNumber": part.number, "ETag": part.etag}
    return listed | {"ChecksumCRC32": crc.encoded(part.crc)} if checksum else listed
