"""Strategies on made-up prices, for which every number can be computed by hand.

Some assets have the returns +r and −r in turn. Over 63 sessions, the mean is r/63, and the sum of
squares is 63 r². So the variance is (63 r² − r²/63) / 62 = 64/63 r², and the yearly volatility is
√(64/63 · 252) r = 16 r.
"""

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests import calendar
from backtests.build import build
from signals.errors import ConfigError
from signals.reading import Reading
from strategies import (
    STRATEGIES,
    CashHeavy,
    ConstantMix,
    Defensive,
    DualMomentum,
    EqualWeight,
    Gold,
    MemoryOverCrypto,
    MemoryOverCryptoSmh,
    NearCashFlow,
    NearCashFlowSmh,
    Patient,
    Strategy,
    Survival,
    Trend,
    TrendUniverse,
    VolTarget,
    decide,
)
from strategies.base import check_weights
from tests import readings

WARM_UP = 64
"""Prices before a volatility over 63 returns is known, that of the session included."""

CALM, LOUD, WILD = 1 / 64, 1 / 32, 1 / 16
"""Returns in turn that make volatilities of 25 %, 50 % and 100 % a year."""


def zigzag(swing: float, sessions: int, late: int = 0) -> list[float]:
    """Return prices with the returns +swing and −swing in turn; NaN before a late listing."""
    prices, price = [], 100.0
    for i in range(sessions):
        prices.append(price)
        price *= 1 + (swing if i % 2 == 0 else -swing)
    return [np.nan] * late + prices[: sessions - late]


def panel_of(**prices: list[float]) -> pd.DataFrame:
    """Return a panel of some tickers; BTC means BTC-USD, and ETH means ETH-USD."""
    sessions = len(next(iter(prices.values())))
    columns = {{"BTC": "BTC-USD", "ETH": "ETH-USD"}.get(t, t): p for t, p in prices.items()}
    return pd.DataFrame(
        columns, index=calendar.all_sessions()[6000 : 6000 + sessions], dtype="float64"
    )


def reading_of(
    panel: pd.DataFrame,
    regime: list[str | None] | str | None = None,
    score: float = np.nan,
    flag: list[bool | None] | None = None,
) -> Reading:
    """Return a reading of a panel's sessions; a single regime holds at all sessions."""
    names = regime if isinstance(regime, list) else [regime] * len(panel)
    flags = [None] * len(panel) if flag is None else flag
    absorption = readings.evaluation_of(flags, panel.index, score=score)
    return readings.reading_of(names, panel.index, {"absorption": absorption})


def last(strategy: Strategy, reading: Reading, panel: pd.DataFrame) -> dict[str, float]:
    """Return the weight of each held asset at the last session."""
    weights = decide(strategy, reading, panel)
    check_weights(weights, strategy.name, strategy.gross_limit)
    row = weights.iloc[-1]
    return {str(asset): weight for asset, weight in row.items() if weight != 0}


def close(expected: dict[str, float] | list[float]) -> object:
    return pytest.approx(expected, abs=1e-12)


# --- tables, scaling, listing ----------------------------------------------------------------


@pytest.fixture
def market() -> pd.DataFrame:
    """Return a market: volatility is 50 % for memory and 100 % for bitcoin; SNDK is not listed.

    Ether and USMV are missing. MU and WDC have equal returns, so their mean has these returns.
    """
    n = WARM_UP
    return panel_of(
        SPY=[100.0] * n,
        MU=zigzag(LOUD, n),
        WDC=zigzag(LOUD, n),
        BTC=zigzag(WILD, n),
        SMH=zigzag(CALM, n),
        XLP=[50.0] * n,
        XLU=[40.0] * n,
        XLV=[30.0] * n,
    )


NEAR_CASH_FLOW = {
    # Scales: 25 / 50 for memory, 25 / 100 for crypto. Listed members: two, one and three.
    "INJECTION": {"SPY": 0.6, "MU": 0.05, "WDC": 0.05, "BTC-USD": 0.05},
    "NEUTRAL": {"SPY": 0.6, "MU": 0.05, "WDC": 0.05, "BTC-USD": 0.025},
    "ABSORPTION": {
        "SPY": 0.2,
        "MU": 0.075,
        "WDC": 0.075,
        "XLP": 0.1 / 3,
        "XLU": 0.1 / 3,
        "XLV": 0.1 / 3,
    },
    "FORCED_SELLING": {
        "MU": 0.025,
        "WDC": 0.025,
        "XLP": 0.1 / 3,
        "XLU": 0.1 / 3,
        "XLV": 0.1 / 3,
    },
    "OPPORTUNITY": {"SPY": 0.4, "MU": 0.075, "WDC": 0.075, "BTC-USD": 0.05},
}


