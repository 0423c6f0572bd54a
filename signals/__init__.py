"""What the world looks like: a point-in-time panel in, scores and flags out.

Pure: no files, no network, no clock. :data:`SIGNALS` is the registry; a new signal is one file
and one line here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from signals.absorption import Absorption
from signals.base import Explanation, Signal
from signals.bathtub import Bathtub
from signals.capex import Capex
from signals.convexity import Convexity
from signals.cost_of_capital import CostOfCapital
from signals.crypto_probe import CryptoProbe
from signals.dry_powder import DryPowder
from signals.duration import Duration
from signals.errors import ConfigError
from signals.fading_momentum import FadingMomentum
from signals.forced_selling import CryptoForcedSelling, ForcedSelling
from signals.inverse_qe import InverseQE
from signals.opportunity import Opportunity
from signals.policy import Policy
from signals.regime import Reading, Regime, vote
from signals.regime import read as _read

__all__ = [
    "MIN_VIEWS",
    "SIGNALS",
    "Absorption",
    "Bathtub",
    "Capex",
    "Convexity",
    "CostOfCapital",
    "CryptoForcedSelling",
    "CryptoProbe",
    "DryPowder",
    "Duration",
    "Explanation",
    "FadingMomentum",
    "ForcedSelling",
    "InverseQE",
    "Opportunity",
    "Policy",
    "Reading",
    "Regime",
    "Registered",
    "Signal",
    "default_signals",
    "needed",
    "read",
    "reread",
]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A line of the registry: the signal's class, and whether its flag votes on the regime."""

    signal: type[Signal]
    votes: bool


SIGNALS: dict[str, Registered] = {
    "dry_powder": Registered(signal=DryPowder, votes=True),
    "capex": Registered(signal=Capex, votes=True),
    "absorption": Registered(signal=Absorption, votes=False),  # dry_powder and capex again
    "cost_of_capital": Registered(signal=CostOfCapital, votes=True),
    "bathtub": Registered(signal=Bathtub, votes=True),
    "crypto_probe": Registered(signal=CryptoProbe, votes=True),
    "inverse_qe": Registered(signal=InverseQE, votes=True),
    "duration": Registered(signal=Duration, votes=True),
    "fading_momentum": Registered(signal=FadingMomentum, votes=True),
    "policy": Registered(signal=Policy, votes=True),
    "forced_selling": Registered(signal=ForcedSelling, votes=False),  # a regime of its own
    "crypto_forced_selling": Registered(signal=CryptoForcedSelling, votes=False),
    "convexity": Registered(signal=Convexity, votes=False),  # absorption's, if it bends
    "opportunity": Registered(signal=Opportunity, votes=False),  # a regime of its own
}

#: Votes with a view that a regime needs.
MIN_VIEWS = 5


def default_signals() -> dict[str, Signal]:
    """Return every registered signal with its default parameters, by name."""
    return {name: entry.signal() for name, entry in SIGNALS.items()}


def needed(signals: Mapping[str, Signal] | None = None) -> tuple[str, ...]:
    """Return the catalog ids that some signals read (default: all registered), each once."""
    chosen = default_signals() if signals is None else signals
    return tuple(dict.fromkeys(id for signal in chosen.values() for id in signal.inputs))


def read(panel: pd.DataFrame, signals: Mapping[str, Signal] | None = None) -> Reading:
    """Read some signals (default: all registered) on a point-in-time panel and take the vote.

    See :func:`signals.regime.read` for the rules, the timing and what NaN does.
    """
    chosen = default_signals() if signals is None else signals
    voters = tuple(name for name, entry in SIGNALS.items() if entry.votes)
    return _read(panel, chosen, voters, MIN_VIEWS)


def reread(
    panel: pd.DataFrame, reading: Reading, chosen: Mapping[str, Signal], k: float
) -> Reading:
    """Return a reading as it would be if banks needed another share of GDP in reserves.

    The flags that count idle capital, ``dry_powder`` and ``absorption``, are read anew with ``k``
    and the vote is taken again; everything else stays. Results that rest on k are shown for
    several.

    Parameters
    ----------
    panel, reading
        What was read, and what came of it.
    chosen
        The signals it was read with, by name; both must be among them.
    k
        Reserves that banks need, as a share of GDP.
    """
    powder, absorption = chosen["dry_powder"], chosen["absorption"]
    if not (isinstance(powder, DryPowder) and isinstance(absorption, Absorption)):
        raise ConfigError("expected dry_powder and absorption among the signals; leave them in")
    powder = replace(powder, k=k)
    absorption = replace(absorption, dry_powder=replace(absorption.dry_powder, k=k))
    flags = reading.flags.assign(dry_powder=powder.flag(panel), absorption=absorption.flag(panel))
    votes = flags[list(reading.votes)]
    regime = vote(flags, votes, absorption.injecting(panel), MIN_VIEWS)
    return Reading(regime=regime, flags=flags, scores=reading.scores, votes=votes)
