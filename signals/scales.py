"""Whether idle capital is depleted, measured on three scales.

The scale ``gdp`` assumes that banks need k · GDP as reserves. The scale ``bank_assets`` assumes
that banks need a published percentage of bank assets as reserves. The scale ``price`` makes no
assumption about the amount of reserves that banks need. The flag on the scale ``price`` is the flag
of :class:`signals.funding.Funding`. If the scales disagree, the conclusion about idle capital
depends on the assumed need for reserves.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from signals.base import Evaluation
from signals.dry_powder import SHARES, DryPowder
from signals.funding import Funding
from signals.hysteresis import last_view, since

#: Title of each scale in tables.
TITLES = {
    "gdp": "k · GDP",
    "bank_assets": "bank assets",
    "price": "price of reserves",
}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Idle capital at one session, measured on one scale.

    Attributes
    ----------
    name, title
        Name of the scale, and its title in tables.
    value, unit
        Value of the gauge that determines the flag, and its unit. An unknown value is NaN.
    flag
        True when idle capital is depleted, None when the flag is NA.
    since
        First session of the current state of the flag, or None if the flag is NA.
    """

    name: str
    title: str
    value: float
    unit: str
    flag: bool | None
    since: pd.Timestamp | None


@dataclass(frozen=True, kw_only=True)
class Scales:
    """Idle capital at one session, measured on each scale.

    Attributes
    ----------
    rows
        One entry for each scale. If the signal of a scale was not evaluated, the scale is omitted.
    """

    rows: tuple[Scale, ...]

    @property
    def views(self) -> int:
        """Number of scales whose flag is known at the session."""
        return sum(row.flag is not None for row in self.rows)

    @property
    def depleted(self) -> int:
        """Number of scales whose flag says that idle capital is depleted."""
        return sum(row.flag is True for row in self.rows)

    @property
    def said(self) -> str:
        """Text like "idle capital is depleted on 2 of 3 scales".

        A scale counts only if its flag is known.
        """
        if not self.views:
            return "no scale shows whether idle capital is depleted"
        return f"idle capital is depleted on {self.depleted} of {self.views} scales"


def flags_by_scale(evaluations: Mapping[str, Evaluation]) -> pd.DataFrame:
    """Return the flags of all scales, sessions × scales; NA if a flag is unknown.

    ``evaluations`` maps signal names to evaluations. If ``evaluations`` lacks the signal of a
    scale, the result has no column for this scale. See :func:`scales_at_end` for one session.
    """
    return pd.DataFrame({name: flag for name, (_, _, flag) in _measured(evaluations).items()})


def scales_at_end(evaluations: Mapping[str, Evaluation]) -> Scales:
    """Return idle capital on each scale at the last session.

    ``evaluations`` maps signal names to evaluations.
    """
    return Scales(
        rows=tuple(
            Scale(
                name=name,
                title=TITLES[name],
                value=float(values.iloc[-1]),
                unit=unit,
                flag=last_view(flag),
                since=since(flag),
            )
            for name, (values, unit, flag) in _measured(evaluations).items()
        )
    )


def _measured(
    evaluations: Mapping[str, Evaluation],
) -> dict[str, tuple[pd.Series, str, pd.Series]]:
    """Return, for each scale, the gauge that determines the flag, its unit, and the flag."""
    found: dict[str, tuple[pd.Series, str, pd.Series]] = {}
    powder, funding = evaluations.get(DryPowder.name), evaluations.get(Funding.name)
    if powder is not None and isinstance(powder.signal, DryPowder):
        for scale, gauge in SHARES.items():
            flag = powder.signal.depleted(powder.gauges, scale)
            found[scale] = (powder.gauges[gauge], powder.signal.unit(gauge), flag)
    if funding is not None and isinstance(funding.signal, Funding):
        gauge = funding.signal.headline
        found["price"] = (funding.gauges[gauge], funding.signal.unit(gauge), funding.flag)
    return found
