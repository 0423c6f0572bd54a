"""The fetches that a store has recorded."""

import pandas as pd

from backtests.store.store import FETCHED, Store


def last_fetched(store: Store) -> dict[str, pd.Timestamp]:
    """Map each series to the moment of its last successful fetch.

    The result is {} without a store, and for a store of version 1, which records no fetches.
    """
    if not store.exists():
        return {}
    if "fetched" not in set(store.query("SELECT table_name FROM duckdb_tables()")["table_name"]):
        return {}
    rows = store.query(
        "SELECT series_id, max(fetched_at) AS at FROM fetched WHERE outcome = ? GROUP BY ALL",
        [FETCHED],
    )
    return dict(zip(rows["series_id"], rows["at"], strict=True))
