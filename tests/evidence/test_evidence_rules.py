"""The rules of evidence, which were fixed before any return was seen."""

from backtests.evidence.bootstrap import LEVEL, SHORTEST_BLOCK
from backtests.evidence.entries import SIGNIFICANT
from backtests.evidence.k_choice import KS


def test_timing_is_significant_at_one_in_twenty() -> None:
    assert SIGNIFICANT == 0.05


def test_intervals_hold_95_percent_of_resamples_in_blocks_of_a_week_at_least() -> None:
    assert LEVEL == 0.95
    assert SHORTEST_BLOCK == 5


def test_what_rests_on_k_is_shown_for_8_to_11_percent_of_output() -> None:
    assert KS == (0.08, 0.09, 0.10, 0.11)
