"""Regime models assign one regime to each session. :data:`REGIMES` lists the regime models.

The default regime model is ``votes``. Tests of market timing use ``quantities``, which reads
amounts and flows of capital, but no past returns. ``hidden_markov``, ``markov_switching`` and
``jump_model`` use only prices and yields. A comparison of ``votes`` with the three price-only
models shows what information the signals add to prices. ``labels`` uses a user's own regimes.
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
