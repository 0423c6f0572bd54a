"""The table of a revision bound on the tearsheet: what is shown of ``by_revision``."""

from collections.abc import Callable
from typing import Any

_PERCENT: Callable[[float], str] = lambda x: f"{100 * x:.2f}"  # noqa: E731

#: Heading and format of each column, by its key in metrics.json.
COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "series": ("series", str),
    "case": ("case", str),
    "sessions_changed": ("sessions in another regime, %", _PERCENT),
    "absorption_episodes": ("episodes of ABSORPTION", str),
    "absorption_entered": ("ABSORPTION entered", str),
    "cagr": ("CAGR, %", _PERCENT),
    "total_return": ("total return, %", _PERCENT),
    "sharpe": ("Sharpe", lambda x: f"{x:.2f}"),
    "max_drawdown": ("maximum drawdown, %", _PERCENT),
    "exposure": ("exposure, %", _PERCENT),
}


def revision_rows(numbers: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the table, each by heading; a figure that is not defined is a dash.

    Below a year the total return stands in the place of CAGR.
    """
    left_out = "cagr" if numbers["run"]["below_a_year"] else "total_return"
    columns = {key: column for key, column in COLUMNS.items() if key != left_out}
    return [
        {
            heading: "–" if row[key] is None else form(row[key])
            for key, (heading, form) in columns.items()
        }
        for row in numbers["by_revision"]
    ]
