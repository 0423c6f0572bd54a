"""The history of a notebook is the history of a command without options."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from backtests import History, config_from, default_history, run
from backtests.history import origin
from signals.errors import DataError


@pytest.fixture(autouse=True)
def no_user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRYPOWDER_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def test_without_a_store_it_is_simulated() -> None:
    history = default_history()
    assert history.source == "simulated"
    assert history.digest() == History.simulated().digest()


def test_the_environment_names_the_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYPOWDER_STORE", str(store))
    assert default_history() is History.load(store, None)


def test_a_run_without_a_history_reads_the_default_history(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved configuration names the store, so that the run can be repeated without it."""
    config = config_from({"strategy": "spy", "start": "2024-01-03"})
    assert run(config).history.source == "simulated"
    monkeypatch.setenv("DRYPOWDER_STORE", str(store))
    finished = run(config)
    assert (finished.history.source, finished.config.store) == ("store", store)


def test_a_source_in_the_configuration_comes_before_the_environment(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYPOWDER_STORE", str(store))
    simulated = {"strategy": "spy", "start": "2024-01-03", "source": "simulated"}
    assert run(config_from(simulated)).history.source == "simulated"


def test_a_named_store_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYPOWDER_STORE", str(tmp_path / "missing.duckdb"))
    with pytest.raises(DataError, match=r"missing\.duckdb"):
        default_history()
    with pytest.raises(DataError, match=r"missing\.duckdb"):
        run(config_from({"strategy": "spy"}))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2025-01-07 23:59", None),
        (
            "2025-01-08 09:00",
            "the history ends on 2024-12-31, 8 days ago; import newer data",
        ),
    ],
)
def test_a_real_history_is_old_after_more_than_seven_calendar_days(
    now: str, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last session is 2024-12-31. Weekends and holidays count as days."""
    monkeypatch.setattr(origin, "new_york_now", lambda: pd.Timestamp(now))
    simulated = History.simulated(0, 6)
    assert origin.stale_warning(replace(simulated, source="store")) == said
    assert origin.stale_warning(simulated) is None


def test_until_cuts_each_part_of_a_history() -> None:
    simulated = History.simulated(0, 6)
    withheld = pd.DataFrame({"GDP": False}, index=simulated.panel.index)
    day = pd.Timestamp("2022-06-30")
    cut = replace(simulated, withheld=withheld).until(day)
    assert cut.truth is not None
    for part in (cut.panel, cut.known, cut.closes, cut.truth, cut.withheld):
        assert part.index[-1] == day
    ends = [values.index[-1] for values in cut.events.values() if len(values)]
    assert ends
    assert max(ends) <= day
