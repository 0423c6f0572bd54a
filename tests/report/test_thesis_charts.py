"""The charts of the trial: marks stand at their numbers, and a missing number has no mark."""

import re

import numpy as np
import pandas as pd
import pytest

from backtests.report.bathtub import bathtub_now
from backtests.report.bathtub_chart import NARROW, WIDE, Layout, bathtub_chart
from backtests.report.lines_chart import lines_chart
from backtests.report.svg import PANEL, Scale, padded, picture, words
from backtests.report.thesis_charts import (
    Mark,
    beside_chart,
    interval_chart,
    rows_chart,
    shown_chart,
)
from backtests.report.timeline import Marked, timeline
from backtests.thesis.claims import CLAIMS
from tests.thesis import factory

CRYPTO = next(claim for claim in CLAIMS if claim.name == "crypto-below-spy")


def numbers(pattern: str, svg: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, found.groups())) for found in re.finditer(pattern, svg)]


def bars(kind: str, svg: str) -> list[tuple[float, ...]]:
    return numbers(rf'<line class="{kind}" x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"', svg)


def test_a_scale_maps_its_ends_and_counts_in_round_steps() -> None:
    scale = Scale(low=-1, high=3, start=100, end=300)
    assert [scale(v) for v in (-1, 0, 3)] == [100, 150, 300]
    assert scale.ticks() == [-1, 0, 1, 2, 3]
    assert Scale(low=0.02, high=30, start=0, end=1, log=True).ticks() == [0.1, 1, 10]


def test_a_log_scale_has_equal_distances_for_equal_ratios() -> None:
    scale = Scale(low=0.1, high=100, start=0, end=300, log=True)
    assert [scale(v) for v in (0.1, 1, 10, 100)] == pytest.approx([0, 100, 200, 300])


def test_a_range_leaves_out_what_is_not_finite() -> None:
    low, high = padded([1.0, float("nan"), 3.0, float("inf")])
    assert low < 1 < 3 < high < 4


def test_a_name_and_a_text_cannot_break_the_picture() -> None:
    svg = picture('"<b>', 10, 10, [words(0, 0, "<i>")])
    assert "<b>" not in svg
    assert "<i>" not in svg


@pytest.mark.parametrize("sign", [1, -1])
def test_intervals_stand_in_order_and_the_interesting_side_is_shaded(sign: int) -> None:
    estimate = factory.estimate_of(CRYPTO)
    svg = interval_chart(estimate, 10.0, sign, "points", "name")
    (low, high), (low_other, high_other) = bars("thin c0", svg)
    (low90, high90), _ = bars("thick c0", svg)
    (zero, _), (edge, _) = bars("zero", svg)[0], bars("edge", svg)[0]
    (dot,) = numbers(r'<circle class="mark c0" cx="([\d.]+)"', svg)[0]
    assert low_other < low < low90 < dot < high90 < high < high_other
    assert (edge > zero) == (sign > 0)
    left, width = numbers(r'class="shade" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)[0]
    assert left == pytest.approx(edge if sign > 0 else edge - width, abs=0.11)


def test_many_intervals_beside_an_estimate_have_a_chart_of_their_own() -> None:
    beside = {f"class {n}": factory.estimate_of(CRYPTO).interval for n in range(5)}
    many = factory.estimate_of(CRYPTO, beside=beside)
    assert len(bars("thin c0", interval_chart(many, 10.0, 1, "points", "name"))) == 1
    drawn = beside_chart(many, "points", "name")
    assert drawn is not None
    assert len(bars("thin c0", drawn)) == 5
    assert beside_chart(factory.estimate_of(CRYPTO), "points", "name") is None


def test_dates_and_horizons_give_lines_and_names_give_rows() -> None:
    days = pd.bdate_range("2020-01-01", periods=900)
    lines = shown_chart(pd.DataFrame({"a": range(900)}, index=days), "points", "name")
    assert lines is not None
    assert lines.count('class="line c0 d0"') == 1
    assert ">2021<" in lines
    band = pd.DataFrame({"a": [1.0, 2], "a low": [0.0, 1], "a high": [2.0, 3]}, index=[1, 2])
    banded = shown_chart(band, "points", "name")
    assert banded is not None
    assert banded.count('class="area c0"') == 1
    rows = shown_chart(pd.DataFrame({"mean": [1.0, 2]}, index=["memory", "crypto"]), "", "name")
    assert rows is not None
    assert ">crypto<" in rows


def test_episodes_are_rows_with_their_dates() -> None:
    starts = pd.to_datetime(["2018-09-04", "2025-10-03"])
    table = pd.DataFrame({"start": starts, "end": starts, "mean": [1.0, 2.0], "count": [9, 9]})
    svg = shown_chart(table, "points", "name")
    assert svg is not None
    assert ">2018-09 to 2018-09<" in svg
    assert ">points<" in svg


@pytest.mark.parametrize(
    "table", [None, pd.DataFrame(), pd.DataFrame({"a": [np.nan]}), pd.DataFrame({"a": ["x"]})]
)
def test_nothing_is_drawn_for_nothing(table: pd.DataFrame | None) -> None:
    assert shown_chart(table, "points", "name") is None


def test_a_gap_interrupts_a_line_and_a_long_line_is_thinned_to_its_last_point() -> None:
    svg = lines_chart(pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0]}), "name")
    path = re.search(r'class="line c0 d0" d="(.*?)"', svg)
    assert path
    assert path[1].count("M") == 2
    long = lines_chart(pd.DataFrame({"a": np.arange(9000.0)}), "name")
    assert long.count("L") < 300
    points = numbers(r"L([\d.]+) ([\d.]+)", long)
    assert points[-1][0] == PANEL - 10


