"""Convert values to types that JSON can represent."""

import datetime
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def plain(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the values as types that JSON can represent: None for NaN, ISO strings for dates."""
    return {str(key): _plain(value) for key, value in values.items()}


def records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows of a table, each as a mapping that includes the row's index."""
    return table.reset_index().to_dict(orient="records")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        midnight = value == value.normalize()
        return str(value.date()) if midnight else value.isoformat(timespec="minutes")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
