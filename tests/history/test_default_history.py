"""The history of a notebook is the history of a command without options."""

from pathlib import Path

import pytest

from backtests import History, default_history
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


def test_a_named_store_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYPOWDER_STORE", str(tmp_path / "missing.duckdb"))
    with pytest.raises(DataError, match=r"missing\.duckdb"):
        default_history()
