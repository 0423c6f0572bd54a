"""Test walk-forward, the choice of parameters on past data, with and without a planted effect.

    python benchmarks/walkforward.py --seeds 200

There is one invented asset over fifteen years, and trading is free. If the asset's return k
sessions earlier was positive, the strategy holds only the asset. Otherwise it holds only bills.
Several k are tested. Without an effect, the asset's return over bills is noise with mean zero, so
on average every k earns as much as bills. The planted effect makes k = 3 the best choice. If a
strategy with k = 3 holds the asset, the effect raises the asset's return. If this strategy holds
bills, the effect lowers the asset's return.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

import signals
from backtests import History, RunConfig, config_from, walk_forward
from backtests.calendar import sessions
from backtests.evidence.walkforward import WalkForward
from backtests.history.bills import SPREAD, YIELD, bill_returns
from signals import Reading
from strategies import Strategy

ASSET = "FLIP"
KS = (1, 2, 3, 4, 5, 6, 7, 8)
TRUE_K = 3
#: Sessions from a decision to its first return: one session to fill the order, and one until the
#: next close.
AHEAD = 2
VOLATILITY = 0.01
FREE = dict.fromkeys(("etf_bp", "stock_bp", "crypto_bp", "borrow_stock", "borrow_crypto"), 0.0)


@dataclass(frozen=True, kw_only=True)
class Echo(Strategy):
    """Hold only the asset if the asset gained k sessions ago, else only bills."""

    name: ClassVar[str] = "echo"
    description: ClassVar[str] = "in the asset after a gain k sessions ago"

    k: int = 1

    @property
    def assets(self) -> tuple[str, ...]:
        """The invented asset is the only asset."""
        return (ASSET,)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return weight 1 after a positive return k sessions earlier, else 0."""
        gained = panel[[ASSET]].pct_change(fill_method=None).shift(self.k) > 0
        return gained.astype(float)


def made_up(excess: pd.DataFrame) -> History:
    """Return a history of bills, and of assets with the given daily returns over bills."""
    coins = [f"{coin}@session" for coin in ("BTC-USD", "ETH-USD", "SOL-USD")]
    columns = dict.fromkeys((*signals.needed(), *coins))
    panel = pd.DataFrame(np.nan, index=excess.index, columns=list(columns)).assign(**{YIELD: 3.0})
    earned = bill_returns(panel[YIELD], SPREAD).fillna(0.0)
    prices = 100 * (1 + excess.add(earned, axis=0)).cumprod()
    never = np.datetime64("NaT", "ns")
    return History(
        panel=panel.join(prices),
        known=pd.DataFrame(never, index=excess.index, columns=[*columns, *prices]),
        closes=prices,
        source="simulated",
    )


def noise(seed: int, start: str = "2010-01-01", end: str = "2024-12-31") -> pd.DataFrame:
    """Return daily returns over bills without any effect."""
    index = sessions(pd.Timestamp(start), pd.Timestamp(end))
    drawn = np.random.default_rng(seed).normal(0.0, VOLATILITY, len(index))
    return pd.DataFrame({ASSET: drawn}, index=index)


def planted(excess: pd.DataFrame, size: float = 0.1) -> pd.DataFrame:
    """Raise each return after an earlier gain, and lower each return after an earlier loss.

    The change is ``size`` standard deviations. The earlier return is ``TRUE_K + AHEAD`` sessions
    older.
    """
    values = excess[ASSET].to_numpy(copy=True)
    back = TRUE_K + AHEAD
    for at in range(back, len(values)):
        values[at] += size * VOLATILITY * np.sign(values[at - back])
    return pd.DataFrame({ASSET: values}, index=excess.index)


def settings(**changed: Any) -> RunConfig:
    """Return the configuration, with daily decisions and without costs."""
    usual = {
        "strategy": f"{__name__}:Echo",
        "benchmark": ASSET,
        "costs": FREE,
        "schedule": {"every": "day"},
    }
    return config_from(usual | changed)


def line(name: str, values: list[float]) -> str:
    """Return a mean with its standard error."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{name:<28} {np.mean(values):+.3f} ± {error:.3f}  (t = {np.mean(values) / error:+.1f})"


def figures(found: WalkForward) -> dict[str, float]:
    """Return the figures of one seed; :func:`report` prints their means over seeds."""
    return {
        "in sample, the best of the grid": found.in_sample,
        "in sample, at the choices": float(found.choices["in_sample"].mean()),
        "out of sample": found.out_of_sample,
        "plain, k = 1": found.plain,
        "right": float((found.choices["k"] == TRUE_K).mean()),
    }


def report(title: str, histories: Iterator[History]) -> None:
    """Print means over seeds; only one history exists at a time, to save memory."""
    table = pd.DataFrame(
        [figures(walk_forward(settings(), {"k": KS}, history)) for history in histories]
    )
    print(f"\nSIMULATED, {title}; {len(table)} seeds, yearly Sharpe ratios, mean ± standard error")
    for name in table.columns.drop("right"):
        print(line(name, list(table[name])))
    print(f"k = {TRUE_K} chosen in {table['right'].mean():.1%} of the years")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--planted-seeds", type=int, default=20)
    given = parser.parse_args()
    report("no effect", (made_up(noise(seed)) for seed in range(given.seeds)))
    with_echo = (made_up(planted(noise(seed))) for seed in range(given.planted_seeds))
    report(f"k = {TRUE_K} planted", with_echo)


if __name__ == "__main__":
    main()