@pytest.mark.parametrize("regime", NEAR_CASH_FLOW)
def test_near_cash_flow_scales_and_deals_out(regime: str, market: pd.DataFrame) -> None:
    found = last(NearCashFlow(), reading_of(market, regime), market)
    assert found == close(NEAR_CASH_FLOW[regime])


@pytest.mark.parametrize("strategy", [NearCashFlow(), CashHeavy(), Defensive(), Patient()])
def test_no_regime_counts_as_neutral(strategy: Strategy, market: pd.DataFrame) -> None:
    none, neutral = reading_of(market, None), reading_of(market, "NEUTRAL")
    assert last(strategy, none, market) == last(strategy, neutral, market)


def test_the_twin_holds_smh_in_the_place_of_memory(market: pd.DataFrame) -> None:
    """SMH has exactly the target volatility, so its sleeve is not scaled."""
    found = last(NearCashFlowSmh(), reading_of(market, "NEUTRAL"), market)
    assert found == close({"SPY": 0.6, "SMH": 0.2, "BTC-USD": 0.025})


@pytest.mark.parametrize(
    ("regime", "share"),
    [("INJECTION", 0.8), ("NEUTRAL", 0.6), ("ABSORPTION", 0.2), ("OPPORTUNITY", 0.7)],
)
def test_cash_heavy_holds_spy_by_the_regime(
    regime: str, share: float, market: pd.DataFrame
) -> None:
    assert last(CashHeavy(), reading_of(market, regime), market) == close({"SPY": share})


def test_cash_heavy_is_all_cash_in_forced_selling(market: pd.DataFrame) -> None:
    assert last(CashHeavy(), reading_of(market, "FORCED_SELLING"), market) == {}


@pytest.mark.parametrize(
    ("regime", "broad", "each"),
    [
        ("INJECTION", 1.0, 0.0),
        ("NEUTRAL", 0.7, 0.1),
        ("ABSORPTION", 0.0, 0.2),
        ("FORCED_SELLING", 0.0, 0.1),
        ("OPPORTUNITY", 1.0, 0.0),
    ],
)
def test_defensive_deals_out_over_three_listed_funds(
    regime: str, broad: float, each: float, market: pd.DataFrame
) -> None:
    expected = {"SPY": broad, "XLP": each, "XLU": each, "XLV": each}
    found = last(Defensive(), reading_of(market, regime), market)
    assert found == close({asset: share for asset, share in expected.items() if share})


def test_a_sleeve_is_cash_until_63_returns_are_known(market: pd.DataFrame) -> None:
    """63 returns need 64 prices. With 63 prices, memory and crypto are left out."""
    short = market.iloc[1:]
    found = last(NearCashFlow(), reading_of(short, "NEUTRAL"), short)
    assert found == close({"SPY": 0.6})


def test_a_scale_is_never_above_one() -> None:
    """The volatility is a fifth of the target, but the sleeve is not scaled up to five times."""
    quiet = zigzag(CALM / 5, WARM_UP)
    panel = panel_of(SPY=quiet, MU=quiet, BTC=[9.0] * WARM_UP)
    found = last(NearCashFlow(), reading_of(panel, "INJECTION"), panel)
    assert found == close({"SPY": 0.6, "MU": 0.2, "BTC-USD": 0.2})


def test_an_asset_of_two_sleeves_gets_both_shares(market: pd.DataFrame) -> None:
    """MU gets half of broad's 60 %, and half of memory's 20 %, which is scaled by a half."""
    strategy = NearCashFlow(broad=("SPY", "MU"))
    assert strategy.assets.count("MU") == 1
    found = last(strategy, reading_of(market, "NEUTRAL"), market)
    assert found == close({"SPY": 0.3, "MU": 0.3 + 0.05, "WDC": 0.05, "BTC-USD": 0.025})


