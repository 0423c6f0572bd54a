"""The response of the duration spread to dated events, see :func:`spread`."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.thesis.clustered import (
    FEWEST,
    Slope,
    rearranged,
    slope,
    slopes,
    slopes_without_one,
)
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Interval
from backtests.thesis.filings import slope_path
from backtests.thesis.returns import windows
from backtests.thesis.sample import Sample
from signals.duration import LONG, SHORT

#: Number of random draws of a test: permutations of the surprises, or sets of random dates.
DRAWS = 4999
#: Number of sessions from a policy statement or a bond deal to the close at which the response
#: ends.
AFTER_NEWS = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Responses:
    """Events whose returns, surprise and state are all known.

    ``response`` is the cumulated return of the spread in percentage points, events × sessions.
    ``table`` has one row for each event. The index of ``table`` is the session of the event. The
    columns of ``table`` are ``surprise``, ``state``, ``quarter``, ``row`` and ``column``, see
    :func:`backtests.thesis.clustered.rearranged`.
    """

    response: np.ndarray
    table: pd.DataFrame

    def where(self, state: float) -> "Responses":
        """Return the events in one state of idle capital: 1.0 if depleted, 0.0 if ample."""
        chosen = (self.table["state"] == state).to_numpy()
        return Responses(response=self.response[chosen], table=self.table[chosen])

    def slope(self) -> Slope:
        """Return the regression slope of the response on the surprise, at the end of the window."""
        columns = (self.table[name].to_numpy() for name in ("surprise", "quarter"))
        return slope(self.response[:, -1], *columns)

    def slopes_without_one(self) -> np.ndarray:
        """Return, for each event, the slope over all other events."""
        return slopes_without_one(self.response[:, -1], self.table["surprise"].to_numpy())

    def without(self, at: int) -> "Responses":
        """Return all events except the event at a position."""
        kept = np.arange(len(self.table)) != at
        return Responses(response=self.response[kept], table=self.table[kept])

    def named(self, at: int) -> str:
        """Return a label for an event: the firm, if the event has a firm, and the date."""
        event, day = self.table.iloc[at], str(pd.DatetimeIndex(self.table.index)[at].date())
        return f"{event['firm']} {day}" if "firm" in event else day

    def path(self) -> np.ndarray:
        """Return, for each session, the regression slope of the response on the surprise."""
        return slope_path(self.response, self.table["surprise"].to_numpy())

    def permuted(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return slopes and their variances, for the true surprises and for each permutation."""
        true, quarter, row, column = (
            self.table[name].to_numpy() for name in ("surprise", "quarter", "row", "column")
        )
        drawn = rearranged(true, row, column, DRAWS, seed)
        return slopes(self.response[:, -1], np.vstack((true, drawn)), quarter)


def spread(sample: Sample, at: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return compounded returns of the duration spread, as fractions, events × sessions.

    The duration spread is the return of the long-duration classes minus the return of the
    short-duration classes. If investors sell long duration, the spread is negative. The gauge
    ``spread`` of :class:`signals.duration.Duration` uses the same classes and has the opposite
    sign: short minus long.

    The return of a group of classes is the mean over its classes. If a class lacks a return around
    an event, the event's row is NaN, so all events use the same classes. See
    :func:`backtests.thesis.returns.windows`.
    """
    long, short = (
        np.mean([windows(sample.asset_class(name), at, first, last) for name in names], axis=0)
        for names in (LONG, SHORT)
    )
    result: np.ndarray = long - short
    return result


def complete(sample: Sample, found: pd.DataFrame, after: int) -> Responses:
    """Return the events of a table that have a known response, surprise and state.

    The response is the return from the close before the event to the close ``after`` sessions after
    the event. ``found`` has the columns of :attr:`Responses.table`, and a column ``at`` with the
    position of each event's session in the history.
    """
    response = 100 * spread(sample, found["at"].to_numpy(), 0, after)
    kept = ~np.isnan(response[:, -1]) & found[["surprise", "state"]].notna().all(axis=1).to_numpy()
    return Responses(response=response[kept], table=found[kept])


def without_one(
    events: Responses, others: np.ndarray, interval: Callable[[Responses], Interval]
) -> tuple[dict[str, Interval], tuple[str, ...]]:
    """Return two intervals, each without one event, and a note about the two events.

    For each event, ``others`` contains the estimate over all other events. The function finds the
    lowest and the highest estimate in ``others``, and computes an interval for both. ``interval``
    returns the interval of the estimate over some events. If too few events remain for an interval,
    the intervals and the note are empty.
    """
    lowest, highest = int(np.argmin(others)), int(np.argmax(others))
    names = {at: f"without {events.named(at)}" for at in (lowest, highest)}
    found = {name: interval(events.without(at)) for at, name in names.items()}
    if any(math.isnan(bounds.low) for bounds in found.values()):
        return {}, ()
    note = (
        f"If any one event is left out, the estimate is from {others[lowest]:+.2f} "
        f"({names[lowest]}) to {others[highest]:+.2f} ({names[highest]})."
    )
    return found, (note,)


def tested(fit: Slope, what: str) -> Slope:
    """Return the slope; raise NotTestable if the slope has no standard error.

    A slope has no standard error if there are too few quarters, or if all surprises are equal.
    """
    if fit.clusters < FEWEST:
        raise too_few_quarters(fit.clusters, what)
    if not fit.df > 0:
        raise NotTestable(
            f"the surprises of the {fit.n} events differ too little for a standard error ({what})"
        )
    return fit


def too_few_quarters(clusters: int, what: str) -> NotTestable:
    """Return the exception to raise if the events lie in fewer than four calendar quarters."""
    return NotTestable(
        f"the history has events in {clusters} calendar quarters ({what}); at least {FEWEST} are "
        "needed"
    )
