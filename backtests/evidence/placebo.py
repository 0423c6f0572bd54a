"""Whether timing was more than luck: the same strategy with its timing broken, many times over.

Timing is what a strategy gains on its own average holdings (:func:`timing_gain`). Two ways break
it, for two kinds of flags:

- Flags from quantities (balance sheets, capital spending): the holdings are shifted round the
  circle of dates. Episodes keep their number and length, the market keeps its course, and only
  which meets which is left to chance (:func:`shift_placebo`).
- Flags from prices: shifted backward, holdings that follow prices would have foreseen the fall
  that they follow. So history is drawn anew from blocks of market moves, and the signals are read
  again on it (:mod:`backtests.evidence.resampling`). Quantities stay at their dates.

A claim of timing has to stand out among these.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.evidence.metrics import ROUNDING, YEAR
from signals.errors import ConfigError, DataError

Kind = Literal["shifts", "resampled", "baskets"]

#: Numbers in one array of a chunk of shifts: it stays in the processor's cache.
CHUNK = 60_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Placebo:
    """A statistic beside what it is when timing is broken.

    Attributes
    ----------
    statistic
        Of the strategy as it was.
    others
        Of the strategy with its timing broken; those that are not defined are left out.
    rank
        Share of the others strictly below, plus half of those equal: 0 to 1, 1 is best. NaN where
        there is no timing.
    p_value
        (1 + number of others at least as high) / (1 + n); NaN likewise.
    kind
        ``shifts`` or ``resampled``, or ``baskets`` where the choice of assets is what is broken.
    n
        Number of others.
    """

    statistic: float
    others: np.ndarray
    rank: float
    p_value: float
    kind: Kind
    n: int


def rank_of(true: float, others: np.ndarray | list[float], kind: Kind) -> Placebo:
    """Return where a statistic stands among its placebos; NaN ones do not count."""
    drawn = np.asarray(others, dtype=np.float64)
    drawn = drawn[~np.isnan(drawn)]
    n = len(drawn)
    rank = p_value = float("nan")
    if n and not np.isnan(true):
        rank = float((drawn < true).mean() + (drawn == true).mean() / 2)
        p_value = float((1 + (drawn >= true).sum()) / (1 + n))
    return Placebo(statistic=float(true), others=drawn, rank=rank, p_value=p_value, kind=kind, n=n)


# --- Shifts ----------------------------------------------------------------------------------


def timing_gain(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> float:
    """Return the Sharpe ratio of a strategy above that of its own mean weights, held throughout.

    Average exposure earns what markets pay for it, with no skill at all: 30 % of shares cut a
    drawdown by two thirds. Held at its mean over the sessions on which it could be held, each
    asset keeps its average weight, and what is left is when it was held. Both sides are computed
    by one expression, rebalanced daily and charged alike, so that neither owes its lead to how it
    is computed.

    Parameters
    ----------
    held
        Sessions × assets: target weights in force at each close, fractions, after the lag; the
        remainder is cash in bills. Rows before the first fill do not belong.
    closes
        The same sessions × at least those assets, USD, each on its own date; NaN without a price.
    bills
        Simple return of bills into each session, a fraction; the first is not used.
    costs
        Costs of trading and borrowing.

    Returns
    -------
    Difference of yearly Sharpe ratios over bills, after costs.

    Timing
        Weights of a close earn the returns of the next session.

    NaN
        An asset without a price at a close cannot be held then: its weight is cash. The gain is
        NaN where one of the two does not vary (all cash).

    Raises
    ------
    DataError
        When sessions or assets do not match, a weight is not finite, or a bill return is missing.
    """
    market = _market(held, closes, bills, costs)
    return float(_timing(market, held.to_numpy(dtype=np.float64).T[:, None, :])[0])


def sharpe_of(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> float:
    """Return the Sharpe ratio of weights that are rebalanced daily, after costs.

    Parameters, timing, NaN and errors as in :func:`timing_gain`, whose first side it is.
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
    """Return a strategy's timing gain beside those of its holdings shifted round the dates.

    Shifted by s sessions, what was held at the close of session t − s is held at that of t; the
    end goes on at the beginning. It is exact where the holdings follow neither prices nor
    listings. Those that follow prices are favoured by some shifts:
    see :mod:`backtests.evidence.resampling`.

    Parameters
    ----------
    held, closes, bills, costs
        See :func:`timing_gain`.
    shifts
        How many, drawn without replacement from 1 to sessions − 1; all where there are fewer.
    seed
        Equal seeds give equal shifts.

    Returns
    -------
    The placebo. Where end and beginning differ a shifted strategy trades once more than the true
    one, which at usual costs is some basis points, once.

    NaN
        Rank and p-value are NaN where the weights never change: there is no timing.

    Raises
    ------
    DataError
        See :func:`timing_gain`.
    ConfigError
        When fewer than one shift is asked for.
    """
    if shifts < 1:
        raise ConfigError(f"expected at least 1 shift, was {shifts}")
    market = _market(held, closes, bills, costs)
    weights = held.to_numpy(dtype=np.float64).T
    true = float(_timing(market, weights[:, None, :])[0])
    chosen = _choose(weights.shape[1], shifts, seed)
    others = [_timing(market, part) for part in _shifted(weights, chosen)]
    still = bool((np.ptp(weights, axis=1) <= ROUNDING).all())
    placebo = rank_of(float("nan") if still else true, np.concatenate(others), "shifts")
    return replace(placebo, statistic=true)


def _choose(sessions: int, shifts: int, seed: int) -> np.ndarray:
    every = np.random.default_rng(seed).permutation(np.arange(1, sessions))
    return every[:shifts]


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
    """What was to be had. Assets × sessions, or one a session; the first session earns nothing."""

    priced: np.ndarray
    growth: np.ndarray
    owed: np.ndarray  # growth of a short position: what was borrowed, and the fee for it
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
    """Return the gain of each of some assets × ways × sessions of weights."""
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
    """Return ways × sessions from the second on, after costs.

    As in the engine, targets are fractions of the value before costs, so that paying these leaves
    weights a little larger; the cost of a trade falls on the session that ends with it.
    """
    before, bought = held[:, :, :-1], held[:, :, 1:]
    grown = before * market.growth[:, None, 1:]
    if (before < 0).any():
        grown = np.where(before < 0, before * market.owed[:, None, 1:], grown)
    cash = 1 - np.einsum("ast->st", before)
    value = np.einsum("ast->st", grown) + cash * (1 + market.bills)
    paid = _paid(market, grown, bought, value)
    # what was paid for the last trade came out of cash, and does not earn bills
    left = np.ones_like(paid)
    left[:, 1:] -= paid[:, :-1]
    interest = 1 + market.bills
    returns: np.ndarray = ((value - interest) / left + interest) * (1 - paid) - 1
    return returns


def _paid(market: _Market, grown: np.ndarray, bought: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the cost of trading from drifted to target weights, a fraction of the value."""
    traded = grown / value
    np.subtract(bought, traded, out=traded)
    np.abs(traded, out=traded)
    paid: np.ndarray = np.einsum("a,ast->st", market.rates, traded)
    return paid


def _check_matching(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series) -> None:
    for what, index in (("closes", closes.index), ("bills", bills.index)):
        if not index.equals(held.index):
            raise DataError(
                f"expected {what} on the {len(held)} sessions of the weights, were on "
                f"{len(index)} others; reindex them"
            )
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
