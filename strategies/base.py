"""The contract of a strategy, and the few rules that all of them share.

A strategy is a frozen dataclass whose fields are its parameters. It is given a reading of the
signals and the point-in-time panel, and answers with target weights at each session's close. It
trades nothing itself: the engine executes a later session's close, at a cost.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.errors import ConfigError, SimulationError
from signals.form import ask
from signals.params import Typed
from signals.reading import Reading
from signals.regimes import Regime

VOLATILITY_WINDOW = 63
SESSIONS_A_YEAR = 252

#: Shares of a portfolio by regime: sleeve to fraction of the whole; the remainder is cash.
Table = Mapping[Regime, Mapping[str, float]]
#: Members of each sleeve, by its name.
Sleeves = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Strategy(Typed, ABC):
    """What to hold, decided at each close from what is known there.

    Attributes
    ----------
    name
        Its name on the command line.
    line
        One line on what it does.
    link
        The link of the thesis that it trades; empty for a baseline.
    follows_regime
        True when its weights go by the regime, which is then its state.
    only_scheduled
        True when a change of its state is no occasion to decide, before the schedule is.
    active_states
        The states that it acts in. Their episodes are the observations that a claim about its
        timing rests on.
    price_free
        True when its weights follow nothing but the regime and what is listed: no price, no score,
        no vote. Under the regime model ``quantities`` its timing is then judged by shifted dates.
    gross_limit
        The most that long and short weights may add up to.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    link: ClassVar[str] = ""
    follows_regime: ClassVar[bool] = False
    only_scheduled: ClassVar[bool] = False
    active_states: ClassVar[tuple[str, ...]] = (Regime.ABSORPTION.value,)
    price_free: ClassVar[bool] = False
    gross_limit: ClassVar[float] = 1.0

    @property
    @abstractmethod
    def assets(self) -> tuple[str, ...]:
        """Tickers it may hold."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Ids of the panel that it reads beside its assets; none unless it says so."""
        return ()

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return its state at each session; a change is an occasion to decide.

        Labels, or None in the place of one; None altogether for a strategy that has no state.
        Row t uses rows up to t.
        """
        return reading.regime if self.follows_regime else None

    @abstractmethod
    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × :attr:`assets`, as fractions of the portfolio.

        Row t uses rows up to t of the reading and the panel alone. A row sums to at most 1; the
        remainder is cash in bills. An asset without a price in the panel gets 0.
        """


def listed(panel: pd.DataFrame, tickers: tuple[str, ...]) -> pd.DataFrame:
    """Return where each ticker has a price that is known and fresh, as booleans."""
    return panel.reindex(columns=list(tickers)).notna()


def equal_over_listed(panel: pd.DataFrame, tickers: tuple[str, ...]) -> pd.DataFrame:
    """Return equal weights that sum to 1 over the tickers listed at each session, else zeros."""
    there = listed(panel, tickers).astype(float)
    return there.div(there.sum(axis=1).replace(0, np.nan), axis=0).fillna(0.0)


def sleeve_volatility(panel: pd.DataFrame, tickers: tuple[str, ...]) -> pd.Series:
    """Return the yearly volatility of an equal-weighted sleeve over its last 63 returns.

    Fractions a year, ddof 1, × √252. A session's return is the mean over the members that have
    one. NaN until 63 returns are known.
    """
    prices = panel.reindex(columns=list(tickers))
    returns = prices.pct_change(fill_method=None).mean(axis=1)
    return returns.rolling(VOLATILITY_WINDOW).std() * float(np.sqrt(SESSIONS_A_YEAR))


def volatility_scale(panel: pd.DataFrame, tickers: tuple[str, ...], target: float) -> pd.Series:
    """Return min(1, target / volatility) of a sleeve; 0 while its volatility is not known."""
    scale: pd.Series = target / sleeve_volatility(panel, tickers)
    return scale.clip(upper=1.0).fillna(0.0)


def shares_of(regime: pd.Series, table: Table, sleeves: tuple[str, ...]) -> pd.DataFrame:
    """Return each sleeve's share by the regime of each session; no regime counts as NEUTRAL."""
    names = regime.fillna(Regime.NEUTRAL.value)
    return pd.DataFrame(
        {s: names.map({r.value: table[r].get(s, 0.0) for r in Regime}) for s in sleeves},
        index=regime.index,
        dtype="float64",
    )


