"""Returns of asset classes around dated events."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import Sample
from signals.universe import DURATION

#: The asset classes in tables about events.
CLASSES = (*DURATION, "metals")


def class_returns(sample: Sample, names: Iterable[str] = CLASSES) -> pd.DataFrame:
    """Return simple returns, sessions × classes; a class without any price is NaN."""
    found = {}
    for name in names:
        try:
            found[name] = sample.asset_class(name)
        except NotTestable:
            found[name] = pd.Series(np.nan, index=sample.sessions)
    return pd.DataFrame(found)


def windows(returns: pd.Series, at: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return compounded returns from session ``first`` to each session up to ``last``.

    The returns are fractions, with one row for each event and one column for each session. The
    return of session ``first`` is included. A row is NaN if one of its returns is missing or
    outside the history.

    Parameters
    ----------
    at
        Position of each event's session in ``returns``.
    first, last
        First and last session of the window, relative to the event.
    """
    places = at[:, None] + np.arange(first, last + 1)
    inside = (places >= 0) & (places < len(returns))
    taken = returns.to_numpy()[np.clip(places, 0, len(returns) - 1)]
    grown = np.cumprod(1 + np.where(inside, taken, np.nan), axis=1) - 1
    result: np.ndarray = np.where(np.isnan(grown[:, -1:]), np.nan, grown)
    return result
