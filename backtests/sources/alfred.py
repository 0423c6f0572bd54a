"""Read missing vintages from ALFRED, FRED's archive of vintages.

The first fetch asks for the whole archive. Later fetches begin with a vintage that the store
already has. If the archive and the store have different values for the first requested vintage, the
fetch asks for the whole archive again.
"""

from typing import Any

import numpy as np
import pandas as pd

from backtests.calendar import OPEN, known_at, session_after
from backtests.store.append import ARCHIVED
from backtests.store.batch import ARCHIVE, Batch
from backtests.store.cells import LEAP, check_values, not_before_first
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.errors import DataError, SourceError

#: Names of sources. In a row from VINTAGE, the date of the vintage determines when the value became
#: known. A row from FIRST_VINTAGE is from the archive's first vintage, but the publication rule
#: determines when the value became known.
VINTAGE, FIRST_VINTAGE = ARCHIVE, f"{ARCHIVE}, first vintage, date by rule"


def table_of(rows: list[Any]) -> pd.DataFrame:
    """Return a table with the columns ``date, vintage, value``. FRED's "." becomes NaN.

    ``rows`` are the rows of ALFRED's answer.

    Raises
    ------
    ValueError, KeyError, TypeError
        Raised if a row lacks a field, or a field is not a date or a number.
    """
    if not all(isinstance(row, dict) for row in rows):
        raise TypeError("a row is not a JSON object")
    table = pd.DataFrame(rows, columns=["date", "realtime_start", "value"]).astype(str)
    none = table["value"] == "."
    value = pd.to_numeric(table["value"].mask(none)).astype(np.float64)
    if (value.isna() & ~none).any():
        raise ValueError("a value is not a number")
    date, vintage = days(table["date"]), days(table["realtime_start"])
    return pd.DataFrame({"date": date, "vintage": vintage, "value": value})


def days(column: pd.Series) -> pd.Series:
    """Parse ISO dates without a time zone. Raise ValueError if a cell is not an ISO date."""
    return pd.to_datetime(column, format="%Y-%m-%d").astype("datetime64[us]")


