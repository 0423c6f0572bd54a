"""The command line: real commands, their exit codes, and one line of error for bad input."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backtests.cli.app import command
from backtests.report.folder import FILES
from tests.commands import Drypowder, refused

pytestmark = pytest.mark.usefixtures("evaluated_before")


def test_help_is_the_same_command_by_module() -> None:
    for start in (["-m", "backtests"], ["-c", "from backtests.cli.app import main; main()"]):
        done = subprocess.run(
            [sys.executable, *start, "--help"], capture_output=True, text=True, check=True
        )
        assert "Research, not investment advice" in done.stdout


def test_help_loads_nothing_heavy() -> None:
    look = (
        "import sys; from backtests.cli.app import command; command(['--help']); "
        "heavy = {'pandas', 'numpy', 'vectorbt', 'quantstats', 'duckdb', 'plotly', 'pydantic'}; "
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert re.search(r"LOADED \[('pydantic')?\]", done.stdout), done.stdout


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("drypowder fl", ["flags"]),
        ("drypowder run cash", ["cash-heavy"]),
        ("drypowder flags --why dry", ["dry_powder"]),
        ("drypowder check dry", ["dry_powder"]),
    ],
)
def test_the_shell_completes_commands_and_names(
    typed: str, completed: list[str], drypowder: Drypowder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["drypowder"])
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None)  # as in a script
    monkeypatch.setenv("_DRYPOWDER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    said = drypowder()
    assert said.code == 0
    assert said.out.split() == completed


def test_every_command_and_option_is_explained(drypowder: Drypowder) -> None:
    for name in ("import", "data", "list", "flags", "run"):
        said = drypowder(name, "--help")
        assert said.code == 0
        assert "Usage: " in said.out


def test_the_help_describes_each_command_in_a_whole_sentence(drypowder: Drypowder) -> None:
    lines = drypowder("--help").out.partition("Commands:")[2].strip().splitlines()
    assert len(lines) == 13
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.parametrize("name", ["run", "compare", "sweep", "check"])
def test_the_help_states_the_default_of_start(drypowder: Drypowder, name: str) -> None:
    said = " ".join(drypowder(name, "--help").out.split())
    option = said.partition("--start DATE ")[2].partition(" --")[0]
    assert option.endswith("default: the first session with a regime.")


def test_list_names_every_strategy_and_signal(drypowder: Drypowder) -> None:
    from signals import SIGNALS
    from strategies import STRATEGIES

    listed = json.loads(drypowder("list", "--json").out)
    assert set(listed["strategies"]) == set(STRATEGIES)
    assert set(listed["signals"]) == set(SIGNALS)
    text = drypowder("list").out
    assert all(name in text for name in (*STRATEGIES, *SIGNALS))


def test_data_lists_every_series_with_unit_rows_and_dates(
    drypowder: Drypowder, store: Path
) -> None:
    held = json.loads(drypowder("data", "--store", store, "--json").out)["series"]
    walcl = next(row for row in held if row["series"] == "WALCL")
    assert walcl["unit"] == "USD millions"
    assert walcl["rows"] == 1203
    assert (walcl["first"], walcl["last"]) == ("2002-12-18", "2025-12-31")
    assert f"{len(held)} series in" in drypowder("data", "--store", store).out


def test_flags_have_the_documented_form(drypowder: Drypowder, store: Path) -> None:
    said = json.loads(drypowder("flags", "--store", store, "--at", "2025-10-10", "--json").out)
    assert {"as_of", "regime", "since", "source", "signals"} <= said.keys()
    assert said["as_of"] == "2025-10-10"
    for signal in said["signals"].values():
        assert {"value", "unit", "score", "flag", "since", "distance", "known_at"} <= signal.keys()
    assert said["signals"]["dry_powder"]["flag"] is True


def test_flags_on_a_weekend_are_fridays(drypowder: Drypowder, store: Path) -> None:
    said = json.loads(drypowder("flags", "--store", store, "--at", "2025-10-11", "--json").out)
    assert said["as_of"] == "2025-10-10"


def test_the_environment_names_the_store_and_flags_warn_that_it_is_stale(
    drypowder: Drypowder, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYPOWDER_STORE", str(store))
    said = drypowder("flags")
    assert said.code == 0
    assert "warning: the history ends on 2025-12-31" in said.err


@pytest.mark.usefixtures("uncharted")
def test_run_writes_seven_files_and_prints_the_metrics(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = drypowder(
        "run", "near-cash-flow", "--store", store, "--start", "2020-01-01", "--out", out, "--json"
    )
    assert said.code == 0, said.err
    assert {p.name for p in out.iterdir()} == set(FILES)
    assert json.loads(said.out) == json.loads((out / "metrics.json").read_text())


@pytest.mark.usefixtures("plainly")
def test_a_run_can_be_repeated_from_its_config(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    options = ("--store", store, "--start", "2023-01-01", "--lag", 3)
    drypowder("run", "near-cash-flow", *options, "--param", "volatility=0.2", "--out", first)
    said = drypowder("run", "--config", first / "config.toml", "--out", second)
    assert said.code == 0, said.err
    for name in ("returns.csv", "orders.csv", "weights.csv", "flags.csv", "metrics.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


@pytest.mark.usefixtures("plainly")
def test_an_earlier_run_of_the_same_strategy_is_replaced(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for start in ("2024-01-02", "2024-03-01"):
        said = drypowder("run", "spy", "--store", store, "--start", start, "--out", out)
        assert said.code == 0, said.err
        assert json.loads((out / "metrics.json").read_text())["run"]["start"] == start
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


@pytest.mark.usefixtures("plainly")
def test_an_earlier_run_of_another_strategy_is_not_lost(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    options = ("--store", store, "--start", "2024-01-01", "--out", tmp_path / "out")
    assert drypowder("run", "spy", *options).code == 0
    before = (tmp_path / "out/returns.csv").read_bytes()
    refused(drypowder("run", "bills", *options), "it holds a run of spy, which would be lost")
    assert (tmp_path / "out/returns.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["rnu"], ["unknown command 'rnu'", "did you mean 'run'?"]),
        (["run"], ["give a strategy"]),
        (["run", "near-cashflow"], ["did you mean 'near-cash-flow'?"]),
        (["run", "spy", "--start", "2020-13-01"], ["error: --start: ", "was '2020-13-01'"]),
        (["today", "spy", "--start", "2020-13-01"], ["error: --start: "]),
        (["compare", "spy", "--end", "2020-13-01"], ["error: --end: "]),
        (["run", "spy", "--start", "2024-01-01", "--end", "2023-01-01"], ["start before end"]),
        (["run", "spy", "--start", "1975-01-01"], ["start 1975-01-01 lies outside the history"]),
        (["run", "spy", "--start", "2026-06-01"], ["start 2026-06-01 lies outside the history"]),
        (["run", "spy", "--start", "2025-12-31"], ["at least 21 sessions"]),
        (
            ["run", "spy", "--start", "2025-11-03", "--lag", "41"],
            [
                "a lag below the 41 sessions from 2025-11-03 to 2025-12-31, was 41",
                "choose a smaller lag",
            ],
        ),
        (["run", "spy", "--lag", "0"], ["error: --lag: ", "greater than or equal to 1", "was 0"]),
        (["run", "spy", "--lag", "two"], ["--lag"]),
        (
            ["run", "spy", "--param", "volatility=0.2"],
            ["parameter of spy 'volatility'; known: band, lag"],
        ),
        (["run", "near-cash-flow", "--param", "volatilty=0.2"], ["did you mean 'volatility'?"]),
        (["run", "near-cash-flow", "--param", "volatility=-1"], ["volatility must be above 0"]),
        (["run", "near-cash-flow", "--param", "volatility=high"], ["volatility", "was 'high'"]),
        (["run", "near-cash-flow", "--param", "volatility"], ["expected --param NAME=VALUE"]),
        (["run", "--config", "none.toml"], ["expected a config file at none.toml"]),
        (["flags", "--at", "1980-01-01"], ["--at 1980-01-01 lies outside the history"]),
        (["flags", "--at", "2024"], ["--at must be a date like 2025-10-06, was '2024'"]),
        (["flags", "--at=-1"], ["--at must be a date like 2025-10-06, was '-1'"]),
        (["flags", "--at", "06/28/2024"], ["--at must be a date like 2025-10-06"]),
        (["run", "spy", "--end", "1980-01-01"], ["end 1980-01-01 lies outside the history"]),
        (["run", "spy", "--out", "/dev/null"], ["was a file"]),
        (
            ["run", "near-cash-flow", "--param", "volatility=0.2\ny=3"],
            ["expected --param NAME=VALUE"],
        ),
        (["run", "near-cash-flow", "--param", "volatility=true"], ["volatility"]),
        (["run", "spy", "--source", "simulatd"], ["did you mean 'simulated'?"]),
        (["flags", "--store", "~nosuchuser/x"], ["expected"]),
        (
            ["flags", "--param", "regime.min_views=11"],
            ["regime.min_views up to 10, the number of signals that vote, was 11"],
        ),
        (["flags", "--seed", "3"], ["expected --seed only with the simulated economy"]),
        (
            ["flags", "--why", "dry_powder", "--sensitivity"],
            ["only one of --why and --sensitivity"],
        ),
        (["run", "spy", "--source", "simulated", "--seed", "-3"], ["seed must be 0 or above"]),
        (["today", "spyy"], ["did you mean 'spy'?"]),
        (["flags", "--at", "tomorrow"], ["--at must be a date like 2025-10-06"]),
        (["flags", "--at", "2025-10-06T10:00:00Z"], ["--at must be a date like 2025-10-06"]),
    ],
)
def test_bad_arguments_get_one_line(
    drypowder: Drypowder,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    parts: list[str],
) -> None:
    monkeypatch.setenv("DRYPOWDER_STORE", str(store))
    monkeypatch.chdir(tmp_path)
    refused(drypowder(*arguments), *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("toml", "parts"),
    [
        ("strategy = 'spy'\nstrat = 1", ["unknown config key 'strat'", "did you mean 'start'?"]),
        ("strategy = 'spy'\n[costs]\netf = 1", ["unknown config key in costs 'etf'"]),
        ("strategy = 'spy'\n[costs]\netf_bp = -1", ["etf_bp must be from 0 to 1000"]),
        ("strategy = 'spy'\n[signals.drypowder]\nk = 1", ["did you mean 'dry_powder'?"]),
        ("strategy = 'spy'\n[signals.dry_powder]\nq = 1", ["unknown parameter of dry_powder 'q'"]),
        ("strategy = 'spy'\n[signals.dry_powder]\nk = -1", ["k must be a positive number"]),
        ("strategy = 'spy'\nband = 2", ["band", "less than 1", "was 2"]),
        (
            "strategy = 'cash-heavy'\nuniverse = {broad = ['CASH']}",
            ["CASH is among them; leave it out, because the rest of a portfolio is always in cash"],
        ),
        ("strategy = 'spy'\ninitial_capital = 0", ["initial_capital"]),
        ("strategy = ", ["expected TOML"]),
        ("strategy = 'spy'\nlag = true", ["lag", "was True"]),
        ("strategy = 'spy'\nlag = '1'", ["lag", "was '1'"]),
        ("strategy = 'spy'\nparams = 3", ["params", "was 3"]),
        ("strategy = 'spy'\nband = nan", ["band"]),
        ("strategy = 'spy'\nsource = 'simulated'\nyears = 99", ["years must be between 2 and 33"]),
        ("strategy = 'spy'\nsource = 'simulated'\nseed = -1", ["seed must be 0 or above"]),
    ],
)
def test_bad_config_files_get_one_line(
    drypowder: Drypowder, store: Path, tmp_path: Path, toml: str, parts: list[str]
) -> None:
    config = tmp_path / "my.toml"
    config.write_text(toml)
    out = tmp_path / "out"
    history = () if "source" in toml else ("--store", store)
    refused(drypowder("run", "--config", config, *history, "--out", out), *parts)
    assert not out.exists()


@pytest.mark.parametrize("chosen", ["source = 'store'", "store = 'my.duckdb'"])
def test_a_seed_is_refused_when_the_config_file_chooses_a_store(
    drypowder: Drypowder, tmp_path: Path, chosen: str
) -> None:
    config = tmp_path / "my.toml"
    config.write_text(f"strategy = 'spy'\n{chosen}")
    said = drypowder("run", "--config", config, "--seed", 3)
    refused(said, "expected --seed only with the simulated economy", "--source simulated")


def test_an_output_folder_with_other_content_is_left_alone(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.docx").write_text("my work")
    refused(
        drypowder("run", "spy", "--store", store, "--out", tmp_path),
        "but it holds 'thesis.docx'",
    )
    assert (tmp_path / "thesis.docx").read_text() == "my work"


def test_a_folder_with_somebody_elses_metrics_is_left_alone(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "metrics.json").write_text('{"accuracy": 1}')
    said = drypowder("run", "spy", "--store", store, "--out", tmp_path)
    refused(said, "its metrics.json is missing or is not from a run")
    assert (tmp_path / "metrics.json").read_text() == '{"accuracy": 1}'


def test_an_output_that_is_a_file_is_refused(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    path.write_text("x")
    refused(drypowder("run", "spy", "--store", store, "--out", path), "was a file")


def test_a_store_named_but_missing_is_an_error(drypowder: Drypowder, tmp_path: Path) -> None:
    for arguments in (["flags"], ["data"], ["run", "spy"]):
        said = drypowder(*arguments, "--store", tmp_path / "none.duckdb")
        refused(said, "expected a store at", "drypowder import")


def test_importing_what_is_not_there_is_an_error(drypowder: Drypowder, tmp_path: Path) -> None:
    said = drypowder("import", tmp_path / "nothing", "--store", tmp_path / "s.duckdb")
    refused(said, "expected a file or folder")
    assert not (tmp_path / "s.duckdb").exists()


def test_a_strategy_whose_assets_are_missing_is_an_error(
    drypowder: Drypowder, history_dir: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small.duckdb"
    drypowder("import", history_dir / "fred", "--store", small)
    refused(drypowder("run", "near-cash-flow", "--store", small), "expected prices of SPY")
    own = tmp_path / "own.toml"
    own.write_text("strategy = 'cash-heavy'\nuniverse = {broad = ['BRK.B']}")
    said = drypowder("run", "--config", own, "--store", small)
    refused(said, "unknown series or ticker 'BRK.B'", "import the prices of a ticker first")


def test_import_reports_bad_files_after_taking_the_good(
    drypowder: Drypowder, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "DGS2.csv").write_text("observation_date,DGS2\n2025-01-02,4.2\n")
    (folder / "DGS10.csv").write_text("observation_date,DGS10\n2025-01-02,420\n")
    said = drypowder("import", folder, "--store", tmp_path / "s.duckdb")
    assert said.code == 2
    assert "1 file, 1 series: 1 rows new" in said.out
    assert said.err.startswith("error: DGS10.csv: line 2: expected DGS10 between")


def test_flags_at_a_date_do_not_change_when_the_future_is_appended(
    drypowder: Drypowder, history_store: Path, history_dir: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.duckdb"
    truncate(history_dir, tmp_path / "cut", "2025-10-06")
    assert drypowder("import", tmp_path / "cut", "--store", cut).code == 0
    arguments = ("flags", "--at", "2025-10-06", "--json", "--store")
    assert drypowder(*arguments, cut).out == drypowder(*arguments, history_store).out


def truncate(source: Path, target: Path, last: str) -> None:
    """Copy the history that existed on a day: rows dated and facts filed up to that day."""
    import gzip

    for path in source.rglob("*"):
        if path.suffix not in (".csv", ".gz", ".json") or "annual" in path.name:
            continue
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            document = json.loads(path.read_text())
            facts = [f for f in document["units"]["USD"] if f["filed"] <= last]
            copy.write_text(json.dumps(document | {"units": {"USD": facts}}))
        else:
            text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            header, *lines = text.decode().splitlines()
            kept = [line for line in lines if line[:10] <= last]
            copy.with_suffix("" if path.suffix == ".gz" else ".csv").write_text(
                "\n".join([header, *kept]) + "\n"
            )


@pytest.mark.usefixtures("plainly")
def test_an_end_between_sessions_is_the_session_before(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--start", "2024-01-02", "--end", "2024-06-30")
    said = drypowder("run", "bills", "--store", store, *options, "--out", out, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["run"]["end"] == "2024-06-28"


@pytest.mark.usefixtures("plainly")
def test_a_link_as_output_leads_to_its_folder(
    drypowder: Drypowder, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    said = drypowder(
        "run", "bills", "--store", store, "--start", "2025-06-02", "--out", tmp_path / "link"
    )
    assert said.code == 0, said.err
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "tearsheet.html").is_file()


def test_a_damaged_store_is_one_line(drypowder: Drypowder, store: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.duckdb"
    content = bytearray(store.read_bytes())
    content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 4)
    damaged.write_bytes(content)
    for arguments in (["data"], ["flags"]):
        refused(drypowder(*arguments, "--store", damaged), "damaged")


def test_a_terminal_that_knows_ascii_alone_gets_the_whole_table(store: Path) -> None:
    import os

    plain = os.environ | {"PYTHONIOENCODING": "ascii", "DRYPOWDER_STORE": str(store)}
    done = subprocess.run(
        [sys.executable, "-m", "backtests", "flags"], capture_output=True, env=plain, check=True
    )
    assert b"Research, not investment advice" in done.stdout


# --- Stopped, or no longer listened to --------------------------------------------------------


def test_control_c_is_one_line_and_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backtests.store.store.Store.summary", stopped)
    assert command(["data", "--store", "any.duckdb"]) == 130
    assert capsys.readouterr().err == "error: stopped; every written file is complete\n"


def test_a_pipe_that_is_closed_is_no_error() -> None:
    words = [sys.executable, "-m", "backtests", "list", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.close()
        complaint = shown.stderr.read().decode()
    assert (shown.returncode, complaint) == (0, "")
