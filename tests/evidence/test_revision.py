"""Results under a bound on revisions: the series that get a bound, and the rows of the table."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.evidence import metrics
from backtests.evidence.assessment import assess
from backtests.evidence.revision import FACTORS, LEFT_OUT, by_revision, revised_in
from backtests.evidence.sensitivity import sensitivity
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.report.page import render
from backtests.report.tearsheet_numbers import metrics_of
from backtests.report.tearsheet_tables import revision_rows
from backtests.runs import Run
from backtests.sources.alfred import FIRST_VINTAGE, VINTAGE
from backtests.store.batch import Batch
from backtests.store.store import Store
from signals import CostOfCapital, DryPowder, Policy

pytestmark = pytest.mark.usefixtures("evaluated_before")

TERMS = {"start": "2015-01-01"}
ALL_FACTORS = [f"× {factor:.2f}" for factor in FACTORS]


@pytest.fixture(scope="module")
def finished(history: History) -> Run:
    return run(config_from({"strategy": "cash-heavy", **TERMS}), history)


@pytest.fixture(scope="module")
def rows(finished: Run) -> pd.DataFrame:
    return by_revision(finished)


def test_gdp_is_moved_by_two_percent_and_the_term_premium_left_out(rows: pd.DataFrame) -> None:
    assert rows.index.tolist() == [
        *(("GDP", case) for case in ALL_FACTORS),
        ("THREEFYTP10", LEFT_OUT),
    ]


def with_gdp(rows: pd.DataFrame, factor: float) -> pd.Series:
    """Return the row of the run with GDP multiplied by ``factor``."""
    row = rows.loc[("GDP", f"× {factor:.2f}")]
    assert isinstance(row, pd.Series)
    return row


def test_times_one_is_the_run_itself(finished: Run, rows: pd.DataFrame) -> None:
    same = with_gdp(rows, 1.0)
    assert same["sessions_changed"] == 0
    assert same["cagr"] == pytest.approx(metrics.cagr(finished.result.returns), rel=1e-12)
    assert same["max_drawdown"] == metrics.max_drawdown(finished.result.returns).depth


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_another_factor_is_a_run_on_such_a_history(
    finished: Run, rows: pd.DataFrame, history: History, factor: float
) -> None:
    panel = history.panel.assign(GDP=history.panel["GDP"] * factor)
    whole = run(finished.config, replace(history, panel=panel))
    row = with_gdp(rows, factor)
    assert row["cagr"] == pytest.approx(metrics.cagr(whole.result.returns), rel=1e-12)
    index = finished.result.equity.index
    changed = (whole.reading.regime != finished.reading.regime).loc[index].mean()
    assert changed > 0
    assert row["sessions_changed"] == pytest.approx(changed)


def test_quantities_rest_on_gdp_alone_and_prices_on_no_revised_series(history: History) -> None:
    by_quantities = run(config_from({"strategy": "cash-heavy@quantities", **TERMS}), history)
    assert by_revision(by_quantities).index.tolist() == [("GDP", case) for case in ALL_FACTORS]
    spy = run(config_from({"strategy": "spy", **TERMS}), history)
    assert by_revision(spy).empty


def test_one_percent_of_gdp_moves_a_flag_by_two_months(history: History) -> None:
    """The first estimate of GDP for 2017Q3 was 1 % below the figure in the file."""

    def first_on(gdp: pd.Series) -> str:
        flag = DryPowder().evaluate(history.panel.assign(GDP=gdp)).flag.fillna(False).astype(bool)
        return str(flag[flag].index[0].date())

    assert first_on(history.panel["GDP"]) == "2018-05-10"
    assert first_on(history.panel["GDP"] * 0.99) == "2018-07-10"


# --- Which series get a bound ----------------------------------------------------------------


def test_a_series_with_vintages_needs_no_bound(finished: Run, history: History) -> None:
    ids, start = ("GDP", "THREEFYTP10"), finished.sessions[0]
    held = replace(history, archived_since=dict.fromkeys(ids, start))
    assert revised_in(history, ids, start) == ids
    assert revised_in(held, ids, start) == ()
    assert by_revision(replace(finished, history=held)).empty


def test_a_series_whose_vintages_begin_after_the_start_needs_one(
    finished: Run, history: History
) -> None:
    ids, start = ("GDP", "THREEFYTP10"), finished.sessions[0]
    later = start + pd.Timedelta(days=1)
    held = replace(history, archived_since={"GDP": start, "THREEFYTP10": later})
    assert revised_in(held, ids, start) == ("THREEFYTP10",)
    rows = by_revision(replace(finished, history=held))
    assert rows.index.tolist() == [("THREEFYTP10", LEFT_OUT)]


def test_only_revised_series_with_values_get_one(history: History) -> None:
    """NFCI counts only from its recording on. Yields and prices are never revised."""
    start = history.panel.index[0]
    assert revised_in(history, ("NFCI", "DGS10", "SPY", "WALCL"), start) == ()
    empty = replace(history, panel=history.panel.assign(GDP=float("nan")))
    assert revised_in(empty, ("GDP",), start) == ()


def rows_of(source: str) -> pd.DataFrame:
    rows = {
        "observed_on": pd.to_datetime(["2024-01-01", "2024-04-01"]).as_unit("us"),
        "available_at": pd.to_datetime(["2024-02-26 08:30", "2024-05-26 08:30"]).as_unit("us"),
        "value": [28_000.0, 28_100.0],
        "source": source,
    }
    return pd.DataFrame(rows)


def test_a_history_knows_which_columns_come_from_vintages(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.duckdb")
    plain, archive = pd.Timestamp("2025-01-02 09:00"), pd.Timestamp("2025-02-03 09:00")
    batches = [Batch(series_id=id, rows=rows_of("FRED")) for id in ("GDP", "M2SL")]
    store.add(batches, plain)
    assert History.load(store).archived_since == {}
    rows = rows_of("ALFRED").assign(source=[FIRST_VINTAGE, VINTAGE])
    store.add([Batch(series_id="GDP", rows=rows, vintages=True)], archive)
    began = {"GDP": rows["available_at"].iloc[1]}
    assert History.load(store).archived_since == began
    assert History.load(store, as_of="2025-01-15").archived_since == {}
    assert History.load(store).until("2024-03-01").archived_since == began


# --- Where it is shown -----------------------------------------------------------------------


def test_sensitivity_moves_flags_by_revised_series_too(history: History) -> None:
    chosen = {"dry_powder": DryPowder(), "cost_of_capital": CostOfCapital(), "policy": Policy()}
    rows = sensitivity(history.panel, chosen, ("GDP", "THREEFYTP10"))
    moved = {(row.signal, row.parameter, row.value): row for row in rows}
    assert {key for key in moved if key[1].startswith(("GDP", "with"))} == {
        *(("dry_powder", "GDP ×", factor) for factor in FACTORS if factor != 1),
        ("cost_of_capital", "with THREEFYTP10", 0.0),
    }
    lower = moved["dry_powder", "GDP ×", 0.99]
    assert lower.base == 1
    assert "2018-07-10" in lower.switches
    assert "2018-05-10" not in lower.switches
    assert lower.overlap < 1


def test_the_tearsheet_and_metrics_json_show_every_row(finished: Run, rows: pd.DataFrame) -> None:
    numbers = metrics_of(assess(finished))
    assert [(row["series"], row["case"]) for row in numbers["by_revision"]] == rows.index.tolist()
    shown = revision_rows(numbers)
    assert [row["CAGR, %"] for row in shown] == [f"{100 * cagr:.2f}" for cagr in rows["cagr"]]
    page = render("revision.html.j2", by_revision=shown)
    for row in shown:
        for cell in row.values():
            assert f"<td>{cell}</td>" in page
    assert render("revision.html.j2", by_revision=[]).strip() == ""
