"""Unbroken periods of a state."""

from typing import Any

import numpy as np
import pandas as pd


def stays(states: pd.Series) -> list[tuple[Any, int, int]]:
    """Return each unbroken period of a state: the state, the first and the last position.

    ``states`` holds the state of each session, without missing values, and has at least one
    session.
    """
    starts = np.flatnonzero(states.ne(states.shift()).to_numpy(dtype=bool))
    ends = [*(starts[1:] - 1).tolist(), len(states) - 1]
    return [
        (states.iloc[first], first, last) for first, last in zip(starts.tolist(), ends, strict=True)
    ]
