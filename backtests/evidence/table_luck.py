"""Tests whether luck can explain the Sharpe ratios of the strategies in a table.

A reader usually picks the best strategy of a table. So each strategy is compared with a Sharpe
ratio that the best strategy could reach by luck. Three other tests judge the choice of the best
strategy: overfitting, superior ability and the Model Confidence Set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.effective_trials import effective_trials
from backtests.evidence.luck import NO_LOG, Logged, Luck, luck, p_said
from backtests.evidence.metrics import FULL_YEAR, ROOT_YEAR, ROUNDING
from backtests.evidence.overfitting import Overfitting, block_moments, overfitting
from backtests.evidence.superiority import SET_SIZE, Superiority, confidence_set, superiority
from backtests.plural import joined

#: Name of the benchmark if no challenger has a Sharpe ratio.
SPY = "SPY"


@dataclass(frozen=True, kw_only=True)
class TableLuck:
    """Tests whether luck can explain the Sharpe ratios of the strategies in a table.

    Attributes
    ----------
    rows
        A mapping from each label to the tests of the strategy.
    effective
        Effective number of independent trials among the rows.
    overfitting
        The test for overfitting. The sessions are split into two halves in many ways. For each
        split, the test chooses the strategy with the best Sharpe ratio in one half. The test counts
        the splits in which the chosen strategy is at or below the median in the other half. None if
        there is too little data, or if fewer than two strategies have a Sharpe ratio.
    superiority
        The SPA and StepM tests: whether a row is better than the best challenger. The best
        challenger itself is not tested. If no challenger has a Sharpe ratio, SPY takes the place of
        the best challenger. None if there is too little data.
    confidence
        P-value of each row in the Model Confidence Set. Empty if there is too little data, or if
        fewer than two rows have a Sharpe ratio.
    """

    rows: dict[str, Luck]
    effective: float
    overfitting: Overfitting | None
    superiority: Superiority | None
    confidence: dict[str, float]


def table_luck(
    excess: pd.DataFrame,
    mixes: Mapping[str, pd.Series],
    challengers: Sequence[str],
    benchmark: pd.Series,
    *,
    log: Logged = NO_LOG,
) -> TableLuck:
    """Return tests of whether luck can explain the Sharpe ratios in a table of strategies.

    Parameters
    ----------
    excess
        Simple daily returns minus bills, as fractions: sessions × strategies.
    mixes
        A mapping from the label of a strategy to the daily returns of a constant mix, minus the
        returns of bills. The constant mix holds SPY and bills, and has the strategy's mean net
        exposure.
    challengers
        Labels of the rows that are challengers. The challenger with the highest Sharpe ratio is the
        benchmark of SPA and StepM.
    benchmark
        Daily returns of SPY minus bills. SPY is the benchmark if no challenger has a Sharpe ratio.
    log
        The trials in the log of earlier sweeps.

    Notes
    -----
    The best challenger is chosen with hindsight, so it is harder to beat than a benchmark chosen in
    advance. The tests of overfitting, SPA and the Model Confidence Set need at least a year of
    returns and at least two rows. The tests of overfitting and the Model Confidence Set leave out
    rows without a Sharpe ratio, and need at least two rows with a Sharpe ratio.
    """
    sharpes = _sharpes(excess)
    effective = effective_trials(excess.to_numpy(dtype=np.float64).T)
    rows = {
        str(name): luck(
            excess[name],
            mix=mixes.get(str(name)),
            trials=sharpes.to_numpy(),
            effective=effective,
            log=log,
        )
        for name in excess
    }
    enough = len(excess) >= FULL_YEAR and excess.shape[1] > 1
    rated = excess.loc[:, sharpes.notna()]
    is_choice = enough and rated.shape[1] > 1
    return TableLuck(
        rows=rows,
        effective=effective,
        overfitting=_overfitting(rated) if is_choice else None,
        superiority=_superiority(excess, sharpes, challengers, benchmark) if enough else None,
        confidence=confidence_set(rated) if is_choice else {},
    )


def table_verdict(found: TableLuck) -> str:
    """Return sentences about the choice of the best row; an empty text if there is no test."""
    said = []
    if found.overfitting is not None:
        said.append(
            "The sessions are split into two halves in many ways. In "
            f"{100 * found.overfitting.probability:.0f} % of the splits, the row with the best "
            "Sharpe ratio in one half is at or below the median row in the other half (PBO)."
        )
    if found.superiority is not None:
        benchmark, better = found.superiority.benchmark, found.superiority.superior
        rows = f"{joined(better) or 'no row'} {'are' if len(better) > 1 else 'is'}"
        said.append(
            "If all rows are scaled to equal volatility, the test of superior ability against "
            f"{benchmark} gives {p_said(found.superiority.p_value)} (SPA). At the 5 % level, "
            f"{rows} better than {benchmark} (StepM)."
        )
    if found.confidence:
        said.append(
            f"At the 90 % level, {sum(p > SET_SIZE for p in found.confidence.values())} of "
            f"{len(found.confidence)} rows cannot be distinguished from the best row (Model "
            "Confidence Set)."
        )
    return " ".join(said)


def _sharpes(excess: pd.DataFrame) -> pd.Series:
    """Return the yearly Sharpe ratio of each column; NaN if a column does not vary."""
    spread = excess.std()
    sharpes: pd.Series = excess.mean() / spread.where(spread >= ROUNDING) * ROOT_YEAR
    return sharpes


def _overfitting(excess: pd.DataFrame) -> Overfitting:
    return overfitting(block_moments(excess.to_numpy(dtype=np.float64).T))


def _superiority(
    excess: pd.DataFrame, sharpes: pd.Series, challengers: Sequence[str], benchmark: pd.Series
) -> Superiority | None:
    known = sharpes.reindex(list(challengers)).dropna()
    if known.empty:
        return superiority(excess, benchmark.rename(SPY))
    best = str(known.idxmax())
    return superiority(excess.drop(columns=best), excess[best])
