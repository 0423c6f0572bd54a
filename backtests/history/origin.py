"""Open a history from a given store, the default store, or the simulated economy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from backtests.calendar import new_york_now
from backtests.history.panel import History
from backtests.simulated import SIMULATED
from backtests.store.store import Store, named_store, store_path
from signals.errors import ConfigError

Source = Literal["store", "simulated", "frames"]

STALE_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class HistorySource:
    """The source of a history.

    Attributes
    ----------
    source
        ``store``, ``simulated`` or ``frames``. ``frames`` means that a user made the history from
        DataFrames. :meth:`open` raises ConfigError for ``frames``. If ``source`` is None,
        :meth:`decided` chooses ``store`` or ``simulated``.
    store
        The store's file. If ``store`` is None, the store that the variable DRYPOWDER_STORE names
        is used, else the default store.
    seed, years, thesis
        Parameters of the simulated economy, as in :meth:`History.simulated`.
    """

    source: Source | None = None
    store: Path | None = None
    seed: int = 0
    years: int = 20
    thesis: bool = True

    def decided(self) -> Source:
        """Return the name of the source to use.

        If ``source`` is not None, the result is ``source``. Otherwise the result is ``store`` in
        three cases: the user gave a store, the user set DRYPOWDER_STORE, or the default store
        contains data. In all other cases, the result is ``simulated``.

        Raises
        ------
        ConfigError
            Raised if the user asked for both the simulated economy and a store.
        """
        if self.source == "simulated" and self.store is not None:
            raise ConfigError(
                f"expected either --source simulated or the store {self.store}, found both; "
                "leave one out"
            )
        if self.source is not None:
            return self.source
        if named_store(self.store) is not None:
            return "store"
        store = Store(store_path())
        return "store" if store.exists() and store.series_ids() else "simulated"

    def open(
        self, only: Sequence[str] | None = None, end: pd.Timestamp | str | None = None
    ) -> History:
        """Return the history up to the last session on or before ``end``.

        ``only`` lists the catalog ids and tickers to read from a store. If ``only`` is None, every
        series is read. The inputs of the registered signals and the yield of bills are always read.

        Raises
        ------
        ConfigError, DataError
            Raised if the history cannot be opened, or if ``end`` lies outside the history.
        """
        if self.decided() == "frames":
            raise ConfigError(
                "expected a source that can be read again, but source 'frames' means DataFrames "
                "in Python; give the history to backtests.run, or set another source"
            )
        if self.decided() == "simulated":
            history = History.simulated(self.seed, self.years, thesis=self.thesis)
        else:
            history = History.load(store_path(self.store), only)
        return history if end is None else history.until(history.session(end, "end"))


def default_history() -> History:
    """Return the history that commands use by default, with every series and price.

    The history comes from the store in the variable DRYPOWDER_STORE. If DRYPOWDER_STORE is not set,
    the history comes from the default store. If the default store is missing or empty, the history
    comes from the simulated economy. The attribute ``source`` of a simulated history is
    ``simulated``. If DRYPOWDER_STORE names a missing or empty store, DataError is raised.
    """
    return HistorySource().open()


def stale_warning(history: History) -> str | None:
    """Return a warning if a real history ended more than :data:`STALE_DAYS` days ago, else None."""
    last = pd.Timestamp(history.panel.index[-1])
    age = (new_york_now() - last).days
    if history.is_simulated or age <= STALE_DAYS:
        return None
    return f"the history ends on {last.date()}, {age} days ago; import newer data"


def notice(origin: HistorySource) -> str | None:
    """Return a notice if the simulated economy is used by default, else None."""
    if origin.source is not None or origin.decided() == "store":
        return None
    return (
        f"no history in {store_path()}, so the {SIMULATED} economy (seed {origin.seed}) is "
        "used; for real history: drypowder import PATH"
    )
