"""Print tables on the terminal, without the columns that do not fit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from backtests.cli.terminal import console, styled

if TYPE_CHECKING:
    from backtests.cli.terminal import Screen, Styled

    Row = Sequence[str | Styled]

_GAP = 2  # space between columns, characters


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    If space is short, columns of the highest rank are left out first. A column of rank 0 is never
    left out.
    """

    heading: str
    right: bool = False  # whether cells are aligned at the right
    wraps: bool = False
    rank: int = 0


#: Pairs of a column and a function that returns the column's cell for a record.
Columns: TypeAlias = Sequence[tuple[Column, Callable[[Any], "str | Styled"]]]


def words(heading: str = "", *, wraps: bool = False, rank: int = 0) -> Column:
    """Return a column of words; with ``wraps``, a long text continues on the next line."""
    return Column(heading=heading, wraps=wraps, rank=rank)


def numbers(heading: str = "", *, rank: int = 0) -> Column:
    """Return a column of numbers."""
    return Column(heading=heading, right=True, rank=rank)


def print_table(columns: Sequence[Column], rows: Iterable["Row"], *, headed: bool = True) -> None:
    """Print rows of cells, and below them the names of columns that do not fit."""
    from rich.table import Table

    screen, cells = console(), [tuple(row) for row in rows]
    widths = [_least_width(screen, c, [row[at] for row in cells]) for at, c in enumerate(columns)]
    kept = _that_fit(columns, widths, screen.width)
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=headed)
    for c in (columns[at] for at in kept):
        table.add_column(c.heading, justify="right" if c.right else "left", no_wrap=not c.wraps)
    for row in cells:
        table.add_row(*(row[at] for at in kept))
    screen.print(table)
    left_out = [c.heading for at, c in enumerate(columns) if at not in kept and c.heading]
    if left_out:
        screen.print(styled(f"left out at width {screen.width}: {', '.join(left_out)}", "dim"))


def print_records(columns: Columns, records: Iterable[Any]) -> None:
    """Print a table with a row for each record, as :func:`print_table` does."""
    rows = [[cell(record) for _, cell in columns] for record in records]
    print_table([column for column, _ in columns], rows)


def _that_fit(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Return the positions of the columns that fit in ``room`` characters, gaps included."""
    kept = list(range(len(columns)))
    for at in sorted(kept, key=lambda at: -columns[at].rank):
        if not columns[at].rank or sum(widths[i] + _GAP for i in kept) - _GAP <= room:
            break
        kept.remove(at)
    return kept


def _least_width(screen: "Screen", column: Column, cells: "Row") -> int:
    """Return the length of a column's longest cell, or of its longest word if it wraps."""
    from rich.measure import Measurement

    wide = screen.options.update(width=100_000)
    sizes = [Measurement.get(screen, wide, cell) for cell in (column.heading, *cells)]
    return max(size.minimum if column.wraps else size.maximum for size in sizes)
