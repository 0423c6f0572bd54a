"""Link L9: whether crypto leads shares by a week more strongly than shares lead crypto."""

import numpy as np
import pandas as pd

from backtests.evidence.bootstrap import block_length, date_counts
from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.inference import drawn_interval, drawn_p_value
from backtests.thesis.sample import Sample
from backtests.thesis.weeks import weekly

#: Number of resamples, and their seed.
REPS, SEED = 2000, 9
#: Smallest number of pairs of weeks. 104 weeks are two years.
FEWEST = 104
#: Longest lead in the chart, in weeks.
LONGEST = 8


def lead_and_lag(claim: Claim, sample: Sample) -> Estimate:
    """Return corr(crypto, SPY a week later) minus corr(SPY, crypto a week later).

    Formula
        The value is corr(c_t, s_t+1) − corr(s_t, c_t+1). In week t, the crypto class returns c_t,
        and SPY returns s_t. Both correlations use the same pairs of weeks.
    Timing
        Both returns of a week end at closes of the same date, the last session of the week. A
        coin's date ends at 24:00 UTC, three or four hours after the US stock market closes. After
        the last stock market close of a week, news can still move crypto in the same week. Shares
        can react to late news only in the next week. So crypto seems to lead, and the estimate is
        slightly too high.
    NaN
        A pair is left out if one of its four returns is missing.
    Interval
        The bounds are percentiles from a stationary bootstrap of pairs. Politis and White's rule
        gives the mean length of a block, at least 5 weeks. Politis and White's rule is applied to
        the influence of each pair on the estimate.
    Errors
        NotTestable if there are fewer than 104 pairs, or if crypto or SPY has no prices.
    Reference
        Politis and Romano (1994), JASA 89; Politis and White (2004), Econometric Reviews.
    """
    weeks = pd.DataFrame(
        {"crypto": weekly(sample.asset_class("crypto")), "SPY": weekly(sample.asset("SPY"))}
    )
    pairs = pairs_of(weeks)
    drawn = lead_draws(pairs.to_numpy())
    others = drawn[1:]
    return Estimate(
        value=float(drawn[0]),
        interval=drawn_interval(others),
        tests={"stationary bootstrap": drawn_p_value(others, claim.sign)},
        error=float(np.nanstd(others, ddof=1)),
        df=float("inf"),
        observations=len(pairs),
        counted="pairs of weeks",
        episodes=None,
        start=pairs.index[0],
        end=pairs.index[-1],
        method="The bounds are percentiles from a stationary bootstrap of pairs of weeks (Politis "
        "and Romano 1994). Politis and White's rule (2004) gives the mean length of a block, at "
        "least 5 weeks.",
        shown=_by_lead(weeks),
        notes=(
            "A coin's day ends three or four hours after the US stock market closes, so the "
            "estimate is slightly too high.",
        ),
    )


def pairs_of(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of weeks: the returns of each week together with the returns of the next week.

    ``weeks`` has two columns, one for each asset. The first column belongs to the asset that is
    tested as the leader, such as crypto. The result has four columns: the returns of both assets in
    the week, and their returns in the next week. A pair with a missing return is left out. Raises
    NotTestable if there are fewer than 104 pairs.
    """
    pairs = pd.concat([weeks, weeks.shift(-1).add_suffix(" later")], axis=1).dropna()
    if len(pairs) < FEWEST:
        raise NotTestable(
            f"expected at least {FEWEST} pairs of weeks in which both assets have returns, found "
            f"{len(pairs)}"
        )
    return pairs


def lead_draws(pairs: np.ndarray, reps: int = REPS) -> np.ndarray:
    """Return the difference of the two correlations in :func:`lead_and_lag`.

    The first number belongs to the sample, and each further number to one resample.
    ``pairs`` has four columns, see :func:`pairs_of`. A resample without variation gives NaN.
    """
    standard = (pairs - pairs.mean(axis=0)) / pairs.std(axis=0)
    first, second, first_later, second_later = standard.T
    block = block_length(_influence(first, second_later) - _influence(second, first_later))
    counts = date_counts(len(pairs), block, reps, SEED)
    leads = _correlations(counts, first, second_later)
    difference: np.ndarray = leads - _correlations(counts, second, first_later)
    return difference


def _influence(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the influence of each observation on the correlation of two standardised variables."""
    correlation = (x * y).mean()
    moved: np.ndarray = x * y - correlation * (x**2 + y**2) / 2
    return moved


def _correlations(counts: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the correlation in each resample; ``counts`` is resamples × observations."""
    n = len(x)
    means = counts @ np.column_stack([x, y, x**2, y**2, x * y]) / n
    mean_x, mean_y, square_x, square_y, product = means.T
    with np.errstate(divide="ignore", invalid="ignore"):
        out: np.ndarray = (product - mean_x * mean_y) / np.sqrt(
            (square_x - mean_x**2) * (square_y - mean_y**2)
        )
    return out


def _by_lead(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return correlations of one asset's return with the other's return 0 to 8 weeks later."""
    first, second = weeks.iloc[:, 0], weeks.iloc[:, 1]
    leads = range(LONGEST + 1)
    return pd.DataFrame(
        {
            "crypto leads": [first.corr(second.shift(-k)) for k in leads],
            "SPY leads": [second.corr(first.shift(-k)) for k in leads],
        },
        index=pd.Index(leads, name="weeks"),
    )
