"""The page of a comparison: its words, its sorting, and that it loads nothing from elsewhere."""

import copy
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.entries import NOTHING
from backtests.report.compare_charts import FEW_ROWS, curves_chart, styles
from backtests.report.compare_page import COLUMNS, write_compare_page
from backtests.report.correlation_chart import correlation_chart, correlations
from backtests.report.lead_lag_lines import lead_lag_lines
from backtests.report.risk_chart import far_points, place_labels, risk_chart
from signals.errors import DataError
from signals.universe import HINDSIGHT
from tests.browser import opened, overflow
from tests.lucky import lead_lag, lucky

KINDS = {
    "near-cash-flow": "thesis",
    "cash-heavy@quantities": "thesis",
    "spy": "baseline",
    "bills": "baseline",
    "bitcoin": "baseline",
    "trend": "challenger",
    "mine": "own",
}
# Sorted as texts, these numbers would have another order: "-0.021" < "0.093" < "0.11" < "1.4".
CAGR: dict[str, float | None] = dict(
    zip(KINDS, (0.093, 0.11, 1.4, -0.021, None, 0.1, 1e-5), strict=True)
)
ABOUT: dict[str, Any] = {
    "start": "2015-01-02",
    "end": "2016-02-25",
    "sessions": 299,
    "below_a_year": False,
    "source": "store",
    "simulated": False,
    "stale": None,
    "level": 0.95,
    "reps": 1000,
    "coverage": "In simulated worlds 95 % intervals held the truth in 80 % (its script).",
    "leaning": "If placebos resample returns, the rank of a strategy is too high on average.",
    "lags": [1],
    "hindsight": HINDSIGHT,
    "notes": ["mine@jump_model is left out: no package"],
    "ranked": 12,
    "absorption_episodes": 2,
    "absorption_entered": 4,
}


FIGURES = {"total_return": 0.5, "cagr": 0.1, "sharpe": 0.9, "max_drawdown": -0.2}
#: A finished run whose data have changed since the run.
CHANGED: dict[str, Any] = {
    "folder": "out/mine",
    "source": "store",
    "labels": None,
    "run_id": "abc",
    "version": "1",
    "start": ABOUT["start"],
    "end": ABOUT["end"],
    "same": False,
    "changed_from": "2015-06-01",
    "largest_difference": 0.01,
    "own": FIGURES,
    "again": FIGURES,
}


def interval(estimate: float | None) -> dict[str, float | None]:
    if estimate is None:
        return {"estimate": None, "low": None, "high": None}
    return {"estimate": estimate, "low": estimate - 0.05, "high": estimate + 0.05}


def entry(name: str) -> dict[str, Any]:
    """Return the numbers of a strategy; bills have no Sharpe ratio, and bitcoin has no CAGR.

    ``tests/evidence/test_comparison.py`` checks the keys against a real comparison.
    """
    place, timed = list(KINDS).index(name), KINDS[name] != "baseline"
    sharpe = None if name == "bills" else 0.1 * place
    differences = ("excess_spy", "excess_bills", "excess_mix", "excess_equal_weight")
    return {
        "line": f"what {name} does",
        "link": "L8, L13" if KINDS[name] == "thesis" else "",
        "kind": KINDS[name],
        "total_return": CAGR[name],
        "cagr": CAGR[name],
        "volatility": 0.05 + 0.02 * place,
        "sharpe": sharpe,
        "sortino": sharpe,
        "max_drawdown": -0.1 - 0.05 * place,
        "calmar": None,
        "exposure": 0.9,
        "turnover": 1.375,
        "costs": 0.0012,
        "intervals": {"sharpe": interval(sharpe), **{d: interval(0.01) for d in differences}},
        "mix": {"share": 0.9, "cagr": 0.08, "sharpe": 0.7, "max_drawdown": -0.3},
        "alpha": {"estimate": 0.04, "low": -0.001, "high": 0.08, "t": 1.83} if timed else None,
        "equal_weight": {"cagr": 0.123, "sharpe": 0.8, "max_drawdown": -0.5} if timed else None,
        "placebo": {"kind": "shifts", "rank": 0.83, "p_value": 0.171, "n": 1000} if timed else None,
        "placebo_note": "shifted" if timed else "the strategy's weights never change",
        "episodes": (2 if place else 5) if timed else None,
        "entered": 7 if timed else None,
        "conclusion": "no telling from its constant mix" if timed else "no timing",
        "start": ABOUT["start"],
        "end": ABOUT["end"],
        "settings": [],
        "pair": None,
        "saved": CHANGED if name == "mine" else None,
        **lucky(sharpe, significant=name == "trend"),
        **({} if timed else {"lead_lag": None}),
    }


