"""What counts as a flip with the last fetch, on readings made by hand."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from backtests import flipped
from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.flipped import Flipped, SinceFetch, since_fetch
from backtests.history.panel import History
from backtests.report.flipped import flipped_words
from backtests.store.batch import Batch, dated
from backtests.store.store import Store
from signals.errors import ConfigError
from signals.reading import Reading
from tests.readings import evaluation_of, reading_of

DAYS = pd.bdate_range("2025-10-13", periods=5)
BEGAN = pd.Timestamp("2025-10-16 20:30")
N, A = "NEUTRAL", "ABSORPTION"


def reading(
    regime: Sequence[str | None], capex: Sequence[bool | None], leverage: Sequence[bool] = ()
) -> Reading:
    """Return a reading of the first days with two flags: capex is primary, leverage is not."""
    index = DAYS[: len(regime)]
    flags = {"capex": capex, "leverage": leverage or [False] * len(index)}
    evaluations = {name: evaluation_of(flag, index) for name, flag in flags.items()}
    return reading_of(regime, index, evaluations)


def batch(day: str) -> Batch:
    values = pd.Series([4.0], index=pd.DatetimeIndex([day]))
    return dated("DGS2", values, "FRED", BEGAN)


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    """Return the configuration of a store that has data from two fetches."""
    store = Store(tmp_path / "store.duckdb")
    store.add([batch("2025-10-10")], BEGAN - pd.Timedelta(days=1))
    with store.fetching(BEGAN):
        store.add([batch("2025-10-13")], BEGAN)
    return config_from({"strategy": "cash-heavy", "store": store.path})


def test_both_sides_of_a_comparison_have_the_same_series(tmp_path: Path) -> None:
    """A later price of an asset that is not read does not add a session to the earlier side."""
    store = Store(tmp_path / "prices.duckdb")
    for ticker, days in (("SPY", DAYS[:3]), ("JNK", DAYS[:4])):
        closes = pd.Series(range(100, 100 + len(days)), index=days, dtype="float64")
        store.add([dated(ticker, closes, "Yahoo", BEGAN)], BEGAN)
    store.note_recording(BEGAN + pd.Timedelta(hours=1))
    began = store.last_recording()
    assert began is not None
    now = History.load(store, ["SPY"])
    assert flipped._known_before(store, began, now).panel.index[-1] == now.panel.index[-1]


def compared(
    config: RunConfig, then: Reading, now: Reading, patch: pytest.MonkeyPatch
) -> SinceFetch:
    """Return the comparison of two readings."""

    def before(*_: object) -> object:
        return SimpleNamespace(panel=pd.DataFrame(index=then.regime.index))

    patch.setattr(flipped, "_known_before", before)
    patch.setattr(flipped, "read", lambda *_: then)
    return since_fetch(config, None, now)  # type: ignore[arg-type]


def flip(
    what: str, was: str, now: str, since: pd.Timestamp | None, *, revised: bool = False
) -> Flipped:
    return Flipped(what=what, was=was, now=now, since=since, revised=revised)


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        pytest.param(
            reading([N] * 3, [True] * 3), reading([N] * 4, [True] * 4), [], id="nothing flipped"
        ),
        pytest.param(
            reading([N] * 3, [True] * 3),
            reading([N] * 3 + [A], [True] * 3 + [False]),
            [flip("regime", N, A, DAYS[3]), flip("capex", "on", "off", DAYS[3])],
            id="the regime and a vote",
        ),
        pytest.param(
            reading([N] * 2, [True] * 2),
            reading([N] * 2 + [A] * 2, [True] * 4),
            [flip("regime", N, A, DAYS[2])],
            id="several sessions",
        ),
        pytest.param(
            reading([N] * 2, [True] * 2),
            reading([N, N, A, N], [True, True, False, True]),
            [],
            id="back again in between",
        ),
        pytest.param(
            reading([N] * 3, [True] * 3),
            reading([N, A, A, A], [True] * 4),
            [flip("regime", N, A, DAYS[1], revised=True)],
            id="late data change the past",
        ),
        pytest.param(
            reading([N] * 3, [True] * 3),
            reading([N] * 3, [True, True, False]),
            [flip("capex", "on", "off", DAYS[2], revised=True)],
            id="no new session",
        ),
        pytest.param(
            reading([None] * 3, [None] * 3),
            reading([None] * 3 + [N], [None] * 3 + [False]),
            [flip("regime", "none", N, DAYS[3]), flip("capex", "no view", "off", DAYS[3])],
            id="a first regime and a first view",
        ),
        pytest.param(
            reading([N] * 3, [True] * 3),
            reading([N] * 4, [True] * 3 + [None]),
            [flip("capex", "on", "no view", None)],
            id="a view is lost",
        ),
        pytest.param(
            reading([N] * 3, [True] * 3),
            reading([N] * 4, [True] * 4, [False] * 3 + [True]),
            [],
            id="a flag that is not primary",
        ),
    ],
)
def test_what_counts_as_a_flip(
    config: RunConfig,
    then: Reading,
    now: Reading,
    expected: list[Flipped],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = compared(config, then, now, monkeypatch)
    assert found == SinceFetch(began=BEGAN, session=then.regime.index[-1], flipped=tuple(expected))


def test_primary_are_the_flags_that_the_regime_model_reads(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model ``quantities`` reads only absorption."""
    chosen = config.model_copy(update={"regime_model": "quantities"})
    then, now = reading([N] * 3, [True] * 3), reading([N] * 4, [True] * 3 + [False])
    assert compared(chosen, then, now, monkeypatch).flipped == ()


def test_the_line_names_each_flip_with_both_states(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    then, now = reading([N] * 3, [True] * 3), reading([N, A, A, A], [True] * 3 + [None])
    assert flipped_words(compared(config, then, now, monkeypatch)) == (
        "the data recorded since 2025-10-16 20:30 caused flips: regime from NEUTRAL to "
        "ABSORPTION since 2025-10-14, with late or revised data; capex from on to no view"
    )


def test_a_store_without_an_earlier_state_has_nothing_to_compare_with(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.duckdb")
    with store.fetching(BEGAN):
        store.add([batch("2025-10-13")], BEGAN)
    config = config_from({"strategy": "cash-heavy", "store": store.path})
    found = since_fetch(config, None, reading([N], [True]))  # type: ignore[arg-type]
    assert found == SinceFetch()
    assert "until the next fetch or import" in flipped_words(found)


def test_data_without_any_session_before_the_fetch_are_no_earlier_state(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "store.duckdb")
    store.note_fetched(["GDP"], BEGAN)
    store.note_recording(BEGAN)
    store.add([batch("2025-10-13")], BEGAN)
    config = config_from({"strategy": "cash-heavy", "store": store.path})
    now = SimpleNamespace(panel=pd.DataFrame(columns=["DGS2"]), closes=pd.DataFrame())
    found = since_fetch(config, now, reading([N], [True]))  # type: ignore[arg-type]
    assert found == SinceFetch(began=BEGAN)
    assert "signals had too few data" in flipped_words(found)


@pytest.mark.parametrize("source", ["simulated", "frames"])
def test_a_history_without_a_store_is_refused(source: str) -> None:
    config = config_from({"strategy": "cash-heavy", "source": source})
    with pytest.raises(ConfigError, match="Only a fetch or import can flip a state"):
        since_fetch(config, None, reading([N], [True]))  # type: ignore[arg-type]
