"""The data that every process of a sweep needs to compute configurations."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.config import RunConfig
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.pipeline import read
from backtests.sweep.design import Design
from backtests.sweep.setting import Setting
from backtests.window import window
from signals.errors import DrypowderError
from signals.reading import Reading


@dataclass(frozen=True, kw_only=True)
class Case:
    """The data that all configurations of a sweep share.

    All configurations trade on the same sessions. If the sessions differed, a configuration could
    have the best result only because its sessions were better. All configurations use the sessions
    of the base configuration, because only the base configuration was chosen before the sweep. The
    first regime of a configuration may come after the first session of the sweep. The strategy
    treats the sessions before a configuration's first regime as NEUTRAL.

    Attributes
    ----------
    base
        The signals, regime model, strategy, schedule, costs, lag and drift band of the base
        configuration.
    design
        The configurations.
    panel
        Point-in-time panel of the history, sessions × ids.
    closes
        Closes in USD on the sessions of the sweep, for the assets of all configurations.
    bills
        Simple returns of bills on the sessions of the sweep, fractions.
    capital
        Initial capital, USD.
    voters
        Names of the signals that vote on the regime.
    simulated
        Whether the history is simulated.
    """

    base: Setting
    design: Design
    panel: pd.DataFrame
    closes: pd.DataFrame
    bills: pd.Series
    capital: float
    voters: tuple[str, ...]
    simulated: bool

    @property
    def index(self) -> pd.DatetimeIndex:
        """The sessions of the sweep."""
        return pd.DatetimeIndex(self.closes.index)


def case_of(
    config: RunConfig, base: Setting, made: Design, history: History
) -> tuple[Case, Reading]:
    """Return a sweep's shared data, and the flags and the regime of the base configuration."""
    reading = read(config, history)
    index = window(config.model_copy(update={"lag": _longest_lag(config, made)}), history, reading)
    bills = bill_returns(history.panel[YIELD], config.bill_spread)
    case = Case(
        base=base,
        design=made,
        panel=history.panel,
        closes=history.closes.loc[index, [a for a in assets_of(base, made) if a in history.closes]],
        bills=bills.loc[index],
        capital=config.initial_capital,
        voters=reading.voters,
        simulated=history.is_simulated,
    )
    return case, reading


def _longest_lag(config: RunConfig, made: Design) -> int:
    """Return the longest lag of a sweep.

    If the window of a sweep is long enough for the longest lag, each configuration can fill its
    first order.
    """
    levels = dict(zip(made.paths, made.levels, strict=True))
    return max([config.lag, *map(int, levels.get("lag", ()))])


def assets_of(base: Setting, made: Design) -> tuple[str, ...]:
    """Return all assets that the strategies of a sweep need.

    A user's strategy can derive its assets from a parameter. If the strategy rejects a set of
    parameters, the assets of this set are left out.
    """
    chosen = [at for at, kind in enumerate(made.kinds) if kind.stage == "strategy"]
    found = dict.fromkeys(base.strategy.assets)
    for row in np.unique(made.rows[:, chosen], axis=0):
        values = {made.paths[at]: made.levels[at][i] for at, i in zip(chosen, row, strict=True)}
        with suppress(DrypowderError):
            found |= dict.fromkeys(base.changed(values).strategy.assets)
    return tuple(found)
