"""The response of the duration spread to bond deals of hyperscalers.

The duration spread is the return of long-duration classes minus the return of short-duration
classes.
"""

import numpy as np
import pandas as pd

from backtests.thesis.claim import Claim
from backtests.thesis.clustered import FEWEST, quarters
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.inference import (
    Clusters,
    clustered,
    rank_p_value,
    t_interval,
    t_p_value,
)
from backtests.thesis.policy import sessions_of
from backtests.thesis.releases import release_id
from backtests.thesis.responses import AFTER_NEWS, DRAWS, spread, too_few_quarters
from backtests.thesis.sample import Sample
from signals.catalog import BOND_ISSUERS

#: Largest time between a deal and an FOMC statement or earnings release that counts as near.
NEAR = pd.Timedelta(days=1)
_SEED = 6
_NAMED = 5  # largest number of deals that a note names


def average_response(claim: Claim, sample: Sample) -> Estimate:
    """Return the mean response of the duration spread to bond deals.

    Formula
        The response is the compounded return of the spread. The response begins at the close before
        the deal, and ends at the close 5 sessions after the deal. The estimate is the mean response
        over all deals, with equal weights.
    Timing
        A deal is announced in the morning, so the response includes the session of the deal. A deal
        on a day without a session belongs to the next session.
    NaN
        A deal is left out if one of the classes lacks a return in the sessions of the response.
    Interval
        The interval uses the t distribution. All deals of a calendar quarter form one cluster. The
        variance is CR2, and the method of Bell and McCaffrey gives the degrees of freedom. A second
        test compares the mean response to the deals with mean responses at random dates, see
        :func:`random_means`.
    Errors
        NotTestable if the deals lie in fewer than four calendar quarters. NotTestable is also
        raised if an asset class of the duration spread has no prices.
    Reference
        Imbens and Kolesár (2016), REStat 98; MacKinnon and Webb (2020), "Randomization Inference
        for Difference-in-Differences with Few Treated Clusters", Journal of Econometrics 218.
    """
    response = spread_at_each_session(sample)
    found = deals(sample)
    found = found[~np.isnan(response[found["at"], -1])]
    value, error, df, number = mean_by_quarter(response[:, -1], found)
    if number < FEWEST:
        raise too_few_quarters(number, "bond deals")
    drawn = random_means(response[:, -1], found, sample.sessions)
    return Estimate(
        value=value,
        interval=t_interval(value, error, df),
        tests={
            "clustered t": t_p_value(value, error, df, claim.sign),
            "random dates": rank_p_value(value, drawn, claim.sign),
        },
        error=error,
        df=df,
        observations=len(found),
        counted="bond deals",
        episodes=None,
        start=found.index[0],
        end=found.index[-1],
        method="The bond deals of one calendar quarter form one cluster. The interval uses CR2 "
        "standard errors with Bell and McCaffrey's degrees of freedom (Imbens and Kolesár, REStat "
        "98, 2016). A second test compares the mean response to the deals with "
        f"{DRAWS:,} mean responses at random dates of the same years.",
        beside=_without_news(response[:, -1], found),
        shown=pd.DataFrame({"response": response[found["at"]].mean(axis=0)}).rename_axis("session"),
        notes=_notes(found),
    )


