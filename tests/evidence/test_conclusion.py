"""What a run allows one to conclude: which tests it passes."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from backtests.evidence.bootstrap import compare_returns
from backtests.evidence.conclusion import conclude
from backtests.evidence.lead_lag import LeadLag
from backtests.evidence.luck import luck


def returns(n: int) -> pd.DataFrame:
    drawn = np.random.default_rng(0).normal(0.0005, 0.01, (n, 2))
    frame = pd.DataFrame(drawn, pd.bdate_range("2020-01-01", periods=n), ["strategy", "benchmark"])
    return frame.assign(bills=0.0001)


def led(ratio: float) -> LeadLag:
    return LeadLag(lag=1, ratios={1: ratio}, error=0.25, lost={}, collapse=None)


def test_the_difference_is_the_one_of_a_comparison() -> None:
    frame = returns(500)
    found = conclude(frame, luck(frame["strategy"]), None, few=False)
    other = {"spy": frame["benchmark"]}
    expected = compare_returns(frame["strategy"], frame["bills"], other)["excess_spy"]
    assert found.difference == expected
    mean = 252 * (frame["strategy"] - frame["benchmark"]).mean()
    assert expected.estimate == pytest.approx(mean)


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.6, True), (0.42, True), (0.40, False), (-1, False)]
)
def test_timing_is_significant_from_a_ratio_of_1_645_standard_errors(
    ratio: float, expected: bool
) -> None:
    frame = returns(300)
    found = conclude(frame, luck(frame["strategy"]), led(ratio), few=False)
    assert found.timing_p == pytest.approx(norm.sf(ratio / 0.25))
    assert found.timing_significant is expected


def test_what_was_not_tested_is_none() -> None:
    frame = returns(100)
    found = conclude(frame, luck(frame["strategy"]), led(float("nan")), few=True)
    assert (
        found.difference,
        found.sharpe_significant,
        found.timing_p,
        found.timing_significant,
    ) == (None,) * 4
    assert found.few
