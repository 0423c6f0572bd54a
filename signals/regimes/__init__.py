"""How evaluations become one regime. :data:`REGIMES` is the registry of the models.

``votes`` is the default. ``quantities`` knows stocks and flows alone, so claims about timing rest
on it. Three models know prices alone: the same strategy under one of them tells what the thesis
adds. ``labels`` are a user's own.
"""

from signals.regimes.base import Classification, Regime, RegimeModel
from signals.regimes.hidden_markov import HiddenMarkov
from signals.regimes.jump_model import JumpModel
from signals.regimes.labels import Labels
from signals.regimes.markov_switching import MarkovSwitching
from signals.regimes.price_only import PriceOnly
from signals.regimes.quantities import Quantities
from signals.regimes.votes import Votes

__all__ = [
    "REGIMES",
    "Classification",
    "HiddenMarkov",
    "JumpModel",
    "Labels",
    "MarkovSwitching",
    "PriceOnly",
    "Quantities",
    "Regime",
    "RegimeModel",
    "Votes",
]

REGIMES: dict[str, type[RegimeModel]] = {
    model.name: model
    for model in (Votes, Quantities, HiddenMarkov, MarkovSwitching, JumpModel, Labels)
}
