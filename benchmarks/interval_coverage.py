"""Measure how often the 95 % intervals contain the true value, in three SIMULATED worlds.

    python -m benchmarks.interval_coverage --seeds 500

Each world has 2,765 sessions, as many as a comparison from 2015 to 2025. The strategy knows whether
capital was ample or scarce one session earlier. The strategy holds 60 % SPY while capital is ample,
and 20 % SPY while capital is scarce. In addition, 20 % are always in a sleeve, a group of assets
such as memory makers. The returns of the sleeve depend on a second, independent regime. At each
session, each of the two regimes ends with a probability of 1 in 400. Bills earn nothing, and
trading is free. The table shows yearly returns over bills and yearly volatilities, first for ample
and then for scarce capital:

                        SPY             at a volatility of    the sleeve, at 30 %
    no regimes            4 and   4 %     18 and 18 %           10 and  10 %
    slow regimes         16 and  −8 %     13 and 22 %           40 and −20 %
    wide slow regimes    28 and −20 %     13 and 22 %           70 and −50 %

The true value of a figure is its value on an infinitely long history. The command ``compare`` uses
the same functions for its intervals. If the share of n seeds is p, its Monte Carlo error is
√(p (1 − p) / n). :data:`backtests.evidence.bootstrap.COVERAGE` contains the printed table.
"""

import argparse
import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from backtests.evidence.alpha import alpha
from backtests.evidence.bootstrap import compare_returns
from benchmarks.pools import add_options, pool_of

YEAR, SESSIONS, STAY = 252, 2765, 400
#: The shares of SPY for ample and for scarce capital, and the share of the sleeve.
WEIGHTS, SLEEVE = np.array([0.60, 0.20]), 0.20
SLEEVE_VOLATILITY = 0.30


@dataclass(frozen=True, kw_only=True)
class World:
    """Yearly means and volatilities, first for ample and then for scarce capital."""

    spy: tuple[float, float]
    volatility: tuple[float, float]
    sleeve: tuple[float, float]


WORLDS = {
    "no regimes": World(spy=(0.04, 0.04), volatility=(0.18, 0.18), sleeve=(0.10, 0.10)),
    "slow regimes": World(spy=(0.16, -0.08), volatility=(0.13, 0.22), sleeve=(0.40, -0.20)),
    "wide slow regimes": World(spy=(0.28, -0.20), volatility=(0.13, 0.22), sleeve=(0.70, -0.50)),
}


@dataclass(frozen=True, kw_only=True)
class Path:
    """One path of a world: daily returns over bills, and the share of SPY at each session."""

    spy: np.ndarray
    sleeve: np.ndarray
    share: np.ndarray

    @property
    def strategy(self) -> np.ndarray:
        """Return the strategy's daily returns over bills."""
        earned: np.ndarray = self.share * self.spy + SLEEVE * self.sleeve
        return earned


def path_of(seed: int, world: World, sessions: int = SESSIONS) -> Path:
    """Draw a path. Equal seeds give equal paths."""
    rng = np.random.default_rng(seed)
    capital, own = _regime(rng, sessions + 1), _regime(rng, sessions)
    shocks = rng.standard_normal((2, sessions)) / math.sqrt(YEAR)
    now = capital[1:]
    return Path(
        spy=np.array(world.spy)[now] / YEAR + np.array(world.volatility)[now] * shocks[0],
        sleeve=np.array(world.sleeve)[own] / YEAR + SLEEVE_VOLATILITY * shocks[1],
        share=WEIGHTS[capital[:-1]],
    )


def _regime(rng: np.random.Generator, sessions: int) -> np.ndarray:
    """Return a value for each session: 0 for ample capital, 1 for scarce capital."""
    ends = rng.random(sessions) < 1 / STAY
    regime: np.ndarray = (np.cumsum(ends) + rng.integers(2)) % 2
    return regime


def truth_of(world: World) -> dict[str, float]:
    """Return the true value of each figure."""
    # Joint probability of the previous state (rows) and the present state (columns).
    joint = np.array([[1 - 1 / STAY, 1 / STAY], [1 / STAY, 1 - 1 / STAY]]) / 2
    means = np.array(world.spy) / YEAR
    squares = np.square(world.volatility) / YEAR + means**2
    spy, variance = means.mean(), squares.mean() - means.mean() ** 2
    shares = joint * WEIGHTS[:, None]
    held = (shares * means).sum()
    sleeve = np.array(world.sleeve) / YEAR
    mean = held + SLEEVE * sleeve.mean()
    own_variance = (shares * WEIGHTS[:, None] * squares).sum() - held**2
    own_variance += SLEEVE**2 * (SLEEVE_VOLATILITY**2 / YEAR + sleeve.var())
    beta = ((shares * squares).sum() - held * spy) / variance
    sharpe = mean / math.sqrt(own_variance) * math.sqrt(YEAR)
    above = sharpe - spy / math.sqrt(variance) * math.sqrt(YEAR)
    return {
        "sharpe": sharpe,
        "sharpe_spy": above,
        "sharpe_mix": above,
        "excess_spy": (mean - spy) * YEAR,
        "excess_bills": mean * YEAR,
        "excess_mix": (mean - (WEIGHTS.mean() + SLEEVE) * spy) * YEAR,
        "alpha": (held - beta * spy) * YEAR,
    }


def held_by(seed: int, world: World, reps: int = 1000) -> dict[str, bool]:
    """Return, for each figure, whether its interval on one path contains the true value."""
    path = path_of(seed, world)
    index = pd.bdate_range("2015-01-01", periods=len(path.spy))
    spy, bills = pd.Series(path.spy, index), pd.Series(0.0, index)
    strategy = pd.Series(path.strategy, index)
    mix = spy * float((path.share + SLEEVE).mean())
    others = {"spy": spy, "bills": bills, "mix": mix}
    found = compare_returns(strategy, bills, others, reps=reps, seed=seed)
    own = alpha(strategy, pd.DataFrame({"spy": path.spy, "sleeve": path.sleeve}, index))
    ends = {name: (i.low, i.high) for name, i in found.items()} | {"alpha": (own.low, own.high)}
    return {name: ends[name][0] <= true <= ends[name][1] for name, true in truth_of(world).items()}


def coverage(
    seeds: int, world: World, workers: int = 1, reps: int = 1000, address: str | None = None
) -> dict[str, float]:
    """Return, for each figure, the share of seeds whose interval contains the true value."""
    work = partial(held_by, world=world, reps=reps)
    if workers == 1 and address is None:
        rows = [work(seed) for seed in range(seeds)]
    else:
        with pool_of(workers, address) as pool:
            rows = list(pool.map(work, range(seeds), chunksize=10))
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--reps", type=int, default=1000)
    add_options(parser, workers=1)
    given = parser.parse_args()
    print(f"SIMULATED, {given.seeds} seeds of {SESSIONS:,} sessions, {given.reps} resamples")
    print("percentage of 95 % intervals that contain the truth, ± Monte Carlo error")
    for name, world in WORLDS.items():
        found = coverage(given.seeds, world, given.workers, given.reps, given.dask)
        for figure, share in found.items():
            error = math.sqrt(share * (1 - share) / given.seeds)
            print(f"{name:20s}{figure:15s}{100 * share:6.1f} ± {100 * error:.1f}", flush=True)


if __name__ == "__main__":
    from benchmarks import interval_coverage  # a worker finds its functions by this name

    interval_coverage.main()
