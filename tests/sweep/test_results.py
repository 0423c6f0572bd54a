"""The results of a sweep: the content of a row, and that only the request determines it."""

import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from backtests.engine.many import Many
from backtests.evidence import metrics
from backtests.evidence.overfitting import BLOCKS
from backtests.parameter_paths import config_with
from backtests.pipeline import history_of, read, run_on
from backtests.sweep import results, trading
from backtests.sweep.chunk import LARGEST, SET, Span, chunks, computed, digests
from backtests.sweep.results import FILE, PARTS, missing, parts_of, read_results, write_part
from backtests.sweep.setting import Setting
from backtests.sweep.stages import Stages
from backtests.sweep.sweep import Means, Swept, sweep
from signals.errors import ConfigError, DataError, SimulationError
from tests.sweep.world import SETS, case, config, request, swept

pytestmark = pytest.mark.usefixtures("evaluated_before")

RULE = """
from dataclasses import dataclass
from typing import ClassVar

from strategies import Strategy
from strategies.base import listed


@dataclass(frozen=True, kw_only=True)
class Half(Strategy):
    \"\"\"Half in SPY in some regimes.\"\"\"

    name: ClassVar[str] = "half"
    description: ClassVar[str] = "half in SPY in some regimes"
    follows_regime: ClassVar[bool] = True
    assets: ClassVar[tuple[str, ...]] = ("SPY",)

    def weights(self, reading, panel):
        on = (reading.regime != "ABSORPTION").astype(float)
        return listed(panel, self.assets).astype(float).mul(0.5 * on, axis=0)
"""


