"""The output of ``drypowder compare``, computed again: every figure, rank and error."""

import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.evidence import comparing
from backtests.evidence.alpha import own_alpha
from backtests.evidence.baskets import random_baskets
from backtests.evidence.bootstrap import COVERAGE
from backtests.evidence.common_window import in_common_window
from backtests.evidence.comparing import compare, default_names, series_of
from backtests.evidence.comparison import Compared, Comparison, growth_of_rows
from backtests.evidence.entries import Observed
from backtests.evidence.placebo import rank_of
from backtests.evidence.placebo_rank import NOTES, Method, PlaceboRank, leaning_said
from backtests.evidence.resampling import resample_prices
from backtests.evidence.workers import workers_of
from backtests.history.panel import History
from backtests.pipeline import run, run_on
from backtests.report.compare_numbers import about, comparison_numbers, coverage_said
from backtests.runs import Run
from signals.errors import ConfigError
from signals.universe import UNIVERSE
from strategies import STRATEGIES
from tests.commands import Drypowder, refused, said_by
from tests.evidence.by_hand import (
    DRAWS,
    FITTED,
    LAG,
    NAMES,
    START,
    TERMS,
    gain_of,
    gains_of,
    held_by_hand,
    market_of,
    plain_run,
)
from tests.reference import formulas
from tests.report.test_compare_page import ABOUT, entry

pytestmark = pytest.mark.usefixtures("evaluated_before")

Numbers = dict[str, dict[str, Any]]


def configs_of(names: Iterable[str], terms: Mapping[str, Any]) -> dict[str, RunConfig]:
    """Return a configuration for each strategy; the labels of the rows are the names."""
    return {name: config_from({**terms, "strategy": name}) for name in names}


@pytest.fixture(scope="module")
def drypowder(short: History) -> Iterator[Drypowder]:
    """Run a command in this process. Every simulated history is replaced by the same short one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DRYPOWDER_STORE", raising=False)
        patch.setattr(os, "cpu_count", lambda: 1)
        patch.setattr(History, "simulated", lambda *_, **__: short)
        yield said_by


class Page(NamedTuple):
    """A comparison: its JSON, the text of its page, and the result that both are made from."""

    numbers: Numbers
    text: str
    made: Comparison


@pytest.fixture(scope="module")
def page(drypowder: Drypowder, tmp_path_factory: pytest.TempPathFactory) -> Page:
    out = tmp_path_factory.mktemp("compare") / "folder" / "page.html"
    options = ("--start", START, "--lag", LAG, "--draws", DRAWS, "--out", out, "--json")
    made: list[Comparison] = []

    def noted(*given: Any, **options: Any) -> Comparison:
        made.append(compare(*given, **options))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "compare", noted)
        said = drypowder("compare", *NAMES, "--source", "simulated", *options)
    assert said.code == 0, said.err
    assert said.err.startswith(f"warning: {FITTED}: no regime is known on ")
    assert said.err.count("\n") == 1
    return Page(json.loads(said.out)["rows"], out.read_text(encoding="utf-8"), made[0])


@pytest.fixture(scope="module")
def numbers(page: Page) -> Numbers:
    return page.numbers


Baseline = Callable[..., Run]


@pytest.fixture(scope="module")
def baseline(finished: dict[str, Run], short: History) -> Baseline:
    """Return a function that runs strategies without signals, so that no signal is read again."""
    reading, index = finished["spy"].reading, short.panel.index
    made: dict[str, Run] = {}

    def make(name: str, **more: Any) -> Run:
        config = config_from({"strategy": name, **TERMS, **more})
        if (key := repr(config)) not in made:
            made[key] = run_on(config, short, reading, pd.DatetimeIndex(index[index >= START]))
        return made[key]

    return make


@pytest.fixture(scope="module")
def mixes(baseline: Baseline, finished: dict[str, Run]) -> dict[str, Run]:
    """Return, for each strategy, the constant mix with the same mean exposure."""
    shares = {name: min(figures_of(ours)["exposure"], 1.0) for name, ours in finished.items()}
    return {name: baseline("constant-mix", params={"share": s}) for name, s in shares.items()}


@pytest.fixture(scope="module")
def compared(page: Page) -> Comparison:
    return page.made


@pytest.fixture(scope="module")
def row(compared: Comparison) -> Compared:
    return compared.rows["near-cash-flow"]


# --- By hand ---------------------------------------------------------------------------------


def arrays(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Return a run's daily returns and those of bills."""
    equity = run.result.equity.to_numpy()
    returns = equity[1:] / equity[:-1] - 1
    return returns, run.result.bills.to_numpy()[1:]


