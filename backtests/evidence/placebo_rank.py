"""The rank of a strategy's timing among placebos.

The kind of placebo depends on the data from which the flags are computed.
"""

from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.evidence.metrics import ROUNDING
from backtests.evidence.placebo import Placebo, rank_of, shift_placebo, timing_gain
from backtests.evidence.resampling import is_resampled, resample_prices
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.pipeline import decisions
from backtests.runs import Run
from signals.base import Signal
from signals.evaluations import Evaluations, inputs_of
from signals.params import check_whole
from signals.reading import Reading
from signals.regimes import Labels, Quantities
from signals.registry import SIGNALS
from strategies import decide, state_of

#: How a strategy's timing is ranked, or why it is not ranked. :data:`NOTES` explains each method.
Method = Literal[
    "shifted", "labelled", "resampled", "no_timing", "too_short", "not_drawn", "not_refitted"
]
#: The sentence of each method, as reports show it.
NOTES: Mapping[Method, str] = {
    "shifted": (
        "the flags are computed from quantities, so placebos shift the dates of the holdings. The "
        "rank is exact if no asset is listed or delisted during the run"
    ),
    "labelled": (
        "the regime comes from a file of labels, which has no labels for resampled returns. "
        "Placebos therefore shift the dates of the holdings. The rank is exact if the weights and "
        "the labels do not depend on prices"
    ),
    "resampled": (
        "the weights depend on prices, so a shifted weight could come before the price move that "
        "caused this weight. Placebos therefore resample returns in blocks of a year and compute "
        "the flags again. The rank is too high on average"
    ),
    "no_timing": (
        "the weights change only if an asset is listed or delisted, so there is no timing"
    ),
    "too_short": "not ranked: too few sessions after the first fill",
    "not_drawn": "not ranked: no histories were resampled",
    "not_refitted": "not ranked: each placebo would need a new estimate of the regime model",
}
#: Mean rank among resampled placebos, in SIMULATED economies whose quantities do not move prices.
#: An unbiased rank has a mean of 0.5. ``benchmarks/placebo.py --resampled`` measures the mean from
#: 40 seeds, with a standard error of about 0.04.
MEAN_RANKS = {"cash-heavy": 0.58, "near-cash-flow": 0.63, "vol-target": 0.61, "trend": 0.56}
#: A run gets a rank only if it has at least this many returns after the first possible fill.
FEWEST = 21
#: Number of parts into which the draws are divided, for several processes.
PARTS = 8


def leaning_said() -> str:
    """Return a warning that ranks from resampled returns are too high on average."""
    low, high = min(MEAN_RANKS.values()), max(MEAN_RANKS.values())
    return (
        "If placebos resample returns, the rank of a strategy is too high on average. An unbiased "
        f"rank has a mean of 0.50. Measured mean ranks of strategies are {low:.2f} to {high:.2f}. "
        "These ranks come from simulated economies in which quantities do not move prices "
        "(benchmarks/placebo.py)."
    )


@dataclass(frozen=True, kw_only=True)
class PlaceboRank:
    """The rank of a strategy's timing among placebos, and the kind of placebo.

    If the strategy has no rank, ``placebo`` is None, and ``method`` gives the reason.
    """

    placebo: Placebo | None
    method: Method

    @property
    def note(self) -> str:
        """A sentence: how the strategy was ranked, or why it has no rank."""
        return NOTES[self.method]


def draw_gains(
    runs: Mapping[str, Run], pool: Executor, *, draws: int, seed: int = 0
) -> list[Future[list[dict[str, float]]]]:
    """Start the calculation of timing gains on resampled histories; return pending results.

    Only runs that depend on prices are included. All runs must have the same history, sessions and
    signals. Equal seeds give equal resampled histories. If ``draws`` is increased, new histories
    are added and the earlier histories stay the same. The draws are divided among the returned
    ``Future`` objects. Each ``Future`` returns a list with one mapping for each draw. Each mapping
    contains the timing gain of each run, with the label of the run as key.
    """
    check_whole("draws", draws, 0)
    chosen = {label: _light(run) for label, run in runs.items() if _how(run) == "resampled"}
    if not chosen or not draws:
        return []
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(draws)]
    parts = [seeds[i::PARTS] for i in range(min(PARTS, draws))]
    return [pool.submit(_gains, chosen, part) for part in parts]


def place(
    runs: Mapping[str, Run], gains: list[dict[str, float]], *, shifts: int = 1000
) -> dict[str, PlaceboRank]:
    """Return a mapping from each run's label to the rank of the run's timing among placebos.

    If weights depend only on quantities, placebos shift the dates of the weights. If weights depend
    on prices, placebos compute new weights on histories with resampled returns. A run with a
    price-only regime model has no rank. All runs must have the same history and sessions. ``gains``
    contains the results of :func:`draw_gains`: one mapping for each draw. ``gains`` can also
    contain the results of several calls of :func:`draw_gains` for different runs. If ``gains`` is
    empty, no run is ranked by resampling.
    :func:`backtests.evidence.placebo.shift_placebo` describes ``shifts``.
    """
    return {label: _placed(label, run, gains, shifts) for label, run in runs.items()}


