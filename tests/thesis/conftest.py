"""Samples that the tests of the trial share. They are made once."""

import pytest

from backtests.history.panel import History
from backtests.thesis.sample import Sample


@pytest.fixture(scope="session")
def sample() -> Sample:
    """Return the sample of a simulated history of 20 years, whose returns follow the thesis.

    In this history, u rises above one half three times. The kink of convexity needs these times.
    """
    return Sample.of(History.simulated(1))


@pytest.fixture(scope="session")
def simulated() -> Sample:
    """Return the sample of a simulated history of 20 years, whose returns ignore the thesis."""
    return Sample.of(History.simulated(1, thesis=False))
