"""E-values since a date are rarely high by chance and high for true claims, without look-ahead."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.thesis import evalues
from backtests.thesis.betting import bets, outperformance, wealth
from backtests.thesis.evalues import (
    BETS,
    CONVINCING,
    ESSAY,
    PRIMARY,
    Accumulated,
    Weeks,
    accumulate,
    accumulate_since_dates,
)
from backtests.thesis.sample import Sample
from backtests.thesis.weeks import weekly
from strategies import STRATEGIES, kind_of
from tests.reference import betting as plain

RUNS, BEFORE, YEAR = 2000, 156, 52
SINCE = pd.Timestamp("2021-06-30")


def weekly_returns(sharpe: float, seed: int = 0) -> np.ndarray:
    """Return weekly returns, runs × weeks, with fat tails (t4) and clustered volatility.

    ``sharpe`` is the yearly Sharpe ratio. The log of the volatility is a first-order process.
    """
    rng = np.random.default_rng(seed)
    weeks = BEFORE + 4 * YEAR
    shocks = rng.standard_t(4, (RUNS, weeks)) / np.sqrt(2)
    news = 0.5 * np.sqrt(1 - 0.95**2) * rng.standard_normal((RUNS, weeks))
    log_volatility = 0.5 * rng.standard_normal(RUNS)
    out = np.empty_like(shocks)
    for week in range(weeks):
        log_volatility = 0.95 * log_volatility + news[:, week]
        out[:, week] = np.exp(log_volatility - 0.25) * shocks[:, week]
    returns: np.ndarray = out + sharpe / np.sqrt(YEAR)
    return returns


def by_betting(returns: np.ndarray) -> np.ndarray:
    """Return, for each week, whether the e-value has reached 20 so far."""
    limit = 3 * returns[:, :BEFORE].std(axis=1, ddof=1, keepdims=True)
    path = wealth((returns[:, BEFORE:] / limit).clip(-1, 1))
    ever: np.ndarray = np.maximum.accumulate(path, axis=1) >= CONVINCING
    return ever


def by_looking_weekly(returns: np.ndarray) -> np.ndarray:
    """Return, for each week, whether a weekly one-sided t-test at 5 % has rejected so far.

    The tests begin after week 20.
    """
    later = returns[:, BEFORE:]
    n = np.arange(1, later.shape[1] + 1)
    mean = later.cumsum(axis=1) / n
    variance = (later**2).cumsum(axis=1) / n - mean**2
    t = mean / np.sqrt(variance.clip(1e-9) / n)
    ever: np.ndarray = np.maximum.accumulate(np.where(n > 20, t, 0.0), axis=1) > 1.66
    return ever


def check_level(rule: Callable[[np.ndarray], np.ndarray]) -> None:
    """Fail if more than 5 % of runs without an effect ever reach the level."""
    for years in (1, 2, 4):
        assert rule(weekly_returns(sharpe=0.0))[:, years * YEAR - 1].mean() <= 0.05


def test_without_an_effect_the_e_value_rarely_reaches_20() -> None:
    check_level(by_betting)


def test_the_check_catches_a_t_test_that_is_looked_at_every_week() -> None:
    with pytest.raises(AssertionError):
        check_level(by_looking_weekly)


@pytest.mark.parametrize(
    ("sharpe", "least"), [(2.0, (0.27, 0.65, 0.92)), (3.0, (0.65, 0.92, 0.99))]
)
def test_power_grows_with_the_years(sharpe: float, least: tuple[float, ...]) -> None:
    ever = by_betting(weekly_returns(sharpe))
    power = [ever[:, years * YEAR - 1].mean() for years in (1, 2, 4)]
    assert power == sorted(power)
    assert all(p >= floor for p, floor in zip(power, least, strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_wealth_and_outperformance_equal_plain_loops(seed: int) -> None:
    gains = np.random.default_rng(seed).uniform(-1, 1, 60) + 0.1 * seed
    gains = gains.clip(-1, 1)
    assert wealth(gains) == pytest.approx(plain.wealth(list(gains)), rel=1e-12)
    assert outperformance(gains / 2) == pytest.approx(
        plain.outperformance(list(gains / 2)), rel=1e-12
    )


def test_a_bet_depends_on_the_past_alone_and_never_ruins() -> None:
    gains = np.random.default_rng(0).choice([-1.0, 1.0], 300)
    changed = gains.copy()
    changed[150:] *= -1
    assert (bets(gains)[:151] == bets(changed)[:151]).all()
    assert (bets(gains) >= 0).all()
    assert (wealth(-np.ones(50)) > 0).all()


def test_outperformance_rarely_reaches_20_among_equal_forecasters_but_finds_a_better_one() -> None:
    rng = np.random.default_rng(0)
    equal = rng.standard_t(4, (RUNS, 300)) / np.sqrt(2) / 6
    assert (outperformance(equal.clip(-0.5, 0.5)).max(axis=1) >= CONVINCING).mean() <= 0.05
    better = (equal + 0.3 / 6).clip(-0.5, 0.5)
    assert (outperformance(better).max(axis=1) >= CONVINCING).mean() > 0.9


# --- on a history ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated() -> History:
    return History.simulated(6, 8)


@pytest.fixture(scope="module")
def sample(simulated: History) -> Sample:
    return Sample.of(simulated)


def one(sample: Sample, name: str, since: pd.Timestamp = SINCE) -> Accumulated:
    return accumulate(sample, since, [name])[0]


def test_every_primary_claim_and_every_thesis_strategy_has_a_bet() -> None:
    thesis = {name for name, strategy in STRATEGIES.items() if kind_of(strategy) == "thesis"}
    assert set(PRIMARY) <= set(BETS)
    named = {name.partition("@")[0] for name in BETS if name not in PRIMARY}
    assert named == thesis - {"cash-heavy"}  # its bet is named after the claim


def test_a_history_that_ends_before_the_date_has_no_evidence(sample: Sample) -> None:
    for found in accumulate_since_dates(sample):
        assert (found.since, found.weeks, found.e_value, found.highest) == (ESSAY, 0, 1.0, 1.0)


def test_evidence_since_the_seal_stands_before_evidence_since_the_essay(sample: Sample) -> None:
    sealed_at = pd.Timestamp("2024-01-03 21:00", tz="UTC")
    dates = [found.since for found in accumulate_since_dates(sample, sealed_at)]
    assert dates == [pd.Timestamp("2024-01-03")] * len(BETS) + [ESSAY] * len(BETS)


def test_too_few_weeks_before_the_date_are_no_evidence(sample: Sample) -> None:
    early = one(sample, "crypto-below-spy", sample.sessions[50])
    assert (early.weeks, early.e_value) == (0, 1.0)
    assert "at least 52 weeks" in early.note


def plainly(sample: Sample) -> list[float]:
    """Return the e-value of crypto-below-spy after each week, by a loop over weeks of closes."""
    days = list(sample.sessions)
    spy, coins = sample.asset("SPY"), sample.asset_class("crypto")
    flag = sample.flag("absorption")
    weeks: list[list[pd.Timestamp]] = []
    for day in days:
        if weeks and day.to_period("W-FRI") == weeks[-1][0].to_period("W-FRI"):
            weeks[-1].append(day)
        else:
            weeks.append([day])
    before, bet_on, marks = [], [], []
    for week in weeks:
        of_spy = np.prod([1 + spy[day] for day in week if not np.isnan(spy[day])])
        of_coins = np.prod([1 + coins[day] for day in week if not np.isnan(coins[day])])
        if week[-1] <= SINCE and not np.isnan(spy[week].to_numpy()).all():
            before.append(of_spy - of_coins)
        if week[0] > SINCE and (week is not weeks[-1] or week[-1].day_of_week == 4):
            if flag.iloc[days.index(week[0]) - 2] == 1.0:
                bet_on.append(of_spy - of_coins)
            marks.append(len(bet_on))
    limit = 3 * np.std(before, ddof=1)
    path = [1.0, *plain.wealth([min(max(x / limit, -1), 1) for x in bet_on])]
    return [path[mark] for mark in marks]


def test_the_path_of_a_claim_equals_a_loop_over_weeks(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flag is random at each session, so the result shows which session's flag decides."""
    flag = np.random.default_rng(0).integers(0, 2, len(sample.sessions)).astype("float64")
    flags = pd.Series(flag, index=sample.sessions)
    monkeypatch.setattr(Sample, "flag", lambda self, signal: flags)
    found = one(sample, "crypto-below-spy")
    assert 0 < found.weeks < len(found.path)
    assert found.path.to_list() == pytest.approx(plainly(sample), rel=1e-9)
    assert (found.e_value, found.highest) == (found.path.iloc[-1], max(1, found.path.max()))


