"""A flag with a changed parameter: days on which it is on, and days on which both flags are on."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from backtests.evidence.sensitivity import sensitivity
from backtests.history.panel import History
from signals import DryPowder


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return History.simulated(seed=2, years=10).panel


def days_on(flag: pd.Series) -> set[pd.Timestamp]:
    return {day for day, on in zip(flag.index, flag, strict=True) if on is not pd.NA and on}


def test_overlap_is_the_days_of_both_over_the_days_of_either(panel: pd.DataFrame) -> None:
    signal = DryPowder()
    before = days_on(signal.evaluate(panel).flag)
    rows = [row for row in sensitivity(panel, {"dry_powder": signal}) if row.parameter]
    assert {row.parameter for row in rows} == {"scale", "k", "a", "enter", "leave", "confirm"}
    for row in rows:
        if isinstance(row.base, str):
            assert (row.parameter, row.base, row.value) == ("scale", "gdp", "bank_assets")
        else:
            assert row.value in (0.75 * row.base, 1.25 * row.base, round(0.75 * 5), round(1.25 * 5))
        change: dict[str, Any] = {row.parameter: row.value}
        flag = replace(signal, **change).evaluate(panel).flag
        on = days_on(flag)
        assert row.overlap == pytest.approx(len(on & before) / len(on | before)), row
        assert row.on == pytest.approx(100 * len(on) / flag.notna().sum()), row
    overlaps = {row.overlap for row in rows}
    assert min(overlaps) < 1, "no parameter moves the flag on this history"


def test_a_small_whole_number_changes_by_one(panel: pd.DataFrame) -> None:
    """A quarter of 2 sessions is half a session. Rounding alone would leave 2 sessions."""
    rows = sensitivity(panel, {"dry_powder": DryPowder(confirm=2)})
    assert [row.value for row in rows if row.parameter == "confirm"] == [1, 3]


@pytest.mark.parametrize("missing", ["TLAACBW027SBOG", "GDP"])
def test_a_flag_without_any_view_has_no_overlap(panel: pd.DataFrame, missing: str) -> None:
    blind = panel.assign(**{missing: float("nan")})
    rows = sensitivity(blind, {"dry_powder": DryPowder()})
    scale = next(row for row in rows if row.parameter == "scale")
    assert pd.isna(scale.overlap)
    assert not scale.other_story
    assert pd.isna(scale.on) == (missing == "TLAACBW027SBOG")
