"""Compare the speed of the compiled simulation of trades with that of vectorbt's public functions.

    python benchmarks/kernel.py
    python benchmarks/kernel.py --years 20 --repeats 15

Random monthly weights of some assets are traded on SIMULATED history. The script compares three
simulations of this case. ``simulate_curves`` is the compiled simulation. ``simulate`` computes the
result of a run, with all checks and orders. ``vectorbt.Portfolio.from_orders`` gives daily values,
without our checks and rules. Times are compared only if the daily values of all three agree to a
relative 1e-9. The three simulations take turns, and each printed ratio is a median over the rounds.

The case has no short positions, no missing prices and no interest on cash, because vectorbt alone
cannot compute any of the three.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.engine.kernel import AGREEMENT, simulate_curves
from backtests.engine.simulate import CAPITAL, simulate
from backtests.history.panel import History

ASSETS = ("SPY", "QQQ", "SMH", "GLD", "TLT", "IEF")
EVERY = 21


def case_of(years: int, seed: int) -> dict[str, Any]:
    """Return the arguments of a simulation: weights of each month, prices, and bills at 0 %."""
    closes = History.simulated(0, years).closes
    prices = closes[[ticker for ticker in ASSETS if ticker in closes]].dropna()
    index = prices.index[:-1:EVERY]
    rows = np.random.default_rng(seed).dirichlet(np.ones(prices.shape[1] + 1), len(index))
    weights = pd.DataFrame(rows[:, 1:], index=index, columns=prices.columns)
    bills = pd.Series(0.0, index=prices.index)
    return {"weights": weights, "prices": prices, "bills": bills, "costs": Costs(), "band": 0.0}


def public_path(case: dict[str, Any]) -> pd.Series:
    """Return the daily value, USD, that vectorbt computes from the same weights."""
    import vectorbt

    prices, weights = case["prices"], case["weights"]
    sizes = weights.reindex(prices.index).shift(1)
    value: pd.Series = vectorbt.Portfolio.from_orders(
        close=prices,
        size=sizes,
        size_type="targetpercent",
        fees=np.array([[case["costs"].rate(ticker) for ticker in prices.columns]]),
        init_cash=CAPITAL,
        cash_sharing=True,
        group_by=True,
        call_seq="auto",
        freq="1D",
        engine="rust",
    ).value()
    return value


def gap(a: pd.Series, b: pd.Series) -> float:
    """Return the largest relative difference of two curves, or NaN if their sessions differ."""
    return float((a / b - 1).abs().max(skipna=False))


def seconds(act: Callable[[], object]) -> float:
    """Return the processor time of one call, seconds."""
    start = time.process_time()
    act()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    case = case_of(given.years, given.seed)
    first = seconds(lambda: simulate_curves(**case))
    curve, record = simulate_curves(**case).equity, simulate(**case).equity
    apart = {"simulate": gap(curve, record), "vectorbt": gap(curve, public_path(case))}
    sessions, assets = case["prices"].shape
    print(f"SIMULATED history: {sessions} sessions × {assets} assets")
    for name, size in apart.items():
        print(f"largest relative difference from {name}: {size:.1e}")
    if not all(size <= AGREEMENT for size in apart.values()):
        raise SystemExit(f"the simulations differ by more than {AGREEMENT:g}; no time is compared")
    acts = {
        "simulate_curves": lambda: simulate_curves(**case),
        "simulate": lambda: simulate(**case),
        "vectorbt": lambda: public_path(case),
    }
    rounds = [{name: seconds(act) for name, act in acts.items()} for _ in range(given.repeats)]
    print(f"first call, which loads or compiles the loops: {first:.2f} s")
    for name in acts:
        taken = median(each[name] for each in rounds)
        ratio = median(each[name] / each["simulate_curves"] for each in rounds)
        print(f"{name:<16} {1000 * taken:8.2f} ms   {ratio:5.1f} × the compiled simulation")


if __name__ == "__main__":
    main()
