"""The whole run on one screen: history → reading → weights → simulation → result."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

import signals
from backtests.config import RunConfig
from backtests.engine.schedule import decision_sessions
from backtests.engine.simulate import Result, simulate
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.version import __version__
from signals.errors import ConfigError, MissingSeries, StaleSeries
from signals.index import check_sessions
from signals.reading import Reading
from signals.universe import asset
from strategies import Strategy, decide

#: Sessions, a month: below that yearly figures mean nothing.
SHORTEST = 21


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

    @property
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


def run(config: RunConfig, history: History | None = None) -> Run:
    """Run one backtest.

    Parameters
    ----------
    config
        What to run.
    history
        On what; default: what the configuration names. It is cut at the configuration's end.

    Raises
    ------
    ConfigError, DataError, SimulationError
        When it cannot be run; nothing was written.
    """
    history = history_of(config, history)
    reading = read(config, history)
    return run_on(config, history, reading, window(config, history, reading))


def history_of(
    config: RunConfig, history: History | None = None, ids: Sequence[str] = ()
) -> History:
    """Return the history of a run, up to its end.

    Parameters
    ----------
    config
        What to run.
    history
        One at hand, which may end before the run's end; default: what the configuration names.
    ids
        What to read of a store; default what the run reads.
    """
    end = config.end_day()
    if history is None:
        return config.choice().open(tuple(ids) or config.series(), end)
    check_sessions(history.panel.index, "the panel of the history")
    if end is None or end > history.panel.index[-1]:
        return history
    return history.until(history.session(end, "end"))


def read(config: RunConfig, history: History) -> Reading:
    """Return the reading of a history by a configuration's signals and regime model."""
    model = config.build_model()
    return signals.read(history.panel, config.build_signals(), config.more_voters(), model)


def run_on(config: RunConfig, history: History, reading: Reading, index: pd.DatetimeIndex) -> Run:
    """Run one backtest on a history that was read already, on some of its sessions."""
    strategy = config.build_strategy()
    check_assets((*strategy.assets, config.benchmark), history)
    state, decided = decided_on(config, strategy, reading, history.panel, index)
    result = trade(config, strategy, history, decided, index)
    return Run(
        config=config.model_copy(update={"source": history.source}),
        strategy=strategy,
        history=history,
        reading=reading,
        state=state,
        decided=decided,
        result=result,
        benchmark=_benchmark(config.benchmark, history, index, result.bills, config.lag),
    )


def decided_on(
    config: RunConfig,
    strategy: Strategy,
    reading: Reading,
    panel: pd.DataFrame,
    index: pd.DatetimeIndex,
) -> tuple[pd.Series | None, pd.DataFrame]:
    """Return a strategy's state at every session, and its weights at those on which it decides."""
    state = strategy.state(reading, panel)
    weights = decide(strategy, reading, panel)
    return state, weights.loc[decisions(config, strategy, state, index)]


def decisions(
    config: RunConfig, strategy: Strategy, state: pd.Series | None, index: pd.DatetimeIndex
) -> pd.DatetimeIndex:
    """Return the sessions of a run on which its strategy decides."""
    followed = None if strategy.only_scheduled else state
    return decision_sessions(index, followed, config.schedule)


def trade(
    config: RunConfig,
    strategy: Strategy,
    history: History,
    decided: pd.DataFrame,
    index: pd.DatetimeIndex,
) -> Result:
    """Return what comes of decided weights on some sessions."""
    bills = bill_returns(history.panel[YIELD], config.bill_spread)
    return simulate(
        decided,
        history.closes.loc[index],
        bills.loc[index],
        config.costs,
        config.lag,
        band=config.band,
        capital=config.initial_capital,
        gross_limit=strategy.gross_limit,
        name=strategy.name,
    )


def window(config: RunConfig, history: History, reading: Reading) -> pd.DatetimeIndex:
    """Return the sessions of a run: from the first decision to the end of the history.

    Raises
    ------
    ConfigError
        When ``start`` lies outside the history or leaves fewer than a month of sessions.
    """
    index = pd.DatetimeIndex(history.panel.index)
    if config.start is None:
        seen = reading.regime.notna()
        start = pd.Timestamp(index[int(np.argmax(seen))])  # the first session if none has one
    else:
        start = pd.Timestamp(config.start)
        history.session(start, "start")
    chosen = index[index >= start]
    if len(chosen) < SHORTEST:
        raise ConfigError(
            f"expected at least {SHORTEST} sessions from {start.date()} to {index[-1].date()}, "
            f"found {len(chosen)}: too few to annualise; choose an earlier start"
        )
    return chosen


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


def check_assets(tickers: tuple[str, ...], history: History) -> None:
    """Raise :class:`MissingSeries` when an asset that was listed by the end has no price at all."""
    end = history.panel.index[-1]
    for ticker in dict.fromkeys(tickers):
        listed = asset(ticker).listed
        if ticker in history.closes and history.closes[ticker].notna().any():
            continue
        if listed is not None and pd.Timestamp(listed) > end:
            continue
        raise MissingSeries(
            f"expected prices of {ticker} in the history, found none; import them "
            "(drypowder data lists what is held)"
        )


def _benchmark(
    ticker: str, history: History, index: pd.DatetimeIndex, bills: pd.Series, lag: int
) -> pd.Series:
    """Return the benchmark's returns: bought when the strategy can first be, bills until then."""
    prices = history.closes[ticker].loc[index]
    if prices.isna().any():
        gap = prices.index[prices.isna()][0].date()
        raise StaleSeries(
            f"expected a price of the benchmark {ticker} for every session, found none for {gap}; "
            "import it or choose other dates"
        )
    returns = prices.pct_change().iloc[1:].rename(ticker)
    returns.iloc[:lag] = bills.reindex(returns.index[:lag])
    return returns
