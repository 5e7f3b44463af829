"""Chromium, as the system has it, driven by Playwright.

Starting it takes a second or two, so one process serves all tests of a pytest worker (fixture
``browser`` in ``tests/conftest.py``); what tests must not share (cookies, storage, open pages)
belongs to a context, and those are closed after each test. A test that kills its browser starts one
of its own with :func:`persistent_context`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright

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


def executable() -> str:
    """Return the path of Chromium; without one, the current test is skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        skip_without("Chromium", install="the package chromium")
    return found


def launch(playwright: Playwright) -> Browser:
    """Start a Chromium that keeps nothing."""
    return playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)


def persistent_context(playwright: Playwright, profile: Path) -> BrowserContext:
    """Start a Chromium of its own that keeps cookies and storage in ``profile``."""
    return playwright.chromium.launch_persistent_context(
        profile, executable_path=executable(), args=ARGUMENTS
    )
