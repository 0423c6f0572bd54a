"""Compute the probability of backtest overfitting from the returns of many trials.

The sessions are cut into an even number of consecutive blocks. Each combination of half of the
blocks is used once as the sample. The trial with the best Sharpe ratio in the sample is chosen. The
other blocks show how the chosen trial ranks out of sample. Choosing the best trial has no value if
the chosen trial ranks below the out-of-sample median for at least half of the samples.

For each block, the calculation needs only the count, the sum and the sum of squares of the returns.
So the returns of all trials need not be in memory at once.

Reference
    Bailey, Borwein, López de Prado and Zhu (2017), "The probability of backtest overfitting",
    Journal of Computational Finance 20(4): combinatorially symmetric cross-validation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from backtests.evidence.metrics import ROUNDING
from signals.errors import DataError

BLOCKS = 16
#: Number of Sharpe ratios in memory at once; more would not fit into a processor's cache.
_AT_ONCE = 200_000
#: Two Sharpe ratios per session count as equal if they differ by at most this number.
_EQUAL = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Overfitting:
    """The result of combinatorially symmetric cross-validation.

    A combination is one half of the blocks, and serves as the sample. The other half of the blocks
    is out of sample.

    Attributes
    ----------
    probability
        Share of the combinations whose chosen trial ranks at or below the median out of sample. NaN
        if there are fewer than two trials. ``probability`` is near one half for trials without
        skill.
    logits
        ln(rank / (1 − rank)) for each combination.
    chosen
        For each combination, the index of the chosen trial. The chosen trial has the best Sharpe
        ratio in sample. The first of equal trials is chosen.
    in_sample, out_of_sample
        For each combination, the chosen trial's Sharpe ratio per session. ``in_sample`` uses the
        blocks of the combination, and ``out_of_sample`` uses all other blocks.
    ranks
        For each combination, the chosen trial's relative rank out of sample. The relative rank is
        r / (N + 1), where r is 1 for the worst of N trials. Trials with equal Sharpe ratios get the
        mean of their ranks.
    """

    probability: float
    logits: np.ndarray
    chosen: np.ndarray
    in_sample: np.ndarray
    out_of_sample: np.ndarray
    ranks: np.ndarray

    @property
    def probability_of_loss(self) -> float:
        """Share of combinations whose chosen trial has a negative Sharpe ratio out of sample."""
        return float((self.out_of_sample < 0).mean()) if len(self.chosen) else float("nan")


def block_moments(returns: np.ndarray, blocks: int = BLOCKS) -> np.ndarray:
    """Return the count, sum and sum of squares of returns in consecutive equal blocks.

    Parameters
    ----------
    returns
        Daily excess returns as fractions, trials × sessions.
    blocks
        Even number of blocks. If the sessions do not divide evenly, the first sessions are left
        out.

    Returns
    -------
    An array of trials × blocks × 3. For each block, the array contains the count of returns, their
    sum, and the sum of their squares.

    Raises
    ------
    DataError
        Raised if a return is missing, or if the number of blocks is odd. Raised if a block would
        have fewer than two sessions.
    """
    values = np.atleast_2d(np.asarray(returns, dtype=np.float64))
    _check_blocks(blocks)
    length = values.shape[1] // blocks
    if length < 2:
        raise DataError(
            f"expected at least {2 * blocks} sessions for {blocks} blocks, but found "
            f"{values.shape[1]}; choose a longer history"
        )
    if not np.isfinite(values).all():
        raise DataError("expected a return for each trial and session, but one is missing")
    cut = values[:, values.shape[1] - blocks * length :].reshape(len(values), blocks, length)
    return np.stack([np.full(cut.shape[:2], length), cut.sum(2), (cut**2).sum(2)], axis=2)


def overfitting(moments: np.ndarray) -> Overfitting:
    """Return the probability of backtest overfitting for a set of trials.

    Every combination of half of the blocks is used, so the result is exact. The combinations are
    processed in parts, so that their Sharpe ratios fit in memory.

    Parameters
    ----------
    moments
        An array of trials × blocks × 3, such as the result of :func:`block_moments`.

    Notes
    -----
    If the excess returns of a trial do not vary in one half of the blocks, its Sharpe ratio in this
    half is 0. The excess returns of a trial that holds only bills do not vary. Trials with equal
    returns have equal ranks. If all trials are equal, their rank out of sample is the median.

    Raises
    ------
    DataError
        Raised if the array has a wrong shape, an odd number of blocks, or a missing value. Raised
        if a block has fewer than two returns.
    """
    given = _checked(moments)
    trials, blocks, _ = given.shape
    if trials < 2:
        nothing = np.empty(0)
        return _overfitting(np.empty(0, dtype=np.int64), nothing, nothing, nothing)
    sums = [np.ascontiguousarray(part.T) for part in np.moveaxis(given, 2, 0)]
    if (sums[0] == sums[0][:, :1]).all():
        sums[0] = sums[0][:, :1]  # all trials have equal counts
    total = [part.sum(axis=0) for part in sums]
    parts = [_both(sums, total, half) for half in _halves(blocks, max(1, _AT_ONCE // trials))]
    return _overfitting(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _overfitting(
    chosen: np.ndarray, inside: np.ndarray, outside: np.ndarray, ranks: np.ndarray
) -> Overfitting:
    logits = np.log(ranks / (1 - ranks))
    return Overfitting(
        probability=float((ranks <= 0.5).mean()) if len(ranks) else float("nan"),
        logits=logits,
        chosen=chosen,
        in_sample=inside,
        out_of_sample=outside,
        ranks=ranks,
    )


def _halves(blocks: int, most: int) -> Iterator[np.ndarray]:
    """Yield arrays of combinations × blocks, in which 1 marks the blocks of a combination.

    Only combinations that contain the first block are yielded. The complement of a combination
    contains the other half of the blocks. :func:`_both` computes the results of a combination and
    of its complement. ``most`` is the largest number of combinations in one array.
    """
    chosen = np.array([(0, *rest) for rest in combinations(range(1, blocks), blocks // 2 - 1)])
    for begin in range(0, len(chosen), most):
        part = chosen[begin : begin + most]
        mask = np.zeros((len(part), blocks))
        np.put_along_axis(mask, part, 1.0, axis=1)
        yield mask


def _both(
    sums: list[np.ndarray], total: list[np.ndarray], half: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return results for the combinations in ``half``, then results for their complements."""
    moments = [half @ moment for moment in sums]
    rests = [whole - part for whole, part in zip(total, moments, strict=True)]
    mine, other = _sharpe(*moments), _sharpe(*rests)
    there, back = _selected(mine, other), _selected(other, mine)
    return tuple(np.concatenate(pair) for pair in zip(there, back, strict=True))