NUMBERS = {name: entry(name) for name in KINDS}


def growth_of(names: Any, sessions: int) -> pd.DataFrame:
    days = pd.bdate_range("2015-01-02", periods=sessions)
    steps = np.random.default_rng(1).normal(3e-4, 0.01, (sessions, len(names)))
    steps[0] = 0
    return pd.DataFrame(np.exp(steps.cumsum(axis=0)), index=days, columns=list(names))


GROWTH = growth_of(KINDS, 300)
REGIME = pd.Series([None] * 100 + ["NEUTRAL"] * 100 + ["ABSORPTION"] * 100, index=GROWTH.index)


def write(folder: Path, numbers: dict[str, Any] = NUMBERS, **about: Any) -> Path:
    path = folder / "compare.html"
    write_compare_page(numbers, GROWTH, REGIME, ABOUT | about, path)
    return path


def plain(page: str) -> str:
    """Return a page without its scripts, which a reader does not see."""
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def cells(page: str, name: str) -> dict[str, tuple[str, str]]:
    """Return a row of the table: for each column, the value for sorting and the text."""
    row = re.search(rf'<th scope="row" data-value="{name}">.*?</tr>', page, re.DOTALL)
    assert row
    pattern = r'<td data-column="(.*?)" data-value="(.*?)".*?>(.*?)</td>'
    return {column: (value, shown) for column, value, shown in re.findall(pattern, row[0], re.S)}


# --- What it says ------------------------------------------------------------------------------


def test_every_number_of_the_table_is_that_of_the_numbers(page: str) -> None:
    row = cells(page, "cash-heavy@quantities")
    assert list(row) == [heading for heading, _, _ in COLUMNS]
    assert row["CAGR, %"] == ("0.11", "11.0")
    assert row["Sharpe"] == ("0.1", "0.10<small>[0.05, 0.15]</small>")
    assert row["max drawdown, %"][1] == "-15.0"
    assert row["exposure, %"][1] == "90"
    assert row["turnover, % a year"] == ("1.375", "138")
    assert row["costs, % a year"][1] == "0.12"
    assert row["minus own mix, points"] == ("0.01", "1.0<small>[-4.0, 6.0]</small>")
    assert row["alpha on own assets, points"] == ("0.04", "4.0<small>[-0.1, 8.0]\nt 1.8</small>")
    assert row["placebo rank"] == ("0.83", "0.83<small>p 0.171\n1,000 shifts</small>")
    for name in KINDS:
        for heading, _, cell in COLUMNS:
            assert cells(page, name)[heading][0] == cell(NUMBERS[name]).value


def test_the_first_session_counts_as_a_session_without_a_return(page: str) -> None:
    """A history from one date to another has one session more than it has returns."""
    assert len(GROWTH) == 300
    assert "299 sessions with a return" in page


def test_each_difference_stands_in_its_own_column(tmp_path: Path) -> None:
    numbers = copy.deepcopy(NUMBERS)
    for points, side in enumerate(("spy", "bills", "mix"), start=1):
        numbers["mine"]["intervals"][f"excess_{side}"] = interval(points / 100)
    row = cells(write(tmp_path, numbers).read_text(), "mine")
    headings = ("minus SPY, points", "minus bills, points", "minus own mix, points")
    assert [row[heading][0] for heading in headings] == ["0.01", "0.02", "0.03"]


def test_below_the_table_stands_how_often_intervals_cover_and_what_alpha_is(page: str) -> None:
    below = page[page.index("</table>") :]
    assert ABOUT["coverage"] in below
    assert ABOUT["leaning"] in below
    assert "can have the same exposure and different betas" in below


def test_a_page_without_ranks_says_nothing_about_ranked_rows(tmp_path: Path) -> None:
    said = write(tmp_path, leaning=None, ranked=0).read_text()
    assert 'id="leaning"' not in said
    assert "By chance alone" not in said


