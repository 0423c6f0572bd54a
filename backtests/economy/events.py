"""Dated events of the simulated economy: releases, bond deals, and monetary policy."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtests.economy.prices import Prices
from signals.catalog import BOND_ISSUERS, REPORTERS

_DAY = pd.Timedelta(days=1)


def events(
    prices: Prices, filed: Mapping[str, pd.Series], rng: np.random.Generator
) -> dict[str, pd.Series]:
    """Return a mapping from id to event series; the index of a series contains the event dates.

    ``filed`` maps the ticker of a company to the filing dates of its capital expenditure. A company
    releases its earnings a day or two before it files. A policy surprise is a fraction of the
    market's move on a meeting day of the Federal Reserve. The market's move is the change in a
    yield or in share prices.
    """
    index = pd.DatetimeIndex(prices.closes.index)
    meetings = _third_wednesdays(index)
    return {
        **_releases(index, filed, rng),
        **_deals(index, rng),
        "FOMC": pd.Series(1.0, index=meetings),
        **_decisions(prices.yields["IORB"], meetings),
        **_surprises(prices, meetings, rng),
    }


def _third_wednesdays(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the dates of the FOMC meetings: the third Wednesday of eight months in each year.

    January, March, April, June, July, September, October and December have a meeting. A Wednesday
    without a session is left out.
    """
    days = pd.date_range(index[0], index[-1], freq="WOM-3WED")
    months = days.month.isin((1, 3, 4, 6, 7, 9, 10, 12))
    return days[months & days.isin(index)]


def _releases(
    index: pd.DatetimeIndex, filed: Mapping[str, pd.Series], rng: np.random.Generator
) -> dict[str, pd.Series]:
    """Return the earnings releases. Companies without filings use MSFT's filing dates."""
    found = {}
    for ticker in REPORTERS:
        dates = pd.DatetimeIndex(filed.get(ticker, filed["MSFT"]).dropna())
        days = dates - rng.integers(1, 3, len(dates)) * _DAY
        sessions = index[np.unique(np.clip(index.searchsorted(days), 0, len(index) - 1))]
        found[f"EARNINGS_{ticker}"] = pd.Series(1.0, index=sessions)
    return found


def _deals(index: pd.DatetimeIndex, rng: np.random.Generator) -> dict[str, pd.Series]:
    """Return about one bond deal a year for each issuer, in USD."""
    found = {}
    for ticker in BOND_ISSUERS:
        days = index[rng.random(len(index)) < 1 / 252]
        size = 1e9 * np.exp(2.3 + 0.5 * rng.standard_normal(len(days)))
        found[f"BOND_DEAL_{ticker}"] = pd.Series(size.round(-8), index=days)
    return found


def _decisions(paid: pd.Series, meetings: pd.DatetimeIndex) -> dict[str, pd.Series]:
    """Return the interest rates that the Federal Reserve Board sets at its meetings."""
    rate = paid.reindex(meetings).round(2)
    before = meetings < pd.Timestamp("2021-07-28")
    return {
        "DECISION_IOER": rate[before],
        "DECISION_IORB": rate[~before],
        "DECISION_SRF_MINIMUM_BID": (rate[~before] + 0.1).round(2),
    }


def _surprises(
    prices: Prices, meetings: pd.DatetimeIndex, rng: np.random.Generator
) -> dict[str, pd.Series]:
    changes = {
        "UST2Y": prices.yields["DGS2"].diff(),
        "UST10Y": prices.yields["DGS10"].diff(),
        "SP500": 100 * prices.closes["SPY"].pct_change(),
    }
    found = {}
    for name, change in changes.items():
        whole = 0.6 * change.reindex(meetings).fillna(0.0)
        part = rng.uniform(0.3, 0.9, len(meetings))
        found[f"FED_ME_{name}"] = whole
        found[f"FED_ST_{name}"] = part * whole
        found[f"FED_PC_{name}"] = (1 - part) * whole
    for id, source in (("ME", "FED_ME"), ("ST", "FED_ST"), ("PC", "FED_PC")):
        noise = 0.01 * rng.standard_normal(len(meetings))
        found[f"MPS_{id}"] = found[f"{source}_UST2Y"] + noise
    found["MPS_BS"] = found["MPS_ME"]
    found["MPS_BS_ORTH"] = found["MPS_ME"] + 0.01 * rng.standard_normal(len(meetings))
    return found | _ecb(meetings, rng)


def _ecb(meetings: pd.DatetimeIndex, rng: np.random.Generator) -> dict[str, pd.Series]:
    """Return ECB surprises, dated one day after each FOMC meeting."""
    days = meetings + _DAY
    policy, news = (0.05 * rng.standard_normal(len(days)) for _ in range(2))
    return {
        "ECB_OIS2Y": pd.Series(100 * (policy + news), index=days),
        "ECB_STOXX50": pd.Series(10 * (news - policy), index=days),
        "ECB_MP": pd.Series(policy, index=days),
        "ECB_CBI": pd.Series(news, index=days),
    }