def test_a_sleeve_is_overridden_by_a_parameter(market: pd.DataFrame) -> None:
    strategy = NearCashFlow(memory=("XLP", "SMH"), crypto=())
    assert strategy.assets == ("SPY", "XLP", "SMH", "USMV", "XLU", "XLV")
    found = last(strategy, reading_of(market, "NEUTRAL"), market)
    assert found == close({"SPY": 0.6, "XLP": 0.1, "SMH": 0.1})  # volatility 12.5 %: not scaled


# --- patient ---------------------------------------------------------------------------------

START = WARM_UP + 6
"""The session of the turn; volatilities are known by then, and small, so that no sleeve is cut."""


def patiently(
    regimes: list[tuple[str | None, int]], stage: int = 42, hold: int = 252
) -> pd.DataFrame:
    """Return patient's weights under ``regimes``, which follow START sessions of NEUTRAL."""
    names = ["NEUTRAL"] * START + [name for name, n in regimes for _ in range(n)]
    quiet = zigzag(1 / 256, len(names))
    panel = panel_of(SPY=quiet, MU=quiet, BTC=quiet)
    strategy = Patient(stage=stage, hold=hold)
    weights = decide(strategy, reading_of(panel, names), panel)
    check_weights(weights, "patient")
    return weights[["SPY", "MU", "BTC-USD"]].iloc[START:].reset_index(drop=True)


def row(weights: pd.DataFrame, at: int) -> list[float]:
    return weights.iloc[at].tolist()


def test_patient_waits_by_the_table() -> None:
    weights = patiently([("INJECTION", 1), (None, 1), ("ABSORPTION", 1), ("FORCED_SELLING", 1)])
    assert weights["SPY"].tolist() == [0.6, 0.3, 0.0, 0.0]
    assert not weights[["MU", "BTC-USD"]].any(axis=None)


def test_patient_enters_by_thirds_holds_a_year_and_leaves_by_thirds() -> None:
    """Patient buys a third at 0, 21 and 42 sessions after the turn, and sells at 294, 315 and 336.

    Between 42 and 294, it holds all thirds for 252 sessions. SPY never falls below the 30 % of
    NEUTRAL's row, because the chance sells no SPY.
    """
    weights = patiently([("OPPORTUNITY", 63), ("NEUTRAL", 337 - 63)])
    first, second, whole = [0.3, 0.2 / 3, 0.2 / 3], [0.4, 0.4 / 3, 0.4 / 3], [0.6, 0.2, 0.2]
    for sessions, expected in (
        ((0, 1, 20), first),
        ((21, 41), second),
        ((42, 62, 63, 200, 293), whole),
        ((294, 314), [0.4, 0.4 / 3, 0.4 / 3]),
        ((315, 335), [0.3, 0.2 / 3, 0.2 / 3]),
        ((336,), [0.3, 0.0, 0.0]),
    ):
        for at in sessions:
            assert row(weights, at) == close(expected), at


@pytest.mark.parametrize("after", [1, 21, 42, 100, 294, 315])
def test_forced_selling_ends_a_chance_at_once_and_for_good(after: int) -> None:
    weights = patiently([("OPPORTUNITY", after), ("FORCED_SELLING", 2), ("NEUTRAL", 400)])
    assert weights["MU"].loc[after - 1] > 0
    assert row(weights, after) == close([0.0, 0.0, 0.0])
    assert (weights.loc[after + 2 :] == [0.3, 0.0, 0.0]).all(axis=None)


def test_a_chance_after_forced_selling_begins_with_its_first_third() -> None:
    weights = patiently([("OPPORTUNITY", 60), ("FORCED_SELLING", 5), ("OPPORTUNITY", 30)])
    assert row(weights, 59) == close([0.6, 0.2, 0.2])
    assert row(weights, 65) == close([0.2, 0.2 / 3, 0.2 / 3])
    assert row(weights, 65 + 21) == close([0.4, 0.4 / 3, 0.4 / 3])


def test_regimes_that_come_and_go_while_the_whole_is_held_do_nothing() -> None:
    flips = [("ABSORPTION", 40), ("INJECTION", 40), (None, 40), ("NEUTRAL", 40), ("ABSORPTION", 70)]
    weights = patiently([("OPPORTUNITY", 63), *flips])
    assert len(weights) == 293
    assert (weights.loc[42:] == weights.loc[42]).all(axis=None)


