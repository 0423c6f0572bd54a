"""A signal as a vectorbt indicator gives the results of the signal, to the last bit."""

import itertools
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.engine.indicator import as_indicator, run_indicator
from backtests.history.panel import History
from signals import Absorption, Capex, Convexity, CostOfCapital, CryptoProbe, DryPowder, Signal
from signals.base import ScoreSignal
from signals.errors import ConfigError, MissingSeries
from signals.evaluations import evaluate
from signals.form import TEXT
from signals.registry import default_signals

IDS = ("RRPONTSYD", "WRESBAL", "GDP", "TLAACBW027SBOG")
K, ENTER = [0.08, 0.09, 0.10], [0.5, 1.0, 1.5]


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    return History.simulated(seed=0, years=6).panel


def plain(signal: Signal, panel: pd.DataFrame) -> pd.DataFrame:
    """Return flag, score and numeric gauges of a signal, without vectorbt."""
    said = signal.evaluate(panel)
    gauges = said.gauges.select_dtypes(["number", "bool", "boolean"])
    flag = said.flag.map({True: 1.0, False: 0.0}, na_action="ignore").astype("Float64")
    out = gauges.assign(flag=flag.to_numpy(float, na_value=np.nan), score=said.score)
    return out.astype("float64")


def columns(indicator: Any, at: Any = None) -> pd.DataFrame:
    """Return the outputs of an indicator.

    For a grid, ``at`` selects one combination of parameters.
    """
    outputs = {name: getattr(indicator, name) for name in indicator.output_names}
    return pd.DataFrame({k: v if at is None else v[at] for k, v in outputs.items()})


def assert_says(found: pd.DataFrame, signal: Signal, panel: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, plain(signal, panel), check_exact=True, check_like=True)


# --- every registered signal ----------------------------------------------------------------


@pytest.mark.parametrize("name", signals.SIGNALS)
def test_signal_on_real_history(name: str, history: History) -> None:
    signal = signals.SIGNALS[name].signal
    assert_says(columns(run_indicator(history.panel, signal)), signal(), history.panel)


@pytest.mark.parametrize("name", signals.SIGNALS)
def test_signal_on_simulated_history(name: str, simulated: pd.DataFrame) -> None:
    signal = signals.SIGNALS[name].signal
    assert_says(columns(run_indicator(simulated, signal)), signal(), simulated)


@pytest.mark.parametrize("name", signals.SIGNALS)
def test_only_gauges_of_text_are_left_out(name: str, simulated: pd.DataFrame) -> None:
    signal = signals.SIGNALS[name].signal()
    gauges = signal.evaluate(simulated).gauges
    assert set(gauges) == set(signal.units)
    text = {gauge for gauge, unit in signal.units.items() if unit == TEXT}
    assert set(as_indicator(signal).output_names) == {*gauges, "flag", "score"} - text


def test_the_checker_notices_another_parameter_and_one_lost_nan(simulated: pd.DataFrame) -> None:
    found = columns(run_indicator(simulated, DryPowder, k=0.08))
    assert_says(found, DryPowder(k=0.08), simulated)
    with pytest.raises(AssertionError):
        assert_says(found, DryPowder(), simulated)
    found.loc[found["score"].isna().idxmax(), "score"] = 0.0
    with pytest.raises(AssertionError):
        assert_says(found, DryPowder(k=0.08), simulated)


# --- grids ----------------------------------------------------------------------------------


def assert_is_the_grid(grid: Any, panel: pd.DataFrame) -> None:
    assert list(grid.flag.columns.names) == ["dry_powder_k", "dry_powder_enter"]
    assert list(grid.flag.columns) == list(itertools.product(K, ENTER))
    for k, enter in itertools.product(K, ENTER):
        assert_says(columns(grid, (k, enter)), DryPowder(k=k, enter=enter), panel)


def test_grid_is_nine_plain_calls_on_real_history(history: History) -> None:
    grid = run_indicator(history.panel, DryPowder, k=K, enter=ENTER, param_product=True)
    assert_is_the_grid(grid, history.panel)
    assert set(grid.flag.stack([0, 1]).unique()) >= {0.0, 1.0}
    assert grid.flag.isna().any(axis=None)
    assert len({tuple(grid.flag[at].fillna(-1)) for at in grid.flag}) > 3


