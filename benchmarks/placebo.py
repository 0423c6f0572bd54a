"""Measure how often timing placebos are wrong, and how often they find a SIMULATED effect.

    python -m benchmarks.placebo --seeds 200
    python -m benchmarks.placebo --resampled --seeds 40

A placebo is the same strategy with random timing. The first command shifts dates, and runs with the
regime model ``quantities``, which uses only quantities. Each seed has 20 years and 1,000 placebos.
Each placebo shifts the holdings by some sessions. Holdings shifted past the end continue at the
start. Decisions and lags are the same as in a run. With the thesis off, the strategy's rank among
its placebos should be uniform (Kolmogorov–Smirnov test). With the thesis on, the power is the share
of seeds with a rank in the top 5 %. The planted effect is the asset's mean yearly return in
sessions with holdings decided in ABSORPTION, minus its mean yearly return in all other sessions.
There are three rules: ``cash-heavy``, ``defensive``, and all in bitcoin except in ABSORPTION. Seeds
in which the flag never changes contain no timing, and are counted separately.

The second command resamples returns. Four strategies that follow prices run with the default regime
model and the thesis off. Each seed has 10 years, and 19 resampled histories for each mean block
length. With the thesis off, the market is independent of quantities. But crises and volatility
persist, so a strategy that reacts to crises and volatility has a real gain. Resampled histories
with shorter blocks have less persistence. So placebos gain less on these histories, and the
strategy's rank is too high. The script prints the mean gain of the placebos beside the true gain.
To save time, the script reads only the signals that the regime needs.
"""

import argparse
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import kstest

import signals
from backtests.config_data import config_from
from backtests.evidence.placebo import rank_of, shift_placebo
from backtests.evidence.placebo_rank import gain_on, in_force
from backtests.evidence.resampling import BLOCK, resample_prices
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.pipeline import run_on, state_and_weights
from backtests.window import window
from benchmarks.pools import add_options, pool_of
from signals import Absorption, Reading, Regime
from signals.regimes import Quantities
from strategies import CashHeavy, Defensive, Strategy
from strategies.base import listed

YEAR = 252


