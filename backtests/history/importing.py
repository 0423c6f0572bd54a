"""Importing: files in, rows added, and a summary of what came."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from backtests.history.calendar import new_york_now
from backtests.history.changes import Added
from backtests.history.files import Parsed, parse
from backtests.history.store import Store
from signals.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did: what was read, and what that added to the store."""

    parsed: Parsed
    added: list[Added]

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

    Raises
    ------
    DataError
        When nothing can be read, or the store cannot be written. Nothing is then added.
    """
    target = store if isinstance(store, Store) else Store(store)
    now = recorded_at if recorded_at is not None else new_york_now()
    parsed = parse(Path(path).expanduser(), now, progress)
    if not parsed.batches:
        raise DataError("; ".join(parsed.refused))
    return Imported(parsed=parsed, added=target.add(parsed.batches, now))
