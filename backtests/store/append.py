"""Find the rows of a batch that the store must add.

Each kind of series has its own rule. Two values count as equal when their difference is within a
small tolerance, see :func:`same`.

Ordinary series: the store adds new dates and revisions. A revision is a value that differs from the
stored value of the same date.

Vintages from ALFRED: each row has a date and a moment. The store compares the row with the last
stored value of the same date and moment. The store adds the row in two cases: the row's value
differs from the stored value, or the store has no value of this date and moment.

Prices: a vintage is a whole price history. A split or a dividend changes all adjusted prices. If
one closing price differs from the stored price, the store adds the whole new vintage. The store
also adds the whole new vintage if a new day is earlier than the last stored day. In all other
cases, the store adds the new days. A new vintage may lack days of the stored vintage. The store
copies the stored prices of the missing days into the new vintage. The store refuses a share's new
vintage that lacks more than :data:`HOLES` stored days. The store also refuses a share's new vintage
that begins later or ends earlier than the stored vintage. The copied prices of a share are rescaled
to the level of the new vintage. A coin's new vintage may lack any number of days. A coin has no
splits and no dividends, so its copied prices are not rescaled.

Checks that need no stored values are in other modules. This module compares the batch with the
stored values. The module refuses a jump that looks like a misplaced decimal point. If the publisher
never revises a series, the module also refuses a batch with many changed values, see
:data:`CORRECTED`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from backtests.plural import number_of
from backtests.store.batch import ARCHIVE, Batch, is_event, is_price, rule_of
from backtests.store.cells import LEAP, leaps, not_before_first
from backtests.store.closes import check_shifts
from signals.catalog import CATALOG
from signals.errors import DataError
from signals.universe import asset

ARCHIVED = f"starts_with(source, '{ARCHIVE}')"

#: Largest relative difference at which two adjusted closes count as the same. Yahoo keeps closes in
#: single precision, and its servers differ in the last bits. Ten requests gave one close of AAPL as
#: 71.696625, 71.696648 and 71.696655 (yfinance issues 1057 and 1871): a difference of 4e-7. Even
#: the smallest dividend changes a close by about a hundred times this difference.
JITTER = 1e-6
#: Largest relative difference at which two values of a catalog series count as the same. Sums in a
#: table have rounding errors of this size. A change of a publisher's last digit is larger than this
#: difference, so a smaller difference is not a revision.
ROUNDING = 1e-9
#: Largest difference at which two values near zero count as the same. This difference is a fraction
#: of the largest stored value. A sum that should be zero may be 1e-17.
CANCELLED = 1e-14
#: Largest number of days that may be missing between the first and the last day of a share's
#: vintage. Yahoo's closes sometimes lack a day. If more days are missing, the vintage is refused.
HOLES = 5
#: If the publisher never revises a series, the store still accepts up to this number of changed
#: values. If more values changed, and they are more than half of the batch's values for stored
#: dates, the batch is in another unit, or is another series.
CORRECTED = 5
RESCALED = ", rescaled"
#: A moment that is later than every ``recorded_at``.
END_OF_TIME = pd.Timestamp("9999-12-31")


@dataclass(frozen=True, kw_only=True)
class Added:
    """The changes that a batch made in the store, or the reason why the store refused the batch.

    A new price history of a share may lack dates that the store has. The store refuses a share's
    history that lacks more than :data:`HOLES` stored dates. The store also refuses a share's
    history that begins later or ends earlier than the stored history. For a coin, the prices of
    missing dates are copied from the store. The store refuses a coin's history if the history with
    the copied prices has a sudden shift that is surely an error. The store refuses a steady series,
    such as GDP, if one value differs from the previous value by more than a factor of :data:`LEAP`.
    If the publisher never revises a series, the store refuses a batch in which most values differ
    from the stored values.

    Attributes
    ----------
    new, revised
        ``new`` is the number of new dates. ``revised`` is the number of stored dates for which the
        batch has a different value. In rows from ALFRED, ``new`` counts the values for new dates,
        and ``revised`` counts the new values for stored dates.
    kept
        Number of stored prices that were copied into a new price history, because the batch lacks
        the days of these prices. The copied prices of a share were rescaled. ``kept`` is 0 if the
        store added only new days.
    early
        Number of stored values that equal the new value, but have an earlier ``available_at``. The
        store cannot change the moment of a stored row.
    note
        A text for the user if stored values changed, and the change may be an error: the publisher
        never revises the series, or the batch ends before the stored values. Otherwise, ``note`` is
        empty.
    refused
        Why the store refused the batch; empty if the store added the batch.
    """

    series_id: str
    new: int = 0
    revised: int = 0
    kept: int = 0
    early: int = 0
    note: str = ""
    refused: str = ""


def rows_to_append(
    connection: duckdb.DuckDBPyConnection, batches: Sequence[Batch], recorded_at: pd.Timestamp
) -> Iterator[tuple[pd.DataFrame, Added]]:
    """For each batch, yield the rows to add and a summary of the changes."""
    held = _held_closes(connection, [b.series_id for b in batches if is_price(b.series_id)])
    for batch in batches:
        if is_price(batch.series_id):
            rows, added = _price(batch, held.get(batch.series_id))
        else:
            rows, added = _series(connection, batch, recorded_at)
        yield rows.assign(series_id=batch.series_id, recorded_at=recorded_at), added


def precision(series_id: str) -> float:
    """Return the largest relative difference at which two values count as the same."""
    return JITTER if is_price(series_id) else ROUNDING


def same(series_id: str, values: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Mark each value that equals the stored value within a small tolerance. NaN equals NaN."""
    largest = float(np.max(np.abs(held), initial=0.0, where=np.isfinite(held)))
    floor = 0.0 if is_price(series_id) else CANCELLED * largest
    close = np.isclose(values, held, rtol=precision(series_id), atol=floor, equal_nan=True)
    return np.asarray(close, dtype=bool)


