"""Sends an object or a part while its bytes arrive, with their CRC-32 behind them.

boto3 sends a body once it is whole, and reads all of it before that, to sign it. Here the body is
one piece of ``aws-chunked`` encoding, and the CRC-32 its trailer, with which the store compares
what it got. A stream only saves time: whatever goes wrong with it, the writer still has the bytes,
and sends them by boto3, which tries again and says what is wrong. One that got no answer in time
counts as the first try.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from chunked_upload.support.blocking import blocking

from . import crc
from .connection import Connection, PerProcess
from .wires import Wires

logger = logging.getLogger(__name__)

#: Answers without a confirmation after which a process no longer streams: the store cannot do it.
_IN_VAIN = 3

_TRAILER = "x-amz-checksum-crc32"


class Stream:
    """One request whose body is being sent.

    :param place: its URL.
    :param size: bytes of the object or part.
    """

    def __init__(
        self, streams: Streams, wire: HTTPConnection, place: SplitResult, size: int
    ) -> None:
        self.size = size
        self._streams = streams
        self._wire: HTTPConnection | None = wire
        self._place = place
        #: Whether the store has not taken the bytes, or not answered, in time.
        self.hung = False

    def send(self, data: bytes | memoryview) -> None:
        """Send the next bytes; after a failure nothing more is sent."""
        if self._wire is None:
            return
        try:
            with blocking():
                self._wire.send(data)
        except (OSError, HTTPException) as error:
            self.hung = isinstance(error, TimeoutError)
            self.abort()

    def finish(self, checksum: int) -> str | None:
        """End the request, and return the ETag if the store has confirmed the bytes.

        :param checksum: the CRC-32 of all bytes.
        """
        self.send(_end(checksum))
        wire, self._wire = self._wire, None
        if wire is None:
            return None
        try:
            with blocking():
                answer = wire.getresponse()
                answer.read()
        except (OSError, HTTPException) as error:
            self.hung = isinstance(error, TimeoutError)
            self._streams.wires.drop(wire)
            return None
        self._streams.wires.keep(self._place, wire)
        confirmed = answer.headers.get(_TRAILER) == crc.encoded(checksum)
        if answer.status == HTTPStatus.OK and confirmed:
            self._streams.in_vain = 0
            return answer.headers.get("ETag")
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._streams.in_vain += 1
        return None

    def abort(self) -> None:
        """Break the request off, so that the store keeps nothing of it. Idempotent."""
        wire, self._wire = self._wire, None
        if wire is not None:
            self._streams.wires.drop(wire)


class Streams:
    """Opens streams to one bucket.

    :param bucket: the bucket's name.
    """

    def __init__(self, connection: Connection, bucket: str) -> None:
        self._connection = connection
        self._bucket = bucket
        self._url = PerProcess(self._find)
        #: Answers in a row that did not confirm what was streamed.
        self.in_vain = 0

    @property
    def wires(self) -> Wires:
        """The connections to the store."""
        return self._connection.wires

    def open(self, key: str, size: int, *, query: dict[str, Any] | None = None) -> Stream | None:
        """Begin to store an object or a part; None when it must wait until it is whole.

        :param query: what a part is: ``uploadId`` and ``partNumber``.
        """
        if self.in_vain >= _IN_VAIN:
            return None
        try:
            url = self._url.get() + quote(key, safe="/~")
            return self._begin(url + (f"?{urlencode(query)}" if query else ""), size)
        except Exception:  # no credentials now, say: boto3 tells what is wrong
            logger.debug("a stream to %s could not be opened", key, exc_info=True)
            return None

    def _begin(self, url: str, size: int) -> Stream | None:
        place = urlsplit(url)
        wire = self.wires.take(place)
        if wire is None:
            return None
        stream = Stream(self, wire, place, size)
        try:
            with blocking():
                self._send_head(wire, url, size)
        except BaseException:
            stream.abort()
            raise
        return stream

    def _send_head(self, wire: HTTPConnection, url: str, size: int) -> None:
        place, start = urlsplit(url), f"{size:x}\r\n".encode()
        headers = {
            "Host": place.netloc,
            "Content-Encoding": "aws-chunked",
            "Content-Length": str(len(start) + size + len(_end(0))),
            "X-Amz-Decoded-Content-Length": str(size),
            "X-Amz-Trailer": _TRAILER,
            "X-Amz-Sdk-Checksum-Algorithm": "CRC32",
        }
        target = place.path + (f"?{place.query}" if place.query else "")
        wire.putrequest("PUT", target, skip_host=True, skip_accept_encoding=True)
        for name, value in self._signed(url, headers).items():
            wire.putheader(name, value)
        wire.endheaders(start)

    def _signed(self, url: str, headers: dict[str, str]) -> dict[str, str]:
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("PUT", url, headers=headers)
        # So it signs that the body's checksum is a trailer, instead of the body.
        request.context["checksum"] = {"request_algorithm": {"in": "trailer", "name": _TRAILER}}
        region = self._connection.client.meta.region_name
        S3SigV4Auth(self._connection.credentials, "s3", region).add_auth(request)
        return dict(request.headers.items())

    def _find(self) -> str:
        """Return what the URLs of the bucket's objects begin with."""
        made: str = self._connection.client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": "k"}
        )
        return made.partition("?")[0].removesuffix("k")


def _end(checksum: int) -> bytes:
    """Return what follows the bytes."""
    return f"\r\n0\r\n{_TRAILER}:{crc.encoded(checksum)}\r\n\r\n".encode()
