"""Import files or folders into a store, and summarise the result."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from backtests.atomic import expanded
from backtests.calendar import new_york_now
from backtests.importing.files import Parsed, parse
from backtests.plural import number_of, some_of
from backtests.progress import Progress, silent
from backtests.store.append import Added
from backtests.store.batch import is_price
from backtests.store.store import Store
from signals.errors import ConfigError, DataError
from signals.summary import Summarised, Summary
from signals.universe import asset


@dataclass(frozen=True, kw_only=True, repr=False)
class Imported(Summarised):
    """The result of an import: files, changes in the store, and the currency that the user stated.

    ``added`` describes the changes in the store, with one entry for each batch in ``parsed``.
    """

    parsed: Parsed
    added: list[Added]
    currency: str | None = None

    @property
    def assumed(self) -> list[str]:
        """Tickers outside the universe whose stored prices are assumed to be in USD.

        If the user stated the currency of the prices, the list is empty. A ticker without new or
        revised rows is left out.
        """
        if self.currency is not None:
            return []
        ids = [each.series_id for each in self.added if each.new or each.revised]
        return [id for id in ids if is_price(id) and asset(id).asset_class == "other"]

    @property
    def refused(self) -> list[str]:
        """The messages about refused files and refused series."""
        return [*self.parsed.refused, *(a.refused for a in self.added if a.refused)]

    @property
    def notes(self) -> list[str]:
        """Notes on imported series, and on stored values that count as known too early.

        A note is about values that were left out, a price shift, a file that may be cut, or new
        values that may be wrong. Series with the same note share a line.
        """
        noted: dict[str, list[str]] = {}
        said = [(batch.series_id, batch.note) for batch in self.parsed.batches]
        for id, note in (*said, *((a.series_id, a.note) for a in self.added)):
            if note:
                noted.setdefault(note, []).append(id)
        left_out = [f"{some_of(ids)}: {note}" for note, ids in noted.items()]
        early = [
            f"{a.series_id}: according to this import, {number_of(a.early, 'stored value')} became "
            "known later than the store says; the store cannot change stored moments, so import "
            "into a new store"
            for a in self.added
            if a.early
        ]
        return [*left_out, *early]

    @property
    def new(self) -> int:
        """Number of rows with a new date."""
        return sum(a.new for a in self.added)

    @property
    def revised(self) -> int:
        """Number of rows with a new value for a stored date."""
        return sum(a.revised for a in self.added)

    def _summary(self) -> Summary:
        counted = {"skipped": self.parsed.skipped, "refused": self.refused, "notes": self.notes}
        files = number_of(len(self.parsed.files), "file")
        return Summary(
            title=f"Import of {files}, {len(self.parsed.batches):,} series",
            facts={
                "rows": f"{self.new:,} new, {self.revised:,} revised",
                **{name: f"{len(found):,}" for name, found in counted.items() if found},
            },
        )


def import_path(
    path: Path | str | Sequence[Path | str],
    store: Store | Path | str,
    recorded_at: pd.Timestamp | None = None,
    progress: Progress = silent,
    currency: str | None = None,
) -> Imported:
    """Import a file, or a folder with all its subfolders, into a store.

    ``path`` can also be a list of files and folders, which are imported like one folder.
    Correct files and series are stored even if other files or series are refused.
    :attr:`Imported.refused` lists the refused files and series. If the store does not exist, it is
    created.

    Parameters
    ----------
    recorded_at
        The moment of recording. A moment without a time zone is in New York time. The default is
        now.
    progress
        A function that receives the name of each file, and the number of files already read. After
        the last file is read, ``progress`` receives a message with the number of series to store.
    currency
        The currency of the prices, which must be USD. If ``currency`` is None, the prices are
        assumed to be in USD, see :attr:`Imported.assumed`.

    Raises
    ------
    ConfigError
        Raised if ``recorded_at`` is not a moment, or the path of the store is invalid.
    DataError
        Raised if no file can be read, the currency is not USD, or the store cannot be written.
        After a DataError, no data are added to the store.
    """
    paths = [path] if isinstance(path, Path | str) else list(path)
    if not paths or not all(map(str, paths)):
        raise DataError("expected the path of a file or folder, was empty; give a path")
    currency = None if currency is None else currency.upper()
    if currency not in (None, "USD"):
        raise DataError(
            f"expected prices in USD, were in {currency}; convert the file to USD first"
        )
    target = store if isinstance(store, Store) else Store(store)
    now = new_york_now() if recorded_at is None else _new_york(recorded_at)
    parsed = parse([expanded(each) for each in paths], now, progress)
    if not parsed.batches:
        raise DataError("; ".join(parsed.refused))
    target.note_recording(now)
    progress(f"storing {len(parsed.batches)} series")
    return Imported(parsed=parsed, added=target.add(parsed.batches, now), currency=currency)


def _new_york(moment: pd.Timestamp) -> pd.Timestamp:
    """Return a moment as New York time without a time zone."""
    if not isinstance(moment, datetime.datetime) or pd.isna(moment):
        raise ConfigError(
            f"expected recorded_at as a Timestamp, was {moment!r}; write it like "
            "pd.Timestamp('2025-10-06 16:00')"
        )
    at = pd.Timestamp(moment)
    return at if at.tz is None else at.tz_convert("America/New_York").tz_localize(None)
