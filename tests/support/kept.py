"""Browser contexts that serve one test after another.

A new context with a tab costs about 0.45 s of processor time until the page is loaded: its process
starts, and gets and compiles the page's scripts for the first time. In a tab that is kept it is
about 0.25 s; tests of the page take 15 % less.

What a test changes is undone as it ends (:data:`_UNDO`), and all that its pages stored is deleted;
nothing is kept but the HTTP cache. A context of which this cannot be said is closed instead, and
the next test gets a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession, Error, Frame, Page

Undo = Callable[..., object]

#: How a context and a tab are as Playwright makes them.
_VIEWPORT = {"width": 1280, "height": 720}
_MEDIA = {"color_scheme": "light", "reduced_motion": "no-preference", "forced_colors": "none"}

#: What tests call and how it is undone: given the object, what it returned, and the arguments.
_UNDO: dict[str, Undo] = {
    "add_init_script": lambda of, made, *_, **__: made.close(),
    "expose_binding": lambda of, made, *_, **__: made.close(),
    "expose_function": lambda of, made, *_, **__: made.close(),
    "new_cdp_session": lambda of, made, *_: made.detach(),
    "route": lambda of, made, *_, **__: of.unroute_all(),
    "set_viewport_size": lambda of, made, *_, **__: of.set_viewport_size(_VIEWPORT),
    "emulate_media": lambda of, made, **_: of.emulate_media(**_MEDIA),
    "set_offline": lambda of, made, *_: of.set_offline(False),
    "grant_permissions": lambda of, made, *_, **__: of.clear_permissions(),
    "set_extra_http_headers": lambda of, made, *_: of.set_extra_http_headers({}),
}

#: The same for what would meddle with the undoing, and is undone first.
_UNDO_FIRST: dict[str, Undo] = {
    "on": lambda of, made, event, listener: of.remove_listener(event, listener),
}

#: Of these, what an older Playwright does not tell how to undo.
_RETURNS_ITS_UNDOING = ("add_init_script", "expose_binding", "expose_function")

#: What may be called and is not undone: a context with which it was done is not kept.
_SPOILS = ("once", "add_locator_handler", "route_from_har", "route_web_socket", "set_geolocation")

#: Whether nothing has taken the place of the browser's own functions, as Playwright's clock does.
_UNTOUCHED = "String(setTimeout).includes('[native code]')"

#: Options of a context that its tabs can be given later.
_LATER = {"color_scheme", "reduced_motion", "viewport", "permissions"}


class KeptContext:
    """A context that one test after the other is lent."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self._open = self.context.new_page
        self._undo: list[Callable[[], object]] = []
        self._undo_first: list[Callable[[], object]] = []
        self._spoilt = False
        self._origins: set[str] = set()
        self._options: dict[str, Any] = {}
        self._fresh = True
        self.context.on("page", lambda page: page.on("framenavigated", self._note))
        self.page = self._open()
        self._devtools: CDPSession = self.context.new_cdp_session(self.page)
        self.page.on("crash", self._spoil)
        for of in (self.context, self.page):
            for name in {*_UNDO, *_UNDO_FIRST, *_SPOILS} & set(dir(of)):
                setattr(of, name, self._noted(of, name))
        self._close = self.context.close
        for name, method in {"new_page": self._new_page, "close": self._close_pages}.items():
            setattr(self.context, name, method)

    def lend(self, **options: Any) -> BrowserContext:
        """Give it to a test; the first tab that the test opens is the one that is kept."""
        self._options = dict(options)
        if permissions := self._options.pop("permissions", None):
            self.context.grant_permissions(permissions)
        self._fresh = True
        return self.context

    def take_back(self) -> bool:
        """Make it as it was; returns whether it can be lent again, and is closed if not."""
        with suppress(Error):
            if self._restore():
                return True
        self._close()
        return False

    def _restore(self) -> bool:
        if self._spoilt or self.page.is_closed() or not self._forget_the_tab():
            return False
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        _empty(self._undo_first)
        self.page.goto("about:blank")  # before its routes go: they may hold what is not sent
        _empty(self._undo)
        self.context.clear_cookies()
        for origin in self._origins:
            what = {"origin": origin, "storageTypes": "all"}
            self._devtools.send("Storage.clearDataForOrigin", what)
        self._origins.clear()
        return bool(self.page.evaluate(_UNTOUCHED))

    def _close_pages(self) -> None:
        """Do what a test sees of a context that it closes: its pages end."""
        self._spoil()
        for page in self.context.pages:
            page.close()

    def _forget_the_tab(self) -> bool:
        """Delete what is stored for the tab alone, which only a page of its origin can do."""
        if not self._origins:
            return True
        if self._origins != {_origin(self.page.url)}:
            return False
        self.page.evaluate("sessionStorage.clear()")
        return True

    def _new_page(self) -> Page:
        page = self.page if self._fresh else self._open()
        self._fresh = False
        media = {name: value for name, value in self._options.items() if name != "viewport"}
        if media:
            page.emulate_media(**media)
        if viewport := self._options.get("viewport"):
            page.set_viewport_size(viewport)
        return page

    def _noted(self, of: Any, name: str) -> Callable[..., Any]:
        """Return a method that notes how to undo what it does."""
        method = getattr(of, name)

        def call(*arguments: Any, **options: Any) -> Any:
            made = method(*arguments, **options)
            if made is None and name in _RETURNS_ITS_UNDOING:
                self._spoil()
            elif first := _UNDO_FIRST.get(name):
                self._undo_first.append(lambda: first(of, made, *arguments, **options))
            elif undo := _UNDO.get(name):
                self._undo.append(lambda: undo(of, made, *arguments, **options))
            else:
                self._spoil()
            return made

        return call

    def _spoil(self, *_: Any) -> None:
        self._spoilt = True

    def _note(self, frame: Frame) -> None:
        if origin := _origin(frame.url):
            self._origins.add(origin)


class KeptContexts:
    """The contexts of a browser that are kept: as many as one test needed at the same time.

    From then on ``browser.new_context`` and ``browser.new_page`` lend one, where its options allow.
    """

    def __init__(self, browser: Browser) -> None:
        self._make = browser.new_context
        for name, method in {"new_context": self.lend, "new_page": self._new_page}.items():
            setattr(browser, name, method)
        self._free: list[KeptContext] = []
        self._lent: list[KeptContext] = []

    def lend(self, **options: Any) -> BrowserContext:
        """Lend a context until :meth:`take_back`; make one where only a new one has the options."""
        if not set(options) <= _LATER:
            return self._make(**options)
        self._lent.append(self._free.pop() if self._free else KeptContext(self._make()))
        return self._lent[-1].lend(**options)

    def _new_page(self, **options: Any) -> Page:
        return self.lend(**options).new_page()

    def take_back(self) -> None:
        """Take back all that is lent."""
        while self._lent:
            kept = self._lent.pop()
            if kept.take_back():
                self._free.append(kept)

    def __contains__(self, context: BrowserContext) -> bool:
        return any(kept.context is context for kept in self._free + self._lent)


def _empty(undo: list[Callable[[], object]]) -> None:
    for one in reversed(tuple(undo)):
        one()
    undo.clear()  # also of what undoing has noted


def _origin(url: str) -> str | None:
    """Return the origin of a page; None of one that has nothing stored."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else None
