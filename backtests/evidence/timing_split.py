"""A strategy's mean return, split into tilt and timing.

Let w be an asset's weight at the previous close, and x the asset's return minus bills. The mean of
w · x has two terms:

    w̄ · x̄ + cov(w, x)

Each mean uses the sessions after the asset's first price and after the first possible fill. The
term w̄ · x̄ is called the tilt: the return from a constant holding of the mean weight. The term
cov(w, x) is called the timing. Timing is positive if the weight was large before good returns. The
mean return of the portfolio is bills + Σ (tilt + timing) − costs. The sum Σ is over all assets. The
costs are trading and borrowing costs.

The tilt uses hindsight for two reasons. First, the mean weights are known only at the end of the
run. Second, the assets were chosen after the sample period. The timing uses no hindsight about mean
weights or the choice of assets. If weights change rarely, the timing is estimated from few
observations.

Reference
    Lo (2008), "Where do alphas come from?", Journal of Investment Management 6(2).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.engine.simulate import Result
from backtests.evidence.metrics import YEAR
from backtests.plural import number_of
from backtests.runs import Run
from signals.summary import Summarised, Summary


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TimingSplit(Summarised):
    """The mean yearly return of a run, split into parts. All parts are fractions a year.

    Attributes
    ----------
    bills
        Mean return of bills.
    tilt, timing
        Sums of tilt and of timing over all assets.
    trading, borrowing
        Costs of orders and of short positions, as negative numbers or 0.
    total
        252 times the mean daily return of the run: the sum of the other five parts.
    by_asset
        A table with one row for each asset, and the columns ``weight``, ``tilt`` and ``timing``.
        ``weight`` is the mean weight over the sessions after the asset's first price and after the
        first possible fill.
    """

    bills: float
    tilt: float
    timing: float
    trading: float
    borrowing: float
    total: float
    by_asset: pd.DataFrame

    def _summary(self) -> Summary:
        parts = ("bills", "tilt", "timing", "trading", "borrowing", "total")
        facts = {part: f"{100 * getattr(self, part):z.1f} % a year" for part in parts}
        facts["by_asset"] = f"table with {number_of(len(self.by_asset), 'row')}"
        return Summary(title="Mean return, split into parts", facts=facts)


def timing_split(run: Run) -> TimingSplit:
    """Return the parts of a run's mean return, computed from the run's weights, orders and prices.

    An asset without a price on a session keeps its last price. Tilt and timing leave out the
    sessions before the first possible fill, because no asset can be held on these sessions.
    """
    result = run.result
    weights = result.weights.shift().iloc[1:]
    growth = growth_of_assets(run)
    excess = growth.sub(run.bills, axis=0)
    excess.iloc[: run.config.lag] = np.nan
    parts = pd.DataFrame(
        {name: _parts(weights[name], excess[name]) for name in weights}, dtype="float64"
    ).T.reindex(columns=["weight", "tilt", "timing"])
    return TimingSplit(
        bills=float(run.bills.mean() * YEAR),
        tilt=float(parts["tilt"].sum()),
        timing=float(parts["timing"].sum()),
        trading=_trading(result),
        borrowing=_borrowing(run, growth),
        total=float(result.returns.mean() * YEAR),
        by_asset=parts.rename_axis("asset"),
    )


def growth_of_assets(run: Run) -> pd.DataFrame:
    """Return the simple return of each held asset, sessions × assets.

    The return is NaN up to the session of the asset's first price. On a session without a price,
    and after the last price, the return is 0.
    """
    closes = run.history.closes.reindex(index=run.sessions, columns=list(run.result.weights))
    return closes.ffill().pct_change(fill_method=None).iloc[1:]


def _parts(weight: pd.Series, excess: pd.Series) -> dict[str, float]:
    """Return an asset's mean weight, its yearly tilt, and its yearly timing.

    The mean weight uses only the sessions with an excess return.
    """
    priced = excess.notna()
    if not priced.any():
        return {"weight": 0.0, "tilt": 0.0, "timing": 0.0}
    held, earned = weight[priced], excess[priced]
    share = YEAR * float(priced.mean())
    tilt = float(held.mean() * earned.mean())
    together = float((held * earned).mean())
    return {"weight": float(held.mean()), "tilt": share * tilt, "timing": share * (together - tilt)}


def _trading(result: Result) -> float:
    before = result.equity.shift().reindex(result.orders["date"]).to_numpy()
    return -float((result.orders["cost"] / before).sum()) / len(result.returns) * YEAR


def _borrowing(run: Run, growth: pd.DataFrame) -> float:
    days = pd.Series(run.sessions, index=run.sessions).diff().dt.days.iloc[1:]
    owed = run.result.owed.shift().iloc[1:]
    paid = 0.0
    for name in owed:
        debt = owed[name] * (1 + growth[name])
        paid += float((debt * run.config.costs.borrowed(str(name), days)).sum())
    return paid / len(days) * YEAR