def test_what_is_missing_is_a_dash_and_sorts_as_nothing(page: str) -> None:
    assert cells(page, "bitcoin")["CAGR, %"] == ("", "–")
    assert cells(page, "bills")["Sharpe"] == ("", "–")
    assert cells(page, "spy")["placebo rank"] == ("", "–")
    assert cells(page, "spy")["episodes"] == ("", "–")
    assert cells(page, "spy")["alpha on own assets, points"] == ("", "–")
    assert not re.search(r"\b(nan|None)\b", plain(page))


def test_nan_is_a_dash_and_sorts_as_nothing(tmp_path: Path) -> None:
    missing = dict.fromkeys(("cagr", "total_return"), float("nan"))
    numbers = NUMBERS | {"spy": NUMBERS["spy"] | missing}
    assert cells(write(tmp_path, numbers).read_text(), "spy")["CAGR, %"] == ("", "–")


def test_below_a_year_the_total_return_stands_in_the_place_of_cagr(
    page: str, tmp_path: Path
) -> None:
    short = {"cagr": None, "sharpe": None, "volatility": None, "total_return": 0.44}
    numbers = {name: e | short for name, e in NUMBERS.items()}
    written = write(tmp_path, numbers, below_a_year=True, sessions=119).read_text()
    assert cells(written, "mine")["CAGR, %"] == ("", "–<small>44.0 in total</small>")
    said = "119 sessions are less than a year, so the page leaves out yearly figures"
    assert said in written
    assert "less than a year" not in page


def test_fewer_than_three_episodes_conclude_nothing_on_the_row_and_below(page: str) -> None:
    """Only episodes count, not how often the state was entered."""
    few = [name for name, e in NUMBERS.items() if e["episodes"] == 2]
    assert few == ["cash-heavy@quantities", "trend", "mine"]
    for name in KINDS:
        row = cells(page, name)
        assert (NOTHING in row["conclusion"][1]) == (name in few)
        assert ("too few" in row["episodes"][1]) == (name in few)
    assert cells(page, "near-cash-flow")["episodes"] == ("5", "5<small>entered 7</small>")
    listed = re.search(r'<p id="few".*?</p>', page, re.DOTALL)
    assert listed
    assert "cash-heavy@quantities (2), trend (2), mine (2)." in listed[0]
    assert "near-cash-flow" not in listed[0]


def test_a_conclusion_that_says_so_itself_is_not_said_twice(tmp_path: Path) -> None:
    said = f"2 episodes: {NOTHING}"
    numbers = NUMBERS | {"mine": NUMBERS["mine"] | {"conclusion": said}}
    assert cells(write(tmp_path, numbers).read_text(), "mine")["conclusion"][1] == said


def test_mix_twin_and_placebo_stand_under_each_name(page: str) -> None:
    section = re.search(r'<section id="about-0">.*?</section>', page, re.DOTALL)
    assert section
    for said in ("what near-cash-flow does", "L8, L13", "own mix, 90 % SPY", "12.3", "shifted"):
        assert said in section[0]
    for at, name in enumerate(KINDS):
        assert f'<section id="about-{at}">\n<h3>{name} ' in page
        assert f'<a href="#about-{at}"' in page


def test_the_page_says_what_it_cannot_know(page: str) -> None:
    assert HINDSIGHT in plain(page)
    for said in (
        "out of sample",
        "Capacity and tax are not modelled. Research, not investment advice.",
        "mine@jump_model is left out",
        "95 % intervals. The intervals come from the stationary bootstrap, with 1,000 resamples of",
        "ABSORPTION had 2 episodes and began 4 times.",
        "Nothing can be concluded about timing from fewer than 3 episodes.",
    ):
        assert said in page


def test_simulated_history_is_labelled_wherever_it_reaches(page: str, tmp_path: Path) -> None:
    simulated = write(tmp_path, simulated=True, source="simulated").read_text()
    assert "<title>SIMULATED" in simulated
    assert '<p class="simulated">SIMULATED' in simulated
    headings = re.findall(r"<h[12][^>]*>(.*?)</h[12]>", simulated)
    headings += re.findall(r'<h3 class="chart">(.*?)</h3>', simulated)
    assert len(headings) == 12
    assert all(heading.startswith("SIMULATED") for heading in headings)
    assert "SIMULATED" not in plain(page)


