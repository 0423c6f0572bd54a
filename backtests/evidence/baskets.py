"""What a strategy owes to knowing which shares would thrive: random shares in their place.

The memory makers were picked in 2026. In their place come baskets of as many shares of the
universe, drawn without replacement from all other classes, and sized by the strategy's own rule,
which scales whatever stands there to the same volatility. A choice worth its name ranks high among
them. The shares drawn from were listed in the universe in 2026 too, so a high rank is no proof of
foresight, but a low one is proof of none.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.evidence.placebo import Placebo, rank_of, sharpe_of
from backtests.evidence.significance import FEWEST, in_force
from backtests.runs import Run
from signals.universe import UNIVERSE, members
from strategies import Strategy, decide

SLEEVE = "memory"


def random_baskets(run: Run, *, baskets: int = 50, seed: int = 0) -> Placebo | None:
    """Return where a run's memory makers rank among random baskets in their place, by Sharpe.

    Parameters
    ----------
    run
        Of any strategy.
    baskets
        How many.
    seed
        Equal seeds give equal baskets.

    Returns
    -------
    The placebo: Sharpe ratios over bills after costs, of target weights held, rebalanced daily.
    None where the strategy has no parameter ``memory``, holds other assets in it, or never held
    it on these sessions.
    """
    strategy = run.strategy
    held = getattr(strategy, SLEEVE, None)
    if held != members(SLEEVE):
        return None
    random = np.random.default_rng(seed)
    shares = [t for t, a in UNIVERSE.items() if a.market == "stock" and t not in held]
    closes = run.history.closes.loc[run.result.equity.index]
    shares = [t for t in shares if t in closes and closes[t].notna().any()]
    if len(closes) <= run.config.lag + FEWEST or len(shares) < len(held):
        return None
    drawn = [random.choice(shares, len(held), replace=False) for _ in range(baskets)]
    if not run.decided[list(held)].any(axis=None):
        return None
    others = [
        _sharpe(run, replace(strategy, **{SLEEVE: tuple(map(str, basket))})) for basket in drawn
    ]
    return rank_of(_sharpe(run, strategy), others, "baskets")


def _sharpe(run: Run, strategy: Strategy) -> float:
    index = pd.DatetimeIndex(run.result.equity.index)
    decided = decide(strategy, run.reading, run.history.panel).loc[run.decided.index]
    held = in_force(decided, index, run.config.lag)
    bills = run.result.bills.loc[held.index]
    return sharpe_of(held, run.history.closes.loc[held.index], bills, run.config.costs)
