"""What a checksum is to the engine: a running digest that can be stored and continued."""

from __future__ import annotations

from typing import ClassVar, Protocol, Self


class Checksum(Protocol):
    """A running digest of a file's bytes, made without arguments, for no bytes yet."""

    #: Its name in settings, requests, answers and records: lower-case letters and digits.
    name: ClassVar[str]

    @classmethod
    def resumable(cls) -> bool:
        """Return whether :meth:`freeze` and :meth:`thaw` work here.

        If they do not, the engine reads the file once, when the upload is completed.
        """

    def update(self, data: bytes) -> None:
        """Take in the next bytes of the file."""

    def freeze(self) -> bytes:
        """Return a state of about a hundred bytes from which any process can continue."""

    @classmethod
    def thaw(cls, state: bytes) -> Self:
        """Continue from what :meth:`freeze` returned.

        :raises ValueError: for a state that this class did not make.
        """

    def copy(self) -> Self:
        """Return an independent digest of the same bytes."""

    def hexdigest(self) -> str:
        """Return the digest of the bytes so far in lower-case hex digits; more may follow."""
