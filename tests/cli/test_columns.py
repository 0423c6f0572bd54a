"""Each column of a table on the terminal shows its own number, with its own format."""

from typing import Any

import pandas as pd

from backtests.cli import flags, sweep_said, thesis, today
from backtests.cli.data import summarised
from backtests.cli.table import Columns
from backtests.evidence.sensitivity import Moved


def row_of(columns: Columns, record: Any) -> dict[str, str]:
    """Return the cells of a record by heading, as plain text."""
    return {column.heading: str(cell(record)) for column, cell in columns}


def test_a_signal() -> None:
    signal = {
        "name": "dry_powder",
        "votes": True,
        "own_rule": False,
        "value": 0.713,
        "unit": "% of GDP",
        "percentile": 12.4,
        "score": 1.83,
        "flag": False,
        "since": "2025-06-02",
        "flips": "share above 2",
        "distance": 1.287,
        "distance_value": 0.714,
        "reason": "",
        "known_at": "2025-10-16T16:30:00",
        "oldest_known_at": "2025-06-30T00:00:00",
    }
    assert row_of(flags.COLUMNS, signal) == {
        "signal": "dry_powder",
        "value": "0.713 % of GDP",
        "past": "12 %",
        "score": "1.83",
        "flag": "off",
        "since": "2025-06-02",
        "flips with": "share above 2, now 0.714",
        "inputs known": "2025-06-30 … 2025-10-16",
    }


def test_a_flag_after_a_change_of_a_parameter() -> None:
    moved = Moved(
        signal="dry_powder",
        parameter="k",
        value=0.1125,
        base=0.09,
        on=37.6,
        switches=tuple(f"202{year}-01-02" for year in range(8)),
        overlap=0.41,
    )
    assert row_of(flags._SENSITIVITY, moved) == {
        "signal": "",
        "parameter": "k 0.09 → 0.1125",
        "days on": "38 %",
        "overlap": "0.41",
        "major switches": ", ".join(f"202{year}-01-02" for year in range(2, 8)),
        "remark": "another story",
    }


def test_a_link_of_the_thesis() -> None:
    link = {
        "link": "L9",
        "is_primary": True,
        "statement": "Crypto moves first and most",
        "verdict": "inconclusive",
        "strength": "weak test",
        "episodes": 5,
        "flags": [{"signal": "crypto_probe", "on": True}, {"signal": "other", "on": None}],
        "claim": {"adjusted_p_value": 0.63, "p_value": 0.21, "power": 0.352},
    }
    assert row_of(thesis.COLUMNS, link) == {
        "link": "L9*",
        "what it says": "Crypto moves first and most",
        "verdict": "inconclusive",
        "strength": "weak test",
        "p": "0.630",
        "power, %": "35",
        "epi": "5",
        "flag now": "crypto_probe on, other no view",
    }


def test_an_order() -> None:
    order = {"asset": "SPY", "units": -120.5, "price": 601.25, "value": -72450.61, "cost": 14.49}
    assert list(row_of(today._ORDERS, order).values()) == [
        *("SPY", "-120.5", "601.25", "-72,450.61", "14.49")
    ]


def test_the_best_configuration_of_a_sweep() -> None:
    best = {
        "values": {"dry_powder.k": 0.11},
        "sharpe": 0.934,
        "cagr": 0.1012,
        "volatility": 0.1288,
        "max_drawdown": -0.2534,
        "turnover": 1.456,
        "costs": 0.00123,
    }
    assert dict(sweep_said._rows(best)) == {
        "dry_powder.k": "0.11",
        "Sharpe": "0.93",
        "CAGR, %": "10.1",
        "volatility, %": "12.9",
        "max drawdown, %": "-25.3",
        "turnover, % a year": "146",
        "costs, % a year": "0.12",
    }


def test_a_revision_is_measured_from_the_first_to_the_newest_value() -> None:
    """The second vintage of the first date is left out. Changes: 1, 2 and 9."""
    days = ["2020-01-01"] * 3 + ["2020-04-01"] * 2 + ["2020-07-01"] * 2 + ["2020-10-01"] * 2
    values = [100.0, 150.0, 101.0, 100.0, 98.0, 100.0, 109.0, 100.0, float("nan")]
    rows = pd.DataFrame({"observed_on": pd.to_datetime(days), "value": values})
    assert summarised(rows, "GDP") == {
        "series": "GDP",
        "unit": "USD billions, annual rate",
        "revised": 4,
        "median_change": 2.0,
        "largest_change": 9.0,
    }
