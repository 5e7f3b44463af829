"""What axe-core finds wrong with a page."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support import npm


def violations(page: Page, within: str = "html") -> list[str]:
    """Return each rule that the page breaks as it is now, with the elements that do.

    :param within: selects the part that is looked at.
    """
    if page.evaluate("!window.axe"):
        axe = npm.package("axe-core") / "axe.min.js"
        # Scripts of others are not allowed on the page; the debugger is not asked.
        page.evaluate(f"() => {{ {axe.read_text()} }}")
    # Only what fails is asked for, and in one frame.
    options = {"resultTypes": ["violations"], "iframes": False}
    look = "async ([within, options]) => (await axe.run(within, options)).violations"
    found = page.evaluate(look, [within, options])
    return [f"{v['id']}: {[node['html'] for node in v['nodes']]}" for v in found]
