"""A script computes the numbers of the docs, and the pages show the same numbers."""

import re

import pandas as pd
import pytest

from backtests.history.panel import History
from benchmarks import docs_luck, docs_scales, docs_strategies, luck
from benchmarks.docs_flags import Material, episodes, stays, times_capex
from benchmarks.docs_numbers import (
    ELSEWHERE,
    FLAGS,
    NAMES,
    PAGES,
    ROOT,
    block_of,
    page_of,
    with_block,
)
from signals import Capex
from signals.hysteresis import CONFIRM
from signals.regimes import Votes
from signals.regimes.base import CONFIRM_FORCED, CONFIRM_REGIME, settle

#: Figures that a page may have outside blocks: facts, parameters and dates of sources.
PROSE = {
    "docs/few-episodes.md": {"500", "63"},
    "docs/flags.md": {
        *("2025-12-31", "9 %", "2025"),
        *("1019", "12.5 %", "12", "13 %", "2010-03-31", "2009", "2012", "2013"),
    },
    "docs/luck.md": {
        *("5 %", "95 %", "90 %", "0.5", "0.1", "12", "5520741"),
        *("1967", "2005", "2007", "2008", "2011", "2014", "2017", "2026"),
    },
}


@pytest.fixture(scope="module")
def material(history: History) -> Material:
    return Material(history)


def held(name: str) -> str:
    return block_of(page_of(name).read_text("utf-8"), name)


def test_every_block_stands_once_in_a_page_and_no_page_has_another() -> None:
    found = [
        name
        for page in PAGES
        for name in re.findall(r"<!-- begin: (\S+) -->", (ROOT / page).read_text("utf-8"))
    ]
    assert sorted(found) == sorted((*NAMES, *ELSEWHERE))
    assert all(held(name) for name in found)


@pytest.mark.parametrize("name", [name for name in FLAGS if name != "flags-without-k-strategies"])
def test_the_numbers_of_the_flags_are_those_in_the_page(material: Material, name: str) -> None:
    assert FLAGS[name](material).strip() == held(name), (
        "run: python -m benchmarks.docs_numbers --store FILE"
    )


def test_the_numbers_of_some_strategies_are_those_in_the_page(history: History) -> None:
    """The test compares all columns except that of the placebo, whose draws take long."""
    names = ("cash-heavy", "spy", "vol-target")
    numbers = docs_strategies.numbers_of(history, names, draws=0)
    rows = {cells[0]: cells for cells in map(cells_of, held("strategies-table").splitlines())}
    for name in names:
        expected = docs_strategies.plain_cells(name, numbers[name])
        shown = rows[expected[0]][: len(expected)]
        assert shown == expected, "run: python -m benchmarks.docs_numbers --store FILE"


def test_the_numbers_of_a_strategy_without_k_are_those_in_the_page(history: History) -> None:
    rows = map(cells_of, held("flags-without-k-strategies").splitlines())
    shown = {cells[0]: list(cells[1:]) for cells in rows}
    expected = docs_scales.with_and_without(history, "cash-heavy")
    assert shown["`cash-heavy`"] == expected, "run: python -m benchmarks.docs_numbers --store FILE"


def test_the_page_shows_that_a_look_ahead_collapses_and_strategies_fade() -> None:
    rows = {cells[0]: cells for cells in map(cells_of, held("luck-lead-lag").splitlines())}
    assert rows["planted look-ahead"][-3] == "after 0"
    assert {rows[f"`{name}`"][-3] for name in docs_luck.STRATEGIES} == {"fades"}


def test_the_page_shows_that_the_verdict_keeps_its_level_on_noise() -> None:
    """The script takes minutes, so the test checks only its columns and the rows on noise."""
    lines = held("luck-calibration").splitlines()
    assert lines[2:4] == luck.table(1, 4, 320).splitlines()[2:4]
    assert len(lines) == 4 + len(luck.WORLDS)
    rows = [dict(zip(cells_of(lines[2]), cells_of(line), strict=True)) for line in lines[4:]]
    for row in rows[:3]:
        assert float(row["verdict"].removesuffix(" %")) <= 6
        assert float(row["PBO"]) == pytest.approx(0.5, abs=0.05)


def cells_of(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def test_a_block_is_replaced_and_the_rest_of_a_page_is_not() -> None:
    page = (
        "before 1\n<!-- begin: a -->\nold\n<!-- end: a -->\nx <!-- begin: b -->2<!-- end: b --> y"
    )
    changed = with_block(with_block(page, "a", "new\nlines"), "b", r"3 \1")
    assert block_of(changed, "a") == "new\nlines"
    assert changed == (
        "before 1\n<!-- begin: a -->\nnew\nlines\n<!-- end: a -->\n"
        "x <!-- begin: b -->3 \\1<!-- end: b --> y"
    )
    with pytest.raises(ValueError, match="expected the block c once, found it 0 times"):
        block_of(page, "c")


def test_stays_closer_than_a_quarter_are_one_episode() -> None:
    index = pd.bdate_range("2020-01-01", periods=200)
    on = pd.Series(False, index=index)
    on.iloc[[0, 1, 10, 73, 137]] = True  # the gaps hold 8, 62 and 63 sessions
    assert [n for _, _, n in stays(on)] == [2, 1, 1, 1]
    assert episodes(on) == 2
    assert episodes(on & False) == 0


def test_the_counterfactual_changes_the_level_and_not_the_growth(material: Material) -> None:
    before = Capex().evaluate(material.history.panel).gauges
    after = Capex().evaluate(times_capex(material.history.panel, 2.0)).gauges
    assert after["level"].dropna().to_numpy() == pytest.approx(2 * before["level"].dropna())
    assert after["impulse"].dropna().to_numpy() == pytest.approx(before["impulse"].dropna())


@pytest.mark.parametrize("page", list(PROSE))
def test_no_measured_number_stands_outside_a_block(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    prose = re.sub(r"<!-- begin: (\S+) -->.*?<!-- end: \1 -->", "", text, flags=re.DOTALL)
    figures = set(re.findall(r"\d[\d,.\-]*\d(?: %)?|\d %", prose))
    assert figures <= PROSE[page]


def test_the_page_has_the_rules_of_the_regime_in_order_and_their_numbers() -> None:
    text = (ROOT / "docs/read-flags.md").read_text("utf-8")
    rules = re.findall(r"^\| `(.+?)` \| .+? \| (\w+) \|$", text, re.MULTILINE)
    assert rules == [(rule, regime or "none") for rule, regime in Votes.rules.items()]
    said = " ".join(text.split())
    for sentence in (
        f"fewer than {Votes.min_views} votes are known",
        f"point to a new regime for {CONFIRM_REGIME} sessions in a row before the regime changes",
        f"FORCED_SELLING needs only {CONFIRM_FORCED}.",
        f"its condition must be true for {CONFIRM} sessions in a row",
    ):
        assert sentence in said


def test_a_regime_starts_at_the_tenth_session_with_the_flag_that_decides_it() -> None:
    days = pd.bdate_range("2020-01-01", periods=40)
    raw = pd.Series(["NEUTRAL"] * 20 + ["ABSORPTION"] * 20, days)
    assert (settle(raw) == "ABSORPTION").idxmax() == days[20 + 10 - 1]
