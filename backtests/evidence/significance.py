"""The rank of a strategy's timing among placebos of the kind that fits its flags."""

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

SHIFTED = (
    "the flags come from quantities, so the holdings are shifted round the circle of dates; the "
    "rank is exact"
)
RESAMPLED = (
    "the weights follow prices, and a shift would let them foresee prices; so returns are "
    "resampled in blocks of a year, and the flags are read on the resampled history; the rank is "
    "too high on average"
)
#: Mean rank by resampling in SIMULATED economies whose quantities do not move prices. A fair mean
#: is 0.5. Measured by ``benchmarks/placebo.py --resampled`` with 40 seeds, to about 0.04.
MEAN_RANKS = {"cash-heavy": 0.58, "near-cash-flow": 0.63, "vol-target": 0.61, "trend": 0.56}
NO_TIMING = "its weights never change, so there is no timing"
TOO_SHORT = "not ranked: too few sessions after the first fill"
NOT_DRAWN = "not ranked: no histories were drawn"
NOT_REFITTED = "not ranked: each placebo would need a new estimate of its regime model"

#: Least number of returns for a rank.
FEWEST = 21
#: Number of parts into which draws are divided, enough to keep a few processes busy.
PARTS = 8


def leaning_said() -> str:
    """Return a sentence on the bias of ranks by resampling."""
    low, high = min(MEAN_RANKS.values()), max(MEAN_RANKS.values())
    return (
        "Ranks by resampled returns are too high on average: in simulated worlds whose quantities "
        f"do not move prices they average {low:.2f} to {high:.2f} by strategy, not 0.50 "
        "(benchmarks/placebo.py)."
    )


@dataclass(frozen=True, kw_only=True)
class Significance:
    """The rank of a strategy among placebos.

    Attributes
    ----------
    placebo
        The placebo with the rank; None for a strategy that is not ranked.
    note
        How the placebos were made, or why there are none.
    """

    placebo: Placebo | None
    note: str


def draw_gains(
    runs: Mapping[str, Run], pool: Executor, *, draws: int, seed: int = 0
) -> list[Future[list[dict[str, float]]]]:
    """Return futures of the timing gains, on resampled histories, of the runs that follow prices.

    Parameters
    ----------
    runs
        Runs by label, on the same history and sessions.
    pool
        The executor, which gets one part of the draws at a time.
    draws
        Number of histories.
    seed
        Equal seeds give equal histories. More draws keep the first histories.

    Returns
    -------
    One future per part. Its result has one dictionary per draw: the gain of each run by label.
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
    """Return the rank of each run's timing among placebos, by label.

    Holdings that rest only on quantities are shifted round the dates. Holdings that rest on prices
    are decided again on histories with resampled returns. A run by a price-only regime model is
    not ranked, see :data:`NOT_REFITTED`. Ranks by resampling are too high on average, since the
    look-backs of flags reach over the joints of blocks; :data:`MEAN_RANKS` holds the averages.

    Parameters
    ----------
    runs
        Runs by label, on the same history and sessions.
    gains
        Results of :func:`draw_gains`, one dictionary per draw. Without them no run is ranked by
        resampling.
    shifts
        Number of shifts, see :func:`backtests.evidence.placebo.shift_placebo`.
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
    """Return the kind of placebo that fits a run's flags, or the reason for none."""
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
        Target weights by session of the decision, fractions.
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
    """Return whether the weights change only when an asset is listed or delisted."""
    listings = run.history.panel.reindex(columns=run.decided.columns).notna().loc[run.decided.index]
    for _, rows in run.decided.groupby([listings[asset] for asset in listings]):
        if (np.ptp(rows.to_numpy(), axis=0) > ROUNDING).any():
            return False
    return True


def _shifts(run: Run, model: RegimeModel) -> bool:
    """Return whether a run's weights may be shifted round the dates.

    A user's labels do not exist for another history, so they are always shifted.
    """
    by_stocks_and_flows = run.strategy.price_free and isinstance(model, Quantities)
    return by_stocks_and_flows or isinstance(model, Labels)


@dataclass(frozen=True, kw_only=True)
class _Redrawn:
    """Runs whose decisions are taken again on resampled histories."""

    runs: dict[str, Run]

    def gains(self, seeds: list[int]) -> list[dict[str, float]]:
        """Return the timing gain of each run on each resampled history."""
        return [self._gains(seed) for seed in seeds]

    def _gains(self, seed: int) -> dict[str, float]:
        for run in self.runs.values():
            run.config.strategy_class()  # loads a user's class with its checks
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
    """Return the timing gain of a run's strategy on another history.

    Parameters
    ----------
    run
        A finished run, whose strategy, costs and sessions apply.
    history, reading
        The other history and its reading, which cover these sessions.
    """
    index = pd.DatetimeIndex(run.result.equity.index)
    _, decided = decided_on(run.config, run.strategy, reading, history.panel, index)
    held = in_force(decided, index, run.config.lag)
    bills = bill_returns(history.panel[YIELD], run.config.bill_spread).loc[held.index]
    return timing_gain(held, history.closes.loc[held.index], bills, run.config.costs)


def _light(run: Run) -> Run:
    """Return a run without the data that workers do not need, so that it is quick to send."""
    known = run.history.known.iloc[:, :0]
    return replace(
        run,
        history=replace(run.history, known=known),
        result=replace(run.result, account=None),
    )
