"""A strategy's own mix holds SPY at the strategy's mean net exposure, from 0 to 100 %."""

from dataclasses import replace

import pytest

from backtests import pipeline
from backtests.config_data import config_from
from backtests.evidence.own_mix import mix_of
from backtests.history.panel import History
from backtests.runs import Run

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.fixture(scope="module")
def half() -> Run:
    """Return a run that holds half of its equity in SPY."""
    given = {"strategy": "constant-mix", "source": "simulated", "start": "2022-01-03"}
    return pipeline.run(config_from(given), History.simulated(seed=0, years=6))


@pytest.mark.parametrize(("times", "share"), [(1, 0.5), (3, 1.0), (-1, 0.0)])
def test_the_share_is_the_net_exposure_and_a_net_short_strategy_has_only_bills(
    half: Run, times: int, share: float
) -> None:
    other = replace(half, result=replace(half.result, weights=times * half.result.weights))
    mix = mix_of(other)
    assert mix.share == pytest.approx(share, abs=0.02)
    if share == 0:
        assert mix.returns.to_numpy() == pytest.approx(half.bills.to_numpy(), abs=1e-12)
