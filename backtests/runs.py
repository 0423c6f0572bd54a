"""A finished backtest and its id."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

import signals
from backtests.atomic import expanded
from backtests.config import RunConfig
from backtests.engine.simulate import Result
from backtests.history.panel import History
from backtests.plugins.load import load_signal
from backtests.version import __version__
from signals.errors import ConfigError, shown
from signals.reading import Reading
from signals.summary import Summarised, Summary
from strategies import Strategy


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Run(Summarised):
    """A finished backtest, with its history, regime and signals up to the end of the run.

    Attributes
    ----------
    config, strategy
        The configuration, and the strategy with its parameters.
    history, reading
        The history, and its regime and signals, up to the end of the run.
    state
        The strategy's state at each session of the history, from :meth:`strategies.Strategy.state`;
        None if the strategy has no states.
    decided
        Target weights (fractions) at the sessions on which the strategy made a decision.
    result
        The simulation: equity, returns, weights, orders, and vectorbt's portfolio.
    benchmark
        Simple daily returns of the benchmark on the sessions of the result, before costs. Until the
        strategy's first possible trade, ``benchmark`` contains the returns of bills.
    spliced
        Whether the decisions come from a walk-forward. The configuration is not enough to repeat a
        walk-forward. So the id of a walk-forward also depends on the decisions.
    """

    config: RunConfig
    strategy: Strategy
    history: History
    reading: Reading
    state: pd.Series | None
    decided: pd.DataFrame
    result: Result
    benchmark: pd.Series
    spliced: bool = False

    @cached_property
    def run_id(self) -> str:
        """The id of the run, see :func:`run_id`."""
        decisions = (self.decided.to_csv(),) if self.spliced else ()
        return run_id(self.config, self.history, *decisions)

    @property
    def label(self) -> str:
        """Name of the strategy, with ``@model`` if the regime model is not ``votes``."""
        return self.config.label_of(self.strategy)

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the result."""
        return pd.DatetimeIndex(self.result.equity.index)

    @property
    def simulated(self) -> bool:
        """Whether the history is simulated."""
        return self.history.is_simulated

    @property
    def bills(self) -> pd.Series:
        """Simple daily returns of bills on the sessions of the result."""
        return self.result.bills.reindex(self.result.returns.index)

    @property
    def excess(self) -> pd.Series:
        """Simple daily returns of the strategy minus the returns of bills, fractions."""
        return self.result.returns - self.bills

    @property
    def returns(self) -> pd.DataFrame:
        """Simple daily returns, fractions: ``strategy``, ``benchmark`` and ``bills``."""
        columns = {"strategy": self.result.returns, "benchmark": self.benchmark}
        return pd.DataFrame({**columns, "bills": self.bills}).rename_axis("date")

    @property
    def weights(self) -> pd.DataFrame:
        """Weight of each holding at each close, fractions of the portfolio; the rest is cash."""
        return self.result.weights.rename_axis("date")

    @property
    def orders(self) -> pd.DataFrame:
        """The orders, with the columns ``date, asset, units, price, cost``.

        See :attr:`Result.orders`.
        """
        return self.result.orders.copy(deep=False)

    @property
    def metrics(self) -> pd.Series:
        """The metrics of the strategy as float64, with the names that ``metrics.json`` uses.

        Rates are fractions, not percent. An undefined metric is NaN. Metrics that are dates are
        left out.
        """
        return self._metrics.copy(deep=False)

    @cached_property
    def _metrics(self) -> pd.Series:
        from backtests.report.notebook import numbers_of_run

        return numbers_of_run(self)

    def plot(self, signal: str | None = None) -> Any:
        """Return a plotly figure of growth, drawdown and regime, or of a signal with its inputs.

        Growth is the value of an initial investment of 1. An unknown signal raises ConfigError.
        """
        from backtests.report.notebook import plot_run

        return plot_run(self, signal)

    def save(self, folder: Path | str, *, robustness: bool = True) -> Path:
        """Write the seven files of ``drypowder run`` into a folder, and return the folder.

        If ``robustness`` is False, robustness checks that need another simulation are left out, as
        with ``--no-robustness``. The hurdle of the Sharpe ratio depends on the other trials in the
        log of the run's store. A folder with other files raises DataError. A run of a walk-forward
        raises ConfigError. If ``folder`` has the name of a file, such as ``run.html``, ConfigError
        is also raised.
        """
        from backtests.report.notebook import save_run

        return save_run(self, expanded(folder), robustness=robustness)

    def _summary(self) -> Summary:
        from backtests.report.notebook import summary_of_run

        return summary_of_run(self)


def check_run(run: object, what: str) -> None:
    """Raise ConfigError if ``run`` is not a run, or if a user's signal was redefined after the run.

    If a notebook defines a signal again, new evaluations for an earlier run would use the new
    class. ``what`` names the run in the message.
    """
    if not isinstance(run, Run):
        raise ConfigError(f"{what}: expected a finished run, was {shown(run)}")
    for path in run.config.plugin_signals:
        current = load_signal(path)
        if type(run.reading.evaluations[current.name].signal) is not current:
            raise _defined_again(what, path)


def check_classes(run: Run, what: str) -> None:
    """Raise the errors of :func:`check_run`, also if the user's strategy was redefined."""
    check_run(run, what)
    if run.config.strategy_class() is not type(run.strategy):
        raise _defined_again(what, run.config.strategy)


def _defined_again(what: str, path: str) -> ConfigError:
    return ConfigError(
        f"expected {what} to use the current class of {path}, but the class was defined again, or "
        f"its file changed; run {what} again"
    )


def run_id(config: RunConfig, history: History, *others: str) -> str:
    """Return the id of a run.

    The id depends on the parameters, the data and the version of drypowder. The id also depends on
    the registered signals, the votes of the registered signals, and the strings in ``others``.
    """
    votes = {name: entry.votes for name, entry in signals.SIGNALS.items()}
    built = (config.build_strategy(), config.build_signals(), votes, config.build_model())
    parts = (
        __version__,
        config.identity(),
        *map(repr, built),
        history.digest(),
        *others,
    )
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
