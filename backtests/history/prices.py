"""Check the prices of the assets in a run, and compute the returns of the benchmark."""

from collections.abc import Iterable

import pandas as pd

from backtests.history.panel import History
from signals.errors import MissingSeries, StaleSeries
from signals.universe import OwnClasses, asset


def check_assets(tickers: Iterable[str], history: History, what: str = "") -> None:
    """Raise :class:`MissingSeries` if an asset has no price in the history.

    An asset that is listed only after the end of the history needs no price. The error message
    begins with the text in ``what``.
    """
    end = history.panel.index[-1]
    for ticker in dict.fromkeys(tickers):
        listed = asset(ticker).listed
        if ticker in history.closes and history.closes[ticker].notna().any():
            continue
        if listed is not None and pd.Timestamp(listed) > end:
            continue
        raise MissingSeries(
            f"{what}expected prices of {ticker} in the history, found none; import them "
            "('drypowder data' lists the series in the store)"
        )


def check_priced(own: OwnClasses, history: History) -> None:
    """Raise :class:`MissingSeries` if an asset in one of the user's asset classes has no price."""
    for name, tickers in own.items():
        check_assets(tickers, history, f"class {name}: ")


def benchmark_returns(
    ticker: str, history: History, index: pd.DatetimeIndex, bills: pd.Series, lag: int
) -> pd.Series:
    """Return the benchmark's daily returns before costs, as fractions, from the second session on.

    The benchmark is bought when the strategy's first decision is filled, ``lag`` sessions after the
    decision. Until the benchmark is bought, the money is in bills. ``bills`` contains the simple
    return of bills from the previous session to each session.

    Raises
    ------
    StaleSeries
        Raised if the benchmark lacks a price on a session of ``index``.
    """
    prices = history.closes[ticker].loc[index]
    if prices.isna().any():
        gap = prices.index[prices.isna()][0].date()
        priced = prices.loc[prices.index[prices.isna()][-1] :].index[1:]
        later = f", or start on {priced[0].date()} or later" if len(priced) else ""
        raise StaleSeries(
            f"expected a price of the benchmark {ticker} for every session, found none for {gap}; "
            f"add this price to the history{later}"
        )
    returns = prices.pct_change().iloc[1:].rename(ticker)
    returns.iloc[:lag] = bills.reindex(returns.index[:lag])
    return returns
