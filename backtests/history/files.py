"""Importing files: recognise what a file is by its header, check it, make batches of it.

A file that none of the readers recognises is foreign. A file that one recognises but that holds
something it cannot is refused as a whole, with its name, the line and the cure. Units come from
the catalog: a value outside its series' plausible range is a file in another unit.
"""

import csv
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.history import sec
from backtests.history.batch import Batch
from backtests.history.sec_document import read_document
from backtests.history.tables import Foreign, read_csv
from signals.errors import DataError

_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    csv.Error,
)


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What reading some files gave.

    Attributes
    ----------
    batches
        One a series.
    files
        Name of each file read, and how many series it held.
    skipped
        Names of the files not recognised, with the reason.
    refused
        One line for each file recognised but bad.
    """

    batches: list[Batch] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def parse(
    path: Path, recorded_at: pd.Timestamp, progress: Callable[[str], None] = lambda name: None
) -> Parsed:
    """Read a file, or every file below a folder.

    Parameters
    ----------
    path
        A file or folder.
    recorded_at
        Now, by New York's clock; later dates are refused.
    progress
        Called with each file's name before it is read.

    Raises
    ------
    DataError
        When the path does not exist, or is a single file that is not recognised, or a folder
        with nothing to read in it.
    """
    parsed = Parsed()
    facts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for file in _files(path):
        name = str(file.relative_to(path)) if path.is_dir() else file.name
        progress(name)
        try:
            _take(parsed, facts, file, name, recorded_at)
        except Foreign as reason:
            parsed.skipped[name] = str(reason)
        except DataError as error:
            parsed.refused.append(f"{name}: {error}")
        except _UNREADABLE as error:
            kind = type(error).__name__
            parsed.refused.append(
                f"{name}: expected a readable file, but {kind}: {error}; repair it"
            )
    _solve(parsed, facts)
    if not (parsed.batches or parsed.refused):
        raise DataError(_nothing(path, parsed))
    return parsed


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise DataError(f"expected a file or folder at {path}, found none; check the path")
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())


def _nothing(path: Path, parsed: Parsed) -> str:
    skipped = "; ".join(parsed.skipped.values()) or "it holds no series of the catalog"
    what = skipped if path.is_file() else "none of its files is known"
    return (
        f"expected FRED, Yahoo, price-table or SEC data in {path}, found nothing to import "
        f"({what}); the README lists the formats"
    )


def _take(
    parsed: Parsed,
    facts: dict[tuple[str, str], list[dict[str, Any]]],
    file: Path,
    name: str,
    recorded_at: pd.Timestamp,
) -> None:
    """Read one file into what was parsed so far, or raise and leave that as it was."""
    text = _text(file)
    if text.lstrip().startswith("{"):
        concept, entries = read_document(text, recorded_at)
        facts.setdefault(concept, []).extend(entries)
        parsed.files[name] = 1
        return
    batches = list(read_csv(file.name, text, recorded_at))
    taken = {batch.series_id for batch in parsed.batches}
    twice = [batch.series_id for batch in batches if batch.series_id in taken]
    if twice:
        raise DataError(
            f"expected each series in one file, but {', '.join(twice[:3])} came in an earlier file "
            "too; remove one of the two"
        )
    parsed.batches.extend(batches)
    parsed.files[name] = len(batches)


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        text = raw.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise Foreign(f"no readable text: {type(error).__name__}") from None
    if not text.strip():
        raise Foreign("the file is empty")
    if "\x00" in text:
        raise Foreign("no readable text: binary")
    return text


def _solve(parsed: Parsed, facts: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    for (concept, ticker), entries in facts.items():
        found = sec.batches(concept, ticker, sec.first_filed(ticker, entries))
        parsed.batches.extend(batch for batch in found if not batch.rows.empty)
