"""``drypowder sweep``: its output, bad input, and the trials that ``run`` and ``compare`` count."""

import json
import re
from pathlib import Path

import pytest

from backtests.cli import completion
from backtests.cli.sweep_said import print_sweep
from backtests.sweep.trial_log import known_trials
from tests.commands import Drypowder
from tests.sweep.world import BASE

pytestmark = pytest.mark.usefixtures("evaluated_before")

SIMULATED = ("--source", "simulated", "--set", "volatility=0.2,0.25", "--set", "lag=1,2")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.toml"
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in BASE.items()))
    return path


def test_the_terminal_shows_the_best_the_verdict_and_the_page(
    drypowder: Drypowder, briefly: None, tmp_path: Path
) -> None:
    out = tmp_path / "my sweep"
    said = drypowder("sweep", "near-cash-flow", *SIMULATED, "--out", out, "--verbose")
    assert said.code == 0, said.err
    assert said.out.startswith("near-cash-flow, 4 configurations, ")
    assert "source: SIMULATED" in said.out
    for part in ("the best of 4 trials", "probability of overfitting", "The base configuration"):
        assert part in said.out
    assert "simulation and metrics" in said.out  # --verbose
    assert f"page: {out}/sweep.html" in said.out
    assert f"drypowder run --config '{out}/best.toml'" in said.out
    assert "its trials do not enter a log" in said.out
    assert said.err == ""


def test_the_terminal_shows_values_as_the_page_does(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = dict.fromkeys(("sharpe", "cagr", "volatility", "max_drawdown", "turnover", "costs"))
    about = {"strategy": "s", "configurations": 9, "start": "a", "end": "b", "source": "store"}
    said = {
        "sweep": {**about, "simulated": False},
        "best": {"values": {"dry_powder.k": 0.105555555556, "schedule.every": "week"}, **metrics},
        "verdict": [],
    }
    print_sweep(said, "out", json=False, verbose=False)
    shown = dict(re.findall(r"^(\S+) +(\S+)$", capsys.readouterr().out, flags=re.MULTILINE))
    assert shown["dry_powder.k"] == "0.1056"
    assert shown["schedule.every"] == "week"


def test_json_has_the_envelope_and_a_second_command_resumes(
    drypowder: Drypowder, base: Path, tmp_path: Path
) -> None:
    line = ("sweep", "--config", base, "--set", "lag=1,2", "--out", tmp_path / "out", "--json")
    first, again = (json.loads(drypowder(*line).out) for _ in range(2))
    assert {"as_of", "source", "start", "end", "sweep_id", "run_id"} <= first["sweep"].keys()
    assert (first["resumed"], again["resumed"]) == (0, 2)
    assert first["seconds"].keys() > {"preparation", "strategy", "trading", "all", "luck"}
    assert {k: v for k, v in first.items() if k not in ("seconds", "resumed")} == {
        k: v for k, v in again.items() if k not in ("seconds", "resumed")
    }


def test_a_file_may_hold_the_request_and_the_written_request_repeats_it(
    drypowder: Drypowder, base: Path, tmp_path: Path
) -> None:
    base.write_text(
        base.read_text() + '[sweep]\ndesign = "lhs"\nsamples = 3\ndraw_seed = 5\n'
        '[sweep.set]\nvolatility = "0.1:0.3"\n"schedule.offset" = [0, 5]\n'
    )
    out = tmp_path / "out"
    first = json.loads(drypowder("sweep", "--config", base, "--out", out, "--json").out)
    assert first["sweep"]["configurations"] == 3
    written = tmp_path / "again.toml"
    written.write_text((out / "sweep.toml").read_text())
    again = json.loads(drypowder("sweep", "--config", written, "--out", out, "--json").out)
    assert again["sweep"] == first["sweep"]
    assert again["resumed"] == 3


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--set", "dry_powder.kk=1,2"), "did you mean 'k'?"),
        (("--set", "lag="), "lag: expected at least one value"),
        (("--set", "lag=1,1"), "expected each value once"),
        (
            ("--set", "lag=1,2", "--max", "1"),
            "expected at most 1 configurations, but the design has 2",
        ),
        (("--set", "lag=1,2", "--dask", "nonsense"), "expected a Dask scheduler at nonsense"),
        (("--set", "lag=1,2", "--memory", "10kB"), "expected a memory limit of at least"),
        (("--set", "lag=1,2", "--memory", "much"), "expected an amount of memory like 500MB"),
        (
            ("--set", "lag=1,2", "--dask", "a:1", "--workers", "2"),
            "--workers or --dask, found both",
        ),
        ((), "expected at least one parameter to sweep"),
        (("--set", "lag=2"), "expected at least 2 configurations, but the design has 1"),
        (("--set", "lag=1,2", "--draw-seed", "3"), "expected --draw-seed with --design random"),
        (("--set", "lag=1,2", "--samples", "0"), "samples as a whole number of at least 1, was 0"),
        (("--set", "lag=1,2", "--max", "0"), "max as a whole number of at least 1, was 0"),
        (
            ("--set", "lag=1,2", "--lag", "3"),
            "either the sweep or --lag to set lag, but both set it",
        ),
        (
            ("--set", "volatility=0.1,0.2", "--param", "volatility=0.3"),
            "either the sweep or --param volatility to set volatility, but both set it",
        ),
    ],
)
def test_bad_input_gets_one_line(
    drypowder: Drypowder, briefly: None, options: tuple[str, ...], part: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = drypowder("sweep", "near-cash-flow", "--source", "simulated", *options, "--out", out)
    assert said.code == 2
    assert part in said.err
    assert said.err.count("\n") == 1
    assert not out.exists()


@pytest.mark.history
def test_trials_on_a_store_are_logged_once_and_run_counts_them(
    drypowder: Drypowder, store: Path, tmp_path: Path, plainly: None
) -> None:
    import shutil

    mine = Path(shutil.copy(store, tmp_path / "mine.duckdb"))
    at = ("near-cash-flow", "--store", mine)
    sets = ("--set", "lag=1,2", "--set", "volatility=0.2,0.25")
    for _ in range(2):
        assert drypowder("sweep", *at, *sets, "--out", tmp_path / "out").code == 0
    assert len(known_trials(mine).sharpes) == 4
    more = drypowder("sweep", *at, "--set", "lag=2,3", "--out", tmp_path / "more", "--json")
    luck = json.loads(more.out)["luck"]
    assert (luck["trials"], luck["logged_trials"]) == (2 + 3, 3)  # lag 2 is known, lag 3 is new
    assert len(known_trials(mine).sharpes) == 5
    said = drypowder("run", *at, "--no-robustness", "--out", tmp_path / "run", "--json")
    luck = json.loads(said.out)["luck"]
    assert (luck["trials"], luck["logged_trials"]) == (5, 4)  # the run itself is a logged trial


def test_the_shell_completes_parameters_and_designs() -> None:
    assert "dry_powder.k=" in completion.swept("dry_")
    assert completion.swept("schedule.e") == ["schedule.every="]
    assert completion.designs("l") == ["lhs"]
