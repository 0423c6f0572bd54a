"""History: what was known at each New York close, and what things were worth on each date.

The panel has one row a session and one column a series or asset. A cell holds, among the rows
known by that close, the newest date described, and of that the newest vintage. Coins close at
24:00 UTC, hours after New York, so a panel row shows the close of the date before; fills and
portfolio values use :attr:`History.closes`, where every asset stands on its own date.

Nothing is filled backwards. A value is carried forward until it is as old as its series' limit,
past which the cell is NaN.
"""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.calendar import CLOSE, sessions
from backtests.history.bills import YIELD, bill_returns
from backtests.store.batch import is_price, stale_after
from backtests.store.store import Store
from signals import needed
from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError, MissingSeries, unknown
from signals.universe import UNIVERSE, asset, session_close_id


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything that signals, strategies and the engine may use.

    Attributes
    ----------
    panel
        Sessions × ids, each cell as known at that close; what signals and strategies see.
    known
        Same shape: the moment at which each cell's value was first known; NaT where NaN.
    closes
        Sessions × assets, USD: the close of the session's own date, NaN where there is none. For
        fills and portfolio values alone.
    bills
        Simple return of 3-month bills from the session before to this one, a fraction; known
        the session before.
    source
        ``store`` or ``simulated``.
    truth
        The true regime of each session, which only a simulated history knows; else None.
    vintages
        The ids whose values come from an archive of vintages, so that each cell of them is the
        figure published at the time, and not one revised later.
    withheld
        Sessions × the ids that ever lack a figure expressly: True where the newest figure is
        expressly absent, as when a filing gives none for the year before. NaN in the panel then
        does not mean that data are late.
    """

    panel: pd.DataFrame
    known: pd.DataFrame
    closes: pd.DataFrame
    bills: pd.Series
    source: str
    truth: pd.Series | None = None
    vintages: tuple[str, ...] = ()
    withheld: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def load(
        cls,
        store: Path | str | Store,
        only: Sequence[str] | None = None,
        as_of: pd.Timestamp | datetime.date | str | None = None,
    ) -> "History":
        """Read history from a store.

        Parameters
        ----------
        store
            The store's file.
        only
            Catalog ids and tickers to read besides what the registered signals and bills need;
            None reads every series held.
        as_of
            Read the store as it was at a moment, New York's clock: nothing recorded later, and of
            prices the newest vintage recorded by then. A date, or midnight, means the end of that
            day; None the store as it is.

        Returns
        -------
        The history from the first session with any value to the last with a price (or value, where
        no price is held); :meth:`until` cuts it. A series that is not held is a column of NaN, so
        signals that need it have no view.

        Raises
        ------
        DataError
            When the store is missing, empty, damaged, or holds nothing by ``as_of``.
        ConfigError
            When ``as_of`` is no date.
        """
        source = store if isinstance(store, Store) else Store(store)
        by = None if as_of is None else recorded_by(as_of)
        held = source.series_ids(by)
        if by is not None and not held and source.series_ids():
            raise DataError(
                f"expected data recorded by {by:%Y-%m-%d %H:%M} in the store {source.path}, but "
                "all of it came later; choose a later as_of"
            )
        if not held:
            raise DataError(
                f"expected data in the store {source.path}, but it is empty; fill it with "
                f"'drypowder import PATH --store {source.path}'"
            )
        chosen = held if only is None else tuple(only)
        for id in chosen:
            if id not in held and id not in CATALOG and id not in UNIVERSE:
                raise MissingSeries(unknown("series or ticker", id, (*held, *CATALOG)))
        ids = list(dict.fromkeys((*needed(), YIELD, *chosen)))
        rows = {str(id): part for id, part in source.rows(ids, by).groupby("series_id", sort=False)}
        history = _assemble(rows, ids, _span(rows), "store")
        return replace(history, vintages=source.archived_ids(ids, by))

    @classmethod
    def simulated(cls, seed: int = 0, years: int = 20, *, thesis: bool = True) -> "History":
        """Simulate a history: the same series ids, assets and lags as real history.

        Parameters
        ----------
        seed
            Equal seeds give equal histories.
        years
            Length; it ends on 2024-12-31.
        thesis
            False cuts the link from idle capital and capital spending to returns.

        Returns
        -------
        A history whose source is ``simulated`` and whose ``truth`` is the true regime. See
        :mod:`backtests.economy` for the model.

        Raises
        ------
        ConfigError
            When the years or the seed are out of range.
        """
        from backtests.economy import make_economy

        economy = make_economy(seed, years, thesis=thesis)
        rows = economy.rows()
        index = pd.DatetimeIndex(economy.truth.index)
        history = _assemble(rows, list(rows), index, "simulated")
        return replace(history, truth=economy.truth)

    def until(self, at: pd.Timestamp | str) -> "History":
        """Return the history up to and including a session."""
        last = pd.Timestamp(at)
        return replace(
            self,
            panel=self.panel.loc[:last],
            known=self.known.loc[:last],
            closes=self.closes.loc[:last],
            bills=self.bills.loc[:last],
            truth=None if self.truth is None else self.truth.loc[:last],
            withheld=self.withheld.loc[:last] if len(self.withheld) else self.withheld,
        )

    def session(self, date: pd.Timestamp | str | None, name: str = "date") -> pd.Timestamp:
        """Return the last session on or before a date (default: the last one held).

        Raises
        ------
        ConfigError
            When the date is no date or lies outside the history.
        """
        if date is None:
            return pd.Timestamp(self.panel.index[-1])
        at = _timestamp(date, name)
        first, last = self.panel.index[0], self.panel.index[-1]
        if not first <= at <= last:
            raise ConfigError(
                f"{name} {at.date()} lies outside the history, which runs from {first.date()} to "
                f"{last.date()}; choose a date inside"
            )
        position = int(self.panel.index.searchsorted(at, side="right")) - 1
        return pd.Timestamp(self.panel.index[position])

    def digest(self) -> str:
        """Return a hash of every number and name in it: equal histories, equal digests."""
        sha = hashlib.sha256(self.source.encode())
        for frame in (self.panel, self.closes, self.bills.to_frame()):
            sha.update("|".join(map(str, frame.columns)).encode())
            sha.update(frame.index.to_numpy().astype("datetime64[D]").tobytes())
            sha.update(np.ascontiguousarray(frame.to_numpy(dtype=np.float64)).tobytes())
        return sha.hexdigest()


def _timestamp(date: pd.Timestamp | str, name: str) -> pd.Timestamp:
    text = str(date.date()) if isinstance(date, pd.Timestamp) else str(date)
    try:
        return pd.Timestamp(datetime.date.fromisoformat(text))
    except ValueError:
        raise ConfigError(f"{name} must be a date like 2025-10-06, was {text!r}") from None


def recorded_by(as_of: pd.Timestamp | datetime.date | str) -> pd.Timestamp:
    """Return the last moment that counts: for a date the last one of that day."""
    try:
        moment = pd.Timestamp(as_of)
    except (TypeError, ValueError):
        moment = pd.NaT  # type: ignore[assignment]
    if pd.isna(moment):
        raise ConfigError(f"as_of must be a date like 2025-10-06, or a moment of it, was {as_of!r}")
    if moment.tzinfo is not None:
        moment = moment.tz_convert("America/New_York").tz_localize(None)
    elif moment == moment.normalize():
        moment += pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
    return moment.as_unit("us")


def _span(rows: dict[str, pd.DataFrame]) -> pd.DatetimeIndex:
    """Return the sessions from the first value to the last price (or value, without prices)."""
    if not rows:
        raise DataError(
            "expected at least one of the series asked for in the store, but it holds none of "
            "them; see 'drypowder data'"
        )
    shares = {k: v for k, v in rows.items() if is_price(k) and asset(k).market != "crypto"} or rows
    last = max(part["observed_on"].iloc[-1] for part in shares.values())
    first = min(part["available_at"].iloc[0] for part in rows.values())
    index = sessions(first.normalize(), last)
    if index.empty:
        raise DataError(f"expected sessions from {first.date()} to {last.date()}, found none")
    return index


def _assemble(
    rows: dict[str, pd.DataFrame], ids: list[str], index: pd.DatetimeIndex, source: str
) -> History:
    values: dict[str, np.ndarray] = {}
    moments: dict[str, np.ndarray] = {}
    closes: dict[str, pd.Series] = {}
    withheld: dict[str, np.ndarray] = {}
    for id in ids:
        part = rows.get(id)
        if part is not None and source == "store":
            part = _from_first(id, part)
        if part is not None and part["value"].isna().any():
            withheld[id] = _withheld(id, part, index)
        values[id], moments[id] = _no_view(index) if part is None else as_known(id, part, index)
        if is_price(id):
            closes[id] = _on_its_date(part, index)
        if asset(id).market == "crypto":
            column = session_close_id(id)
            values[column], moments[column] = _no_view(index)
            if part is not None:
                same_date = part[part["observed_on"].isin(index)]
                values[column], moments[column] = as_known(id, same_date, index)
    panel = pd.DataFrame(values, index=index)
    return History(
        panel=panel,
        known=pd.DataFrame(moments, index=index),
        closes=pd.DataFrame(closes, index=index, dtype="float64"),
        bills=bill_returns(panel[YIELD]),
        source=source,
        withheld=pd.DataFrame(withheld, index=index),
    )


def _withheld(id: str, rows: pd.DataFrame, index: pd.DatetimeIndex) -> np.ndarray:
    """Return for each session whether the newest figure known is expressly absent, and fresh."""
    absent = rows.assign(value=rows["value"].isna().astype("float64"))
    return np.asarray(as_known(id, absent, index)[0] == 1.0)


def _from_first(id: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that count: none that describe a date before the catalog's first one."""
    first = CATALOG[id].first if id in CATALOG else None
    return rows if first is None else rows[rows["observed_on"] >= pd.Timestamp(first)]


