"""The comparison of strategies with baselines and placebos, after costs and with intervals.

Every strategy runs on the same sessions and uses the same evaluation of the signals. Each strategy
is compared with two other portfolios. The first needs no skill: it is a constant mix of SPY and
bills with the strategy's mean net exposure. The second is equal weights of the strategy's assets,
so it has the same hindsight about assets as the strategy.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from backtests.config import RunConfig, config_from
from backtests.evidence.alpha import Alpha, own_alpha
from backtests.evidence.baskets import random_baskets
from backtests.evidence.bootstrap import Interval, compare_returns
from backtests.evidence.entries import Observed, of_own_states, timing_conclusion
from backtests.evidence.lead_lag import LeadLag, lead_lag
from backtests.evidence.own_mix import BY_VOTES, Beside, mix_of, rival_returns
from backtests.evidence.placebo import Placebo
from backtests.evidence.significance import NO_TIMING, NOT_DRAWN, Significance, draw_gains, place
from backtests.evidence.table_luck import TableLuck, table_luck
from backtests.evidence.timing_split import TimingSplit, timing_split
from backtests.evidence.workers import workers_of
from backtests.history.panel import History
from backtests.pipeline import history_of, read, run_on
from backtests.progress import Progress, counted, silent
from backtests.runs import Run
from backtests.window import window
from signals.errors import ConfigError
from signals.reading import Reading
from signals.regimes import REGIMES, Classification, Labels, Votes
from signals.universe import UNIVERSE
from strategies import STRATEGIES, kind_of

#: Level of the intervals, a fraction.
LEVEL = 0.95
UNPLACED = Significance(placebo=None, note=NOT_DRAWN)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One strategy in a comparison, with its tests and the portfolios that it should beat.

    Attributes
    ----------
    mix
        A constant mix of SPY and bills with the strategy's mean net exposure, which is known only
        at the end of the backtest.
    equal_weight
        Equal weights of the strategy's assets; None if the strategy has fewer than two assets.
    intervals
        Intervals of the strategy's Sharpe ratio and of its advantage over ``spy``, ``bills``,
        ``mix`` and ``equal_weight``. :func:`backtests.evidence.bootstrap.compare_returns` describes
        the intervals.
    alpha, baskets, observed
        The results of :func:`own_alpha`, :func:`random_baskets` and :func:`of_own_states` for the
        strategy.
    lead_lag, timing
        The results of :func:`lead_lag` and :func:`timing_split` for the strategy.
    significance
        The rank of the strategy's timing among placebos.
    """

    run: Run
    mix: Beside
    equal_weight: Beside | None
    intervals: dict[str, Interval]
    alpha: Alpha | None
    baskets: Placebo | None
    observed: Observed | None
    lead_lag: LeadLag | None
    timing: TimingSplit
    significance: Significance = UNPLACED

    @property
    def kind(self) -> str:
        """The kind of the strategy: ``thesis``, ``baseline``, ``challenger`` or ``own``.

        A challenger uses a regime model that reads only prices. An ``own`` strategy comes from the
        user.
        """
        if self.run.config.strategy not in STRATEGIES:
            return "own"
        price_only = REGIMES[self.run.config.regime_model].price_only
        return "challenger" if price_only else kind_of(self.run.strategy)

    @property
    def conclusion(self) -> str:
        """The conclusion about the strategy's timing, in words."""
        placebo = self.significance.placebo
        if self.significance.note == NO_TIMING:
            return "no timing"
        p_value, count = (None, 0) if placebo is None else (placebo.p_value, placebo.n)
        return timing_conclusion(self.observed, p_value, count)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The comparison of strategies on the same sessions.

    Attributes
    ----------
    rows
        A mapping from label to strategy, in the order of the request.
    regime
        The regime at each close, from the default regime model, in which signals vote.
    level, reps
        Level of the intervals as a fraction, and number of resamples.
    notes
        One line for each regime model that was left out, with the reason.
    luck
        The tests of whether the Sharpe ratios of all rows can be luck.
    """

    rows: dict[str, Compared]
    regime: pd.Series
    level: float
    reps: int
    notes: tuple[str, ...]
    luck: TableLuck


def default_names() -> tuple[str, ...]:
    """Return the names that a comparison uses by default.

    The names are all strategies without the constant mix. For every other regime model, three
    strategies are added.
    """
    tilts = ("near-cash-flow", "cash-heavy", "defensive")
    others = (name for name in REGIMES if name not in (Votes.name, Labels.name))
    driven = [f"{tilt}@{model}" for model in others for tilt in tilts]
    return (*(name for name in STRATEGIES if name != "constant-mix"), *driven)


def configs_of(names: Iterable[str], base: Mapping[str, Any]) -> dict[str, RunConfig]:
    """Return a mapping from label to configuration, with one entry for each requested strategy.

    A name that is unknown or given twice raises ConfigError.
    """
    configs: dict[str, RunConfig] = {}
    for name in names:
        config = config_from({**base, "strategy": name})
        if config.label in configs:
            raise ConfigError(
                f"expected each strategy once, but {config.label} is given twice; leave one out"
            )
        configs[config.label] = config
    return configs


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
    logged: Sequence[float] = (),
    logged_effective: float | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Return the comparison of strategies on the same sessions of a history.

    A strategy that cannot be run raises ConfigError, DataError or SimulationError.

    Parameters
    ----------
    configs
        A mapping from label to configuration. Configurations may differ only in strategy,
        parameters and regime model.
    history
        The history. Sessions after the end of the configurations are left out.
    reps, shifts, draws
        Number of resamples for the intervals, number of placebos with shifted dates, and number of
        placebos with resampled returns.
    workers
        Number of processes that estimate regime models and resample returns, as in
        :func:`backtests.evidence.workers.workers_of`.
    optional
        If True, a regime model whose package is not installed is left out, with a note.
    logged, logged_effective
        ``logged`` holds the yearly Sharpe ratio of each strategy in the log of earlier parameter
        sweeps. ``logged_effective`` is the effective number of independent strategies among them.
        :func:`backtests.evidence.luck.luck` describes both parameters.
    progress
        Receives each step, and the number of its parts that are done.
    """
    first = next(iter(configs.values()))
    history = history_of(first, history)
    progress("signals")
    voted = read(first.model_copy(update=BY_VOTES), history)
    index = window(first, history, voted)
    with workers_of(workers) as pool:
        fits = _fits(configs, history, pool)
        mine = [label for label, config in configs.items() if config.regime_model not in fits]
        runs = {
            label: _run(configs[label], history, voted, index)
            for label in counted(mine, progress, "backtests")
        }
        drawn = draw_gains(runs, pool, draws=draws)
        rows = {
            label: _compared(runs[label], reps) for label in counted(mine, progress, "intervals")
        }
        fitted, notes = _fitted(fits, optional, progress)
        for label, config in configs.items():
            if config.regime_model in fitted:
                reading = voted.under(fitted[config.regime_model])
                rows[label] = _compared(run_on(config, history, reading, index), reps)
        gains: list[dict[str, float]] = []
        for part in drawn:
            progress("placebos", len(gains), draws)
            gains += part.result()
    runs = {label: rows[label].run for label in configs if label in rows}
    ranks = place(runs, gains, shifts=shifts)
    placed = {label: replace(rows[label], significance=ranks[label]) for label in runs}
    return Comparison(
        rows=placed,
        regime=voted.regime,
        level=LEVEL,
        reps=reps,
        notes=notes,
        luck=_luck(placed, logged, logged_effective),
    )


