"""Read a user's holdings from a file, and compute the orders that lead to target weights."""

import csv
import math
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from backtests.atomic import expanded
from backtests.engine.costs import Costs
from signals.errors import ConfigError, DataError, MissingSeries, shown, unknown
from signals.params import fits
from signals.universe import CASH, UNIVERSE

#: Largest size of a file of holdings, bytes. A file of holdings usually has a few kilobytes.
LARGEST_FILE = 1_000_000
#: Largest number of decimals of ordered units.
MOST_DECIMALS = 8
_SHOWN = 60


def read_holdings(path: Path) -> dict[str, float]:
    """Return a mapping from asset to units, from a CSV file with the header ``asset,units``.

    The units of the asset CASH are USD. ConfigError is raised if :func:`backtests.atomic.expanded`
    rejects the path. DataError is raised if the file cannot be read, is larger than
    :data:`LARGEST_FILE` bytes, or has an invalid line.
    """
    path = expanded(path)
    lines = _text(path).splitlines() or [""]
    if _cells(lines[0]) != ["asset", "units"]:
        raise DataError(
            f"{path.name}: line 1: expected the header asset,units, was {shown(lines[0])}; add the "
            "header or correct it"
        )
    holdings: dict[str, float] = {}
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            asset, units = _holding(path.name, number, line)
            if asset in holdings:
                raise DataError(
                    f"{path.name}: line {number}: expected each asset once, but {asset} is also on "
                    "an earlier line; write one line with the sum of the units"
                )
            holdings[asset] = units
    if not holdings:
        raise DataError(
            f"{path.name}: expected a line for each holding, but the file has only a header; add "
            "a line, such as CASH,1000 for 1,000 USD"
        )
    return holdings


def _text(path: Path) -> str:
    """Return a regular file's text.

    The length of the text is checked after reading, because some files report the size 0.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(
                f"expected a regular file with holdings, but {path} is a folder, a pipe or a "
                "device; give a CSV file"
            )
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise DataError(
                f"expected a file of holdings with at most {LARGEST_FILE:,} bytes, but {path} is "
                "larger; write one line for each holding"
            )
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"no file {path} with holdings exists; check the path") from None
    except UnicodeDecodeError:
        raise DataError(
            f"expected a holdings file with text in UTF-8 at {path}; save the file as UTF-8"
        ) from None
    except OSError as error:
        raise DataError(
            f"expected to read a holdings file at {path}, but: {error.strerror}; check the path"
        ) from None


def _cells(line: str) -> list[str]:
    """Return the cells of a CSV line, or an empty list if the line is invalid."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True), [])]
    except csv.Error:  # a cell is too long
        return []


def _holding(name: str, number: int, line: str) -> tuple[str, float]:
    try:
        asset, number_of_units = _cells(line)
        units = float(number_of_units)
    except ValueError:  # another number of cells, or units that are not a number
        asset, units = "", float("nan")
    if not asset or not abs(units) < 1e15:
        cut = line if len(line) <= _SHOWN else line[:_SHOWN] + "…"
        raise DataError(
            f"{name}: line {number}: expected an asset and a number of units below 1e15, was "
            f"{cut!r}; correct it"
        )
    return asset, units


def units_of(holdings: object) -> dict[str, float]:
    """Return holdings, given as a mapping or a pandas Series, as a mapping from asset to units.

    ConfigError is raised for another type, and for a Series that has an asset twice.
    """
    if isinstance(holdings, pd.Series) and holdings.index.is_unique:
        return {str(asset): units for asset, units in holdings.items()}
    if not isinstance(holdings, Mapping):
        raise ConfigError(
            "expected the holdings as a mapping or a Series with each asset once, was "
            f"{shown(holdings)}; write them like {{'SPY': 40, 'CASH': 1000}}"
        )
    return dict(holdings)


def check_held(held: Iterable[str], priced: pd.DataFrame) -> None:
    """Raise :class:`MissingSeries` if a held asset has no price.

    ``held`` contains tickers, without :data:`CASH`. ``priced`` contains the closes in USD, with one
    row per session and one column per asset.
    """
    for ticker in held:
        if ticker not in priced:
            known = (*priced.columns, *UNIVERSE, CASH)
            raise MissingSeries(f"holdings: {unknown('asset', ticker, known)}")
        if not priced[ticker].notna().any():
            raise MissingSeries(
                f"expected a price of the holding {ticker} on or before the session, found none; "
                "import its prices or correct the ticker"
            )


