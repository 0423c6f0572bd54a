"""Every series that has a live source is fetched by one job."""

import re
from pathlib import Path

import pytest

from backtests.sources.http import Deadline, RetryPolicy
from backtests.sources.jobs import jobs_of
from backtests.store import batch
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.universe import UNIVERSE
from tests.sources.test_fetch import MODULES


def test_each_live_series_and_asset_has_one_job(tmp_path: Path) -> None:
    jobs = jobs_of(Store(tmp_path / "none.duckdb"), None, (), Deadline.started(RetryPolicy()))
    fetched = [id for job in jobs for id in job.ids]
    live = {id for id, series in CATALOG.items() if series.source != "file"}
    without = sorted((live | set(UNIVERSE)) - set(fetched))
    assert not without, f"no job fetches {without}: add their source to _SOURCES of jobs.py"
    assert len(fetched) == len(set(fetched))
    assert {job.source for job in jobs} == MODULES.keys(), "add it to MODULES of test_fetch.py"


@pytest.mark.parametrize("name", [*batch.PUBLISHED, batch.YAHOO, batch.PRICES])
def test_the_name_of_a_source_is_one_word_of_letters(name: str) -> None:
    assert re.fullmatch("[A-Za-z]+", name), "the audit reads the first word of a row's source"
