"""Chromium, as the system has it, driven by Playwright.

Starting it takes a second or two, so one process serves all tests of a pytest worker (fixture
``browser`` in ``tests/conftest.py``); what tests must not share (cookies, storage, open pages)
belongs to a context, and those are closed after each test, or wiped and handed on (tabs.py). A test
that kills its browser starts one of its own with :func:`persistent_context`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.support.missing import skip_without

#: Playwright's own list, which ours replaces, and the windows that Chromium prepares for each page
#: under its address line: they took a third of a page's processor time.
_WITHOUT = [
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
]

#: No sandbox, since tests may run as root; no traffic but the tests' own.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(_WITHOUT)}",
]


#: The names of the program that people use.
_WHOLE = ("chromium", "chromium-browser")

#: The same engine without windows, in which a page takes a fifth less of processor time.
_SHELL = ("chromium-headless-shell",)


def installed(*, whole: bool = False) -> str | None:
    """Return the path of Chromium, if the system has it.

    :param whole: the program that people use, if it is there; else the one without windows.
    """
    names = _WHOLE + _SHELL if whole else _SHELL + _WHOLE
    return next(filter(None, map(shutil.which, names)), None)


def executable(*, whole: bool = False) -> str:
    """Return the path of Chromium, as above; without one, the current test is skipped."""
    found = installed(whole=whole)
    if found is None:
        skip_without("Chromium", install="the package chromium")
    return found


def launch(playwright: Playwright, *, whole: bool = False) -> Browser:
    """Start a Chromium that keeps nothing; parameters as above."""
    return playwright.chromium.launch(executable_path=executable(whole=whole), args=ARGUMENTS)


def print_failures(page: Page) -> None:
    """Print what a page could not load, for the report of a test that fails."""
    page.on("requestfailed", lambda request: print("not loaded:", request.url, request.failure))
    page.on("pageerror", lambda error: print("error in the page:", error))


def persistent_context(playwright: Playwright, profile: Path) -> BrowserContext:
    """Start a Chromium that keeps cookies and storage in ``profile``.

    The one without windows does it with the same code, for a third less of processor time.
    """
    return playwright.chromium.launch_persistent_context(
        profile, executable_path=executable(), args=ARGUMENTS
    )