def test_grid_is_nine_plain_calls_on_simulated_history(simulated: pd.DataFrame) -> None:
    grid = run_indicator(simulated, DryPowder, k=K, enter=ENTER, param_product=True)
    assert_is_the_grid(grid, simulated)


def test_inputs_one_by_one(simulated: pd.DataFrame) -> None:
    found = as_indicator(DryPowder).run(*(simulated[id] for id in IDS), k=K)
    assert found.share.columns.name == "dry_powder_k"
    assert found.share.index.equals(simulated.index)
    for k in K:
        assert_says(columns(found, k), DryPowder(k=k), simulated)
    assert_says(columns(found.k_loc[K[0]], K[0]), DryPowder(k=K[0]), simulated)
    pd.testing.assert_series_equal(found.gdp[K[0]], simulated["GDP"], check_names=False)


def test_the_parts_of_a_signal_come_from_any_set_of_signals(simulated: pd.DataFrame) -> None:
    among = default_signals() | {"dry_powder": DryPowder(k=0.1)}
    found = run_indicator(simulated, Absorption, among)
    said = evaluate(simulated, among)["absorption"]
    flag = said.flag.to_numpy(float, na_value=np.nan)
    np.testing.assert_array_equal(found.flag.to_numpy(), flag)
    np.testing.assert_array_equal(found.u.to_numpy(), said.gauges["u"].to_numpy())


def test_lists_of_one_length_go_together(simulated: pd.DataFrame) -> None:
    found = run_indicator(simulated, DryPowder, k=K, enter=ENTER)
    assert list(found.flag.columns) == list(zip(K, ENTER, strict=True))


def test_every_column_of_a_frame_is_a_panel(simulated: pd.DataFrame) -> None:
    double = simulated[list(IDS)] * 2
    frames = [pd.DataFrame({"once": simulated[id], "twice": double[id]}) for id in IDS]
    found = as_indicator(DryPowder).run(*frames, k=K)
    for k in K:
        assert_says(columns(found, (k, "once")), DryPowder(k=k), simulated)
        assert_says(columns(found, (k, "twice")), DryPowder(k=k), double)


def test_whole_and_logical_parameters(simulated: pd.DataFrame) -> None:
    found = run_indicator(
        simulated,
        CostOfCapital,
        horizon=np.array([21.0, 63.0]),
        term_premium=[True, False],
        param_product=True,
    )
    for horizon, counts in itertools.product([21, 63], [True, False]):
        signal = CostOfCapital(horizon=horizon, term_premium=counts)
        assert_says(columns(found, (horizon, counts)), signal, simulated)


def test_a_signal_that_reads_the_dates_themselves(simulated: pd.DataFrame) -> None:
    found = run_indicator(simulated, Convexity, excursions=2, draws=20)
    assert found.kink.notna().any()
    assert_says(columns(found), Convexity(excursions=2, draws=20), simulated)


@pytest.mark.parametrize(
    ("signal", "enter"),
    [
        (Capex(firms=("MSFT", "GOOGL"), minimum=1, confirm=3), [15.0, 25.0]),
        (Absorption(), [0.45, 0.6]),
    ],
    ids=["capex", "absorption"],
)
def test_what_is_no_number_stays_as_in_the_signal_given(
    signal: Capex | Absorption, enter: list[float], simulated: pd.DataFrame
) -> None:
    found = run_indicator(simulated, signal, enter=enter)
    for level in enter:
        assert_says(columns(found, level), replace(signal, enter=level), simulated)
    assert_says(columns(run_indicator(simulated, signal)), signal, simulated)


# --- names ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Crowded(ScoreSignal):
    """A signal whose names collide with each other, its parameters, Python and vectorbt."""

    name: ClassVar[str] = "crowded"
    link: ClassVar[str] = "L0"
    headline: ClassVar[str] = "run"
    units: ClassVar[dict[str, str]] = {"run": "σ", "gdp": "σ", "enter": "σ", "score": "σ"}

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("GDP", "A-B", "A.B", "ENTER", "IN", "3M")

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        first = panel[list(self.inputs)].to_numpy() @ np.arange(1.0, 7.0)
        measure = pd.Series(first, index=panel.index)
        return pd.DataFrame({name: measure + i for i, name in enumerate(self.units)})


