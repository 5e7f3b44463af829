"""Where settings come from: the config of an app, and the keywords of an upload set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from chunked_upload.errors import ConfigurationError

from .schema import Given, nearest, read, specs

PREFIX = "CHUNKED_UPLOAD_"

_T = TypeVar("_T")


class Sources:
    """Where the settings of an upload set come from: ``app.config``, and keywords, which win.

    Every class of settings is read from it; then keys that none of them reads are refused.
    """

    def __init__(self, config: Mapping[str, Any], keywords: Mapping[str, Any]) -> None:
        self._config = {key: value for key, value in config.items() if key.startswith(PREFIX)}
        self._keywords = keywords
        self._names: set[str] = set()
        self._others: set[str] = set()

    def read(self, kind: type[_T]) -> _T:
        """Return the settings of a class.

        :raises ConfigurationError: naming the key, the value and what would do.
        """
        given = {}
        for name in specs(kind):
            key = PREFIX + name.upper()
            if name in self._keywords:
                given[name] = Given(key, self._keywords[name])
            elif key in self._config:
                given[name] = Given(key, self._config[key])
            self._names.add(name)
        return read(kind, given)

    def leave_to_others(self, kind: type) -> None:
        """Let a class's keys pass in ``app.config``: another upload set may read them."""
        self._others.update(specs(kind))

    def refuse_unknown(self) -> None:
        """Refuse a mistyped name, since its setting (a limit, say) would not take effect.

        :raises ConfigurationError: with the name that was probably meant.
        """
        known = self._names | self._others
        for key in sorted(self._config):
            if (name := key.removeprefix(PREFIX).lower()) not in known:
                meant = nearest(name, known)
                raise _unknown(key, meant and PREFIX + meant.upper())
        for name in sorted(set(self._keywords) - self._names):
            raise _unknown(name, nearest(name, self._names))


def _unknown(name: str, meant: str | None) -> ConfigurationError:
    advice = f"did you mean {meant}?" if meant else "docs/settings.md lists them all"
    return ConfigurationError(f"{name} is not a setting; {advice}")
