"""Idle capital on three scales. Each scale uses only its own series."""

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.config_data import config_from
from backtests.config_file import config_toml
from backtests.history.panel import History
from signals import (
    Absorption,
    Capex,
    CostOfCapital,
    DryPowder,
    Funding,
    InverseQE,
    Signal,
    evaluate,
)
from signals.dry_powder import BankScale
from signals.errors import ConfigError
from signals.evaluations import inputs_of
from signals.explanation import explain, explain_all
from signals.scales import flags_by_scale, scales_at_end

NAN = float("nan")
SESSIONS = pd.bdate_range("2024-01-02", periods=30)
#: Reserves are 3,000 bn USD, and reverse repo is 100. GDP of 28,000 gives a need of 2,520, so 480
#: are above it. Bank assets of 23,000 give a need of 2,875, so 125 are above it.
LEVELS = {
    "RRPONTSYD": 100.0,
    "WRESBAL": 3e6,
    "GDP": 28_000.0,
    "TLAACBW027SBOG": 23_000.0,
    "SOFR": 5.35,
    "EFFR": 5.33,
    "IORB": 5.40,
    "IOER": NAN,
    "SRF": 0.0,
    "WLCFLPCL": 2_000.0,
}
BOTH: dict[str, Signal] = {"dry_powder": DryPowder(), "funding": Funding()}


def panel(**levels: float) -> pd.DataFrame:
    """Return thirty sessions of constant levels."""
    return pd.DataFrame({**LEVELS, **levels}, index=SESSIONS)


def test_a_scale_compares_reserves_with_its_own_need() -> None:
    by_gdp = DryPowder().evaluate(panel()).gauges.iloc[-1]
    assert by_gdp["excess_reserves"] == pytest.approx(480)
    assert by_gdp["share"] == by_gdp["of_gdp"] == pytest.approx(100 * 580 / 28_000)
    by_banks = DryPowder(scale="bank_assets").evaluate(panel()).gauges.iloc[-1]
    assert by_banks["excess_reserves"] == pytest.approx(125)
    assert by_banks["idle"] == pytest.approx(225)
    assert by_banks["share"] == by_banks["of_bank_assets"] == pytest.approx(100 * 225 / 23_000)
    assert by_banks["of_gdp"] == by_gdp["of_gdp"]


def test_the_unit_of_the_share_is_that_of_the_scale() -> None:
    assert DryPowder().unit("share") == "% of GDP"
    assert DryPowder(scale="bank_assets").unit("share") == "% of bank assets"
    assert DryPowder(scale="bank_assets").unit("idle") == "USD bn"


@pytest.mark.parametrize("scale", ["gdp", "bank_assets"])
def test_the_flag_of_a_scale_is_the_flag_of_a_signal_on_that_scale(
    history: History, scale: BankScale
) -> None:
    on_it = DryPowder(scale=scale)
    said = {"dry_powder": DryPowder().evaluate(history.panel)}
    pd.testing.assert_series_equal(
        flags_by_scale(said)[scale], on_it.evaluate(history.panel).flag, check_names=False
    )


def test_the_price_is_the_flag_of_funding(history: History) -> None:
    said = signals.read(history.panel).evaluations
    pd.testing.assert_series_equal(
        flags_by_scale(said)["price"], said["funding"].flag, check_names=False
    )


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        ("GDP", {"gdp"}),
        ("TLAACBW027SBOG", {"bank_assets"}),
        ("SOFR", {"price"}),
        ("WRESBAL", {"gdp", "bank_assets"}),
        ("IORB", {"price"}),
    ],
)
def test_a_missing_series_takes_the_view_of_its_own_scales_only(
    missing: str, lost: set[str]
) -> None:
    scales = scales_at_end(evaluate(panel(**{missing: NAN}), BOTH))
    assert {row.name for row in scales.rows if row.flag is None} == lost
    assert scales.views == 3 - len(lost)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({}, "idle capital is depleted on 1 of 3 scales"),
        ({"WRESBAL": 2.5e6}, "idle capital is depleted on 2 of 3 scales"),
        ({"WRESBAL": 2.5e6, "SOFR": 5.41}, "idle capital is depleted on 3 of 3 scales"),
        (
            {"GDP": NAN, "SOFR": NAN, "TLAACBW027SBOG": NAN},
            "no scale shows whether idle capital is depleted",
        ),
    ],
)
def test_the_sentence_counts_the_scales_with_a_view(levels: dict[str, float], said: str) -> None:
    assert scales_at_end(evaluate(panel(**levels), BOTH)).said == said


