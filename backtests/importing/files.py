"""Turn files into batches for the store, and report the files that were skipped or refused.

A file in an unknown format is skipped. If a file in a known format has a wrong cell, the whole file
is refused. The message names the file and the line, and says how to correct the error. If a
ticker's prices in a table have a shift that is surely an error, such as a split without adjustment,
only this ticker is refused. A damaged file is refused. A file counts as damaged if it has the name
of a data file, but is empty, binary or a broken link. An unreadable file or folder is refused with
a message, so the user learns about the missing data. A link to a folder is skipped, because reading
a link to a parent folder would never end.

The unit and the plausible range of each series come from the catalog. If a value is outside the
plausible range, the file probably uses another unit and is refused.
"""

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.importing import sec_facts
from backtests.importing.csv_readers import UnknownFormat, read_csv
from backtests.importing.sec_document import read_document
from backtests.plural import some_of
from backtests.progress import Progress, counted, silent
from backtests.store.batch import Batch
from signals.errors import ConfigError, DataError

_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    csv.Error,
)
#: Largest size of a file's text, in bytes. A table of 5,000 tickers over 20 years has fewer bytes.
MOST_BYTES = 256 * 2**20
#: Names of data files.
_DATA = re.compile(r"\.(csv|json)(\.gz)?$", re.IGNORECASE)
_CUT = "the file ends without a line break, so its last row may be cut; check the row"
_LINKED = "a link to a folder is not followed; import that folder by its own path"


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """The result of reading files: batches, and the files that were read, skipped or refused.

    Attributes
    ----------
    batches
        One batch for each series.
    files
        The number of series in each file, by the file's name. If several paths were read, a file's
        name is the file's whole path. Files that were skipped or refused are left out. A document
        of the SEC counts as one series.
    skipped
        The reason for each skipped file or folder, by its name.
    refused
        One message for each file or folder that is wrong, damaged or unreadable, and for each
        refused ticker of a price table.
    """

    batches: list[Batch] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def parse(paths: Sequence[Path], recorded_at: pd.Timestamp, progress: Progress = silent) -> Parsed:
    """Read files, and every file in folders and their subfolders.

    ``recorded_at`` is the moment at which the store records the values, New York time. Dates after
    ``recorded_at`` are refused. Before a file is read, ``progress`` receives the file's name and
    the number of files already read.

    Raises
    ------
    DataError
        Raised if a path does not exist, or if the paths contain nothing to import.
    """
    parsed = Parsed()
    facts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    folder = _folder_of(paths)
    files = {_name(file, folder): file for path in paths for file in _files(path, folder, parsed)}
    for name in counted(files, progress, str):
        file = files[name]
        try:
            _read(parsed, facts, file, name, recorded_at)
        except UnknownFormat as reason:
            parsed.skipped[name] = str(reason)
        except (DataError, ConfigError) as error:  # the calendar raises ConfigError
            parsed.refused.append(f"{name}: {error}")
        except _UNREADABLE as error:
            kind = type(error).__name__
            parsed.refused.append(
                f"{name}: expected a readable file, but reading the file failed ({kind}: {error}); "
                "repair the file"
            )
    for (concept, ticker), entries in facts.items():
        parsed.batches.extend(sec_facts.batches(concept, ticker, entries))
    if not (parsed.batches or parsed.refused):
        raise DataError(_nothing_to_import(paths, parsed))
    return parsed


def _folder_of(paths: Sequence[Path]) -> Path | None:
    """Return the folder that the names of files leave out; None if the names are whole paths."""
    if len(paths) > 1:
        return None
    return paths[0] if _is_folder(paths[0]) else paths[0].parent


def _name(file: Path | str, folder: Path | None) -> str:
    return str(file) if folder is None else os.path.relpath(file, folder)


def _files(path: Path, root: Path | None, parsed: Parsed) -> list[Path]:
    """Return the files to read. Record linked folders and unreadable folders in ``parsed``."""
    if not _is_folder(path):
        return [path]

    def refuse(error: OSError) -> None:
        name = _name(str(error.filename), root)
        parsed.refused.append(f"{name}: {_system_says(error)}")

    files = []
    for folder, subfolders, names in os.walk(path, onerror=refuse):
        files += [Path(folder, name) for name in names]
        for link in (Path(folder, name) for name in subfolders):
            if link.is_symlink():
                parsed.skipped[_name(link, root)] = _LINKED
    return sorted(files)