def test_regimes_that_come_and_go_on_the_way_in_do_not_stop_it() -> None:
    """Only the part outside the chance follows the table. In ABSORPTION, this part is cash."""
    weights = patiently([("OPPORTUNITY", 5), ("ABSORPTION", 40)])
    assert row(weights, 20) == close([0.2, 0.2 / 3, 0.2 / 3])
    assert row(weights, 21) == close([0.4, 0.4 / 3, 0.4 / 3])
    assert row(weights, 42) == close([0.6, 0.2, 0.2])


@pytest.mark.parametrize(
    ("turn", "held"), [(150, 3), (294, 3), (295, 2), (315, 2), (316, 1), (336, 1)]
)
def test_a_new_chance_starts_the_clock_again_and_sells_none_of_the_old(
    turn: int, held: int
) -> None:
    weights = patiently([("OPPORTUNITY", 63), ("ABSORPTION", turn - 63), ("OPPORTUNITY", 337)])
    thirds = (weights["MU"].loc[turn:] * 15).round(9).reset_index(drop=True)  # 20 % is 3 thirds
    assert thirds.loc[:20].tolist() == [held] * 21
    assert thirds.loc[21:41].tolist() == [max(held, 2)] * 21
    assert thirds.loc[42:293].tolist() == [3] * 252
    assert thirds.loc[294:336].tolist() == [2] * 21 + [1] * 21 + [0]


@pytest.mark.parametrize("turn", [0, 15, 300])
def test_a_turn_to_opportunity_sells_nothing_of_the_market_either(turn: int) -> None:
    """After NEUTRAL, SPY stays at 30 % until two thirds of the chance hold more than 30 %."""
    calm: list[tuple[str | None, int]] = [("OPPORTUNITY", 10), ("NEUTRAL", turn - 10)]
    weights = patiently([*(calm if turn else []), ("OPPORTUNITY", 1)])
    market = weights["SPY"]
    before = market.loc[turn - 1] if turn else 0.3
    assert market.loc[turn] >= before


def test_a_second_turn_on_the_way_in_starts_the_clock_again() -> None:
    """The new turn is at 15, so the second third comes 21 sessions later, at 36 instead of 21."""
    weights = patiently([("OPPORTUNITY", 10), ("NEUTRAL", 5), ("OPPORTUNITY", 50)])
    thirds = (weights["MU"] * 15).round(9)
    assert thirds.tolist() == [1] * (15 + 21) + [2] * 21 + [3] * 8


def test_a_chance_that_lasts_longer_than_it_is_held_is_left_all_the_same() -> None:
    weights = patiently([("OPPORTUNITY", 500)])
    assert row(weights, 293) == close([0.6, 0.2, 0.2])
    assert (weights.loc[336:] == [0.3, 0, 0]).all(axis=None)


def test_stage_and_hold_are_sessions() -> None:
    weights = patiently([("OPPORTUNITY", 40)], stage=4, hold=3)
    thirds = (weights["MU"] * 15).round(9).tolist()
    assert thirds[:12] == [1, 1, 2, 2, 3, 3, 3, 2, 2, 1, 1, 0]


def test_the_state_names_the_thirds_and_else_the_regime() -> None:
    names = ["INJECTION", None, *["OPPORTUNITY"] * 3, "ABSORPTION", *["NEUTRAL"] * 4]
    panel = panel_of(SPY=[1.0] * len(names))
    state = Patient(stage=2, hold=2).state(reading_of(panel, names), panel)
    assert state is not None
    in_and_out = ["1/3 in", "2/3 in", "3/3 in", "3/3 in", "2/3 in", "1/3 in"]
    labels = state.where(state.notna(), None).tolist()
    assert labels == ["INJECTION", None, *in_and_out, "NEUTRAL", "NEUTRAL"]


def test_patients_memory_and_crypto_are_scaled_and_what_is_freed_is_cash(
    market: pd.DataFrame,
) -> None:
    names: list[str | None] = [*["NEUTRAL"] * (len(market) - 1), "OPPORTUNITY"]
    found = last(Patient(), reading_of(market, names), market)
    third = {"SPY": 0.3, "MU": 0.2 / 3 / 2 / 2, "WDC": 0.2 / 3 / 2 / 2, "BTC-USD": 0.2 / 3 / 4}
    assert found == close(third)


# --- memory over crypto ----------------------------------------------------------------------