def test_a_row_whose_folder_has_other_numbers_says_so(page: str) -> None:
    changed = 'class="changed">mine</a><small>its numbers differ from the saved numbers</small>'
    assert changed in page
    assert page.count("its numbers differ from the saved numbers") == 1
    assert '<p class="note">mine: its returns differ from the returns saved in out/mine' in page


def test_stale_history_is_said(page: str, tmp_path: Path) -> None:
    assert "When this page was made" not in page
    stale = write(tmp_path, stale="the history ends on 2016-02-25").read_text()
    assert "When this page was made: the history ends on 2016-02-25." in stale


def test_a_name_cannot_break_the_page(tmp_path: Path) -> None:
    name = "<script>alert('own')</script>"
    path = tmp_path / "compare.html"
    grown = GROWTH.rename(columns={"mine": name})
    numbers = {name if key == "mine" else key: e for key, e in NUMBERS.items()}
    write_compare_page(numbers, grown, REGIME, ABOUT, path)
    assert "<script>alert" not in path.read_text()


# --- That it is whole --------------------------------------------------------------------------


def test_the_page_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = write(tmp_path)
    before = path.read_bytes()
    broken = {name: {k: v for k, v in e.items() if k != "mix"} for name, e in NUMBERS.items()}
    with pytest.raises(KeyError):
        write(tmp_path, broken)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text().rstrip().endswith("</html>")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="expected to write to"):
        write(tmp_path / "file")


@pytest.mark.parametrize("grown", [GROWTH.drop(columns="spy"), GROWTH.assign(gold=1.0)])
def test_growth_of_other_strategies_is_refused(grown: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"same strategies.*(spy|gold)"):
        write_compare_page(NUMBERS, grown, REGIME, ABOUT, tmp_path / "compare.html")


def test_a_page_without_strategies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found no strategy; give .* at least one strategy"):
        write_compare_page({}, GROWTH[[]], REGIME, ABOUT, tmp_path / "compare.html")


def test_thirty_strategies_of_eleven_years_stay_small(tmp_path: Path) -> None:
    names = [f"strategy-{i}" for i in range(30)]
    path = tmp_path / "compare.html"
    numbers = dict.fromkeys(names, NUMBERS["near-cash-flow"])
    write_compare_page(numbers, growth_of(names, 2770), REGIME, ABOUT, path)
    assert path.stat().st_size < 3e6


# --- Luck, lead and lag ------------------------------------------------------------------------


