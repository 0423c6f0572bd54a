"""A history: the values known at the close of each New York session, and the prices of each date.

The panel has one row for each session, and one column for each series or asset. A cell contains the
newest value that was known at the session's close. The newest value is the value with the latest
date. If the newest value was revised, the cell contains the latest revision known at the session's
close. The day of a coin ends at 24:00 UTC, some hours after the New York session. So a session's
row has each coin's close of the previous calendar day. Trades and portfolio values use
:attr:`History.closes`, where each price is in the row of its own date.

No value is copied to an earlier session. A known value is repeated at later sessions until a newer
value is known. If the value is older than the series' staleness limit, in days, the cell is NaN.
"""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.atomic import resolved
from backtests.calendar import as_day, new_york_now, recorded_by
from backtests.history.bills import YIELD
from backtests.history.frames import Known, rows_of_frames
from backtests.history.known import NO_ROWS, as_known, by_date, span
from backtests.simulated import label_of
from backtests.store.batch import is_event, is_price
from backtests.store.cells import not_before_first
from backtests.store.store import Store
from signals import needed
from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError, MissingSeries, shown, unknown
from signals.summary import Summarised, Summary, described
from signals.universe import UNIVERSE, asset, session_close_id


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class History(Summarised):
    """The data for signals, strategies and the engine.

    Attributes
    ----------
    panel
        Sessions × ids: the value known at each close. Signals and strategies receive only the
        panel.
    known
        Sessions × ids: the moment at which the value in the panel was first known, NaT without a
        value.
    closes
        Sessions × assets, USD: the closing price on the session's own date, NaN without a price.
        Only trades and portfolio values may use ``closes``.
    source
        ``store``, ``simulated``, or ``frames`` for a history made from DataFrames.
    truth
        The true regime of each session in a simulated history; None for a real history.
    archived_since
        For each series with vintages in the store, the moment at which the archive of vintages
        begins. After the archive begins, each cell contains the value known at its session, without
        later revisions. Before the archive begins, each cell contains a value of the first vintage.
    withheld
        Sessions × ids: True where the source states that no value exists. For example, a filing may
        have no numbers for the previous year. Where ``withheld`` is True, the panel has NaN, but
        the data are not late. An id has a column only if a source states that some value of this id
        does not exist.
    events
        A mapping from the id of each event series to the values of the series. The index of the
        values contains the dates of the events. The panel contains no event series. Only studies of
        reactions to events may use ``events``, because some values were published long after the
        event.
    origin
        Settings of a configuration that can open this history again. For a history from a store,
        the only setting is ``store``. For a simulated history, the settings are ``seed``, ``years``
        and ``thesis``. For a history made from DataFrames, ``origin`` is empty.
    """

    panel: pd.DataFrame
    known: pd.DataFrame
    closes: pd.DataFrame
    source: str
    truth: pd.Series | None = None
    archived_since: Mapping[str, pd.Timestamp] = field(default_factory=dict)
    withheld: pd.DataFrame = field(default_factory=pd.DataFrame)
    events: Mapping[str, pd.Series] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        store: Path | str | Store,
        only: Sequence[str] | None = None,
        as_of: pd.Timestamp | datetime.date | str | None = None,
    ) -> "History":
        """Read a history from a store.

        The history starts at the first session on or after the day on which the first value became
        known. The history ends at the last session that has a price of a share or fund. If no share
        or fund has prices, the history ends at the last session on or before the date of the last
        value. A series that the store lacks has a column of NaN, and flags that need this series
        are NA.

        Parameters
        ----------
        only
            Catalog ids and tickers to read. The inputs of the registered signals and the yield of
            bills are always read. If ``only`` is None, every series in the store is read.
        as_of
            Rows recorded after this moment (New York time) are ignored. For prices, the newest
            revision recorded up to ``as_of`` is used. If ``as_of`` is a date, or midnight without a
            time zone, the rows recorded on that day are also read. If ``as_of`` is None, every row
            is read.

        Raises
        ------
        DataError
            Raised if the store is missing, empty or damaged. Raised if all rows were recorded after
            ``as_of``, or if an id in ``only`` is unknown.
        ConfigError
            Raised if ``as_of`` is not a date or a moment, or if ``only`` is a text.
        """
        if isinstance(only, str):
            raise ConfigError(f"expected a list of ids in `only`, was {only!r}; write [{only!r}]")
        source = store if isinstance(store, Store) else Store(store)
        by = None if as_of is None else recorded_by(as_of)
        held = source.series_ids(by)
        if by is not None and not held and source.series_ids():
            raise DataError(
                f"expected data recorded up to {by:%Y-%m-%d %H:%M} in the store {source.path}, but "
                "all rows were recorded later; choose a later as_of"
            )
        if not held:
            raise DataError(
                f"expected data in the store {source.path}, but it is empty; fill it with "
                f"'drypowder import PATH --store {source.path}'"
            )
        chosen = held if only is None else tuple(only)
        for id in chosen:
            if id not in held and id not in CATALOG and id not in UNIVERSE:
                raise MissingSeries(
                    f"{unknown('series or ticker', id, (*held, *CATALOG))}; import the prices of a "
                    "ticker first ('drypowder data' lists the series in the store)"
                )
        ids = list(dict.fromkeys((*needed(), YIELD, *chosen)))
        rows = {str(id): part for id, part in source.rows(ids, by).groupby("series_id", sort=False)}
        history = _assemble(rows, ids, span(rows), "store")
        return replace(
            history,
            archived_since=source.archived_since(ids, by),
            origin={"store": resolved(source.path)},
        )

    @classmethod
    def from_frames(
        cls,
        prices: pd.DataFrame,
        series: Mapping[str, pd.Series] | None = None,
        known: Mapping[str, Known] | str | None = None,
    ) -> "History":
        """Return a history made from a user's own DataFrames, with the same checks as a store.

        An import of the same rows into a store gives the same panel. A run needs the series DGS3MO,
        the 3-month Treasury yield, because idle cash earns this yield.

        Parameters
        ----------
        prices
            Adjusted closes in USD, dates × tickers, NaN without a price. The dates have no time
            zone and ascend. A ticker that ends in ``-USD`` is a coin, whose closes are at 24:00
            UTC. The price of any other ticker is known at the New York close on its date.
        series
            Values by catalog id, in the catalog's unit. The index contains the dates that the
            values describe, not the dates of publication. NaN is left out.
        known
            A mapping by catalog id that states when the values of each series became known. A
            Series maps each date of the values to the day or the moment at which the value became
            known. If the Series states a day, the value is known from the open of the first session
            on or after that day. A moment without a time zone is in New York time. A text is in the
            form 2025-10-06 or 2025-10-06 16:00. A ``timedelta`` is a lag: the date of each value
            plus the lag is the day or the moment at which the value became known. For an id, the
            string ``"catalog"`` means the publication rule in the catalog. If ``known`` is
            ``"catalog"``, the publication rules of the catalog apply to all ids. Each date can have
            only one value; to use revisions, import the data into a store.

        Raises
        ------
        ConfigError
            Raised if ``known`` has no valid entry for a series, or if ``known`` has an id that
            ``series`` lacks. Raised for a wrong type or ticker.
        DataError
            Raised if an import would refuse a date or number, or would leave out a price. Raised if
            ``series`` has an id outside the catalog, or if ``known`` lacks the date of a value. A
            value must be known from 0 to 366 days after its date.
        """
        rows = rows_of_frames(
            prices,
            {} if series is None else series,
            {} if known is None else known,
            new_york_now(),
        )
        ids = list(dict.fromkeys((*needed(), YIELD, *sorted(rows))))
        return _assemble(rows, ids, span(rows), "frames")

    @classmethod
    def simulated(cls, seed: int = 0, years: int = 20, *, thesis: bool = True) -> "History":
        """Return a simulated history with the ids, assets and publication lags of a real history.

        The same seed always gives the same history. Each simulated history ends on 2024-12-31. If
        ``thesis`` is False, idle capital and capital spending have no influence on returns.
        :attr:`truth` contains the true regime of each session. :mod:`backtests.economy` describes
        the model of the economy.

        Raises
        ------
        ConfigError
            Raised if the years or the seed are out of range.
        """
        from backtests.economy import make_economy

        economy = make_economy(seed, years, thesis=thesis)
        rows = economy.rows()
        index = pd.DatetimeIndex(economy.truth.index)
        ids = list(dict.fromkeys((*needed(), *rows)))
        history = _assemble(rows, ids, index, "simulated")
        origin = {"seed": seed, "years": years, "thesis": thesis}
        return replace(history, truth=economy.truth, origin=origin)

    @property
    def is_simulated(self) -> bool:
        """Whether the history is simulated."""
        return self.source == "simulated"

    def until(self, at: pd.Timestamp | datetime.date | str) -> "History":
        """Return the history without the sessions after a given date.

        A value that is not a date like 2025-10-06 raises ConfigError. A date before the first
        session also raises ConfigError.
        """
        last, first = as_day(at, "at"), self.panel.index[0]
        if last < first:
            raise ConfigError(
                f"expected a date on or after the first session of the history, {first.date()}, "
                f"was {last.date()}; give a later date"
            )
        return replace(
            self,
            panel=self.panel.loc[:last],
            known=self.known.loc[:last],
            closes=self.closes.loc[:last],
            truth=None if self.truth is None else self.truth.loc[:last],
            withheld=self.withheld.loc[:last] if len(self.withheld) else self.withheld,
            events={id: values.loc[:last] for id, values in self.events.items()},
        )

    def session(
        self, date: pd.Timestamp | datetime.date | str | None, name: str = "date"
    ) -> pd.Timestamp:
        """Return the last session on or before ``date``; None means the last session.

        Raises
        ------
        ConfigError
            Raised if ``date`` is not a valid date, or lies outside the history. The message begins
            with the text in ``name``.
        """
        if date is None:
            return pd.Timestamp(self.panel.index[-1])
        at = as_day(date, name)
        first, last = self.panel.index[0], self.panel.index[-1]
        if not first <= at <= last:
            raise ConfigError(
                f"{name} {at.date()} lies outside the history, which runs from {first.date()} to "
                f"{last.date()}; choose a date inside"
            )
        position = int(self.panel.index.searchsorted(at, side="right")) - 1
        return pd.Timestamp(self.panel.index[position])

    def last_known(self, id: str, at: pd.Timestamp | None = None) -> pd.Timestamp | None:
        """Return the moment at which a series' newest value up to a session was first known.

        ``at`` is a session of the history, by default the last session. A value that has become
        older than its staleness limit also counts. None if no value was known up to ``at``.
        """
        if id not in self.known:
            return None
        moments = self.known[id].loc[:at].dropna()
        return pd.Timestamp(moments.iloc[-1]) if len(moments) else None

    def digest(self) -> str:
        """Return a hash of the history's numbers and names. Equal histories have equal hashes.

        The hash also covers the events, because results of ``drypowder thesis`` depend on events.
        """
        sha = hashlib.sha256(self.source.encode())
        events = [values.to_frame(id) for id, values in sorted(self.events.items()) if len(values)]
        for frame in (self.panel, self.closes, *events):
            sha.update("|".join(map(str, frame.columns)).encode())
            sha.update(frame.index.to_numpy().astype("datetime64[D]").tobytes())
            sha.update(np.ascontiguousarray(frame.to_numpy(dtype=np.float64)).tobytes())
        return sha.hexdigest()

    def plot(self, *ids: str) -> Any:
        """Return a plotly figure of the values known at each close, with one row for each unit.

        An id that is not in the panel raises MissingSeries.
        """
        from backtests.report.notebook import plot_history

        return plot_history(self, ids)

    def _summary(self) -> Summary:
        prices = [str(id) for id in self.closes]
        series = [str(id) for id in self.panel if id not in prices and "@" not in str(id)]
        facts = {"series": self._counted(series), "prices": self._counted(prices)}
        if self.archived_since:
            facts["vintages"] = f"{len(self.archived_since):,} series with all revisions"
        if any(len(values) for values in self.events.values()):
            facts["events"] = f"{sum(map(len, self.events.values())):,} dated events"
        title = f"{label_of(self.is_simulated)}History: {described(self.panel.index)}"
        return Summary(title=title, facts={"source": self.source, **facts})

    def _counted(self, ids: Sequence[str]) -> str:
        """Say how many ids ever had a value, and how many have a value at the last session."""
        last, ever = self.panel.iloc[-1].notna(), self.panel.notna().any()
        some, now = (
            int(known.reindex(list(ids), fill_value=False).sum()) for known in (ever, last)
        )
        lacking = f"; {len(ids) - some:,} without a value" if some < len(ids) else ""
        return f"{some:,}, of which {now:,} have a value at the last session{lacking}"


