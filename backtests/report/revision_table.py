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
    "sharpe": ("Sharpe", lambda x: f"{x:.2f}"),
    "max_drawdown": ("maximum drawdown, %", _PERCENT),
    "exposure": ("exposure, %", _PERCENT),
}


def revision_rows(numbers: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the table, each by heading; a figure that is not defined is a dash."""
    return [
        {
            heading: "–" if row[key] is None else form(row[key])
            for key, (heading, form) in COLUMNS.items()
        }
        for row in numbers["by_revision"]
    ]
