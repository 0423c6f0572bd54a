"""``drypowder init`` writes a file with every setting at its default, and overwrites no file."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from backtests.cli import init
from backtests.cli.app import command
from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.config_file import read_config
from backtests.engine.costs import Costs
from backtests.engine.schedule import Schedule
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.report.docstring import documented_parameters
from strategies import STRATEGIES


def test_every_key_is_written_and_explained() -> None:
    written = [*(key for keys in init.SECTIONS.values() for key in keys), *init.TABLES]
    assert sorted(written) == sorted(RunConfig.model_fields)
    assert documented_parameters(RunConfig).keys() == RunConfig.model_fields.keys()
    for part in (Schedule, Costs):
        assert documented_parameters(part).keys() == {f.name for f in fields(part)}


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_is_written_is_the_default(name: str, tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(init.template(name), encoding="utf-8")
    written, default = config_from(read_config(path)), config_from({"strategy": name})
    spelled_out = {"params", "universe"}
    assert written.model_dump(exclude=spelled_out) == default.model_dump(exclude=spelled_out)
    assert written.build_strategy() == default.build_strategy()
    assert written.build_signals() == default.build_signals()


def test_what_is_left_out_can_be_put_in() -> None:
    """Each commented line is either a setting, or a heading for the settings below."""
    text = init.template("near-cash-flow")
    _, _, tail = text.partition("# --- What is run")
    lines = [
        line.removeprefix("# ") if " = " in line else line for line in tail.splitlines() if line
    ]
    data = tomllib.loads("\n".join(lines))
    del data["plugin_signals"], data["store"], data["labels"]
    config = config_from(data)
    assert (config.source, str(config.start)) == ("simulated", "2015-01-01")
    assert config.build_signals() == config_from({"strategy": "spy"}).build_signals()
    assert config.build_strategy() == config_from({"strategy": "near-cash-flow"}).build_strategy()


def test_every_parameter_has_its_default_and_a_comment() -> None:
    for name in ("patient", "memory-over-crypto", "constant-mix", "near-cash-flow"):
        cls, text = STRATEGIES[name], init.template(name)
        for f in fields(cls):
            assert [line for line in text.splitlines() if line.startswith(f"{f.name} = ")], f.name
    lines = init.template("near-cash-flow").splitlines()
    settings = [line for line in lines if " = " in line and not line.startswith('# "my_module')]
    assert all("  # " in line for line in settings), [x for x in settings if "  # " not in x]
    assert not [line for line in lines if ":class:" in line]


def test_an_existing_file_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("drypowder.toml").write_text("mine")
    assert command(["init"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: expected no file at drypowder.toml; give another name")
    assert err.count("\n") == 1
    assert Path("drypowder.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["x.toml", "--strategy", "near-cashflow"], "did you mean 'near-cash-flow'?"),
        (["/dev/null/x.toml"], "/dev/null/x.toml"),
        (["."], "expected no file at ."),
    ],
)
def test_what_cannot_be_written_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    part: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(["init", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert part in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_file_runs_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(["init", "my.toml", "--strategy", "cash-heavy"]) == 0
    assert "drypowder run --config my.toml" in capsys.readouterr().out
    history = History.simulated(seed=0, years=3)
    written = run(config_from(read_config(Path("my.toml"))), history)
    default = run(config_from({"strategy": "cash-heavy"}), history)
    assert written.result.returns.equals(default.result.returns)


def test_the_classes_are_listed_as_comments() -> None:
    text = init.template("near-cash-flow")
    listed = text[text.index("[universe.classes]") : text.index("[regime]")]
    assert '# crypto = ["BTC-USD", "ETH-USD"]' in listed
    used = text.replace('# memory = ["MU", "SNDK", "WDC", "STX"] ', 'memory = ["MU"]')
    config = config_from(tomllib.loads(used))
    assert config.universe.classes == {"memory": ("MU",)}
    assert config.build_strategy().assets[:2] == ("SPY", "MU")