def _is_folder(path: Path) -> bool:
    """Return True if a path is a folder. Raise DataError if nothing exists at the path."""
    try:
        if not path.exists() and not path.is_symlink():
            raise DataError(f"expected a file or folder at {path}, found none; check the path")
        return path.is_dir()
    except OSError as error:
        raise DataError(f"{path}: {_system_says(error)}") from None


def _system_says(error: OSError) -> str:
    return f"expected a readable file or folder, but the system says: {error.strerror or error}"


def _nothing_to_import(paths: Sequence[Path], parsed: Parsed) -> str:
    skipped = "; ".join(parsed.skipped.values()) or "the file contains no series to store"
    what = (
        "no file in the folder has a known format and a series to store"
        if any(path.is_dir() for path in paths)
        else skipped
    )
    where = some_of([str(path) for path in paths])
    return (
        f"expected FRED, Yahoo, price-table or SEC data in {where}, found nothing to import "
        f"({what}); the page 'Import files' of the documentation lists the formats"
    )


def _read(
    parsed: Parsed,
    facts: dict[tuple[str, str], list[dict[str, Any]]],
    file: Path,
    name: str,
    recorded_at: pd.Timestamp,
) -> None:
    """Read one file into ``parsed``, or its SEC facts into ``facts``.

    After an error, nothing is added.
    """
    text = _text(file)
    if text.lstrip().startswith("{"):
        concept, entries = read_document(text, recorded_at)
        facts.setdefault(concept, []).extend(entries)
        parsed.files[name] = 1
        return
    read = list(read_csv(file.name, text, recorded_at))
    batches = [batch for batch in read if not batch.refused]
    earlier = {batch.series_id for batch in parsed.batches}
    twice = [batch.series_id for batch in batches if batch.series_id in earlier]
    if twice:
        raise DataError(
            f"expected each series in one file, but {', '.join(twice[:3])} came in an earlier file "
            "too; remove one of the two files"
        )
    parsed.refused.extend(f"{name}: {batch.refused}" for batch in read if batch.refused)
    if not text.endswith(("\n", "\r")):
        batches = [replace(b, note="; ".join(filter(None, [b.note, _CUT]))) for b in batches]
    parsed.batches.extend(batches)
    if batches or not read:
        parsed.files[name] = len(batches)


def _text(file: Path) -> str:
    """Return the text of a file.

    A file without text raises the error that :func:`_no_text` returns.
    """
    try:
        if not file.is_file():
            raise _not_a_file(file)
        text = _bytes(file).decode("utf-8-sig")
    except (EOFError, UnicodeDecodeError, zlib.error, gzip.BadGzipFile) as error:
        what = "UTF-8 text" if isinstance(error, UnicodeDecodeError) else "a whole gzip file"
        raise _no_text(file, what, type(error).__name__, str(error)) from None
    except OSError as error:
        raise DataError(_system_says(error)) from None
    if not text.strip():
        raise _no_text(file, "text", "the file is empty", "the file is empty")
    if "\x00" in text:
        raise _no_text(file, "text", "binary", "the file contains NUL bytes")
    return text


def _no_text(file: Path, expected: str, kind: str, why: str) -> Exception:
    """Return the error for a file without text.

    The error is DataError for the name of a data file, and UnknownFormat for any other name.
    """
    if _DATA.search(file.name):
        return DataError(
            f"expected {expected}, was damaged or of another kind: {why}; repair the file"
        )
    return UnknownFormat(f"no readable text: {kind}")


def _not_a_file(file: Path) -> Exception:
    """Return the error for a path that is a broken link, a folder, a pipe or a device."""
    if _DATA.search(file.name) and file.is_symlink() and not file.exists():
        return DataError("expected a file, was a broken link; restore the file behind the link")
    return UnknownFormat("not a regular file")


def _bytes(file: Path) -> bytes:
    """Return a file's unpacked bytes. Raise DataError for more than :data:`MOST_BYTES` bytes."""
    with file.open("rb") as packed:
        raw = packed.read(MOST_BYTES + 1)
    if raw[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(raw)) as unpacked:
            raw = unpacked.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise DataError(
            f"expected at most {MOST_BYTES / 2**20:g} MiB of text, was more; split the file by "
            "columns"
        )
    return raw
