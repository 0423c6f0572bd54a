"""Export all gauges, scores and flags to a file, in one table."""

from pathlib import Path

import pandas as pd

from backtests.atomic import replacing
from backtests.history.panel import History
from backtests.simulated import SIMULATED
from backtests.store.parquet import write_parquet
from signals.reading import Reading

TABLES = (".csv", ".parquet")


def readings_table(history: History, reading: Reading) -> pd.DataFrame:
    """Return the regime, all flags, all scores and all gauges, with a row for each session.

    The columns are ``regime``, ``<signal>.flag`` (1, 0, missing), ``<signal>.score`` and
    ``<signal>.<gauge>``. Each signal defines the units of its gauges. A simulated history adds the
    column ``source``.
    """
    parts: list[pd.Series | pd.DataFrame] = [reading.regime.rename("regime")]
    for name, evaluation in reading.evaluations.items():
        parts += [
            reading.flags[name].astype("Int8").rename(f"{name}.flag"),
            reading.scores[name].rename(f"{name}.score"),
            evaluation.gauges.drop(columns="score", errors="ignore").add_prefix(f"{name}."),
        ]
    table = pd.concat(parts, axis=1).rename_axis("date")
    return table.assign(source=SIMULATED) if history.is_simulated else table


def write_table(history: History, reading: Reading, path: Path) -> None:
    """Write :func:`readings_table` to a file; the file's ending decides between CSV and parquet."""
    table = readings_table(history, reading)
    if path.suffix == ".csv":
        with replacing(path) as fresh:
            table.to_csv(fresh, date_format="%Y-%m-%d", lineterminator="\n")
    else:
        write_parquet(table.reset_index(), path)
