"""The page of the trial: its words, their order, and that it loads nothing from elsewhere."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.report.thesis_evidence import DEALS, responses_view
from backtests.report.thesis_numbers import thesis_numbers
from backtests.report.thesis_page import write_thesis_page
from backtests.report.thesis_words import SIGNS, strength, verdict_sentences
from backtests.thesis.claims import CLAIMS
from backtests.thesis.estimate import Interval
from backtests.thesis.links import LINKS
from backtests.thesis.trial import Trial
from backtests.thesis.verdicts import Outcome, Verdict, judge
from tests.browser import folded, opened, overflow
from tests.thesis import factory

PRIMARY = [claim for claim in CLAIMS if claim.primary]
LARGEST = 2_000_000  # bytes
A4 = {"width": 718, "height": 1020}


def write(folder: Path, trial: Trial) -> Path:
    path = folder / "thesis.html"
    write_thesis_page(trial, thesis_numbers(trial), path)
    return path


@pytest.fixture(scope="module")
def trial() -> Trial:
    return factory.whole_trial()


@pytest.fixture(scope="module")
def path(trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("page"), trial)


@pytest.fixture(scope="module")
def page(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("bare"), factory.bare_trial())


def text_of(html: str) -> str:
    """Return the visible text of some HTML, in one line."""
    without = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", without).split())


# --- The verdict -------------------------------------------------------------------------------


OPEN: tuple[Outcome, ...] = ("inconclusive",) * 3


def primary(*outcomes: Outcome, power: float = 0.4, episodes: int | None = 5) -> list[Verdict]:
    """Return verdicts on the primary claims with chosen outcomes."""
    return [
        Verdict(
            claim=claim,
            outcome=outcome,
            reason="chosen",
            estimate=factory.estimate_of(claim, episodes=episodes),
            power=power,
        )
        for claim, outcome in zip(PRIMARY, outcomes, strict=True)
    ]


@pytest.mark.parametrize(
    ("outcomes", "held", "counts"),
    [
        (["supported"] * 3, "the thesis holds:", "3 are supported, none is contradicted"),
        (["contradicted"] * 3, "the thesis does not hold:", "none is supported, 3 are contra"),
        (["inconclusive"] * 3, "neither confirmed nor refuted:", "and 3 are open."),
        (["not testable yet"] * 3, "neither confirmed nor refuted:", "and 3 are open."),
        (["supported", "inconclusive", "contradicted"], "holds only in part:", "1 is contradicted"),
        (["inconclusive", "inconclusive", "contradicted"], "is in doubt:", "2 are open."),
        (["supported", "contradicted", "contradicted"], "is in doubt:", "1 is supported"),
    ],
)
def test_the_first_sentence_says_whether_the_thesis_holds(
    outcomes: list[Outcome], held: str, counts: str
) -> None:
    whether, _ = verdict_sentences(primary(*outcomes), "2014-01-02", "2025-12-31")
    assert whether.startswith("On the history from 2014-01-02 to 2025-12-31, ")
    assert held in whether
    assert counts in whether


@pytest.mark.parametrize(
    ("power", "episodes", "said"),
    [
        (0.9, 2, "One cannot be sure: capital was absorbed in only 2 episodes, and"),
        (0.9, 1, "in only 1 episode, and"),
        (0.4, 5, "One cannot be sure: capital was absorbed in 5 episodes. The"),
        (0.6, 5, "One can be partly sure"),
        (0.8, 5, "One can be fairly sure"),
        (
            0.9,
            None,
            "fairly sure: the test of a single main claim would detect the smallest interesting "
            "effect in 90 of 100 cases.",
        ),
        (float("nan"), 5, "Nobody can be sure"),
    ],
)
def test_the_second_sentence_says_how_sure_one_can_be(
    power: float, episodes: int | None, said: str
) -> None:
    verdicts = primary(*OPEN, power=power, episodes=episodes)
    assert said in verdict_sentences(verdicts, "2014-01-02", "2025-12-31")[1]


@pytest.mark.parametrize(
    ("powers", "said"),
    [
        ((0.9, 0.9, 0.4), "One can be partly sure"),
        ((0.4, 0.3, 0.6), "One can be partly sure"),
        ((0.4, 0.3, 0.2), "One cannot be sure"),
        ((0.9, 0.8, 0.85), "One can be fairly sure"),
    ],
)
def test_fairly_sure_needs_power_in_all_tests_and_partly_sure_in_one(
    powers: tuple[float, float, float], said: str
) -> None:
    verdicts = [replace(v, power=p) for v, p in zip(primary(*OPEN), powers, strict=True)]
    sure = verdict_sentences(verdicts, "2014-01-02", "2025-12-31")[1]
    assert sure.startswith(said)
    assert f"in {100 * min(powers):.0f} to {100 * max(powers):.0f} of 100 cases" in sure


def test_with_too_few_episodes_no_power_is_claimed() -> None:
    """A claim with too few episodes is always inconclusive, so the trial can find no effect."""
    verdicts = primary(*OPEN, power=0.9, episodes=2)
    sure = verdict_sentences(verdicts, "2014-01-02", "2025-12-31")[1]
    assert sure.endswith("in only 2 episodes, and a test needs at least 3 episodes.")
    assert "cases" not in sure


def test_without_a_main_claim_the_thesis_does_not_hold() -> None:
    whether, sure = verdict_sentences((), "2014-01-02", "2025-12-31")
    assert "neither confirmed nor refuted" in whether
    assert "Nobody can be sure" in sure


def test_only_primary_claims_decide_the_verdict(trial: Trial) -> None:
    primary_only = [verdict for verdict in trial.verdicts if verdict.claim.primary]
    dates = ("2014-01-02", "2025-12-31")
    assert verdict_sentences(trial.verdicts, *dates) == verdict_sentences(primary_only, *dates)


def test_strength_is_that_of_the_evidence_or_of_the_test() -> None:
    claim = PRIMARY[0]
    sure = factory.estimate_of(claim, episodes=5)
    words = {
        strength(replace(judge(claim, sure, 1.0), outcome="supported", adjusted=p))
        for p in (0.0005, 0.005, 0.02)
    }
    assert words == {"very strong", "strong", "moderate"}
    tests = {strength(v) for p in (0.2, 0.6, 0.9) for v in primary(*OPEN, power=p)}
    assert tests == {"weak test", "fair test", "good test"}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("high", "word"), [(0.9, "strong"), (1.1, "moderate")])
def test_a_contradiction_is_strong_if_the_whole_95_interval_is_below_the_smallest_effect(
    sign: int, high: float, word: str
) -> None:
    """The 90 % interval lies below the smallest effect in both cases."""
    claim = next(c for c in PRIMARY if c.sign == sign)
    size = sign * (claim.smallest or 0.0)
    ends = sorted((-0.5 * size, high * size))
    narrow = sorted((-0.4 * size, 0.8 * size))
    bounds = Interval(low=ends[0], high=ends[1], low90=narrow[0], high90=narrow[1])
    verdict = judge(claim, factory.estimate_of(claim, interval=bounds, episodes=5), 1.0)
    assert (verdict.outcome, strength(verdict)) == ("contradicted", word)


# --- The page ----------------------------------------------------------------------------------


def test_the_page_opens_with_the_verdict_and_then_follows_its_order(page: str) -> None:
    headings = [text_of(h) for h in re.findall(r"<h[12][^>]*>(.*?)</h[12]>", page)]
    assert [heading.removeprefix("SIMULATED: ").split(" on 20")[0] for heading in headings] == [
        "Does the thesis hold?",
        "The fifteen links",
        "The bathtub",
        "Regimes and episodes",
        "Each link and its claims",
        "Dated events",
        "Single shares",
        "Dated episodes",
        "Rival explanations",
        "Calibration",
        "Evidence that accumulates",
        "Limitations",
    ]
    start = text_of(page[page.index("<h1>") : page.index("<h2")])
    whether, sure = verdict_sentences(factory.whole_trial().verdicts, "2019-01-02", "2024-12-31")
    assert f"{whether} {sure}" in start


def test_the_key_of_strength_has_the_limits_of_the_code(page: str) -> None:
    said = text_of(page)
    assert "in fewer than 50 of 100 cases." in said
    assert "A good test finds the effect in at least 80 of 100 cases." in said
    assert "less than a quarter (63 sessions) between them count as one episode" in said
    assert "Nothing can be concluded from fewer than 3 episodes." in said
    assert "lacks a price in an episode or in the 63 sessions before" in said


def test_the_scoreboard_has_a_row_for_each_link(page: str, trial: Trial) -> None:
    board = re.search(r'<table id="board".*?</table>', page, re.DOTALL)
    assert board
    rows = [text_of(row) for row in re.findall(r"<tr.*?</tr>", board[0], re.DOTALL)][1:]
    assert [row.split()[0] for row in rows] == list(LINKS)
    assert "★" in rows[7]
    assert "? inconclusive weak test 2" in rows[7]
    assert "✗ contradicted 1 contradicted, 1 inconclusive strong" in rows[12]
    assert "dry_powder off since 2024-10-29 funding off since 2024-10-23" in rows[1]
    assert rows[1].endswith("○ off a state, not tested –")
    assert "… not testable yet not tested –" in rows[3]


def test_a_link_without_a_primary_claim_is_mixed_if_its_claims_disagree(trial: Trial) -> None:
    one = trial.of("capex-drains-without-slack")
    other = tuple(replace(v, outcome="supported") if v is one else v for v in trial.verdicts)
    rows = {row["link"]: row for row in thesis_numbers(replace(trial, verdicts=other))["links"]}
    assert rows["L3"]["verdict"] == "mixed"
    assert rows["L3"]["outcomes"] == {"supported": 1, "inconclusive": 2}


def test_a_claim_that_could_not_be_tested_does_not_make_its_link_mixed(trial: Trial) -> None:
    """The link has the verdict of its tested claims. A claim without data does not count."""
    names = ("capex-filings-hurt-long-duration", "capex-releases-hurt-long-duration")
    untested = tuple(
        replace(v, outcome="not testable yet", estimate=None) if v.claim.name in names else v
        for v in trial.verdicts
    )
    rows = {row["link"]: row for row in thesis_numbers(replace(trial, verdicts=untested))["links"]}
    assert rows["L3"]["verdict"] == "inconclusive"
    assert rows["L3"]["lead"] == "capex-drains-without-slack"
    assert rows["L3"]["outcomes"] == {"inconclusive": 1, "not testable yet": 2}


def test_the_main_claims_stand_beside_other_values_of_k(page: str) -> None:
    board = re.search(r'<table id="by-k".*?</table>', page, re.DOTALL)
    assert board
    rows = [text_of(row) for row in re.findall(r"<tr.*?</tr>", board[0], re.DOTALL)][1:]
    assert len(rows) == 20
    assert rows[0].startswith("crypto-below-spy 8 … not testable yet")
    assert rows[1].startswith("crypto-below-spy 9 ")
    assert rows[1].endswith("percentage points a year -24.0 -91.5 to 43.5 0.630 5")
    assert "The verdict changes with k for: crypto-below-spy" in page


def test_a_verdict_is_a_sign_and_a_word_and_never_colour_alone(page: str) -> None:
    said = re.findall(r'<span class="badge o-[a-z-]+"><span[^>]*>(.)</span> ([a-z ]+)</span>', page)
    assert len(said) == page.count('class="badge') > len(CLAIMS)
    assert all(SIGNS[word] == sign for sign, word in said)
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_each_claim_has_a_panel_with_its_numbers(page: str, trial: Trial) -> None:
    for verdict in trial.verdicts:
        name = verdict.claim.name
        panel = re.search(rf'<article class="claim" id="{name}".*?</article>', page, re.DOTALL)
        assert panel, name
        said = text_of(panel[0])
        assert verdict.claim.refuted_by in said
        assert (panel[0].count("<svg") == 2) == (verdict.estimate is not None)
    crypto = page[page.index('id="crypto-below-spy"') :]
    said = text_of(crypto[: crypto.index("</article>")])
    for part in (
        "Estimate, percentage points a year -24.0",
        "95 % interval -91.5 to 43.5 90 % interval -79.3 to 31.3",
        "Episodes 5 Observed sessions 1,234, 2019-01-02 to 2024-12-31",
        "Adjusted p-value 0.630 (limit 0.025)",
        "P-values that decide circular shifts 0.210; few-cluster test 0.105",
        "Other p-values sign test 0.300",
        "Smallest interesting effect -10.0 Smallest detectable effect -94.6",
        "Power at the smallest interesting effect, % 5",
        "What would refute it crypto earns as much as SPY",
        "Method Circular shifts of the flag (Politis and Romano 1992).",
        "Two coins are missing before 2020.",
    ):
        assert part in said


def panel_of(page: str, name: str) -> str:
    found = re.search(rf'<article class="claim" id="{name}".*?</article>', page, re.DOTALL)
    assert found, name
    return found[0]


def test_states_are_not_counted_among_the_claims_that_are_tested(page: str) -> None:
    states = sum(claim.is_status for claim in CLAIMS)
    said = f"tests {len(CLAIMS) - states} claims, and shows {states} states that it does not test."
    assert states > 0
    assert said in text_of(page)


def test_one_observation_is_not_in_the_plural(trial: Trial, tmp_path: Path) -> None:
    changed = [
        replace(verdict, estimate=replace(verdict.estimate, observations=1, counted="entries"))
        if verdict.estimate
        else verdict
        for verdict in trial.verdicts
    ]
    said = text_of(write(tmp_path, replace(trial, verdicts=tuple(changed))).read_text())
    assert "Observed entries 1, 2019-01-02 to" in said
    assert "1 entries" not in said


def test_a_claim_declared_after_earlier_verdicts_is_marked_with_its_date(
    page: str, trial: Trial
) -> None:
    for claim in (verdict.claim for verdict in trial.verdicts):
        said = text_of(panel_of(page, claim.name))
        assert ("†" in said) == claim.after_verdicts
        late = ", after the verdicts on earlier claims were known"
        assert f"Declared {claim.declared}{late if claim.after_verdicts else ''}" in said
    assert "† marks a claim that was declared on 2026-11-28, after the verdicts" in text_of(page)
    assert "The commits of the file backtests/thesis/claims.py show the order" in text_of(page)


def test_an_interval_without_bounds_is_named_and_drawn_across_the_chart(page: str) -> None:
    panel = panel_of(page, factory.UNBOUNDED)
    assert "95 % interval no bounds 90 % interval no bounds" in text_of(panel)
    assert "? inconclusive" in text_of(panel)
    assert not re.search(r'"-?inf"', panel)


def test_a_claim_younger_than_the_calibration_is_not_calibrated_yet(page: str) -> None:
    said = text_of(page[page.index('id="calibration"') :])
    assert f"{factory.UNCALIBRATED} † not calibrated yet ? inconclusive" in said
    assert said.count("not calibrated yet") == 1


def test_the_bathtub_shows_its_numbers_and_dates(page: str, trial: Trial) -> None:
    tub = re.search(r'<svg class="chart bathtub".*?</svg>', page, re.DOTALL)
    assert tub
    gauges = trial.sample.reading.evaluations["bathtub"].gauges.iloc[-1]
    said = re.findall(r"<text[^>]*>(.*?)</text>", tub[0])
    assert f"{gauges['level']:,.0f} bn USD" in said
    assert said[said.index(f"{gauges['tap']:+,.0f} bn USD") + 1] == "in a quarter"
    verb, where = ("took", "from") if gauges["pipes"] < 0 else ("added", "to")
    at = said.index(f"{verb} {abs(gauges['pipes']):,.0f} bn USD")
    assert said[at + 1] == f"{where} liquidity in a quarter"
    assert "known 2024-12-26" in said
    assert "203 bn USD a year, +24 % in one year" in said


def test_other_evidence_has_its_figures(page: str) -> None:
    said = text_of(page)
    for part in (
        "192 filings of AMZN, GOOGL, META, MSFT, ORCL, 2013-02-01 to 2024-11-01",
        "187 releases of AMZN, GOOGL, META, MSFT, ORCL, 2013-02-01 to 2024-11-01",
        "earnings releases 1,037 1996-03-14 2024-12-17",
        "2024-12-30 ORCL 6.2 – none 2024-08-07 META 10.5 -1.5 FOMC statement",
        "The F statistic of the first stage is at most 31.7",
        "crypto -2.00 [no bounds] 108",
        "capital absorbed -0.12 [–, –] 17 1 21 other months 0.03 [-0.11, 0.17] 88 3 21",
        "At the last sort, the group with the longest duration is: ORCL.",
        "The group with the shortest duration is: NVDA.",
        "The order is uncertain: the durations lie between -6.8 and 2.8, and their median standard "
        "error is 4.5.",
        "the store has no data on shares outstanding",
        "1 Dash for cash 2020-02-19 to 2020-03-23 market NEUTRAL crypto, broad 1 of 2",
        "absorption 12 12 12 12 12",
        "dry_powder – – – – –",
        "crypto -41 -41",
        "cash-heavy@quantities -3 -3",
        "supply alone -1.10 5.255 no 0.04 0.20",
        "jump_model is left out: the package jumpmodels is not installed.",
        "200 simulated economies of 20 years. In all of these economies, the thesis is false. At "
        "least one main claim was supported in 2.0 % of these economies. The e-value of each main "
        "claim reached 20 in at most 1.5 % of these economies.",
        "crypto-below-spy 2 10 70 46 4 70 ? inconclusive",
        f"line 3 of the ledger, 2024-02-01 15:04 UTC, data to 2024-01-31, hash {'ef' * 32}.",
        "crypto-below-spy crypto below SPY 48 2",
        "Private capital and foreign capital are not measured.",
    ):
        assert part in said


def test_the_newest_bond_deals_are_listed_and_the_newest_comes_first(
    trial: Trial, tmp_path: Path
) -> None:
    days = pd.date_range("2024-01-31", periods=DEALS + 2, freq="MS", name="session")
    first = factory.deals().iloc[:1]
    many = pd.concat([first] * len(days)).set_axis(days)
    html = write(tmp_path, replace(trial, deals=many)).read_text()
    table = html[html.index('id="deals"') :]
    shown = re.findall(r"20\d\d-\d\d-\d\d", text_of(table[: table.index("</table>")]))
    assert shown == [str(day.date()) for day in days[:1:-1]]


def test_responses_on_control_dates_stand_beside_responses_to_filings(trial: Trial) -> None:
    assert trial.filings
    view = responses_view(trial.filings, "filing", "")
    assert view
    for name, cells in view["rows"]:
        for state, (response, count, control) in zip(
            view["states"], (cells[:3], cells[3:]), strict=True
        ):
            real, moved = (
                table.loc[(name, state)]
                for table in (trial.filings.responses, trial.filings.controls)
            )
            assert response.startswith(f"{real['estimate']:z.1f} [{real['low']:z.1f}, ")
            assert count == f"{real['n']:.0f}"
            assert control.startswith(f"{moved['estimate']:z.1f} [{moved['low']:z.1f}, ")


def test_an_e_value_stands_before_the_highest_e_value(page: str, trial: Trial) -> None:
    for bet in trial.accumulated:
        assert bet.e_value <= bet.highest
        assert f"{bet.weeks} {bet.clipped} {bet.e_value:.2f} {bet.highest:.2f}" in text_of(page)


def test_false_alarms_and_successes_come_from_their_own_economies(
    trial: Trial, tmp_path: Path
) -> None:
    assert trial.calibration
    on = trial.calibration.on.model_copy(update={"any_primary": 150})
    calibration = trial.calibration.model_copy(update={"on": on})
    said = text_of(write(tmp_path, replace(trial, calibration=calibration)).read_text())
    assert "At least one main claim was supported in 2.0 % of these economies." in said
    assert (
        "At least one main claim was supported in 75.0 % of the simulated economies in which the "
        "thesis is true."
    ) in said


def test_the_calibration_says_how_often_a_claim_is_contradicted(page: str) -> None:
    """With a true thesis, "contradicted" is right for an effect that the economies lack."""
    table = text_of(page[page.index('<table id="calibration"') :])
    heads = "supported contradicted could be judged"
    assert (
        f"without the thesis, % with the thesis, % verdict on this history {heads} {heads}" in table
    )
    assert "these economies do not contain the effect of every claim" in text_of(page)


def test_each_table_says_what_it_shows_and_what_it_cannot_show(page: str) -> None:
    tables = [found.start() for found in re.finditer("<table ", page)]
    assert len(tables) == 17
    for start in tables:
        said = text_of(page[page.rindex("<h2", 0, start) : start])
        assert re.search(r"\bshows?\b.*annot show", said), said


def test_bets_on_the_choice_of_assets_are_told_from_bets_on_main_claims(page: str) -> None:
    assert "e-value of such a strategy reached 20 in up to 40.0 % of the economies" in text_of(page)


def test_changes_since_the_seal_stand_beside_the_e_values(tmp_path: Path) -> None:
    """When a definition changes, the weeks known by then are no evidence for the new definition."""
    changed = replace(factory.whole_trial(), changes=("claim crypto-leads: smallest was 0.2",))
    path = tmp_path / "thesis.html"
    write_thesis_page(changed, thesis_numbers(changed), path)
    text = path.read_text(encoding="utf-8")
    assert "Changed since this seal: claim crypto-leads: smallest was 0.2." in text
    assert "weeks before a change are not out of sample" in text


def test_a_missing_part_is_named_with_its_reason(bare: Path) -> None:
    said = text_of(bare.read_text())
    assert "No comparison with rival explanations: the history has no price of BTC-USD." in said
    for what in (
        *("dated events", "study of capex filings", "study of earnings releases", "bond deals"),
        *("study of policy surprises", "sort of single shares", "accounts of episodes"),
        *("calibration", "seal"),
    ):
        assert f"No {what}: this part is not available." in said


def test_what_is_missing_is_a_dash(page: str, bare: Path) -> None:
    for html in (page, bare.read_text()):
        assert not re.search(r"\b(nan|None|NaT|inf)\b", text_of(html))
        assert "nan" not in " ".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL)).replace(
            "dominant", ""
        )


def test_simulated_history_is_labelled_wherever_it_reaches(page: str, tmp_path: Path) -> None:
    assert "<title>SIMULATED" in page
    assert '<p class="simulated">SIMULATED' in page
    assert all(
        text_of(h).startswith("SIMULATED") for h in re.findall(r"<h[12][^>]*>.*?</h[12]>", page)
    )
    names = re.findall(r'<svg[^>]*aria-label="(.*?)"', page)
    assert len(names) == page.count("<svg")
    assert all(name.startswith("SIMULATED: ") for name in names)
    real = write(tmp_path, factory.whole_trial(simulated=False)).read_text()
    assert "SIMULATED" not in real
    assert "the history ends on 2024-12-31" in real


def test_the_page_asks_nobody_and_runs_no_script(page: str) -> None:
    assert not re.search(r"https?:|<script|@import|url\(|<img|<iframe", page)
    assert re.findall(r"<link[^>]*>", page) == ['<link rel="icon" href="data:,">']


def test_the_contents_lead_to_every_heading(page: str) -> None:
    contents = re.search(r'<ul class="contents">(.*?)</ul>', page, flags=re.DOTALL)
    assert contents
    listed = re.findall(r'<a href="#([^"]+)">(.*?)</a>', contents[1])
    headings = re.findall(r'<h2 id="([^"]+)">SIMULATED: (.*?)</h2>', page)
    assert [id for id, _ in listed] == [id for id, _ in headings]
    assert len(headings) == page.count("<h2")
    pairs = zip(listed, headings, strict=True)
    assert all(heading.startswith(title) for (_, title), (_, heading) in pairs)


def test_no_link_leads_into_a_folded_part(page: str) -> None:
    """So every link shows its target, also in browsers that do not open a folded part."""
    folds = re.findall(r'<details class="fold.*?</details>', page, flags=re.DOTALL)
    assert len(folds) == len(CLAIMS)
    assert all("Measured" in fold and "id=" not in fold for fold in folds)


def test_a_text_of_an_event_cannot_break_the_page(trial: Trial, tmp_path: Path) -> None:
    first = trial.episodes[0]
    odd = replace(first, episode=first.episode.model_copy(update={"title": "<script>alert(1)"}))
    html = write(tmp_path, replace(trial, episodes=(odd,))).read_text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_forty_years_stay_below_two_megabytes(trial: Trial, tmp_path: Path) -> None:
    days = pd.bdate_range("1990-01-02", periods=9300)
    steps = np.random.default_rng(0).normal(0, 1, (len(days), 4))
    long = pd.DataFrame(np.cumsum(steps, axis=0), index=days, columns=list("abcd"))
    verdicts = tuple(
        v if v.estimate is None else replace(v, estimate=replace(v.estimate, shown=long))
        for v in trial.verdicts
    )
    path = write(tmp_path, replace(trial, verdicts=verdicts))
    assert path.stat().st_size < LARGEST


def test_the_numbers_are_plain_json_and_complete(trial: Trial) -> None:
    numbers = json.loads(json.dumps(thesis_numbers(trial), allow_nan=False))
    assert numbers["as_of"] == "2024-12-31"
    assert numbers["source"] == "simulated"
    assert numbers["window"] == {"start": "2019-01-02", "end": "2024-12-31", "sessions": 1510}
    claims = {claim["name"]: claim for claim in numbers["claims"]}
    assert list(claims) == [claim.name for claim in CLAIMS]
    verdict = trial.of("crypto-below-spy")
    assert verdict.estimate
    said = claims["crypto-below-spy"]
    assert said["estimate"]["value"] == verdict.estimate.value
    assert said["estimate"]["interval"]["low90"] == verdict.estimate.interval.low90
    assert said["power"] == verdict.power
    assert numbers["episodes"][0]["falls"]["crypto"] == {
        "peak": "2020-02-19", "trough": "2020-03-10", "drawdown": -0.412, "recovered": None,
    }  # fmt: skip
    assert len(numbers["rivals"]["table"]) == 12
    assert len(numbers["filings"]["responses"]) == 12
    assert numbers["releases"]["n"] == 187
    assert numbers["events"][0]["first"] == "1996-03-14"
    assert numbers["deals"][0]["issuer"] == "META"
    assert numbers["surprises"]["responses"][-1]["low"] is None
    assert numbers["cross_section"]["correlations"][0]["estimate"] == -0.12
    assert numbers["e_values"][0]["since"] == "2024-02-01"
    assert numbers["calibration"]["on"]["claims"]["crypto-leads"]["supported"] == 92
    assert "claims" not in numbers["seal"]


def test_the_stays_of_the_regime_cover_each_session_with_a_regime_once(trial: Trial) -> None:
    regime = trial.sample.reading.regime
    stays = thesis_numbers(trial)["regime"]["stays"]
    assert len(stays) > 3
    found = pd.Series("none", index=regime.index)
    for stay in stays:
        inside = found.loc[stay["start"] : stay["end"]]
        assert (inside == "none").all()
        found.loc[inside.index] = stay["regime"]
    assert found.tolist() == regime.fillna("none").tolist()


def test_a_link_counts_the_episodes_of_its_claim_with_the_fewest(trial: Trial) -> None:
    counts = {"crypto-below-spy": 7, "crypto-weaker-than-usual": 4}
    verdicts = tuple(
        replace(v, estimate=replace(v.estimate, episodes=counts.get(v.claim.name)))
        if v.claim.link == "L9" and v.estimate
        else v
        for v in trial.verdicts
    )
    rows = {row["link"]: row for row in thesis_numbers(replace(trial, verdicts=verdicts))["links"]}
    assert rows["L9"]["episodes"] == 4


# --- In a browser ------------------------------------------------------------------------------


def violations(page: Any) -> list[str]:
    """Return the rules of axe-core that a page breaks."""
    from axe_playwright_python.sync_playwright import Axe

    return [found["id"] for found in Axe().run(page).response["violations"]]


#: Texts of visible charts that leave their chart, or that cover another text.
_UNREADABLE = """() => [...document.querySelectorAll('svg.chart')]
  .filter(svg => svg.getClientRects().length).flatMap(svg => {
    const frame = svg.getBoundingClientRect(), found = [];
    const texts = [...svg.querySelectorAll('text')].filter(e => e.textContent)
      .map(e => [e.textContent, e.getBoundingClientRect()]);
    texts.forEach(([said, r], i) => {
      if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1
          || r.bottom > frame.bottom + 1) found.push(`cut: ${said}`);
      for (const [other, q] of texts.slice(i + 1)) {
        const wide = Math.min(r.right, q.right) - Math.max(r.left, q.left);
        const tall = Math.min(r.bottom, q.bottom) - Math.max(r.top, q.top);
        if (wide > 1 && tall > 3) found.push(`covered: ${said} and ${other}`);
      }
    });
    return found;
  })"""
#: Heights of the smallest text of visible charts, in pixels of the screen.
_SMALLEST = """() => Math.min(...[...document.querySelectorAll('svg.chart')]
  .filter(svg => svg.getClientRects().length)
  .map(svg => 11 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width))"""


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_browser_finds_no_fault(path: Path, browser: Any, width: int, scheme: str) -> None:
    with opened(browser, path, width, scheme) as (page, troubles):
        assert overflow(page) <= 0
        assert violations(page) == []
        assert page.evaluate(_UNREADABLE) == []
        assert page.evaluate(_SMALLEST) >= 11
    assert troubles == []


@pytest.mark.browser
def test_a_page_with_missing_parts_has_no_fault_either(bare: Path, browser: Any) -> None:
    with opened(browser, bare, 390) as (page, troubles):
        assert overflow(page) <= 0
        assert violations(page) == []
    assert troubles == []


@pytest.mark.browser
def test_faults_would_be_noticed(page: str, tmp_path: Path, browser: Any) -> None:
    planted = (
        "<script>planted()</script><img src='http://127.0.0.1:9/x.png'>"
        "<div style='width:1900px'>wide</div><p style='color:#ccc'>pale</p>"
        "<svg class='chart' viewBox='0 0 90 40'><text x='75' y='20'>a long word</text>"
        "<text x='35' y='20'>covered</text></svg></main>"
    )
    broken = tmp_path / "broken.html"
    broken.write_text(page.replace("</main>", planted))
    with opened(browser, broken) as (shown, troubles):
        assert overflow(shown) > 0
        assert {"image-alt", "color-contrast"} <= set(violations(shown))
        assert shown.evaluate(_UNREADABLE) == [
            "cut: a long word",
            "covered: a long word and covered",
        ]
    assert any("planted" in trouble for trouble in troubles)
    assert any("127.0.0.1" in trouble for trouble in troubles)


@pytest.mark.browser
def test_a_phone_and_a_wide_screen_get_their_own_pictures(path: Path, browser: Any) -> None:
    for width, shown in ((1440, 760), (390, 360)):
        with opened(browser, path, width) as (page, _):
            tubs = page.locator("svg.bathtub:visible")
            assert tubs.count() == 1
            assert tubs.get_attribute("viewBox").split()[2] == str(shown)


@pytest.mark.browser
def test_declarations_are_folded_on_a_screen_and_open_on_paper(path: Path, browser: Any) -> None:
    with opened(browser, path) as (page, _):
        assert folded(page) == (len(CLAIMS), 0)
        page.emulate_media(media="print")
        assert folded(page) == (len(CLAIMS), len(CLAIMS))


@pytest.mark.browser
def test_dark_and_paper_have_their_colours(path: Path, browser: Any) -> None:
    colour = "getComputedStyle(document.querySelector('main')).backgroundColor"
    with opened(browser, path, scheme="dark") as (page, _):
        assert page.evaluate(colour) == "rgb(22, 25, 29)"
        page.emulate_media(media="print")
        page.set_viewport_size(A4)
        assert page.evaluate(colour) == "rgb(255, 255, 255)"
        assert overflow(page) <= 0
        assert page.evaluate(_UNREADABLE) == []
        assert page.locator("#board thead:visible").count() == 1
        printed = page.pdf(format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert 10 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 40
