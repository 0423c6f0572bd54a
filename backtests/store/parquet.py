"""Write tables to parquet files."""

from pathlib import Path

import duckdb
import pandas as pd

from backtests.atomic import replacing, resolved
from backtests.store import locking
from signals.errors import DataError


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table to a parquet file. After a failure, no partial file remains."""
    with replacing(path) as fresh, duckdb.connect() as connection:
        connection.register("given", table)
        write_rows(connection.sql("SELECT * FROM given"), fresh)


def write_rows(rows: duckdb.DuckDBPyRelation, path: Path) -> None:
    """Write rows to a parquet file. After a failure, raise OSError with DuckDB's reason."""
    try:
        rows.write_parquet(str(path))
    except duckdb.Error as error:
        raise OSError(None, locking.said_by_system(error)) from error


def checked_export(path: Path, store: Path) -> Path:
    """Return the path of an export. Raise DataError if the path is wrong for a parquet file."""
    target = resolved(path)
    if target.suffix != ".parquet":
        raise DataError(f"expected a path that ends in .parquet, was {path}; change the ending")
    if target.is_dir() or target == resolved(store):
        raise DataError(f"expected a path for a file, was a folder or the store itself: {path}")
    return target
