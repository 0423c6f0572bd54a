"""Strategies that divide the portfolio into sleeves, which are groups of assets.

The listed members of a sleeve have equal weights. If a sleeve has no listed member, the sleeve's
weight is held in cash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from signals.errors import ConfigError
from signals.reading import Reading
from signals.regimes import Regime
from signals.universe import OwnClasses
from strategies.base import SESSIONS_A_YEAR, VOLATILITY_WINDOW, Strategy, listed, ticker_fields

#: A mapping from regime to the fraction of the portfolio in each sleeve. The remainder is cash.
Table = Mapping[Regime, Mapping[str, float]]
#: A mapping from the name of each sleeve to its tickers.
Sleeves = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class SleeveStrategy(Strategy):
    """A strategy with one sleeve (group of assets) for each parameter of type ``tuple[str, ...]``.

    A subclass sets the weights of its sleeves in ``table``, or defines ``planned``.

    Attributes
    ----------
    table
        A mapping from regime to the weight of each sleeve, a fraction of the portfolio. If a regime
        has no entry for a sleeve, the sleeve has weight 0. A session without a regime counts as
        NEUTRAL.
    of_no_class
        Names of sleeves that have the name of an asset class, but not the tickers of this asset
        class. When a user replaces the tickers of an asset class, a sleeve in ``of_no_class`` keeps
        its own tickers.
    """

    table: ClassVar[Table] = {}
    of_no_class: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Raise ConfigError for a parameter outside its range or an invalid sleeve."""
        super().__post_init__()
        check_sleeves(self.sleeves)

    def with_classes(self, own: OwnClasses) -> Self:
        """Return a copy in which tickers from ``own`` replace the tickers of the sleeves."""
        mine = [name for name in ticker_fields(type(self)) if name not in self.of_no_class]
        return replace(self, **{name: own[name] for name in mine if name in own})

    @property
    def sleeves(self) -> Sleeves:
        """A mapping from the name of each sleeve to its tickers."""
        return {name: getattr(self, name) for name in ticker_fields(type(self))}

    @property
    def assets(self) -> tuple[str, ...]:
        """Tickers of all sleeves, each ticker once."""
        return tuple(dict.fromkeys(t for tickers in self.sleeves.values() for t in tickers))

    def planned(self, reading: Reading) -> pd.DataFrame:
        """Return the weight of each sleeve for each session's regime, sessions × sleeves."""
        return shares_of(reading.regime, self.table, tuple(self.sleeves))

    def shares(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the weight of each sleeve, sessions × sleeves, as fractions of the portfolio."""
        return self.planned(reading)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights; an asset in two sleeves has the sum of its two weights."""
        shares = self.shares(reading, panel).reindex(panel.index)
        places = {ticker: place for place, ticker in enumerate(self.assets)}
        weights = np.zeros((len(places), len(panel)))
        for name, tickers in self.sleeves.items():
            share = shares[name].to_numpy(dtype=np.float64)
            for ticker, equal in zip(tickers, equal_over_listed(panel, tickers), strict=True):
                weights[places[ticker]] += equal * share
        return pd.DataFrame(weights.T, index=panel.index, columns=list(places))


@dataclass(frozen=True, kw_only=True)
class ScaledSleeves(SleeveStrategy):
    """A strategy that scales the weights of volatile sleeves down to a target volatility.

    The weight of a scaled sleeve is multiplied by min(1, ``volatility`` / volatility of the sleeve
    over 63 sessions). While the volatility of a scaled sleeve is unknown, the sleeve's weight is 0.
    The weight that the scaling removes from a sleeve is held in cash.

    Attributes
    ----------
    scaled
        Names of the scaled sleeves.

    Parameters
    ----------
    volatility
        Yearly target volatility of the sleeves ``memory`` and ``crypto``, as a fraction.
    """

    scaled: ClassVar[tuple[str, ...]] = ("memory", "crypto")

    volatility: float = 0.25

    def __post_init__(self) -> None:
        """Raise ConfigError for a parameter outside its range or an invalid sleeve."""
        super().__post_init__()
        check_volatility(self.volatility)

    def shares(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the sleeves' weights, with volatile sleeves scaled to the target volatility."""
        shares = self.planned(reading)
        for name in self.scaled:
            shares[name] *= volatility_scale(panel, self.sleeves[name], self.volatility)
        return shares


def shares_of(regime: pd.Series, table: Table, sleeves: tuple[str, ...]) -> pd.DataFrame:
    """Return the weight of each sleeve at each session; a missing regime counts as NEUTRAL."""
    code, names = pd.factorize(regime.fillna(Regime.NEUTRAL.value))
    rows = [[table[Regime(name)].get(s, 0.0) for s in sleeves] for name in names]
    shares = np.array(rows, dtype=np.float64).reshape(len(names), len(sleeves))
    return pd.DataFrame(shares[code], index=regime.index, columns=list(sleeves))


def equal_over_listed(panel: pd.DataFrame, tickers: tuple[str, ...]) -> np.ndarray:
    """Return equal weights for the tickers listed at each session, and 0 for other tickers.

    The array has the shape tickers × sessions.
    """
    there = listed(panel, tickers).to_numpy(dtype=np.float64).T
    equal: np.ndarray = there / np.maximum(there.sum(axis=0), 1.0)
    return equal


def volatility_scale(panel: pd.DataFrame, tickers: tuple[str, ...], target: float) -> pd.Series:
    """Return min(1, target / volatility) for an equally weighted sleeve.

    The volatility is the standard deviation (ddof 1) of the last 63 returns × √252, as a fraction a
    year. A session's return is the mean over the members that have a return. The result is 0 before
    63 returns are known.
    """
    deviation = _mean_return(panel, tickers).rolling(VOLATILITY_WINDOW).std()
    volatility = deviation.to_numpy() * np.sqrt(SESSIONS_A_YEAR)
    with np.errstate(divide="ignore"):
        scale = np.minimum(target / volatility, 1.0)
    return pd.Series(np.where(np.isnan(scale), 0.0, scale), index=panel.index)


def _mean_return(panel: pd.DataFrame, tickers: tuple[str, ...]) -> pd.Series:
    """Return the mean return over the tickers that have a return at the session, else NaN."""
    total, count = np.zeros(len(panel)), np.zeros(len(panel))
    for ticker in tickers:
        if ticker in panel:
            price = panel[ticker].to_numpy(dtype=np.float64)
            move = price[1:] / price[:-1] - 1
            known = ~np.isnan(move)
            total[1:] += np.where(known, move, 0.0)
            count[1:] += known
    return pd.Series(total / np.where(count > 0, count, np.nan), index=panel.index)


def check_sleeves(sleeves: Sleeves) -> None:
    """Raise :class:`ConfigError` unless each sleeve is a tuple of different, valid tickers."""
    for name, tickers in sleeves.items():
        odd = not isinstance(tickers, tuple) or len(set(tickers)) != len(tickers)
        if odd or not all(t == t.strip() and t for t in tickers):
            raise ConfigError(f"{name}: expected a tuple of tickers, each once, was {tickers!r}")


def check_volatility(volatility: float) -> None:
    """Raise :class:`ConfigError` if a yearly volatility is zero, negative, or above 5 (500 %)."""
    if not 0 < volatility <= 5:
        raise ConfigError(
            f"volatility must be above 0 and at most 5 (a fraction a year), was {volatility}"
        )
