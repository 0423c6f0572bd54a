"""Causal building blocks: the value at a session depends on that session and earlier ones only."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from signals.universe import session_close_id

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


def composite(parts: Sequence[pd.Series], window: int = WINDOW) -> pd.Series:
    """Return one score from several z-scores, re-standardised.

    Each part is clipped to ±3 and the parts with a view are averaged, where at least half have
    one; the z-score of that mean is the result. NaN where fewer than half have a view.
    """
    frame = pd.concat(list(parts), axis=1).clip(-3, 3)
    enough = frame.notna().sum(axis=1) * 2 >= frame.shape[1]
    return zscore(frame.mean(axis=1).where(enough), window)


def same_date(panel: pd.DataFrame, tickers: Sequence[str]) -> pd.DataFrame:
    """Return prices that stand on one date: those of the last session before each row's.

    A panel row shows shares at its own close and coins at the close of the date before, so what
    moves together would be a day apart. Here shares are a session late and coins are those of
    that session's date. A ticker the panel lacks is a column of NaN.
    """
    columns = {
        ticker: panel[session_close_id(ticker)]
        if session_close_id(ticker) in panel
        else panel[ticker].shift(1)
        if ticker in panel
        else pd.Series(np.nan, index=panel.index)
        for ticker in tickers
    }
    return pd.DataFrame(columns, index=panel.index)


def percentile(x: pd.Series) -> float:
    """Return the share of the past, in percent, at or below the last value; NaN without one."""
    past = x.dropna()
    if past.empty or np.isnan(x.iloc[-1]):
        return float("nan")
    return float((past <= past.iloc[-1]).mean() * 100)
