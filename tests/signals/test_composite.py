"""A composite compares its present components with the past of the same components."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.history.panel import History
from signals import (
    Bathtub,
    CostOfCapital,
    ForcedSelling,
    InverseQE,
    Opportunity,
    Policy,
    explain,
)
from signals.base import Signal
from signals.transforms import composite, difference, zscore
from tests.sessions import read_at

NAN = float("nan")
LAPSE = "2024-06-03"


def parts(**columns: list[float] | np.ndarray) -> dict[str, pd.Series]:
    index = pd.bdate_range("2020-01-01", periods=len(next(iter(columns.values()))))
    return {name: pd.Series(values, index=index) for name, values in columns.items()}


def noise(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


# --- by hand --------------------------------------------------------------------------------


def test_the_mean_is_of_clipped_components_and_the_score_is_its_z() -> None:
    made = composite(parts(a=[9.0, 1.0] * 200, b=[1.0, 2.0] * 200), minimum=2)
    means = pd.Series([2.0, 1.5] * 200, index=made.mean.index)  # 9 is clipped to 3
    pd.testing.assert_series_equal(made.mean.iloc[1:], means.iloc[1:], check_names=False)
    # Both components count from the second session on.
    expected = zscore(means, minimum=2).iloc[1:]
    pd.testing.assert_series_equal(made.score.iloc[1:], expected, check_names=False)


def test_a_component_counts_once_it_has_had_a_view_on_the_minimum_of_sessions() -> None:
    late = [NAN, NAN, NAN, 1.0, 2.0, 1.0, 3.0]
    made = composite(parts(a=[1.0, 2.0, 3.0, 1.0, 2.0, 2.0, 1.0], b=late), minimum=3)
    assert made.without.tolist()[2:] == ["b", "b", "b", None, None]
    assert made.mean.tolist()[4:6] == [2.0, 1.5]


def test_the_score_after_a_lapse_is_that_of_the_components_left_over_all_of_their_past() -> None:
    a, b, c = (noise(800, seed) for seed in (1, 2, 3))
    lapsed = np.where(np.arange(800) < 700, c, NAN)
    made = composite(parts(a=a, b=b, c=lapsed))
    pair = zscore(pd.Series((a.clip(-3, 3) + b.clip(-3, 3)) / 2, index=made.score.index))
    pd.testing.assert_series_equal(made.score.iloc[700:], pair.iloc[700:], check_names=False)
    whole = composite(parts(a=a, b=b, c=c))
    pd.testing.assert_series_equal(made.score.iloc[:700], whole.score.iloc[:700])


def test_fewer_than_half_of_the_components_are_no_composite() -> None:
    x, nothing = noise(800, 1), np.full(800, NAN)
    assert composite(parts(a=x, b=nothing)).score.notna().any()
    alone = composite(parts(a=x, b=nothing, c=nothing))
    assert alone.mean.isna().all()
    assert alone.score.isna().all()
    assert alone.without.iloc[-1] == "b, c"


def test_a_difference_stands_only_between_sessions_with_the_same_components() -> None:
    score = pd.Series([1.0, 2.0, 4.0, 7.0, 9.0])
    without = pd.Series([None, None, "b", "b", None])
    assert difference(score, without, 1).tolist() == pytest.approx(
        [NAN, 1.0, NAN, 3.0, NAN], nan_ok=True
    )


# --- the signals, on history ------------------------------------------------------------------


def composites() -> Iterator[Signal]:
    for signal in signals.default_signals().values():
        if signal.components:
            yield signal


COMPOSITES = list(composites())


def without_series(panel: pd.DataFrame, id: str, start: str = LAPSE) -> pd.DataFrame:
    """Return a panel in which a series has no value from the session ``start`` on."""
    lapsed = panel.copy()
    lapsed.loc[start:, id] = NAN
    return lapsed


def score_on(signal: Signal, panel: pd.DataFrame) -> pd.Series:
    """Return a score from the session LAPSE on, at which a series ends."""
    return signal.evaluate(panel).score.loc[LAPSE:]


def test_the_composites_are_those_of_the_definitions() -> None:
    assert {signal.name for signal in COMPOSITES} == {
        "cost_of_capital",
        "inverse_qe",
        "crypto_probe",
        "fading_momentum",
        "funding",
        "policy",
        "forced_selling",
        "crypto_forced_selling",
    }


@pytest.mark.parametrize("signal", COMPOSITES, ids=lambda s: s.name)
def test_each_says_at_every_session_which_components_do_not_count(
    signal: Signal, history: History
) -> None:
    without = signal.evaluate(history.panel).gauges["without"]
    named = {name for names in without.dropna() for name in names.split(", ")}
    assert named <= set(signal.components)
    young = "flow" if signal.name == "crypto_forced_selling" else ""  # funds began in 2024
    assert without.fillna("").loc["2025-06-30"] == young


@pytest.mark.parametrize("lost", ["BAA10Y", "THREEFYTP10", "DFII10"])
def test_the_cost_of_capital_after_a_lapse_is_as_if_the_series_had_never_been(
    lost: str, history: History
) -> None:
    lapsed = score_on(CostOfCapital(), without_series(history.panel, lost))
    never = score_on(CostOfCapital(), history.panel.assign(**{lost: NAN}))
    assert never.notna().all()
    pd.testing.assert_series_equal(lapsed, never)


def test_inverse_qe_after_a_lapse_is_the_correlation_against_its_own_past(history: History) -> None:
    lapsed = score_on(InverseQE(), without_series(history.panel, "THREEFYTP10"))
    alone = score_on(InverseQE(term_premium=False), history.panel)
    pd.testing.assert_series_equal(lapsed, alone)


def test_an_opportunity_does_not_compare_policy_across_a_change_of_components(
    history: History,
) -> None:
    panel = without_series(history.panel, "DGS2")
    liquidity = Opportunity().evaluate(panel).gauges["liquidity"].loc[LAPSE:]
    bathtub = Bathtub().evaluate(panel).score.diff(21).loc[LAPSE:]
    policy = Policy().evaluate(panel).score.diff(21).loc[LAPSE:]
    assert policy.iloc[:21].notna().all()
    pd.testing.assert_series_equal(liquidity.iloc[:21], bathtub.iloc[:21], check_names=False)
    assert (liquidity.iloc[21:] == policy.iloc[21:]).any()


def test_the_percentile_of_a_mean_counts_sessions_with_the_same_components(
    history: History,
) -> None:
    panel = without_series(history.panel, "VIXCLS", "2025-06-02")
    evaluation = ForcedSelling().evaluate(panel)
    said = explain(evaluation, panel, pd.Timestamp("2025-12-31"))
    gauges = evaluation.gauges
    alike = gauges["mean"][gauges["without"] == "vix"]
    assert said.percentile == pytest.approx(100 * (alike <= alike.iloc[-1]).mean())


# --- every output names the missing components -------------------------------------------------


def test_the_explanation_names_what_a_score_rests_on(history: History) -> None:
    session = pd.Timestamp("2025-06-30")
    whole = explain(CostOfCapital().evaluate(history.panel), history.panel, session)
    assert (whole.without, whole.rests_on) == ((), "")
    panel = without_series(history.panel, "BAA10Y")
    lapsed = explain(CostOfCapital().evaluate(panel), panel, session)
    assert lapsed.without == ("BAA10Y",)
    assert lapsed.rests_on == "uses 2 of 3 components since 2024-06-03: without BAA10Y"
    assert lapsed.flag is None  # the flag needs the spread itself


def lapsed_history(history: History) -> History:
    panel = without_series(history.panel, "THREEFYTP10", "2025-06-02")
    return History(
        panel=panel,
        known=history.known,
        closes=history.closes,
        source="store",
    )


def test_the_reading_names_it_as_data(history: History) -> None:
    said = read_at(lapsed_history(history), pd.Timestamp("2025-06-30"))["signals"]
    assert said["inverse_qe"]["without"] == ["THREEFYTP10"]
    assert said["inverse_qe"]["rests_on"].startswith("uses 1 of 2 components since 2025-06-02")
    assert said["cost_of_capital"]["without"] == ["THREEFYTP10"]
    assert said["policy"]["without"] == []
    assert said["policy"]["rests_on"] == ""
