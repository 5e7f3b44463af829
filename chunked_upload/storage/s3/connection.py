"""The connection to the store, made by each process for itself when it first needs it.

A server may fork its workers after the app was made; neither boto3's connections nor threads
survive that.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, Generic, TypeVar

from chunked_upload.support.blocking import blocking

from .clock import StoreClock
from .failures import wait_for_each
from .wires import Wires

_T = TypeVar("_T")

#: Threads that send parts while the next ones arrive, or copy parts at a completion.
_THREADS = 8

#: Seconds in which a connection must be made, and in which a file must be made.
_CONNECT, _SLOW = 5, 60

#: Connections to the store that are kept open; more are opened when they are needed.
_CONNECTIONS = 64


class Connection:
    """A process's boto3 client, and threads to use it with.

    :param options: keywords of ``boto3.session.Session.client``, and ``profile_name``.
    :param timeout: seconds that an answer may take.
    :param attempts: how often a call is tried.
    :ivar clock: the store's.
    """

    def __init__(self, options: dict[str, Any], *, timeout: float, attempts: int) -> None:
        self.clock = StoreClock()
        self._options = dict(options)
        profile = self._options.pop("profile_name", None)
        self._timeout = timeout
        self._attempts = attempts
        self._session = PerProcess(lambda: _session(profile))
        self._client = PerProcess(self._connect)
        self._client_again = PerProcess(self._connect_again)
        self._slow_client = PerProcess(self._connect_slowly)
        self._wires = PerProcess(lambda: Wires(timeout=timeout))
        self._threads = PerProcess(lambda: ThreadPoolExecutor(_THREADS, "s3", wait_for_each))

    @property
    def client(self) -> Any:
        """The boto3 client; any number of threads may use it."""
        return self._client.get()

    @property
    def client_again(self) -> Any:
        """The boto3 client for what has been tried once, and got no answer in time."""
        return self._client_again.get()

    @property
    def slow_client(self) -> Any:
        """The boto3 client for calls by which the store makes a whole file.

        They may take long, and are tried once: while the store is at it, it must not begin again.
        """
        return self._slow_client.get()

    @property
    def credentials(self) -> Any:
        """The credentials that boto3 finds, as they are now."""
        return self._session.get().get_credentials()

    @property
    def wires(self) -> Wires:
        """Connections for what is sent while it arrives."""
        return self._wires.get()

    @property
    def threads(self) -> ThreadPoolExecutor:
        """Threads for calls that run beside the request's own."""
        return self._threads.get()

    def each(self, calls: Iterable[Callable[[], _T]]) -> Iterator[_T]:
        """Yield what the calls return, in their order; make several at a time."""
        running: deque[Future[_T]] = deque()
        try:
            for call in calls:
                running.append(self.threads.submit(call))
                if len(running) >= _THREADS:
                    yield _result(running.popleft())
            while running:
                yield _result(running.popleft())
        finally:
            for future in running:
                future.cancel()

    def _connect(self) -> Any:
        return self._new_client(timeout=self._timeout, attempts=self._attempts)

    def _connect_again(self) -> Any:
        return self._new_client(timeout=self._timeout, attempts=max(1, self._attempts - 1))

    def _connect_slowly(self) -> Any:
        return self._new_client(timeout=max(_SLOW, self._timeout), attempts=1)

    def _new_client(self, *, timeout: float, attempts: int) -> Any:
        from botocore.config import Config

        config = Config(
            signature_version="s3v4",  # boto3 still makes URLs with the older one
            connect_timeout=min(_CONNECT, timeout),
            read_timeout=timeout,
            max_pool_connections=_CONNECTIONS,
            # Not "max_attempts", which counts what comes after the first try.
            retries={"mode": "standard", "total_max_attempts": attempts},
            # Every checksum that is sent is computed here, and what is read is compared here.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        client = self._session.get().client("s3", config=config, **self._options)
        client.meta.events.register("after-call.s3", self._hear)
        return client

    def _hear(self, http_response: Any, **_more: Any) -> None:
        self.clock.hear(http_response.headers)


def _result(future: Future[_T]) -> _T:
    with blocking():
        return future.result()


def _session(profile: str | None) -> Any:
    import boto3
    import botocore.session

    # Not boto3's default one, which threads must not share.
    own = botocore.session.get_session()
    session = boto3.session.Session(profile_name=profile, botocore_session=own)
    own.register_component("data_loader", _loader(own.get_config_variable("data_path")))
    return session


@cache
def _loader(data_path: str | None) -> Any:
    """Return what reads boto3's description of S3, and keeps it.

    All sessions share it, also those of processes that are forked later: to read it takes 0.1
    seconds, and to make a client of it 0.01.
    """
    from botocore.loaders import create_loader

    return create_loader(data_path)


@cache
def connect(*, timeout: float, attempts: int, **options: Any) -> Connection:
    """Return the connection that all storages of this process with these options share."""
    return Connection(options, timeout=timeout, attempts=attempts)


class PerProcess(Generic[_T]):
    """Something that each process makes for itself."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[int, _T] | None = None

    def get(self) -> _T:
        """Return this process's."""
        made = self._made
        if made is not None and made[0] == os.getpid():
            return made[1]
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = os.getpid(), self._make()
            return self._made[1]