def check_history(history: object) -> None:
    """Raise ConfigError if an object is not a history."""
    if not isinstance(history, History):
        raise ConfigError(
            f"expected a History, was {shown(history)}; make one with History.load(store)"
        )


def _assemble(
    rows: dict[str, pd.DataFrame], ids: list[str], index: pd.DatetimeIndex, source: str
) -> History:
    values: dict[str, np.ndarray] = {}
    moments: dict[str, np.ndarray] = {}
    closes: dict[str, pd.Series] = {}
    withheld: dict[str, np.ndarray] = {}
    events: dict[str, pd.Series] = {}
    for id in ids:
        part = rows.get(id, NO_ROWS)
        if is_event(id):
            events[id] = by_date(part)
            continue
        if source != "simulated":
            part = part[not_before_first(id, pd.DatetimeIndex(part["observed_on"]))]
        if part["value"].isna().any():
            absent = part.assign(value=part["value"].isna().astype("float64"))
            withheld[id] = as_known(id, absent, index)[0] == 1.0
        values[id], moments[id] = as_known(id, part, index)
        if is_price(id):
            closes[id] = part.set_index("observed_on")["value"].reindex(index)
        if asset(id).is_coin:
            column = session_close_id(id)
            same_date = part[part["observed_on"].isin(index)]
            values[column], moments[column] = as_known(id, same_date, index)
    return History(
        panel=pd.DataFrame(values, index=index),
        known=pd.DataFrame(moments, index=index),
        closes=pd.DataFrame(closes, index=index, dtype="float64"),
        source=source,
        withheld=pd.DataFrame(withheld, index=index),
        events=events,
    )
