"""Medians, ratios, targets and the page that is made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.figures import Figure, times
from benchmarks.profile import Profile
from benchmarks.results import Measured, Results
from benchmarks.spread import Spread, percentile, ratio
from benchmarks.targets import TARGETS, Target, verdicts


def measured(row: str = "big", **speeds: list[float]) -> Measured:
    """Return a row in which contestants reached these speeds."""
    made = Measured(row, setup="1 MiB", ran="today", commit="abc")
    for key, values in speeds.items():
        made.titles[key] = key.upper()
        made.samples[key] = [{"speed": value} for value in values]
    return made


def test_a_spread_is_the_median_the_least_and_the_greatest() -> None:
    assert Spread.of([5.0, 1.0, 2.0]) == Spread(2.0, 1.0, 5.0)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no runs"):
        Spread.of([])


def test_a_ratio_is_taken_between_neighbours() -> None:
    # Ours is twice as fast whenever both were measured, though the machine halved in between.
    assert ratio([200, 100, 20], [100, 50, 10]) == Spread(2.0, 2.0, 2.0)


def test_a_ratio_leaves_out_runs_that_have_no_neighbour() -> None:
    assert ratio([200, 100, 1], [100, 50]).low == 2.0


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 0.5) == 51
    assert percentile(values, 0.99) == 100
    assert percentile([7.0], 0.99) == 7.0


def test_a_target_compares_with_the_best_of_several() -> None:
    figure = times("ours", ("slow", "fast"), "speed")(measured(ours=[300], slow=[100], fast=[200]))
    assert figure.spread.median == 1.5
    assert figure.against == "FAST"


@pytest.mark.parametrize(("most", "reached"), [(False, True), (True, False)])
def test_a_target_is_a_least_or_a_greatest_value(most: bool, reached: bool) -> None:
    figure = Figure(Spread(2.0, 0.5, 3.0), "")
    assert Target("", "", "", 1.0, lambda _: figure, most=most).reached(figure) is reached


def test_every_target_has_a_verdict_or_a_reason() -> None:
    results = Results(rows={"big": measured(ours=[300.0], md5=[400.0])})
    found = verdicts(results)
    assert [verdict.target for verdict in found] == list(TARGETS)
    figures = {verdict.target.wanted: verdict.figure for verdict in found}
    judged = figures["≥ 0.8× MD5 alone"]
    assert isinstance(judged, Figure)
    assert judged.spread.median == 0.75
    assert figures["≥ 3× django-chunked-upload"] == "django-chunked-upload was not measured"
    assert figures["≥ 0.7× nginx PUT"] == "not measured yet"


def test_who_was_left_out_takes_no_part_in_a_verdict() -> None:
    row = measured(ours=[300.0], md5=[400.0])
    row.skip("md5", "it broke\nwith a long traceback")
    found = verdicts(Results(rows={"big": row}))
    (reason,) = [v.figure for v in found if "MD5 alone" in v.target.wanted]
    assert reason == "it broke"


@pytest.mark.parametrize(
    ("loop", "said"), [([290.0], "**not reached**, nor by the limit"), ([310.0], "**not reached**")]
)
def test_a_target_that_is_missed_says_whether_the_limit_misses_it_too(
    loop: list[float], said: str
) -> None:
    speeds = {"ours": [280.0], "django-chunked-upload": [100.0], "least-loop": loop}
    results = Results(rows={"big": measured("big", **speeds)})
    (verdict,) = [v for v in verdicts(results) if v.target.wanted == "≥ 3× django-chunked-upload"]
    assert str(verdict) == said
    (line,) = [line for line in report.target_table(results) if line[1] == verdict.target.wanted]
    assert line[3:] == [f"{loop[0] / 100:.2f}× ({loop[0] / 100:.2f}–{loop[0] / 100:.2f})", said]


def test_a_target_whose_limit_was_not_measured_is_judged_without() -> None:
    row = measured("big", **{"ours": [280.0], "django-chunked-upload": [100.0]})
    results = Results(rows={"big": row})
    (verdict,) = [v for v in verdicts(results) if v.target.wanted == "≥ 3× django-chunked-upload"]
    assert verdict.ground is None
    assert str(verdict) == "**not reached**"


def test_a_row_shows_how_many_times_better_than_each_line_the_baseline_is() -> None:
    table = report.row_table(measured(ours=[300, 330], peer=[100, 110]), ["speed"], "ours")
    assert table == [
        ["", "MiB/s", "OURS ÷ this"],
        ["OURS", "315 (300–330)", "1"],
        ["PEER", "105 (100–110)", "3.00 (3.00–3.00)"],
    ]


def test_a_single_run_has_no_spread() -> None:
    assert report.row_table(measured(ours=[300]), ["speed"], None)[1] == ["OURS", "300"]


def test_results_survive_being_stored_and_rows_are_replaced_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results = Results.load(path)
    results.machine = {"processor": "one"}
    results.add(measured("big", ours=[1]))
    results.add(measured("raw", ours=[2]))
    results.save(path)
    again = Results.load(path)
    assert again == results
    again.add(measured("raw", ours=[3]))
    assert [row.values("ours", "speed") for row in again.rows.values()] == [[1], [3]]


def test_the_pages_tell_rows_targets_and_who_was_left_out() -> None:
    row = measured(ours=[300.0], md5=[400.0])
    row.skip("nginx", "needs nginx: install the package nginx")
    row.versions["ours"] = {"chunked-upload": "9.9"}
    results = Results({"processor": "one"}, {"big": row})
    text = report.page(results)
    assert "0.75× (0.75–0.75) |  | **not reached** |" in text
    assert f"0 of {len(TARGETS)} [targets]" in text
    assert "| 8 MiB chunks, one client, MiB/s |  | 300 |  |  |  |" in text
    notes = report.notes(results)
    assert "0.75× (0.75–0.75) |  | **not reached** |" in notes
    assert "| OURS | 300 | 1 |" in notes
    assert "Not measured: nginx: needs nginx: install the package nginx" in notes
    assert "chunked-upload 9.9" in notes
    assert "Row `big`, today, commit abc." in notes


@pytest.mark.parametrize(
    ("name", "write"), [("benchmarks.md", report.page), ("benchmarks-notes.md", report.notes)]
)
def test_the_pages_are_what_was_measured(name: str, write: Callable[[Results], str]) -> None:
    results = Results.load(Path(report.__file__).with_name("results.json"))
    page = Path(__file__).parents[2] / "docs" / name
    assert page.read_text() == write(results), "run make docs"


def test_a_profile_counts_work_and_not_waiting() -> None:
    profile = Profile.of("a;b;c 3\na;c 1\na;b;b 4\nrun;Condition.wait (threading.py:1) 90\n 7\n")
    assert profile.table(2) == [
        ["own %", "total %", "function"],
        ["50.0", "50.0", "c"],
        ["50.0", "87.5", "b"],
    ]
