"""A wrong type in a notebook gets one line that says what was expected, and no number."""

import warnings
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import backtests
import signals
from backtests import History, Run, assess, config_from, run, write_run
from backtests.calendar import all_sessions
from backtests.engine.indicator import run_indicator
from backtests.plugins.check import check_signal, check_strategy
from backtests.thesis.trial import try_claims
from signals import DryPowder
from signals.errors import ConfigError, DataError, DrypowderError

TERMS = {"strategy": "spy", "start": "2022-01-03"}


@pytest.fixture(scope="module")
def finished() -> Run:
    return run(config_from(TERMS), History.simulated(years=6))


#: Names without their types, because each call is wrong.
api: Any = backtests
any_signals: Any = signals
any_indicator: Any = run_indicator

CALLS: dict[str, Callable[[Any], Any]] = {
    "expected a History, was 'my.duckdb'; make one with History.load": (
        lambda r: try_claims("my.duckdb")  # type: ignore[arg-type]
    ),
    "check_strategy: expected a RunConfig, was .*Spy.*; give config_from": (
        lambda r: check_strategy(type(r.strategy), r.history)  # type: ignore[arg-type]
    ),
    "check_signal: expected a Signal, was .*; give YourSignal": (
        lambda r: check_signal(r.config, r.config, r.history)
    ),
    "check_signal: expected a History, was None; give History.load": (
        lambda r: check_signal(DryPowder(), r.config, None)  # type: ignore[arg-type]
    ),
    "expected `earlier` to be a reading, was .*; give run.reading of a finished run": (
        lambda r: api.run(r.config, r.history, r)
    ),
    "expected a reading and its history, was .*; write it like plot_reading": (
        lambda r: api.plot_reading(r.history, r.reading)
    ),
    "unknown signal '<class .*DryPowder'>'; known: ": lambda r: r.plot(DryPowder),
    "expected ids to plot, was ..SPY..; write them like": lambda r: r.history.plot(["SPY"]),
    "expected ids to plot, was 5; write them like": lambda r: r.history.plot(5),
    "the run: expected a finished run, was ..a.: 1.": lambda r: api.assess({"a": 1}),
    "expected an assessment, was .*; make one with": lambda r: api.write_run(r, Path("out")),
    "expected a RunConfig, was .*; make one with": lambda r: api.walk_forward(TERMS, {"lag": [1]}),
    "expected a grid with at least one parameter, but the grid was .*; give values": (
        lambda r: api.walk_forward(r.config, ["volatility"], r.history)
    ),
    "unknown config key '5'": lambda r: api.config_from({5: 1}),
    "expected the evaluation of a signal, was DryPowder.*; give one": (
        lambda r: any_signals.explain(DryPowder(), r.history.panel, r.sessions[-1])
    ),
    "expected `among` as a mapping from name to evaluation, was None; give one": (
        lambda r: any_signals.explain(
            r.reading.evaluations["capex"], r.history.panel, r.sessions[-1], among=None
        )
    ),
    "expected a valid path, was '3': an object of int; give another path": lambda r: r.save(3),
    "spy: expected costs as an object of the class Costs, was 3; give one such as": (
        lambda r: api.run(r.config.model_copy(update={"costs": 3}), r.history)
    ),
    "expected a panel as a DataFrame, was .*; if you have a history, give history.panel": (
        lambda r: any_signals.DryPowder().evaluate(r.history)
    ),
    "expected a panel as a DataFrame, was SIMULATED.*; if you have a history": (
        lambda r: any_indicator(r.history, DryPowder, k=0.09)
    ),
    "expected a valid path, was 'None': an object of NoneType": lambda r: api.History.load(None),
    "expected a list of ids in `only`, was 'SPY'; write ..SPY..": (
        lambda r: api.History.load("store.duckdb", only="SPY")
    ),
    "seed must be a whole number, was '1'": lambda r: api.History.simulated(seed="1"),
    "years must be a whole number, was 2.5": lambda r: api.History.simulated(years=2.5),
    "at must be a date like 2025-10-06, was 'yesterday'": (lambda r: r.history.until("yesterday")),
    "at must be a date like 2025-10-06, was 'None'": lambda r: r.history.until(None),
}


@pytest.mark.parametrize("said", CALLS)
def test_a_wrong_type_is_refused_in_one_line(finished: Run, said: str) -> None:
    with pytest.raises(DrypowderError, match=said) as refused:
        CALLS[said](finished)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("number", [2024, 2024.0, np.int64(2024), np.float32(2024)])