def value_of(holdings: Mapping[str, float], prices: pd.Series) -> float:
    """Return the total value of holdings in USD.

    ConfigError is raised if units are not a finite number, or if the total value is 0 USD or less.
    """
    for name, units in holdings.items():
        if not fits(units, float) or not math.isfinite(units):
            raise ConfigError(
                f"holdings: expected a number of units of {name}, was {shown(units)}; correct it"
            )
    value = sum(u if a == CASH else u * prices[a] for a, u in holdings.items())
    if not value > 0:
        raise ConfigError(
            "expected the holdings to be worth more than 0 USD, but they are worth "
            f"{value:,.2f} USD"
        )
    return float(value)


def weights_of(holdings: Mapping[str, float], prices: pd.Series) -> pd.Series:
    """Return the weight of each asset with a price: its value divided by the total value."""
    value = value_of(holdings, prices)
    units = pd.Series({a: holdings.get(a, 0.0) for a in prices.index[prices > 0]}, dtype="float64")
    return units * prices.loc[units.index] / value


def with_cash(weights: pd.Series) -> dict[str, float]:
    """Return a mapping from asset to weight, with the rest of the portfolio as :data:`CASH`."""
    held = {str(asset): float(weight) for asset, weight in weights.items()}
    return {**held, CASH: 1 - float(weights.sum())}


def orders_to(
    target: pd.Series,
    holdings: Mapping[str, float],
    prices: pd.Series,
    costs: Costs,
    decimals: int,
    untraded: Iterable[str] = (),
) -> pd.DataFrame:
    """Return the orders that lead from holdings to target weights, by the rules of a backtest.

    Sales are filled first. Purchases follow in ascending order of their value. A purchase is
    reduced if the remaining cash cannot pay for the purchase and its costs.

    ``target`` contains the weight of each asset, as a fraction of the total value before costs. An
    asset without a target is sold. ``holdings`` contains the units of each asset, and USD for
    :data:`CASH`. ``prices`` contains the price of each asset, USD. Units are rounded toward zero to
    ``decimals``, from 0 to :data:`MOST_DECIMALS`. An asset has no order if the asset is in
    ``untraded`` or has a NaN price.

    Returns
    -------
    A table with one row for each order. The rows are sorted like the assets in ``prices``. The
    columns are ``asset, units, price, value, cost``. ``units`` and ``value`` (USD) are negative for
    a sale. ``cost`` (USD) is never negative.
    """
    if not (fits(decimals, int) and 0 <= decimals <= MOST_DECIMALS):
        raise ConfigError(
            f"expected `decimals` from 0 to {MOST_DECIMALS}, was {shown(decimals)}; give a whole "
            "number in this range"
        )
    value, excluded, scale = value_of(holdings, prices), set(untraded), 10**decimals
    traded = [a for a in prices.index if pd.notna(prices[a]) and a not in excluded]
    worth = {a: target.get(a, 0.0) * value - holdings.get(a, 0.0) * prices[a] for a in traded}
    cash, placed = holdings.get(CASH, 0.0), {}
    for asset in sorted(worth, key=lambda a: worth[a]):
        price, rate = prices[asset], costs.rate(asset)
        units = worth[asset] / price
        if units > 0:
            units = min(units, max(cash, 0.0) / (price * (1 + rate)))
        # The inner rounding removes floating-point errors. The outer int() rounds toward zero.
        units = float(int(round(units * scale, 6)) / scale)
        cost = abs(units * price) * rate
        cash -= units * price + cost
        placed[asset] = (asset, units, price, units * price, cost)
    rows = [placed[a] for a in prices.index if a in placed and placed[a][1]]
    return pd.DataFrame(rows, columns=["asset", "units", "price", "value", "cost"])


def after(holdings: Mapping[str, float], orders: pd.DataFrame) -> dict[str, float]:
    """Return the holdings after all orders are filled.

    ``orders`` is a table that :func:`orders_to` returned.
    """
    changed = dict(holdings)
    for order in orders.to_dict("records"):
        changed[order["asset"]] = changed.get(order["asset"], 0.0) + order["units"]
        changed[CASH] = changed.get(CASH, 0.0) - order["value"] - order["cost"]
    return changed