@pytest.mark.parametrize("regime", ["ABSORPTION", "FORCED_SELLING"])
def test_memory_over_crypto_is_long_one_and_short_the_other(
    regime: str, market: pd.DataFrame
) -> None:
    """Each leg has a volatility of 12.5 %: 25 % of memory at 50 %, 12.5 % of crypto at 100 %."""
    found = last(MemoryOverCrypto(), reading_of(market, regime), market)
    assert found == close({"MU": 0.125, "WDC": 0.125, "BTC-USD": -0.125})


@pytest.mark.parametrize("regime", ["INJECTION", "NEUTRAL", "OPPORTUNITY", None])
def test_memory_over_crypto_is_cash_while_capital_is_ample(
    regime: str | None, market: pd.DataFrame
) -> None:
    assert last(MemoryOverCrypto(), reading_of(market, regime), market) == {}


def test_memory_over_crypto_twin_is_long_smh(market: pd.DataFrame) -> None:
    found = last(MemoryOverCryptoSmh(), reading_of(market, "ABSORPTION"), market)
    assert found == close({"SMH": 0.5, "BTC-USD": -0.125})


def test_gross_exposure_is_one_at_most_at_low_volatility() -> None:
    quiet = zigzag(1 / 1024, WARM_UP)
    panel = panel_of(MU=quiet, STX=quiet, BTC=quiet)
    found = last(MemoryOverCrypto(), reading_of(panel, "ABSORPTION"), panel)
    assert found == close({"MU": 0.25, "STX": 0.25, "BTC-USD": -0.5})
    assert sum(map(abs, found.values())) <= 1


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param({"BTC": [np.nan] * WARM_UP}, id="bitcoin is not listed"),
        pytest.param({"BTC": zigzag(WILD, WARM_UP, late=1)}, id="bitcoin has no volatility yet"),
        pytest.param({"BTC": [*zigzag(WILD, 63), np.nan]}, id="bitcoin has no price any more"),
        pytest.param({"MU": [np.nan] * WARM_UP}, id="no memory maker is listed"),
        pytest.param({"MU": zigzag(LOUD, WARM_UP, late=1)}, id="memory has no volatility yet"),
    ],
)
def test_without_both_legs_there_is_no_trade(missing: dict[str, list[float]]) -> None:
    prices = {"MU": zigzag(LOUD, WARM_UP), "BTC": zigzag(WILD, WARM_UP)}
    whole, panel = panel_of(**prices), panel_of(**(prices | missing))
    assert last(MemoryOverCrypto(), reading_of(whole, "ABSORPTION"), whole) != {}
    assert last(MemoryOverCrypto(), reading_of(panel, "ABSORPTION"), panel) == {}


# --- survival --------------------------------------------------------------------------------

#: One member of each class, the shortest duration first. No volatility is high enough for scaling.
LADDER = ("MU", "XLP", "MSFT", "NVDA", "IGV", "ARKK", "BTC-USD")
TILTED: dict[float, list[float]] = {
    -1.0: [0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3, 2],
    0.0: [1, 1, 1, 1, 1, 1, 1],
    0.5: [3 / 2, 4 / 3, 7 / 6, 1, 5 / 6, 2 / 3, 1 / 2],
    1.0: [2, 5 / 3, 4 / 3, 1, 2 / 3, 1 / 3, 0],
}


@pytest.mark.parametrize(
    ("score", "like"), [(-1, -1), (0, 0), (0.5, 0.5), (1, 1), (np.nan, 0), (-7.5, -1), (3, 1)]
)
def test_survival_tilts_from_long_to_short_duration(score: float, like: float) -> None:
    panel = panel_of(SPY=[7.0] * WARM_UP).assign(**{t: [7.0] * WARM_UP for t in LADDER})
    found = last(Survival(), reading_of(panel, score=score), panel)
    shares = [0.6 / 7 * times for times in TILTED[like]]
    assert found == close({"SPY": 0.4, **{t: s for t, s in zip(LADDER, shares, strict=True) if s}})
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)


