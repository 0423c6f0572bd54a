"""Calibration of the trial on simulated economies."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Shares of simulated economies in which each claim was supported, fractions."""

    economies: int
    off: Mapping[str, float]
    on: Mapping[str, float]
    any_primary_off: float
    e_values_reach_20_off: float
    notes: tuple[str, ...] = ()


def read_calibration() -> Calibration | None:
    """Return None: the calibration does not exist yet."""
    return None
