"""Charts with panels: what is drawn, and what the pointer shows."""

import json
import re
from html.parser import HTMLParser
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.report.page import page
from backtests.report.panel_rows import Line, Panel, Strip
from backtests.report.panels import panels

DAYS = pd.bdate_range("2024-01-01", periods=5)


def line(values: list[float], name: str = "mine", days: pd.DatetimeIndex = DAYS) -> Line:
    return Line(name=name, values=pd.Series(values, index=days), colour="var(--c0)")


def strip(states: str) -> Strip:
    colours = {"a": "red", "b": "blue", "c": "grey"}
    return Strip(title="state", states=pd.Series(list(states), index=DAYS), colours=colours)


def pointed(html: str) -> dict[str, Any]:
    """Return what the pointer shows."""
    found = re.search(r'<script type="application/json">(.*?)</script>', html)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def points(html: str, kind: str = "curve") -> list[tuple[float, float]]:
    """Return the points of the first path of a kind."""
    path = re.search(rf'class="{kind}".*? d="(.*?)"', html)
    assert path
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path[1])]


def test_the_pointer_knows_every_day_and_its_values() -> None:
    html = panels(
        "c", [Panel(title="t", unit="%", digits=1, lines=[line([1, 2.25, np.nan, 0, -1])])]
    )
    data = pointed(html)
    days = pd.to_datetime(list(accumulate(data["days"])), unit="D")
    assert list(days) == list(DAYS)
    assert data["rows"][0]["unit"] == "%"
    assert data["rows"][0]["lines"][0]["values"] == [1, 2.2, None, 0, -1]


def test_of_many_sessions_the_pointer_always_knows_the_last() -> None:
    index = pd.bdate_range("2024-01-01", periods=11)
    lines = [line([float(at) for at in range(11)], days=index)]
    data = pointed(panels("c", [Panel(title="t", lines=lines)], most=4))
    assert data["at"] == [1, 4, 7, 10]
    assert data["rows"][0]["lines"][0]["values"] == [1, 4, 7, 10]
    days = pd.to_datetime(list(accumulate(data["days"])), unit="D")
    assert list(days) == list(index[[1, 4, 7, 10]])


def test_many_sessions_leave_every_second_one_to_the_pointer() -> None:
    data = pointed(panels("c", [Panel(title="t", lines=[line([1, 2, 3, 4, 5])])], most=3))
    assert data["at"] == [0, 2, 4]
    assert data["rows"][0]["lines"][0]["values"] == [1, 3, 5]
    assert data["last"] == 4


def test_the_pointer_always_knows_the_last_session() -> None:
    data = pointed(panels("c", [Panel(title="t", lines=[line([1, 2, 3, 4, 5])])], most=2))
    assert data["at"] == [1, 4]


def test_a_line_goes_from_edge_to_edge_and_a_gap_interrupts_it() -> None:
    html = panels("c", [Panel(title="t", lines=[line([0, 1, np.nan, 1, 0])], low=0.0, high=1.0)])
    assert points(html) == [(0, 100), (250, 0), (750, 0), (1000, 100)]
    assert "M0.0 100.00L250.0 0.00M750.0 0.00L1000.0 100.00" in html


def test_equal_ratios_have_equal_distances_on_a_log_axis() -> None:
    html = panels("c", [Panel(title="t", lines=[line([1, 2, 4, 8, 16])], log=True)])
    heights = [y for _, y in points(html)]
    assert np.diff(heights) == pytest.approx([heights[1] - heights[0]] * 4, abs=0.02)


def ticks(html: str) -> list[str]:
    """Return the numbers of the vertical axis."""
    return re.findall(r'class="tick"[^>]*>([^<]*)<', html)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([9, 20, 86, 15, 12], ["25", "50", "75"]),
        ([-900, 600, 100, -300, 0], ["-500", "0", "500"]),
    ],
)
def test_an_axis_has_at_least_two_numbers(values: list[float], expected: list[str]) -> None:
    html = panels("c", [Panel(title="t", lines=[line(values)], height=100)])
    assert ticks(html) == expected


def test_billions_are_short_enough_for_the_axis() -> None:
    html = panels("c", [Panel(title="t", lines=[line([1e9, 4e10, 9e10, 1.2e11, 0])], height=100)])
    assert ticks(html) == ["0", "100 bn"]


