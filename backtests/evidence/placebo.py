"""Placebos of timing: many copies of a strategy, with random timing.

A strategy's timing gain is the strategy's Sharpe ratio minus the Sharpe ratio of its mean weights
(:func:`timing_gain`). There are two ways to make the timing random. The choice depends on the data
from which the flags are computed:

- If flags are computed from quantities, such as balance sheets, the dates of the holdings are
  shifted (:func:`shift_placebo`). Holdings that are shifted beyond the last date continue at the
  first date. The number of episodes, their length and the market's prices stay the same. But each
  shifted episode falls on random dates.

- If flags are computed from prices, market moves are resampled in blocks, and the flags are
  computed again (:mod:`backtests.evidence.resampling`). Balance sheets and other quantities keep
  their dates. For flags computed from prices, shifted holdings would be a wrong placebo. If a flag
  reacts to a fall in prices, a shifted holding could come before this fall.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.evidence.matching import check_same_sessions
from backtests.evidence.metrics import ROOT_YEAR, ROUNDING
from signals.errors import DataError
from signals.params import check_whole

Kind = Literal["shifts", "resampled", "baskets"]

#: Number of cells in a chunk of shifted weights, chosen for the processor's cache.
CHUNK = 60_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Placebo:
    """A statistic of a strategy, and the strategy's rank among placebos.

    Attributes
    ----------
    others
        The statistic of each placebo, without undefined values.
    rank
        Share of placebos with a lower statistic, plus half the share of placebos with an equal
        statistic. 1 is the best rank and 0 the worst. NaN if the strategy has no timing, if its
        statistic is undefined, or if there are no placebos.
    p_value
        (1 + m) / (1 + n). Here n is the number of placebos, and m is the number of placebos with an
        equal or higher statistic. NaN if the rank is NaN.
    kind
        ``shifts`` and ``resampled`` are placebos with random timing. ``baskets`` are placebos with
        random assets.
    """

    statistic: float
    others: np.ndarray
    rank: float
    p_value: float
    kind: Kind

    @property
    def n(self) -> int:
        """Number of placebos in ``others``."""
        return len(self.others)


def rank_of(true: float, others: np.ndarray | list[float], kind: Kind) -> Placebo:
    """Return a statistic with its rank among placebos.

    Placebos with an undefined statistic are left out.
    """
    drawn = np.asarray(others, dtype=np.float64)
    drawn = drawn[~np.isnan(drawn)]
    rank = p_value = float("nan")
    if len(drawn) and not np.isnan(true):
        rank = float((drawn < true).mean() + (drawn == true).mean() / 2)
        p_value = float((1 + (drawn >= true).sum()) / (1 + len(drawn)))
    return Placebo(statistic=float(true), others=drawn, rank=rank, p_value=p_value, kind=kind)


def timing_gain(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> float:
    """Return a strategy's Sharpe ratio minus the Sharpe ratio of its mean weights.

    A constant exposure needs no skill, but it earns a return and limits drawdowns. For example, a
    portfolio with 30 % in shares has about a third of the drawdown of shares. The mean weight of an
    asset is computed over the sessions on which the asset has a price. So the timing gain depends
    only on how the weights change through time. The Sharpe ratios of the strategy and of its mean
    weights are yearly, after costs and over bills. The strategy's weights and the mean weights are
    rebalanced daily.

    Parameters
    ----------
    held
        Target weights at each close, as fractions: sessions × assets. A target weight is in force
        from the session of its fill. The rest of the portfolio is in bills. The first row is the
        session of the first fill. Weights at a close apply to the returns of the next session.
    closes
        Closes in USD on the same sessions, for all assets of ``held``; NaN if there is no price.
    bills
        Simple returns of bills from the previous close to each session's close, as fractions. The
        first return of bills is not used.
    costs
        Costs of trading and borrowing.

    NaN
        If an asset has no price at a close, its weight becomes cash. The timing gain is NaN if the
        excess returns of the strategy, or of its mean weights, do not vary. For example, the excess
        returns of a portfolio with only cash do not vary.

    Raises
    ------
    DataError
        Raised if sessions or assets do not match, or if there are fewer than 3 sessions or no
        asset. Raised if a weight is not finite, or if a bill return is missing.
    """
    market = _market(held, closes, bills, costs)
    return float(_timing(market, held.to_numpy(dtype=np.float64).T[:, None, :])[0])


def sharpe_of(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> float:
    """Return the yearly Sharpe ratio of the weights ``held``, rebalanced daily, after costs.

    :func:`timing_gain` describes the parameters, the timing and the possible errors.
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
    """Return the rank of a strategy's timing gain among placebos.

    Each placebo has the same weights as the strategy, but at shifted dates. A shift by s sessions
    moves the weights of session t − s to session t. The weights of the last s sessions move to the
    beginning. The test is exact if the weights do not depend on prices or listings. The test is not
    exact if the weights depend on prices. Some shifts place a weight before the price move that
    caused this weight. A shift adds at most one trade: from the strategy's last weights to its
    first weights. At usual cost rates, the cost of this trade is only a few basis points.

    Parameters
    ----------
    held, closes, bills, costs
        :func:`timing_gain` describes these parameters and the possible errors.
    shifts
        Number of different shifts, drawn at random from 1 to sessions − 1. If ``shifts`` is above
        sessions − 1, all shifts are used. If ``shifts`` is below 1, ConfigError is raised.
    seed
        Equal seeds give equal shifts.

    NaN
        Weights that never change have no timing, so their rank and p-value are NaN.
    """
    check_whole("shifts", shifts, 1)
    market = _market(held, closes, bills, costs)
    weights = held.to_numpy(dtype=np.float64).T
    true = float(_timing(market, weights[:, None, :])[0])
    chosen = np.random.default_rng(seed).permutation(np.arange(1, len(held)))[:shifts]
    others = [_timing(market, part) for part in _shifted(weights, chosen)]
    still = bool((np.ptp(weights, axis=1) <= ROUNDING).all())
    placebo = rank_of(float("nan") if still else true, np.concatenate(others), "shifts")
    return replace(placebo, statistic=true)


