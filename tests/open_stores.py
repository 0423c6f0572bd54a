"""Stores whose file stays open, so that DuckDB opens it once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest

from backtests.store.store import Store


@contextmanager
def keeping_open(target: Store) -> Iterator[None]:
    """Keep a store's file open.

    DuckDB needs 20 ms to open a closed file, but only 0.5 ms to open an open file again. A fetch
    and a check open their store about ten times. Tests of how a file is opened do not use this
    function.
    """
    connect, file = duckdb.connect, str(target.path.absolute())
    held: list[duckdb.DuckDBPyConnection] = []

    def connect_again(*where: Any, **how: Any) -> duckdb.DuckDBPyConnection:
        if where == (file,):
            how["read_only"] = False  # all connections to a file need one mode
            if not held:
                held.append(connect(*where, **how))
        return connect(*where, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb, "connect", connect_again)
        yield
    for connection in held:
        connection.close()
