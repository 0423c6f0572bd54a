"""What drives the regime: the votes, the quantities alone, or a rival that knows prices alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from signals.agnostic import RIVALS
from signals.drivers import DRIVERS, QUANTITIES, VOTES, drive

import signals
from backtests.config import config_from
from backtests.history.panel import History
from signals.absorption import Absorption
from signals.base import Signal
from signals.dry_powder import DryPowder
from signals.errors import ConfigError
from signals.reading import Reading
from strategies import STRATEGIES, decide
from strategies.base import check_weights
from tests.signals.test_truncation import assert_blind_to_the_future

CHOSEN: Mapping[str, Signal] = {"absorption": Absorption()}


@dataclass(frozen=True)
class Falling:
    """A rival in its bad state while SPY stands below its close 20 sessions ago."""

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        then = panel["SPY"].shift(20)
        return (panel["SPY"] < then).astype("boolean").mask(then.isna())


@dataclass(frozen=True)
class AboutToFall(Falling):
    """Cheats: knows prices five sessions ahead."""

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        return super().flag(panel.assign(SPY=panel["SPY"].shift(-5)))


@pytest.fixture
def falling(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the plain rule in the place of a rival; return the rival's name."""
    monkeypatch.setitem(RIVALS, "hidden_markov", Falling)
    return "hidden_markov"


@pytest.fixture(scope="module")
def reading(history: History) -> Reading:
    return signals.read(history.panel)


# --- labels on a small case ------------------------------------------------------------------

T, F, N = True, False, None


@dataclass(frozen=True, kw_only=True)
class Scripted(Absorption):
    """Absorption that injects where it is told to."""

    says: tuple[bool | None, ...] = ()

    def injecting(self, panel: pd.DataFrame) -> pd.Series:
        return pd.Series(pd.array(self.says, dtype="boolean"), index=panel.index)


def small(flags: list[bool | None]) -> tuple[pd.DataFrame, Reading]:
    index = pd.bdate_range("2024-01-01", periods=len(flags))
    spy = [100.0 - i if i < 24 else 200.0 for i in range(len(flags))]
    panel = pd.DataFrame({"SPY": spy}, index=index)
    absorption = pd.DataFrame({"absorption": pd.array(flags, dtype="boolean")}, index=index)
    return panel, Reading(
        regime=pd.Series("OPPORTUNITY", index=index, dtype=object, name="regime"),
        flags=absorption,
        scores=pd.DataFrame({"absorption": 0.0}, index=index),
        votes=pd.DataFrame({"policy": pd.array(flags, dtype="boolean")}, index=index),
    )


def test_quantities_name_three_regimes_and_none_without_a_view() -> None:
    """Absorbing goes before injecting; what has no view of injecting does not inject."""
    panel, before = small([N, N, F, F, F, T, T, T])
    absorption = Scripted(says=(N, T, T, F, N, F, T, N))
    driven = drive(panel, before, {"absorption": absorption}, QUANTITIES)
    assert driven.regime.tolist() == [
        None,
        None,
        "INJECTION",
        "NEUTRAL",
        "NEUTRAL",
        "ABSORPTION",
        "ABSORPTION",
        "ABSORPTION",
    ]


def test_a_rival_names_its_bad_state_absorption_and_the_rest_neutral(falling: str) -> None:
    """Twenty sessions without a view, four of falling, then higher than ever."""
    panel, before = small([F] * 28)
    driven = drive(panel, before, {}, falling)
    assert driven.regime.tolist() == [None] * 20 + ["ABSORPTION"] * 4 + ["NEUTRAL"] * 4


@pytest.mark.parametrize("driver", [QUANTITIES, "hidden_markov"])
def test_flags_scores_and_votes_stay_as_they_were(driver: str, falling: str) -> None:
    panel, before = small([F] * 28)
    driven = drive(panel, before, {"absorption": Scripted(says=(F,) * 28)}, driver)
    assert driven.flags is before.flags
    assert driven.scores is before.scores
    assert driven.votes is before.votes
    assert driven.regime.index.equals(before.regime.index)
    assert set(before.regime) == {"OPPORTUNITY"}, "the reading that was given is left alone"


def test_votes_leave_the_reading_as_it_is() -> None:
    panel, before = small([F] * 5)
    assert drive(panel, before, {}, VOTES) is before


def test_an_unknown_driver_is_refused_with_the_nearest_known_one() -> None:
    panel, before = small([F] * 5)
    with pytest.raises(ConfigError, match=r"^unknown driver 'quantites'; did you mean 'quant") as e:
        drive(panel, before, CHOSEN, "quantites")
    assert "\n" not in str(e.value)
    assert all(driver in str(e.value) for driver in DRIVERS)


