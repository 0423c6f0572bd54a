"""A class that breaks the contract of a strategy or signal gets one line of error."""

import pytest

import signals
from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.plugins.load import load_signal, load_strategy
from backtests.thesis.links import LINKS
from signals.errors import ConfigError
from tests.commands import Drypowder, refused
from tests.plugins.texts import SIGNAL, STRATEGY, Write

pytestmark = pytest.mark.usefixtures("evaluated_before")

DECORATOR = "@dataclass(frozen=True, kw_only=True)\n"
PROPERTY = "    @property\n    def assets"


@pytest.mark.parametrize(
    ("replaced", "parts"),
    [
        ((DECORATOR, ""), ["expected a dataclass, was a plain class", "decorate it"]),
        ((DECORATOR, "@dataclass\n"), ["cannot inherit non-frozen dataclass"]),
        (("def weights", "def wieghts"), ["expected Mine to define weights; add it"]),
        (("def assets", "def asset"), ["expected Mine to define assets; add it"]),
        (("name: ClassVar", "nome: ClassVar"), ["expected Mine to define name"]),
        (("description: ClassVar", "lime: ClassVar"), ["expected Mine to define description"]),
        (('"mine"', '"my strategy/1"'), ["expected name as a short word", "'my strategy/1'"]),
        (('"mine"', '"spy"'), ["expected a name that drypowder does not use, was 'spy'"]),
        ((PROPERTY, "    def assets"), ["expected assets as a property, was a method"]),
        (
            ("def weights(self, reading, panel)", "def weights(self, panel)"),
            ["expected weights(self, reading, panel), was weights(self, panel)"],
        ),
        (
            ("    def weights", "    @property\n    def weights"),
            ["expected a method weights(self, reading, panel), was property"],
        ),
        (
            ("window: int = 50", "window: int"),
            ["default for every parameter; add a default to window"],
        ),
        (
            ("window: int = 50", "gross_limit: ClassVar[float] = 0.0\n    window: int = 50"),
            ["expected gross_limit as a number above 0, was 0.0"],
        ),
        (
            ("window: int = 50", "def __init__(self):\n        self.x = 1\n\n    window: int = 50"),
            ["expected a class without its own __init__", "__post_init__"],
        ),
        (
            ("window: int = 50", "window: int = 50\n\n    def __post_init__(self):\n        1 / 0"),
            ["making Mine failed: ZeroDivisionError"],
        ),
        (
            (
                "window: int = 50",
                "window: int = 50\n\n    def __post_init__(self):\n"
                "        raise ValueError('window is odd')",
            ),
            ["window is odd"],
        ),
        (("window: int = 50", "window: NoSuchType = 50"), ["NameError"]),
        (
            ("window: int = 50", "window: 'Nope' = 50"),
            ["parameters with types that Python can find"],
        ),
        *(
            (
                ("window: int = 50", f"window: int = 50\n    kind: {kind} = None"),
                ["expected the parameter kind as a number, text,", f"was {was}; use one of these"],
            )
            for kind, was in (
                ("np.ndarray", "ndarray"),
                ("frozenset[str]", "frozenset"),
                ("tuple[Reading, ...]", "a tuple of Reading"),
                ("Reading | None", "Reading or None"),
                ("__import__('typing').Literal[b'a']", "b'a'"),
            )
        ),
        ((PROPERTY, '    assets = "SPY"\n    @property\n    def others'), ["was 'SPY'", "tuple"]),
        (("(Strategy)", "(dict)"), ["expected a class derived from strategies.Strategy"]),
    ],
)
def test_a_class_that_is_no_strategy_gets_one_line(
    drypowder: Drypowder,
    write: Write,
    simulated: History,
    replaced: tuple[str, str],
    parts: list[str],
) -> None:
    said = drypowder("run", f"{write(STRATEGY, replaced)}:Mine", "--source", "simulated")
    refused(said, *parts)


def test_a_strategy_with_the_name_of_the_benchmark_is_refused(write: Write) -> None:
    """Otherwise, the strategy and its benchmark would have the same name on a page."""
    path = f"{write(STRATEGY, NAMED_SPY)}:Mine"
    said = (
        "expected a strategy with another name than the benchmark, but both are called SPY; rename"
    )
    with pytest.raises(signals.errors.ConfigError, match=said):
        config_from({"strategy": path})
    assert config_from({"strategy": path, "benchmark": "QQQ"}).label == "SPY"


