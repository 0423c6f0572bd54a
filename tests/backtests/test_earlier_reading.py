"""A run that is given a reading has the same numbers as other runs, and evaluates fewer signals."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import pytest

from backtests import History, Run, config_from, run
from signals.base import Evaluation, ScoreSignal, Signal
from signals.errors import ConfigError

TERMS = {"strategy": "near-cash-flow", "start": "2020-06-01"}


@dataclass(frozen=True, kw_only=True)
class KnowsTomorrow(ScoreSignal):
    """A planted cheat: SPY's return at the next close."""

    name: ClassVar[str] = "knows_tomorrow"
    link: ClassVar[str] = "L8"
    headline: ClassVar[str] = "score"
    units: ClassVar[dict[str, str]] = {"score": "%"}
    inputs: ClassVar[tuple[str, ...]] = ("SPY",)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the next return."""
        return pd.DataFrame({"score": -100 * panel["SPY"].pct_change().shift(-1)})


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


@pytest.fixture(scope="module")
def first(history: History) -> Run:
    return run(config_from(TERMS), history)


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the signals that are evaluated from now on."""
    names: list[str] = []
    evaluate = Signal.evaluate

    def counting(self: Signal, *given: object) -> Evaluation:
        names.append(self.name)
        return evaluate(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Signal, "evaluate", counting)
    return names


@pytest.mark.parametrize("end", [None, "2022-12-30"])
@pytest.mark.parametrize("model", ["votes", "quantities"])
def test_the_numbers_are_those_of_a_run_without_it(
    history: History, first: Run, end: str | None, model: str
) -> None:
    config = config_from(
        TERMS | {"signals": {"dry_powder": {"k": 0.11}}, "regime_model": model, "end": end}
    )
    again, alone = run(config, history, earlier=first.reading), run(config, history)
    pd.testing.assert_series_equal(again.result.equity, alone.result.equity, check_exact=True)
    pd.testing.assert_series_equal(again.reading.regime, alone.reading.regime)
    pd.testing.assert_frame_equal(again.reading.scores, alone.reading.scores, check_exact=True)
    assert again.run_id == alone.run_id


def test_only_changed_signals_are_evaluated(
    history: History, first: Run, evaluated: list[str]
) -> None:
    run(config_from(TERMS | {"lag": 5}), history, earlier=first.reading)
    assert evaluated == []
    run(config_from(TERMS | {"signals": {"dry_powder": {"k": 0.11}}}), history, first.reading)
    assert sorted(evaluated) == ["absorption", "dry_powder"]


def test_only_changed_signals_are_evaluated_until_an_earlier_end(
    history: History, first: Run, evaluated: list[str]
) -> None:
    run(config_from(TERMS | {"end": "2022-12-30"}), history, earlier=first.reading)
    assert evaluated == []


def test_a_reading_of_other_values_is_refused(first: Run) -> None:
    other = History.simulated(seed=1, years=6)
    assert other.panel.index.equals(first.history.panel.index)
    with pytest.raises(ConfigError, match=r"`earlier` and the history have different values of "):
        run(config_from(TERMS), other, earlier=first.reading)


def test_a_users_signal_is_evaluated_again_at_an_earlier_end(
    history: History, evaluated: list[str]
) -> None:
    terms = TERMS | {"plugin_signals": {KnowsTomorrow: True}}
    whole = run(config_from(terms), history)
    evaluated.clear()
    cut, alone = (
        run(config_from(terms | {"end": "2022-12-30"}), history, earlier)
        for earlier in (whole.reading, None)
    )
    assert evaluated.count(KnowsTomorrow.name) == 2
    pd.testing.assert_series_equal(cut.result.equity, alone.result.equity, check_exact=True)


def test_a_reading_of_shifted_sessions_is_refused(history: History, first: Run) -> None:
    shorter = history.until(history.panel.index[-2])
    later = first.reading.since(history.panel.index[1])
    assert len(later.regime) == len(shorter.panel)
    with pytest.raises(ConfigError, match="expected `earlier` to be a reading of the same history"):
        run(config_from(TERMS), shorter, earlier=later)


def test_a_reading_of_other_sessions_is_refused(history: History, first: Run) -> None:
    other = first.reading.since(history.panel.index[5])
    with pytest.raises(
        ConfigError, match=r"expected `earlier` to be a reading of the same history.* leave"
    ):
        run(config_from(TERMS), history, earlier=other)