@dataclass(frozen=True, kw_only=True)
class CoinUnlessAbsorbing(Strategy):
    """All in bitcoin, except in ABSORPTION."""

    name: ClassVar[str] = "coin-unless-absorbing"
    description: ClassVar[str] = "all in bitcoin, except in ABSORPTION"
    follows_regime: ClassVar[bool] = True

    @property
    def assets(self) -> tuple[str, ...]:
        """Bitcoin only."""
        return ("BTC-USD",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the weight of bitcoin: 0 in ABSORPTION, else 1."""
        calm = (reading.regime != Regime.ABSORPTION.value).astype(float)
        return listed(panel, self.assets).astype(float).mul(calm, axis=0)


RULES: tuple[tuple[Strategy, str], ...] = (
    (CashHeavy(), "SPY"),
    (Defensive(), "SPY"),
    (CoinUnlessAbsorbing(), "BTC-USD"),
)


def of_seed(seed: int, thesis: bool, shifts: int) -> dict[str, tuple[float, float]]:
    """Return the rank (NaN without timing) and the planted effect (a year) of each rule."""
    history = History.simulated(seed, thesis=thesis)
    chosen: dict[str, signals.Signal] = {"absorption": Absorption()}
    reading = signals.read(history.panel, chosen, model=Quantities())
    seen = reading.regime.notna().to_numpy()
    index = pd.DatetimeIndex(history.panel.index[int(np.argmax(seen)) :])
    config = config_from({"strategy": "cash-heavy", "source": "simulated"})
    bills = bill_returns(history.panel[YIELD])
    found = {}
    for rule, asset in RULES:
        _, decided = state_and_weights(config, rule, reading, history.panel, index)
        held = in_force(decided, index, config.lag)
        placebo = shift_placebo(
            held,
            history.closes.loc[held.index],
            bills.loc[held.index],
            config.costs,
            shifts=shifts,
            seed=seed,
        )
        returns = history.closes[asset].loc[held.index].pct_change(fill_method=None)
        on = (reading.regime == Regime.ABSORPTION.value).shift(config.lag + 1).reindex(held.index)
        on = on.fillna(False).astype(bool)
        effect = (returns[on].mean() - returns[~on].mean()) * YEAR
        found[rule.name] = (placebo.rank, float(effect))
    return found


FOLLOWERS = ("cash-heavy", "near-cash-flow", "vol-target", "trend")
#: Signals that the regime does not need.
UNREAD = ("convexity", "crypto_forced_selling")


def resampled_of_seed(
    seed: int, blocks: tuple[int, ...], draws: int, years: int = 10
) -> dict[tuple[str, int], tuple[float, float, float]]:
    """For each strategy and block length, return rank, true gain and mean gain of its placebos."""
    history = History.simulated(seed, years=years, thesis=False)
    chosen = {n: s for n, s in signals.default_signals().items() if n not in UNREAD}
    voted = signals.read(history.panel, chosen)
    configs = {n: config_from({"strategy": n, "source": "simulated"}) for n in FOLLOWERS}
    index = window(configs[FOLLOWERS[0]], history, voted)
    runs = {name: run_on(config, history, voted, index) for name, config in configs.items()}
    true = {name: gain_on(run, history, voted) for name, run in runs.items()}
    found = {}
    for block in blocks:
        gains: dict[str, list[float]] = {name: [] for name in runs}
        for draw in range(draws):
            panel, closes = resample_prices(
                history.panel, history.closes, block=block, seed=1000 * seed + draw, since=index[0]
            )
            drawn = replace(history, panel=panel, closes=closes)
            reading = signals.read(panel, chosen)
            for name, run in runs.items():
                gains[name].append(gain_on(run, drawn, reading))
        for name, others in gains.items():
            placebo = rank_of(true[name], others, "resampled")
            found[name, block] = (placebo.rank, true[name], float(np.nanmean(others)))
    return found


def print_resampled(seeds: int, blocks: tuple[int, ...], draws: int, pool: Executor) -> None:
    """Print the distribution of ranks and the mean gains for each strategy and block length."""
    print(f"SIMULATED, thesis off, {seeds} seeds of 10 years, {draws} draws")
    work = partial(resampled_of_seed, blocks=blocks, draws=draws)
    rows = list(pool.map(work, range(seeds)))
    for name, block in rows[0]:
        rank, true, others = np.array([row[name, block] for row in rows]).T
        error = rank.std(ddof=1) / np.sqrt(len(rank))
        print(
            f"{name:16s} block {block:4d} sessions  mean rank {rank.mean():.2f} ± {error:.2f}  "
            f"KS p {kstest(rank, 'uniform').pvalue:.3f}  in top 5 %: {np.mean(rank > 0.95):.3f}  "
            f"mean gain {true.mean():.3f}, placebos {others.mean():.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--shifts", type=int, default=1000)
    add_options(parser, workers=2)
    parser.add_argument("--resampled", action="store_true")
    parser.add_argument("--draws", type=int, default=19)
    parser.add_argument("--blocks", type=int, nargs="+", default=[63, BLOCK, 504])
    given = parser.parse_args()
    if given.resampled:
        with pool_of(given.workers, given.dask) as pool:
            print_resampled(given.seeds, tuple(given.blocks), given.draws, pool)
        return
    print(f"SIMULATED, {given.seeds} seeds of 20 years, {given.shifts} shifts")
    for thesis in (False, True):
        work = partial(of_seed, thesis=thesis, shifts=given.shifts)
        with pool_of(given.workers, given.dask) as pool:
            rows = list(pool.map(work, range(given.seeds)))
        for rule, _ in RULES:
            ranks = np.array([row[rule.name][0] for row in rows])
            effects = np.array([row[rule.name][1] for row in rows])
            seen = ranks[~np.isnan(ranks)]
            print(
                f"thesis {'on ' if thesis else 'off'} {rule.name:22s} "
                f"KS p {kstest(seen, 'uniform').pvalue:.3f}  "
                f"in top 5 %: {np.mean(seen > 0.95):.3f}  mean rank {seen.mean():.3f}  "
                f"effect {np.nanmean(effects):+.3f} a year  "
                f"seeds without timing: {np.isnan(ranks).sum()}"
            )


if __name__ == "__main__":
    from benchmarks import placebo  # a worker finds its functions by this name

    placebo.main()
