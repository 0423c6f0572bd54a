"""What to hold now, what changed since the last decision, and the orders that lead there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from backtests.config import RunConfig
from backtests.engine.costs import Costs
from backtests.history.panel import History
from backtests.pipeline import decisions, read
from signals.errors import ConfigError, DataError, MissingSeries
from signals.regime import Reading
from strategies import decide
from strategies.base import check_weights

CASH = "CASH"


@dataclass(frozen=True, kw_only=True)
class Today:
    """A strategy's decision at one session's close.

    Attributes
    ----------
    session
        The session; nothing after it was read.
    reading
        The signals up to it.
    target
        Weights by asset, fractions; the remainder is cash in bills.
    decided_on
        The session of the last scheduled decision before this one.
    before
        What was decided then.
    orders
        ``asset, units, price, value, cost`` that lead from the holdings to the target: units
        signed and rounded, price in USD as known, value signed in USD, cost estimated in USD.
        None without holdings.
    value
        Of the holdings, USD; None without.
    beyond_band
        Assets that are further than the drift band from their target: a backtest would trade
        today if one is. None without holdings.
    """

    session: pd.Timestamp
    reading: Reading
    target: pd.Series
    decided_on: pd.Timestamp
    before: pd.Series
    orders: pd.DataFrame | None
    value: float | None
    beyond_band: tuple[str, ...] | None


def today(
    config: RunConfig,
    history: History,
    session: pd.Timestamp,
    holdings: Mapping[str, float] | None = None,
    *,
    decimals: int = 4,
) -> Today:
    """Return what a strategy holds from a session's close on.

    Parameters
    ----------
    config
        Names the strategy, its driver, signals, schedule, band and costs.
    history
        Must hold prices of its assets and of the holdings.
    session
        A session of the history.
    holdings
        Units by asset, and USD under ``CASH``.
    decimals
        To which units are rounded, toward zero.

    Raises
    ------
    MissingSeries
        When an asset held has no price at the session.
    ConfigError
        When the holdings are worth nothing.
    """
    past = history.until(session)
    strategy = config.build_strategy()
    reading = read(config, past)
    weights = decide(strategy, reading, past.panel)
    check_weights(weights, strategy.name, strategy.gross_limit)
    index = pd.DatetimeIndex(past.panel.index)
    decided = decisions(config, strategy, strategy.state(reading, past.panel), index)
    earlier = decided[decided < session]
    last = earlier[-1] if len(earlier) else session
    orders = value = beyond = None
    if holdings is not None:
        prices = _prices(past, (*holdings, *strategy.assets), set(holdings) - {CASH})
        value = _value(holdings, prices)
        orders = _orders(holdings, weights.iloc[-1], prices, value, decimals, config.costs)
        beyond = _beyond(holdings, weights.iloc[-1], prices, value, config.band)
    return Today(
        session=session,
        reading=reading,
        target=weights.iloc[-1].rename("target"),
        decided_on=pd.Timestamp(last),
        before=weights.iloc[weights.index.searchsorted(last)].rename("before"),
        orders=orders,
        value=value,
        beyond_band=beyond,
    )


def read_holdings(path: Path) -> dict[str, float]:
    """Read a CSV of ``asset,units``; cash in USD under the asset CASH.

    Raises
    ------
    DataError
        With the line, when it is not such a file.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"expected holdings in {path}, but {error}; check the path") from None
    if not lines or [cell.strip() for cell in lines[0].split(",")] != ["asset", "units"]:
        raise DataError(f"{path.name}: line 1: expected the header asset,units; add it")
    holdings: dict[str, float] = {}
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            asset, units = _holding(path.name, number, line)
            if asset in holdings:
                raise DataError(f"{path.name}: line {number}: {asset} a second time; add them up")
            holdings[asset] = units
    if not holdings:
        raise DataError(f"{path.name}: expected a row for each holding, found none; add CASH,USD")
    return holdings


def _holding(name: str, number: int, line: str) -> tuple[str, float]:
    cells = [cell.strip() for cell in line.split(",")]
    try:
        asset, units = cells[0], float(cells[1])
    except (IndexError, ValueError):
        asset, units = "", float("nan")
    if not asset or len(cells) != 2 or not abs(units) < 1e15:
        raise DataError(
            f"{name}: line {number}: expected an asset and a number of units, was {line!r}; "
            "correct it"
        )
    return asset, units


def _prices(history: History, tickers: tuple[str, ...], held: set[str]) -> pd.Series:
    """Return prices as known at the end of the history; every asset held must have one."""
    row = history.panel.iloc[-1]
    names = [t for t in dict.fromkeys(tickers) if t != CASH]
    prices = pd.Series({t: row.get(t, float("nan")) for t in names}, dtype="float64")
    missing = sorted(t for t in held if pd.isna(prices[t]))
    if missing:
        raise MissingSeries(
            f"expected a price of {', '.join(missing)} at the session, found none; import it or "
            "correct the ticker in the holdings"
        )
    return prices


def _value(holdings: Mapping[str, float], prices: pd.Series) -> float:
    value = sum(u if a == CASH else u * prices[a] for a, u in holdings.items())
    if not value > 0:
        raise ConfigError(f"expected holdings worth more than nothing, were {value:,.2f} USD")
    return float(value)


def _beyond(
    holdings: Mapping[str, float],
    target: pd.Series,
    prices: pd.Series,
    value: float,
    band: float,
) -> tuple[str, ...]:
    now = {a: holdings.get(a, 0.0) * prices[a] / value for a in prices.index if prices[a] > 0}
    return tuple(a for a, w in now.items() if abs(target.get(a, 0.0) - w) > band)


def _orders(
    holdings: Mapping[str, float],
    target: pd.Series,
    prices: pd.Series,
    value: float,
    decimals: int,
    costs: Costs,
) -> pd.DataFrame:
    rows = []
    for asset in prices.index:
        if pd.isna(prices[asset]):
            continue
        wanted = target.get(asset, 0.0) * value / prices[asset]
        units = _toward_zero(wanted - holdings.get(asset, 0.0), decimals)
        if units:
            traded = units * prices[asset]
            cost = abs(traded) * costs.rate(asset)
            rows.append((asset, units, prices[asset], traded, cost))
    return pd.DataFrame(rows, columns=["asset", "units", "price", "value", "cost"])


def _toward_zero(units: float, decimals: int) -> float:
    scale = 10**decimals
    return float(int(round(units * scale, 6)) / scale)
