"""The uses of a strategy's state: when the strategy decides, and how often the state began."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import signals
from backtests import pipeline
from backtests.calendar import sessions
from backtests.config_data import config_from
from backtests.evidence.entries import of_own_states
from backtests.history.panel import History
from backtests.runs import Run
from backtests.window import window
from signals.reading import Reading
from signals.regimes import Regime
from strategies import STRATEGIES, CashHeavy, DualMomentum, Patient, Strategy, Survival, Trend
from strategies.base import check_weights, decide
from tests.readings import evaluation_of, reading_of, with_evaluations
from tests.signals.test_truncation import assert_blind_to_the_future

CAPITAL_SCARCE = ("ABSORPTION", "FORCED_SELLING")
THIRDS = ("1/3 in", "2/3 in", "3/3 in")

#: For each strategy with a state: its active states, and whether it decides only on its schedule.
DECLARED = {
    "near-cash-flow": (("ABSORPTION",), False),
    "near-cash-flow-smh": (("ABSORPTION",), False),
    "cash-heavy": (("ABSORPTION",), False),
    "defensive": (("ABSORPTION",), False),
    "patient": (THIRDS, False),
    "memory-over-crypto": (CAPITAL_SCARCE, False),
    "memory-over-crypto-smh": (CAPITAL_SCARCE, False),
    "survival": (("absorbing",), False),
    "trend": (("out",), True),
    "trend-universe": (("out",), True),
    "dual-momentum": (("out",), True),
}


def labels_of(state: pd.Series) -> list[str | None]:
    return [None if pd.isna(label) else label for label in state]


# --- what is declared ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short() -> History:
    """Return a short simulated history that visits every regime."""
    return History.simulated(seed=5, years=5)


@pytest.fixture(scope="module")
def reading(short: History) -> Reading:
    return signals.read(short.panel)


@pytest.mark.parametrize("name", STRATEGIES)
def test_states_are_declared_and_occur(name: str, short: History, reading: Reading) -> None:
    strategy = STRATEGIES[name]()
    state = strategy.state(reading, short.panel)
    if name not in DECLARED:
        assert state is None
        return
    assert (strategy.active_states, strategy.only_scheduled) == DECLARED[name]
    assert state is not None
    assert state.isin(strategy.active_states).any(), "a state that never occurs tests nothing"


@pytest.mark.parametrize("name", [n for n, each in STRATEGIES.items() if each.follows_regime])
def test_weights_depend_on_the_regime_where_it_is_followed(
    name: str, short: History, reading: Reading
) -> None:
    strategy = STRATEGIES[name]()
    other = replace(reading, regime=reading.regime.shift(40))
    assert not decide(strategy, reading, short.panel).equals(decide(strategy, other, short.panel))


@pytest.mark.parametrize("name", [n for n, each in STRATEGIES.items() if not each.follows_regime])
def test_weights_do_not_depend_on_a_regime_that_is_not_followed(
    name: str, short: History, reading: Reading
) -> None:
    strategy = STRATEGIES[name]()
    other = replace(reading, regime=reading.regime.shift(40))
    assert decide(strategy, reading, short.panel).equals(decide(strategy, other, short.panel))


@pytest.mark.parametrize("name", [n for n, each in STRATEGIES.items() if each.price_free])
def test_weights_of_a_price_free_strategy_depend_only_on_the_regime(
    name: str, short: History, reading: Reading
) -> None:
    """Every second price is doubled. Flags and scores are missing. Only the regime is the same."""
    strategy = STRATEGIES[name]()
    rough = short.panel.copy()
    rough.loc[rough.index[::2], list(strategy.assets)] *= 2
    mute = with_evaluations(
        reading,
        lambda said: replace(
            said, flag=said.flag.mask(said.flag.notna()), score=said.score * np.nan
        ),
    )
    assert decide(strategy, reading, short.panel).equals(decide(strategy, mute, rough))


def test_two_strategies_use_no_prices() -> None:
    assert {n for n, s in STRATEGIES.items() if s.price_free} == {"cash-heavy", "defensive"}


@pytest.mark.parametrize("name", STRATEGIES)
def test_prices_in_another_unit_change_no_weight_and_no_state(
    name: str, short: History, reading: Reading
) -> None:
    strategy = STRATEGIES[name]()
    scaled = short.panel.copy()
    scaled[list(strategy.assets)] *= 8  # multiplying by a power of two loses no bit
    assert decide(strategy, reading, short.panel).equals(decide(strategy, reading, scaled))
    state = strategy.state(reading, short.panel)
    if state is not None:
        again = strategy.state(reading, scaled)
        assert again is not None
        assert state.equals(again)


# --- when a strategy decides -----------------------------------------------------------------

INDEX = sessions(pd.Timestamp("2015-01-01"), pd.Timestamp("2017-06-30"))
MONTH_ENDS = {at for at in range(len(INDEX) - 1) if INDEX[at].month != INDEX[at + 1].month} | {
    len(INDEX) - 1
}


def a_reading(regime: list[str | None], flag: list[bool | None] | None = None) -> Reading:
    """Return a reading of the sessions since 2015; the last regime and flag stay to the end."""
    names = regime + regime[-1:] * (len(INDEX) - len(regime))
    flags = [None] * len(INDEX) if flag is None else flag + flag[-1:] * (len(INDEX) - len(flag))
    return reading_of(names, INDEX, {"absorption": evaluation_of(flags, INDEX)})


def unscheduled(strategy: Strategy, reading: Reading, panel: pd.DataFrame) -> set[int]:
    """Return the rows of decisions outside month ends, without the first row."""
    state = strategy.state(reading, panel)
    config = config_from({"strategy": strategy.name})
    days = pipeline.decisions(strategy, state, INDEX, config.schedule)
    rows = set(INDEX.get_indexer(days).tolist())
    assert rows >= MONTH_ENDS | {0}
    return rows - MONTH_ENDS - {0}


@pytest.fixture
def flat() -> pd.DataFrame:
    return pd.DataFrame({"SPY": 1.0}, index=INDEX)


def test_patient_decides_at_each_third_and_at_no_regime_change_between(flat: pd.DataFrame) -> None:
    """Patient buys at rows 5, 26 and 47, and sells at 299, 320 and 341, while the regime flips.

    Before and after, when it holds nothing, it decides at every change of regime.
    """
    regime: list[str | None] = [*["NEUTRAL"] * 3, *["INJECTION"] * 2, *["OPPORTUNITY"] * 45]
    regime += ["ABSORPTION", "NEUTRAL", None, "INJECTION"] * 80  # four at a time, to row 370
    found = unscheduled(Patient(), a_reading([*regime, *["NEUTRAL"] * 9, "ABSORPTION"]), flat)
    flips = set(range(341, 371)) | {379}
    assert found == ({3, 5, 26, 47, 299, 320} | flips) - MONTH_ENDS


def test_a_strategy_that_follows_the_regime_decides_at_each_change(flat: pd.DataFrame) -> None:
    regime = [None] * 4 + ["NEUTRAL"] * 3 + ["ABSORPTION"] * 3 + [None] * 2 + ["NEUTRAL"]
    assert unscheduled(CashHeavy(), a_reading(regime), flat) == {4, 7, 10, 12}


def test_survival_decides_when_the_flag_turns_and_not_with_the_regime(flat: pd.DataFrame) -> None:
    flag = [None] * 3 + [False] * 3 + [True] * 4 + [False]
    regime: list[str | None] = ["NEUTRAL", "ABSORPTION"] * 9
    assert unscheduled(Survival(), a_reading(regime, flag), flat) == {3, 6, 10}


@pytest.mark.parametrize("strategy", [Trend(months=2), DualMomentum()])
def test_challengers_decide_at_month_ends_alone(strategy: Strategy) -> None:
    steps = np.random.default_rng(3).normal(0, 0.02, (len(INDEX), 3))
    prices = np.exp(np.cumsum(steps, axis=0))
    panel = pd.DataFrame(prices, INDEX, ["SPY", "EFA", "IEF"]).assign(DGS3MO=1.0)
    nothing = a_reading([None])
    state = strategy.state(nothing, panel)
    assert state is not None
    turns = np.flatnonzero(state != state.shift())
    assert set(turns[1:].tolist()) - MONTH_ENDS, "it turns within months"
    assert unscheduled(strategy, nothing, panel) == set()


# --- how often a state came up ---------------------------------------------------------------


def a_run(strategy: Strategy, state: list[str | None] | None, decided: list[int]) -> Any:
    """Return the parts of a run that the counting of states needs."""
    index = INDEX[: len(state or decided)]
    series = None if state is None else pd.Series(state, index=index, dtype=object)
    return SimpleNamespace(
        config=SimpleNamespace(lag=1),
        strategy=strategy,
        state=series,
        decided=pd.DataFrame(index=index[decided]),
        result=SimpleNamespace(returns=pd.Series(0.0, index=index[1:])),
    )


def entered(run: Any) -> int | None:
    seen = of_own_states(run)
    return None if seen is None else seen.entered


def test_thirds_in_and_out_are_one_time() -> None:
    names = [
        "NEUTRAL",
        *THIRDS,
        "2/3 in",
        "1/3 in",
        "NEUTRAL",
        "1/3 in",
        "FORCED_SELLING",
        None,
        None,
    ]
    assert entered(a_run(Patient(), names, [])) == 2


def test_a_schedule_that_alone_decides_sees_the_state_of_its_sessions_alone() -> None:
    """The state is "out" on rows 2 to 4 and on row 9.

    Decisions on rows 0, 6 and 9 miss the first stay, but not the second.
    """
    state: list[str | None] = ["invested"] * 13
    state[2:5] = ["out"] * 3
    state[9] = "out"
    assert entered(a_run(Trend(), state, [0, 6, 9])) == 1
    assert entered(a_run(Trend(), state, [0, 3, 6, 9])) == 2
    assert entered(a_run(Trend(), state, [0, 3, 9])) == 1  # no decision between 3 and 9
    assert entered(a_run(Trend(), state, [0, 6, 11])) == 0


def test_a_strategy_that_decides_at_changes_is_asked_at_every_session() -> None:
    state = ["NEUTRAL", "ABSORPTION", None, "ABSORPTION", None, None]
    assert entered(a_run(CashHeavy(), state, [])) == 2


def test_a_strategy_without_a_state_entered_none() -> None:
    assert entered(a_run(STRATEGIES["spy"](), None, [0, 1])) is None


def counted(labels: list[str | None], active_states: tuple[str, ...]) -> int:
    """Count the stays that begin among the states under which returns were earned.

    The last two states have no return in the run, because a decision is filled a session later.
    """
    times, inside, labelled = 0, False, False
    for label in labels[:-2]:
        times += label in active_states and not inside and labelled
        inside, labelled = label in active_states, labelled or label is not None
    return times


@pytest.mark.parametrize("name", ["memory-over-crypto", "patient", "survival", "cash-heavy"])
def test_a_run_counts_what_its_strategy_acts_in(
    name: str, short: History, reading: Reading
) -> None:
    run = a_real_run(name, short, reading)
    assert run.state is not None
    labels = labels_of(run.state.loc[days_acted_on(run)])
    times = counted(labels, DECLARED[name][0])
    assert times > 0
    assert entered(run) == times


@pytest.mark.parametrize("name", ["trend", "dual-momentum"])
def test_a_run_of_a_challenger_counts_what_its_decisions_saw(
    name: str, short: History, reading: Reading
) -> None:
    """Between decisions, the state stays as it was at the last decision."""
    run = a_real_run(name, short, reading)
    days = run.result.equity.index
    assert run.state is not None
    labels: list[str | None] = []
    for day in days:
        labels.append(run.state[day] if day in run.decided.index else labels[-1])
    times = counted(labels, ("out",))
    assert times > 0
    assert entered(run) == times
    if name == "trend":  # its state changes several times in a month
        assert counted(labels_of(run.state.loc[days_acted_on(run)]), ("out",)) > times


def days_acted_on(run: Run) -> pd.DatetimeIndex:
    """Return the run's sessions, and the session before, whose state the first return has."""
    assert run.state is not None
    index = pd.DatetimeIndex(run.state.index)
    return index[index.tolist().index(run.result.equity.index[0]) - 1 :]


