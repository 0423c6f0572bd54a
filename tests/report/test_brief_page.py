"""The brief as numbers, as a page, as a mail and on paper."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from backtests.brief.brief import Brief, make_brief
from backtests.brief.holdings import Holding
from backtests.history.panel import History
from backtests.report.bathtub_chart import NARROW, bathtub_chart, bathtub_said
from backtests.report.brief_charts import brief_charts
from backtests.report.brief_lines import brief_lines
from backtests.report.brief_numbers import brief_numbers
from backtests.report.brief_page import write_brief_mail, write_brief_page
from backtests.report.brief_words import (
    change_words,
    date_words,
    moves_words,
    sure_words,
    weights_words,
)
from backtests.report.pdf import BROWSERS, write_pdf
from backtests.report.svg import CHARACTER
from backtests.report.thesis_words import verdict_sentences
from signals.errors import ConfigError, DataError
from tests.browser import opened, overflow
from tests.thesis import factory


@pytest.fixture(scope="module")
def made(history: History) -> Brief:
    """Return a brief with many changes: forced selling, injection, then absorption."""
    return make_brief(history.until("2025-10-20"), "2025-03-03")


@pytest.fixture(scope="module")
def numbers(made: Brief) -> dict[str, Any]:
    return brief_numbers(made)


@pytest.fixture(scope="module")
def path(made: Brief, numbers: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("brief") / "brief.html"
    write_brief_page(made, numbers, file, newest=False)
    return file


@pytest.fixture(scope="module")
def mail(made: Brief, numbers: dict[str, Any], path: Path) -> Path:
    file = path.with_name("mail.html")
    write_brief_mail(made, numbers, file, newest=False)
    return file


@pytest.fixture(scope="module")
def simulated() -> Brief:
    return make_brief(History.simulated(0, 6))


# --- Numbers and sentences ---------------------------------------------------------------------


def test_the_numbers_are_plain_json(numbers: dict[str, Any]) -> None:
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert (numbers["as_of"], numbers["source"]) == ("2025-10-20", "store")
    assert numbers["window"]["end"] == numbers["as_of"]
    assert numbers["decided_by"] == "absorption"


def test_the_headline_says_regime_reason_doubt_and_what_to_watch(
    made: Brief, numbers: dict[str, Any]
) -> None:
    said = numbers["headline"]
    assert said["regime"] == "ABSORPTION since 2025-10-16"
    assert said["why"].startswith("AI spending grows, and little idle capital is left")
    assert "The flag absorption decided the regime: u is 0.5" in said["why"]
    assert "The flag turns off at u below 0.4. 4 of 10 votes are on. A vote is " in said["why"]
    assert ", where u = AI spending / (AI spending + idle capital)." in said["why"]
    assert "By 2 of 3 measures, idle capital is depleted." in said["why"]
    window = numbers["window"]
    assert tuple(said["sure"]) == verdict_sentences(made.verdicts, window["start"], window["end"])
    assert f"nearest to a flip is {made.flips[0].signal} (" in said["watch"]
    assert "absorption (to NEUTRAL)" in said["watch"]
    assert said["watch"].endswith(
        "The first release after 2025-10-20 is the Fed's balance sheet (H.4.1), "
        "expected on 2025-10-23."
    )


def test_a_regime_that_waits_is_told_first(history: History) -> None:
    said = brief_numbers(make_brief(history.until("2025-10-15")))
    assert said["headline"]["watch"].startswith(
        "A change to ABSORPTION waits for confirmation: 9 of 10 sessions so far."
    )
    assert "(to ABSORPTION)" not in said["headline"]["watch"], "the rules already point to it"


def test_the_claim_with_the_fewest_episodes_says_how_sure_one_can_be(made: Brief) -> None:
    counts = (7, 4, None)
    verdicts = tuple(
        replace(verdict, estimate=factory.estimate_of(verdict.claim, episodes=count))
        for verdict, count in zip(made.verdicts, counts, strict=True)
    )
    assert sure_words(replace(made, verdicts=verdicts)).endswith("; fewest episodes: 4")


def test_votes_without_a_view_do_not_count_as_votes(numbers: dict[str, Any]) -> None:
    votes = {"votes_for": ["a", "b"], "votes_against": ["c"], "no_view": ["d", "e"]}
    assert dict(brief_lines(numbers | votes))["why"][0].endswith("; 2 of 3 votes are on")


def test_the_chart_of_the_deciding_flag_shows_its_level(made: Brief) -> None:
    """While the flag absorption is on, it turns off at u below 0.4."""
    u = made.sample.reading.evaluations["absorption"].gauges["u"].iloc[-1]
    chart = brief_charts(made, "")["u = AI spending / (AI spending + idle capital)"]
    assert f"idle capital); now {u:.3g}, level 0.4" in chart
    assert "dashed: off at u below 0.4" in chart


def test_the_chart_of_votes_shows_the_share_of_the_known_votes(made: Brief) -> None:
    """The brief ends on the last session on which some votes are on and others are unknown."""
    every = made.sample.reading.votes
    some = every.isna().any(axis=1) & every.fillna(False).any(axis=1)
    day = every.index[some][-1]
    reading = made.sample.reading.rows(lambda part: part.loc[:day])
    votes = every.loc[day]
    sample = replace(made.sample, reading=reading, history=made.sample.history.until(day))
    chart = brief_charts(replace(made, sample=sample, said={}), "")
    share = 100 * int(votes.sum()) / int(votes.notna().sum())
    assert f"now {share:.3g}, level 50" in chart["Share of votes that are on, %"]


def test_equal_weights_stand_in_one_group() -> None:
    weights = {"CASH": 0.5, "A": 0.2, "B": 0.1, "C": 0.1, "D": 0.1}
    assert weights_words(weights) == "cash 50.0 %, A 20.0 %, B C D each 10.0 %"
    assert weights_words(weights, 2) == "cash 50.0 %, A 20.0 %, 3 more"


def test_moves_are_told_in_points_with_their_sign() -> None:
    one = Holding(
        strategy="s",
        description="",
        weights={"CASH": 0.7, "A": 0.3},
        before={"B": 0.6, "A": 0.39, "CASH": 0.01},
        decided_on=None,
        missing={},
    )
    assert moves_words(one) == "cash +69.0, A -9.0, B -60.0"


@pytest.mark.parametrize(
    ("was", "now", "when", "said"),
    [
        ("off", "on", "2025-01-02", "flag capex: on since 2025-01-02, off before"),
        ("off", "off", "2025-01-02", "flag capex: off again since 2025-01-02"),
        ("on", "no view", None, "flag capex: no view, on before"),
    ],
)
def test_a_change_is_one_line(was: str, now: str, when: str | None, said: str) -> None:
    change = {"kind": "flag", "name": "capex", "was": was, "now": now, "when": when}
    assert change_words(change) == said


def test_expected_dates_are_not_said_to_be_certain(numbers: dict[str, Any]) -> None:
    lines = date_words(numbers["dates"])
    assert "2025-10-23: the Fed's balance sheet (H.4.1) (known by rule)" in lines
    assert "2025-10-31: scheduled decision of the strategies" in lines
    assert lines[-1].startswith("estimated from releases of the past year: MSFT 2025-10-30, ")
    certain = {one["what"] for one in numbers["dates"] if one["certain"]}
    assert certain == {"scheduled decision of the strategies"}


# --- The page and the mail ---------------------------------------------------------------------


def text_of(html: str) -> str:
    """Return the visible text of a page, without tags and styles."""
    words: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            words.append(data)

    Reader().feed(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))
    return " ".join(" ".join(words).split())


def test_both_pages_say_what_the_numbers_say(
    path: Path, mail: Path, numbers: dict[str, Any]
) -> None:
    for file in (path, mail):
        text = text_of(file.read_text(encoding="utf-8"))
        for key in ("why", "watch"):
            assert numbers["headline"][key] in text
        assert all(sentence in text for sentence in numbers["headline"]["sure"])
        assert all(one["strategy"] in text for one in numbers["holdings"])
        assert all(f"{link['link']} {link['word']}" in text for link in numbers["links"])
        assert change_words(numbers["changes"][0]) in text
        assert "Research, not investment advice." in text


def test_the_colours_of_the_links_have_a_key(path: Path, mail: Path) -> None:
    page, html = path.read_text("utf-8"), mail.read_text("utf-8")
    used = set(re.findall(r'<li class="(\w+)"', page))
    assert used == set(re.findall(r'<i class="key (\w+)">', page)) == {"on", "off", "none"}
    key = html[html.index("on: a flag of the link is on") - 200 : html.index("What changed")]
    links = html[html.index("The fifteen links") : html.index("on: a flag of the link is on") - 200]
    assert set(re.findall(r'bgcolor="(\S+?)"', key)) == set(re.findall(r'bgcolor="(\S+?)"', links))


def test_a_stale_page_says_that_its_dates_may_be_past(
    made: Brief, numbers: dict[str, Any], tmp_path: Path
) -> None:
    for write in (write_brief_page, write_brief_mail):
        write(made, numbers, tmp_path / "brief.html", newest=True)
        text = text_of((tmp_path / "brief.html").read_text("utf-8"))
        assert "import newer data. The dates below may be past." in text
        assert "Dates after 2025-10-20" in text


def test_the_bathtub_has_plain_names(path: Path) -> None:
    shown = re.findall(r"<text[^>]*>(.*?)</text>", path.read_text("utf-8"))
    assert {"TREASURY AND REPO", "CAPEX OF AI FIRMS", "NET LIQUIDITY", "IDLE CAPITAL"} <= {*shown}
    assert not any(re.search("TAP|PIPES|DRAIN", said) for said in shown)


def tub(**values: float | None) -> dict[str, dict[str, Any]]:
    """Return numbers of a bathtub, in billion USD."""
    known = {"unit": "% of GDP", "known": "2024-01-02", "highest": 9000.0, "highest_at": "2022"}
    names = ("level", "tap", "pipes", "idle", "idle_share", "drain", "growth", "absorbed")
    return {name: known | {"value": values.get(name)} for name in names}


def test_no_flow_is_too_long_for_the_bathtub() -> None:
    """In 2020, the Fed's assets grew by more than 2,000 billion USD in a quarter."""
    svg = bathtub_chart(tub(tap=2345.6, pipes=-1234.5), NARROW, "bathtub")
    placed = re.findall(r'<text class="\w*" x="([\d.]+)"[^>]*="start">(.*?)</text>', svg)
    ends = {said: float(x) + CHARACTER * len(said) for x, said in placed}
    assert ends["+2,346 bn USD"] < NARROW.texts["pipes"][0]
    assert ends["took 1,234 bn USD"] < NARROW.width
    assert max(ends.values()) < NARROW.width


