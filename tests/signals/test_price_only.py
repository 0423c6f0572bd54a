"""Regime models that use only prices, compared with references.

The references are the enumeration of every path, and the filters of published packages. Later data
must never change earlier results.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from math import exp, log, pi
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hmmlearn.hmm import GaussianHMM
from jumpmodels.jump import JumpModel as Jumps
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

from backtests.history.panel import History
from signals.errors import ConfigError, MissingSeries
from signals.hysteresis import hysteresis
from signals.regimes import REGIMES, HiddenMarkov, JumpModel, MarkovSwitching, PriceOnly
from signals.regimes.markov import TwoStates, forward
from signals.regimes.price_only import Judge

#: The models that use only prices, by name.
MODELS = {name: model for name, model in REGIMES.items() if issubclass(model, PriceOnly)}
#: Years of simulated history, and sessions before the first estimate. The last three years have
#: estimates.
YEARS, SHORT = 5, 490

CHAIN = TwoStates(
    means=np.array([[0.1, 0.0], [-0.3, 0.2]]),
    variances=np.array([[0.5, 0.7], [2.0, 1.5]]),
    leave=np.array([0.05, 0.2]),
)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    """Return the models' inputs in a simulated history."""
    return History.simulated(seed=3, years=YEARS).panel[["SPY", "DGS10", "BAA10Y"]]


@pytest.fixture(scope="module")
def whole(panel: pd.DataFrame) -> dict[str, pd.Series]:
    """Return each model's probability on the whole panel."""
    return {name: model(minimum=SHORT).probability(panel) for name, model in MODELS.items()}


def features(sessions: int, columns: int, seed: int = 0) -> np.ndarray:
    """Return standardised features with two states, which alternate every 40 sessions."""
    rng = np.random.default_rng(seed)
    bad = (np.arange(sessions) // 40 % 2 == 1)[:, None]
    x = rng.normal(size=(sessions, columns)) * np.where(bad, 2.0, 0.6) - 0.2 * bad
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))


# --- the forward pass ------------------------------------------------------------------------


def density(x: np.ndarray, chain: TwoStates, state: int) -> float:
    """Return the density of one session's features: the product over the features."""
    out = 1.0
    for value, mean, variance in zip(x, chain.means[state], chain.variances[state], strict=True):
        out *= exp(-((value - mean) ** 2) / (2 * variance)) / (2 * pi * variance) ** 0.5
    return out


def by_every_path(x: np.ndarray, chain: TwoStates, start: float) -> tuple[float, float]:
    """Return P(bad state at the last session) and the log likelihood, by a sum over all paths."""
    turn = [[1 - chain.leave[0], chain.leave[0]], [chain.leave[1], 1 - chain.leave[1]]]
    weights = [0.0, 0.0]
    for path in product((0, 1), repeat=len(x)):
        weight = start if path[0] else 1 - start
        for before, after in pairwise(path):
            weight *= turn[before][after]
        for row, state in zip(x, path, strict=True):
            weight *= density(row, chain, state)
        weights[path[-1]] += weight
    return weights[1] / sum(weights), log(sum(weights))


def as_hmmlearn(chain: TwoStates, start: float) -> GaussianHMM:
    """Return hmmlearn's model with the parameters of a chain."""
    model = GaussianHMM(2, "diag")
    model.startprob_ = np.array([1 - start, start])
    (a, b), (c, d) = (1 - chain.leave[0], chain.leave[0]), (chain.leave[1], 1 - chain.leave[1])
    model.transmat_ = np.array([[a, b], [c, d]])
    model.means_, model.covars_ = chain.means, chain.variances
    return model


def test_forward_pass_equals_the_sum_over_every_path() -> None:
    x = features(9, 2)
    filtered, likelihood = forward(CHAIN.log_density(x), 0.3, CHAIN.leave)
    for t in range(1, len(x) + 1):
        assert filtered[t - 1] == pytest.approx(by_every_path(x[:t], CHAIN, 0.3)[0], abs=1e-14)
    assert likelihood == pytest.approx(by_every_path(x, CHAIN, 0.3)[1], abs=1e-12)


