"""The check finds a strategy or signal that uses later data, and passes an honest one."""

import itertools
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import signals
from backtests import pipeline
from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.plugins.check import check_signal, check_strategy
from backtests.plugins.lookahead import default_dates, first_difference, truncation_faults
from signals import DryPowder
from signals.errors import SimulationError
from strategies import STRATEGIES
from tests.commands import Drypowder, failed, refused
from tests.plugins.texts import RETURN, SIGNAL, STRATEGY, Write

pytestmark = pytest.mark.usefixtures("evaluated_before")

SHARE = "share = 0.5 * (price > price.rolling(self.window).mean())"
LAST_ROW = "0.5 * (price > price.iloc[-1])"

CHEATS = [
    pytest.param("0.5 * (price.shift(-1) > price)", id="tomorrow's price"),
    pytest.param("0.5 * (price > price.mean())", id="whole-sample mean"),
    pytest.param(LAST_ROW, id="last row of the panel"),
    pytest.param("0.5 * (price > price.rolling(99, center=True).mean())", id="centred window"),
    pytest.param("price.where(price > price.cummax() * 0.95).bfill().notna() * 0.5", id="bfill"),
    pytest.param("0.5 * price.rank(pct=True).fillna(0)", id="rank over the whole"),
    pytest.param(
        "0.5 * (reading.regime.shift(-1).ffill() == 'NEUTRAL')", id="tomorrow's regime, filled"
    ),
    pytest.param("0.5 * (reading.scores['policy'].shift(-5).ffill() > 1)", id="next week's score"),
    pytest.param("pd.Series(np.linspace(0, 0.5, len(price)), price.index)", id="length of history"),
]


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_strategy_that_knows_the_future_is_caught(
    drypowder: Drypowder, write: Write, simulated: History, cheat: str
) -> None:
    name = write(STRATEGY, (SHARE, f"share = {cheat}"))
    said = drypowder("check", f"{name}:Mine", "--source", "simulated")
    failed(said, "mine: expected weights of SPY on 20", "not to depend on data after 20")
    assert "wrong  look-ahead" in said.out
    assert said.out.count("wrong") == 1


def test_an_honest_strategy_passes(drypowder: Drypowder, write: Write, simulated: History) -> None:
    options = ("--source", "simulated", "--start", "2022-01-03", "--json")
    said = drypowder("check", f"{write(STRATEGY)}:Mine", *options)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["kind"], told["ok"], told["source"]) == ("strategy", True, "simulated")
    names = [c["check"] for c in told["checks"]]
    assert "2022-01-03 to 2024-12-31" in told["checks"][5]["said"]
    assert names == [
        "assets", "weights", "limits", "unlisted", "state", "backtest", "look-ahead",
    ]  # fmt: skip


def test_a_state_that_knows_the_future_is_caught(
    drypowder: Drypowder, write: Write, simulated: History
) -> None:
    state = ('above = panel["SPY"] >', 'above = panel["SPY"].shift(-1).ffill() >')
    said = drypowder("check", f"{write(STRATEGY, state)}:Mine", "--source", "simulated")
    failed(said, "mine: expected state on 20")


def test_chance_is_told_from_foresight(
    drypowder: Drypowder, write: Write, simulated: History
) -> None:
    random = (SHARE, "share = np.random.default_rng().random(len(price)) / 2")
    said = drypowder("check", f"{write(STRATEGY, random)}:Mine", "--source", "simulated")
    failed(said, "weights of SPY", "to be the same when computed twice", "seed random numbers")


@pytest.mark.parametrize(
    ("replaced", "what"),
    [
        (('panel["VIXCLS"].rolling', 'panel["VIXCLS"].shift(-1).rolling'), "gauges of vix"),
        (("vix.expanding(60).mean()", "vix.mean()"), "score"),
        (
            ("turned(gauges,", "turned(gauges.shift(-9).ffill(),"),
            "flag",
        ),
        (('"VIXCLS"].rolling', '"VIXCLS"].bfill().rolling'), None),
    ],
)
def test_a_signal_that_knows_the_future_is_caught(
    drypowder: Drypowder,
    write: Write,
    simulated: History,
    replaced: tuple[str, str],
    what: str | None,
) -> None:
    said = drypowder("check", f"{write(SIGNAL, replaced)}:Fear", "--source", "simulated")
    if what is None:  # this history has no gap to fill backwards
        assert said.code == 0, said.err
    else:
        failed(said, "fear: expected", what, "not to depend on data after 20")


def test_filling_a_gap_backwards_is_caught_where_there_is_one(write: Write, short: History) -> None:
    filled = ('"VIXCLS"].rolling', '"VIXCLS"].bfill().rolling')
    path = f"{write(SIGNAL, filled)}:Fear"
    config = config_from({"strategy": "bills", "plugin_signals": {path: True}})
    holed = short.panel.copy()
    holed.loc[holed.index[700:704], "VIXCLS"] = np.nan
    signal = config.build_signals()["fear"]
    history = History(**{**vars(short), "panel": holed})
    fault = next(truncation_faults(signal, config, history))
    assert fault.cut == holed.index[703]
    assert fault.date == holed.index[700]


def test_another_future_shows_what_a_cut_hides(write: Write, short: History) -> None:
    """A strategy reads the next day's regime.

    If the regime stays the same after a cut of the history, the cut does not reveal the look-ahead,
    because the last value is filled forward. Replaced rows after the cut reveal it.
    """
    filled = (SHARE, "share = 0.5 * (reading.regime.shift(-1).ffill() == 'NEUTRAL')")
    config = config_from({"strategy": f"{write(STRATEGY, filled)}:Mine"})
    reading = pipeline.read(config, short)
    same = reading.regime.eq(reading.regime.shift(-1)) & reading.regime.notna()
    calm = [pd.Timestamp(day) for day in short.panel.index[same][100:-60:60]]
    faults = list(truncation_faults(config.build_strategy(), config, short, calm, reading))
    assert faults
    assert {fault.future for fault in faults} == {"another"}


