"""The check of a signal refuses a signal without a view, and a signal with unlisted inputs."""

from dataclasses import replace

import numpy as np
import pytest

from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.plugins.check import Check, check_signal
from backtests.plugins.load import load_signal
from signals import SIGNALS
from tests.plugins.texts import SIGNAL, Write

CONFIG = config_from({"strategy": "bills"})
GAUGE = 'pd.DataFrame({"vix": panel["VIXCLS"].rolling(5).mean()})'


def checks(name: str, history: History) -> dict[str, Check]:
    signal = load_signal(f"{name}:Fear")()
    return {check.name: check for check in check_signal(signal, CONFIG, history)}


def test_a_signal_without_a_view_is_refused(write: Write, short: History) -> None:
    shifted = f"{GAUGE}.shift(freq='5h').reindex(panel.index)"
    found = checks(write(SIGNAL, (GAUGE, shifted)), short)
    for what in ("score", "flag"):
        assert not found[what].holds
        assert f"fear: expected a {what} at one session or more, was missing" in found[what].said
        assert "such as times of day or a time zone" in found[what].said


def test_inputs_without_a_value_are_named(write: Write, short: History) -> None:
    empty = replace(short, panel=short.panel.assign(VIXCLS=np.nan))
    found = checks(write(SIGNAL), empty)
    assert not found["score"].holds
    assert "the history has no value of VIXCLS; import or fetch" in found["score"].said


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ('panel["DGS10"]', "; inputs must list every column that your code reads"),
        ('panel.get("DGS10", 0.0)', "a panel with only the inputs, was another vix on 20"),
    ],
)
def test_a_series_outside_the_inputs_is_refused(
    write: Write, short: History, read: str, said: str
) -> None:
    gauge = GAUGE.replace('panel["VIXCLS"]', f'(panel["VIXCLS"] + {read})')
    found = checks(write(SIGNAL, (GAUGE, gauge)), short)
    assert not found["gauges"].holds
    assert said in found["gauges"].said


@pytest.mark.parametrize("name", SIGNALS)
def test_registered_signals_read_only_their_inputs(name: str, short: History) -> None:
    found = check_signal(SIGNALS[name].signal(), CONFIG, short.until("2021-12-31"))
    assert next(check for check in found if check.name == "gauges").holds
