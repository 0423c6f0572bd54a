"""Every series that has a live source is fetched by one job."""

import re
from pathlib import Path

import pandas as pd
import pytest

from backtests.sources import fetching
from backtests.sources.http import Absent, Deadline, RetryPolicy
from backtests.sources.jobs import Job, jobs_of
from backtests.store import batch
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.errors import DataError
from signals.universe import UNIVERSE
from tests.sources.test_fetch import MODULES


def test_each_live_series_and_asset_has_one_job(tmp_path: Path) -> None:
    jobs = jobs_of(Store(tmp_path / "none.duckdb"), None, (), Deadline(RetryPolicy()))
    fetched = [id for job in jobs for id in job.ids]
    live = {id for id, series in CATALOG.items() if series.source != "file"}
    without = sorted((live | set(UNIVERSE)) - set(fetched))
    assert not without, f"no job fetches {without}: add their source to jobs_of in jobs.py"
    assert len(fetched) == len(set(fetched))
    assert {job.source for job in jobs} == MODULES.keys(), "add it to MODULES of test_fetch.py"


@pytest.mark.parametrize("name", [*batch.PUBLISHED, batch.YAHOO, batch.PRICES])
def test_the_name_of_a_source_is_one_word_of_letters(name: str) -> None:
    assert re.fullmatch("[A-Za-z]+", name), "the audit reads the first word of a row's source"


def test_a_series_that_cannot_be_looked_up_in_the_store_does_not_end_the_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source says that a series is absent, while another program has the store open."""
    store = Store(tmp_path / "store.duckdb")
    store.note_fetched(["SPY"], pd.Timestamp("2025-01-06"))

    def absent(now: pd.Timestamp) -> list[batch.Batch]:
        raise Absent("no such series")

    def held_open(self: Store, as_of: pd.Timestamp | None = None) -> tuple[str, ...]:
        raise DataError("another program holds it open")

    jobs = [Job(name=id, source="Yahoo", ids=(id,), ask=absent) for id in ("AAA", "BBB")]
    monkeypatch.setattr(fetching, "jobs_of", lambda *_: jobs)
    monkeypatch.setattr(Store, "series_ids", held_open)
    outcomes = fetching.fetch(store)
    assert [outcome.failed for outcome in outcomes] == ["another program holds it open"] * 2


def test_a_fetch_says_that_a_value_changed_that_is_never_revised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store.duckdb")
    notes = []
    for last in (4.0, 4.1):
        rates = pd.Series([4.2, 4.3, last], pd.bdate_range("2025-03-03", periods=3))

        def ask(now: pd.Timestamp, rates: pd.Series = rates) -> list[batch.Batch]:
            return [batch.dated("DGS10", rates, batch.FRED, now)]

        jobs = [Job(name="DGS10", source=batch.FRED, ids=("DGS10",), ask=ask)]
        monkeypatch.setattr(fetching, "jobs_of", lambda *_, jobs=jobs: jobs)
        notes += [outcome.note for outcome in fetching.fetch(store)]
    assert notes[0] == ""
    assert notes[1].startswith("1 stored value changed, the first on 2025-03-05, but this series")
