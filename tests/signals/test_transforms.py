"""Z-scores, compared with results by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from signals.transforms import zscore

NAN = float("nan")


def test_zscore_of_a_few_values() -> None:
    z = zscore(pd.Series([1.0, 2.0, 3.0, 5.0]), window=3, minimum=2)
    assert math.isnan(z.iloc[0])
    assert z.iloc[1] == pytest.approx(0.5 / math.sqrt(0.5))
    assert z.iloc[2] == pytest.approx(1.0)
    assert z.iloc[3] == pytest.approx((5 - 10 / 3) / math.sqrt(7 / 3))  # 1.0 has left the window


def test_zscore_counts_values_not_sessions() -> None:
    z = zscore(pd.Series([1.0, NAN, NAN, 2.0, NAN]), window=5, minimum=2)
    assert z.notna().tolist() == [False, False, False, True, False]


def test_zscore_needs_a_year_and_looks_back_five() -> None:
    x = pd.Series(np.arange(1300.0))
    z = zscore(x)
    assert z.first_valid_index() == 251
    window = x.iloc[40:]
    assert z.iloc[-1] == pytest.approx((1299 - window.mean()) / window.std())


def test_zscore_has_no_view_where_nothing_moved() -> None:
    z = zscore(pd.Series([0.1] * 300 + [0.2]), window=200, minimum=50)
    assert z.iloc[:300].isna().all()
    assert z.iloc[300] > 10


def test_zscore_is_not_fooled_by_the_past_of_a_flat_stretch() -> None:
    z = zscore(pd.Series([1e9, -1e9, *[0.1] * 300]), window=200, minimum=50)
    assert z.iloc[-1:].isna().all()


@pytest.mark.parametrize(("at", "seen"), [(1259, True), (1260, False)])
def test_zscore_sees_the_first_session_for_1260_sessions(at: int, seen: bool) -> None:
    x = pd.Series(np.random.default_rng(1).normal(size=1261))
    shocked = x.copy()
    shocked.iloc[0] = 1000.0
    moved = abs(zscore(shocked).iloc[at] - zscore(x).iloc[at])
    assert (moved > 0.01) == seen