def figures_of(run: Run) -> dict[str, float]:
    """Return the figures of a strategy in a comparison, computed from equity and orders."""
    returns, bills = (values.tolist() for values in arrays(run))
    years, equity = len(returns) / 252, run.result.equity
    traded = costs = 0.0
    for order in run.result.orders.to_dict("records"):
        traded += abs(order["units"]) * order["price"] / equity[order["date"]]
        costs += order["cost"]
    return {
        "cagr": formulas.cagr(returns),
        "volatility": formulas.volatility(returns),
        "sharpe": formulas.sharpe(returns, bills),
        "sortino": formulas.sortino(returns, bills),
        "max_drawdown": formulas.max_drawdown(returns),
        "calmar": formulas.calmar(returns),
        "exposure": float(run.result.weights.abs().sum(axis=1).to_numpy()[1:].mean()),
        "turnover": traded / 2 / years,
        "costs": costs / float(equity.mean()) / years,
    }


def redrawn(run: Run, seed: int) -> Run:
    """Return a plain run of the same strategy on a history whose returns are resampled."""
    history = run.history
    since = pd.Timestamp(START)
    panel, closes = resample_prices(history.panel, history.closes, seed=seed, since=since)
    return plain_run(replace(history, panel=panel, closes=closes), run.label)


# --- Every figure ----------------------------------------------------------------------------


def test_strategies_stand_in_the_order_asked_for(numbers: Numbers) -> None:
    assert tuple(numbers) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_that_of_a_plain_run(
    numbers: Numbers, finished: dict[str, Run], name: str
) -> None:
    expected = figures_of(finished[name])
    assert {key: numbers[name][key] for key in expected} == pytest.approx(expected, rel=1e-9)


def test_the_figures_see_another_lag_and_another_regime_model(
    numbers: Numbers, short: History
) -> None:
    for name, more in (("near-cash-flow", {"lag": 1}), ("cash-heavy", {})):
        said = numbers[name if name in numbers else "cash-heavy@quantities"]
        other = figures_of(plain_run(short, name, **more))
        assert abs(said["cagr"] - other["cagr"]) > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_the_mix_is_a_run_that_is_invested_as_much(
    numbers: Numbers, finished: dict[str, Run], mixes: dict[str, Run], name: str
) -> None:
    said = numbers[name]["mix"]
    assert said["share"] == pytest.approx(min(figures_of(finished[name])["exposure"], 1.0))
    expected = figures_of(mixes[name])
    for key in ("cagr", "sharpe", "max_drawdown"):
        assert said[key] == pytest.approx(expected[key], rel=1e-9)


def test_the_mix_has_the_net_exposure_of_a_strategy_that_is_also_short(short: History) -> None:
    """The strategy is long memory makers and short bitcoin: 15 % gross and 4 % net exposure."""
    made = compare(configs_of(("memory-over-crypto",), TERMS), short, reps=5, shifts=5, draws=0)
    row = made.rows["memory-over-crypto"]
    weights = row.run.result.weights.to_numpy()[1:]
    net, gross = weights.sum(axis=1).mean(), np.abs(weights).sum(axis=1).mean()
    assert gross > 3 * net > 0
    assert row.mix.share == pytest.approx(net, rel=1e-12)


def test_alpha_is_that_of_the_run_and_stands_in_page_and_numbers(
    page: Page, numbers: Numbers, finished: dict[str, Run]
) -> None:
    expected = own_alpha(finished["near-cash-flow"])
    assert expected is not None
    said = dict(numbers["near-cash-flow"]["alpha"])
    assert said.pop("betas") == pytest.approx(expected.betas, rel=1e-9)
    ends = {name: getattr(expected, name) for name in ("estimate", "low", "high", "t", "lags")}
    assert said == pytest.approx(ends, rel=1e-9)
    assert f"t {expected.t:.1f}</small>" in page.text


def test_how_often_intervals_cover_and_how_ranks_lean_stands_beside_them(
    page: Page, numbers: Numbers, drypowder: Drypowder, tmp_path: Path
) -> None:
    """The same table is in the JSON, on the page, and below the table in the terminal."""
    table = {name: asdict(measured) for name, measured in COVERAGE.items()}
    assert all(said["coverage"] == table for said in numbers.values())
    options = ("--source", "simulated", "--start", START, "--out", tmp_path / "page.html")
    printed = drypowder("compare", "constant-mix", *options).out
    for name, said in (("sharpe", "Sharpe"), ("excess_mix", "over own mix"), ("alpha", "alpha")):
        shares = ", ".join(f"{100 * share:.0f}" for share in table[name].values())
        assert f"{said} {shares} %" in coverage_said()
    for text in (page.text, printed):
        assert coverage_said() in text
    assert leaning_said() in page.text
    assert leaning_said() not in printed, "no row is ranked by resampled returns"
    assert "benchmarks/interval_coverage.py" in coverage_said()


def test_equal_weights_are_a_run_over_the_same_assets(
    numbers: Numbers, finished: dict[str, Run], baseline: Baseline
) -> None:
    for name, ours in finished.items():
        said = numbers[name]["equal_weight"]
        if len(ours.strategy.assets) < 2:
            assert said is None
            continue
        tickers = {"tickers": list(ours.strategy.assets)}
        expected = figures_of(baseline("equal-weight", universe=tickers))
        assert said == pytest.approx({key: expected[key] for key in said}, rel=1e-9)
    assert numbers["near-cash-flow"]["equal_weight"] is not None


