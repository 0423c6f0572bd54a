"""Twins of the surprises of filings and the orders of falls: plain loops over rows.

They are written from the definitions. Tests compare :mod:`backtests.thesis.filings` and
:mod:`backtests.thesis.estimators.cascade_order` with them.
"""

import statistics
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from itertools import pairwise

Row = tuple[date, float, datetime]  # session, trailing year, moment at which it became known


def surprises(rows: Sequence[Row]) -> list[tuple[date, float]]:
    """Return session and surprise of each filing of one firm, from the values of a panel."""
    new: list[Row] = []
    for row in rows:
        if not new or row[2] != new[-1][2]:
            new.append(row)
    found: list[tuple[date, float]] = []
    earlier: list[float] = []
    for (_, before, was_known), (session, amount, known) in pairwise(new):
        if (known - was_known).total_seconds() > 140 * 86400:
            continue
        growth = (amount - before) / before
        if len(earlier) >= 4 and known.time() != time(0):
            surprise = growth / statistics.stdev(earlier)
            found.append((session, min(max(surprise, -3.0), 3.0)))
        earlier.append(growth)
    return found


def peaks_and_trough(
    returns: Mapping[str, Sequence[float]], first: int, last: int
) -> tuple[dict[str, int], int]:
    """Return the position of each class's peak, and of the common trough of an episode."""
    levels = {name: [1.0] for name in returns}
    for name, level in levels.items():
        for at in range(first - 63, last + 1):
            level.append(level[-1] * (1 + returns[name][at]))
        del level[0]
    mean = [sum(level[n] for level in levels.values()) / len(levels) for n in range(len(level))]
    lowest = min(range(63, len(mean)), key=lambda n: mean[n])
    peaks = {
        name: max(range(lowest - 63, lowest), key=lambda n, level=level: level[n]) + first - 63  # type: ignore[misc]
        for name, level in levels.items()
    }
    return peaks, lowest + first - 63


def tau_b(dates: Sequence[int]) -> float:
    """Return tau-b between the positions in a list and its dates, from all pairs."""
    later = earlier = 0
    for j in range(len(dates)):
        for i in range(j):
            later += dates[j] > dates[i]
            earlier += dates[j] < dates[i]
    pairs = len(dates) * (len(dates) - 1) / 2
    untied = later + earlier
    return (later - earlier) / (pairs * untied) ** 0.5 if untied else 0.0
