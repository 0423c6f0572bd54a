"""The ledger of sealed claims."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import Sample


@dataclass(frozen=True, kw_only=True)
class Seal:
    """One line of the ledger."""

    number: int
    sealed_at: str
    code_version: str
    code_digest: str
    commit: str | None
    claims: list[dict[str, Any]]
    parameters: dict[str, dict[str, Any]]
    data_source: str
    data_end: str
    data_digest: str
    series: dict[str, str]
    previous: str
    hash: str

    @property
    def moment(self) -> pd.Timestamp:
        """The moment of the seal, UTC."""
        return pd.Timestamp(self.sealed_at)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The seals of a ledger, and what changed since the last seal."""

    seals: tuple[Seal, ...]
    changes: tuple[str, ...]


def seal(ledger: Path | str, sample: Sample) -> Seal:
    """Raise NotTestable: the ledger does not exist yet."""
    raise NotTestable("no ledger")


def read_ledger(ledger: Path | str) -> tuple[Seal, ...]:
    """Raise NotTestable: the ledger does not exist yet."""
    raise NotTestable("no ledger")


def verify(
    ledger: Path | str, sample: Sample | None = None, *, published: str | None = None
) -> Verified:
    """Raise NotTestable: the ledger does not exist yet."""
    raise NotTestable("no ledger")
