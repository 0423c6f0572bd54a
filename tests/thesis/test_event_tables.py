"""Tables of dated events: their numbers by kind, and responses of classes to policy surprises."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.instrumented import surprises
from backtests.thesis.event_tables import KINDS, counts, deal_table, surprise_study
from backtests.thesis.sample import Sample
from tests.thesis.planted import with_planted


def test_events_are_counted_by_kind(simulated: Sample) -> None:
    found = counts(simulated)
    assert set(found.index) == set(KINDS)
    events = simulated.history.events
    releases = [values for id, values in events.items() if id.startswith("EARNINGS_")]
    assert found.loc["earnings releases", "events"] == sum(map(len, releases))
    assert found.loc["FOMC statements", "events"] == len(events["FOMC"])
    # Each statement has its changes in three series, but counts once.
    assert found.loc["FOMC statements with 30-minute changes", "events"] == len(events["FOMC"])
    # A day on which the Board sets several rates counts once, too.
    days = [
        day for id, rates in events.items() if id.startswith("DECISION_") for day in rates.index
    ]
    assert found.loc["decisions on administered rates", "events"] == len(set(days)) < len(days)
    assert found.loc["FOMC statements", "first"] == events["FOMC"].index[0]


def test_an_event_outside_the_history_does_not_count(simulated: Sample) -> None:
    history = simulated.history
    early = pd.Series(1.0, index=pd.DatetimeIndex(["1994-02-04", "2010-01-06"]))
    other = replace(simulated, history=replace(history, events={"FOMC": early}))
    assert counts(other)["events"].to_dict() == {"FOMC statements": 1}


def test_a_history_without_events_has_no_table(simulated: Sample) -> None:
    bare = replace(simulated, history=replace(simulated.history, events={}))
    with pytest.raises(NotTestable, match="no dated events"):
        counts(bare)


def test_a_deal_without_a_complete_window_has_no_response(simulated: Sample) -> None:
    days = pd.DatetimeIndex(["2020-06-10", "2024-12-27"])
    events = {**simulated.history.events, "BOND_DEAL_META": pd.Series(1e10, index=days)}
    found = deal_table(replace(simulated, history=replace(simulated.history, events=events)))
    meta = found[found["issuer"] == "META"]
    assert meta["response"].isna().tolist() == [False, True]


def test_a_planted_response_is_found_in_its_class_only(simulated: Sample) -> None:
    _, events = surprises(simulated)
    at = simulated.sessions.get_indexer(pd.DatetimeIndex(events.table.index))
    shocks = -0.03 * events.table["change"].to_numpy()
    planted = with_planted(simulated, at, shocks, ["software"])
    now, then = (surprise_study(sample).responses for sample in (planted, simulated))
    shift = now["estimate"] - then["estimate"]
    assert shift["software"] == pytest.approx(-3.0, rel=0.1)
    assert np.abs(shift.drop("software")).max() < 1e-9
    assert (now["low"] < now["estimate"]).all()
    assert (now["n"] == len(events.table)).all()
    assert now["strength"].nunique() == 1


def test_a_class_without_prices_is_nan(simulated: Sample) -> None:
    closes = simulated.history.closes.copy()
    closes[["GLD", "SLV"]] = np.nan
    bare = replace(simulated, history=replace(simulated.history, closes=closes))
    metals = surprise_study(bare).responses.loc["metals"]
    assert metals["n"] == 0
    assert np.isnan(metals["estimate"])
