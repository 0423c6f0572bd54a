"""Placebos of timing: the same strategy with its timing broken, many times.

A strategy's timing gain is its lead over its average holdings (:func:`timing_gain`). There are two
ways to break its timing, one for each kind of flag:

- Flags from quantities (balance sheets, capital spending): the holdings are shifted round the
  circle of dates. Episodes keep their number and length, and the market keeps its course. Chance
  decides which episode meets which market (:func:`shift_placebo`).
- Flags from prices: after a shift, holdings that follow prices would foresee the fall that they
  follow. History is therefore resampled from blocks of market moves, and the signals are read on
  it (:mod:`backtests.evidence.resampling`). Quantities keep their dates.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.evidence.matching import check_same_sessions
from backtests.evidence.metrics import ROUNDING, YEAR
from signals.errors import ConfigError, DataError

Kind = Literal["shifts", "resampled", "baskets"]

#: Numbers in one array of a chunk of shifts, few enough for the processor's cache.
CHUNK = 60_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Placebo:
    """A statistic of a strategy and its rank among those of placebos.

    Attributes
    ----------
    others
        The statistics of the placebos, without those that are not defined.
    rank
        Share of the placebos that are strictly lower, plus half the share of equal ones: 0 to 1, 1
        is best. NaN for a strategy without timing.
    p_value
        (1 + number of placebos at least as high) / (1 + n). NaN for a strategy without timing.
    kind
        ``shifts`` or ``resampled`` for broken timing, ``baskets`` for a random choice of assets.
    n
        Number of placebos.
    """

    statistic: float
    others: np.ndarray
    rank: float
    p_value: float
    kind: Kind
    n: int


def rank_of(true: float, others: np.ndarray | list[float], kind: Kind) -> Placebo:
    """Return a statistic with its rank among placebos; a NaN placebo does not count."""
    drawn = np.asarray(others, dtype=np.float64)
    drawn = drawn[~np.isnan(drawn)]
    n = len(drawn)
    rank = p_value = float("nan")
    if n and not np.isnan(true):
        rank = float((drawn < true).mean() + (drawn == true).mean() / 2)
        p_value = float((1 + (drawn >= true).sum()) / (1 + n))
    return Placebo(statistic=float(true), others=drawn, rank=rank, p_value=p_value, kind=kind, n=n)


def timing_gain(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> float:
    """Return the Sharpe ratio of a strategy minus that of its mean weights, held throughout.

    Average exposure earns a return without any skill, and it alone limits drawdowns: holding 30 %
    of shares cuts a drawdown by two thirds. The mean weight of an asset is over the sessions on
    which it has a price. The gain is due to the times at which the strategy holds each asset. Both
    Sharpe ratios are yearly, over bills, after costs, with daily rebalancing.

    Parameters
    ----------
    held
        Target weights in force at each close after the lag, sessions × assets, fractions. The
        remainder is cash in bills. The first row is the first fill. Weights at a close earn the
        returns of the next session.
    closes
        Closes in USD, the same sessions × at least these assets, each on the session's date; NaN
        without a price.
    bills
        Simple return of bills into each session, a fraction; the first value is not used.
    costs
        Costs of trading and borrowing.

    NaN
        An asset without a price at a close cannot be held there, so its weight becomes cash. The
        gain is NaN where one of the two sides does not vary, as with cash alone.

    Raises
    ------
    DataError
        When sessions or assets do not match, a weight is not finite, or a bill return is missing.
    """
    market = _market(held, closes, bills, costs)
    return float(_timing(market, held.to_numpy(dtype=np.float64).T[:, None, :])[0])


def sharpe_of(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> float:
    """Return the Sharpe ratio of weights that are rebalanced daily, after costs.

    This is the first side of :func:`timing_gain`, with the same parameters, timing and errors.
    """
    market = _market(held, closes, bills, costs)
    weights = held.to_numpy(dtype=np.float64).T[:, None, :] * market.priced[:, None, :]
    return float(_sharpe(market, weights)[0])


def shift_placebo(
    held: pd.DataFrame,
    closes: pd.DataFrame,
    bills: pd.Series,
    costs: Costs,
    *,
    shifts: int = 1000,
    seed: int = 0,
) -> Placebo:
    """Return the rank of a strategy's timing gain among those of its shifted holdings.

    A shift by s sessions holds at the close of session t what was held at session t − s. The last
    sessions go round to the beginning. The test is exact where holdings follow neither prices nor
    listings. Some shifts favour holdings that follow prices. Where the last weights differ from the
    first, a shifted strategy trades once more than the true one. At usual costs this extra trade
    costs a few basis points in total.

    Parameters
    ----------
    held, closes, bills, costs
        See :func:`timing_gain`, also for errors.
    shifts
        Number of shifts, drawn without replacement from 1 to sessions − 1; at most all of these.
        ConfigError is raised for a number below 1.
    seed
        Equal seeds give equal shifts.

    NaN
        Rank and p-value are NaN where the weights never change, since there is no timing.
    """
    if shifts < 1:
        raise ConfigError(f"expected at least 1 shift, was {shifts}")
    market = _market(held, closes, bills, costs)
    weights = held.to_numpy(dtype=np.float64).T
    true = float(_timing(market, weights[:, None, :])[0])
    chosen = np.random.default_rng(seed).permutation(np.arange(1, len(held)))[:shifts]
    others = [_timing(market, part) for part in _shifted(weights, chosen)]
    still = bool((np.ptp(weights, axis=1) <= ROUNDING).all())
    placebo = rank_of(float("nan") if still else true, np.concatenate(others), "shifts")
    return replace(placebo, statistic=true)


def _shifted(weights: np.ndarray, shifts: np.ndarray) -> Iterator[np.ndarray]:
    """Yield assets × shifts × sessions, a chunk of shifts at a time."""
    sessions = weights.shape[1]
    twice = np.concatenate((weights, weights), axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(twice, sessions, axis=1)
    for part in np.array_split(shifts, -(-len(shifts) * weights.size // CHUNK)):
        if len(part):
            yield windows[:, sessions - part]


@dataclass(frozen=True, kw_only=True)
class _Market:
    """The market: assets × sessions, or one value per session; the first session earns nothing."""

    priced: np.ndarray
    growth: np.ndarray
    owed: np.ndarray  # growth of a short position, the fee for borrowing included
    bills: np.ndarray
    rates: np.ndarray


def _market(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> _Market:
    _check_matching(held, closes, bills)
    assets = [str(a) for a in held.columns]
    prices = closes[assets].astype("float64")
    growth = prices.ffill().pct_change(fill_method=None).fillna(0.0).to_numpy().T + 1
    days = np.diff(pd.DatetimeIndex(held.index).to_numpy().astype("datetime64[D]")).astype(float)
    fee = np.array([costs.borrowed(a, np.concatenate(([0.0], days))) for a in assets])
    return _Market(
        priced=prices.notna().to_numpy().T.astype(np.float64),
        growth=growth,
        owed=growth * (1 + fee),
        bills=bills.to_numpy(dtype=np.float64)[1:],
        rates=np.array([costs.rate(a) for a in assets]),
    )


def _timing(market: _Market, wanted: np.ndarray) -> np.ndarray:
    """Return the timing gain of each variant of weights, assets × variants × sessions."""
    held = wanted * market.priced[:, None, :]
    there = np.maximum(market.priced.sum(axis=1), 1.0)[:, None]
    mean = np.einsum("ast->as", held) / there
    if market.priced.all():
        mean = mean[:, :1]  # shifting changes no mean
    steady = mean[:, :, None] * market.priced[:, None, :]
    gain: np.ndarray = _sharpe(market, held) - _sharpe(market, steady)
    return gain


def _sharpe(market: _Market, held: np.ndarray) -> np.ndarray:
    excess = _returns(market, held) - market.bills
    deviation = excess.std(axis=1, ddof=1)
    deviation[deviation < ROUNDING] = np.nan
    sharpe: np.ndarray = excess.mean(axis=1) / deviation * np.sqrt(YEAR)
    return sharpe


def _returns(market: _Market, held: np.ndarray) -> np.ndarray:
    """Return daily returns after costs, variants × sessions from the second on."""
    before, bought = held[:, :, :-1], held[:, :, 1:]
    grown = before * market.growth[:, None, 1:]
    if (before < 0).any():
        grown = np.where(before < 0, before * market.owed[:, None, 1:], grown)
    cash = 1 - np.einsum("ast->st", before)
    value = np.einsum("ast->st", grown) + cash * (1 + market.bills)
    traded = grown / value
    np.subtract(bought, traded, out=traded)
    np.abs(traded, out=traded)
    paid = np.einsum("a,ast->st", market.rates, traded)
    # The cost of the last trade was paid from cash, so it does not earn the return of bills.
    left = np.ones_like(paid)
    left[:, 1:] -= paid[:, :-1]
    interest = 1 + market.bills
    returns: np.ndarray = ((value - interest) / left + interest) * (1 - paid) - 1
    return returns


def _check_matching(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series) -> None:
    check_same_sessions("closes", closes.index, "the weights", held.index)
    check_same_sessions("bills", bills.index, "the weights", held.index)
    missing = [a for a in held.columns if a not in closes.columns]
    if missing:
        raise DataError(f"expected closes of {', '.join(map(str, missing))}; none are given")
    if len(held) < 3 or not len(held.columns):
        raise DataError(
            f"expected at least 3 sessions and 1 asset, were {len(held)} and {len(held.columns)}"
        )
    if not np.isfinite(held.to_numpy(dtype=np.float64)).all():
        raise DataError("expected finite weights, was NaN or infinite; fill them with 0 for cash")
    if not np.isfinite(bills.to_numpy(dtype=np.float64)[1:]).all():
        raise DataError("expected a bill return for every session; choose other dates")