def rows_of(page: str, table: str) -> dict[str, list[str]]:
    """Return the rows of a table of the page: a mapping from first cell to the other cells."""
    found = re.search(rf'<table id="{table}">.*?</table>', page, re.DOTALL)
    assert found
    rows = re.findall(r"<tr>(.*?)</tr>", found[0], re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return {first: rest for first, *rest in cells}


def test_the_table_of_luck_has_the_numbers_under_their_names(page: str) -> None:
    rows = rows_of(page, "luck")
    shown = dict(zip(rows["strategy"], rows["trend"], strict=True))
    assert list(rows)[1:] == list(KINDS)
    assert shown == {
        "Sharpe": "0.50",
        "standard error": "0.29",
        "hurdle": "0.81",
        "unlikely to be luck": "yes",
        "probabilistic": "0.988",
        "deflated, 2026": "0.871",
        "deflated, 2014": "0.642",
        "minimum record, sessions": "1,421",
        "power, %": "53",
        "false discoveries, %": "1.2",
        "own mix, p": "0.014",
        "may be best, p": "0.23",
        "better than": "trend",
    }
    assert rows["spy"][3] == "no"
    assert rows["bills"][3] == "–"
    assert "In 11 % of the splits, the best row fails (PBO)." in page


def test_the_table_of_timing_has_the_numbers_under_their_names(page: str) -> None:
    rows = rows_of(page, "timing")
    assert dict(zip(rows["strategy"], rows["trend"], strict=True)) == {
        "bills, % a year": "1.73",
        "tilt, % a year": "15.41",
        "timing, % a year": "1.93",
        "trading costs, % a year": "-0.08",
        "borrowing, % a year": "-0.12",
        "total, % a year": "18.87",
    }


@pytest.mark.parametrize("table", ["luck", "timing"])
def test_a_screen_reader_knows_the_strategy_of_a_row(page: str, table: str) -> None:
    found = re.search(rf'<table id="{table}">.*?</table>', page, re.DOTALL)
    assert found
    assert re.findall(r'<tr><th scope="row">(.*?)</th>', found[0]) == list(KINDS)


def drawn(svg: str) -> dict[str, str]:
    """Return the lines of a chart by name, each with the text of its element."""
    return {
        found[1]: found[0]
        for found in re.finditer(r'<path class="(?:line|curve)" data-line="(.*?)".*?>', svg)
    }


def test_the_chart_of_lead_and_lag_marks_what_is_impossible() -> None:
    ratios = {"trend": lead_lag()["information_ratios"]}
    svg = lead_lag_lines(ratios, styles(KINDS), "SIMULATED: lead and lag")
    assert list(drawn(svg)) == ["trend"]
    assert "Ratio by lag: -5: 0.60, -4: 0.58" in svg
    assert "10: 0.30</title>" in svg
    assert "impossible: filled at or before the decision" in svg
    ground = re.search(r'<rect x="56" y="26" width="(.*?)"', svg)
    assert ground
    assert float(ground[1]) == pytest.approx(1010 * 5.5 / 15, abs=0.1)  # lags -5 to 0.5 of -5 to 10
    assert 'aria-label="SIMULATED' in svg
    assert "data-line" not in lead_lag_lines({}, styles(KINDS), "none has ratios")


def test_each_line_of_lead_and_lag_has_a_name_beside_the_chart(page: str) -> None:
    chart = page[page.index('id="lag-lines"') : page.index('id="timing"')]
    path = r'<path class="line" data-line="(.*?)"( hidden)? style="stroke:(.*?)[;"]'
    sample = r'<span data-line="(.*?)"( hidden)?>\s*<svg.*?stroke:(.*?)[;"]'
    assert re.findall(sample, chart) == re.findall(path, chart) != []


def test_a_row_that_collapses_is_named(tmp_path: Path, page: str) -> None:
    assert "If fills come one session later, no strategy's information ratio collapses." in page
    fallen = NUMBERS["mine"] | {"lead_lag": lead_lag(collapse=0)}
    text = write(tmp_path, NUMBERS | {"mine": fallen}).read_text("utf-8")
    assert "The ratio collapses for mine: check for look-ahead." in text


def test_figures_below_a_year_are_dashes(tmp_path: Path) -> None:
    short = copy.deepcopy(NUMBERS)
    for each in short.values():
        each |= {"timing": None, "lead_lag": None, "luck": lucky(None)["luck"]}
        each["luck"] |= {"own_mix": None, "confidence_set_p": None}
        each["luck"]["table"]["said"] = ""
    text = write(tmp_path, short).read_text("utf-8")
    assert set(rows_of(text, "timing")["trend"]) == {"–"}
    assert "The choice of the best row is not tested." in text


# --- The charts --------------------------------------------------------------------------------


def test_at_first_only_the_thesis_and_what_it_is_held_to_are_drawn() -> None:
    looks = styles(KINDS | {"near-cash-flow@jump_model": "thesis", "sixty-forty": "baseline"})
    assert [name for name, look in looks.items() if look.shown] == [
        "near-cash-flow", "cash-heavy@quantities", "spy", "bills", "mine", "sixty-forty",
    ]  # fmt: skip
    lines = drawn(curves_chart(GROWTH, REGIME, styles(KINDS), "growth"))
    assert " hidden" in lines["trend"]
    assert " hidden" not in lines["spy"]


def test_the_pointer_shows_drawdowns_in_percent() -> None:
    days = pd.bdate_range("2024-01-01", periods=4)
    growth = pd.DataFrame({"spy": [1.0, 2.0, 1.0, 1.5]}, index=days)
    looks = {"spy": styles(KINDS)["spy"]}
    drawing = curves_chart(growth, pd.Series("NEUTRAL", index=days), looks, "growth")
    data = re.search(r'<script type="application/json">(.*?)</script>', drawing)
    assert data
    rows = {row["title"]: row for row in json.loads(data[1])["rows"]}
    assert rows["growth of 1, log scale"]["lines"][0]["values"] == [1, 2, 1, 1.5]
    assert rows["drawdown, %"]["lines"][0]["values"] == [0, 0, -50, -25]


def test_a_few_lines_are_all_drawn() -> None:
    few = dict(list(KINDS.items())[1:])
    assert len(few) == FEW_ROWS
    assert all(look.shown for look in styles(few).values())
    assert not all(look.shown for look in styles(KINDS).values())


def test_all_lines_look_different() -> None:
    from backtests.evidence.comparing import default_names

    looks = styles({name: "challenger" if "@" in name else "thesis" for name in default_names()})
    assert len({(look.colour, look.dash) for look in looks.values()}) == len(looks)


def test_growth_is_shaded_from_the_close_before_a_regime_s_first_return() -> None:
    """A session's return is drawn as the line from the previous close to the session's close."""
    svg = curves_chart(GROWTH, REGIME, styles(KINDS), "growth")
    backdrop = re.search(r'<g class="backdrop">(.*?)</g>', svg)
    assert backdrop
    starts = re.findall(r'<rect x="(.*?)" width="(.*?)"', backdrop[1])
    edges = [1000 * at / 299 for at in (0, 99, 199, 299)]
    expected = [(left, right - left) for left, right in pairwise(edges)]
    found = [(float(left), float(wide)) for left, wide in starts]
    assert found == [pytest.approx(pair, abs=0.1) for pair in expected]


def test_the_axis_of_growth_has_plain_numbers() -> None:
    grown = pd.DataFrame({"spy": np.geomspace(0.6, 12, 300)}, index=GROWTH.index)
    svg = curves_chart(grown, REGIME, styles({"spy": "baseline"}), "growth")
    ticks = re.findall(r'<span class="tick".*?>(.*?)</span>', svg)
    assert ticks[:4] == ["1", "2", "5", "10"]


def test_correlations_are_those_of_daily_returns() -> None:
    grown = GROWTH[["spy", "trend"]].assign(flat=1.0)
    returns = grown["spy"].pct_change().iloc[1:], grown["trend"].pct_change().iloc[1:]
    expected = np.corrcoef(*returns)[0, 1]
    assert correlations(grown).loc["spy", "trend"] == pytest.approx(expected, abs=1e-12)
    svg = correlation_chart(grown, "correlations")
    assert f"<title>spy and trend: {expected:.2f}</title>" in svg
    assert "<title>spy and flat" not in svg


def test_a_point_far_off_squeezes_nobody_and_is_named(tmp_path: Path) -> None:
    numbers = {f"s{i}": entry("trend") | {"volatility": 0.1 + i / 100} for i in range(10)}
    assert far_points(numbers) == {}
    numbers["bitcoin"] = entry("trend") | {"volatility": 0.7, "cagr": 0.6}
    assert far_points(numbers) == {"bitcoin": (70.0, 60.0)}
    svg = risk_chart(numbers, "risk")
    assert "<title>s3: volatility 13.0 %, CAGR 10.0 %, Sharpe 0.50</title>" in svg
    assert "bitcoin" not in svg
    said = "Outside the chart: bitcoin (volatility 70 %, CAGR 60 %)."
    grown = growth_of(numbers, 300)
    path = tmp_path / "far.html"
    write_compare_page(numbers, grown, REGIME, ABOUT, path)
    assert said in path.read_text("utf-8")
    numbers = {name: e for name, e in numbers.items() if name in ("s0", "bitcoin")}
    assert far_points(numbers) == {}


def test_labels_cover_neither_one_another_nor_points() -> None:
    crowd = {f"name-{i}": (500.0 + 7 * i, 200.0 + 5 * (i % 4)) for i in range(30)}
    assert 0 < len(place_labels(crowd)) < 30
    apart = {"left": (100.0, 100.0), "right": (600.0, 300.0)}
    assert place_labels(apart) == {"left": (108.0, 93.5), "right": (608.0, 293.5)}


# --- In a browser ------------------------------------------------------------------------------


def sorted_by(page: Any, heading: str) -> tuple[str, list[str]]:
    """Click on a heading; return its ``aria-sort``, and the names in the order of the table."""
    page.get_by_role("button", name=heading, exact=True).click()
    order = page.locator("th[aria-sort]").get_attribute("aria-sort")
    return order, page.evaluate(
        "[...document.querySelectorAll('#strategies tbody tr')].map(r => r.cells[0].dataset.value)"
    )


UPWARD = ["bills", "mine", "near-cash-flow", "trend", "cash-heavy@quantities", "spy"]


def sorts_by_number(page: Any) -> bool:
    """Return whether CAGR sorts downward, then upward, each time with missing values last."""
    downward = sorted_by(page, "CAGR, %") == ("descending", [*UPWARD[::-1], "bitcoin"])
    return downward and sorted_by(page, "CAGR, %") == ("ascending", [*UPWARD, "bitcoin"])


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_browser_opens_it_without_error_request_overflow_or_barrier(
    path: Path, browser: Any, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, path, width, scheme) as (page, troubles):
        assert overflow(page) <= 0
        assert page.locator("svg[role=img]").count() == 5
        assert [found["id"] for found in Axe().run(page).response["violations"]] == []
    assert troubles == []


@pytest.mark.browser
@pytest.mark.parametrize(("width", "hint"), [(1200, True), (1280, False), (1300, False)])
def test_the_last_column_is_in_the_window_or_a_hint_says_where(
    path: Path, browser: Any, width: int, hint: bool
) -> None:
    """On a screen of 1,280 pixels, the table of real history has room; below, it scrolls."""
    region = "document.querySelector('.scroll:has(#strategies)')"
    with opened(browser, path, width) as (page, _):
        hidden = page.evaluate(f"{region}.scrollWidth - {region}.clientWidth")
        said = page.evaluate(f"getComputedStyle({region}, '::before').content")
    assert ("scroll sideways" in said) == hint
    assert hint or hidden <= 0


@pytest.mark.browser
def test_no_table_is_cut_on_a_sheet_of_a4(path: Path, browser: Any) -> None:
    """A sheet in landscape with margins of 10 mm is 1,047 pixels wide."""
    wide = "[...document.querySelectorAll('table, svg')].map(e => e.getBoundingClientRect().right)"
    page = browser.new_page(viewport={"width": 1047, "height": 718})
    page.emulate_media(media="print")
    page.goto(f"file://{path}")
    assert max(page.evaluate(wide)) <= 1048
    sheet = page.pdf(prefer_css_page_size=True)
    page.close()
    assert re.search(rb"/MediaBox \[0 0 84[12][\d.]* 59[45]", sheet)


@pytest.mark.browser
def test_on_paper_keys_stay_with_their_charts_and_headings_are_whole_words(
    path: Path, browser: Any
) -> None:
    """Without margins of 20 mm, A4 across is 1,047 CSS pixels wide."""
    after = "all => all.map(one => getComputedStyle(one).breakAfter)"
    lines = """all => all.map(cell => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getClientRects().length;
    })"""
    with opened(browser, path, 1047) as (page, _):
        page.emulate_media(media="print")
        assert {*page.eval_on_selector_all(".picks", after)} == {"avoid"}
        assert page.eval_on_selector_all("#strategies thead th:first-child button", lines) == [1]


@pytest.mark.browser
def test_an_error_a_request_and_an_overflow_would_be_noticed(
    page: str, tmp_path: Path, browser: Any
) -> None:
    planted = (
        "<script>planted()</script><img src='http://127.0.0.1:9/x.png'>"
        "<div style='width:900px'>wide</div></main>"
    )
    broken = tmp_path / "broken.html"
    broken.write_text(plain(page).replace("</main>", planted))
    with opened(browser, broken, 390) as (shown, troubles):
        assert overflow(shown) > 0
    assert any("planted" in trouble for trouble in troubles)
    assert any("127.0.0.1" in trouble for trouble in troubles)


@pytest.mark.browser
def test_a_click_sorts_by_number_and_a_second_one_reverses(path: Path, browser: Any) -> None:
    with opened(browser, path, 1280) as (shown, troubles):
        assert sorts_by_number(shown)
        assert sorted_by(shown, "strategy")[0] == "ascending"
        assert shown.locator("th[aria-sort]").count() == 1
        shown.get_by_role("button", name="episodes", exact=True).focus()
        shown.keyboard.press("Enter")
        assert shown.locator("th[aria-sort]").text_content() == "episodes"
    assert troubles == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Number(a) - Number(b)", "a.localeCompare(b)"),
        ('a === "" || b === ""', "false"),
        ("sign * compare(a, b)", "compare(a, b)"),
    ],
)
def test_a_table_that_sorts_wrongly_would_be_noticed(
    page: str, tmp_path: Path, browser: Any, right: str, wrong: str
) -> None:
    assert page.count(right) == 1
    broken = tmp_path / "broken.html"
    broken.write_text(page.replace(right, wrong))
    with opened(browser, broken, 1280) as (shown, _):
        assert not sorts_by_number(shown)