def test_survival_scales_its_first_and_last_class_and_no_other(market: pd.DataFrame) -> None:
    loud = zigzag(LOUD, WARM_UP)
    panel = market.assign(**dict.fromkeys(("XLP", "MSFT", "NVDA", "IGV", "ARKK"), loud))
    found = last(Survival(), reading_of(panel, score=0.0), panel)
    seventh = 0.6 / 7
    assert found["MU"] == found["WDC"] == pytest.approx(seventh / 2 / 2, abs=1e-12)
    assert found["BTC-USD"] == pytest.approx(seventh / 4, abs=1e-12)
    assert found["XLP"] == found["XLU"] == pytest.approx(seventh / 3, abs=1e-12)
    assert found["NVDA"] == found["SMH"] == pytest.approx(seventh / 2, abs=1e-12)
    assert found["MSFT"] == found["IGV"] == found["ARKK"] == pytest.approx(seventh, abs=1e-12)


def test_survival_says_in_a_word_whether_absorption_is_on() -> None:
    panel = panel_of(SPY=[1.0] * 3)
    state = Survival().state(reading_of(panel, flag=[None, False, True]), panel)
    assert state is not None
    assert state.isna().tolist() == [True, False, False]
    assert state.tolist()[1:] == ["not absorbing", "absorbing"]


# --- trend -----------------------------------------------------------------------------------


def monthly(closes: list[float], within: float, sessions: pd.DatetimeIndex) -> list[float]:
    """Return prices: at a month's last session, its close; at other sessions, ``within``."""
    months = sessions.to_period("M")
    ends = months[1:] != months[:-1]
    prices, month = [], 0
    for end in [*ends, True]:
        prices.append(closes[month] if end else within)
        month += bool(end)
    return prices


YEAR = calendar.sessions(pd.Timestamp("2019-01-01"), pd.Timestamp("2020-01-31"))


def year_of(closes: list[float], within: float = 1000.0) -> pd.DataFrame:
    """Return SPY from January 2019 to January 2020, with the given thirteen month-end closes."""
    return pd.DataFrame({"SPY": monthly(closes, within, YEAR)}, index=YEAR)


def trends(panel: pd.DataFrame, **parameters: Any) -> pd.Series:
    return decide(Trend(**parameters), reading_of(panel), panel)["SPY"]


CLOSES = [float(c) for c in (100, 102, 104, 106, 108, 110, 112, 114, 116, 100, 110, 90, 111)]


def test_trend_at_a_month_end_is_the_price_over_the_mean_of_the_last_ten_closes() -> None:
    """Trend holds SPY if the month's close is above the mean of the last ten closes.

    October: 100 is below 107.2, so out. November: 110 is above 108.2, so in. December: 90 is below
    107, so out. January: 111 is above 107.7, so in.
    """
    held = trends(year_of(CLOSES))
    ends = held.groupby(YEAR.to_period("M")).last()
    assert ends.tolist() == [0.0] * 10 + [1.0, 0.0, 1.0]
    means = [sum(CLOSES[i : i + 10]) / 10 for i in range(4)]
    assert means == pytest.approx([107.2, 108.2, 107.0, 107.7])
    assert [c > mean for c, mean in zip(CLOSES[9:], means, strict=True)] == [0, 1, 0, 1]


def test_trend_within_a_month_is_the_price_over_the_mean_of_itself_and_nine_closes() -> None:
    """On 2019-12-10, the price is compared with the closes of March to November, 980 in sum.

    Trend holds SPY if 9 · price is above 980, so if the price is above 108.9. The closes of
    December and February do not count.
    """
    assert sum(CLOSES[2:11]) == 980
    for price, held in ((108.8, 0.0), (109.0, 1.0)):
        panel = year_of(CLOSES)
        panel.loc["2019-12-10", "SPY"] = price
        assert trends(panel).loc["2019-12-10"] == held


def test_trend_needs_a_price_above_its_mean_not_at_it() -> None:
    panel = year_of([100.0] * 13, within=100.0)
    assert not trends(panel).any()


def test_trend_is_out_before_ten_months_and_without_a_month_among_them() -> None:
    rising = [100.0 + i for i in range(13)]
    panel = year_of(rising, within=200.0)
    held = trends(panel)
    assert held[held > 0].index[0] == pd.Timestamp("2019-10-01")
    gap = panel.drop(panel.loc["2019-05"].index)
    assert not trends(gap).any()
    assert trends(gap, months=3).loc["2019-07-31"] == 0.0  # one of two months before is May
    assert trends(gap, months=3).loc["2019-08-30"] == 1.0


