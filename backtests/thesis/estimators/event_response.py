"""How long-duration classes respond to dated news, relative to short-duration classes.

Two claims use this estimator. For filings of capital expenditure, the estimand is the response
while idle capital is depleted minus the response while idle capital is ample. For policy
statements, the estimand is the response itself.

The estimate for policy uses a value that was not known in time. The change of a yield on the date
of the event is published on the next session, but the response begins with the session of the
event. So the estimate measures a reaction, and nobody could have traded on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.thesis.claims import Claim
from backtests.thesis.clustered import (
    FEWEST,
    Slope,
    minus,
    permuted_p_value,
    quarters,
    rearranged,
    slope,
    slopes,
)
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.events import Events, read_events
from backtests.thesis.filings import AFTER, STATES, filings, slope_path, table
from backtests.thesis.inference import episodes_of, t_interval, t_p_value
from backtests.thesis.returns import windows
from backtests.thesis.sample import LONG, SHORT, Sample

#: Number of permutations of surprises.
DRAWS = 4999
#: Sessions after a policy statement that count as its response.
AFTER_POLICY = 5
#: Percentage points of yield in one unit of policy news, 10 basis points.
_UNIT = 0.10
_DEPLETED, _AMPLE = 1.0, 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Events:
    """Events with complete windows.

    ``response`` holds the cumulated return of the spread, percentage points, events × sessions.
    ``table`` has one row for each event and the session as index. Its columns are ``surprise``,
    ``state``, ``quarter``, ``row`` and ``column``, see
    :func:`backtests.thesis.clustered.rearranged`.
    """

    response: np.ndarray
    table: pd.DataFrame

    def where(self, state: float) -> "_Events":
        """Return the events of one state."""
        chosen = (self.table["state"] == state).to_numpy()
        return _Events(response=self.response[chosen], table=self.table[chosen])

    def slope(self) -> Slope:
        """Return the slope of the whole response on the surprise."""
        columns = (self.table[name].to_numpy() for name in ("surprise", "quarter"))
        return slope(self.response[:, -1], *columns)

    def path(self) -> np.ndarray:
        """Return the slope of the response up to each session."""
        return slope_path(self.response, self.table["surprise"].to_numpy())

    def permuted(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return slopes and variances: first of the true surprises, then of each permutation."""
        true, quarter, row, column = (
            self.table[name].to_numpy() for name in ("surprise", "quarter", "row", "column")
        )
        drawn = rearranged(true, row, column, DRAWS, seed)
        return slopes(self.response[:, -1], np.vstack((true, drawn)), quarter)


def event_response(claim: Claim, sample: Sample) -> Estimate:
    """Return the estimate of a claim about the response to filings or to policy statements.

    Raises NotTestable if the history lacks events, classes or yields, or if the events lie in fewer
    than four calendar quarters. Filings need four quarters in each state of idle capital.
    """
    if claim.name not in _MEASURES:
        raise NotTestable(f"{claim.name} names no dated events")
    return _MEASURES[claim.name](claim, sample)


def _filings(claim: Claim, sample: Sample) -> Estimate:
    found = table(sample, filings(sample.history))
    found = found.assign(row=found["quarter"], column=found["firm"])
    events = _complete(sample, found, AFTER)
    depleted, ample = events.where(_DEPLETED), events.where(_AMPLE)
    fits = [_tested(part, STATES[state]) for part, state in ((depleted, 1.0), (ample, 0.0))]
    (on, on_variance), (off, off_variance) = (
        part.permuted(seed) for seed, part in enumerate((depleted, ample))
    )
    shown = pd.DataFrame({STATES[0.0]: ample.path(), STATES[1.0]: depleted.path()})
    episode = episodes_of(sample.condition("dry_powder")).reindex(depleted.table.index)
    return _estimate(
        claim,
        minus(*fits),
        events,
        permuted=(on - off) / np.sqrt(on_variance + off_variance),
        counted="filings",
        episodes=int(episode.nunique()),
        shown=shown.rename_axis("session"),
        notes=(
            f"Slope while depleted {fits[0].value:+.2f} ({fits[0].n} filings in "
            f"{fits[0].clusters} quarters), while ample {fits[1].value:+.2f} ({fits[1].n} filings "
            f"in {fits[1].clusters} quarters).",
            "A filing follows the firm's press release by a day or two, so the market may know the "
            "figure before the window opens.",
        ),
    )


