"""What differs between configurations, and how rows of a comparison are told apart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.evidence.settings import (
    SettingChange,
    changes,
    distinct_labels,
    settings_of,
    strategy_said,
)
from signals import ScoreSignal


def config(strategy: str = "near-cash-flow", **data: Any) -> RunConfig:
    return config_from({"strategy": strategy, **data})


def with_k(k: float, **data: Any) -> RunConfig:
    return config(signals={"dry_powder": {"k": k}}, **data)


def test_settings_have_the_paths_of_param_and_also_defaults() -> None:
    found = settings_of(with_k(0.11, lag=2))
    assert found["strategy"] == "near-cash-flow"
    assert (found["dry_powder.k"], found["dry_powder.scale"], found["lag"]) == (0.11, "gdp", 2)
    assert {"volatility", "regime.confirm", "schedule.every", "costs.etf_bp"} <= found.keys()


def test_the_history_and_the_window_are_no_settings() -> None:
    here, there = config(start="2015-01-02"), config(source="simulated", seed=3, end="2020-01-02")
    assert changes(here, there) == ()


def test_a_change_has_both_values() -> None:
    assert changes(with_k(0.11), config(costs={"etf_bp": 10.0})) == (
        SettingChange(path="costs.etf_bp", first=2.0, second=10.0),
        SettingChange(path="dry_powder.k", first=0.11, second=0.09),
    )


def test_of_two_strategies_only_common_settings_are_compared() -> None:
    found = changes(config("near-cash-flow"), config("spy", lag=3))
    assert [change.path for change in found] == ["strategy", "lag"]


def test_labels_of_different_strategies_are_their_names() -> None:
    configs = [config("spy"), config("cash-heavy@quantities"), config("cash-heavy", lag=2)]
    assert distinct_labels(configs) == ["spy", "cash-heavy@quantities", "cash-heavy"]


def test_labels_of_one_strategy_show_what_differs() -> None:
    assert distinct_labels([config(), with_k(0.11), config("spy")]) == [
        "near-cash-flow (dry_powder.k 0.09)",
        "near-cash-flow (dry_powder.k 0.11)",
        "spy",
    ]


def test_a_label_shows_all_digits_of_a_setting() -> None:
    """1e+06 and 1.23457e+06 are hard to read, and the second number is rounded."""
    configs = [config("spy", initial_capital=capital) for capital in (1e6, 1_234_567.0)]
    assert distinct_labels(configs) == [
        "spy (initial_capital 1,000,000)",
        "spy (initial_capital 1,234,567)",
    ]


def test_rows_with_labels_are_told_apart_by_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, regime in (("a.csv", "ABSORPTION"), ("b.csv", "NEUTRAL")):
        Path(name).write_text(f"date,label\n2020-03-16,{regime}\n2020-04-16,NEUTRAL\n")
    both = [config("cash-heavy", regime_model="labels", labels=name) for name in ("a.csv", "b.csv")]
    assert distinct_labels(both) == [
        "cash-heavy@labels (labels a.csv)",
        "cash-heavy@labels (labels b.csv)",
    ]


def test_a_file_of_labels_is_one_setting_however_its_path_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("date,label\n2020-03-16,NEUTRAL\n")
    short, full = (config(f"cash-heavy@{path}") for path in ("a.csv", tmp_path / "a.csv"))
    assert changes(short, full) == ()


def test_a_long_label_counts_settings_unless_two_rows_would_be_alike() -> None:
    first = config(lag=2, band=0.05, params={"volatility": 0.2})
    assert distinct_labels([config(), first]) == [
        "near-cash-flow (lag 1, band 0.02, 1 more)",
        "near-cash-flow (lag 2, band 0.05, 1 more)",
    ]
    second = config(lag=2, band=0.05, params={"volatility": 0.3})
    assert len(set(distinct_labels([config(), first, second]))) == 3


def test_a_label_of_two_settings_counts_no_others() -> None:
    assert distinct_labels([config(), config(lag=2, band=0.05)]) == [
        "near-cash-flow (lag 1, band 0.02)",
        "near-cash-flow (lag 2, band 0.05)",
    ]


@pytest.mark.parametrize("data", [{}, {"start": "2015-01-02"}])
def test_equal_settings_have_equal_labels(data: dict[str, Any]) -> None:
    assert distinct_labels([config(), config(**data)]) == ["near-cash-flow"] * 2


def test_a_description_says_which_parameters_differ_from_the_defaults() -> None:
    usual = "SPY while its price is above its ten-month mean, otherwise bills"
    assert strategy_said(config("trend").build_strategy()) == usual
    other = config("trend", params={"tickers": ["QQQ", "MU"], "months": 12}).build_strategy()
    assert strategy_said(other) == f"{usual}; here with tickers QQQ MU, months 12"


def test_other_tickers_of_a_class_are_a_change() -> None:
    other = config("survival", universe={"classes": {"crypto": ["BTC-USD"]}})
    assert changes(config("survival"), other) == (
        SettingChange(path="universe.classes", first=(), second=("crypto=BTC-USD",)),
    )


@dataclass(frozen=True, kw_only=True)
class Fear(ScoreSignal):
    """Shares fear."""

    name: ClassVar[str] = "fear"
    link: ClassVar[str] = "L9"
    headline: ClassVar[str] = "score"
    units: ClassVar[dict[str, str]] = {"score": "σ"}
    inputs: ClassVar[tuple[str, ...]] = ("VIXCLS",)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"score": panel["VIXCLS"]})


def test_of_all_votes_only_those_of_the_user_are_named() -> None:
    votes, silent = (config("cash-heavy", plugin_signals={Fear: vote}) for vote in (True, False))
    assert changes(votes, silent) == (
        SettingChange(path="plugin_voters", first=("fear",), second=()),
    )
    assert distinct_labels([votes, silent]) == [
        "cash-heavy (plugin_voters fear)",
        "cash-heavy (plugin_voters none)",
    ]