def as_known(id: str, rows: pd.DataFrame, index: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """Return for each session the value known at its close, and when that was first known.

    Parameters
    ----------
    id
        Catalog id or ticker; gives the staleness limit.
    rows
        ``observed_on``, ``available_at``, ``value``, ``recorded_at``, ordered by moment known,
        date described, moment recorded.
    index
        Sessions.

    Returns
    -------
    Values (float64, NaN without a view) and moments (datetime64[us], NaT likewise).
    """
    observed = rows["observed_on"].to_numpy()
    newest = observed >= np.maximum.accumulate(observed) if len(observed) else np.array([], bool)
    observed = observed[newest]
    known = rows["available_at"].to_numpy()[newest]
    value = rows["value"].to_numpy(dtype=np.float64)[newest]
    position = known.searchsorted((index + CLOSE).to_numpy(), side="right") - 1
    if not len(known):
        return _no_view(index)
    fresh = (index.to_numpy() - observed[position]) <= np.timedelta64(stale_after(id), "D")
    seen = (position >= 0) & fresh & ~np.isnan(value[position])
    return (
        np.where(seen, value[position], np.nan),
        np.where(seen, known[position], np.datetime64("NaT", "us")),
    )


def _no_view(index: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    return np.full(len(index), np.nan), np.full(len(index), "NaT", dtype="datetime64[us]")


def _on_its_date(rows: pd.DataFrame | None, index: pd.DatetimeIndex) -> pd.Series:
    if rows is None:
        return pd.Series(np.nan, index=index)
    return pd.Series(rows["value"].to_numpy(), index=pd.DatetimeIndex(rows["observed_on"])).reindex(
        index
    )
