r"""Simulate yields and returns, which depend on an economy's phase and absorption share u.

Yields are in % a year. x⁺ is max(x, 0). The value of ``crisis`` goes from 0 (calm) to 1 (crisis).
Each formula with ((u − 0.5)⁺)² uses the exponential average of ((u − 0.5)⁺)², with a half-life of
30 sessions. In each formula, n is a separate Ornstein–Uhlenbeck process:

    DFII10      = 0.6 + n + 9 ((u − 0.5)⁺)² − 0.4 crisis
    THREEFYTP10 = 0.2 + n + 4 ((u − 0.5)⁺)²
    BAA10Y      = 2.1 + n + 5 ((u − 0.5)⁺)² + 2.2 crisis
    DGS10       = DFII10 + breakeven

DFII10, THREEFYTP10 and BAA10Y are convex in the absorption share u. The central bank's mode sets a
level for the policy rate, and the policy rate moves slowly to this level.

Each return covers one session. All shocks have a Student t distribution with 6 degrees of freedom.
One stochastic volatility multiplies the shocks of all factors.

    r_i = β_i m + s_i S + n_i N + c_i C − D_i ΔDGS10/100 − K_i ΔBAA10Y/100
          + carry_i + bills_i + idiosyncratic − cascade

m is the market factor. S is the speculation factor. N is the factor of assets whose cash flows
come soon. C is the coin factor. :class:`backtests.economy.assets.Exposure` describes the loadings,
such as the durations D and K. The table shows the mean of each factor in each phase, in % a year:

    factor  INJECTION  NEUTRAL  ABSORPTION  FORCED_SELLING  OPPORTUNITY
    m           18       12          6          −110            32
    S           20        0        −35           −90            35
    N            0        0         50           −20            10
    C           45       35          0           −60            70

Forced selling comes in cascades of three sessions. On the first session of a cascade, coins fall.
On the second session, speculative shares and software fall. On the third session, every asset with
a loading ``cascade`` above 0 falls. A crisis starts with a cascade, and more cascades may follow.
About every fifteen months, there is a cascade of one session that hits only coins.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.economy.assets import EXPOSURES, Exposure
from backtests.economy.quantities import DT, Quantities
from signals.regimes import Regime

_PHASES = [r.value for r in Regime]  # INJECTION, NEUTRAL, ABSORPTION, FORCED_SELLING, OPPORTUNITY
_FORCED = _PHASES.index(Regime.FORCED_SELLING)
_MEANS = {
    "m": (0.18, 0.12, 0.06, -1.10, 0.32),
    "s": (0.20, 0.0, -0.35, -0.90, 0.35),
    "n": (0.0, 0.0, 0.50, -0.20, 0.10),
    "c": (0.45, 0.35, 0.0, -0.60, 0.70),
}
_VOLATILITY = {"m": 0.14, "s": 0.12, "n": 0.20, "c": 0.50}
_AGITATION = (0.80, 0.95, 1.10, 2.8, 1.35)
_POLICY_RATE = {"QE": 0.15, "HOLD": 0.6, "QT": 3.6, "LEAN": 3.8, "EASE": 2.2}
_CASCADE = {0: {"crypto": 0.10}, 1: {"speculative": 0.045, "software": 0.025}, 2: {"all": 0.018}}
_TAIL = 6.0


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Yields (% a year) and prices (USD); coins have a price on every calendar day.

    ``yields`` and ``closes`` have a row for each session. ``coins`` has a row for each calendar
    day. The columns of ``yields`` are ids of FRED series. A further column, ``stress``, goes from 0
    (calm) to 1 (crisis). The columns of ``closes`` and ``coins`` are tickers.
    """

    yields: pd.DataFrame
    closes: pd.DataFrame
    coins: pd.DataFrame


