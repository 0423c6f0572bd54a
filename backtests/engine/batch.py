"""Many configurations that trade in one market, as arrays for the compiled loops.

The arrays of the market are built once for all configurations. For variants with equal
:class:`Costs`, the costs of each asset are computed once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.engine.inputs import (
    bills_of,
    check_costs,
    check_decisions,
    check_market,
    check_table,
    check_terms,
    checked,
    closes_of,
    growth_of_bills,
    values_of,
)
from backtests.engine.schedule import BAND, lost_prices
from signals.errors import SimulationError

if TYPE_CHECKING:
    from backtests.engine.loops import Frames, Market, Room, Terms


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant:
    """One configuration of the simulation.

    The attributes are parameters of :func:`backtests.engine.simulate.simulate`. ``weights``
    contains the target weights: decision sessions × assets. If several variants share a table of
    weights, the table is read once. Tables with the same index object and the same columns object
    are read faster.
    """

    weights: pd.DataFrame
    costs: Costs
    lag: int = 1
    band: float = BAND
    gross_limit: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Checked variants and their market, as arrays.

    Attributes
    ----------
    market, frames, terms
        Arrays that :func:`backtests.engine.loops.trade` reads. ``terms`` contains only the accepted
        variants.
    accepted
        Positions of the variants that passed the checks, counted from 0, in ascending order.
        ``trade`` later refuses a variant if a weight is not finite, or if a sum of weights exceeds
        its limit.
    refused
        A mapping from position to error message, with an entry for each variant that failed the
        checks. A variant fails the checks if its lag, band, gross limit, costs or table of weights
        is invalid.
    bills
        Simple return of bills from the previous close to each session's close, a fraction.
    """

    market: "Market"
    frames: "Frames"
    terms: "Terms"
    accepted: np.ndarray
    refused: dict[int, str]
    bills: pd.Series


def batch_of(
    variants: Sequence[Variant], prices: pd.DataFrame, bills: pd.Series, capital: float, name: str
) -> Batch:
    """Return the variants and their market as arrays.

    Invalid prices, bills or capital raise SimulationError.
    """
    check_terms(1, BAND, capital, 1.0, name)
    check_market(prices, bills, name)
    tables = {id(variant.weights): variant.weights for variant in variants}
    values, faults = _read(tables, prices, name)
    refused = _refused(variants, faults, capital, name)
    accepted = [i for i in range(len(variants)) if i not in refused]
    sound = [variants[i] for i in accepted]
    columns = {id(tables[key].columns): tables[key].columns for key in values}
    assets = list(dict.fromkeys(asset for each in columns.values() for asset in each))
    closes = closes_of(prices, assets, name)
    earned = bills_of(bills, closes.index, name)
    return Batch(
        market=_market(closes, earned),
        frames=_frames(tables, values, closes),
        terms=_terms(sound, list(values), assets, capital),
        accepted=np.array(accepted, dtype=np.int64),
        refused=refused,
        bills=earned,
    )


def room_of(batch: Batch, count: int, *, daily: bool) -> "Room":
    """Return empty arrays for the results of ``count`` variants.

    If ``daily`` is True, the arrays have room for daily trades and costs.
    """
    from backtests.engine.loops import TOTALS, Room

    sessions = len(batch.bills)
    return Room(
        value=np.empty((sessions, count)),
        totals=np.empty((count, TOTALS)),
        exposed=np.empty((sessions if daily else 0, count)),
        traded=np.zeros((count if daily else 0, sessions)),
        paid=np.zeros((count if daily else 0, sessions)),
        refused=np.zeros(count, dtype=bool),
    )


def reason(
    variant: Variant, prices: pd.DataFrame, bills: pd.Series, capital: float, name: str
) -> str:
    """Return the message of the error that ``simulate`` raises for a variant."""
    terms = {"band": variant.band, "capital": capital, "gross_limit": variant.gross_limit}
    return _fault(checked, variant.weights, prices, bills, variant.lag, **terms, name=name)


def _fault(check: Callable[..., object], *given: Any, **named: Any) -> str:
    """Return the message of the SimulationError that ``check`` raises, or an empty string."""
    try:
        check(*given, **named)
    except SimulationError as error:
        return str(error)
    return ""


