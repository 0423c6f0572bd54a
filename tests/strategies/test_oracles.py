"""Compare every strategy's weights and states with an oracle.

An oracle is a set of plain loops, written from the rules of the strategy.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.history.panel import History
from signals.reading import Reading
from signals.regimes import Quantities, Regime
from strategies import (
    STRATEGIES,
    CashHeavy,
    ConstantMix,
    Defensive,
    DualMomentum,
    EqualWeight,
    MemoryOverCrypto,
    NearCashFlow,
    Patient,
    Strategy,
    Survival,
    Trend,
    VolTarget,
    decide,
)
from tests.readings import with_evaluations
from tests.reference import naive_strategies as naive
from tests.reference.naive_strategies import Past, Rows

EXACT = 1e-12
TICKERS = tuple(dict.fromkeys(t for each in STRATEGIES.values() for t in each().assets))


def plain(column: pd.Series) -> list[Any]:
    """Return a column as a list, with None for a missing value."""
    missing = column.isna().tolist()
    return [None if no else value for no, value in zip(missing, column.tolist(), strict=True)]


def rows_of(panel: pd.DataFrame, reading: Reading) -> Rows:
    """Return the input of the oracles, as lists."""
    return Rows(
        days=[day.date() for day in panel.index],
        panel={id: plain(panel[id]) for id in (*TICKERS, "DGS3MO") if id in panel},
        regime=plain(reading.regime),
        score=plain(reading.scores["absorption"]),
        flag=plain(reading.flags["absorption"]),
    )


@dataclass(frozen=True, kw_only=True)
class World:
    """A panel and a reading, also as lists, and the rows at which weights are compared."""

    panel: pd.DataFrame
    reading: Reading
    rows: Rows
    at: list[int]

    @classmethod
    def make(
        cls, panel: pd.DataFrame, reading: Reading, at: Iterable[int] | None = None
    ) -> "World":
        chosen = range(len(panel)) if at is None else at
        return cls(panel=panel, reading=reading, rows=rows_of(panel, reading), at=sorted(chosen))


def assert_same_weights(strategy: Strategy, world: World, **parameters: Any) -> list[naive.Weights]:
    """Compare a strategy's weights with its oracle's, and return the oracle's weights."""
    assert strategy.name in naive.ORACLES, f"{strategy.name} has no oracle; write one"
    fast = decide(strategy, world.reading, world.panel)
    table = fast.to_numpy()
    found = []
    for at in world.at:
        slow = naive.ORACLES[strategy.name](Past(rows=world.rows, at=at), **parameters)
        row = dict(zip(fast.columns, table[at].tolist(), strict=True))
        assert set(slow) <= set(row), f"{strategy.name} may not hold {set(slow) - set(row)}"
        for asset, weight in row.items():
            by_oracle = slow.get(asset, 0.0)
            assert abs(weight - by_oracle) <= EXACT, (
                f"{strategy.name} {asset} on {world.panel.index[at].date()}: {weight!r}, by the "
                f"oracle {by_oracle!r}"
            )
        found.append(slow)
    return found


def assert_same_states(strategy: Strategy, world: World) -> list[str | None] | None:
    """Compare a strategy's states with its oracle's; return the states."""
    fast = strategy.state(world.reading, world.panel)
    if strategy.name not in naive.STATES:
        assert fast is None
        return None
    assert fast is not None
    assert fast.index.equals(world.panel.index)
    oracle = naive.STATES[strategy.name]
    labels = plain(fast)
    found = []
    for at in world.at:
        slow = oracle(Past(rows=world.rows, at=at))
        assert labels[at] == slow, (
            f"{strategy.name} on {world.panel.index[at].date()}: {labels[at]!r}, by the oracle "
            f"{slow!r}"
        )
        found.append(slow)
    return found


# --- the worlds ------------------------------------------------------------------------------


def decisions_from(index: pd.DatetimeIndex, regime: pd.Series, year: int) -> list[int]:
    """Return the rows, from a year on, at which a month ends or the regime changes."""
    names = plain(regime)
    months = [(day.year, day.month) for day in index]
    return [
        at
        for at in range(1, len(index) - 1)
        if index[at].year >= year and (months[at + 1] != months[at] or names[at] != names[at - 1])
    ]


