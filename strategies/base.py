"""The base class of strategies, and the checks of a strategy's results.

A strategy is a frozen dataclass, and its fields are its parameters. At each session's close, a
strategy reads the signals and the known values, and returns target weights. The engine trades a
strategy's target weights at the close of a later session, at a cost.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cache
from typing import ClassVar, Self, get_type_hints

import numpy as np
import pandas as pd

from signals.errors import SimulationError
from signals.form import ask, labels_fault
from signals.params import Typed
from signals.reading import Reading
from signals.regimes import Regime
from signals.universe import OwnClasses

VOLATILITY_WINDOW = 63
SESSIONS_A_YEAR = 252


@dataclass(frozen=True, kw_only=True)
class Strategy(Typed, ABC):
    """A rule that turns the data known at a session's close into target weights.

    A strategy decides on each scheduled date, and at each change of its state. For many strategies,
    the state is the regime. If ``only_scheduled`` is True, changes of state cause no decision.

    Attributes
    ----------
    name, description
        Name of the strategy on the command line, and a one-line description.
    link
        The links of the thesis on which the strategy is based, such as ``L13`` or ``L8, L13``;
        empty for a baseline or a challenger. A link is one of the 15 steps of the thesis.
    follows_regime
        True if the weights depend on the regime. If ``follows_regime`` is True, :meth:`state`
        returns the regime by default.
    only_scheduled
        True if the strategy decides only on scheduled dates, and not on changes of its state.
    active_states
        The states whose timing is tested. All active states count together as one state. Each
        episode in the active states counts as one observation. Two periods in the active states
        form one episode if they are at most a quarter (63 sessions) apart.
    price_free
        True if the weights depend only on the regime and on the set of listed assets. The timing
        test compares a strategy with placebos. With the regime model ``quantities``, the placebos
        of a price-free strategy are the strategy's own holdings, shifted in time.
    gross_limit
        Largest sum of the absolute weights of long and short positions.
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
        """Tickers that the strategy may hold."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Ids of panel columns that the strategy reads in addition to its assets; default empty."""
        return ()

    def with_classes(self, own: OwnClasses) -> Self:
        """Return the strategy with a user's own tickers for some asset classes.

        The default method ignores ``own`` and returns the strategy unchanged.
        """
        return self

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return each session's state, such as the regime; each change of state causes a decision.

        A state is a string, or None at a session without a state. A strategy without states returns
        None instead of a series. Row t of the series uses only rows up to t.
        """
        return reading.regime if self.follows_regime else None

    @abstractmethod
    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × :attr:`assets`, as fractions of the portfolio.

        Row t of the weights uses only rows up to t of ``reading`` and ``panel``. The weights of a
        row sum to at most 1, and the remainder is cash in bills. An asset without a price in the
        panel has weight 0.
        """


@cache
def ticker_fields(cls: type[Strategy]) -> tuple[str, ...]:
    """Return the names of the parameters of the type ``tuple[str, ...]``: lists of tickers.

    A parameter that replaces an attribute of :class:`Strategy`, such as ``reads``, is left out.
    """
    kinds = get_type_hints(cls)
    names = (f.name for f in fields(cls) if kinds[f.name] == tuple[str, ...])
    return tuple(name for name in names if not hasattr(Strategy, name))


def listed(panel: pd.DataFrame, tickers: tuple[str, ...]) -> pd.DataFrame:
    """Return a table of sessions × tickers, True where a price is known and not stale."""
    return panel.reindex(columns=list(tickers)).notna()


def decide(strategy: Strategy, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
    """Return a strategy's weights as numbers, sessions × assets, with the panel's index.

    Raise SimulationError for an error in the strategy's own code, for weights that are not numbers,
    and for wrong sessions or assets.
    """
    weights = ask(strategy, "weights", reading, panel)
    if not isinstance(weights, pd.DataFrame):
        raise SimulationError(
            f"{strategy.name}: expected weights as a DataFrame, sessions × assets, was "
            f"{type(weights).__name__}; return a DataFrame"
        )
    for what, given, expected in (
        ("a row for each session of the panel", weights.index, panel.index),
        ("a column for each asset of the strategy", weights.columns, pd.Index(strategy.assets)),
    ):
        if given.equals(expected):
            continue
        if fault := labels_fault(given):
            was, cure = fault
            raise SimulationError(f"{strategy.name}: expected {what}, was {was}; {cure}")
        if len(given) != len(expected) or not given.isin(expected).all():
            raise SimulationError(
                f"{strategy.name}: expected {what} ({len(expected)}: {_ends(expected)}), was "
                f"{len(given)}: {_ends(given)}; reindex the weights"
            )
    try:
        return weights.reindex(panel.index)[list(strategy.assets)].astype("float64")
    except (TypeError, ValueError) as error:
        raise SimulationError(
            f"{strategy.name}: expected weights as numbers, but: {error}"
        ) from None


def state_of(strategy: Strategy, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
    """Return a strategy's state at every session; None for a strategy without states.

    Raise SimulationError if the strategy's own code fails, or if the result has the wrong form.
    Each state must be a string or None.
    """
    state: pd.Series | None = ask(strategy, "state", reading, panel)
    return state


def _ends(labels: pd.Index) -> str:
    shown = [str(label)[:10] for label in labels]
    return ", ".join(shown if len(shown) <= 3 else (shown[0], "…", shown[-1])) or "none"


def check_weights(weights: pd.DataFrame, strategy: str, gross_limit: float = 1.0) -> None:
    """Raise :class:`SimulationError` unless weights are finite and within their limits.

    The weights of a row sum to at most 1. The absolute weights of a row sum to at most
    ``gross_limit``.
    """
    values = weights.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise SimulationError(
            f"{strategy}: expected a finite weight of {weights.columns[column]} on "
            f"{weights.index[row].date()}, was {values[row, column]}; give 0 for no position"
        )
    limits = {
        "the sum of weights": values.sum(axis=1),
        "gross exposure": np.abs(values).sum(axis=1),
    }
    for (what, total), limit in zip(limits.items(), (1.0, gross_limit), strict=True):
        over = np.flatnonzero(total > limit + 1e-9)
        if len(over):
            raise SimulationError(
                f"{strategy}: expected {what} of at most {limit:g}, was {total[over[0]]:.10g} on "
                f"{weights.index[over[0]].date()}; scale the weights down"
            )
