"""The response of the duration spread to filings, earnings releases and policy statements.

The duration spread is the return of long-duration classes minus the return of short-duration
classes.

The response is a slope: the return in percentage points for each unit of surprise. The claims about
filings and earnings releases compare the responses in two states of idle capital. For filings and
releases, the estimate is the response with depleted idle capital minus the response with ample idle
capital. For policy statements, the estimate is the response over all statements.

A few large surprises can decide a slope. So the estimate is repeated with each event left out in
turn. The lowest and the highest of the repeated estimates are shown, each with an interval.

The estimate for policy uses the change of a yield on the date of the statement. The change of the
yield is published one session later, after the response has begun. The estimate for policy
therefore measures a reaction and is not a trading rule.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from backtests.evidence.entries import episodes_of
from backtests.history.panel import History
from backtests.thesis.claim import Claim
from backtests.thesis.clustered import Slope, minus
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.events import Events, read_events
from backtests.thesis.filings import AFTER, STATES, Filing, filings, table
from backtests.thesis.inference import rank_p_value
from backtests.thesis.policy import statements
from backtests.thesis.releases import releases
from backtests.thesis.responses import (
    AFTER_NEWS,
    DRAWS,
    Responses,
    complete,
    tested,
    without_one,
)
from backtests.thesis.sample import Sample
from signals.errors import ConfigError, unknown


def event_response(claim: Claim, sample: Sample) -> Estimate:
    """Return the estimate of a claim about the response to filings, releases or policy statements.

    Raises NotTestable if the history lacks the events, the yields, or the prices of a class.
    NotTestable is also raised if all surprises are equal, or if the events lie in fewer than four
    calendar quarters. A claim about filings or releases needs four quarters in each state of idle
    capital. If this module does not know the claim's name, ConfigError is raised.
    """
    if claim.name not in _MEASURES:
        raise ConfigError(f"{unknown('claim', claim.name, _MEASURES)}; keep the claim's name")
    return _MEASURES[claim.name](claim, sample)


def _filings(claim: Claim, sample: Sample) -> Estimate:
    note = (
        "The firm's press release usually comes on the day of the filing, or a day or two before. "
        "So the market may know the capital expenditure before the measured response begins."
    )
    return _by_state(claim, sample, filings, note)


def _releases(claim: Claim, sample: Sample) -> Estimate:
    note = (
        "The capital expenditure in a release is taken from the first filing within 10 days after "
        "the release. A release also contains news that is not about capital expenditure."
    )
    return _by_state(claim, sample, releases, note)


def _by_state(
    claim: Claim, sample: Sample, dated: Callable[[History], tuple[Filing, ...]], note: str
) -> Estimate:
    """Return the response with depleted idle capital minus the response with ample idle capital."""
    counted, news = dated.__name__, dated(sample.history)
    if not news:
        raise NotTestable(f"the history has no {counted} of capital spending")
    found = table(sample, news)
    found = found.assign(row=found["quarter"], column=found["firm"])
    events = complete(sample, found, AFTER)
    depleted, ample = (events.where(state) for state in (1.0, 0.0))
    fits = [tested(part.slope(), STATES[state]) for part, state in ((depleted, 1.0), (ample, 0.0))]
    (on, on_variance), (off, off_variance) = (
        part.permuted(seed) for seed, part in enumerate((depleted, ample))
    )
    fit, others = minus(*fits), np.empty(len(events.table))
    is_depleted = (events.table["state"] == 1.0).to_numpy()
    others[is_depleted] = depleted.slopes_without_one() - fits[1].value
    others[~is_depleted] = fits[0].value - ample.slopes_without_one()
    beside, influence = without_one(events, others, _interval_of_difference)
    shown = pd.DataFrame({STATES[0.0]: ample.path(), STATES[1.0]: depleted.path()})
    episode = episodes_of(sample.condition("dry_powder")).reindex(depleted.table.index)
    return _estimate(
        claim,
        fit,
        events,
        permuted=(on - off) / np.sqrt(on_variance + off_variance),
        counted=counted,
        episodes=int(episode.nunique()),
        beside=beside,
        shown=shown.rename_axis("session"),
        notes=(
            f"While idle capital is depleted, the slope is {fits[0].value:+.2f} ({fits[0].n} "
            f"{counted} in {fits[0].clusters} quarters). While idle capital is ample, the slope is "
            f"{fits[1].value:+.2f} ({fits[1].n} {counted} in {fits[1].clusters} quarters).",
            *influence,
            note,
        ),
    )


def _interval_of_difference(events: Responses) -> Interval:
    return minus(*(events.where(state).slope() for state in (1.0, 0.0))).interval


def _policy(claim: Claim, sample: Sample) -> Estimate:
    if sample.is_simulated:
        raise NotTestable("a simulated history has no dates of real policy statements")
    events = complete(sample, policy_table(sample, read_events()), AFTER_NEWS)
    fit = tested(events.slope(), "policy statements")
    values, variances = events.permuted(0)
    others = events.slopes_without_one()
    beside, influence = without_one(events, others, lambda rest: rest.slope().interval)
    return _estimate(
        claim,
        fit,
        events,
        permuted=values / np.sqrt(variances),
        counted="policy statements",
        episodes=None,
        beside=beside,
        shown=pd.DataFrame({"response": events.path()}).rename_axis("session"),
        notes=(
            *influence,
            "The dates of the statements come from drypowder's file events.toml, not from the "
            "history's series of FOMC statements.",
            "The change of DGS2 on the date of a statement is published a session later. So the "
            "estimate measures a reaction and is not a trading rule.",
            "Some Fed operations, such as the end of runoff, were announced before their first "
            "day. The first days of announced operations bring no news and are left out.",
        ),
    )


_MEASURES: Mapping[str, Callable[[Claim, Sample], Estimate]] = {
    "capex-filings-hurt-long-duration": _filings,
    "capex-releases-hurt-long-duration": _releases,
    "tight-policy-hurts-long-duration": _policy,
}


def policy_table(sample: Sample, events: Events) -> pd.DataFrame:
    """Return a table with one row for each session that has an FOMC statement.

    The surprise is the change of DGS2, in units of 10 basis points. See
    :func:`backtests.thesis.policy.statements`.
    """
    found = statements(sample, events.days("FOMC statement"))
    return found.rename(columns={"change": "surprise"})


def _estimate(
    claim: Claim,
    fit: Slope,
    events: Responses,
    *,
    permuted: np.ndarray,
    counted: str,
    episodes: int | None,
    beside: dict[str, Interval],
    shown: pd.DataFrame,
    notes: tuple[str, ...],
) -> Estimate:
    return Estimate(
        value=fit.value,
        interval=fit.interval,
        tests={
            "clustered t": fit.p_value(claim.sign),
            "permuted surprises": rank_p_value(permuted[0], permuted[1:], claim.sign),
        },
        error=fit.error,
        df=fit.df,
        observations=fit.n,
        counted=counted,
        episodes=episodes,
        start=events.table.index[0],
        end=events.table.index[-1],
        method="The slope comes from least squares. All events of a calendar quarter form one "
        "cluster. The interval uses CR2 standard errors with Bell and McCaffrey's degrees of "
        "freedom (Imbens and Kolesár, REStat 98, 2016). A second test compares the t statistic "
        f"with the t statistics of {DRAWS:,} permutations of the surprises.",
        beside=beside,
        shown=shown,
        notes=notes,
    )
