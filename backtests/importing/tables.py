"""Formats of publishers' tables.

A format states the columns of each series, and the day from which the values of the series are
known. To add a table, add one entry to :data:`TABLES`. If a table must be changed before its
columns are read, the table's entry names a function that prepares the table.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from backtests.store.batch import TABLE, Batch, dated
from backtests.store.cells import dates_of, stated_days, values_of
from signals.catalog import CATALOG, ISSUERS, annual_id
from signals.errors import DataError
from signals.universe import public_since


def _as_it_is(table: pd.DataFrame) -> pd.DataFrame:
    return table


@dataclass(frozen=True, kw_only=True)
class Table:
    """The format of a publisher's table. The cells of the table are strings, not numbers.

    Attributes
    ----------
    marks
        Columns that identify this kind of table. The header of a file must contain all columns in
        ``marks``.
    date
        The column of the dates that the values describe.
    columns
        A mapping from the id of a series to its columns. If a series has several columns, the value
        of the series is the sum of these columns. If one column of a series is blank in a row, the
        series has no value in this row.
    known
        The name of the column with the day from which a value is known. If ``known`` is empty, or
        if the column has a blank cell for a value, the publication rule in the catalog determines
        when the value is known.
    by
        In a table with several companies or rates, ``by`` is the column with the names. The ids in
        ``columns`` contain ``{}`` in place of the name of the company or rate. Rows with a name
        outside the catalog are left out.
    names
        A mapping from a name in the column ``by`` to the catalog's name, if the two names differ.
    file
        Lower-case text that the file's name must contain, if several tables have this header.
    prepare
        A function that adds or changes columns of the table, or combines rows. ``prepare`` reads
        only the columns in ``marks``.
    """

    marks: tuple[str, ...]
    date: str
    columns: Mapping[str, tuple[str, ...]]
    known: str = ""
    by: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    prepare: Callable[[pd.DataFrame], pd.DataFrame] = _as_it_is

    def fits(self, header: list[str], stem: str) -> bool:
        """Return whether a file has this format. ``stem`` is the file name without extension."""
        return set(self.marks) <= set(header) and self.file in stem.lower()

    def read(self, table: pd.DataFrame, stem: str, recorded_at: pd.Timestamp) -> Iterator[Batch]:
        """Yield one batch for each series that has values. ``stem`` is not used.

        Raises
        ------
        DataError
            Raised if a column is missing or a cell is wrong. The message gives the line.
        """
        whole = self.prepare(table)
        wanted = (self.date, self.known, self.by, *sum(self.columns.values(), ()))
        lacking = [column for column in wanted if column and column not in whole]
        if lacking:
            raise DataError(f"line 1: expected the column {lacking[0]}; export the table again")
        groups = whole.groupby(self.by, sort=True) if self.by else [("", whole)]
        for name, part in groups:
            name = self.names.get(str(name), str(name))
            ids = {id.format(name): columns for id, columns in self.columns.items()}
            yield from self._batches(
                part, {k: v for k, v in ids.items() if k in CATALOG}, recorded_at
            )

    def _batches(
        self, part: pd.DataFrame, ids: Mapping[str, tuple[str, ...]], recorded_at: pd.Timestamp
    ) -> Iterator[Batch]:
        if not ids:
            return
        dates = dates_of(part[self.date], recorded_at)
        stated = stated_days(part[self.known], dates) if self.known else None
        for id, columns in ids.items():
            found = [values_of(id, part[column], dates) for column in columns]
            values = pd.concat(found, axis=1, join="inner").sum(axis=1)
            if len(values):
                yield dated(id, values, TABLE, recorded_at, stated=stated)


def _at_month_end(table: pd.DataFrame) -> pd.DataFrame:
    """Move each date in the column ``month`` to the last day of its month.

    The values describe the end of the month. The publication rule counts from the last day of the
    month.
    """
    days = pd.to_datetime(table["month"].str.strip(), errors="coerce", format="%Y-%m-%d")
    ends = (days + pd.offsets.MonthEnd(0)).dt.strftime("%Y-%m-%d")
    return table.assign(month=ends.fillna(table["month"]))


def _since_public(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the fiscal years that ended before a company's first trading day.

    The table has no filing dates, so a publication rule determines when each value is known. The
    rule would be wrong for a private company, which publishes no annual report.
    """
    ends = pd.to_datetime(table["period_end"].str.strip(), errors="coerce", format="%Y-%m-%d")
    first = pd.to_datetime(pd.Series(map(public_since, table["ticker"]), index=table.index))
    return table[~(ends < first)]  # rows without a valid date stay, and are refused later


def _with_timing(table: pd.DataFrame) -> pd.DataFrame:
    """Add the columns ``after_close`` and ``known`` to a table of earnings releases.

    For a release before the open, ``after_close`` is 0 and ``known`` is the date of the release.
    For any other release, ``after_close`` is 1 and ``known`` is blank.
    """
    second, assumed = table["timing_second_source"], table["timing_assumed"]
    before_open = second.where(second != "", assumed) == "BMO"
    after_close = before_open.map({True: "0", False: "1"})
    return table.assign(after_close=after_close, known=table["report_date"].where(before_open, ""))


