"""Orders that lead to target weights, and files of holdings."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.engine.costs import Costs
from backtests.holdings import LARGEST_FILE, orders_to, read_holdings
from signals.errors import ConfigError, DataError
from signals.universe import CASH

# --- orders: cost and rounding --------------------------------------------------------------

PRICES = pd.Series({"SPY": 100.0, "MU": 50.0, "BTC-USD": 1000.0, "XLP": float("nan")})


def order(target: dict[str, float], holdings: dict[str, float], decimals: int = 4) -> pd.DataFrame:
    return orders_to(
        pd.Series(target, dtype="float64"), holdings, PRICES, Costs(), decimals
    ).set_index("asset")


def test_a_trade_costs_2_5_and_20_basis_points_by_market_and_a_sale_too() -> None:
    """The expected values are the default trading rules, typed here and not read from the code."""
    holdings = {"SPY": 50.0, "MU": 20.0, "BTC-USD": 2.0, CASH: 2000.0}
    sold = order({}, holdings)
    assert sold["units"].to_dict() == {"SPY": -50.0, "MU": -20.0, "BTC-USD": -2.0}
    assert sold["cost"].to_dict() == pytest.approx({"SPY": 1.0, "MU": 0.5, "BTC-USD": 4.0})
    bought = order({"SPY": 0.3, "MU": 0.3, "BTC-USD": 0.3}, {CASH: 10_000.0})
    assert bought["cost"].to_dict() == pytest.approx({"SPY": 0.6, "MU": 1.5, "BTC-USD": 6.0})


@pytest.mark.parametrize(
    ("weight", "decimals", "units"),
    [
        (0.10999, 0, 10.0),
        (0.10999, 2, 10.99),
        (0.1099999, 4, 10.9999),
        (0.11 - 1e-13, 4, 11.0),
        (0.11 - 1e-13, 0, 11.0),
    ],
)
def test_units_are_rounded_toward_zero_when_bought_and_when_sold(
    weight: float, decimals: int, units: float
) -> None:
    bought = order({"SPY": weight}, {CASH: 10_000.0}, decimals)
    assert bought.loc["SPY", "units"] == pytest.approx(units, abs=1e-9)
    sold = order({}, {"SPY": weight * 100, CASH: 10_000.0}, decimals)
    assert sold.loc["SPY", "units"] == pytest.approx(-units, abs=1e-9)


@pytest.mark.parametrize("decimals", [400, 9, -1, 1.5, True])
def test_decimals_beyond_their_range_are_refused_in_one_line(decimals: Any) -> None:
    with pytest.raises(ConfigError, match=f"`decimals` from 0 to 8, was {decimals}; give a whole"):
        order({"SPY": 0.1}, {CASH: 10_000.0}, decimals)


def test_the_largest_purchase_is_cut_to_what_cash_can_pay_with_costs() -> None:
    bought = order({"SPY": 0.6, "MU": 0.4}, {CASH: 10_000.0})
    assert bought.loc["MU", "units"] == 80.0
    left = 10_000 - 4000 * 1.0005
    assert bought.loc["SPY", "units"] == pytest.approx(left / 100.02, abs=1e-4)
    assert (bought["value"] + bought["cost"]).sum() <= 10_000.0


def test_what_has_no_price_is_not_ordered() -> None:
    assert "XLP" not in order({"XLP": 0.5, "SPY": 0.5}, {CASH: 10_000.0}).index


# --- files of holdings ----------------------------------------------------------------------


def test_a_pipe_a_device_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(DataError, match="expected a regular file with holdings"):
            read_holdings(path)


def test_a_file_beyond_the_bound_is_refused_and_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text("asset,units\n")
    os.truncate(path, 10**12)
    with pytest.raises(DataError, match=f"at most {LARGEST_FILE:,} bytes"):
        read_holdings(path)


def test_a_tilde_stands_for_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "h.csv").write_text("asset,units\nSPY,40.5\n")
    assert read_holdings(Path("~/h.csv")) == {"SPY": 40.5}


@pytest.mark.parametrize("path", ["~nosuchuser/h.csv", "a\0b.csv"])
def test_a_path_that_cannot_be_a_file_is_one_line(path: str) -> None:
    with pytest.raises(ConfigError, match="expected a valid path"):
        read_holdings(Path(path))


def test_a_cell_of_the_file_may_be_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text('"asset","units"\n"SPY", "40.5"\nCASH,"-100"\n')
    assert read_holdings(path) == {"SPY": 40.5, CASH: -100.0}


@pytest.mark.parametrize("line", ['"SPY","1,000"', "SPY,1,000", "SPY", "SPY,", ",5", '"SPY,5'])
def test_a_line_without_an_asset_and_a_number_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "h.csv"
    path.write_text(f"asset,units\n{line}\n")
    with pytest.raises(DataError, match="line 2: expected an asset and a number of units"):
        read_holdings(path)


def test_a_loop_of_links_is_one_line(tmp_path: Path) -> None:
    loop = tmp_path / "h.csv"
    loop.symlink_to(loop)
    with pytest.raises(DataError, match="check the path"):
        read_holdings(loop)


@pytest.mark.parametrize("units", ["9" * 4000, "1e400", "-" + "9" * 4000])
def test_a_number_of_4000_digits_is_refused_in_a_short_line(tmp_path: Path, units: str) -> None:
    path = tmp_path / "h.csv"
    path.write_text(f"asset,units\nSPY,{units}\n")
    with pytest.raises(DataError, match="number of units below 1e15") as caught:
        read_holdings(path)
    assert len(str(caught.value)) < 200
