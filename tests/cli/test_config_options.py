"""--config and --param on flags, today and check, and the fields with which --json begins."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.version import __version__
from signals import DryPowder, default_signals
from tests.commands import Drypowder, refused

pytestmark = pytest.mark.usefixtures("briefly", "evaluated_before")

SIMULATED = ("--source", "simulated", "--seed", "1")
MODEL = 'strategy = "cash-heavy"\nregime_model = "labels"\nlabels = "labels.csv"\n'


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write configurations into the folder of the test."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").write_text("date,label\n2020-01-02,NEUTRAL\n2024-05-01,ABSORPTION\n")
    (tmp_path / "model.toml").write_text(MODEL)
    (tmp_path / "k.toml").write_text(
        'strategy = "near-cash-flow"\nsource = "simulated"\nseed = 1\nlag = 2\n'
        '[params]\nvolatility = 0.2\n[signals.dry_powder]\nk = 0.05\n[schedule]\nevery = "week"\n'
        "[sweep]\nset = { lag = [1, 2] }\n"
    )


@pytest.fixture
def without_look_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check for look-ahead, which takes longest."""
    monkeypatch.setattr("backtests.plugins.check.truncation_faults", lambda *_, **__: ())


def said(drypowder: Drypowder, *arguments: object, code: int = 0) -> Any:
    """Return the JSON of a command."""
    done = drypowder(*arguments, "--json")
    assert done.code == code, done.err
    return json.loads(done.out)


@pytest.mark.parametrize("second", [("--config", "model.toml"), ("--config=model.toml",)])
def test_a_second_config_file_is_refused(drypowder: Drypowder, second: tuple[str, ...]) -> None:
    """The command would ignore the first file."""
    done = drypowder("flags", "--config", "k.toml", *second)
    refused(done, "expected --config once, found it twice; put all keys into one file")


def test_a_parameter_of_a_signal_changes_every_signal_that_contains_it(
    drypowder: Drypowder,
) -> None:
    before, after = (
        said(drypowder, "flags", *SIMULATED, *param)["signals"]
        for param in ((), ("--param", "dry_powder.k=0.11"))
    )
    chosen = default_signals()

    def contains(name: str) -> bool:
        return name == "dry_powder" or any(map(contains, chosen[name].parts))

    changed = {name for name in before if before[name] != after[name]}
    assert {"dry_powder", "absorption"} <= changed <= {name for name in chosen if contains(name)}