def deals(sample: Sample) -> pd.DataFrame:
    """Return the bond deals in order of sessions.

    The index contains the session of each deal. The columns are ``issuer``, ``size``, ``at``,
    ``quarter``, ``near`` and ``reported``. ``size`` is in USD. ``at`` is the position of the
    session in the history. ``near`` is True if the FOMC made a statement within a day of the deal.
    ``reported`` is True if the issuer released earnings within a day of the deal. Raises
    NotTestable if the history has no deal.
    """
    of_issuer = {issuer: sample.events(f"BOND_DEAL_{issuer}") for issuer in BOND_ISSUERS}
    days = pd.DatetimeIndex([day for dated in of_issuer.values() for day in dated.index])
    if days.empty:
        raise NotTestable("the history has no bond deal of a hyperscaler")
    issuers = [issuer for issuer, dated in of_issuer.items() for _ in dated]
    sizes = np.concatenate([dated.to_numpy() for dated in of_issuer.values()])
    meetings = sample.events("FOMC").index
    at = sessions_of(sample, days)
    return pd.DataFrame(
        {
            "issuer": issuers,
            "size": sizes,
            "at": at,
            "quarter": quarters(sample.sessions[at]),
            "near": [_is_near(day, meetings) for day in days],
            "reported": [
                _is_near(day, sample.events(release_id(issuer)).index)
                for day, issuer in zip(days, issuers, strict=True)
            ],
        },
        index=sample.sessions[at],
    ).sort_values(["at", "issuer"])


def _is_near(day: pd.Timestamp, others: pd.Index) -> bool:
    return any(day - NEAR <= other <= day + NEAR for other in pd.DatetimeIndex(others))


def spread_at_each_session(sample: Sample) -> np.ndarray:
    """Return compounded returns of the duration spread, in percentage points.

    The result is a table with one row for each session of the history. All returns of a row begin
    at the close before the row's session. The returns in column k, from 0 to 5, end at the close k
    sessions after the row's session.
    """
    return 100 * spread(sample, np.arange(len(sample.sessions)), 0, AFTER_NEWS)


def mean_by_quarter(response: np.ndarray, found: pd.DataFrame) -> tuple[float, float, float, int]:
    """Return four numbers: mean response, standard error, degrees of freedom, count of quarters."""
    values = pd.Series(response[found["at"]])
    group = Clusters.of(values, values * 0 + 1, pd.Series(found["quarter"].to_numpy()))
    return group.mean, *clustered(group), len(group.counts)


def random_means(
    response: np.ndarray, found: pd.DataFrame, sessions: pd.DatetimeIndex, draws: int = DRAWS
) -> np.ndarray:
    """Return, for each draw, the mean response at random dates.

    All deals of one calendar quarter move by the same random number of sessions. A deal that moves
    past the last session of its year continues at the first session of the same year. If two deals
    come in the same week, the random dates of the two deals are usually only a few sessions apart.
    Each year keeps its number of deals. A random date is always a session with a known response.
    """
    rng = np.random.default_rng(_SEED)
    total = np.zeros(draws)
    for _, group in found.groupby("quarter"):
        year = np.flatnonzero((sessions.year == group.index[0].year) & ~np.isnan(response))
        places = np.searchsorted(year, group["at"].to_numpy())
        steps = rng.integers(len(year), size=(draws, 1))
        total += response[year[(places + steps) % len(year)]].sum(axis=1)
    return total / len(found)


def _without_news(response: np.ndarray, found: pd.DataFrame) -> dict[str, Interval]:
    """Return the interval of the mean response, without the deals near an FOMC statement.

    The result is empty if no deal is near a statement, or if the remaining deals lie in fewer than
    four calendar quarters.
    """
    apart = found[~found["near"]]
    value, error, df, number = mean_by_quarter(response, apart)
    if len(apart) == len(found) or number < FEWEST:
        return {}
    return {"without deals near FOMC statements": t_interval(value, error, df)}


def _notes(found: pd.DataFrame) -> tuple[str, ...]:
    near = found[found["near"]]
    last = zip(near["issuer"], pd.DatetimeIndex(near.index).date, strict=True)
    said = ", ".join(f"{issuer} {day}" for issuer, day in list(last)[-_NAMED:])
    return (
        f"{len(found)} deals of {found['issuer'].nunique()} firms in "
        f"{found['quarter'].nunique()} calendar quarters. {int(found['reported'].sum())} of them "
        "came within a day of the firm's own earnings release.",
        "Firms choose the days of their deals, and avoid days of turmoil. So the mean response "
        "does not prove that deals cause the response.",
        *(
            [f"{len(near)} of the deals came within a day of an FOMC statement (latest: {said})."]
            if said
            else []
        ),
    )
