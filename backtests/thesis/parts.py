"""Several intervals for one estimate; the verdict depends only on the first interval.

:func:`by_episode` treats each episode as one cluster. :func:`by_shift` compares the true dates with
shifted dates. :func:`by_day` assumes that distant sessions are independent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.hac import regress
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.inference import (
    Clusters,
    Shifted,
    clustered,
    hac_interval,
    t_interval,
    t_p_value,
)

DAILY = "distant sessions independent"
EPISODES = "episodes independent"
SHIFTED = "dates of the condition shifted"
HOLDINGS = "dates of the holdings shifted"

BY_DAY = (
    "Least squares with Newey–West errors and fixed-b critical values (Kiefer, Vogelsang 2005)."
)
BY_EPISODE = (
    "Each episode is one cluster. The variance is CR2, with Bell and McCaffrey's degrees of "
    "freedom (Imbens and Kolesár 2016)."
)
BY_SHIFT = (
    "The dates are shifted up to 1,000 times; dates that move past the end continue at the start. "
    "The t statistic of the true dates is compared with the t statistics of the shifted "
    "dates. The shifted dates also give the critical values of the interval."
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """An interval with its p-value, standard error and degrees of freedom."""

    name: str
    interval: Interval
    p_value: float
    error: float
    df: float
    method: str


def by_day(
    values: pd.Series, design: np.ndarray, contrast: np.ndarray, scale: float, sign: int
) -> Part:
    """Return the interval of a combination of means, with HAC errors."""
    fit = regress(values.to_numpy(), design)
    value, error = (part * scale for part in fit.combined(contrast))
    return Part(
        name=DAILY,
        interval=hac_interval(fit, value, error),
        p_value=fit.p_value(value, error, sign),
        error=fit.widened(error),
        df=math.inf,
        method=BY_DAY,
    )


def by_episode(value: float, scale: float, sign: int, *groups: Clusters) -> Part:
    """Return the interval of a mean, or of a difference of two means, with episodes as clusters."""
    error, df = clustered(*groups)
    return Part(
        name=EPISODES,
        interval=t_interval(value, error * scale, df),
        p_value=t_p_value(value, error * scale, df, sign),
        error=error * scale,
        df=df,
        method=f"{BY_EPISODE} Degrees of freedom: {df:.1f}.",
    )


def by_shift(drawn: Shifted, value: float, sign: int, name: str) -> Part:
    """Return the interval of an estimate, with critical values from shifted dates."""
    error = value / drawn.true if drawn.true else math.nan
    return Part(
        name=name,
        interval=drawn.interval(value, error),
        p_value=drawn.p_value(sign),
        error=drawn.widened(error),
        df=math.inf,
        method=BY_SHIFT,
    )


def estimate_of(value: float, parts: Sequence[Part], **more: Any) -> Estimate:
    """Return an estimate whose interval and p-value come from the first element of ``parts``.

    ``more`` are the remaining attributes of :class:`backtests.thesis.estimate.Estimate`.
    """
    first, others = parts[0], parts[1:]
    return Estimate(
        value=value,
        interval=first.interval,
        tests={first.name: first.p_value},
        error=first.error,
        df=first.df,
        method=first.method,
        beside={part.name: part.interval for part in others},
        tests_beside={part.name: part.p_value for part in others},
        **more,
    )
