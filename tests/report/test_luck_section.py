"""The parts of a tearsheet on luck, lead and lag, and timing show the numbers of metrics.json."""

import html
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtests.evidence.luck import PRIOR, SKILLED, luck
from backtests.evidence.table_luck import table_luck, table_verdict
from backtests.report.lead_lag_bars import IMPOSSIBLE, OTHER, OWN, kind_of, lead_lag_bars
from backtests.report.luck_numbers import luck_numbers, table_luck_numbers
from backtests.report.luck_section import ROWS, luck_section, luck_sentences, split_said
from tests.lucky import lucky

NUMBERS: dict[str, Any] = {
    "run": {"simulated": False, "sessions": 2520},
    **lucky(0.5),
    "conclusion": {"timing_p_value": 0.28, "few_episodes": False},
    "timing": lucky(0.5)["timing"]
    | {
        "by_asset": {
            "SPY": {"weight": 0.2, "tilt": 0.05, "timing": 0.01},
            "GLD": {"weight": 0.5, "tilt": 0.1041, "timing": 0.0093},
        }
    },
}


def shown(page: str) -> dict[str, str]:
    """Return the second cell of each row of the table of luck, by the row's key."""
    found = re.findall(r'<tr data-key="(\w+)"><th[^>]*>.*?</th><td>(.*?)</td>', page)
    return dict(found)


def test_every_figure_stands_under_its_name() -> None:
    assert shown(luck_section(NUMBERS)) == {
        "sharpe": "0.50",
        "standard_error": "0.29",
        "hurdle": "0.81",
        "trials": "7",
        "effective_trials": "3.2",
        "probabilistic_sharpe": "0.988",
        "deflated_sharpe": "0.871",
        "deflated_by_own_error": "0.912",
        "deflated_sharpe_2014": "0.642",
        "minimum_track_record": "1,421",
        "power": "52.9 %",
        "planned_false_discovery": "45.9 %",
        "observed_false_discovery": "1.2 %",
        "own_mix": "0.53 (p 0.014)",
    }


def test_each_number_in_json_has_the_name_of_its_statistic() -> None:
    """The expected moments come from SciPy. A kurtosis of 3 is that of a normal distribution."""
    rng = np.random.default_rng(3)
    excess = 0.0006 + 0.01 * rng.standard_t(5, 2000)
    found = luck(excess, trials=[0.2, 0.4, 0.9], effective=2.5, mix=0.01 * rng.normal(size=2000))
    shown, deflation = luck_numbers(found), found.deflation
    assert shown["skewness"] == pytest.approx(stats.skew(excess))
    assert shown["kurtosis"] == pytest.approx(stats.kurtosis(excess, fisher=False))
    expected = {
        "sharpe": found.sharpe,
        "standard_error": found.error,
        "hurdle": found.hurdle,
        "trials": 3,
        "effective_trials": 2.5,
        "probabilistic_sharpe": found.probability,
        "minimum_track_record": found.minimum_length,
        "power": found.power,
        "planned_false_discovery": found.planned_false,
        "observed_false_discovery": found.observed_false,
        "expected_maximum": found.expected_maximum,
        "deflated_sharpe": deflation.probability,
        "deflated_sharpe_2014": deflation.probability_2014,
        "deflated_by_own_error": deflation.of_own_error,
        "autocorrelation": found.track.autocorrelation,
    }
    assert len(set(expected.values())) == len(expected), "otherwise an exchange would go unnoticed"
    assert {key: shown[key] for key in expected} == expected


def test_the_p_value_of_a_table_is_not_its_probability_of_overfitting() -> None:
    rng = np.random.default_rng(4)
    index = pd.bdate_range("2015-01-01", periods=600)
    excess = pd.DataFrame(0.01 * rng.normal(size=(600, 4)), index=index, columns=list("abcd"))
    found = table_luck(excess, {}, ["d"], excess["d"])
    assert found.superiority
    assert found.overfitting
    shown = table_luck_numbers(found, "a")
    assert shown["confidence_set_p"] == found.confidence["a"]
    assert shown["table"] == {
        "said": table_verdict(found),
        "overfitting": found.overfitting.probability,
        "benchmark": "d",
        "spa_p": found.superiority.p_value,
    }
    assert found.superiority.p_value != found.overfitting.probability


def test_a_tiny_p_value_is_a_bound() -> None:
    luck = NUMBERS["luck"] | {"own_mix": {"estimate": 0.53, "p_value": 0.0002}}
    assert shown(luck_section(NUMBERS | {"luck": luck}))["own_mix"] == "0.53 (p &lt;0.001)"


def test_undefined_figures_have_no_row() -> None:
    luck = NUMBERS["luck"] | {"deflated_sharpe": None, "own_mix": None}
    rest = {key for key, *_ in ROWS} - {"deflated_sharpe"}
    assert shown(luck_section(NUMBERS | {"luck": luck})).keys() == rest