def test_forward_pass_equals_hmmlearn() -> None:
    x = features(300, 2)
    filtered, likelihood = forward(CHAIN.log_density(x), 0.3, CHAIN.leave)
    model = as_hmmlearn(CHAIN, 0.3)
    assert likelihood == pytest.approx(model.score(x), abs=1e-9)
    for t in (1, 2, 40, 41, 200, 300):  # at the last session, smoothed equals filtered
        assert filtered[t - 1] == pytest.approx(model.predict_proba(x[:t])[-1, 1], abs=1e-12)


def test_forward_pass_equals_statsmodels() -> None:
    x = features(600, 1)
    chain = MarkovSwitching().chain(x)
    model = MarkovRegression(x[:, 0], 2, switching_variance=True)
    stay, back = 1 - chain.leave[0], chain.leave[1]
    result = model.filter([stay, back, *chain.means[:, 0], *chain.variances[:, 0]])
    theirs = result.filtered_marginal_probabilities[:, 1]
    np.testing.assert_allclose(chain.probability(x), theirs, rtol=0, atol=1e-12)
    start = chain.leave[0] / chain.leave.sum()
    assert forward(chain.log_density(x), start, chain.leave)[1] == pytest.approx(result.llf)


def test_forward_pass_survives_impossible_sessions() -> None:
    filtered, likelihood = forward(np.array([[-5000.0, 0.0], [0.0, -5000.0]]), 0.5, CHAIN.leave)
    assert filtered.tolist() == [1.0, 0.0]
    assert np.isfinite(likelihood)


# --- estimation ------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "columns"), [(HiddenMarkov(), 3), (MarkovSwitching(), 1)])
def test_no_other_start_is_likelier(model: HiddenMarkov | MarkovSwitching, columns: int) -> None:
    x = features(800, columns)
    found = model.chain(x)
    start = found.leave[0] / found.leave.sum()
    best = forward(found.log_density(x), start, found.leave)[1]
    for seed in range(5):
        other = GaussianHMM(2, "diag", n_iter=500, tol=1e-6, random_state=seed).fit(x)
        assert best > other.score(x) - 1.0  # the estimated start probability adds less than 1


def test_the_bad_state_is_the_one_of_higher_variance_even_with_the_higher_mean() -> None:
    means = np.array([[0.5], [-0.5]])
    chain = TwoStates.make(means, np.array([[2.0], [0.5]]), np.array([0.3, 0.1]), 1000)
    assert chain.variances[:, 0].tolist() == [0.5, 2.0]
    assert chain.means[:, 0].tolist() == [-0.5, 0.5]
    assert chain.leave.tolist() == [0.1, 0.3]


def test_a_state_that_never_ended_may_end() -> None:
    ones = np.ones((2, 1))
    chain = TwoStates.make(ones, ones, np.array([0.0, 1.0]), 800)
    assert chain.leave.tolist() == [1 / 800, 1 - 1 / 800]


