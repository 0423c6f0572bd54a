"""The rows of ``drypowder compare``: names, config files and folders of finished runs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backtests.cli import completion
from backtests.cli.candidates import Candidate, candidates_of, labelled
from backtests.cli.history_choice import HistoryOptions, one_history
from backtests.evidence import comparing
from backtests.history.origin import HistorySource
from backtests.history.panel import History
from backtests.store.store import named_store
from backtests.sweep.trial_log import other_trials
from signals.errors import ConfigError
from tests.commands import Drypowder, said_by

pytestmark = pytest.mark.usefixtures("evaluated_before", "briefly")

SIMULATED = ("--source", "simulated")
WINDOW = ("--start", "2020-06-01")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder with no store in the environment."""
    monkeypatch.delenv("DRYPOWDER_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def toml(path: str, text: str) -> str:
    Path(path).write_text(text)
    return path


def configs(
    *rows: str, defaults: dict[str, Any] | None = None, params: tuple[str, ...] = (), **given: Any
) -> dict[str, Any]:
    """Return a mapping from label to configuration for the given rows."""
    found = labelled(candidates_of(rows, defaults or {}, given, params))
    return {label: candidate.config for label, candidate in found.items()}


# --- Names and config files --------------------------------------------------------------------


def test_names_and_config_files_are_mixed(here: Path) -> None:
    mine = toml("my.toml", 'strategy = "near-cash-flow"\nlag = 2\n[sweep]\nmost = 3\n')
    found = configs("near-cash-flow", mine, "spy")
    assert list(found) == ["near-cash-flow (lag 1)", "near-cash-flow (lag 2)", "spy"]
    assert [config.lag for config in found.values()] == [1, 2, 1]


def test_options_override_config_files(here: Path) -> None:
    mine = toml("my.toml", 'strategy = "spy"\nlag = 2\nstart = 2015-01-02\n')
    (found,) = configs(mine, lag=3, start="2016-01-04").values()
    assert (found.lag, str(found.start)) == (3, "2016-01-04")


def test_defaults_apply_to_names_alone(here: Path) -> None:
    mine = toml("my.toml", 'strategy = "cash-heavy"\n')
    defaults = {
        "strategy": "near-cash-flow",
        "lag": 2,
        "params": {"volatility": 0.2},
        "regime_model": "quantities",
        "costs": {"etf_bp": 5.0},
    }
    found = configs("near-cash-flow", "spy", "cash-heavy@jump_model", mine, defaults=defaults)
    assert list(found) == [
        *("near-cash-flow@quantities", "spy", "cash-heavy@jump_model", "cash-heavy")
    ]
    first, spy, other, own = found.values()
    assert (first.params, spy.params, other.params) == ({"volatility": 0.2}, {}, {})
    assert [config.costs.etf_bp for config in found.values()] == [5.0, 5.0, 5.0, 2.0]
    assert (own.lag, own.regime_model) == (1, "votes")


def test_a_parameter_of_one_row_does_not_reach_the_defaults_of_another(here: Path) -> None:
    defaults = {"regime_model": "votes", "regime": {"confirm": 4}, "costs": {"etf_bp": 5.0}}
    params = ("regime.confirm=3", "costs.stock_bp=7.0")
    configs("cash-heavy", "spy", defaults=defaults, params=params)
    assert (defaults["regime"], defaults["costs"]) == ({"confirm": 4}, {"etf_bp": 5.0})


def test_a_parameter_applies_to_every_row_that_has_it(here: Path) -> None:
    mine = toml("my.toml", 'strategy = "near-cash-flow"\n[signals.dry_powder]\nk = 0.08\n')
    params = ("volatility=0.2", "dry_powder.k=0.11", "regime.confirm=3", "costs.etf_bp=9.0")
    found = configs("cash-heavy@quantities", "spy", mine, params=params)
    driven, spy, own = found.values()
    assert (driven.params, spy.params, own.params) == ({}, {}, {"volatility": 0.2})
    assert all(c.signals["dry_powder"]["k"] == 0.11 for c in found.values())
    assert all(c.costs.etf_bp == 9.0 for c in found.values())
    assert (driven.regime, own.regime) == ({}, {"confirm": 3}), "only votes are confirmed"


@pytest.mark.parametrize(
    ("rows", "params", "parts"),
    [
        (["spy"], ["volatlity=0.2"], ["unknown parameter of the compared strategies"]),
        (["near-cash-flow"], ["volatlity=1"], ["did you mean 'volatility'?"]),
        (["near-cash-flow"], ["regime.confrm=1"], ["did you mean 'regime.confirm'?"]),
        (["spy"], ["dry_powder.kk=1"], ["unknown parameter of dry_powder 'kk'"]),
        (["spy"], ["=1"], ["expected --param NAME=VALUE"]),
        (["spy"], ["lag"], ["expected --param NAME=VALUE"]),
        (["none.toml"], [], ["expected a config file at none.toml"]),
        (["bad.toml"], [], ["expected TOML in bad.toml"]),
        (["bare.toml"], [], ["expected a strategy in bare.toml"]),
        (["odd.toml"], [], ["unknown config key 'lga'", "did you mean 'lag'?"]),
        (["folder"], [], ["but folder has no config.toml"]),
        (["out/nothing"], [], ["but out/nothing has no config.toml"]),
        (["nothing"], [], ["no folder 'nothing' exists", "unknown strategy 'nothing'"]),
        (["spy", "spy"], [], ["expected each strategy once, but spy is given twice"]),
        (["one.toml", "two.toml"], [], ["but one.toml and two.toml have the same settings"]),
        (["spy", "one.toml"], [], ["but spy and one.toml have the same settings"]),
    ],
)
def test_rows_that_cannot_be_used_get_one_line(
    here: Path, rows: list[str], params: list[str], parts: list[str]
) -> None:
    toml("bad.toml", "strategy = ")
    toml("bare.toml", "lag = 2")
    toml("odd.toml", 'strategy = "spy"\nlga = 2\n')
    for name in ("one.toml", "two.toml"):
        toml(name, 'strategy = "spy"\n')
    Path("folder").mkdir()
    with pytest.raises(ConfigError) as refusal:
        configs(*rows, params=tuple(params))
    assert all(part in str(refusal.value) for part in parts), refusal.value
    assert "\n" not in str(refusal.value)


def test_a_folder_named_like_a_strategy_does_not_hide_it(here: Path) -> None:
    Path("spy").mkdir()
    assert list(configs("spy")) == ["spy"]


def test_the_shell_completes_names_config_files_and_folders(here: Path) -> None:
    toml("spy.toml", "")
    Path("spy.csv").write_text("")
    Path("spy-run").mkdir()
    assert completion.rows("spy") == ["spy", "spy-run/", "spy.toml"]


# --- One history -------------------------------------------------------------------------------


def stated(given: str, **source: Any) -> Candidate:
    from backtests.config_data import config_from

    config = config_from({"strategy": "spy", **source})
    return Candidate(given=given, config=config, states_source=bool(source))


def test_rows_take_the_history_that_one_of_them_states(here: Path) -> None:
    rows = [stated("spy"), stated("a.toml", source="simulated", seed=3, years=5)]
    chosen = one_history(rows, None, HistoryOptions())
    assert chosen == HistorySource(source="simulated", seed=3, years=5)


def test_options_override_the_history_of_config_files(here: Path) -> None:
    rows = [stated("a.toml", source="simulated", seed=3, years=5)]
    assert one_history(rows, None, HistoryOptions(source="simulated", seed=4)).seed == 4
    without = [stated("spy", source="simulated", thesis=False)]
    assert not one_history(without, None, HistoryOptions(source="simulated")).thesis
    assert one_history(rows, None, HistoryOptions(source="simulated")).seed == 3
    assert one_history(rows, None, HistoryOptions(seed=9)).seed == 9
    assert one_history(rows, None, HistoryOptions(store=Path("x.duckdb"))).decided() == "store"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [stated("a", source="simulated", seed=1), stated("b", store="x.duckdb")],
            r"b uses the store .*x.duckdb and a uses the SIMULATED economy \(seed 1, 20 years\)",
        ),
        (
            [stated("a", source="simulated"), stated("b", source="simulated", thesis=False)],
            r"b uses the SIMULATED economy \(seed 0, 20 years, without the thesis\) and a uses",
        ),
        (
            [stated("a", store="x.duckdb"), stated("b", store="y.duckdb")],
            r"b uses the store .*y.duckdb and a uses the store .*x.duckdb; compare rows of one",
        ),
    ],
)
def test_two_histories_are_refused_in_one_line(
    here: Path, rows: list[Candidate], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as refusal:
        one_history(rows, None, HistoryOptions())
    assert "\n" not in str(refusal.value)


def test_defaults_state_a_history_for_all(here: Path) -> None:
    defaults = HistorySource(source="simulated", seed=5)
    assert one_history([stated("spy")], defaults, HistoryOptions()).seed == 5
    with pytest.raises(ConfigError, match=r"a uses the store .* --config uses the SIMULATED"):
        one_history([stated("a", store="x.duckdb")], defaults, HistoryOptions())


# --- Finished runs -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run with lag 2; tests must not write to it."""
    folder = tmp_path_factory.mktemp("finished") / "run-7"
    simulated = History.simulated
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backtests.report.tearsheet_page._varies", lambda returns: False)
        patch.setattr(History, "simulated", lambda seed=0, *_, **__: simulated(seed, 6))
        at = ("cash-heavy", *SIMULATED, *WINDOW, "--lag", "2", "--no-robustness")
        assert said_by("run", *at, "--out", folder).code == 0
    return folder


@pytest.fixture
def folder(here: Path, finished: Path) -> str:
    """Return the folder of a finished run, relative to the working folder."""
    shutil.copytree(finished, "out/run-7")
    return "out/run-7"


def test_finished_runs_names_and_files_stand_in_one_table(
    folder: str, drypowder: Drypowder
) -> None:
    """An unchanged run has the numbers of its folder in its row; a changed folder is reported."""
    mine = toml("my.toml", 'strategy = "cash-heavy"\n[signals.dry_powder]\nk = 0.2\n')
    changed = Path(shutil.copytree(folder, "out/changed"))
    lines = (changed / "returns.csv").read_text().splitlines()
    day, _, *others = lines[300].split(",")
    lines[300] = ",".join([day, "0.05", *others])
    (changed / "returns.csv").write_text("\n".join(lines))
    rows = (folder, str(changed), mine, "spy", "--draws", 0, "--out", "page.html")
    said = drypowder("compare", *rows, "--json")
    assert said.code == 0, said.err
    numbers = json.loads(said.out)["rows"]
    assert list(numbers) == ["cash-heavy (run-7)", "cash-heavy (changed)", "cash-heavy", "spy"]
    own = json.loads(Path(folder, "metrics.json").read_text())
    first, second = numbers["cash-heavy (run-7)"], numbers["cash-heavy (changed)"]
    for key in ("total_return", "cagr", "sharpe", "max_drawdown", "turnover", "costs"):
        assert first[key] == pytest.approx(own["strategy"][key], rel=1e-12)
    assert first["saved"]["same"] is True
    assert first["saved"]["run_id"] == own["run"]["run_id"]
    assert first["settings"] == [{"path": "lag", "first": 2, "second": 1}]
    assert (second["saved"]["same"], second["saved"]["changed_from"]) == (False, day)
    assert numbers["spy"]["start"] == own["run"]["start"], "names take the window of the run"
    assert numbers["spy"]["saved"] is None
    page = Path("page.html").read_text()
    assert f"the row shows the numbers saved in {folder} (run {own['run']['run_id']})" in page
    changed_said = f"from the returns saved in out/changed. The first difference is on {day}."
    assert changed_said in page
    assert "its numbers differ from the saved numbers" in page
    assert "<title>SIMULATED" in page


def test_terms_are_refused_if_every_row_has_its_own(folder: str, drypowder: Drypowder) -> None:
    shutil.copytree(folder, "out/second")
    said = drypowder("compare", folder, "out/second", "--lag", "3")
    assert said.code == 2
    assert "expected --lag with a strategy or a config file, but all rows are finished" in said.err


def test_a_folder_with_the_name_of_a_strategy_stands_beside_the_strategy(folder: str) -> None:
    shutil.copytree(folder, "out/cash-heavy")
    rows = configs("cash-heavy", "out/cash-heavy")
    assert list(rows) == ["cash-heavy", "cash-heavy (out/cash-heavy)"]


def test_two_rows_say_first_what_differs(folder: str, drypowder: Drypowder) -> None:
    said = drypowder("compare", folder, "cash-heavy", "--draws", 0, "--out", "page.html")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].endswith("source: SIMULATED")
    assert lines[1] == "settings of cash-heavy (run-7) against cash-heavy: lag 2 instead of 1"
    assert lines[2].startswith("cash-heavy (run-7) minus cash-heavy: ")
    assert "percentage points of mean return a year" in lines[2]
    page = Path("page.html").read_text()
    assert "cash-heavy (run-7) against cash-heavy</h1>" in page
    assert "lag 2 instead of 1." in page


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--source", "simulated", "--seed", "7"), "the options name the SIMULATED economy (seed"),
        (("--store", "x.duckdb"), "the options name the store"),
        (("--param", "volatility=0.2"), "can change, but every row is a finished run"),
        (("--end", "2020-01-02"), "starts on 2020-06-01, after spy ends on 2020-01-02"),
    ],
)
def test_a_finished_run_is_not_changed(
    folder: str, drypowder: Drypowder, words: tuple[str, ...], part: str
) -> None:
    rows = (folder,) if "--param" in words else (folder, "spy")
    said = drypowder("compare", *rows, *words, "--out", "page.html")
    assert (said.code, said.out) == (2, "")
    assert part in said.err
    assert said.err.count("\n") == 1
    assert not Path("page.html").exists()


def test_compare_counts_the_logged_trials_that_are_no_row(
    here: Path, drypowder: Drypowder, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[Any] = []

    def note(*given: Any, **more: Any) -> None:
        noted.append(more["log"])
        raise ConfigError("enough")

    monkeypatch.setattr(comparing, "compare", note)
    assert drypowder("compare", "spy", *SIMULATED).code == 2
    assert noted == [other_trials]


def test_the_seed_of_a_store_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match="expected --seed only with the simulated economy"):
        one_history([stated("a", store="x.duckdb")], None, HistoryOptions(seed=3))
    assert named_store() is None
