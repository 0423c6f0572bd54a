"""Turn a user's DataFrames into the rows of a history, with the same checks as for an import.

For each series, the user states when each value became known, or chooses the publication rule of
the catalog. The package makes no other assumption about publication.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pandas as pd

from backtests.calendar import OPEN, session_from
from backtests.store.batch import PRICES, TABLE, Batch, batch_of, dated, is_price, rule_of
from backtests.store.cells import LONGEST_DELAY, check_values
from backtests.store.closes import TICKER, price_batch
from signals.catalog import CATALOG, HOW_TO_ADD
from signals.errors import ConfigError, DataError, MissingSeries, shown, unknown
from signals.index import index_fault

#: String with which a user chooses the catalog's publication rule.
BY_CATALOG = "catalog"
#: When the values of a series became known. Three forms are possible: a day or a moment for each
#: date, a lag, or :data:`BY_CATALOG`.
Known = pd.Series | datetime.timedelta | str
_LINE = re.compile(r"^line (\d+): ")
#: The start of a text that names one day. pandas reads 03/04/2025 as the 4th of March, although the
#: user may mean the 3rd of April. pandas reads 2025-03 as the first of March.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")


def rows_of_frames(
    prices: pd.DataFrame,
    series: Mapping[str, pd.Series],
    known: Mapping[str, Known] | str,
    now: pd.Timestamp,
) -> dict[str, pd.DataFrame]:
    """Return the rows of each series and ticker, in the format of a store's rows.

    See :meth:`backtests.History.from_frames` for the parameters and the errors. ``now`` is the
    current moment, New York time.
    """
    for what, given in (("series", series), ("known", {} if isinstance(known, str) else known)):
        if not isinstance(given, Mapping):
            raise ConfigError(
                f"expected `{what}` as a mapping by catalog id, was {type(given).__name__}; write "
                f"it like {{'GDP': {'values' if what == 'series' else 'moments'}}}"
            )
    said = dict.fromkeys(series, known) if isinstance(known, str) else dict(known)
    for id in said:
        if id not in series:
            raise ConfigError(f"`known`: {unknown('series', str(id), series)}")
    _check_prices(prices)
    batches = [_prices(str(ticker), prices[ticker], now) for ticker in prices]
    batches += [_series(id, values, said.get(id), now) for id, values in series.items()]
    order = ["available_at", "observed_on"]
    return {
        batch.series_id: batch.rows.sort_values(order, kind="stable", ignore_index=True)
        for batch in batches
    }


def _check_prices(prices: pd.DataFrame) -> None:
    """Raise an error unless prices are a table of dates × tickers."""
    if not isinstance(prices, pd.DataFrame):
        raise ConfigError(
            f"expected prices as a DataFrame, sessions × tickers, was {type(prices).__name__}; "
            "make one, for example with prices.to_frame('SPY')"
        )
    _check_dates(prices.index, "prices")
    for at, ticker in enumerate(prices.columns):
        if ticker in CATALOG:
            raise ConfigError(f"expected {ticker} in `series`, found it in `prices`; move it")
        if not isinstance(ticker, str) or not TICKER.fullmatch(ticker):
            raise ConfigError(f"expected tickers like SPY or BTC-USD, was {ticker!r}; rename it")
        if ticker in prices.columns[:at]:
            raise ConfigError(f"expected each ticker once, found {ticker} twice; drop one column")


def _check_dates(index: pd.Index, what: str) -> None:
    fault = index_fault(index)
    if fault:
        raise DataError(f"expected {what} by ascending date, but the index {fault}")


def _prices(ticker: str, closes: pd.Series, now: pd.Timestamp) -> Batch:
    """Return the rows of a ticker; raise DataError for a price that an import would leave out."""
    values = _numbers(ticker, closes)
    with _with_dates(ticker, values.index):
        batch = price_batch(ticker, values, now, PRICES)
    if len(batch.rows) < len(values):
        raise DataError(
            f"{ticker}: expected only prices of finished sessions since the listing, but "
            f"{batch.note}; set the other cells to NaN"
        )
    return batch


def _series(id: str, values: pd.Series, known: Known | None, now: pd.Timestamp) -> Batch:
    """Return the rows of a catalog series. ``known`` states when each value became known."""
    if id not in CATALOG:
        where = "; prices of assets belong in `prices`" if is_price(id) else ""
        raise MissingSeries(f"`series`: {unknown('series', str(id), CATALOG)}{where}; {HOW_TO_ADD}")
    if not isinstance(values, pd.Series):
        raise ConfigError(f"{id}: expected a Series of values, was {type(values).__name__}")
    _check_dates(values.index, f"values of {id}")
    given = _numbers(id, values)
    with _with_dates(id, given.index):
        checked = check_values(id, given, now)
    if isinstance(known, str) and known == BY_CATALOG:
        return _by_rule(id, checked, now)
    dates = pd.DatetimeIndex(checked.index).as_unit("us")
    return batch_of(id, checked, _moments(id, dates, known), TABLE)


def _by_rule(id: str, values: pd.Series, now: pd.Timestamp) -> Batch:
    if rule_of(id).kind == "filed":
        raise ConfigError(
            f"expected the filing dates of {id} in `known`, was {BY_CATALOG!r}; the catalog "
            "does not contain filing dates, so give a Series of these dates"
        )
    return dated(id, values, TABLE, now)


def _numbers(id: str, values: pd.Series) -> pd.Series:
    """Return the values as numbers, without NaN."""
    try:
        return values.astype("float64").dropna()
    except (TypeError, ValueError) as error:
        raise DataError(f"{id}: expected numbers, but: {error}; convert the values") from None


@contextmanager
def _with_dates(id: str, dates: pd.Index) -> Iterator[None]:
    """In an error message, replace the line number by the date, and add the series."""
    try:
        yield
    except DataError as error:
        said = _LINE.sub(lambda found: f"{dates[int(found[1]) - 1].date()}: ", str(error))
        raise DataError(f"{id}: {said}" if id not in said else said) from None


def _moments(id: str, dates: pd.DatetimeIndex, known: Known | None) -> pd.DatetimeIndex:
    """Return the moments, New York time, from which the values are known according to the user."""
    if isinstance(known, datetime.timedelta):
        longest = datetime.timedelta(days=LONGEST_DELAY)
        if not datetime.timedelta(0) <= known <= longest:
            raise DataError(
                f"expected {id} to be known from 0 to {LONGEST_DELAY} days after the date of each "
                f"value, but the lag is {known.days:,} days; correct `known`"
            )
        moments = dates + known
    elif isinstance(known, pd.Series):
        moments = _stated(id, dates, known)
    else:
        raise ConfigError(
            f"expected `known` to state when the values of {id} became known, was {shown(known)}; "
            "give a Series of days or moments, a lag like pd.Timedelta(days=8), or "
            f"{BY_CATALOG!r} for the catalog's publication rule ({rule_of(id)})"
        )
    late = (moments < dates) | (moments > dates + pd.Timedelta(days=LONGEST_DELAY))
    if late.any():
        raise DataError(
            f"expected {id} to be known from 0 to {LONGEST_DELAY} days after the date of each "
            f"value, but {dates[late][0].date()} is known on {moments[late][0].date()}; correct "
            "`known`"
        )
    whole_day = moments == moments.normalize()
    opens = session_from(moments.normalize()) + OPEN
    return moments.where(~whole_day, opens).as_unit("us")


def _stated(id: str, dates: pd.DatetimeIndex, known: pd.Series) -> pd.DatetimeIndex:
    """Return the day or moment that the user gave for each value, in New York time."""
    _check_dates(known.index, f"`known` of {id}")
    for text in known:
        if isinstance(text, str) and not _DAY.match(text):
            raise DataError(
                f"`known` of {id}: expected days or moments like 2025-10-06, was {text[:60]!r}; "
                "convert the texts with pd.to_datetime and its parameter `format`"
            )
    try:
        moments = pd.DatetimeIndex(known.reindex(dates))
    except (TypeError, ValueError) as error:
        raise DataError(f"`known` of {id}: expected days or moments, but: {error}") from None
    if moments.hasnans:
        day = dates[moments.isna()][0].date()
        raise DataError(
            f"expected a day in `known` for the value of {id} on {day}, found none; add the day on "
            "which this value became known"
        )
    if moments.tz is not None:
        moments = moments.tz_convert("America/New_York").tz_localize(None)
    return moments