def test_a_scale_says_its_value_and_since_when() -> None:
    given = panel()
    given.loc[given.index[10] :, "WRESBAL"] = 2.5e6
    row = scales_at_end(evaluate(given, BOTH)).rows[0]
    assert (row.name, row.title, row.unit) == ("gdp", "k · GDP", "% of GDP")
    assert row.value == pytest.approx(100 * 100 / 28_000)
    assert (row.flag, row.since) == (True, given.index[14])  # the fifth consecutive session


def test_scales_of_signals_that_were_not_evaluated_are_left_out() -> None:
    assert [row.name for row in scales_at_end({}).rows] == []
    only = evaluate(panel(), {"dry_powder": DryPowder()})
    assert [row.name for row in scales_at_end(only).rows] == ["gdp", "bank_assets"]
    assert flags_by_scale({}).empty


def test_an_explanation_of_idle_capital_shows_the_scales_known_by_then() -> None:
    given = panel()
    given.loc[given.index[20] :, "SOFR"] = 5.45
    said = evaluate(given, BOTH)
    now = explain_all(said, given)
    assert now["funding"].scales is None
    assert now["dry_powder"].scales == scales_at_end(said)
    alone = explain(said["dry_powder"], given, given.index[-1])
    assert alone.scales is not None
    assert alone.scales.views == 2
    then = explain(said["dry_powder"], given, given.index[15], among=said).scales
    assert then is not None
    assert then.rows[-1].value == 0.0


def test_absorption_measures_idle_capital_on_the_chosen_scale(history: History) -> None:
    chosen: dict[str, Signal] = {"absorption": Absorption(), "capex": Capex()}
    chosen["dry_powder"] = DryPowder(scale="bank_assets")
    said = evaluate(history.panel.assign(GDP=NAN), chosen)["absorption"]
    powder = DryPowder(scale="bank_assets").evaluate(history.panel).gauges
    pd.testing.assert_series_equal(said.gauges["idle"], powder["idle"], check_names=False)
    assert said.flag.notna().any(), "without GDP, idle capital by bank assets still has a view"


def test_the_scale_is_a_parameter_of_a_run_and_another_name_is_refused() -> None:
    given = {"strategy": "spy", "signals": {"dry_powder": {"scale": "bank_assets"}}}
    assert config_from(given).build_signals()["dry_powder"] == DryPowder(scale="bank_assets")
    assert 'scale = "bank_assets"' in config_toml(config_from(given))
    with pytest.raises(ConfigError, match="'gdp' or 'bank_assets', was 'deposits'"):
        config_from({"strategy": "spy", "signals": {"dry_powder": {"scale": "deposits"}}})


# --- which inputs decide ---------------------------------------------------------------------


@pytest.mark.parametrize("name", signals.SIGNALS)
def test_inputs_that_are_only_shown_change_neither_flag_nor_score(
    name: str, history: History
) -> None:
    chosen = signals.default_signals()
    shown_only = [id for id in chosen[name].shown_only if id in history.panel]
    assert set(shown_only) <= set(chosen[name].inputs)
    if not shown_only:
        return
    panel = history.panel.loc["2012":]
    other = panel.assign(**dict.fromkeys(shown_only, NAN))
    before, after = (chosen[name].evaluate(p) for p in (panel, other))
    pd.testing.assert_series_equal(after.flag, before.flag)
    pd.testing.assert_series_equal(after.score, before.score)
    numbers = before.gauges.select_dtypes("number")
    assert not np.array_equal(numbers, after.gauges[numbers.columns], equal_nan=True)


@pytest.mark.parametrize(
    "signal", [CostOfCapital(term_premium=False), InverseQE(term_premium=False)]
)
def test_a_term_premium_that_is_not_used_does_not_decide(signal: Signal, history: History) -> None:
    assert "THREEFYTP10" in inputs_of(signal, {})
    assert "THREEFYTP10" not in inputs_of(signal, {}, deciding=True)
    late = history.panel.assign(THREEFYTP10=NAN)
    said = explain(signal.evaluate(late), late, late.index[-1])
    assert said.flag is not None
    assert said.missing == ()
    pd.testing.assert_series_equal(
        signal.evaluate(late).score, signal.evaluate(history.panel).score
    )


def test_capex_decides_without_gdp(history: History) -> None:
    """GDP is only shown beside the spending; ``absorption`` needs GDP for idle capital."""
    late = history.panel.assign(GDP=NAN)
    said = evaluate(late, signals.default_signals())
    assert explain(said["capex"], late, late.index[-1]).missing == ()
    assert "GDP" not in inputs_of(Capex(), {}, deciding=True)
    assert "GDP" in inputs_of(Absorption(), {}, deciding=True)
