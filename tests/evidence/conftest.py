"""A short history, and plain runs on it."""

import pytest

from backtests.history.panel import History
from backtests.runs import Run
from tests.evidence.by_hand import NAMES, plain_run


@pytest.fixture(scope="module")
def short() -> History:
    return History.simulated(seed=0, years=6)


@pytest.fixture(scope="module")
def finished(short: History) -> dict[str, Run]:
    """Return a plain run of each strategy."""
    return {name: plain_run(short, name) for name in NAMES}
