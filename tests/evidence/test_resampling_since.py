"""Moves after ``since`` are drawn only from moves after ``since``."""

import numpy as np
import pandas as pd

from backtests.evidence.resampling import resample_prices

INDEX = pd.bdate_range("2020-01-01", periods=400)
SINCE = INDEX[200]


def test_before_and_after_the_first_session_judged_are_drawn_apart() -> None:
    """Up to ``since``, shares rise by 0.1 % a session.

    From the next session on, they fall by 0.1 %.
    """
    moves = np.where(INDEX <= SINCE, 0.001, -0.001)
    closes = pd.DataFrame({"SPY": 100 * np.exp(np.cumsum(moves))}, index=INDEX)
    for seed in range(5):
        _, apart = resample_prices(closes, closes, block=20, seed=seed, since=SINCE)
        drawn = np.log(apart["SPY"]).diff().iloc[1:]
        assert np.allclose(drawn.loc[:SINCE], 0.001, atol=1e-12)
        assert np.allclose(drawn.loc[SINCE:].iloc[1:], -0.001, atol=1e-12)
        _, mixed = resample_prices(closes, closes, block=20, seed=seed)
        assert (np.log(mixed["SPY"]).diff().loc[:SINCE] < 0).any()