def wandering(index: pd.DatetimeIndex, seed: int = 0) -> pd.Series:
    """Return a made-up series of regimes with every regime, and with times without a regime.

    FORCED_SELLING is rarer than the others, so that some chances are held to their end.
    """
    rng = np.random.default_rng(seed)
    names = [None, *(r.value for r in Regime)]
    odds = [0.1, 0.2, 0.2, 0.2, 0.04, 0.26]  # no regime, then the order of Regime
    labels: list[str | None] = []
    while len(labels) < len(index):
        labels += [names[rng.choice(len(names), p=odds)]] * int(rng.integers(2, 90))
    return pd.Series(labels[: len(index)], index=index, dtype=object, name="regime")


def scattered(reading: Reading, seed: int = 1) -> Reading:
    """Return a reading with a made-up regime, and a made-up score and flag of absorption."""
    index = pd.DatetimeIndex(reading.regime.index)
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 0.1, len(index)))
    score = pd.Series(np.where(rng.random(len(index)) < 0.1, np.nan, walk), index=index)
    flag = (score > 0.5).astype("boolean").mask(score.isna())
    absorption = replace(reading.evaluations["absorption"], score=score, flag=flag)
    evaluations = {**reading.evaluations, "absorption": absorption}
    return replace(reading, regime=wandering(index, seed), evaluations=evaluations)


def with_holes(panel: pd.DataFrame) -> pd.DataFrame:
    """Return a panel in which assets are listed late, lack some prices, or end early."""
    holes = {
        "SPY": [(700, 705)],
        "EFA": [(0, 330), (900, 930)],
        "IEF": [(640, 650)],
        "MU": [(400, 470)],
        "STX": [(0, 200)],
        "WDC": [(0, 150), (1100, 2000)],
        "SNDK": [(0, 90)],
        "BTC-USD": [(0, 300), (810, 812)],
        "ETH-USD": [(0, 420)],
        "XLU": [(0, 100)],
        "USMV": [(1000, 2000)],
        "SMH": [(500, 501)],
        "GLD": [(0, 60)],
        "ARKK": [(0, 777)],
        "DGS3MO": [(0, 20), (600, 640)],
    }
    out = panel.copy()
    for id, spans in holes.items():
        for start, end in spans:
            out.loc[out.index[start:end], id] = np.nan
    return out


@pytest.fixture(scope="module")
def real(history: History) -> World:
    """Return real history at every month end and change of regime since 2006."""
    reading = signals.read(history.panel)
    index = pd.DatetimeIndex(history.panel.index)
    return World.make(history.panel, reading, decisions_from(index, reading.regime, 2006))


@pytest.fixture(scope="module")
def scripted(real: World) -> World:
    """Return real history with a made-up regime, because real history never has OPPORTUNITY."""
    reading = scattered(real.reading)
    index = pd.DatetimeIndex(real.panel.index)
    return World.make(real.panel, reading, decisions_from(index, reading.regime, 2006))


@pytest.fixture(scope="module")
def simulated() -> World:
    """Return every session of a short simulated history that visits every regime."""
    panel = History.simulated(seed=5, years=5).panel
    return World.make(panel, signals.read(panel))


@pytest.fixture(scope="module")
def torn(simulated: World) -> World:
    """Return every session of the simulated history with gaps, under a made-up regime."""
    return World.make(with_holes(simulated.panel), scattered(simulated.reading, seed=24))


# --- with default parameters -----------------------------------------------------------------


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("world", ["real", "scripted", "simulated", "torn"])
def test_weights_equal_the_oracle(name: str, world: str, request: pytest.FixtureRequest) -> None:
    found = assert_same_weights(STRATEGIES[name](), request.getfixturevalue(world))
    if name != "bills":
        assert any(found), "the oracle holds nothing here, so nothing was compared"


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("world", ["real", "scripted", "simulated", "torn"])
def test_states_equal_the_oracle(name: str, world: str, request: pytest.FixtureRequest) -> None:
    assert_same_states(STRATEGIES[name](), request.getfixturevalue(world))


