"""Compare the empirical duration with a regression by statsmodels on the same weeks."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from backtests.history.panel import History
from signals import Duration
from signals.universe import UNIVERSE, session_close_id

AT = "2024-12-31"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return History.simulated(seed=1, years=6).panel


def by_hand(panel: pd.DataFrame, ticker: str) -> tuple[float, float, int]:
    """Regress the returns of 156 weeks. A week is five sessions, counted back from the last one."""
    coin = UNIVERSE[ticker].market == "crypto"
    price = panel[session_close_id(ticker)] if coin else panel[ticker].shift(1)
    weeks = panel.index[::-5][::-1]
    table = pd.DataFrame(
        {
            "y": price.loc[weeks].pct_change(fill_method=None),
            "market": panel["SPY"].shift(1).loc[weeks].pct_change(fill_method=None),
            "rates": panel["DFII10"].loc[weeks].diff() / 100,
        }
    )
    table = table.iloc[-156:].dropna()
    fit = sm.OLS(table["y"], sm.add_constant(table[["market", "rates"]])).fit()
    return -fit.params["rates"], fit.bse["rates"], len(table)


@pytest.mark.parametrize("ticker", ["IGV", "MU", "BTC-USD"])
def test_duration_error_and_weeks_are_those_of_a_regression(
    panel: pd.DataFrame, ticker: str
) -> None:
    found = Duration().empirical(panel, pd.Timestamp(AT)).loc[ticker]
    duration, error, weeks = by_hand(panel, ticker)
    assert weeks == found["weeks"] == 156
    assert found["duration"] == pytest.approx(duration, rel=1e-8)
    assert found["error"] == pytest.approx(error, rel=1e-8)


def test_the_future_changes_nothing(panel: pd.DataFrame) -> None:
    at = panel.index[-300]
    whole = Duration().empirical(panel, at)
    cut = Duration().empirical(panel.loc[:at], at)
    pd.testing.assert_frame_equal(whole, cut, check_exact=True)


@pytest.mark.parametrize(("weeks", "view"), [(104, True), (103, False)])
def test_an_empirical_duration_needs_104_weeks(panel: pd.DataFrame, weeks: int, view: bool) -> None:
    short = panel.iloc[-(5 * weeks + 1) :].copy()
    short["SPY"] = panel["SPY"].shift(-1).iloc[-len(short) :]  # a price at the first session
    short["IGV"] = panel["IGV"].shift(-1).iloc[-len(short) :]
    short = pd.concat([panel.iloc[[-(5 * weeks + 2)]].assign(SPY=100.0, IGV=50.0), short])
    found = Duration().empirical(short, short.index[-1]).loc["IGV"]
    assert found["weeks"] == weeks
    assert np.isfinite(found["duration"]) == view
    assert np.isfinite(found["error"]) == view


def test_bonds_and_the_market_itself_have_none(panel: pd.DataFrame) -> None:
    assets = set(Duration().empirical(panel, pd.Timestamp(AT)).index)
    assert assets == {t for t, a in UNIVERSE.items() if a.asset_class != "bonds"} - {"SPY"}
