"""Causal building blocks: the value at a session depends on that session and earlier ones only."""

from collections.abc import Sequence

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


def mean_of(parts: Sequence[pd.Series]) -> pd.Series:
    """Return the mean of several z-scores, each clipped to ±3.

    Parts without a view are left out; NaN where fewer than half have one. The more parts, the
    rarer a mean of 1: it takes many of them at once.
    """
    frame = pd.concat(list(parts), axis=1).clip(-3, 3)
    enough = frame.notna().sum(axis=1) * 2 >= frame.shape[1]
    return frame.mean(axis=1).where(enough)


def composite(parts: Sequence[pd.Series], window: int = WINDOW) -> pd.Series:
    """Return one score from several z-scores: their mean (:func:`mean_of`), re-standardised."""
    return zscore(mean_of(parts), window)


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