def test_names_that_collide() -> None:
    index = pd.bdate_range("2024-01-02", periods=40)
    values = np.random.default_rng(0).normal(size=(40, 6))
    panel = pd.DataFrame(values, index=index, columns=Crowded().inputs)
    indicator = as_indicator(Crowded)
    assert indicator.input_ids == {
        "gdp_": "GDP",
        "a_b": "A-B",
        "a_b_": "A.B",
        "enter_": "ENTER",
        "in_": "IN",
        "id_3m": "3M",
    }
    assert indicator.output_names == ("flag", "score", "run_", "gdp", "enter")
    found = columns(run_indicator(panel, Crowded, enter=0.5)).rename(columns={"run_": "run"})
    assert_says(found, Crowded(enter=0.5), panel)


def test_coins_bring_the_close_of_the_sessions_date() -> None:
    assert as_indicator(CryptoProbe).input_ids == {
        "btc_usd": "BTC-USD",
        "spy": "SPY",
        "stablecoin_supply": "STABLECOIN_SUPPLY",
        "flow_btc_etf": "FLOW_BTC_ETF",
        "btc_usd_session": "BTC-USD@session",
    }


def test_a_documented_class_named_after_its_signal() -> None:
    indicator = as_indicator(DryPowder)
    assert indicator.__name__ == "DryPowder"
    assert indicator.param_names == ("k", "a", "enter", "leave", "confirm")
    for line in ("wresbal: WRESBAL", "share: % of GDP", "idle: USD bn"):
        assert line in indicator.__doc__
    assert "firms" not in as_indicator(Capex).param_names
    assert not {"capex", "dry_powder"} & set(as_indicator(Absorption).param_names)


# --- what cannot be used --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "options", "message"),
    [
        (DryPowder, {"k": [0.09, -1]}, r"k must be a positive number, was -1"),
        (DryPowder, {"enter": [1.0, 2.5]}, "enter must be below leave"),
        (DryPowder, {"k": "high"}, "DryPowder: expected k as a number, was 'high'"),
        (DryPowder, {"k": "a"}, "DryPowder: expected k as a number, was 'a'"),
        (DryPowder, {"k": "gdp"}, "DryPowder: expected k as a number, was 'gdp'"),
        (DryPowder, {"k": [np.nan]}, "k must be a positive number, was nan"),
        (DryPowder, {"k": True}, "expected k as a number, was True"),
        (DryPowder, {"k": [0.09, None]}, "expected k as a number, was NoneType"),
        (DryPowder, {"confirm": [5, 2.5]}, r"expected confirm as a whole number, was 2\.5"),
        (DryPowder, {"confirm": np.inf}, "expected confirm as a whole number, was inf"),
        (CostOfCapital, {"term_premium": 1}, "expected term_premium as True or False, was 1"),
        (DryPowder, {"kk": [0.09]}, "unknown parameter of dry_powder 'kk'; did you mean 'k'"),
        (Capex, {"firms": ("MSFT",)}, r"numeric parameter of capex, but firms.* Capex\(firms=…\)"),
    ],
)
def test_parameters_that_cannot_be_used(
    signal: type[Signal], options: dict[str, Any], message: str, simulated: pd.DataFrame
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        run_indicator(simulated, signal, **options)
    assert "\n" not in str(caught.value)
    indicator = as_indicator(signal)
    with pytest.raises(ConfigError, match=message):
        indicator.run(*(simulated[id] for id in indicator.input_ids.values()), **options)


def test_a_name_is_no_signal(simulated: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"expected a signal class or a signal, was 'dry_powder'"):
        run_indicator(simulated, "dry_powder", k=[0.08])  # type: ignore[arg-type]


def test_nothing_is_computed_before_all_parameters_are_checked(
    simulated: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DryPowder, "gauges", lambda *_: pytest.fail("computed"))
    with pytest.raises(ConfigError):
        run_indicator(simulated, DryPowder, k=[0.09, -1.0])


@pytest.mark.parametrize("column", ["BTC-USD", "BTC-USD@session"])
def test_a_panel_that_lacks_a_column(column: str, simulated: pd.DataFrame) -> None:
    with pytest.raises(MissingSeries, match=f"crypto_probe reads series .* lacks: {column};"):
        run_indicator(simulated.drop(columns=column), CryptoProbe)


def test_inputs_of_other_sessions_are_refused(simulated: pd.DataFrame) -> None:
    early, late = simulated.iloc[:-1], simulated.iloc[1:]
    with pytest.raises(ValueError, match="index is not allowed"):
        as_indicator(DryPowder).run(late["RRPONTSYD"], *(early[id] for id in IDS[1:]))
