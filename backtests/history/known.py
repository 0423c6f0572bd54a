"""Find the value of a series that was known at each session's close."""

import numpy as np
import pandas as pd

from backtests.calendar import CLOSE, sessions
from backtests.store.batch import is_event, is_price, stale_after
from signals.errors import DataError
from signals.universe import asset

NO_ROWS = pd.DataFrame({"observed_on": [], "available_at": [], "value": []}).astype(
    {"observed_on": "datetime64[us]", "available_at": "datetime64[us]", "value": "float64"}
)


def span(rows: dict[str, pd.DataFrame]) -> pd.DatetimeIndex:
    """Return the sessions of a history.

    Series with one value for each event, such as an earnings release, are ignored. The history
    begins at the first session on or after the day on which the first value became known. The
    history ends at the last session that has a price of a share or fund. If no share or fund has a
    price, the history ends at the last session on or before the date of the last value.
    """
    dated = {id: part for id, part in rows.items() if not is_event(id)}
    if not dated:
        raise DataError(
            "expected at least one of the requested series in the store, found none; see "
            "'drypowder data'"
        )
    shares = {k: v for k, v in dated.items() if is_price(k) and not asset(k).is_coin} or dated
    last = max(part["observed_on"].iloc[-1] for part in shares.values())
    first = min(part["available_at"].iloc[0] for part in dated.values())
    index = sessions(first.normalize(), last)
    if index.empty:
        raise DataError(f"expected sessions from {first.date()} to {last.date()}, found none")
    return index


def by_date(rows: pd.DataFrame) -> pd.Series:
    """Return the newest value of each date, sorted by date."""
    last = rows.drop_duplicates("observed_on", keep="last").sort_values("observed_on")
    return last.set_index("observed_on")["value"].dropna()


def as_known(id: str, rows: pd.DataFrame, index: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """Return the value known at each close, and the moment when the value was first known.

    Value and moment are missing if no value is known, if the newest value is too old, or if the
    newest value is NaN. ``rows`` are sorted by ``available_at``, ``observed_on`` and
    ``recorded_at``. ``index`` contains the sessions. The moments have the dtype datetime64[us].
    """
    if rows.empty:
        return np.full(len(index), np.nan), np.full(len(index), "NaT", dtype="datetime64[us]")
    observed = rows["observed_on"].to_numpy()
    newest = observed >= np.maximum.accumulate(observed)
    observed = observed[newest]
    known = rows["available_at"].to_numpy()[newest]
    value = rows["value"].to_numpy(dtype=np.float64)[newest]
    closing = index.to_numpy() + CLOSE.as_unit("us").to_timedelta64()
    position = known.searchsorted(closing, side="right") - 1
    fresh = (index.to_numpy() - observed[position]) <= np.timedelta64(stale_after(id), "D")
    seen = (position >= 0) & fresh & ~np.isnan(value[position])
    return (
        np.where(seen, value[position], np.nan),
        np.where(seen, known[position], np.datetime64("NaT", "us")),
    )
