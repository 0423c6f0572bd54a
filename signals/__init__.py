"""Signals measure how scarce capital is. Regime models assign a regime to each session.

Signals read a point-in-time panel: a table of the values that were known at each session's close.
Signals access no file, network or clock. :data:`SIGNALS` lists the signals.
:data:`signals.regimes.REGIMES` lists the regime models.
"""

from signals.absorption import Absorption
from signals.base import CompoundSignal, Evaluation, ScoreSignal, Signal
from signals.bathtub import Bathtub
from signals.capex import Capex
from signals.convexity import Convexity
from signals.cost_of_capital import CostOfCapital
from signals.crypto_probe import CryptoProbe
from signals.dry_powder import DryPowder
from signals.duration import Duration
from signals.evaluations import evaluate
from signals.explanation import Explanation, explain
from signals.fading_momentum import FadingMomentum
from signals.forced_selling import CryptoForcedSelling, ForcedSelling
from signals.funding import Funding
from signals.hysteresis import Threshold
from signals.inverse_qe import InverseQE
from signals.leverage import Leverage
from signals.opportunity import Opportunity
from signals.outside_capital import OutsideCapital
from signals.policy import Policy
from signals.reading import Reading
from signals.regimes import REGIMES, Regime, RegimeModel
from signals.registry import SIGNALS, Registered, default_signals, needed, read, voters
from signals.scales import Scales, flags_by_scale, scales_at_end

__all__ = [
    "REGIMES",
    "SIGNALS",
    "Absorption",
    "Bathtub",
    "Capex",
    "CompoundSignal",
    "Convexity",
    "CostOfCapital",
    "CryptoForcedSelling",
    "CryptoProbe",
    "DryPowder",
    "Duration",
    "Evaluation",
    "Explanation",
    "FadingMomentum",
    "ForcedSelling",
    "Funding",
    "InverseQE",
    "Leverage",
    "Opportunity",
    "OutsideCapital",
    "Policy",
    "Reading",
    "Regime",
    "RegimeModel",
    "Registered",
    "Scales",
    "ScoreSignal",
    "Signal",
    "Threshold",
    "default_signals",
    "evaluate",
    "explain",
    "flags_by_scale",
    "needed",
    "read",
    "scales_at_end",
    "voters",
]
