"""Verdicts on the primary claims, and states of two flags, for several values of the parameter k.

The parameter k of the signal dry_powder is a fraction of GDP. Reserves above k × GDP count as idle
capital. The default of the parameter k is our choice and not an estimate. Absorption depends on
idle capital, so every primary claim depends on the parameter k.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import Sample
from backtests.thesis.verdicts import Verdict
from signals.absorption import Absorption
from signals.dry_powder import DryPowder
from signals.evaluations import Evaluations
from signals.params import with_parameter

#: The primary claims and two status claims. One status claim says that idle capital is depleted,
#: and the other status claim says that capital is absorbed.
SHOWN = tuple(
    claim
    for claim in CLAIMS
    if claim.primary or (claim.is_status and claim.condition in ("dry_powder", "absorption"))
)


def with_k(sample: Sample, k: float) -> Sample:
    """Return a sample with another value of the parameter k of the signal dry_powder.

    The sample contains only the signals dry_powder and absorption, and the other signals that
    absorption uses. Raises NotTestable if the history lacks series that dry_powder or absorption
    needs.
    """
    known = sample.reading.evaluations
    names = (DryPowder.name, Absorption.name)
    for name in names:
        if name not in known:
            raise NotTestable(f"the history lacks series that {name} needs")
    parts = {*names, *known[Absorption.name].signal.parts} & set(known)
    signals = {name: known[name].signal for name in known if name in parts}
    chosen = with_parameter(signals, "dry_powder.k", k)
    evaluations = Evaluations(sample.history.panel, chosen, known)
    return replace(sample, reading=replace(sample.reading, evaluations=evaluations))


def table_of(verdicts: Mapping[float, Sequence[Verdict]]) -> pd.DataFrame:
    """Return a table with one row for each claim and each value of the parameter k.

    ``outcome`` is the verdict, and ``adjusted`` is the adjusted p-value. ``episodes`` is the number
    of episodes. ``estimate``, ``low`` and ``high`` are the estimate and the bounds of its 95 %
    interval, in the claim's unit. Without an estimate, all numbers are NaN.
    """
    names = dict.fromkeys(verdict.claim.name for found in verdicts.values() for verdict in found)
    rows = {
        (name, k): _row(verdict)
        for name in names
        for k, found in verdicts.items()
        for verdict in found
        if verdict.claim.name == name
    }
    index = pd.MultiIndex.from_tuples(list(rows), names=["claim", "k"])
    return pd.DataFrame(list(rows.values()), index=index)


def _row(verdict: Verdict) -> dict[str, Any]:
    found = verdict.estimate
    bounds = None if found is None else found.interval
    nan = float("nan")
    return {
        "outcome": verdict.outcome,
        "episodes": nan if found is None or found.episodes is None else float(found.episodes),
        "estimate": nan if found is None else found.value,
        "low": nan if bounds is None else bounds.low,
        "high": nan if bounds is None else bounds.high,
        "adjusted": verdict.adjusted,
    }
