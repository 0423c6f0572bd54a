"""What a sweep finds: its best configuration, the neighbours of the best, and tests of luck."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtests.evidence.effective_trials import effective_trials
from backtests.evidence.luck import luck
from backtests.evidence.overfitting import overfitting
from backtests.report.sweep_folder import best_config, write_findings
from backtests.report.sweep_numbers import sweep_numbers
from backtests.sweep import findings
from backtests.sweep.findings import Findings, find
from backtests.sweep.plateau import mean_of_neighbours
from backtests.sweep.request import planned
from backtests.sweep.results import read_results
from backtests.sweep.said import ALIKE, ALONE, assumed, sentences
from backtests.sweep.sweep import Swept
from signals.errors import SimulationError
from tests.sweep.world import request, swept

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return swept(tmp_path_factory.mktemp("sweep") / "out")


@pytest.fixture(scope="module")
def found(done: Swept) -> Findings:
    return find(done)


def test_the_best_has_the_highest_sharpe_ratio_and_is_simulated_by_vectorbt(
    done: Swept, found: Findings
) -> None:
    sharpes = read_results(done.path, ["sharpe"])["sharpe"].to_numpy()
    assert found.best == int(np.argmax(sharpes))
    assert found.luck.sharpe == pytest.approx(sharpes.max(), abs=1e-9)
    assert (found.run.sessions == done.case.index).all()
    assert found.beaten == pytest.approx((sharpes < found.base_sharpe).mean())


def test_the_base_beats_no_configuration_that_only_rounds_differently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scale gdp does not use ``a``, so all configurations are the base itself."""
    made, exact = swept(tmp_path / "out", "dry_powder.a=0.05,0.2"), findings._sharpe
    monkeypatch.setattr(findings, "_sharpe", lambda run: exact(run) + 1e-12)
    assert find(made).beaten == 0.0


def test_luck_counts_all_configurations_by_their_monthly_returns(
    done: Swept, found: Findings
) -> None:
    table = read_results(done.path).to_pandas()
    monthly = np.stack(table["monthly"].to_list())
    assert found.effective == effective_trials(monthly)
    excess = found.run.result.returns - found.run.bills
    expected = luck(excess, trials=table["sharpe"], effective=found.effective)
    assert found.luck.deflation == expected.deflation
    assert found.luck.deflation.trials == 32
    assert found.luck.logged_trials == 0


def test_overfitting_comes_from_the_moments_of_all_configurations(
    done: Swept, found: Findings
) -> None:
    moments = np.stack(read_results(done.path, ["moments"]).to_pandas()["moments"].to_list())
    expected = overfitting(moments.reshape(32, -1, 3))
    assert found.overfitting.probability == expected.probability
    assert len(found.overfitting.ranks) == 12_870


def test_each_number_in_json_has_the_name_of_its_result(done: Swept, found: Findings) -> None:
    numbers = sweep_numbers(done, found)
    table = read_results(done.path).to_pandas()
    ranks = found.overfitting.ranks
    assert numbers["sweep"]["sessions"] == len(done.base.result.returns)
    assert numbers["sweep"]["configurations"] == len(table)
    assert numbers["luck"]["effective_trials_of_sweep"] == found.effective
    assert numbers["overfitting"] == {
        "probability": float((ranks <= 0.5).mean()),
        "probability_of_loss": float((found.overfitting.out_of_sample < 0).mean()),
        "splits": len(ranks),
        "median_rank": float(np.median(ranks)),
        "different_choices": len(set(found.overfitting.chosen.tolist())),
    }
    best = table.iloc[found.best]
    for name in ("sharpe", "volatility", "turnover", "costs"):
        assert numbers["best"][name] == best[name]
    assert numbers["plateau"] == {"best": best["sharpe"], "neighbours": found.neighbourhood}
    assert numbers["base"] == {"sharpe": found.base_sharpe, "beats": found.beaten}


def test_parameters_without_effect_are_told(tmp_path: Path) -> None:
    done = swept(tmp_path / "out", "dry_powder.k=0.08,0.09", strategy="spy")
    same = find(done)
    assert same.alike
    assert np.isnan(same.overfitting.probability)
    assert sweep_numbers(done, same)["sweep"]["notes"] == [ALIKE]
    assert ALIKE in sentences(same)


def test_a_single_result_is_not_taken_for_equal_results(found: Findings) -> None:
    sharpes = found.table["sharpe"].where(found.table.index == found.best)
    alone = replace(
        found,
        table=found.table.assign(sharpe=sharpes),
        overfitting=replace(found.overfitting, probability=float("nan")),
    )
    assert not alone.alike
    assert ALONE in sentences(alone)


@pytest.mark.parametrize(("costs", "improves"), [("50,100", False), ("0,1", True)])
def test_a_sweep_that_only_loses_says_so_first(tmp_path: Path, costs: str, improves: bool) -> None:
    found = find(swept(tmp_path / "out", f"costs.etf_bp={costs}"))
    assert ("the sweep found no improvement" in sentences(found)[0]) == (not improves)


