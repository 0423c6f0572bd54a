"""Every public function demands an index of naive dates, unique and ascending."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import signals
from backtests import config_from, run
from backtests.engine.costs import Costs
from backtests.engine.simulate import simulate
from backtests.history.panel import History
from signals import Bathtub, Evaluation, Explanation, explain
from signals.errors import ConfigError, DataError, DrypowderError, SimulationError
from signals.index import check_sessions
from tests.sessions import read_at

SESSIONS = pd.bdate_range("2024-01-02", periods=30)

#: Wrong indexes: for each, a function that makes it, and the words of the message.
WRONG: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "empty": (lambda x: x.iloc[:0], "is empty"),
    "whole numbers": (lambda x: x.set_axis(range(len(x))), r"is of type RangeIndex \(int64\)"),
    "text": (lambda x: x.set_axis(x.index.astype(str)), "is of type Index"),
    "periods": (
        lambda x: x.set_axis(pd.DatetimeIndex(x.index).to_period("D")),
        "is of type PeriodIndex",
    ),
    "a time zone": (lambda x: x.tz_localize("Europe/Berlin"), "the time zone Europe/Berlin"),
    "times of day": (lambda x: x.set_axis(x.index + pd.Timedelta(hours=16)), "times of day"),
    "twice": (lambda x: pd.concat([x, x.iloc[-1:]]), "2024-02-12 twice"),
    "reversed": (lambda x: x.iloc[::-1], "not in ascending order"),
    "no date": (
        lambda x: x.set_axis(x.index.where(x.index != x.index[3])),
        "a row without a date",
    ),
}
EACH = pytest.mark.parametrize("how", WRONG)


def frame(**columns: float) -> pd.DataFrame:
    return pd.DataFrame(columns, index=SESSIONS)


def assert_refused(error: type[DrypowderError], how: str, act: Callable[[], object]) -> None:
    with pytest.raises(error, match=WRONG[how][1]) as caught:
        act()
    assert "expected" in str(caught.value)
    assert "\n" not in str(caught.value)


@EACH
def test_the_check_itself(how: str) -> None:
    index = WRONG[how][0](frame(x=1.0)).index
    assert_refused(DataError, how, lambda: check_sessions(index, "the panel"))
    check_sessions(SESSIONS, "the panel")


@pytest.fixture(scope="module")
def simulated() -> History:
    return History.simulated(seed=1, years=3)


def spoiled(history: History, how: str) -> History:
    """Return the last sessions of a history. All its parts have the wrong index ``how``."""

    def cut(part: pd.DataFrame) -> pd.DataFrame:
        return WRONG[how][0](part.iloc[-30:].set_axis(SESSIONS))

    return replace(
        history,
        panel=cut(history.panel),
        known=cut(history.known),
        closes=cut(history.closes),
        truth=None,
    )


@EACH
def test_read(how: str, simulated: History) -> None:
    panel = spoiled(simulated, how).panel
    assert_refused(DataError, how, lambda: signals.read(panel))


PANEL = frame(WALCL=1e6, WTREGEN=1e5, RRPONTSYD=10.0)
DAILY = PANEL.set_axis(pd.date_range("2024-01-05", periods=30))


@pytest.mark.parametrize(
    ("panel", "part"),
    [
        (pd.concat([PANEL, PANEL[["WALCL"]]], axis=1), "found WALCL twice; drop one"),
        (DAILY, "found Saturday 2024-01-06; drop the rows at weekends"),
    ],
)
def test_a_panel_has_each_id_once_and_no_weekend(panel: pd.DataFrame, part: str) -> None:
    for act in (
        lambda: signals.read(panel),
        lambda: signals.evaluate(panel, {"bathtub": Bathtub()}),
        lambda: Bathtub().evaluate(panel),
    ):
        with pytest.raises(DataError, match=part):
            act()


@pytest.mark.parametrize(
    ("panel", "given", "part"),
    [
        ("WALCL", {}, "expected a panel as a DataFrame, was 'WALCL'"),
        (PANEL, [Bathtub()], "expected a mapping from names to signals, was"),
        (PANEL, {"bathtub": Bathtub}, "expected a signal under the name bathtub, was <class"),
    ],
)
def test_what_cannot_be_evaluated_gets_one_line(panel: Any, given: Any, part: str) -> None:
    with pytest.raises(ConfigError, match=part) as caught:
        signals.evaluate(panel, given)
    assert "\n" not in str(caught.value)


def test_the_name_of_a_regime_model_is_no_model() -> None:
    model: Any = "quantities"
    with pytest.raises(ConfigError, match="expected a regime model, was 'quantities'; give one"):
        signals.read(PANEL, {}, model=model)


def test_an_evaluation_that_ends_before_the_session_is_refused() -> None:
    evaluation = Bathtub().evaluate(PANEL.iloc[:-1])
    with pytest.raises(ConfigError, match="the evaluation runs from 2024-01-02 to 2024-02-09"):
        explain(evaluation, PANEL, SESSIONS[-1])


FINE = Evaluation(
    signal=Bathtub(),
    gauges=frame(change=1.0),
    score=frame(score=1.0)["score"],
    flag=frame(flag=1.0)["flag"].astype("boolean"),
)


@EACH
def test_explain(how: str, simulated: History) -> None:
    panel = spoiled(simulated, how).panel
    assert_refused(DataError, how, lambda: explain(FINE, panel, SESSIONS[-1]))


@EACH
@pytest.mark.parametrize("dates", [{}, {"start": "2024-01-03", "end": "2024-02-09"}])
def test_run(how: str, dates: dict[str, str], simulated: History) -> None:
    history = spoiled(simulated, how)
    config = config_from({"strategy": "spy", **dates})
    assert_refused(DataError, how, lambda: run(config, history))


@pytest.mark.parametrize(
    ("part", "how"),
    [
        (part, how)
        for part in ("weights", "prices", "bills")
        for how in WRONG
        if (part, how) != ("weights", "empty")  # without a decision, all is in bills
    ],
)
def test_simulate(part: str, how: str) -> None:
    given = {
        "weights": frame(SPY=0.5),
        "prices": frame(SPY=100.0),
        "bills": frame(bills=0.0001),
    }
    given[part] = WRONG[how][0](given[part])
    assert_refused(
        SimulationError,
        how,
        lambda: simulate(given["weights"], given["prices"], given["bills"].iloc[:, 0], Costs()),
    )


def said_at(history: History, at: Any) -> Explanation:
    return explain(Bathtub().evaluate(history.panel), history.panel, at, history.known)


@pytest.mark.parametrize(
    ("at", "part"),
    [
        ("2024-12-28", r"was Saturday 2024-12-28; the last session before this date is 2024-12-27"),
        ("1950-01-03", r"was Tuesday 1950-01-03; the panel runs from "),
        ("2090-01-03", r"was Tuesday 2090-01-03; the panel runs from "),
        ("2024-12-27 12:00", "was Friday 2024-12-27 12:00:00; give the date without a time of day"),
        ("2024-12-28 12:00", "was Saturday .*; the last session before this date is 2024-12-27"),
        (pd.Timestamp("2024-12-27", tz="UTC"), "give the date without a time of day or time zone"),
        (pd.NaT, "expected a session of the panel, was NaT"),
        (None, "expected a session of the panel, was None"),
        (5, "expected a session of the panel, was 5"),
        ("tomorrow", "expected a session like 2025-10-06, was 'tomorrow'"),
    ],
)
def test_explain_at_what_is_no_session(at: object, part: str, simulated: History) -> None:
    with pytest.raises(ConfigError, match=part) as caught:
        said_at(simulated, at)
    assert "\n" not in str(caught.value)


def test_a_session_may_be_named_by_its_date(simulated: History) -> None:
    last = simulated.panel.index[-1]
    by_name = said_at(simulated, str(last.date()))
    assert by_name == said_at(simulated, last)


def test_moments_of_other_sessions_are_refused(simulated: History) -> None:
    with pytest.raises(DataError, match="expected `known` to contain every session"):
        explain(
            Bathtub().evaluate(simulated.panel),
            simulated.panel,
            simulated.panel.index[-1],
            simulated.known.iloc[:-1],
        )


def test_a_reading_before_the_history_is_refused_on_one_line(simulated: History) -> None:
    with pytest.raises(DrypowderError, match="expected") as caught:
        read_at(simulated, pd.Timestamp("1950-01-03"))
    assert "\n" not in str(caught.value)
