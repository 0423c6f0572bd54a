"""The table on revised series in the tearsheet. Its data are ``by_revision`` in metrics.json."""

from collections.abc import Callable
from functools import partial
from typing import Any

from backtests.report.format import Form, fixed, percent, text

_PERCENT: Form = partial(percent, digits=2)

#: Heading and format of each column, by its key in metrics.json.
COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "series": ("series", text),
    "case": ("case", text),
    "sessions_changed": ("sessions in another regime, %", _PERCENT),
    "absorption_episodes": ("episodes of ABSORPTION", text),
    "absorption_entered": ("ABSORPTION entered", text),
    "cagr": ("CAGR, %", _PERCENT),
    "total_return": ("total return, %", _PERCENT),
    "sharpe": ("Sharpe", fixed),
    "max_drawdown": ("maximum drawdown, %", _PERCENT),
    "exposure": ("exposure, %", _PERCENT),
}


def revision_rows(numbers: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the table. A row holds its cells by heading.

    The cell of an undefined number shows a dash. If the run is shorter than a year, the table shows
    the total return instead of CAGR.
    """
    left_out = "cagr" if numbers["run"]["below_a_year"] else "total_return"
    columns = {key: column for key, column in COLUMNS.items() if key != left_out}
    return [
        {heading: form(row[key]) for key, (heading, form) in columns.items()}
        for row in numbers["by_revision"] or []
    ]
