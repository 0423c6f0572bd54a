"""The steps of a run: history → reading → weights → simulation → result."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

import signals
from backtests.atomic import resolved
from backtests.config import SOURCE, RunConfig
from backtests.engine.kernel import Curves, simulate_curves
from backtests.engine.schedule import Schedule, decision_sessions
from backtests.engine.simulate import Result, simulate
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History, check_history
from backtests.history.prices import benchmark_returns, check_assets, check_priced
from backtests.reuse import reused
from backtests.runs import Run, check_classes
from backtests.store.store import named_store
from backtests.window import window
from signals.errors import ConfigError, shown
from signals.index import check_sessions
from signals.reading import Reading
from strategies import Strategy, decide, state_of


def run(config: RunConfig, history: History | None = None, earlier: Reading | None = None) -> Run:
    """Return the finished backtest of a configuration, without writing a file.

    A configuration that cannot be run raises ConfigError, DataError or SimulationError.

    Parameters
    ----------
    history
        By default, the configuration chooses the history. The history is cut at the end date of the
        configuration.
    earlier
        An earlier reading of the same history. To save time, pass ``Run.reading`` of a first run to
        later runs on the same history.
    """
    history = history_of(config, history)
    reading = read(config, history, earlier)
    finished = run_on(config, history, reading, window(config, history, reading))
    _ = finished.run_id  # hash the data now, because the user can change them later
    return finished


def check_config(config: object) -> None:
    """Raise ConfigError if an object is not a configuration."""
    if not isinstance(config, RunConfig):
        raise ConfigError(
            f"expected a RunConfig, was {shown(config)}; make one with backtests.config_from"
        )


def history_of(
    config: RunConfig, history: History | None = None, ids: Sequence[str] = ()
) -> History:
    """Return the history of a run, up to the end of the run.

    If ``history`` already ends before the end date of the configuration, the whole history is
    returned. If no history is given, ``ids`` are read from the configuration's source. If ``ids``
    is empty, all ids and tickers that the run needs are read.
    """
    check_config(config)
    end = config.end_day()
    if history is None:
        return config.history_source().open(tuple(ids) or config.series(), end)
    check_history(history)
    check_sessions(history.panel.index, "the panel of the history")
    if end is None or end > history.panel.index[-1]:
        return history
    return history.until(history.session(end, "end"))


def read(config: RunConfig, history: History, earlier: Reading | None = None) -> Reading:
    """Return the reading of a history: the regime and the configuration's signals at each session.

    ``earlier`` is an earlier reading of the same history. To save time, the function takes the
    evaluations of unchanged signals from ``earlier``. A signal is unchanged if its parameters and
    the parameters of its component signals are the same as in ``earlier``. A user's own signal is
    always computed again, because a function that the signal calls may have changed. If ``earlier``
    ends after ``history``, the function reuses only the evaluations of registered signals that the
    regime model reads. ConfigError is raised if ``earlier`` and ``history`` have different sessions
    or values up to the end of ``history``.
    """
    chosen, model = config.build_signals(), config.build_model()
    evaluations = {} if earlier is None else reused(earlier, history, model.rests_on)
    return signals.read(history.panel, chosen, config.more_voters(), model, evaluations)


def run_on(config: RunConfig, history: History, reading: Reading, index: pd.DatetimeIndex) -> Run:
    """Return the finished backtest of a configuration on the sessions in ``index``.

    ``reading`` is the result of :func:`read` for the same history.
    """
    strategy, state, decided = strategy_and_weights(config, history, reading, index)
    result = trade(config, strategy, history, decided, index)
    benchmark = benchmark_returns(config.benchmark, history, index, result.bills, config.lag)
    finished = Run(
        config=config.model_copy(update=_opening(config, history)).with_labels_of(reading.model),
        strategy=strategy,
        history=history,
        reading=reading,
        state=state,
        decided=decided,
        result=result.with_benchmark(benchmark),
        benchmark=benchmark,
    )
    if config.own_sources():
        _ = finished.run_id  # hash the code now, because the user can change it later
        check_classes(finished, "this run")
    return finished


def _opening(config: RunConfig, history: History) -> dict[str, Any]:
    """Return the settings that a run needs to open its history again."""
    if not history.origin:
        return {"source": history.source}
    keys = {key: RunConfig.model_fields[key].default for key in SOURCE}
    keys |= {"source": history.source, **history.origin}
    if keys["store"] == resolved(config.store_path()):
        keys["store"] = named_store(config.store)  # the path that the user gave
    return keys


def strategy_and_weights(
    config: RunConfig, history: History, reading: Reading, index: pd.DatetimeIndex
) -> tuple[Strategy, pd.Series | None, pd.DataFrame]:
    """Return a configuration's strategy, its states, and its weights at the decision sessions.

    An asset or a benchmark without any price raises MissingSeries.
    """
    strategy = config.build_strategy()
    check_priced(config.universe.classes, history)
    check_assets((*strategy.assets, config.benchmark), history)
    return strategy, *state_and_weights(config, strategy, reading, history.panel, index)


def state_and_weights(
    config: RunConfig,
    strategy: Strategy,
    reading: Reading,
    panel: pd.DataFrame,
    index: pd.DatetimeIndex,
) -> tuple[pd.Series | None, pd.DataFrame]:
    """Return a strategy's state at every session, and its weights at the decision sessions."""
    state = state_of(strategy, reading, panel)
    weights = decide(strategy, reading, panel)
    return state, weights.loc[decisions(strategy, state, index, config.schedule)]


def decisions(
    strategy: Strategy, state: pd.Series | None, index: pd.DatetimeIndex, schedule: Schedule
) -> pd.DatetimeIndex:
    """Return the sessions in ``index`` on which a strategy decides.

    A strategy with ``only_scheduled`` decides only on the days of the schedule; a change of state
    causes no decision.
    """
    followed = None if strategy.only_scheduled else state
    return decision_sessions(index, followed, schedule)


def trade(
    config: RunConfig,
    strategy: Strategy,
    history: History,
    decided: pd.DataFrame,
    index: pd.DatetimeIndex,
) -> Result:
    """Return a simulation that trades to the strategy's weights on the sessions in ``index``."""
    return simulate(**simulation_terms(config, strategy, history, decided, index))


def trade_curves(
    config: RunConfig,
    strategy: Strategy,
    history: History,
    decided: pd.DataFrame,
    index: pd.DatetimeIndex,
) -> Curves:
    """Simulate the strategy's weights with the compiled kernel; return only the daily figures."""
    return simulate_curves(**simulation_terms(config, strategy, history, decided, index))


def simulation_terms(
    config: RunConfig,
    strategy: Strategy,
    history: History,
    decided: pd.DataFrame,
    index: pd.DatetimeIndex,
) -> dict[str, Any]:
    """Return the arguments that are the same for ``simulate`` and ``simulate_curves``."""
    return {
        "weights": decided,
        "prices": history.closes.loc[index],
        "bills": bill_returns(history.panel[YIELD], config.bill_spread).loc[index],
        "costs": config.costs,
        "lag": config.lag,
        "band": config.band,
        "capital": config.initial_capital,
        "gross_limit": strategy.gross_limit,
        "name": strategy.name,
    }
