"""Each figure of ``drypowder compare`` stands under its own heading."""

from typing import Any

from backtests.cli.compare import COLUMNS
from backtests.report.compare_words import luck_words
from tests.lucky import lead_lag, lucky


def interval(estimate: float) -> dict[str, float]:
    return {"estimate": estimate, "low": estimate - 0.01, "high": estimate + 0.01}


ENTRY = {
    "cagr": 0.081,
    "volatility": 0.122,
    "sharpe": 0.53,
    "max_drawdown": -0.34,
    "exposure": 0.45,
    "turnover": 1.56,
    "costs": 0.0067,
    "intervals": {
        "sharpe": {"estimate": 0.53, "low": 0.11, "high": 0.97},
        "excess_spy": interval(-0.05),
        "excess_bills": interval(0.06),
        "excess_mix": interval(0.02),
    },
    "alpha": None,
    "placebo": {"rank": 0.89, "kind": "shifts"},
    "episodes": 3,
    **lucky(0.53),
}


def test_figures_stand_under_their_names() -> None:
    assert {column.heading: cell(ENTRY) for column, cell in COLUMNS[1:]} == {
        "CAGR": "8.1",
        "vol": "12.2",
        "Sharpe": "0.53",
        "[low, high]": "[0.11, 0.97]",
        "drawdown": "-34",
        "expo": "45",
        "turn": "156",
        "cost": "0.67",
        "over SPY": "-5.0 [-6.0, -4.0]",
        "over bills": "6.0 [5.0, 7.0]",
        "over mix": "2.0 [1.0, 3.0]",
        "hurdle": "0.81",
        "timing": "1.9",
        "alpha": "–",
        "placebo": "0.89s",
        "epi": "3",
    }


def shown(heading: str, entry: dict[str, Any]) -> str:
    return next(str(cell(entry)) for column, cell in COLUMNS if column.heading == heading)


def test_an_interval_that_contains_zero_also_does_so_on_the_terminal() -> None:
    """Without decimals, the interval from -0.4 % to 3.2 % is [0, 3]."""
    bounds = {"estimate": 0.014, "low": -0.004, "high": 0.032}
    entry = ENTRY | {"intervals": {"excess_mix": bounds}}
    assert shown("over mix", entry) == "1.4 [-0.4, 3.2]"


def test_a_row_shorter_than_a_year_shows_its_total_return() -> None:
    entry = ENTRY | {"cagr": None, "total_return": -0.034}
    assert shown("CAGR", entry) == "-3.4 in total"


def test_the_lines_below_name_the_significant_rows_and_those_that_collapse() -> None:
    rows: dict[str, Any] = {"a": ENTRY, "b": ENTRY | lucky(1.2, significant=True)}
    assert luck_words(rows) == [
        "Rows whose Sharpe ratio reaches the hurdle: b. The hurdle depends on 2 rows and 1,200 "
        "logged trials.",
        "In 11 % of the splits, the best row fails (PBO).",
    ]
    without = {**rows, "bills": ENTRY | {"sharpe": None}}
    assert "depends on 2 rows with a Sharpe ratio and 1,200 logged" in luck_words(without)[0]
    rows["a"] = ENTRY | {"lead_lag": lead_lag(collapse=0)}
    assert luck_words(rows)[-1] == "Lead and lag: it collapses."
    assert luck_words({"a": ENTRY})[0].startswith(
        "Rows whose Sharpe ratio reaches the hurdle: none."
    )