def a_real_run(name: str, history: History, reading: Reading) -> Run:
    """Run a strategy, from a session before its state begins."""
    start = "2021-01-04" if name == "survival" else "2022-01-03"
    config = config_from({"strategy": name, "start": start})
    return pipeline.run_on(config, history, reading, window(config, history, reading))


# --- states never change with the future -----------------------------------------------------

#: Sessions of the cuts: before coins, in calm times, in crises, and during a held chance.
CUTS = ["2009-03-09", "2014-10-15", "2017-06-30", "2020-03-16", "2022-11-08", "2024-02-29"]


@pytest.fixture(scope="module")
def real(history: History) -> Reading:
    return signals.read(history.panel)


@pytest.fixture(scope="module")
def eventful(real: Reading) -> Reading:
    """Return the reading with an OPPORTUNITY every two years, because real history has none."""
    cycle: list[str | None] = [*["FORCED_SELLING"] * 9, *["OPPORTUNITY"] * 63]
    cycle += ["NEUTRAL"] * 260
    cycle += ["OPPORTUNITY"] * 20 + ["ABSORPTION"] * 100 + ["INJECTION"] * 60 + [None] * 11
    names = (cycle * (len(real.regime) // len(cycle) + 1))[: len(real.regime)]
    return replace(real, regime=pd.Series(names, index=real.regime.index, dtype=object))


Measured = Callable[[Reading, pd.DataFrame], pd.DataFrame]


def assert_blind(measure: Measured, reading: Reading, panel: pd.DataFrame) -> None:
    """Assert that cutting the history at a date does not change a measure up to this date."""
    cuts = [pd.Timestamp(day) for day in CUTS]
    assert_blind_to_the_future(lambda p: measure(upto(reading, p.index[-1]), p), panel, cuts)


def upto(reading: Reading, at: pd.Timestamp) -> Reading:
    return reading.rows(lambda part: part.loc[:at])


def state_of(strategy: Strategy) -> Measured:
    return lambda reading, panel: pd.DataFrame(strategy.state(reading, panel))


@pytest.mark.parametrize("name", DECLARED)
def test_appending_the_future_changes_no_state(
    name: str, history: History, real: Reading, eventful: Reading
) -> None:
    for reading in (real, eventful):
        assert_blind(state_of(STRATEGIES[name]()), reading, history.panel)


@pytest.mark.parametrize("name", [n for n, each in STRATEGIES.items() if each.follows_regime])
def test_appending_the_future_changes_no_weight_when_there_are_chances(
    name: str, history: History, eventful: Reading
) -> None:
    assert_blind(STRATEGIES[name]().weights, eventful, history.panel)


@pytest.mark.parametrize("name", STRATEGIES)
def test_weights_are_finite_and_within_their_limits_whatever_the_regime(
    name: str, history: History, real: Reading, eventful: Reading
) -> None:
    strategy = STRATEGIES[name]()
    readings = [replace(real, regime=real.regime.mask(real.regime.notna(), r)) for r in Regime]
    for reading in (real, eventful, *readings):
        weights = decide(strategy, reading, history.panel)
        check_weights(weights, name, strategy.gross_limit)
        priced = history.panel.reindex(columns=list(strategy.assets)).notna()
        assert not weights.where(~priced, 0.0).any(axis=None), "it holds what has no price"


# --- the tests find planted errors -----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class KnowsTheTurn(CashHeavy):
    """Cheats: its state is tomorrow's regime."""

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        return reading.regime.shift(-1)


@dataclass(frozen=True, kw_only=True)
class KnowsHowTheMonthEnds(Trend):
    """Cheats: uses the month's last price at all sessions of the month."""

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        month = pd.DatetimeIndex(panel.index).to_period("M")
        return super().state(reading, panel.groupby(month).transform("last"))


@dataclass(frozen=True, kw_only=True)
class KnowsWhetherItLasts(Patient):
    """Cheats: takes no chance that FORCED_SELLING will end within 500 sessions."""

    def thirds(self, regime: pd.Series) -> pd.Series:
        ahead = (regime == "FORCED_SELLING")[::-1].rolling(500, min_periods=1).max()[::-1]
        return super().thirds(regime).where(ahead == 0, 0)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the strategy cheats")
@pytest.mark.parametrize("cheat", [KnowsTheTurn(), KnowsHowTheMonthEnds(), KnowsWhetherItLasts()])
def test_a_state_from_tomorrow(cheat: Strategy, history: History, eventful: Reading) -> None:
    assert_blind(state_of(cheat), eventful, history.panel)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the strategy cheats")
def test_weights_from_tomorrow(history: History, eventful: Reading) -> None:
    assert_blind(KnowsWhetherItLasts().weights, eventful, history.panel)
