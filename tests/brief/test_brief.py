"""The brief at one close: each part is compared with a simple rule on the same data."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.brief.brief import Brief, make_brief
from backtests.brief.changes import changes
from backtests.brief.dates import next_dates
from backtests.brief.holdings import Holding, held_weights, holdings
from backtests.brief.late import late_data
from backtests.brief.links import link_states
from backtests.brief.next_flips import MONTH, next_flips, regime_if_flipped
from backtests.config_data import config_from
from backtests.engine.schedule import BAND
from backtests.history.panel import History
from backtests.report.brief_words import late_words
from backtests.thesis.claims import CLAIMS
from backtests.thesis.links import LINKS, WORDS
from backtests.thesis.trial import judge_claims
from backtests.today import make_plan
from signals.base import Evaluation
from signals.errors import ConfigError
from signals.explanation import explain_all
from signals.forced_selling import CryptoForcedSelling, ForcedSelling
from signals.hysteresis import since
from signals.leverage import Leverage
from strategies import STRATEGIES
from tests.readings import evaluation_of, flag_of, reading_of

pytestmark = pytest.mark.usefixtures("evaluated_before")

DAY = "2025-10-20"  # ABSORPTION for three sessions, after INJECTION and NEUTRAL
BEFORE = "2025-03-03"


@pytest.fixture(scope="module")
def past(history: History) -> History:
    return history.until(DAY)


@pytest.fixture(scope="module")
def made(past: History) -> Brief:
    return make_brief(past, BEFORE)


@pytest.fixture(scope="module")
def waiting(history: History) -> Brief:
    """Return the brief of 2025-10-01: u is above its level, but the flag is still off."""
    return make_brief(history.until("2025-10-01"))


# --- The whole ---------------------------------------------------------------------------------


def test_a_brief_says_the_regime_its_start_and_its_rule(made: Brief) -> None:
    reading = made.sample.reading
    assert (made.regime, str(made.session.date())) == ("ABSORPTION", DAY)
    assert made.since == since(reading.regime)
    assert made.lasted == 3
    assert made.rule == reading.decided_by.iloc[-1] == "absorption"


def test_without_a_regime_it_says_the_rule_that_holds(history: History) -> None:
    early = make_brief(history.until("2010-06-30"))
    assert (early.regime, early.since, early.lasted) == (None, None, 0)
    assert early.rule == "too few views"


def test_by_default_it_compares_with_the_session_a_week_before(waiting: Brief) -> None:
    assert waiting.before == pd.Timestamp("2025-09-24")


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (DAY, f"expected --since to be earlier than the brief's session {DAY}, was"),
        ("2025-10-21", "--since 2025-10-21 lies outside the history"),
        ("soon", "--since must be a date"),
    ],
)
def test_a_day_that_is_not_before_the_session_is_refused(
    past: History, given: str, part: str
) -> None:
    with pytest.raises(ConfigError, match=part):
        make_brief(past, given)


def test_verdicts_in_a_brief_do_not_depend_on_the_other_claims(made: Brief) -> None:
    """The verdicts stay the same if three claims of another family are judged at the same time.

    The trial has many more claims.
    """
    others = [c for c in CLAIMS if not c.primary and c.condition == "absorption"][:3]
    main = [claim for claim in CLAIMS if claim.primary]
    among = judge_claims(made.sample, [*others, *main])[3:]
    assert [v.claim for v in made.verdicts] == main
    for alone, beside in zip(made.verdicts, among, strict=True):
        assert (alone.outcome, alone.reason, alone.power) == (
            beside.outcome,
            beside.reason,
            beside.power,
        )
        assert alone.adjusted == beside.adjusted


# --- Links -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ((False, False, True), "on"),
        ((None, False, True), "on"),
        ((False, None, False), "off"),
        ((None, None, None), "no view"),
    ],
)
def test_a_link_is_on_if_one_of_its_flags_is_on(flags: tuple[bool | None, ...], word: str) -> None:
    index = pd.DatetimeIndex(["2024-01-02"])
    found = {
        signal.name: Evaluation(
            signal=signal,
            gauges=pd.DataFrame(index=index),
            score=pd.Series(0.0, index=index),
            flag=flag_of([flag], index),
        )
        for signal, flag in zip(
            (Leverage(), ForcedSelling(), CryptoForcedSelling()), flags, strict=True
        )
    }
    states = {state.link: state for state in link_states(found)}
    assert states["L10"].word == word
    assert tuple(flag.on for flag in states["L10"].flags) == flags


def test_a_link_without_a_signal_has_no_flag(made: Brief) -> None:
    assert [link.link for link in made.links] == list(LINKS) == list(WORDS)
    linked = {e.signal.link for e in made.sample.reading.evaluations.values()}
    assert {link.link for link in made.links if link.word == "no flag"} == set(LINKS) - linked


# --- Changes -----------------------------------------------------------------------------------


def test_each_flag_that_ever_changed_is_listed_with_its_states(made: Brief) -> None:
    listed = {c.name: (c.was, c.now, c.when) for c in made.changes if c.kind == "flag"}
    expected = {}
    for name, flag in made.sample.reading.flags.loc[made.before :].items():
        words = ["no view" if pd.isna(on) else "on" if on else "off" for on in flag]
        if set(words) != {words[0]}:
            at = len(words) - 1
            while words[at - 1] == words[-1]:
                at -= 1
            expected[name] = (words[0], words[-1], flag.index[at])
    assert listed == expected
    assert listed["policy"][:2] == ("on", "off")
    assert listed["forced_selling"] == ("off", "off", pd.Timestamp("2025-04-23"))


def test_regime_and_rule_are_compared(made: Brief) -> None:
    found = {c.kind: (c.was, c.now) for c in made.changes if not c.name}
    assert found == {"regime": ("INJECTION", "ABSORPTION"), "rule": ("injecting", "absorption")}


def test_links_are_compared_at_both_sessions(made: Brief) -> None:
    found = {c.name: (c.was, c.now) for c in made.changes if c.kind == "link"}
    earlier = {k: e.until(made.before) for k, e in made.sample.reading.evaluations.items()}
    both = zip(link_states(earlier), made.links, strict=True)
    assert found == {was.link: (was.word, now.word) for was, now in both if was.word != now.word}
    assert found["L3"] == ("off", "on")
    assert "L10" not in found  # forced selling began and ended between the two sessions


@pytest.mark.parametrize(
    ("leverage", "forced_selling", "expected"),
    [
        ([False, False, True, True, True], [True, True, True, False, False], []),
        ([False, False, True, True, True], [False] * 5, [("off", "on", 2)]),
        ([False, False, True, True, True], [False, False, False, True, False], [("off", "on", 2)]),
        ([False, False, False, True, True], [False, False, True, True, False], [("off", "on", 2)]),
        ([True, False, False, False, False], [True, True, True, False, False], [("on", "off", 3)]),
        ([None, None, False, False, True], [None] * 5, [("no view", "on", 4)]),
        ([True, True, False, False, None], [None] * 5, [("on", "no view", None)]),
    ],
)
def test_a_link_changed_when_its_state_changed_and_not_when_its_last_flag_did(
    leverage: list[bool | None],
    forced_selling: list[bool | None],
    expected: list[tuple[str, str, int | None]],
) -> None:
    """Each change of the link L10 is: state before, state now, number of the session."""
    index = pd.bdate_range("2024-01-01", periods=5)
    flags = ((Leverage(), leverage), (ForcedSelling(), forced_selling))
    evaluations = {
        signal.name: replace(evaluation_of(flag, index), signal=signal) for signal, flag in flags
    }
    found = changes(reading_of(["NEUTRAL"] * 5, index, evaluations), index[0])
    links = [c for c in found if c.kind == "link"]
    positions = [c.when and index.get_loc(c.when) for c in links]
    assert [(c.was, c.now, at) for c, at in zip(links, positions, strict=True)] == expected


def test_a_flag_without_a_state_has_no_view_and_a_missing_regime_is_none() -> None:
    index = pd.bdate_range("2024-01-01", periods=3)
    evaluation = evaluation_of([True, False, None], index)
    regimes = pd.Series(["NEUTRAL", "NEUTRAL", None], index=index, dtype=object)
    reading = replace(
        reading_of(["NEUTRAL"] * 3, index, {"leverage": replace(evaluation, signal=Leverage())}),
        regime=regimes,
    )
    found = {c.kind: (c.was, c.now, c.when) for c in changes(reading, index[0])}
    assert found["flag"] == ("on", "no view", None)
    assert found["link"] == ("on", "no view", None)
    assert found["regime"] == ("NEUTRAL", "none", None)


def test_without_a_change_there_is_nothing(made: Brief) -> None:
    day = made.sample.sessions[-2]
    assert changes(made.sample.reading, day) == ()


# --- Flips -------------------------------------------------------------------------------------


def test_the_nearest_flip_is_the_move_that_was_most_often_as_large(made: Brief) -> None:
    counted = [flip.frequency for flip in made.flips]
    assert counted == sorted(counted, reverse=True)
    assert counted[0] > counted[-1]
    for flip in made.flips:
        gauge = made.sample.reading.evaluations[flip.signal].gauges[flip.gauge]
        values = list(gauge.astype("float64"))
        moves = [b - a for a, b in zip(values, values[MONTH:], strict=False) if a == a and b == b]
        sign = 1 if flip.distance > 0 else -1
        large = sum(sign * move >= abs(flip.distance) for move in moves)
        assert not flip.beyond
        assert flip.frequency == pytest.approx(large / len(moves))


def test_a_gauge_beyond_its_level_waits_for_confirmation_only(waiting: Brief) -> None:
    found = {flip.signal: flip for flip in waiting.flips}["absorption"]
    assert not found.on
    assert found.beyond
    assert found.frequency == 1.0


@pytest.mark.parametrize(
    ("session", "day"), [("2024-07-25", "2024-08-26"), ("2024-07-24", "2024-07-25")]
)
def test_margin_debt_is_dated_at_the_end_of_its_month(
    history: History, session: str, day: str
) -> None:
    """The rule counts 25 days from the end of the month: 25 July, and Monday 26 August."""
    dates = next_dates(history.until(pd.Timestamp(session)), ("MARGIN_DEBT",))
    assert [str(one.day.date()) for one in dates if "MARGIN_DEBT" in one.ids] == [day]


def test_an_opportunity_ends_by_its_age(history: History) -> None:
    """The flag turned on on 2007-10-02 and stays on for 63 sessions."""
    for day, age, frequency in (("2007-11-15", 33, 0.0), ("2007-12-14", 53, 1.0)):
        past = history.until(pd.Timestamp(day))
        reading = signals.read(past.panel)
        flips = next_flips(reading, explain_all(reading.evaluations, past.panel, past.known))
        found = {flip.signal: flip for flip in flips}["opportunity"]
        assert (found.gauge, found.value, found.distance) == ("age", age, 63 - age)
        assert (found.on, found.beyond, found.frequency) == (True, False, frequency)


def test_flags_on_which_the_regime_does_not_depend_are_left_out(made: Brief) -> None:
    names = {flip.signal for flip in made.flips}
    assert {"absorption", "forced_selling", "opportunity", "dry_powder"} <= names
    assert not names & {"leverage", "outside_capital", "convexity", "crypto_forced_selling"}


def test_a_flag_is_flipped_alone(history: History, made: Brief) -> None:
    """On 2025-10-20, four of ten votes are on. On 2025-12-31, six are."""
    reading = made.sample.reading
    assert int(reading.votes.iloc[-1].sum()) == 4
    assert regime_if_flipped(reading, "absorption") == "NEUTRAL"
    assert regime_if_flipped(reading, "dry_powder") == "ABSORPTION"
    assert regime_if_flipped(reading, "forced_selling") == "FORCED_SELLING"
    assert regime_if_flipped(reading, "opportunity") == "OPPORTUNITY"
    later = signals.read(history.panel.loc[:"2025-12-31"])
    assert int(later.votes.iloc[-1].sum()) == 6
    assert regime_if_flipped(later, "absorption") == "ABSORPTION"


# --- Dates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "day"),
    [
        ("2025-12-10", "2025-12-11"),  # a Wednesday
        ("2025-12-11", "2025-12-11"),  # a Thursday: the release comes after the close
        ("2025-12-12", "2025-12-18"),
        ("2025-11-26", "2025-11-28"),  # the Thursday is Thanksgiving
        ("2025-12-31", "2026-01-02"),  # the Thursday is New Year's Day
    ],
)
def test_the_balance_sheet_comes_on_thursdays(history: History, session: str, day: str) -> None:
    found = next_dates(history.until(session), ("WALCL", "WRESBAL", "DGS10"))
    (release,) = [one for one in found if one.short == "H.4.1"]
    assert str(release.day.date()) == day
    assert release.ids == ("WALCL", "WRESBAL")
    assert release.basis == "rule"


def test_gdp_comes_by_its_rule_or_as_a_year_ago(past: History) -> None:
    (ruled,) = [one for one in next_dates(past, ("GDP",)) if "GDP" in one.ids]
    assert pd.Timestamp("2025-07-01") + pd.Timedelta(days=180) == pd.Timestamp("2025-12-28")
    assert str(ruled.day.date()) == "2025-12-29"  # because 2025-12-28 is a Sunday
    archived = replace(past, archived_since={"GDP": past.panel.index[0]})
    (repeated,) = [one for one in next_dates(archived, ("GDP",)) if "GDP" in one.ids]
    close = pd.Timestamp(f"{DAY} 16:00")
    moments = [moment + pd.Timedelta(days=364) for moment in set(past.known["GDP"].dropna())]
    moment = min(moment for moment in moments if moment > close)
    assert str(moment.date()) == "2025-12-27"  # a Saturday
    assert str(repeated.day.date()) == "2025-12-29"
    assert repeated.basis == "a year ago"


def test_a_daily_series_has_no_expected_date_with_or_without_vintages(past: History) -> None:
    archived = replace(past, archived_since={"THREEFYTP10": past.panel.index[0]})
    for each in (past, archived):
        assert next_dates(each, ("THREEFYTP10",)) == next_dates(each, ())


def test_a_series_that_was_never_known_has_no_expected_date(past: History) -> None:
    known = past.known.assign(WRESBAL=np.datetime64("NaT", "us")).drop(columns="GDP")
    found = next_dates(replace(past, known=known), ("WALCL", "WRESBAL", "GDP"))
    assert [one.ids for one in found if one.basis == "rule"] == [("WALCL",)]


def test_filings_come_52_weeks_after_filings(past: History) -> None:
    found = {one.short: one.day for one in next_dates(past, ())}
    assert {"MSFT", "GOOGL", "AMZN", "META", "ORCL", "decision"} == set(found)
    filed = past.known["CAPEX_TTM_MSFT"].dropna().dt.normalize()
    assert found["MSFT"] - pd.Timedelta(weeks=52) in set(filed)
    assert pd.Timestamp(DAY) < found["MSFT"] <= pd.Timestamp(DAY) + pd.Timedelta(days=100)
    assert found["decision"] == pd.Timestamp("2025-10-31")


@pytest.mark.parametrize(
    ("session", "firm", "day"),
    [
        ("2024-04-01", "ORCL", "2024-06-20"),  # 52 weeks after 2023-06-21 is Juneteenth
        ("2015-12-01", "GOOGL", "2016-02-16"),  # a Saturday before Presidents' Day
    ],
)
def test_no_filing_is_expected_on_a_day_without_a_session(
    history: History, session: str, firm: str, day: str
) -> None:
    (filing,) = [one for one in next_dates(history.until(session), ()) if one.short == firm]
    assert str(filing.day.date()) == day


# --- Holdings ----------------------------------------------------------------------------------


def test_weights_are_those_of_the_command_today(past: History, made: Brief) -> None:
    held = {one.strategy: one for one in made.holdings}
    assert set(held) == {name for name, s in STRATEGIES.items() if s.link}
    for name in ("near-cash-flow", "patient"):
        plan = make_plan(config_from({"strategy": name}), past)
        for session, shown in (
            (made.session, held[name].weights),
            (made.before, held[name].before),
        ):
            target = plan.at(session).target
            expected = {**target.to_dict(), "CASH": 1 - target.sum()}
            assert shown == pytest.approx({k: w for k, w in expected.items() if abs(w) > 5e-4})


def test_only_moves_beyond_the_drift_band_are_told(made: Brief) -> None:
    for one in made.holdings:
        for asset in {*one.weights, *(one.before or {})}:
            change = one.weights.get(asset, 0.0) - (one.before or {}).get(asset, 0.0)
            assert (asset in one.moves) == (abs(change) > BAND)
    assert any(one.moves for one in made.holdings)


def test_a_strategy_without_a_price_gives_the_reason(past: History, made: Brief) -> None:
    lacking = replace(past, closes=past.closes.drop(columns="SPY"))
    held = {one.strategy: one for one in holdings(lacking, made.sample.reading, made.before)}
    assert held["cash-heavy"].weights == {}
    assert held["cash-heavy"].moves == {}
    assert "expected prices of SPY" in held["cash-heavy"].reason
    assert held["memory-over-crypto-smh"].weights != {}


def test_before_its_first_decision_a_strategy_held_nothing(past: History, made: Brief) -> None:
    early = pd.Timestamp("2009-01-05")
    assert all(one.before is None for one in holdings(past, made.sample.reading, early))


def test_weights_decided_today_have_the_date_of_today(history: History) -> None:
    """The last session of September is a scheduled decision day, and the session before is not."""
    for day, decided in (("2025-09-30", "2025-09-30"), ("2025-09-29", "2025-08-29")):
        past = history.until(day)
        reading = signals.read(past.panel)
        held = {one.strategy: one for one in holdings(past, reading, past.panel.index[-9])}
        assert held["survival"].decided_on == pd.Timestamp(decided)


def test_at_its_first_session_a_strategy_already_has_weights(past: History, made: Brief) -> None:
    plan = make_plan(config_from({"strategy": "cash-heavy"}), past, made.sample.reading)
    first = plan.followed[0]
    held = {one.strategy: one for one in holdings(past, made.sample.reading, first)}
    target = plan.at(first).target
    assert held["cash-heavy"].before == pytest.approx(held_weights(target))


# --- Late data ---------------------------------------------------------------------------------


def test_a_late_series_is_told_with_its_last_day_and_its_effect(past: History) -> None:
    panel, known = past.panel.copy(), past.known.copy()
    panel.loc["2025-09-15":, "SOFR"] = float("nan")
    known.loc["2025-09-15":, "SOFR"] = pd.NaT
    cut = replace(past, panel=panel, known=known)
    said = explain_all(signals.read(panel).evaluations, panel, known)
    (found,) = [one for one in late_data(cut, said, ()) if one.what == "SOFR"]
    assert found.last == past.known["SOFR"].loc["2025-09-12"].normalize()
    assert "funding has no view" in found.affects
    assert not found.unseen


def test_the_last_day_of_a_late_series_is_the_day_of_its_publication(past: History) -> None:
    """The balance sheet came on Thursday 2025-09-25, and was used until Tuesday 2025-09-30."""
    known = past.known.copy()
    known.loc["2025-10-01":, "WRESBAL"] = pd.NaT
    lost = Holding(
        strategy="cash-heavy",
        description="",
        weights={},
        before=None,
        decided_on=None,
        missing={"WRESBAL": pd.Timestamp("2025-09-25")},
        state_is_lost=True,
    )
    (found,) = late_data(replace(past, known=known), {}, [lost])
    assert found.last == pd.Timestamp("2025-09-25")


def test_a_late_price_stops_the_trades_of_its_asset_only(past: History, made: Brief) -> None:
    panel, closes = past.panel.copy(), past.closes.copy()
    panel.loc[DAY:, "SNDK"] = closes.loc["2025-10-10":, "SNDK"] = float("nan")
    cut = replace(past, panel=panel, closes=closes)
    held = holdings(cut, made.sample.reading, made.before)
    (found,) = late_data(cut, {}, held)
    assert not any(one.state_is_lost for one in held)
    assert found.what == "SNDK"
    assert "near-cash-flow does not trade SNDK" in found.affects.split("; ")
    assert "cash-heavy" not in found.affects


def test_a_strategy_whose_state_is_lost_keeps_its_last_target(past: History, made: Brief) -> None:
    panel = past.panel.copy()
    panel.loc["2025-10-14":, "WRESBAL"] = float("nan")
    cut = replace(past, panel=panel)
    held = holdings(cut, signals.read(panel), made.before)
    (found,) = [one for one in late_data(cut, {}, held) if one.what == "WRESBAL"]
    assert "cash-heavy keeps its last target" in found.affects.split("; ")
    assert "does not trade" not in found.affects


def test_a_series_that_was_never_imported_is_missing_and_not_late(past: History) -> None:
    panel, known = past.panel.copy(), past.known.copy()
    panel["SOFR"], known["SOFR"] = float("nan"), pd.NaT
    cut = replace(past, panel=panel, known=known)
    said = explain_all(signals.read(panel).evaluations, panel, cut.known)
    *others, last = late_data(cut, said, ())
    assert (last.what, last.last, last.unseen) == ("SOFR", None, True)
    assert not any(one.unseen for one in others)
    assert late_words(asdict(last)) == f"SOFR (no value so far): {last.affects}"


def test_a_missing_component_is_told_and_a_view_without_an_estimate_is_not(
    past: History, made: Brief
) -> None:
    said = explain_all(made.sample.reading.evaluations, past.panel, past.known)
    assert said["convexity"].flag is None
    found = late_data(past, said, made.holdings)
    assert [one.what for one in found] == [", ".join(said["crypto_forced_selling"].without)]
    assert not any("convexity" in one.affects for one in found)
