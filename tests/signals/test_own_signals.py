"""A wrong result of a user's own signal raises a clear error, and changes no other signal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import signals
from signals import Bathtub, CompoundSignal, Evaluation, Signal, Threshold, evaluate, explain
from signals.errors import MissingSeries, SimulationError
from signals.evaluations import inputs_of

SESSIONS = pd.bdate_range("2024-01-02", periods=400)
VALUES = pd.Series(range(400), index=SESSIONS, dtype="float64")
PANEL = pd.DataFrame({"WALCL": 1e6 + VALUES**2, "WTREGEN": 1e5, "RRPONTSYD": 10.0}, index=SESSIONS)


@dataclass(frozen=True, kw_only=True)
class Plain(Signal):
    """The flag is on while the Fed's assets are above 1,000,000."""

    name: ClassVar[str] = "plain"
    link: ClassVar[str] = ""
    headline: ClassVar[str] = "assets"
    units: ClassVar[dict[str, str]] = {"assets": "USD m"}
    inputs: ClassVar[tuple[str, ...]] = ("WALCL",)
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold(gauge="assets", enter=1e6, leave=1e6, above=True),
    )

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"assets": panel["WALCL"]})

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        return gauges["assets"]


def with_(**answers: Any) -> type[Plain]:
    """Return the class Plain with other attributes and methods."""
    return type("Other", (Plain,), answers)


def said_of(kind: type[Signal]) -> signals.Explanation:
    return explain(kind().evaluate(PANEL), PANEL, SESSIONS[-1])


def test_a_plain_signal_is_evaluated_and_explained() -> None:
    said = said_of(Plain)
    assert (said.flag, said.unit, said.flips) == (True, "USD m", "assets below 1,000,000 USD m")


def fails(self: Signal, *given: object) -> Any:
    return 1 / 0


def gauge(values: object) -> dict[str, Any]:
    return {"gauges": lambda self, panel: pd.DataFrame({"assets": values}, index=panel.index)}


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ({"beside": fails}, "beside failed: ZeroDivisionError"),
        ({"beside": lambda self, e: {"a": "b"}}, "beside as a mapping from names to numbers"),
        ({"beside": lambda self, e: None}, "was None; correct it"),
        ({"unit": fails}, "unit failed: ZeroDivisionError"),
        ({"unit": lambda self, gauge: 5}, "expected unit as text, was 5"),
        ({"components": ("a", "b")}, "expected units as a mapping with 'without', because"),
        ({"components": "ab"}, "expected components as a tuple of names, was 'ab'"),
        ({"shown_only": None}, "expected shown_only as a tuple of names, was None"),
        ({"shown_only": "WALCL"}, "expected shown_only as a tuple of names, was 'WALCL'"),
        ({"lasts": "a week"}, "expected lasts as a whole number above 0 or None, was 'a week'"),
        ({"lasts": 0}, "expected lasts as a whole number above 0 or None, was 0"),
        ({"confirm_leave": 0}, "expected confirm_leave as a whole number above 0, was 0"),
        ({"confirm_leave": 2.5}, "expected confirm_leave as a whole number above 0, was 2.5"),
        (gauge("a word"), "expected gauge assets as numbers, was of type str"),
        (gauge(VALUES.astype("Float64")), "was of type Float64; use .astype"),
        (
            {**gauge("a word"), "units": {"assets": "name"}},
            "was of type str; choose another main gauge in headline",
        ),
        (
            {"score": lambda self, gauges: gauges["assets"] * 1j},
            "expected score as numbers, was of type complex128",
        ),
        (
            gauge(1 / (VALUES - 5)),
            "expected gauge assets as finite numbers or NaN, was inf on 2024-01-09; return NaN",
        ),
        (
            {"score": lambda self, gauges: -1 / (gauges["assets"] - 1e6)},
            "expected score as finite numbers or NaN, was -inf on 2024-01-02; return NaN",
        ),
    ],
)
def test_a_wrong_answer_gets_one_line(answers: dict[str, Any], part: str) -> None:
    with pytest.raises(SimulationError) as caught:
        said_of(with_(**answers))
    assert part in str(caught.value)
    assert str(caught.value).startswith("plain: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("BOND_DEAL_META", "plain reads BOND_DEAL_META, but the panel does not contain dated ev"),
        ("WALCLL", "plain reads series that the history lacks: WALCLL; correct the id, or import"),
    ],
)
def test_a_series_that_the_panel_lacks_is_named_with_the_cure(id: str, said: str) -> None:
    with pytest.raises(MissingSeries, match=said):
        with_(inputs=("WALCL", id))().evaluate(PANEL)


@pytest.mark.filterwarnings("error")
def test_a_warning_of_numpy_in_a_users_code_is_not_shown() -> None:
    with pytest.raises(SimulationError, match="was -inf on 2024-01-02"):
        said_of(with_(score=lambda self, gauges: np.log(gauges["assets"] - 1e6)))


def test_a_score_without_a_value_may_be_na() -> None:
    def score(self: Signal, gauges: pd.DataFrame) -> pd.Series:
        return gauges["assets"].astype("Int64").where(VALUES < 399)

    evaluation = with_(score=score)().evaluate(PANEL)
    assert evaluation.score.dtype == "float64"
    assert evaluation.score.isna().sum() == 1
    assert "score  no value" in repr(explain(evaluation, PANEL, SESSIONS[-1]))


def test_what_a_signal_only_shows_is_asked_before_it_is_evaluated() -> None:
    with pytest.raises(SimulationError, match="expected shown_only as a tuple"):
        inputs_of(with_(shown_only=None)(), {}, deciding=True)


@dataclass(frozen=True, kw_only=True)
class Writes(CompoundSignal):
    """A signal that writes into the evaluation of its part."""

    name: ClassVar[str] = "writes"
    link: ClassVar[str] = ""
    headline: ClassVar[str] = "change"
    units: ClassVar[dict[str, str]] = {"change": "%"}
    parts: ClassVar[Mapping[str, type[Signal]]] = {"bathtub": Bathtub}
    inputs: ClassVar[tuple[str, ...]] = ()
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold(gauge="change", enter=1.0, leave=0.0, above=True),
    )

    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        part = parts["bathtub"]
        part.gauges["change"] = 0.0
        part.gauges["mine"] = 1.0
        part.score.iloc[:] = 5.0
        part.flag.iloc[:] = True
        return part.gauges[["change"]]

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        return gauges["change"]


def test_writing_into_a_part_harms_nobody_else() -> None:
    alone = Bathtub().evaluate(PANEL)
    among = evaluate(PANEL, {"bathtub": Bathtub(), "writes": Writes()})
    assert (among["writes"].gauges["change"] == 0).all()
    pd.testing.assert_frame_equal(among["bathtub"].gauges, alone.gauges)
    pd.testing.assert_series_equal(among["bathtub"].score, alone.score)
    pd.testing.assert_series_equal(among["bathtub"].flag, alone.flag)