def scaled(
    shares: pd.DataFrame, panel: pd.DataFrame, sleeves: Sleeves, names: tuple[str, ...], to: float
) -> pd.DataFrame:
    """Return sleeve shares, some of them times min(1, ``to`` / the sleeve's volatility)."""
    factors = {name: volatility_scale(panel, sleeves[name], to) for name in names}
    return shares.assign(**{name: shares[name] * factor for name, factor in factors.items()})


def combine(shares: pd.DataFrame, panel: pd.DataFrame, sleeves: Sleeves) -> pd.DataFrame:
    """Return asset weights from sleeve shares: equal over the listed members of each sleeve.

    The share of a sleeve with no listed member stays in cash. An asset of two sleeves gets both.
    """
    weights = pd.DataFrame(0.0, index=panel.index, columns=list(tickers_of(sleeves)))
    for name, tickers in sleeves.items():
        part = equal_over_listed(panel, tickers).mul(shares[name], axis=0)
        weights[list(tickers)] += part
    return weights


def tickers_of(sleeves: Sleeves) -> tuple[str, ...]:
    """Return the members of all sleeves, each once."""
    return tuple(dict.fromkeys(ticker for tickers in sleeves.values() for ticker in tickers))


def check_sleeves(sleeves: Sleeves) -> None:
    """Raise :class:`ConfigError` when a sleeve names an asset twice, or names none well."""
    for name, tickers in sleeves.items():
        given = [tickers] if isinstance(tickers, str) else list(tickers)
        odd = isinstance(tickers, str) or len(set(given)) != len(given)
        if odd or not all(t == t.strip() and t for t in given):
            raise ConfigError(f"{name}: expected a tuple of tickers, each once, was {tickers!r}")


def check_volatility(volatility: float) -> None:
    """Raise :class:`ConfigError` unless a yearly volatility to scale to is one."""
    if not 0 < volatility <= 5:
        raise ConfigError(
            f"volatility must lie above 0, up to 5 (a fraction a year), was {volatility}"
        )


def decide(strategy: Strategy, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
    """Return a strategy's weights at every session, with the form that the contract asks for.

    Raises
    ------
    SimulationError
        When the strategy's own code fails, or the weights are no table of numbers, sessions ×
        assets.
    """
    weights = ask(strategy, "weights", reading, panel)
    if not isinstance(weights, pd.DataFrame):
        raise SimulationError(
            f"{strategy.name}: expected weights as a DataFrame, sessions × assets, was "
            f"{type(weights).__name__}; return one"
        )
    for what, given, expected in (
        ("a row for each session of the panel", weights.index, panel.index),
        ("a column for each of its assets", weights.columns, pd.Index(strategy.assets)),
    ):
        if len(given) != len(expected) or not given.isin(expected).all() or not given.is_unique:
            raise SimulationError(
                f"{strategy.name}: expected {what} ({len(expected)}: {_ends(expected)}), was "
                f"{len(given)}: {_ends(given)}; reindex the weights"
            )
    try:
        return weights.reindex(panel.index)[list(strategy.assets)].astype("float64")
    except (TypeError, ValueError) as error:
        raise SimulationError(
            f"{strategy.name}: expected weights as numbers, but {error}"
        ) from None


def state_of(strategy: Strategy, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
    """Return a strategy's state at every session; None for one without a state.

    Raises
    ------
    SimulationError
        When the strategy's own code fails, or the state is no label a session.
    """
    state: pd.Series | None = ask(strategy, "state", reading, panel)
    return state


def _ends(labels: pd.Index) -> str:
    shown = [str(label)[:10] for label in labels]
    return ", ".join(shown if len(shown) <= 3 else (shown[0], "…", shown[-1])) or "none"


def check_weights(weights: pd.DataFrame, strategy: str, gross_limit: float = 1.0) -> None:
    """Raise :class:`SimulationError` unless weights are finite and within their limits."""
    values = weights.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise SimulationError(
            f"{strategy}: expected a finite weight of {weights.columns[column]} on "
            f"{weights.index[row].date()}, was {values[row, column]}; give 0 where there is no view"
        )
    limits = {
        "the sum of weights": values.sum(axis=1),
        "gross exposure": np.abs(values).sum(axis=1),
    }
    for (what, total), limit in zip(limits.items(), (1.0, gross_limit), strict=True):
        over = np.flatnonzero(total > limit + 1e-9)
        if len(over):
            raise SimulationError(
                f"{strategy}: expected {what} of at most {limit:g}, was {total[over[0]]:.6g} on "
                f"{weights.index[over[0]].date()}; scale the weights down"
            )
