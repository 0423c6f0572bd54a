"""A finished backtest, and its id."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

import signals
from backtests.config import RunConfig
from backtests.engine.simulate import Result
from backtests.history.panel import History
from backtests.version import __version__
from signals.reading import Reading
from strategies import Strategy


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished backtest.

    Attributes
    ----------
    config, strategy
        What was run.
    history, reading
        On what; both end with the run.
    state
        Of the strategy at each session, see :meth:`strategies.Strategy.state`.
    decided
        Its weights at the sessions on which it decided.
    result
        What came of it.
    benchmark
        Simple daily returns of the benchmark on the result's sessions, before costs; those of
        bills until the first session on which the strategy can be filled.
    """

    config: RunConfig
    strategy: Strategy
    history: History
    reading: Reading
    state: pd.Series | None
    decided: pd.DataFrame
    result: Result
    benchmark: pd.Series

    @cached_property
    def run_id(self) -> str:
        """Hash of the configuration and of every number of the history."""
        return run_id(self.config, self.history)

    @property
    def label(self) -> str:
        """The strategy's name, with its regime model where that is not the votes."""
        return self.config.label

    @property
    def simulated(self) -> bool:
        """Whether the history is simulated."""
        return self.history.source == "simulated"

    @property
    def bills(self) -> pd.Series:
        """Simple daily returns of bills on the result's sessions."""
        return self.result.bills.reindex(self.result.returns.index)


def run_id(config: RunConfig, history: History) -> str:
    """Return the run's name: equal for equal parameters, registry and version on equal data."""
    votes = {name: entry.votes for name, entry in signals.SIGNALS.items()}
    parts = (
        __version__,
        config.identity(),
        repr(config.build_strategy()),
        repr(config.build_signals()),
        repr(votes),
        repr(config.build_model()),
        history.digest(),
    )
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