def test_why_and_sensitivity_show_the_parameters_of_the_configuration(
    drypowder: Drypowder, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = drypowder("flags", "--config", "k.toml", "--why", "dry_powder")
    assert "k=0.05" in why.out
    moved: list[DryPowder] = []

    def note(_: pd.DataFrame, chosen: dict[str, DryPowder], *others: object) -> list[object]:
        moved.append(chosen["dry_powder"])
        return []

    monkeypatch.setattr("backtests.evidence.sensitivity.sensitivity", note)
    found = said(drypowder, "flags", "--config", "k.toml", "--sensitivity")
    assert (found["source"], found["cases"]) == ("simulated", [])
    assert moved == [DryPowder(k=0.05)]


def test_options_override_the_file(drypowder: Drypowder) -> None:
    from_option = said(drypowder, "flags", *SIMULATED, "--param", "dry_powder.k=0.1")
    both = said(drypowder, "flags", "--config", "k.toml", "--param", "dry_powder.k=0.1")
    assert both == from_option
    of_file = said(drypowder, "flags", "--config", "k.toml")
    assert of_file["signals"]["dry_powder"] != both["signals"]["dry_powder"]
    other_seed = said(drypowder, "flags", "--config", "k.toml", "--seed", "2")
    assert other_seed["signals"]["capex"] != of_file["signals"]["capex"]


def test_flags_shows_the_regime_of_the_files_model(
    drypowder: Drypowder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for chart in ("signal_panels", "flags_timeline"):
        monkeypatch.setattr(f"backtests.report.flags_page.{chart}", lambda *_, **__: "")
    page = tmp_path / "flags.html"
    found = said(drypowder, "flags", *SIMULATED, "--config", "model.toml", "--html", page)
    assert (found["regime"], found["since"]) == ("ABSORPTION", "2024-05-01")
    assert (found["regime_model"], found["pending"]) == ("labels", None)
    sentence = "ABSORPTION since 2024-05-01 (model labels): this is your own label"
    assert found["sentence"] == sentence
    shown = page.read_text()
    assert "<h1>ABSORPTION since 2024-05-01 (model labels)</h1>" in shown.replace("SIMULATED: ", "")
    assert "no signal votes: the regime comes from the model labels." in shown
    assert "(no vote)" not in shown, "as if the other signals voted"
    text = drypowder("flags", *SIMULATED, "--config", "model.toml")
    assert "votes for" not in text.out, "the labels decide, and no vote"
    assert "own rule" not in text.out, "the labels decide, and no flag"
    assert "(leverage)" not in text.out, "as if the other signals voted"
    assert "No flag votes, because the regime comes from the model labels." in text.out


def test_a_file_without_a_strategy_is_enough_for_flags(drypowder: Drypowder) -> None:
    Path("model.toml").write_text(MODEL.partition("\n")[2] + "[params]\nvolatility = 0.3\n")
    found = said(drypowder, "flags", *SIMULATED, "--config", "model.toml")
    assert found["regime_model"] == "labels"


def test_a_wait_for_confirmation_has_the_length_of_the_parameter(drypowder: Drypowder) -> None:
    given = (*SIMULATED, "--at", "2023-12-04", "--param", "regime.confirm=20")
    pending = said(drypowder, "flags", *given)["pending"]
    assert (pending["sessions"], pending["needed"]) == (6, 20)
    assert "6 of 20 sessions" in said(drypowder, "today", *given)["reason"]


def test_the_history_ends_where_the_file_says(drypowder: Drypowder) -> None:
    Path("end.toml").write_text('end = 2023-06-30\nsource = "simulated"\n')
    for command in ("flags", "today"):
        assert said(drypowder, command, "--config", "end.toml")["as_of"] == "2023-06-30"


def test_today_takes_strategy_schedule_and_signals_from_the_file(drypowder: Drypowder) -> None:
    found = said(drypowder, "today", "--config", "k.toml", "--at", "2024-06-26")
    assert found["strategy"] == "near-cash-flow"
    assert found["next_decision_date"] == "2024-06-28"
    flags = said(drypowder, "flags", "--config", "k.toml", "--at", "2024-06-26")
    for key in ("regime", "since", "decided_by", "pending", "regime_model", "scales"):
        assert found[key] == flags[key]
    monthly = said(drypowder, "today", *SIMULATED, "--at", "2024-06-03")
    assert (monthly["is_decision_day"], monthly["next_decision_date"]) == (False, "2024-06-28")


def test_an_argument_overrides_the_strategy_of_the_file(drypowder: Drypowder) -> None:
    found = said(drypowder, "today", "defensive", *SIMULATED, "--config", "model.toml")
    assert (found["strategy"], found["regime"]) == ("defensive@labels", "ABSORPTION")


@pytest.mark.parametrize(
    ("name", "check", "param"),
    [
        ("near-cash-flow", "state", "regime.confirm=60"),
        ("funding", "flag", "funding.enter=90"),
    ],
)
@pytest.mark.usefixtures("without_look_ahead")
def test_check_takes_parameters(drypowder: Drypowder, name: str, check: str, param: str) -> None:
    given = ("check", name, *SIMULATED)
    found = [
        next(c["said"] for c in said(drypowder, *given, *more)["checks"] if c["check"] == check)
        for more in ((), ("--param", param))
    ]
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("flags", "--param", "volatility=0.2"), "expected a parameter of a signal or"),
        (("flags", "--param", "costs.etf_bp=2"), "was 'costs.etf_bp'; remove 'costs.etf_bp'"),
        (("flags", "--param", "lag=2"), "was 'lag'; remove 'lag'"),
        (("flags", "--param", "dry_powder.kk=2"), "did you mean 'k'?"),
        (("flags", "--param", "foo.bar=1"), "policy, regime, schedule"),
        (("run", "spy", "--param", "cost.etf_bp=2"), "did you mean 'costs'?"),
        *(
            ((command, "cash-heavy", option, "k=1"), "lag; with a prefix: dry_powder.k")
            for command, option in (("run", "--param"), ("compare", "--param"), ("sweep", "--set"))
        ),
        (("run", "cash-heavy", "--param", "lagg=2"), "did you mean 'lag'? known: band, broad, lag"),
        (("flags", "--param", "dry_powder.k=9"), "parameter of dry_powder: k must be below 1"),
        (("flags", "--param", "regime.confirm=0"), "of regime model votes: confirm must be a"),
        (("flags", "--param", "dry_powder.k"), "expected --param NAME=VALUE"),
        (
            ("flags", "--param", "dry_powder.k=0.08", "--param", "dry_powder.k=0.1"),
            "expected --param dry_powder.k once, found it twice; keep one",
        ),
        *(
            (
                (command, "spy", "--lag", "3", "--param", "lag=2"),
                "expected either --lag or --param lag, found both; leave one out",
            )
            for command in ("run", "compare", "sweep")
        ),
        (("flags", "--config", "none.toml"), "expected a config file at none.toml"),
        (
            ("check", "dry_powder", "--param", "volatility=2"),
            "was 'volatility'; remove 'volatility'",
        ),
        (("check", "near-cash-flow", "--param", "volatility=9"), "volatility must be above 0"),
        (("check", "dry_powder", "--param", "k=2"), "was 'k'; write dry_powder.k"),
        (("today", "spy", "--param", "volatility=0.2"), "unknown parameter of spy 'volatility'"),
        (("today", "--param", "volatility={a=1}"), "was a TOML table, {a=1}; set each parameter"),
        (("today", "--param", "volatility=[1]"), "was [1]; give one value"),
        (("today", "--exit-code"), "expected a history from a store, but the history is SIMULATED"),
        (
            ("today", "--exit-code", "--at", "2024-01-03"),
            "--at is 2024-01-03; remove --at or --exit-code",
        ),
        (("brief", "--exit-code"), "expected a history from a store, but the history is SIMULATED"),
    ],
)
def test_bad_input_gets_one_line(
    arguments: tuple[str, ...], part: str, drypowder: Drypowder
) -> None:
    done = drypowder(*arguments, "--source", "simulated")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert part in done.err


