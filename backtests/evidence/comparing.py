"""Compare strategies with baselines and placebos, after costs and with confidence intervals.

All strategies run on the same sessions. Strategies with equal signals share one evaluation of the
signals. Each strategy is compared with a constant mix and with an equal-weight portfolio. The
constant mix of SPY and bills has the strategy's mean net exposure, and needs no skill. The
equal-weight portfolio holds the strategy's assets. So the strategy and the equal-weight portfolio
have the same hindsight about assets.
"""

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace

import pandas as pd

from backtests.config import RunConfig
from backtests.evidence.alpha import own_alpha
from backtests.evidence.baskets import random_baskets
from backtests.evidence.bootstrap import LEVEL, compare_returns
from backtests.evidence.common_window import in_common_window
from backtests.evidence.comparison import Compared, Comparison
from backtests.evidence.entries import of_own_states, unknown_said
from backtests.evidence.lead_lag import lead_lag
from backtests.evidence.luck import NO_LOG, Logged
from backtests.evidence.own_mix import BY_VOTES, Rival, mix_of, rival_returns
from backtests.evidence.pair import pair_of
from backtests.evidence.placebo_rank import draw_gains, place
from backtests.evidence.table_luck import TableLuck, table_luck
from backtests.evidence.timing_split import timing_split
from backtests.evidence.workers import workers_of
from backtests.history.panel import History
from backtests.history.prices import benchmark_returns
from backtests.pipeline import history_of, read, run_on
from backtests.progress import Progress, counted, silent
from backtests.runs import Run
from backtests.window import window
from signals.errors import ConfigError
from signals.reading import Reading
from signals.regimes import REGIMES, Classification, Labels, RegimeModel, Votes
from signals.universe import UNIVERSE
from strategies import STRATEGIES

#: A mapping from the key of a price-only regime model to the model and its pending result.
Fits = Mapping[str, tuple[RegimeModel, Future[Classification]]]
#: A function that receives finished runs and returns the logged trials. Trials that equal one of
#: these runs are left out.
TrialLog = Callable[..., Logged]


def no_log(*runs: Run) -> Logged:
    """Return an empty trial log for any runs."""
    return NO_LOG


def default_names() -> tuple[str, ...]:
    """Return the names of the strategies that a comparison includes by default.

    The names include all strategies except the constant mix. Three strategies are also combined
    with each regime model except ``votes`` and ``labels``.
    """
    tilts = ("near-cash-flow", "cash-heavy", "defensive")
    others = (name for name in REGIMES if name not in (Votes.name, Labels.name))
    driven = [f"{tilt}@{model}" for model in others for tilt in tilts]
    return (*(name for name in STRATEGIES if name != "constant-mix"), *driven)


def series_of(configs: Mapping[str, RunConfig]) -> tuple[str, ...]:
    """Return the ids and tickers that a comparison reads from a store, without duplicates."""
    shares = (ticker for ticker, asset in UNIVERSE.items() if asset.market == "stock")
    ids = (id for config in configs.values() for id in config.series())
    return tuple(dict.fromkeys((*ids, "SPY", *shares)))


def compare(
    configs: Mapping[str, RunConfig],
    history: History,
    *,
    reps: int = 1000,
    shifts: int = 1000,
    draws: int = 39,
    workers: int = 1,
    optional: bool = False,
    log: TrialLog = no_log,
    progress: Progress = silent,
) -> Comparison:
    """Return the comparison of strategies on the same sessions of a history.

    A strategy that cannot be run raises ConfigError, DataError or SimulationError.

    Parameters
    ----------
    configs
        A mapping from label to configuration. All rows use the same sessions, from the latest start
        date to the earliest end date in ``configs``. If no configuration has a start, the sessions
        begin on the first session with a regime from the default regime model.
    history
        The market data for all configurations, even if a configuration names another source.
        Sessions after the earliest end date in ``configs`` are left out.
    reps, shifts, draws
        ``reps`` is the number of resamples for the intervals. ``shifts`` is the number of placebos
        with shifted dates. ``draws`` is the number of placebos with resampled returns.
    workers
        Number of processes that estimate regime models and resample returns, as in
        :func:`backtests.evidence.workers.workers_of`.
    optional
        True to leave out each regime model whose package is not installed, and to add a note.
    log
        A function that receives the finished runs and returns the logged trials. Trials that equal
        a finished run are left out. :func:`backtests.sweep.trial_log.other_trials` is an example.
    progress
        A function that receives the name of each step and the number of completed parts.
    """
    configs, notes = in_common_window(configs)
    first = next(iter(configs.values()))
    history = history_of(first, history)
    progress("signals")
    voted = _readings(configs, history)
    index = _sessions(configs, history, voted)
    with workers_of(workers) as pool:
        fits = _fits(configs, history, pool)
        mine = [label for label, config in configs.items() if _model_key(config) not in fits]
        runs = {
            label: _run(configs[label], history, voted[label], index)
            for label in counted(mine, progress, "backtests")
        }
        drawn = drawn_gains(runs, pool, draws)
        rows = {
            label: compared(runs[label], reps) for label in counted(mine, progress, "intervals")
        }
        fitted, left_out = _fitted(fits, optional, progress)
        for label, config in configs.items():
            if (key := _model_key(config)) in fitted:
                reading = voted[label].under(fitted[key])
                rows[label] = compared(run_on(config, history, reading, index), reps)
        gains = [gain for part in counted(drawn, progress, "placebos") for gain in part.result()]
    ordered = {label: rows[label] for label in configs if label in rows}
    regime = next(iter(voted.values())).regime
    return finished(ordered, gains, regime, (*notes, *left_out), reps, shifts, log)