NAMED_SPY = ('"mine"', '"SPY"')


def test_an_inherited_parameter_set_without_its_type_is_refused(
    drypowder: Drypowder, write: Write
) -> None:
    """A dataclass would ignore a value without a type, and keep the value of its parent class."""
    name = write("""
from dataclasses import dataclass
from typing import ClassVar
from strategies import NearCashFlow

@dataclass(frozen=True, kw_only=True)
class Mine(NearCashFlow):
    name: ClassVar[str] = "mine"
    volatility = 0.1
""")
    refused(drypowder("check", f"{name}:Mine"), "write volatility: float = …")


@pytest.mark.parametrize("link", ["", *LINKS, "L8, L13"])
def test_a_strategy_names_links_of_the_thesis_or_none(write: Write, link: str) -> None:
    line = f'window: int = 50\n    link: ClassVar[str] = "{link}"'
    assert load_strategy(f"{write(STRATEGY, ('window: int = 50', line))}:Mine").link == link


@pytest.mark.parametrize("link", ["", *LINKS])
def test_a_signal_names_a_link_of_the_thesis_or_none(write: Write, link: str) -> None:
    name = write(SIGNAL, ('"L9"', f'"{link}"'))
    assert load_signal(f"{name}:Fear").link == link


@pytest.mark.parametrize("link", ["L99", "L0", "L16", "l3", "3", "L8; L13"])
def test_a_link_that_the_thesis_does_not_have_is_refused(
    drypowder: Drypowder, write: Write, link: str
) -> None:
    line = f'window: int = 50\n    link: ClassVar[str] = "{link}"'
    said = drypowder("check", f"{write(STRATEGY, ('window: int = 50', line))}:Mine")
    refused(said, "links from L1 to L15, such as 'L8, L13', or as '' for no link", link)
    name = write(SIGNAL, ('"L9"', f'"{link}"'))
    refused(drypowder("check", f"{name}:Fear"), "one of the links L1 to L15, or as ''", link)


def test_a_parameter_of_a_signal_has_the_name_of_the_signal_as_prefix(
    drypowder: Drypowder, write: Write
) -> None:
    path = f"{write(SIGNAL)}:Fear"
    refused(drypowder("check", path, "--param", "enter=30"), "was 'enter'; write fear.enter")
    refused(drypowder("check", path, "--param", "fear.entr=3"), "did you mean 'enter'?")
    refused(drypowder("check", path, "--param", "fair.enter=3"), "did you mean 'fear'?")


def test_the_name_of_a_file_is_told_from_the_path_of_a_class(
    drypowder: Drypowder, write: Write
) -> None:
    name = write(SIGNAL)
    refused(drypowder("check", f"{name}.py"), "expected a path like my_module:MyStrategy")


def test_a_strategy_and_a_signal_are_told_apart(drypowder: Drypowder, write: Write) -> None:
    path = f"{write(SIGNAL)}:Fear"
    refused(drypowder("run", path, "--source", "simulated"), "expected a strategy, was a signal")
    with pytest.raises(signals.errors.ConfigError, match="expected a signal, was a strategy"):
        load_signal(f"{write(STRATEGY)}:Mine")


def test_plain_parameters_are_accepted(write: Write) -> None:
    fields = (
        "window: int = 50",
        "window: int = 50\n    pair: tuple[int, int] = (5, 10)\n    limit: float | None = 0.5\n"
        "    kind: typing.Literal['a', 'b'] = 'a'\n    more: dict[str, float] | None = None\n"
        "    free: typing.Any = None\n    word: str | None = None\n"
        "    texts: list[str] | None = None",
    )
    path = f"{write('import typing' + STRATEGY, fields)}:Mine"
    for said in ("none", "None"):
        config = config_from({"strategy": path, "params": {"limit": said, "pair": [1, 2]}})
        built = config.build_strategy()
        assert (built.limit, built.pair) == (None, (1, 2))  # type: ignore[attr-defined]
        config = config_from({"strategy": path, "params": {"word": said}})
        assert config.build_strategy().word == said  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r'tuple like pair=\["A", "B"\] or pair=\[1, 2\], was'):
        config_from({"strategy": path, "params": {"pair": "5,10"}})
