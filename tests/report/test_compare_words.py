"""The sentences of a comparison state nothing that its numbers do not show."""

from typing import Any

import pytest

from backtests.evidence.entries import BEATS
from backtests.report.compare_words import (
    changed_words,
    conclusion,
    pair_words,
    saved_words,
    settings_words,
)


def ends(estimate: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    return {"estimate": estimate, "low": low, "high": high}


def row(
    sharpe: float | None, *, ranked: bool = True, said: str = "", may: float | None = 0.0
) -> Any:
    return {
        "sharpe": sharpe,
        "intervals": {"sharpe": ends(sharpe, 0.1, 0.9)},
        "placebo": {"rank": 0.9} if ranked else None,
        "conclusion": said,
        "luck": {"confidence_set_p": may},
        "pair": None,
    }


def test_a_table_without_timing_says_so_first() -> None:
    rows = {"a": row(0.5, may=0.4), "b": row(0.8, may=1.0), "c": row(0.2), "d": row(None)}
    assert conclusion(rows) == [
        "The timing of each of the 4 ranked rows may be luck.",
        "b has the highest Sharpe ratio, 0.80 [0.10, 0.90], but 1 of 3 other rows may be equally "
        "good.",
    ]


def test_timing_that_beats_placebos_is_named_with_what_luck_gives() -> None:
    rows = {"a": row(0.5, said=BEATS), "b": row(0.8)}
    assert conclusion(rows) == [
        "The timing of a beats 95 % of placebos. By luck alone, about 0.1 of 2 ranked rows would "
        "beat 95 % of placebos.",
        "b has the highest Sharpe ratio, 0.80 [0.10, 0.90]. At the 90 % level, every other "
        "row is worse.",
    ]


def test_a_row_that_is_not_tested_is_not_called_worse() -> None:
    rows = {"a": row(0.8), "b": row(0.5, may=0.02), "bills": row(None, may=None)}
    assert conclusion(rows)[1].endswith("every other tested row is worse.")
    del rows["b"]
    assert conclusion(rows)[1] == "a has the highest Sharpe ratio, 0.80 [0.10, 0.90]."


def test_luck_is_counted_over_the_ranked_rows() -> None:
    rows = {"a": row(0.5, said=BEATS), "b": row(0.8), "c": row(0.2, ranked=False)}
    assert "about 0.1 of 2 ranked rows" in conclusion(rows)[0]


def test_a_table_without_ranks_or_ratios_concludes_nothing() -> None:
    rows = {"a": row(None, ranked=False)}
    assert conclusion(rows) == [
        "No row is ranked among placebos, so nothing can be concluded about timing."
    ]
    assert conclusion({"a": row(0.5)}) == [
        "The timing of a may be luck.",
        "a has the highest Sharpe ratio, 0.50 [0.10, 0.90].",
    ]


def pair(**given: Any) -> dict[str, Any]:
    found = {
        "against": "b",
        "settings": [{"path": "dry_powder.k", "first": 0.11, "second": 0.09}],
        "excess": ends(0.0312, -0.01, 0.0724),
        "sharpe": ends(0.284, -0.09, 0.66),
        "p_value": 0.113,
    }
    return found | given


def test_a_pair_says_whether_its_interval_contains_zero() -> None:
    assert pair_words("a", pair()) == [
        "a minus b: +3.1 [-1.0, +7.2] percentage points of mean return a year; the interval "
        "contains zero, so the difference may be luck.",
        "The difference of the Sharpe ratios, +0.28 [-0.09, 0.66], may be luck (p 0.11).",
    ]
    sure = pair(excess=ends(-0.03, -0.05, -0.01), p_value=0.01, sharpe=ends(-0.3, -0.5, -0.1))
    assert pair_words("a", sure) == [
        "a minus b: -3.0 [-5.0, -1.0] percentage points of mean return a year; the interval does "
        "not contain zero.",
        "The difference of the Sharpe ratios, -0.30 [-0.50, -0.10], does not look like luck "
        "(p 0.01).",
    ]
    assert pair_words("a", {**sure, "p_value": 0.003})[1].endswith(
        "does not look like luck (p < 0.01)."
    )


def test_a_pair_says_if_the_test_and_the_interval_of_the_sharpe_ratios_disagree() -> None:
    contains = pair(sharpe=ends(-0.35, -0.71, 0.03), p_value=0.04)
    assert pair_words("a", contains)[1] == (
        "The difference of the Sharpe ratios, -0.35 [-0.71, 0.03], is unclear: its interval "
        "contains zero, but a test finds a difference (p 0.04)."
    )
    excludes = pair(sharpe=ends(0.35, 0.01, 0.71), p_value=0.07)
    assert pair_words("a", excludes)[1] == (
        "The difference of the Sharpe ratios, +0.35 [0.01, 0.71], is unclear: its interval "
        "does not contain zero, but a test finds no difference (p 0.07)."
    )


def test_a_pair_without_difference_or_without_a_year_claims_nothing() -> None:
    assert pair_words("a", pair(excess=ends(0.0, 0.0, 0.0))) == ["a and b have the same returns."]
    short = pair(excess=ends(None, None, None), sharpe=ends(None, None, None), p_value=None)
    assert pair_words("a", short) == [
        "a and b have less than a year in common, so nothing can be concluded."
    ]
    assert len(pair_words("a", pair(p_value=None))) == 1


def test_settings_are_told_with_both_values() -> None:
    assert settings_words(pair()) == "dry_powder.k 0.11 instead of 0.09"
    assert settings_words(pair(settings=[])) == "no setting differs"
    changed = [{"path": "memory", "first": ("SMH",), "second": ("MU", "WDC")}]
    assert changed_words(changed) == "memory SMH (default MU WDC)"
    assert changed_words([]) == ""


FIGURES = {"total_return": 1.2, "cagr": 0.101, "sharpe": 0.9, "max_drawdown": -0.2}
SAVED: dict[str, Any] = {
    "folder": "out/run-7",
    "source": "store",
    "labels": None,
    "run_id": "abc",
    "start": "2015-01-02",
    "end": "2020-01-02",
    "same": True,
    "changed_from": None,
    "largest_difference": 0.0,
    "own": FIGURES,
    "again": FIGURES | {"cagr": 0.098},
}
WINDOW = {"start": "2015-01-02", "end": "2020-01-02"}
CURE = (
    "To use the old data, run drypowder data --copy FILE --as-of DATE, then compare with --store "
    "FILE."
)


def test_an_unchanged_run_has_the_numbers_of_its_folder() -> None:
    said = saved_words("a", SAVED, WINDOW)
    assert said == "a: the row shows the numbers saved in out/run-7 (run abc)."


def test_a_run_on_another_window_shows_the_numbers_of_its_folder() -> None:
    assert saved_words("a", SAVED, WINDOW | {"start": "2016-01-04"}) == (
        "a: the current data give the same returns as out/run-7. Saved numbers, 2015-01-02 to "
        "2020-01-02: CAGR 10.1 %, Sharpe 0.90, drawdown -20.0 %. The table shows only sessions "
        "that all rows have in common."
    )


def test_a_run_on_changed_data_shows_both_numbers_and_the_cure() -> None:
    changed = SAVED | {"same": False, "changed_from": "2019-03-01", "largest_difference": 0.0123}
    said = saved_words("a", changed, WINDOW)
    assert "differ from the returns saved in out/run-7" in said
    assert (
        "first difference is on 2019-03-01. The largest difference on a day is 1.23 percentage "
        "points" in said
    )
    assert "Saved numbers, 2015-01-02 to 2020-01-02: CAGR 10.1 %" in said
    assert "Numbers computed again: CAGR 9.8 %" in said
    assert said.endswith(CURE)
    assert CURE not in saved_words("a", changed | {"source": "simulated"}, WINDOW)


def test_a_run_with_labels_says_that_their_file_may_have_changed() -> None:
    changed = SAVED | {"same": False, "changed_from": "2019-03-01", "labels": "/my/labels.csv"}
    said = saved_words("a", changed, WINDOW)
    assert "The data, the labels in /my/labels.csv or the program have changed." in said
    assert f"To use the old labels, restore /my/labels.csv. {CURE}" in said


def test_a_run_whose_sessions_are_gone_is_not_called_equal() -> None:
    gone = SAVED | {"same": False, "again": None}
    assert "no longer has the sessions of out/run-7" in saved_words("a", gone, WINDOW)


@pytest.mark.parametrize("key", ["own", "again"])
def test_a_run_of_less_than_a_year_shows_its_total_return(key: str) -> None:
    short = dict.fromkeys(FIGURES) | {"total_return": 0.05, "max_drawdown": -0.02}
    changed = SAVED | {"same": False, "changed_from": "2019-03-01", key: short}
    assert "return 5.0 %, drawdown -2.0 %" in saved_words("a", changed, WINDOW)
