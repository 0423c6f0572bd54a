"""The page of flags: its charts begin with a regime, name their thresholds, and show no markup."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import signals
from backtests.history.panel import History
from backtests.report.flags_charts import first_regime, flags_timeline, levels_of, signal_panels
from backtests.report.flags_numbers import flags_numbers
from backtests.report.flags_page import write_flags_page
from signals.hysteresis import Threshold
from signals.reading import Reading
from tests.browser import folded, opened, overflow

pytestmark = pytest.mark.usefixtures("evaluated_before")

LARGEST = 3_000_000
#: Markup of docstrings: backticks, roles, emphasis, literal blocks and directives.
MARKUP = re.compile(r"`|:\w+:`|::|\*\*|\*\w|\w\*|\.\. \w")


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


@pytest.fixture(scope="module")
def reading(history: History) -> Reading:
    return signals.read(history.panel)


@pytest.fixture(scope="module")
def path(history: History, reading: Reading, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("flags") / "flags.html"
    write_flags_page(history, reading, file)
    return file


@pytest.fixture(scope="module")
def page(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def text_of(page: str) -> str:
    """Return the visible text of a page, also that of tooltips and of names of pictures."""
    shown = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    names = re.findall(r'(?:title|aria-label)="([^"]*)"', shown)
    return unescape(" ".join([re.sub(r"<[^>]+>", " ", shown), *names]))


def test_no_markup_of_docstrings_is_shown(page: str) -> None:
    assert "Formula" in text_of(page)
    assert MARKUP.findall(text_of(page)) == []


@pytest.mark.parametrize("leak", ["``k``", ":class:`Capex`", "so::", "**sure**", ".. note"])
def test_markup_would_be_noticed(page: str, leak: str) -> None:
    assert MARKUP.search(text_of(page.replace("</main>", f"<p>{leak}</p></main>")))


def test_the_page_begins_with_the_regime_and_its_reason(page: str, reading: Reading) -> None:
    regime = reading.regime.iloc[-1]
    heading = re.search(r"<h1>(.*?)</h1>", page)
    assert heading
    assert heading[1].startswith(f"{regime} since 20")
    conclusion = re.search(r'id="conclusion">(.*?)</p>', page)
    assert conclusion
    assert conclusion[1].startswith("Decided by ")
    assert page.index("conclusion") < page.index('id="timeline"') < page.index('id="signals"')


def test_all_charts_begin_with_the_first_regime(page: str, reading: Reading) -> None:
    start = first_regime(reading)
    assert start == reading.regime.first_valid_index()
    assert start > reading.regime.index[0]
    assert f"The charts begin on {start.date()}. If" in page
    firsts = [int(day) for day in re.findall(r'"days":\[(\d+)', page)]
    assert len(firsts) == len(signals.SIGNALS) + 1
    earliest = (start - pd.Timestamp(0)).days
    assert min(firsts) == pytest.approx(earliest, abs=7)  # the pointer skips sessions
    assert all(first >= earliest for first in firsts)


def test_a_history_without_a_regime_has_a_page(history: History, tmp_path: Path) -> None:
    early = history.until(history.panel.index[40])
    write_flags_page(early, signals.read(early.panel), tmp_path / "flags.html")
    page = (tmp_path / "flags.html").read_text("utf-8")
    assert "<h1>no regime</h1>" in page
    assert '<i style="background:var(--state-none)"></i>no regime<' in page


def test_a_screen_reader_knows_the_signal_of_a_row(page: str) -> None:
    named = re.findall(r'<tr><th scope="row"><a href="#(\w+)">', page)
    assert named == list(signals.SIGNALS)


def test_the_table_says_that_flag_and_value_can_have_different_gauges(page: str) -> None:
    said = "The flag can depend on another gauge. The last column names this gauge."
    assert said in text_of(page)


def test_each_threshold_is_named_at_its_line_with_value_and_unit(page: str) -> None:
    for said in (
        "on above 0.5",
        "off below 0.4",
        "on below 1 % of GDP",
        "off above 2 % of GDP",
        "on below -20 %, off above it",
    ):
        assert re.search(rf'<span class="named[^>]*">{said}</span>', page), said


@pytest.mark.parametrize(
    ("above", "leave", "expected"),
    [
        (True, 0.0, [("on above 1 σ", 1.0), ("off below 0 σ", 0.0)]),
        (False, 2.0, [("on below 1 σ", 1.0), ("off above 2 σ", 2.0)]),
        (False, 1.0, [("on below 1 σ, off above it", 1.0)]),
    ],
)
def test_levels_say_what_they_do(
    above: bool, leave: float, expected: list[tuple[str, float]]
) -> None:
    threshold = Threshold(gauge="score", enter=1.0, leave=leave, above=above)
    assert levels_of(threshold, "σ") == expected


def test_the_lowest_name_stands_below_its_line(reading: Reading, history: History) -> None:
    """If both names stood above their lines, the names of two close levels would overlap."""
    inputs = history.panel[["GDP"]]
    svg = signal_panels(
        reading.evaluations["absorption"], inputs, first_regime(reading), "absorption"
    )
    assert re.search(r'<span class="named(?: right)?" [^>]*>on above 0.5', svg)
    assert re.search(r'<span class="named below(?: right)?" [^>]*>off below 0.4', svg)


def test_inputs_of_very_different_size_do_not_share_an_axis(
    reading: Reading, history: History
) -> None:
    """On the axis of a stock of 300 billion USD, the price of bitcoin is a flat line."""
    days = history.panel.index
    sizes = {"BTC-USD": 100_000.0, "SPY": 600.0, "STABLECOIN_SUPPLY": 3e11, "TLT": 90.0}
    inputs = pd.DataFrame({id: pd.Series(size, days) for id, size in sizes.items()})
    html = signal_panels(reading.evaluations["absorption"], inputs, first_regime(reading), "x")
    titles = re.findall(r'<div class="title">inputs? (.*?), USD<', html)
    assert titles == ["BTC-USD", "SPY, TLT", "Stablecoin supply (STABLECOIN_SUPPLY)"]


def test_amounts_of_a_year_earlier_have_their_own_panel(reading: Reading, history: History) -> None:
    now, earlier = ([f"CAPEX_TTM_{when}{firm}" for firm in ("MSFT", "ORCL")] for when in ("", AGO))
    inputs = history.panel[[*now, *earlier]].assign(WRESBAL=3_000_000.0)
    html = signal_panels(reading.evaluations["absorption"], inputs, first_regime(reading), "x")
    titles = re.findall(r'<div class="title">inputs? (.*?)<', html)
    assert ", ".join(earlier) + ", USD" in titles
    assert not any(now[0] in title and earlier[0] in title for title in titles)
    assert titles[-1] == "Reserve balances, week average (WRESBAL), USD billions"
    assert re.search(r"\[3000(\.0)?,", html)


AGO = "YEAR_AGO_"


def test_signals_that_do_not_vote_stand_last_and_in_brackets(reading: Reading) -> None:
    titles = re.findall(r'<div class="title">(.*?)<', flags_timeline(reading, "flags", 1000))
    votes = [title for title in titles[1:] if not title.startswith("(")]
    assert titles[0] == "regime"
    assert votes == titles[1 : 1 + len(votes)]
    assert set(votes) == set(reading.votes)
    assert len(titles) == 1 + len(signals.SIGNALS)


def test_the_page_is_small_and_stands_alone(page: str) -> None:
    assert len(page.encode()) < LARGEST
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)


def test_a_simulated_history_is_labelled(page: str) -> None:
    assert "<title>SIMULATED: flags, " in page
    assert '<p class="simulated">SIMULATED history' in page
    named = re.findall(r'role="(?:img|group)"[^>]*? aria-label="(.*?)"', page)
    assert len(named) > len(signals.SIGNALS)
    assert all(name.startswith("SIMULATED") for name in named)


# --- In a browser ------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_browser_finds_no_fault_and_no_barrier(
    path: Path, browser: Any, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, path, width, scheme) as (page, troubles):
        assert overflow(page) <= 0
        assert [found["id"] for found in Axe().run(page).response["violations"]] == []
    assert troubles == []


@pytest.mark.browser
def test_nothing_is_cut_on_a_sheet_of_a4(path: Path, browser: Any) -> None:
    """A sheet with margins of 12 mm is 703 pixels wide."""
    wide = "[...document.querySelectorAll('table, svg')].map(e => e.getBoundingClientRect().right)"
    page = browser.new_page(viewport={"width": 703, "height": 1032})
    page.emulate_media(media="print")
    page.goto(f"file://{path}")
    assert max(page.evaluate(wide)) <= 704
    page.close()


@pytest.mark.browser
def test_formulas_are_folded_on_a_screen_and_open_on_paper(path: Path, browser: Any) -> None:
    with opened(browser, path) as (page, _):
        assert folded(page) == (len(signals.SIGNALS), 0)
        page.locator("#dry_powder ~ details summary").first.click()
        assert page.get_by_text("Formula.", exact=True).first.is_visible()
        page.emulate_media(media="print")
        assert folded(page) == (len(signals.SIGNALS), len(signals.SIGNALS))
        assert page.locator("summary:visible").count() == 0


@pytest.mark.browser
def test_the_pointer_shows_large_numbers_with_commas(path: Path, browser: Any) -> None:
    with opened(browser, path) as (page, _):
        chart = page.locator("#dry_powder ~ .panels").first
        chart.press("End")
        assert re.search(r"GDP\s*\d\d,\d{3} USD billions", chart.locator(".values").inner_text())


def test_the_oldest_and_the_newest_input_of_each_signal_are_named(
    history: History, reading: Reading
) -> None:
    different = 0
    for name, said in flags_numbers(history, reading)["signals"].items():
        moments = {id: moment for id, moment in said["inputs"].items() if moment is not None}
        if not moments:
            continue
        assert said["known_at"] == max(moments.values()), name
        assert said["oldest_known_at"] == min(moments.values()), name
        assert moments[said["oldest_input"]] == said["oldest_known_at"], name
        different += said["known_at"] != said["oldest_known_at"]
    assert different > 5
