"""Data for two parts of a sweep's page: the heat maps, and the best configurations.

A page cannot hold every configuration of a large sweep. A heat map uses every configuration that
can be simulated. Each cell shows only the mean, the lowest or the highest value of its
configurations. The table of the best configurations has at most 20 rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from backtests.format import fixed, percent
from backtests.sweep.axis import Value
from backtests.sweep.design import Design
from backtests.sweep.findings import Findings
from signals.summary import amount

#: Largest number of rows or columns of a heat map. If a parameter has more values, they are joined
#: into groups.
MOST = 12
#: Metrics of the heat maps: label, factor, and number of decimals.
SHOWN = {
    "sharpe": ("Sharpe", 1, 2),
    "cagr": ("CAGR, %", 100, 1),
    "volatility": ("volatility, %", 100, 1),
    "max_drawdown": ("max drawdown, %", 100, 1),
    "exposure": ("exposure, %", 100, 0),
    "turnover": ("turnover, % a year", 100, 0),
    "costs": ("costs, % a year", 100, 2),
}
STATISTICS = ("mean", "lowest", "highest")


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """The values of a parameter, joined into at most :data:`MOST` groups.

    ``labels`` names the groups. For each configuration, ``at`` contains the number of its group.
    """

    path: str
    labels: tuple[str, ...]
    at: np.ndarray


def grouped(design: Design) -> list[Grouped]:
    """Return each parameter with its values joined into groups.

    A parameter with only one value is left out.
    """
    return [
        _grouped(path, level, design.rows[:, i])
        for i, (path, level) in enumerate(zip(design.paths, design.levels, strict=True))
        if len(level) > 1
    ]


def _grouped(path: str, level: Sequence[Value], rows: np.ndarray) -> Grouped:
    if len(level) <= MOST:
        return Grouped(path=path, labels=tuple(map(shown_value, level)), at=rows)
    edges = np.linspace(0, len(level), MOST + 1).astype(int)
    ends = pairwise(edges.tolist())
    labels = tuple(f"{shown_value(level[a])} to {shown_value(level[b - 1])}" for a, b in ends)
    return Grouped(path=path, labels=labels, at=np.searchsorted(edges, rows, side="right") - 1)


def shown_value(value: Value) -> str:
    """Return the value of a parameter as text.

    A number has up to four significant digits. A number above 9,999 keeps all digits before the
    decimal point.
    """
    if isinstance(value, bool | str):
        return str(value).lower() if isinstance(value, bool) else value
    return amount(value, digits=4)


def heat_maps(found: Findings, groups: Sequence[Grouped]) -> dict[str, Any]:
    """Return the heat map of each pair of parameters, for each metric and statistic.

    A heat map is a list of rows. If no configuration of a cell has a value of the metric, the cell
    is None. If only one parameter has several values, each heat map has a single row.
    """
    one = Grouped(path="", labels=("all",), at=np.zeros(len(found.table), dtype=np.int64))
    pairs = list(combinations(groups, 2)) or [(one, group) for group in groups]
    maps = {}
    for down, across in pairs:
        cells = down.at * len(across.labels) + across.at
        size = len(down.labels) * len(across.labels)
        for name, (_, factor, digits) in SHOWN.items():
            values = factor * found.table[name].to_numpy(dtype=np.float64)
            known = np.isfinite(values)
            for statistic, table in _statistics(cells[known], values[known], size).items():
                rows = table.reshape(len(down.labels), -1)
                maps[f"{down.path}|{across.path}|{name}|{statistic}"] = _listed(rows, digits)
    return {
        "labels": {group.path: group.labels for group in (*groups, one)},
        "metrics": {name: label for name, (label, _, _) in SHOWN.items()},
        "digits": {name: digits for name, (_, _, digits) in SHOWN.items()},
        "maps": maps,
    }


def _statistics(cells: np.ndarray, values: np.ndarray, size: int) -> dict[str, np.ndarray]:
    count = np.bincount(cells, minlength=size)
    total = np.bincount(cells, weights=values, minlength=size)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, cells, values)
    np.maximum.at(high, cells, values)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return {"mean": mean, "lowest": low, "highest": high}


def _listed(table: np.ndarray, digits: int) -> list[list[float | None]]:
    rounded = np.round(table, digits) + 0.0
    return [[float(v) if np.isfinite(v) else None for v in row] for row in rounded]


def best_rows(found: Findings, design: Design) -> list[dict[str, Any]]:
    """Return up to 20 configurations with the highest Sharpe ratios as texts, best first."""
    return [
        {
            "number": f"{at:,}",
            "values": [shown_value(value) for value in design.values(at).values()],
            "metrics": [
                percent(found.table[name].iloc[at], digits)
                if factor == 100
                else fixed(found.table[name].iloc[at], digits)
                for name, (_, factor, digits) in SHOWN.items()
            ],
        }
        for at in found.compared[:20].tolist()
    ]
