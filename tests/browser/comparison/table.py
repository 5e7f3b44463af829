"""The table of docs/page.md, from what the four pages did (results.json)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[3] / "docs" / "page.md"
_PLACE = re.compile(r"(<!-- comparison -->\n).*(<!-- /comparison -->)", re.DOTALL)

Cell = Callable[[dict[str, Any]], str]


def _quoted(text: str) -> str:
    cleaned = text.replace("|", "/").strip(" ·/")
    return f"“{cleaned}”" if cleaned else "nothing"


def _reload(came: dict[str, Any]) -> str:
    listed = "listed" if came["listed"] else "forgotten"
    return f"{listed}; {came['then']}; {came['sent']}× its size sent in all"


def _large(came: dict[str, Any]) -> str:
    return "listed" if came["listed"] else "forgotten"


def _pause(came: dict[str, Any]) -> str:
    if came.get("pause") == "none":
        return "none"
    return f"{_quoted(came['said'])}; {came['sent']}× sent in all"


def _dead(came: dict[str, Any]) -> str:
    then = "resumes by itself" if came["goes_on_by_itself"] else "does not resume by itself"
    return f"{_quoted(came['said'])}; {then}; {came['sent']}× sent in all"


def _many(came: dict[str, Any]) -> str:
    if "gave_up_after" in came:
        return f"no answer within {came['gave_up_after']} s"
    return (
        f"longest pause {came['longest_task_ms'] / 1000:.1f} s, {came['height']:,} px,"
        f" {came['elements']:,} elements, {came['heap_mb']:.0f} MB"
    )


def _violations(came: dict[str, Any]) -> str:
    found = sorted({*came["empty"], *came["uploading"]})
    return ", ".join(found) or "none"


def _yes(name: str) -> Cell:
    return lambda came: "yes" if came[name] else "no"


#: What a row says, the trial that it comes from, and how a cell is made of it.
ROWS: list[tuple[str, str, Cell]] = [
    ("First view, gzip, without pictures", "first_view", lambda came: f"{came['kb']} kB"),
    ("Reload in the middle of 8 MB", "reload_in_mid_file", _reload),
    ("Reload in the middle of 40 MB", "large_file_then_a_reload", _large),
    ("4 files, then a reload", "four_files_then_a_reload", lambda came: f"{came['listed']} listed"),
    ("Pause at about half, then resume", "pause", _pause),
    ("The server is dead for 6 s", "dead_server", _dead),
    (
        "Equal names in two folders",
        "equal_names_in_folders",
        lambda came: f"{came['listed']} listed, {came['sent'] / 100_000:.0f} of 2 sent",
    ),
    ("1,000 files at once", "a_thousand_files", _many),
    ("axe-core, empty and uploading", "accessibility", _violations),
    ("Dark where the system is", "looks", _yes("dark")),
    ("Thumbnails of pictures", "looks", _yes("thumbnail")),
]


def render(results: dict[str, Any], known: dict[str, dict[str, str]]) -> str:
    """Return the table.

    :param known: further rows, which are known from the peers' documentation, by peer.
    """
    names = list(results)
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for label, trial, cell in ROWS:
        cells = [_cell(results[name].get(trial, {"failed": ""}), cell) for name in names]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    for label, by_peer in known.items():
        cells = [by_peer[name.partition(" (")[0]] for name in names]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(came: dict[str, Any], cell: Cell) -> str:
    return "could not be tried" if "failed" in came else cell(came)


def write(known: dict[str, dict[str, str]]) -> None:
    """Write the table into docs/page.md."""
    table = render(json.loads(RESULTS.read_text(encoding="utf-8")), known)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_PLACE.sub(lambda found: found[1] + table + found[2], text), encoding="utf-8")
