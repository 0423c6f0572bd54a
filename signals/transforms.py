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
    """Return the sequential z-score of a series.

    z_t = (x_t − m_t) / s_t. m and s are the mean and the standard deviation (ddof 1) of the values
    in the last ``window`` sessions, including session t. The unit is a standard deviation of the
    series' own past. z is NaN in three cases: x is NaN, the window contains fewer than ``minimum``
    values, or x is constant in the window.
    """
    rolling = x.rolling(window, min_periods=minimum)
    spread = rolling.std()
    flat = rolling.max() == rolling.min()
    return (x - rolling.mean()) / spread.mask(flat | (spread == 0))


@dataclass(frozen=True, kw_only=True)
class Composite:
    """One measure from several z-scores. Each attribute has one value for each session.

    Attributes
    ----------
    mean
        Mean of the components that are known, each clipped to ±3. A mean of 1 is rare if there are
        many components, because many of them must be high at once.
    score
        Z-score of the mean, relative to past means of the same components.
    without
        Names of the components that the score leaves out, joined by ``, ``. None where it uses all.
    """

    mean: pd.Series
    score: pd.Series
    without: pd.Series


def composite(
    parts: Mapping[str, pd.Series], window: int = WINDOW, minimum: int = MINIMUM
) -> Composite:
    """Return one measure for each session from several z-scores by name.

    The mean is the average of the components that are known at the session. It needs at least half
    of all components.

    A component counts when it is known now and on ``minimum`` of the last ``window`` sessions. The
    score is the z-score of the mean of the components that count. It uses only the sessions of the
    window on which all these components are known. If fewer than half of all components count, the
    score is NaN. When a component stops counting, the score is computed from the others, so it can
    jump on that session.
    """
    names = list(parts)
    frame = pd.DataFrame(dict(parts)).clip(-3, 3)
    there = frame.notna()
    counts = there & (there.rolling(window, min_periods=1).sum() >= minimum)
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
            score[at] = zscore(alike, window, minimum)[at]
    return Composite(
        mean=mean,
        score=pd.Series(score, index=frame.index),
        without=pd.Series(without, index=frame.index, dtype=object),
    )


def fall_from_peak(value: Rows, start: float = 0.0) -> Rows:
    """Return the fall of positive values from their highest past value, a fraction, at most 0.

    ``start`` is a peak before the first session, or 0 without such a peak.
    """
    return value / value.cummax().clip(lower=start) - 1


def difference(score: pd.Series, without: pd.Series, n: int) -> pd.Series:
    """Return the change of a composite's score over n sessions.

    The change is NaN where the score used other components n sessions ago, because the two scores
    then measure different things.
    """
    members = without.fillna("")
    return score.diff(n).where(members == members.shift(n))


def same_date(panel: pd.DataFrame, tickers: Sequence[str]) -> pd.DataFrame:
    """Return prices of shares and coins on the same date: the date of the previous session.

    A row of the panel contains the share prices at its own close, and the coin prices at the close
    of the previous date. So returns in one row of the panel cover different days. This function
    takes the share prices of the previous session, and the coin prices at the close of that
    session's date. Raise MissingSeries when the panel lacks a ticker, or the column
    ``<coin>@session`` of a coin.
    """
    return pd.DataFrame({t: _same_date(panel, t) for t in tickers}, index=panel.index)


def _same_date(panel: pd.DataFrame, ticker: str) -> pd.Series:
    coin = asset(ticker).market == "crypto"
    column = session_close_id(ticker) if coin else ticker
    if column not in panel:
        raise MissingSeries(f"expected a column {column} in the panel; load it with History")
    return panel[column] if coin else panel[column].shift(1)


def percentile(x: pd.Series) -> float:
    """Return the percentage of values at or below the last value; NaN when that value is NaN."""
    past = x.dropna()
    if past.empty or np.isnan(x.iloc[-1]):
        return float("nan")
    return float((past <= past.iloc[-1]).mean() * 100)
