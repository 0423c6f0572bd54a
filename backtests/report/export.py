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

    The columns are ``regime``, ``<signal>.flag``, ``<signal>.score`` and ``<signal>.<gauge>``. A
    flag is 1, 0 or missing. Each signal defines the units of its gauges. If the history is
    simulated, the column ``source`` is added.
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
    """Write :func:`readings_table` to a CSV file or a parquet file.

    The name of the file must end in ``.csv`` or ``.parquet``.
    """
    table = readings_table(history, reading)
    if path.suffix == ".csv":
        with replacing(path) as fresh:
            table.to_csv(fresh, date_format="%Y-%m-%d", lineterminator="\n")
    else:
        write_parquet(table.reset_index(), path)