@pytest.mark.parametrize("name", NAMES)
def test_estimates_are_yearly_differences_of_daily_means_and_of_sharpe_ratios(
    numbers: Numbers,
    finished: dict[str, Run],
    mixes: dict[str, Run],
    baseline: Baseline,
    name: str,
) -> None:
    ours = finished[name]
    returns, bills = arrays(ours)
    spy = ours.history.closes["SPY"].loc[ours.result.equity.index].to_numpy()
    market = np.concatenate((bills[:LAG], spy[LAG + 1 :] / spy[LAG:-1] - 1))  # bought like ours
    others = {"spy": market, "mix": arrays(mixes[name])[0]}
    if len(ours.strategy.assets) > 1:
        tickers = {"tickers": list(ours.strategy.assets)}
        others["equal_weight"] = arrays(baseline("equal-weight", universe=tickers))[0]
    said = numbers[name]["intervals"]
    expected = {"sharpe": formulas.sharpe(returns.tolist(), bills.tolist())}
    expected["excess_bills"] = 252 * (returns - bills).mean()
    for other, theirs in others.items():
        expected[f"excess_{other}"] = 252 * (returns - theirs).mean()
        their_sharpe = formulas.sharpe(theirs.tolist(), bills.tolist())
        expected[f"sharpe_{other}"] = expected["sharpe"] - their_sharpe
    assert said.keys() == expected.keys() | {"sharpe_bills"}
    estimates = {key: said[key]["estimate"] for key in expected}
    assert estimates == pytest.approx(expected, abs=1e-9)
    for key in expected:
        assert said[key]["low"] <= said[key]["estimate"] <= said[key]["high"]
    assert said["sharpe_bills"]["estimate"] is None


def test_all_stand_on_the_same_sessions(numbers: Numbers, short: History) -> None:
    index = short.panel.index[short.panel.index >= START]
    for said in numbers.values():
        assert (said["start"], said["end"]) == (str(index[0].date()), str(index[-1].date()))
        assert said["sessions"] == len(index) - 1


def test_without_a_start_the_votes_say_where_it_begins(short: History) -> None:
    """The regime model ``quantities`` gives a regime long before enough signals can vote."""
    name = "cash-heavy@quantities"
    made = compare(configs_of([name], {}), short, reps=2, shifts=2)
    begun = made.rows[name].run.result.equity.index[0]
    assert begun == made.regime.first_valid_index()
    assert run(config_from({"strategy": name}), short).result.equity.index[0] < begun


@pytest.mark.parametrize("ends", [{"start": "2023-01-03"}, {"end": "2023-12-29"}])
def test_a_row_without_dates_takes_those_of_another_without_a_warning(ends: dict[str, str]) -> None:
    """The first line of a comparison states its window."""
    both = {"a": config_from({"strategy": "spy"} | ends), "b": config_from({"strategy": "trend"})}
    cut, notes = in_common_window(both)
    assert (cut["b"].start, cut["b"].end) == (both["a"].start, both["a"].end)
    assert notes == ()


@pytest.mark.parametrize("ends", [{"end": "2023-12-29"}, {"start": "2022-01-03"}])
def test_a_row_that_is_cut_to_the_window_of_another_is_said(ends: dict[str, str]) -> None:
    later = config_from({"strategy": "spy", "start": "2023-01-03"})
    cut, notes = in_common_window({"a": later, "b": config_from({"strategy": "trend"} | ends)})
    assert "the rows have different windows" in notes[0]
    assert in_common_window(cut)[1] == ()


def test_minus_spy_is_minus_spy_whatever_the_benchmark_is(
    compared: Comparison, short: History
) -> None:
    configs = configs_of(["trend"], TERMS | {"benchmark": "QQQ"})
    other = compare(configs, short, reps=2, shifts=2, draws=0).rows["trend"]
    assert other.run.benchmark.name == "QQQ"
    usual = compared.rows["trend"]
    assert usual.run.benchmark.name == "SPY"
    assert other.intervals["excess_spy"].estimate == usual.intervals["excess_spy"].estimate


def test_a_history_at_hand_is_cut_at_the_end_asked_for(short: History) -> None:
    ended = compare(configs_of(["spy"], TERMS | {"end": "2023-06-30"}), short, reps=2, shifts=2)
    cut = compare(configs_of(["spy"], TERMS), short.until("2023-06-30"), reps=2, shifts=2)
    index = ended.rows["spy"].run.result.equity.index
    assert index[-1] == pd.Timestamp("2023-06-30")
    pd.testing.assert_frame_equal(growth_of_rows(ended), growth_of_rows(cut))


