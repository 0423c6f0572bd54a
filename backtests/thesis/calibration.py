"""How often the trial errs, and how often it finds the truth, on SIMULATED economies."""

from pathlib import Path

import pydantic

PATH = Path(__file__).with_name("calibration.json")


class Tally(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Outcomes of one claim over the economies."""

    judged: int
    decidable: int
    supported: int
    contradicted: int
    effect: float | None


class Economies(pydantic.BaseModel, frozen=True, extra="forbid"):
    """The outcomes over economies in which the thesis is true, or in which it is false."""

    claims: dict[str, Tally]
    any_primary: int
    e_values: dict[str, int]


class Calibration(pydantic.BaseModel, frozen=True, extra="forbid"):
    """The calibration of the trial."""

    economies: int
    years: int
    off: Economies
    on: Economies


def read_calibration(path: Path = PATH) -> Calibration:
    """Return the calibration in a file."""
    return Calibration.model_validate_json(path.read_text(encoding="utf-8"))
