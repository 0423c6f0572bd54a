"""A worker of a cluster computes chunks for several threads, and for one command after another."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path
from site import addsitedir
from types import SimpleNamespace
from typing import Any

import pytest

from backtests.sweep import cluster, stages, work
from backtests.sweep.chunk import Span
from backtests.sweep.work import on_cluster, on_this_machine
from signals.errors import ConfigError
from tests.sweep.world import case

MODULES = {
    "friendly_rule": """
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from friendly_share import part_of
from signals import Reading
from strategies import Strategy
from strategies.base import listed


@dataclass(frozen=True, kw_only=True)
class Friendly(Strategy):
    name: ClassVar[str] = "friendly"
    description: ClassVar[str] = "a part of the share in SPY"
    follows_regime: ClassVar[bool] = False
    share: float = 0.5

    @property
    def assets(self) -> tuple[str, ...]:
        return ("SPY",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        return listed(panel, self.assets).astype(float) * part_of(self.share)
""",
    "friendly_share": """
def part_of(share: float) -> float:
    return share
""",
}


def spread(
    worker: Executor, compute: Any, material: Any, spans: list[Span]
) -> Iterator[tuple[Span, Any]]:
    """Compute on an executor, as Dask computes on a worker."""
    futures = [worker.submit(compute, material, span) for span in spans]
    yield from zip(spans, [future.result() for future in futures], strict=True)


@pytest.fixture(autouse=True)
def worker_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "spread", spread)


def returns(done: Iterator[Any]) -> list[list[float]]:
    """Return the monthly returns of each configuration."""
    return [row for _, table, _ in done for row in table["monthly"].to_pylist()]


def test_threads_of_one_worker_compute_what_one_thread_computes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = case("volatility=0.1,0.15,0.2,0.25,0.3,0.35,0.4,0.5")
    spans = [Span(n, n + 1) for n in range(8)]
    expected = returns(on_this_machine(made, spans))
    clock, pauses = time.perf_counter, cycle((0.0, 0.02, 0.005))

    def slow_clock() -> float:
        time.sleep(next(pauses))  # so that threads take turns between all steps
        return clock()

    monkeypatch.setattr(stages, "time", SimpleNamespace(perf_counter=slow_clock))
    with ThreadPoolExecutor(4) as worker:
        assert returns(on_cluster(worker, made, spans)) == expected


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("friendly_rule", "part_of(self.share)", "part_of(self.share) / 2"),
        ("friendly_share", "return share", "return share / 2"),
    ],
    ids=["the user's module", "a module that it imports"],
)
def test_a_worker_that_lives_on_computes_with_changed_code(
    module: str, old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    texts, found = dict(MODULES), []
    with ProcessPoolExecutor(1, get_context("spawn")) as worker:
        for _ in range(2):
            for name, text in texts.items():
                Path(f"{name}.py").write_text(text)
                sys.modules.pop(name, None)  # each command is a new process
            made = case("share=0.4,0.8", strategy="friendly_rule:Friendly")
            found.append(returns(on_this_machine(made, [Span(0, 2)])))
            assert returns(on_cluster(worker, made, [Span(0, 2)])) == found[-1]
            texts[module] = texts[module].replace(old, new)
    assert found[0] != found[1]


def test_a_worker_with_an_older_copy_of_the_users_module_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker on another machine does not see the user's folder."""
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder, rule in ((mine, "part_of(self.share)"), (theirs, "part_of(self.share) / 2")):
        folder.mkdir()
        for name, text in MODULES.items():
            (folder / f"{name}.py").write_text(text.replace("part_of(self.share)", rule))
    monkeypatch.chdir(mine)
    for name in MODULES:
        sys.modules.pop(name, None)
    made = case("share=0.4,0.8", strategy="friendly_rule:Friendly")
    monkeypatch.setattr(work, "loaded", lambda: {"friendly_rule": tmp_path / "unknown"})
    with (
        ProcessPoolExecutor(1, get_context("spawn"), addsitedir, (str(theirs),)) as worker,
        pytest.raises(ConfigError, match="expected the same code of Friendly on each worker"),
    ):
        returns(on_cluster(worker, made, [Span(0, 2)]))
