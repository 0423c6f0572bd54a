"""Results at one session of a history, computed without the later sessions."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

import signals
from backtests.config import RunConfig
from backtests.history.panel import History
from backtests.report.flags_numbers import flags_numbers
from backtests.today import Today, make_plan


def read_at(history: History, session: pd.Timestamp) -> dict[str, Any]:
    """Return the regime and every registered signal at a session's close, as plain data."""
    past = history.until(session)
    return flags_numbers(past, signals.read(past.panel))


def today(
    config: RunConfig,
    history: History,
    session: pd.Timestamp,
    holdings: Mapping[str, float] | None = None,
) -> Today:
    """Return a strategy's decision at a session's close."""
    return make_plan(config, history.until(session)).at(session, holdings)
