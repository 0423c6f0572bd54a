"""A run's configuration opens the history of the run again, whatever the user's configuration."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import signals
from backtests.config_data import config_from
from backtests.evidence.compare_runs import compare_runs
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.thesis.claims import CLAIMS
from backtests.thesis.trial import try_claims
from backtests.today import make_plan
from signals import DryPowder
from signals.errors import ConfigError
from strategies import Spy

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.fixture(scope="module")
def simulated() -> History:
    return History.simulated(seed=4, years=6, thesis=False)


@pytest.mark.parametrize(
    "given", [{}, {"source": "simulated", "seed": 1}, {"store": "none.duckdb"}]
)
def test_a_simulated_run_names_its_economy(simulated: History, given: dict[str, Any]) -> None:
    config = run(config_from({"strategy": "spy", "start": "2022-01-03", **given}), simulated).config
    assert (config.source, config.store) == ("simulated", None)
    assert (config.seed, config.years, config.thesis) == (4, 6, False)
    again = run(config)
    assert again.history.digest() == simulated.until("2024-12-31").digest()


def test_a_run_names_the_store_of_its_history(store: Path, tmp_path: Path) -> None:
    other = shutil.copy(store, tmp_path / "other.duckdb")
    given = {"strategy": "spy", "start": "2024-01-03", "source": "simulated", "seed": 3}
    config = run(config_from(given), History.load(other, ["SPY"])).config
    assert (config.source, config.store, config.seed) == ("store", Path(other), 0)


def test_the_users_words_for_the_same_store_stay(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(store, tmp_path / "mine.duckdb")
    monkeypatch.chdir(tmp_path)
    config = config_from({"strategy": "spy", "start": "2024-01-03", "store": "mine.duckdb"})
    assert run(config).config.store == Path("mine.duckdb")


# --- Arguments of a wrong type -----------------------------------------------------------------


SPY = config_from({"strategy": "spy"})
#: The functions without their types, so that a test can pass arguments of a wrong type.
ANY: Any = SimpleNamespace(
    read=signals.read,
    run=run,
    config=config_from,
    compare=compare_runs,
    claims=try_claims,
    plan=make_plan,
)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda h: ANY.read(h), "expected a panel as a DataFrame, was .*give history.panel"),
        (lambda h: ANY.run(SPY, h.panel), "expected a History, was"),
        (lambda h: ANY.plan("spy", h), "expected a RunConfig, was 'spy'"),
        (lambda h: ANY.config("spy"), "expected a mapping of config keys, was 'spy'"),
        (lambda h: ANY.compare(ANY.run(SPY, h)), "expected several runs, was one run; pass"),
        (lambda h: ANY.config({"strategy": Spy()}), r"the class Spy, was the object .*key params"),
        (
            lambda h: ANY.config({"strategy": "spy", "plugin_signals": {DryPowder(): True}}),
            r"the class DryPowder, was the object .*the key signals",
        ),
        (
            lambda h: ANY.config({"strategy": "spy", "plugin_signals": [DryPowder]}),
            r"plugin_signals: expected a mapping, .*write it like {YourSignal: True}",
        ),
        (lambda h: ANY.claims(h, CLAIMS[0]), "expected a list of claims, was .*pass a list"),
        (lambda h: ANY.claims(h, ["crypto-below-spy"]), "expected a list of claims, was 'crypto"),
        (lambda h: ANY.claims(h, []), r"expected a list of claims, was \[\]"),
    ],
)
def test_a_wrong_argument_gets_one_line(simulated: History, call: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        call(simulated)
    assert "\n" not in str(caught.value)
