"""Measure the processor time of each signal over 20 years of real daily history, on one core.

    python benchmarks/signal_speed.py --store s.duckdb
    python benchmarks/signal_speed.py --store s.duckdb --rivals

The time of a signal is the shortest of three runs, in seconds. A run computes gauges, score and
flag. To compare machines, the script also prints the time to read the signals and the time to load
the panel. ``--rivals`` adds the price-only regime models.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

import signals
from backtests.history.panel import History

YEARS = 20


def best(act: Callable[[], object], times: int = 3) -> float:
    """Return the shortest processor time of several runs, seconds."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        act()
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--rivals", action="store_true")
    given = parser.parse_args()
    load = best(lambda: History.load(given.store, ()))
    history = History.load(given.store, ())
    panel = history.panel.loc[history.panel.index[-1] - pd.DateOffset(years=YEARS) :]
    chosen = signals.default_signals()
    rows = {name: best(partial(s.evaluate, panel)) for name, s in chosen.items()}
    quick = {name: s for name, s in chosen.items() if name != "convexity"}
    print(f"{len(panel)} sessions; seconds on one core for gauges, score and flag")
    print(pd.Series(rows).sort_values(ascending=False).round(3).to_string())
    print(f"{'all but convexity':<24}{sum(t for n, t in rows.items() if n in quick):.3f}")
    print(f"{'one reading of these':<24}{best(lambda: signals.read(panel, quick)):.3f}")
    print(f"{'loading the panel':<24}{load:.3f}")
    # The signal convexity has an estimate on this simulated history, but not on real history.
    simulated = History.simulated(4).panel
    convexity = best(partial(chosen["convexity"].evaluate, simulated), 1)
    print(f"{'convexity, SIMULATED':<24}{convexity:.3f}")
    if given.rivals:
        from signals.regimes import REGIMES, PriceOnly

        for name, model in REGIMES.items():
            if issubclass(model, PriceOnly):
                print(f"{name:<24}{best(partial(model().flag, panel), 1):.3f}")


if __name__ == "__main__":
    main()
