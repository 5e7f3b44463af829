"""The names that a completed file may get: the client's, and what follows if it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from chunked_upload.support.filenames import portable_filename

#: Numbers that are tried when a name is taken; each costs a system call.
_MOST_NUMBERS = 1000


@dataclass(frozen=True)
class Candidates:
    """The keys of one upload's completed file, in the order in which they are tried.

    :param directory: where the file goes, relative; may be empty.
    :param filename: its wanted name, any text.
    :param longest: bytes that a name may have in this file system.
    :param numbered: try ``name_1.ext``, ``name_2.ext`` before the name with the upload's id.
    """

    upload_id: str
    directory: str
    filename: str
    longest: int
    numbered: bool
    #: The key that a file had in another storage, and gets here too.
    wanted: str | None = None

    def __iter__(self) -> Iterator[str]:
        if self.wanted is not None:
            yield self.wanted
            return
        stem, suffix = self._name
        yield self._key(stem, suffix)
        if self.numbered:
            for number in range(1, _MOST_NUMBERS + 1):
                yield self._key(f"{stem}_{number}", suffix)
        yield self.unique

    @property
    def unique(self) -> str:
        """The key with the upload's id, which no other upload's file has."""
        stem, suffix = self._name
        return self._key(f"{stem}-{self.upload_id}", suffix)

    @cached_property
    def _name(self) -> tuple[str, str]:
        room = self.longest - len(f"_-{self.upload_id}")
        name = portable_filename(self.filename, fallback=self.upload_id, max_bytes=room)
        stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
        return stem, dot + suffix

    def _key(self, stem: str, suffix: str) -> str:
        # A key must never begin with a slash.
        return f"{self.directory}/{stem}{suffix}" if self.directory else f"{stem}{suffix}"
