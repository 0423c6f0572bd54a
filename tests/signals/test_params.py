"""A parameter of a wrong type is refused on one line, in every class, also in a user's class."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal, get_origin, get_type_hints

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.engine.costs import Costs
from backtests.engine.schedule import Schedule
from signals import Absorption, Bathtub, Capex, CryptoProbe, DryPowder, Opportunity
from signals.base import Signal
from signals.errors import ConfigError
from signals.hysteresis import Threshold
from signals.opportunity import BASKET
from signals.regimes import REGIMES
from signals.regimes.votes import Votes
from strategies import STRATEGIES, Patient
from strategies.base import Strategy

CLASSES = [
    *(entry.signal for entry in signals.SIGNALS.values()),
    *STRATEGIES.values(),
    Costs,
    Schedule,
]
#: For each annotation, values of a wrong type.
WRONG: dict[Any, tuple[Any, ...]] = {
    int: ("5", 65.5, 65.0, None, True, [5], 2**40, 10**5000),
    float: ("0.5", None, True, [0.5], 1j, pd.Series([0.5])),
    bool: ("true", 1, None),
    str: (5, None, ("month",)),
    tuple[str, ...]: ("SPY", ["SPY"], (1,), None, {"SPY"}),
    tuple[tuple[str, tuple[str, ...]], ...]: ("SPY", ("SPY",), None, {"memory": ("MU",)}),
}


def wrong_values() -> Iterator[Any]:
    for cls in CLASSES:
        hints = get_type_hints(cls)
        for field in fields(cls):
            kind = hints[field.name]
            named = is_dataclass(kind) or get_origin(kind) is Literal
            for value in ("x", None, 5) if named else WRONG[kind]:
                name = f"{cls.__name__}-{field.name}-{type(value).__name__}"
                yield pytest.param(cls, field.name, value, id=name)


@pytest.mark.parametrize(("cls", "name", "value"), list(wrong_values()))
def test_a_value_of_another_type_is_refused_on_one_line(cls: type, name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        cls(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"{cls.__name__}: expected {name} as ")
    assert ", was " in message
    assert "\n" not in message
    assert len(message) < 200


def declared(what: str) -> Iterator[Any]:
    """Yield each class with each entry of ``must_be_positive`` or ``must_ascend``."""
    for cls in (*CLASSES, *REGIMES.values()):
        for base in cls.__mro__:
            for entry in vars(base).get(what, ()):
                yield pytest.param(cls, entry, id=f"{cls.__name__}-{entry}")


@pytest.mark.parametrize(("cls", "name"), list(declared("must_be_positive")))
def test_what_must_be_above_zero_is_refused_at_zero(cls: type, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be a positive number, was 0"):
        cls(**{"voters": ()} if cls is Votes else {}, **{name: 0})


@pytest.mark.parametrize(("cls", "names"), list(declared("must_ascend")))
def test_what_must_ascend_is_refused_when_it_is_equal(
    cls: type, names: tuple[str | float, ...]
) -> None:
    made = cls()
    level = {name: getattr(made, name) if isinstance(name, str) else name for name in names}
    for low, high in pairwise(names):
        name, other = (low, high) if isinstance(low, str) else (high, low)
        kind = type(level[name])
        with pytest.raises(ConfigError, match=r"must be (below|above|a positive number)"):
            cls(**{str(name): kind(level[other])})


@pytest.mark.parametrize(
    ("signal", "name", "percent"),
    [
        (DryPowder, "k", 9),
        (DryPowder, "a", 12.5),
        (Absorption, "enter", 50),
        (Opportunity, "calm", 70),
    ],
)
def test_a_percent_is_no_fraction(signal: type, name: str, percent: float) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be below 1, was {percent}"):
        signal(**{name: percent})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Patient(stage=1), "stage must be above 1, was 1"),
        (lambda: CryptoProbe(fall=5.0), "fall must be below 0, was 5.0"),
        (
            lambda: Bathtub(enter=-1.0),
            "leave must be below enter, but leave is 0.0 and enter is -1.0",
        ),
    ],
)
def test_a_wrong_order_is_told_by_the_names_of_the_parameters(
    wrong: Callable[[], object], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        wrong()
    assert str(caught.value) == message


def test_an_opportunity_needs_no_more_members_than_the_basket_has() -> None:
    assert Opportunity(members=len(BASKET)).members == 4
    with pytest.raises(ConfigError, match="members must be below 5, was 5"):
        Opportunity(members=5)


@pytest.mark.parametrize("name", ["confirm", "min_views"])
def test_a_regime_is_confirmed_for_at_least_one_session_from_at_least_one_view(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be a positive number, was 0"):
        Votes(voters=(), **{name: 0})


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_defaults_are_of_their_types(cls: type) -> None:
    made = cls()
    again = cls(**{field.name: getattr(made, field.name) for field in fields(cls)})
    assert again == made


def test_the_message_says_what_was_expected_what_it_was_and_the_cure() -> None:
    with pytest.raises(ConfigError) as caught:
        Bathtub(horizon=65.5)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "Bathtub: expected horizon as a whole number, was 65.5; correct it"
    )
    with pytest.raises(ConfigError) as caught:
        Capex(firms="MSFT")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "Capex: expected firms as a tuple of text, was 'MSFT'; write several values like "
        "('A', 'B'), and a single value like ('A',)"
    )


def test_numbers_of_numpy_and_whole_numbers_for_fractions_are_taken() -> None:
    assert DryPowder(confirm=np.int64(3)).confirm == 3  # type: ignore[arg-type]
    assert DryPowder(k=np.float64(0.1), leave=3).leave == 3


def test_a_firm_named_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="MSFT twice"):
        Capex(firms=("MSFT", "MSFT", "META", "AMZN"))


@dataclass(frozen=True, kw_only=True)
class NewSignal(Signal):
    """A user's signal. Its own check of parameters does not call the check of the base class."""

    name: ClassVar[str] = "new"
    link: ClassVar[str] = "L0"
    headline: ClassVar[str] = "x"
    units: ClassVar[dict[str, str]] = {"x": ""}

    window: int = 20
    mode: Literal["fast", "slow"] = "fast"
    level: float | None = None

    def __post_init__(self) -> None:
        assert self.window + 1 > 0

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("SPY",)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        return (Threshold(gauge="x", enter=1, leave=0, above=True),)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"x": panel["SPY"]})

    def score(self, panel: pd.DataFrame) -> pd.Series:
        return panel["SPY"]

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        return panel["SPY"].gt(1).astype("boolean")


@dataclass(frozen=True, kw_only=True)
class NewStrategy(Strategy):
    """A user's strategy. Its own check of parameters does not call the check of the base class."""

    name: ClassVar[str] = "new"
    description: ClassVar[str] = "new"

    window: int = 20

    @property
    def assets(self) -> tuple[str, ...]:
        return ("SPY",)

    def weights(self, reading: signals.Reading, panel: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(0.0, index=panel.index, columns=["SPY"])


@pytest.mark.parametrize(
    ("cls", "given"),
    [
        (NewSignal, {"window": "20"}),
        (NewSignal, {"mode": "medium"}),
        (NewSignal, {"level": "high"}),
        (NewStrategy, {"window": 20.5}),
    ],
)
def test_a_new_signal_or_strategy_is_checked_for_free(cls: type, given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{cls.__name__}: expected {next(iter(given))} as"):
        cls(**given)


def test_a_choice_and_an_optional_value_are_taken() -> None:
    assert NewSignal(mode="slow", level=None, window=5).mode == "slow"
    assert NewSignal(level=1).level == 1
