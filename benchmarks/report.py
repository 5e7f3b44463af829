"""Tables out of results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .results import Measured
from .spread import Spread, ratio

#: Metric: its heading, and how a value is written.
_METRICS: dict[str, tuple[str, Callable[[float], str]]] = {
    "speed": ("MiB/s", lambda v: f"{v:,.0f}"),
    "rate": ("chunks/s", lambda v: f"{v:,.0f}"),
    "complete": ("complete, ms", lambda v: f"{v * 1000:,.1f}"),
    "cpu": ("CPU s/GiB", lambda v: f"{v:.2f}"),
}


def row_table(measured: Measured, metrics: Sequence[str], baseline: str | None) -> list[list[str]]:
    """Return a row's table, its heading first: medians with (least–greatest), and the ratio.

    The ratio is the baseline's first metric over the line's, run by run: how many times better.
    """
    shown = [m for m in metrics if any(measured.values(key, m) for key in measured.samples)]
    compare = baseline if baseline in measured.samples and len(measured.samples) > 1 else None
    heading = ["", *(_METRICS[m][0] for m in shown)]
    if compare:
        heading.append(f"{measured.titles[compare]} ÷ this")
    table = [heading]
    for key in measured.titles:
        if key not in measured.samples:
            continue
        cells = [measured.titles[key], *(_cell(measured.values(key, m), m) for m in shown)]
        if compare:
            cells.append(_ratio_cell(measured, key, compare, shown[0]))
        table.append(cells)
    return table


def plain(table: list[list[str]]) -> str:
    """Write a table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return "\n".join(lines)


def _cell(values: list[float], metric: str) -> str:
    if not values:
        return ""
    write = _METRICS[metric][1]
    spread = Spread.of(values)
    return f"{write(spread.median)} ({write(spread.low)}–{write(spread.high)})"


def _ratio_cell(measured: Measured, key: str, baseline: str, metric: str) -> str:
    if key == baseline:
        return "1"
    values = measured.values(key, metric)
    if not values:
        return ""
    compared = ratio(measured.values(baseline, metric), values)
    return f"{compared.median:.2f} ({compared.low:.2f}–{compared.high:.2f})"
