"""What axe-core finds wrong with a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page

from tests.support import npm

#: The rules whose answer depends on the words, their direction or the room that they take. The
#: others are about colours and about which elements there are, and these are the same in each
#: language: the texts are all that the page has of one.
OF_WORDS = (
    *("aria-command-name", "aria-dialog-name", "aria-input-field-name", "aria-meter-name"),
    *("aria-progressbar-name", "aria-toggle-field-name", "aria-tooltip-name", "button-name"),
    *("document-title", "empty-heading", "html-has-lang", "html-lang-valid", "image-alt", "label"),
    *("landmark-unique", "link-name", "select-name", "summary-name", "svg-img-alt", "target-size"),
    *("aria-valid-attr-value", "scrollable-region-focusable", "valid-lang"),
)

#: By language: where all is looked at, once for each direction. Else only what the words can do is.
RULES: dict[str, tuple[str, ...]] = {"ar": (), "en": ()}

#: The rules whose answer depends on the colours.
OF_COLOURS = ("color-contrast", "link-in-text-block")


def violations(page: Page, within: str = "html", *, rules: Sequence[str] = ()) -> list[str]:
    """Return each rule that the page breaks as it is now, with the elements that do.

    :param within: selects the part that is looked at.
    :param rules: the rules to check; by default all that axe-core has switched on.
    """
    if page.evaluate("!window.axe"):
        axe = npm.package("axe-core") / "axe.min.js"
        # Scripts of others are not allowed on the page; the debugger is not asked.
        page.evaluate(f"() => {{ {axe.read_text()} }}")
    # Only what fails is asked for, and in one frame.
    options: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    look = "async ([within, options]) => (await axe.run(within, options)).violations"
    found = page.evaluate(look, [within, options])
    return [f"{v['id']}: {[node['html'] for node in v['nodes']]}" for v in found]


def cut_off(page: Page, screen: int = 320) -> list[str]:
    """Return what sticks out of a screen so wide, and what is too small for what is in it."""
    parts = "html, .cu *:not(.cu-unseen, .cu-skip, .cu-stem)"
    found: list[str] = page.evaluate(
        """([parts, screen]) => [...document.querySelectorAll(parts)]
            .filter((one) => one.checkVisibility())
            .filter((one) => {
                const {left, right} = one.getBoundingClientRect();
                const whole = one.matches("html, button, a");
                const spills = whole && one.scrollWidth > one.clientWidth + 1;
                return left < 0 || right > screen || spills;
            })
            .map((one) => one.outerHTML)""",
        [parts, screen],
    )
    return found
