"""Which history to use: a store that is named, the default store, or the simulated economy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from backtests.calendar import new_york_now
from backtests.history.panel import History
from backtests.store.store import Store, default_store
from signals.errors import ConfigError

Source = Literal["store", "simulated"]

STALE_DAYS = 7

#: Put wherever simulated data reach.
SIMULATED = "SIMULATED"


@dataclass(frozen=True, kw_only=True)
class HistorySource:
    """Where history comes from.

    Attributes
    ----------
    source
        ``store`` or ``simulated``; None lets the data decide, see :meth:`decided`.
    store
        The store's file; None for the default one.
    seed, years, thesis
        Of the simulated economy.
    """

    source: Source | None = None
    store: Path | None = None
    seed: int = 0
    years: int = 20
    thesis: bool = True

    def decided(self) -> Source:
        """Return the source to use.

        Without one: the store that is named, which must then be there; else the default store if
        it exists and holds data; else the simulated economy.

        Raises
        ------
        ConfigError
            When a store is named beside the simulated economy.
        """
        if self.source == "simulated" and self.store is not None:
            raise ConfigError(
                f"expected either --source simulated or the store {self.store}, were both; "
                "leave one out"
            )
        if self.source is not None:
            return self.source
        if self.store is not None:
            return "store"
        store = Store(default_store())
        return "store" if store.exists() and store.series_ids() else "simulated"

    def open(
        self, only: Sequence[str] | None = None, end: pd.Timestamp | str | None = None
    ) -> History:
        """Return the history, up to ``end``.

        Parameters
        ----------
        only
            What to read of a store besides the signals' inputs, see :meth:`History.load`.
        end
            The last session at or before it ends the history.

        Raises
        ------
        ConfigError, DataError
            When it cannot be opened or ``end`` lies outside it.
        """
        if self.decided() == "simulated":
            history = History.simulated(self.seed, self.years, thesis=self.thesis)
        else:
            history = History.load(self.store or default_store(), only)
        return history if end is None else history.until(history.session(end, "end"))


def stale_warning(history: History) -> str | None:
    """Return a warning when real history ended more than a week ago, else None."""
    last = pd.Timestamp(history.panel.index[-1])
    age = (new_york_now() - last).days
    if history.source == "simulated" or age <= STALE_DAYS:
        return None
    return f"the history ends on {last.date()}, {age} days ago; import newer data"


def notice(choice: HistorySource) -> str | None:
    """Return what to say when nobody asked for the simulated economy but it is used."""
    if choice.source is not None or choice.decided() == "store":
        return None
    return (
        f"no history in {default_store()}: running on the {SIMULATED} economy (seed {choice.seed});"
        " real history: drypowder import PATH"
    )
