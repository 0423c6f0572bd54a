"""Accounts of episodes: spans, falls, flags that lead or lag, and returns of strategies."""

import datetime

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import sessions
from backtests.evidence.entries import QUARTER
from backtests.evidence.metrics import YEAR
from backtests.history.panel import History
from backtests.thesis.episodes import (
    WIDENED,
    accounts,
    common_trough,
    falls_of,
    flag_lead,
    levels_of,
    peaks_before,
    span_of,
)
from backtests.thesis.events import Episode, read_events
from backtests.thesis.sample import Sample
from strategies import STRATEGIES
from tests.thesis.planted import as_real

SESSIONS = sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2019-12-31"))


def episode(start: str, end: str) -> Episode:
    return Episode(
        name="one",
        title="One",
        start=datetime.date.fromisoformat(start),
        end=datetime.date.fromisoformat(end),
        kind="market",
        source="a publisher",
    )


def test_a_span_holds_the_sessions_of_the_dates() -> None:
    span = span_of(episode("2018-09-22", "2018-12-25"), SESSIONS)  # a Saturday and a holiday
    assert span is not None
    assert [str(SESSIONS[at].date()) for at in span] == ["2018-09-24", "2018-12-24"]


def test_an_episode_of_one_day_gets_ten_sessions_more() -> None:
    span = span_of(episode("2019-09-17", "2019-09-17"), SESSIONS)
    assert span is not None
    assert span[1] - span[0] == WIDENED == 10


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2018-03-01", "2018-04-30"),  # fewer than 63 sessions before it
        ("2019-12-01", "2020-02-03"),  # ends after the history
        ("2019-12-20", "2019-12-20"),  # its widened end lies after the history
        ("2019-06-01", "2019-06-02"),  # a weekend
        ("2020-02-03", "2020-02-04"),
        ("2017-02-03", "2017-02-04"),
    ],
)
def test_an_episode_outside_the_history_has_no_span(start: str, end: str) -> None:
    assert span_of(episode(start, end), SESSIONS) is None


def made_up() -> pd.DataFrame:
    """Return the returns of two classes: crypto peaks at session 90 and broad at session 98.

    Both fall at session 105.
    """
    returns = pd.DataFrame(0.0, index=SESSIONS, columns=["crypto", "broad"])
    returns.loc[SESSIONS[90], "crypto"] = 1.0
    returns.loc[SESSIONS[91], "crypto"] = -0.5
    returns.loc[SESSIONS[98], "broad"] = 0.25
    returns.loc[SESSIONS[105]] = [-0.6, -0.2]
    returns.loc[SESSIONS[120], "broad"] = 0.5
    return returns


def test_falls_are_measured_from_peak_to_trough() -> None:
    returns = made_up()
    levels = levels_of(returns, (100, 110))
    assert len(levels) == QUARTER + 11
    assert common_trough(levels) == SESSIONS[105]
    assert peaks_before(levels, SESSIONS[105]).to_dict() == {
        "crypto": SESSIONS[90],
        "broad": SESSIONS[98],
    }
    falls = falls_of(levels, returns.iloc[111:])
    assert falls["trough"].tolist() == [SESSIONS[105]] * 2
    assert falls["drawdown"].tolist() == pytest.approx([0.4 / 2.0 - 1, -0.2])
    assert falls["recovered"]["broad"] == SESSIONS[120]
    assert pd.isna(falls["recovered"]["crypto"])


def test_a_class_without_a_price_is_left_out() -> None:
    returns = made_up().assign(software=np.nan)
    assert list(levels_of(returns, (100, 110))) == ["crypto", "broad"]


def flagged(*stays: tuple[int, int]) -> pd.Series:
    flag = pd.Series(0.0, index=range(1500))
    for first, last in stays:
        flag.iloc[first : last + 1] = 1.0
    return flag


@pytest.mark.parametrize(
    ("stays", "lead"),
    [
        ([(950, 1100)], 50),  # on at the start
        ([(900, 940)], 100),  # on and off within the year before
        ([(200, 1100)], 800),  # on for years
        ([(800, 820), (990, 1200)], 10),  # the last stay counts
        ([(1000, 1100)], 0),
        ([(1030, 1100)], -30),
        ([(990, 995), (1030, 1100)], 10),
        ([(1000 - YEAR, 1000 - YEAR)], YEAR),
        ([(600, 1000 - YEAR - 1)], None),
        ([(1000 + YEAR - 1, 1400)], 1 - YEAR),
        ([(1000 + YEAR, 1400)], None),
        ([], None),
    ],
)
def test_flag_lead(stays: list[tuple[int, int]], lead: int | None) -> None:
    assert flag_lead(flagged(*stays), 1000) == lead


def test_a_flag_without_a_view_is_not_on() -> None:
    flag = flagged((990, 1100)).replace(0.0, np.nan)
    assert flag_lead(flag, 1000) == 10
    assert flag_lead(pd.Series(np.nan, index=range(1500)), 1000) is None


@pytest.fixture(scope="module")
def sample(sample: Sample) -> Sample:
    """Return the shared sample with its history marked as real."""
    return as_real(sample)


def test_accounts_describe_each_episode_inside_the_history(sample: Sample) -> None:
    found = accounts(sample, read_events())
    names = [account.episode.name for account in found]
    assert names[0] == "taper-tantrum"
    assert "tariffs-2025" not in names  # the history ends in 2024
    qt = found[names.index("qt-2018")]
    assert qt.order == tuple(qt.falls["peak"].sort_values(kind="stable").index)
    assert (qt.falls["drawdown"] <= 0).all()
    assert (qt.falls["peak"] <= qt.falls["trough"]).all()
    assert set(qt.flag_leads) <= set(sample.reading.flags)
    spy = (1 + sample.asset("SPY").loc["2018-09-20":"2018-12-24"]).to_numpy()
    assert qt.strategies["spy"] == pytest.approx(np.prod(spy) - 1, abs=1e-3)
    assert set(qt.strategies) <= set(STRATEGIES)
    assert qt.regime_before == sample.reading.regime.loc[:"2018-09-19"].iloc[-1]


def test_a_simulated_history_has_no_accounts() -> None:
    assert accounts(Sample.of(History.simulated(1, years=5)), read_events()) == ()
