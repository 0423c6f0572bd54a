"""Compare every signal and the vote on the regime with a twin.

A twin is a set of plain loops, written from the definitions.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.history.panel import History
from signals.absorption import Absorption
from signals.base import Evaluation
from signals.dry_powder import DryPowder
from signals.evaluations import inputs_of
from signals.reading import Reading
from signals.regimes import Regime, Votes
from tests.readings import evaluation_of, plainly
from tests.reference import columns, naive

#: Relative and absolute tolerance. Values near zero, such as a score of 0.001, need the absolute
#: one, because the subtraction of the mean loses their last digits.
RELATIVE, ABSOLUTE = 1e-10, 1e-12


def column(x: pd.Series) -> columns.Column:
    return [None if v != v else v for v in x.astype("float64").tolist()]


class Plain(columns.Panel):
    """The columns of a panel in the form for twins, and its dates as numbers such as 20240102.0.

    A twin reads a few of 235 columns, so a column is converted when a twin first asks for it.
    """

    def __init__(self, panel: pd.DataFrame) -> None:
        self._panel = panel

    def __missing__(self, id: str) -> columns.Column:
        days = (float(f"{day:%Y%m%d}") for day in self._panel.index)
        self[id] = list(days) if id == "session" else column(self._panel[id])
        return self[id]


def flags_of(x: pd.Series) -> columns.Flag:
    return [None if pd.isna(v) else bool(v) for v in x]


def assert_same(name: str, fast: pd.Series, slow: Sequence[float | str | None]) -> None:
    """Compare a column with its twin: values at the same sessions, equal within the tolerance."""
    assert fast.isna().tolist() == [v is None for v in slow], name
    for at, (a, b) in enumerate(zip(fast.tolist(), slow, strict=True)):
        if b is None or isinstance(b, str):
            same = b is None or a == b
        else:
            same = math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        assert same, f"{name} {fast.index[at].date()}: {a!r}, by the twin {b!r}"


def twin_of(name: str, panel: pd.DataFrame) -> tuple[columns.Gauges, columns.Flag]:
    """Compare a signal with its twin at every session; return the twin's gauges and flag."""
    assert name in naive.TWINS, f"add a twin of {name} to TWINS of tests/reference/naive.py"
    said = signals.evaluate(panel, signals.default_signals())[name]
    return assert_twin(name, said, naive.TWINS[name](Plain(panel)))


def assert_twin(
    name: str, said: Evaluation, twin: tuple[columns.Gauges, columns.Column, columns.Flag]
) -> tuple[columns.Gauges, columns.Flag]:
    """Compare gauges, score and flag with those of a twin; return the twin's gauges and flag."""
    gauges, score, flag = twin
    assert set(said.gauges) == set(gauges)
    for gauge, slow in gauges.items():
        assert_same(f"{name}.{gauge}", said.gauges[gauge], slow)
    assert_same(f"{name} score", said.score, score)
    assert flags_of(said.flag) == flag
    return gauges, flag


#: Signals whose flags are never on in history to 2025.
NEVER_ON = ("convexity", "outside_capital")


@pytest.mark.parametrize("name", [name for name in signals.SIGNALS if name not in NEVER_ON])
def test_signal_equals_its_twin_at_every_session(name: str, history: History) -> None:
    _, flag = twin_of(name, history.panel)
    assert True in flag, f"{name} never flags on history, so its flag is not tested here"
    assert False in flag


def test_convexity_is_not_identified_on_history(history: History) -> None:
    gauges, flag = twin_of("convexity", history.panel)
    assert set(flag) == set(gauges["kink"]) == {None}
    assert gauges["excursions"][-1] == 2


def test_the_firms_never_spend_more_than_they_earn_on_history(history: History) -> None:
    gauges, flag = twin_of("outside_capital", history.panel)
    assert set(flag) == {None, False}
    assert max(gap for gap in gauges["gap"] if isinstance(gap, float)) < 0


@pytest.mark.parametrize("name", ["dry_powder", "absorption"])
def test_signal_equals_its_twin_without_k(name: str, history: History) -> None:
    chosen = {"dry_powder": DryPowder(scale="bank_assets"), "absorption": Absorption()}
    said = signals.evaluate(history.panel, chosen)[name]
    twin = naive.dry_powder if name == "dry_powder" else naive.absorption
    _, flag = assert_twin(name, said, twin(Plain(history.panel), scale="bank_assets"))
    assert {True, False} < set(flag)


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    """Return the panel of a simulated history in which every flag is on at some session."""
    return History.simulated(seed=4).panel


@pytest.mark.parametrize("name", signals.SIGNALS)
def test_signal_equals_its_twin_on_a_simulated_history(name: str, simulated: pd.DataFrame) -> None:
    _, flag = twin_of(name, simulated)
    assert True in flag
    assert False in flag


@pytest.fixture(scope="module")
def torn(simulated: pd.DataFrame) -> pd.DataFrame:
    """Return the last ten years with gaps: spans of about three weeks in each column, one in all.

    All columns lack the rows 2200 to 2214.
    """
    panel = simulated.iloc[-2520:].copy()
    rng = np.random.default_rng(20240102)
    for at in range(panel.shape[1]):
        for start in rng.integers(len(panel), size=3):
            panel.iloc[start : start + rng.geometric(1 / 15), at] = np.nan
    panel.iloc[2200:2215] = np.nan
    return panel


