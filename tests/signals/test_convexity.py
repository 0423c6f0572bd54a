"""Convexity on made-up data, because real history does not identify it. See also test_twins."""

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from signals.absorption import Absorption
from signals.base import Evaluation
from signals.convexity import Convexity

SESSIONS = pd.bdate_range("2000-01-03", periods=2080)
ESTIMATES = ["kink", "low", "high", "slope"]


def evaluated(signal: Convexity, panel: pd.DataFrame) -> Evaluation:
    """Evaluate convexity with an evaluation of absorption whose u is a column of the panel."""
    absorption = Evaluation(
        signal=Absorption(),
        gauges=panel[["u"]],
        score=panel["u"],
        flag=panel["u"] > 0.5,
    )
    return signal.evaluate(panel, {"absorption": absorption})


SIGNAL = Convexity(draws=50)


def panel_of(u: np.ndarray, cost: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"u": u, "DGS10": cost, "BAA10Y": 0.0}, index=SESSIONS[: len(u)])


@pytest.fixture
def swings() -> np.ndarray:
    """Return a u that goes from 0.2 to 0.7 and back within each year of 260 sessions."""
    return 0.45 + 0.25 * np.sin(np.arange(len(SESSIONS)) * 2 * np.pi / 260)


def test_a_bend_without_noise_is_found_exactly(swings: np.ndarray) -> None:
    panel = panel_of(swings, 4 + 2 * swings + 3 * np.maximum(0, swings - 0.5))
    g = evaluated(SIGNAL, panel).gauges.dropna()
    for gauge, true in {"slope": 2, "kink": 3, "low": 3, "high": 3}.items():
        np.testing.assert_allclose(g[gauge], true, rtol=1e-9)
    np.testing.assert_allclose(g["price"], np.where(g["u"] > 0.5, 5, 2), rtol=1e-9)
    flag = evaluated(SIGNAL, panel).flag
    steep = g["u"] > 0.5
    assert flag[g.index][steep.rolling(5).sum() == 5].all()
    assert not flag[g.index][steep.rolling(5).sum() == 0].any()


def test_a_price_that_flattens_never_flags(swings: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, len(swings))
    panel = panel_of(swings, 4 + 5 * swings - 3 * np.maximum(0, swings - 0.5) + noise)
    g = evaluated(SIGNAL, panel).gauges.dropna()
    assert (g["low"] < g["kink"]).all()
    assert (g["kink"] < g["high"]).all()
    assert (g["high"] < 0).all()
    assert not evaluated(SIGNAL, panel).flag[g.index].any()


def test_the_kink_is_estimated_at_the_first_session_of_a_quarter_after_the_third_excursion(
    swings: np.ndarray,
) -> None:
    noise = np.cumsum(np.random.default_rng(2).normal(0, 0.02, len(swings)))
    g = evaluated(SIGNAL, panel_of(swings, 4 + swings + noise)).gauges
    third = g.index[g["excursions"] == 3][0]
    assert third == SESSIONS[529]  # 520 sessions, then nine from 0.45 to 0.5
    assert g["kink"].first_valid_index() == pd.Timestamp("2002-04-01")
    changes = g[ESTIMATES].dropna().diff().iloc[1:].ne(0).any(axis=1)
    quarters = pd.DatetimeIndex(changes.index).quarter
    turns = pd.Series(quarters, index=changes.index).diff().iloc[1:].ne(0)
    assert changes.iloc[1:].equals(turns)


@pytest.mark.parametrize(
    ("signal", "why"),
    [
        (Convexity(draws=50, excursions=9), "eight excursions"),
        (Convexity(draws=50, minimum=420), "402 weeks of changes"),
    ],
)
def test_convexity_has_no_view_while_the_kink_is_not_identified(
    signal: Convexity, why: str, swings: np.ndarray
) -> None:
    panel = panel_of(swings, 4 + 2 * swings + 3 * np.maximum(0, swings - 0.5))
    said = evaluated(signal, panel)
    assert said.gauges[[*ESTIMATES, "price"]].isna().all(axis=None), why
    assert said.flag.isna().all()
    assert said.score.isna().all()


@pytest.mark.parametrize(
    ("between", "stays"),
    [
        ([0.3] * 65, 2),
        ([0.3] * 64, 1),  # one session too few
        ([0.45] * 300, 1),  # u is not low enough
        ([0.3] * 40 + [0.45] + [0.3] * 40, 1),  # the sessions are not consecutive
        ([0.3] * 40 + [np.nan] + [0.3] * 40, 1),
        ([0.3] * 30 + [0.6] + [0.3] * 65, 2),
    ],
)
def test_excursions_are_apart(between: list[float], stays: int) -> None:
    u = np.array([0.3, 0.6, *between, 0.6])
    assert evaluated(SIGNAL, panel_of(u, u)).gauges["excursions"].iloc[-1] == stays


def test_a_stay_between_a_low_knee_and_the_level_of_absorption_is_one_excursion() -> None:
    u = np.array([0.2, *[0.35] * 300])  # above the knee of 0.3, below 0.4
    low = Convexity(knee=0.3)
    assert evaluated(low, panel_of(u, u)).gauges["excursions"].iloc[-1] == 1
    apart = np.array([0.2, 0.35, *[0.25] * 65, 0.35])
    assert evaluated(low, panel_of(apart, apart)).gauges["excursions"].iloc[-1] == 2


def test_the_future_never_changes_the_past_where_it_is_identified() -> None:
    panel = History.simulated(seed=4).panel
    signal = Convexity(draws=50)
    whole = signal.evaluate(panel)
    starts = whole.gauges["kink"].diff().abs().gt(0)
    turn = panel.index.tolist().index(starts[starts].index[10])  # the first session of a quarter
    for rows in (turn, turn + 1, turn + 20):
        cut = signal.evaluate(panel.iloc[:rows])
        for what in ("gauges", "score", "flag"):
            found, full = (pd.DataFrame(getattr(said, what)) for said in (cut, whole))
            pd.testing.assert_frame_equal(found, full.iloc[:rows], check_exact=True)


def test_a_wider_level_gives_wider_bounds(swings: np.ndarray) -> None:
    noise = np.cumsum(np.random.default_rng(3).normal(0, 0.02, len(swings)))
    panel = panel_of(swings, 4 + swings + noise)
    wide, narrow = (
        evaluated(Convexity(draws=50, level=level), panel).gauges.dropna() for level in (0.9, 0.5)
    )
    assert (wide["low"] < narrow["low"]).all()
    assert (narrow["high"] < wide["high"]).all()
