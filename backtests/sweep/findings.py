"""The findings of a sweep: the best configuration, and how much of its result may be luck."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.effective_trials import BestWithoutSkill
from backtests.evidence.luck import NO_LOG, Logged, Luck, luck
from backtests.evidence.metrics import ROOT_YEAR
from backtests.evidence.overfitting import BLOCKS, Overfitting, overfitting
from backtests.evidence.own_mix import excess_of_mix
from backtests.evidence.track_record import TrackRecord
from backtests.parameter_paths import config_with
from backtests.pipeline import read, run_on
from backtests.progress import Progress, silent
from backtests.runs import Run
from backtests.sweep import trial_log
from backtests.sweep.chunk import SET
from backtests.sweep.plateau import mean_of_neighbours
from backtests.sweep.results import groups_of, read_results
from backtests.sweep.sweep import Swept
from backtests.sweep.trading import METRICS
from signals.errors import SimulationError

#: Largest difference at which two Sharpe ratios count as equal. vectorbt and the compiled engine
#: round differently.
SAME_SHARPE = 1e-9
#: Largest number of configurations that a page compares with their neighbours.
COMPARED = 400


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a sweep found.

    Attributes
    ----------
    table
        One row for each configuration. The columns are parameters, such as ``set.dry_powder.k``,
        and metrics. The column ``refused`` gives the reason if a configuration cannot be simulated.
    refused
        Number of configurations that cannot be simulated. If a configuration cannot be simulated,
        its metrics are NaN.
    best
        Row number in ``table`` of the configuration with the highest Sharpe ratio.
    run
        The run of the best configuration, simulated by vectorbt.
    base_sharpe
        Yearly Sharpe ratio of the base configuration.
    beaten
        Fraction of configurations whose Sharpe ratio is lower than that of the base configuration.
        Configurations without a Sharpe ratio are left out.
    luck
        Two tests of the best configuration. The first test asks whether luck can explain the Sharpe
        ratio of the best configuration, given the number of trials. The second test compares the
        best configuration with a constant mix of SPY and bills. The mix of SPY and bills has the
        same mean exposure as the best configuration.
    overfitting
        Cross-validation of the choice of the best configuration.
    compared, neighbours
        ``compared`` contains row numbers of ``table``. For each row in ``compared``, ``neighbours``
        contains the mean Sharpe ratio of the neighbouring configurations.
        :mod:`backtests.sweep.plateau` defines neighbours.
    neighbourhood
        The mean Sharpe ratio of the neighbours of the best configuration; NaN if it has no
        neighbours.
    effective
        Effective number of independent trials among the configurations of this sweep.
    """

    table: pd.DataFrame
    refused: int
    best: int
    run: Run
    base_sharpe: float
    beaten: float
    luck: Luck
    overfitting: Overfitting
    compared: np.ndarray
    neighbours: np.ndarray
    neighbourhood: float
    effective: float

    @property
    def sharpes(self) -> np.ndarray:
        """Yearly Sharpe ratio of each configuration; an undefined Sharpe ratio is NaN."""
        values: np.ndarray = self.table["sharpe"].to_numpy(dtype=np.float64)
        return values

    @property
    def alike(self) -> bool:
        """Whether all configurations with a Sharpe ratio have the same Sharpe ratio.

        If fewer than two configurations have a Sharpe ratio, the result is False.
        """
        return _alike(self.sharpes)


def find(swept: Swept, progress: Progress = silent) -> Findings:
    """Return the findings of a finished sweep, and add its trials to the trial log.

    If no configuration has a Sharpe ratio, SimulationError is raised. The trials of a sweep on a
    simulated history are not logged.
    """
    progress("results")
    table, sharpes = _rows(swept)
    best = int(np.nanargmax(sharpes))
    progress("simulating the best configuration with vectorbt")
    run = _run_of(swept, best)
    _check(run, sharpes[best])
    progress("testing whether the best result is luck")
    base, effective = _sharpe(swept.base), independent_trials(swept)
    compared = _compared(sharpes)
    near = mean_of_neighbours(swept.case.design, sharpes, np.append(compared, best))
    return Findings(
        table=table,
        refused=int(table["refused"].notna().sum()),
        best=best,
        run=run,
        base_sharpe=base,
        beaten=float((sharpes[np.isfinite(sharpes)] < base - SAME_SHARPE).mean()),
        luck=_luck(swept, run, sharpes, effective),
        overfitting=overfitting(_moments(swept)[: 1 if _alike(sharpes) else None]),
        compared=compared,
        neighbours=near[:-1],
        neighbourhood=float(near[-1]),
        effective=effective,
    )


