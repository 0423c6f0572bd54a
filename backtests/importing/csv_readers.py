"""Turn CSV files into batches.

A file's header determines its format. If several formats have similar headers, the file's name
decides between these formats. The header is the first line that is not blank.

:mod:`backtests.importing.tables` lists the tables that need only a choice of columns. To add
another format, write a reader and add the header to :func:`_reader`.
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd

from backtests.importing.tables import TABLES
from backtests.store.batch import FRED, PRICES, TABLE, Batch, dated, is_price
from backtests.store.cells import announced, announced_note, dates_of, values_of
from backtests.store.closes import TICKER, check_shifts, latest, on_sessions, valid_closes
from signals.catalog import CATALOG, HOW_TO_ADD, PUBLISHERS_NAMES
from signals.errors import DataError
from signals.universe import asset

#: Names of the column of dates in a price table. pandas writes an index without a name as "".
_DATES = ("Date", "date", "session", "")


class UnknownFormat(Exception):  # noqa: N818 - not an error: another program may have made the file
    """No reader supports the format of the file."""


def read_csv(name: str, text: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    """Yield the batches of a CSV file.

    If a ticker's prices have a shift that is surely an error, only this ticker's batch is refused.
    Some formats state the ticker, or the kind of table, only in the file's ``name``.
    ``recorded_at`` is the moment at which the store records the values, New York time. Dates after
    ``recorded_at`` are refused. The days of a coin are in UTC, so a file may have a coin's price
    with tomorrow's date. The price with tomorrow's date is left out, not refused.

    Raises
    ------
    UnknownFormat
        Raised if no reader supports the header.
    DataError
        Raised if a cell is wrong. The message gives the number of the line.
    """
    stem = re.sub(r"(\.csv)?(\.gz)?$", "", name, flags=re.IGNORECASE)
    reader = _reader(_header(text), stem)
    yield from reader(_table(text), stem, recorded_at)


def _header(text: str) -> list[str]:
    """Return the cells of the first line that is not blank."""
    try:
        return [cell.strip() for cell in next(row for row in csv.reader(_lines(text)) if row)]
    except (csv.Error, StopIteration):
        raise UnknownFormat("the file has no table") from None


def _lines(text: str) -> StringIO:
    """Return the lines of a text, without blanks at its start. Lines may have any usual ending.

    Each line keeps its number, and a line break inside a quoted cell stays in the cell.
    """
    whole = StringIO(text, newline=None).read()
    table = whole.lstrip()
    return StringIO("\n" * whole[: len(whole) - len(table)].count("\n") + table)


Reader = Callable[[pd.DataFrame, str, pd.Timestamp], Iterator[Batch]]


def _reader(header: list[str], stem: str) -> Reader:
    """Return the function that reads files with this header, or raise :class:`UnknownFormat`."""
    first, rest = header[0], header[1:]
    if first in ("observation_date", "DATE") and rest:
        unknown = [name for name in rest if _id_of(name) not in CATALOG]
        if unknown:
            raise UnknownFormat(
                f"FRED series not in the catalog: {', '.join(unknown[:5])}; {HOW_TO_ADD}"
            )
        return _read_fred
    for table in TABLES:
        if table.fits(header, stem):
            return table.read
    if first == "Date" and {"Close", "Adj Close"} & set(rest):
        return _read_yahoo
    if header[:2] == ["date", "total_net_flow_usd_m"]:
        return _read_flow
    if first == "date" and "funding" in stem and rest:
        return _read_funding
    tickers = "CLOSE" not in rest  # a price file of one ticker may have its header in capitals
    tickers &= first == "Date" or not any(f"FUNDING_{cell}" in CATALOG for cell in rest)
    if first in _DATES and rest and tickers and all(TICKER.fullmatch(cell) for cell in rest):
        return _read_prices
    if first == "Price" and "Close" in rest:
        raise UnknownFormat(
            "a table of yfinance with several rows of headers; write the adjusted closes alone, "
            "like yfinance.download(['SPY', 'MU'], auto_adjust=True)['Close'].to_csv('prices.csv')"
        )
    raise UnknownFormat(f"unknown header: {','.join(header)[:60]!r}")


def _table(text: str) -> pd.DataFrame:
    """Return a table of the cells as text, indexed by line number.

    Raise DataError if a column is repeated, if a row has a wrong number of cells, or if there are
    no rows.
    """
    reader = csv.reader(_lines(text))
    header = [cell.strip() for cell in next(row for row in reader if row)]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        at = reader.line_num
        raise DataError(f"line {at}: expected each column once, found {twice!r} twice; drop one")
    lines: dict[int, list[str]] = {}
    line = reader.line_num + 1  # the number of a row is the number of its first line
    for row in reader:
        if row and len(row) != len(header):
            raise DataError(f"line {line}: expected {len(header)} cells, was {len(row)}; repair it")
        if row:
            lines[line] = row
        line = reader.line_num + 1
    if not lines:
        raise DataError("expected rows below the header, found none; export the file again")
    return pd.DataFrame.from_dict(lines, orient="index", columns=header, dtype=str)


def _id_of(name: str) -> str:
    """Return the catalog id for the name that a publisher gives to a series."""
    return PUBLISHERS_NAMES.get(name, name)


def _read_fred(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    table = table.replace(".", "")
    ahead = _announced(table, recorded_at)
    table, left_out = table[~ahead], table[ahead]
    dates = dates_of(table.iloc[:, 0], recorded_at)
    for name in table.columns[1:]:
        id = _id_of(name)
        source = FRED if CATALOG[id].source == "fred" else TABLE
        note = announced_note(int((left_out[name].str.strip() != "").sum()))
        yield dated(id, values_of(id, table[name], dates), source, recorded_at, note)


def _announced(table: pd.DataFrame, recorded_at: pd.Timestamp) -> np.ndarray:
    """Mark each row whose date is in the future and whose values were all announced in advance."""
    days = pd.to_datetime(table.iloc[:, 0].str.strip(), errors="coerce", format="%Y-%m-%d")
    names = table.columns[1:]
    ahead = [announced(_id_of(name), pd.DatetimeIndex(days), recorded_at) for name in names]
    blank = [(table[name].str.strip() == "").to_numpy() for name in names]
    return np.asarray(np.any(ahead, axis=0) & np.all(np.logical_or(ahead, blank), axis=0))


def _read_yahoo(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    column = "Adj Close" if "Adj Close" in table else "Close"
    if not TICKER.fullmatch(stem):
        raise DataError(
            f"expected the ticker as the file's name, like SPY.csv, was {stem!r}; rename the file"
        )
    prices = table[["Date", column]].set_axis(["Date", stem], axis=1)
    batches = list(_read_prices(prices, stem, recorded_at))
    if not batches:
        raise DataError(
            f"expected prices on sessions in the column {column}, found none; check the file"
        )
    yield from batches


def _read_prices(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    tickers = table.columns[1:]
    dates = dates_of(table.iloc[:, 0], max(latest(ticker, recorded_at) for ticker in tickers))
    for ticker in tickers:
        batch = _prices(ticker, table[ticker], dates, recorded_at)
        if batch.refused or not batch.rows.empty:
            yield batch


def _prices(
    ticker: str, column: pd.Series, dates: pd.DatetimeIndex, recorded_at: pd.Timestamp
) -> Batch:
    if not is_price(ticker):
        raise DataError(
            f"expected prices, but {ticker} is a series of the catalog; change the header to "
            f"observation_date,{ticker}"
        )
    values, notes = valid_closes(ticker, values_of(ticker, column, dates), recorded_at)
    listed = asset(ticker).listed
    if listed is not None and len(values) and values.index[0] < pd.Timestamp(listed):
        raise DataError(
            f"expected no price of {ticker} before its listing on {listed}, found a price on "
            f"{values.index[0].date()}; this price belongs to another company; delete the earlier "
            "rows"
        )
    batch = dated(ticker, values, PRICES, recorded_at)
    try:
        notes.append(check_shifts(ticker, values))
    except DataError as error:
        return replace(batch, rows=batch.rows.iloc[:0], refused=str(error))
    return replace(batch, note="; ".join(filter(None, notes)))


def _read_flow(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    id = f"FLOW_{stem.split('_')[0].upper()}_ETF"
    if id not in CATALOG:
        raise DataError(
            f"expected a file name that begins with btc_ or eth_, was {stem!r}; rename the file"
        )
    values = values_of(id, table.iloc[:, 1], dates_of(table["date"], recorded_at))
    flows, note = on_sessions(id, values)
    yield dated(id, flows, TABLE, recorded_at, note)


def _read_funding(table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
    dates = dates_of(table["date"], recorded_at)
    for coin in table.columns[1:]:
        id = f"FUNDING_{coin}"
        if id in CATALOG:
            yield dated(id, values_of(id, table[coin], dates), TABLE, recorded_at)
