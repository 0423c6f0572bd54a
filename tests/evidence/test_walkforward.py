"""Walk-forward finds a planted effect, finds nothing in noise, and never looks ahead."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import sessions
from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.evidence import walkforward
from backtests.evidence.attribution import attribution
from backtests.evidence.metrics import sharpe
from backtests.evidence.walkforward import WalkForward, combinations, refit_dates, walk_forward
from backtests.history.panel import History
from backtests.parameter_paths import config_with
from backtests.pipeline import read, run
from benchmarks.walkforward import AHEAD, ASSET, FREE, TRUE_K, made_up, noise, planted, settings
from signals import Reading
from signals.errors import ConfigError
from strategies import Strategy

pytestmark = pytest.mark.usefixtures("evaluated_before")

SPAN = {"start": "2010-01-01", "end": "2017-12-31"}
KS = [1, 2, 3]


@dataclass(frozen=True, kw_only=True)
class Holder(Strategy):
    """Holds one asset all the time, or no asset."""

    name: ClassVar[str] = "holder"
    description: ClassVar[str] = "all in one asset"

    holds: str = "ONE"
    color: str = "red"

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.holds,) if self.holds else ()

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(1.0, index=panel.index, columns=list(self.assets))


@pytest.fixture
def one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read made-up histories of the same sessions only once: signals ignore their assets."""
    known: dict[tuple[object, ...], Reading] = {}

    def once(config: RunConfig, history: History) -> Reading:
        assert set(history.closes) <= {ASSET, "ONE", "TWO"}
        key = (history.panel.index[0], history.panel.index[-1])
        if key not in known:
            known[key] = _READINGS.setdefault(key, read(config, history))
        return known[key]

    monkeypatch.setattr(walkforward, "read", once)


_READINGS: dict[tuple[object, ...], Reading] = {}


@pytest.fixture(scope="module")
def economy() -> History:
    """Return a simulated history in which regimes change."""
    return History.simulated(seed=1, years=10)


def monthly(**changed: Any) -> RunConfig:
    return settings(schedule={"every": "month"}, **changed)


def holding(**changed: Any) -> RunConfig:
    usual = {"strategy": f"{__name__}:Holder", "benchmark": "ONE", "costs": FREE}
    return config_from(usual | changed)


def two_assets(fall: int | None = None) -> History:
    """Return 2010 to 2013. ONE rises faster than TWO, but it falls by half at session ``fall``."""
    index = sessions(pd.Timestamp("2010-01-01"), pd.Timestamp("2013-12-31"))
    wiggle = np.tile([0.01, -0.01], len(index))[: len(index)]
    excess = pd.DataFrame({"ONE": 0.002 + wiggle, "TWO": 0.001 + wiggle}, index=index)
    if fall is not None:
        excess.iloc[fall, 0] = -0.5
    return made_up(excess)


def first_seam(history: History) -> int:
    """Return the position of the first session of 2012."""
    return int(history.panel.index.searchsorted(pd.Timestamp("2012-01-01")))


# --- Planted effects, and noise --------------------------------------------------------------


def test_a_planted_parameter_is_found_in_every_year() -> None:
    history = made_up(planted(noise(0, **SPAN), size=0.2))
    found = walk_forward(settings(), {"k": KS}, history, first_years=3)
    assert list(found.choices.index) == [2013, 2014, 2015, 2016, 2017]
    assert (found.choices["k"] == TRUE_K).all()
    assert found.out_of_sample > 1.0
    assert found.out_of_sample > found.plain + 1.0


def test_the_planted_relation_leaves_room_for_the_fill() -> None:
    excess = planted(noise(0), size=0.2)[ASSET]
    led = {back: excess.corr(np.sign(excess.shift(back))) for back in range(1, 9)}
    assert max(led, key=led.__getitem__) == TRUE_K + AHEAD
    assert max(abs(led[back]) for back in led if back != TRUE_K + AHEAD) < 0.06


def out_of_sample(seeds: int) -> tuple[list[float], list[float]]:
    """Return the scores out of sample and in sample on noise."""
    found = [
        walk_forward(monthly(), {"k": [1, 2, 3, 4]}, made_up(noise(seed, **SPAN)), first_years=3)
        for seed in range(seeds)
    ]
    return [each.out_of_sample for each in found], [each.in_sample for each in found]


