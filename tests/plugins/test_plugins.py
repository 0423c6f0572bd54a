"""A user's own strategy or signal: it runs, and each mistake in it gives one line of error."""

import itertools
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import signals
from backtests import pipeline, today
from backtests.config import RunConfig, config_from
from backtests.evidence.workers import workers_of
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.plugins.check import check_signal, check_strategy
from backtests.plugins.load import load_signal, load_strategy
from backtests.plugins.lookahead import default_dates, first_difference, truncation_faults
from backtests.runs import run_id
from backtests.thesis.links import LINKS
from signals import DryPowder
from signals.errors import SimulationError
from strategies import STRATEGIES, decide
from tests.commands import Drypowder, failed, refused

pytestmark = pytest.mark.usefixtures("evaluated_before")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

STRATEGY = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.reading import Reading
from strategies import Strategy


@dataclass(frozen=True, kw_only=True)
class Mine(Strategy):
    """Half in SPY while it stands above its mean, a tenth in bonds."""

    name: ClassVar[str] = "mine"
    description: ClassVar[str] = "half in SPY while it stands above its mean"

    window: int = 50

    @property
    def assets(self) -> tuple[str, ...]:
        return ("SPY", "IEF")

    def state(self, reading, panel):
        above = panel["SPY"] > panel["SPY"].rolling(self.window).mean()
        return above.map({True: "above", False: "below"}).astype(object)

    def weights(self, reading, panel):
        price = panel["SPY"]
        share = 0.5 * (price > price.rolling(self.window).mean())
        return pd.DataFrame({"SPY": share, "IEF": 0.1}, index=panel.index)
'''

SIGNAL = '''
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal
from signals.hysteresis import Threshold, turned


@dataclass(frozen=True, kw_only=True)
class Fear(Signal):
    """Shares fear."""

    name: ClassVar[str] = "fear"
    link: ClassVar[str] = "L9"
    headline: ClassVar[str] = "vix"
    units: ClassVar[dict[str, str]] = {"vix": "points"}

    enter: float = 25.0
    leave: float = 20.0

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("VIXCLS",)

    @property
    def thresholds(self):
        return (Threshold(gauge="vix", enter=self.enter, leave=self.leave, above=True),)

    def gauges(self, panel):
        return pd.DataFrame({"vix": panel["VIXCLS"].rolling(5).mean()})

    def score(self, gauges):
        vix = gauges["vix"]
        return (vix - vix.expanding(60).mean()) / vix.expanding(60).std()

    def flag(self, gauges):
        return turned(gauges, self.thresholds, self.confirm)
