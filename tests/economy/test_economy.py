"""The simulated economy: its seeds, shape and label, and the switch that turns the thesis off."""

import json
from inspect import unwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.config_data import config_from
from backtests.economy import Economy, make_economy
from backtests.evidence.assessment import assess
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.report.folder import FILES, default_folder, write_run
from backtests.store.store import Store
from signals.errors import ConfigError
from signals.regimes import Regime


@pytest.fixture(scope="module")
def simulated() -> History:
    return History.simulated(seed=3, years=20)


def test_equal_seeds_give_equal_histories_and_others_do_not() -> None:
    anew = unwrap(History.simulated)  # the fixtures cache simulated histories
    first, again, other = (anew(seed, years=3) for seed in (1, 1, 2))
    assert first.digest() == again.digest() != other.digest()


@pytest.mark.parametrize(("seed", "years"), [(0, 1), (0, 34), (-1, 20)])
def test_a_seed_or_length_that_cannot_be_simulated_is_refused(seed: int, years: int) -> None:
    with pytest.raises(ConfigError, match="must"):
        History.simulated(seed, years)


def test_a_simulated_history_has_the_series_and_assets_of_real_history(
    simulated: History, store: Path
) -> None:
    assert set(make_economy(3, 20).series) == set(Store(store).series_ids())
    real = History.load(store)
    assert set(simulated.panel.columns) == set(real.panel.columns)
    assert set(simulated.closes.columns) == set(real.closes.columns)


def test_values_lie_in_the_catalogs_plausible_ranges() -> None:
    from signals.catalog import CATALOG

    for id, values in make_economy(5, 20).series.items():
        if id in CATALOG:
            assert values.dropna().between(CATALOG[id].low, CATALOG[id].high).all(), id
        else:
            assert (values > 0).all(), id


def test_a_value_beyond_the_catalogs_limits_is_cut_and_a_missing_one_stays() -> None:
    from backtests.economy.publish import within_limits
    from signals.catalog import CATALOG

    low, high = CATALOG["WALCL"].low, CATALOG["WALCL"].high
    cut = within_limits("WALCL", pd.Series([low - 1, high + 1, low, float("nan")]))
    assert cut.iloc[:3].tolist() == [low, high, low]
    assert np.isnan(cut.iloc[3])


def test_the_balance_sheet_adds_up() -> None:
    from backtests.economy.quantities import CURRENCY, make_quantities

    index = pd.DatetimeIndex(History.simulated(0, 5).panel.index)
    paths = make_quantities(index, np.random.default_rng(0)).paths
    parts = paths[["treasury_account", "reserves", "reverse_repo"]].sum(axis=1)
    assert np.allclose(parts + CURRENCY * paths["gdp"], paths["fed_assets"], rtol=1e-12)
    u = paths["trailing_capex"] / (paths["trailing_capex"] + paths["idle"])
    assert np.allclose(u, paths["u"], rtol=1e-12)
    year = paths["capex"].rolling(252).mean()
    assert np.allclose(year.dropna(), paths["trailing_capex"].loc[year.dropna().index], rtol=1e-9)


def test_publication_lags_are_those_of_real_history(simulated: History) -> None:
    known, panel = simulated.known, simulated.panel
    gaps = (panel.index[-1] - known["WALCL"].iloc[-1]).days
    assert 0 <= gaps <= 7
    assert (known["GDP"].dropna().diff().dt.days.max()) > 60
    monday = panel.index[pd.DatetimeIndex(panel.index).day_of_week == 0][-1]
    assert str(known.loc[monday, "BTC-USD"])[11:] in ("19:00:00", "20:00:00")
    assert simulated.panel["NFCI"].isna().all()  # known only once recorded


def test_every_regime_happens_and_the_truth_is_known(simulated: History) -> None:
    assert simulated.truth is not None
    assert set(simulated.truth) == {r.value for r in Regime}
    assert simulated.truth.index.equals(simulated.panel.index)


def test_every_signal_takes_both_sides(simulated: History) -> None:
    reading = signals.read(simulated.panel)
    for name in set(signals.SIGNALS) - {"convexity", "opportunity"}:  # rare: not in every world
        assert set(reading.flags[name].dropna()) == {True, False}, name
    assert {"ABSORPTION", "INJECTION", "NEUTRAL"} <= set(reading.regime.dropna())


def test_the_switch_changes_returns_but_no_quantity() -> None:
    linked, cut = (History.simulated(7, 10, thesis=thesis) for thesis in (True, False))
    for id in ("WRESBAL", "RRPONTSYD", "GDP", "CAPEX_TTM_MSFT", "WALCL"):
        pd.testing.assert_series_equal(linked.panel[id], cut.panel[id])
    assert not linked.closes["BTC-USD"].equals(cut.closes["BTC-USD"])