def test_a_file_that_ends_the_history_cannot_say_what_flipped(
    drypowder: Drypowder,
) -> None:
    Path("end.toml").write_text("end = 2023-06-30\n")
    done = drypowder("today", "--store", "any.duckdb", "--config", "end.toml", "--exit-code")
    assert done.code == 2
    assert "but end in --config is 2023-06-30" in done.err


def test_the_brief_takes_only_the_history_of_a_file(drypowder: Drypowder) -> None:
    Path("end.toml").write_text(
        'strategy = "spy"\nlag = 2\nsource = "simulated"\nseed = 1\nend = 2023-06-30\n'
        "regime_model = 'votes'\n[signals.dry_powder]\nk = 0.09\n"
    )
    by_file = said(drypowder, "brief", "--config", "end.toml", "--out", "brief.html")
    assert by_file["as_of"] == "2023-06-30"
    given = (*SIMULATED, "--at", "2023-06-30", "--out", "brief.html")
    assert by_file == said(drypowder, "brief", *given)


@pytest.mark.parametrize("file", ["k.toml", "model.toml"])
def test_a_file_with_other_signals_or_another_regime_model_is_refused_by_the_brief(
    drypowder: Drypowder, file: str
) -> None:
    done = drypowder("brief", "--config", file)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "expected a file with the default signals and regime model in --config" in done.err


@pytest.mark.usefixtures("without_look_ahead")
@pytest.mark.parametrize(
    "arguments",
    [
        ("flags",),
        ("flags", "--why", "capex"),
        ("today",),
        ("check", "funding"),
        ("brief", "--out", "brief.html"),
    ],
    ids=" ".join,
)
def test_every_answer_about_a_history_begins_with_the_same_fields(
    arguments: tuple[str, ...], drypowder: Drypowder
) -> None:
    found = said(drypowder, *arguments, *SIMULATED)
    window = found["window"]
    assert list(found)[:5] == ["as_of", "source", "simulated", "window", "version"]
    assert found["as_of"] == window["end"] == "2024-12-31"
    assert (found["source"], found["simulated"]) == ("simulated", True)
    assert window["sessions"] > 1_000
    assert found["version"] == __version__
