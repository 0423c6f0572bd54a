"""What drives a strategy's regime: the votes, the quantities alone, or a rival.

The same tilts under another regime tell what the thesis adds. ``votes`` is the regime of
:mod:`signals.regime`. ``quantities`` knows stocks and flows alone, no price: ABSORPTION where the
flag ``absorption`` is on, INJECTION where it is injecting, else NEUTRAL; claims about timing rest
on it, because flags made of past returns would be tested on themselves. A rival knows prices
alone: ABSORPTION in its bad state, NEUTRAL otherwise, since it cannot tell ample capital from
plain calm.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from signals.absorption import Absorption
from signals.agnostic import RIVALS
from signals.base import Signal
from signals.errors import ConfigError, unknown
from signals.regime import Reading, Regime

VOTES, QUANTITIES = "votes", "quantities"
DRIVERS = (VOTES, QUANTITIES, *RIVALS)


def drive(
    panel: pd.DataFrame, reading: Reading, chosen: Mapping[str, Signal], driver: str
) -> Reading:
    """Return a reading whose regime is the driver's; flags, scores and votes stay.

    Parameters
    ----------
    panel, reading
        What was read, and what came of it.
    chosen
        The signals it was read with, by name.
    driver
        One of :data:`DRIVERS`.

    Raises
    ------
    ConfigError
        When the driver is unknown, its package is not installed, or ``absorption`` is missing.
    """
    if driver == VOTES:
        return reading
    if driver == QUANTITIES:
        return replace(reading, regime=_by_quantities(panel, reading, chosen))
    if driver not in RIVALS:
        raise ConfigError(unknown("driver", driver, DRIVERS))
    bad = RIVALS[driver]().flag(panel)
    return replace(reading, regime=_named(bad, {Regime.ABSORPTION: bad}, Regime.NEUTRAL))


def _by_quantities(
    panel: pd.DataFrame, reading: Reading, chosen: Mapping[str, Signal]
) -> pd.Series:
    absorption = chosen.get("absorption")
    if not isinstance(absorption, Absorption):
        raise ConfigError("expected absorption among the signals; leave it in")
    flag = reading.flags["absorption"]
    states = {Regime.ABSORPTION: flag, Regime.INJECTION: absorption.injecting(panel)}
    return _named(flag, states, Regime.NEUTRAL)


def _named(view: pd.Series, states: Mapping[Regime, pd.Series], otherwise: Regime) -> pd.Series:
    """Return the first state that holds, by name; None without a view."""
    holds = [view.isna().to_numpy(), *(s.fillna(False).to_numpy(bool) for s in states.values())]
    names = [np.array(None, dtype=object), *(np.array(s.value, dtype=object) for s in states)]
    named = np.select(holds, names, np.array(otherwise.value, dtype=object))
    return pd.Series(named, index=view.index, dtype=object, name="regime")