@pytest.mark.parametrize(
    ("call", "cut", "where"),
    [
        (2, -1, "on the history up to"),
        (2, 900, "on the history up to"),
        (3, 900, "with other data after"),
    ],
)
def test_a_failure_is_told_with_the_history_that_brought_it(
    short: History, monkeypatch: pytest.MonkeyPatch, call: int, cut: int, where: str
) -> None:
    calls = itertools.count(1)
    evaluate = DryPowder.evaluate

    def failing(self: DryPowder, *given: Any) -> Any:
        if next(calls) == call:
            raise SimulationError("too little data")
        return evaluate(self, *given)

    monkeypatch.setattr(DryPowder, "evaluate", failing)
    day = pd.Timestamp(short.panel.index[cut])
    config = config_from({"strategy": "bills"})
    said = re.escape(f"too little data ({where} {day.date()})")
    with pytest.raises(SimulationError, match=said):
        list(truncation_faults(DryPowder(), config, short, [day]))


def test_a_strategy_is_held_to_the_future_of_plugin_signals_too(
    write: Write, short: History
) -> None:
    cheat = write(SIGNAL, ('panel["VIXCLS"].rolling', 'panel["VIXCLS"].shift(-1).rolling'))
    config = config_from({"strategy": "cash-heavy", "plugin_signals": {f"{cheat}:Fear": True}})
    fault = next(truncation_faults(config.build_strategy(), config, short))
    assert (fault.name, fault.what, fault.column) == ("fear", "gauges", "vix")


def test_an_honest_signal_passes(drypowder: Drypowder, write: Write, simulated: History) -> None:
    said = drypowder("check", f"{write(SIGNAL)}:Fear", "--source", "simulated")
    assert said.code == 0, said.err
    for name in ("inputs", "gauges", "score", "flag", "thresholds", "explain", "look-ahead"):
        assert f"ok     {name}" in said.out


def test_a_weight_without_a_price_is_caught(write: Write, short: History) -> None:
    config = config_from({"strategy": f"{write(STRATEGY)}:Mine"})
    panel = short.panel.copy()
    panel.loc[panel.index[800:820], "IEF"] = np.nan
    checks = check_strategy(config, History(**{**vars(short), "panel": panel}))
    wrong = [c for c in checks if not c.holds]
    assert [c.name for c in wrong] == ["unlisted"]
    assert f"IEF on {panel.index[800].date()}" in wrong[0].said


def test_what_cannot_be_asked_is_left_out(write: Write, short: History) -> None:
    broken = config_from({"strategy": f"{write(STRATEGY, (RETURN, 'return 1 / 0'))}:Mine"})
    assert [c.name for c in check_strategy(broken, short)] == ["assets", "weights"]
    config = config_from({"strategy": "bills"})
    without = History(**{**vars(short), "panel": short.panel.drop(columns="RRPONTSYD")})
    checks = check_signal(DryPowder(), config, without)
    assert [c.name for c in checks] == ["inputs"]
    assert "RRPONTSYD" in checks[0].said


@pytest.mark.parametrize("name", ["near-cash-flow@quantities", "bills", "dry_powder"])
def test_registered_names_are_checked_too(
    drypowder: Drypowder, simulated: History, name: str
) -> None:
    said = drypowder("check", name, "--source", "simulated")
    assert said.code == 0, said.err
    assert "ok     look-ahead" in said.out


@pytest.mark.parametrize(
    ("name", "part"),
    [("near-cashflow", "did you mean 'near-cash-flow'?"), ("dry-powder", "'dry_powder'")],
)
def test_a_mistyped_name_gets_the_nearest(drypowder: Drypowder, name: str, part: str) -> None:
    refused(drypowder("check", name), "unknown strategy or signal", part)


def test_every_registered_strategy_knows_no_future(
    short: History, reading: signals.Reading
) -> None:
    for name in STRATEGIES:
        config = config_from({"strategy": name})
        faults = truncation_faults(
            config.build_strategy(), config, short, [short.panel.index[900]], reading
        )
        assert list(faults) == []


def test_cuts_lie_at_the_end_of_gaps_and_at_changes(short: History) -> None:
    panel = short.panel.copy()
    panel.loc[panel.index[500:510], "RRPONTSYD"] = np.nan
    flag = pd.DataFrame({"": pd.Series(panel.index > panel.index[640], panel.index)})
    dates = default_dates(DryPowder(), {"flag": flag}, panel)
    assert dates[0] == panel.index[-1]
    assert {panel.index[509], panel.index[641]} <= set(dates)


def test_tables_differ_by_the_last_bit_and_by_missing_values() -> None:
    index = pd.bdate_range("2024-01-02", periods=4)
    one = pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0], "b": [0.1, 0.2, 0.3, 0.4]}, index=index)
    assert first_difference(one, one.copy()) is None
    by_a_bit = one.assign(b=[0.1, 0.2, np.nextafter(0.3, 1), 0.4])
    assert first_difference(one, by_a_bit) == (index[2], "b")
    assert first_difference(one, one.fillna(0)) == (index[1], "a")
    assert first_difference(one, one.drop(columns="b")) == (index[0], "b")
    assert first_difference(one, one.iloc[:3]) == (index[3], "a")
    words = pd.DataFrame({"": ["x", None, "y", "y"]}, index=index)
    assert first_difference(words, words.copy()) is None
    assert first_difference(words, words.fillna("z")) == (index[1], "")