@pytest.mark.parametrize("levels", [[0.0], [0.0, -10.0], [-300.0, -290.0]])
def test_the_names_of_levels_stay_inside_their_panel(levels: list[float]) -> None:
    """A name is 15 pixels high; above the panel, it would cover the title."""
    named = [(f"level {level:g}", level) for level in levels]
    values = line([-300, -200, -100, -90, -60])
    html = panels("c", [Panel(title="t", lines=[values], levels=named, height=170)])
    places = re.findall(r'class="named( below)?" style="top:([\d.]+)%', html)
    for below, place in places:
        top = 1.7 * float(place)
        assert (top + 15 <= 170) if below else (top - 15 >= 0)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([5, 5, 9, 9, 9], " right"),
        ([9, 9, 9, 5, 5], ""),
        ([9, 5, 5, 5, 9], ""),
        ([9, 0, 9, 9, 9], " right"),
        ([np.nan, np.nan, 9, 5, 5], ""),
    ],
    ids=["covers the left", "the right", "both", "a steep step", "no values on the left"],
)
def test_the_name_of_a_level_is_at_the_end_where_it_covers_less(
    values: list[float], place: str
) -> None:
    html = panels("c", [Panel(title="t", lines=[line(values)], levels=[("at 4.9", 4.9)])])
    assert re.findall(r'class="named([^"]*)"', html) == [place]


def test_a_panel_without_values_has_no_invented_axis() -> None:
    row = Panel(title="kink", lines=[line([np.nan] * 5)], levels=[("on above 0", 0.0)])
    html = panels("c", [row])
    assert ticks(html) == []
    assert re.findall(r'class="named"[^>]*>([^<]*)<', html) == ["no values"]


def test_a_long_line_keeps_its_extremes() -> None:
    days = pd.bdate_range("2000-01-03", periods=5000)
    values = np.zeros(5000)
    values[[1234, 3777]] = [1, -1]
    html = panels(
        "c", [Panel(title="t", lines=[line(list(values), days=days)], low=-1.0, high=1.0)]
    )
    drawn = points(html)
    assert len(drawn) < 1100
    assert {y for _, y in drawn} == {0, 50, 100}


def test_areas_stand_on_each_other_and_losses_hang_below_zero() -> None:
    areas = [line([30] * 5, "long"), line([-20] * 5, "short"), line([90] * 5, "cash")]
    html = panels("c", [Panel(title="t", areas=areas, low=-20.0, high=120.0)])
    paths = re.findall(r'class="stack".*? d="(.*?)"', html)
    edges = [{float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", path)} for path in paths]
    scale = [round(100 * (120 - level) / 140, 2) for level in (0, 30, -20, 120)]
    zero, thirty, below, top = scale
    assert edges == [{thirty, zero}, {zero, below}, {top, thirty}]


def test_a_stay_is_coloured_until_the_next_one() -> None:
    html = panels("c", [strip("aabba")])
    found = re.findall(r'<rect x="([\d.]+)" width="([\d.]+)"[^>]*fill:(\w+)', html)
    assert found == [("0.0", "500.0", "red"), ("500.0", "500.0", "blue"), ("1000.0", "0.3", "red")]


def test_the_state_of_a_return_is_coloured_since_the_close_before() -> None:
    row = Panel(title="t", lines=[line([1, 2, 3, 4, 5])])
    html = panels("c", [row], shading=strip("aabbb"), of_returns=True)
    found = re.findall(r'<rect x="([\d.]+)" width="([\d.]+)"[^>]*fill:(\w+)', html)
    assert found == [("0.0", "250.0", "red"), ("250.0", "750.0", "blue")]


def test_a_name_stands_in_one_legend_only() -> None:
    two = [line([1, 2, 3, 4, 5], "one"), line([2, 3, 4, 5, 6], "two")]
    html = panels("c", [Panel(title="t", lines=two), Panel(title="u", lines=two), strip("aaaab")])
    named = re.findall(r"</i>(\w+)</span>", html)
    assert named == ["one", "two", "a", "b"]


def test_a_single_area_has_a_name() -> None:
    """The title of a panel of holdings does not say that everything is cash."""
    html = panels("c", [Panel(title="held", areas=[line([100] * 5, "cash")])])
    assert re.findall(r"</i>(\w+)</span>", html) == ["cash"]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (pd.bdate_range("2020-06-01", "2024-06-03"), ["2021", "2022", "2023", "2024"]),
        (pd.bdate_range("2024-01-15", "2024-05-15"), ["2024-02", "2024-03", "2024-04", "2024-05"]),
        (pd.bdate_range("2024-01-15", "2024-01-17"), ["2024-01-16"]),
    ],
)
def test_dates_are_years_months_or_days(days: pd.DatetimeIndex, said: list[str]) -> None:
    html = panels("c", [Panel(title="t", lines=[line([1.0] * len(days), days=days)])])
    assert re.findall(r'left:[\d.]+%">([\d-]+)</span>', html) == said


def test_a_chart_tells_its_name_and_escapes_it() -> None:
    html = panels(
        "SIMULATED: <b>", [Panel(title="t & u", lines=[line([1, 2, 3, 4, 5], "</script>")])]
    )
    HTMLParser().feed(html)
    assert 'role="img" aria-label="SIMULATED: &lt;b&gt;: t &amp; u"' in html
    assert html.count("</script>") == 1
    assert "<b>" not in html


def test_only_a_page_that_needs_a_script_has_one() -> None:
    assert "<script" not in page("t", "<p>words</p>")
    assert "Shows the day" in page("t", panels("c", [strip("aaaab")]))
