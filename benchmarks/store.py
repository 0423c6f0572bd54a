"""Measure the time and memory that commands need to read a big store.

    python benchmarks/store.py --rows 10000000 --store /tmp/big.duckdb

The script makes a missing store from a SIMULATED economy of 20 years. A quarter of the rows are
vintages, as from ALFRED. Another quarter are tickers that no signal reads. The other half are whole
price histories. There is one history for each day, as if all closes were revised every day. Then
``flags``, ``data`` and ``data --check`` run on this store, and on a small store with almost no
revisions. Each command runs in its own process.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from backtests.economy import make_economy
from backtests.store.batch import ARCHIVE, Batch, is_price
from backtests.store.store import Store
from signals.catalog import CATALOG

RECORDED_AT = pd.Timestamp("2025-01-02 18:00")
COLUMNS = "series_id, observed_on, available_at, value, source, recorded_at"


def make(path: Path, rows: int) -> None:
    """Write a store with about ``rows`` rows."""
    economy = make_economy(0, 20).rows()
    batches = [Batch(series_id=id, rows=r.sort_values("observed_on")) for id, r in economy.items()]
    Store(path).add(batches, RECORDED_AT)
    with duckdb.connect(str(path)) as connection:
        revised = [id for id in economy if id in CATALOG and CATALOG[id].revised]
        count = connection.execute(
            "SELECT count(*) FROM observations WHERE list_contains(?, series_id)", [revised]
        ).fetchall()[0][0]
        _archive(connection, revised, max(1, rows // 4 // max(1, count)))
        held = connection.execute("SELECT count(*) FROM observations").fetchall()[0][0]
        _others(connection, max(1, rows // 4))
        prices = [id for id in economy if is_price(id)]
        whole = sum(len(economy[id]) for id in prices)
        _vintages(connection, prices, max(0, (rows - held - rows // 4) // whole))


def _archive(connection: duckdb.DuckDBPyConnection, ids: list[str], times: int) -> None:
    """Add revisions of every value: one revision every two weeks after the first value."""
    connection.execute(
        f"""
        INSERT INTO observations SELECT {
            COLUMNS.replace(
                "available_at",
                '''
               available_at + to_days(CAST(14 * n AS INTEGER))''',
            )
            .replace(
                "value,",
                '''
               value * (1 + 0.001 * n),''',
            )
            .replace("source", f"'{ARCHIVE}'")
        }
        FROM observations, range(?) r(n) WHERE list_contains(?, series_id)
        ORDER BY series_id, observed_on
        """,
        [times, ids],
    )


def _others(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Add tickers that no signal reads, with 5,000 closes each."""
    connection.execute(
        f"""
        INSERT INTO observations
        SELECT 'X' || (n // 5000), DATE '2005-01-01' + CAST(n % 5000 AS INTEGER),
               TIMESTAMP '2005-01-01 16:00' + to_days(CAST(n % 5000 AS INTEGER)),
               100 + sqrt(n % 5000), 'SIMULATED', TIMESTAMP '{RECORDED_AT}'
        FROM range(?) r(n)
        """,
        [rows],
    )


def _vintages(connection: duckdb.DuckDBPyConnection, ids: list[str], times: int) -> None:
    """Add a whole price history for each day, as if each history came from its own fetch."""
    for day in range(1, times + 1):
        connection.execute(
            f"""
            INSERT INTO observations SELECT {
                COLUMNS.replace("value,", f"value * (1 - 1e-6 * {day}),").replace(
                    "recorded_at", f"recorded_at + INTERVAL {day} DAY"
                )
            }
            FROM observations WHERE list_contains(?, series_id) AND recorded_at = ?
            ORDER BY series_id, observed_on
            """,
            [ids, RECORDED_AT],
        )


#: Code that starts a command from a small process, because the peak memory of a child includes the
#: memory of its parent.
METER = """
import os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
child.returncode = os.waitstatus_to_exitcode(status)
print(child.returncode, time.perf_counter() - start, used.ru_utime + used.ru_stime,
      used.ru_maxrss / 1024)
"""


def measure(*arguments: object) -> tuple[float, ...]:
    """Run a command in its own process; return seconds, processor seconds and peak memory in MB."""
    command = [sys.executable, "-m", "backtests", *map(str, arguments)]
    meter = [sys.executable, "-S", "-c", METER, *command]
    done = subprocess.run(meter, capture_output=True, text=True, check=True)
    code, *taken = done.stdout.split()
    if code not in ("0", "2"):
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return tuple(map(float, taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    small = given.store.with_suffix(".small.duckdb")
    for path, rows in ((given.store, given.rows), (small, 1)):
        if not path.exists():
            make(path, rows)
    for path in (small, given.store):
        summary = Store(path).query("SELECT count(*) AS n FROM observations")
        size = path.stat().st_size / 1e6
        print(f"{path.name}: {summary['n'].iloc[0]:,} rows, {size:.0f} MB on disk")
        for command in (["flags"], ["data"], ["data", "--check"]):
            taken = np.array([measure(*command, "--store", path) for _ in range(given.times)])
            seconds, processor = (float(np.min(taken[:, column])) for column in (0, 1))
            memory = float(np.max(taken[:, 2]))
            print(
                f"  {' '.join(command):<14}{seconds:6.2f} s, {processor:.2f} s of processor time "
                f"(best of {given.times}), peak memory {memory:.0f} MB"
            )


if __name__ == "__main__":
    main()
