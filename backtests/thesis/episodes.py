"""Accounts of dated episodes."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from backtests.thesis.errors import NotTestable
from backtests.thesis.events import Episode, Events
from backtests.thesis.sample import Sample


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeAccount:
    """What happened in one dated episode."""

    episode: Episode
    regime_before: str | None
    flag_leads: Mapping[str, int | None]
    falls: pd.DataFrame
    order: tuple[str, ...]
    strategies: Mapping[str, float]


def accounts(sample: Sample, events: Events) -> tuple[EpisodeAccount, ...]:
    """Raise NotTestable: accounts do not exist yet."""
    raise NotTestable("no accounts of episodes")
