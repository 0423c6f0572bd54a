"""Compare the speed of many simulations with other engines, in one run.

    python -m benchmarks.sweep
    python -m benchmarks.sweep --configurations 100 --many 1000 --rounds 3

Each configuration trades random monthly weights of 12 assets over 4,000 sessions of random prices,
with costs. Idle cash earns nothing, there are no short positions, and no price is missing, so that
every engine can compute the case. An engine gets a time only if its equity agrees with
``simulate_many`` to 1e-12 on each compared configuration (bt to 1e-9). The engines take turns, and
a ratio is the median over the rounds. Times are seconds of the processor, over all threads of the
process. The ratio of two threads to one uses elapsed time, so other work on the machine lowers this
ratio.

vectorbt runs through its public functions. All assets of a portfolio are in one group that shares
cash. A call has 25 portfolios or one portfolio, and runs with one of vectorbt's two engines. bt
counts a fee as part of the traded amount, so bt trades without costs. The engine ``numpy`` is a
plain loop over the sessions with a trade.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from backtests.engine.batch import Variant, batch_of, room_of
from backtests.engine.costs import Costs
from backtests.engine.many import TOGETHER, Many, simulate_many
from backtests.engine.simulate import CAPITAL, simulate

ASSETS = ("SPY", "QQQ", "SMH", "GLD", "TLT", "IEF", "MU", "NVDA", "MSFT", "GOOGL", "AMZN", "META")
SESSIONS, EVERY, YEAR = 4000, 21, 252
#: Number of portfolios in one call of vectorbt. A call needs about 1 GB.
GROUP = 25
AGREEMENT = {"bt": 1e-9}
CLOSE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Case:
    """Configurations of one market."""

    prices: pd.DataFrame
    bills: pd.Series
    variants: list[Variant]

    def few(self, count: int) -> "Case":
        return replace(self, variants=self.variants[:count])

    def many(self, threads: int = 1, keep_equity: bool = False) -> Many:
        return simulate_many(
            self.variants, self.prices, self.bills, threads=threads, keep_equity=keep_equity
        )


def case_of(count: int, seed: int) -> Case:
    """Return configurations with random monthly weights; every second configuration has no cash."""
    random = np.random.default_rng(seed)
    index = pd.bdate_range("2009-01-02", periods=SESSIONS)
    moves = random.normal(3e-4, 0.015, (SESSIONS, len(ASSETS)))
    columns = pd.Index(ASSETS)
    prices = pd.DataFrame(80 * np.exp(moves.cumsum(axis=0)), index=index, columns=columns)
    rows, costs, variants = index[:-1:EVERY], Costs(), []
    for i in range(count):
        weights = random.dirichlet(np.ones(len(ASSETS) + i % 2), len(rows))[:, : len(ASSETS)]
        table = pd.DataFrame(weights, index=rows, columns=columns)
        variants.append(Variant(weights=table, costs=costs, band=0.0))
    return Case(prices=prices, bills=pd.Series(0.0, index=index), variants=variants)


# --- The engines: equity of each configuration, and the metrics that a sweep needs -----------


def by_vectorbt(case: Case, engine: str, group: int) -> np.ndarray:
    """Return equity, configurations × sessions; vectorbt also computes the metrics."""
    parts = range(0, len(case.variants), group)
    return np.vstack([_grouped(case, case.variants[i : i + group], engine) for i in parts])


def _grouped(case: Case, variants: list[Variant], engine: str) -> np.ndarray:
    import vectorbt

    sessions, assets = case.prices.shape
    sizes = np.full((sessions, assets * len(variants)), np.nan)
    at = case.prices.index.get_indexer(variants[0].weights.index) + 1
    sizes[at] = np.hstack([variant.weights.to_numpy() for variant in variants])
    groups = np.repeat(np.arange(len(variants)), assets)
    close = pd.DataFrame(np.tile(case.prices.to_numpy(), len(variants)), index=case.prices.index)
    rates = [variants[0].costs.rate(asset) for asset in ASSETS]
    portfolio = vectorbt.Portfolio.from_orders(
        close=close,
        size=sizes,
        size_type="targetpercent",
        fees=np.tile(rates, len(variants))[None, :],
        init_cash=CAPITAL,
        cash_sharing=True,
        group_by=groups,
        call_seq="auto",
        freq="1D",
        engine=engine,
    )
    returns = portfolio.returns()
    accessor = returns.vbt.returns(freq="1D", year_freq=f"{YEAR} days")
    accessor.annualized(), accessor.annualized_volatility(), accessor.sharpe_ratio()
    accessor.max_drawdown(), returns.skew(), returns.kurt()
    value: np.ndarray = portfolio.value().to_numpy().T
    return value.reshape(len(variants), -1)


def by_bt(case: Case) -> np.ndarray:
    """Return equity of one backtest of bt for each configuration."""
    import bt

    sessions, rows = case.prices.index, []
    for i, variant in enumerate(case.variants):
        fills = variant.weights.set_axis(
            sessions[sessions.get_indexer(variant.weights.index) + 1], axis=0
        )
        act = [bt.algos.RunOnDate(*fills.index), bt.algos.WeighTarget(fills), bt.algos.Rebalance()]
        test = bt.Backtest(
            bt.Strategy(str(i), act),
            case.prices,
            initial_capital=CAPITAL,
            integer_positions=False,
            progress_bar=False,
        )
        rows.append(bt.run(test).backtests[str(i)].strategy.values.iloc[1:].to_numpy())
    return np.vstack(rows)


def by_numpy(case: Case) -> np.ndarray:
    """Return equity from a plain loop over the trades of each configuration."""
    prices = case.prices.to_numpy()
    return np.vstack([_ledger(case, variant, prices) for variant in case.variants])


def _ledger(case: Case, variant: Variant, prices: np.ndarray) -> np.ndarray:
    fees = np.array([variant.costs.rate(asset) for asset in ASSETS])
    at = case.prices.index.get_indexer(variant.weights.index) + 1
    ends = np.append(at[1:], len(prices))
    units, cash, equity = np.zeros(len(ASSETS)), CAPITAL, np.full(len(prices), CAPITAL)
    for now, end, target in zip(at, ends, variant.weights.to_numpy(), strict=True):
        price = prices[now]
        change = target * (cash + units @ price) - units * price
        cash -= (change + np.abs(change) * fees)[change < 0].sum()
        for leg in np.argsort(change, kind="stable"):
            if change[leg] > 0:
                change[leg] = min(change[leg], max(cash, 0.0) / (1 + fees[leg]))
                cash -= change[leg] * (1 + fees[leg])
        units += change / price
        equity[now:end] = cash + prices[now:end] @ units
    returns = equity[1:] / equity[:-1] - 1
    _ = returns.mean(), returns.std(ddof=1), (returns**3).mean(), (returns**4).mean()
    _ = np.min(equity / np.maximum.accumulate(equity))
    return equity


# --- Agreement and time ----------------------------------------------------------------------


def gap(equity: np.ndarray, case: Case) -> tuple[float, int]:
    """Return the largest relative difference from ``simulate_many``.

    Also return the position of the configuration that has this difference.
    """
    ours = case.many(keep_equity=True).equity
    assert ours is not None
    apart = np.abs(equity / ours.to_numpy() - 1).max(axis=1)
    return float(apart.max()), int(apart.argmax())


def seconds(act: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    act()
    return clock() - start


def engines_of(case: Case, slow: int) -> dict[str, tuple[Case, Callable[[Case], np.ndarray]]]:
    """Return each engine with the configurations that it computes."""
    free = replace(case, variants=[replace(v, costs=Costs().times(0)) for v in case.variants])
    each: dict[str, tuple[Case, Callable[[Case], np.ndarray]]] = {
        f"vectorbt {engine}, {group} a call": (
            case.few(2 * group if group > 1 else slow),
            partial(by_vectorbt, engine=engine, group=group),
        )
        for engine in ("rust", "numba")
        for group in (1, GROUP)
    }
    return each | {"bt": (free.few(slow), by_bt), "numpy": (case.few(2 * GROUP), by_numpy)}


def agreeing(engines: dict[str, Any], case: Case) -> Iterator[str]:
    """Yield the engines that agree, and print the worst configuration of each engine."""
    record = np.vstack(
        [
            simulate(v.weights, case.prices, case.bills, v.costs, band=v.band).equity.to_numpy()
            for v in case.variants[:4]
        ]
    )
    print(f"simulate: {gap(record, case.few(4))[0]:.1e} on 4 configurations")
    for name, (few, act) in engines.items():
        size, worst = gap(act(few), few)
        sound = size <= AGREEMENT.get(name, CLOSE)
        told = "" if sound else ": it disagrees, so its time is not compared"
        print(f"{name}: {size:.1e}, worst in configuration {worst} of {len(few.variants)}{told}")
        if sound:
            yield name


def stages(case: Case) -> dict[str, float]:
    """Return the seconds of each stage of ``simulate_many``, and of reading all arrays."""
    from backtests.engine.loops import trade

    batch = batch_of(case.variants, case.prices, case.bills, CAPITAL, "weights")
    firsts = range(0, len(case.variants), TOGETHER)
    prices, count = batch.market.deflated, len(case.variants)

    def trades() -> None:
        for first in firsts:
            room = room_of(batch, min(TOGETHER, count - first), daily=False)
            trade(batch.market, batch.frames, batch.terms, room, first)

    def read() -> None:
        for _ in range(count):
            prices.sum()
        batch.frames.targets.sum()

    def prepare() -> None:
        batch_of(case.variants, case.prices, case.bills, CAPITAL, "weights")

    times = {"all": seconds(case.many), "tables to arrays": seconds(prepare)}
    times |= {"trades and values": seconds(trades), "reading the arrays once": seconds(read)}
    return times


def micro(each: list[float], count: int) -> str:
    return f"{1e6 * median(each) / count:9.1f} µs"


def compare(case: Case, rounds: int, slow: int) -> None:
    """Print each engine's time for a configuration, and its ratio to that of ``simulate_many``."""
    engines = engines_of(case, slow)
    sound = list(agreeing(engines, case))
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in sound}
    for _ in range(rounds):
        ours.append(min(seconds(case.many) for _ in range(3)) / len(case.variants))
        for name in sound:
            few, act = engines[name]
            theirs[name].append(seconds(partial(act, few)) / len(few.variants))
    print(f"simulate_many: {micro(ours, 1)} a configuration, metrics included")
    for name, each in theirs.items():
        ratio = median(a / b for a, b in zip(each, ours, strict=True))
        print(f"{name:<26} {micro(each, 1)}   {ratio:8.1f} × simulate_many")


