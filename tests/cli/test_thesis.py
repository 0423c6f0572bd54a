"""drypowder thesis: the verdict, the scoreboard, the page, the JSON, and the ledger."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.thesis import trial
from backtests.thesis.claims import CLAIMS
from backtests.thesis.estimators import ESTIMATORS
from backtests.thesis.ledger import Seal, Verified
from backtests.thesis.links import LINKS
from backtests.thesis.sample import Sample
from backtests.thesis.trial import Trial, try_thesis
from signals.errors import DataError
from tests.commands import Drypowder, Said
from tests.thesis import factory

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace the trial by a made-up one; return the list of the arguments of each call."""
    asked: list[dict[str, Any]] = []

    def tried_by_hand(history: History, ledger: Path | None = None, **more: Any) -> Trial:
        more["progress"]("crypto-below-spy")
        asked.append({"end": history.panel.index[-1], "ledger": ledger})
        return factory.whole_trial()

    monkeypatch.setattr("backtests.thesis.trial.try_thesis", tried_by_hand)
    return asked


@pytest.fixture
def thesis(
    drypowder: Drypowder, briefly: None, tried: list[dict[str, Any]], tmp_path: Path
) -> Drypowder:
    def run(*more: object) -> Said:
        out = ("--out", tmp_path / "thesis.html")
        return drypowder("thesis", "--source", "simulated", *out, *more)

    return run


def test_thesis_prints_the_verdict_and_a_row_for_each_link(
    thesis: Drypowder, tmp_path: Path
) -> None:
    said = thesis()
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "2019-01-02 to 2024-12-31, source: SIMULATED"
    assert "the thesis is in doubt: of its 3 main claims, none is supported" in lines[1]
    assert lines[2].startswith("One cannot be sure: capital was absorbed in only 2 episodes")
    assert lines[3].split() == [
        *("link", "what", "it", "says", "verdict", "strength", "p", "power,", "%", "epi"),
        *("flag", "now"),
    ]
    rows = [line.split()[0] for line in lines[4 : 4 + len(LINKS)]]
    assert [row.rstrip("*") for row in rows] == list(LINKS)
    assert [row for row in rows if row.endswith("*")] == ["L8*", "L9*", "L13*"]
    assert re.search(r"L13\* .* contradicted +strong +0\.630 +75 +–", said.out)
    assert re.search(r"L5 .* supported +very strong +<0\.001 +34 +5 +cost_of_capital off", said.out)
    assert f"page: {tmp_path / 'thesis.html'}" in said.out
    assert (tmp_path / "thesis.html").read_text().startswith("<!DOCTYPE html>")


def test_json_has_an_envelope_and_every_claim(thesis: Drypowder) -> None:
    said = thesis("--json")
    numbers = json.loads(said.out)
    assert numbers["as_of"] == "2024-12-31"
    assert numbers["source"] == "simulated"
    assert set(numbers["window"]) == {"start", "end", "sessions"}
    assert [claim["name"] for claim in numbers["claims"]] == [claim.name for claim in CLAIMS]


def test_end_and_ledger_reach_the_trial(
    thesis: Drypowder, tried: list[dict[str, Any]], tmp_path: Path
) -> None:
    ledger = tmp_path / "claims.jsonl"
    assert thesis("--end", "2022-06-30", "--ledger", ledger).code == 0
    assert tried == [{"end": pd.Timestamp("2022-06-30"), "ledger": ledger}]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--out", "thesis.pdf"), "expected --out to be a folder or an .html file"),
        (("--end", "soon"), "end must be a date like 2025-10-06, was 'soon'"),
        (("--end", "2050-01-01"), "lies outside the history"),
        (("--source", "web"), "unknown source 'web'"),
        (("seal",), "expected the options of 'seal' after its name, but --source is given before"),
        (("verify",), "write: drypowder thesis verify --source"),
    ],
)
def test_bad_input_gets_one_line(thesis: Drypowder, options: tuple[str, ...], part: str) -> None:
    said = thesis(*options)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert part in said.err


def test_help_names_both_subcommands(drypowder: Drypowder) -> None:
    said = drypowder("thesis", "--help")
    assert said.code == 0
    assert "seal" in said.out
    assert "verify" in said.out


# --- The ledger --------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an empty store; reading it gives a simulated history, labelled as real."""
    real = replace(factory.sample().history, source="store")
    monkeypatch.setattr("backtests.history.panel.History.load", lambda *_: real)
    path = tmp_path / "s.duckdb"
    path.touch()
    return path