def finished(
    rows: dict[str, Compared],
    gains: list[dict[str, float]],
    regime: pd.Series,
    notes: tuple[str, ...],
    reps: int,
    shifts: int,
    log: TrialLog,
) -> Comparison:
    """Return the comparison of the strategies in ``rows``.

    The comparison contains the ranks among placebos and the tests of luck. If there are exactly two
    rows, the result also contains the direct comparison of the two rows.
    """
    runs = {label: row.run for label, row in rows.items()}
    ranks = place(runs, gains, shifts=shifts)
    placed = {label: replace(row, placebo_rank=ranks[label]) for label, row in rows.items()}
    two = list(runs.items()) if len(runs) == 2 else None
    blind = {label: unknown_said(run) for label, run in runs.items()}
    return Comparison(
        rows=placed,
        regime=regime,
        level=LEVEL,
        reps=reps,
        notes=(*notes, *(f"{label}: {said}" for label, said in blind.items() if said)),
        luck=_luck(placed, log(*runs.values())),
        pair=pair_of(*two, reps=reps) if two else None,
    )


def _luck(rows: Mapping[str, Compared], log: Logged) -> TableLuck:
    first = next(iter(rows.values())).run
    return table_luck(
        pd.DataFrame({label: row.run.excess for label, row in rows.items()}),
        {label: row.mix.returns - row.run.bills for label, row in rows.items()},
        [label for label, row in rows.items() if row.kind == "challenger"],
        rival_returns(first, "spy") - first.bills,
        log=log,
    )


def _signals_key(config: RunConfig) -> Hashable:
    """Return a key that identifies the signals and the voting signals of a configuration."""
    return repr(config.build_signals()), config.more_voters()


def _model_key(config: RunConfig) -> str:
    """Return a text that identifies a configuration's regime model and the model's parameters."""
    return repr(config.build_model())


def _readings(configs: Mapping[str, RunConfig], history: History) -> dict[str, Reading]:
    """Return, for each label, the evaluated signals and the regime from the default model.

    Configurations with equal signals share one ``Reading`` object.
    """
    keys = {label: _signals_key(config) for label, config in configs.items()}
    made: dict[Hashable, Reading] = {}
    for label, key in keys.items():
        if key not in made:
            made[key] = read(configs[label].model_copy(update=BY_VOTES), history)
    return {label: made[key] for label, key in keys.items()}


def _sessions(
    configs: Mapping[str, RunConfig], history: History, voted: Mapping[str, Reading]
) -> pd.DatetimeIndex:
    """Return the sessions of the comparison.

    Each reading in ``voted`` has a window: the sessions from the first decision to the end of the
    history. The result is the shortest window of all readings. If a window is too short to fill an
    order after the longest lag, ConfigError is raised.
    """
    slowest = max(configs.values(), key=lambda config: config.lag)
    windows = [window(slowest, history, reading) for reading in voted.values()]
    return min(windows, key=len)


def drawn_gains(
    runs: Mapping[str, Run], pool: Executor, draws: int
) -> list[Future[list[dict[str, float]]]]:
    """Start :func:`draw_gains`; return its pending results (``Future`` objects).

    Runs with equal history and equal signals are computed together on each resampled history.
    """
    keys = {label: (_signals_key(run.config), id(run.history)) for label, run in runs.items()}
    groups = (
        {label: run for label, run in runs.items() if keys[label] == key}
        for key in dict.fromkeys(keys.values())
    )
    return [future for group in groups for future in draw_gains(group, pool, draws=draws)]


def _fits(configs: Mapping[str, RunConfig], history: History, pool: Executor) -> Fits:
    """Start the slow price-only regime models in ``pool``; return models and pending results."""
    models = {_model_key(config): config.build_model() for config in configs.values()}
    return {
        key: (model, pool.submit(model.classify, history.panel, {}))
        for key, model in models.items()
        if model.price_only
    }


def _fitted(
    fits: Fits, optional: bool, progress: Progress
) -> tuple[dict[str, Classification], tuple[str, ...]]:
    """Return the regimes of each model, and a note for each model whose package is missing."""
    fitted: dict[str, Classification] = {}
    notes: list[str] = []
    for key, (model, fit) in counted(fits.items(), progress, "price-only regime models"):
        try:
            fitted[key] = fit.result()
        except ConfigError as error:
            if not optional:
                raise
            notes.append(f"the regime model {model.name} is left out: {error}")
    return fitted, tuple(notes)


def _run(config: RunConfig, history: History, voted: Reading, index: pd.DatetimeIndex) -> Run:
    classified = config.build_model().classify(history.panel, voted.evaluations)
    return run_on(config, history, voted.under(classified), index)


def compared(run: Run, reps: int) -> Compared:
    """Return a finished run with its tests and with the portfolios that it should beat."""
    mix = mix_of(run)
    spy = benchmark_returns("SPY", run.history, run.sessions, run.bills, run.config.lag)
    others = {"spy": spy, "bills": run.bills, "mix": mix.returns}
    equal = None
    if len(run.strategy.assets) > 1:
        equal = Rival(returns=rival_returns(run, "equal-weight", tickers=run.strategy.assets))
        others["equal_weight"] = equal.returns
    return Compared(
        run=run,
        mix=mix,
        equal_weight=equal,
        intervals=compare_returns(run.result.returns, run.bills, others, reps=reps),
        alpha=own_alpha(run),
        baskets=random_baskets(run),
        observed=of_own_states(run),
        lead_lag=lead_lag(run),
        timing=timing_split(run),
    )