@pytest.mark.parametrize(
    ("pipes", "said"),
    [
        (3.2, ("added 3 bn USD", "to liquidity in a quarter")),
        (-3.2, ("took 3 bn USD", "from liquidity in a quarter")),
    ],
)
def test_treasury_and_repo_added_to_liquidity_or_took_from_it(
    pipes: float, said: tuple[str, str]
) -> None:
    """If the balances fall by 3.2 billion USD, the gauge ``pipes`` is +3.2 billion USD."""
    svg = bathtub_chart(tub(pipes=pipes), NARROW, "bathtub")
    shown = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    assert tuple(shown[shown.index("TREASURY AND REPO") + 1 :][:2]) == said
    assert f"Treasury and repo {' '.join(said)};" in bathtub_said(tub(pipes=pipes))


def test_a_part_of_the_bathtub_without_a_value_says_only_that() -> None:
    svg = bathtub_chart(tub(tap=5.0), NARROW, "bathtub")
    assert re.findall(r"<text[^>]*>(.*?)</text>", svg) == [
        *("no water level", "THE FED&#x27;S ASSETS", "+5 bn USD", "in a quarter"),
        *("known 2024-01-02", "TREASURY AND REPO", "no value", "CAPEX OF AI FIRMS", "no value"),
        *("IDLE CAPITAL", "no value"),
    ]


