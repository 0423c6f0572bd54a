"""Faults of sources: wrong data stay out, correct data enter, and one line names the fault.

Random runs: ``DRYPOWDER_FAULT_RUNS`` is their number for each kind of fault; default 1.
"""

import os
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.sources import secrets
from backtests.sources.fetching import Outcome
from backtests.sources.http import RetryPolicy
from backtests.store.batch import ARCHIVE
from backtests.store.locking import reading
from backtests.store.store import Store
from tests.servers import Fault, Servers
from tests.servers import faults as planting
from tests.servers.faults import Kind
from tests.servers.tables import number
from tests.servers.yahoo import Prices
from tests.sources.conftest import TODAY
from tests.sources.test_fetch import (
    bring,
    everything,
    lead_to,
    rewrite,
)

pytestmark = pytest.mark.usefixtures("kept_open")

RUNS = int(os.environ.get("DRYPOWDER_FAULT_RUNS", "1"))
EARLIER = "2025-06-30"
SOON = RetryPolicy(connect=1.0, read=10.0, attempts=3, wait=0.01, longest=0.05, budget=120.0)
HASTY = replace(SOON, connect=0.3, read=0.3, attempts=2)
STATUSES = (429, 500, 502, 503)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One way in which data arrive: the requested series, and the answers that get a fault."""

    target: str
    bystander: str
    match: str
    key: bool = True
    #: Faults that cause no harm in this channel, and faults that it cannot notice.
    harmless: tuple[Kind, ...] = ()
    never: tuple[Kind, ...] = ()


NO_NUMBERS: tuple[Kind, ...] = ("text_numbers", "spike")
CHANNELS = {
    "FRED's XML": Channel(target="WALCL", bystander="IORB", match="observations.*series_id=WALCL&"),
    "FRED's CSV": Channel(target="WALCL", bystander="IORB", match="csv.id=WALCL$", key=False),
    "ALFRED's vintages": Channel(
        target="GDP",
        bystander="DRTSCILM",
        match="observations.*series_id=GDP&",
        harmless=("duplicate",),
    ),
    "ALFRED's vintage dates": Channel(
        target="GDP",
        bystander="DRTSCILM",
        match="vintagedates.*series_id=GDP&",
        harmless=("duplicate",),
        never=NO_NUMBERS,
    ),
    "Yahoo": Channel(target="SNDK", bystander="COIN", match="chart/SNDK"),
    "the New York Fed's rates": Channel(
        target="TGCR", bystander="SRF", match="tgcr/search.*startDate=2024"
    ),
    "the New York Fed's operations": Channel(
        target="SRF",
        bystander="TGCR",
        match="rp/results/search.*startDate=2024",
        never=("spike",),  # a small amount times 100 is still plausible
    ),
    "the SEC": Channel(
        target="CAPEX_TTM_MU",
        bystander="CAPEX_TTM_META",
        match="CIK0000723125/us-gaap/PaymentsToAcquirePropertyPlantAndEquipment",
        harmless=("duplicate",),
        never=("spike",),  # the sum is often plausible with one quarter times 100
    ),
}

#: PASSING has the temporary faults, after which the fetch repeats the request. LASTING has all
#: other faults. The values are patterns of the error messages.
PASSING: dict[Kind, str] = {
    "status": r"\((429|500|502|503)\)",
    "timeout": r"did not answer",
    "cut": r"broke off",
    "reset": r"broke off",
    "truncated": r"complete (XML|CSV|JSON)",
    "html": r"is a web page|not a JSON|not complete JSON",
}
LASTING: dict[Kind, str] = {
    "empty": r"found none|no vintages|has no|cannot be read|no prices|no rows",
    "renamed": r"cannot be read|unknown format|has no|lacks|expected .* number in .*val",
    "text_numbers": r"number|could not convert|cannot be read|was inf|expected 2 cells",
    "duplicate": r"twice|a date that differs from the date in the previous row",
    "future": r"up to today|after today|≤ today|order",
    "spike": r"expected .* between|expected 100 to|factor of 5|5 times",
    "vanished": r"does not exist|\(404\)|no facts",
}
MESSAGES = PASSING | LASTING


def ways(kinds: Any) -> list[Any]:
    """Return each channel with each kind of fault that it can notice."""
    return [
        pytest.param(name, kind, id=f"{name}: {kind}")
        for name, channel in CHANNELS.items()
        for kind in kinds
        if kind not in channel.never
    ]


@pytest.fixture
def servers(running: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    lead_to(running, monkeypatch)
    yield running
    running.today = TODAY
    running.faults.clear()
    running.faults.done.clear()
    running.requests.clear()


Told = frozenset[tuple[str, str, str, str]]


def told(target: Store) -> Told:
    """Return the rows of a store: series, date, moment when known, value."""
    if not target.exists():
        return frozenset()
    with reading(target.path) as connection:
        held = connection.execute(
            "SELECT series_id, observed_on::VARCHAR, available_at::VARCHAR, value::VARCHAR "
            "FROM observations"
        )
        return frozenset(held.fetchall())


@pytest.fixture(scope="module")
def truth(running: Servers, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Return the rows of all channels after a fetch without a fault."""
    target = Store(tmp_path_factory.mktemp("truth") / "store.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        lead_to(running, patch)
        names = {name for c in CHANNELS.values() for name in (c.target, c.bystander)}
        assert not any(o.failed for o in bring(target, *names, policy=SOON).values())
    return told(target)


def of(name: str, truth: Told) -> Told:
    """Return the rows of one series; for a company, also those of the trailing year a year ago."""
    ids = {name, name.replace("_TTM_", "_TTM_YEAR_AGO_")}
    return frozenset(row for row in truth if row[0] in ids)


def both(channel: Channel, truth: Told) -> Told:
    return of(channel.target, truth) | of(channel.bystander, truth)


def ask(
    channel: Channel, target: Store, patience: RetryPolicy = SOON, *, alone: bool = False
) -> dict[str, Outcome]:
    """Fetch the series of a channel and, unless ``alone``, a second series without faults."""
    names = (channel.target,) if alone else (channel.target, channel.bystander)
    with pytest.MonkeyPatch.context() as patch:
        if not channel.key:
            patch.delenv("FRED_API_KEY")
            patch.setattr(secrets, "key_file", lambda: Path("/nonexistent"))
        return bring(target, *names, policy=patience)


def fault(kind: Kind, channel: Channel, times: int | None, draw: random.Random) -> Fault:
    return Fault(
        kind,
        match=channel.match,
        times=times,
        status=draw.choice(STATUSES),
        seconds=1.0 if kind == "timeout" else 0.3,
        text=draw.choice(("n/a", "1.234,5", "#N/A", "null", "inf", "1e999", "five")),
        retry_after=draw.choice((None, 1, 3600)) if kind == "status" else None,
    )


def patience_for(kind: Kind) -> RetryPolicy:
    return HASTY if kind == "timeout" else SOON


# --- each fault, in each source -------------------------------------------------------------


@pytest.mark.parametrize(("name", "kind"), ways(MESSAGES))
def test_what_lasts_keeps_the_series_out_and_nothing_else_and_what_passes_is_overcome(
    name: str, kind: Kind, servers: Servers, target: Store, truth: Told
) -> None:
    channel = CHANNELS[name]
    servers.faults.add(fault(kind, channel, None, random.Random(2)))
    outcomes = ask(channel, target, patience_for(kind))
    assert servers.faults.done
    outcome, other = outcomes[channel.target], outcomes[channel.bystander]
    assert other.failed == ""
    if kind in channel.harmless:
        assert (outcome.failed, told(target)) == ("", both(channel, truth))
        return
    assert re.search(MESSAGES[kind], outcome.failed)
    assert "\n" not in outcome.failed
    assert told(target) == of(channel.bystander, truth)

    servers.faults.clear()
    servers.faults.done.clear()
    if kind in PASSING:  # with a temporary fault, the fetch repeats the request and succeeds
        servers.faults.add(fault(kind, channel, 1, random.Random(1)))
    again = ask(channel, target, patience_for(kind), alone=True)
    assert len(servers.faults.done) == (kind in PASSING)
    assert again[channel.target].failed == ""
    assert told(target) == both(channel, truth)


@pytest.mark.parametrize("name", CHANNELS)
def test_what_comes_slowly_comes(name: str, servers: Servers, target: Store, truth: Told) -> None:
    channel = CHANNELS[name]
    servers.faults.add(Fault("slow", seconds=0.3, match=channel.match))
    ask(channel, target, alone=True)
    assert len(servers.faults.done) == 1
    assert told(target) == of(channel.target, truth)


@pytest.mark.parametrize("name", ["FRED's XML", "ALFRED's vintages", "Yahoo", "the SEC"])
def test_what_comes_for_ever_is_given_up_in_time(
    name: str, servers: Servers, target: Store, truth: Told
) -> None:
    channel = CHANNELS[name]
    servers.faults.add(Fault("slow", seconds=60.0, match=channel.match, times=None))
    begun = time.monotonic()
    outcome = ask(channel, target, replace(SOON, budget=1.0), alone=True)[channel.target]
    assert time.monotonic() - begun < 8.0
    assert re.search(r"did not (answer|complete its answer) (with)?in ", outcome.failed)
    assert told(target) == frozenset()


@pytest.mark.parametrize("name", CHANNELS)
def test_what_was_held_stays_when_the_series_vanishes(
    name: str, servers: Servers, target: Store
) -> None:
    channel = CHANNELS[name]
    ask(channel, target, alone=True)
    before = everything(target)
    servers.faults.add(Fault("vanished", match=channel.match, times=None))
    outcome = ask(channel, target, alone=True)[channel.target]
    assert re.search(MESSAGES["vanished"], outcome.failed)  # no note: the store has the series
    pd.testing.assert_frame_equal(everything(target), before)


@pytest.mark.parametrize("name", ["Yahoo", "the SEC"])  # FRED uses the same client as the SEC
def test_a_source_that_says_how_long_to_wait_is_believed(
    name: str, servers: Servers, target: Store, truth: Told
) -> None:
    channel = CHANNELS[name]
    servers.faults.add(Fault("status", status=429, retry_after=1, match=channel.match))
    ask(channel, target, replace(SOON, longest=5.0))
    assert told(target) == both(channel, truth)
    asked = [r.at for r in servers.requests if re.search(channel.match, r.target)]
    assert 1.0 <= asked[1] - asked[0] < 4.0


def test_but_not_longer_than_patience_lasts(servers: Servers, target: Store) -> None:
    channel = CHANNELS["the SEC"]
    servers.faults.add(Fault("status", status=429, retry_after=3600, match=channel.match))
    begun = time.monotonic()
    assert ask(channel, target)[channel.target].failed == ""
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("kind", ["status", "timeout", "cut", "html", "reset"])
def test_yahoo_gives_prices_even_without_its_cookie_or_crumb(
    kind: Kind, servers: Servers, target: Store, truth: Told
) -> None:
    channel = CHANNELS["Yahoo"]
    trouble = replace(fault(kind, channel, None, random.Random(3)), match="^/$|getcrumb")
    servers.faults.add(trouble)
    outcomes = ask(channel, target, patience_for(kind))
    assert [o.failed for o in outcomes.values()] == ["", ""]
    assert told(target) == both(channel, truth)


def test_a_page_that_shrinks_the_history_is_no_history(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store has all prices. Then the source sends only the later half, in valid JSON."""
    channel = CHANNELS["Yahoo"]
    ask(channel, target)
    before = everything(target)

    def half(p: Prices) -> Prices:
        cut = slice(len(p.dates) // 2, None)
        return replace(p, dates=p.dates[cut], adjusted=p.adjusted[cut], raw=p.raw[cut])

    rewrite(monkeypatch, half)
    assert "on every stored date" in ask(channel, target)[channel.target].failed
    pd.testing.assert_frame_equal(everything(target), before)


# --- at random ------------------------------------------------------------------------------


def anywhere(draw: random.Random) -> Any:
    """Return a function that chooses a random row, into which a fault is planted."""

    def choose(table: Any) -> Any:
        row = draw.choice([r for r in table.rows if number(r[table.values[0]]) is not None])
        return draw.choice([row, table.rows[0], table.rows[-1]])

    return choose


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("kind", [*MESSAGES, "slow"])
def test_whatever_happens_the_store_holds_nothing_but_the_truth(
    kind: Kind,
    run: int,
    servers: Servers,
    target: Store,
    truth: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = random.Random(f"{kind} {run}")
    name = draw.choice([n for n, c in CHANNELS.items() if kind not in c.never])
    channel = CHANNELS[name]
    if draw.random() < 0.5:
        servers.today = EARLIER
        ask(channel, target, alone=True)
        servers.today = TODAY
    before = told(target)
    monkeypatch.setattr(planting, "_middle_number", anywhere(draw))
    servers.faults.add(fault(kind, channel, draw.choice((1, 2, 3, None)), draw))
    outcomes = ask(channel, target, patience_for(kind))

    assert servers.faults.done
    assert before <= told(target) <= truth
    assert of(channel.bystander, told(target)) == of(channel.bystander, truth)
    said = outcomes[channel.target].failed
    assert "\n" not in said
    if of(channel.target, told(target)) != of(channel.target, truth):
        assert re.search(MESSAGES[kind], said)

    servers.faults.clear()
    ask(channel, target, alone=True)
    assert told(target) == both(channel, truth)


def test_the_truth_is_missed_when_a_wrong_value_gets_in(
    servers: Servers, target: Store, truth: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: without the check of prices, a spike enters the store."""
    monkeypatch.setattr("backtests.store.closes.shifts", lambda ticker, closes: [])
    channel = CHANNELS["Yahoo"]
    servers.faults.add(Fault("spike", match=channel.match))
    ask(channel, target)
    assert len(told(target) - truth) == 1


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_price_a_hundredfold_off_is_seen_wherever_it_stands(
    place: str, factor: float, servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slipped(p: Prices) -> Prices:
        at = {"first": 0, "middle": len(p.dates) // 3, "last": -1}[place]
        adjusted, raw = list(p.adjusted), list(p.raw)
        adjusted[at], raw[at] = (adjusted[at] or 0) * factor, (raw[at] or 0) * factor
        return replace(p, adjusted=adjusted, raw=raw)

    rewrite(monkeypatch, slipped)
    outcome = bring(target, "MU", policy=SOON)["MU"]
    assert "over 5 times too high or low; the whole series was left out" in outcome.failed
    assert told(target) == frozenset()


def test_vintages_stay_vintages(truth: Told, servers: Servers, target: Store) -> None:
    """``truth`` contains revisions of GDP: several values for each quarter."""
    gdp = [row[1] for row in of("GDP", truth)]
    assert len(gdp) > 3 * len(set(gdp))
    ask(CHANNELS["ALFRED's vintages"], target)
    sources = everything(target)["source"]
    assert sources.str.startswith(ARCHIVE).all()