def errors_from_zero(scores: list[float]) -> float:
    return float(np.mean(scores) / (np.std(scores, ddof=1) / np.sqrt(len(scores))))


@pytest.mark.usefixtures("one_reading")
def test_where_nothing_is_nothing_is_found_out_of_sample_though_it_is_in_sample() -> None:
    outside, inside = out_of_sample(14)
    assert abs(errors_from_zero(outside)) < 2
    assert errors_from_zero(inside) > 3


@pytest.mark.usefixtures("one_reading")
def test_a_choice_that_has_seen_its_year_finds_something_in_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walkforward, "seen_at", peeking)
    outside, _ = out_of_sample(6)
    assert errors_from_zero(outside) > 2


def peeking(index: pd.DatetimeIndex, refit: pd.Timestamp, purge: int) -> pd.DatetimeIndex:
    """Return the sessions of the next year in place of the past sessions."""
    return index[(index >= refit) & (index < refit + pd.DateOffset(years=1))]


# --- The same code path as a plain run -------------------------------------------------------


def test_a_single_candidate_is_the_plain_run_from_the_first_seam_on(economy: History) -> None:
    config = config_from({"strategy": "near-cash-flow", "params": {"volatility": 0.2}})
    found = walk_forward(config, {"volatility": [0.2]}, economy, first_years=4)
    start = found.result.equity.index[0].date()
    plain = run(config.model_copy(update={"start": start}), economy)
    assert plain.result.equity.to_numpy() == pytest.approx(found.result.equity, rel=1e-12)
    assert plain.result.orders["date"].equals(found.result.orders["date"])
    pd.testing.assert_frame_equal(plain.decided, found.run.decided)
    assert found.plain == pytest.approx(found.out_of_sample, abs=1e-12)
    assert plain.state is not None
    assert found.run.state is not None
    assert found.run.state.equals(plain.state.loc[pd.Timestamp(start) :])


def test_the_run_of_a_walk_forward_is_known_to_be_spliced(economy: History) -> None:
    config = config_from({"strategy": "near-cash-flow"})
    found = walk_forward(config, {"volatility": [0.1, 0.4]}, economy, first_years=4)
    assert found.run.spliced
    plain = run(config, economy)
    assert not plain.spliced
    assert found.run.run_id != plain.run_id


def test_metrics_and_attribution_take_the_spliced_run(economy: History) -> None:
    config = config_from({"strategy": "near-cash-flow"})
    found = walk_forward(config, {"volatility": [0.1, 0.4]}, economy, first_years=4)
    regime = found.run.reading.regime
    parts = attribution(found.result, economy.closes, config.costs, regime, config.lag)
    total = found.result.equity.iloc[-1] / found.result.equity.iloc[0] - 1
    assert parts.by_sleeve["return"].sum() == pytest.approx(total)
    assert found.out_of_sample == sharpe(found.run.result.returns, found.run.bills)
    assert found.in_sample == found.candidates["sharpe"].max()
    assert list(found.candidates["volatility"]) == [0.1, 0.4]


@pytest.mark.usefixtures("one_reading")
def test_a_single_candidate_scores_alike_in_and_out_of_sample_but_for_starting() -> None:
    """The fall before the first refit is in no score.

    The spliced run lacks only the first return, because it waits for its first fill.
    """

    def gained(returns: pd.Series, bills: pd.Series) -> float:
        return float((returns - bills).sum())

    history = two_assets(fall=100)
    found = walk_forward(holding(), {"holds": ["ONE"]}, history, first_years=2, chooser=gained)
    later = found.result.returns.index
    excess = run(holding(), history).result.returns.loc[later] - found.run.bills
    assert found.in_sample == pytest.approx(excess.sum(), abs=1e-12)
    assert found.out_of_sample == pytest.approx(excess.iloc[1:].sum(), abs=1e-12)
    assert found.candidates["max_drawdown"].loc[0] > -0.1


@pytest.mark.usefixtures("one_reading")
def test_the_best_candidate_is_the_one_that_was_best_after_the_first_seam() -> None:
    """ONE falls by half before the first refit, and beats TWO afterwards."""
    history = two_assets(fall=100)
    found = walk_forward(holding(), {"holds": ["ONE", "TWO"]}, history, first_years=2)
    assert list(found.choices["holds"]) == ["TWO", "TWO"]
    lines = repr(found).splitlines()
    assert lines[0].startswith("SIMULATED: walk-forward of ")
    assert lines[-1].endswith("holds TWO")
    assert max(map(len, lines)) < 80
    assert found.candidates["sharpe"].idxmax() == 0
    assert found.in_sample == found.candidates["sharpe"].loc[0] > found.out_of_sample