def test_the_page_says_when_capital_counts_as_absorbed(path: Path) -> None:
    """The chart shows more stays in ABSORPTION than the headline counts episodes."""
    said = " ".join(text_of(path.read_text("utf-8")).split())
    assert "Capital counts as absorbed only while the flag absorption is on." in said


def test_the_page_is_small_and_stands_alone(path: Path) -> None:
    html = path.read_text(encoding="utf-8")
    assert len(html.encode()) < 40_000
    assert "<script" not in html
    assert not re.search(r"(src|href)=\"(?!data:)", html)
    assert html.count("<svg") == 3


def test_the_mail_needs_no_style_sheet(mail: Path) -> None:
    html = mail.read_text(encoding="utf-8")
    assert len(html.encode()) < 100_000
    assert set(re.findall(r"<([a-z0-9]+)", html)) <= {
        *("html", "head", "meta", "title", "body", "div", "h1", "h2", "p", "b", "br"),
        *("table", "tr", "th", "td", "ul", "li"),
    }
    assert "class=" not in html
    assert "var(--" not in html


def test_a_simulated_history_is_labelled(simulated: Brief, tmp_path: Path) -> None:
    numbers = brief_numbers(simulated)
    for write in (write_brief_page, write_brief_mail):
        write(simulated, numbers, tmp_path / "brief.html", newest=True)
        html = (tmp_path / "brief.html").read_text(encoding="utf-8")
        assert "<title>SIMULATED: brief, " in html
        assert "SIMULATED history: nothing" in text_of(html)
        assert "Source: SIMULATED" in text_of(html)
        assert html.count('aria-label="SIMULATED: ') == html.count("<svg")