@pytest.mark.parametrize("name", MODELS)
def test_a_year_is_judged_by_the_years_before_it(
    name: str, panel: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = MODELS[name](minimum=SHORT)
    windows: list[np.ndarray] = []

    def estimate(self: PriceOnly, window: np.ndarray) -> Judge:
        windows.append(window)
        return lambda x: np.full(len(x), float(len(windows)))

    monkeypatch.setattr(MODELS[name], "estimate", estimate)
    probability = model.probability(panel)
    seen = model.features(panel[list(model.inputs)].dropna()).dropna()
    assert [len(w) for w in windows] == [len(seen[: str(y)]) for y in (2021, 2022, 2023)]
    for window in windows:
        np.testing.assert_allclose(window.mean(axis=0), 0, atol=1e-10)
        np.testing.assert_allclose(window.std(axis=0), 1, atol=1e-10)
    judged = probability.dropna()
    assert judged.index[0] == panel.loc["2022"].index[0]
    assert (judged == pd.DatetimeIndex(judged.index).year - 2021).all()


# --- appending the future never changes the past ---------------------------------------------


def assert_blind_to_the_future(
    measure: Callable[[pd.DataFrame], pd.Series],
    panel: pd.DataFrame,
    whole: pd.Series,
    cuts: list[pd.Timestamp],
) -> None:
    for at in cuts:
        cut = measure(panel.loc[:at])
        pd.testing.assert_series_equal(cut, whole.loc[:at], check_exact=True, obj=f"at {at}")


def turns(panel: pd.DataFrame, year: str) -> list[pd.Timestamp]:
    """Return the last session before a year, and the first session of the year."""
    first = panel.index.tolist().index(panel.loc[year].index[0])
    return panel.index[first - 1 : first + 1].tolist()


@pytest.mark.parametrize("name", MODELS)
def test_truncation(name: str, panel: pd.DataFrame, whole: dict[str, pd.Series]) -> None:
    drawn = np.random.default_rng(7).choice(panel.loc["2022":].index, 3, replace=False)
    cuts = [*turns(panel, "2022"), *turns(panel, "2024"), *map(pd.Timestamp, drawn)]
    measure = MODELS[name](minimum=SHORT).probability
    assert_blind_to_the_future(measure, panel, whole[name], cuts)
    assert whole[name].loc["2022":].notna().all()


@dataclass(frozen=True, kw_only=True)
class Smoothed(HiddenMarkov):
    """Cheats: uses smoothed probabilities."""

    def estimate(self, window: np.ndarray) -> Judge:
        model = as_hmmlearn(self.chain(window), 0.5)
        return lambda x: model.predict_proba(x)[:, 1]


@dataclass(frozen=True, kw_only=True)
class WholePath(JumpModel):
    """Cheats: predicts each session by the best path through all sessions, also later ones."""

    def estimate(self, window: np.ndarray) -> Judge:
        model = Jumps(2, self.penalty, random_state=0)
        model.fit(window[:, 1:], window[:, 0], sort_by="vol")
        return lambda x: model.predict(x[:, 1:]).astype(float)


@dataclass(frozen=True, kw_only=True)
class RunningYear(MarkovSwitching):
    """Cheats: its estimates use the year that they judge."""

    def _judged(self, known: np.ndarray, before: int) -> np.ndarray:
        return super()._judged(known, len(known))


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the model cheats")
@pytest.mark.parametrize("cheat", [Smoothed, WholePath, RunningYear])
def test_a_cheating_model(cheat: type[PriceOnly], panel: pd.DataFrame) -> None:
    # Cut at sessions at which the probability changes most, not in the middle of a calm year.
    measure = cheat(minimum=SHORT).probability
    whole = measure(panel)
    moving = whole.diff().abs().iloc[SHORT + 1 :].nlargest(5).index
    assert_blind_to_the_future(measure, panel, whole, list(moving))


# --- the models find planted states ----------------------------------------------------------


@pytest.fixture(scope="module")
def two_regimes() -> tuple[pd.DataFrame, pd.Series]:
    """Return a panel of nine years with calm and turbulent spells, and the turbulent sessions.

    A spell lasts one to two years, far longer than the jump model's longest half-life of 60
    sessions.
    """
    index = pd.bdate_range("2008-01-01", "2016-12-31")
    rng = np.random.default_rng(11)
    bad = np.repeat(np.arange(10) % 2 == 1, rng.integers(300, 500, size=10))[: len(index)]
    noise = rng.normal(size=(len(index), 3)) * np.where(bad, 1.8, 0.7)[:, None]
    returns = 0.08 - 0.38 * bad + noise[:, 0]
    values = {
        "SPY": 100 * np.exp(np.cumsum(returns) / 100),
        "DGS10": 4 + np.cumsum(0.04 * noise[:, 1]),
        "BAA10Y": 2 + np.cumsum(0.02 * noise[:, 2]),
    }
    return pd.DataFrame(values, index=index), pd.Series(bad, index=index)


@pytest.mark.parametrize("name", MODELS)
def test_the_bad_state_is_found(name: str, two_regimes: tuple[pd.DataFrame, pd.Series]) -> None:
    panel, bad = two_regimes
    model = MODELS[name]()
    probability = model.probability(panel)
    assert probability.loc[:"2010"].isna().all()
    assert probability.loc["2011":].notna().all()
    found, truth = probability.loc["2011":] > 0.5, bad.loc["2011":]
    assert (found[truth].mean() + (~found[~truth]).mean()) / 2 > 0.8

    flag = model.flag(panel)
    expected = hysteresis(probability > 0.6, probability < 0.4, probability.notna(), confirm=5)
    pd.testing.assert_series_equal(flag, expected, check_names=False)
    assert flag.dtype == "boolean"
    assert flag.name == name
    assert flag.loc["2011":].nunique() == 2


@pytest.mark.parametrize("name", MODELS)
def test_again_is_the_same_and_units_of_the_price_do_not_matter(
    name: str, panel: pd.DataFrame, whole: dict[str, pd.Series]
) -> None:
    model = MODELS[name](minimum=SHORT)
    pd.testing.assert_series_equal(model.probability(panel), whole[name], check_exact=True)
    times_seven = model.probability(panel.assign(SPY=7 * panel["SPY"]))
    pd.testing.assert_series_equal(times_seven, whole[name], rtol=0, atol=1e-4)


# --- no view, and what is refused ------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_no_view_before_756_sessions_of_data(name: str, panel: pd.DataFrame) -> None:
    late = panel.mask(np.repeat(np.arange(len(panel)) < 252, 3).reshape(-1, 3))
    assert MODELS[name]().probability(late.loc[:"2023"]).isna().all()
    assert MODELS[name]().flag(late.loc[:"2023"]).isna().all()


def test_no_view_where_an_input_has_no_value(
    panel: pd.DataFrame, whole: dict[str, pd.Series]
) -> None:
    hole = panel.loc["2023-06"].index
    holed = panel.copy()
    holed.loc[hole, "BAA10Y"] = np.nan
    probability = HiddenMarkov(minimum=SHORT).probability(holed)
    assert probability[hole].isna().all()
    assert probability.drop(hole).loc["2022":].notna().all()
    before = probability.loc[: hole[0]].iloc[:-1]
    pd.testing.assert_series_equal(before, whole["hidden_markov"].loc[before.index])


def test_no_view_from_a_feature_that_never_moves(panel: pd.DataFrame) -> None:
    still = panel.assign(DGS10=4.0)
    assert HiddenMarkov(minimum=SHORT).probability(still).isna().all()
    for model in MODELS.values():
        flat = panel.assign(SPY=100.0)
        assert model(minimum=SHORT).probability(flat).isna().all()


def test_numbers_that_fail_are_no_view(panel: pd.DataFrame) -> None:
    one_move = panel.assign(SPY=np.where(np.arange(len(panel)) < 100, 100.0, 105.0))
    probability = MarkovSwitching(minimum=SHORT).probability(one_move)
    assert probability.dropna().between(0, 1).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_missing_package_is_one_friendly_line(
    name: str, panel: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("hmmlearn", "statsmodels", "jumpmodels"):
        for module in [m for m in sys.modules if m.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=r"pip install 'drypowder\[regimes\]'") as caught:
        MODELS[name](minimum=SHORT).probability(panel)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_missing_series_is_named(panel: pd.DataFrame) -> None:
    with pytest.raises(MissingSeries, match="BAA10Y"):
        HiddenMarkov().probability(panel[["SPY", "DGS10"]])


@pytest.mark.parametrize(
    "wrong", [{"enter": 0.3}, {"enter": 1.0}, {"leave": 0.0}, {"confirm": 0}, {"minimum": 0}]
)
def test_parameters_out_of_order_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        HiddenMarkov(**wrong)
    with pytest.raises(ConfigError):
        JumpModel(penalty=0)


def test_the_registry_has_names_and_lines() -> None:
    assert list(MODELS) == ["hidden_markov", "markov_switching", "jump_model"]
    for name, model in MODELS.items():
        assert model.name == name
        assert model.description
        assert "SPY" in model().inputs


@pytest.mark.parametrize("penalty", [0.0, 0.3, 50.0])
@pytest.mark.parametrize("sessions", [1, 2, 5, 400])
def test_the_compiled_path_is_that_of_jumpmodels(sessions: int, penalty: float) -> None:
    """These losses are often tied. Then the first of several equal paths must be chosen."""
    from jumpmodels.jump import dp

    from signals.regimes.best_path import best_path

    loss = np.random.default_rng(sessions).integers(0, 3, (sessions, 2)) / 2
    change = penalty * (1 - np.eye(2))
    for given in (loss, np.where([True, False], loss, np.nan)):
        path, least = best_path(given, change)
        expected, smallest = dp(given, change)
        assert path.tolist() == expected.tolist()
        assert least == smallest
        sums = np.asarray(best_path(given, change, True), dtype=np.float64)
        assert np.array_equal(sums, dp(given, change, True))
