"""Single shares sorted by their empirical duration.

The claims use a declared order of asset classes by duration, see :data:`signals.universe.DURATION`.
This module estimates the duration of single shares from data. The estimates use all shares of the
history, but no funds. The measure of duration is
:func:`signals.empirical_duration.empirical_durations`. The measure is noisy. The shares are divided
into thirds by duration. The difference between two neighbouring thirds is often smaller than the
standard error of one share's duration.

Two other measures of duration cannot be computed, because the data store has no market values of
firms:

- the free-cash-flow yield of a firm,
- the fraction of a firm's value that comes from cash flows later than ten years from now.
"""

from dataclasses import dataclass

import pandas as pd

from backtests.evidence.entries import acted_on, episodes_of, gaps_of
from backtests.thesis.errors import NotTestable
from backtests.thesis.inference import (
    Clusters,
    clustered,
    t_interval,
)
from backtests.thesis.sample import LAG, Sample
from signals.empirical_duration import empirical_durations
from signals.universe import asset

#: Smallest number of shares with a duration. With this number, each third has three shares.
FEWEST = 9
#: Months with the flag on belong to one episode if they are at most this many months apart.
_QUARTER = 3
#: The two states of the absorption flag.
STATES = {1.0: "capital absorbed", 0.0: "other months"}


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossSection:
    """Single shares ranked by duration, and the correlation of duration with return.

    Attributes
    ----------
    shares
        The shares that had a duration in at least one ranking, see :func:`durations`.
    first, last
        ``first`` and ``last`` are the sessions of the first and of the last ranking. The shares are
        ranked by duration at the last close of each month.
    correlations
        One row for each state of :data:`STATES`. ``estimate`` is a mean over months. The value of a
        month is the Spearman rank correlation between the durations and the returns of the shares.
        ``low`` and ``high`` bound the 95 % interval of ``estimate``. Each episode is one cluster.
        Each gap between episodes is also one cluster. ``months`` and ``clusters`` are the numbers
        of months and of clusters. ``shares`` is the mean number of shares in a month. The state of
        a month is the flag of absorption at the last close before the month. The bounds are NaN if
        there are fewer than two clusters.
    now
        One row for each share that has a duration at the last ranking. The share with the longest
        duration comes first. ``duration`` is in years. ``error`` is the standard error of
        ``duration``, in years. ``third`` is ``long``, ``middle`` or ``short``.
    """

    shares: tuple[str, ...]
    first: pd.Timestamp
    last: pd.Timestamp
    correlations: pd.DataFrame
    now: pd.DataFrame


def shares_of(sample: Sample) -> list[str]:
    """Return the tickers of all single shares that have a price; funds and coins are left out."""
    priced = sample.history.closes.notna().any()
    return [str(t) for t in priced.index[priced] if asset(str(t)).market == "stock"]


def durations(sample: Sample) -> pd.DataFrame:
    """Return each share's empirical duration in years, as known at the end of each month.

    The index is the last session of each month that ended in the history. A month with fewer than
    :data:`FEWEST` durations is left out. Raises NotTestable if no month is left, or if the history
    lacks SPY or DFII10.
    """
    sample.asset("SPY")
    sample.series("DFII10")
    panel, shares = sample.history.panel, shares_of(sample)
    rows = {
        at: empirical_durations(panel.loc[:at], shares)["duration"] for at in month_ends(sample)
    }
    table = pd.DataFrame(rows, index=pd.Index(shares), dtype="float64").T
    table = table[table.notna().sum(axis=1) >= FEWEST]
    if table.empty:
        raise NotTestable(
            f"expected {FEWEST} shares with an empirical duration, found fewer; a duration needs "
            "104 weeks of prices and of DFII10, so add history"
        )
    table.index = pd.DatetimeIndex(table.index, name="session")
    return table


def month_ends(sample: Sample) -> pd.DatetimeIndex:
    """Return the last session of each month; the last month of the history is left out."""
    months = sample.sessions.to_period("M")
    return sample.sessions[:-1][months[:-1] != months[1:]]


def thirds(known: pd.DataFrame) -> pd.DataFrame:
    """Divide the shares into thirds by duration: 1.0 (longest), 0.0 (middle) and −1.0 (shortest).

    ``known`` contains durations of shares in years, dates × shares. The durations are ranked within
    each row. If a row has n durations, the longest and the shortest third have n // 3 shares each.
    If two shares have equal durations, the share in the earlier column has the shorter rank. The
    result is NaN for a share without a duration.
    """
    rank, count = known.rank(axis=1, method="first"), known.notna().sum(axis=1)
    outer = count // 3
    sides = rank.gt(count - outer, axis=0).astype(float) - rank.le(outer, axis=0).astype(float)
    return sides.where(known.notna())


