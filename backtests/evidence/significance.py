"""Where a strategy's timing ranks among placebos, by the kind of placebo that fits its flags."""

from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import signals
from backtests.engine.costs import Costs
from backtests.evidence.metrics import ROUNDING
from backtests.evidence.placebo import Placebo, rank_of, shift_placebo, timing_gain
from backtests.evidence.resampling import resample_prices
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.pipeline import decided_on
from backtests.runs import Run
from signals.reading import Reading
from signals.regimes import Labels, Quantities, RegimeModel

SHIFTED = "its flags come from quantities: holdings shifted round the circle of dates, exact"
RESAMPLED = (
    "its weights follow prices, so a shift would foresee: returns are resampled in blocks of a "
    "year, and the flags read again on them; such ranks lean high"
)
#: Mean rank by resampling on SIMULATED economies whose quantities say nothing about prices; 0.5
#: would be fair. By ``benchmarks/placebo.py --resampled``: 40 seeds, so each is sure to about 0.04.
MEAN_RANKS = {"cash-heavy": 0.58, "near-cash-flow": 0.63, "vol-target": 0.61, "trend": 0.56}
NO_TIMING = "it times nothing"
TOO_SHORT = "not ranked: too few sessions after the first fill"
NOT_DRAWN = "not ranked: no histories were drawn"
NOT_REFITTED = "not ranked: its regime is a model, which would have to be estimated anew each time"

#: Returns below which there is nothing to rank.
FEWEST = 21
#: Parts that draws are dealt into: enough to keep a few processes busy.
PARTS = 8


def leaning_said() -> str:
    """Return in a sentence how far ranks by resampling lie from fair ones."""
    low, high = min(MEAN_RANKS.values()), max(MEAN_RANKS.values())
    return (
        "Ranks by resampled returns lean high: in simulated worlds whose quantities say nothing "
        f"they averaged {low:.2f} to {high:.2f} by strategy, not 0.50 (benchmarks/placebo.py)."
    )


@dataclass(frozen=True, kw_only=True)
class Significance:
    """A strategy's rank among placebos.

    Attributes
    ----------
    placebo
        None where there is none; ``note`` says why, or how it was made.
    """

    placebo: Placebo | None
    note: str


def draw_gains(
    runs: Mapping[str, Run], pool: Executor, *, draws: int, seed: int = 0
) -> list[Future[list[dict[str, float]]]]:
    """Submit the timing gains of those runs that follow prices on resampled histories.

    Parameters
    ----------
    runs
        By label, on the same history and sessions.
    pool
        Does the work, a part of the draws at a time.
    draws
        Histories.
    seed
        Equal seeds give equal histories, the first ones also when more are asked for.

    Returns
    -------
    For each part, what will be a gain a run for each of its draws.
    """
    chosen = {label: _light(run) for label, run in runs.items() if _how(run) == RESAMPLED}
    if not chosen or not draws:
        return []
    redrawn = _Redrawn(runs=chosen)
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(draws)]
    parts = [seeds[i::PARTS] for i in range(min(PARTS, draws))]
    return [pool.submit(redrawn.gains, part) for part in parts]


def place(
    runs: Mapping[str, Run], gains: list[dict[str, float]], *, shifts: int = 1000, seed: int = 0
) -> dict[str, Significance]:
    """Return where the timing of each run ranks among placebos.

    Holdings that rest on flags from quantities alone are shifted round the dates. Those that rest
    on prices are decided anew on histories whose returns are resampled. The regime of a model of
    prices alone is not ranked: see :data:`NOT_REFITTED`. Ranks by resampling lean high by what
    :data:`MEAN_RANKS` says, since the look-backs of flags reach over the joints of blocks.

    Parameters
    ----------
    runs
        By label, on the same history and sessions.
    gains
        Of :func:`draw_gains`, a dictionary a draw; without any there is no rank by resampling.
    shifts
        How many, see :func:`backtests.evidence.placebo.shift_placebo`.
    seed
        Equal seeds give equal shifts.
    """
    return {label: _placed(label, run, gains, shifts, seed) for label, run in runs.items()}