@pytest.mark.browser
def test_kinds_and_lines_can_be_picked(path: Path, browser: Any) -> None:
    shown = "[...document.querySelectorAll('#{} path:not([hidden])')].map(p => p.dataset.line)"
    with opened(browser, path, 1280) as (page, troubles):
        page.locator("#kinds").get_by_text("challenger").click()
        assert page.locator("#strategies tbody tr:visible").count() == 1
        page.locator("#kinds").get_by_text("all", exact=True).click()
        assert page.locator("#strategies tbody tr:visible").count() == len(KINDS)
        page.locator("#lines summary").click()
        page.locator("#lines").get_by_text("trend", exact=True).click()
        assert page.locator("#lag-lines").get_by_text("trend", exact=True).is_visible()
        for chart in ("curves", "lead-lag"):
            assert "trend" in page.evaluate(shown.format(chart))
            assert "bitcoin" not in page.evaluate(shown.format(chart))
        page.locator("#lines").get_by_text("none", exact=True).click()
        assert page.evaluate(shown.format("curves")) == []
    assert troubles == []


@pytest.mark.browser
def test_the_axis_fits_the_lines_that_are_shown(browser: Any, tmp_path: Path) -> None:
    """A hidden line that grows a hundredfold does not make the visible lines flat."""
    path, grown = tmp_path / "page.html", GROWTH.copy()
    grown["bitcoin"] = np.geomspace(1, 100, len(grown))
    write_compare_page(NUMBERS, grown, REGIME, ABOUT, path)
    height = "document.querySelector('#curves svg').viewBox.baseVal.height"
    with opened(browser, path, 1280) as (page, troubles):
        before = page.evaluate(height)
        page.locator("#lines summary").click()
        page.locator("#lines").get_by_text("bitcoin", exact=True).click()
        assert page.evaluate(height) > 3 * before
        assert page.locator("#curves .panel").first.get_by_text("50", exact=True).is_visible()
    assert troubles == []


