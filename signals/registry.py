"""The registry of signals, and a function that evaluates all signals and the regime.

A new signal needs one import and one line in :data:`SIGNALS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from signals.absorption import Absorption
from signals.base import Evaluation, Signal
from signals.bathtub import Bathtub
from signals.capex import Capex
from signals.convexity import Convexity
from signals.cost_of_capital import CostOfCapital
from signals.crypto_probe import CryptoProbe
from signals.dry_powder import DryPowder
from signals.duration import Duration
from signals.errors import ConfigError, shown
from signals.evaluations import Evaluations, inputs_of
from signals.fading_momentum import FadingMomentum
from signals.forced_selling import CryptoForcedSelling, ForcedSelling
from signals.funding import Funding
from signals.index import check_panel
from signals.inverse_qe import InverseQE
from signals.leverage import Leverage
from signals.opportunity import Opportunity
from signals.outside_capital import OutsideCapital
from signals.policy import Policy
from signals.reading import Reading
from signals.regimes import RegimeModel, Votes


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A registered signal, and whether its flag is a vote on the regime.

    Attributes
    ----------
    signal
        Class of the signal.
    votes
        Whether the signal's flag is a vote on the regime.
    """

    signal: type[Signal]
    votes: bool


#: If several signals measure the same fact, only one signal should vote. A regime that depends
#: strongly on past returns is unsuitable for tests of claims about returns.
SIGNALS: dict[str, Registered] = {
    entry.signal.name: entry
    for entry in (
        Registered(signal=DryPowder, votes=True),  # idle capital, measured by amounts and GDP
        Registered(signal=Funding, votes=True),  # idle reserves, measured by interest rates
        Registered(signal=Capex, votes=True),
        Registered(signal=OutsideCapital, votes=False),  # uses the spending of capex again
        Registered(signal=Absorption, votes=False),  # capex and dry_powder vote instead
        Registered(signal=CostOfCapital, votes=True),
        Registered(signal=Bathtub, votes=True),
        Registered(signal=CryptoProbe, votes=True),
        Registered(signal=InverseQE, votes=True),
        Registered(signal=Duration, votes=True),
        Registered(signal=FadingMomentum, votes=True),
        Registered(signal=Policy, votes=True),
        Registered(signal=Leverage, votes=False),  # margin debt follows share prices
        Registered(signal=ForcedSelling, votes=False),  # the flag gives a regime
        Registered(signal=CryptoForcedSelling, votes=False),
        Registered(signal=Convexity, votes=False),  # is computed from absorption
        Registered(signal=Opportunity, votes=False),  # the flag gives a regime
    )
}


def default_signals() -> dict[str, Signal]:
    """Return every registered signal with its default parameters, by name."""
    return {name: entry.signal() for name, entry in SIGNALS.items()}


def needed(signals: Mapping[str, Signal] | None = None) -> tuple[str, ...]:
    """Return the ids of the series that the signals read, each id once.

    By default, the function uses all registered signals.
    """
    chosen = default_signals() if signals is None else signals
    ids = (id for signal in chosen.values() for id in inputs_of(signal, chosen))
    return tuple(dict.fromkeys(ids))


def voters() -> tuple[str, ...]:
    """Return the names of the registered signals that vote."""
    return tuple(name for name, entry in SIGNALS.items() if entry.votes)


def read(
    panel: pd.DataFrame,
    signals: Mapping[str, Signal] | None = None,
    more_voters: tuple[str, ...] = (),
    model: RegimeModel | None = None,
    earlier: Mapping[str, Evaluation] | None = None,
) -> Reading:
    """Return the evaluations of the signals and the regime on a point-in-time panel.

    A row of the reading never depends on later rows of the panel. See
    :class:`signals.evaluations.Evaluations` for the errors.

    Parameters
    ----------
    panel
        Point-in-time panel, sessions × series ids.
    signals
        The signals by name; all registered signals by default.
    more_voters
        Names of the signals that vote in addition to the registered voters.
    model
        The regime model; :class:`signals.regimes.Votes` by default.
    earlier
        Earlier evaluations on the same panel, by name. An evaluation is reused if its signal and
        all parts of the signal are unchanged.
    """
    check_panel(panel)
    if not isinstance(model, RegimeModel | None):
        raise ConfigError(
            f"expected a regime model, was {shown(model)}; give one such as "
            "signals.regimes.Quantities()"
        )
    chosen = default_signals() if signals is None else signals
    names = tuple(name for name in (*voters(), *more_voters) if name in chosen)
    evaluations = Evaluations(panel, chosen, earlier)
    classification = (model or Votes(voters=names)).classify(panel, evaluations)
    return Reading(**vars(classification), evaluations=evaluations, voters=names)
