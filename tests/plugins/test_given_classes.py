"""A run takes a user's class itself, such as a class that a notebook defines."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import pytest

from backtests import History, Run, assess, compare_runs, config_from, run
from signals import Reading, ScoreSignal
from signals.errors import ConfigError
from signals.transforms import zscore
from strategies import NearCashFlow, Strategy


def rise_over(sessions: int) -> type[ScoreSignal]:
    """Return a class that cannot be imported by name.

    Classes for different ``sessions`` differ only in their code.
    """

    @dataclass(frozen=True, kw_only=True)
    class Rise(ScoreSignal):
        name: ClassVar[str] = "rise"
        link: ClassVar[str] = "L4"
        headline: ClassVar[str] = "rise"
        units: ClassVar[dict[str, str]] = {"rise": "points", "score": "σ"}
        inputs: ClassVar[tuple[str, ...]] = ("DGS10",)

        def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
            rise = panel["DGS10"].diff(sessions)
            return pd.DataFrame({"rise": rise, "score": zscore(rise)})

    return Rise


@dataclass(frozen=True, kw_only=True)
class Half(Strategy):
    """A share of SPY at all times."""

    name: ClassVar[str] = "half"
    description: ClassVar[str] = "a share of SPY at all times"

    share: float = 0.5

    @property
    def assets(self) -> tuple[str, ...]:
        return ("SPY",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"SPY": self.share * panel["SPY"].notna()})


CASH = {"strategy": "cash-heavy", "start": "2022-01-03"}
#: Stands for a function or a number of another cell, which a user can change.
SIGN = {"of": 1.0}


@dataclass(frozen=True, kw_only=True)
class Turned(ScoreSignal):
    """The yield, times a sign from outside the class."""

    name: ClassVar[str] = "turned"
    link: ClassVar[str] = "L4"
    headline: ClassVar[str] = "level"
    units: ClassVar[dict[str, str]] = {"level": "%", "score": "σ"}
    inputs: ClassVar[tuple[str, ...]] = ("DGS10",)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        level = panel["DGS10"]
        return pd.DataFrame({"level": level, "score": SIGN["of"] * zscore(level)})


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


def test_a_strategy_is_given_as_a_class(history: History) -> None:
    config = config_from({"strategy": Half, "params": {"share": 0.3}, "start": "2022-01-03"})
    finished = run(config, history)
    assert finished.label == "half"
    assert finished.decided["SPY"].eq(0.3).all()
    assert config.strategy == f"{__name__}:Half"


def test_a_signal_is_given_as_a_class_and_votes(history: History) -> None:
    terms = {"strategy": "cash-heavy", "start": "2022-01-03"}
    config = config_from({**terms, "plugin_signals": {rise_over(63): True}})
    finished = run(config, history)
    assert "rise" in finished.reading.votes
    expected = history.panel["DGS10"].diff(63)
    gauge = finished.reading.evaluations["rise"].gauges["rise"]
    pd.testing.assert_series_equal(gauge, expected, check_names=False)


def test_a_redefined_class_replaces_the_earlier_one(history: History) -> None:
    for sessions in (63, 21):
        given = {rise_over(sessions): False}
        config = config_from({"strategy": "bills", "plugin_signals": given})
        rise = config.build_signals()["rise"].evaluate(history.panel).gauges["rise"]
        assert rise.first_valid_index() == history.panel["DGS10"].dropna().index[sessions]


def test_the_run_id_depends_on_the_code_of_the_class() -> None:
    configs = []
    for body in ("panel['SPY']", "panel['QQQ']"):
        names = {"Strategy": Strategy, "dataclass": dataclass, "ClassVar": ClassVar}
        configs.append(config_from({"strategy": noted(body, names)}).identity())
    assert configs[0] != configs[1]


def test_the_run_id_depends_on_a_class_without_source() -> None:
    """A class that Python reads from a pipe has no source, so its compiled code counts."""
    import linecache

    found = []
    for body in ("panel['SPY']", "panel['QQQ']", "panel['SPY']"):
        names = {"Strategy": Strategy, "dataclass": dataclass, "ClassVar": ClassVar}
        made = noted(body, names)
        linecache.cache.clear()
        found.append(config_from({"strategy": made}).identity())
    assert found[0] == found[2]
    assert found[0] != found[1]


def run_of(body: str, history: History) -> Run:
    names: dict[str, object] = {
        "Strategy": Strategy,
        "dataclass": dataclass,
        "ClassVar": ClassVar,
    }
    terms = {"strategy": noted(body, names), "start": "2022-01-03"}
    return run(config_from(terms), history)


def test_a_run_keeps_its_id_after_its_class_is_defined_again(history: History) -> None:
    half = run_of("0.5 * panel['SPY'].notna()", history)
    most = run_of("0.9 * panel['SPY'].notna()", history)
    assert half.run_id != most.run_id
    assert half.run_id == run_of("0.5 * panel['SPY'].notna()", history).run_id


def test_a_run_of_an_earlier_class_keeps_its_numbers(history: History) -> None:
    half = run_of("0.5 * panel['SPY'].notna()", history)
    run_of("0.9 * panel['SPY'].notna()", history)
    checked = assess(half).robustness
    assert checked is not None
    exposure = checked.by_choice["exposure"].drop("asset left out", level="choice")
    assert exposure.between(0.45, 0.55).all()
    with pytest.raises(ConfigError, match=r"expected run 1 to use the current class of .*:Noted"):
        compare_runs([half])


def test_a_run_with_an_earlier_signal_is_not_assessed(history: History) -> None:
    runs = [
        run(config_from({**CASH, "plugin_signals": {rise_over(sessions): True}}), history)
        for sessions in (63, 21)
    ]
    with pytest.raises(ConfigError, match=r"current class of .*Rise, but the class was defined"):
        assess(runs[0], robustness=False)
    assert assess(runs[1], robustness=False).run is runs[1]


def test_a_changed_function_that_an_own_signal_calls_is_used(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook can define a function again without the class that calls it."""
    config = config_from({**CASH, "plugin_signals": {Turned: True}})
    first = run(config, history)
    monkeypatch.setitem(SIGN, "of", -1.0)
    again, alone = run(config, history, earlier=first.reading), run(config, history)
    pd.testing.assert_series_equal(again.reading.flags["turned"], alone.reading.flags["turned"])
    assert not again.reading.flags["turned"].equals(first.reading.flags["turned"])
    pd.testing.assert_series_equal(again.result.equity, alone.result.equity)


def noted(body: str, names: dict[str, object]) -> type[Strategy]:
    """Return a class as in a notebook: its source is known, but no module contains it."""
    import linecache

    source = (
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Noted(Strategy):\n"
        "    name: ClassVar[str] = 'noted'\n"
        "    description: ClassVar[str] = 'noted'\n"
        "    assets = property(lambda self: ('SPY',))\n"
        "    def weights(self, reading, panel):\n"
        f"        return {body}.to_frame('SPY')\n"
    )
    file = f"<cell {body}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    names["__name__"] = "notebook_without_a_module"
    exec(compile(source, file, "exec"), names)
    made: type[Strategy] = names["Noted"]  # type: ignore[assignment]
    return made


def test_a_class_that_breaks_the_contract_gives_one_line() -> None:
    class Plain(Half):
        name: ClassVar[str] = "plain-class"

    with pytest.raises(ConfigError, match=r"expected a dataclass, was a plain class"):
        config_from({"strategy": Plain})
    with pytest.raises(ConfigError, match=r"was a class of drypowder; use the name"):
        config_from({"strategy": NearCashFlow})
