"""What the tests of the engine share."""

import pytest

from backtests.history.panel import History
from tests.engine.test_kernel import Case, cases_of


@pytest.fixture(scope="session")
def on_real_history(history: History) -> dict[str, Case]:
    """Return what each strategy decides in a default run on real history, and its market."""
    return cases_of(history, "2015-01-01")
