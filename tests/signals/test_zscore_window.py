"""A z-score uses five years: 1,260 sessions, including the present one."""

import numpy as np
import pandas as pd
import pytest

from signals.transforms import zscore


@pytest.mark.parametrize(("at", "seen"), [(1259, True), (1260, False)])
def test_the_first_session_is_seen_for_1260_sessions(at: int, seen: bool) -> None:
    x = pd.Series(np.random.default_rng(1).normal(size=1261))
    shocked = x.copy()
    shocked.iloc[0] = 1000.0
    moved = abs(zscore(shocked).iloc[at] - zscore(x).iloc[at])
    assert (moved > 0.01) == seen