@pytest.mark.browser
def test_the_pointer_names_the_lines_that_are_shown(path: Path, browser: Any) -> None:
    with opened(browser, path, 1280) as (page, _):
        plot = page.locator("#curves .plot").first
        plot.scroll_into_view_if_needed()
        plot.hover()
        label = page.locator("#curves .values").text_content()
        assert re.match(r"201[56]-\d\d-\d\d", label)
        assert "near-cash-flow" in label
        assert "trend" not in label


@pytest.mark.browser
def test_each_axis_has_numbers_for_the_lines_that_are_shown(browser: Any, tmp_path: Path) -> None:
    """A hidden line that loses nearly all does not take the numbers from the visible lines."""
    path, grown = tmp_path / "page.html", GROWTH.copy()
    grown["bitcoin"] = np.geomspace(1, 0.02, len(grown))
    write_compare_page(NUMBERS, grown, REGIME, ABOUT, path)
    heights = "all => all.map(e => e.getBoundingClientRect().top).sort((a, b) => a - b)"
    with opened(browser, path, 1280) as (page, troubles):
        for panel in page.locator("#curves .panel").all():
            tops = panel.locator(".tick").evaluate_all(heights)
            assert len(tops) > 1
            assert min(np.diff(tops)) >= 20
            rules = panel.locator(".grid").evaluate_all(heights)
            assert np.diff(rules) == pytest.approx(np.diff(tops), abs=1)
    assert troubles == []


def test_rows_with_the_same_note_share_one_note(tmp_path: Path) -> None:
    notes = [f"{name}: no regime is known on 746 of 4,772 sessions" for name in ("mine", "trend")]
    page = write(tmp_path, NUMBERS, notes=[*notes, "spy: SPY has a gap"]).read_text("utf-8")
    assert '"note">no regime is known on 746 of 4,772 sessions: mine, trend<' in page
    assert '"note">spy: SPY has a gap<' in page
