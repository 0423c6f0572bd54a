"""The example recomputes three verdicts by hand, on simulated and on real history."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "three_verdicts.py"


def ran(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *arguments])
    runpy.run_path(str(EXAMPLE), run_name="__main__")


def test_by_hand_equals_the_trial_on_a_simulated_economy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(monkeypatch)
    said = capsys.readouterr().out
    assert "SIMULATED" in said
    assert len(said.splitlines()) == 8


def test_by_hand_equals_the_trial_on_real_history(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran(monkeypatch, "--store", str(store))
    assert "SIMULATED" not in capsys.readouterr().out


def test_a_wrong_number_ends_the_example_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from backtests.thesis import parts

    monkeypatch.setattr(parts, "clustered", lambda *groups: (1.0, 2.0))
    with pytest.raises(SystemExit, match="expected equal numbers"):
        ran(monkeypatch)
