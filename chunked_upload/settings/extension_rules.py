"""Which file extensions an upload set takes, from Flask-Uploads' presets, ALLOW and DENY."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chunked_upload.support.filenames import extensions as extensions_of
from chunked_upload.support.filenames import has_extension
from chunked_upload.support.presets import PRESETS, AllExcept

from .names import Extensions


@dataclass(frozen=True)
class ExtensionRules:
    """The extensions that are taken, as the settings of the same names.

    :param allowed: the only ones taken; None for any, also none at all.
    :param denied: those refused.
    """

    allowed: tuple[str, ...] | None
    denied: tuple[str, ...] = ()

    @classmethod
    def of(cls, extensions: object) -> ExtensionRules:
        """Return the rules of a preset, of several extensions, or of an :class:`AllExcept`.

        :raises ValueError: for text, such as a preset's name, and for what holds no extensions.
        """
        if isinstance(extensions, AllExcept):
            return cls(None, _read(extensions.items))
        if isinstance(extensions, str):
            raise ValueError(_no_text(extensions))
        if not isinstance(extensions, Iterable):
            raise ValueError(
                f"must be a preset, as IMAGES, or several extensions, not {extensions!r}"
            )
        return cls(_read(extensions))

    def changed(self, *, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> ExtensionRules:
        """Return these rules with more extensions allowed and denied; allowing wins over denying.

        This is what ``UPLOADED_<SET>_ALLOW`` and ``_DENY`` mean in Flask-Uploads.
        """
        more, less = _read(allow), _read(deny)
        if self.allowed is None:
            denied = dict.fromkeys((*self.denied, *less))
            return ExtensionRules(None, tuple(one for one in denied if one not in more))
        kept = (one for one in self.allowed if one not in less)
        return ExtensionRules(tuple(dict.fromkeys((*kept, *more))))

    def fits(self, filename: str) -> bool:
        """Return whether a file of this name is taken; upper and lower case are the same."""
        if self.allowed is not None and not has_extension(filename, self.allowed):
            return False
        return not any(suffix in self.denied for suffix in extensions_of(filename))


def allowed_file(filename: str | None, extensions: object) -> bool:
    """Return whether a file's extension is one of those allowed; the helper of Flask's docs.

    :param filename: the client's name for the file; None and empty names are not allowed.
    :param extensions: a preset, several extensions (``{"png", "jpg"}``), or ``AllExcept(...)``.
    """
    return bool(filename) and ExtensionRules.of(extensions).fits(filename or "")


def _read(extensions: Iterable[str]) -> tuple[str, ...]:
    return Extensions().read(extensions)


def _no_text(given: str) -> str:
    if given.upper() in PRESETS or given.upper() == "ALL":
        name = given.upper()
        return f"must be the preset itself, not {given!r}; write {name}, from chunked_upload"
    return f"must be several extensions, not {given!r}; write ({given!r},)"
