"""How often the tests of the claims are wrong or right on SIMULATED economies.

``benchmarks/trial.py`` simulates economies in which the thesis is true, and economies in which the
thesis is false. The script tests all claims on the simulated economies, except claims with the
estimator ``status``. With ``--write``, the script writes its results to ``calibration.json`` beside
this module.
"""

from pathlib import Path

import pydantic

from signals.errors import DataError

PATH = Path(__file__).with_name("calibration.json")


class Tally(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Outcomes of the tests of one claim in many economies.

    Attributes
    ----------
    judged
        Number of economies in which the claim could be tested.
    decidable
        Number of economies in which the claim could be tested and had enough episodes. If the
        estimator of a claim counts episodes, the claim needs at least three episodes.
    supported, contradicted
        ``supported`` is the number of economies in which the claim gets the verdict “supported”.
        ``contradicted`` is the number of economies in which the claim gets the verdict
        “contradicted”.
    effect
        Mean of the estimates, in the claim's unit; None if the claim was never testable.
    """

    judged: int
    decidable: int
    supported: int
    contradicted: int
    effect: float | None


class Economies(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Outcomes in simulated economies of one kind: with a true thesis, or with a false thesis.

    Attributes
    ----------
    claims
        Mapping from the name of a claim to its outcomes.
    any_primary
        Number of economies in which at least one primary claim is supported.
    e_values
        For each claim and strategy, the number of economies in which the e-value reached 20 in at
        least one week.
    """

    claims: dict[str, Tally]
    any_primary: int
    e_values: dict[str, int]


class Calibration(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Test results of the claims in simulated economies with a true or a false thesis.

    Attributes
    ----------
    economies, years
        Number of economies of each kind, and number of years in each economy.
    off, on
        The outcomes in two kinds of economies. In economies of ``off``, quantities do not move
        prices, so the thesis is false. In economies of ``on``, quantities move prices, so the
        thesis is true.
    """

    economies: int
    years: int
    off: Economies
    on: Economies


def read_calibration() -> Calibration:
    """Return the calibration that ``benchmarks/trial.py`` wrote.

    Raises DataError if the file is missing or does not have the expected fields.
    """
    try:
        return Calibration.model_validate_json(PATH.read_text(encoding="utf-8"))
    except (OSError, pydantic.ValidationError) as error:
        raise DataError(
            f"expected the calibration of the trial in {PATH}, but it cannot be read: "
            f"{' '.join(str(error).split())}; write it with 'python -m benchmarks.trial --write'"
        ) from error
