"""Tables out of results: a row's for the terminal, all of them as docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from .results import Measured, Results
from .rows import ROWS
from .rows.base import Row
from .spread import Spread, ratio
from .targets import Figure, Verdict, verdicts

#: What people write about the figures, put into the report as it is.
NOTES = Path(__file__).parent / "notes.md"

#: Metric: its heading, and how a value is written.
_METRICS: dict[str, tuple[str, Callable[[float], str]]] = {
    "speed": ("MiB/s", lambda v: f"{v:,.0f}"),
    "rate": ("chunks/s", lambda v: f"{v:,.0f}"),
    "complete": ("complete, ms", lambda v: f"{v * 1000:,.1f}"),
    "cpu": ("CPU s/GiB", lambda v: f"{v:.2f}"),
    "crowd_rate": ("chunks/s, 16 clients", lambda v: f"{v:,.0f}"),
    "probe": ("probe median, ms", lambda v: f"{v * 1000:,.1f}"),
    "probe_p99": ("p99, ms", lambda v: f"{v * 1000:,.1f}"),
    "probe_worst": ("worst, ms", lambda v: f"{v * 1000:,.1f}"),
    "errors": ("errors", lambda v: f"{v:,.0f}"),
    "peak": ("peak, MB", lambda v: f"{v / 1e6:,.0f}"),
    "idle": ("before, MB", lambda v: f"{v / 1e6:,.0f}"),
}

_HEAD = """# Benchmarks

Made by `make bench` ({how}); do not edit, the words are in `benchmarks/notes.md`.

What a user would take instead, and the machine's limits, measured beside this server in one run:
contestants take turns (A B C C B A …), and every figure is the median of the runs, with the least
and the greatest in brackets. **Read the ratios.** They are taken between neighbouring runs, so what
disturbed the machine for a while disturbed both. One load generator drives all: forked processes
with blocking sockets, bodies from memory in one `sendmsg` each, real multipart forms where the
protocol has them. Server and generator share the machine's cores. Before each turn some page cache
is written and dropped, since a virtual machine gives memory back to its host when it rests and pays
for it again.

MiB/s, chunks/s: from the first request to the last reply, completion included. CPU: user and system
time of all processes of the server. The peers verify nothing, except the two Django ones, and none
of them syncs. What runs where: [benchmarks/peers](../benchmarks/peers).
"""


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


def target_table(results: Results, only: Iterable[str] = ()) -> list[list[str]]:
    """Return the targets with what was measured.

    :param only: rows whose targets to show, as far as they can be judged; empty for all.
    """
    shown = [
        _target_line(verdict)
        for verdict in verdicts(results)
        if not only or (verdict.target.row in only and isinstance(verdict.figure, Figure))
    ]
    return [["", "target", "measured", "the limit, same run", ""], *shown]


def page(results: Results) -> str:
    """Return docs/benchmarks.md."""
    parts = [_HEAD.format(how=_commands()), "## Targets\n", markdown(target_table(results))]
    parts.append(NOTES.read_text() if NOTES.exists() else "")
    parts.append("## The machine\n")
    parts.append("\n".join(f"- {name}: {value}" for name, value in results.machine.items()) + "\n")
    parts += [_section(row, results.rows[row.name]) for row in ROWS if row.name in results.rows]
    parts.append(_versions(results))
    return "\n".join(part for part in parts if part)


def plain(table: list[list[str]]) -> str:
    """Write a table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return "\n".join(lines)


def markdown(table: list[list[str]]) -> str:
    """Write a table in Markdown."""
    heading, *lines = table
    rule = ["---"] + ["---:"] * (len(heading) - 1)
    return "".join(f"| {' | '.join(line)} |\n" for line in [heading, rule, *lines])


def _commands() -> str:
    return '`LONG=1` for every row, `ARGS="--only ROW"` for one, `QUICK=1` for a look'


def _section(row: Row, measured: Measured) -> str:
    lines = [
        f"## {row.title}\n",
        f"{row.about} {measured.setup[:1].upper()}{measured.setup[1:]}.\n",
        markdown(row_table(measured, row.metrics, row.baseline)),
    ]
    for key, reason in measured.skipped.items():
        lines.append(f"Not measured: {measured.titles.get(key, key)}: {reason}\n")
    lines.append(f"Row `{row.name}`, {measured.ran}, commit {measured.commit}.\n")
    return "\n".join(lines)


def _versions(results: Results) -> str:
    versions: dict[str, str] = {}
    commands: dict[str, str] = {}
    for measured in results.rows.values():
        for key, found in measured.versions.items():
            versions |= found
            if key in measured.commands:
                commands.setdefault(measured.titles.get(key, key), measured.commands[key])
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    lines = [f"{title}\n    {command}" for title, command in commands.items()]
    return f"## Versions and commands\n\n{listed}.\n\n```\n" + "\n".join(lines) + "\n```\n"


def _target_line(verdict: Verdict) -> list[str]:
    target, figure, ground = verdict.target, verdict.figure, verdict.ground
    text = figure if isinstance(figure, str) else figure.text
    if isinstance(figure, Figure) and figure.against:
        text += f", {figure.against}"
    return [target.what, target.wanted, text, ground.text if ground else "", str(verdict)]


def _cell(values: list[float], metric: str) -> str:
    if not values:
        return ""
    write = _METRICS[metric][1]
    spread = Spread.of(values)
    if len(values) == 1:
        return write(spread.median)
    return f"{write(spread.median)} ({write(spread.low)}–{write(spread.high)})"


def _ratio_cell(measured: Measured, key: str, baseline: str, metric: str) -> str:
    if key == baseline:
        return "1"
    values = measured.values(key, metric)
    if not values:
        return ""
    compared = ratio(measured.values(baseline, metric), values)
    if len(values) == 1:
        return f"{compared.median:.2f}"
    return f"{compared.median:.2f} ({compared.low:.2f}–{compared.high:.2f})"
