"""The verdict of a run's page, in words."""

from typing import Any

import pytest

from backtests.report.tearsheet_words import conclusion_said, strip

FIGURES = {"cagr": 0.101, "total_return": 0.02, "max_drawdown": -0.154}
BENCHMARK = {"cagr": 0.143, "total_return": 0.03, "max_drawdown": -0.337}


def numbers(
    *,
    interval: tuple[float, float] | None = (-0.05, 0.02),
    sharpe: bool | None = False,
    timing: float | None = 0.2,
    few: bool = False,
    **run: Any,
) -> dict[str, Any]:
    """Return the parts of metrics.json that the verdict reads."""
    bounds = interval and {"estimate": sum(interval) / 2, "low": interval[0], "high": interval[1]}
    return {
        "run": {
            "strategy": "tilt",
            "benchmark": "SPY",
            "end": "2025-12-31",
            "regime": "ABSORPTION",
            "regime_since": "2025-10-16",
            "simulated": False,
            "below_a_year": False,
            "absorption_episodes": 6,
            "state_episodes": 2,
            **run,
        },
        "strategy": FIGURES,
        "benchmark": BENCHMARK,
        "regimes": {
            "ABSORPTION": {
                "sessions": 903,
                "episodes": 6,
                "mean_excess": -0.011,
                "benchmark_excess": 0.0204,
            }
        },
        "luck": {"sharpe": 0.9512, "hurdle": 0.46},
        "robustness": [],
        "conclusion": {
            "difference": bounds,
            "level": 0.95,
            "sharpe_significant": sharpe,
            "timing_p_value": timing,
            "timing_significant": None if timing is None else timing <= 0.05,
            "few_episodes": few,
        },
    }


def test_a_loss_of_the_benchmark_beside_a_gain_has_its_own_verb() -> None:
    given = numbers() | {"benchmark": BENCHMARK | {"cagr": -0.03}}
    assert "tilt earned 10.1 % a year after costs, and SPY lost 3.0 %." in conclusion_said(given)


def test_below_a_year_the_card_shows_total_returns() -> None:
    value, note = cells(below_a_year=True, interval=None)["result"]
    assert (value, note.partition(";")[0]) == ("+2.0 %", "SPY +3.0 %")


def trust(**given: Any) -> str:
    """Return the second sentence of the conclusion."""
    return conclusion_said(numbers(**given)).partition("33.7 % for SPY. ")[2]


def cells(**given: Any) -> dict[str, tuple[str, str]]:
    return {cell["id"]: (cell["value"], cell["note"]) for cell in strip(numbers(**given))}


def test_a_run_without_a_known_regime_does_not_say_that_a_regime_never_occurred() -> None:
    """Before 2013, for example, the flags have too few data."""
    unknown: dict[str, Any] = {"state_episodes": None, "absorption_episodes": 0, "regime": None}
    given = numbers(few=True, **unknown) | {"regimes": {"none": {"sessions": 903}}}
    said = {cell["id"]: cell["note"] for cell in strip(given)}
    assert said["absorption"] == "No regime is known for the returns of this run"
    assert said["skill"].endswith("; no regime is known")
    assert "never occurred" not in conclusion_said(given)


def test_the_first_two_sentences_say_the_result_beside_the_benchmark() -> None:
    assert conclusion_said(numbers()).startswith(
        "tilt earned 10.1 % a year after costs, and SPY 14.3 %. The deepest loss was 15.4 % for "
        "tilt and 33.7 % for SPY. "
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {},
            "Do not rely on this result: its shortfall against SPY, its Sharpe ratio and its "
            "timing may be luck.",
        ),
        (
            {"sharpe": True},
            "Its Sharpe ratio does not look like luck, but its shortfall against SPY and its "
            "timing may be luck.",
        ),
        (
            {"sharpe": True, "timing": 0.01, "interval": (0.01, 0.09)},
            "Its lead over SPY, its Sharpe ratio and its timing do not look like luck, but "
            "hindsight is possible.",
        ),
        (
            {"sharpe": True, "timing": 0.01, "interval": (-0.09, -0.01)},
            "Its Sharpe ratio and its timing do not look like luck, but it earned significantly "
            "less than SPY.",
        ),
        (
            {"sharpe": True, "few": True, "interval": (-0.01, 0.09)},
            "Its Sharpe ratio does not look like luck, but its lead over SPY may be luck, and the "
            "strategy's active state occurred in only 2 episodes.",
        ),
        (
            {"sharpe": None, "timing": None, "interval": (-0.09, -0.01)},
            "It earned significantly less than SPY.",
        ),
        (
            {"interval": (-0.0004, 0.0002)},
            "The strategy earns the same as SPY, so there is nothing to judge.",
        ),
    ],
)
def test_the_last_sentence_says_what_can_be_luck(given: dict[str, Any], said: str) -> None:
    assert trust(**given) == said


