"""A user's own strategy or signal runs; a wrong key of its configuration is refused."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.runs import run_id
from tests.commands import Drypowder, refused
from tests.plugins.texts import SIGNAL, STRATEGY, Write

pytestmark = pytest.mark.usefixtures("evaluated_before")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


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
