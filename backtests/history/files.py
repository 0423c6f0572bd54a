"""Importing files: recognise what a file is by its header, check it, make batches of it.

A file that none of the readers recognises is foreign. A file that one recognises but that holds
something it cannot is refused as a whole, with its name, the line and the cure. Units come from
the catalog: a value outside its series' plausible range is a file in another unit.
"""

import csv
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.history import sec
from backtests.history.batch import Batch, dated, is_price, rule_of
from backtests.history.calendar import all_sessions, known_at
from signals.catalog import CATALOG, CONCEPTS, FACT_RANGE, FILERS, annual_id
from signals.errors import DataError
from signals.universe import asset

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.\-=^]*")
_PRICE_LIMIT = 1e9
_OLDEST = pd.Timestamp("1900-01-01")
_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    csv.Error,
)


class Foreign(Exception):  # noqa: N818 - not an error: the file is somebody else's
    """The file is none that we know."""


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
        concept, entries = _read_sec(text, recorded_at)
        facts.setdefault(concept, []).extend(entries)
        parsed.files[name] = 1
        return
    batches = list(_read_csv(file, text, recorded_at))
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


# --- CSV ------------------------------------------------------------------------------------


def _read_csv(file: Path, text: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    header = _header(text)
    stem = re.sub(r"(\.csv)?(\.gz)?$", "", file.name, flags=re.IGNORECASE)
    reader = _reader(header, stem)
    table = _table(text)
    yield from reader(table, stem, recorded_at)


def _header(text: str) -> list[str]:
    """Return the cells of the first line that is not blank."""
    try:
        return [cell.strip() for cell in next(row for row in csv.reader(_lines(text)) if row)]
    except (csv.Error, StopIteration):
        raise Foreign("no table") from None


def _lines(text: str) -> list[str]:
    """Return the lines of a text, whatever ends them."""
    return StringIO(text.lstrip(), newline=None).read().split("\n")


Reader = Callable[[pd.DataFrame, str, pd.Timestamp], Iterator[Batch]]


def _reader(header: list[str], stem: str) -> Reader:
    """Return the reader for a header, or raise :class:`Foreign`."""
    first, rest = header[0], header[1:]
    if first in ("observation_date", "DATE") and rest:
        return _read_fred(rest)
    if first == "Date" and {"Close", "Adj Close"} & set(rest):
        return _read_yahoo
    if first == "Date" and rest and all(_TICKER.fullmatch(cell) for cell in rest):
        return _read_prices
    if header == ["date", "total_net_flow_usd_m"]:
        return _read_flow
    if first == "date" and "funding" in stem and rest:
        return _read_funding
    if header == ["date", "total"] and "stablecoin" in stem:
        return _read_stablecoins
    if header[:1] == ["ticker"] and "period_end" in header:
        return _read_annual
    raise Foreign(f"no known header: {','.join(header)[:60]!r}")


def _table(text: str) -> pd.DataFrame:
    """Return the rows as text, indexed by line number; every row as wide as the header."""
    reader = csv.reader(_lines(text))
    header = [cell.strip() for cell in next(row for row in reader if row)]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise DataError(f"line 1: expected each column once, was {twice!r} twice; drop one")
    lines: dict[int, list[str]] = {}
    for row in reader:
        if row and len(row) != len(header):
            raise DataError(
                f"line {reader.line_num}: expected {len(header)} columns, was {len(row)}; repair it"
            )
        if row:
            lines[reader.line_num] = row
    if not lines:
        raise DataError("expected rows below the header, found none; export the file again")
    return pd.DataFrame.from_dict(lines, orient="index", columns=header, dtype=str)


def _read_fred(ids: list[str]) -> Reader:
    unknown = [id for id in ids if id not in CATALOG]
    if unknown:
        raise Foreign(f"FRED series not in the catalog: {', '.join(unknown[:5])}")

    def read(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
        dates = _dates(table.iloc[:, 0], recorded_at)
        for id in ids:
            yield dated(id, _values(id, table[id].replace(".", ""), dates), "FRED", recorded_at)

    return read


def _read_yahoo(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    column = "Adj Close" if "Adj Close" in table else "Close"
    if not _TICKER.fullmatch(stem):
        raise DataError(
            f"expected a file named after its ticker, like SPY.csv, was {stem!r}; rename it"
        )
    ahead = 1 if asset(stem).market == "crypto" else 0  # a UTC day begins in New York's evening
    dates = _dates(table["Date"], recorded_at + pd.Timedelta(days=ahead))
    batch = _prices(stem, table[column], dates, recorded_at)
    if batch.rows.empty:
        raise DataError(
            f"expected prices in the column {column}, found none on a session; check it"
        )
    yield batch


def _read_prices(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    dates = _dates(table["Date"], recorded_at)
    for ticker in table.columns[1:]:
        batch = _prices(ticker, table[ticker], dates, recorded_at)
        if not batch.rows.empty:
            yield batch


def _prices(
    ticker: str, column: pd.Series, dates: pd.DatetimeIndex, recorded_at: pd.Timestamp
) -> Batch:
    if not is_price(ticker):
        raise DataError(
            f"expected prices, but {ticker} is a series of the catalog; give it FRED's header, "
            f"observation_date,{ticker}"
        )
    values = _values(ticker, column, dates)
    known = asset(ticker)
    notes = []
    if known.market != "crypto":
        values, note = _on_sessions(values)
        notes.append(note)
    values, note = _closed(ticker, values, recorded_at)
    notes.append(note)
    listed = pd.Timestamp(known.listed) if known.listed else None
    if listed is not None and len(values) and values.index[0] < listed:
        raise DataError(
            f"expected {ticker} from its listing on {listed.date()}, was {values.index[0].date()}: "
            "that is another company's price; cut the rows before the listing"
        )
    return dated(ticker, values, "prices", recorded_at, "; ".join(filter(None, notes)))


def _read_flow(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    id = f"FLOW_{stem.split('_')[0].upper()}_ETF"
    if id not in CATALOG:
        raise DataError(
            f"expected a file named btc_… or eth_…, was {stem!r}; rename it after its coin"
        )
    values = _values(id, table.iloc[:, 1], _dates(table["date"], recorded_at))
    on_sessions, note = _on_sessions(values)
    yield dated(id, on_sessions, "table", recorded_at, note)


def _read_funding(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    dates = _dates(table["date"], recorded_at)
    for coin in table.columns[1:]:
        if f"FUNDING_{coin}" in CATALOG:
            id = f"FUNDING_{coin}"
            yield dated(id, _values(id, table[coin], dates), "table", recorded_at)


def _read_stablecoins(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    values = _values("STABLECOINS", table["total"], _dates(table["date"], recorded_at))
    yield dated("STABLECOINS", values, "table", recorded_at)


_ANNUAL_COLUMNS = {
    "long_term_debt_usd": "DEBT",
    "debt_issuance_usd": "DEBT_ISSUED",
    "interest_expense_usd": "INTEREST",
    "operating_cash_flow_usd": "OCF",
}


def _read_annual(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    lacking = {"period_end", *_ANNUAL_COLUMNS} - set(table.columns)
    if lacking:
        raise DataError(f"line 1: expected the column {sorted(lacking)[0]}; export the table again")
    for ticker, part in table.groupby("ticker", sort=True):
        if ticker not in FILERS.values():
            continue
        dates = _dates(part["period_end"], recorded_at)
        for column, concept in _ANNUAL_COLUMNS.items():
            id = annual_id(concept, str(ticker))
            values = _values(id, part[column], dates)
            if len(values):
                yield dated(id, values, "table", recorded_at)


def _closed(ticker: str, values: pd.Series, now: pd.Timestamp) -> tuple[pd.Series, str]:
    """Return the closes that are known by now: a last row may be a print of a running day."""
    done = known_at(rule_of(ticker), pd.DatetimeIndex(values.index), now) <= now
    running = values.index[~done]
    note = f"{running[0].date()} left out: the day had not closed" if len(running) else ""
    return values[done], note


def _on_sessions(values: pd.Series) -> tuple[pd.Series, str]:
    """Return the values on NYSE sessions, and a note on the others."""
    index = all_sessions()
    inside = values.index.isin(index) | (values.index < index[0])
    dropped = int((~inside).sum())
    note = f"{dropped} rows on days that are no NYSE sessions left out" if dropped else ""
    return values[inside], note


# --- cells ----------------------------------------------------------------------------------


def _dates(column: pd.Series, recorded_at: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the dates of a column; refuse what is no plain date, unsorted, twice or to come."""
    text = column.str.strip()
    bad = ~text.str.fullmatch(_DATE.pattern)
    if bad.any():
        raise DataError(_line(text[bad], "a plain date like 2025-10-06, without time or zone"))
    dates = pd.to_datetime(text, errors="coerce", format="%Y-%m-%d")
    if dates.isna().any():
        raise DataError(_line(text[dates.isna()], "a date of the calendar"))
    step = dates.diff()
    if (step == pd.Timedelta(0)).any():
        raise DataError(_line(text[step == pd.Timedelta(0)], "each date once", "drop one"))
    if (step < pd.Timedelta(0)).any():
        raise DataError(
            _line(text[step < pd.Timedelta(0)], "dates in ascending order", "sort the file")
        )
    if dates.iloc[0] < _OLDEST:
        raise DataError(_line(text[dates < _OLDEST], f"no date before {_OLDEST.date()}"))
    if dates.iloc[-1] > recorded_at:
        raise DataError(
            _line(text[dates > recorded_at], f"no date after today, {recorded_at.date()}")
        )
    return pd.DatetimeIndex(dates).as_unit("us")


def _values(id: str, column: pd.Series, dates: pd.DatetimeIndex) -> pd.Series:
    """Return the numbers of a column by date, blanks left out; refuse what cannot be."""
    text = column.str.strip()
    given = (text != "").to_numpy()
    text = text[given]
    numbers = pd.to_numeric(text, errors="coerce")
    bad = ~np.isfinite(numbers.to_numpy(dtype=np.float64))
    if bad.any():
        raise DataError(_line(text[bad], f"a finite number or a blank for {id}"))
    _check_range(id, numbers, dates[given], text)
    return pd.Series(numbers.to_numpy(dtype=np.float64), index=dates[given])


def _check_range(id: str, numbers: pd.Series, dates: pd.DatetimeIndex, text: pd.Series) -> None:
    if is_price(id):
        bad = (numbers <= 0) | (numbers > _PRICE_LIMIT)
        if bad.any():
            raise DataError(_line(text[bad], f"a price of {id} above zero in USD"))
        return
    entry = CATALOG[id]
    bad = (numbers < entry.low) | (numbers > entry.high)
    if entry.first is not None:
        bad &= dates >= pd.Timestamp(entry.first)
    if bad.any():
        wanted = f"{id} in {entry.unit}, which lies in {entry.low:g} to {entry.high:g}"
        raise DataError(_line(text[bad], wanted, "is the file in another unit?"))


def _line(bad: pd.Series, expected: str, cure: str = "correct it") -> str:
    return f"line {bad.index[0]}: expected {expected}, was {bad.iloc[0]!r}; {cure}"


# --- SEC ------------------------------------------------------------------------------------


def _read_sec(text: str, now: pd.Timestamp) -> tuple[tuple[str, str], list[dict[str, Any]]]:
    """Return the concept and company of a ``companyconcept`` document, and its facts."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"line {error.lineno}: expected whole JSON, but {error.msg}; fetch the file again"
        ) from None
    if not isinstance(document, dict) or not {"cik", "tag", "units"} <= document.keys():
        raise Foreign("JSON, but no SEC companyconcept document")
    concept = CONCEPTS.get(str(document["tag"]))
    ticker = FILERS.get(int(document["cik"]))
    if concept is None or ticker is None:
        raise Foreign(f"SEC tag {document['tag']} of CIK {document['cik']} is not in the catalog")
    entries = document["units"].get("USD") if isinstance(document["units"], dict) else None
    if not isinstance(entries, list) or not entries:
        raise DataError("expected facts under units/USD, found none; fetch the file again")
    for number, entry in enumerate(entries, start=1):
        _check_fact(number, entry, now)
    return (concept, ticker), [e for e in entries if "start" in e]


def _check_fact(number: int, entry: Any, now: pd.Timestamp) -> None:
    """Refuse a fact that lacks a part, or whose dates or amount cannot be."""
    wanted: dict[str, Any] = {"end": str, "filed": str, "val": (int, float), "accn": str}
    good = isinstance(entry, dict) and all(isinstance(entry.get(k), t) for k, t in wanted.items())
    if not good or isinstance(entry["val"], bool):
        raise DataError(
            f"fact {number}: expected end, filed, accn and a number val, was {str(entry)[:80]}; "
            "fetch the file again"
        )
    end, filed = _day(number, entry["end"]), _day(number, entry["filed"])
    start = _day(number, entry["start"]) if "start" in entry else end
    if not _OLDEST < start <= end <= filed <= now:
        raise DataError(
            f"fact {number}: expected start, end and filed in this order and not after today, were "
            f"{start.date()}, {end.date()}, {filed.date()}; fetch the file again"
        )
    low, high = FACT_RANGE
    if not low <= abs(entry["val"]) <= high:
        raise DataError(
            f"fact {number}: expected USD in {low:g} to {high:g}, was {entry['val']!r}; "
            "is the file in another unit?"
        )


def _day(number: int, text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(date.fromisoformat(text))
    except ValueError:
        raise DataError(
            f"fact {number}: expected a date like 2025-09-30, was {text!r}; fetch the file again"
        ) from None


def _solve(parsed: Parsed, facts: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    for (concept, ticker), entries in facts.items():
        found = sec.batches(concept, ticker, sec.first_filed(entries))
        parsed.batches.extend(batch for batch in found if not batch.rows.empty)
