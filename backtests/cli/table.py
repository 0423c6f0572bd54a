"""Print tables on the terminal, without the columns that do not fit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from backtests.cli.terminal import ENDLESS, console, say, styled

if TYPE_CHECKING:
    from backtests.cli.terminal import Screen, Styled

    Row = Sequence[str | Styled]

_GAP = 2  # space between columns, in characters
_READABLE = 24  # least width of a column in which a long text wraps, in characters


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    If a terminal is too narrow, the column with the largest number in ``rank`` is left out first. A
    column with rank 0 is never left out. In a column that wraps, a long text continues on the next
    line.
    """

    heading: str
    right: bool = False  # whether cells are aligned at the right
    wraps: bool = False
    rank: int = 0


#: Each pair is a column, and a function that takes a record and returns the column's cell.
Columns: TypeAlias = Sequence[tuple[Column, Callable[[Any], "str | Styled"]]]


def words(heading: str = "", *, wraps: bool = False, rank: int = 0) -> Column:
    """Return a column of words; with ``wraps``, a long text continues on the next line."""
    return Column(heading=heading, wraps=wraps, rank=rank)


def numbers(heading: str = "", *, rank: int = 0) -> Column:
    """Return a column of numbers."""
    return Column(heading=heading, right=True, rank=rank)


def print_table(columns: Sequence[Column], rows: Iterable["Row"], *, headed: bool = True) -> None:
    """Print a table, and below the table the names of the columns that do not fit.

    The text of a cell is never cut. A column with rank 0 is never left out, so a table can be wider
    than the terminal.
    """
    from rich.table import Table

    screen, cells = console(), [tuple(row) for row in rows]
    sizes = [_sizes(screen, c, [row[at] for row in cells]) for at, c in enumerate(columns)]
    room = screen.width
    kept = _that_fit(columns, [least for least, _ in sizes], room)
    widths = _widths([sizes[at] for at in kept], room)
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=headed)
    for c, width in zip((columns[at] for at in kept), widths, strict=True):
        table.add_column(c.heading, justify="right" if c.right else "left", width=width)
    for row in cells:
        table.add_row(*(row[at] for at in kept))
    screen.width = max(room, _total(widths))
    screen.print(table, crop=False)
    left_out = [c.heading for at, c in enumerate(columns) if at not in kept and c.heading]
    if left_out:
        note = f"left out at width {room}: {', '.join(left_out)}; widen the terminal"
        say(styled(f"{note} or add --json", "dim"))


def print_records(columns: Columns, records: Iterable[Any]) -> None:
    """Print a table with a row for each record, as :func:`print_table` does."""
    rows = [[cell(record) for _, cell in columns] for record in records]
    print_table([column for column, _ in columns], rows)


def _that_fit(columns: Sequence[Column], least: Sequence[int], room: int) -> list[int]:
    """Return the positions of the columns that fit in ``room`` characters, including the gaps."""
    kept = list(range(len(columns)))
    for at in sorted(kept, key=lambda at: -columns[at].rank):
        if not columns[at].rank or _total([least[i] for i in kept]) <= room:
            break
        kept.remove(at)
    return kept


def _total(widths: Sequence[int]) -> int:
    return sum(width + _GAP for width in widths) - _GAP


def _sizes(screen: "Screen", column: Column, cells: "Row") -> tuple[int, int]:
    """Return the minimum width and the preferred width of a column, in characters.

    The preferred width is the length of the longest cell. In a column that wraps, the minimum width
    is the length of the longest word, but at least :data:`_READABLE`. The minimum width is never
    larger than the preferred width. In a column that does not wrap, the minimum width equals the
    preferred width.
    """
    from rich.measure import Measurement

    wide = screen.options.update(width=ENDLESS)
    sizes = [Measurement.get(screen, wide, cell) for cell in (column.heading, *cells)]
    best = max(size.maximum for size in sizes)
    if not column.wraps:
        return best, best
    return max(min(best, _READABLE), *(size.minimum for size in sizes)), best


def _widths(sizes: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Return the width of each column; columns that wrap share the remaining space."""
    spare = max(0, room - _total([least for least, _ in sizes]))
    wanting = sum(best > least for least, best in sizes)
    widths = []
    for least, best in sizes:
        more = min(best - least, spare // max(wanting, 1))
        wanting -= best > least
        spare -= more
        widths.append(least + more)
    return widths