def _shifted(weights: np.ndarray, shifts: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the shifted weights in chunks; each chunk is an array of assets × shifts × sessions."""
    sessions = weights.shape[1]
    twice = np.concatenate((weights, weights), axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(twice, sessions, axis=1)
    for part in np.array_split(shifts, -(-len(shifts) * weights.size // CHUNK)):
        if len(part):
            yield windows[:, sessions - part]


@dataclass(frozen=True, kw_only=True)
class _Market:
    """Market data, assets × sessions; ``bills`` has a return for each session after the first."""

    priced: np.ndarray
    growth: np.ndarray
    owed: np.ndarray  # growth of a short position, including the cost of borrowing
    bills: np.ndarray
    rates: np.ndarray


def _market(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> _Market:
    _check_matching(held, closes, bills)
    assets = [str(a) for a in held.columns]
    prices = closes[assets].to_numpy(dtype=np.float64).T
    # The growth stays 1 if the price is missing on the session or on the previous session.
    growth = np.ones(prices.shape)
    growth[:, 1:] += np.nan_to_num(prices[:, 1:] / prices[:, :-1] - 1)
    days = np.diff(pd.DatetimeIndex(held.index).to_numpy().astype("datetime64[D]")).astype(float)
    fee = np.array([costs.borrowed(a, np.concatenate(([0.0], days))) for a in assets])
    return _Market(
        priced=(~np.isnan(prices)).astype(np.float64),
        growth=growth,
        owed=growth * (1 + fee),
        bills=bills.to_numpy(dtype=np.float64)[1:],
        rates=np.array([costs.rate(a) for a in assets]),
    )


def _timing(market: _Market, wanted: np.ndarray) -> np.ndarray:
    """Return the timing gain of each variant. Target weights are assets × variants × sessions."""
    held = wanted * market.priced[:, None, :]
    there = np.maximum(market.priced.sum(axis=1), 1.0)[:, None]
    mean = np.einsum("ast->as", held) / there
    if market.priced.all():
        mean = mean[:, :1]  # a shift does not change the mean weight
    steady = mean[:, :, None] * market.priced[:, None, :]
    gain: np.ndarray = _sharpe(market, held) - _sharpe(market, steady)
    return gain


def _sharpe(market: _Market, held: np.ndarray) -> np.ndarray:
    excess = _returns(market, held) - market.bills
    deviation = excess.std(axis=1, ddof=1)
    deviation[deviation < ROUNDING] = np.nan
    sharpe: np.ndarray = excess.mean(axis=1) / deviation * ROOT_YEAR
    return sharpe


def _returns(market: _Market, held: np.ndarray) -> np.ndarray:
    """Return daily returns after costs, variants × sessions, without the first session."""
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
    # The cash that paid for the previous session's trades no longer earns the return of bills.
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
        raise DataError(f"expected closes of {', '.join(map(str, missing))}; add these columns")
    if len(held) < 3 or not len(held.columns):
        raise DataError(
            f"expected weights for at least 3 sessions and 1 asset, but found {len(held)} sessions "
            f"and {len(held.columns)} assets"
        )
    if not np.isfinite(held.to_numpy(dtype=np.float64)).all():
        raise DataError("expected finite weights, but one is NaN or infinite; use 0 for cash")
    if not np.isfinite(bills.to_numpy(dtype=np.float64)[1:]).all():
        raise DataError(
            "expected a bill return for every session, but one is missing; choose other dates"
        )
