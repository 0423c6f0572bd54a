"""The result files of a sweep: one part for each finished chunk, and finally one file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from backtests.atomic import replacing
from backtests.sweep.chunk import Span
from signals.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

FILE, PARTS = "results.parquet", "parts"
#: Number of rows in each row group of the final file.
GROUP = 4096
_NAME = re.compile(r"(\d{9})-(\d{9})\.parquet")


def write_part(folder: Path, span: Span, table: "pa.Table") -> None:
    """Write the rows of one chunk, either completely or not at all."""
    from pyarrow import parquet

    with replacing(folder / PARTS / f"{span.first:09}-{span.end:09}.parquet") as fresh:
        parquet.write_table(table, fresh)


def parts_of(folder: Path) -> list[tuple[Span, Path]]:
    """Return the finished parts in ascending order; leave out parts that overlap earlier parts."""
    found = []
    for path in (folder / PARTS).iterdir() if (folder / PARTS).is_dir() else ():
        if name := _NAME.fullmatch(path.name):
            found.append((Span(int(name[1]), int(name[2])), path))
    kept: list[tuple[Span, Path]] = []
    for span, path in sorted(found):
        if not kept or span.first >= kept[-1][0].end:
            kept.append((span, path))
    return kept


def missing(folder: Path, size: int) -> list[Span]:
    """Return the spans (ranges) of configurations that have no results yet.

    ``size`` is the number of all configurations.
    """
    if (folder / FILE).is_file():
        return []
    gaps, end = [], 0
    for span, _ in parts_of(folder):
        gaps += [Span(end, span.first)] if span.first > end else []
        end = span.end
    return gaps + ([Span(end, size)] if end < size else [])


def finish(folder: Path, described: dict[str, str]) -> Path:
    """Join the parts into one file, then remove the parts; return the file.

    Equal rows always give a file with the same bytes. The file does not depend on interruptions of
    the sweep, the number of parts, or the number of processes.
    """
    path = folder / FILE
    if not path.is_file():
        _join([part for _, part in parts_of(folder)], path, described)
    for part in sorted((folder / PARTS).iterdir()) if (folder / PARTS).is_dir() else ():
        part.unlink(missing_ok=True)
    if (folder / PARTS).is_dir():
        (folder / PARTS).rmdir()
    return path


def _join(parts: list[Path], path: Path, described: dict[str, str]) -> None:
    from pyarrow import parquet

    schema = parquet.read_schema(parts[0]).with_metadata(described)
    with replacing(path) as fresh, parquet.ParquetWriter(fresh, schema) as writer:
        for group in _groups(parts):
            writer.write_table(group.replace_schema_metadata(described))


def _groups(parts: list[Path]) -> "Iterator[pa.Table]":
    """Yield tables that together contain the rows of all parts, in order.

    Each table has :data:`GROUP` rows, but the last table may have fewer rows.
    """
    import pyarrow as pa
    from pyarrow import parquet

    waiting: pa.Table | None = None
    for part in parts:
        rows = parquet.read_table(part)
        waiting = rows if waiting is None else pa.concat_tables([waiting, rows])
        while waiting.num_rows >= GROUP:
            yield waiting.slice(0, GROUP).combine_chunks()
            waiting = waiting.slice(GROUP)
    if waiting is not None and waiting.num_rows:
        yield waiting.combine_chunks()


def read_results(path: Path, columns: list[str] | None = None) -> "pa.Table":
    """Return the rows of a finished sweep; a file that cannot be read raises DataError."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(path, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"expected the results of a sweep at {path}, but it cannot be read: {error}; delete "
            "the folder and run the sweep again"
        ) from None


def groups_of(path: Path, columns: list[str]) -> "Iterator[pa.Table]":
    """Yield some columns of a finished sweep, one group of rows at a time."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=columns)