def scale(case: Case, rounds: int) -> None:
    """Print the stages of a configuration, and the speed of two threads against one."""
    count, told = len(case.variants), [stages(case) for _ in range(rounds)]
    parts = {name: [each[name] for each in told] for name in told[0]}
    rest = [e["all"] - e["tables to arrays"] - e["trades and values"] for e in told]
    for name, each in {**parts, "metrics and the rest": rest}.items():
        print(f"  {name:<26} {micro(each, count)}")
    reading = median(each["all"] / each["reading the arrays once"] for each in told)
    print(f"  all / reading once: {reading:.1f}")
    clock = time.perf_counter
    turns = [(seconds(case.many, clock), seconds(lambda: case.many(2), clock)) for _ in told]
    print(f"  one thread / two threads, by the clock: {median(a / b for a, b in turns):.2f}")
    same = case.many(1).metrics.equals(case.many(2).metrics)
    print(f"  figures of one and of two threads are equal bit for bit: {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--configurations", type=int, default=400)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--slow", type=int, default=4, help="number of configurations for slow engines"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    case = case_of(given.configurations, given.seed)
    print(f"{SESSIONS} sessions × {len(ASSETS)} assets, monthly trades, largest differences:")
    first = seconds(lambda: case.few(1).many())
    compare(case, given.rounds, given.slow)
    print(f"first call, which loads or compiles the loops: {first:.2f} s")
    for count in (given.configurations, given.many):
        print(f"{count} configurations, time of one configuration:")
        scale(case if count == given.configurations else case_of(count, given.seed), given.rounds)


if __name__ == "__main__":
    main()
