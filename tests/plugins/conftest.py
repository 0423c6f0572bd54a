"""A short history, and a writer of a user's modules."""

import itertools
import sys
from pathlib import Path

import pytest

import signals
from backtests import pipeline, today
from backtests.config import RunConfig
from backtests.history.panel import History
from tests.plugins.texts import Write


@pytest.fixture(scope="module")
def short() -> History:
    return History.simulated(seed=0, years=5)


@pytest.fixture(scope="module")
def reading(short: History) -> signals.Reading:
    return signals.read(short.panel)


@pytest.fixture
def simulated(short: History, reading: signals.Reading, monkeypatch: pytest.MonkeyPatch) -> History:
    """Replace every simulated history by one short history, which registered signals read once."""
    read = pipeline.read

    def read_once(
        config: RunConfig, history: History, earlier: signals.Reading | None = None
    ) -> signals.Reading:
        default = config.regime_model == "votes" and not config.plugin_signals
        return reading if default else read(config, history, earlier)

    monkeypatch.setattr(History, "simulated", lambda *_, **__: short)
    monkeypatch.setattr(pipeline, "read", read_once)
    monkeypatch.setattr(today, "read", read_once)
    return short


_numbers = itertools.count()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a module into the working folder and returns its name.

    The function first replaces the given parts of the text. By default, the module has a new name.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def put(text: str, *replaced: tuple[str, str], name: str = "") -> str:
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        name = name or f"plugin_module_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return name

    return put
