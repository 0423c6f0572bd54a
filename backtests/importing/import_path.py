"""Importing: files in, rows added, and a summary of what came."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from backtests.atomic import expanded
from backtests.calendar import new_york_now
from backtests.importing.files import Parsed, parse
from backtests.store.append import Added
from backtests.store.batch import is_price
from backtests.store.store import Store
from signals.errors import DataError
from signals.universe import asset


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did: what was read, and what that added to the store."""

    parsed: Parsed
    added: list[Added]
    currency: str | None = None

    @property
    def assumed(self) -> list[str]:
        """Tickers outside the universe whose currency nobody stated: USD is assumed."""
        if self.currency is not None:
            return []
        ids = [batch.series_id for batch in self.parsed.batches]
        return [id for id in ids if is_price(id) and asset(id).asset_class == "other"]

    @property
    def refused(self) -> list[str]:
        """One line for each file that is bad and each series that would lose history."""
        return [*self.parsed.refused, *(a.refused for a in self.added if a.refused)]

    @property
    def new(self) -> int:
        """Rows whose date was not held."""
        return sum(a.new for a in self.added)

    @property
    def revised(self) -> int:
        """Rows whose date was held with another value."""
        return sum(a.revised for a in self.added)


def import_path(
    path: Path | str,
    store: Store | Path | str,
    recorded_at: pd.Timestamp | None = None,
    progress: Callable[[str], None] = lambda name: None,
    currency: str | None = None,
) -> Imported:
    """Read a file or folder into a store.

    Good files and series go in even when others are refused; see :attr:`Imported.refused`.

    Parameters
    ----------
    path
        A file, or a folder that is read with all its subfolders.
    store
        The store, made when it does not exist.
    recorded_at
        The moment of recording; default now.
    progress
        Called with the name of each file.
    currency
        Of the prices, which only USD can be; None assumes it, see :attr:`Imported.assumed`.

    Raises
    ------
    DataError
        When nothing can be read, the currency is another than USD, or the store cannot be
        written. Nothing is then added.
    """
    if not str(path):
        raise DataError("expected the path of a file or folder, was empty; name one")
    if currency not in (None, "USD"):
        raise DataError(
            f"expected prices in USD, were in {currency}: there is no rate to convert them with; "
            "convert the file to USD first"
        )
    target = store if isinstance(store, Store) else Store(store)
    now = recorded_at if recorded_at is not None else new_york_now()
    parsed = parse(expanded(path), now, progress)
    if not parsed.batches:
        raise DataError("; ".join(parsed.refused))
    return Imported(parsed=parsed, added=target.add(parsed.batches, now), currency=currency)