def make_prices(driver: Quantities, rng: np.random.Generator) -> Prices:
    """Return simulated yields and prices, which depend on quantities and phases in ``driver``."""
    index = pd.DatetimeIndex(driver.phase.index)
    phase = np.array([_PHASES.index(name) for name in driver.phase])
    agitation = _agitation(phase, rng)
    shocks = {name: _t(rng, len(phase)) for name in _MEANS}
    factors = {
        name: np.array(means)[phase] * DT
        + _VOLATILITY[name] * np.sqrt(DT) * agitation * shocks[name]
        for name, means in _MEANS.items()
    }
    yields = _yields(driver, phase, agitation, shocks["m"], rng)
    cascade = _cascades(phase, rng)
    for name, id in (("rates", "DGS10"), ("credit", "BAA10Y")):
        factors[name] = np.diff(yields[id].to_numpy(), prepend=yields[id].iloc[0]) / 100
    factors["bills"] = yields["DGS3MO"].shift(1).bfill().to_numpy() / 100 * DT
    returns = {t: _returns(e, factors, cascade, agitation, rng) for t, e in EXPOSURES.items()}
    yields["VIXCLS"] = _vix(agitation, rng)
    coins = {t: returns.pop(t) for t, e in EXPOSURES.items() if e.kind == "crypto"}
    closes = {t: EXPOSURES[t].first_price * np.cumprod(1 + r) for t, r in returns.items()}
    return Prices(
        yields=yields,
        closes=pd.DataFrame(closes, index=index).round(6),
        coins=_coins(pd.DataFrame(coins, index=index), rng),
    )


def _ou(
    n: int, rng: np.random.Generator, sd: float, half_life: float, shocks: np.ndarray | None = None
) -> np.ndarray:
    """Return an Ornstein–Uhlenbeck path with the standard deviation ``sd``.

    ``half_life`` is in sessions. ``shocks`` have variance 1; by default, they are normal.
    """
    keep = 0.5 ** (1 / half_life)
    unit = rng.standard_normal(n) if shocks is None else shocks
    path = np.empty(n)
    level = rng.standard_normal() * sd
    for i, shock in enumerate(unit * sd * np.sqrt(1 - keep**2)):
        level = keep * level + shock
        path[i] = level
    return path


def _smooth(x: np.ndarray, half_life: float) -> np.ndarray:
    return pd.Series(x, dtype="float64").ewm(halflife=half_life).mean().to_numpy()


