"""Compare the panel of imported evidence with values computed by hand from the files."""

import random
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.store.batch import is_event, is_price
from backtests.store.store import Store
from tests.reference import byhand

SEED = 20251231
FLOWS = ("OCF", "BUYBACKS", "DEBT_ISSUED", "LEASES")


@pytest.fixture(scope="module")
def added(store: Path, history_store: Path) -> tuple[str, ...]:
    """Return the series that only the folder of evidence has, without events."""
    new = set(Store(store).series_ids()) - set(Store(history_store).series_ids())
    return tuple(sorted(id for id in new if not is_event(id)))


@pytest.fixture(scope="module")
def panel(store: Path, added: tuple[str, ...]) -> pd.DataFrame:
    return History.load(store, only=added).panel


def drawn(added: tuple[str, ...], sessions: tuple[date, ...]) -> list[tuple[date, str]]:
    """Return twenty pairs of a session since 2012 and a series; each call gives the same pairs."""
    draw = random.Random(SEED)
    days = [day for day in sessions if day.year >= 2012]
    return [(draw.choice(days), id) for id in draw.sample(added, 20)]


def test_twenty_random_cells_equal_the_value_by_hand(
    history_dir: Path, panel: pd.DataFrame, added: tuple[str, ...]
) -> None:
    pairs = drawn(added, byhand.sessions(history_dir))
    by_hand = [byhand.value_known(history_dir, id, day) for day, id in pairs]
    cells = [float(panel[id].loc[pd.Timestamp(day)]) for day, id in pairs]
    assert [None if np.isnan(cell) else cell for cell in cells] == by_hand
    assert sum(value is not None for value in by_hand) >= 10


def test_every_cell_equals_the_value_by_hand(
    history_dir: Path, panel: pd.DataFrame, added: tuple[str, ...]
) -> None:
    assert set(added) == {*byhand.EVIDENCE, *(id for id in added if id.startswith(FLOWS))}
    assert not any(is_price(id) for id in added)
    start = pd.Timestamp("2003-02-01")  # the calculation by hand has no sessions before 2003
    sessions = pd.DatetimeIndex(byhand.sessions(history_dir)).as_unit("us")
    for id in added:
        by_hand = pd.Series(byhand.column(history_dir, id), index=sessions, dtype="float64")
        pd.testing.assert_series_equal(
            panel.loc[start:, id],
            by_hand.loc[start:],
            rtol=1e-15,
            check_names=False,
            check_freq=False,
            obj=id,
        )
