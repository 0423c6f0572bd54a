"""The table of the terminal, which leaves out columns where the terminal is narrow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtests.cli.terminal import console, styled

if TYPE_CHECKING:
    from rich.table import Table

    from backtests.cli.terminal import Screen, Styled

    Row = Sequence[str | Styled]

_GAP = 2  # characters between columns


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    heading
        Heading of the column; empty for none.
    right
        True aligns the cells at the right, as for numbers.
    wraps
        True allows words on several lines.
    rank
        0 for a column that always stays. Of the other columns, the highest rank goes first.
    """

    heading: str
    right: bool = False
    wraps: bool = False
    rank: int = 0


def words(heading: str = "", *, wraps: bool = False, rank: int = 0) -> Column:
    """Return a column of words."""
    return Column(heading=heading, wraps=wraps, rank=rank)


def numbers(heading: str = "", *, rank: int = 0) -> Column:
    """Return a column of numbers."""
    return Column(heading=heading, right=True, rank=rank)


def print_table(columns: Sequence[Column], rows: Iterable["Row"], *, headed: bool = True) -> None:
    """Print rows of cells, and name the columns that do not fit in the terminal."""
    screen, cells = console(), [tuple(row) for row in rows]
    widths = [_least_width(screen, c, [row[at] for row in cells]) for at, c in enumerate(columns)]
    kept = _that_fit(columns, widths, screen.width)
    screen.print(_table(columns, cells, kept, headed))
    left_out = [c.heading for at, c in enumerate(columns) if at not in kept and c.heading]
    if left_out:
        said = f"left out on {screen.width} columns: {', '.join(left_out)}"
        screen.print(styled(said, "dim"))


def _that_fit(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Return the positions of the columns that fit in a number of characters, with their gaps."""
    kept = list(range(len(columns)))
    for at in sorted(kept, key=lambda at: -columns[at].rank):
        if not columns[at].rank or sum(widths[i] + _GAP for i in kept) - _GAP <= room:
            break
        kept.remove(at)
    return kept


def _least_width(screen: "Screen", column: Column, cells: "Row") -> int:
    """Return the least width of a column in characters: its longest cell, or word if it wraps."""
    from rich.measure import Measurement

    wide = screen.options.update(width=100_000)
    sizes = [Measurement.get(screen, wide, cell) for cell in (column.heading, *cells)]
    return max(size.minimum if column.wraps else size.maximum for size in sizes)


def _table(
    columns: Sequence[Column], rows: Sequence["Row"], kept: Sequence[int], headed: bool
) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=headed)
    for at in kept:
        column = columns[at]
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
        )
    for row in rows:
        table.add_row(*(row[at] for at in kept))
    return table
