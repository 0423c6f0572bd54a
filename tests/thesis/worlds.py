"""Synthetic returns and conditions with a known truth, for tests of estimators."""

import numpy as np
import pandas as pd

from backtests.thesis.claim import Claim
from backtests.thesis.claims import CLAIMS

SESSIONS = 3000


def claim(name: str) -> Claim:
    """Return a declared claim."""
    return next(claim for claim in CLAIMS if claim.name == name)


def sessions(n: int = SESSIONS) -> pd.DatetimeIndex:
    """Return weekdays, as the index of a synthetic history."""
    return pd.bdate_range("2010-01-04", periods=n, name="session")


def condition(episodes: int, length: int, n: int = SESSIONS) -> pd.Series:
    """Return a condition that holds in equally spaced episodes of equal length."""
    on = pd.Series(0.0, index=sessions(n))
    for start in np.linspace(100, n - length - 100, episodes).astype(int):
        on.iloc[start : start + length] = 1.0
    return on


def noise(seed: int, n: int = SESSIONS, daily: float = 0.01) -> pd.Series:
    """Return independent Student t returns (5 degrees of freedom) with a daily volatility."""
    drawn = np.random.default_rng(seed).standard_t(5, n) * daily * np.sqrt(3 / 5)
    return pd.Series(drawn, index=sessions(n))
