"""Later data never change earlier signals, readings, weights or histories.

A result on a history that is cut at a session must equal the result on the whole history up to this
session, to the last bit.
"""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.history.panel import History
from backtests.importing.import_path import import_path
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.dry_powder import DryPowder
from signals.hysteresis import hysteresis
from signals.universe import UNIVERSE
from strategies import STRATEGIES
from tests.conftest import RECORDED_AT

Measure = Callable[[pd.DataFrame], pd.DataFrame]

CUTS = 22


@pytest.fixture(scope="module")
def panel(history: History) -> pd.DataFrame:
    return history.panel


@pytest.fixture(scope="module")
def dates(panel: pd.DataFrame) -> list[pd.Timestamp]:
    """Return 22 random sessions, and two sessions at which bitcoin or ether was new.

    Most random sessions are in the years in which signals are known. At the other two sessions,
    measures of the new coin have no value yet.
    """
    rng = np.random.default_rng(42)
    early, late = panel.loc["2004":"2012"].index, panel.loc["2013":].index
    drawn = [*rng.choice(early, 4, replace=False), *rng.choice(late, CUTS - 4, replace=False)]
    return sorted(pd.Timestamp(day) for day in [*drawn, "2013-06-03", "2015-09-01"])


def assert_blind_to_the_future(
    measure: Measure, panel: pd.DataFrame, dates: Sequence[pd.Timestamp]
) -> None:
    """Assert that cutting the panel at a date does not change a measure up to this date."""
    whole = measure(panel)
    assert len(whole) == len(panel)
    for at in dates:
        cut, then = measure(panel.loc[:at]), whole.loc[:at]
        if not cut.equals(then):  # quick, but does not show the difference
            pd.testing.assert_frame_equal(cut, then, check_exact=True, obj=f"cut at {at.date()}")


# The reading of each cut is computed once, for all signals, the regime and all strategies.


@pytest.fixture(scope="module")
def readings(panel: pd.DataFrame, dates: list[pd.Timestamp]) -> dict[pd.Timestamp, signals.Reading]:
    """Return the reading of the panel cut at each date, and of the whole panel."""
    return {at: signals.read(panel.loc[:at]) for at in [*dates, panel.index[-1]]}


