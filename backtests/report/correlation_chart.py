"""A heat map of the correlations between the returns of several strategies, as SVG.

If the history is simulated, the caller must pass a name that begins with SIMULATED.
"""

from collections.abc import Sequence
from html import escape

import pandas as pd

from backtests.format import fixed
from backtests.report.svg import WIDE, picture, words

_LETTER = 6.3  # width of a letter


def correlation_chart(growth: pd.DataFrame, name: str) -> str:
    """Return a heat map of the correlations between the strategies' daily returns.

    ``growth`` holds the value of 1 invested at the start. ``growth`` has a row for each session and
    a column for each strategy. A blue cell is a positive correlation, and an orange cell is a
    negative correlation. A strategy with constant returns has empty cells.
    """
    table = correlations(growth)
    names = [str(column) for column in table.columns]
    left = 12 + _LETTER * max(map(len, names))
    top = 12 + 0.8 * _LETTER * max(map(len, names))
    size = min(46.0, (WIDE - left - 90) / len(names))
    parts = [*_headings(names, left, top, size), *_cells(table, left, top, size)]
    height = top + size * len(names) + 6
    return f'<h3 class="chart">{escape(name)}</h3>\n{picture(name, WIDE, height, parts)}'


def correlations(growth: pd.DataFrame) -> pd.DataFrame:
    """Return the correlations between the strategies' daily returns; NaN for constant returns."""
    return growth.pct_change(fill_method=None).corr()


def _headings(names: Sequence[str], left: float, top: float, size: float) -> list[str]:
    parts = []
    for at, said in enumerate(names):
        middle = size * (at + 0.5)
        parts.append(words(left - 6, top + middle + 4, said, "", "end"))
        place = f"translate({left + middle + 3:.1f} {top - 5:.1f}) rotate(-55)"
        parts.append(f'<text transform="{place}">{escape(said)}</text>')
    return parts


def _cells(table: pd.DataFrame, left: float, top: float, size: float) -> list[str]:
    parts, cells = [], table.to_numpy(dtype="float64")
    for row, one in enumerate(table.index):
        for column, other in enumerate(table.columns):
            value = float(cells[row, column])
            if pd.isna(value):
                continue
            x, y = left + size * column, top + size * row
            colour = "var(--c0)" if value >= 0 else "var(--c1)"
            said = escape(f"{one} and {other}: {fixed(value)}")
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{size - 1:.1f}" height="{size - 1:.1f}" '
                f'style="fill:{colour};opacity:{0.75 * abs(value):.2f}"><title>{said}</title>'
                "</rect>"
            )
            if size >= 30:
                parts.append(words(x + size / 2, y + size / 2 + 4, fixed(value), "", "middle"))
    return parts