@pytest.mark.parametrize("chosen", [{}, {"absorption": DryPowder()}, {"dry_powder": DryPowder()}])
def test_quantities_need_the_signal_they_rest_on(chosen: Mapping[str, Signal]) -> None:
    panel, before = small([F] * 5)
    with pytest.raises(ConfigError, match="expected absorption among the signals"):
        drive(panel, before, chosen, QUANTITIES)


def test_drivers_are_the_votes_the_quantities_and_every_rival() -> None:
    assert DRIVERS == ("votes", "quantities", "hidden_markov", "markov_switching", "jump_model")


@pytest.mark.parametrize("name", STRATEGIES)
def test_only_a_strategy_that_follows_the_regime_takes_a_driver(name: str) -> None:
    if STRATEGIES[name].follows_regime:
        assert config_from({"strategy": f"{name}@quantities"}).label == f"{name}@quantities"
        return
    with pytest.raises(ConfigError, match=f"follows the regime .* was {name}"):
        config_from({"strategy": f"{name}@quantities"})


# --- on real history -------------------------------------------------------------------------


def test_quantities_on_history_are_the_flag_and_injection_session_by_session(
    history: History, reading: Reading
) -> None:
    driven = drive(history.panel, reading, CHOSEN, QUANTITIES)
    injecting = Absorption().injecting(history.panel)
    for session, name in driven.regime.items():
        flag, injects = reading.flags.at[session, "absorption"], injecting[session]
        if pd.isna(flag):
            assert name is None
        elif flag:
            assert name == "ABSORPTION"
        else:
            assert name == ("INJECTION" if not pd.isna(injects) and injects else "NEUTRAL")
    assert set(driven.regime) == {None, "ABSORPTION", "INJECTION", "NEUTRAL"}


def test_quantities_know_no_price(history: History, reading: Reading) -> None:
    """The same regime on a panel whose market prices are all made up."""
    rng = np.random.default_rng(0)
    prices = list(history.closes.columns)
    made_up = history.panel.assign(**{t: rng.uniform(1, 9, len(history.panel)) for t in prices})
    driven = drive(history.panel, reading, CHOSEN, QUANTITIES)
    blind = drive(made_up, signals.read(made_up, CHOSEN), CHOSEN, QUANTITIES)
    assert driven.regime.equals(blind.regime)
    spy = {"duration": signals.Duration()}
    assert not signals.read(made_up, spy).flags.equals(signals.read(history.panel, spy).flags)


def test_every_strategy_decides_under_every_driver(
    history: History, reading: Reading, falling: str
) -> None:
    for driver in (VOTES, QUANTITIES, falling):
        driven = drive(history.panel, reading, CHOSEN, driver)
        for name, cls in STRATEGIES.items():
            if cls.follows_regime:
                weights = decide(cls(), driven, history.panel)
                check_weights(weights, f"{name}@{driver}", cls.gross_limit)
                assert (weights != 0).any(axis=None), f"{name}@{driver} never holds anything"


# --- appending the future changes nothing ----------------------------------------------------

CUTS = [
    pd.Timestamp(day)
    for day in ("2013-06-03", "2016-03-31", "2018-07-02", "2019-11-29", "2021-05-10", "2025-10-01")
]


def regime_by(driver: str, panel: pd.DataFrame) -> pd.DataFrame:
    """Return the regime that a panel alone leads to."""
    return pd.DataFrame(drive(panel, signals.read(panel, CHOSEN), CHOSEN, driver).regime)


@pytest.mark.parametrize("driver", [QUANTITIES, "hidden_markov"])
def test_appending_the_future_changes_no_driven_regime(
    driver: str, history: History, falling: str
) -> None:
    assert_blind_to_the_future(lambda p: regime_by(driver, p), history.panel, CUTS)


def test_appending_the_future_changes_no_weight_of_a_driven_strategy(history: History) -> None:
    def weights(panel: pd.DataFrame) -> pd.DataFrame:
        driven = drive(panel, signals.read(panel, CHOSEN), CHOSEN, QUANTITIES)
        return decide(STRATEGIES["near-cash-flow"](), driven, panel)

    assert_blind_to_the_future(weights, history.panel, CUTS[2:5])


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the rival knows tomorrow")
def test_a_cheating_rival(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RIVALS, "hidden_markov", AboutToFall)
    assert_blind_to_the_future(lambda p: regime_by("hidden_markov", p), history.panel, CUTS)


@dataclass(frozen=True, kw_only=True)
class Foresight(Absorption):
    """Cheats: injects where it will in a month."""

    def injecting(self, panel: pd.DataFrame) -> pd.Series:
        return super().injecting(panel).shift(-21)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the signal knows next month")
def test_a_cheating_quantity(history: History) -> None:
    def regime(panel: pd.DataFrame) -> pd.DataFrame:
        cheat = {"absorption": Foresight()}
        return pd.DataFrame(drive(panel, signals.read(panel, cheat), cheat, QUANTITIES).regime)

    assert_blind_to_the_future(regime, history.panel, CUTS)