@pytest.mark.parametrize("what", ["gauges", "score", "flag"])
@pytest.mark.parametrize("name", signals.SIGNALS)
def test_signal(
    name: str,
    what: str,
    panel: pd.DataFrame,
    dates: list[pd.Timestamp],
    readings: dict[pd.Timestamp, signals.Reading],
) -> None:
    def measure(cut: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(getattr(readings[cut.index[-1]].evaluations[name], what))

    assert_blind_to_the_future(measure, panel, dates)


def test_reading(
    panel: pd.DataFrame,
    dates: list[pd.Timestamp],
    readings: dict[pd.Timestamp, signals.Reading],
) -> None:
    for part in ("regime", "rule", "decided_by", "flags", "scores", "votes"):

        def measure(cut: pd.DataFrame, part: str = part) -> pd.DataFrame:
            return pd.DataFrame(getattr(readings[cut.index[-1]], part))

        assert_blind_to_the_future(measure, panel, dates)


@pytest.mark.parametrize("name", STRATEGIES)
def test_strategy(
    name: str,
    panel: pd.DataFrame,
    dates: list[pd.Timestamp],
    readings: dict[pd.Timestamp, signals.Reading],
) -> None:
    strategy = STRATEGIES[name]()
    assert_blind_to_the_future(lambda p: strategy.weights(readings[p.index[-1]], p), panel, dates)


# --- the test finds planted errors ----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TomorrowsPowder(DryPowder):
    """Cheats: reads tomorrow's gauges today."""

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        return super().gauges(panel).shift(-1)


@dataclass(frozen=True, kw_only=True)
class WholeSamplePowder(DryPowder):
    """Cheats: standardises by the mean of the whole sample, and flags by this score."""

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        share = gauges["share"]
        return -(share - share.mean()) / share.std()

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        score = self.score(gauges)
        return hysteresis(score > 1, score < 0, score.notna())


@dataclass(frozen=True, kw_only=True)
class BackfilledPowder(DryPowder):
    """Cheats: fills gaps, also the gap before the first value, with later values."""

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        return super().gauges(panel).bfill()


CHEATS = [
    pytest.param(TomorrowsPowder(), "gauges", id="reads tomorrow"),
    pytest.param(TomorrowsPowder(), "score", id="scores tomorrow"),
    pytest.param(WholeSamplePowder(), "score", id="standardises by the whole sample"),
    pytest.param(WholeSamplePowder(), "flag", id="sets a threshold by the whole sample"),
    pytest.param(BackfilledPowder(), "gauges", id="fills backwards"),
]


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the signal cheats")
@pytest.mark.parametrize(("cheat", "what"), CHEATS)
def test_a_cheating_signal(
    cheat: DryPowder, what: str, panel: pd.DataFrame, dates: list[pd.Timestamp]
) -> None:
    assert_blind_to_the_future(
        lambda p: pd.DataFrame(getattr(cheat.evaluate(p), what)), panel, dates
    )


def test_the_checker_notices_one_cell_from_tomorrow() -> None:
    index = pd.bdate_range("2024-01-02", periods=10)
    panel = pd.DataFrame({"x": np.arange(10.0)}, index=index)

    def honest(p: pd.DataFrame) -> pd.DataFrame:
        return p.cumsum()

    def peeks(p: pd.DataFrame) -> pd.DataFrame:
        return p.assign(x=p["x"].shift(-1, fill_value=9.0))

    assert_blind_to_the_future(honest, panel, list(index))
    with pytest.raises(AssertionError, match="cut at 2024-01-04"):
        assert_blind_to_the_future(peeks, panel, [index[2]])


# --- history from files that end early ------------------------------------------------------


@pytest.mark.parametrize("last", ["2015-11-18", "2025-06-20"])
def test_history_from_files_cut_at_a_date(
    last: str, history_dir: Path, evidence_dir: Path, store: Path, tmp_path: Path
) -> None:
    cut_store = tmp_path / "cut.duckdb"
    for folder in (history_dir, evidence_dir):
        copy_until(folder, tmp_path / folder.name, last)
        import_path(tmp_path / folder.name, cut_store, recorded_at=RECORDED_AT)
    named = {*CATALOG, *UNIVERSE, *Store(cut_store).series_ids()}
    ids = [id for id in Store(store).series_ids() if id in named]
    cut = History.load(cut_store, only=ids)
    whole = History.load(store, only=ids).until(last)

    assert cut.panel.index[-1] == pd.Timestamp(last)
    assert cut.panel.loc[last].notna().sum() > 60
    for part in ("panel", "known", "closes"):
        pd.testing.assert_frame_equal(
            getattr(cut, part), getattr(whole, part), check_exact=True, obj=part
        )

    assert cut.digest() == whole.digest()


def copy_until(source: Path, target: Path, last: str) -> None:
    """Copy a folder of history without data about later dates."""
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".json":
            document = json.loads(file.read_text())
            facts = [f for f in document["units"]["USD"] if f["end"] <= last]
            if facts:
                copy.write_text(json.dumps({**document, "units": {"USD": facts}}))
        elif ".csv" in file.suffixes:
            zipped = file.suffix == ".gz"
            text = gzip.decompress(file.read_bytes()).decode() if zipped else file.read_text()
            header, *rows = text.splitlines()
            names = header.split(",")
            dated = next((names.index(n) for n in ("period_end", "announce") if n in names), 0)
            kept = [row for row in rows if row.split(",")[dated][:10] <= last]
            if kept:
                (copy.with_suffix("") if zipped else copy).write_text("\n".join([header, *kept]))
