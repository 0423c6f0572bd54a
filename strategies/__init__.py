"""What to hold: a reading and prices in, target weights out.

Pure: no files, no network, no clock. :data:`STRATEGIES` is the registry; a new strategy is one
file and one line here.
"""

from strategies.base import Strategy
from strategies.baselines import Bills, Bitcoin, EqualWeight, SixtyForty, Spy
from strategies.cash_heavy import CashHeavy
from strategies.defensive import Defensive
from strategies.near_cash_flow import NearCashFlow

__all__ = [
    "STRATEGIES",
    "Bills",
    "Bitcoin",
    "CashHeavy",
    "Defensive",
    "EqualWeight",
    "NearCashFlow",
    "SixtyForty",
    "Spy",
    "Strategy",
]

STRATEGIES: dict[str, type[Strategy]] = {
    strategy.name: strategy
    for strategy in (
        NearCashFlow,
        CashHeavy,
        Defensive,
        Spy,
        SixtyForty,
        Bitcoin,
        Bills,
        EqualWeight,
    )
}