def test_a_loss_is_called_a_loss_and_its_sharpe_ratio_is_no_luck() -> None:
    lost = numbers(interval=(-0.2, -0.1)) | {
        "strategy": FIGURES | {"cagr": -0.004},
        "luck": {"sharpe": -0.14, "hurdle": 0.46},
    }
    assert conclusion_said(lost) == (
        "tilt lost 0.4 % a year after costs, and SPY earned 14.3 %. The deepest loss was 15.4 % "
        "for tilt and 33.7 % for SPY. Do not rely on this result: its timing may be luck, and it "
        "earned significantly less than SPY, and it earned less than bills."
    )
    assert strip(lost)[2]["value"] == "Less than bills"


def test_a_short_run_concludes_nothing() -> None:
    said = conclusion_said(numbers(interval=None, sharpe=None, timing=None, below_a_year=True))
    assert said.startswith("tilt earned 2.0 % after costs, and SPY 3.0 %. ")
    assert said.endswith("The run is shorter than a year, so nothing can be concluded.")


def test_a_simulated_run_says_so_first() -> None:
    assert conclusion_said(numbers(simulated=True)).startswith("In a SIMULATED history, tilt ")
    passed = numbers(simulated=True, sharpe=True, timing=0.01, interval=(0.01, 0.09))
    assert conclusion_said(passed).endswith("do not look like luck, but the history is SIMULATED.")
    assert cells(simulated=True)["hindsight"] == (
        "Not applicable",
        "The history is SIMULATED and is no evidence",
    )


def test_the_strip_answers_five_questions() -> None:
    assert cells() == {
        "result": (
            "+10.1 % a year",
            "SPY +14.3 %. Difference of mean returns -1.5 points a year, 95 % interval -5.0 "
            "to +2.0",
        ),
        "absorption": (
            "-1.1 % a year",
            "SPY +2.0 %. The numbers are mean returns minus the return of bills, from 903 sessions "
            "in 6 episodes",
        ),
        "skill": ("May be luck", "Sharpe 0.95, hurdle 0.46; timing p 0.20"),
        "hindsight": (
            "Cannot be excluded",
            "Rules and assets were chosen in 2026, with knowledge of the history up to 2026",
        ),
        "now": ("ABSORPTION", "since 2025-10-16; last close 2025-12-31"),
    }


@pytest.mark.parametrize(
    ("given", "said", "note"),
    [
        ({"sharpe": True, "timing": 0.001}, "Unlikely to be luck", "timing p < 0.01"),
        ({"sharpe": True}, "Timing may be luck", "timing p 0.20"),
        ({"timing": 0.01}, "Sharpe ratio may be luck", "timing p 0.01"),
        ({"sharpe": True, "timing": None}, "Timing not tested", "timing not tested"),
        (
            {"sharpe": True, "few": True, "state_episodes": 0},
            "Too few episodes",
            "the strategy's active state never occurred",
        ),
        (
            {"few": True, "state_episodes": None, "absorption_episodes": 1},
            "May be luck",
            "ABSORPTION occurred in only 1 episode",
        ),
    ],
)
def test_luck_or_skill_is_said_in_a_few_words(given: dict[str, Any], said: str, note: str) -> None:
    value, beside = cells(**given)["skill"]
    assert value == said
    assert beside.endswith(f"; {note}")


def test_without_a_verdict_the_strip_says_the_one_reason() -> None:
    constant = cells(sharpe=None, timing=None)["skill"]
    assert constant == ("No verdict", "The returns minus the returns of bills do not vary")
    short = cells(sharpe=None, timing=None, interval=None, below_a_year=True)["skill"]
    assert short == ("No verdict", "The returns cover less than a year")


def test_what_did_not_occur_has_no_figure() -> None:
    found = {cell["id"]: cell for cell in strip(numbers(regime=None) | {"regimes": {}})}
    assert found["absorption"]["value"] == "–"
    assert found["now"]["value"] == "No regime"
