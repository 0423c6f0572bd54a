"""The dated events are complete, have sources and are packaged. A wrong file gives a clear line."""

import configparser
import datetime
from pathlib import Path

import pytest

from backtests.calendar import all_sessions, new_york_now
from backtests.thesis import events
from backtests.thesis.events import Events, read_events
from signals.errors import ConfigError, DataError
from tests.conftest import ROOT

EPISODE = """
[[episode]]
name = "one"
title = "One"
start = 2020-01-02
end = 2020-01-03
kind = "market"
source = "a publisher"
"""
POLICY = """
[[policy]]
what = "FOMC statement"
scheduled = true
source = "federalreserve.gov"
days = [2020-01-29]
"""


def read(folder: Path, text: str) -> Events:
    (folder / "events.toml").write_text(text)
    return read_events(folder / "events.toml")


def test_the_known_history_of_the_thesis_is_there() -> None:
    episodes = {episode.name: episode for episode in read_events().episodes}
    assert len(episodes) == 18
    assert episodes["qt-2018"].start == datetime.date(2018, 9, 20)
    assert episodes["qt-2018"].end == datetime.date(2018, 12, 24)
    assert episodes["repo-spike"].start == episodes["repo-spike"].end
    assert episodes["crash-february-2026"].end == datetime.date(2026, 2, 6)
    starts = [episode.start for episode in read_events().episodes]
    assert starts == sorted(starts)


def test_a_year_has_eight_scheduled_statements_except_2020_and_the_current_year() -> None:
    scheduled = [d.day.year for d in read_events().policy if d.what == "FOMC statement"
                 and d.scheduled]  # fmt: skip
    years = {year: scheduled.count(year) for year in range(2003, 2026)}
    assert {year: n for year, n in years.items() if n != 8} == {2020: 7}  # March was unscheduled


def test_scheduled_statements_fall_on_sessions() -> None:
    scheduled = [date.day for date in read_events().policy if date.scheduled]
    sessions = {session.date() for session in all_sessions()}
    assert [day for day in scheduled if day not in sessions] == []


def test_the_statement_about_bill_purchases_stands_at_its_release() -> None:
    days = read_events().days("FOMC statement")
    assert datetime.date(2019, 10, 11) in days
    assert datetime.date(2019, 10, 4) not in days


def test_every_fact_names_its_source() -> None:
    facts = read_events()
    assert all(episode.source for episode in facts.episodes)
    assert all(date.source for date in facts.policy)
    fed = [date.source for date in facts.policy if date.what == "FOMC statement"]
    assert all(source.startswith("https://www.federalreserve.gov/") for source in fed)


def test_the_file_is_packaged() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    packaged = config["options.package_data"]["backtests"].replace(" ", "").split(",")
    assert any(events.FILE.match(pattern) for pattern in packaged if "thesis/" in pattern)


def test_a_users_own_file_replaces_the_packaged_one(tmp_path: Path) -> None:
    own = read(tmp_path, EPISODE + POLICY)
    assert [episode.name for episode in own.episodes] == ["one"]
    assert own.days("FOMC statement") == (datetime.date(2020, 1, 29),)
    assert own.days("Treasury refunding") == ()


def test_a_date_of_today_is_accepted(tmp_path: Path) -> None:
    today = str(new_york_now().date())
    assert read(tmp_path, POLICY.replace("2020-01-29", today)).policy[0].day.isoformat() == today


def _tomorrow() -> str:
    return str(new_york_now().date() + datetime.timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (EPISODE.replace('"market"', '"markets"'), "unknown kind 'markets'; did you mean 'market'"),
        (POLICY.replace("FOMC s", "FOMC S"), "unknown what .* did you mean 'FOMC statement'"),
        (EPISODE.replace("2020-01-03", "2100-01-03"), "expected a date up to today"),
        (POLICY.replace("2020-01-29", _tomorrow()), "policy 1 days 1: expected a date up to today"),
        (EPISODE.replace("2020-01-03", "2020-01-01"), "expected an end on or after the start"),
        (EPISODE * 2, "expected each episode once, found one 2 times"),
        (POLICY * 2, "expected each policy date once, found FOMC statement of 2020-01-29 2 times"),
        (EPISODE.replace('"one"', '"Number one"'), "episode 1 name: string should match"),
        (EPISODE.replace('"a publisher"', '""'), "episode 1 source: string should have at least"),
        (EPISODE.replace('title = "One"\n', ""), "episode 1 title: field required"),
        (EPISODE.replace("2020-01-02", '"2020-01-02"'), "episode 1 start: input should be a valid"),
        (EPISODE.replace("2020-01-02", "2020-01-02T09:30:00"), "episode 1 start: "),
        (EPISODE + 'mood = "bad"\n', "episode 1 mood: extra inputs are not permitted"),
        (POLICY.replace("true", '"yes"'), "policy 1 scheduled: input should be a valid boolean"),
        (POLICY.replace("[2020-01-29]", "[]"), "policy 1 days: list should have at least 1 item"),
        ("[[episodes]]\n", "episodes: extra inputs are not permitted"),
        ("episode = [", "expected TOML in"),
        ("a = " + "[" * 5000, "expected TOML in"),
    ],
)
def test_a_wrong_file_gets_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        read(tmp_path, text)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a file of events at "):
        read_events(tmp_path / "none.toml")