def t_statistic(economy: Economy, sign: int, assets: list[str]) -> float:
    """Return the t-statistic of the excess return over SPY: true ABSORPTION against other times."""
    truth = economy.truth
    closes = pd.DataFrame({id: economy.series[id].reindex(truth.index) for id in [*assets, "SPY"]})
    returns = closes.pct_change(fill_method=None)
    excess = sign * (returns[assets].mean(axis=1) - returns["SPY"])
    under = truth.shift(1) == Regime.ABSORPTION.value
    on, off = excess[under], excess[~under]
    return float((on.mean() - off.mean()) / np.sqrt(on.var() / len(on) + off.var() / len(off)))


#: Assets that the thesis moves, by the sign of their excess return under absorption.
MOVED = {-1: ["BTC-USD", "ETH-USD"], 1: ["MU", "WDC"]}
SEEDS = range(8)


@pytest.fixture(scope="module")
def t_statistics() -> dict[tuple[int, bool], list[float]]:
    """Return one t-statistic for each seed.

    The keys are the sign in :data:`MOVED`, and whether the thesis is on.
    """
    found: dict[tuple[int, bool], list[float]] = {}
    for thesis in (True, False):
        for seed in SEEDS:
            economy = make_economy(seed, 20, thesis=thesis)
            for sign, assets in MOVED.items():
                found.setdefault((sign, thesis), []).append(t_statistic(economy, sign, assets))
    return found


@pytest.mark.parametrize("sign", MOVED)
def test_with_the_thesis_on_returns_differ_as_designed_and_off_they_do_not(
    sign: int, t_statistics: dict[tuple[int, bool], list[float]]
) -> None:
    on, off = t_statistics[sign, True], t_statistics[sign, False]
    assert np.mean(on) > 1.0
    assert abs(np.mean(off)) < 3 / np.sqrt(len(SEEDS))


def test_simulated_is_said_on_the_page_and_in_every_file(tmp_path: Path) -> None:
    config = config_from(
        {"strategy": "near-cash-flow", "source": "simulated", "years": 4, "start": "2022-06-01"}
    )
    finished = run(config)
    write_run(assess(finished, robustness=False), tmp_path / "out")
    page = (tmp_path / "out" / "tearsheet.html").read_text()
    assert "<title>SIMULATED: near-cash-flow" in page
    assert "<h1>SIMULATED: near-cash-flow</h1>" in page
    assert "SIMULATED: Growth of 1" in page
    assert "SIMULATED: Regime and votes" in page
    numbers = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert numbers["run"]["source"] == "simulated"
    for name in FILES:
        assert "SIMULATED" in (tmp_path / "out" / name).read_text() or name == "metrics.json"
    for name in ("returns.csv", "weights.csv", "orders.csv", "flags.csv"):
        assert (pd.read_csv(tmp_path / "out" / name)["source"] == "SIMULATED").all()
    assert default_folder(finished).name.startswith("SIMULATED-")


@pytest.mark.usefixtures("plainly")
def test_real_runs_are_not_called_simulated(store: Path, tmp_path: Path) -> None:
    write_run(
        assess(run(config_from({"strategy": "spy", "store": store, "start": "2025-06-02"}))),
        tmp_path / "out",
    )
    for name in FILES:
        assert "SIMULATED" not in (tmp_path / "out" / name).read_text()


# --- accounting, units and dates ----------------------------------------------------------------


@pytest.fixture(scope="module")
def economy() -> Economy:
    return make_economy(3, 20)


def test_spreads_and_yields_agree(economy: Economy) -> None:
    """Published yields have two decimals, so a sum of two yields may be off by 0.01."""
    found = economy.series
    for whole, parts in (
        ("T10Y2Y", found["DGS10"] - found["DGS2"]),
        ("T10Y3M", found["DGS10"] - found["DGS3MO"]),
        ("DGS10", found["DFII10"] + found["T10YIE"]),
    ):
        assert np.allclose(found[whole], parts, rtol=0, atol=0.011), whole


def test_the_rate_on_reserves_changes_its_name_and_not_its_value(economy: Economy) -> None:
    excess, reserves = economy.series["IOER"], economy.series["IORB"]
    assert str(excess.index[-1].date()) == "2021-07-28"
    assert str(reserves.index[0].date()) == "2021-07-29"
    assert abs(reserves.iloc[0] - excess.iloc[-1]) < 0.3
    first, then = (economy.series[f"DECISION_{rate}"] for rate in ("IOER", "IORB"))
    assert first.index[-1] < pd.Timestamp("2021-07-28") <= then.index[0]