def _luck(
    rows: Mapping[str, Compared], logged: Sequence[float], logged_effective: float | None
) -> TableLuck:
    first = next(iter(rows.values())).run
    return table_luck(
        pd.DataFrame(
            {label: row.run.result.returns - row.run.bills for label, row in rows.items()}
        ),
        {label: row.mix.returns - row.run.bills for label, row in rows.items()},
        [label for label, row in rows.items() if row.kind == "challenger"],
        rival_returns(first, "spy") - first.bills,
        logged=logged,
        logged_effective=logged_effective,
    )


def _fits(
    configs: Mapping[str, RunConfig], history: History, pool: Executor
) -> dict[str, Future[Classification]]:
    """Submit the price-only regime models, which are slow, and return their futures by name."""
    names = dict.fromkeys(config.regime_model for config in configs.values())
    models = {name: REGIMES[name]() for name in names if REGIMES[name].price_only}
    return {name: pool.submit(m.classify, history.panel, {}) for name, m in models.items()}


def _fitted(
    fits: Mapping[str, Future[Classification]], optional: bool, progress: Progress
) -> tuple[dict[str, Classification], tuple[str, ...]]:
    """Return the regimes of each model, and a note for each model whose package is missing."""
    fitted: dict[str, Classification] = {}
    notes: list[str] = []
    for name, fit in counted(fits.items(), progress, "rival regime models"):
        try:
            fitted[name] = fit.result()
        except ConfigError as error:
            if not optional:
                raise
            notes.append(f"the regime model {name} is left out: {error}")
    return fitted, tuple(notes)


def _run(config: RunConfig, history: History, voted: Reading, index: pd.DatetimeIndex) -> Run:
    classified = config.build_model().classify(history.panel, voted.evaluations)
    return run_on(config, history, voted.under(classified), index)


def _compared(run: Run, reps: int) -> Compared:
    mix = mix_of(run)
    others = {"spy": run.benchmark, "bills": run.bills, "mix": mix.returns}
    equal = None
    if len(run.strategy.assets) > 1:
        equal = Beside(returns=rival_returns(run, "equal-weight", tickers=run.strategy.assets))
        others["equal_weight"] = equal.returns
    return Compared(
        run=run,
        mix=mix,
        equal_weight=equal,
        intervals=compare_returns(run.result.returns, run.bills, others, reps=reps, level=LEVEL),
        alpha=own_alpha(run),
        baskets=random_baskets(run),
        observed=of_own_states(run),
        lead_lag=lead_lag(run),
        timing=timing_split(run),
    )


def growth_of(comparison: Comparison) -> pd.DataFrame:
    """Return the value of 1 USD invested at the first decision's close, sessions × strategies."""
    equity = pd.DataFrame({label: row.run.result.equity for label, row in comparison.rows.items()})
    return equity / equity.iloc[0]
