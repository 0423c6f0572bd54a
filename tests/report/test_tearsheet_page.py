"""The tearsheet and its files: the page shows the numbers of the files, which match the run."""

import json
import re
import tomllib
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.cli.app import command
from backtests.config_data import config_from
from backtests.evidence.assessment import assess
from backtests.evidence.luck import p_said
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.report.folder import write_run
from backtests.report.glossary import TERMS
from backtests.report.luck_section import split_said
from backtests.report.tearsheet_numbers import notes_of
from backtests.report.tearsheet_tables import ROWS
from backtests.report.tearsheet_words import conclusion_said, strip
from backtests.runs import Run
from tests.browser import opened, overflow
from tests.reference import formulas

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.fixture(scope="module")
def finished(store: Path) -> Run:
    return run(config_from({"strategy": "near-cash-flow", "store": store, "start": "2015-01-01"}))


@pytest.fixture(scope="module")
def folder(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "out"
    write_run(assess(finished), out)
    return out


@pytest.fixture(scope="module")
def numbers(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return loaded


class MetricsTable(HTMLParser):
    """A parser for the metrics table of the page: values, and the texts shown for them."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[tuple[str, str], str] = {}
        self.shown: dict[tuple[str, str], str] = {}
        self.key = ""
        self.side = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.key = given.get("data-key") or self.key
        self.side = given.get("data-side") or ""
        if self.side:
            self.values[self.key, self.side] = given["data-value"] or ""

    def handle_data(self, data: str) -> None:
        if self.side:
            self.shown[self.key, self.side] = data
            self.side = ""


def test_the_page_shows_the_numbers_of_metrics_json(folder: Path, numbers: dict[str, Any]) -> None:
    table = MetricsTable()
    table.feed((folder / "tearsheet.html").read_text())
    assert {key for key, _ in table.values} == {metric.key for metric in ROWS}
    sides = {metric.key: metric.sides for metric in ROWS}
    for (key, side), value in table.values.items():
        expected = numbers[side].get(key) if side in sides[key] else None
        if isinstance(expected, float):
            assert float(value) == expected
        else:
            assert value == ("" if expected is None else str(expected))
    for metric in ROWS:
        shown = metric.form(numbers["strategy"][metric.key])
        assert table.shown[metric.key, "strategy"] == shown


def test_a_metric_without_meaning_for_the_benchmark_or_bills_shows_a_dash(folder: Path) -> None:
    table = MetricsTable()
    table.feed((folder / "tearsheet.html").read_text())
    for key, side in [
        *(("tracking_error", side) for side in ("benchmark", "bills")),
        *(("information_ratio", side) for side in ("benchmark", "bills")),
        *(("skew", "bills"), ("excess_kurtosis", "bills")),
    ]:
        assert table.shown[key, side] == "–", (key, side)
        assert table.shown[key, "strategy"] != "–", key


def test_metrics_json_equals_plain_formulas_on_returns_csv(
    folder: Path, numbers: dict[str, Any]
) -> None:
    table = pd.read_csv(folder / "returns.csv")
    bills, benchmark = list(table["bills"]), list(table["benchmark"])
    for side in ("strategy", "benchmark"):
        returns, said = list(table[side]), numbers[side]
        monthly = formulas.months(returns, list(table["date"].str[:7]))
        plain = {
            "cagr": formulas.cagr(returns),
            "volatility": formulas.volatility(returns),
            "sharpe": formulas.sharpe(returns, bills),
            "sortino": formulas.sortino(returns, bills),
            "max_drawdown": formulas.max_drawdown(returns),
            "calmar": formulas.calmar(returns),
            "var_95": formulas.var_95(returns),
            "cvar_95": formulas.cvar_95(returns),
            "beta": formulas.beta(returns, benchmark),
            "skew": formulas.skew(returns),
            "excess_kurtosis": formulas.kurtosis(returns),
            "tracking_error": formulas.tracking_error(returns, benchmark),
            "months_above_zero": sum(m > 0 for m in monthly) / len(monthly),
            "best_month": max(monthly),
            "worst_month": min(monthly),
        }
        if side == "strategy":
            plain["information_ratio"] = formulas.information_ratio(returns, benchmark)
        for key, value in plain.items():
            assert said[key] == pytest.approx(value, rel=1e-9), (side, key)


def test_trading_figures_equal_sums_over_orders_csv(folder: Path, numbers: dict[str, Any]) -> None:
    orders = pd.read_csv(folder / "orders.csv")
    returns = pd.read_csv(folder / "returns.csv").set_index("date")["strategy"]
    equity = 1e6 * (1 + returns).cumprod()
    years = len(returns) / 252
    turnover = sum(
        abs(o["units"]) * o["price"] / equity[o["date"]] / 2 for o in orders.to_dict("records")
    )
    assert numbers["strategy"]["turnover"] == pytest.approx(turnover / years, rel=1e-9)
    mean_equity = (1e6 + equity.sum()) / (len(equity) + 1)
    costs = orders["cost"].sum() / mean_equity / years
    assert numbers["strategy"]["costs"] == pytest.approx(costs, rel=1e-9)


def test_metrics_json_has_the_documented_form(numbers: dict[str, Any]) -> None:
    described = {"strategy", "source", "start", "end", "lag", "initial_capital", "run_id"}
    assert described <= numbers["run"].keys()
    assert {"strategy", "benchmark", "bills"} <= numbers.keys()
    assert {"exposure", "turnover", "costs"} <= numbers["strategy"].keys()
    assert numbers["strategy"]["max_drawdown"] < 0


def test_page_and_metrics_json_show_luck_lead_and_lag_and_timing(
    folder: Path, numbers: dict[str, Any]
) -> None:
    page = unescape((folder / "tearsheet.html").read_text())
    said = (numbers["luck"]["verdict"], numbers["lead_lag"]["said"], split_said(numbers["timing"]))
    assert all(sentence in page for sentence in said)
    assert numbers["luck"]["sharpe"] == pytest.approx(numbers["strategy"]["sharpe"])
    assert numbers["luck"]["trials"] == 1
    assert numbers["luck"]["own_mix"]["p_value"] > 0
    assert list(numbers["lead_lag"]["information_ratios"]) == [str(n) for n in range(-5, 11)]
    returns = pd.read_csv(folder / "returns.csv")["strategy"]
    assert numbers["timing"]["total"] == pytest.approx(252 * returns.mean(), rel=1e-9)


def test_the_p_value_of_timing_leads_to_the_section_that_explains_it(
    folder: Path, numbers: dict[str, Any]
) -> None:
    page = unescape((folder / "tearsheet.html").read_text())
    said = p_said(numbers["conclusion"]["timing_p_value"])
    assert f'timing {said} (see <a href="#lead-and-lag">lead and lag</a>)' in page
    assert page.index('id="lead-and-lag"') < page.index(f'<p id="timing-p">Timing {said}: ')


def test_returns_csv_begins_the_session_after_the_first_decision(
    folder: Path, numbers: dict[str, Any]
) -> None:
    table = pd.read_csv(folder / "returns.csv")
    assert list(table.columns) == ["date", "strategy", "benchmark", "bills"]
    assert numbers["run"]["start"] == "2015-01-02"
    assert table["date"].iloc[0] == "2015-01-05"
    assert len(table) == numbers["run"]["sessions"]
    said = f"{len(table):,} sessions with a return"
    assert said in (folder / "tearsheet.html").read_text(encoding="utf-8")


def test_weights_csv_holds_decisions_and_orders_come_a_session_later(folder: Path) -> None:
    weights, orders = pd.read_csv(folder / "weights.csv"), pd.read_csv(folder / "orders.csv")
    assert list(orders.columns) == ["date", "asset", "units", "price", "cost"]
    sessions = ["2015-01-02", *pd.read_csv(folder / "returns.csv")["date"]]
    fills = {sessions[sessions.index(day) + 1] for day in weights["date"]}
    assert set(orders["date"]) == fills
    assert (weights.drop(columns="date").sum(axis=1) <= 1 + 1e-9).all()


def test_flags_csv_has_a_flag_and_a_score_for_every_signal(folder: Path) -> None:
    from signals import SIGNALS

    table = pd.read_csv(folder / "flags.csv")
    names = [column for name in SIGNALS for column in (name, f"{name}_score")]
    assert set(table.columns) == {"date", "regime", *names}
    assert set(table["dry_powder"].dropna()) == {0, 1}
    switched = table.loc[table["dry_powder"].diff() == 1, "date"]
    assert list(switched) == ["2018-05-10", "2025-10-08"]


def test_the_page_of_files_names_the_columns(folder: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+\.csv)` \| (.*) \|$", page, flags=re.MULTILINE)
    named = {name: re.findall(r"`(\w+)`", text) for name, text in rows}
    columns = {name: list(pd.read_csv(folder / name).columns) for name in named}
    assert sorted(named) == ["flags.csv", "orders.csv", "returns.csv", "weights.csv"]
    assert named["returns.csv"] == columns["returns.csv"]
    assert named["orders.csv"] == columns["orders.csv"]
    assert named["weights.csv"] == columns["weights.csv"][:1]
    assert named["flags.csv"] == ["date", "regime", "dry_powder", "dry_powder_score"]
    assert set(named["flags.csv"]) < set(columns["flags.csv"])


def test_config_toml_names_the_run(folder: Path) -> None:
    config = tomllib.loads((folder / "config.toml").read_text())
    assert config["strategy"] == "near-cash-flow"
    assert str(config["start"]) == "2015-01-01"
    assert config["costs"]["crypto_bp"] == 20.0


@pytest.mark.parametrize("strategy", ["bills", "spy", "bitcoin"])
def test_a_page_comes_out_for_portfolios_that_hardly_vary(
    store: Path, tmp_path: Path, strategy: str
) -> None:
    config = config_from({"strategy": strategy, "store": store, "start": "2025-11-15"})
    write_run(assess(run(config)), tmp_path / "out")
    page = (tmp_path / "out" / "tearsheet.html").read_text()
    assert page.rstrip().endswith("</html>")
    assert f"<h1>{strategy}</h1>" in page


def test_the_page_says_which_model_decides_the_regime(
    finished: Run, folder: Path, tmp_path: Path
) -> None:
    """With another model, the votes on the page decide nothing."""
    config = finished.config.model_copy(update={"regime_model": "quantities"})
    reading = finished.reading
    model = config.build_model().classify(finished.history.panel, reading.evaluations)
    other = replace(finished, config=config, reading=reading.under(model))
    write_run(assess(other, robustness=False), tmp_path / "out")
    page = (tmp_path / "out" / "tearsheet.html").read_text()
    assert "The regime comes from the model quantities, so no flag votes." in page
    votes = (
        '<td class="words">votes</td>',
        *('<div class="title">(', "A signal in brackets does not vote"),
        *("Votes at the end", "and votes at"),
    )
    for said in votes:
        assert said not in page
        assert said in (folder / "tearsheet.html").read_text()


def test_the_configuration_names_the_kind_of_history(finished: Run, tmp_path: Path) -> None:
    """A history made from DataFrames is not a store."""
    for source in ("store", "frames"):
        own = replace(finished, history=replace(finished.history, source=source))
        write_run(assess(own, robustness=False), tmp_path / source)
        page = (tmp_path / source / "tearsheet.html").read_text()
        assert f">{source}, run {own.run_id}" in page


@pytest.mark.usefixtures("uncharted")
@pytest.mark.parametrize(
    ("spread", "said"), [(0.125, "less 12.5 bp"), (-0.1, "plus 10 bp"), (0.0, "less 0 bp")]
)
def test_the_configuration_shows_each_setting_without_rounding(
    store: Path, tmp_path: Path, spread: float, said: str
) -> None:
    terms = {
        "strategy": "spy",
        "store": store,
        "start": "2025-06-02",
        "band": 0.0005,
        "initial_capital": 1.0,
        "bill_spread": spread,
        "costs": {"etf_bp": 0.25, "borrow_stock": 0.00025},
    }
    write_run(assess(run(config_from(terms)), robustness=False), tmp_path / "out")
    page = (tmp_path / "out" / "tearsheet.html").read_text()
    assert f"earn the 3-month bill rate {said}." in page
    assert f"idle cash earns 3-month bills {said}<" in page
    assert "A drift of up to 0.05 percentage points per asset" in page
    assert "one way 0.25 bp for funds, 5 bp for stocks, 20 bp for crypto" in page
    assert "borrowing 0.025 % a year for funds and stocks, 5 % a year for crypto" in page
    final = json.loads((tmp_path / "out" / "metrics.json").read_text())["run"]["final_equity"]
    assert f"1 USD at the start, {final:.2f} USD at the end" in page


@pytest.mark.usefixtures("uncharted")
@pytest.mark.parametrize(
    ("every", "said"),
    [
        ("week", "The strategy decides 2 sessions after the end of every week."),
        ("day", "The strategy decides at the end of every day."),
    ],
)
def test_the_configuration_says_when_the_strategy_decides(
    store: Path, tmp_path: Path, every: str, said: str
) -> None:
    """A strategy that decides on every day has no delay."""
    schedule = {"every": every, "offset": 2}
    terms = {"strategy": "spy", "store": store, "start": "2025-06-02", "schedule": schedule}
    write_run(assess(run(config_from(terms)), robustness=False), tmp_path / "out")
    assert said in (tmp_path / "out" / "tearsheet.html").read_text()


@pytest.mark.parametrize(("strategy", "said"), [("cash-heavy", True), ("spy", False)])
def test_a_run_that_begins_before_the_regime_is_known_says_so(
    history: History, strategy: str, said: bool
) -> None:
    config = config_from({"strategy": strategy, "start": "2012-01-03", "end": "2016-12-30"})
    finished = run(config, history)
    unknown = int(finished.reading.regime.loc[finished.sessions].isna().sum())
    assert unknown > 100
    note = f"no regime is known on {unknown:,} of {len(finished.sessions):,} sessions; the returns"
    assert any(each.startswith(note) for each in notes_of(finished)) == said


@pytest.mark.usefixtures("plainly")
@pytest.mark.parametrize(
    ("strategy", "concluded", "on_change"),
    [("near-cash-flow", True, True), ("patient", False, True), ("spy", True, False)],
)
def test_page_and_terminal_draw_the_same_conclusion_from_the_episodes(
    strategy: str,
    concluded: bool,
    on_change: bool,
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Since 2015, ABSORPTION had enough episodes; the state that ``patient`` awaits had none."""
    words = ["run", strategy, "--store", str(store), "--start", "2015-01-01"]
    assert command([*words, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    page = (tmp_path / "out" / "tearsheet.html").read_text()
    nothing = "othing can be concluded about timing"
    assert (nothing in said) == (nothing in page) == (not concluded)
    assert (", and when its state changes" in page) == on_change
    for text in (said, page):
        assert "ABSORPTION had 6 episodes and began 10 times." in text


def rows_of_table(page: str, name: str) -> list[list[str]]:
    """Return the cells of a table of the page: a list for each row, without the header."""
    table = re.search(rf'<table id="{name}">.*?</table>', page, re.DOTALL)
    assert table
    rows = re.findall(r"<tr>(.*?)</tr>", table[0].partition("<tbody>")[2], re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


@pytest.fixture(scope="module")
def fallen(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that ends in its deepest drawdown."""
    terms = {"strategy": "spy", "store": store, "start": "2018-01-02", "end": "2020-03-31"}
    out = tmp_path_factory.mktemp("fallen") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backtests.report.tearsheet_page._varies", lambda returns: False)
        write_run(assess(run(config_from(terms)), robustness=False), out)
    return out


def test_a_drawdown_that_is_still_open_has_no_recovery_date(fallen: Path) -> None:
    """The run ends while SPY is still 20 % below its peak of 2020-02-19."""
    page = (fallen / "tearsheet.html").read_text()
    deepest, *others = rows_of_table(page, "drawdowns")
    assert deepest[1:4] == ["2020-02-19", "2020-03-23", "open"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row[3]) for row in others)
    assert "<td>2020-03-31</td>" not in page
    said = json.loads((fallen / "metrics.json").read_text())
    assert said["drawdowns"][0]["recovered"] is None
    assert said["drawdowns"][0]["depth"] == said["strategy"]["max_drawdown"]
    assert deepest[0] == f"{100 * said['drawdowns'][0]['depth']:.2f}"
    assert deepest[4] == str(said["strategy"]["max_drawdown_sessions"])


def test_each_year_s_own_return_stands_in_one_table(fallen: Path) -> None:
    page = (fallen / "tearsheet.html").read_text()
    returns = pd.read_csv(fallen / "returns.csv")
    expected = [
        [year, *(f"{100 * formulas.total_return(list(part[side])):.2f}" for side in SIDES)]
        for year, part in returns.groupby(returns["date"].str[:4])
    ]
    assert rows_of_table(page, "years") == expected
    assert [row[0] for row in expected] == ["2018", "2019", "2020"]
    assert "<th>return</th>" not in page  # the attribution by year splits profit, not return


def test_the_turnover_of_a_year_is_said_to_be_a_part_of_the_mean(
    folder: Path, numbers: dict[str, Any]
) -> None:
    parts = numbers["attribution"]["by_year"]
    total = sum(row["turnover"] for row in parts.values())
    assert total == pytest.approx(numbers["strategy"]["turnover"])
    said = 'The columns "turnover" and "cost" show how much each row adds to the mean of all years.'
    assert said in unescape((folder / "tearsheet.html").read_text())


SIDES = ("strategy", "benchmark", "bills")


def test_the_title_is_the_strategy_alone(folder: Path) -> None:
    assert "<title>near-cash-flow</title>" in (folder / "tearsheet.html").read_text()


@pytest.mark.usefixtures("uncharted")
def test_below_a_year_there_is_a_total_return_and_no_figure_a_year(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All 43 sessions of the run are in ABSORPTION, which began earlier: one episode, no entry."""
    words = ["run", "cash-heavy", "--store", str(store), "--start", "2025-10-29"]
    assert command([*words, "--out", str(tmp_path / "out")]) == 0
    terminal = capsys.readouterr().out
    page = (tmp_path / "out" / "tearsheet.html").read_text()
    plain = re.sub(r"<(script|svg).*?</\1>", "", page, flags=re.DOTALL)
    plain = plain.partition('id="glossary"')[0]
    for said in (terminal, plain):
        assert "43 sessions are less than a year" in said
        assert "100 % of the sessions were in ABSORPTION" in said
        assert "Total return" in said
        assert "the mean of all years" not in said
        assert not re.search("CAGR|Sharpe, over|Turnover, a year|Volatility, a year", said)
    assert "ABSORPTION had 1 episode and began 0 times." in terminal
    numbers = json.loads((tmp_path / "out" / "metrics.json").read_text())
    for side in SIDES:
        assert numbers[side]["cagr"] is None
        assert isinstance(numbers[side]["total_return"], float)
    assert numbers["regimes"]["ABSORPTION"]["share"] == 1.0
    assert numbers["regimes"]["ABSORPTION"]["mean_excess"] is None
    assert numbers["attribution"]["total"]["turnover"] is None
    assert numbers["attribution"]["total"]["return"] == pytest.approx(
        numbers["strategy"]["total_return"]
    )
    assert all(row["cagr"] is None for row in numbers["robustness"])


def test_the_page_is_whole_and_asks_nobody(folder: Path) -> None:
    page = (folder / "tearsheet.html").read_text()
    assert not re.search(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?https?:""", page)
    assert "{{" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "hindsight" in page
    assert "not investment advice" in page


@pytest.mark.usefixtures("plainly")
def test_the_page_warns_of_stale_history_unless_an_end_was_asked_for(
    folder: Path, store: Path, tmp_path: Path
) -> None:
    warning = "the history ends on 2025-12-31"
    assert warning in (folder / "tearsheet.html").read_text()
    asked = config_from(
        {"strategy": "bills", "store": store, "start": "2025-06-02", "end": "2025-12-31"}
    )
    write_run(assess(run(asked)), tmp_path / "out")
    assert warning not in (tmp_path / "out" / "tearsheet.html").read_text()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "dark")])
def test_a_browser_finds_no_fault(folder: Path, browser: Any, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, folder / "tearsheet.html", width, scheme) as (page, troubles):
        assert overflow(page) <= 0
        assert [found["id"] for found in Axe().run(page).response["violations"]] == []
        names = page.eval_on_selector_all("svg[role=img]", "all => all.map(x => x.ariaLabel)")
        assert all(names)
        assert len(names) == page.locator("svg").count()
    assert troubles == []


@pytest.mark.browser
def test_the_first_screen_says_the_result_and_how_much_to_trust_it(
    folder: Path, browser: Any, numbers: dict[str, Any]
) -> None:
    with opened(browser, folder / "tearsheet.html") as (page, _):
        assert page.inner_text("#conclusion") == conclusion_said(numbers)
        shown = page.locator("#answers > div")
        for at, cell in enumerate(strip(numbers)):
            answer = shown.nth(at)
            said = answer.inner_text().replace(" (see lead and lag)", "").split("\n")
            assert said == [cell[k] for k in ("title", "value", "note")]
            frame = answer.bounding_box()
            assert frame["y"] + frame["height"] < 600


@pytest.mark.browser
def test_pointer_and_keys_read_a_day_with_its_weights_regime_and_drawdown(
    folder: Path, browser: Any
) -> None:
    returns = pd.read_csv(folder / "returns.csv", index_col="date")
    growth = (1 + returns["strategy"]).cumprod()
    with opened(browser, folder / "tearsheet.html") as (page, _):
        chart, values = page.locator("#growth .panels"), page.locator("#growth .values")
        frame = chart.locator(".plot").first.bounding_box()
        page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + 20)
        place = round(len(returns) / 2)  # the chart begins at the close before the first return
        assert values.inner_text()[:10] in returns.index[place - 3 : place + 2]
        chart.press("End")
        last = values.inner_text()
        assert last.startswith(returns.index[-1])
        assert f"{growth.iloc[-1]:.4g}" in last
        assert f"{100 * (growth.iloc[-1] / growth.max() - 1):.1f} %" in last
        assert "cash" in last
        assert re.search("regime at the close\\s+ABSORPTION", last)
        chart.press("ArrowLeft")
        assert values.inner_text().startswith(returns.index[-2])
        chart.press("Escape")
        assert not values.is_visible()


@pytest.mark.browser
def test_a_term_is_explained_under_the_focus_and_at_the_end(folder: Path, browser: Any) -> None:
    with opened(browser, folder / "tearsheet.html") as (page, _):
        link = page.locator("#metrics .term", has_text="Sharpe")
        link.focus()
        assert page.inner_text("#definition") == TERMS["Sharpe"]
        link.press("Enter")
        assert page.inner_text("dd:target") == TERMS["Sharpe"]


@pytest.mark.browser
def test_no_table_is_cut_on_paper(folder: Path, browser: Any) -> None:
    """A4 is 210 mm wide. Without margins of 24 mm, 703 CSS pixels are left."""
    right = "x => Math.round(x.getBoundingClientRect().right)"
    with opened(browser, folder / "tearsheet.html", 703) as (page, _):
        page.emulate_media(media="print")
        found = page.eval_on_selector_all("td, th, svg, .values", f"all => all.map({right})")
        assert max(found) <= 703


@pytest.mark.browser
def test_charts_and_tests_of_luck_can_be_read_on_a_phone(folder: Path, browser: Any) -> None:
    """The font of a chart shrinks with the chart; a wide chart scrolls instead."""
    sizes = """all => all.map(text => {
        const svg = text.ownerSVGElement, scale = svg.clientWidth / svg.viewBox.baseVal.width;
        return scale * parseFloat(getComputedStyle(text).fontSize);
    })"""
    right = "all => all.map(cell => cell.getBoundingClientRect().right)"
    with opened(browser, folder / "tearsheet.html", 390) as (page, _):
        assert min(page.eval_on_selector_all("svg.chart text", sizes)) > 9
        assert max(page.eval_on_selector_all("#luck td:nth-child(2)", right)) < 250


@pytest.mark.browser
def test_on_paper_a_heading_stays_with_what_it_is_about(folder: Path, browser: Any) -> None:
    after = "all => all.map(one => getComputedStyle(one).breakAfter)"
    with opened(browser, folder / "tearsheet.html", 703) as (page, _):
        page.emulate_media(media="print")
        assert {*page.eval_on_selector_all("h2, h2 + p", after)} == {"avoid"}


def test_counts_of_sessions_have_commas(folder: Path, numbers: dict[str, Any]) -> None:
    page = (folder / "tearsheet.html").read_text(encoding="utf-8")
    sessions = {row[0]: row[1] for row in rows_of_table(page, "regimes")}
    assert sessions == {name: f"{r['sessions']:,}" for name, r in numbers["regimes"].items()}


def test_the_page_is_small_and_every_link_has_its_place(folder: Path) -> None:
    page = (folder / "tearsheet.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 1_500_000
    places = re.findall(r' id="([^"]+)"', page)
    assert len(places) == len(set(places))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(places)


def test_the_page_shows_the_unchanged_run_once(folder: Path, numbers: dict[str, Any]) -> None:
    """metrics.json keeps the rows that repeat the run, so each choice has all of its cases."""
    page = (folder / "tearsheet.html").read_text(encoding="utf-8")
    table = re.search(r'<table id="robustness">.*?</table>', page, re.DOTALL)
    assert table
    shown = re.findall(r'<th scope="row">(.*?)</th><td class="words">(.*?)</td>', table[0])
    every = [(row["choice"], row["case"]) for row in numbers["robustness"]]
    repeated = [("lag", "1 session"), ("costs", "× 1"), ("rebalance day", "+0 sessions")]
    assert set(repeated) < set(every)
    assert shown == [("this run", ""), *(case for case in every[1:] if case not in repeated)]


def test_the_dots_stand_where_their_values_are(folder: Path, numbers: dict[str, Any]) -> None:
    page = (folder / "tearsheet.html").read_text(encoding="utf-8")
    table = re.search(r'<table id="robustness">.*?</table>', page, re.DOTALL)
    assert table
    rows = table[0].split("<tr")[2:]
    dots = [re.findall(r'class="dot" style="left:([\d.]+)%"', row) for row in rows]
    bases = {tuple(re.findall(r'class="base" style="left:([\d.]+)%"', row)) for row in rows}
    repeated = {("lag", "1 session"), ("costs", "× 1"), ("rebalance day", "+0 sessions")}
    cases = {(row["choice"], row["case"]): row["cagr"] for row in numbers["robustness"]}
    values = [value for case, value in cases.items() if case not in repeated]
    low, high = min(values), max(values)
    expected = [4 + 92 * (value - low) / (high - low) for value in values]
    assert [float(row[0]) for row in dots] == pytest.approx(expected, abs=0.06)
    assert bases == {tuple(dots[0])}
