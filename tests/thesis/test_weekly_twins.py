"""The weekly estimates of a whole history, compared with plain loops over its sessions."""

import pandas as pd
import pytest

from backtests.thesis.claims import CLAIMS
from backtests.thesis.estimators import ESTIMATORS
from backtests.thesis.estimators.after_flag import after_flag
from backtests.thesis.sample import Sample
from tests.reference import weekly_claims as twin

CLAIM = {claim.name: claim for claim in CLAIMS}


@pytest.fixture(scope="module")
def ends(sample: Sample) -> list[int]:
    return twin.last_sessions(sample.sessions)


@pytest.fixture(scope="module")
def market(sample: Sample) -> tuple[list[float], list[float]]:
    """Return SPY's closes and the returns of bills."""
    return sample.history.closes["SPY"].tolist(), sample.bills.tolist()


def value(name: str, sample: Sample) -> float:
    return ESTIMATORS[CLAIM[name].estimator](CLAIM[name], sample).value


def test_the_responses_to_capex(
    sample: Sample, ends: list[int], market: tuple[list[float], list[float]]
) -> None:
    impulse = sample.gauge("capex", "impulse").tolist()
    off, on = twin.response(*market, impulse, sample.flag("dry_powder").tolist(), ends)
    assert value("capex-lifts-with-slack", sample) == pytest.approx(off)
    assert value("capex-drains-without-slack", sample) == pytest.approx(on - off)


def test_the_gain_of_the_forecast(
    sample: Sample, ends: list[int], market: tuple[list[float], list[float]]
) -> None:
    supply = sample.gauge("bathtub", "change").tolist()
    demand = sample.gauge("absorption", "u").tolist()
    expected = twin.gain(*market, supply, demand, ends)
    assert value("demand-improves-forecasts", sample) == pytest.approx(expected)


def test_the_lead_of_crypto(sample: Sample, ends: list[int]) -> None:
    coins = sample.history.closes[["BTC-USD", "ETH-USD", "SOL-USD"]]
    crypto = coins.pct_change(fill_method=None).mean(axis=1).tolist()
    expected = twin.lead(crypto, sample.asset("SPY").tolist(), ends)
    assert value("crypto-leads", sample) == pytest.approx(expected)


def test_the_return_after_the_flag(sample: Sample, market: tuple[list[float], list[float]]) -> None:
    expected, entries = twin.after(*market, sample.flag("opportunity").tolist())
    estimate = after_flag(CLAIM["patience-is-paid"], sample, draws=9)
    assert estimate.value == pytest.approx(expected)
    assert estimate.observations == entries


def test_the_weeks_end_where_the_trial_ends_them(sample: Sample, ends: list[int]) -> None:
    from backtests.thesis.weeks import week_ends

    pd.testing.assert_index_equal(
        week_ends(sample.sessions), sample.sessions[ends], check_names=False
    )
