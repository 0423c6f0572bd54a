"""How the tearsheet writes its figures: fractions become percent, ratios stay as they are."""

from typing import Any

import pytest

from backtests.report.tearsheet_tables import ROWS, attribution_rows, revision_rows

FORMS = {metric.key: metric.form for metric in ROWS}
PERCENT = (
    "total_return",
    "cagr",
    "volatility",
    "max_drawdown",
    "var_95",
    "cvar_95",
    "hit_rate",
    "best_day",
    "worst_day",
    "months_above_zero",
    "best_month",
    "worst_month",
    "tracking_error",
    "up_capture",
    "down_capture",
    "exposure",
    "turnover",
    "costs",
)
RATIOS = (
    *("sharpe", "sortino", "calmar", "beta", "correlation"),
    *("skew", "excess_kurtosis", "information_ratio"),
)
COUNTS = ("max_drawdown_sessions",)
#: Dates of the deepest drawdown, which are shown without conversion.
AS_THEY_ARE = tuple(f"max_drawdown_{x}" for x in ("peak", "trough", "recovered"))


def test_the_form_of_each_figure_is_tested() -> None:
    untested = FORMS.keys() - {*PERCENT, *RATIOS, *COUNTS, *AS_THEY_ARE}
    assert not untested, f"add {sorted(untested)} to PERCENT or RATIOS in this file"


@pytest.mark.parametrize("key", PERCENT)
def test_a_fraction_is_shown_in_percent(key: str) -> None:
    assert FORMS[key](-0.12345) == "-12.35 %"  # the float is a little below -12.345


@pytest.mark.parametrize("key", RATIOS)
def test_a_ratio_is_shown_as_it_is(key: str) -> None:
    assert FORMS[key](1.234) == "1.23"


@pytest.mark.parametrize("key", COUNTS)
def test_a_count_has_commas(key: str) -> None:
    assert FORMS[key](2732) == "2,732"


def test_the_figures_of_a_case_are_shown_likewise() -> None:
    case = dict.fromkeys(("series", "case", "absorption_episodes", "absorption_entered"))
    figures = {"sessions_changed": 0.125, "cagr": 0.081, "total_return": 0.02, "sharpe": 0.53}
    row = {**case, **figures, "max_drawdown": -0.34, "exposure": None}
    own = {"sharpe": 0.53}
    numbers = {"run": {"below_a_year": False}, "strategy": own, "by_revision": [row]}
    (shown,) = revision_rows(numbers)
    assert shown["sessions with a changed regime, %"] == "12.50"
    assert [*shown.values()][-4:] == ["8.10", "0.53", "-34.00", "–"]
    (below_a_year,) = revision_rows(numbers | {"run": {"below_a_year": True}})
    assert below_a_year["total return, %"] == "2.00"
    (without,) = revision_rows(numbers | {"strategy": {"sharpe": None}})
    assert "Sharpe" not in without


def test_the_parts_of_a_figure_are_shown_in_percent() -> None:
    parts: dict[str, Any] = {"return": 0.5, "volatility": 0.121}
    numbers = {
        "attribution": {
            "by_sleeve": {"cash": {"return": 0.1, "volatility": None}},
            "by_regime": {},
            "by_year": {},
            "total": parts,
        }
    }
    rows = attribution_rows(numbers)["sleeve"]
    assert rows == [("cash", ["10.00", "–"]), ("total", ["50.00", "12.10"])]