# --- On paper ----------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_browser_finds_no_fault_and_prints_one_sheet(path: Path, browser: Any) -> None:
    """The brief has many changes. Only a brief with longer lists can need a second sheet."""
    from axe_playwright_python.sync_playwright import Axe

    for width, scheme in ((1440, "light"), (390, "dark")):
        with opened(browser, path, width, scheme) as (page, troubles):
            assert overflow(page) <= 0
            assert [found["id"] for found in Axe().run(page).response["violations"]] == []
        assert troubles == []
    sheet = path.with_name("brief.pdf")
    write_pdf(path, sheet)
    assert len(re.findall(rb"/Type\s*/Page[^s]", sheet.read_bytes())) == 1


@pytest.mark.browser
def test_dates_and_names_of_strategies_are_whole_on_paper(path: Path, browser: Any) -> None:
    """A4 is 210 mm wide. Without margins of 18 mm, 725 CSS pixels are left."""
    lines = """all => all.map(cell => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getClientRects().length;
    })"""
    with opened(browser, path, 725) as (page, _):
        page.emulate_media(media="print")
        cells = "#holdings tbody th, #holdings td[data-head=decided]"
        found = page.eval_on_selector_all(cells, lines)
    assert len(found) >= 10
    assert set(found) == {1}


@pytest.mark.browser
def test_the_mail_is_read_without_any_style(mail: Path, browser: Any) -> None:
    bare = "document.querySelectorAll('[style]').forEach(e => e.removeAttribute('style'))"
    with opened(browser, mail, 600) as (page, troubles):
        before = page.inner_text("body")
        page.evaluate(bare)
        assert page.inner_text("body").split() == before.split()
        assert page.inner_text("h1") == "ABSORPTION"
    assert troubles == []


def test_without_chromium_one_line_says_so(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="expected Chromium to write a PDF, found none of"):
        write_pdf(path, tmp_path / "brief.pdf")


def test_a_chromium_that_fails_leaves_the_earlier_pdf(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / BROWSERS[0]
    broken.write_text("#!/bin/sh\necho first >&2\necho no display >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    sheet = tmp_path / "brief.pdf"
    sheet.write_text("earlier")
    with pytest.raises(DataError, match=r"wrote no file: no display$"):
        write_pdf(path, sheet)
    assert sheet.read_text() == "earlier"


def test_a_pdf_that_is_cut_on_a_full_disk_is_not_written(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk, Chromium writes the first part of the file, and ends with exit code 0."""
    cut = tmp_path / BROWSERS[0]
    cut.write_text(
        "#!/bin/sh\n"
        "for word; do case $word in --print-to-pdf=*) echo %PDF-1.4 > ${word#*=};; esac; done\n"
        "echo 'ERROR: Failed to write file x.pdf: No space left on device (28)' >&2\n"
    )
    cut.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    sheet = tmp_path / "brief.pdf"
    sheet.write_text("earlier")
    said = "but the system reports: No space left on device (28); free some space"
    with pytest.raises(DataError, match=re.escape(said)):
        write_pdf(path, sheet)
    assert sheet.read_text() == "earlier"
