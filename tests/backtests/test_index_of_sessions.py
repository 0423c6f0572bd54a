"""The dates of every table that a user gets have no frequency, so pandas' month ends work."""

from dataclasses import dataclass

import pandas as pd
import pytest

from backtests import History, config_from, run
from backtests.calendar import all_sessions, fed_sessions, sessions
from backtests.runs import Run
from signals.reading import Reading
from strategies import Strategy

MARKS = ["is_month_start", "is_month_end", "is_quarter_start", "is_quarter_end", "is_year_end"]


@dataclass(frozen=True, kw_only=True)
class SpyOverMonthEnds(Strategy):
    """SPY at the last day of a month, and bills on other days."""

    name = "spy-over-month-ends"
    description = "SPY at the last day of a month"

    @property
    def assets(self) -> tuple[str, ...]:
        """Return SPY."""
        return ("SPY",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return 1 at the last day of a month."""
        ends = pd.DatetimeIndex(panel.index).is_month_end
        return pd.DataFrame({"SPY": ends.astype(float)}, index=panel.index)


@pytest.fixture(params=["real", "simulated"])
def given(request: pytest.FixtureRequest) -> History:
    """Return the real history, then a simulated one."""
    if request.param == "real":
        found: History = request.getfixturevalue("history")
        return found
    return History.simulated(years=3)


def tables(history: History, done: Run) -> dict[str, pd.DataFrame | pd.Series]:
    return {
        "panel": history.panel,
        "known": history.known,
        "closes": history.closes,
        "panel until a session": history.until(history.panel.index[-9]).panel,
        "returns": done.returns,
        "weights": done.weights,
        "targets": done.result.targets,
        "flags": done.reading.flags,
        "scores": done.reading.scores,
        "regime": done.reading.regime,
    }


@pytest.mark.usefixtures("evaluated_before")
def test_every_table_has_month_ends(given: History) -> None:
    done = run(config_from({"strategy": "cash-heavy"}), given)
    for name, table in tables(given, done).items():
        for index in (table.index, table.index[1:], table.loc[table.index[1] :].index):
            days = pd.DatetimeIndex(index)
            plain = pd.DatetimeIndex(days.to_numpy())
            assert days.freq is None, name
            for mark in MARKS:
                assert (getattr(days, mark) == getattr(plain, mark)).all(), (name, mark)


def test_the_calendar_has_no_frequency() -> None:
    some = sessions(pd.Timestamp("2020-01-01"), pd.Timestamp("2020-12-31"))
    for index in (all_sessions(), fed_sessions(), some):
        assert index.freq is None
    assert some.is_month_end.sum() == 9  # February, May and October end at a weekend


@pytest.mark.usefixtures("evaluated_before")
def test_a_strategy_may_ask_for_month_ends() -> None:
    history = History.simulated(years=3)
    done = run(config_from({"strategy": SpyOverMonthEnds}), history)
    held = done.result.targets["SPY"]
    assert held.sum() == pd.DatetimeIndex(held.index.to_numpy()).is_month_end.sum() > 5