def test_seal_writes_beside_the_store_and_prints_the_hash(
    drypowder: Drypowder, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def seal(path: Path, sample: Sample) -> Seal:
        asked.append(path)
        return factory.seal()

    monkeypatch.setattr("backtests.thesis.ledger.seal", seal)
    said = drypowder("thesis", "seal", "--store", store)
    assert said.code == 0, said.err
    assert asked == [store.with_name("ledger.jsonl")]
    assert "sealed line 3 of" in said.out
    assert f"hash {factory.seal().hash}" in said.out
    sealed = json.loads(drypowder("thesis", "seal", "--store", store, "--json").out)
    assert sealed["number"] == 3


def test_verify_says_what_changed(
    drypowder: Drypowder, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Verified(seals=(factory.seal(),), changes=("claim crypto-leads: smallest was 0.2",))
    monkeypatch.setattr(
        "backtests.thesis.ledger.verify", lambda path, sample=None, published=None: found
    )
    said = drypowder("thesis", "verify", "--store", store)
    assert said.code == 0, said.err
    assert "the chain of 1 line is unbroken; the last line is from 2024-02-01" in said.out
    assert "claim crypto-leads: smallest was 0.2" in said.out
    as_json = json.loads(drypowder("thesis", "verify", "--store", store, "--json").out)
    assert as_json["changes"] == ["claim crypto-leads: smallest was 0.2"]
    assert as_json["seals"][0]["number"] == 3


def test_a_broken_ledger_is_refused_in_one_line(
    drypowder: Drypowder, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path, published: str | None = None) -> Verified:
        raise DataError(f"expected the sealed text in line 2 of {path}, but the text was edited")

    monkeypatch.setattr("backtests.thesis.ledger.verify", broken)
    said = drypowder("thesis", "verify", "--store", store)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "line 2" in said.err


def test_a_part_of_a_hash_is_refused_in_one_line(drypowder: Drypowder, store: Path) -> None:
    said = drypowder("thesis", "verify", "--store", store, "--published", "efef12")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "expected a published hash of 64 hexadecimal digits, but it is 'efef12'" in said.err


# --- The whole trial ---------------------------------------------------------------------------


@pytest.fixture
def estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace all estimates by made-up ones."""
    quick = dict.fromkeys(ESTIMATORS, lambda claim, sample: factory.estimate_of(claim))
    claims_tried = partial(trial.try_claims, estimators=quick)
    monkeypatch.setattr(trial, "try_claims", claims_tried)


@pytest.mark.usefixtures("estimated")
def test_a_part_that_the_history_cannot_give_is_missing_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("backtests.thesis.trial.compare_rivals", lambda sample: factory.rivals())
    steps: list[str] = []
    history = factory.sample().history

    def note(step: str, done: int | None = None, total: int | None = None) -> None:
        assert (done, total) == (len(steps), len(CLAIMS) + 12)
        steps.append(step)

    tried = try_thesis(history, tmp_path / "none.jsonl", progress=note)
    assert [verdict.claim for verdict in tried.verdicts] == list(CLAIMS)
    assert tried.rivals is not None
    assert tried.seal is None
    lacking = dict(tried.lacking)
    assert "run 'drypowder thesis seal'" in lacking["seal"]
    assert lacking["episodes"] == "the history contains no dated episode"
    assert "no session after 2026-02-06" in lacking["e-values"]
    assert steps == [
        *(claim.name for claim in CLAIMS),
        *("other k", "seal", "episodes", "filings", "releases", "events", "bond deals"),
        "policy surprises",
        *("single shares", "rivals", "e-values", "calibration"),
    ]


def test_a_broken_ledger_stops_the_trial_before_its_first_claim(tmp_path: Path) -> None:
    """The trial takes a minute, so the ledger is read before the trial."""
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text("edited\n")

    def note(step: str, done: int | None = None, total: int | None = None) -> None:
        pytest.fail(f"the trial began with {step}")

    with pytest.raises(DataError, match="line 1"):
        try_thesis(factory.sample().history, ledger, progress=note)


def test_a_wrong_option_of_a_subcommand_names_the_help_of_this_subcommand(
    drypowder: Drypowder,
) -> None:
    said = drypowder("thesis", "seal", "--source", "simulated")
    assert said.code == 2
    assert "(see 'drypowder thesis seal --help')" in said.err
