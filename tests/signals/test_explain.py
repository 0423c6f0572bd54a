"""Distances, percentiles and stays in an explanation, compared with values by hand."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.history.panel import History
from backtests.report.flags_charts import levels_of
from backtests.report.flags_numbers import _clause
from backtests.report.tearsheet_tables import _move
from signals.base import Signal
from signals.explanation import AGE, Explanation, explain, gauges_of
from signals.hysteresis import Threshold, fixed_stay
from signals.transforms import percentile

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Two(Signal):
    """The flag turns on when a > 10 and b < −2. It turns off when a < 5 or b > 1."""

    name: ClassVar[str] = "two"
    link: ClassVar[str] = ""
    headline: ClassVar[str] = "a"
    units: ClassVar[dict[str, str]] = {"a": "points", "b": "%"}

    confirm: int = 1

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("a", "b")

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        return (
            Threshold(gauge="a", enter=10, leave=5, above=True),
            Threshold(gauge="b", enter=-2, leave=1, above=False),
        )

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        return panel[["a", "b"]]

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        return gauges["a"]


def panel(*rows: tuple[float, float]) -> pd.DataFrame:
    """Return past rows, in which a and b have a standard deviation of 1, and then ``rows``."""
    past = [(float(v), float(v)) for v in (-1, 1) * 500]
    index = pd.bdate_range("2020-01-01", periods=len(past) + len(rows))
    return pd.DataFrame([*past, *rows], index=index, columns=["a", "b"])


def said_of(given: pd.DataFrame) -> Explanation:
    return explain(Two().evaluate(given), given, given.index[-1])


@pytest.mark.parametrize(
    ("rows", "gauge", "distance", "flips"),
    [
        # While the flag is off, the condition that is furthest from its level is named.
        pytest.param([(4.0, 0.0)], "a", 6.0, "a above 10 points", id="off: a is 6 below"),
        pytest.param([(9.0, 3.0)], "b", -5.0, "b below -2 %", id="off: b is 5 above"),
        pytest.param([(12.0, 3.0)], "b", -5.0, "b below -2 %", id="off: a holds, b is 5 above"),
        # While the flag is on, the condition that is nearest to its level is named.
        pytest.param([(12.0, -3.0)], "b", 4.0, "b above 1 %", id="on: b needs 4, a needs −7"),
        pytest.param(
            [(12.0, -3.0), (6.0, -3.0)], "a", -1.0, "a below 5 points", id="on: a needs −1"
        ),
        pytest.param([(12.0, -3.0), (12.0, 0.5)], "b", 0.5, "b above 1 %", id="on: b needs 0.5"),
    ],
)
def test_the_distance_is_signed_and_of_the_threshold_that_binds(
    rows: list[tuple[float, float]], gauge: str, distance: float, flips: str
) -> None:
    given = panel(*rows)
    said = said_of(given)
    assert said.flag is (flips.split()[1] == ("below" if gauge == "a" else "above"))
    assert (said.distance_gauge, said.flips) == (gauge, flips)
    assert said.distance == pytest.approx(distance)
    assert said.distance_value == rows[-1][0 if gauge == "a" else 1]


@dataclass(frozen=True, kw_only=True)
class Large(Two):
    """A flag whose levels and values have seven digits."""

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        return (Threshold(gauge="a", enter=6_543_210.5, leave=6_000_000, above=True),)


def test_levels_and_values_of_seven_digits_are_written_in_full() -> None:
    """Rounded texts would be "6.54321e+06" for the level and "1.23e+06" for the value."""
    given = panel((1_234_567.0, 0.0))
    said = explain(Large().evaluate(given), given, given.index[-1])
    assert said.flips == "a above 6,543,210.5 points"
    assert _clause(said) == (
        "two (off now, a 1,234,567 points now, turns on at a above 6,543,210.5 points)"
    )
    assert _move(said) == "a +5,308,644 points"
    assert levels_of(Large().thresholds[0], "points") == [
        ("on above 6,543,210.5 points", 6_543_210.5),
        ("off below 6,000,000 points", 6_000_000),
    ]


def test_which_threshold_binds_is_judged_in_standard_deviations() -> None:
    given = panel((4.0, 3.0))  # a is 6 below its level, b is 5 above
    given["b"] /= 100  # b is now 0.0203 above its level, or 2.03 standard deviations
    said = said_of(given)
    assert said.distance_gauge == "b"
    assert said.distance == pytest.approx(-2.03)


def test_the_percentile_counts_values_at_or_below() -> None:
    assert percentile(pd.Series([1.0, 3.0, 2.0, 2.0])) == 75.0
    assert percentile(pd.Series([5.0, 5.0, 5.0])) == 100.0
    assert percentile(pd.Series([3.0, NAN, 2.0, 1.0])) == pytest.approx(100 / 3)
    assert np.isnan(percentile(pd.Series([1.0, NAN])))


def stays(now: str, view: str, confirm: int, stay: int) -> str:
    index = pd.bdate_range("2024-01-01", periods=len(now))
    flag = fixed_stay(
        pd.Series([c == "1" for c in now], index=index),
        pd.Series([c == "1" for c in view], index=index),
        confirm,
        stay,
    )
    return "".join("?" if pd.isna(f) else "1" if f else "." for f in flag)


@pytest.mark.parametrize(
    ("now", "view", "expected"),
    [
        pytest.param("11.......", "111111111", ".1111....", id="on for the stay"),
        pytest.param("11.......", "111011111", ".11?.....", id="a gap ends the stay"),
        pytest.param("1111.....", "101111111", ".?.1111..", id="a gap forgets the count"),
        pytest.param("111111111", "111111111", ".1111.111", id="nothing is counted during a stay"),
    ],
)
def test_an_opportunity_stays_and_a_gap_ends_it(now: str, view: str, expected: str) -> None:
    assert stays(now, view, confirm=2, stay=4) == expected


@dataclass(frozen=True, kw_only=True)
class Week(Two):
    """The flag of Two, but it stays on for five sessions."""

    name: ClassVar[str] = "week"

    @property
    def lasts(self) -> int:
        return 5

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        now = (gauges["a"] > 10) & (gauges["b"] < -2)
        return fixed_stay(now, gauges["a"].notna(), self.confirm, self.lasts)


def test_a_flag_of_fixed_length_ends_by_its_age_and_not_by_its_gauges() -> None:
    given = panel((11.0, -3.0), (0.0, 0.0), (0.0, 0.0))
    evaluation = Week().evaluate(given)
    on = explain(evaluation, given, given.index[-1])
    assert (on.flag, on.distance_gauge, on.distance_value, on.distance) == (True, AGE, 3.0, 2.0)
    assert on.flips == "age above 5 sessions"
    off = explain(evaluation, given, given.index[-4])
    assert (off.flag, off.flips) == (False, "a above 10 points")
    ages = gauges_of(evaluation)[AGE].iloc[-4:]
    assert ages.tolist() == [0, 1, 2, 3]


def test_a_flag_that_turns_on_again_at_its_end_counts_its_age_anew() -> None:
    given = panel(*[(11.0, -3.0)] * 6, (0.0, 0.0))
    evaluation = Week().evaluate(given)
    assert evaluation.flag.tail(7).all()
    assert gauges_of(evaluation)[AGE].iloc[-8:].tolist() == [0, 1, 2, 3, 4, 5, 1, 2]
    assert explain(evaluation, given, given.index[-1]).distance == 3.0


@dataclass(frozen=True, kw_only=True)
class Blind(Two):
    """A flag like Two, but off instead of NA while ``b`` has no value."""

    name: ClassVar[str] = "blind"

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        on = (gauges["a"] > 10) & (gauges["b"] < -2)
        return on.astype("boolean")


def test_the_condition_without_a_value_binds_and_its_input_is_named() -> None:
    given = panel((11.0, NAN))
    said = explain(Blind().evaluate(given), given, given.index[-1])
    assert (said.flag, said.distance_gauge, said.flips) == (False, "b", "b below -2 %")
    assert np.isnan(said.distance)
    assert np.isnan(said.distance_value)
    assert said.reason == "no value of b"
    assert "b below -2 %; now no value" in repr(said)


@pytest.fixture(scope="module")
def simulated() -> History:
    return History.simulated(seed=4, years=8)


@pytest.fixture(scope="module")
def whole(simulated: History) -> signals.Reading:
    return signals.read(simulated.panel)


@pytest.mark.parametrize("name", signals.SIGNALS)
def test_an_explanation_at_an_earlier_session_is_blind_to_what_comes_after(
    name: str, simulated: History, whole: signals.Reading
) -> None:
    """The explanation must use the evaluation of the whole panel only up to the session."""
    for share in (0.6, 0.9):
        at = simulated.panel.index[int(share * len(simulated.panel))]
        past = simulated.until(at)
        cut = signals.evaluate(past.panel, signals.default_signals())[name]
        then = explain(cut, past.panel, at, past.known)
        now = explain(whole.evaluations[name], simulated.panel, at, simulated.known)
        assert repr(now) == repr(then)  # as text, because NaN does not equal itself