def _rows(swept: Swept) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the parameters and metrics of all configurations, and their Sharpe ratios."""
    parameters = [SET + path for path in swept.case.design.paths]
    table = read_results(swept.path, [*parameters, *METRICS, "refused"]).to_pandas()
    sharpes = table["sharpe"].to_numpy(dtype=np.float64)
    if not np.isfinite(sharpes).any():
        raise SimulationError(
            "expected a configuration with a Sharpe ratio, but none has one: each holds only bills "
            "or cannot be simulated; choose other values"
        )
    return table, sharpes


def _run_of(swept: Swept, at: int) -> Run:
    """Run one configuration on the sessions of the sweep; vectorbt simulates the trades."""
    config = config_with(swept.request.config, swept.case.design.values(at))
    history = swept.base.history
    return run_on(config, history, read(config, history), swept.case.index)


def _alike(sharpes: np.ndarray) -> bool:
    finite = sharpes[np.isfinite(sharpes)]
    return len(finite) > 1 and bool(np.ptp(finite) <= SAME_SHARPE)


def _sharpe(run: Run) -> float:
    return TrackRecord.from_returns(run.excess).sharpe * ROOT_YEAR


def _check(run: Run, compiled: float) -> None:
    """Raise SimulationError if vectorbt and the compiled engine give different Sharpe ratios."""
    gap = abs(_sharpe(run) - compiled)
    if not gap <= SAME_SHARPE:
        raise SimulationError(
            f"{run.label}: expected vectorbt and the compiled engine to agree on the best "
            f"configuration, but their Sharpe ratios differ by {gap:.2g}; delete the folder and "
            "run the sweep again, or report this defect"
        )


def independent_trials(swept: Swept) -> float:
    """Return the effective number of independent trials among the configurations.

    The function uses monthly returns minus the return of bills.
    :mod:`backtests.evidence.effective_trials` describes the method. If the sweep covers less than
    three years, the function finds too few independent trials. For example, for 1,000 independent
    trials, the function returns about 370 with 12 months of returns, and about 650 with 24 months
    of returns. The rows are read in groups, so more rows do not need more memory.
    """
    best: BestWithoutSkill | None = None
    for group in groups_of(swept.path, ["monthly"]):
        monthly = _array(group["monthly"])
        best = BestWithoutSkill(monthly.shape[1]) if best is None else best
        best.add(monthly[np.isfinite(monthly).all(axis=1)])
    return 1.0 if best is None else best.effective()


def _moments(swept: Swept) -> np.ndarray:
    """Return the count, the sum and the sum of squares of returns in each block of sessions.

    A return is the configuration's return minus the return of bills. The array has the shape
    configurations × blocks × 3.

    Configurations that cannot be simulated are left out.
    """
    found = [_array(group["moments"]) for group in groups_of(swept.path, ["moments"])]
    moments = np.concatenate(found).reshape(-1, BLOCKS, 3)
    sound: np.ndarray = moments[np.isfinite(moments).all(axis=(1, 2))]
    return sound


def _array(column: object) -> np.ndarray:
    """Return a column of lists of equal length as an array, one row for each list."""
    joined = column.combine_chunks()  # type: ignore[attr-defined]
    values: np.ndarray = joined.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(joined), -1)


def _luck(swept: Swept, run: Run, sharpes: np.ndarray, effective: float) -> Luck:
    """Return the tests of the best configuration, and add the trials of the sweep to the log.

    Trials of earlier sweeps come from the log. The log contains no returns. So the function adds up
    the numbers of independent trials from all sweeps. If two sweeps have similar trials, the sum is
    too large, which makes the tests stricter.
    """
    return luck(
        run.excess,
        mix=excess_of_mix(run),
        trials=sharpes,
        effective=effective,
        log=_earlier(swept, sharpes, effective),
    )


def _earlier(swept: Swept, sharpes: np.ndarray, effective: float) -> Logged:
    """Add the trials of a sweep to the log, and return the logged trials of other sweeps.

    If the sweep repeats a logged trial, the logged trial is left out. A simulated history has no
    log.
    """
    if swept.base.simulated:
        return NO_LOG
    names = read_results(swept.path, ["trial"])["trial"].to_pylist()
    tried = trial_log.Trials(
        sweep=swept.sweep_id,
        strategy=swept.request.config.label,
        data=swept.base.history.digest(),
        sessions=len(swept.base.result.returns),
        effective=effective,
        trials=names,
        sharpes=sharpes,
    )
    store = swept.request.config.store_path()
    trial_log.add(store, tried)
    return trial_log.known_trials(store, without=names)


def _compared(sharpes: np.ndarray) -> np.ndarray:
    """Choose configurations to compare with their neighbours, and return their row numbers.

    The result contains the best configurations. The result also contains every n-th of the
    remaining configurations, in the order of the Sharpe ratio.
    """
    order = np.argsort(np.where(np.isfinite(sharpes), -sharpes, np.inf), kind="stable")
    order = order[: int(np.isfinite(sharpes).sum())]
    first = min(COMPARED // 4, len(order))
    rest = order[first:]
    step = max(1, math.ceil(len(rest) / (COMPARED - first)))
    return np.concatenate([order[:first], rest[::step]])