def test_without_a_sharpe_ratio_there_is_no_table_of_dashes() -> None:
    nothing = {key: None for key, *_ in ROWS} | {"verdict": "No verdict.", "own_mix": None}
    page = luck_section(NUMBERS | {"luck": nothing | {"trials": 7, "effective_trials": 3.2}})
    assert "No verdict." in page
    assert '<table id="luck">' not in page


def test_the_page_says_what_power_and_false_discoveries_assume() -> None:
    said = html.unescape(luck_section(NUMBERS))
    assert f"Power assumes a yearly Sharpe ratio of {SKILLED}." in said
    assert PRIOR == 0.1
    assert "False discoveries assume that one in ten tried strategies has this Sharpe ratio" in said


def test_the_sentences_stand_on_the_page() -> None:
    page = html.unescape(luck_section(NUMBERS))
    for said in (NUMBERS["luck"]["verdict"], NUMBERS["lead_lag"]["said"]):
        assert said in page
    assert split_said(NUMBERS["timing"]) in page
    assert "about 0.32" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Timing p 0.28: without timing"),
        ({"timing_p_value": 0.001}, "Timing p &lt; 0.01: without timing"),
        ({"timing_p_value": None}, ""),
        ({"few_episodes": True}, ""),
    ],
)
def test_the_section_on_lead_and_lag_explains_the_p_value_of_timing(
    changed: dict[str, Any], said: str
) -> None:
    conclusion = NUMBERS["conclusion"] | changed
    page = luck_section(NUMBERS | {"conclusion": conclusion})
    assert said in page
    assert ('id="timing-p"' in page) == bool(said)


def test_the_largest_weight_comes_first_and_the_sum_last() -> None:
    page = luck_section(NUMBERS)
    table = re.search(r'<table id="timing">.*?</table>', page, re.DOTALL)
    assert table
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t", row) for row in table[0].split("<tr>")[2:]]
    assert rows == [
        ["GLD", "50.00", "10.41", "0.93"],
        ["SPY", "20.00", "5.00", "1.00"],
        ["all assets", "", "15.41", "1.93"],
    ]


def test_the_parts_are_said_with_signs() -> None:
    assert split_said(NUMBERS["timing"]) == (
        "Mean return a year: bills +1.73 %, tilt +15.41 %, timing +1.93 %, trading costs -0.08 %, "
        "borrowing -0.12 %; together +18.87 %."
    )


def test_borrowing_is_said_only_if_it_costs_something() -> None:
    said = split_said(NUMBERS["timing"] | {"borrowing": 0.0})
    assert "trading costs -0.08 %; together" in said


def test_what_was_not_computed_has_no_heading() -> None:
    page = luck_section(NUMBERS | {"lead_lag": None, "timing": None})
    assert "Lead and lag" not in page
    assert "Tilt and timing" not in page
    assert "Luck or skill" in page


def test_headings_and_charts_of_a_simulated_run_say_so() -> None:
    page = luck_section(NUMBERS | {"run": {"simulated": True, "sessions": 2520}})
    headings = re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page)
    assert len(headings) == 3
    assert 'aria-label="SIMULATED: Information ratio' in page
    assert all(heading.startswith("SIMULATED") for heading in headings)


def test_the_bars_mark_impossible_fills_and_the_lag_of_the_run() -> None:
    kinds = [kind_of(at, 2) for at in range(-5, 11)]
    assert kinds == [IMPOSSIBLE] * 6 + [OTHER, OWN] + [OTHER] * 8
    ratios = NUMBERS["lead_lag"]["information_ratios"]
    chart = lead_lag_bars(ratios, 2, "bars")
    legend = 1
    assert chart.count('class="bar faint"') == 6 + legend
    assert chart.count('class="bar own"') == 1 + legend
    assert chart.count('class="bar"') == 9 + legend


def test_a_bar_is_as_high_as_its_ratio_and_begins_at_zero() -> None:
    chart = lead_lag_bars({"1": 0.2, "2": 0.4, "3": None, "4": -0.2}, 9, "bars")
    heights = re.findall(r'class="bar" x="[^"]*" y="([^"]*)" width="[^"]*" height="([^"]*)"', chart)
    (top, low), (tallest, high), (below, down) = [tuple(map(float, h)) for h in heights[:3]]
    assert high == pytest.approx(2 * low, abs=0.2)
    assert down == pytest.approx(low, abs=0.2)
    assert top + low == pytest.approx(tallest + high, abs=0.2)
    assert below == pytest.approx(top + low, abs=0.2)


def test_the_terminal_says_the_same_sentences() -> None:
    assert luck_sentences(NUMBERS) == [
        NUMBERS["luck"]["verdict"],
        NUMBERS["lead_lag"]["said"],
        split_said(NUMBERS["timing"]),
    ]
    short = NUMBERS | {"lead_lag": None, "timing": None}
    assert luck_sentences(short) == [NUMBERS["luck"]["verdict"]]