LADDER = """
from dataclasses import dataclass
from typing import ClassVar

from strategies import Strategy
from strategies.base import listed


@dataclass(frozen=True, kw_only=True)
class Ladder(Strategy):
    \"\"\"Equal weights of the first assets.\"\"\"

    name: ClassVar[str] = "ladder"
    description: ClassVar[str] = "equal weights of the first assets"
    n: int = 1

    @property
    def assets(self):
        return ("SPY", "GLD", "TLT")[: self.n]

    def weights(self, reading, panel):
        return listed(panel, self.assets).astype(float) / self.n
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return swept(tmp_path_factory.mktemp("sweep") / "out")


def whole(folder: Path) -> bytes:
    return (folder / FILE).read_bytes()


def test_a_parameter_can_add_assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ladder.py").write_text(LADDER)
    monkeypatch.chdir(tmp_path)
    done = swept(tmp_path / "out", "n=1,2,3", strategy="ladder:Ladder")
    for n, sharpe in enumerate(read_results(done.path).to_pandas()["sharpe"], start=1):
        wider = config(strategy="ladder:Ladder", params={"n": n})
        history = history_of(wider)
        run = run_on(wider, history, read(wider, history), done.case.index)
        assert sharpe == pytest.approx(metrics.of_run(run)["sharpe"], abs=1e-9)


def test_a_row_holds_the_parameters_and_the_figures_of_vectorbts_run(done: Swept) -> None:
    table = read_results(done.path).to_pandas()
    assert table["configuration"].tolist() == list(range(32))
    for at in (0, 13, 31):
        row, values = table.iloc[at], done.case.design.values(at)
        assert {path: row[SET + path] for path in values} == values
        changed = config_with(config(), values)
        history = history_of(changed)
        run = run_on(changed, history, read(changed, history), done.case.index)
        expected = metrics.of_run(run)
        for name in ("sharpe", "cagr", "volatility", "max_drawdown", "exposure", "turnover"):
            assert row[name] == pytest.approx(expected[name], abs=1e-9), name
        excess = (run.result.returns - run.bills).to_numpy()
        moments = row["moments"].reshape(BLOCKS, 3)
        parts = np.array_split(excess, BLOCKS)
        np.testing.assert_allclose(moments[:, 0], [len(part) for part in parts])
        np.testing.assert_allclose(moments[:, 1], [part.sum() for part in parts], atol=1e-9)
        np.testing.assert_allclose(moments[:, 2], [(part**2).sum() for part in parts], atol=1e-9)


def test_all_configurations_trade_on_the_sessions_of_the_base(done: Swept) -> None:
    base = read(config(), done.base.history)
    first = base.regime.notna().idxmax()
    assert done.case.index[0] == first
    counts = read_results(done.path, ["moments"]).to_pandas()["moments"]
    sessions = {row.reshape(BLOCKS, 3)[:, 0].sum() for row in counts}
    assert sessions == {len(done.case.index) - 1}


def test_chunks_and_restarts_leave_the_file_equal(done: Swept, tmp_path: Path) -> None:
    """A sweep that was interrupted after a few scattered parts ends with the same bytes."""
    stages, folder = Stages(done.case), tmp_path / "again"
    shutil.copytree(done.folder, folder)
    (folder / FILE).unlink()
    for span in (Span(3, 4), Span(10, 17), Span(12, 20)):
        write_part(folder, span, computed(stages, span, 1)[0])
    assert missing(folder, 32) == [Span(0, 3), Span(4, 10), Span(17, 32)]
    again = swept(folder)
    assert again.resumed == 8
    assert whole(folder) == whole(done.folder)
    assert not (folder / PARTS).exists()


def test_rows_of_other_code_are_not_continued(tmp_path: Path) -> None:
    folder, sets = tmp_path / "out", ("costs.etf_bp=1,2", "band=0,0.02")
    first = Span(0, 2)
    done = swept(folder, *sets)
    table = read_results(done.path)
    done.path.unlink()
    changed = pa.array([0.5, 0.5]).cast(table["sharpe"].type)
    at = table.schema.get_field_index("sharpe")
    write_part(folder, first, table.slice(0, 2).set_column(at, "sharpe", changed))
    with pytest.raises(ConfigError, match="to come from the same code, but configuration 0 now"):
        swept(folder, *sets)
    write_part(folder, first, table.slice(0, 2))
    assert swept(folder, *sets).resumed == 2


def test_a_finished_sweep_computes_nothing_again(done: Swept) -> None:
    before = whole(done.folder)
    again = swept(done.folder)
    assert again.resumed == 32
    assert "trading" not in again.seconds
    assert whole(done.folder) == before


def test_memory_bounds_a_chunk(done: Swept) -> None:
    made = done.case
    small, large = (chunks(made, [Span(0, 32)], memory) for memory in (10**7, 10**9))
    assert large == [Span(0, 32)]
    assert len(small) > 1
    assert small[0].first == 0
    assert all(a.end == b.first for a, b in pairwise(small))
    assert small[-1].end == 32
    assert max(len(s) for s in chunks(made, [Span(0, 5000)], 10**12)) == LARGEST


def test_a_limit_below_one_configuration_is_refused(done: Swept) -> None:
    with pytest.raises(ConfigError, match=r"memory limit of at least \d+MB for each process"):
        chunks(done.case, [Span(0, 32)], 10**5)


def test_the_memory_that_a_refusal_names_is_enough(done: Swept) -> None:
    """The need of one configuration is not a whole number of megabytes, so it is rounded up."""
    history = done.base.history
    for years in range(1, 6):
        shorter = replace(done.case, panel=history.panel.iloc[: 252 * years])
        with pytest.raises(ConfigError) as refused:
            chunks(shorter, [Span(0, 1)], 10**3)
        least = re.search(r"at least (\d+)MB", str(refused.value))
        assert least is not None
        assert chunks(shorter, [Span(0, 1)], int(least[1]) * 10**6) == [Span(0, 1)]


def test_a_folder_of_another_sweep_is_refused(done: Swept) -> None:
    before = whole(done.folder)
    with pytest.raises(ConfigError, match=f"but it holds sweep {done.sweep_id}"):
        sweep(request("lag=1,2"), done.folder)
    with pytest.raises(ConfigError, match="but it holds sweep"):
        sweep(request(*SETS, seed=4), done.folder)  # equal settings, other data
    assert whole(done.folder) == before


def test_parameters_in_another_order_are_another_sweep(done: Swept) -> None:
    """The order of the parameters sets the order of the configurations in the file."""
    with pytest.raises(ConfigError, match=f"but it holds sweep {done.sweep_id}"):
        sweep(request(*reversed(SETS)), done.folder)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match=r"it holds 'mine.txt'"):
        swept(tmp_path)
    with pytest.raises(DataError, match="was a file"):
        swept(tmp_path / "mine.txt")


def test_less_than_a_year_is_refused(tmp_path: Path) -> None:
    last = str(case().index[-200].date())
    with pytest.raises(ConfigError, match="at least 247 returns for a sweep, found 199"):
        swept(tmp_path / "out", start=last)


def test_a_lag_as_long_as_the_sweep_is_refused() -> None:
    """No order could be filled, so the strategy would hold only bills."""
    last = str(case().index[-250].date())
    with pytest.raises(ConfigError, match=r"expected a lag below the 250 sessions .*, was 250"):
        case("lag=1,250", start=last)
    assert len(case("lag=1,249", start=last).index) == 250


def test_engines_that_disagree_stop_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = trading.simulated

    def wrong(*given: Any, **options: Any) -> Many:
        many = exact(*given, **options)
        assert many.equity is not None
        return replace(many, equity=many.equity * (1 + 1e-8))

    monkeypatch.setattr(trading, "simulated", wrong)
    with pytest.raises(SimulationError, match="expected equity of the compiled simulation"):
        swept(tmp_path / "out", "lag=1,2")
    assert not (tmp_path / "out").exists()


def test_other_weights_than_those_of_the_run_stop_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Stages.decided

    def wrong(self: Stages, setting: Setting) -> pd.DataFrame:
        return exact(self, setting) * 0.999

    monkeypatch.setattr(Stages, "decided", wrong)
    with pytest.raises(SimulationError, match="weights of the base configuration differ"):
        swept(tmp_path / "out", "lag=1,2")
    assert not (tmp_path / "out").exists()


def test_a_configuration_that_cannot_be_simulated_has_a_reason(tmp_path: Path) -> None:
    """A short position of many times the capital loses everything; the others are not affected."""
    made = case(*SETS)
    stages = Stages(made)
    exact = stages.decided(made.base)
    whole_table, _ = computed(stages, Span(0, 2), 1)

    def broken(setting: Setting) -> pd.DataFrame:
        return exact * np.nan if setting.band == 0.02 else exact

    stages.decided = broken  # type: ignore[method-assign]
    table = computed(stages, Span(0, 2), 1)[0].to_pandas()
    assert table["refused"].isna().tolist() == [True, False]
    assert "finite weight" in table["refused"][1]
    assert np.isnan(table["sharpe"][1])
    assert whole_table.num_rows == 2


def test_equal_parameters_are_one_trial_in_whatever_sweep() -> None:
    one, other = case("lag=1,2"), case("volatility=0.2,0.25", "lag=1,3")
    first, second = (
        digests(
            [made.base.changed(made.design.values(i)) for i in range(len(made.design))], made.index
        )
        for made in (one, other)
    )
    assert len(set(first) | set(second)) == 5
    assert first[0] in second  # the base configuration, lag 1 and volatility 0.25


def test_another_period_is_another_trial() -> None:
    made = case("lag=1,2")
    assert digests([made.base], made.index) != digests([made.base], made.index[1:])
    assert digests([made.base], made.index) != digests([made.base], made.index[:-1])


def test_another_rule_of_an_own_class_is_another_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    index = pd.bdate_range("2024-01-01", periods=9)
    texts = {"a_rule": RULE, "b_rule": RULE.replace("!=", "=="), "c_rule": RULE}
    for name, text in texts.items():
        Path(f"{name}.py").write_text(text)
    first, other, again = (
        digests([Setting.of(config(strategy=f"{name}:Half"))], index) for name in texts
    )
    assert first == again
    assert first != other


def test_another_return_of_bills_is_another_trial() -> None:
    index = pd.bdate_range("2024-01-01", periods=9)
    first, other = (digests([Setting.of(config(bill_spread=x))], index) for x in (0.0, 2.0))
    assert first != other


def test_a_damaged_file_of_results_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match="results of a sweep"):
        read_results(tmp_path / "bad.parquet")


def test_row_groups_have_equal_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import parquet

    monkeypatch.setattr(results, "GROUP", 5)
    folder = tmp_path / "out"
    out = swept(folder, means=Means(memory=10**7))
    file = parquet.ParquetFile(out.path)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [
        *(5, 5, 5, 5, 5, 5, 2)
    ]
    assert parts_of(folder) == []
