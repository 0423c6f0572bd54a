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

from signals.errors import SimulationError
from signals.regime import Reading, Regime

VOLATILITY_WINDOW = 63
SESSIONS_A_YEAR = 252

#: Shares of a portfolio by regime: sleeve to fraction of the whole; the remainder is cash.
Table = Mapping[Regime, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Strategy(ABC):
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
        True when a change of regime is an occasion to decide, beside month ends.
    gross_limit
        The most that long and short weights may add up to.
    """

    name: ClassVar[str]
    line: ClassVar[str]
    link: ClassVar[str] = ""
    follows_regime: ClassVar[bool] = False
    gross_limit: ClassVar[float] = 1.0

    @property
    @abstractmethod
    def assets(self) -> tuple[str, ...]:
        """Tickers it may hold."""

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


def combine(
    shares: pd.DataFrame, panel: pd.DataFrame, sleeves: Mapping[str, tuple[str, ...]]
) -> pd.DataFrame:
    """Return asset weights from sleeve shares: equal over the listed members of each sleeve.

    The share of a sleeve with no listed member stays in cash.
    """
    parts = [
        equal_over_listed(panel, tickers).mul(shares[name], axis=0)
        for name, tickers in sleeves.items()
    ]
    return pd.concat(parts, axis=1)


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
