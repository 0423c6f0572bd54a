"""Values before the first date of our files, and a series without a file.

The first dates are those of the publishers. The values in this file are the published values, some
with fewer digits. The values between two of them are interpolated: rates linearly, and levels
linearly in logarithms. The extremes of rates are included, because the plausible range of a series
must contain them.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

import pandas as pd

from signals.catalog import CATALOG

Point = tuple[str, float]

LEVELS: dict[str, tuple[Point, ...]] = {
    "GDP": (
        ("1947-01-01", 243.164),
        ("1947-04-01", 245.968),
        ("1947-07-01", 249.585),
        ("1947-10-01", 259.745),
        ("1960-01-01", 542.648),
        ("1980-01-01", 2789.842),
    ),
    "PNFI": (("1947-01-01", 23.0),),
    "A679RC1Q027SBEA": (("1947-01-01", 1.6),),
    "B985RC1Q027SBEA": (("1959-01-01", 0.02),),
    "M2SL": (("1959-01-01", 286.6), ("1959-02-01", 287.7), ("1980-01-01", 1482.7)),
    "WM2NS": (("1980-11-03", 1591.4),),
    "TLAACBW027SBOG": (("1973-01-03", 728.0), ("2008-12-24", 12300.0)),
}
RATES: dict[str, tuple[Point, ...]] = {
    "FEDFUNDS": (("1954-07-01", 0.80), ("1981-06-01", 19.10)),
    "TB3MS": (("1934-01-01", 0.72), ("1940-01-01", 0.01), ("1981-05-01", 16.30)),
    "DTB3": (
        ("1954-01-04", 1.33),
        ("1980-12-11", 17.14),
        ("2020-03-25", -0.05),
        ("2025-12-31", 3.57),
    ),
    "DGS3MO": (("1981-09-01", 17.01),),
    "DGS2": (("1976-06-01", 7.26), ("1981-09-08", 16.95)),
    "DGS10": (("1962-01-02", 4.06), ("1981-09-30", 15.84)),
    "DGS30": (("1977-02-15", 7.70), ("1981-10-26", 15.21)),
    "T10Y2Y": (("1976-06-01", 0.68), ("1980-03-20", -2.41)),
    "T10Y3M": (("1982-01-04", 2.32),),
    "BAA10Y": (("1986-01-02", 2.39),),
    "NFCI": (("1971-01-08", 0.6), ("1974-07-05", 4.9)),
    "ANFCI": (("1971-01-08", 0.4), ("1974-07-05", 3.0)),
}
_STEPS = {"day": "B", "month": "MS", "quarter": "QS"}


def earlier_values(id: str, later: dict[str, str]) -> dict[str, str]:
    """Return all values by date; with a file, only those earlier than its values."""
    points = [*LEVELS.get(id, ()), *RATES.get(id, ())]
    if not points:
        return {}
    following = next(((day, float(v)) for day, v in later.items() if v != "."), None)
    whole = [*points, following] if following else points
    made = dict(_made(id, whole))
    end = min(later, default="9999")
    return {day: value for day, value in made.items() if day < end}


def _made(id: str, points: list[Point]) -> Iterator[tuple[str, str]]:
    """Yield a value for each date from the first point to the last."""
    given = dict(points)
    for (start, low), (end, high) in pairwise(points):
        days = _dates(id, start, end)
        for i, day in enumerate(days):
            text = str(day.date())
            value = given.get(text, _between(id, low, high, i / max(1, len(days) - 1)))
            yield text, f"{value:.3f}" if id in LEVELS else f"{value:.2f}"


def _dates(id: str, start: str, end: str) -> pd.DatetimeIndex:
    frequency = CATALOG[id].frequency
    if frequency == "week":
        return pd.date_range(start, end, freq="7D")
    return pd.date_range(start, end, freq=_STEPS[frequency])


def _between(id: str, low: float, high: float, share: float) -> float:
    if id in LEVELS:
        return math.exp(math.log(low) * (1 - share) + math.log(high) * share)
    return low * (1 - share) + high * share
