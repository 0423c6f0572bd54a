"""The id of a run changes if, and only if, its settings or its history change."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.runs import run_id

GIVEN = {"strategy": "cash-heavy", "source": "simulated"}
CONFIG = config_from(GIVEN)


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


@pytest.mark.parametrize(
    "change",
    [
        {"lag": 2},
        {"start": "2023-01-03"},
        {"end": "2023-06-30"},
        {"costs": {"etf_bp": 3}},
        {"strategy": "defensive"},
    ],
    ids=str,
)
def test_other_settings_have_another_name(history: History, change: dict[str, Any]) -> None:
    assert run_id(config_from(GIVEN | change), history) != run_id(CONFIG, history)


def test_equal_settings_have_the_same_name(history: History) -> None:
    assert run_id(config_from(GIVEN), history) == run_id(CONFIG, history)


def test_a_run_keeps_its_id_when_its_data_change(history: History) -> None:
    own = replace(history, panel=history.panel.copy(), closes=history.closes.copy())
    finished = run(CONFIG, own)
    own.panel["DGS10"] *= 3
    assert run_id(CONFIG, own) != finished.run_id == run(CONFIG, history).run_id


def test_a_run_with_an_end_uses_the_history_up_to_this_end(history: History) -> None:
    config = config_from(GIVEN | {"end": "2023-06-30"})
    ended, cut = run(config, history), run(config, history.until("2023-06-30"))
    assert ended.sessions[-1] == pd.Timestamp("2023-06-30")
    pd.testing.assert_series_equal(ended.result.equity, cut.result.equity)
    assert ended.run_id == cut.run_id
