"""Regime models on evaluations and prices, and the decisions of strategies under them."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.config_data import config_from
from backtests.history.panel import History
from signals.absorption import Absorption
from signals.base import Evaluation
from signals.errors import ConfigError
from signals.evaluations import evaluate
from signals.reading import Reading
from signals.regimes import REGIMES, HiddenMarkov, Labels, Quantities, Votes
from strategies import STRATEGIES, decide
from strategies.base import check_weights
from tests.readings import Flag, evaluation_of, plainly
from tests.signals.test_truncation import assert_blind_to_the_future

T, F, N = True, False, None


@dataclass(frozen=True, kw_only=True)
class Falling(HiddenMarkov):
    """Uses only prices: in the bad state, SPY is below its close 20 sessions ago."""

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        then = panel["SPY"].shift(20)
        return (panel["SPY"] < then).astype("boolean").mask(then.isna())


@dataclass(frozen=True, kw_only=True)
class AboutToFall(Falling):
    """Cheats: knows prices five sessions ahead."""

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        return super().flag(panel.assign(SPY=panel["SPY"].shift(-5)))


@pytest.fixture(scope="module")
def reading(history: History) -> Reading:
    return signals.read(history.panel)


def by(model: Any, panel: pd.DataFrame) -> pd.DataFrame:
    """Return the regimes and rules of a model on a panel."""
    said = model.classify(panel, evaluate(panel, {"absorption": Absorption()}))
    return pd.DataFrame(vars(said))


def sessions(n: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2024-01-01", periods=n)


# --- on a small case ------------------------------------------------------------------------


def absorbing(flag: Flag, injecting: Flag) -> tuple[pd.DataFrame, dict[str, Evaluation]]:
    index = sessions(len(flag))
    said = evaluation_of(flag, index, injecting=injecting)
    return pd.DataFrame(index=index), {"absorption": said}


def test_quantities_name_three_regimes_and_none_without_a_view() -> None:
    """Absorption takes precedence over injection. An injection flag that is NA counts as off."""
    given = absorbing([N, N, F, F, F, T, T, T], [N, T, T, F, N, F, T, N])
    said = Quantities().classify(*given)
    assert plainly(said.regime) == [
        *(None, None, "INJECTION", "NEUTRAL", "NEUTRAL"),
        *("ABSORPTION", "ABSORPTION", "ABSORPTION"),
    ]
    assert plainly(said.decided_by) == [
        *(None, None, "injecting", "none", "none"),
        *("absorption", "absorption", "absorption"),
    ]


def test_a_model_of_prices_alone_names_its_bad_state_absorption() -> None:
    """There are twenty sessions without a regime, then four of falling prices, then a new high."""
    index = sessions(28)
    spy = [100.0 - i if i < 24 else 200.0 for i in range(28)]
    said = Falling().classify(pd.DataFrame({"SPY": spy}, index=index), {})
    assert plainly(said.regime) == [None] * 20 + ["ABSORPTION"] * 4 + ["NEUTRAL"] * 4
    assert plainly(said.decided_by) == [None] * 20 + ["bad state"] * 4 + ["good state"] * 4


def test_a_label_holds_from_its_date_to_the_next_one() -> None:
    """The first date is a Saturday. The second is a session. The third is after the panel."""
    model = Labels(
        dated=(
            (date(2024, 1, 6), "ABSORPTION"),
            (date(2024, 1, 10), "NEUTRAL"),
            (date(2030, 1, 1), "OPPORTUNITY"),
        )
    )
    said = model.classify(pd.DataFrame(index=sessions(10)), {})
    assert plainly(said.regime) == [None] * 5 + ["ABSORPTION"] * 2 + ["NEUTRAL"] * 3


@pytest.mark.parametrize(
    ("dated", "part"),
    [
        ((), "at least one date"),
        (((date(2024, 1, 2), "ABSORBTION"),), "did you mean 'ABSORPTION'"),
        (((date(2024, 1, 3), "NEUTRAL"), (date(2024, 1, 2), "NEUTRAL")), "ascending order"),
        (((date(2024, 1, 2), "NEUTRAL"), (date(2024, 1, 2), "ABSORPTION")), "ascending order"),
        (((datetime(2024, 1, 2, 18), "NEUTRAL"),), "without a time of day, was 2024-01-02 18"),
        (((pd.Timestamp("2024-01-02", tz="UTC"), "NEUTRAL"),), "without a time of day"),
        ((("2024-01-02", "NEUTRAL"),), r"expected dated as a tuple of a tuple \(date, text\)"),
        (((date(2024, 1, 2),),), r"expected dated as a tuple of a tuple \(date, text\)"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(
    dated: tuple[tuple[date, str], ...], part: str
) -> None:
    with pytest.raises(ConfigError, match=part):
        Labels(dated=dated)


@pytest.mark.parametrize("model", [Quantities(), Falling()])
def test_evaluations_stay_as_they_were(model: Any, reading: Reading, history: History) -> None:
    other = reading.under(model.classify(history.panel, reading.evaluations))
    assert other.evaluations is reading.evaluations
    assert other.votes.equals(reading.votes)
    assert not other.regime.equals(reading.regime)


def test_quantities_need_the_signal_they_rest_on() -> None:
    with pytest.raises(ConfigError, match="expected absorption among the signals"):
        Quantities().classify(pd.DataFrame(index=sessions(5)), {})


def test_the_registry_names_each_model() -> None:
    assert list(REGIMES) == [
        *("votes", "quantities", "hidden_markov", "markov_switching", "jump_model", "labels")
    ]


@pytest.mark.parametrize("name", STRATEGIES)
def test_only_a_strategy_that_follows_the_regime_takes_a_model(name: str) -> None:
    if STRATEGIES[name].follows_regime:
        assert config_from({"strategy": f"{name}@quantities"}).label == f"{name}@quantities"
        return
    with pytest.raises(ConfigError, match=f"follows the regime, but {name} follows no regime"):
        config_from({"strategy": f"{name}@quantities"})


# --- on real history -------------------------------------------------------------------------


def test_quantities_on_history_are_the_flag_and_injection_session_by_session(
    history: History, reading: Reading
) -> None:
    absorption = reading.evaluations["absorption"]
    assert absorption.injecting is not None
    regime = by(Quantities(), history.panel)["regime"]
    for session, name in zip(regime.index, regime, strict=True):
        flag, injects = absorption.flag[session], absorption.injecting[session]
        if pd.isna(flag):
            assert name is None
        elif flag:
            assert name == "ABSORPTION"
        else:
            assert name == ("INJECTION" if not pd.isna(injects) and injects else "NEUTRAL")
    assert set(regime) == {None, "ABSORPTION", "INJECTION", "NEUTRAL"}


def test_quantities_know_no_price(history: History) -> None:
    """The regime is the same on a panel with made-up market prices."""
    rng = np.random.default_rng(0)
    prices = list(history.closes.columns)
    made_up = history.panel.assign(**{t: rng.uniform(1, 9, len(history.panel)) for t in prices})
    assert by(Quantities(), history.panel).equals(by(Quantities(), made_up))
    spy = {"duration": signals.Duration()}
    assert not signals.read(made_up, spy).flags.equals(signals.read(history.panel, spy).flags)


def test_every_strategy_decides_under_every_model(history: History, reading: Reading) -> None:
    own = Labels(dated=((date(2015, 1, 2), "ABSORPTION"), (date(2020, 1, 2), "INJECTION")))
    for model in (Votes(voters=reading.voters), Quantities(), Falling(), own):
        under = reading.under(model.classify(history.panel, reading.evaluations))
        for name, cls in STRATEGIES.items():
            if cls.follows_regime:
                weights = decide(cls(), under, history.panel)
                check_weights(weights, f"{name}@{model.name}", cls.gross_limit)
                assert (weights != 0).any(axis=None), f"{name}@{model.name} never holds anything"


# --- later data change nothing ---------------------------------------------------------------

CUTS = [
    pd.Timestamp(day)
    for day in ("2013-06-03", "2016-03-31", "2018-07-02", "2019-11-29", "2021-05-10", "2025-10-01")
]
OWN = Labels(dated=((date(2018, 7, 1), "ABSORPTION"), (date(2021, 5, 10), "NEUTRAL")))


@pytest.mark.parametrize("model", [Quantities(), Falling(), OWN], ids=lambda m: m.name)
def test_appending_the_future_changes_no_regime(model: Any, history: History) -> None:
    assert_blind_to_the_future(lambda p: by(model, p), history.panel, CUTS)


def test_appending_the_future_changes_no_weight_under_another_model(history: History) -> None:
    def weights(panel: pd.DataFrame) -> pd.DataFrame:
        under = signals.read(panel, {"absorption": Absorption()}, model=Quantities())
        return decide(STRATEGIES["near-cash-flow"](), under, panel)

    assert_blind_to_the_future(weights, history.panel, CUTS[2:5])


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the model knows tomorrow")
def test_a_cheating_model(history: History) -> None:
    assert_blind_to_the_future(lambda p: by(AboutToFall(), p), history.panel, CUTS)


@dataclass(frozen=True, kw_only=True)
class Foresight(Quantities):
    """Cheats: has the regime of a month later."""

    def classify(self, panel: pd.DataFrame, evaluations: Any) -> Any:
        said = super().classify(panel, evaluations)
        return replace(said, regime=said.regime.shift(-21))


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the model knows next month")
def test_a_cheating_quantity(history: History) -> None:
    assert_blind_to_the_future(lambda p: by(Foresight(), p), history.panel, CUTS)
