"""A resampled history compared with the original: missing values and market behaviour."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.calendar import sessions
from backtests.config_data import config_from
from backtests.engine.costs import Costs
from backtests.evidence.placebo_rank import fixed_evaluations
from backtests.evidence.resampling import NOT_QUOTED, is_quoted, is_resampled, resample_prices
from backtests.history.panel import History
from backtests.pipeline import run
from signals.catalog import CATALOG
from signals.dry_powder import DryPowder
from signals.errors import ConfigError, DataError
from signals.universe import asset, session_close_id

pytestmark = pytest.mark.usefixtures("evaluated_before")

SESSIONS = sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2020-12-31"))
ASSETS = ["SPY", "MU", "BTC-USD", "NVDA"]
USUAL = Costs()
DEAR = Costs(etf_bp=50, stock_bp=100, crypto_bp=200, borrow_stock=0.3, borrow_crypto=1.0)

#: A panel and closes.
Drawn = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def drawn(history: History) -> Drawn:
    return resample_prices(history.panel, history.closes, seed=11)


def test_values_are_where_they_were(history: History, drawn: Drawn) -> None:
    panel, closes = drawn
    pd.testing.assert_frame_equal(panel.isna(), history.panel.isna())
    pd.testing.assert_frame_equal(closes.isna(), history.closes.isna())
    assert (closes.fillna(1.0) > 0).to_numpy().all()


def test_quantities_stay_and_the_market_moves(history: History, drawn: Drawn) -> None:
    panel, _ = drawn
    for id in history.panel.columns:
        same = panel[id].equals(history.panel[id])
        moves = is_quoted(id) or id not in CATALOG
        assert same == (not moves or history.panel[id].notna().sum() < 2), id


def test_what_is_quoted_is_what_a_market_prices_each_day() -> None:
    quoted = {id for id in CATALOG if is_quoted(id)}
    assert quoted == {
        "SOFR", "EFFR", "TGCR", "DGS3MO", "DTB3", "DGS2", "DGS10", "DGS30", "DFII10", "T10YIE",
        "T10Y2Y", "T10Y3M", "THREEFYTP10", "BAA10Y", "BAMLH0A0HYM2", "BAMLC0A0CM", "VIXCLS",
        "DTWEXBGS",
    }, "list a market's quote here; what an authority sets belongs in NOT_QUOTED"  # fmt: skip
    assert set(NOT_QUOTED) <= set(CATALOG)


def test_equal_seeds_draw_equal_histories(history: History, drawn: Drawn) -> None:
    again = resample_prices(history.panel, history.closes, seed=11)
    pd.testing.assert_frame_equal(again[0], drawn[0])
    pd.testing.assert_frame_equal(again[1], drawn[1])
    assert not resample_prices(history.panel, history.closes, seed=12)[1].equals(drawn[1])


def assert_coins_and_shares_fit(panel: pd.DataFrame, closes: pd.DataFrame) -> None:
    """Assert that the panel's prices fit the closes, in the original and in a draw."""
    next_day = np.diff(panel.index.to_numpy()) == np.timedelta64(1, "D")
    for name in closes.columns:
        before = closes[name].shift(1)
        if asset(name).market == "crypto":
            known = before.notna() & panel[name].notna()
            adjoining = known & np.append(False, next_day)
            same = np.isclose(panel[name][adjoining], before[adjoining], rtol=1e-12)
            assert adjoining.sum() > 500
            assert same.all(), name
            column = panel[session_close_id(name)]
            assert np.allclose(column[known], before[known], rtol=1e-12), name
            assert not np.allclose(panel[name][known], before[known], rtol=1e-3), name
        else:
            both = closes[name].notna()
            assert np.allclose(panel[name][both], closes[name][both], rtol=1e-12), name


def test_coins_stay_a_session_behind(history: History, drawn: Drawn) -> None:
    assert_coins_and_shares_fit(history.panel, history.closes)
    assert_coins_and_shares_fit(*drawn)
    ahead = drawn[0].copy()
    ahead["BTC-USD"] = drawn[1]["BTC-USD"]
    with pytest.raises(AssertionError, match="BTC-USD"):
        assert_coins_and_shares_fit(ahead, drawn[1])


def logs(closes: pd.DataFrame) -> pd.DataFrame:
    """Return the log returns of assets with more than 2,500 closes."""
    listed = closes.loc[:, closes.notna().sum() > 2500]
    return listed.transform(np.log).diff()