def _sharpe(count: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return Sharpe ratios per session (ddof 1), combinations × trials; 0 if returns do not vary.

    To save time, the function overwrites ``total`` and ``squares`` and allocates no new arrays for
    them.
    """
    floor = np.maximum(count * ROUNDING**2, squares * 1e-14)
    mean = total / count
    squares -= np.multiply(total, mean, out=total)
    still = squares <= floor
    squares[still] = 1.0
    squares /= count - 1
    mean /= np.sqrt(squares, out=squares)
    mean[still] = 0.0
    ratio: np.ndarray = mean
    return ratio


def _selected(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return four arrays about the best trial in sample, with one value for each split.

    The arrays are: the index of the trial, the Sharpe ratio in sample, the Sharpe ratio out of
    sample, and the rank out of sample. A rank is between 0 (worst) and 1 (best). The first of equal
    trials counts as the best.
    """
    best = (inside >= inside.max(axis=1, keepdims=True) - _EQUAL).argmax(axis=1)
    rows = np.arange(len(best))
    reached = outside[rows, best]
    below = (outside < reached[:, None] - _EQUAL).sum(axis=1)
    up_to = (outside <= reached[:, None] + _EQUAL).sum(axis=1)
    ranks = (below + up_to + 1) / 2 / (outside.shape[1] + 1)
    return best, inside[rows, best], reached, ranks


def _checked(moments: np.ndarray) -> np.ndarray:
    given = np.asarray(moments, dtype=np.float64)
    if given.ndim != 3 or given.shape[2] != 3:
        raise DataError(
            "expected moments as trials × blocks × 3 (count, sum, sum of squares), was an array of "
            f"shape {given.shape}"
        )
    _check_blocks(given.shape[1])
    if not np.isfinite(given).all() or (given[:, :, 0] < 2).any():
        raise DataError(
            "expected finite moments and at least two returns in each block, but a moment is not "
            "finite or a block has fewer returns"
        )
    return given


def _check_blocks(blocks: int) -> None:
    if blocks < 2 or blocks % 2:
        raise DataError(f"expected an even number of blocks, at least 2, was {blocks}")
