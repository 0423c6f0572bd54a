"""An answer of another form than weights, a state, or a flag gets one line of error."""

from pathlib import Path

import pytest

import signals
from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.plugins.load import load_signal
from strategies import decide
from tests.commands import Drypowder, failed, refused
from tests.plugins.texts import RETURN, SIGNAL, STRATEGY, Write

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.mark.parametrize(
    ("replaced", "parts"),
    [
        ((RETURN, "return 1 / 0"), ["mine: weights failed: ZeroDivisionError", ".py:3"]),
        (
            (RETURN, "return panel['NOPE']"),
            ["KeyError: 'NOPE'", "assets or reads must list every column"],
        ),
        ((RETURN, "return share"), ["expected weights as a DataFrame", "was Series"]),
        ((RETURN, "pass"), ["expected weights as a DataFrame", "was NoneType"]),
        (('"IEF": 0.1}', '"TLT": 0.1}'), ["expected a column for each asset of the strategy"]),
        (
            ("index=panel.index)", "index=panel.index).iloc[1:]"),
            ["expected a row for each session"],
        ),
        (
            ("index=panel.index)", "index=panel.index).tz_localize('UTC')"),
            ["was dates in the time zone UTC; remove it with .tz_localize(None)"],
        ),
        (
            ("index=panel.index)", "index=panel.index).iloc[[0, 0, *range(2, len(panel))]]"),
            ["expected a row for each session", "2020-01-02 twice; drop the duplicate"],
        ),
        (
            (
                RETURN,
                f"w = {RETURN.removeprefix('return ')}; return pd.concat({{'a': w}}, axis=1)",
            ),
            ["was a MultiIndex with 2 levels; give an index with one level"],
        ),
        (("index=panel.index)", "index=panel.index).astype(str) + 'x'"), ["weights as numbers"]),
        (('"IEF": 0.1}', '"IEF": 0.6}'), ["expected the sum of weights of at most 1, was 1.1 on"]),
        (('"IEF": 0.1}', '"IEF": -0.6}'), ["expected gross exposure of at most 1, was 1.1 on"]),
        (('"IEF": 0.1}', '"IEF": np.nan}'), ["expected a finite weight of IEF on"]),
        (('("SPY", "IEF")', '("SPY", "IEFF")'), ["expected prices of IEFF"]),
        (('return ("SPY", "IEF")', 'return "SPY"'), ["expected assets as a tuple", "was 'SPY'"]),
        (('return ("SPY", "IEF")', 'return ("SPY", "SPY")'), ["SPY twice; drop the duplicate"]),
        (('return ("SPY", "IEF")', "return self.tickers"), ["assets failed: AttributeError"]),
        (("above.map(", "above.mpa("), ["mine: state failed: AttributeError"]),
        ((".astype(object)", ".astype(object).tolist()"), ["state as a Series", "was list"]),
        ((".astype(object)", ".dropna().iloc[3:]"), ["rows for", "reindex it"]),
        (('{True: "above", False: "below"}', "{True: 1, False: 0}"), ["expected state as labels"]),
    ],
)
def test_an_answer_of_another_form_gets_one_line(
    drypowder: Drypowder,
    write: Write,
    simulated: History,
    replaced: tuple[str, str],
    parts: list[str],
) -> None:
    path = f"{write(STRATEGY, replaced)}:Mine"
    for how in ("run", "today", "check"):
        failed(drypowder(how, path, "--source", "simulated"), *parts)
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("replaced", "parts"),
    [
        (("def score", "def scores"), ["expected Fear to define score"]),
        (
            ('"vix": "points"', '"vix index": "points"'),
            ["expected `headline` to be one of the gauges"],
        ),
        (("def flag", "def evaluate"), ["expected evaluate only in the base class"]),
        (
            (
                "    enter: float = 25",
                '    parts: ClassVar[list[str]] = ["capex"]\n    enter: float = 25',
            ),
            ["expected parts as a mapping from names to signal classes, was ['capex']"],
        ),
        (
            (
                "    enter: float = 25",
                '    context = {"capex": ("growth",)}\n    enter: float = 25',
            ),
            ["context: unknown gauge of capex 'growth'", "known: firms, impulse, level, share"],
        ),
        (('"fear"', '"regime"'), ["a name that drypowder does not use, was 'regime'; give"]),
        (
            ('"fear"', '"capex_score"'),
            ["a name without _score at its end, was 'capex_score'; give"],
        ),
        (('"fear"', '"own_score"'), ["a name without _score at its end, was 'own_score'; give"]),
        (('"fear"', '"capex"'), ["a signal 'capex' already exists; rename your signal"]),
        (("def score(self, gauges)", "def score(self)"), ["expected score(self, gauges), was"]),
        (('("VIXCLS",)', '"VIXCLS"'), ["expected inputs as a tuple of ids"]),
        (("return turned(", "return float("), ["fear: flag failed: TypeError"]),
        (
            ("return turned(", "return 20 < max("),
            ["fear: flag failed"],
        ),
        (
            ("self.confirm)", "self.confirm).astype(float)"),
            ["expected flag as pandas boolean, NA where data are missing, was of type"],
        ),
        (
            ("rolling(5).mean()})", "rolling(5).mean()}).tz_localize('UTC')"),
            ["was dates in the time zone UTC; remove it with .tz_localize(None)"],
        ),
        (("return (vix - ", "return vix.dropna() if vix.any() else (vix - "), ["rows for"]),
        (('panel["VIXCLS"]', 'panel["VIX"]'), ["KeyError: 'VIX'", "inputs must list every column"]),
    ],
)
def test_a_wrong_signal_gets_one_line(
    drypowder: Drypowder,
    write: Write,
    simulated: History,
    replaced: tuple[str, str],
    parts: list[str],
) -> None:
    name = write(SIGNAL, replaced)
    Path("my.toml").write_text(
        f'strategy = "cash-heavy"\nsource = "simulated"\n[plugin_signals]\n"{name}:Fear" = true\n'
    )
    refused(drypowder("run", "--config", "my.toml"), *parts)


def test_writing_into_the_panel_harms_nobody_else(write: Write, short: History) -> None:
    line = ('price = panel["SPY"]', 'price = panel["SPY"]\n        panel["SPY"] = 1.0')
    before = short.digest()
    config = config_from({"strategy": f"{write(STRATEGY, line)}:Mine"})
    strategy, reading = config.build_strategy(), signals.read(short.panel)
    decide(strategy, reading, short.panel)
    assert short.digest() == before
    in_place = ("return pd.DataFrame", "panel.loc[:, 'VIXCLS'] = 0.0\n        return pd.DataFrame")
    load_signal(f"{write(SIGNAL, in_place)}:Fear")().evaluate(short.panel)
    assert short.digest() == before
