"""Compare the memory-chip makers of a strategy with random baskets of stocks.

The makers of memory chips were chosen in 2026, with hindsight. A random basket replaces the
memory-chip makers with the same number of other stocks of the universe. The stocks of a basket are
drawn without replacement. The strategy's rule sets the weight of each basket. The rule reduces the
weight if the basket's volatility is above the strategy's target. If the memory-chip makers are a
good choice, the strategy's Sharpe ratio is above most Sharpe ratios with random baskets. The stocks
in the baskets were also chosen in 2026, so a high rank does not prove foresight. If the rank is
low, most random baskets did better than the makers of memory chips. A low rank means that the
choice of the memory-chip makers shows no foresight.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.evidence.placebo import Placebo, rank_of, sharpe_of
from backtests.evidence.placebo_rank import FEWEST, in_force, terms_of
from backtests.runs import Run
from signals.universe import UNIVERSE, members
from strategies import Strategy, decide

SLEEVE = "memory"


def random_baskets(run: Run, *, baskets: int = 50, seed: int = 0) -> Placebo | None:
    """Return the rank of a run's Sharpe ratio among the Sharpe ratios of random baskets.

    A random basket replaces the makers of memory chips in the run. Each Sharpe ratio uses returns
    after costs, minus the return of bills. The portfolios are rebalanced daily to the target
    weights. The result is None if the strategy has no parameter ``memory``, or if the tickers of
    this parameter are not the tickers of the class ``memory`` in the universe. The result is None
    if the run's target weights of the memory-chip makers are always 0. The result is None if the
    run has too few sessions, or if the history has too few other stocks. Equal seeds give equal
    baskets.
    """
    strategy = run.strategy
    held = getattr(strategy, SLEEVE, None)
    if held != members(SLEEVE):
        return None
    random = np.random.default_rng(seed)
    shares = [t for t, a in UNIVERSE.items() if a.market == "stock" and t not in held]
    closes = run.history.closes.loc[run.sessions]
    shares = [t for t in shares if t in closes and closes[t].notna().any()]
    short = len(closes) <= run.config.lag + FEWEST
    if short or len(shares) < len(held) or not run.decided[list(held)].any(axis=None):
        return None
    drawn = (random.choice(shares, len(held), replace=False) for _ in range(baskets))
    chosen = ({SLEEVE: tuple(map(str, basket))} for basket in drawn)
    own, closes, bills, costs = terms_of(run, run.decided, run.history)
    drawn_weights = (_held(run, replace(strategy, **sleeve)) for sleeve in chosen)
    others = [sharpe_of(weights, closes, bills, costs) for weights in drawn_weights]
    return rank_of(sharpe_of(own, closes, bills, costs), others, "baskets")


def _held(run: Run, strategy: Strategy) -> pd.DataFrame:
    """Return the weights of ``strategy`` at each close.

    The strategy decides on the run's decision sessions.
    """
    decided = decide(strategy, run.reading, run.history.panel).loc[run.decided.index]
    return in_force(decided, run.sessions, run.config.lag)