def test_growth_starts_at_one_and_ends_with_the_return(
    compared: Comparison, finished: dict[str, Run]
) -> None:
    growth = growth_of_rows(compared)
    assert list(growth) == list(NAMES)
    assert (growth.iloc[0] == 1).all()
    for name, ours in finished.items():
        assert growth[name].iloc[-1] == pytest.approx(np.prod(1 + arrays(ours)[0]))


# --- Comparison with luck --------------------------------------------------------------------


def test_shifted_placebos_are_those_of_a_plain_loop(
    numbers: Numbers, finished: dict[str, Run]
) -> None:
    """The strategy holds only SPY, so each shift of the holdings is one column of a table."""
    ours = finished["cash-heavy@quantities"]
    held = held_by_hand(ours.decided, pd.DatetimeIndex(ours.result.equity.index), LAG)[:, 0]
    shifts = np.stack([np.roll(held, by) for by in range(len(held))], axis=-1)
    true, *others = gains_of(shifts[:, None, :], market_of(ours, ["SPY"])).tolist()
    said = numbers["cash-heavy@quantities"]["placebo"]
    below = sum(other < true - 1e-12 for other in others)
    equal = sum(abs(other - true) <= 1e-12 for other in others)
    assert said["kind"] == "shifts"
    assert said["n"] == len(held) - 1 == len(others)
    assert said["statistic"] == pytest.approx(true, abs=1e-12)
    assert said["rank"] == pytest.approx((below + equal / 2) / len(others))
    assert said["p_value"] == pytest.approx((1 + len(others) - below) / (1 + len(others)))
    early = np.roll(held, -LAG)[:, None, None]
    assert abs(gains_of(early, market_of(ours, ["SPY"]))[0] - true) > 1e-6


def test_resampled_placebos_are_plain_runs_on_histories_drawn_anew(
    numbers: Numbers, finished: dict[str, Run], row: Compared
) -> None:
    ours = finished["near-cash-flow"]
    seeds = np.random.SeedSequence(0).generate_state(DRAWS).tolist()
    others = [gain_of(redrawn(ours, seed)) for seed in seeds]
    assert row.placebo_rank.placebo is not None
    assert sorted(row.placebo_rank.placebo.others) == pytest.approx(sorted(others), abs=1e-12)
    true, said = gain_of(ours), numbers["near-cash-flow"]["placebo"]
    below = sum(other < true for other in others)
    assert (said["kind"], said["n"]) == ("resampled", DRAWS)
    assert said["statistic"] == pytest.approx(true, abs=1e-12)
    assert said["rank"] == pytest.approx(below / DRAWS)
    assert said["p_value"] == pytest.approx((1 + DRAWS - below) / (1 + DRAWS))
    nearest = min(abs(other - true) for other in others)
    assert nearest > 1e-6  # no placebo equals the result


def counts_by_hand(run: Run, state: pd.Series, active_states: tuple[str, ...]) -> tuple[int, int]:
    """Count episodes and entries of the states under which the run's returns were earned."""
    index = list(run.history.panel.index)
    episodes = entered = 0
    inside, labelled, away = False, False, 63
    for session in run.result.returns.index:
        label = state.iloc[index.index(session) - 1 - LAG]
        now = label in active_states
        episodes += now and away >= 63
        entered += now and not inside and labelled
        away = 0 if now else away + 1
        inside, labelled = now, labelled or not pd.isna(label)
    return episodes, entered


def counts_said(said: dict[str, Any]) -> tuple[int | None, int | None]:
    return said["episodes"], said["entered"]


def test_episodes_are_counted_by_the_state_that_returns_were_earned_under(
    numbers: Numbers, finished: dict[str, Run]
) -> None:
    for name in ("near-cash-flow", FITTED, "cash-heavy@quantities"):
        ours = finished[name]
        count = counts_by_hand(ours, ours.reading.regime, ("ABSORPTION",))
        assert counts_said(numbers[name]) == count
    assert numbers["near-cash-flow"]["episodes"] != numbers["cash-heavy@quantities"]["episodes"]
    assert counts_said(numbers["spy"]) == (None, None)


def test_a_rule_that_looks_at_month_ends_alone_enters_then(
    numbers: Numbers, finished: dict[str, Run]
) -> None:
    ours = finished["trend"]
    assert ours.state is not None
    seen, now = [], None
    for session, state in ours.state.items():
        now = state if session in ours.decided.index else now
        seen.append(now)
    asked = pd.Series(seen, index=ours.state.index)
    assert counts_said(numbers["trend"]) == counts_by_hand(ours, asked, ("out",))
    every_session = counts_by_hand(ours, ours.state, ("out",))
    assert every_session[1] > numbers["trend"]["entered"] > 0


def test_a_comparison_shows_the_rank_among_baskets(
    numbers: Numbers, finished: dict[str, Run]
) -> None:
    made = random_baskets(finished["near-cash-flow"])
    assert made is not None
    said = numbers["near-cash-flow"]["baskets"]
    assert said["statistic"] == pytest.approx(made.statistic, abs=1e-12)
    assert (said["kind"], said["n"], said["rank"]) == ("baskets", 50, made.rank)
    assert all(numbers[name]["baskets"] is None for name in NAMES if name != "near-cash-flow")


