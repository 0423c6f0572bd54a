"""Signals compared with values by hand: reserves, who pays for spending, margin debt, crypto."""

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from signals import (
    Absorption,
    Capex,
    CryptoProbe,
    Funding,
    Leverage,
    OutsideCapital,
    Signal,
    evaluate,
)
from signals.catalog import ttm_id, year_ago_id
from signals.errors import ConfigError, MissingSeries
from signals.explanation import explain, explain_all
from signals.universe import session_close_id

NAN = float("nan")
SESSIONS = pd.bdate_range("2024-01-02", periods=60)


def constant(levels: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(levels, index=SESSIONS)


# --- funding ---------------------------------------------------------------------------------

RATES = {"SOFR": 4.33, "EFFR": 4.33, "IORB": 4.33, "IOER": NAN, "SRF": 0.5, "WLCFLPCL": 3_000.0}


def test_sofr_at_the_rate_on_reserves_is_not_above_it() -> None:
    said = Funding().evaluate(constant(RATES)).gauges
    assert said["scarce_days"].dropna().eq(0).all()
    above = Funding().evaluate(constant(RATES | {"SOFR": 4.34})).gauges.iloc[-1]
    assert (above["scarce_days"], above["sofr_spread"]) == (100.0, 1.0)
    assert above["discount_window"] == 3.0


def test_the_share_counts_sessions_of_the_window() -> None:
    panel = constant(RATES)
    panel.loc[SESSIONS[:10], "SOFR"] = 4.35
    days = Funding().evaluate(panel).gauges["scarce_days"]
    assert days.iloc[20] == pytest.approx(100 * 10 / 21)
    assert days.iloc[30] == 0.0


def test_before_the_rate_on_balances_the_rate_on_excess_reserves_counts() -> None:
    panel = constant(RATES | {"IOER": 4.30})
    panel.loc[SESSIONS[:30], "IORB"] = NAN
    spread = Funding().evaluate(panel).gauges["sofr_spread"]
    assert spread.iloc[29] == 3.0
    assert spread.iloc[30] == 0.0


def test_a_flag_of_funding_needs_half_a_window_and_ends_with_its_series() -> None:
    panel = constant(RATES)
    panel.loc[SESSIONS[40:], "SOFR"] = NAN
    flag = Funding().evaluate(panel).flag
    assert flag.first_valid_index() == SESSIONS[10]
    assert flag.last_valid_index() == SESSIONS[39]


# --- outside_capital -------------------------------------------------------------------------


def firms(**changed: tuple[float, ...]) -> pd.DataFrame:
    """Return a panel of firms. Each spends 120 bn USD, after 100, earns 150 and buys back 30.

    ``changed`` maps a flow to the amounts of MSFT, GOOGL, AMZN, META and ORCL, USD bn.
    """
    amounts = {
        "CAPEX": (120.0,) * 5,
        "CAPEX_AGO": (100.0,) * 5,
        "OCF": (150.0,) * 5,
        "OCF_AGO": (140.0,) * 5,
        "BUYBACKS": (30.0,) * 5,
        "BUYBACKS_AGO": (35.0,) * 5,
        "DEBT_ISSUED": (NAN, NAN, 12.0, 24.0, 36.0),
        "LEASES": (NAN, NAN, 6.0, NAN, NAN),
        **changed,
    }
    levels = {}
    for flow, values in amounts.items():
        concept, id_of = flow.removesuffix("_AGO"), year_ago_id if "_AGO" in flow else ttm_id
        for firm, value in zip(OutsideCapital().firms, values, strict=True):
            levels[id_of(concept, firm)] = 1e9 * value
    for concept in ("DEBT_ISSUED", "LEASES"):
        levels |= {year_ago_id(concept, firm): NAN for firm in OutsideCapital().firms}
    return constant(levels)


def who_pays(**changed: tuple[float, ...]) -> pd.Series:
    return OutsideCapital().evaluate(firms(**changed)).gauges.iloc[-1]


def test_the_gap_is_what_spending_exceeds_cash_flow_by() -> None:
    assert who_pays()["gap"] == pytest.approx(100 * (120 - 150) / 120)
    assert who_pays(OCF=(90.0,) * 5)["gap"] == pytest.approx(25)


def test_the_flag_is_on_when_the_firms_spend_more_than_they_earn() -> None:
    assert OutsideCapital().evaluate(firms(OCF=(119.0,) * 5)).flag.iloc[-1]
    assert not OutsideCapital().evaluate(firms(OCF=(121.0,) * 5)).flag.iloc[-1]


def test_added_spending_is_compared_with_added_cash_flow_and_smaller_buybacks() -> None:
    said = who_pays()
    assert said["marginal"] == pytest.approx(50)  # spending grew by 20, cash flow by 10
    assert said["from_payouts"] == pytest.approx(25)  # buybacks fell by 5


@pytest.mark.parametrize(("spent", "has_value"), [(110.0, False), (110.1, True), (90.0, False)])
def test_a_share_of_added_spending_needs_growth_of_more_than_a_tenth(
    spent: float, has_value: bool
) -> None:
    said = who_pays(CAPEX=(spent,) * 5)
    assert said[["marginal", "from_payouts"]].notna().tolist() == [has_value] * 2


def test_numerator_and_denominator_hold_the_same_firms() -> None:
    said = who_pays(
        BUYBACKS=(30.0, 30.0, NAN, 30.0, 30.0), CAPEX=(120.0, 120.0, 400.0, 120.0, 120.0)
    )
    assert said["from_payouts"] == pytest.approx(25), "AMZN files no buybacks, so it does not count"
    assert said["marginal"] == pytest.approx(100 * (380 - 50) / 380)
    four = who_pays(OCF_AGO=(140.0, 140.0, NAN, 140.0, 140.0))
    assert four["marginal"] == pytest.approx(50), "AMZN has no cash flow of a year earlier"


def test_raised_counts_the_firms_that_report_debt() -> None:
    said = who_pays()
    assert said["reporting"] == 3
    assert said["raised"] == pytest.approx(100 * (12 + 24 + 36 + 6 - 90) / 360)
    assert (said["debt"], said["leases"], said["buybacks"]) == pytest.approx((72, 6, 150))


def test_too_few_firms_or_no_spending_give_no_value() -> None:
    few = who_pays(OCF=(150.0, 150.0, 150.0, NAN, NAN))
    assert few[["gap", "marginal", "from_payouts"]].isna().all()
    assert few["firms"] == 3
    none = who_pays(CAPEX=(0.0,) * 5)
    assert none[["gap", "marginal", "from_payouts", "raised"]].isna().all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"firms": ("MSFT", "NOPE")}, "NOPE"),
        ({"firms": ("MSFT", "MSFT", "META", "AMZN")}, "MSFT twice"),
        (
            {"minimum": 6},
            "`minimum` from 1 to the number of firms .5., was 6; change `minimum`",
        ),
        ({"firms": ()}, "expected at least one firm, found none"),
    ],
)
def test_wrong_firms_get_one_line(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        OutsideCapital(**given)  # type: ignore[arg-type]


# --- leverage and crypto ---------------------------------------------------------------------


def test_margin_debt_is_compared_with_the_debt_known_a_horizon_earlier() -> None:
    panel = constant({"MARGIN_DEBT": 500_000.0, "FREE_CREDIT": 200_000.0})
    panel.loc[SESSIONS[30:], "MARGIN_DEBT"] = 400_000.0
    said = Leverage(horizon=20).evaluate(panel)
    assert said.gauges["growth"].iloc[[29, 30, 49, 50]].tolist() == pytest.approx([0, -20, -20, 0])
    assert said.gauges["free_credit"].iloc[-1] == pytest.approx(50)
    assert said.flag.loc[SESSIONS[34] :].all()  # zero growth does not turn it off
    assert not said.flag.loc[SESSIONS[20] : SESSIONS[33]].any()


def crypto(**levels: float) -> pd.DataFrame:
    given = {"BTC-USD": 1.0, "SPY": 1.0, "STABLECOIN_SUPPLY": 1e11, "FLOW_BTC_ETF": 10.0}
    return constant({**given, session_close_id("BTC-USD"): 1.0, **levels})


def test_supply_and_flows_are_measured_over_their_horizons() -> None:
    panel = crypto()
    panel.loc[SESSIONS[-1], "STABLECOIN_SUPPLY"] = 1.1e11
    panel.loc[SESSIONS[5], "FLOW_BTC_ETF"] = NAN
    said = CryptoProbe(horizon=20).evaluate(panel).gauges
    assert said["stablecoins"].iloc[-1] == pytest.approx(10)
    assert said["fund_flows"].iloc[-1] == pytest.approx(210)
    assert said["fund_flows"].first_valid_index() == SESSIONS[26]


def test_growth_from_a_supply_of_zero_has_no_value() -> None:
    panel = crypto()
    panel.loc[SESSIONS[:30], "STABLECOIN_SUPPLY"] = 0.0
    said = CryptoProbe(horizon=20).evaluate(panel).gauges["stablecoins"]
    assert not np.isinf(said).any()
    assert said.first_valid_index() == SESSIONS[50]


# --- hostile panels, and the numbers shown next to absorption --------------------------------


@pytest.mark.parametrize("signal", [Funding(), OutsideCapital(), Leverage(), CryptoProbe()])
def test_a_panel_without_a_column_is_refused_and_one_without_values_has_no_view(
    signal: Signal,
) -> None:
    ids = [*signal.inputs, session_close_id("BTC-USD")]
    empty = constant(dict.fromkeys(ids, NAN))
    said = signal.evaluate(empty)
    assert said.flag.isna().all()
    assert said.score.isna().all()
    with pytest.raises(MissingSeries, match=signal.inputs[-1]):
        signal.evaluate(empty.drop(columns=signal.inputs[-1]))


def test_capex_says_how_many_firms_it_compares_if_the_amount_of_a_firm_is_missing() -> None:
    ids = [id for id in Capex().inputs if id != "GDP"]
    panel = constant(dict.fromkeys(ids, 10e9) | {"GDP": 30_000.0})
    assert explain(Capex().evaluate(panel), panel, SESSIONS[-1]).beside == {}
    panel.loc[SESSIONS[-1], ttm_id("CAPEX", "MSFT")] = NAN
    said = explain(Capex().evaluate(panel), panel, SESSIONS[-1])
    assert said.beside == {"firms compared, of 5": 4.0}
    panel.loc[SESSIONS[-1], ttm_id("CAPEX", "META")] = NAN  # too few firms: no impulse
    assert explain(Capex().evaluate(panel), panel, SESSIONS[-1]).beside == {}


def test_absorption_shows_who_pays_as_known_at_the_session(history: History) -> None:
    chosen = {"absorption": Absorption(), "outside_capital": OutsideCapital()}
    said = evaluate(history.panel, chosen)
    gaps = said["outside_capital"].gauges["gap"]
    at = pd.Timestamp("2022-06-30")
    then = explain(said["absorption"], history.panel, at, among=said)
    now = explain_all(said, history.panel)["absorption"]
    name = "outside_capital gap, % of capex"
    assert (then.beside[name], now.beside[name]) == (gaps[at], gaps.iloc[-1])
    alone = explain(said["absorption"], history.panel, at)
    assert name not in alone.beside