def test_a_month_whose_last_sessions_have_no_price_closes_at_its_last_one() -> None:
    panel = year_of(CLOSES)
    panel.loc["2019-11-25":"2019-11-29", "SPY"] = np.nan
    panel.loc["2019-11-22", "SPY"] = 110.0
    assert trends(panel).loc["2019-11-25":"2019-11-29"].tolist() == [0.0] * 4
    assert trends(panel).loc["2019-12-31"] == 0.0  # 90 is below the mean, 107
    assert trends(panel).loc["2020-01-31"] == 1.0  # 111 is above the mean, 107.7


def test_each_asset_of_trend_has_a_trend_and_an_equal_share_of_its_own() -> None:
    """Two of three listed assets rise and get a third each. An unlisted asset gets no share."""
    rising, falling = [100.0 + i for i in range(13)], [100.0 - i for i in range(13)]
    panel = year_of(rising, within=100.0).assign(
        MU=monthly(rising, 100.0, YEAR), STX=monthly(falling, 100.0, YEAR)
    )
    found = last(TrendUniverse(), reading_of(panel), panel)
    assert found == close({"SPY": 1 / 3, "MU": 1 / 3})
    late = panel.assign(WDC=[np.nan] * 200 + [5.0] * (len(YEAR) - 200))
    assert last(TrendUniverse(), reading_of(late), late) == close({"SPY": 1 / 4, "MU": 1 / 4})


def test_trend_says_whether_anything_is_held() -> None:
    panel = year_of(CLOSES)
    state = Trend().state(reading_of(panel), panel)
    assert state is not None
    ends = state.groupby(YEAR.to_period("M")).last()
    assert ends.tolist() == ["out"] * 10 + ["invested", "out", "invested"]


# --- dual momentum ---------------------------------------------------------------------------


def momentum(panel: pd.DataFrame) -> dict[str, float]:
    return last(DualMomentum(), reading_of(panel), panel)


def thirteen_months(spy: float, efa: float, ief: float = 0.0, bills: float = 2.0) -> pd.DataFrame:
    """Return prices that are 100 at the end of January 2019 and have the given gains a year later.

    The prices in between do not count.
    """
    gains = {"SPY": spy, "EFA": efa, "IEF": ief}
    columns = {
        ticker: monthly([100.0] + [55.0] * 11 + [100 * (1 + gain)], 77.0, YEAR)
        for ticker, gain in gains.items()
    }
    return pd.DataFrame({**columns, "DGS3MO": bills}, index=YEAR)


@pytest.mark.parametrize(
    ("spy", "efa", "chosen"),
    [
        (0.10, 0.05, "SPY"),
        (0.10, 0.11, "EFA"),
        (0.10, 0.10, "SPY"),
        (0.03, -0.50, "SPY"),
        (0.0201, 0.0, "SPY"),
        (0.0199, 0.0, "IEF"),
        (0.01, -0.05, "IEF"),
        (0.01, 0.50, "IEF"),
        (-0.20, -0.30, "IEF"),
    ],
)
def test_dual_momentum_beside_bills_at_two_percent(spy: float, efa: float, chosen: str) -> None:
    assert momentum(thirteen_months(spy, efa)) == {chosen: 1.0}


def test_bills_are_the_mean_yield_of_252_sessions() -> None:
    """The yield is 4 % for 126 sessions and 1 % for 126: 2.5 %. Earlier yields do not count."""
    panel = thirteen_months(0.0249, 0.0)
    panel["DGS3MO"] = [99.0] * (len(YEAR) - 252) + [4.0] * 126 + [1.0] * 126
    assert momentum(panel) == {"IEF": 1.0}
    assert momentum(panel.assign(SPY=thirteen_months(0.0251, 0.0)["SPY"])) == {"SPY": 1.0}


def test_without_a_return_of_spy_dual_momentum_is_cash() -> None:
    panel = thirteen_months(0.1, 0.2)
    assert momentum(panel) == {"EFA": 1.0}
    assert momentum(panel.drop(columns="SPY")) == {}
    assert momentum(panel.iloc[21:]) == {}  # less than twelve months
    assert momentum(panel.assign(DGS3MO=np.nan)) == {}


