"""Compare the simulated economy with real history, or compare it with the thesis on and off.

    python benchmarks/economy.py --store s.duckdb            simulated against real history
    python benchmarks/economy.py --switch --seeds 50         thesis on against thesis off

The first command prints figures of each asset class and series. Each figure has a value from real
history, and a median over the seeds. The second command prints the share of seeds in which coins
and memory makers behave as designed under absorption.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.history.panel import History
from signals import Regime
from signals.universe import UNIVERSE

CLASSES = {
    "broad": ("SPY",),
    "memory": ("MU",),
    "defensive": ("USMV", "XLP", "XLU", "XLV"),
    "hyperscalers": ("MSFT", "AMZN"),
    "semiconductors": ("SMH",),
    "software": ("IGV",),
    "speculative": ("ARKK", "MSTR"),
    "crypto": ("BTC-USD",),
    "metals": ("GLD",),
    "bonds": ("IEF", "TLT"),
}
SERIES = ("DGS10", "DFII10", "BAA10Y", "THREEFYTP10", "DGS3MO", "VIXCLS")
YEAR = 252


def weekly(prices: pd.Series) -> pd.Series:
    return prices.dropna().resample("W-FRI").last().pct_change().dropna()


def clustering(returns: pd.Series) -> float:
    """Return the mean autocorrelation of absolute returns over lags 1 to 20."""
    size = returns.abs()
    return float(np.mean([size.autocorr(lag) for lag in range(1, 21)]))


def of_asset(closes: pd.DataFrame, ticker: str) -> dict[str, float]:
    prices = closes[ticker].dropna()
    returns = prices.pct_change().dropna()
    market = weekly(closes["SPY"])
    return {
        "mean": returns.mean() * YEAR,
        "volatility": returns.std() * np.sqrt(YEAR),
        "kurtosis": returns.kurt(),
        "max drawdown": (prices / prices.cummax() - 1).min(),
        "corr SPY weekly": weekly(prices).corr(market),
        "clustering": clustering(returns),
    }


def of_classes(closes: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: pd.DataFrame([of_asset(closes, t) for t in tickers]).mean()
            for name, tickers in CLASSES.items()
        }
    ).T


def of_series(panel: pd.DataFrame) -> pd.DataFrame:
    idle = panel["RRPONTSYD"] + (panel["WRESBAL"] / 1e3 - 0.09 * panel["GDP"]).clip(lower=0)
    paths = {id: panel[id] for id in SERIES} | {"idle, % of GDP": 100 * idle / panel["GDP"]}
    return pd.DataFrame(
        {
            name: {
                "mean": x.mean(),
                "5 %": x.quantile(0.05),
                "95 %": x.quantile(0.95),
                "sd of monthly change": x.diff(21).std(),
                "autocorr 1 year": x.autocorr(YEAR),
            }
            for name, x in paths.items()
        }
    ).T


def median(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    stacked = pd.concat(list(tables), keys=None)
    return stacked.groupby(level=0, sort=False).median()


def against_real(store: Path, seeds: int) -> None:
    real = History.load(store)
    since = real.panel.index >= "2005-01-01"
    simulated = [History.simulated(seed) for seed in range(seeds)]
    for title, table, measured in (
        ("by class", of_classes(real.closes[since]), [of_classes(h.closes) for h in simulated]),
        ("by series", of_series(real.panel[since]), [of_series(h.panel) for h in simulated]),
    ):
        both = pd.concat({"real": table, "SIMULATED": median(measured)}, axis=1).swaplevel(axis=1)
        columns = list(table.columns)
        print(f"\n{title}: real history since 2005, median of {seeds} SIMULATED seeds of 20 years")
        print(both.reindex(columns=columns, level=0).round(2).to_string())


def gap(history: History, excess: Callable[[pd.DataFrame], pd.Series]) -> float:
    """Return the t statistic of a difference: mean daily return in true absorption minus elsewhere.

    A session belongs to absorption if the true regime of the session before is ABSORPTION. All
    other sessions, including those of crisis and recovery, form the second group. The result is NaN
    if absorption has fewer than 60 sessions.
    """
    returns = excess(history.closes.pct_change(fill_method=None))
    assert history.truth is not None
    under = history.truth.shift(1) == Regime.ABSORPTION.value
    if under.sum() < 60:
        return float("nan")
    on, off = returns[under], returns[~under]
    error = np.sqrt(on.var() / len(on) + off.var() / len(off))
    return float((on.mean() - off.mean()) / error)


def crypto(returns: pd.DataFrame) -> pd.Series:
    return returns[["BTC-USD", "ETH-USD"]].mean(axis=1) - returns["SPY"]


def memory(returns: pd.DataFrame) -> pd.Series:
    members = [a.ticker for a in UNIVERSE.values() if a.asset_class == "memory"]
    return returns[members].mean(axis=1) - returns["SPY"]


def switch(seeds: int) -> None:
    rows = []
    for linked in (True, False):
        histories = [History.simulated(seed, thesis=linked) for seed in range(seeds)]
        for name, excess, sign in (("crypto − SPY", crypto, -1), ("memory − SPY", memory, 1)):
            t = sign * pd.Series([gap(h, excess) for h in histories]).dropna()
            rows.append(
                {
                    "thesis": "on" if linked else "off",
                    "return": name,
                    "designed": "lower" if sign < 0 else "higher",
                    "seeds with absorption": len(t),
                    "as designed": (t > 0).mean(),
                    "t above 1.65": (t > 1.65).mean(),
                    "t below −1.65": (t < -1.65).mean(),
                    "mean t": t.mean(),
                }
            )
    print(f"\nSIMULATED: mean return under true absorption against other sessions, {seeds} seeds")
    print(pd.DataFrame(rows).round(2).to_string(index=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--switch", action="store_true")
    given = parser.parse_args()
    if given.switch:
        switch(given.seeds)
    elif given.store:
        against_real(given.store, given.seeds)
    else:
        sys.exit("expected --store FILE or --switch; see --help")


if __name__ == "__main__":
    main()
