"""The plots of quantstats on the tearsheet."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import all_sessions
from backtests.report import quantstats_plots

NAMES = {"strategy": "patient", "benchmark": "SPY"}
#: Sessions of a window of six months.
WINDOW = 126


def drawn(returns: pd.DataFrame, title: str, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Return the heights of the lines in one plot."""
    figures: dict[str, Any] = {}

    def kept(figure: Any, name: str) -> str:
        figures[name] = figure
        return ""

    monkeypatch.setattr(quantstats_plots, "_svg", kept)
    quantstats_plots.quantstats_plots(returns, NAMES, "")
    lines = figures[title].axes[0].get_lines()
    return [np.asarray(line.get_ydata(), dtype=float) for line in lines]


def test_windows_of_cash_alone_have_no_sharpe_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    index = all_sessions()[7000:8000]
    spy = pd.Series(random.normal(0.0005, 0.01, len(index)), index)
    bills = pd.Series(0.0001 * (1 + random.random(len(index))), index)
    own = spy.copy()
    own.iloc[400:700] = (1 + bills.iloc[400:700]) * 7 / 7 - 1  # equal, but for rounding errors
    returns = pd.DataFrame({"strategy": own, "benchmark": spy, "bills": bills})
    ratio, mean, _ = drawn(returns, "Yearly Sharpe ratio over 6 months", monkeypatch)
    ends = np.arange(len(index))
    in_cash = (ends - WINDOW + 1 >= 400) & (ends < 700)
    assert np.array_equal(np.isnan(ratio), in_cash | (ends < WINDOW - 1))
    assert mean[0] == pytest.approx(np.nanmean(ratio))