def unlike(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Return the columns for which a quantile of returns differs by more than a fifth."""
    levels = [0.05, 0.25, 0.75, 0.95]
    ratio = one.quantile(levels) / other.quantile(levels)
    return [str(name) for name in ratio if (ratio[name] - 1).abs().max() > 0.2]


def persistence(changes: pd.DataFrame) -> float:
    """Return the mean autocorrelation of absolute changes a week apart."""
    return float(changes.abs().apply(lambda x: x.corr(x.shift(5))).mean())


def draws(history: History, n: int = 4) -> list[pd.DataFrame]:
    made = (resample_prices(history.panel, history.closes, seed=seed) for seed in range(n))
    return [logs(closes) for _, closes in made]


def test_the_market_behaves_as_it_did(history: History) -> None:
    original, many = logs(history.closes), draws(history)
    together = pd.concat(many)
    assert unlike(together, original) == []
    assert len(unlike(together * 1.3, original)) > 40
    error: pd.Series = original.std() / np.sqrt(original.count() * len(many) / 3)
    assert ((together.mean() - original.mean()).abs() / error).max() < 4

    persistent = np.mean([persistence(draw) for draw in many])
    assert persistent == pytest.approx(persistence(original), rel=0.3)
    assert persistence(original.sample(frac=1, random_state=1)) < 0.2 * persistent

    shares = original.columns[original.notna().sum() > 5500]
    apart = [draw[shares].corr() - original[shares].corr() for draw in many]
    assert np.abs(np.mean(apart, axis=0)).max() < 0.15


def test_nothing_is_left_of_what_happened_when(history: History) -> None:
    original = logs(history.closes)["SPY"]
    for draw in draws(history, 2):
        assert abs(draw["SPY"].corr(original)) < 0.1
    assert original.corr(original) > 0.1


def test_yields_stay_among_those_ever_quoted(history: History, drawn: Drawn) -> None:
    since = history.closes.notna().any(axis=1).idxmax()
    for id in filter(is_quoted, history.panel.columns):
        before, after = history.panel[id].loc[since:], drawn[0][id].loc[since:]
        assert before.min() - 1e-9 <= after.min() < after.max() <= before.max() + 1e-9, id
        assert after.diff().std() == pytest.approx(before.diff().std(), rel=0.35), id
    unmoved = history.panel.loc[:since, "DGS10"]
    pd.testing.assert_series_equal(drawn[0].loc[:since, "DGS10"], unmoved)


def test_yields_keep_to_each_other_and_to_prices(history: History, drawn: Drawn) -> None:
    def slope_gap(panel: pd.DataFrame) -> float:
        return float((panel["DGS10"] - panel["DGS2"] - panel["T10Y2Y"]).abs().median())

    def with_bonds(panel: pd.DataFrame, closes: pd.DataFrame) -> float:
        return float(np.log(closes["TLT"]).shift(1).diff().corr(panel["DGS30"].diff()))

    assert slope_gap(drawn[0]) < slope_gap(history.panel) + 0.01
    was = with_bonds(history.panel, history.closes)
    assert was < -0.7
    assert with_bonds(*drawn) == pytest.approx(was, abs=0.1)
    assert abs(with_bonds(drawn[0], history.closes)) < 0.1


def test_signals_read_a_drawn_history(history: History, drawn: Drawn) -> None:
    before, after = signals.read(history.panel), signals.read(drawn[0])
    seen = before.regime.notna()
    assert seen.sum() > 2500
    assert after.regime[seen].notna().mean() > 0.95
    assert after.regime.nunique() >= 3
    for name in ("dry_powder", "capex", "bathtub", "absorption"):
        pd.testing.assert_series_equal(after.flags[name], before.flags[name])
    for name in ("cost_of_capital", "crypto_probe", "inverse_qe"):
        assert not after.flags[name].equals(before.flags[name])


def test_a_simulated_history_can_be_resampled() -> None:
    simulated = History.simulated(seed=2, years=8)
    panel, closes = resample_prices(simulated.panel, simulated.closes, seed=1)
    pd.testing.assert_frame_equal(panel.isna(), simulated.panel.isna())
    assert_coins_and_shares_fit(panel, closes)


# --- Small histories, where every change can be traced ---------------------------------------


def small(n: int = 400, late: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a panel and closes: shares, one of them listed late, and a yield.

    After a draw, each return shows its original session.
    """
    step = np.arange(n) / 1e5
    path = np.cumsum(step)
    closes = pd.DataFrame(
        {"SPY": np.exp(path), "IWM": np.exp(path), "MU": np.exp(-path)},
        index=SESSIONS[:n],
    )
    closes.iloc[:late, 2] = np.nan
    return closes.assign(DGS10=3 + np.sin(np.arange(n) / 9), WALCL=4e6 + step), closes


def steps(closes: pd.DataFrame, name: str) -> np.ndarray:
    """Return, for each change of an asset, the session from which it was drawn."""
    back = np.log(closes[name]).diff().dropna().to_numpy() * 1e5
    return np.asarray(np.round(np.abs(back)).astype(int))


def test_assets_move_together_and_in_blocks() -> None:
    _, closes = resample_prices(*small(), block=20, seed=3)
    source = steps(closes, "SPY")
    assert np.array_equal(source, steps(closes, "IWM"))
    joints = int((np.diff(source) != 1).sum())
    assert 8 < joints < 40
    both = closes["MU"].notna().to_numpy()[1:] & closes["MU"].shift(1).notna().to_numpy()[1:]
    lived = source[both] > 300
    assert np.array_equal(steps(closes, "MU")[lived], source[both][lived])


def test_what_was_listed_late_takes_returns_of_its_own_time() -> None:
    taken = [steps(resample_prices(*small(), block=20, seed=seed)[1], "MU") for seed in range(60)]
    every = np.concatenate(taken)
    assert every.min() >= 301
    assert every.max() <= 399
    thirds = np.histogram(every, bins=[301, 334, 367, 400])[0] / len(every)
    assert thirds == pytest.approx([1 / 3] * 3, abs=0.05)
    assert np.mean([(np.diff(one) == 1).mean() for one in taken]) > 0.85


def test_prices_start_where_they_started() -> None:
    panel, closes = small()
    _, new = resample_prices(panel, closes, seed=3)
    for name in closes.columns:
        start = closes[name].first_valid_index()
        assert new[name].loc[start] == pytest.approx(closes[name].loc[start], rel=1e-12)


@pytest.mark.parametrize("id", ["VIXCLS", "DTWEXBGS"])
def test_vix_and_the_dollar_move_in_proportion(id: str) -> None:
    """VIX and the dollar are resampled like a yield that equals their logarithm."""
    panel, closes = small()
    level = 20 * np.exp(np.sin(np.arange(len(panel)) / 7) + np.arange(len(panel)) / 500)
    panel = panel.assign(**{id: level, "T10Y3M": np.log(level), "BAA10Y": level})
    drawn, _ = resample_prices(panel, closes, block=20, seed=3)
    np.testing.assert_allclose(drawn[id], np.exp(drawn["T10Y3M"]), rtol=1e-9)
    assert not np.allclose(drawn[id], drawn["BAA10Y"], rtol=1e-2)


def test_a_coin_moves_after_a_rest_alone_and_as_after_the_session_drawn() -> None:
    """A rest is a break between sessions, such as a weekend.

    Each move over a rest equals the position of its session in millionths, so its source is known.
    """
    panel, closes = small()
    n = np.arange(len(panel))
    rested = np.append(False, np.diff(panel.index.to_numpy()) > np.timedelta64(1, "D"))
    closes = closes.assign(**{"BTC-USD": np.exp(np.cumsum(n / 1e5))})
    before = closes["BTC-USD"].shift(1)
    shown = {"BTC-USD": before * np.exp(rested * n / 1e6), "BTC-USD@session": before}
    drawn, new = resample_prices(panel.assign(**shown), closes, block=20, seed=3)
    ahead = np.log((drawn["BTC-USD"] / new["BTC-USD"].shift(1)).to_numpy()[2:]) * 1e6
    source = steps(new, "BTC-USD")[1:]
    both = rested[2:] & rested[source]
    np.testing.assert_allclose(ahead[both], source[both], atol=1e-4)
    np.testing.assert_allclose(ahead[~both], 0.0, atol=1e-4)
    assert 10 < both.sum() < 100
    assert (rested[2:] & ~rested[source]).sum() > 10  # Mondays drawn from other days


def test_histories_that_do_not_match_are_refused() -> None:
    panel, closes = small()
    with pytest.raises(DataError, match="closes on the 400 sessions of the panel"):
        resample_prices(panel, closes.iloc[1:], seed=1)
    with pytest.raises(DataError, match="expected closes of IWM"):
        resample_prices(panel, closes.drop(columns="IWM"), seed=1)
    with pytest.raises(DataError, match="prices on at least 2 sessions"):
        resample_prices(panel, closes * np.nan, seed=1)
    with pytest.raises(ConfigError, match="`block` of at least 1 session"):
        resample_prices(panel, closes, block=0, seed=1)


def test_no_other_columns_than_the_declared_ones_move(history: History, drawn: Drawn) -> None:
    """Signals that read no resampled column are not evaluated again on a resampled history."""
    panel, _ = drawn
    moved = {id for id in panel if not panel[id].equals(history.panel[id])}
    declared = {id for id in panel if is_resampled(str(id), history.closes)}
    assert moved <= declared
    assert {"SPY", "BTC-USD", "BTC-USD@session", "DGS10", "VIXCLS"} <= moved
    assert not {"WALCL", "RRPONTSYD", "IORB"} & declared


def test_only_registered_signals_keep_their_evaluation_in_a_draw() -> None:
    """A user's signal may read more than its ``inputs`` say, so each draw evaluates it again."""

    @dataclass(frozen=True, kw_only=True)
    class Mine(DryPowder):
        name: ClassVar[str] = "mine"

    config = config_from({"strategy": "cash-heavy", "source": "simulated", "years": 4})
    done = run(config)
    chosen = {**config.build_signals(), "mine": Mine()}
    kept = set(fixed_evaluations(done, chosen))
    assert "dry_powder" in kept  # it reads only quantities
    assert "mine" not in kept
    assert "duration" not in kept  # it reads prices
