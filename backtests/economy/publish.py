"""Turn a simulated economy into series with the ids, units and dates of real series."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtests.economy.events import events
from backtests.economy.flows import company_flows, flows, on
from backtests.economy.prices import Prices
from backtests.economy.quantities import Quantities
from signals.catalog import CATALOG, annual_id, ttm_id, year_ago_id

_FILING_DAYS = 30
#: Each company's fraction of trailing-year capital spending. The fractions of the five hyperscalers
#: sum to 1.
_CAPEX_SHARES = {
    "MSFT": 0.24,
    "GOOGL": 0.25,
    "AMZN": 0.29,
    "META": 0.17,
    "ORCL": 0.05,
    "NVDA": 0.02,
    "MU": 0.06,
    "CRWV": 0.03,
}
#: For each concept, the companies with simulated amounts. GOOGL and MSFT have no simulated amounts
#: of new debt.
FINANCING = {
    "OCF": ("MSFT", "GOOGL", "AMZN", "META", "ORCL", "NVDA"),
    "BUYBACKS": ("MSFT", "GOOGL", "AMZN", "META", "ORCL", "NVDA"),
    "DEBT_ISSUED": ("AMZN", "META", "ORCL", "NVDA"),
    "LEASES": ("MSFT", "GOOGL", "AMZN", "META", "ORCL"),
}
#: Annual amounts, as multiples of capital spending.
_ANNUAL = {"DEBT": 0.5, "DEBT_ISSUED": 0.15, "INTEREST": 0.02, "OCF": 1.6}


def publish(
    quantities: Quantities,
    prices: Prices,
    index: pd.DatetimeIndex,
    rng: np.random.Generator,
    more: np.random.Generator,
) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
    """Return all series by series id, and the filing dates of the SEC series by series id.

    Series and filing dates start at ``index[0]``. ``quantities`` and ``prices`` start a year
    earlier, because sums over the trailing year need that year. ``more`` is the random generator
    for flows and events.
    """
    paths = quantities.paths
    series = {
        **_weekly(paths, prices.yields),
        **_daily(paths, prices.yields, rng),
        **_monthly(paths, prices.yields),
        **_quarterly(paths, prices.yields),
        **_annual(paths),
        **_crypto_tables(paths, prices, rng),
    }
    sec, filed = _sec(paths, rng)
    spent = {ticker: filed[ttm_id("CAPEX", ticker)] for ticker in _CAPEX_SHARES if ticker != "CRWV"}
    others, later = _financing(paths, spent)
    series |= flows(quantities, prices, more) | sec | others | events(prices, spent, more)
    filed |= later
    series = {id: values.loc[index[0] :] for id, values in series.items()}
    series = {id: within_limits(id, values) for id, values in series.items()}
    for frame in (prices.closes, prices.coins):
        series |= {str(t): frame[t].loc[index[0] :] for t in frame.columns}
    return series, {id: dates.loc[index[0] :] for id, dates in filed.items()}


def within_limits(id: str, values: pd.Series) -> pd.Series:
    """Return the values, clipped at the lower and the upper limit in the catalog."""
    low, high = CATALOG[id].low, CATALOG[id].high
    # Series.clip takes 20 times as long.
    return pd.Series(np.clip(values.to_numpy(), low, high), index=values.index)


def _weekly(paths: pd.DataFrame, yields: pd.DataFrame) -> dict[str, pd.Series]:
    average = paths.rolling(5, min_periods=1).mean()
    stress = 3.2 * yields["stress"] - 0.5
    millions = {
        "WALCL": paths["fed_assets"],
        "TREAST": 0.62 * paths["fed_assets"],
        "WTREGEN": average["treasury_account"],
        "WRESBAL": average["reserves"],
    }
    return {
        **{id: (1e3 * on("W-WED", path)).round(0) for id, path in millions.items()},
        "NFCI": on("W-FRI", stress),
        "ANFCI": on("W-FRI", 1.1 * stress),
        "STLFSI4": on("W-FRI", 1.6 * stress),
        "WM2NS": on("W-MON", 0.6 * paths["gdp"] + 0.4 * paths["reserves"]).round(1),
    }


def _daily(
    paths: pd.DataFrame, yields: pd.DataFrame, rng: np.random.Generator
) -> dict[str, pd.Series]:
    rounded = yields.drop(columns="stress").round(2)
    dollar = 100 + 8 * yields["stress"] + np.cumsum(rng.standard_normal(len(paths)) * 0.05)
    return {
        **{str(id): path for id, path in rounded.items()},
        "THREEFYTP10": yields["THREEFYTP10"].round(4),
        "T10Y2Y": (rounded["DGS10"] - rounded["DGS2"]).round(2),
        "T10Y3M": (rounded["DGS10"] - rounded["DGS3MO"]).round(2),
        "BAMLH0A0HYM2": (2.1 * rounded["BAA10Y"] + 2 * yields["stress"]).round(2),
        "BAMLC0A0CM": (0.65 * rounded["BAA10Y"]).round(2),
        "DTWEXBGS": dollar.round(4),
        "RRPONTSYD": paths["reverse_repo"].round(3),
    }


def _monthly(paths: pd.DataFrame, yields: pd.DataFrame) -> dict[str, pd.Series]:
    money = (0.6 * paths["gdp"] + 0.4 * paths["reserves"]).resample("MS").mean()
    return {
        "M2SL": money.round(1),
        "FEDFUNDS": yields["EFFR"].resample("MS").mean().round(2),
        "TB3MS": yields["DGS3MO"].resample("MS").mean().round(2),
    }


def _quarterly(paths: pd.DataFrame, yields: pd.DataFrame) -> dict[str, pd.Series]:
    quarters = paths.resample("QS").mean()
    return {
        "GDP": quarters["gdp"].round(3),
        "PNFI": (0.128 * quarters["gdp"] + quarters["capex"]).round(3),
        "A679RC1Q027SBEA": (0.034 * quarters["gdp"] + quarters["capex"]).round(3),
        "B985RC1Q027SBEA": (0.022 * quarters["gdp"]).round(3),
        "DRTSCILM": (70 * yields["stress"].resample("QS").mean() - 5).round(1),
    }


def _sec(
    paths: pd.DataFrame, rng: np.random.Generator
) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
    """Return the amounts of companies by series id, and the filing dates by series id.

    Each company and concept has two series: the sum over the trailing year, and the same sum one
    year earlier.
    """
    total = on("QE", paths["trailing_capex"])
    values: dict[str, pd.Series] = {}
    filed: dict[str, pd.Series] = {}
    revenue = {"MU": 4.0}  # real history has only MU's revenue
    for concept, shares in (("CAPEX", _CAPEX_SHARES), ("REVENUE", revenue)):
        for ticker, share in shares.items():
            if ticker == "CRWV":  # in reality, CRWV has no full trailing year
                continue
            part = share * (_CAPEX_SHARES[ticker] if concept == "REVENUE" else 1.0)
            own = np.exp(np.cumsum(rng.standard_normal(len(total)) * 0.02))
            years = (1e9 * part * own * total).round(-6)
            lag = rng.integers(-8, 9, len(total)) + _FILING_DAYS
            dates = pd.Series(total.index + pd.to_timedelta(lag, unit="D"), index=total.index)
            now, ago = ttm_id(concept, ticker), year_ago_id(concept, ticker)
            values[now], values[ago] = years, years.shift(4)
            filed[now] = filed[ago] = dates
    return values, filed


def _financing(
    paths: pd.DataFrame, dates: Mapping[str, pd.Series]
) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
    """Return the amounts of companies by series id, and the filing dates by series id.

    The concepts are cash flow, buybacks, debt and leases. ``dates`` maps a ticker to filing dates.
    All amounts of a company have the same filing dates.
    """
    values: dict[str, pd.Series] = {}
    filed: dict[str, pd.Series] = {}
    for concept, total in company_flows(paths).items():
        for ticker in FINANCING[concept]:
            years = (1e9 * _CAPEX_SHARES[ticker] * on("QE", total)).round(-6)
            now, ago = ttm_id(concept, ticker), year_ago_id(concept, ticker)
            values[now], values[ago] = years, years.shift(4)
            filed[now] = filed[ago] = dates[ticker]
    return values, filed


def _annual(paths: pd.DataFrame) -> dict[str, pd.Series]:
    total = on("YE", paths["trailing_capex"])
    return {
        annual_id(concept, ticker): (1e9 * share * ratio * total).round(-6)
        for concept, ratio in _ANNUAL.items()
        for ticker, share in _CAPEX_SHARES.items()
        if ticker not in ("MU", "CRWV")
        and not (concept == "DEBT_ISSUED" and ticker in ("GOOGL", "MSFT"))
    }


def _crypto_tables(
    paths: pd.DataFrame, prices: Prices, rng: np.random.Generator
) -> dict[str, pd.Series]:
    month = prices.coins.pct_change(30).fillna(0.0)
    on_sessions = month.reindex(paths.index)
    noise = rng.standard_normal
    return {
        "FLOW_BTC_ETF": (900 * on_sessions["BTC-USD"] + 220 * noise(len(paths))).round(1),
        "FLOW_ETH_ETF": (200 * on_sessions["ETH-USD"] + 70 * noise(len(paths))).round(1),
        **{
            f"FUNDING_{coin}": (1e-4 + 4e-4 * month[f"{coin}-USD"] + 5e-5 * noise(len(month)))
            for coin in ("BTC", "ETH", "SOL")
        },
        "STABLECOINS": on("ME", 5e9 * (1 + paths["idle"] / 200)).round(0),
    }