def test_a_best_row_with_other_costs_or_another_lag_is_told(done: Swept, tmp_path: Path) -> None:
    """Without costs, each strategy looks better, so such a row is no better choice."""
    cheap = swept(tmp_path / "out", "costs.etf_bp=0,50", "lag=3,1")
    best = find(cheap)
    (note,) = sweep_numbers(cheap, best)["sweep"]["notes"]
    lag = best.run.config.lag
    other = [f"lag = {lag}"] * (lag != 1) + ["costs.etf_bp = 0"]
    assert note.startswith(f"The best configuration has {', '.join(other)}, unlike the base")
    assert assumed(done.base, done.base) == ()
    late = replace(done.base, config=done.base.config.model_copy(update={"lag": 3}))
    assert assumed(late, done.base)[0].startswith("The best configuration has lag = 3, unlike")


def test_a_base_without_a_sharpe_ratio_is_not_called_the_best(tmp_path: Path) -> None:
    """The base holds only bills."""
    base: dict[str, Any] = {"strategy": "constant-mix", "params": {"share": 0.0}}
    said = " ".join(sentences(find(swept(tmp_path / "out", "share=0,0.3,0.6", **base))))
    assert "no improvement" not in said
    assert "Use the base configuration" not in said
    assert "nan" not in said
    assert "The base configuration has no Sharpe ratio" in said


def test_a_result_that_vectorbt_does_not_repeat_stops_the_command(
    done: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backtests.sweep.findings.SAME_SHARPE", -1.0)
    with pytest.raises(SimulationError, match="to agree on the best configuration"):
        find(done)


def test_the_best_configuration_repeats_the_sweeps_figures(done: Swept, found: Findings) -> None:
    from backtests.pipeline import run

    again = run(best_config(done, found))
    assert (again.result.equity == found.run.result.equity).all()


# --- neighbours ----------------------------------------------------------------------------------


def values_of(*sets: str, **table: Any) -> tuple[Any, np.ndarray]:
    made = planned(request(*sets, table=table))[1]
    names = [path for path in made.paths if path in ("band", "volatility")]
    rows = [made.values(i) for i in range(len(made))]
    return made, np.array([sum(100 * float(row[name]) for name in names) for row in rows])


def test_in_a_grid_neighbours_differ_by_one_step_of_one_number() -> None:
    made, values = values_of(
        "band=0,0.01,0.02", "volatility=0.1,0.2,0.3", "schedule.every=month,week"
    )
    mean = mean_of_neighbours(made, values, np.arange(len(made)))
    for at in range(len(made)):
        row = made.rows[at]
        near = [
            values[i]
            for i, other in enumerate(made.rows)
            if np.abs(other - row).sum() == 1
            and made.values(i)["schedule.every"] == made.values(at)["schedule.every"]
        ]
        assert len(near) in (2, 3, 4)
        assert mean[at] == pytest.approx(np.mean(near))


def test_in_draws_neighbours_are_the_nearest() -> None:
    made, values = values_of("band=0:0.05", "volatility=0.1:0.3", design="lhs", samples=40)
    scaled = made.rows / np.array([max(len(level) - 1, 1) for level in made.levels])
    mean = mean_of_neighbours(made, values, np.arange(len(made)))
    clear = 0
    for at in range(len(made)):
        distance = ((scaled - scaled[at]) ** 2).sum(axis=1)
        order = np.argsort(distance)
        if distance[order[5]] - distance[order[4]] > 1e-9:  # a tie has two right answers
            clear += 1
            assert mean[at] == pytest.approx(values[order[1:5]].mean())
    assert clear > 10


def test_an_undefined_neighbour_is_left_out() -> None:
    made, values = values_of("band=0,0.01,0.02")
    values[0] = np.nan
    assert mean_of_neighbours(made, values, np.array([1]))[0] == pytest.approx(values[2])


def test_without_numbers_there_are_no_neighbours() -> None:
    made, values = values_of("schedule.every=month,week")
    assert np.isnan(mean_of_neighbours(made, values, np.array([0, 1]))).all()


# --- words and numbers ---------------------------------------------------------------------------


def test_the_verdict_says_hurdle_overfitting_neighbours_and_base(found: Findings) -> None:
    told, chosen, near, base = sentences(found)
    assert "the best of 32 trials" in told
    assert "own mix of SPY and bills is not adjusted for the other trials" in told
    assert f"In {100 * found.overfitting.probability:.0f} of 100 cases, the best" in chosen
    assert f"{found.neighbourhood:.2f}" in near
    assert f"beats {100 * found.beaten:.0f} %" in base


def test_numbers_are_plain_and_do_not_depend_on_the_way(
    done: Swept, found: Findings, tmp_path: Path
) -> None:
    numbers = sweep_numbers(done, found)
    assert numbers["sweep"]["configurations"] == 32
    assert numbers["sweep"]["simulated"] is True
    assert numbers["sweep"]["as_of"] == str(done.case.index[-1].date())
    assert numbers["best"]["values"] == done.case.design.values(found.best)
    assert numbers["luck"]["hurdle"] == pytest.approx(found.luck.hurdle)
    assert "seconds" not in numbers
    write_findings(done, found)
    assert (done.folder / "best.toml").read_text().startswith("# SIMULATED history\n")
    assert sorted(p.name for p in done.folder.iterdir() if not p.name.endswith(".lock")) == [
        *("best.toml", "results.parquet", "summary.json", "sweep.html", "sweep.toml")
    ]


def test_without_any_sharpe_ratio_there_is_no_best(tmp_path: Path) -> None:
    done = swept(tmp_path / "out", "lag=1,2", strategy="bills")
    with pytest.raises(SimulationError, match="expected a configuration with a Sharpe ratio"):
        find(done)