def _yields(
    driver: Quantities,
    phase: np.ndarray,
    agitation: np.ndarray,
    market: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    n = len(phase)
    calm = agitation**0.7 / np.sqrt((agitation**1.4).mean())
    with_market = calm * (0.3 * market + np.sqrt(1 - 0.3**2) * _t(rng, n))
    against_market = calm * (-0.5 * market + np.sqrt(1 - 0.5**2) * _t(rng, n))
    scarce = _smooth(np.clip(driver.paths["u"].to_numpy() - 0.5, 0, None) ** 2, 30)
    crisis = _smooth((phase == _FORCED).astype(float), 10)
    real = 0.6 + _ou(n, rng, 0.85, 600, with_market) + 9 * scarce - 0.4 * crisis
    breakeven = 2.2 + _ou(n, rng, 0.35, 400, calm * _t(rng, n)) - 0.7 * crisis
    target = driver.mode.map(_POLICY_RATE).to_numpy(dtype=float)
    rate = np.clip(_smooth(target, 90) + _ou(n, rng, 0.4, 600), 0.04, None)
    steps = np.clip(np.round(rate * 4) / 4, 0.0, None)  # the target moves in steps of 0.25 points
    ten = np.clip(real + breakeven, 0.3, None)
    bill = np.clip(rate + _ou(n, rng, 0.05, 20), 0.01, None)
    columns = {
        "DFEDTARU": steps + 0.25,
        "EFFR": steps + 0.08,
        "IORB": steps + 0.15,
        "SOFR": steps + 0.08 + 0.06 * np.abs(rng.standard_normal(n)),
        "DGS3MO": bill,
        "DGS2": np.clip(0.6 * _smooth(rate, 60) + 0.4 * ten + _ou(n, rng, 0.15, 60), 0.05, None),
        "DGS10": ten,
        "DGS30": ten + 0.4 + _ou(n, rng, 0.15, 120),
        "DFII10": ten - breakeven,
        "T10YIE": breakeven,
        "THREEFYTP10": 0.2 + _ou(n, rng, 0.45, 500, calm * _t(rng, n)) + 4 * scarce,
        "BAA10Y": np.clip(
            2.1 + _ou(n, rng, 0.4, 300, against_market) + 5 * scarce + 2.2 * crisis, 0.9, None
        ),
        "stress": crisis,
    }
    return pd.DataFrame(columns, index=driver.phase.index)


def _agitation(phase: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each session, return the multiplier of every factor's volatility.

    The multiplier of volatility depends on the phase. The multiplier also changes slowly at random,
    so volatility clusters.
    """
    base = _smooth(np.array(_AGITATION)[phase], 4)
    clustering = _ou(len(phase), rng, 0.45, 35) - 0.5 * 0.45**2
    return np.asarray(base * np.exp(clustering))


def _t(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return ``n`` random shocks from a Student t distribution with variance 1."""
    return np.asarray(rng.standard_t(_TAIL, n) * np.sqrt((_TAIL - 2) / _TAIL))


def _cascades(phase: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """For each asset class, return each session's loss from forced selling, as a fraction."""
    n = len(phase)
    losses = {name: np.zeros(n) for name in ("crypto", "speculative", "software", "all")}
    crisis = phase == _FORCED
    begins = np.flatnonzero(crisis & ~np.concatenate(([False], crisis[:-1])))
    more = np.flatnonzero(crisis & (rng.random(n) < 0.03))
    for day in (*begins, *more):
        size = rng.exponential() * 0.7 + 0.3
        for after, parts in _CASCADE.items():
            for name, loss in parts.items():
                if day + after < n:
                    losses[name][day + after] += size * loss
    for day in np.flatnonzero(rng.random(n) < 0.8 * DT):
        losses["crypto"][day] += 0.06 + 0.05 * rng.exponential()
    return losses


def _returns(
    e: Exposure,
    factors: dict[str, np.ndarray],
    cascade: dict[str, np.ndarray],
    agitation: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the simple return of an asset at each session."""
    own = e.own * np.sqrt(DT) * np.sqrt(agitation) * _t(rng, len(agitation))
    risky = e.beta * factors["m"] + e.speculation * factors["s"] + e.near * factors["n"]
    rates = -e.duration * factors["rates"] - e.credit * factors["credit"] + e.carry * DT
    forced = e.cascade * cascade["all"] + cascade.get(e.kind, 0.0) * bool(e.cascade)
    total = factors["bills"] * e.bills + risky + e.coin * factors["c"] + rates + own - forced
    return np.asarray(np.clip(total, -0.6, 0.6))


def _vix(agitation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    implied = 18.5 * _smooth(agitation, 5) ** 0.9 * np.exp(_ou(len(agitation), rng, 0.10, 12))
    return np.asarray(np.clip(implied, 9, 90))


def _coins(session_returns: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return coin prices on every calendar day; days without a session have their own shocks."""
    index = pd.DatetimeIndex(session_returns.index)
    days = pd.date_range(index[0], index[-1])
    daily = session_returns.reindex(days)
    closed = daily.iloc[:, 0].isna().to_numpy()
    common = _t(rng, len(days))
    for name in daily.columns:
        e = EXPOSURES[name]
        alone = 0.35 * np.sqrt(DT) * (e.coin * common * 0.5 + e.own * _t(rng, len(days)))
        daily[name] = np.where(closed, alone, daily[name].to_numpy())
    first = pd.Series({name: EXPOSURES[name].first_price for name in daily.columns})
    return ((1 + daily).cumprod() * first).round(8)