def _placed(
    label: str, run: Run, gains: list[dict[str, float]], shifts: int, seed: int
) -> Significance:
    how = _how(run)
    if how == SHIFTED:
        return Significance(placebo=shift_placebo(*_given(run), shifts=shifts, seed=seed), note=how)
    if how == RESAMPLED and gains:
        others = [gain[label] for gain in gains]
        true = timing_gain(*_given(run))
        return Significance(placebo=rank_of(true, others, "resampled"), note=how)
    return Significance(placebo=None, note=NOT_DRAWN if how == RESAMPLED else how)


def _how(run: Run) -> str:
    """Return the kind of placebo that fits a run's flags, or why there is none."""
    if not len(run.decided.columns) or _still(run):
        return NO_TIMING
    if len(run.result.returns) - run.config.lag < FEWEST:
        return TOO_SHORT
    model = run.config.build_model()
    if model.price_only:
        return NOT_REFITTED
    return SHIFTED if _shifts(run, model) else RESAMPLED


def in_force(decided: pd.DataFrame, index: pd.DatetimeIndex, lag: int) -> pd.DataFrame:
    """Return the target weights in force at each close from the first fill on.

    Parameters
    ----------
    decided
        Weights by session of the decision.
    index
        Sessions of the run.
    lag
        Sessions from decision to fill.
    """
    return decided.reindex(index).ffill().shift(lag).iloc[lag:]


def _given(run: Run) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, Costs]:
    held = in_force(run.decided, pd.DatetimeIndex(run.result.equity.index), run.config.lag)
    bills = run.result.bills.loc[held.index]
    return held, run.history.closes.loc[held.index], bills, run.config.costs


def _still(run: Run) -> bool:
    """Return whether the weights never change but for what is listed."""
    listings = run.history.panel.reindex(columns=run.decided.columns).notna().loc[run.decided.index]
    for _, rows in run.decided.groupby([listings[asset] for asset in listings]):
        if (np.ptp(rows.to_numpy(), axis=0) > ROUNDING).any():
            return False
    return True


def _shifts(run: Run, model: RegimeModel) -> bool:
    """Return whether a run's weights may be shifted round the dates.

    A user's labels cannot be made anew on another history, so they are always shifted.
    """
    by_stocks_and_flows = run.strategy.price_free and isinstance(model, Quantities)
    return by_stocks_and_flows or isinstance(model, Labels)


@dataclass(frozen=True, kw_only=True)
class _Redrawn:
    """Runs that are decided anew on resampled histories."""

    runs: dict[str, Run]

    def gains(self, seeds: list[int]) -> list[dict[str, float]]:
        """Return each run's timing gain on each of some resampled histories."""
        return [self._gains(seed) for seed in seeds]

    def _gains(self, seed: int) -> dict[str, float]:
        for run in self.runs.values():
            run.config.strategy_class()  # a user's class is guarded where it is loaded
        first = next(iter(self.runs.values()))
        since = pd.Timestamp(first.result.equity.index[0])
        panel, closes = resample_prices(
            first.history.panel, first.history.closes, seed=seed, since=since
        )
        history = replace(first.history, panel=panel, closes=closes)
        chosen = first.config.build_signals()
        voted = signals.read(panel, chosen, first.config.more_voters())
        models = {run.config.regime_model: run.config.build_model() for run in self.runs.values()}
        readings = {
            name: voted.under(model.classify(panel, voted.evaluations))
            for name, model in models.items()
        }
        return {
            label: gain_on(run, history, readings[run.config.regime_model])
            for label, run in self.runs.items()
        }


def gain_on(run: Run, history: History, reading: Reading) -> float:
    """Return what a run's strategy would have gained by timing on another history.

    Parameters
    ----------
    run
        Says the strategy, its costs, and the sessions.
    history, reading
        The other history and what was read on it, with those sessions.
    """
    index = pd.DatetimeIndex(run.result.equity.index)
    _, decided = decided_on(run.config, run.strategy, reading, history.panel, index)
    held = in_force(decided, index, run.config.lag)
    bills = bill_returns(history.panel[YIELD], run.config.bill_spread).loc[held.index]
    return timing_gain(held, history.closes.loc[held.index], bills, run.config.costs)


def _light(run: Run) -> Run:
    """Return a run without what need not travel: vectorbt's object, moments of knowledge."""
    known = run.history.known.iloc[:, :0]
    return replace(
        run,
        history=replace(run.history, known=known),
        result=replace(run.result, account=None),
    )
