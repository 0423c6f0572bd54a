"""A parameter has one value, whether a config file, an option, a table or a call gives it."""

import json
from pathlib import Path

import pytest

import signals
from backtests import run
from backtests.cli.app import command
from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.evidence.k_choice import by_k
from backtests.evidence.metrics import cagr
from backtests.history.panel import History

pytestmark = pytest.mark.usefixtures("evaluated_before", "uncharted")

TERMS = {"strategy": "near-cash-flow", "start": "2015-01-02"}
THREE = ("MSFT", "GOOGL", "AMZN")


def growth(config: RunConfig, history: History) -> float:
    return cagr(run(config, history).result.returns)


def by_command(store: Path, out: Path, *arguments: str) -> float:
    """Return the yearly growth that a command writes."""
    given = ["run", "--store", str(store), "--start", TERMS["start"], "--out", str(out)]
    assert command([*given, "--no-robustness", *arguments]) == 0
    written = json.loads((out / "metrics.json").read_text())
    return float(written["strategy"]["cagr"])


def by_config_file(path: Path, store: Path, *lines: str) -> float:
    path.write_text("\n".join(["strategy = 'near-cash-flow'", "[signals]", *lines, ""]))
    return by_command(store, path.parent / "by-config", "--config", str(path))


def test_k_has_one_value_in_config_parameter_table_and_call(
    history: History, store: Path, tmp_path: Path
) -> None:
    default = run(config_from(TERMS), history)
    called = growth(config_from({**TERMS, "signals": {"dry_powder": {"k": 0.11}}}), history)
    table = by_k(default)["cagr"].loc[0.11]
    config = by_config_file(tmp_path / "k.toml", store, "dry_powder.k = 0.11")
    given = by_command(store, tmp_path / "p", "near-cash-flow", "--param", "dry_powder.k=0.11")
    assert table == pytest.approx(called, rel=1e-12)
    assert (config, given) == pytest.approx((called, called), rel=1e-12)
    assert called != pytest.approx(cagr(default.result.returns), rel=1e-3)


def test_a_basket_of_three_firms_has_one_value_in_config_parameter_and_call(
    history: History, store: Path, tmp_path: Path
) -> None:
    firms = {"capex": {"firms": THREE, "minimum": 3}}
    called = growth(config_from({**TERMS, "signals": firms}), history)
    text = json.dumps(list(THREE))
    config = by_config_file(
        tmp_path / "firms.toml", store, f"capex.firms = {text}", "capex.minimum = 3"
    )
    parameters = ("--param", f"capex.firms={text}", "--param", "capex.minimum=3")
    given = by_command(store, tmp_path / "p", "near-cash-flow", *parameters)
    assert (config, given) == pytest.approx((called, called), rel=1e-12)


def test_a_basket_of_three_firms_reaches_absorption(history: History) -> None:
    chosen = {**signals.default_signals(), "capex": signals.Capex(firms=THREE, minimum=3)}
    three = signals.evaluate(history.panel, chosen)["absorption"].gauges
    five = signals.Absorption().evaluate(history.panel).gauges
    both = three["capex"].notna() & five["capex"].notna()
    assert both.sum() > 2000
    assert (three["capex"] < five["capex"])[both].all()