def held(sample: Sample, sorted_at: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the duration third of each share at each session.

    For each session, the table uses the newest ranking on which a trader could act before the
    session. The result is sessions × shares, with the values of :func:`thirds`. The shares are
    ranked at the last close of each month. A trader can act on a ranking :data:`LAG` sessions after
    the close at which the shares were ranked. ``sorted_at`` is the result of :func:`thirds`, with
    one row for each ranking.
    """
    daily = sorted_at.reindex(sample.sessions, method="ffill")
    return daily.apply(lambda column: acted_on(column, LAG))


def long_less_short(sample: Sample) -> pd.Series:
    """Return the daily return of long-duration shares minus the return of short-duration shares.

    The returns are fractions. A share has a long duration if :func:`thirds` gives 1.0 for the
    share. A share has a short duration if :func:`thirds` gives −1.0 for the share. Within each of
    the two groups, all shares have the same weight. A share without a return at a session is left
    out at that session. The result is NaN until a trader can act on the first ranking. Raises
    NotTestable in the same cases as :func:`durations`.
    """
    sides = held(sample, thirds(durations(sample)))
    returns = pd.DataFrame({str(ticker): sample.asset(str(ticker)) for ticker in sides})
    long, short = (returns.where(sides == side).mean(axis=1) for side in (1.0, -1.0))
    return long - short


def cross_section(sample: Sample) -> CrossSection:
    """Return, for each state, the rank correlation between shares' durations and their returns.

    Raises NotTestable in the same cases as :func:`durations`. NotTestable is also raised if the
    flag of absorption is always NaN.
    """
    known = durations(sample)
    last = known.iloc[-1].dropna().sort_values(ascending=False)
    names = thirds(known).iloc[-1].map({1.0: "long", 0.0: "middle", -1.0: "short"})
    measured = empirical_durations(sample.history.panel.loc[: known.index[-1]], list(last.index))
    now = pd.DataFrame({"duration": last, "error": measured["error"]}, index=last.index)
    return CrossSection(
        shares=tuple(known.columns[known.notna().any()]),
        first=known.index[0],
        last=known.index[-1],
        correlations=_correlations(monthly(sample, known)),
        now=now.assign(third=names.reindex(last.index)),
    )


def monthly(sample: Sample, known: pd.DataFrame) -> pd.DataFrame:
    """Return the rank correlation between the shares' durations and returns, for each month.

    Each row belongs to the month after a ranking. The index is the session of the ranking. A return
    begins :data:`LAG` sessions after a ranking, and ends :data:`LAG` sessions after the next
    ranking. The column ``correlation`` is the rank correlation. The column ``shares`` is the number
    of shares with a duration and a return. The column ``on`` is the flag ``absorption`` at the
    close at which the shares were ranked. The last ranking is left out, because the month after the
    last ranking has not ended. ``correlation`` is NaN if the next month end has no ranking.
    """
    begin = sample.sessions.get_indexer(known.index) + LAG
    level = sample.history.closes[list(known)].iloc[begin].set_axis(known.index)
    dates = pd.DatetimeIndex(known.index)
    number = pd.Series(dates.year * 12 + dates.month, index=known.index)
    next_month = number.diff().shift(-1) == 1
    after = (level.shift(-1) / level - 1).where(next_month, axis=0)
    both = known.notna() & after.notna()
    flag = sample.condition("absorption").shift(-1)  # for the return after each close
    table = pd.DataFrame(
        {
            "correlation": known.where(both)
            .rank(axis=1)
            .corrwith(after.where(both).rank(axis=1), 1),
            "shares": both.sum(axis=1),
            "on": flag.iloc[begin].to_numpy(),
        }
    )
    return table.iloc[:-1]


def _correlations(months: pd.DataFrame) -> pd.DataFrame:
    numbered = {1.0: episodes_of(months["on"], _QUARTER), 0.0: gaps_of(months["on"], _QUARTER)}
    rows = {said: _state(months, numbered[state], state) for state, said in STATES.items()}
    return pd.DataFrame(rows).T.rename_axis("state")


def _state(months: pd.DataFrame, numbers: pd.Series, state: float) -> dict[str, float]:
    kept = months[(months["on"] == state) & months["correlation"].notna()]
    values = kept["correlation"]
    group = Clusters.of(values, values * 0 + 1, numbers.reindex(kept.index))
    bounds = t_interval(group.mean, *clustered(group))
    return {
        "estimate": group.mean,
        "low": bounds.low,
        "high": bounds.high,
        "months": len(kept),
        "clusters": len(group.counts),
        "shares": float(kept["shares"].mean()),
    }
