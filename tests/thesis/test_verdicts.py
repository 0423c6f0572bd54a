"""The rules that turn an estimate into a verdict, on estimates made by hand."""

import math

import pandas as pd
import pytest

from backtests.thesis.claims import CLAIMS
from backtests.thesis.estimate import Estimate
from backtests.thesis.inference import t_interval
from backtests.thesis.power import power, smallest_detectable
from backtests.thesis.verdicts import adjusted_p_values, judge
from tests.thesis.worlds import claim

ABOVE = claim("memory-over-crypto")  # above zero by 10 points a year
BELOW = claim("crypto-below-spy")  # below zero by 10 points a year


def estimate(
    value: float, error: float, p_value: float = 0.001, episodes: int | None = 5
) -> Estimate:
    return Estimate(
        value=value,
        interval=t_interval(value, error, math.inf),
        tests={"a test": p_value},
        error=error,
        df=math.inf,
        observations=100,
        counted="sessions",
        episodes=episodes,
        start=pd.Timestamp("2010-01-04"),
        end=pd.Timestamp("2025-12-31"),
        method="by hand",
    )


@pytest.mark.parametrize(
    ("name", "value", "error", "adjusted", "outcome"),
    [
        (ABOVE, 20.0, 5.0, 0.001, "supported"),
        (BELOW, -20.0, 5.0, 0.001, "supported"),
        (ABOVE, 20.0, 5.0, 0.03, "inconclusive"),  # the adjusted p-value is too large
        (ABOVE, 20.0, 15.0, 0.001, "inconclusive"),  # the interval contains zero
        (ABOVE, -20.0, 5.0, 0.999, "contradicted"),
        (BELOW, 20.0, 5.0, 0.999, "contradicted"),
        (ABOVE, 0.0, 5.0, 0.5, "contradicted"),  # 90 % interval: −8.2 to 8.2
        (ABOVE, 0.0, 5.5, 0.5, "contradicted"),  # 90 % interval: −9.0 to 9.0; 95 %: −10.8 to 10.8
        (BELOW, 0.0, 5.5, 0.5, "contradicted"),
        (ABOVE, 0.0, 7.0, 0.5, "inconclusive"),  # 90 % interval: −11.5 to 11.5
        (ABOVE, 4.0, 1.0, 0.001, "contradicted"),  # real, but too small to matter
    ],
)
def test_the_rules(name: object, value: float, error: float, adjusted: float, outcome: str) -> None:
    assert judge(name, estimate(value, error), adjusted).outcome == outcome  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [20.0, -20.0])
@pytest.mark.parametrize("episodes", [0, 1, 2])
def test_fewer_than_three_episodes_decide_nothing(value: float, episodes: int) -> None:
    found = judge(ABOVE, estimate(value, 1.0, episodes=episodes), 0.0)
    assert found.outcome == "inconclusive"
    assert "fewer than 3" in found.reason


@pytest.mark.parametrize(
    ("adjusted", "said"), [(0.0, "below 0.001"), (0.0004, "below 0.001"), (0.001, "0.001")]
)
def test_no_p_value_is_written_as_zero(adjusted: float, said: str) -> None:
    reason = judge(ABOVE, estimate(20.0, 5.0), adjusted).reason
    assert reason == f"the interval excludes zero; adjusted p-value {said}"


def test_three_episodes_can_decide() -> None:
    assert judge(ABOVE, estimate(20.0, 5.0, episodes=3), 0.001).outcome == "supported"


def test_a_claim_without_a_condition_needs_no_episodes() -> None:
    assert judge(ABOVE, estimate(20.0, 5.0, episodes=None), 0.001).outcome == "supported"


def test_every_test_must_be_passed() -> None:
    both = estimate(20.0, 5.0)
    both = Estimate(**{**vars(both), "tests": {"first": 0.001, "second": 0.4}})
    assert both.p_value == 0.4


def test_a_test_without_a_p_value_is_not_passed() -> None:
    both = estimate(20.0, 5.0)
    both = Estimate(**{**vars(both), "tests": {"first": 0.001, "second": math.nan}})
    assert both.p_value == 1.0


def test_holm_adjusts_the_primary_claims_and_nothing_else() -> None:
    primary = [c for c in CLAIMS if c.primary]
    other = next(c for c in CLAIMS if c.smallest and not c.primary)
    given = dict(zip([*primary, other], [0.01, 0.02, 0.03, 0.01], strict=True))
    found = adjusted_p_values({c: estimate(1.0, 1.0, p) for c, p in given.items()})
    assert [found[c] for c in primary] == pytest.approx([0.03, 0.04, 0.04])
    assert found[other] == pytest.approx(0.01)


def test_the_other_claims_are_adjusted_for_the_false_discovery_rate() -> None:
    others = [c for c in CLAIMS if c.smallest and not c.primary][:3]
    found = adjusted_p_values(
        {c: estimate(1.0, 1.0, p) for c, p in zip(others, [0.01, 0.02, 0.9], strict=True)}
    )
    assert [found[c] for c in others] == pytest.approx([0.03, 0.03, 0.9])


def test_power_at_the_level_and_at_the_detectable_effect() -> None:
    assert power(1.0, math.inf, 0.0) == pytest.approx(0.025)
    assert power(1.0, 4.0, 0.0) == pytest.approx(0.025)
    assert smallest_detectable(2.0, math.inf) == pytest.approx(2.0 * (1.95996 + 0.84162), abs=1e-3)
    assert power(3.0, 2.0, smallest_detectable(3.0, 2.0)) == pytest.approx(0.8)


@pytest.mark.parametrize(("error", "df"), [(math.nan, 3.0), (0.0, 3.0), (1.0, 0.0)])
def test_without_an_error_there_is_no_power(error: float, df: float) -> None:
    assert math.isnan(power(error, df, 1.0))
    assert math.isnan(smallest_detectable(error, df))
