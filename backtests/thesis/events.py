"""Dated events of the thesis: market episodes and policy decisions."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from backtests.thesis.errors import NotTestable


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One dated episode."""

    name: str
    title: str
    start: date
    end: date
    kind: Literal["market", "crypto", "plumbing", "policy"]
    source: str


@dataclass(frozen=True, kw_only=True)
class PolicyDate:
    """One dated policy decision."""

    day: date
    what: str
    scheduled: bool
    source: str


@dataclass(frozen=True, kw_only=True)
class Events:
    """All dated events."""

    episodes: tuple[Episode, ...]
    policy: tuple[PolicyDate, ...]


def read_events(path: Path | None = None) -> Events:
    """Raise NotTestable: the file of events does not exist yet."""
    raise NotTestable("no file of dated events")