def _policy(claim: Claim, sample: Sample) -> Estimate:
    if sample.is_simulated:
        raise NotTestable("a simulated history has no dates of real policy statements")
    events = _complete(sample, policy_table(sample, read_events()), AFTER_POLICY)
    fit = _tested(events, "policy statements")
    values, variances = events.permuted(0)
    return _estimate(
        claim,
        fit,
        events,
        permuted=values / np.sqrt(variances),
        counted="policy statements",
        episodes=None,
        shown=pd.DataFrame({"response": events.path()}).rename_axis("session"),
        notes=(
            "The change of DGS2 on the date of a statement is published a session later. So the "
            "estimate measures a reaction and is no trading rule.",
            "Dates at which an announced operation begins are left out, because they are no news.",
        ),
    )


_MEASURES: Mapping[str, Callable[[Claim, Sample], Estimate]] = {
    "capex-filings-hurt-long-duration": _filings,
    "tight-policy-hurts-long-duration": _policy,
}


def policy_table(sample: Sample, events: Events) -> pd.DataFrame:
    """Return FOMC statements as a table by session, with the change of DGS2 in 10 basis points.

    A statement on a day without a session belongs to the next session. The panel shows the yield
    of a date one session later, so the change is the panel's value after the session minus its
    value at the session. Raises NotTestable if the history lacks DGS2.
    """
    panel = sample.history.panel
    if "DGS2" not in panel or panel["DGS2"].isna().all():
        raise NotTestable("the history lacks DGS2")
    days = pd.DatetimeIndex(events.days("FOMC statement"))
    days = days[(days >= sample.sessions[0]) & (days <= sample.sessions[-1])]
    at = np.unique(sample.sessions.searchsorted(days))
    change = panel["DGS2"].diff().shift(-1) / _UNIT
    sessions = sample.sessions[at]
    return pd.DataFrame(
        {
            "surprise": change.iloc[at],
            "at": at,
            "state": _AMPLE,  # one group: the claim has no condition
            "quarter": quarters(sessions),
            "row": np.arange(len(at)),
            "column": 0,
        },
        index=sessions,
    )


def spread(sample: Sample, at: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return compounded returns of long-duration minus short-duration classes, fractions.

    Each side is the mean of its declared classes, see :func:`backtests.thesis.returns.windows`. A
    row is NaN if one of these classes has no complete window, so all events have the same classes.
    """
    long, short = (
        np.mean([windows(sample.asset_class(name), at, first, last) for name in names], axis=0)
        for names in (LONG, SHORT)
    )
    result: np.ndarray = long - short
    return result


def _complete(sample: Sample, found: pd.DataFrame, after: int) -> _Events:
    response = 100 * spread(sample, found["at"].to_numpy(), 0, after)
    kept = ~np.isnan(response[:, -1]) & found[["surprise", "state"]].notna().all(axis=1).to_numpy()
    return _Events(response=response[kept], table=found[kept])


def _tested(events: _Events, what: str) -> Slope:
    fit = events.slope()
    if not fit.df > 0:
        raise NotTestable(
            f"the history has events in {fit.clusters} calendar quarters ({what}); at least "
            f"{FEWEST} are needed"
        )
    return fit


def _estimate(
    claim: Claim,
    fit: Slope,
    events: _Events,
    *,
    permuted: np.ndarray,
    counted: str,
    episodes: int | None,
    shown: pd.DataFrame,
    notes: tuple[str, ...],
) -> Estimate:
    sign = 1 if claim.direction == "above" else -1
    return Estimate(
        value=fit.value,
        interval=t_interval(fit.value, fit.error, fit.df),
        tests={
            "clustered t": t_p_value(fit.value, fit.error, fit.df, sign),
            "permuted surprises": permuted_p_value(permuted[0], permuted[1:], sign),
        },
        error=fit.error,
        df=fit.df,
        observations=fit.n,
        counted=counted,
        episodes=episodes,
        start=events.table.index[0],
        end=events.table.index[-1],
        method="Least squares, one cluster for each calendar quarter; CR2 standard errors with "
        "Bell and McCaffrey's degrees of freedom (Imbens and Kolesár, REStat 98, 2016). "
        f"The t statistic is compared with those of {DRAWS:,} permutations of the surprises.",
        shown=shown,
        notes=notes,
    )