def test_exposure_beyond_the_share_must_earn_more_than_the_premium(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The strategy holds 30 % of SPY up to the date and 90 % afterwards, which is not timing."""
    held = pd.Series(np.where(sample.sessions <= SINCE, 0.3, 0.9), index=sample.sessions)
    spy, bills, before = sample.asset("SPY"), sample.bills, held.shift(1)
    result = SimpleNamespace(
        weights=held.to_frame(), returns=(before * spy + (1 - before) * bills).iloc[1:]
    )
    monkeypatch.setattr(Sample, "run", lambda self, strategy: SimpleNamespace(result=result))
    weeks = evalues._strategy_minus_mix("planted", sample, SINCE)
    later = weeks.values[weeks.values.index > "2021-07-10"]
    mix = 0.3 * spy + 0.7 * bills
    earned = weekly(result.returns) - weekly(mix)
    assert later.to_numpy() == pytest.approx(earned[later.index].to_numpy() - 0.6 * 0.10 / 52)
    assert weeks.values.loc[:SINCE].iloc[1:].to_numpy() == pytest.approx(0.0)
    over_bills = (weekly(spy) - weekly(bills)).loc[:SINCE]
    assert weeks.limit == pytest.approx(3 * over_bills.std())


def test_each_session_is_charged_for_its_own_exposure(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPY earns only the premium, so random exposure, also within a week, earns nothing more."""
    days, rng = sample.sessions, np.random.default_rng(0)
    exposure = rng.uniform(0.3, 0.9, len(days))
    premium = np.where(days <= SINCE, 0.01 * rng.standard_normal(len(days)), 0.10 / 260)
    spy = sample.bills + premium
    held = pd.Series(np.where(days <= SINCE, 0.3, exposure), index=days)
    monkeypatch.setattr(Sample, "asset", lambda self, id: spy)
    returns = (sample.bills + held.shift(1) * premium).iloc[1:]
    result = SimpleNamespace(weights=held.to_frame(), returns=returns)
    monkeypatch.setattr(Sample, "run", lambda self, strategy: SimpleNamespace(result=result))
    later = evalues._strategy_minus_mix("planted", sample, SINCE).values.loc["2021-07-10":]
    whole = days.to_series().groupby(days.to_period("W-FRI")).agg(["size", "last"])
    of_five = later[later.index.isin(whole.loc[whole["size"] == 5, "last"])]
    assert len(of_five) > 50
    assert of_five.abs().max() < 1e-5  # the premium of 0.3 of the portfolio is 6e-4 a week


def check_truncation(history: History, name: str) -> None:
    """Fail if an earlier e-value depends on later sessions."""
    whole = one(Sample.of(history), name).path
    for until in ("2022-03-16", "2023-09-29"):
        cut = one(Sample.of(history.until(until)), name).path
        assert cut.nunique() > 1
        pd.testing.assert_series_equal(cut, whole.iloc[: len(cut)], rtol=1e-9)


@pytest.mark.parametrize("name", [*PRIMARY, "survival", "memory-over-crypto@quantities"])
def test_later_weeks_never_change_an_earlier_e_value(simulated: History, name: str) -> None:
    check_truncation(simulated, name)


def test_the_check_catches_a_deviation_from_all_weeks(
    simulated: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evalues, "_deviation", lambda values, since: values.std())
    with pytest.raises(AssertionError):
        check_truncation(simulated, "crypto-below-spy")


def test_a_true_claim_is_found_and_its_opposite_is_not(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = pd.DatetimeIndex(sample.sessions[sample.sessions.day_of_week == 4])
    noise = pd.Series(np.random.default_rng(0).standard_normal(len(index)), index=index)
    after = index > SINCE + pd.Timedelta(days=6)  # the week of the date itself does not count
    for sign in (1, -1):
        values = noise + sign * after
        weeks = Weeks(values=values, counts=values.notna())
        monkeypatch.setitem(BETS, "planted", ("planted", partial(_given, weeks)))
        found = one(sample, "planted")
        assert (found.highest >= CONVINCING) == (sign == 1)
        assert found.weeks == after.sum()
        assert found.clipped == (values[after].abs() > 3 * values[~after].std()).sum() > 0


def _given(weeks: Weeks, sample: Sample, since: pd.Timestamp) -> Weeks:
    return weeks