def test_what_is_missing_is_not_chosen() -> None:
    panel, poor = thirteen_months(0.1, 0.2), thirteen_months(-0.1, 0.2)
    assert momentum(panel.drop(columns="EFA")) == {"SPY": 1.0}
    young = panel["EFA"].where(pd.Timestamp("2019-02-01") <= YEAR)
    assert momentum(panel.assign(EFA=young)) == {"SPY": 1.0}
    assert momentum(poor.drop(columns="IEF")) == {}
    lapsed = poor["IEF"].mask(YEAR[-1] == YEAR)
    assert momentum(poor.assign(IEF=lapsed)) == {}


def test_treasuries_without_twelve_months_behind_them_are_not_chosen() -> None:
    poor = thirteen_months(-0.1, 0.2)
    young = poor["IEF"].where(pd.Timestamp("2019-02-01") <= YEAR)
    assert momentum(poor.assign(IEF=young)) == {}


# --- volatility target and baselines ---------------------------------------------------------


@pytest.mark.parametrize(
    ("swing", "share"),
    [(CALM, 0.4), (LOUD, 0.2), (1 / 160, 1.0), (1 / 320, 1.0), (0.0, 1.0)],
)
def test_vol_target_is_ten_percent_over_volatility_and_one_at_most(
    swing: float, share: float
) -> None:
    panel = panel_of(SPY=zigzag(swing, WARM_UP))
    assert last(VolTarget(), reading_of(panel), panel) == close({"SPY": share})


def test_vol_target_is_cash_while_volatility_is_not_known() -> None:
    panel = panel_of(SPY=zigzag(CALM, WARM_UP - 1))
    assert last(VolTarget(), reading_of(panel), panel) == {}


def test_baselines_hold_what_they_say() -> None:
    panel = panel_of(SPY=[1.0] * 2, GLD=[np.nan, 2.0])
    assert decide(Gold(), reading_of(panel), panel)["GLD"].tolist() == [0.0, 1.0]
    assert last(ConstantMix(), reading_of(panel), panel) == {"SPY": 0.5}
    assert last(ConstantMix(share=0.3), reading_of(panel), panel) == {"SPY": 0.3}
    both = EqualWeight(tickers=("SPY", "GLD"))
    assert decide(both, reading_of(panel), panel).to_numpy().tolist() == [[1.0, 0.0], [0.5, 0.5]]


# --- parameters ------------------------------------------------------------------------------

SCALED = (NearCashFlow, NearCashFlowSmh, Patient, MemoryOverCrypto, Survival, VolTarget)
REFUSED: list[Any] = [
    *[
        (cls, {"volatility": bad}, "volatility")
        for cls in SCALED
        for bad in (0.0, -0.1, np.nan, 25)
    ],
    (NearCashFlow, {"memory": ("MU", "MU")}, "memory"),
    (CashHeavy, {"broad": ("SPY", "SPY")}, "broad"),
    (Defensive, {"defensive": ("XLP", " XLU")}, "defensive"),
    (Patient, {"crypto": ("",)}, "crypto"),
    (MemoryOverCrypto, {"crypto": ("BTC-USD", "BTC-USD")}, "crypto"),
    (Patient, {"stage": 1}, "stage"),
    (Patient, {"hold": 0}, "hold"),
    (Patient, {"hold": -252}, "hold"),
    (Trend, {"tickers": ("SPY", "SPY")}, "tickers"),
    (Trend, {"months": 1}, "months"),
    (TrendUniverse, {"months": 121}, "months"),
    (EqualWeight, {"tickers": ("SPY", "SPY")}, "tickers"),
    (NearCashFlow, {"memory": "MU"}, "memory"),
    (ConstantMix, {"share": -0.01}, "share"),
    (ConstantMix, {"share": 1.01}, "share"),
    (ConstantMix, {"share": np.nan}, "share"),
]


@pytest.mark.parametrize(("cls", "parameters", "names"), REFUSED)
def test_an_impossible_parameter_is_refused_on_one_line(
    cls: type[Strategy], parameters: dict[str, Any], names: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        cls(**parameters)
    message = str(refused.value)
    assert names in message
    assert "\n" not in message
    bad = next(iter(parameters.values()))
    assert str(bad if not isinstance(bad, tuple) else repr(bad[0])) in message


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_parameter_of_another_type_is_refused_by_name(name: str) -> None:
    cls = STRATEGIES[name]
    for parameter in fields(cls):
        with pytest.raises(ConfigError, match=parameter.name) as refused:
            build(cls, {parameter.name: "much"}, f"parameter of {name}")
        assert "\n" not in str(refused.value)