def _placed(label: str, run: Run, gains: list[dict[str, float]], shifts: int) -> PlaceboRank:
    how = _how(run)
    if how in ("shifted", "labelled"):
        terms = terms_of(run, run.decided, run.history)
        return PlaceboRank(placebo=shift_placebo(*terms, shifts=shifts), method=how)
    if how == "resampled" and gains:
        others = [gain[label] for gain in gains if label in gain]
        true = timing_gain(*terms_of(run, run.decided, run.history))
        return PlaceboRank(placebo=rank_of(true, others, "resampled"), method=how)
    return PlaceboRank(placebo=None, method="not_drawn" if how == "resampled" else how)


def _how(run: Run) -> Method:
    """Return the kind of placebo for a run, or the reason why the run has no rank."""
    if not len(run.decided.columns) or is_still(run):
        return "no_timing"
    if len(run.result.returns) - run.config.lag < FEWEST:
        return "too_short"
    model = run.config.build_model()
    if model.price_only:
        return "not_refitted"
    if isinstance(model, Labels):  # no labels exist for resampled returns
        return "labelled"
    by_quantities = run.strategy.price_free and isinstance(model, Quantities)
    return "shifted" if by_quantities else "resampled"


def in_force(decided: pd.DataFrame, index: pd.DatetimeIndex, lag: int) -> pd.DataFrame:
    """Return the target weights that are in force at each close, from the first fill on.

    ``decided`` contains target weights, one row per decision session. ``index`` contains the
    sessions of the run. ``lag`` is the number of sessions from decision to fill.
    """
    return decided.reindex(index).ffill().shift(lag).iloc[lag:]


def terms_of(
    run: Run, decided: pd.DataFrame, history: History
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, Costs]:
    """Return the four inputs of :func:`timing_gain`, for decisions within a run's sessions."""
    held = in_force(decided, run.sessions, run.config.lag)
    bills = bill_returns(history.panel[YIELD], run.config.bill_spread).loc[held.index]
    return held, history.closes.loc[held.index], bills, run.config.costs


def is_still(run: Run) -> bool:
    """Return whether the weights change only when an asset is listed or delisted."""
    listings = run.history.panel.reindex(columns=run.decided.columns).notna().loc[run.decided.index]
    groups = run.decided.groupby([listings[asset] for asset in listings])
    return not any((np.ptp(rows.to_numpy(), axis=0) > ROUNDING).any() for _, rows in groups)


def _gains(runs: dict[str, Run], seeds: list[int]) -> list[dict[str, float]]:
    """Return the timing gain of each run on each resampled history.

    Each run makes new decisions on each resampled history.
    """
    first = next(iter(runs.values()))
    for run in runs.values():
        run.config.strategy_class()  # the call loads and checks a user's class
    chosen = first.config.build_signals()
    fixed = fixed_evaluations(first, chosen)
    built = {label: run.config.build_model() for label, run in runs.items()}
    models = {repr(model): model for model in built.values()}
    gains = []
    for seed in seeds:
        panel, closes = resample_prices(
            first.history.panel, first.history.closes, seed=seed, since=first.sessions[0]
        )
        history = replace(first.history, panel=panel, closes=closes)
        evaluations = Evaluations(panel, chosen, earlier=fixed)
        drawn = replace(first.reading, evaluations=evaluations)
        readings = {
            name: drawn.under(model.classify(panel, evaluations)) for name, model in models.items()
        }
        gains.append(
            {
                label: gain_on(run, history, readings[repr(built[label])])
                for label, run in runs.items()
            }
        )
    return gains


def fixed_evaluations(run: Run, chosen: Mapping[str, Signal]) -> Evaluations:
    """Return the evaluations of the signals that read no resampled series.

    A signal that reads no resampled series has the same evaluation on each resampled history. A
    user's signal is evaluated on each history. A user's signal could read a series that its
    ``inputs`` do not name.
    """
    panel, closes = run.history.panel, run.history.closes
    moved = {id for id in panel if is_resampled(str(id), closes)}
    ours = {name: signal for name, signal in chosen.items() if name in SIGNALS}
    fixed = {name: s for name, s in ours.items() if moved.isdisjoint(inputs_of(s, chosen))}
    return Evaluations(panel, fixed, earlier=run.reading.evaluations)


def gain_on(run: Run, history: History, reading: Reading) -> float:
    """Return the timing gain of a run's strategy on another history with the same sessions."""
    strategy, panel = run.strategy, history.panel
    state = None if strategy.only_scheduled else state_of(strategy, reading, panel)
    weights = decide(strategy, reading, panel)
    decided = weights.loc[decisions(strategy, state, run.sessions, run.config.schedule)]
    return timing_gain(*terms_of(run, decided, history))


def _light(run: Run) -> Run:
    """Return a run with only the data that worker processes need, for a fast transfer."""
    history = replace(run.history, known=run.history.known.iloc[:, :0])
    return replace(run, history=history, result=replace(run.result, account=None))
