"""Simulate the price of reserves, and the funds that pay for capital spending.

The price of reserves is SOFR minus the rate on reserves. The price of reserves depends on the idle
capital P and the output G of the published economy. Asset prices can come from a second simulated
economy. The price of reserves is −9 bp + 6 bp · |ε| + 12 bp · exp(−(P/G) / 0.006). The random
number ε is standard normal. The Fed lends in repo on days on which SOFR is high.

Banks' assets are 0.72 G, so the reserves that banks need (0.09 G) are 12.5 % of these assets.

Operating cash flow is 1.25 times an exponential average of capital spending, with a half-life of
two years. So in a long boom, spending grows faster than cash flow. Buybacks take a tenth of the
cash flow, plus half of the amount by which the cash flow exceeds spending. If spending exceeds cash
flow, debt pays for most of the gap.

Margin debt follows share prices. The supply of stablecoins follows idle capital.
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from backtests.economy.prices import Prices
from backtests.economy.quantities import Quantities

#: Last date of IOER; IORB begins on the next day.
LAST_IOER = pd.Timestamp("2021-07-28")
_BANK_ASSETS = 0.72  # of output


def on(freq: str, path: pd.Series) -> pd.Series:
    """Return a path's last value at or before each date of the frequency ``freq``."""
    dates = _dates(path.index[0], path.index[-1], freq)
    return path.reindex(dates, method="ffill").dropna()


@lru_cache(64)
def _dates(first: pd.Timestamp, last: pd.Timestamp, freq: str) -> pd.DatetimeIndex:
    return pd.date_range(first, last, freq=freq)  # cached, because a call takes 5 ms


def flows(quantities: Quantities, prices: Prices, rng: np.random.Generator) -> dict[str, pd.Series]:
    """Return a mapping from id to series, in the units of the catalog."""
    paths, yields = quantities.paths, prices.yields
    return {
        **_funding(paths, yields),
        **_banks(paths, yields, rng),
        **_investors(paths, prices, rng),
        **_abroad(yields, rng),
    }


def _funding(paths: pd.DataFrame, yields: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the series of the money market.

    In ``yields``, SOFR minus the rate on reserves is −7 bp + 6 bp · |ε|.
    """
    paid = yields["IORB"]
    scarcity = 0.12 * np.exp(-(paths["idle"] / paths["gdp"]) / 0.006)
    sofr = (yields["SOFR"] - 0.02 + scarcity).round(2)
    lent = (300 * (sofr - paid - 0.08).clip(lower=0)).round(3)
    return {
        "IOER": paid.loc[:LAST_IOER].round(2),
        "IORB": paid.loc[LAST_IOER + pd.Timedelta(days=1) :].round(2),
        "SOFR": sofr,
        "TGCR": (sofr - 0.02).round(2),
        "SRF": lent,
        "RPONTSYD": (0.6 * lent).round(3),
    }


def _banks(
    paths: pd.DataFrame, yields: pd.DataFrame, rng: np.random.Generator
) -> dict[str, pd.Series]:
    level = np.exp(0.0005 * np.cumsum(rng.standard_normal(len(paths))))
    assets = _BANK_ASSETS * paths["gdp"] * level
    borrowed = 1e3 * (5 + 60 * yields["stress"])
    return {
        "TLAACBW027SBOG": on("W-WED", assets).round(4),
        "TOTBKCR": on("W-WED", 0.75 * assets).round(4),
        "WDTGAL": (1e3 * on("W-WED", paths["treasury_account"])).round(0),
        "WLCFLPCL": on("W-WED", borrowed).round(0),
        "WRMFNS": on("W-MON", 0.05 * paths["gdp"]).round(1),
    }


def _investors(
    paths: pd.DataFrame, prices: Prices, rng: np.random.Generator
) -> dict[str, pd.Series]:
    shares = prices.closes["SPY"].resample("ME").last()
    noise = np.exp(0.03 * rng.standard_normal(len(shares)))
    debt = 3e3 * shares * pd.Series(noise, index=shares.index)
    days = prices.coins.index
    supply = 5e9 * (1 + paths["idle"].reindex(days, method="ffill") / 200)
    weeks = on("W-TUE", prices.coins["BTC-USD"]).index
    exports = on("MS", 1e9 * (6 + 0.02 * paths["capex"]))
    return {
        "MARGIN_DEBT": debt.round(0),
        "FREE_CREDIT": (0.4 * debt).round(0),
        "STABLECOIN_SUPPLY": supply.round(0),
        "COT_BTC_NET": pd.Series(1500 * rng.standard_normal(len(weeks)), index=weeks).round(0),
        "KOREA_CHIPS": exports.round(0),
        "KOREA_MEMORY": (0.6 * exports).round(0),
    }


def _abroad(yields: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.Series]:
    euro = (0.6 * yields["IORB"] - 0.3).round(2)
    yen = (0.1 * yields["IORB"]).round(3)
    noise = 0.1 * rng.standard_normal(len(yields))
    return {
        "ACMTP10": (yields["THREEFYTP10"] + noise).round(4),
        "TONA": yen,
        "BOJ_POLICY_RATE": yen.round(1),
        "JGB10Y": (0.3 * yields["DGS10"]).round(3),
        "ECBDFR": euro,
    }


def company_flows(paths: pd.DataFrame) -> dict[str, pd.Series]:
    """Return a mapping from concept, such as ``OCF``, to trailing-year amounts in USD bn.

    Each amount is a sum over all hyperscalers.
    """
    spent = paths["trailing_capex"]
    earned = 1.25 * spent.ewm(halflife=504).mean()
    left = (earned - spent).clip(lower=0)
    return {
        "OCF": earned,
        "BUYBACKS": 0.1 * earned + 0.5 * left,
        "DEBT_ISSUED": 0.1 * spent + 0.8 * (spent - earned).clip(lower=0),
        "LEASES": 0.08 * spent,
    }
