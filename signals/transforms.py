"""Causal building blocks: the value at a session depends on that session and earlier ones only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from signals.errors import MissingSeries
from signals.universe import asset, session_close_id

WINDOW = 1260
MINIMUM = 252


def zscore(x: pd.Series, window: int = WINDOW, minimum: int = MINIMUM) -> pd.Series:
    """Return the sequential z-score of a series.

    z_t = (x_t − m_t) / s_t, where m and s (ddof 1) are the mean and standard deviation of the
    values in the last ``window`` sessions up to and including t.

    Parameters
    ----------
    x
        One value a session, any unit.
    window, minimum
        Sessions; at least ``minimum`` of the last ``window`` must hold a value.

    Returns
    -------
    Series of the same index, in standard deviations of the series' own past. NaN where x is NaN,
    before the minimum, and where x has not moved at all in the window.
    """
    rolling = x.rolling(window, min_periods=minimum)
    spread = rolling.std()
    flat = rolling.max() == rolling.min()
    return (x - rolling.mean()) / spread.mask(flat | (spread == 0))


@dataclass(frozen=True, kw_only=True)
class Composite:
    """Several z-scores as one measure, each a series with one value a session.

    Attributes
    ----------
    mean
        Mean of the components that count, each clipped to ±3. The more components, the rarer a
        mean of 1: it takes many of them at once.
    score
        The mean against the past means of the same components, in their standard deviations.
    without
        Names of the components that do not count, joined by ``, ``; None where all of them count.
    """

    mean: pd.Series
    score: pd.Series
    without: pd.Series


def composite(
    parts: Mapping[str, pd.Series], window: int = WINDOW, minimum: int = MINIMUM
) -> Composite:
    """Return one measure made of several z-scores, by name.

    The mean is that of the components with a view; at least half of them must have one.

    The score compares like with like. A component counts for it once it has had a view on
    ``minimum`` of the last ``window`` sessions, so that it has a past; at least half must count.
    The mean of those that count is standardised by the means of exactly these over the window, on
    sessions where all of them have a view. When a component lapses, the score becomes what it
    would be without that component. It still moves by what that component had added.
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


def difference(score: pd.Series, without: pd.Series, n: int) -> pd.Series:
    """Return the change of a composite's score over n sessions.

    NaN where other components count now than did n sessions ago: the two are different measures.
    """
    members = without.fillna("")
    return score.diff(n).where(members == members.shift(n))


def same_date(panel: pd.DataFrame, tickers: Sequence[str]) -> pd.DataFrame:
    """Return prices that stand on one date: those of the last session before each row's.

    A panel row shows shares at its own close and coins at the close of the date before, so what
    moves together would be a day apart. Here shares are a session late and coins are those of
    that session's date.

    Raises
    ------
    MissingSeries
        When the panel lacks a ticker, or a coin's column of the session's date.
    """
    return pd.DataFrame({t: _same_date(panel, t) for t in tickers}, index=panel.index)


def _same_date(panel: pd.DataFrame, ticker: str) -> pd.Series:
    coin = asset(ticker).market == "crypto"
    column = session_close_id(ticker) if coin else ticker
    if column not in panel:
        raise MissingSeries(f"expected {column} in the panel, found none; load it with History")
    return panel[column] if coin else panel[column].shift(1)


def percentile(x: pd.Series) -> float:
    """Return the share of the past, in percent, at or below the last value; NaN without one."""
    past = x.dropna()
    if past.empty or np.isnan(x.iloc[-1]):
        return float("nan")
    return float((past <= past.iloc[-1]).mean() * 100)