@pytest.mark.parametrize("name", signals.SIGNALS)
def test_signal_equals_its_twin_where_values_are_missing(name: str, torn: pd.DataFrame) -> None:
    _, flag = twin_of(name, torn)
    assert set(flag[2200:2215]) == {None}
    assert {*flag[:2200], *flag[2215:]} > {None}, f"{name} has no view at all"


def test_breakouts_older_than_the_history_take_no_time(simulated: pd.DataFrame) -> None:
    short = simulated.iloc[-300:]
    old, older = (signals.FadingMomentum(latest=n).evaluate(short) for n in (300, 2**31 - 1))
    pd.testing.assert_frame_equal(old.gauges, older.gauges)


def test_injecting_equals_its_twin(history: History) -> None:
    panel = {id: column(history.panel[id]) for id in inputs_of(Absorption(), {})}
    flag = naive.injecting(panel)
    assert flags_of(injecting_on(history.panel)) == flag
    assert True in flag
    assert False in flag


def injecting_on(panel: pd.DataFrame) -> pd.Series:
    injecting = Absorption().evaluate(panel).injecting
    assert injecting is not None
    return injecting


def test_regime_equals_its_twin_on_history(history: History) -> None:
    reading = signals.read(history.panel)
    flags = {name: flags_of(reading.flags[name]) for name in reading.flags.columns}
    voters = tuple(name for name, entry in signals.SIGNALS.items() if entry.votes)
    injects = flags_of(injecting_on(history.panel))
    raw = naive.raw_regime(flags, injects, voters, 5)
    assert list(reading.votes) == list(voters)
    assert reading.rule.tolist() == naive.raw_rule(flags, injects, voters, 5)
    decided = plainly(reading.decided_by)
    assert decided == naive.decided_by(naive.confirmed(raw), reading.rule.tolist())
    assert {"forced_selling", "absorption", "half of the votes", "none"} < set(decided)
    assert plainly(reading.regime) == naive.confirmed(raw)


# --- the vote, on random flags --------------------------------------------------------------


@pytest.mark.parametrize("min_views", [1, 3])
@pytest.mark.parametrize("confirm", [1, 4])
def test_regime_equals_its_twin_on_random_flags(min_views: int, confirm: int) -> None:
    rng = np.random.default_rng(20240102)
    voters = ("first", "second", "third", "fourth")
    others = ("absorption", "forced_selling", "opportunity", "injecting")
    index = pd.bdate_range("2000-01-03", periods=3000)
    panel = pd.DataFrame(
        {name: persistent(rng, len(index)) for name in (*voters, *others)}, index=index
    )
    evaluations = {
        name: evaluation_of(
            panel[name].astype("boolean"),
            index,
            injecting=panel["injecting"].astype("boolean") if name == "absorption" else None,
        )
        for name in panel.columns
        if name != "injecting"
    }
    model = Votes(voters=voters, min_views=min_views, confirm=confirm)
    reading = Reading(
        **vars(model.classify(panel, evaluations)), evaluations=evaluations, voters=voters
    )
    flags = {name: flags_of(panel[name]) for name in panel.columns if name != "injecting"}
    injects = flags_of(panel["injecting"])
    raw = naive.raw_regime(flags, injects, voters, min_views)
    found = plainly(reading.regime)
    assert found == naive.confirmed(raw, confirm)
    rule = naive.raw_rule(flags, injects, voters, min_views)
    assert reading.rule.tolist() == rule
    decided = plainly(reading.decided_by)
    assert decided == naive.decided_by(found, rule)
    assert set(decided) == {None, *naive.REGIME_OF} - {"too few views"}
    assert set(found) == {None, *(r.value for r in Regime)}


def persistent(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return flags that keep a state (off, on or NA) for about eight sessions."""
    states = rng.choice([0.0, 1.0, np.nan], size=n, p=[0.6, 0.2, 0.2])
    return np.repeat(states, rng.geometric(1 / 8, size=n))[:n]


def test_the_twins_z_score_with_running_sums_is_the_one_of_the_definition() -> None:
    rng = np.random.default_rng(20240102)
    x = [None if v < -1 else v for v in rng.normal(size=400)]
    x[100:140] = [0.1] * 40
    scores = columns.zscore(x, window=30, minimum=20)
    for i, (value, z) in enumerate(zip(x, scores, strict=True)):
        seen = [v for v in x[max(0, i - 29) : i + 1] if v is not None]
        if value is None or len(seen) < 20 or len(set(seen)) == 1:
            assert z is None
        else:
            assert z == pytest.approx((value - fmean(seen)) / stdev(seen), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("wrong", [[1.0, 2.0 * (1 + 1e-9)], [1.0, None], [None, 2.0], [0.0, 2.0]])
def test_the_comparison_can_fail(wrong: columns.Column) -> None:
    fast = pd.Series([1.0, 2.0], index=pd.bdate_range("2024-01-02", periods=2))
    assert_same("right", fast, [1.0, 2.0])
    with pytest.raises(AssertionError):
        assert_same("wrong", fast, wrong)
