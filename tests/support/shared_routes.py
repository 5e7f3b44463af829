"""What Werkzeug compiles for a route, once for all apps of a process: two thirds of making an app.

For each route it compiles two functions that build its URL. They depend on the rule's text and
defaults alone: converters are looked up in the rule that calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from werkzeug.routing import Rule

#: Werkzeug's own method; where it has another name, each app compiles its own again.
_NAME = "_compile_builder"

_compiled: dict[Any, Callable[..., tuple[str, str]]] = {}


@contextmanager
def shared_routes() -> Iterator[None]:
    """Have Werkzeug take what it has compiled for an equal rule, in one test."""
    own = getattr(Rule, _NAME, None)
    if own is None:
        yield
        return

    def shared(rule: Any, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:  # they are compiled in as text, by the rule's own converters
            made: Callable[..., tuple[str, str]] = own(rule, append_unknown)
            return made
        key = rule.rule, tuple(rule._trace), append_unknown
        if key not in _compiled:
            _compiled[key] = own(rule, append_unknown)
        return _compiled[key]

    with mock.patch.object(Rule, _NAME, shared):
        yield
