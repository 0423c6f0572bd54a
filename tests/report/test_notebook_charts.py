"""The charts of signals, tested through the data of their plotly figures."""

import pandas as pd

from backtests.report.notebook_charts import equity_chart, signal_chart
from signals.base import Evaluation
from signals.dry_powder import DryPowder

INDEX = pd.bdate_range("2024-01-01", periods=300)


def evaluation() -> Evaluation:
    signal = DryPowder()
    gauges = pd.DataFrame(1.0, index=INDEX, columns=list(signal.units))
    flag = pd.Series(False, index=INDEX, dtype="boolean")
    return Evaluation(signal=signal, gauges=gauges, score=gauges.iloc[:, 0], flag=flag)


def test_a_signals_chart_is_as_high_as_its_rows() -> None:
    """WRESBAL and WALCL are in USD millions and share one row; GDP has a row of its own."""
    sharing, apart = ["WRESBAL", "WALCL"], ["WRESBAL", "GDP"]
    low, high = (
        signal_chart(evaluation(), pd.DataFrame(1.0, index=INDEX, columns=ids), "dry_powder")
        for ids in (sharing, apart)
    )
    assert high.layout.height - low.layout.height == 100
    assert high.layout.height < 1200


def test_the_strategy_bills_is_drawn_beside_bills() -> None:
    """The columns of the strategy and of bills then have the same name."""
    equity = pd.DataFrame([[1.0, 1.0, 1.0], [1.1, 1.2, 1.1]], index=INDEX[:2])
    equity.columns = pd.Index(["bills", "SPY", "bills"])
    chart = equity_chart(equity, pd.Series("NEUTRAL", index=INDEX[:2]), "growth")
    assert [(line.name, line.y[-1]) for line in chart.data[:3]] == [
        ("bills", 1.1),
        ("SPY", 1.2),
        ("bills", 1.1),
    ]


def test_a_longer_history_makes_no_chart_higher() -> None:
    inputs = pd.DataFrame(1.0, index=INDEX, columns=["GDP"])
    whole, cut = evaluation(), evaluation().until(INDEX[99])
    assert (
        signal_chart(whole, inputs, "all").layout.height
        == signal_chart(cut, inputs.iloc[:100], "cut").layout.height
    )


def test_the_title_of_a_row_is_the_key_to_its_lines() -> None:
    inputs = pd.DataFrame(1.0, index=INDEX, columns=["WRESBAL", "GDP", "WALCL"])
    figure = signal_chart(evaluation(), inputs, "dry_powder")
    colours = {line.name: line.line.color for line in figure.data}
    titles = [note.text for note in figure.layout.annotations]
    keys = [f'<span style="color:{colours[id]}">{id}</span>' for id in ("WRESBAL", "WALCL")]
    assert f"{keys[0]}, {keys[1]}, USD millions" in titles
    assert colours["WRESBAL"] != colours["WALCL"]
    assert "GDP, USD billions, annual rate" in titles
