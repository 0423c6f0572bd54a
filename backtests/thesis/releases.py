"""Earnings releases, with the capital expenditure from the next filing.

A firm files its report on the day of its earnings release, or some days later. The release already
contains the capital expenditure. So the market already learns the surprise from the release.
"""

from dataclasses import replace

import pandas as pd

from backtests.history.panel import History
from backtests.thesis.filings import Filing, filings
from backtests.thesis.sample import NO_EVENT

#: A filing is matched to the last release in this number of days before the filing.
LONGEST = pd.Timedelta(days=10)


def release_id(firm: str) -> str:
    """Return the id of the event series with a firm's earnings releases."""
    return f"EARNINGS_{firm}"


def releases(history: History) -> tuple[Filing, ...]:
    """Return the surprises of filings, each at the session of the firm's earnings release.

    Formula
        A release is matched to the firm's first filing within 10 days after the release. The
        release gets the surprise of the matched filing. The market can compute the surprise at the
        release, because the release contains the capital expenditure. The surprise uses the
        standard deviation of earlier changes only.
    Timing
        The session is the first session that closes after the release. A release before the open
        belongs to the session of its date. A release after the close belongs to the next session. A
        filing is assumed to be known one session after the date of the filing. So the date of a
        filing is one session before the filing is known.
    NaN
        A filing without a release, and a release without a filing, are left out.
    """
    sessions = pd.DatetimeIndex(history.panel.index)
    found = {}
    for filing in reversed(filings(history)):  # the first filing comes last and replaces later ones
        filed = sessions[max(int(sessions.searchsorted(filing.session)) - 1, 0)]
        dates = history.events.get(release_id(filing.firm), NO_EVENT)
        near = dates[(dates.index <= filed) & (dates.index >= filed - LONGEST)]
        if len(near):
            session = first_close_after(near.index[-1], bool(near.iloc[-1]), sessions)
            found[filing.firm, near.index[-1]] = replace(filing, session=session)
    return tuple(sorted(found.values(), key=lambda release: (release.session, release.firm)))


def first_close_after(
    day: pd.Timestamp, after_close: bool, sessions: pd.DatetimeIndex
) -> pd.Timestamp:
    """Return the first session that closes after the news of ``day``.

    ``after_close`` is True if the news came after the close of ``day``.
    """
    return sessions[int(sessions.searchsorted(day, "right" if after_close else "left"))]
