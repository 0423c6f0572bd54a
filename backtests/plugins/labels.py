"""Read a user's own regime labels from a CSV file."""

import csv
from datetime import date
from pathlib import Path

from backtests.atomic import expanded
from signals.errors import ConfigError, DataError, unknown
from signals.regimes import Labels, Regime


def read_labels(path: Path) -> tuple[tuple[date, str], ...]:
    """Return the dates and labels of a CSV file with the columns ``date`` and ``label``.

    A row is, for example, ``2020-03-16,ABSORPTION``. The label is the name of the regime that was
    known at the close of the row's date. A label is valid until the next date in the file.

    Raises
    ------
    DataError
        Raised if the file cannot be read.
    ConfigError
        Raised if the file has other columns or no rows, if a row does not contain a date and the
        name of a regime, or if the dates do not ascend.
    """
    try:
        with expanded(path).open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = getattr(error, "strerror", None) or error
        raise DataError(f"expected a CSV of labels at {path}, but: {said}; correct it") from None
    if [name.strip().lower() for name in header] != ["date", "label"]:
        raise ConfigError(
            f"{path}: expected the columns date,label, was {','.join(header)[:80]!r}; rename the "
            "columns"
        )
    dated = tuple(_row(path, number, row) for number, row in enumerate(rows, start=2) if row)
    try:
        return Labels(dated=dated).dated
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _row(path: Path, number: int, row: list[str]) -> tuple[date, str]:
    try:
        day, label = (cell.strip() for cell in row)
        dated = date.fromisoformat(day), label
    except ValueError:
        raise ConfigError(
            f"{path}, line {number}: expected a date and a label like 2020-03-16,ABSORPTION, was "
            f"{','.join(row)[:80]!r}; correct it"
        ) from None
    if label not in list(Regime):
        raise ConfigError(f"{path}, line {number}: {unknown('label', label, list(Regime))}")
    return dated
