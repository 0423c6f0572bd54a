"""The values of a chart at the mouse pointer, in the format of ``pointer.js``."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from backtests.report.panel_rows import Panel, Strip
from backtests.report.svg import day_number, every_nth


def pointed(rows: Sequence[Panel | Strip], index: pd.DatetimeIndex, most: int) -> dict[str, Any]:
    """Return the data that a page shows at the mouse pointer: days, and each row's values.

    The first number in ``days`` counts the days from 1970-01-01 to the first date. Each
    following number counts the days since the previous date.
    """
    chosen = every_nth(len(index), most)
    days = np.array([day_number(day) for day in index[chosen]], dtype=int)
    return {
        "at": chosen.tolist() if len(chosen) < len(index) else [],
        "last": len(index) - 1,
        "days": np.diff(days, prepend=0).tolist(),
        "rows": [_row_values(row, chosen) for row in rows],
    }


def _row_values(row: Panel | Strip, chosen: np.ndarray) -> dict[str, Any]:
    if isinstance(row, Strip):
        names = list(dict.fromkeys(row.states))
        codes = row.states.iloc[chosen].map({name: at for at, name in enumerate(names)})
        return {"title": row.title, "names": names, "states": codes.tolist()}
    lines = [
        {
            "name": line.name,
            "colour": line.colour,
            "values": [_rounded(v, row.digits) for v in line.values.iloc[chosen].tolist()],
        }
        for line in row.drawn()
    ]
    return {"title": row.title, "unit": row.unit, "digits": row.digits, "lines": lines}


def _rounded(value: float, digits: int | None) -> float | int | None:
    if not math.isfinite(value):
        return None
    kept = float(f"{value:.4g}") if digits is None else round(value, digits)
    return int(kept) if kept == int(kept) else kept
