"""The rows of a batch that the store has to append, by the kind of the series.

Two values are the same when they differ by no more than the source's precision, see :func:`same`.

- Of an ordinary series, the store appends new dates and revisions. A revision is a value that
  differs from the stored one.
- Of an archive of vintages, the store appends every pair of value and moment that is new.
- Of a price, the store appends a whole vintage when a close differs, because splits and dividends
  rewrite all adjusted closes. When no close differs, the store appends only the later days.
  Days that a new vintage lacks are copied from the stored one. For a share, only single days are
  copied, and they are rescaled to the new vintage. For a coin, any days are copied unchanged,
  because a coin has neither splits nor dividends.

The reader checks a file by itself. This module checks it together with the stored values, and
refuses a decimal point that slipped between the two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from backtests.store.batch import ARCHIVE, Batch, is_price
from backtests.store.cells import LEAP, leaps, not_before_first
from backtests.store.closes import check_shifts
from signals.errors import DataError
from signals.universe import asset

ARCHIVED = f"starts_with(source, '{ARCHIVE}')"

#: Relative difference up to which two adjusted closes are the same. Yahoo keeps closes in single
#: precision, and its servers differ in the last bits: one close of AAPL came as 71.696625,
#: 71.696648 and 71.696655 within ten requests (yfinance issues 1057 and 1871), 4e-7 apart. The
#: smallest dividend moves a close a hundred times as far.
JITTER = 1e-6
#: Relative difference up to which two values of any other series are the same. Sums in a table
#: leave rounding errors of this size. No publisher in the catalog gives as many digits.
ROUNDING = 1e-9
#: The same, relative to the largest stored value: a sum that cancels leaves 1e-17 instead of zero.
CANCELLED = 1e-14
#: Most days that a vintage of a share may lack between its first and last day. Yahoo's closes have
#: single holes. A vintage that lacks more days is refused.
HOLES = 5
RESCALED = ", rescaled"
#: A moment after every recorded row.
END_OF_TIME = pd.Timestamp("9999-12-31")


@dataclass(frozen=True, kw_only=True)
class Added:
    """What adding a batch changed, or why the batch was refused.

    The store refuses a price vintage that lacks a stored date, because history would be lost. It
    also refuses one whose level shifts against the stored closes as in no market. It refuses a
    steady series when a value is too far from the one before it.

    Attributes
    ----------
    new, revised
        Number of new dates, and of stored dates whose value differs. For an archive: number of
        values of new dates, and of new values of stored dates.
    kept
        Number of days that a new price vintage lacks and that were copied from the stored one.
    refused
        Why nothing was added. Empty when the batch was added.
    """

    series_id: str
    new: int = 0
    revised: int = 0
    kept: int = 0
    refused: str = ""


def rows_to_append(
    connection: duckdb.DuckDBPyConnection, batches: Sequence[Batch], recorded_at: pd.Timestamp
) -> Iterator[tuple[pd.DataFrame, Added]]:
    """Yield for each batch the rows to append and a summary of what they change."""
    held = _held_closes(connection, [b.series_id for b in batches if is_price(b.series_id)])
    for batch in batches:
        if is_price(batch.series_id):
            rows, added = _price(batch, held.get(batch.series_id))
        else:
            rows, added = _series(connection, batch, recorded_at)
        yield rows.assign(series_id=batch.series_id, recorded_at=recorded_at), added


def precision(series_id: str) -> float:
    """Return the relative difference up to which two values of a series are the same."""
    return JITTER if is_price(series_id) else ROUNDING


def same(series_id: str, values: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Return which values equal the stored ones, within the source's precision; NaN equals NaN."""
    largest = float(np.max(np.abs(held), initial=0.0, where=np.isfinite(held)))
    floor = 0.0 if is_price(series_id) else CANCELLED * largest
    close = np.isclose(values, held, rtol=precision(series_id), atol=floor, equal_nan=True)
    return np.asarray(close, dtype=bool)


def differ(low: str, high: str, precision: str) -> str:
    """Return an SQL condition: a date's lowest and highest value differ. No value is NaN."""
    return f"({high} - {low} > {precision} * abs({low}))"


# --- prices -------------------------------------------------------------------------------------

#: The moment at which the newest vintage of each price series was recorded. Every whole vintage
#: holds the first date, so that date's newest row tells the moment.
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
    """Return the valid closes by ticker: the newest vintage and the days that extended it."""
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
    kept = len(lacking) if len(rows) else 0
    return rows, Added(series_id=id, new=new, revised=revised, kept=kept)