def test_every_strategy_has_an_oracle() -> None:
    assert set(naive.ORACLES) == set(STRATEGIES)
    assert set(naive.STATES) <= set(STRATEGIES)


def test_the_worlds_hold_what_is_to_be_compared(
    real: World, scripted: World, simulated: World, torn: World
) -> None:
    """Every regime, every third when entering and leaving, and every rule of listing occurs."""
    assert len(real.at) > 260
    every = {None, *(r.value for r in Regime)}
    assert {real.rows.regime[at] for at in real.at} == every - {"OPPORTUNITY"}
    for world in (scripted, simulated, torn):
        assert {world.rows.regime[at] for at in world.at} == every
    assert {naive.thirds(Past(rows=scripted.rows, at=at)) for at in scripted.at} == {0, 1, 2, 3}
    held = [naive.thirds(Past(rows=torn.rows, at=at)) for at in torn.at]
    assert set(pairwise(held)) >= {(0, 1), (1, 2), (2, 3), (3, 2), (2, 1), (1, 0), (1, 1)}
    scores = [torn.rows.score[at] for at in torn.at]
    assert {None if s is None else max(-2, min(2, round(s))) for s in scores} >= {None, -1, 0, 1}


# --- with other parameters -------------------------------------------------------------------

CHANGED: list[tuple[type[Strategy], dict[str, Any]]] = [
    (NearCashFlow, {"volatility": 0.1}),
    (NearCashFlow, {"broad": ("SPY", "MU"), "memory": ("MU", "WDC"), "crypto": ("BTC-USD", "MU")}),
    (NearCashFlow, {"crypto": (), "defensive": ("XLP",)}),
    (CashHeavy, {"broad": ("SPY", "EFA", "ARKK")}),
    (Defensive, {"broad": ("SPY", "XLP"), "defensive": ("XLP", "GLD")}),
    (Patient, {"stage": 10, "hold": 30}),
    (Patient, {"stage": 2, "hold": 1, "volatility": 0.5, "memory": ("SMH", "SPY")}),
    (MemoryOverCrypto, {"volatility": 3.0, "crypto": ("BTC-USD", "ETH-USD")}),
    (MemoryOverCrypto, {"memory": ("MU", "SPY"), "crypto": ("ETH-USD",)}),
    (Survival, {"volatility": 0.05}),
    (EqualWeight, {"tickers": ("GLD", "EFA")}),
    (ConstantMix, {"share": 0.3}),
    (Trend, {"tickers": ("EFA", "MU", "BTC-USD"), "months": 2}),
    (Trend, {"months": 13}),
    (VolTarget, {"volatility": 0.2}),
]


@pytest.mark.parametrize(("cls", "parameters"), CHANGED)
def test_weights_with_other_parameters_equal_the_oracle(
    cls: type[Strategy], parameters: dict[str, Any], torn: World
) -> None:
    some = replace(torn, at=torn.at[::5])
    assert any(assert_same_weights(cls(**parameters), some, **parameters))


# --- under another regime model --------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n, each in STRATEGIES.items() if each.follows_regime])
def test_weights_by_quantities_equal_the_oracle(name: str, real: World) -> None:
    driven = real.reading.under(Quantities().classify(real.panel, real.reading.evaluations))
    index = pd.DatetimeIndex(real.panel.index)
    world = World.make(real.panel, driven, decisions_from(index, driven.regime, 2014))
    assert {world.rows.regime[at] for at in world.at} == {
        "INJECTION",
        "NEUTRAL",
        "ABSORPTION",
        None,
    }
    assert any(assert_same_weights(STRATEGIES[name](), world))


# --- the tests find planted errors -----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class KnowsTomorrow(NearCashFlow):
    """Wrong: has the weights of the next session."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        return super().weights(reading, panel).shift(-1, fill_value=0.0)


@dataclass(frozen=True, kw_only=True)
class SpendsWhatIsFreed(NearCashFlow):
    """Wrong: puts the capital that volatility scaling frees into SPY."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        unscaled = replace(self, volatility=5.0)
        weights = super().weights(reading, panel)
        freed = super(SpendsWhatIsFreed, unscaled).weights(reading, panel) - weights
        return weights.assign(SPY=weights["SPY"] + freed.sum(axis=1))