def _with_schedule(table: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``scheduled``: 1 for a scheduled statement, 0 for an unscheduled statement."""
    unscheduled = table["Unscheduled"]
    return table.assign(scheduled=unscheduled.replace({"0": "1", "1": "0"}))


def _without_times(table: pd.DataFrame) -> pd.DataFrame:
    """Remove the time of day from each moment."""
    days = table["date_time"].str.replace(r" \d{2}:\d{2}(:\d{2})?$", "", regex=True)
    return table.assign(date_time=days)


def _one_row_a_date(table: pd.DataFrame) -> pd.DataFrame:
    """For each date, add up the surprises of all statements.

    The sum is blank if a surprise is blank.
    """

    def added(cells: pd.Series) -> str:
        return "" if (cells == "").any() else str(sum(map(float, cells)))

    twice = table[table["Date"].duplicated(keep=False)].groupby("Date")
    sums = {
        column: table["Date"].map(twice[column].agg(added)).fillna(table[column])
        for column in ("MPS", "MPS_ORTH")
    }
    return table.assign(**sums).drop_duplicates("Date")


def _reactions(window: str, file: str) -> Table:
    """Return the format of a San Francisco Fed table with market changes around news of the Fed.

    ``window`` is ``ST``, ``PC`` or ``ME``. ``ST`` is the market change over 30 minutes around the
    statement. ``PC`` is the market change over 70 minutes around the press conference. ``ME``
    covers the statement and the press conference.
    """
    moved = ("UST2Y", "UST10Y", "SP500")
    return Table(
        marks=("date_time", *moved),
        date="date_time",
        columns={f"FED_{window}_{id}": (id,) for id in moved},
        file=file,
        prepare=_without_times,
    )


TABLES = (
    Table(
        marks=("month", "debit_balances_margin_usd_m"),
        date="month",
        columns={
            "MARGIN_DEBT": ("debit_balances_margin_usd_m",),
            "FREE_CREDIT": ("free_credit_cash_usd_m", "free_credit_margin_usd_m"),
        },
        known="known_from",
        prepare=_at_month_end,
    ),
    Table(
        marks=("spec_long", "spec_short", "spec_net"),
        date="date",
        columns={"COT_BTC_NET": ("spec_net",)},
        known="known_from",
    ),
    Table(
        marks=("hs8542_usd",),
        date="month",
        columns={"KOREA_CHIPS": ("hs8542_usd",), "KOREA_MEMORY": ("hs854232_memory_usd",)},
        known="known_from",
    ),
    Table(
        marks=("date", "total_usd"),
        date="date",
        columns={"STABLECOIN_SUPPLY": ("total_usd",)},
        file="stablecoin",
    ),
    Table(
        marks=("date", "total"),
        date="date",
        columns={"STABLECOINS": ("total",)},
        file="stablecoin",
    ),
    Table(
        marks=("ticker", "period_end"),
        date="period_end",
        columns={
            annual_id("DEBT", "{}"): ("long_term_debt_usd",),
            annual_id("DEBT_ISSUED", "{}"): ("debt_issuance_usd",),
            annual_id("INTEREST", "{}"): ("interest_expense_usd",),
            annual_id("OCF", "{}"): ("operating_cash_flow_usd",),
        },
        by="ticker",
        prepare=_since_public,
    ),
    Table(
        marks=("report_date", "symbol", "timing_second_source", "timing_assumed"),
        date="report_date",
        columns={"EARNINGS_{}": ("after_close",)},
        known="known",
        by="symbol",
        prepare=_with_timing,
    ),
    Table(
        marks=("date", "time_ny", "Unscheduled"),
        date="date",
        columns={"FOMC": ("scheduled",)},
        prepare=_with_schedule,
    ),
    Table(
        marks=("announcement_date", "effective_date", "rate_percent", "rate"),
        date="announcement_date",
        columns={"DECISION_{}": ("rate_percent",)},
        by="rate",
    ),
    Table(
        marks=("issuer", "announce", "total_usd"),
        date="announce",
        columns={"BOND_DEAL_{}": ("total_usd",)},
        by="issuer",
        names=ISSUERS,
    ),
    _reactions("ST", "statement"),
    _reactions("PC", "press"),
    _reactions("ME", "monetary"),
    Table(
        marks=("Date", "STMT", "PC", "ME"),
        date="Date",
        columns={"MPS_ST": ("STMT",), "MPS_PC": ("PC",), "MPS_ME": ("ME",)},
    ),
    Table(
        marks=("Date", "MPS", "MPS_ORTH"),
        date="Date",
        columns={"MPS_BS": ("MPS",), "MPS_BS_ORTH": ("MPS_ORTH",)},
        prepare=_one_row_a_date,
    ),
    Table(
        marks=("date", "OIS_2Y", "STOXX50"),
        date="date",
        columns={"ECB_OIS2Y": ("OIS_2Y",), "ECB_STOXX50": ("STOXX50",)},
    ),
    Table(
        marks=("date", "MP_median", "CBI_median"),
        date="date",
        columns={"ECB_MP": ("MP_median",), "ECB_CBI": ("CBI_median",)},
    ),
)