def _completed(batch: Batch, held: pd.DataFrame, lacking: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the missing days copied; raise DataError where that is not allowed."""
    id, days = batch.series_id, batch.rows["observed_on"]
    coin = asset(id).market == "crypto"
    if not coin:
        inside = lacking["observed_on"].between(days.min(), days.max())
        if len(lacking) > HOLES or not inside.all():
            raise DataError(
                f"expected prices of {id} on every date the store holds, but {len(lacking)} are "
                f"missing, the first {lacking['observed_on'].iloc[0].date()}; adjusted closes "
                "change as a whole with every split and dividend, so bring the whole history"
            )
        lacking = _rescaled(lacking, batch, held)
    rows = pd.concat([batch.rows, lacking[list(batch.rows.columns)]], ignore_index=True)
    rows = rows.sort_values("observed_on", ignore_index=True)
    if coin:  # a whole vintage was checked when it was read, and a share's copies are rescaled
        closes = rows.set_index("observed_on")["value"]
        check_shifts(id, closes[closes > 0])
    return rows


def _rescaled(lacking: pd.DataFrame, batch: Batch, held: pd.DataFrame) -> pd.DataFrame:
    """Return stored closes, multiplied by the ratio of new to old closes on the days around."""
    new, old = (rows.set_index("observed_on")["value"] for rows in (batch.rows, held))
    ratio = (new / old).sort_index()
    scale = np.sqrt(ratio.ffill() * ratio.bfill()).reindex(lacking["observed_on"]).to_numpy()
    source = lacking["source"].str.removesuffix(RESCALED) + RESCALED
    return lacking.assign(value=lacking["value"] * scale, source=source)


def _closes(id: str, rows: pd.DataFrame, held: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """Return the rows to append, and the numbers of new and revised dates."""
    days = rows["observed_on"].to_numpy()
    known = held["observed_on"].to_numpy()
    place = np.minimum(known.searchsorted(days), len(known) - 1)
    fresh = known[place] != days
    equal = same(id, rows["value"].to_numpy(), held["value"].to_numpy()[place])
    revised = int((~fresh & ~equal).sum())
    # Without a differing close, the later days extend the stored vintage.
    extends = not revised and bool((fresh == (days > known[-1])).all())
    return rows[fresh] if extends else rows, int(fresh.sum()), revised


# --- other series -----------------------------------------------------------------------------


def _series(
    connection: duckdb.DuckDBPyConnection, batch: Batch, recorded_at: pd.Timestamp
) -> tuple[pd.DataFrame, Added]:
    id = batch.series_id
    if batch.vintages:
        held = _held_vintages(connection, id)
        rows, new, revised = _vintages(batch, held)
    else:
        held = _held_values(connection, id)
        rows, new, revised = _values(batch, held, recorded_at)
    refused = _leaping(id, rows, held)
    if refused:
        return rows.iloc[:0], Added(series_id=id, refused=refused)
    return rows, Added(series_id=id, new=new, revised=revised)


def _leaping(series_id: str, rows: pd.DataFrame, held: pd.DataFrame) -> str:
    """Return a message on the first new value too far from its neighbour; empty without any."""
    if held.empty or rows.empty:
        return ""
    values = newest_values(series_id, pd.concat([held, rows], ignore_index=True))
    fresh = values.index.isin(rows["observed_on"])
    far = leaps(series_id, values) & (fresh | np.r_[False, fresh[:-1]])
    if not far.any():
        return ""
    at = int(far.to_numpy().argmax())
    return (
        f"expected {series_id} within {LEAP:g} times the value before, was {values.iloc[at]:g} on "
        f"{values.index[at].date()} after {values.iloc[at - 1]:g}; correct the file, the whole "
        "series was left out"
    )


def newest_values(series_id: str, rows: pd.DataFrame) -> pd.Series:
    """Return the latest value of each date, without the dates that the catalog leaves out.

    The row with the latest ``available_at`` counts for a date, or else the last row.
    """
    if "available_at" in rows:
        rows = rows.sort_values("available_at", kind="stable", na_position="first")
    values = rows.drop_duplicates("observed_on", keep="last").set_index("observed_on")["value"]
    values = values[not_before_first(series_id, pd.DatetimeIndex(values.index))]
    return values.dropna().sort_index()


def _held_vintages(connection: duckdb.DuckDBPyConnection, series_id: str) -> pd.DataFrame:
    return connection.execute(
        "SELECT DISTINCT observed_on, available_at, value FROM observations "
        f"WHERE series_id = ? AND {ARCHIVED}",
        [series_id],
    ).df()


def _vintages(batch: Batch, held: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """Return the new rows of an archive, and the numbers of new and revised values."""
    told = batch.rows.drop_duplicates(["observed_on", "available_at"], keep="last")
    pairs = told.assign(row=range(len(told))).merge(
        held, on=["observed_on", "available_at"], suffixes=("", "_held")
    )
    equal = same(batch.series_id, pairs["value"].to_numpy(), pairs["value_held"].to_numpy())
    rows = told[~np.isin(np.arange(len(told)), pairs["row"][equal])]
    revised = int(rows["observed_on"].isin(held["observed_on"]).sum())
    return rows, len(rows) - revised, revised


def _held_values(connection: duckdb.DuckDBPyConnection, series_id: str) -> pd.DataFrame:
    """Return the newest value of each date, without the rows of an archive."""
    return connection.execute(
        f"""
        SELECT observed_on, arg_max(value, (recorded_at, available_at)) AS value
        FROM (SELECT observed_on, coalesce(value, 'nan'::DOUBLE) AS value, recorded_at,
                     available_at FROM observations WHERE series_id = ? AND NOT {ARCHIVED})
        GROUP BY observed_on
        """,
        [series_id],
    ).df()


def _values(
    batch: Batch, held: pd.DataFrame, recorded_at: pd.Timestamp
) -> tuple[pd.DataFrame, int, int]:
    """Return the rows to append, and the numbers of new and revised dates."""
    rows = batch.rows.merge(
        held, on="observed_on", how="left", suffixes=("", "_held"), indicator="where"
    )
    is_new = rows["where"] == "left_only"
    equal = same(batch.series_id, rows["value"].to_numpy(), rows["value_held"].to_numpy())
    differs = ~is_new & ~equal
    early = differs & (rows["available_at"] < recorded_at)
    rows["available_at"] = rows["available_at"].mask(early, recorded_at)
    chosen = rows[is_new | differs].drop(columns=["value_held", "where"])
    return chosen, int(is_new.sum()), int(differs.sum())
