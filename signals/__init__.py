"""What the world looks like: a point-in-time panel in, scores and flags out.

Pure: no files, no network, no clock. :data:`SIGNALS` is the registry; a new signal is one file
and one line here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from signals.absorption import Absorption
from signals.base import Explanation, Signal
from signals.bathtub import Bathtub
from signals.capex import Capex
from signals.convexity import Convexity
from signals.cost_of_capital import CostOfCapital
from signals.crypto_probe import CryptoProbe
from signals.drivers import DRIVERS, drive
from signals.dry_powder import DryPowder
from signals.duration import Duration
from signals.errors import ConfigError
from signals.fading_momentum import FadingMomentum
from signals.forced_selling import CryptoForcedSelling, ForcedSelling
from signals.inverse_qe import InverseQE
from signals.opportunity import Opportunity
from signals.policy import Policy
from signals.regime import Reading, Regime, injecting, vote
from signals.regime import read as _read

__all__ = [
    "DRIVERS",
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
    "drive",
    "needed",
    "read",
    "reread",
    "voters",
    "with_k",
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


def voters() -> tuple[str, ...]:
    """Return the names of the registered signals that vote."""
    return tuple(name for name, entry in SIGNALS.items() if entry.votes)


def read(
    panel: pd.DataFrame,
    signals: Mapping[str, Signal] | None = None,
    more_voters: tuple[str, ...] = (),
) -> Reading:
    """Read some signals (default: all registered) on a point-in-time panel and take the vote.

    See :func:`signals.regime.read` for the rules, the timing and what NaN does. ``more_voters``
    are names among ``signals`` that vote beside the registered ones.
    """
    chosen = default_signals() if signals is None else signals
    return _read(panel, chosen, (*voters(), *more_voters), MIN_VIEWS)


def with_k(chosen: Mapping[str, Signal], k: float) -> dict[str, Signal]:
    """Return some signals with another share of GDP in reserves that banks are taken to need.

    It is a parameter of ``dry_powder`` and of ``absorption``, which counts the same idle capital;
    both must be among them. Results that rest on k are shown for several.
    """
    powder, absorption = chosen.get("dry_powder"), chosen.get("absorption")
    if not (isinstance(powder, DryPowder) and isinstance(absorption, Absorption)):
        raise ConfigError("expected dry_powder and absorption among the signals; leave them in")
    part = replace(absorption.dry_powder, k=k)
    return {
        **chosen,
        "dry_powder": replace(powder, k=k),
        "absorption": replace(absorption, dry_powder=part),
    }


def reread(
    panel: pd.DataFrame, reading: Reading, chosen: Mapping[str, Signal], names: Iterable[str]
) -> Reading:
    """Return a reading in which some flags are read anew and the vote is taken again.

    Parameters
    ----------
    panel, reading
        What was read, and what came of it.
    chosen
        The signals to read with, by name, ``absorption`` among them.
    names
        Those of them that changed; their scores stay as they were.
    """
    flags = reading.flags.assign(**{name: chosen[name].flag(panel) for name in names})
    votes = flags[list(reading.votes)]
    regime = vote(flags, votes, injecting(chosen, panel), MIN_VIEWS)
    return replace(reading, regime=regime, flags=flags, votes=votes)
