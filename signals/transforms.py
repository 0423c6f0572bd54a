"""Causal transforms: a value depends only on its own session and on earlier sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from signals.errors import MissingSeries
from signals.universe import asset, session_close_id

Rows = TypeVar("Rows", pd.Series, pd.DataFrame)

WINDOW = 1260
MINIMUM = 252


def zscore(x: pd.Series, window: int = WINDOW, minimum: int = MINIMUM) -> pd.Series:
    """Return the z-score of each value, computed from the values up to its session.

    The z-score is z_t = (x_t − m_t) / s_t. The mean m_t and the standard deviation s_t (ddof 1)
    come from the last ``window`` sessions, including session t. The unit of a z-score is one
    standard deviation of past values. The z-score is NaN in three cases: x is NaN, the window
    contains fewer than ``minimum`` values, or x is constant in the window.
    """
    rolling = x.rolling(window, min_periods=minimum)
    spread = rolling.std()
    flat = rolling.max() == rolling.min()
    return (x - rolling.mean()) / spread.mask(flat | (spread == 0))


@dataclass(frozen=True, kw_only=True)
class Composite:
    """The mean of several z-scores, and the z-score of this mean.

    Each attribute has one value for each session.

    Attributes
    ----------
    mean
        Mean of the known components. Each component is clipped to ±3. With many components, a mean
        of 1 is rare, because many components must be high at the same time.
    score
        Z-score of the mean, computed from past means of the same components.
    without
        Text with the names of the components that the score omits, separated by commas. None if the
        score uses all components.
    """

    mean: pd.Series
    score: pd.Series
    without: pd.Series


def composite(parts: Mapping[str, pd.Series], minimum: int = MINIMUM) -> Composite:
    """Return a composite of several named z-scores, with one value for each session.

    The mean is the average of the components that are known at the session. If fewer than half of
    all components are known, the mean is NaN.

    A component is valid if its current value is known, and if at least ``minimum`` values are known
    in the last :data:`WINDOW` sessions. The score is the z-score of the mean of the valid
    components. The z-score uses only sessions of the window with values of all valid components. If
    fewer than half of all components are valid, the score is NaN. The score can jump when a
    component becomes invalid, because the score then omits this component.
    """
    names = list(parts)
    frame = pd.DataFrame(dict(parts)).clip(-3, 3)
    there = frame.notna()
    counts = there & (there.rolling(WINDOW, min_periods=1).sum() >= minimum)
    code = counts.to_numpy() @ (1 << np.arange(len(names)))
    mean = frame.mean(axis=1).where(2 * there.sum(axis=1) >= len(names))
    score = np.full(len(frame), np.nan)
    without = np.full(len(frame), None, dtype=object)
    for now in np.unique(code).tolist():
        at = code == now
        counted = [name for bit, name in enumerate(names) if now >> bit & 1]
        without[at] = ", ".join(name for name in names if name not in counted) or None
        if 2 * len(counted) >= len(names):
            alike = frame[counted].mean(axis=1, skipna=False)
            score[at] = zscore(alike, minimum=minimum)[at]
    return Composite(
        mean=mean,
        score=pd.Series(score, index=frame.index),
        without=pd.Series(without, index=frame.index, dtype=object),
    )


def fall_from_peak(value: Rows, start: float = 0.0) -> Rows:
    """Return the drawdown: each value divided by the highest value so far, minus 1.

    All values must be positive. A drawdown of −0.2 means that the value is 20 % below its highest
    value so far. ``start`` is the highest value before the first session, or 0 if there is no
    earlier value.
    """
    return value / value.cummax().clip(lower=start) - 1


def difference(score: pd.Series, without: pd.Series, n: int) -> pd.Series:
    """Return the change of a composite's score over n sessions.

    If the current score and the score n sessions ago use different components, the change is NaN.
    Scores of different components are not comparable.
    """
    members = without.fillna("")
    return score.diff(n).where(members == members.shift(n))


def same_date(panel: pd.DataFrame, tickers: Sequence[str]) -> pd.DataFrame:
    """Return prices of shares and coins on the same date: the date of the previous session.

    A row of the panel contains share prices of its own session, but coin prices of the previous
    date. So share returns and coin returns in one row of the panel cover different days. The
    function takes the prices of shares and of coins on the date of the previous session. Raise
    MissingSeries when the panel lacks a ticker, or the column ``<coin>@session`` of a coin.
    """
    return pd.DataFrame({t: _same_date(panel, t) for t in tickers}, index=panel.index)


def _same_date(panel: pd.DataFrame, ticker: str) -> pd.Series:
    coin = asset(ticker).is_coin
    column = session_close_id(ticker) if coin else ticker
    if column not in panel:
        raise MissingSeries(f"the panel lacks the column {column}; load the panel with History")
    return panel[column] if coin else panel[column].shift(1)


def percentile(x: pd.Series) -> float:
    """Return the percentage of values at or below the last value; NaN if the last value is NaN."""
    past = x.dropna()
    if past.empty or np.isnan(x.iloc[-1]):
        return float("nan")
    return float((past <= past.iloc[-1]).mean() * 100)
