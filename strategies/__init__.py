"""Strategies turn a regime, signals and a panel of known values into target weights.

Strategies access no file, network or clock. :data:`STRATEGIES` is the registry. For a new strategy,
write a file in ``strategies/``. Then import the strategy in ``strategies/__init__.py``, and add it
to ``_THESIS``, ``_BASELINES`` or ``_CHALLENGERS``.
"""

from strategies.base import Strategy, decide, state_of
from strategies.baselines import Bills, Bitcoin, ConstantMix, EqualWeight, Gold, SixtyForty, Spy
from strategies.cash_heavy import CashHeavy
from strategies.challengers import DualMomentum, Trend, TrendUniverse, VolTarget
from strategies.defensive import Defensive
from strategies.memory_over_crypto import MemoryOverCrypto, MemoryOverCryptoSmh
from strategies.near_cash_flow import NearCashFlow, NearCashFlowSmh
from strategies.patient import Patient
from strategies.survival import Survival

__all__ = [
    "STRATEGIES",
    "Bills",
    "Bitcoin",
    "CashHeavy",
    "ConstantMix",
    "Defensive",
    "DualMomentum",
    "EqualWeight",
    "Gold",
    "MemoryOverCrypto",
    "MemoryOverCryptoSmh",
    "NearCashFlow",
    "NearCashFlowSmh",
    "Patient",
    "SixtyForty",
    "Spy",
    "Strategy",
    "Survival",
    "Trend",
    "TrendUniverse",
    "VolTarget",
    "decide",
    "kind_of",
    "state_of",
]

_THESIS: tuple[type[Strategy], ...] = (
    NearCashFlow,
    NearCashFlowSmh,
    CashHeavy,
    Defensive,
    Patient,
    MemoryOverCrypto,
    MemoryOverCryptoSmh,
    Survival,
)
_BASELINES: tuple[type[Strategy], ...] = (
    Spy,
    SixtyForty,
    Bitcoin,
    Gold,
    Bills,
    EqualWeight,
    ConstantMix,
)
_CHALLENGERS: tuple[type[Strategy], ...] = (Trend, TrendUniverse, DualMomentum, VolTarget)

STRATEGIES: dict[str, type[Strategy]] = {
    strategy.name: strategy for strategy in (*_THESIS, *_BASELINES, *_CHALLENGERS)
}


def kind_of(strategy: Strategy | type[Strategy]) -> str:
    """Return the kind of a strategy: ``thesis``, ``baseline`` or ``challenger``.

    A thesis strategy is based on one or two links (steps) of the thesis. A baseline has fixed
    assets or weights. A challenger follows a published rule that does not use the thesis.
    """
    if strategy.name in (challenger.name for challenger in _CHALLENGERS):
        return "challenger"
    return "thesis" if strategy.link else "baseline"