# --- Conclusions -----------------------------------------------------------------------------


def seen(episodes: int | None) -> Observed | None:
    """Return an observation of ``episodes`` episodes, with more entries than a conclusion needs."""
    return None if episodes is None else Observed(episodes=episodes, entered=9)


def placed_at(row: Compared, episodes: int | None, true: float, others: list[float]) -> Compared:
    luck = PlaceboRank(placebo=rank_of(true, others, "shifts"), method="shifted")
    return replace(row, observed=seen(episodes), placebo_rank=luck)


@pytest.mark.parametrize(
    ("episodes", "said"),
    [(0, "0 episodes: "), (1, "1 episode: "), (2, "2 episodes: ")],
)
def test_few_episodes_allow_no_conclusion_however_it_ranks(
    row: Compared, episodes: int, said: str
) -> None:
    made = placed_at(row, episodes, 9.0, [0.0] * 99)
    assert made.conclusion == f"{said}nothing can be concluded about timing"


@pytest.mark.parametrize("episodes", [3, None])
def test_timing_is_significant_at_one_in_twenty(row: Compared, episodes: int | None) -> None:
    told, luck = "timing beats 95 % of placebos", "timing may be luck"
    assert placed_at(row, episodes, 1.0, [0.0] * 99).conclusion == told
    assert placed_at(row, episodes, 1.0, [0.0] * 98).conclusion == "ranks high among few placebos"
    assert placed_at(row, episodes, 1.0, [0.0] * 18).conclusion == luck
    assert placed_at(row, episodes, 1.0, [0.0] * 94 + [2.0] * 5).conclusion == luck
    assert placed_at(row, episodes, 1.0, [0.0] * 95 + [2.0] * 4).conclusion == told
    assert placed_at(row, episodes, 1.0, [2.0] * 99).conclusion == luck


def test_a_row_without_a_rank_has_no_conclusion_about_timing(row: Compared) -> None:
    assert placed_at(row, 3, float("nan"), [0.0]).conclusion == "timing not ranked"
    unranked_by: tuple[Method, ...] = ("not_drawn", "not_refitted")
    for method in unranked_by:
        unranked = replace(row, placebo_rank=PlaceboRank(placebo=None, method=method))
        assert replace(unranked, observed=seen(3)).conclusion == "timing not ranked"
        assert replace(unranked, observed=seen(1)).conclusion.startswith("1 episode: nothing")
    still = PlaceboRank(placebo=None, method="no_timing")
    assert replace(row, observed=None, placebo_rank=still).conclusion == "no timing"


def test_every_row_says_its_kind_and_its_conclusion(numbers: Numbers) -> None:
    assert {name: said["kind"] for name, said in numbers.items()} == {
        "near-cash-flow": "thesis",
        FITTED: "challenger",
        "spy": "baseline",
        "cash-heavy@quantities": "thesis",
        "trend": "challenger",
    }
    assert numbers["spy"]["conclusion"] == "no timing"
    few = numbers["cash-heavy@quantities"]
    assert few["episodes"] == 1
    assert few["conclusion"].startswith("1 episode: nothing")
    assert numbers["near-cash-flow"]["episodes"] >= 3
    assert numbers["near-cash-flow"]["conclusion"] == "timing may be luck"
    assert numbers[FITTED]["episodes"] >= 3
    assert numbers[FITTED]["conclusion"] == "timing not ranked"
    assert numbers[FITTED]["placebo_note"] == NOTES["not_refitted"]
    assert numbers["spy"]["placebo_note"] == NOTES["no_timing"]


# --- Equal numbers ---------------------------------------------------------------------------


