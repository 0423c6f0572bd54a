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
    ratio, mean, _ = drawn(returns, "Sharpe ratio over 6 months", monkeypatch)
    ends = np.arange(len(index))
    in_cash = (ends - WINDOW + 1 >= 400) & (ends < 700)
    assert np.array_equal(np.isnan(ratio), in_cash | (ends < WINDOW - 1))
    assert mean[0] == pytest.approx(np.nanmean(ratio))


def some(n: int, own: float = 0.0) -> pd.DataFrame:
    """Return returns of ``n`` sessions; ``own`` is the weight of SPY in the strategy."""
    index = all_sessions()[7000 : 7000 + n]
    spy = pd.Series(np.random.default_rng(2).normal(0.0005, 0.01, n), index)
    bills = pd.Series(np.where(np.arange(n) < 60, -1e-7, 1e-4), index)
    return pd.DataFrame({"strategy": bills + own * (spy - bills), "benchmark": spy, "bills": bills})


def test_a_plot_over_six_months_needs_six_months() -> None:
    """Without a value, matplotlib draws an axis from 2000 to 2010."""
    rolling = ["Volatility over 6 months, % a year", "Sharpe ratio over 6 months"]
    plots = quantstats_plots.quantstats_plots
    assert not set(rolling) & set(plots(some(125, own=0.5), NAMES, ""))
    assert set(rolling) <= set(plots(some(130, own=0.5), NAMES, ""))
    assert set(rolling) & set(plots(some(300, own=0.0), NAMES, "")) == {rolling[0]}


def test_zero_has_no_minus_sign() -> None:
    heat_map = quantstats_plots.quantstats_plots(some(300), NAMES, "")["Return of each month, %"]
    assert ">0.00<" in heat_map
    assert "-0.00" not in heat_map
    assert "\N{MINUS SIGN}0.00" not in heat_map