'''


Write = Callable[..., str]


@pytest.fixture(scope="module")
def short() -> History:
    return History.simulated(seed=0, years=5)


@pytest.fixture(scope="module")
def reading(short: History) -> signals.Reading:
    return signals.read(short.panel)


@pytest.fixture
def simulated(short: History, reading: signals.Reading, monkeypatch: pytest.MonkeyPatch) -> History:
    """Replace every simulated history by one short history, which registered signals read once."""
    read = pipeline.read

    def read_once(
        config: RunConfig, history: History, earlier: signals.Reading | None = None
    ) -> signals.Reading:
        default = config.regime_model == "votes" and not config.plugin_signals
        return reading if default else read(config, history, earlier)

    monkeypatch.setattr(History, "simulated", lambda *_, **__: short)
    monkeypatch.setattr(pipeline, "read", read_once)
    monkeypatch.setattr(today, "read", read_once)
    return short


_numbers = itertools.count()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a module into the working folder and returns its name.

    The function first replaces the given parts of the text. By default, the module has a new name.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def put(text: str, *replaced: tuple[str, str], name: str = "") -> str:
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        name = name or f"plugin_module_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return name

    return put


# --- it runs --------------------------------------------------------------------------------


@pytest.mark.usefixtures("plainly")
def test_a_plugin_strategy_runs(drypowder: Drypowder, write: Write, simulated: History) -> None:
    path = f"{write(STRATEGY)}:Mine"
    options = ("--source", "simulated", "--param", "window=20", "--out", "out", "--json")
    said = drypowder("run", path, *options)
    assert said.code == 0, said.err
    assert json.loads(said.out)["run"]["strategy"] == "mine"
    assert f'strategy = "{path}"' in Path("out/config.toml").read_text()
    assert "window = 20" in Path("out/config.toml").read_text()


@pytest.mark.usefixtures("plainly")
def test_what_a_plugin_prints_leaves_json_alone(
    drypowder: Drypowder, write: Write, simulated: History
) -> None:
    loud = (
        ("window: int = 50", "window: int = 50\n    def __post_init__(self): print('made')"),
        ('return ("SPY", "IEF")', 'print("asked"); return ("SPY", "IEF")'),
        ('price = panel["SPY"]', 'print("weighed"); price = panel["SPY"]'),
    )
    path = f"{write('print(1)' + STRATEGY, *loud)}:Mine"
    said = drypowder("today", path, "--source", "simulated", "--json")
    assert json.loads(said.out)["weights"]["IEF"] == pytest.approx(0.1)
    assert set(said.err.split()) == {"1", "made", "asked", "weighed"}


def test_a_plugin_strategy_says_what_to_hold_today(
    drypowder: Drypowder, write: Write, simulated: History
) -> None:
    said = drypowder("today", f"{write(STRATEGY)}:Mine", "--source", "simulated", "--json")
    assert said.code == 0, said.err
    weights = json.loads(said.out)["weights"]
    assert weights["IEF"] == pytest.approx(0.1)
    assert set(weights) == {"SPY", "IEF", "CASH"}


def test_a_plugin_signal_votes_where_it_is_told_to(write: Write, short: History) -> None:
    path = f"{write(SIGNAL)}:Fear"
    for votes in (True, False):
        config = config_from({"strategy": "cash-heavy", "plugin_signals": {path: votes}})
        reading = run(config, short).reading
        assert reading.flags["fear"].any()
        assert ("fear" in reading.votes) is votes


def test_types_may_be_text_and_sleeves_be_set(write: Write) -> None:
    name = write("""
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
from strategies import NearCashFlow

@dataclass(frozen=True, kw_only=True)
class Mine(NearCashFlow):
    name: ClassVar[str] = "mine"
    calm: bool = False
    memory: tuple[str, ...] = ("SMH",)
""")
    config = config_from(
        {"strategy": f"{name}:Mine", "params": {"calm": True}, "universe": {"memory": ["MU"]}}
    )
    built = config.build_strategy()
    assert (built.calm, built.memory) == (True, ("MU",))  # type: ignore[attr-defined]


def test_the_run_id_changes_with_the_users_file(write: Write, short: History) -> None:
    name = write(STRATEGY)
    config = config_from({"strategy": f"{name}:Mine"})
    before = run_id(config, short)
    assert run_id(config, short) == before
    write(STRATEGY, ("0.5 *", "0.4 *"), name=name)
    assert run_id(config, short) != before


def test_the_run_id_changes_with_the_file_of_a_parent(write: Write, short: History) -> None:
    parent = write(STRATEGY)
    child = write(f"""
from dataclasses import dataclass
from typing import ClassVar
from {parent} import Mine

@dataclass(frozen=True, kw_only=True)
class Child(Mine):
    name: ClassVar[str] = "child"
""")
    config = config_from({"strategy": f"{child}:Child"})
    before = run_id(config, short)
    write(STRATEGY, ("0.5 *", "0.4 *"), name=parent)
    assert run_id(config, short) != before


def test_the_example_passes_its_check(
    drypowder: Drypowder, simulated: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(EXAMPLES / "my_strategy.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    said = drypowder("check", "my_strategy:Careful", "--source", "simulated")
    assert said.code == 0, said.err
    assert "wrong" not in said.out


# --- finding it -----------------------------------------------------------------------------


def test_the_working_folder_comes_first_only_while_importing(write: Write) -> None:
    helper = write("VALUE = ('SPY', 'IEF')")
    name = write(
        f"from {helper} import VALUE\n{STRATEGY}", ('return ("SPY", "IEF")', "return VALUE")
    )
    before = list(sys.path)
    assert load_strategy(f"{name}:Mine")().assets == ("SPY", "IEF")
    assert sys.path == before


def test_a_module_of_the_folder_is_imported_at_the_top(drypowder: Drypowder, write: Write) -> None:
    helper = write("VALUE = ('SPY', 'IEF')")
    name = write(STRATEGY, ('return ("SPY", "IEF")', f"from {helper} import VALUE; return VALUE"))
    said = drypowder("run", f"{name}:Mine", "--source", "simulated")
    refused(said, "assets failed: ModuleNotFoundError", "import it at the top of the module")


def test_another_process_unpickles_a_plugin(write: Write) -> None:
    strategy = load_strategy(f"{write(STRATEGY)}:Mine")()
    with workers_of(2) as pool:
        assert pool.submit(repr, strategy).result() == "Mine(window=50)"


def test_folders_named_like_ours_shadow_nothing(write: Write, tmp_path: Path) -> None:
    for package in ("signals", "strategies", "backtests"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError('shadowed')")
        (tmp_path / package / "base.py").write_text("raise RuntimeError('shadowed')")
    extra = (
        "import numpy as np",
        "import numpy as np\nimport strategies.baselines, signals.policy",
    )
    assert load_strategy(f"{write(STRATEGY, extra)}:Mine").name == "mine"


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        (
            "nowhere_at_all:Mine",
            ["expected a module nowhere_at_all", "run drypowder in the module's folder"],
        ),
        ("{m}.deeper.still:Mine", ["expected a module {m}.deeper.still"]),
        ("{m}:Mein", ["unknown class of {m} 'Mein'; did you mean 'Mine'?"]),
        ("{m}.py:Mine", ["without .py"]),
        ("./{m}:Mine", ["with dots and without .py"]),
        ("{m}:", ["expected a path like my_module:MyStrategy", "give module and class"]),
        (":Mine", ["expected a path like my_module:MyStrategy"]),
        ("{m}:Mine:Mine", ["expected a path like my_module:MyStrategy"]),
        ("{m}:np", ["expected a class derived from strategies.Strategy", "an object of module"]),
        ("{m}:Reading", ["expected a class derived from strategies.Strategy", "was Reading"]),
        ("__main__:Mine", ["defined in a notebook or a script", "give its path, such as my_file:"]),
        ("json:Mine", ["expected a class Mine in json, found no strategy or signal there"]),
        ("strategies.mine:Mine", ["the name strategies belongs to drypowder's own package"]),
    ],
)
def test_a_path_that_leads_nowhere_gets_one_line(
    drypowder: Drypowder, write: Write, path: str, parts: list[str]
) -> None:
    name = write(STRATEGY)
    said = drypowder("run", path.replace("{m}", name), "--source", "simulated")
    refused(said, *(part.replace("{m}", name) for part in parts))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("json", "Python has another module json"),
        ("signals", "the name signals belongs to drypowder's own package"),
    ],
)
def test_a_file_whose_name_is_taken_is_told(
    drypowder: Drypowder, write: Write, name: str, part: str
) -> None:
    write(STRATEGY, name=name)
    refused(drypowder("check", f"{name}:Mine"), part, "another")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("def (:", ["importing {m} failed: SyntaxError", "{m}.py:1"]),
        ("x = 1\ny = undefined", ["NameError: name 'undefined' is not defined", "{m}.py:2"]),
        ("import not_there_at_all", ["{m} imports not_there_at_all, which is not found"]),
        ("from signals import Nope", ["ImportError: cannot import name 'Nope'", "{m}.py:1"]),
        ("raise SystemExit(0)", ["raised SystemExit", "__main__"]),
        ("1 / 0", ["ZeroDivisionError", "{m}.py:1"]),
        ("x = '\ud83d'", ["importing {m} failed"]),
    ],
)
def test_a_module_that_cannot_be_imported_gets_one_line(
    drypowder: Drypowder, write: Write, tmp_path: Path, text: str, parts: list[str]
) -> None:
    name = write("")
    (tmp_path / f"{name}.py").write_bytes(text.encode("utf-8", "surrogatepass"))
    said = drypowder("run", f"{name}:Mine", "--source", "simulated")
    refused(said, *(part.replace("{m}", name) for part in parts))


# --- the class ------------------------------------------------------------------------------

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


# --- what it answers ------------------------------------------------------------------------

RETURN = 'return pd.DataFrame({"SPY": share, "IEF": 0.1}, index=panel.index)'


@pytest.mark.parametrize(
    ("replaced", "parts"),
    [
        ((RETURN, "return 1 / 0"), ["mine: weights failed: ZeroDivisionError", ".py:3"]),
        (
            (RETURN, "return panel['NOPE']"),
            ["KeyError: 'NOPE'", "assets or reads must list every column"],
        ),
        ((RETURN, "return share"), ["expected weights as a DataFrame", "was Series"]),
        ((RETURN, "pass"), ["expected weights as a DataFrame", "was NoneType"]),
        (('"IEF": 0.1}', '"TLT": 0.1}'), ["expected a column for each asset of the strategy"]),
        (
            ("index=panel.index)", "index=panel.index).iloc[1:]"),
            ["expected a row for each session"],
        ),
        (("index=panel.index)", "index=panel.index).astype(str) + 'x'"), ["weights as numbers"]),
        (('"IEF": 0.1}', '"IEF": 0.6}'), ["expected the sum of weights of at most 1, was 1.1 on"]),
        (('"IEF": 0.1}', '"IEF": -0.6}'), ["expected gross exposure of at most 1, was 1.1 on"]),
        (('"IEF": 0.1}', '"IEF": np.nan}'), ["expected a finite weight of IEF on"]),
        (('("SPY", "IEF")', '("SPY", "IEFF")'), ["expected prices of IEFF"]),
        (('return ("SPY", "IEF")', 'return "SPY"'), ["expected assets as a tuple", "was 'SPY'"]),
        (('return ("SPY", "IEF")', 'return ("SPY", "SPY")'), ["SPY twice; drop the duplicate"]),
        (('return ("SPY", "IEF")', "return self.tickers"), ["assets failed: AttributeError"]),
        (("above.map(", "above.mpa("), ["mine: state failed: AttributeError"]),
        ((".astype(object)", ".astype(object).tolist()"), ["state as a Series", "was list"]),
        ((".astype(object)", ".dropna().iloc[3:]"), ["rows for", "reindex it"]),
        (('{True: "above", False: "below"}', "{True: 1, False: 0}"), ["expected state as labels"]),
    ],
)
def test_an_answer_of_another_form_gets_one_line(
    drypowder: Drypowder,
    write: Write,
    simulated: History,
    replaced: tuple[str, str],
    parts: list[str],
) -> None:
    path = f"{write(STRATEGY, replaced)}:Mine"
    for how in ("run", "today", "check"):
        failed(drypowder(how, path, "--source", "simulated"), *parts)
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("replaced", "parts"),
    [
        (("def score", "def scores"), ["expected Fear to define score"]),
        (
            ('"vix": "points"', '"vix index": "points"'),
            ["expected `headline` to be one of the gauges"],
        ),
        (("def flag", "def evaluate"), ["expected evaluate only in the base class"]),
        (
            (
                "    enter: float = 25",
                '    parts: ClassVar[list[str]] = ["capex"]\n    enter: float = 25',
            ),
            ["expected parts as a mapping from names to signal classes, was ['capex']"],
        ),
        (
            (
                "    enter: float = 25",
                '    context = {"capex": ("growth",)}\n    enter: float = 25',
            ),
            ["context: unknown gauge of capex 'growth'", "known: firms, impulse, level, share"],
        ),
        (('"fear"', '"regime"'), ["a name that drypowder does not use, was 'regime'; give"]),
        (
            ('"fear"', '"capex_score"'),
            ["a name without _score at its end, was 'capex_score'; give"],
        ),
        (('"fear"', '"own_score"'), ["a name without _score at its end, was 'own_score'; give"]),
        (('"fear"', '"capex"'), ["a signal 'capex' already exists; rename your signal"]),
        (("def score(self, gauges)", "def score(self)"), ["expected score(self, gauges), was"]),
        (('("VIXCLS",)', '"VIXCLS"'), ["expected inputs as a tuple of ids"]),
        (("return turned(", "return float("), ["fear: flag failed: TypeError"]),
        (
            ("return turned(", "return 20 < max("),
            ["fear: flag failed"],
        ),
        (
            ("self.confirm)", "self.confirm).astype(float)"),
            ["expected flag as pandas boolean, NA where data are missing, was of type"],
        ),
        (("return (vix - ", "return vix.dropna() if vix.any() else (vix - "), ["rows for"]),
        (('panel["VIXCLS"]', 'panel["VIX"]'), ["KeyError: 'VIX'", "inputs must list every column"]),
    ],
)
def test_a_wrong_signal_gets_one_line(
    drypowder: Drypowder,
    write: Write,
    simulated: History,
    replaced: tuple[str, str],
    parts: list[str],
) -> None:
    name = write(SIGNAL, replaced)
    Path("my.toml").write_text(
        f'strategy = "cash-heavy"\nsource = "simulated"\n[plugin_signals]\n"{name}:Fear" = true\n'
    )
    refused(drypowder("run", "--config", "my.toml"), *parts)


def test_writing_into_the_panel_harms_nobody_else(write: Write, short: History) -> None:
    line = ('price = panel["SPY"]', 'price = panel["SPY"]\n        panel["SPY"] = 1.0')
    before = short.digest()
    config = config_from({"strategy": f"{write(STRATEGY, line)}:Mine"})
    strategy, reading = config.build_strategy(), signals.read(short.panel)
    decide(strategy, reading, short.panel)
    assert short.digest() == before
    in_place = ("return pd.DataFrame", "panel.loc[:, 'VIXCLS'] = 0.0\n        return pd.DataFrame")
    load_signal(f"{write(SIGNAL, in_place)}:Fear")().evaluate(short.panel)
    assert short.digest() == before


# --- look-ahead -----------------------------------------------------------------------------

SHARE = "share = 0.5 * (price > price.rolling(self.window).mean())"
LAST_ROW = "0.5 * (price > price.iloc[-1])"

CHEATS = [
    pytest.param("0.5 * (price.shift(-1) > price)", id="tomorrow's price"),
    pytest.param("0.5 * (price > price.mean())", id="whole-sample mean"),
    pytest.param(LAST_ROW, id="last row of the panel"),
    pytest.param("0.5 * (price > price.rolling(99, center=True).mean())", id="centred window"),
    pytest.param("price.where(price > price.cummax() * 0.95).bfill().notna() * 0.5", id="bfill"),
    pytest.param("0.5 * price.rank(pct=True).fillna(0)", id="rank over the whole"),
    pytest.param(
        "0.5 * (reading.regime.shift(-1).ffill() == 'NEUTRAL')", id="tomorrow's regime, filled"
    ),
    pytest.param("0.5 * (reading.scores['policy'].shift(-5).ffill() > 1)", id="next week's score"),
    pytest.param("pd.Series(np.linspace(0, 0.5, len(price)), price.index)", id="length of history"),
]


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_strategy_that_knows_the_future_is_caught(
    drypowder: Drypowder, write: Write, simulated: History, cheat: str
) -> None:
    name = write(STRATEGY, (SHARE, f"share = {cheat}"))
    said = drypowder("check", f"{name}:Mine", "--source", "simulated")
    failed(said, "mine: expected weights of SPY on 20", "not to depend on data after 20")
    assert "wrong  look-ahead" in said.out
    assert said.out.count("wrong") == 1


def test_an_honest_strategy_passes(drypowder: Drypowder, write: Write, simulated: History) -> None:
    options = ("--source", "simulated", "--start", "2022-01-03", "--json")
    said = drypowder("check", f"{write(STRATEGY)}:Mine", *options)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["kind"], told["ok"], told["source"]) == ("strategy", True, "simulated")
    names = [c["check"] for c in told["checks"]]
    assert "2022-01-03 to 2024-12-31" in told["checks"][5]["said"]
    assert names == [
        "assets", "weights", "limits", "unlisted", "state", "backtest", "look-ahead",
    ]  # fmt: skip


def test_a_state_that_knows_the_future_is_caught(
    drypowder: Drypowder, write: Write, simulated: History
) -> None:
    state = ('above = panel["SPY"] >', 'above = panel["SPY"].shift(-1).ffill() >')
    said = drypowder("check", f"{write(STRATEGY, state)}:Mine", "--source", "simulated")
    failed(said, "mine: expected state on 20")


def test_chance_is_told_from_foresight(
    drypowder: Drypowder, write: Write, simulated: History
) -> None:
    random = (SHARE, "share = np.random.default_rng().random(len(price)) / 2")
    said = drypowder("check", f"{write(STRATEGY, random)}:Mine", "--source", "simulated")
    failed(said, "weights of SPY", "to be the same when computed twice", "seed random numbers")


@pytest.mark.parametrize(
    ("replaced", "what"),
    [
        (('panel["VIXCLS"].rolling', 'panel["VIXCLS"].shift(-1).rolling'), "gauges of vix"),
        (("vix.expanding(60).mean()", "vix.mean()"), "score"),
        (
            ("turned(gauges,", "turned(gauges.shift(-9).ffill(),"),
            "flag",
        ),
        (('"VIXCLS"].rolling', '"VIXCLS"].bfill().rolling'), None),
    ],
)
def test_a_signal_that_knows_the_future_is_caught(
    drypowder: Drypowder,
    write: Write,
    simulated: History,
    replaced: tuple[str, str],
    what: str | None,
) -> None:
    said = drypowder("check", f"{write(SIGNAL, replaced)}:Fear", "--source", "simulated")
    if what is None:  # this history has no gap to fill backwards
        assert said.code == 0, said.err
    else:
        failed(said, "fear: expected", what, "not to depend on data after 20")


def test_filling_a_gap_backwards_is_caught_where_there_is_one(write: Write, short: History) -> None:
    filled = ('"VIXCLS"].rolling', '"VIXCLS"].bfill().rolling')
    path = f"{write(SIGNAL, filled)}:Fear"
    config = config_from({"strategy": "bills", "plugin_signals": {path: True}})
    holed = short.panel.copy()
    holed.loc[holed.index[700:704], "VIXCLS"] = np.nan
    signal = config.build_signals()["fear"]
    history = History(**{**vars(short), "panel": holed})
    fault = next(truncation_faults(signal, config, history))
    assert fault.cut == holed.index[703]
    assert fault.date == holed.index[700]


def test_another_future_shows_what_a_cut_hides(write: Write, short: History) -> None:
    """A strategy reads the next day's regime.

    If the regime stays the same after a cut of the history, the cut does not reveal the look-ahead,
    because the last value is filled forward. Replaced rows after the cut reveal it.
    """
    filled = (SHARE, "share = 0.5 * (reading.regime.shift(-1).ffill() == 'NEUTRAL')")
    config = config_from({"strategy": f"{write(STRATEGY, filled)}:Mine"})
    reading = pipeline.read(config, short)
    same = reading.regime.eq(reading.regime.shift(-1)) & reading.regime.notna()
    calm = [pd.Timestamp(day) for day in short.panel.index[same][100:-60:60]]
    faults = list(truncation_faults(config.build_strategy(), config, short, calm, reading))
    assert faults
    assert {fault.future for fault in faults} == {"another"}


@pytest.mark.parametrize(
    ("call", "cut", "where"),
    [
        (2, -1, "on the history up to"),
        (2, 900, "on the history up to"),
        (3, 900, "with other data after"),
    ],
)
def test_a_failure_is_told_with_the_history_that_brought_it(
    short: History, monkeypatch: pytest.MonkeyPatch, call: int, cut: int, where: str
) -> None:
    calls = itertools.count(1)
    evaluate = DryPowder.evaluate

    def failing(self: DryPowder, *given: Any) -> Any:
        if next(calls) == call:
            raise SimulationError("too little data")
        return evaluate(self, *given)

    monkeypatch.setattr(DryPowder, "evaluate", failing)
    day = pd.Timestamp(short.panel.index[cut])
    config = config_from({"strategy": "bills"})
    said = re.escape(f"too little data ({where} {day.date()})")
    with pytest.raises(SimulationError, match=said):
        list(truncation_faults(DryPowder(), config, short, [day]))


def test_a_strategy_is_held_to_the_future_of_plugin_signals_too(
    write: Write, short: History
) -> None:
    cheat = write(SIGNAL, ('panel["VIXCLS"].rolling', 'panel["VIXCLS"].shift(-1).rolling'))
    config = config_from({"strategy": "cash-heavy", "plugin_signals": {f"{cheat}:Fear": True}})
    fault = next(truncation_faults(config.build_strategy(), config, short))
    assert (fault.name, fault.what, fault.column) == ("fear", "gauges", "vix")


def test_an_honest_signal_passes(drypowder: Drypowder, write: Write, simulated: History) -> None:
    said = drypowder("check", f"{write(SIGNAL)}:Fear", "--source", "simulated")
    assert said.code == 0, said.err
    for name in ("inputs", "gauges", "score", "flag", "thresholds", "explain", "look-ahead"):
        assert f"ok     {name}" in said.out


def test_a_weight_without_a_price_is_caught(write: Write, short: History) -> None:
    config = config_from({"strategy": f"{write(STRATEGY)}:Mine"})
    panel = short.panel.copy()
    panel.loc[panel.index[800:820], "IEF"] = np.nan
    checks = check_strategy(config, History(**{**vars(short), "panel": panel}))
    wrong = [c for c in checks if not c.holds]
    assert [c.name for c in wrong] == ["unlisted"]
    assert f"IEF on {panel.index[800].date()}" in wrong[0].said


def test_what_cannot_be_asked_is_left_out(write: Write, short: History) -> None:
    broken = config_from({"strategy": f"{write(STRATEGY, (RETURN, 'return 1 / 0'))}:Mine"})
    assert [c.name for c in check_strategy(broken, short)] == ["assets", "weights"]
    config = config_from({"strategy": "bills"})
    without = History(**{**vars(short), "panel": short.panel.drop(columns="RRPONTSYD")})
    checks = check_signal(DryPowder(), config, without)
    assert [c.name for c in checks] == ["inputs"]
    assert "RRPONTSYD" in checks[0].said


@pytest.mark.parametrize("name", ["near-cash-flow@quantities", "bills", "dry_powder"])
def test_registered_names_are_checked_too(
    drypowder: Drypowder, simulated: History, name: str
) -> None:
    said = drypowder("check", name, "--source", "simulated")
    assert said.code == 0, said.err
    assert "ok     look-ahead" in said.out


@pytest.mark.parametrize(
    ("name", "part"),
    [("near-cashflow", "did you mean 'near-cash-flow'?"), ("dry-powder", "'dry_powder'")],
)
def test_a_mistyped_name_gets_the_nearest(drypowder: Drypowder, name: str, part: str) -> None:
    refused(drypowder("check", name), "unknown strategy or signal", part)


def test_every_registered_strategy_knows_no_future(
    short: History, reading: signals.Reading
) -> None:
    for name in STRATEGIES:
        config = config_from({"strategy": name})
        faults = truncation_faults(
            config.build_strategy(), config, short, [short.panel.index[900]], reading
        )
        assert list(faults) == []


def test_cuts_lie_at_the_end_of_gaps_and_at_changes(short: History) -> None:
    panel = short.panel.copy()
    panel.loc[panel.index[500:510], "RRPONTSYD"] = np.nan
    flag = pd.DataFrame({"": pd.Series(panel.index > panel.index[640], panel.index)})
    dates = default_dates(DryPowder(), {"flag": flag}, panel)
    assert dates[0] == panel.index[-1]
    assert {panel.index[509], panel.index[641]} <= set(dates)


def test_tables_differ_by_the_last_bit_and_by_missing_values() -> None:
    index = pd.bdate_range("2024-01-02", periods=4)
    one = pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0], "b": [0.1, 0.2, 0.3, 0.4]}, index=index)
    assert first_difference(one, one.copy()) is None
    by_a_bit = one.assign(b=[0.1, 0.2, np.nextafter(0.3, 1), 0.4])
    assert first_difference(one, by_a_bit) == (index[2], "b")
    assert first_difference(one, one.fillna(0)) == (index[1], "a")
    assert first_difference(one, one.drop(columns="b")) == (index[0], "b")
    assert first_difference(one, one.iloc[:3]) == (index[3], "a")
    words = pd.DataFrame({"": ["x", None, "y", "y"]}, index=index)
    assert first_difference(words, words.copy()) is None
    assert first_difference(words, words.fillna("z")) == (index[1], "")


# --- configuration --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "parts"),
    [
        ("strategy = 'spy'\nuniverze = 1", ["unknown config key 'univerze'", "'universe'"]),
        ("strategy = 'spy'\n[schedule]\nevry = 'week'", ["config key in schedule 'evry'", "every"]),
        (
            "strategy = 'spy'\n[schedule]\nevery = 'weak'",
            ["every", "'week'", "'weak'"],
        ),
        ("strategy = 'spy'\n[costs]\nstok_bp = 1", ["config key in costs 'stok_bp'", "'stock_bp'"]),
        (
            "strategy = 'near-cash-flow'\n[universe]\nmemry = ['MU']",
            ["unknown sleeve of near-cash-flow 'memry'", "'memory'"],
        ),
        ("strategy = 'near-cash-flow@quantites'", ["unknown regime model", "'quantities'"]),
        ("strategy = 'near-cash-flow'\n[params]\nvolatilty = 1", ["'volatility'"]),
        ("strategy = 'spy'\n[plugin_signals]\n'{m}:Faer' = true", ["did you mean 'Fear'?"]),
        ("strategy = 'spy'\n[plugin_signals]\n'{m}:Fear' = 'yes'", ["plugin_signals", "was 'yes'"]),
        ("strategy = 'spy'\n[plugin_signals]\n'{m}' = true", ["expected a path like my_module"]),
        (
            "strategy = 'spy'\n[signals.fearr]\nenter = 1\n[plugin_signals]\n'{m}:Fear' = true",
            ["fear"],
        ),
        (
            "strategy = 'spy'\n[signals.fear]\nentr = 1\n[plugin_signals]\n'{m}:Fear' = true",
            ["unknown parameter of fear 'entr'", "'enter'"],
        ),
    ],
)
def test_unknown_keys_are_refused_with_the_nearest(
    drypowder: Drypowder, write: Write, toml: str, parts: list[str]
) -> None:
    name = write(SIGNAL)
    Path("my.toml").write_text(toml.replace("{m}", name))
    refused(drypowder("run", "--config", "my.toml", "--source", "simulated"), *parts)