def test_a_number_is_no_moment_of_a_store(tmp_path: Path, number: Any) -> None:
    with pytest.raises(ConfigError, match="as_of must be a date like 2025-10-06, or a moment, was"):
        History.load(tmp_path / "store.duckdb", as_of=number)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda panel: panel.iloc[::-1], "is not in ascending order; sort it with"),
        (lambda panel: panel.tz_localize("UTC"), "has the time zone UTC; remove the zone"),
        (lambda panel: panel.reset_index(drop=True), "is of type RangeIndex"),
        (lambda panel: pd.concat([panel, panel.iloc[-1:]]), "has 2024-12-31 twice; drop one row"),
    ],
)
def test_a_signal_is_not_evaluated_on_rows_that_are_not_sessions(
    finished: Run, wrong: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    with pytest.raises(DataError, match=f"expected the panel sorted by .* the index {said}"):
        DryPowder().evaluate(wrong(finished.history.panel))


def test_a_date_may_have_any_type_of_date(finished: Run) -> None:
    history: Any = finished.history
    days = ("2023-05-05", date(2023, 5, 5), datetime(2023, 5, 5), pd.Timestamp("2023-05-05 12:00"))
    for day in (*days, pd.Timestamp("2023-05-05", tz="UTC"), np.datetime64("2023-05-05")):
        assert history.until(day).panel.index[-1] == pd.Timestamp("2023-05-05"), day
        assert history.session(day) == pd.Timestamp("2023-05-05"), day


@pytest.mark.parametrize("unit", ["D", "us", "ns"])
def test_a_start_may_be_a_date_of_numpy(unit: Any) -> None:
    start = np.datetime64("2022-01-03").astype(f"datetime64[{unit}]")
    assert config_from({**TERMS, "start": start}).start == date(2022, 1, 3)


def test_a_whole_number_of_numpy_is_a_whole_number() -> None:
    lags = [config_from({**TERMS, "lag": lag}).lag for lag in np.arange(1, 4)]
    assert lags == [1, 2, 3]
    assert all(type(lag) is int for lag in lags)
    with pytest.raises(ConfigError, match="config key lag: input should be a valid integer"):
        config_from({**TERMS, "lag": True})


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (np.array(["MSFT", "AMZN"]), ("MSFT", "AMZN")),
        (pd.Series(["MSFT", "AMZN"]), ("MSFT", "AMZN")),
        (pd.Index(["MSFT", "AMZN"]), ("MSFT", "AMZN")),
    ],
)
def test_an_array_counts_as_a_list_of_its_values(given: Any, read: tuple[str, ...]) -> None:
    config = config_from({**TERMS, "signals": {"capex": {"firms": given, "minimum": np.int64(2)}}})
    assert config.build_signals()["capex"].firms == read  # type: ignore[attr-defined]
    assert type(config.signals["capex"]["minimum"]) is int


@pytest.mark.parametrize("value", [{0.1}, pd.NA, pd.NaT, pd.DataFrame([0.1])], ids=str)
def test_a_value_that_is_no_number_text_or_list_is_refused_with_its_key(value: Any) -> None:
    said = r"^config key signals\.dry_powder\.k: expected a value or a list, was "
    with pytest.raises(ConfigError, match=said):
        config_from({**TERMS, "signals": {"dry_powder": {"k": value}}})
    with pytest.raises(ConfigError, match="dry_powder k: input should be a valid number, was"):
        config_from({**TERMS, "signals": {"dry_powder": {"k": np.array([0.1, 0.2])}}})


def test_dates_of_a_run_have_one_name(finished: Run) -> None:
    assert {finished.returns.index.name, finished.weights.index.name} == {"date"}
    assert "date" in finished.orders


def test_loading_the_calendar_prints_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtests.calendar.FIRST_SESSION", "2015-01-02")  # in no cache
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        all_sessions.__wrapped__()


def test_a_run_is_written_into_a_folder_given_as_text(
    finished: Run, tmp_path: Path, uncharted: None
) -> None:
    numbers = write_run(assess(finished, robustness=False), str(tmp_path / "out"))
    assert numbers["run"]["run_id"] == finished.run_id
    assert (tmp_path / "out" / "tearsheet.html").is_file()