def changes(id: str, table: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Return the rows of ``table`` in which a value changed.

    The columns are ``date, vintage, value``.

    NaN means that the archive lists a date without a value. The result leaves out rows that repeat
    the value of the previous vintage. If the first vintages of a date have no value, the rows of
    these vintages are left out. Dates before the catalog's first date are also left out.

    Raises
    ------
    SourceError
        Raised if the archive has two values for one date in one vintage.
    DataError
        Raised if a published value or its dates are implausible, or a vintage is later than
        ``now``.
    """
    table = table[not_before_first(id, pd.DatetimeIndex(table["date"]))]
    table = table.sort_values(["date", "vintage"], kind="stable")
    twice = table.duplicated(["date", "vintage"], keep=False)
    differs = twice & ~table.duplicated(["date", "vintage", "value"], keep=False)
    if differs.any():
        day = table.loc[differs, "date"].iloc[0].date()
        raise SourceError(f"FRED's archive has two values of {id} for {day} in one vintage")
    table = table.drop_duplicates(["date", "vintage"])
    before = table.groupby("date")["value"].shift()
    first = ~table.duplicated("date")
    same = (table["value"] == before) | (table["value"].isna() & before.isna() & ~first)
    missing_first = first & table["value"].isna()
    found = table[~same & ~missing_first].reset_index(drop=True)
    _check_changes(id, found, now)
    return found


def vintage_batch(
    id: str, changes: pd.DataFrame, first_vintage: pd.Timestamp, now: pd.Timestamp
) -> Batch:
    """Return the batch of a revised series, with the moment at which each value became known.

    A vintage has a date, but no time of day, so its values count as known when the next session
    opens. Many values in the archive's first vintage were published before the archive began. For a
    value of the first vintage, the catalog's publication rule may give an earlier moment than the
    vintage. If so, the value counts as known at the moment of the publication rule, and the
    ``source`` of the value is :data:`FIRST_VINTAGE`. The publication rule ``recorded`` is ignored,
    because it gives no moment of publication.

    ``changes`` has one row for each change, with the columns ``date, vintage, value``. ``now`` is
    the moment of recording, New York time.
    """
    dates = pd.DatetimeIndex(changes["date"]).as_unit("us")
    published = known_from(pd.DatetimeIndex(changes["vintage"]))
    rule = CATALOG[id].known
    by_rule = known_at(rule, dates, now).as_unit("us")
    old = (changes["vintage"] == first_vintage).to_numpy() & (rule.kind != "recorded")
    early = old & np.asarray(by_rule < published)
    rows = pd.DataFrame(
        {
            "observed_on": dates,
            "available_at": published.where(~early, by_rule),
            "value": changes["value"].to_numpy(dtype=np.float64),
            "source": np.where(early, FIRST_VINTAGE, VINTAGE),
        }
    )
    return Batch(series_id=id, rows=rows, vintages=True)


def known_from(vintages: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the moment at which each vintage counts as known: the open of the next session."""
    return (session_after(vintages) + OPEN).as_unit("us")


def _check_changes(id: str, changes: pd.DataFrame, now: pd.Timestamp) -> None:
    newest = changes.groupby("date")["value"].last().dropna()
    check_values(id, newest, now)
    entry = CATALOG[id]
    final = changes["date"].map(newest)
    odd = (changes["value"] < entry.low) | (changes["value"] > entry.high)
    far = (changes["value"] > LEAP * final) | (changes["value"] < final / LEAP)
    early = changes["date"] > changes["vintage"]
    for bad, expected in (
        (odd, f"{entry.low:g} to {entry.high:g} {entry.unit}"),
        (far & entry.steady, f"revisions by at most a factor of {LEAP:g}"),
        (early, "dates up to the date of the vintage"),
        (changes["vintage"] > now, "vintages up to today"),
    ):
        if bad.any():
            row = changes[bad].iloc[0]
            raise DataError(
                f"{id}: expected {expected}, was {row['value']} for {row['date'].date()} in the "
                f"vintage of {row['vintage'].date()}; the whole series was left out"
            )


def last_whole_vintage(store: Store, id: str, vintages: list[str]) -> str | None:
    """Return the last vintage that is certainly complete in the store.

    Several vintages may become known at the same moment, for example two vintages of one weekend.
    The store may lack some of the vintages that became known at its newest moment. The result is
    the last vintage that became known before the newest moment in the store. If no vintage became
    known before the newest moment in the store, the result is None.
    """
    if not store.exists():
        return None
    newest = store.query(
        f"SELECT max(available_at) AS at FROM observations WHERE series_id = ? AND {ARCHIVED}",
        [id],
    )["at"].iloc[0]
    known = known_from(pd.DatetimeIndex(vintages))
    before = int(known.searchsorted(newest)) if pd.notna(newest) else 0
    return vintages[before - 1] if before else None


def agrees(store: Store, id: str, vintage: str, table: pd.DataFrame) -> bool:
    """Return True if ALFRED's answer and the store have the same values for a vintage."""
    at = known_from(pd.DatetimeIndex([vintage]))[0]
    held = store.query(
        f"""
        SELECT observed_on, arg_max(value, (available_at, recorded_at)) AS value
        FROM (SELECT observed_on, available_at, recorded_at,
                     coalesce(value, 'nan'::DOUBLE) AS value
              FROM observations WHERE series_id = ? AND available_at <= ? AND {ARCHIVED})
        GROUP BY observed_on ORDER BY observed_on
        """,
        [id, at],
    ).set_index("observed_on")["value"]
    shown = table[table["vintage"] == pd.Timestamp(vintage)].set_index("date")["value"]
    shown = shown[not_before_first(id, pd.DatetimeIndex(shown.index))].sort_index()
    return dict(held.dropna()) == dict(shown.dropna())
