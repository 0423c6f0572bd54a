"""Link L7: whether data on capital demand improve a return forecast that uses capital supply."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.bootstrap import block_length, date_counts
from backtests.evidence.hac import regress
from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.inference import drawn_interval, t_interval, too_narrow
from backtests.thesis.sample import LAG, Sample
from backtests.thesis.weeks import earned_after, log_over_bills, week_ends

#: Number of weeks over which a forecast return is measured.
WEEKS = 4
#: Number of weeks after an origin until the return of the forecast is known for certain. The return
#: begins LAG sessions after the origin. A week has at least one session, so LAG additional weeks
#: contain at least LAG sessions.
DELAY = WEEKS + LAG
#: Number of known returns that the first forecast needs: one a week for five years.
FIRST = 260
#: Smallest number of forecasts: one a week for a year.
FEWEST = 52
#: Fraction of 95 % intervals that contained the true value in 200 SIMULATED economies, see
#: ``benchmarks/trial_coverage.py``.
COVERAGE = 0.875
#: Number of resamples, and their seed.
REPS, SEED = 2000, 7


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecasts:
    """Forecasts of returns by three rules, with one row for each origin.

    An origin is the date of a forecast.

    Attributes
    ----------
    frame
        Four columns in the unit of the returns. The column ``return`` is the actual return, and the
        other columns are forecasts. ``mean`` is the mean of past returns. ``small`` is the
        forecast of a regression on the supply of capital. ``large`` is the forecast of a regression
        on the supply of capital and the demand for capital.
    """

    frame: pd.DataFrame

    @property
    def losses(self) -> pd.DataFrame:
        """Squared errors of ``mean``, ``small`` and ``large``."""
        rules = self.frame[["mean", "small", "large"]]
        return rules.rsub(self.frame["return"], axis=0) ** 2

    @property
    def clark_west(self) -> np.ndarray:
        """Loss of ``small`` minus loss of ``large``, adjusted for the noise of the larger model.

        Under the null hypothesis, the regressor that only ``large`` has is useless: its true
        coefficient is zero. The estimated coefficient of the useless regressor is not exactly zero,
        and the estimation noise raises the loss of ``large``. The squared difference between the
        forecasts ``small`` and ``large`` measures the noise, and is subtracted from the loss of
        ``large``.
        """
        noise = (self.frame["small"] - self.frame["large"]) ** 2
        adjusted: np.ndarray = (self.losses["small"] - self.losses["large"] + noise).to_numpy()
        return adjusted


def nested_forecast(claim: Claim, sample: Sample) -> Estimate:
    """Return how much out-of-sample R² the absorbed share adds to a forecast from net liquidity.

    Formula
        value = 100 · (Σ e²_small − Σ e²_large) / Σ e²_mean. ``value`` is the out-of-sample R² of
        ``large`` minus the out-of-sample R² of ``small``, in %. Each e is the error of a forecast
        of SPY's log return over bills in the next 4 weeks. ``mean`` forecasts the mean of past
        returns. ``small`` is a regression on the change of net liquidity over 65 sessions, in % of
        net liquidity. ``large`` is a regression on the change of net liquidity and on the absorbed
        share u.
    Timing
        The origin of a forecast is the last session of a week. Each forecast is for one return,
        which begins :data:`backtests.thesis.sample.LAG` sessions after the origin. Regressions and
        the mean use only returns that are known at the origin. The first forecast needs 260 known
        returns.
    NaN
        A week with a missing regressor is left out. A return is left out if its 4 weeks have not
        ended.
    Interval
        The bounds are percentiles from a stationary bootstrap. The bootstrap resamples the losses
        of the three forecasts in blocks. The mean length of a block is at least 5 weeks. The
        bootstrap does not estimate the regressions again, so the interval is too narrow
        (:data:`COVERAGE`). The test comes from Clark and West, with Newey–West errors for
        overlapping returns.
    Errors
        NotTestable if there are fewer than 52 forecasts, or if data are missing.
    Reference
        Clark and West (2007), Journal of Econometrics 138; Campbell and Thompson (2008), RFS 21.
    """
    made = _forecasts(sample)
    drawn = gain_draws(made)
    value, error, p_value = clark_west(made, claim.sign)
    frame = made.frame
    return Estimate(
        value=float(drawn[0]),
        interval=drawn_interval(drawn[1:]),
        tests={"Clark and West": p_value},
        error=float(drawn[1:].std(ddof=1)),
        df=float("inf"),
        observations=len(frame),
        counted="weeks",
        episodes=None,
        start=frame.index[0],
        end=frame.index[-1],
        method="The forecasts use an expanding window. The test is by Clark and West (2007), with "
        "Newey–West errors. The interval comes from a stationary bootstrap of the losses.",
        beside={
            "gain adjusted for the noise of the larger model": t_interval(
                value, error, float("inf")
            )
        },
        shown=_accumulated(made),
        notes=(
            "The interval and the test can disagree. Estimation errors in the coefficients make "
            "forecasts worse. The interval includes the losses that estimation errors cause. The "
            "test corrects for the losses from estimation errors, and asks whether the absorbed "
            "share has any forecasting power.",
            too_narrow(COVERAGE),
        ),
    )


def forecasts(target: pd.Series, small: pd.DataFrame, large: pd.DataFrame) -> Forecasts:
    """Return the forecasts of three rules: the mean of past returns, and two regressions.

    Each forecast uses all returns that are known at its origin.

    Parameters
    ----------
    target
        The return in the weeks after each origin; NaN if these weeks have not ended.
    small, large
        The regressors of the two regressions, as known at each origin, without a constant.

    Raises
    ------
    NotTestable
        Raised if there are fewer than 52 forecasts with a known return.
    """
    known = large.notna().all(axis=1) & small.notna().all(axis=1)
    y = target[known]
    made = {"mean": expanding(y, small.loc[known, []])}
    made |= {"small": expanding(y, small[known]), "large": expanding(y, large[known])}
    frame = pd.DataFrame({"return": y, **made}).dropna()
    if len(frame) < FEWEST:
        raise NotTestable(
            f"expected {FEWEST} forecasts of returns, found {len(frame)}; add history: the first "
            f"forecast needs {FIRST} earlier weeks with net liquidity and the absorbed share"
        )
    return Forecasts(frame=frame)


def expanding(y: pd.Series, x: pd.DataFrame) -> pd.Series:
    """Return a least-squares forecast for each origin, from the returns known at the origin.

    ``y`` and ``x`` have the same origins. ``x`` has no NaN; the function adds a constant. The
    forecast is NaN until 260 returns are known. A forecast does not depend on later rows.
    """
    rows = np.column_stack([np.ones(len(x)), x.to_numpy(dtype=np.float64)])
    value = y.to_numpy(dtype=np.float64)
    there = ~np.isnan(value)
    squares = np.cumsum(rows[:, :, None] * rows[:, None, :] * there[:, None, None], axis=0)
    products = np.cumsum(rows * np.where(there, value, 0.0)[:, None], axis=0)
    out = np.full(len(value), np.nan)
    at = np.flatnonzero(np.cumsum(there) >= FIRST)
    at = at[at + DELAY < len(value)]
    if len(at):
        inverse = np.linalg.pinv(squares[at], hermitian=True)
        slopes = np.einsum("tij,tj->ti", inverse, products[at])
        out[at + DELAY] = np.einsum("ti,ti->t", slopes, rows[at + DELAY])
    return pd.Series(out, index=y.index)


def gain_draws(made: Forecasts, reps: int = REPS) -> np.ndarray:
    """Return the out-of-sample R² of ``large`` minus the out-of-sample R² of ``small``, in %.

    The first number belongs to the sample, and each further number to one resample.
    """
    losses = made.losses
    gain = (losses["small"] - losses["large"]).to_numpy()
    counts = date_counts(len(gain), block_length(gain), reps, SEED)
    drawn: np.ndarray = 100 * (counts @ gain) / (counts @ losses["mean"].to_numpy())
    return drawn


def clark_west(made: Forecasts, sign: int) -> tuple[float, float, float]:
    """Return the mean of :attr:`Forecasts.clark_west`, its standard error and its p-value.

    The mean and the standard error are in % of the average loss of the forecast ``mean``.
    """
    adjusted = made.clark_west
    fit = regress(adjusted, np.ones((len(adjusted), 1)))
    mean, error = fit.combined(np.ones(1))
    scale = 100 / float(made.losses["mean"].mean())
    return scale * mean, scale * fit.widened(error), fit.p_value(mean, error, sign)


def _forecasts(sample: Sample) -> Forecasts:
    ends = week_ends(sample.sessions)
    over = log_over_bills(sample.asset("SPY"), sample.bills)
    supply = sample.gauge("bathtub", "change").reindex(ends).to_frame("supply")
    demand = sample.gauge("absorption", "u").reindex(ends)
    return forecasts(100 * earned_after(over, ends, WEEKS), supply, supply.assign(u=demand))


def _accumulated(made: Forecasts) -> pd.DataFrame:
    """Return the accumulated gain of ``small`` and ``large`` over the forecast ``mean``, in %.

    The gain at an origin is the loss of ``mean`` minus the loss of ``small`` or ``large``. The
    accumulated gain is the sum of all gains up to an origin, divided by the total loss of ``mean``
    over all origins.
    """
    losses = made.losses
    gains = losses[["small", "large"]].rsub(losses["mean"], axis=0).cumsum()
    shown: pd.DataFrame = 100 * gains / losses["mean"].sum()
    return shown.rename(columns={"small": "supply alone", "large": "supply and demand"})
