"""The data of the trial: one history, with its returns, flags, gauges and backtests."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

import signals
from backtests.config_data import config_from
from backtests.evidence.entries import acted_on, own_states
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.pipeline import run_on
from backtests.runs import Run
from backtests.thesis.errors import NotTestable
from backtests.window import window
from signals.errors import DataError, DrypowderError
from signals.reading import Reading
from signals.universe import members

#: A trader can act on a flag this number of sessions after the close at which the flag is known.
LAG = 1
#: Empty series, which replaces an event series that the history lacks.
NO_EVENT = pd.Series(dtype="float64", index=pd.DatetimeIndex([]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """A history, and everything that estimators need from it.

    Attributes
    ----------
    history, reading
        The history, and the results of all signals on it: flags, gauges and regime.
    """

    history: History
    reading: Reading

    @classmethod
    def of(cls, history: History) -> "Sample":
        """Return the sample of a history; all signals have their default parameters."""
        return cls(history=history, reading=signals.read(history.panel))

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """The sessions of the history."""
        return pd.DatetimeIndex(self.history.panel.index)

    @property
    def is_simulated(self) -> bool:
        """Whether the history is simulated."""
        return self.history.is_simulated

    @cached_property
    def bills(self) -> pd.Series:
        """Simple return of bills from the previous session to each session, a fraction."""
        return bill_returns(self.history.panel[YIELD])

    @cached_property
    def _asset_returns(self) -> pd.DataFrame:
        return self.history.closes.pct_change(fill_method=None)

    def asset(self, ticker: str) -> pd.Series:
        """Return an asset's simple return from the previous close to each session's close.

        Returns are fractions. A return is NaN if one of its two closes is missing. Raises
        NotTestable if the history has no return of the asset.
        """
        if ticker not in self._asset_returns or self._asset_returns[ticker].isna().all():
            raise NotTestable(f"the history has no price of {ticker}")
        return self._asset_returns[ticker]

    def series(self, id: str) -> pd.Series:
        """Return a series of the panel, as known at each close, in the catalog's unit.

        Raises NotTestable if the history has no value of the series.
        """
        if id not in self.history.panel or self.history.panel[id].isna().all():
            raise NotTestable(f"the history has no value of {id}")
        return self.history.panel[id]

    def events(self, id: str) -> pd.Series:
        """Return the dates and values of an event series within the history.

        The result is empty if the history lacks the series.
        """
        return self.history.events.get(id, NO_EVENT).loc[self.sessions[0] : self.sessions[-1]]

    def asset_class(self, name: str) -> pd.Series:
        """Return the mean simple return of a class's assets, a fraction, with equal weights.

        An asset without a return at a session is left out at this session. Raises NotTestable if
        the history has no return of the class.
        """
        held = [ticker for ticker in members(name) if ticker in self._asset_returns]
        returns = self._asset_returns[held].mean(axis=1)
        if returns.isna().all():
            raise NotTestable(f"the history has no price of the class {name}")
        return returns

    def classes(self, names: Iterable[str]) -> pd.DataFrame:
        """Return simple returns of several classes, sessions × classes, see :meth:`asset_class`."""
        return pd.DataFrame({name: self.asset_class(name) for name in names})

    def gauge(self, signal: str, name: str) -> pd.Series:
        """Return a gauge (a measure of a signal, with a unit) as known at each close.

        Raises NotTestable if the history lacks the signal's series, or if the gauge has no value.
        """
        if signal not in self.reading.evaluations:
            raise NotTestable(f"the history lacks series that {signal} needs")
        gauge = self.reading.evaluations[signal].gauges[name]
        if gauge.isna().all():
            raise NotTestable(f"{signal} has no value in this history")
        return gauge

    def flag(self, signal: str) -> pd.Series:
        """Return a signal's flag as known at each close: 1.0 on, 0.0 off, NaN if data are missing.

        Raises NotTestable if the flag is always NaN.
        """
        if signal not in self.reading.flags or self.reading.flags[signal].isna().all():
            raise NotTestable(f"the flag of {signal} has no value in this history")
        return self.reading.flags[signal].astype("Float64").astype("float64")

    def condition(self, signal: str) -> pd.Series:
        """Return, for each session, the newest flag on which a trader could act before the session.

        The flag is 1.0, 0.0 or NaN. The flag was known :data:`LAG` sessions before the close at
        which the session's return begins.
        """
        return acted_on(self.flag(signal), LAG)

    def run(self, strategy: str) -> Run:
        """Return the backtest of a strategy (``name`` or ``name@model``) with default parameters.

        Raises NotTestable if the strategy cannot be run: for example, if the history is too short,
        lacks an asset, or has no known regime.
        """
        if strategy not in self._runs:
            self._runs[strategy] = self._simulate(strategy)
        return self._runs[strategy]

    def acting(self, strategy: str) -> pd.Series:
        """Return 1.0 for each return that a strategy earned in one of its active states, else 0.0.

        The result is NaN if the state of the strategy is unknown.
        """
        run = self.run(strategy)
        state = own_states(run)
        if state is None:
            raise NotTestable(f"{strategy} has no states")
        earned = acted_on(state, run.config.lag)
        return earned.isin(run.strategy.active_states).astype("float64").where(earned.notna())

    @cached_property
    def _runs(self) -> dict[str, Run]:
        return {}

    def _simulate(self, strategy: str) -> Run:
        config = config_from({"strategy": strategy})
        try:
            reading = self.reading.under(
                config.build_model().classify(self.history.panel, self.reading.evaluations)
            )
            if config.strategy_class().follows_regime and reading.regime.isna().all():
                raise DataError("no regime is known in this history; add history")
            return run_on(config, self.history, reading, window(config, self.history, reading))
        except DrypowderError as error:
            raise NotTestable(f"{strategy} cannot be run: {error}") from error
