"""Where a strategy's timing ranks among placebos, by the kind of placebo that fits its flags."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import pandas as pd

import signals
from backtests.engine.costs import Costs
from backtests.evidence.placebo import Placebo, rank_of, shift_placebo, timing_gain
from backtests.evidence.resampling import resample_prices
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.pipeline import Run, decisions, read
from signals.agnostic import RIVALS
from signals.regime import Reading
from strategies import decide

SHIFTED = "its flags come from quantities: holdings shifted round the circle of dates, exact"
RESAMPLED = (
    "its weights follow prices, so a shift would foresee: returns are resampled in blocks, and "
    "the flags read again on them"
)
NO_TIMING = "it times nothing"
NOT_REFITTED = "not ranked: its regime is a model, which would have to be estimated anew each time"


@dataclass(frozen=True, kw_only=True)
class Luck:
    """A strategy's rank among placebos.

    Attributes
    ----------
    placebo
        None where there is none; ``note`` says why, or how it was made.
    """

    placebo: Placebo | None
    note: str


def place(
    runs: Mapping[str, Run], *, shifts: int, draws: int, seed: int = 0, workers: int = 1
) -> dict[str, Luck]:
    """Return where the timing of each run ranks among placebos.

    Holdings that rest on flags from quantities alone are shifted round the dates. Those that rest
    on prices are decided anew on histories whose returns are resampled; all of them on the same
    ones. A regime of an agnostic rival is not ranked: see :data:`NOT_REFITTED`.

    Parameters
    ----------
    runs
        By label, on the same history and sessions.
    shifts, draws
        How many placebos of each kind; no draws, no rank by resampling.
    seed
        Equal seeds give equal placebos.
    workers
        Processes that resample. More than one import the caller's main module anew, which must
        then guard what it does (``if __name__ == "__main__"``).
    """
    found: dict[str, Luck] = {}
    resampled: dict[str, Run] = {}
    for label, run in runs.items():
        if _still(run):
            found[label] = Luck(placebo=None, note=NO_TIMING)
        elif run.config.driver in RIVALS:
            found[label] = Luck(placebo=None, note=NOT_REFITTED)
        elif _rests_on_quantities(run):
            placebo = shift_placebo(*_given(run), shifts=shifts, seed=seed)
            found[label] = Luck(placebo=placebo, note=SHIFTED)
        elif draws:
            resampled[label] = run
        else:
            found[label] = Luck(placebo=None, note="not ranked: no draws were asked for")
    for label, placebo in _resample(resampled, draws, seed, workers).items():
        found[label] = Luck(placebo=placebo, note=RESAMPLED)
    return {label: found[label] for label in runs}


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
    follows = run.state is not None or run.strategy.uses_prices
    decided = run.decided.to_numpy()
    return not follows or not decided.size or bool((np.ptp(decided, axis=0) < 1e-12).all())


def _rests_on_quantities(run: Run) -> bool:
    strategy = run.strategy
    return (
        strategy.follows_regime and run.config.driver == "quantities" and not strategy.uses_prices
    )


@dataclass(frozen=True, kw_only=True)
class _Redrawn:
    """What deciding on resampled histories needs; sent to each worker once."""

    runs: dict[str, Run]

    def gains(self, seed: int) -> dict[str, float]:
        """Return each run's timing gain on one resampled history."""
        first = next(iter(self.runs.values()))
        panel, closes = resample_prices(first.history.panel, first.history.closes, seed=seed)
        history = replace(first.history, panel=panel, closes=closes)
        voted = read(first.config.model_copy(update={"driver": "votes"}), history)
        readings: dict[str, Reading] = {}
        found = {}
        for label, run in self.runs.items():
            driver = run.config.driver
            if driver not in readings:
                chosen = run.config.build_signals()
                readings[driver] = signals.drive(panel, voted, chosen, driver)
            found[label] = _gain_of(run, history, readings[driver])
        return found


def _gain_of(run: Run, history: History, reading: Reading) -> float:
    """Return what a run's strategy would have gained by timing on another history."""
    index = pd.DatetimeIndex(run.result.equity.index)
    state = run.strategy.state(reading, history.panel)
    when = decisions(run.config, run.strategy, state, index)
    decided = decide(run.strategy, reading, history.panel).loc[when]
    held = in_force(decided, index, run.config.lag)
    bills = bill_returns(history.panel[YIELD], run.config.bill_spread).loc[held.index]
    return timing_gain(held, history.closes.loc[held.index], bills, run.config.costs)


def _resample(runs: Mapping[str, Run], draws: int, seed: int, workers: int) -> dict[str, Placebo]:
    if not runs:
        return {}
    redrawn = _Redrawn(runs={label: _light(run) for label, run in runs.items()})
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(draws)]
    gains = list(_mapped(redrawn, seeds, workers))
    return {
        label: rank_of(timing_gain(*_given(run)), [g[label] for g in gains], "resampled")
        for label, run in runs.items()
    }


def _light(run: Run) -> Run:
    """Return a run without vectorbt's object, which does not travel."""
    return replace(run, result=replace(run.result, portfolio=None))


def _mapped(redrawn: _Redrawn, seeds: list[int], workers: int) -> Iterator[dict[str, float]]:
    """Yield the gains of each seed, in order, from as many processes as asked for."""
    if workers < 2:
        yield from map(redrawn.gains, seeds)
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start, initargs=(redrawn,)
    ) as pool:
        yield from pool.map(_work, seeds)


_STARTED: list[_Redrawn] = []


def _start(redrawn: _Redrawn) -> None:
    _STARTED.append(redrawn)


def _work(seed: int) -> dict[str, float]:
    return _STARTED[-1].gains(seed)
