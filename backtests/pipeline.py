"""The whole run on one screen: history → reading → weights → simulation → result."""

import hashlib
from dataclasses import dataclass
from datetime import date

import pandas as pd

import signals
from backtests.config import RunConfig
from backtests.engine.schedule import decision_sessions
from backtests.engine.simulate import Result, simulate
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.version import __version__
from signals.errors import ConfigError, MissingSeries, StaleSeries
from signals.regime import Reading, Regime
from signals.universe import asset
from strategies import Strategy

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
    result
        What came of it.
    benchmark
        Simple daily returns of the benchmark on the result's sessions, before costs.
    run_id
        Hash of the configuration and of every number of the history.
    """

    config: RunConfig
    strategy: Strategy
    history: History
    reading: Reading
    result: Result
    benchmark: pd.Series
    run_id: str

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
        On what; default: what the configuration names.

    Raises
    ------
    ConfigError, DataError, SimulationError
        When it cannot be run; nothing was written.
    """
    strategy = config.build_strategy()
    if history is None:
        history = config.choice().open((*strategy.assets, config.benchmark), _day(config.end))
    check_assets((*strategy.assets, config.benchmark), history)

    reading = signals.read(history.panel, config.build_signals())
    index = window(config, history, reading)
    result = trade(config, strategy, history, reading, index)
    return Run(
        config=config.model_copy(update={"source": history.source}),
        strategy=strategy,
        history=history,
        reading=reading,
        result=result,
        benchmark=_benchmark(config.benchmark, history, index),
        run_id=run_id(config, history),
    )


def entered(reading: Reading, result: Result) -> int:
    """Return how many times the regime turned to ABSORPTION while returns were earned.

    The number of observations that a claim about timing rests on; a stay that had begun before
    the start counts as one.
    """
    regime = reading.regime.shift(1).reindex(result.returns.index)
    on = regime == Regime.ABSORPTION.value
    return int((on & ~on.shift(1, fill_value=False)).sum())


def trade(
    config: RunConfig,
    strategy: Strategy,
    history: History,
    reading: Reading,
    index: pd.DatetimeIndex,
) -> Result:
    """Return what a strategy makes of a reading on some sessions: weights, then simulation."""
    weights = strategy.weights(reading, history.panel)
    decisions = decision_sessions(index, reading.regime if strategy.follows_regime else None)
    bills = bill_returns(history.panel[YIELD], config.bill_spread)
    return simulate(
        weights.loc[decisions],
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
        start = pd.Timestamp(
            index[int(seen.to_numpy().argmax())]
        )  # the first session if none has one
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
        repr((votes, signals.MIN_VIEWS)),
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


def _benchmark(ticker: str, history: History, index: pd.DatetimeIndex) -> pd.Series:
    prices = history.closes[ticker].loc[index]
    if prices.isna().any():
        gap = prices.index[prices.isna()][0].date()
        raise StaleSeries(
            f"expected a price of the benchmark {ticker} for every session, found none for {gap}; "
            "import it or choose other dates"
        )
    return prices.pct_change().iloc[1:].rename(ticker)


def _day(day: date | None) -> pd.Timestamp | None:
    return None if day is None else pd.Timestamp(day)
