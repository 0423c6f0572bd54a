"""Link L4: the price of capital rises faster as more capital is absorbed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from signals.absorption import Absorption
from signals.base import CompoundSignal, Evaluation, Signal
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.transforms import zscore

_WEEK = 5
_ESTIMATES = ("kink", "low", "high", "slope")


@dataclass(frozen=True, kw_only=True, eq=False)
class Kink:
    """An estimate of the kink: the change of a regression's slope where u reaches ``knee``.

    ``kink``, ``slope`` and ``draws`` are in percentage points per unit of u. ``y`` contains the
    changes of the cost of capital. ``x`` contains a constant, Δu and Δ max(0, u − knee), with one
    row for each week. ``draws`` contains the kink of each bootstrap sample.
    """

    kink: float
    slope: float
    draws: np.ndarray
    y: np.ndarray
    x: np.ndarray

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the interval that contains the fraction ``level`` of the bootstrap estimates."""
        tail = (1 - level) / 2
        low, high = np.nanquantile(self.draws, [tail, 1 - tail])
        return float(low), float(high)


@dataclass(frozen=True, kw_only=True)
class Convexity(CompoundSignal):
    """How much absorption raises the cost of capital, and whether the effect grows with absorption.

    Formula
        The data are weekly: every fifth session. The gauge u comes from :class:`Absorption`. The
        symbol Δ means the change over ``horizon`` weeks. The dependent variable of the regression
        is Δ(DGS10 + BAA10Y), in percentage points. The explanatory variables are a constant, Δu and
        Δ max(0, u − ``knee``). The gauge ``slope`` is the coefficient on Δu, and the gauge ``kink``
        is the coefficient on Δ max(0, u − ``knee``). So ``kink`` is the change of the slope at the
        knee. If u is above the knee, price = slope + kink. If u is at or below the knee, price =
        slope. The gauge ``price`` is in percentage points per unit of u. The gauges ``low`` and
        ``high`` are the bounds of a bootstrap interval for the kink. The score is the z-score of
        the price.
    Flag
        The flag turns on when the gauge ``low`` is above zero and u is above the knee. The flag
        turns off when the gauge ``low`` is below zero or u is below the knee.
    Timing
        The regression is estimated at the first session of each quarter, from the weeks before that
        session. The session date is the seed of the random numbers, so past estimates never change.
    NaN
        An estimate needs at least ``minimum`` weeks of data, and at least ``excursions`` separate
        periods with u above the knee. Before the first estimate of the regression, score and flag
        are missing. The score needs 252 sessions with a price. A period above the knee ends after
        ``horizon`` weeks in a row with u below min(``knee``, ``leave``), where ``leave`` is the
        parameter of :class:`Absorption` (default 0.4).
    Reference
        Link L4 of the thesis. Afonso, Giannone, La Spada, Williams, NY Fed Staff Report 1019
        (2022), estimate a similar price curve for bank reserves. The price curve is flat while bank
        reserves are ample, and steep while bank reserves are scarce. The bootstrap interval follows
        Politis, Romano, "The Stationary Bootstrap", JASA (1994). The block length follows Politis,
        White (2004). Two changes overlap if they begin less than ``horizon`` weeks apart. Because
        of the overlap, the mean length of the bootstrap blocks is at least ``horizon`` weeks. The
        bootstrap interval for the kink is too narrow, because the series change slowly. In
        simulations without a kink, the gauge ``low`` was above zero in 7 to 14 % of the estimates.
        With a correct interval, ``low`` would be above zero in 5 % of the estimates. In the
        simulations, ``low`` was above zero most often if the number of weeks was only slightly
        above ``minimum``.

    Parameters
    ----------
    knee
        Level of u (a fraction) at which the slope may change.
    horizon
        Number of weeks over which changes are measured.
    minimum
        An estimate needs at least this number of weeks with a known change.
    excursions
        An estimate needs at least this number of separate periods in which u was above ``knee``.
    draws
        Number of bootstrap samples.
    level
        Fraction of the bootstrap estimates that lies between the gauges ``low`` and ``high``.
    """

    name: ClassVar[str] = "convexity"
    link: ClassVar[str] = "L4"
    headline: ClassVar[str] = "kink"
    units: ClassVar[dict[str, str]] = {
        "kink": "points per unit of u",
        "low": "points per unit of u",
        "high": "points per unit of u",
        "slope": "points per unit of u",
        "price": "points per unit of u",
        "u": "fraction",
        "excursions": "so far",
    }
    parts: ClassVar[Mapping[str, type[Signal]]] = {"absorption": Absorption}
    inputs: ClassVar[tuple[str, ...]] = ("DGS10", "BAA10Y")
    must_be_positive: ClassVar[tuple[str, ...]] = ("horizon", "minimum", "excursions", "draws")
    must_ascend: ClassVar[Orders] = ((0, "knee", 1), (0, "level", 1))

    knee: float = 0.5
    horizon: int = 13
    minimum: int = 104
    excursions: int = 3
    draws: int = 400
    level: float = 0.90

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels for the flag: 0 for the gauge ``low``, and ``knee`` for the gauge ``u``."""
        return (
            Threshold(gauge="low", enter=0.0, leave=0.0, above=True),
            Threshold(gauge="u", enter=self.knee, leave=self.knee, above=True),
        )

    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return the latest estimate, the price, u, and the number of periods above the knee.

        The gauge ``excursions`` counts the separate periods with u above the knee, up to each
        session.
        """
        absorption = parts["absorption"]
        u = absorption.gauges["u"]
        cost = cost_of(panel)
        leave = next(t.leave for t in absorption.signal.thresholds if t.gauge == "u")
        stays = _excursions(u, self.knee, min(leave, self.knee), _WEEK * self.horizon)
        estimates = self._estimates(u, cost, stays)
        price = estimates["slope"] + estimates["kink"] * (u > self.knee).astype(float)
        return estimates.assign(price=price.where(u.notna()), u=u, excursions=stays.astype(float))

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the z-score of the price; NaN until 252 sessions have a price."""
        return zscore(gauges["price"])

    def _estimates(self, u: pd.Series, cost: pd.Series, stays: pd.Series) -> pd.DataFrame:
        """Return, for each session, the estimate made at the first session of its quarter."""
        index = pd.DatetimeIndex(u.index)
        rows = pd.DataFrame(np.nan, index=index, columns=list(_ESTIMATES))
        for at in quarter_starts(index):
            if stays.iloc[at - 1] >= self.excursions:
                found = self.estimate(u.iloc[:at], cost.iloc[:at], index[at])
                if found is not None:
                    rows.iloc[at] = (found.kink, *found.bounds(self.level), found.slope)
        return rows.groupby(np.asarray(index.year * 4 + index.quarter)).ffill()

    def estimate(self, u: pd.Series, cost: pd.Series, at: pd.Timestamp) -> Kink | None:
        """Return an estimate of the kink from weekly data; None if there are too few weeks.

        The series ``u`` and ``cost`` contain only weeks before the session ``at``. The date ``at``
        is the seed of the random numbers. The estimate needs at least ``minimum`` weeks.
        """
        weeks = pd.DataFrame({"u": u, "cost": cost}).iloc[::-_WEEK].iloc[::-1]
        weeks["over"] = (weeks["u"] - self.knee).clip(lower=0)
        changes = weeks.diff(self.horizon).dropna()
        if len(changes) < self.minimum:
            return None
        y = changes["cost"].to_numpy()
        x = np.column_stack([np.ones(len(y)), changes["u"], changes["over"]])
        return kink_of(x, y, self.horizon, self.draws, int(at.strftime("%Y%m%d")))


def cost_of(panel: pd.DataFrame) -> pd.Series:
    """Return the cost of capital, in %: the yield of 10-year Treasuries plus the credit spread."""
    cost: pd.Series = panel["DGS10"] + panel["BAA10Y"]
    return cost


def quarter_starts(index: pd.DatetimeIndex) -> list[int]:
    """Return the position of the first session of each quarter except the first quarter."""
    quarter = index.year * 4 + index.quarter
    starts: list[int] = (np.flatnonzero(np.asarray(quarter[1:] != quarter[:-1])) + 1).tolist()
    return starts


def kink_of(x: np.ndarray, y: np.ndarray, horizon: int, draws: int, seed: int) -> Kink:
    """Return the kink and its bootstrap estimates; :class:`Kink` describes x and y."""
    from arch.bootstrap import StationaryBootstrap, optimal_block_length

    (_, slope, kink), *_ = np.linalg.lstsq(x, y, rcond=None)
    block: Any = max(float(optimal_block_length(y)["stationary"].iloc[0]), float(horizon))
    weeks = np.arange(len(y))
    bootstrap = StationaryBootstrap(block, weeks, seed=np.random.default_rng(seed))
    counts = [np.bincount(drawn, minlength=len(y)) for (drawn,), _ in bootstrap.bootstrap(draws)]
    draws_of_kink = _kinks(x, y, np.array(counts, dtype=float))
    return Kink(kink=float(kink), slope=float(slope), draws=draws_of_kink, y=y, x=x)


def _kinks(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the coefficient on Δ max(0, u − knee) of each bootstrap sample.

    ``counts`` is a table of samples × weeks: how often each week occurs in each sample. If Δ max(0,
    u − knee) is 0 in all weeks of a sample, the coefficient of the sample is 0.
    """
    n = x.shape[1]
    squares = counts @ (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    inverse = np.linalg.pinv(squares.reshape(-1, n, n), hermitian=True)
    kinks: np.ndarray = np.einsum("sj,sj->s", inverse[:, 2], counts @ (x * y[:, None]))
    return kinks


def _excursions(u: pd.Series, enter: float, leave: float, apart: int) -> pd.Series:
    """Return the number of periods with u above ``enter``, counted up to each session.

    Each period begins when u rises above ``enter``. Each period ends when u has been below
    ``leave`` for ``apart`` sessions in a row.
    """
    # If u is below ``leave`` for fewer than ``apart`` sessions, the period continues, because the
    # changes of u before and after these sessions overlap.
    inside, below, count, out = False, 0, 0, []
    for value in u.to_numpy(dtype=np.float64):
        below = below + 1 if value < leave else 0
        if inside:
            inside = below < apart
        elif value > enter:
            inside, count = True, count + 1
        out.append(count)
    return pd.Series(out, index=u.index)