def test_candidates_that_differ_in_the_strategy_alone_share_a_reading(
    economy: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[tuple[float, int]] = []

    def counted(config: RunConfig, history: History) -> Reading:
        k = config.build_signals()["dry_powder"].k  # type: ignore[attr-defined]
        reads.append((k, config.build_model().confirm))  # type: ignore[attr-defined]
        return read(config, history)

    monkeypatch.setattr(walkforward, "read", counted)
    config = config_from({"strategy": "near-cash-flow"})
    grid: dict[str, list[float]] = {
        "volatility": [0.2, 0.3],
        "dry_powder.k": [0.09, 0.2],
        "regime.confirm": [10, 5],
    }
    found = walk_forward(config, grid, economy, first_years=4)
    assert reads == [(0.09, 10), (0.09, 5), (0.2, 10), (0.2, 5)]
    assert len(found.candidates) == 8


@pytest.mark.parametrize(
    ("path", "value"),
    [("regime.confirm", 60), ("schedule.offset", 10), ("dry_powder.k", 0.2), ("volatility", 0.3)],
)
def test_a_candidate_is_the_plain_run_with_the_value_at_its_path(
    path: str, value: Any, economy: History
) -> None:
    """The value differs from the configuration, so that a parameter without effect is noticed."""
    config = config_from({"strategy": "near-cash-flow"})
    found = walk_forward(config, {path: [value]}, economy, first_years=4)
    start = found.result.equity.index[0].date()
    changed = config_with(config.model_copy(update={"start": start}), {path: value})
    plain = run(changed, economy)
    assert found.out_of_sample == pytest.approx(sharpe(plain.result.returns, plain.bills))
    assert found.out_of_sample != found.plain
    pd.testing.assert_frame_equal(plain.decided, found.run.decided)


@pytest.mark.usefixtures("one_reading")
def test_each_year_bears_the_decisions_of_the_candidate_chosen_for_it() -> None:
    history = made_up(noise(5, **SPAN))
    config = monthly()
    found = walk_forward(config, {"k": KS}, history, first_years=3)
    assert found.choices["k"].nunique() > 1
    for year, k in found.choices["k"].items():
        own = run(config.model_copy(update={"params": {"k": k}}), history).decided
        spliced = found.run.decided
        mine, theirs = (rows[pd.DatetimeIndex(rows.index).year == year] for rows in (spliced, own))
        pd.testing.assert_frame_equal(mine.loc[theirs.index], theirs)
        assert len(mine) - len(theirs) in (0, 1)


# --- Seams -----------------------------------------------------------------------------------


def switching(fall_at: Callable[[int], int], **given: Any) -> WalkForward:
    place = first_seam(two_assets())
    return walk_forward(
        holding(**given.pop("config", {})),
        {"holds": ["ONE", "TWO"]},
        two_assets(fall_at(place)),
        **({"first_years": 2} | given),
    )


@pytest.mark.usefixtures("one_reading")
@pytest.mark.parametrize("purge", [0, 1, 21])
def test_a_choice_sees_the_session_before_the_seam_less_the_purge_and_nothing_later(
    purge: int,
) -> None:
    seen = switching(lambda refit: refit - 1 - purge, purge=purge)
    unseen = switching(lambda refit: refit - purge, purge=purge)
    assert seen.choices["holds"].loc[2012] == "TWO"
    assert unseen.choices["holds"].loc[2012] == "ONE"


@pytest.mark.usefixtures("one_reading")
def test_a_new_candidate_decides_at_the_seam_and_its_switch_is_paid_a_lag_later() -> None:
    costs = {**FREE, "stock_bp": 10.0}
    found = switching(lambda refit: refit + 100, config={"costs": costs, "lag": 2})
    assert list(found.choices["holds"]) == ["ONE", "TWO"]
    decided, orders = found.run.decided, found.result.orders
    index = found.result.equity.index
    refit = int(index.searchsorted(pd.Timestamp("2013-01-01")))
    assert list(decided.columns) == ["ONE", "TWO"]
    assert list(decided.loc[index[refit]]) == [0.0, 1.0]
    at = decided.index.tolist().index(index[refit])
    assert list(decided.iloc[at - 1]) == [1.0, 0.0]
    switch = orders[orders["date"] == index[refit + 2]]
    traded = switch["units"].abs() * switch["price"]
    assert list(switch["asset"]) == ["ONE", "TWO"]
    assert list(switch["cost"]) == pytest.approx(list(traded * 10e-4))
    assert len(orders) == 3  # bought once, switched once


@pytest.mark.usefixtures("one_reading")
def test_the_same_candidate_decides_nothing_more_at_a_seam() -> None:
    found = walk_forward(holding(), {"holds": ["ONE", "TWO"]}, two_assets(), first_years=2)
    assert list(found.choices["holds"]) == ["ONE", "ONE"]
    refits = pd.DatetimeIndex(["2012-01-03", "2013-01-02"])
    assert list(refits.isin(found.run.decided.index)) == [True, False]


@pytest.mark.usefixtures("one_reading")
def test_the_spliced_run_begins_in_cash_at_the_first_seam() -> None:
    found = walk_forward(holding(), {"holds": ["ONE", "TWO"]}, two_assets(), first_years=2)
    assert found.result.equity.index[0] == pd.Timestamp("2012-01-03")
    assert found.result.weights.iloc[0].sum() == 0


@pytest.mark.usefixtures("one_reading")
def test_equal_scores_go_to_the_first_and_an_undefined_one_is_below_every_other() -> None:
    def chosen(grid: dict[str, list[str]], **given: Any) -> list[str]:
        found = walk_forward(holding(), grid, two_assets(), first_years=2, **given)
        return list(found.choices[next(iter(grid))])

    def nowhere(returns: pd.Series, bills: pd.Series) -> float:
        return float("nan")

    def worst(returns: pd.Series, bills: pd.Series) -> float:
        return -sharpe(returns, bills)

    assert chosen({"color": ["red", "blue"]}) == ["red", "red"]
    assert chosen({"color": ["blue", "red"]}) == ["blue", "blue"]
    assert chosen({"holds": ["", "TWO", "ONE"]}) == ["ONE", "ONE"]  # "" has no Sharpe ratio
    assert chosen({"holds": ["", "TWO", "ONE"]}, chooser=worst) == ["TWO", "TWO"]
    assert chosen({"holds": ["TWO", "ONE"]}, chooser=nowhere) == ["TWO", "TWO"]


@pytest.mark.parametrize(
    ("start", "first"),
    [("2010-01-04", 2015), ("2010-01-05", 2016), ("2009-12-31", 2015), ("2010-07-01", 2016)],
)
def test_the_first_choice_has_that_many_whole_calendar_years(start: str, first: int) -> None:
    index = sessions(pd.Timestamp(start), pd.Timestamp("2018-03-29"))
    refits = refit_dates(index, 5, 21)
    assert list(refits.year) == list(range(first, 2019))
    before = index[index.get_indexer(refits) - 1]
    assert list(before.year) == [refit.year - 1 for refit in refits]


# --- Truncation ------------------------------------------------------------------------------

CUTS = ["2013-03-01", "2014-12-31", "2015-01-02"]


def past(found: WalkForward, at: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return choices without their later scores, and decisions, both up to a session."""
    known = found.choices[found.choices.index <= pd.Timestamp(at).year]
    return known.drop(columns="out_of_sample"), found.run.decided.loc[:at]


def test_cutting_the_future_changes_no_choice_and_no_decision() -> None:
    history = made_up(noise(5, **SPAN))
    grid = {"k": KS}
    whole = walk_forward(monthly(), grid, history, first_years=3)
    assert whole.choices["k"].nunique() > 1
    for at in CUTS:
        cut = walk_forward(monthly(), grid, history.until(at), first_years=3)
        for before, after in zip(past(whole, at), past(cut, at), strict=True):
            pd.testing.assert_frame_equal(before, after, check_exact=True)


@pytest.mark.usefixtures("one_reading")
def test_cutting_the_future_shows_a_choice_that_peeks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walkforward, "seen_at", peeking)
    history = made_up(noise(5, **SPAN))
    whole = walk_forward(monthly(), {"k": KS}, history, first_years=3)
    cut = walk_forward(monthly(), {"k": KS}, history.until(CUTS[0]), first_years=3)
    assert not past(whole, CUTS[0])[0].equals(past(cut, CUTS[0])[0])


# --- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        ({}, "at least one parameter"),
        ({"volatility": []}, "list of values to try for volatility"),
        ({"volatility": 0.2}, "list of values to try for volatility, was 0.2"),
        ({"volatility": "0.2"}, "list of values to try for volatility"),
        ({"volatility": np.array([])}, "list of values to try for volatility, was"),
        ({"volatility": np.array([[0.1], [0.2]])}, "volatility: input should be a valid number"),
        ({"volatilty": [0.2]}, "did you mean 'volatility'"),
        ({"volatility": [0.2, "much"]}, "volatility: input should be a valid number"),
        ({"volatility": [0.2, -1.0]}, "volatility must be above 0"),
        ({"dry_powdr.k": [0.1]}, "did you mean 'dry_powder'"),
        ({"dry_powder.kk": [0.1]}, "did you mean 'k'"),
        ({"absorption.dry_powder": [0.1]}, "unknown parameter of absorption 'dry_powder'"),
        ({"dry_powder.k.more": [0.1]}, "unknown parameter of dry_powder 'k.more'"),
        ({"dry_powder.": [0.1]}, "unknown parameter of dry_powder ''"),
        ({".k": [0.1]}, "was '.k'; give a name before the dot"),
        ({"regme.confirm": [3]}, "did you mean 'regime'"),
        ({"regime.confrm": [3]}, "did you mean 'confirm'"),
        ({"lag": [1, 2]}, "was 'lag'; lag, band and costs are the same in all years"),
        ({"band": [0.0, 0.1]}, "set band in the configuration"),
        ({"volatility": [0.2], "costs.etf_bp": [1.0]}, "set costs.etf_bp in the configuration"),
    ],
)
def test_a_grid_that_cannot_be_used_is_refused_on_one_line(grid: Any, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        walk_forward(config_from({"strategy": "near-cash-flow"}), grid)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("one_reading")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "expected 5 whole calendar years before the first choice"),
        ({"first_years": 4}, "expected 4 whole calendar years before the first choice"),
        ({"first_years": 2, "purge": 490}, "expected `purge` to leave at least 21 of the 503"),
        ({"first_years": 0}, "first_years: expected a whole number of at least 1, was 0"),
        ({"first_years": 2.5}, "first_years: expected a whole number of at least 1, was 2.5"),
        ({"purge": -1}, "purge: expected a whole number of at least 0, was -1"),
    ],
)
def test_too_short_a_past_is_refused_on_one_line(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        walk_forward(holding(), {"holds": ["ONE"]}, two_assets(), **given)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_arrays_and_series_in_a_grid_are_lists_of_numbers() -> None:
    config = config_from({"strategy": "near-cash-flow"})
    volatility, minimum = [0.1, 0.2, 0.3], [3, 4]
    grids: list[dict[str, Any]] = [
        {"volatility": np.array(volatility), "capex.minimum": np.arange(3, 5)},
        {"volatility": pd.Series(volatility), "capex.minimum": pd.Index(minimum)},
    ]
    for given in grids:
        listed: dict[str, Any] = {"volatility": volatility, "capex.minimum": minimum}
        assert combinations(config, given) == combinations(config, listed)


def test_a_grid_fills_the_configuration_and_leaves_it_as_it_was() -> None:
    config = config_from({"strategy": "near-cash-flow", "signals": {"dry_powder": {"enter": 0.5}}})
    before = config.model_dump()
    grid: dict[str, list[float]] = {
        "volatility": [0.1, 0.3],
        "dry_powder.k": [0.08, 0.1],
        "capex.minimum": [3],
    }
    offered = combinations(config, grid)
    assert [list(params.values()) for params, _ in offered] == [
        [0.1, 0.08, 3],
        [0.1, 0.1, 3],
        [0.3, 0.08, 3],
        [0.3, 0.1, 3],
    ]
    last = offered[-1][1]
    assert last.params == {"volatility": 0.3}
    assert last.signals["dry_powder"] == {"enter": 0.5, "k": 0.1}
    assert last.signals["capex"] == {"minimum": 3}
    assert combinations(config, {"regime.confirm": [9]})[0][1].regime == {"confirm": 9}
    assert config.model_dump() == before
