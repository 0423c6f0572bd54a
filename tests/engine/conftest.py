"""Fixtures that the tests of the engine share."""

import pytest

from backtests.history.panel import History
from tests.engine.cases import Case, cases_of


@pytest.fixture(scope="session")
def on_real_history(history: History) -> dict[str, Case]:
    """Return, for each strategy, the decisions of a default run on real history, and the market."""
    return cases_of(history, "2015-01-01")