def differ(low: str, high: str, precision: str) -> str:
    """Return an SQL condition that is true if the lowest and the highest value differ.

    ``precision`` is the largest relative difference at which two values count as the same. Missing
    values must be NaN.
    """
    return f"({high} - {low} > {precision} * abs({low}))"


# --- prices -------------------------------------------------------------------------------------

#: SQL for the moment at which each ticker's newest price history was recorded. Every history of a
#: ticker contains the ticker's first date. So the moment is ``recorded_at`` of the newest row for
#: the first date.
BEGAN = """
SELECT series_id, max(recorded_at) AS began
FROM observations JOIN (
    SELECT series_id, min(observed_on) AS observed_on FROM observations
    WHERE list_contains($prices, series_id) AND recorded_at <= $until GROUP BY series_id
) USING (series_id, observed_on)
WHERE recorded_at <= $until GROUP BY series_id
"""


def _held_closes(
    connection: duckdb.DuckDBPyConnection, tickers: list[str]
) -> dict[str, pd.DataFrame]:
    """Map each ticker to its current prices: the newest history and the days added later."""
    if not tickers:
        return {}
    frame = connection.execute(
        f"""
        SELECT series_id, observed_on, available_at, value, source
        FROM observations JOIN ({BEGAN}) USING (series_id)
        WHERE recorded_at >= began ORDER BY series_id, observed_on
        """,
        {"prices": tickers, "until": END_OF_TIME},
    ).df()
    return {str(id): part for id, part in frame.groupby("series_id", sort=False)}


def _price(batch: Batch, held: pd.DataFrame | None) -> tuple[pd.DataFrame, Added]:
    id = batch.series_id
    if held is None or batch.rows.empty:
        return batch.rows, Added(series_id=id, new=len(batch.rows))
    lacking = held[~held["observed_on"].isin(batch.rows["observed_on"])]
    try:
        whole = _completed(batch, held, lacking) if len(lacking) else batch.rows
    except DataError as error:
        return batch.rows.iloc[:0], Added(series_id=id, refused=str(error))
    rows, new, revised = _closes(id, whole, held)
    kept = int(rows["observed_on"].isin(lacking["observed_on"]).sum())
    return rows, Added(series_id=id, new=new, revised=revised, kept=kept)


