"""The target weights of the thesis strategies at one session and at an earlier session."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtests.config_data import config_from
from backtests.engine.schedule import BAND
from backtests.history.panel import History
from backtests.history.prices import check_assets
from backtests.holdings import with_cash
from backtests.today import Plan, make_plan
from signals.errors import MissingSeries
from signals.reading import Reading
from strategies import STRATEGIES, kind_of

_SMALLEST = 5e-4  # weights below this fraction are left out


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The target weights of one strategy.

    Attributes
    ----------
    strategy, description
        Name and one-line description of the strategy.
    weights, before
        Target weights of each asset and of cash, as fractions. ``weights`` is for the last session,
        and ``before`` is for an earlier session. If the strategy's first decision is after the
        earlier session, ``before`` is None. If the strategy cannot be followed, ``weights`` is
        empty and ``before`` is None.
    decided_on
        The session of the decision that gave ``weights``, or None.
    missing
        The late series that the weights need, with a date for each id; see
        :attr:`backtests.today.Today.missing`.
    state_is_lost
        True if late data make the strategy's state unreliable, so the strategy keeps its last
        target.
    reason
        The reason why the strategy cannot be followed; empty if it can be followed.
    """

    strategy: str
    description: str
    weights: dict[str, float]
    before: dict[str, float] | None
    decided_on: pd.Timestamp | None
    missing: dict[str, pd.Timestamp]
    state_is_lost: bool = False
    reason: str = ""

    @property
    def moves(self) -> dict[str, float]:
        """Changes of weights since the earlier session, without changes inside the drift band."""
        earlier = self.before or {}
        if not earlier:
            return {}
        assets = dict.fromkeys((*self.weights, *earlier))
        changes = {a: self.weights.get(a, 0.0) - earlier.get(a, 0.0) for a in assets}
        return {asset: change for asset, change in changes.items() if abs(change) > BAND}


def holdings(history: History, reading: Reading, before: pd.Timestamp) -> tuple[Holding, ...]:
    """Return the target weights of each strategy of the thesis, with default parameters.

    Each result contains the weights of the history's last session and of the session ``before``.
    """
    names = (name for name, strategy in STRATEGIES.items() if kind_of(strategy) == "thesis")
    return tuple(_holding(name, history, reading, before) for name in names)


def _holding(name: str, history: History, reading: Reading, before: pd.Timestamp) -> Holding:
    config = config_from({"strategy": name})
    described: dict[str, Any] = {"strategy": name, "description": STRATEGIES[name].description}
    try:
        check_assets(config.build_strategy().assets, history)
    except MissingSeries as error:
        return Holding(
            **described, weights={}, before=None, decided_on=None, missing={}, reason=str(error)
        )
    plan = make_plan(config, history, reading)
    decision = plan.at(pd.Timestamp(history.panel.index[-1]))
    return Holding(
        **described,
        weights=held_weights(decision.target),
        before=_earlier(plan, before),
        decided_on=decision.session if decision.is_decision_day else decision.decided_on,
        missing=decision.missing,
        state_is_lost=decision.state_is_lost,
    )


def _earlier(plan: Plan, before: pd.Timestamp) -> dict[str, float] | None:
    return None if before < plan.followed[0] else held_weights(plan.at(before).target)


def held_weights(target: pd.Series) -> dict[str, float]:
    """Return the weights of held assets and of cash, the largest weight first."""
    kept = {a: weight for a, weight in with_cash(target).items() if abs(weight) >= _SMALLEST}
    return dict(sorted(kept.items(), key=lambda item: -item[1]))
