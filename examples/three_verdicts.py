"""Recompute three verdicts of the trial by hand, with pandas and scipy alone.

    python examples/three_verdicts.py                      # SIMULATED economy
    python examples/three_verdicts.py --store FILE         # real history

The script computes the numbers of three verdicts a second time, from closes and flags. The script
prints the trial's numbers and its own, and ends with an error if the numbers differ.
"""

import argparse
import itertools
import math

import numpy as np
import pandas as pd
from scipy import stats

from backtests.history.panel import History
from backtests.thesis.claims import CLAIMS
from backtests.thesis.trial import Trial, try_claims
from signals.universe import members

NAMES = ("crypto-below-spy", "short-duration-first", "capital-absorbed")
RANKS = {
    "memory": 0,
    "defensive": 0,
    "hyperscalers": 1,
    "semiconductors": 1,
    "broad": 1,
    "software": 2,
    "speculative": 2,
    "crypto": 3,
}


def class_returns(history: History) -> pd.DataFrame:
    """Return the mean return of each class's assets, sessions × classes, fractions."""
    returns = history.closes / history.closes.shift(1) - 1
    return pd.DataFrame({name: returns[list(members(name))].mean(axis=1) for name in RANKS})


def episodes(on: np.ndarray) -> list[list[int]]:
    """Return the positions of each episode; stays at most 63 sessions apart form one episode."""
    found: list[list[int]] = []
    for position in np.flatnonzero(on):
        if found and position - found[-1][-1] <= 63:
            found[-1].append(int(position))
        else:
            found.append([int(position)])
    return found


def crypto_below_spy(history: History, on: pd.Series) -> tuple[float, float, float]:
    """Return the mean return of crypto minus SPY on absorbed sessions, and its interval.

    Mean and interval are in percentage points a year. Each episode is one cluster of the interval.
    The variance is CR2, and the degrees of freedom are those of Bell and McCaffrey.
    """
    spy = history.closes["SPY"] / history.closes["SPY"].shift(1) - 1
    gap = (class_returns(history)["crypto"] - spy).to_numpy()
    gaps = [gap[inside] for inside in episodes(on.to_numpy() == 1)]
    gaps = [part[~np.isnan(part)] for part in gaps]
    everything = np.concatenate(gaps)
    n, mean = len(everything), everything.mean()
    sizes = np.array([len(part) for part in gaps])
    sums = np.array([(part - mean).sum() for part in gaps])
    error = math.sqrt((sums**2 / (1 - sizes / n)).sum()) / n
    scale = 1 / np.sqrt(1 - sizes / n)
    form = (np.diag(sizes) - np.outer(sizes, sizes) / n) * np.outer(scale, scale)
    reach = stats.t.ppf(0.975, n**2 / (form**2).sum()) * error
    return tuple(25_200 * np.array([mean, mean - reach, mean + reach]))


def short_duration_first(history: History, on: pd.Series) -> tuple[float, float]:
    """Return Kendall's tau-b of mean returns with the declared order, and its p-value.

    The p-value is the share of the possible orders of classes whose tau-b is at least as large.
    """
    returns = class_returns(history).dropna()
    means = returns[on.reindex(returns.index) == 1].mean()
    declared = [-RANKS[name] for name in means.index]
    tau = stats.kendalltau(means, declared).statistic
    orders = set(itertools.permutations(declared))
    others = [stats.kendalltau(means, order).statistic for order in orders]
    return float(tau), float(np.mean(np.array(others) >= tau - 1e-9))


def check(history: History, trial: Trial) -> list[tuple[str, float, float]]:
    """Return the name of each number, its value by hand, and its value in the trial."""
    flag = trial.sample.reading.flags["absorption"]
    on = (
        flag.astype("Float64").astype(float).shift(2)
    )  # a flag belongs to the return two sessions later
    crypto = trial.of("crypto-below-spy").estimate
    order = trial.of("short-duration-first").estimate
    status = trial.of("capital-absorbed").status
    assert crypto is not None
    assert order is not None
    assert status is not None
    mean, low, high = crypto_below_spy(history, on)
    tau, p_value = short_duration_first(history, on)
    return [
        ("crypto below SPY, points a year", mean, crypto.value),
        ("   95 % interval, low", low, crypto.interval.low),
        ("   95 % interval, high", high, crypto.interval.high),
        ("short duration first, tau-b", tau, order.value),
        ("   p, order of classes permuted", p_value, order.tests["order of classes permuted"]),
        ("capital absorbed at the end", float(flag.dropna().iloc[-1]), float(status.on)),
        ("   stays", float((flag.astype(float).diff() == 1).sum()), float(len(status.stays))),
    ]


def main() -> None:
    """Print the numbers by hand beside those of the trial."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", help="a store of real history; default: SIMULATED economy")
    given = parser.parse_args()
    history = History.load(given.store) if given.store else History.simulated(1)
    trial = try_claims(history, [claim for claim in CLAIMS if claim.name in NAMES])
    label = "real history" if given.store else "SIMULATED"
    print(f"{label}{'by hand':>34}{'trial':>12}")
    for name, by_hand, found in check(history, trial):
        print(f"{name:<32}{by_hand:>12.4f}{found:>12.4f}")
        if not math.isclose(by_hand, found, rel_tol=1e-9, abs_tol=1e-9):
            raise SystemExit(f"error: expected equal numbers for '{name.strip()}'")


if __name__ == "__main__":
    main()
