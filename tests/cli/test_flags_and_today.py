"""flags and today: what they say, why, and the orders that lead to a target."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.config_data import config_from
from backtests.evidence.sensitivity import sensitivity
from backtests.history.panel import History
from backtests.holdings import read_holdings
from backtests.plural import some_of
from backtests.today import Plan, make_plan
from signals.dry_powder import DryPowder
from signals.evaluations import inputs_of
from strategies import STRATEGIES
from tests.commands import Drypowder, refused, said_by
from tests.sessions import read_at, today

pytestmark = pytest.mark.usefixtures("evaluated_before")

#: Two sessions for each rule that can decide the regime. At one session, the rule applies. At the
#: other, another rule applies but is not confirmed yet.
DECIDED = {
    "2025-12-31": "absorption",
    "2020-02-24": "absorption",
    "2023-01-24": "half of the votes",
    "2023-02-06": "half of the votes",
    "2025-04-22": "forced_selling",
    "2025-05-05": "forced_selling",
    "2025-09-18": "injecting",
    "2025-10-01": "injecting",
    "2025-10-02": "none",
    "2025-10-15": "none",
}


@pytest.fixture(scope="module")
def said_at(history: History) -> dict[str, dict[str, Any]]:
    return {day: read_at(history, pd.Timestamp(day)) for day in DECIDED}


@pytest.mark.parametrize(("day", "rule"), DECIDED.items())
def test_the_sentence_says_which_rule_decided(
    day: str, rule: str, said_at: dict[str, dict[str, Any]]
) -> None:
    said = said_at[day]
    words = {"none": "because no rule pointed to a regime other than NEUTRAL; "}
    words |= {"absorption": "by the flag absorption (", "injecting": 'by the rule "injecting"'}
    words |= {"forced_selling": "by the flag forced_selling (", "half of the votes": f"by {rule}"}
    assert said["decided_by"] == rule
    start = f"{said['regime']} since {said['since']}: decided {words[rule]}"
    assert said["sentence"].startswith(start)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2016-10-12", "other than NEUTRAL; now a rule points to another regime; "),
        ("2018-08-07", "by half of the votes, which no longer applies; "),
        ("2019-01-17", ", which no longer applies; "),
        ("2025-10-01", 'by the rule "injecting" (gauge u is '),
    ],
)
def test_a_rule_that_no_longer_applies_is_said(day: str, words: str, history: History) -> None:
    said = read_at(history, pd.Timestamp(day))
    assert words in said["sentence"]
    assert "fewer than half" not in said["sentence"]
    assert ("no longer applies" in said["sentence"]) == (said["decided_by"] != "none")


def test_no_rule_applies_while_fewer_than_half_of_the_votes_are_on(history: History) -> None:
    said = read_at(history, pd.Timestamp("2025-10-02"))
    assert "known votes are on, which is fewer than half" in said["sentence"]


@pytest.mark.parametrize("day", DECIDED)
def test_as_many_votes_are_named_as_are_counted(
    day: str, said_at: dict[str, dict[str, Any]]
) -> None:
    said = said_at[day]
    count, rest = re.findall(r"(\d+) of \d+ known votes are on[^:]*: (.*)", said["sentence"])[0]
    votes = len(said["votes_for"]) + len(said["votes_against"]) + len(said["no_view"])
    assert votes == sum(entry.votes for entry in signals.SIGNALS.values())
    assert int(count) == len(said["votes_for"])
    listed = re.sub(r"\([^()]*\)", "", rest).split("; a change to")[0]
    assert [n for n in signals.SIGNALS if re.search(rf"\b{n}\b", listed)] == [
        n for n in signals.SIGNALS if n in said["votes_for"]
    ]


@pytest.mark.parametrize("day", DECIDED)
def test_a_value_and_its_trigger_are_of_one_gauge(
    day: str, said_at: dict[str, dict[str, Any]]
) -> None:
    clauses = re.findall(
        r"\((?:off now, )?(\w+) \S+[^(),]* now, turns o(?:n|ff) at (\w+) ", said_at[day]["sentence"]
    )
    assert all(gauge == trigger for gauge, trigger in clauses)
    named = said_at[day]["decided_by"] not in ("none", "injecting")
    assert bool(clauses) == named
    for s in said_at[day]["signals"].values():
        if s["distance"] is not None:
            target = float(re.findall(r"(?:above|below) (\S+)", s["flips"])[0])
            assert s["flips"].startswith(s["distance_gauge"])
            assert s["distance"] == pytest.approx(target - s["distance_value"])


@pytest.mark.parametrize(
    ("day", "waiting"),
    [
        ("2025-12-31", None),
        ("2025-10-15", ("ABSORPTION", "absorption", 9, 10)),
        ("2025-10-01", ("NEUTRAL", "no flag", 9, 10)),
        ("2025-05-05", ("INJECTION", "injecting", 9, 10)),
    ],
)
def test_a_change_that_is_being_confirmed_is_told(
    day: str, waiting: tuple[str, str, int, int] | None, said_at: dict[str, dict[str, Any]]
) -> None:
    said = said_at[day]
    if waiting is None:
        assert said["pending"] is None
        assert "waits for confirmation" not in said["sentence"]
        return
    regime, rule, sessions, needed = waiting
    assert said["pending"] == {
        "regime": regime,
        "rule": rule,
        "sessions": sessions,
        "needed": needed,
    }
    told = f"; a change to {regime} (rule: {rule}) waits for confirmation, 9 of 10 sessions so far"
    assert told in said["sentence"]


def test_without_a_regime_the_sentence_says_which_votes_have_no_view(history: History) -> None:
    said = read_at(history, pd.Timestamp("2010-06-30"))
    assert (said["regime"], said["decided_by"]) == (None, None)
    assert "too few votes are known (unknown: dry_powder" in said["sentence"]


# --- what absorption rests on -----------------------------------------------------------------


def test_absorption_shows_how_little_it_rests_on_the_size_of_capital_spending(
    history: History,
) -> None:
    beside = read_at(history, pd.Timestamp("2025-12-31"))["signals"]["absorption"]["beside"]
    gauges = signals.Absorption().evaluate(history.panel).gauges
    assert beside["capex, % of GDP"] == gauges["capex_share"].iloc[-1]
    outside = signals.OutsideCapital().evaluate(history.panel).gauges.iloc[-1]
    for gauge, unit in (("gap", "capex"), ("marginal", "added capex"), ("raised", "capex")):
        assert beside[f"outside_capital {gauge}, % of {unit}"] == outside[gauge]
    days = [beside[f"days on{how}"] for how in (" with capex halved", "", " with capex doubled")]
    assert days == [375, 415, 480]
    ranks = gauges[["u", "idle_share", "capex_share"]].corr("spearman")["u"]
    assert ranks["idle_share"] == pytest.approx(-0.90, abs=0.005)
    assert ranks["capex_share"] == pytest.approx(-0.02, abs=0.005)


def test_the_counterfactual_of_one_is_the_flag_itself(history: History) -> None:
    absorption = signals.Absorption()
    said = absorption.evaluate(history.panel)
    same = absorption.counterfactual(said.gauges, 1.0)
    pd.testing.assert_series_equal(same, said.flag, check_names=False)


# --- the scales of idle capital ---------------------------------------------------------------

#: Which scales were on at each session. Without a price of reserves, only two scales have a view.
SCALES_ON = {
    "2017-06-30": (
        {"gdp": False, "bank_assets": False, "price": None},
        "idle capital is depleted on 0 of 2 scales",
    ),
    "2018-03-01": (
        {"gdp": False, "bank_assets": True, "price": None},
        "idle capital is depleted on 1 of 2 scales",
    ),
    "2019-09-17": (
        {"gdp": True, "bank_assets": True, "price": True},
        "idle capital is depleted on 3 of 3 scales",
    ),
    "2020-09-01": (
        {"gdp": False, "bank_assets": True, "price": False},
        "idle capital is depleted on 1 of 3 scales",
    ),
    "2025-10-15": (
        {"gdp": True, "bank_assets": True, "price": False},
        "idle capital is depleted on 2 of 3 scales",
    ),
}


@pytest.mark.parametrize("day", SCALES_ON)
def test_the_scales_of_idle_capital_stand_side_by_side(history: History, day: str) -> None:
    flags, sentence = SCALES_ON[day]
    said = read_at(history, pd.Timestamp(day))
    assert {row["name"]: row["flag"] for row in said["scales"]["rows"]} == flags
    assert said["scales"]["said"] == sentence
    assert f"; {sentence}" in said["sentence"]


class Page(NamedTuple):
    """The text that ``flags --html`` printed, and the path of the page that it wrote."""

    table: str
    path: Path


@pytest.fixture(scope="module")
def page(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("page") / "flags.html"
    said = said_by("flags", "--store", store, "--at", "2025-06-30", "--html", path)
    assert said.code == 0, said.err
    return Page(said.out, path)


def test_flags_and_why_and_the_page_show_what_stands_beside(
    on_store: Drypowder, page: Page
) -> None:
    flat = " ".join(page.table.split())
    assert re.search(r"absorption capex, % of GDP: [\d.]+; days on: \d+; ", flat)
    assert "days on with capex halved: " in flat
    assert "crypto_forced_selling uses 4 of 5 components since" in flat
    why = on_store("flags", "--why", "absorption", "--at", "2025-06-30").out
    assert "Limits: u depends mostly on idle capital" in why
    assert "days on with capex doubled" in why
    html = page.path.read_text()
    assert "days on with capex halved" in html
    assert "uses 4 of 5 components since" in html
    assert "without follow_through" in html  # of fading_momentum, earlier


def test_a_flag_that_decides_by_its_own_rule_is_not_called_a_flag_without_effect(
    page: Page,
) -> None:
    """Three flags do not vote, because each of them decides the regime before the votes."""
    decide, html = ("forced_selling", "opportunity", "absorption"), page.path.read_text("utf-8")
    for name in signals.SIGNALS:
        row = html[html.index(f'<a href="#{name}">') :].partition("</td>")[0]
        assert (f"[{name}]" in page.table) == ("(own rule)" in row) == (name in decide)
    assert "own rule can decide the regime before the votes" in page.table


def test_flags_today_and_the_page_show_the_scales(on_store: Drypowder, page: Page) -> None:
    shown = (
        "k · GDP",
        "bank assets",
        "price of reserves",
        "idle capital is depleted on 0 of 3 scales",
    )
    at = ("--at", "2025-06-30")
    why = on_store("flags", "--why", "dry_powder", *at).out
    plan = on_store("today", "spy", *at).out
    for text in (page.table, why, plan, page.path.read_text()):
        assert all(part in text for part in shown)
    assert "price of reserves" not in on_store("flags", "--why", "bathtub", *at).out
    in_json = json.loads(on_store("today", "spy", "--json", *at).out)["scales"]
    assert [row["flag"] for row in in_json["rows"]] == [False, False, False]
    explained = json.loads(on_store("flags", "--why", "dry_powder", "--json", *at).out)
    assert explained["scales"] == in_json


def test_every_signal_has_a_view_or_a_reason_at_the_end(history: History) -> None:
    said = read_at(history, pd.Timestamp("2025-12-31"))["signals"]
    without = {name: s["reason"] for name, s in said.items() if s["flag"] is None}
    assert without == {"convexity": "no estimate yet, or too little history"}


#: A mapping from series to the signals that have no view without it. A signal of many assets may
#: lack one asset.
NEEDED_BY = {
    "WALCL": {"bathtub"},
    "WTREGEN": {"bathtub"},
    "RRPONTSYD": {"dry_powder", "absorption", "bathtub", "convexity"},
    "WRESBAL": {"dry_powder", "absorption", "convexity"},
    "GDP": {"dry_powder", "absorption", "convexity"},
    "TLAACBW027SBOG": set(),
    "SOFR": {"funding"},
    "IORB": {"funding"},
    "IOER": set(),
    "SRF": set(),
    "OCF_TTM_MSFT": set(),
    "MARGIN_DEBT": {"leverage"},
    "FREE_CREDIT": set(),
    "STABLECOIN_SUPPLY": set(),
    "FLOW_BTC_ETF": set(),
    "DGS10": {"cost_of_capital", "convexity"},
    "BAA10Y": {"cost_of_capital", "convexity"},
    "BTC-USD": {"crypto_probe"},
    "SPY": {"crypto_probe", "inverse_qe"},
    "TLT": {"inverse_qe"},
    "VIXCLS": {"opportunity"},
    "CAPEX_TTM_MSFT": {"absorption", "convexity"},
    "DFII10": set(),
    "THREEFYTP10": set(),
    "DGS2": set(),
    "MU": set(),
    "FUNDING_BTC": set(),
}


@pytest.mark.parametrize("missing", NEEDED_BY)
def test_without_one_series_the_others_speak_and_the_regime_ignores_those_votes(
    history: History, missing: str
) -> None:
    session = pd.Timestamp("2025-12-31")
    lost = [c for c in history.panel.columns if c.split("@")[0] == missing]
    panel = history.panel.assign(**dict.fromkeys(lost, float("nan")))
    without = History(
        panel=panel,
        known=history.known,
        closes=history.closes,
        source="store",
    )
    said = read_at(without, session)
    silent = {name for name, s in said["signals"].items() if s["flag"] is None}
    expected = NEEDED_BY[missing] | {"convexity"}
    assert silent == expected, f"without {missing}: correct NEEDED_BY"
    assert set(said["no_view"]) == {n for n in silent if signals.SIGNALS[n].votes}
    for name in NEEDED_BY[missing]:
        assert missing in said["signals"][name]["reason"]


def test_why_prints_definition_inputs_and_reference(on_store: Drypowder) -> None:
    code, out, _ = on_store("flags", "--why", "dry_powder")
    assert code == 0
    for part in (
        "Formula: Idle capital P = RRPONTSYD",
        "Reference: Afonso",
        "WRESBAL: ",
        "k=0.09",
        "known 2025",
    ):
        assert part in out
    assert "``" not in out


def test_why_of_every_signal_has_its_parts(
    on_store: Drypowder, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = signals.read(history.until("2025-06-30").panel)
    monkeypatch.setattr("signals.read", lambda *_: reading)
    for name in signals.SIGNALS:
        code, out, err = on_store("flags", "--why", name, "--json", "--at", "2025-06-30")
        assert code == 0, err
        said = json.loads(out)
        parts = {"what", "Formula", "Flag", "Timing", "NaN", "Reference"}
        limits = {"Limits"} if name in ("absorption", "dry_powder") else set()
        assert set(said["definition"]) == parts | limits
        chosen = signals.default_signals()
        assert set(said["inputs"]) == set(inputs_of(chosen[name], chosen))


def test_why_of_an_unknown_signal_suggests_one(on_store: Drypowder) -> None:
    code, _, err = on_store("flags", "--why", "drypowder")
    assert code == 2
    assert "did you mean 'dry_powder'?" in err


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_export_holds_all_gauges_scores_and_flags(
    on_store: Drypowder, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"flags.{ending}"
    code, _, err = on_store("flags", "--export", path, "--at", "2025-06-30")
    assert code == 0, err
    if ending == "csv":
        table = pd.read_csv(path, low_memory=False)
    else:
        import duckdb

        table = duckdb.read_parquet(str(path)).df()
    assert str(table["date"].iloc[-1])[:10] == "2025-06-30"
    for name, signal in signals.default_signals().items():
        gauges = {f"{name}.{g}" for g in signal.units if g != "score"}
        assert {f"{name}.flag", f"{name}.score", *gauges} <= set(table.columns)


@pytest.mark.parametrize(
    ("option", "target", "part"),
    [
        ("--export", "flags.xlsx", "expected --export to end in .csv or .parquet"),
        ("--html", ".", "expected --html to end in .html"),
        ("--html", "flags.csv", "expected --html to end in .html"),
        ("--export", "flags.html", "expected --export to end in .csv or .parquet"),
    ],
)
def test_a_target_that_cannot_be_written_is_refused(
    on_store: Drypowder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    target: str,
    part: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = on_store("flags", option, target)
    assert code == 2
    assert part in err
    assert list(tmp_path.iterdir()) == []


def test_the_page_has_a_chart_for_each_signal_and_one_for_the_regime(page: Page) -> None:
    assert page.path.read_text().count('class="panels"') == len(signals.SIGNALS) + 1


def test_sensitivity_says_when_a_quarter_of_k_tells_another_story(history: History) -> None:
    rows = sensitivity(history.panel, {"dry_powder": DryPowder()})
    moved = {
        (r.parameter, r.value if isinstance(r.value, str) else round(r.value, 4)): r for r in rows
    }
    assert moved["", 0.0].switches == ("2018-05-10", "2025-10-08")
    assert moved["k", 0.0675].other_story
    assert not moved["leave", 1.5].other_story
    assert moved["a", 0.1562].overlap == 1.0
    assert moved["scale", "bank_assets"].switches == ("2018-01-11", "2020-07-30", "2025-09-05")
    assert {r.parameter for r in rows} == {"", "scale", "k", "a", "enter", "leave", "confirm"}


def test_sensitivity_reaches_the_parameters_of_parts() -> None:
    panel = History.simulated(0, 3).panel
    parts = {"dry_powder": DryPowder(), "capex": signals.Capex()}
    rows = sensitivity(panel, {**parts, "absorption": signals.Absorption()})
    moved = {row.parameter for row in rows if row.signal == "absorption"}
    assert {"dry_powder.k", "capex.minimum", "enter"} <= moved


@pytest.mark.usefixtures("briefly")
def test_the_sensitivity_of_a_flag_without_a_view_is_null_in_json(drypowder: Drypowder) -> None:
    begins = str(History.simulated().panel.index[0].date())
    said = drypowder("flags", "--source", "simulated", "--at", begins, "--sensitivity", "--json")
    assert said.code == 0
    cases = json.loads(said.out, parse_constant=pytest.fail)["cases"]
    assert {case["on"] for case in cases} == {None}


# --- today ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def planned(history: History) -> Callable[[str], Plan]:
    """Return a function that plans a strategy up to November 2025, and keeps each plan."""
    past = history.until("2025-11-28")
    return cache(lambda strategy: make_plan(config_from({"strategy": strategy}), past))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("decimals", [0, 4])
def test_the_orders_lead_from_the_holdings_to_the_target(
    history: History, planned: Callable[[str], Plan], strategy: str, decimals: int
) -> None:
    session = pd.Timestamp("2025-11-28")  # the month's last session: a day of decision
    held = {"SPY": 300.0, "NVDA": 120.0, "BTC-USD": 0.5, "CASH": 250_000.0}
    decision = planned(strategy).at(session, held, decimals=decimals)
    assert decision.orders is not None
    assert decision.value is not None
    prices = history.closes.loc[session]
    after = dict(held)
    for order in decision.orders.to_dict("records"):
        name = order["asset"]
        after[name] = after.get(name, 0.0) + order["units"]
        after["CASH"] -= order["value"]
        assert order["price"] == prices[name]
    costs = decision.orders["cost"].sum()
    unsold = 10**-decimals * sum(prices[asset] for asset in set(held) - {"CASH"})
    for asset in set(after) - {"CASH"}:
        reached = after[asset] * prices[asset]
        missed = abs(reached - decision.target.get(asset, 0.0) * decision.value)
        assert missed <= 10**-decimals * prices[asset] + unsold + costs + 1e-6
    assert after["CASH"] >= costs - 1e-6
    spent = sum(u * prices[a] for a, u in after.items() if a != "CASH")
    assert spent + after["CASH"] == pytest.approx(decision.value)


def test_targets_are_those_of_a_backtest_decided_that_day(history: History) -> None:
    strategy = STRATEGIES["near-cash-flow"]()
    session = pd.Timestamp("2025-10-31")
    reading = signals.read(history.panel)
    expected = strategy.weights(reading, history.panel).loc[session]
    decision = today(config_from({"strategy": "near-cash-flow"}), history, session)
    assert decision.target.to_dict() == expected.to_dict()
    assert decision.orders is None
    assert decision.decided_on < session


def test_the_band_and_the_costs_are_those_of_the_configuration(history: History) -> None:
    held = {"SPY": 100.0, "CASH": 90_000.0}
    session = pd.Timestamp("2025-10-31")
    given = {"strategy": "spy", "costs": {"etf_bp": 10}}
    wide = today(config_from({**given, "band": 0.9}), history, session, held)
    narrow = today(config_from(given), history, session, held)
    assert (wide.beyond_band, narrow.beyond_band) == ((), ("SPY",))
    assert narrow.orders is not None
    order = narrow.orders.iloc[0]
    assert order["cost"] == pytest.approx(order["value"] * 0.001)


def test_today_prints_weights_reason_and_orders(on_store: Drypowder, tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text("asset,units\nSPY,100\nCASH,50000\n")
    code, out, err = on_store("today", "cash-heavy", "--holdings", path, "--json")
    assert code == 0, err
    said = json.loads(out)
    assert sum(said["weights"].values()) == pytest.approx(1)
    assert said["reason"].startswith("ABSORPTION since")
    assert said["orders"][0]["asset"] == "SPY"
    assert said["orders"][0]["units"] < 0
    assert said["beyond_band"] == ["SPY"]
    assert "Research, not investment advice" in on_store("today", "cash-heavy").out


def test_today_names_the_signals_without_a_view_and_the_series_that_were_never_known(
    drypowder: Drypowder, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = history.until("2025-06-30")
    lost = [id for id in map(str, past.panel) if id.startswith("CAPEX") or id == "BTC-USD"]
    panel, known = past.panel.copy(), past.known.copy()
    panel[lost], known[lost] = np.nan, pd.NaT
    without = replace(past, panel=panel, known=known)
    monkeypatch.setattr("backtests.pipeline.history_of", lambda *args, **options: without)
    said = drypowder("today", "cash-heavy", "--at", "2025-06-30", "--json")
    numbers = json.loads(said.out)
    assert said.code == 0
    assert set(numbers["no_view"]) == {"absorption", "capex", "crypto_probe"}
    assert numbers["no_view"]["crypto_probe"] == ["BTC-USD"]
    unseen = [one["id"] for one in numbers["missing"] if one["last_known_on"] is None]
    assert set(unseen) == {id for ids in numbers["no_view"].values() for id in ids}
    assert {"CAPEX_TTM_MSFT", "BTC-USD"} <= set(unseen) <= set(lost)
    line = "these signals of the regime have no view: capex, crypto_probe, absorption;"
    text = drypowder("today", "cash-heavy", "--at", "2025-06-30").out
    cure = f"import or fetch the missing series: {some_of(unseen)}"
    assert f"{line} {cure}" in " ".join(text.split())
    assert "have no view" not in drypowder("today", "spy", "--at", "2025-06-30").out


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "line 1: expected the header asset,units, was ''"),
        ("ticker,shares\nSPY,1\n", "the header asset,units, was 'ticker,shares'; add the header"),
        ("asset,units\n", "has only a header"),
        ("asset,units\nSPY,many\n", "line 2: expected an asset and a number of units"),
        ("asset,units\nSPY,nan\n", "line 2: expected an asset and a number of units"),
        ("asset,units\nSPY,1\nSPY,2\n", "line 3: expected each asset once, but SPY is also on"),
        ("asset,units\nSPY,1,2\n", "line 2: expected"),
        ("asset,units\nNOPE,1\n", "NOPE"),
        ("asset,units\nSPY,-1\n", "worth more than 0 USD"),
    ],
)
def test_bad_holdings_get_one_line(
    on_store: Drypowder, tmp_path: Path, content: str, part: str
) -> None:
    path = tmp_path / "h.csv"
    path.write_text(content)
    refused(on_store("today", "spy", "--holdings", path), part)


@pytest.mark.parametrize(
    ("held", "at", "warns"),
    [
        ("SPY,4", ("--at", "2024-05-31"), True),
        ("SPY,4", (), False),
        ("BTC-USD,1", ("--at", "2024-05-31"), False),
    ],
)
def test_units_at_an_earlier_date_get_a_warning_about_later_splits(
    on_store: Drypowder, tmp_path: Path, held: str, at: tuple[str, ...], warns: bool
) -> None:
    path = tmp_path / "held.csv"
    path.write_text(f"asset,units\n{held}\nCASH,100\n")
    said = on_store("today", "spy", "--holdings", path, *at)
    assert ("adjusted for later splits" in said.err) == warns


def test_a_file_of_holdings_that_cannot_be_read_gets_one_line(
    on_store: Drypowder, tmp_path: Path
) -> None:
    code, _, err = on_store("today", "spy", "--holdings", tmp_path / "nope.csv")
    assert (code, err) == (
        2,
        f"error: no file {tmp_path / 'nope.csv'} with holdings exists; check the path\n",
    )
    (tmp_path / "latin.csv").write_bytes("asset,units\nCAFÉ,1\n".encode("latin-1"))
    code, _, err = on_store("today", "spy", "--holdings", tmp_path / "latin.csv")
    assert "save the file as UTF-8" in err
    code, _, err = on_store("today", "spy", "--holdings", tmp_path / "latin.csv" / "x.csv")
    assert "Not a directory; check the path" in err
    assert "Errno" not in err


def test_holdings_are_read_with_blank_lines_and_spaces(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text("asset,units\n SPY , 1.5\n\nCASH,-20\n")
    assert read_holdings(path) == {"SPY": 1.5, "CASH": -20.0}
