"""The duration spread compares two groups of classes. It needs all classes of both groups."""

import numpy as np
import pytest

from backtests.history.panel import History
from signals import Duration
from signals.duration import LONG, SHORT
from signals.universe import members, session_close_id


@pytest.mark.parametrize("name", [*SHORT, *LONG])
def test_without_a_class_there_is_no_spread(name: str) -> None:
    panel = History.simulated(years=6).panel.iloc[-200:].copy()
    whole = Duration().gauges(panel)["spread"]
    columns = [session_close_id(t) if name == "crypto" else t for t in members(name)]
    panel.loc[panel.index[-30] :, columns] = np.nan
    spread = Duration().gauges(panel)["spread"]
    assert whole.iloc[-60:].notna().all()
    assert spread.iloc[:-30].equals(whole.iloc[:-30])
    assert spread.iloc[-28:].isna().all()  # closes of shares count one session later