def test_several_processes_give_the_numbers_of_one(
    compared: Comparison, short: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("OPENBLAS", "OMP", "MKL"):
        monkeypatch.setenv(f"{library}_NUM_THREADS", "1")
    more = compare(configs_of(NAMES, TERMS), short, draws=DRAWS, workers=2)
    assert list(more.rows) == list(NAMES)
    assert comparison_numbers(more) == comparison_numbers(compared)
    others = [made.rows["near-cash-flow"].placebo_rank.placebo for made in (more, compared)]
    assert others[0] is not None
    assert others[1] is not None
    assert others[0].others.tolist() == others[1].others.tolist()


def test_the_same_comparison_twice_gives_equal_numbers(short: History) -> None:
    def made(reps: int) -> Numbers:
        configs = configs_of(("trend",), TERMS)
        return comparison_numbers(compare(configs, short, reps=reps, draws=1))

    first = made(20)
    assert made(20) == first
    assert made(21) != first


def test_what_fails_is_told_when_it_is_asked_for() -> None:
    def fail() -> None:
        raise ConfigError("expected a package")

    with workers_of(1) as pool:
        waiting = pool.submit(fail)
        assert pool.submit(max, 1, 2).result() == 2
    with pytest.raises(ConfigError, match="expected a package"):
        waiting.result()


# --- What is compared ------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], bool]]:
    """Record the strategies and options of a comparison, instead of making it."""
    noted: list[tuple[list[str], bool]] = []

    def note(configs: Any, history: History, **options: Any) -> None:
        noted.append((list(configs), options["optional"]))
        raise ConfigError("enough")

    monkeypatch.setattr(comparing, "compare", note)
    return noted


def test_unless_named_all_are_compared_and_the_tilts_under_other_models(
    drypowder: Drypowder, asked: list[tuple[list[str], bool]]
) -> None:
    assert drypowder("compare", "--source", "simulated").code == 2
    assert drypowder("compare", "spy", "--source", "simulated").code == 2
    (names, optional), named = asked
    assert named == (["spy"], False)
    assert optional
    assert names == list(default_names())
    driven = [name for name in names if "@" in name]
    assert [name for name in names if name not in driven] == [
        name for name in STRATEGIES if name != "constant-mix"
    ]
    assert {tuple(name.split("@")) for name in driven} == set(
        itertools.product(
            ("near-cash-flow", "cash-heavy", "defensive"),
            ("quantities", "hidden_markov", "markov_switching", "jump_model"),
        )
    )
    assert len(names) == len(set(names)) == len(STRATEGIES) - 1 + 12


def test_a_store_is_asked_for_each_series_once() -> None:
    configs = configs_of(("trend", "dual-momentum", "memory-over-crypto"), {})
    ids = series_of(configs)
    assert len(ids) == len(set(ids))
    assert {id for config in configs.values() for id in config.series()} <= set(ids)
    assert {t for t, asset in UNIVERSE.items() if asset.market == "stock"} <= set(ids)
    assert {"SPY", "DGS3MO"} <= set(ids)


def test_a_model_without_its_package_is_left_out_unless_it_is_named(
    drypowder: Drypowder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = ("cash-heavy@jump_model", "spy", FITTED, "defensive@jump_model")
    monkeypatch.setitem(sys.modules, "jumpmodels", None)
    monkeypatch.setitem(sys.modules, "jumpmodels.jump", None)
    monkeypatch.setattr(comparing, "default_names", lambda: names)
    left_out, page = "the regime model jump_model is left out: ", tmp_path / "page.html"
    options = ("--source", "simulated", "--start", START, "--draws", 0, "--out", page)
    said = drypowder("compare", *options, "--json")
    assert said.code == 0, said.err
    numbers = json.loads(said.out)
    assert list(numbers) == ["as_of", "source", "simulated", "window", "version", "notes", "rows"]
    assert list(numbers["rows"]) == ["spy", FITTED]
    assert numbers["simulated"] is True
    assert numbers["window"]["start"] == numbers["rows"]["spy"]["start"], "not of the history"
    first, second = numbers["notes"]
    assert first.startswith(left_out)
    assert second.startswith(f"{FITTED}: no regime is known on ")
    assert said.err.startswith(f"warning: {left_out}")
    assert said.err.count("\n") == 2
    assert "pip install" in said.err
    assert left_out in page.read_text(encoding="utf-8")
    page.unlink()
    refused(drypowder("compare", "cash-heavy@jump_model", *options), "jumpmodels")
    assert list(tmp_path.iterdir()) == []


# --- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["near-cashflow"], ["unknown strategy", "did you mean 'near-cash-flow'?"]),
        (["spy", ""], ["unknown strategy ''"]),
        (["cash-heavy@quantites"], ["unknown regime model", "did you mean 'quantities'?"]),
        (["cash-heavy@"], ["unknown regime model ''"]),
        (
            ["spy@quantities"],
            ["follows the regime", "but spy follows no regime", "leave the regime model out"],
        ),
        (["spy", "gold", "spy"], ["each strategy once, but spy is given twice", "leave one out"]),
        (["cash-heavy", "cash-heavy@votes"], ["but cash-heavy is given twice"]),
        (["spy", "--draws", "-1"], ["--draws", "greater than or equal to 0"]),
        (["spy", "--draws", "10001"], ["--draws"]),
        (["spy", "--draws", "many"], ["--draws", "integer"]),
        (["spy", "--start", "2024-01-01", "--end", "2023-01-01"], ["start before end", "swap"]),
        (["spy", "--start", "1975-01-01"], ["start 1975-01-01 lies outside the history"]),
        (["spy", "--end", "1975-01-01"], ["end 1975-01-01 lies outside the history"]),
        (["spy", "--start", "2024-12-20"], ["at least 21 sessions", "found 7"]),
        (["spy", "--start", "2024-11-01", "--lag", "41"], ["a lag below the 41 sessions"]),
        (["spy", "--start", "soon"], ["start", "was 'soon'"]),
        (["spy", "--lag", "0"], ["lag", "greater than or equal to 1", "was 0"]),
        (["spy", "--lag", "two"], ["--lag"]),
        (["spy", "--source", "simulatd"], ["did you mean 'simulated'?"]),
        (["spy", "--store", "none.duckdb"], ["none.duckdb"]),
        (
            ["spy", "--store", "none.duckdb", "--seed", "1"],
            ["expected --seed only with the simulated"],
        ),
        (["spy", "--store", "x.duckdb", "--source", "simulated"], ["both", "leave one out"]),
        (["spy", "--sede", "1"], ["--sede"]),
    ],
)
def test_bad_arguments_get_one_line_and_the_page_stays(
    drypowder: Drypowder,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    parts: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.html"
    page.write_text("as it was")
    simulated = {"--source", "--store"}.isdisjoint(arguments)
    source = ("--source", "simulated") if simulated else ()
    refused(drypowder("compare", *arguments, *source, "--out", page), *parts)
    assert page.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [page]


def test_the_longest_lag_of_all_rows_must_leave_a_session_for_a_fill(
    drypowder: Drypowder, tmp_path: Path
) -> None:
    slow = tmp_path / "slow.toml"
    slow.write_text('strategy = "cash-heavy"\nlag = 41\n')
    window = ("--start", "2024-11-01", "--source", "simulated", "--draws", "0")
    refused(
        drypowder("compare", "spy", slow, *window, "--out", tmp_path / "page.html"),
        "a lag below the 41 sessions",
        "was 41",
    )


@pytest.mark.parametrize("name", ["page.txt", "folder.html"])
def test_a_page_is_a_folder_or_a_file_that_ends_in_html(
    drypowder: Drypowder, asked: list[tuple[list[str], bool]], tmp_path: Path, name: str
) -> None:
    out = tmp_path / name
    if name.startswith("folder"):
        out.mkdir()
    said = drypowder("compare", "spy", "--source", "simulated", "--out", out)
    refused(said, "expected --out to be a", name)
    assert asked == []
    assert not out.is_file()
    assert not out.is_dir() or list(out.iterdir()) == []


def test_a_page_that_cannot_be_written_is_one_line(drypowder: Drypowder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("as it was")
    out = tmp_path / "file" / "page.html"
    said = drypowder("compare", "bills", "--source", "simulated", "--start", START, "--out", out)
    refused(said, "expected a folder at", str(out.parent), "was a file")
    assert (tmp_path / "file").read_text() == "as it was"


# --- Simulated or real -----------------------------------------------------------------------


def test_a_page_of_a_simulated_history_says_simulated(
    page: Page, drypowder: Drypowder, tmp_path: Path, short: History
) -> None:
    for said in page.numbers.values():
        assert said["simulated"] is True
        assert said["source"] == "simulated"
    assert "<title>SIMULATED: compare</title>" in page.text
    assert page.text.count("SIMULATED") >= 2
    out = ("--start", START, "--out", tmp_path / "page.html")
    printed = drypowder("compare", "bills", "--source", "simulated", *out)
    assert printed.code == 0, printed.err
    assert "2021-03-01 to 2024-12-31, source: SIMULATED" in printed.out
    assert "Research, not investment advice" in printed.out


def test_a_page_of_a_real_history_does_not_say_simulated(
    drypowder: Drypowder, tmp_path: Path, short: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, out = replace(short, source="store"), tmp_path / "page.html"
    monkeypatch.setattr(History, "simulated", lambda *_, **__: real)
    options = ("--start", START, "--out", out)
    said = drypowder("compare", "bills", "--source", "simulated", *options)
    assert said.code == 0, said.err
    assert "source: store" in said.out
    assert "warning: the history ends on 2024-12-31" in said.err
    assert "SIMULATED" not in said.out + said.err + out.read_text(encoding="utf-8")


def test_the_page_holds_the_rows_and_the_hindsight(page: Page) -> None:
    at = [page.text.index(f'data-value="{name}"') for name in NAMES]
    assert at == sorted(at)
    assert "hindsight" in page.text


def lacking(made_up: dict[str, Any], real: Any, path: str = "") -> set[str]:
    """Return the paths of the keys of made-up numbers that real numbers do not have."""
    if not isinstance(real, dict):
        return set()
    found = {path + key for key in made_up.keys() - real.keys()}
    for key in made_up.keys() & real.keys():
        if isinstance(made_up[key], dict):
            found |= lacking(made_up[key], real[key], f"{path}{key}.")
    return found


def test_the_made_up_numbers_in_tests_of_the_page_have_the_keys_of_a_comparison(page: Page) -> None:
    """One strategy lacks equal weights, and the other one does not hold SPY."""
    names = ("near-cash-flow", "cash-heavy@quantities")
    first, second = (lacking(entry(name), page.numbers[name]) for name in names)
    assert first & second == set()
    assert ABOUT.keys() == about(page.made).keys()


@pytest.mark.parametrize("lag", [1, 3])
def test_growth_is_shaded_by_the_regime_it_was_earned_under(
    lag: int, drypowder: Drypowder, short: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A decision is filled ``lag`` sessions later.

    Its first return is one session after the fill.
    """
    given: list[pd.Series] = []
    page = "backtests.report.compare_page.write_compare_page"
    monkeypatch.setattr(page, lambda numbers, growth, regime, *_: given.append(regime))
    options = ("--source", "simulated", "--start", START, "--lag", lag)
    out = ("--out", tmp_path / "page.html", "--json")
    assert drypowder("compare", "bills", *options, *out).code == 0
    regime = plain_run(short, "bills").reading.regime
    (shaded,) = given
    sessions = list(regime.index)
    for at in range(1 + lag, len(sessions)):
        was, now = regime.iloc[at - 1 - lag], shaded.loc[sessions[at]]
        assert was == now or (pd.isna(was) and pd.isna(now)), sessions[at]
    assert regime.loc[START:].nunique() > 1


# --- A user's strategy -----------------------------------------------------------------------

OWN = '''
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from strategies import Strategy


@dataclass(frozen=True, kw_only=True)
class Mine(Strategy):
    """Half in SPY while it stands above its mean, a tenth in bonds."""

    name: ClassVar[str] = "mine"
    description: ClassVar[str] = "half in SPY while it stands above its mean"
    active_states: ClassVar[tuple[str, ...]] = ("below",)

    @property
    def assets(self) -> tuple[str, ...]:
        return ("SPY", "IEF")

    def state(self, reading, panel):
        above = panel["SPY"] > panel["SPY"].rolling(50).mean()
        return above.map({True: "above", False: "below"}).astype(object)

    def weights(self, reading, panel):
        share = 0.5 * (panel["SPY"] > panel["SPY"].rolling(50).mean())
        return pd.DataFrame({"SPY": share, "IEF": 0.1}, index=panel.index)
'''

_counter = itertools.count()
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a module with a new name, and returns the path of its class."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def put(old: str = "", new: str = "") -> str:
        name = f"compared_module_{next(_counter)}"
        assert old in OWN
        Path(f"{name}.py").write_text(OWN.replace(old, new) if old else OWN, encoding="utf-8")
        return f"{name}:Mine"

    return put


def test_ones_own_strategy_stands_beside_the_others(
    drypowder: Drypowder, write: Write, short: History
) -> None:
    path = write()
    options = ("--start", START, "--lag", LAG, "--draws", 1, "--out", "page.html", "--json")
    said = drypowder("compare", "spy", path, "--source", "simulated", *options)
    assert said.code == 0, said.err
    numbers = json.loads(said.out)["rows"]
    assert list(numbers) == ["spy", "mine"]
    assert numbers["mine"]["kind"] == "own"
    expected = figures_of(plain_run(short, path))
    assert {key: numbers["mine"][key] for key in expected} == pytest.approx(expected, rel=1e-9)
    assert numbers["mine"]["equal_weight"] is not None
    assert numbers["mine"]["placebo"]["kind"] == "resampled"
    assert numbers["mine"]["entered"] > 3
    assert numbers["mine"]["entered"] >= numbers["mine"]["episodes"] > 0
    assert "half in SPY while it stands above its mean" in Path("page.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("class Mine", "class Yours", ["unknown class", "known: Yours"]),
        ('return ("SPY", "IEF")', 'return ("SPY", "IFE")', ["IFE"]),
        ('"IEF": 0.1}', '"IEF": 0.6}', ["mine: expected the sum of weights of at most 1"]),
        ('"IEF": 0.1}', '"IEF": float("nan")}', ["mine: expected a finite weight of IEF"]),
        ('"IEF": 0.1}', '"TLT": 0.1}', ["mine: expected a column for each asset of the strategy"]),
        ("        share = 0.5", "        share = 1 / 0", ["mine: weights failed", "Zero"]),
        (".astype(object)", ".missing", ["mine: state failed", "missing"]),
        ("import pandas as pd", "import pandas as", ["SyntaxError"]),
    ],
)
def test_each_mistake_in_it_is_one_line_and_no_page(
    drypowder: Drypowder, write: Write, tmp_path: Path, old: str, new: str, parts: list[str]
) -> None:
    options = ("--source", "simulated", "--start", START, "--draws", 0, "--out", "page.html")
    refused(drypowder("compare", write(old, new), *options), *parts)
    assert not (tmp_path / "page.html").exists()


def test_ones_own_strategy_needs_the_regime_for_a_model_and_stands_there_once(
    drypowder: Drypowder, write: Write
) -> None:
    path = write()
    given = ("--source", "simulated", "--out", "page.html")
    refused(drypowder("compare", f"{path}@quantities", *given), "follows the regime", "mine")
    refused(drypowder("compare", path, path, *given), "once, but mine is given twice")
    refused(drypowder("compare", path, write(), *given), "once, but mine is given twice")
    refused(drypowder("compare", "nowhere_at_all:Mine", *given), "nowhere_at_all")
