"""A browser whose tabs serve one test after the other.

A tab in a context of its own, with a process of its own, takes three times the processor time of a
page loaded in one that has been used. So a test that asks for a context gets one that was used with
the same options, its tab empty: pages, routes, listeners, cookies and storage of earlier tests are
gone. It is not handed on when anything else was done to it (:data:`_LASTING`), when it was on more
than one origin, or when the test failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Process
from playwright.sync_api import BrowserContext, Frame, Page
from playwright.sync_api import Error as PlaywrightError

#: Methods of a context, a page and a clock whose effect a load of another page does not end.
_LASTING = (
    *("add_init_script", "add_locator_handler", "bring_to_front", "close", "emulate_media"),
    *("expose_binding", "expose_function", "grant_permissions", "new_cdp_session"),
    *("route_from_har", "route_web_socket", "set_extra_http_headers", "set_geolocation"),
    *("set_offline", "set_viewport_size", "once"),
    *("fast_forward", "install", "pause_at", "resume", "run_for", "set_fixed_time"),
    "set_system_time",
)

#: How many tabs wait for a test that wants their like.
_MOST = 4


class _Tab:
    """A context whose first page is there before it is asked for."""

    def __init__(self, process: Process, scripts: Sequence[str], options: dict[str, Any]) -> None:
        self.wanted = (tuple(scripts), options)
        self.context = process.new_context(**options)
        for script in scripts:
            self.context.add_init_script(script)
        self._spent = False
        self._origins: set[str] = set()
        self._listeners: list[tuple[Any, str, Any]] = []
        self.context.on("page", lambda page: page.on("framenavigated", self._note_origin))
        self.page = self.context.new_page()
        self._wiping = self.context.new_cdp_session(self.page)
        for owner in (self.context, self.page, self.context.clock):
            self._watch(owner)
        self._new_page, self._fresh = self.context.new_page, True
        _replace(self.context, "new_page", self._first_page)

    def _first_page(self) -> Page:
        fresh, self._fresh = self._fresh, False
        return self.page if fresh else self._new_page()

    def _watch(self, owner: Any) -> None:
        for name in _LASTING:
            if hasattr(owner, name):
                _replace(owner, name, self._spending(getattr(owner, name)))
        if hasattr(owner, "on"):
            _replace(owner, "on", self._listening(owner, owner.on))

    def _spending(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self._spent = True
            return method(*given, **named)

        return call

    def _listening(self, owner: Any, method: Callable[..., None]) -> Callable[..., None]:
        def call(event: str, f: Callable[..., Any]) -> None:
            self._listeners.append((owner, event, f))
            method(event, f)

        return call

    def _note_origin(self, frame: Frame) -> None:
        url = urlsplit(frame.url)
        if url.netloc:
            self._origins.add(f"{url.scheme}://{url.netloc}")

    def wipe(self) -> bool:
        """Make it as new; returns whether it is."""
        if self._spent or len(self._origins) > 1 or self.page.is_closed():
            return False
        try:
            return self._wipe()
        except PlaywrightError:
            return False

    def _wipe(self) -> bool:
        for owner, event, listener in self._listeners:
            owner.remove_listener(event, listener)
        self._listeners.clear()
        self.leave()
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        if self._origins and self.page.evaluate("sessionStorage.length"):
            return False  # it belongs to the tab: nobody else can clear it
        self.page.goto("about:blank")
        self.page.mouse.move(0, 0)
        self.context.clear_cookies()
        for origin in self._origins:
            everything = {"origin": origin, "storageTypes": "all"}
            self._wiping.send("Storage.clearDataForOrigin", everything)
        self._origins.clear()
        self._fresh = True
        return True

    def leave(self) -> None:
        """Give up on what its pages ask for last: the answer comes when the page has gone."""
        for page in self.context.pages:
            page.unroute_all(behavior="ignoreErrors")
        self.context.unroute_all(behavior="ignoreErrors")

    def close(self) -> None:
        self.leave()
        BrowserContext.close(self.context)


class Browser:
    """What tests need of Playwright's class of this name; see above.

    :param process: Chromium.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._idle: list[_Tab] = []
        self._taken: list[_Tab] = []

    @property
    def version(self) -> str:
        """Chromium's."""
        return self._process.version

    def new_context(self, *, scripts: Sequence[str] = (), **options: Any) -> BrowserContext:
        """Return a context in which nothing is.

        :param scripts: to run in each of its pages before the page's own.
        :param options: Playwright's.
        """
        self._idle = list(filter(self._open, self._idle))
        tab = next((one for one in self._idle if one.wanted == (tuple(scripts), options)), None)
        if tab is None:
            tab = _Tab(self._process, scripts, options)
        else:
            self._idle.remove(tab)
        self._taken.append(tab)
        return tab.context

    def new_page(self, **options: Any) -> Page:
        """Return a tab of a context of its own."""
        return self.new_context(**options).new_page()

    def take_back(self, *, sound: bool) -> None:
        """End a test.

        :param sound: whether the next may have its tabs.
        """
        taken, self._taken = self._taken, []
        for tab in filter(self._open, taken):
            if sound and tab.wipe():
                self._idle.append(tab)
            else:
                tab.close()
        while len(self._idle) > _MOST:
            self._idle.pop(0).close()

    def close(self) -> None:
        """Close all of its tabs."""
        self.take_back(sound=False)
        while self._idle:
            self._idle.pop().close()

    def _open(self, tab: _Tab) -> bool:
        return tab.context in self._process.contexts


def _replace(owner: Any, name: str, method: Callable[..., Any]) -> None:
    """Have one object do something else when a method is called."""
    setattr(owner, name, method)