def test_both_measures_of_the_treasurys_account_have_the_unit_of_the_catalog(
    economy: Economy,
) -> None:
    """One series is the level on Wednesday, and one is the mean of the week, both in millions."""
    level, mean = economy.series["WDTGAL"], economy.series["WTREGEN"]
    assert (level / mean).between(0.5, 2.0).all()


@pytest.mark.parametrize("concept", ["CAPEX", "OCF"])
def test_the_sum_of_a_year_ago_is_the_sum_four_quarters_earlier(
    economy: Economy, concept: str
) -> None:
    now, ago = (economy.series[f"{concept}_TTM{part}_MSFT"] for part in ("", "_YEAR_AGO"))
    assert ago.index.equals(now.index)
    assert len(now) > 70
    pd.testing.assert_series_equal(ago.iloc[4:], now.shift(4).iloc[4:], check_names=False)


def test_a_filing_is_known_at_the_open_of_the_session_after_its_day(economy: Economy) -> None:
    id = "CAPEX_TTM_MSFT"
    rows = economy.rows()[id].set_index("observed_on")["available_at"]
    days = rows - economy.filed[id].reindex(rows.index)
    assert (rows.dt.strftime("%H:%M") == "09:30").all()
    assert days.between(pd.Timedelta(days=1), pd.Timedelta(days=6)).all()


def test_a_release_comes_shortly_before_its_filing_is_known(economy: Economy) -> None:
    """The release comes one or two days before the day of the filing, moved to a session."""
    known = economy.rows()["CAPEX_TTM_MSFT"]["available_at"].sort_values().dt.normalize()
    days = pd.DatetimeIndex(known)
    for day in economy.series["EARNINGS_MSFT"].index[1:-1]:
        ahead = days[days.searchsorted(day)] - day
        assert ahead <= pd.Timedelta(days=6), day


def test_news_in_the_statement_and_in_the_press_conference_add_up(economy: Economy) -> None:
    for what in ("UST2Y", "UST10Y", "SP500"):
        statement, press, whole = (
            economy.series[f"FED_{part}_{what}"] for part in ("ST", "PC", "ME")
        )
        pd.testing.assert_series_equal(statement + press, whole, check_names=False)


def test_treasuries_fall_when_their_yield_rises(economy: Economy) -> None:
    change = economy.series["DGS10"].diff()
    returns = economy.series["TLT"].pct_change()
    slope = returns.cov(change / 100) / (change / 100).var()
    assert slope == pytest.approx(-16.5, abs=1.0)  # the duration in the table of assets


def test_cash_earns_the_yield_of_bills(economy: Economy) -> None:
    sessions = pd.DatetimeIndex(economy.truth.index)
    years = len(sessions) / 252
    earned = np.log(economy.series["BIL"].iloc[-1] / economy.series["BIL"].iloc[0]) / years
    assert earned == pytest.approx(economy.series["DGS3MO"].mean() / 100, rel=0.05)


def test_a_cascade_hits_coins_first_then_speculation_then_everything() -> None:
    from backtests.economy.prices import _CASCADE, _cascades

    class Calm(np.random.Generator):
        """Random numbers without the cascades that start by chance."""

        def random(self, size: object = None, **_: object) -> np.ndarray:  # type: ignore[override]
            return np.ones(int(str(size)))

    phase = np.array([1, 1, 3, 3, 3, 3, 1])
    losses = _cascades(phase, Calm(np.random.PCG64(0)))
    hit = {name: np.flatnonzero(loss).tolist() for name, loss in losses.items()}
    assert hit == {"crypto": [2], "speculative": [3], "software": [3], "all": [4]}
    assert losses["speculative"][3] / losses["crypto"][2] == pytest.approx(
        _CASCADE[1]["speculative"] / _CASCADE[0]["crypto"]
    )


def test_coins_move_on_weekends(economy: Economy) -> None:
    coin = economy.series["BTC-USD"].pct_change().dropna()
    weekend = coin[pd.DatetimeIndex(coin.index).day_of_week >= 5]
    assert (weekend != 0).all()
    assert 0.2 < weekend.std() / coin.std() < 1.0


@pytest.mark.parametrize("thesis", [True, False])
def test_the_truth_about_a_crisis_is_that_of_the_prices(*, thesis: bool) -> None:
    """With the thesis off, the prices come from another economy, whose crises the truth names."""
    found = []
    for seed in SEEDS:
        simulated = make_economy(seed, 20, thesis=thesis)
        shares = simulated.series["SPY"].pct_change().reindex(simulated.truth.index)
        found.append(shares[simulated.truth == Regime.FORCED_SELLING.value])
    assert pd.concat(found).mean() * 252 < -0.6
