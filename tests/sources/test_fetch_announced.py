"""FRED gives a rate that is set in advance some days ahead: on Friday for the whole weekend."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest

from backtests.sources import fetching, secrets
from backtests.store.store import Store
from tests.servers import Poison, Servers
from tests.servers.web import Response
from tests.sources.test_fetch import bring, lead_to

pytestmark = pytest.mark.usefixtures("kept_open")

FRIDAY = pd.Timestamp("2026-01-02 20:30")
AHEAD = ("2026-01-03", "2026-01-04", "2026-01-05")


@pytest.fixture(params=["with a key", "without a key"])
def servers(
    running: Servers,
    target: Store,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Servers]:
    running.today = "2026-01-02"
    lead_to(running, monkeypatch, FRIDAY)
    if request.param == "without a key":
        monkeypatch.delenv("FRED_API_KEY")
        monkeypatch.setattr(secrets, "key_file", lambda: target.path.parent / "no-key")
    yield running
    running.poison = None


def later(id: str, *days: str) -> Poison:
    """Return a change: FRED's answers for a series also have the value 3.65 on the given days."""

    def change(response: Response) -> Response:
        body = response.body.decode()
        if body.startswith("observation_date"):
            body += "".join(f"{day},3.65\n" for day in days)
        else:
            rows = "".join(f'<observation date="{day}" value="3.65" />' for day in days)
            body = body.replace("</observations>", f"{rows}</observations>")
        return replace(response, body=body.encode())

    return Poison(name="days to come", match=f"id={id}", change=change)


def dates(store: Store, id: str) -> set[str]:
    return set(store.rows([id])["observed_on"].dt.strftime("%Y-%m-%d"))


def test_a_rate_announced_for_the_next_days_is_fetched_up_to_today(
    servers: Servers, target: Store
) -> None:
    servers.poison = later("IORB", "2026-01-02", *AHEAD)
    outcome = bring(target, "IORB")["IORB"]
    assert outcome.failed == ""
    assert outcome.note == "left out 3 announced values with a future date"
    assert outcome.last == pd.Timestamp("2026-01-02")
    assert dates(target, "IORB").isdisjoint(AHEAD)


def test_the_announced_value_counts_once_its_day_has_come(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.poison = later("IORB", "2026-01-02", *AHEAD)
    bring(target, "IORB")
    monkeypatch.setattr(fetching, "new_york_now", lambda: pd.Timestamp("2026-01-05 20:30"))
    outcome = bring(target, "IORB")["IORB"]
    assert (outcome.failed, outcome.new, outcome.revised) == ("", 3, 0)
    monday = target.rows(["IORB"]).set_index("observed_on").loc["2026-01-05"]
    assert monday["available_at"] == pd.Timestamp("2026-01-06 09:30")


@pytest.mark.parametrize(("id", "day"), [("IORB", "2026-01-10"), ("SOFR", "2026-01-05")])
def test_any_other_day_to_come_is_an_error_of_the_source(
    servers: Servers, target: Store, id: str, day: str
) -> None:
    servers.poison = later(id, day)
    assert "expected a date up to today, 2026-01-02" in bring(target, id)[id].failed
    assert not target.exists() or target.series_ids() == ()