def _completed(batch: Batch, held: pd.DataFrame, lacking: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a batch, plus the stored rows of the days that are missing in the batch.

    ``lacking`` contains the stored rows of the missing days. Raise DataError if a share's batch
    lacks more than :data:`HOLES` stored days. Also raise DataError if a share's batch begins later
    or ends earlier than the stored history. Also raise DataError if the completed history of a coin
    has a sudden shift that is surely an error.
    """
    id, days = batch.series_id, batch.rows["observed_on"]
    coin = asset(id).is_coin
    if not coin:
        inside = lacking["observed_on"].between(days.min(), days.max())
        if len(lacking) > HOLES or not inside.all():
            raise DataError(
                f"expected prices of {id} on every stored date, but {len(lacking)} are missing, "
                f"the first on {lacking['observed_on'].iloc[0].date()}; every split or dividend "
                "changes all adjusted closes, so import the whole history"
            )
        lacking = _rescaled(lacking, batch, held)
    rows = pd.concat([batch.rows, lacking[list(batch.rows.columns)]], ignore_index=True)
    rows = rows.sort_values("observed_on", ignore_index=True)
    if coin:  # a share's copied prices are rescaled; a coin's copied prices may jump
        closes = rows.set_index("observed_on")["value"]
        check_shifts(id, closes[closes > 0])
    return rows


def _rescaled(lacking: pd.DataFrame, batch: Batch, held: pd.DataFrame) -> pd.DataFrame:
    """Return the stored prices of missing days, rescaled to the level of the new vintage.

    The ratio of a day is the new price divided by the stored price. A missing day has no new price.
    The ratio of a missing day is computed from two other days: the nearest earlier day and the
    nearest later day. The ratio of the missing day is the geometric mean of the ratios of these two
    days. The rescaled price is the stored price times the ratio of the missing day.
    """
    new, old = (rows.set_index("observed_on")["value"] for rows in (batch.rows, held))
    ratio = (new / old).sort_index()
    scale = np.sqrt(ratio.ffill() * ratio.bfill()).reindex(lacking["observed_on"]).to_numpy()
    source = lacking["source"].str.removesuffix(RESCALED) + RESCALED
    return lacking.assign(value=lacking["value"] * scale, source=source)


def _closes(id: str, rows: pd.DataFrame, held: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """Return the rows to append, the number of new dates and the number of revised dates."""
    days = rows["observed_on"].to_numpy()
    known = held["observed_on"].to_numpy()
    place = np.minimum(known.searchsorted(days), len(known) - 1)
    fresh = known[place] != days
    equal = same(id, rows["value"].to_numpy(), held["value"].to_numpy()[place])
    revised = int((~fresh & ~equal).sum())
    # The whole vintage is added if a close differs, or if a new day is earlier than the last stored
    # day.
    extends = not revised and bool((fresh == (days > known[-1])).all())
    return rows[fresh] if extends else rows, int(fresh.sum()), revised


# --- other series -----------------------------------------------------------------------------


def _series(
    connection: duckdb.DuckDBPyConnection, batch: Batch, recorded_at: pd.Timestamp
) -> tuple[pd.DataFrame, Added]:
    id, early, note, refused = batch.series_id, 0, "", ""
    if batch.vintages:
        held = _held_vintages(connection, id)
        rows, new, revised = _vintages(batch, held)
    else:
        held = _held_values(connection, id)
        rows, new, revised = _values(batch, held, recorded_at)
        early = _known_early(batch, held)
        changed = rows[rows["observed_on"].isin(held["observed_on"])]
        refused = _rewritten(batch, changed, held)
        note = _doubt(batch, changed, held)
    refused = _leaping(id, rows, held) or refused
    if refused:
        return rows.iloc[:0], Added(series_id=id, refused=refused)
    return rows, Added(series_id=id, new=new, revised=revised, early=early, note=note)


def _rewritten(batch: Batch, changed: pd.DataFrame, held: pd.DataFrame) -> str:
    """Return a message if most values of a series without revisions differ from the stored values.

    ``changed`` contains the rows of the batch with a new value for a stored date. Imported tables
    are never refused, because another publisher may count the same amounts in another way.
    """
    id, shared = batch.series_id, int(batch.rows["observed_on"].isin(held["observed_on"]).sum())
    published = CATALOG[id].source in ("fred", "nyfed") and not CATALOG[id].revised
    if not published or len(changed) <= max(CORRECTED, shared / 2):
        return ""
    day, value = changed["observed_on"].iloc[0], changed["value"].iloc[0]
    stored = held.set_index("observed_on")["value"][day]
    return (
        f"expected the stored values of {id}, because its publisher never revises them, but "
        f"{len(changed):,} of {shared:,} values differ: on {day.date()}, the value was {value:g}, "
        f"and the stored value is {stored:g}; the whole series was left out. Are the new values in "
        "another unit, or of another series? If the stored values are wrong, fill a new store"
    )


def _doubt(batch: Batch, changed: pd.DataFrame, held: pd.DataFrame) -> str:
    """Return a note if changed values may be an error; otherwise "".

    ``changed`` contains the rows of the batch with a new value for a stored date.
    """
    id = batch.series_id
    if changed.empty or is_event(id):  # for an event, the newest value always counts
        return ""
    values = f"{number_of(len(changed), 'stored value')} changed"
    if not CATALOG[id].revised:
        return (
            f"{values}, the first on {changed['observed_on'].iloc[0].date()}, but this series "
            "is treated as never revised. At sessions before today, backtests use the old values. "
            "If the stored values are wrong, fill a new store"
        )
    last = batch.rows["observed_on"].iloc[-1]
    if last >= held["observed_on"].max():
        return ""
    return (
        f"{values}, but the new values end on {last.date()}, before the stored values end; if the "
        "new values are an older download, import the newest download again, because the last "
        "import counts"
    )


def _leaping(series_id: str, rows: pd.DataFrame, held: pd.DataFrame) -> str:
    """Return a message about the first jump that involves a new value; "" if there is no jump."""
    if held.empty or rows.empty:
        return ""
    values = newest_values(series_id, pd.concat([held, rows], ignore_index=True))
    fresh = values.index.isin(rows["observed_on"])
    far = leaps(series_id, values) & (fresh | np.r_[False, fresh[:-1]])
    if not far.any():
        return ""
    at = int(far.to_numpy().argmax())
    return (
        f"expected {series_id} to change by at most a factor of {LEAP:g}, but on "
        f"{values.index[at].date()} the value was {values.iloc[at]:g} after "
        f"{values.iloc[at - 1]:g}; the whole series was left out; if the value comes from a file, "
        "correct the file"
    )


def newest_values(series_id: str, rows: pd.DataFrame) -> pd.Series:
    """Return the latest value of each date; dates before the catalog's first date are left out.

    If a date has several rows, the row with the latest ``available_at`` counts. Without a column
    ``available_at``, the last row of a date counts. A date whose latest value is NaN is left out.
    """
    if "available_at" in rows:
        rows = rows.sort_values("available_at", kind="stable", na_position="first")
    values = rows.drop_duplicates("observed_on", keep="last").set_index("observed_on")["value"]
    values = values[not_before_first(series_id, pd.DatetimeIndex(values.index))]
    return values.dropna().sort_index()


def _held_vintages(connection: duckdb.DuckDBPyConnection, series_id: str) -> pd.DataFrame:
    """For each date and moment from ALFRED, return the value that was recorded last."""
    return connection.execute(
        f"""
        SELECT observed_on, available_at, arg_max(value, recorded_at) AS value
        FROM (SELECT observed_on, available_at, coalesce(value, 'nan'::DOUBLE) AS value, recorded_at
              FROM observations WHERE series_id = ? AND {ARCHIVED})
        GROUP BY observed_on, available_at
        """,
        [series_id],
    ).df()


def _vintages(batch: Batch, held: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """Return the rows to append, how many have a new date, and how many have a stored date."""
    given = batch.rows.drop_duplicates(["observed_on", "available_at"], keep="last")
    pairs = given.assign(row=range(len(given))).merge(
        held, on=["observed_on", "available_at"], suffixes=("", "_held")
    )
    equal = same(batch.series_id, pairs["value"].to_numpy(), pairs["value_held"].to_numpy())
    rows = given[~np.isin(np.arange(len(given)), pairs["row"][equal])]
    revised = int(rows["observed_on"].isin(held["observed_on"]).sum())
    return rows, len(rows) - revised, revised


def _held_values(connection: duckdb.DuckDBPyConnection, series_id: str) -> pd.DataFrame:
    """Return the newest stored value of each date, and the moment at which the value became known.

    Rows from ALFRED are left out.
    """
    return connection.execute(
        f"""
        SELECT observed_on, arg_max(value, (recorded_at, available_at)) AS value,
               arg_max(available_at, (recorded_at, available_at)) AS known
        FROM (SELECT observed_on, coalesce(value, 'nan'::DOUBLE) AS value, recorded_at,
                     available_at FROM observations WHERE series_id = ? AND NOT {ARCHIVED})
        GROUP BY observed_on
        """,
        [series_id],
    ).df()


def _values(
    batch: Batch, held: pd.DataFrame, recorded_at: pd.Timestamp
) -> tuple[pd.DataFrame, int, int]:
    """Return the rows to append, the number of new dates and the number of revised dates."""
    rows, days = batch.rows, batch.rows["observed_on"]
    known = held.set_index("observed_on")["value"].reindex(days)  # much faster than a merge
    is_new = ~days.isin(held["observed_on"])
    differs = ~is_new & ~same(batch.series_id, rows["value"].to_numpy(), known.to_numpy())
    early = differs & (rows["available_at"] < recorded_at)
    rows = rows.assign(available_at=rows["available_at"].mask(early, recorded_at))
    return rows[is_new | differs], int(is_new.sum()), int(differs.sum())


def _known_early(batch: Batch, held: pd.DataFrame) -> int:
    """Return how many stored values equal the new value, but have an earlier ``available_at``.

    Return 0 if the publication rule of the series is ``recorded``.
    """
    if rule_of(batch.series_id).kind == "recorded":
        return 0
    rows, stored = batch.rows, held.set_index("observed_on").reindex(batch.rows["observed_on"])
    equal = same(batch.series_id, rows["value"].to_numpy(), stored["value"].to_numpy())
    return int((equal & (stored["known"].to_numpy() < rows["available_at"].to_numpy())).sum())