def test_marks_have_different_forms_so_that_colour_is_not_needed() -> None:
    svg = rows_chart({"memory": [Mark(value=1.0), Mark(value=2.0), Mark(value=3.0)]}, "abc", "name")
    assert svg.count("<circle") == 2  # one in the legend, and one in the row
    assert svg.count('class="mark open c1"') == 2
    assert svg.count('<path class="mark c2"') == 2


def test_the_timeline_puts_bars_and_numbers_at_their_dates() -> None:
    days = pd.bdate_range("2020-01-01", "2023-12-29")
    on = pd.Series(False, index=days)
    on["2021-12-31":"2022-06-29"] = True
    span = Marked(number=7, start=pd.Timestamp("2021-12-31"), end=pd.Timestamp("2022-06-30"))
    early = Marked(number=1, start=pd.Timestamp("2013-05-22"), end=pd.Timestamp("2013-09-18"))
    late = Marked(number=9, start=pd.Timestamp("2024-08-05"), end=pd.Timestamp("2024-08-09"))
    svg = timeline({"ABSORPTION": on, "never": on & False}, [early, span, late], 760, "name")
    track, width = numbers(r'class="track" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)[0]
    ((left, wide),) = numbers(r'class="bar" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)
    assert left == pytest.approx(track + width / 2, abs=1)
    assert wide == pytest.approx(width / 8, abs=1)
    assert re.findall(r'class="tag"[^>]*>(\d+)<', svg) == ["7"]
    assert svg.count('class="band"') == 1
    assert re.findall(r">(20\d\d)<", svg) == ["2020", "2021", "2022", "2023"]


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_the_water_stands_as_high_as_liquidity_against_its_highest(layout: Layout) -> None:
    now = bathtub_now(factory.sample())

    def height(level: float) -> float:
        svg = bathtub_chart(now | {"level": now["level"] | {"value": level}}, layout, "name")
        return 3 + numbers(r'class="water" .*?height="([\d.]+)"', svg)[0][0]  # 3: the tub's floor

    highest = now["level"]["highest"]
    assert height(highest / 2) == pytest.approx(height(highest) / 2, abs=0.1)


def test_a_bathtub_without_numbers_says_so() -> None:
    nothing = {"value": None, "unit": "", "known": None, "highest": None, "highest_at": None}
    now = dict.fromkeys(bathtub_now(factory.sample()), nothing)
    svg = bathtub_chart(now, WIDE, "name")
    assert "no water level" in svg
    assert svg.count("no value") == 4
    assert 'class="flow"' not in svg


@pytest.mark.parametrize(("last", "anchor"), [(0.5, "start"), (2.0, "end")])
def test_a_level_is_named_at_the_end_where_the_line_is_further_away(
    last: float, anchor: str
) -> None:
    """The line begins 0.43 below the level, and ends next to it or far above it."""
    table = pd.DataFrame({"u": np.linspace(0.1, last, 40)})
    named = re.findall(r'<text class="s"[^>]*>0\.53</text>', lines_chart(table, "u", level=0.53))
    assert [f'text-anchor="{anchor}"' in found for found in named] == [True]
