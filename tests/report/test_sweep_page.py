"""The page of a sweep: its words, its heat map, and that it loads nothing from elsewhere."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtests.report.svg import CHARACTER
from backtests.report.sweep_charts import (
    distribution_chart,
    parallel_chart,
    scatter_chart,
)
from backtests.report.sweep_folder import write_findings
from backtests.report.sweep_maps import MOST, grouped, heat_maps, shown_value
from backtests.sweep.findings import Findings, find
from backtests.sweep.sweep import Swept
from tests.browser import opened, overflow
from tests.sweep.world import swept

pytestmark = pytest.mark.usefixtures("evaluated_before")

LARGEST = 2_000_000  # bytes


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    sets = ("dry_powder.k=0.07:0.11:3", "volatility=0.1:0.3:14", "schedule.every=month,week")
    return swept(tmp_path_factory.mktemp("page") / "out", *sets)


@pytest.fixture(scope="module")
def found(done: Swept) -> Findings:
    return find(done)


@pytest.fixture(scope="module")
def numbers(done: Swept, found: Findings) -> dict[str, Any]:
    return write_findings(done, found)


@pytest.fixture(scope="module")
def path(done: Swept, numbers: dict[str, Any]) -> Path:
    return done.folder / "sweep.html"


@pytest.fixture(scope="module")
def page(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_page_is_small_and_holds_every_part(page: str) -> None:
    assert len(page.encode()) < LARGEST
    for heading in (
        *("Two parameters at a time", "How much is luck?", "All parameters at once"),
        *("Growth of the best configuration", "The best configurations"),
    ):
        assert f"<h2>SIMULATED: {heading}</h2>" in page


def test_the_page_opens_with_the_verdict(page: str, numbers: dict[str, Any]) -> None:
    assert page.index('id="verdict"') < page.index("<svg") < page.index("<script")
    for sentence in numbers["verdict"]:
        assert sentence in page.replace("&#39;", "'")


def test_a_simulated_history_is_labelled_on_every_chart(page: str) -> None:
    names = re.findall(r'<svg class="chart[^"]*" role="img" aria-label="([^"]*)"', page)
    assert len(names) == 5
    assert "SIMULATED: growth of 1, shaded by regime" in page
    assert all(name.startswith("SIMULATED: ") for name in names)
    assert "SIMULATED history: nothing on this page happened" in page
    assert "<title>SIMULATED: sweep of near-cash-flow</title>" in page


def test_bars_and_colours_are_explained(page: str) -> None:
    assert "The height of a bar is a number of configurations." in page
    assert "The height of a bar is a number of splits." in page
    assert "blue lines are the second-best fifth" in page


def test_the_page_says_what_it_joins_and_draws(page: str) -> None:
    assert "The map joins neighbouring values of volatility into at most 12 groups." in page
    assert "The chart shows all 84 configurations." in page


def test_a_heat_map_shows_all_configurations_of_a_cell(done: Swept, found: Findings) -> None:
    groups = grouped(done.case.design)
    data = heat_maps(found, groups)
    assert [len(group.labels) for group in groups] == [3, MOST, 2]
    table = found.table.assign(
        volatility_group=groups[1].at, k=groups[0].at, every=groups[2].at
    ).groupby(["k", "volatility_group"])
    for statistic, how in (("mean", "mean"), ("lowest", "min"), ("highest", "max")):
        expected = table["sharpe"].agg(how).unstack().to_numpy()
        key = f"dry_powder.k|volatility|sharpe|{statistic}"
        np.testing.assert_allclose(np.array(data["maps"][key]), expected.round(2), atol=1e-9)
    falls = np.array(data["maps"]["dry_powder.k|volatility|max_drawdown|lowest"])
    expected = 100 * table["max_drawdown"].min().unstack().to_numpy()
    np.testing.assert_allclose(falls, expected.round(1), atol=1e-9)


def test_joined_groups_hold_neighbouring_values(done: Swept) -> None:
    group = grouped(done.case.design)[1]
    levels = done.case.design.levels[1]
    assert group.labels[0].startswith(f"{shown_value(levels[0])} to ")
    assert group.labels[-1].endswith(f" to {shown_value(levels[-1])}")
    of_level = [int(group.at[done.case.design.rows[:, 1] == i][0]) for i in range(len(levels))]
    assert of_level == sorted(of_level)
    assert set(of_level) == set(range(MOST))


def test_an_undefined_number_leaves_a_chart_whole() -> None:
    sharpes = np.array([0.1, np.nan, 0.3])
    chart = distribution_chart(sharpes, {"best": 0.3, "hurdle": float("nan")}, "n")
    assert "best 0.30" in chart
    assert "hurdle" not in chart
    assert "nan" not in chart
    points = scatter_chart(sharpes, sharpes[::-1], ("x", "y"), "n", best=0)
    assert points.count("<circle") == 1
    assert points.count('class="mark c1"') == 1


@pytest.mark.parametrize(
    "marks",
    [
        {"base": 0.79, "best": 0.82, "hurdle": 0.39, "expected best without skill": 0.03},
        {"hurdle": 0.9, "expected best without skill": 0.1, "best": 0.5},
        {"best": 0.2, "base": 0.1, "hurdle": 0.3},
    ],
)
def test_no_label_of_a_mark_crosses_the_line_of_another_mark(marks: dict[str, float]) -> None:
    """The line of a mark begins a little above its label, and leads down."""
    chart = distribution_chart(np.linspace(0, 1, 50), marks, "n")
    lines = {kind: float(x) for kind, x in re.findall(r'class="rule c(\d)" x1="([\d.]+)"', chart)}
    labels = re.findall(
        r'class="tc(\d)" x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">(.*?)<', chart
    )
    assert len(lines) == len(labels) == len(marks)
    rows = {kind: float(y) for kind, _, y, _, _ in labels}
    for _, x, y, anchor, said in labels:
        wide = CHARACTER * len(said) * (-1 if anchor == "end" else 1)
        ends = sorted((float(x), float(x) + wide))
        higher = [place for other, place in lines.items() if rows[other] < float(y)]
        assert not any(ends[0] < place < ends[1] for place in higher), said


def test_the_page_says_what_each_parameter_means_and_its_unit(page: str) -> None:
    table = re.search(r'id="best-values">.*?</table>', page, flags=re.DOTALL)
    assert table
    for path, meaning in (
        ("dry_powder.k", "reserves that banks need, as a fraction of GDP"),
        ("volatility", "yearly"),
        ("schedule.every", "the strategy decides on the last session of every"),
    ):
        row = next(row for row in table[0].split("<tr>") if f">{path}<" in row)
        assert meaning in row, path
        assert re.search(rf'<th scope="col" title="[^"]*{meaning}', page), path


def test_equal_numbers_leave_a_chart_whole() -> None:
    assert "nan" not in distribution_chart(np.full(5, 0.5), {"base": 0.5}, "n")
    chart = parallel_chart(
        [("k", ["1"]), ("Sharpe", ["0", "1"])], np.zeros((3, 2)), np.zeros(3), "n"
    )
    assert "nan" not in chart


# --- In a browser --------------------------------------------------------------------------------


def shown(web: Any) -> list[list[str]]:
    rows = "[...document.querySelectorAll('#map tbody tr')]"
    found: list[list[str]] = web.evaluate(
        f"{rows}.map(r => [...r.cells].slice(1).map(c => c.textContent))"
    )
    return found


@pytest.mark.browser
def test_the_heat_map_shows_any_two_parameters_for_any_metric(
    browser: Any, path: Path, page: str
) -> None:
    maps = json.loads(re.search(r"const data = (\{.*\});", page)[1])["maps"]  # type: ignore[index]
    with opened(browser, path) as (web, troubles):
        assert len(shown(web)) == 3  # the parameters with the most values come first
        for down, across, metric, statistic, digits in (
            ("dry_powder.k", "schedule.every", "cagr", "highest", 1),
            ("volatility", "dry_powder.k", "sharpe", "mean", 2),
        ):
            for name, value in (
                *(("down", down), ("across", across)),
                *(("metric", metric), ("statistic", statistic)),
            ):
                web.select_option(f"#{name}", value)
            key = f"{down}|{across}|{metric}|{statistic}"
            table = (
                maps.get(key) or np.array(maps[f"{across}|{down}|{metric}|{statistic}"]).T.tolist()
            )
            assert shown(web) == [
                [f"{v:.{digits}f}".replace("-", "\N{MINUS SIGN}") for v in row] for row in table
            ]
        web.select_option("#down", "volatility")
        web.select_option("#across", "volatility")
        assert "Choose two different parameters." in web.inner_text("#map")
        assert troubles == []


@pytest.mark.browser
def test_the_best_fifth_can_be_shown_alone(browser: Any, path: Path) -> None:
    lines = "[...document.querySelectorAll('#parallel .path')]"
    visible = f"{lines}.filter(p => getComputedStyle(p).display !== 'none').length"
    with opened(browser, path) as (web, troubles):
        every = web.evaluate(visible)
        web.click("#only")
        assert web.evaluate(visible) == pytest.approx(every / 5, abs=1)
        assert web.get_attribute("#only", "aria-pressed") == "true"
        assert troubles == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_the_screen_and_asks_nobody(
    browser: Any, path: Path, width: int, scheme: str
) -> None:
    with opened(browser, path, width, scheme) as (web, troubles):
        assert overflow(web) <= 0
        assert troubles == []


@pytest.mark.browser
def test_a_reader_without_sight_can_use_the_page(browser: Any, path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, path) as (web, _):
        found = Axe().run(web).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]][:2]) for v in found] == []


@pytest.mark.browser
def test_a_sweep_of_one_parameter_has_a_map_of_one_row(browser: Any, tmp_path: Path) -> None:
    one = swept(tmp_path / "out", "lag=1,2,3")
    write_findings(one, find(one))
    with opened(browser, one.folder / "sweep.html") as (web, troubles):
        assert [len(row) for row in shown(web)] == [3]
        assert troubles == []


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0850000001, "0.085"), (1260, "1260"), (9999.7, "10,000"), (1.5e6, "1,500,000")],
)
def test_a_value_has_no_exponent(value: float, said: str) -> None:
    assert shown_value(value) == said
