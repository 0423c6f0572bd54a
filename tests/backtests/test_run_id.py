"""The id of a run changes if, and only if, a number or a name in its history changes."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backtests.config import config_from
from backtests.history.panel import History
from backtests.runs import run_id

CONFIG = config_from({"strategy": "spy", "source": "simulated"})


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


def one_bit_up(history: History, part: str) -> History:
    """Return a history in which the last number of SPY in a part is the next larger float."""
    changed = getattr(history, part).copy()
    changed.loc[changed.index[-1], "SPY"] = np.nextafter(changed["SPY"].iloc[-1], np.inf)
    return replace(history, **{part: changed})


@pytest.mark.parametrize(
    "changed",
    [
        lambda h: one_bit_up(h, "panel"),
        lambda h: one_bit_up(h, "closes"),
        lambda h: h.until(h.panel.index[-2]),
        lambda h: replace(h, panel=h.panel.rename(columns={"SPY": "QQQ", "QQQ": "SPY"})),
        lambda h: replace(h, source="store"),
    ],
    ids=["panel", "closes", "a session less", "another name", "source"],
)
def test_other_data_have_another_name(
    history: History, changed: Callable[[History], History]
) -> None:
    assert run_id(CONFIG, changed(history)) != run_id(CONFIG, history)


def test_the_same_data_have_the_same_name(history: History) -> None:
    same = replace(history, panel=history.panel.copy(), closes=history.closes.copy())
    assert run_id(CONFIG, same) == run_id(CONFIG, history)