def _read(
    tables: dict[int, pd.DataFrame], prices: pd.DataFrame, name: str
) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Return the values of each valid table, and an error message for each invalid table.

    Tables with the same index object and the same columns object are checked together.
    """
    shapes: dict[tuple[int, int], str] = {}
    values: dict[int, np.ndarray] = {}
    faults: dict[int, str] = {}
    for key, table in tables.items():
        if fault := _fault(check_table, "weights", table, name, rows="decisions"):
            faults[key] = fault
            continue
        shape = id(table.index), id(table.columns)
        if shape not in shapes:
            shapes[shape] = _fault(check_decisions, table, prices, name)
        try:
            faults[key] = shapes[shape]
            values[key] = values_of(table, name)
        except SimulationError as error:
            faults[key] = shapes[shape] or str(error)
    return {key: each for key, each in values.items() if not faults[key]}, faults


def _refused(
    variants: Sequence[Variant], faults: dict[int, str], capital: float, name: str
) -> dict[int, str]:
    """Return an error message for each variant with invalid costs, lag, band or table of weights.

    Variants that share the objects ``costs``, ``lag``, ``band`` and ``gross_limit`` are checked
    together.
    """
    refused = {}
    checked: dict[tuple[int, ...], str] = {}
    for i, variant in enumerate(variants):
        costs, lag, band, limit = variant.costs, variant.lag, variant.band, variant.gross_limit
        terms = id(costs), id(lag), id(band), id(limit)
        if terms not in checked:
            checked[terms] = _fault(check_costs, costs, name) or _fault(
                check_terms, lag, band, capital, limit, name
            )
        if checked[terms] or faults[id(variant.weights)]:
            refused[i] = checked[terms] or faults[id(variant.weights)]
    return refused


def _market(closes: pd.DataFrame, bills: pd.Series) -> "Market":
    from backtests.engine.loops import Market

    growth = growth_of_bills(bills)
    priced = np.array(closes.notna(), dtype=bool, order="C")
    if priced.all():
        last, lost = (
            np.array(closes, dtype=np.float64, order="C"),
            np.zeros(priced.shape, dtype=bool),
        )
    else:
        # Before an asset has a first price, its price is set to 1. The asset is not traded at this
        # price.
        last = np.array(closes.ffill().fillna(1.0), dtype=np.float64, order="C")
        lost = np.array(lost_prices(closes), order="C")
    deflated = last / growth[:, None]
    dates = closes.index.to_numpy().astype("datetime64[D]")
    return Market(
        deflated=deflated,
        inverse=1 / deflated,
        prices=last,
        priced=priced,
        complete=np.array(priced.all(axis=1)),
        lost=lost,
        lost_at=np.flatnonzero(lost.any(axis=1)),
        growth=growth,
        days=np.diff(dates, prepend=dates[:1]).astype(np.float64),
    )


def _frames(
    tables: dict[int, pd.DataFrame], values: dict[int, np.ndarray], closes: pd.DataFrame
) -> "Frames":
    """Return flat arrays with all tables.

    The arrays refer to sessions and assets by their positions in ``closes``.
    """
    from backtests.engine.loops import PLACE, Frames

    given = {key: (tables[key].index, tables[key].columns) for key in values}
    rows = {id(index): index for index, _ in given.values()}
    names = {id(columns): columns for _, columns in given.values()}
    when, first_row = _joined([closes.index.get_indexer(each) for each in rows.values()])
    columns, first_name = _joined([closes.columns.get_indexer(each) for each in names.values()])
    row_of = dict(zip(rows, first_row, strict=True))
    name_of = dict(zip(names, first_name, strict=True))
    # pandas stores most tables column by column. A copy in the same order is fast.
    targets, starts = _joined([each.ravel("F") for each in values.values()], np.float64)
    places = [
        (start, row_of[id(given[key][0])], name_of[id(given[key][1])], *each.shape)
        for start, (key, each) in zip(starts, values.items(), strict=True)
    ]
    return Frames(
        targets=targets,
        when=when,
        columns=columns,
        places=np.array(places, dtype=np.int64).reshape(-1, PLACE),
    )


def _joined(parts: list[np.ndarray], kind: type = np.int64) -> tuple[np.ndarray, list[int]]:
    """Return one array that joins all arrays, and the position of each array's first value."""
    ends = np.cumsum([0] + [len(part) for part in parts]).tolist()
    return np.concatenate([np.zeros(0, dtype=kind), *parts]).astype(kind, copy=False), ends[:-1]


def _terms(
    variants: list[Variant], tables: list[int], assets: list[str], capital: float
) -> "Terms":
    from backtests.engine.loops import Terms

    frame = {table: number for number, table in enumerate(tables)}
    objects = {id(variant.costs): variant.costs for variant in variants}
    tariff: dict[Costs, int] = {}
    for each in objects.values():
        tariff.setdefault(each, len(tariff))
    number = {key: tariff[each] for key, each in objects.items()}
    return Terms(
        frame=np.array([frame[id(v.weights)] for v in variants], dtype=np.int64),
        tariff=np.array([number[id(v.costs)] for v in variants], dtype=np.int64),
        lag=np.array([v.lag for v in variants], dtype=np.int64),
        band=np.array([v.band for v in variants], dtype=np.float64),
        limit=np.array([v.gross_limit for v in variants], dtype=np.float64),
        fees=_table([[costs.rate(asset) for asset in assets] for costs in tariff], len(assets)),
        borrow=_table([[costs.borrow(asset) for asset in assets] for costs in tariff], len(assets)),
        capital=float(capital),
    )


def _table(rows: list[list[float]], columns: int) -> np.ndarray:
    return np.array(rows, dtype=np.float64).reshape((len(rows), columns))