@dataclass(frozen=True, kw_only=True)
class KeepsAPlace(EqualWeight):
    """Wrong: keeps the share of an unlisted asset in cash."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        return (super().weights(reading, panel) > 0).astype(float) / len(self.tickers)


@dataclass(frozen=True, kw_only=True)
class NoRegimeIsCash(CashHeavy):
    """Wrong: treats a missing regime as FORCED_SELLING."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        return super().weights(
            replace(reading, regime=reading.regime.fillna("FORCED_SELLING")), panel
        )


@dataclass(frozen=True, kw_only=True)
class TiltsTheOtherWay(Survival):
    """Wrong: tilts from short to long duration when capital is absorbed."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        other = with_evaluations(reading, lambda said: replace(said, score=-said.score))
        return super().weights(other, panel)


@dataclass(frozen=True, kw_only=True)
class TradesOneLeg(MemoryOverCrypto):
    """Wrong: holds only the long leg before bitcoin has prices."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        weights = super().weights(reading, panel)
        capital = reading.regime.isin(self.active_states) & panel["BTC-USD"].isna()
        return weights.where(~capital, weights.assign(MU=0.1))


@dataclass(frozen=True, kw_only=True)
class BillsInPercent(DualMomentum):
    """Wrong: compares a return as a fraction with a yield in percent."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        return super().weights(reading, panel.assign(DGS3MO=panel["DGS3MO"] * 100))


@dataclass(frozen=True, kw_only=True)
class PeeksAtMonthEnds(Trend):
    """Wrong: uses the last price of the month before it is known."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        month = pd.DatetimeIndex(panel.index).to_period("M")
        return super().weights(reading, panel.groupby(month).transform("last"))


@dataclass(frozen=True, kw_only=True)
class OffByAHair(ConstantMix):
    """Wrong: changes one weight at one session by 1e-11."""

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        weights = super().weights(reading, panel)
        weights.iloc[[1000], 0] += 1e-11
        return weights


PLANTED = [
    KnowsTomorrow(),
    SpendsWhatIsFreed(),
    KeepsAPlace(),
    NoRegimeIsCash(),
    TiltsTheOtherWay(),
    TradesOneLeg(),
    BillsInPercent(),
    PeeksAtMonthEnds(),
    OffByAHair(),
    NearCashFlow(volatility=0.25 * (63 / 62) ** 0.5),  # variance with n in place of n − 1
    NearCashFlow(volatility=0.25 * (252 / 365) ** 0.5),  # as if a year had 365 sessions
    Patient(stage=44),
    Patient(hold=251),
    Trend(months=9),
    VolTarget(volatility=0.11),
]


def named(strategy: Strategy) -> str:
    return repr(strategy)[:48]


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the strategy is wrong")
@pytest.mark.parametrize("planted", PLANTED, ids=named)
def test_a_wrong_strategy(planted: Strategy, torn: World) -> None:
    assert_same_weights(planted, torn)


@dataclass(frozen=True, kw_only=True)
class LeavesADayLate(Patient):
    """Wrong: has the state of the session before."""

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        state = super().state(reading, panel)
        assert state is not None
        return state.shift(1)


@dataclass(frozen=True, kw_only=True)
class NeverWithoutAView(Survival):
    """Wrong: treats an NA flag as "not absorbing"."""

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        state = super().state(reading, panel)
        assert state is not None
        return state.fillna("not absorbing")


@dataclass(frozen=True, kw_only=True)
class StatelessHeavy(CashHeavy):
    """Wrong: has no state."""

    follows_regime = False


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the state is wrong")
@pytest.mark.parametrize("planted", [LeavesADayLate(), NeverWithoutAView(), StatelessHeavy()])
def test_a_wrong_state(planted: Strategy, torn: World) -> None:
    assert_same_states(planted, torn)


@pytest.mark.parametrize("look", [lambda p: p.cell("SPY", -1), lambda p: p.regime(-1)])
def test_an_oracle_cannot_look_ahead(look: Callable[[Past], object], simulated: World) -> None:
    with pytest.raises(IndexError, match="knows nothing of -1"):
        look(Past(rows=simulated.rows, at=10))
