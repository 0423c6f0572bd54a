"""Placebos against the engine and a plain loop; that they are fair, and that they can see timing.

Resampled histories are held to the original: where it had values, what it depends on, and how its
market behaves.
"""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import signals
from backtests.engine.costs import FREE, Costs
from backtests.engine.simulate import simulate
from backtests.evidence.placebo import (
    NOT_QUOTED,
    is_quoted,
    rank_of,
    resample_placebo,
    resample_prices,
    shift_placebo,
    timing_gain,
)
from backtests.evidence.placebo import _market as market_of
from backtests.evidence.placebo import _returns as returns_of
from backtests.history.calendar import sessions
from backtests.history.panel import History
from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError
from signals.universe import asset, session_close_id

SESSIONS = sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2020-12-31"))
ASSETS = ["SPY", "MU", "BTC-USD", "NVDA"]
USUAL = Costs()
DEAR = Costs(etf_bp=50, stock_bp=100, crypto_bp=200, borrow_stock=0.3, borrow_crypto=1.0)


# --- Cases -----------------------------------------------------------------------------------


def market(n: int, assets: list[str] = ASSETS, seed: int = 7) -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(seed)
    steps = random.normal(0.0003, 0.02, (n, len(assets)))
    prices = pd.DataFrame(80 * np.exp(steps.cumsum(axis=0)), index=SESSIONS[:n], columns=assets)
    return prices, pd.Series(random.uniform(0, 2e-4, n), index=prices.index)


def in_force(
    prices: pd.DataFrame, total: float = 0.9, every: int = 20, short: bool = False, seed: int = 3
) -> pd.DataFrame:
    """Return weights that stay for some sessions; shorts in the third asset and now and then."""
    random = np.random.default_rng(seed)
    n = len(prices)
    rows = random.dirichlet(np.ones(prices.shape[1]), n // every + 1) * total
    if short:
        rows[:, 2] *= -1
        rows[::2, 0] *= -1
    return pd.DataFrame(rows.repeat(every, axis=0)[:n], prices.index, prices.columns)


def flags(n: int, seed: int, stay: float = 0.95) -> np.ndarray:
    """Return a persistent random flag, as 0 and 1."""
    switch = np.random.default_rng(seed).random(n) > stay
    return (switch.cumsum() % 2).astype(float)


def one_asset(n: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    prices, bills = market(n, ["SPY"], seed)
    return prices, bills * 0.0


# --- Against the engine ----------------------------------------------------------------------


def engine_returns(
    held: pd.DataFrame, prices: pd.DataFrame, bills: pd.Series, costs: Costs
) -> pd.Series:
    """Return the engine's when it trades to the weights at every close.

    With a band of 0 it leaves alone what it has just brought to an unchanged target, so every
    other target is moved by a millionth of a millionth, which is worth a trade.
    """
    decisions = held.shift(-1).iloc[:-1] * (1 - 1e-12 * (np.arange(len(held) - 1) % 2))[:, None]
    return simulate(decisions, prices, bills, costs, 1, band=0.0).returns


def shifted(held: pd.DataFrame, prices: pd.DataFrame, by: int) -> pd.DataFrame:
    rolled = pd.DataFrame(np.roll(held.to_numpy(), by, axis=0), held.index, held.columns)
    return rolled.where(prices.notna(), 0.0)


def daily(held: pd.DataFrame, prices: pd.DataFrame, bills: pd.Series, costs: Costs) -> np.ndarray:
    priced = held.to_numpy().T * prices.notna().to_numpy().T
    return returns_of(market_of(held, prices, bills, costs), priced[:, None, :])[0]


def largest_gap(
    total: float, costs: Costs, short: bool, shifts: range, unlisted: int = 60
) -> float:
    """Return how far a day's return is from the engine's, over some shifts.

    The engine starts in cash and buys at the second close: it is compared from the day after that.
    """
    prices, bills = market(180)
    prices.iloc[:unlisted, 3] = np.nan
    held = in_force(prices, total, short=short)
    gaps = []
    for by in shifts:
        moved = shifted(held, prices, by)
        engine = engine_returns(moved, prices, bills, costs).to_numpy()
        gaps.append(np.abs(engine - daily(moved, prices, bills, costs))[2:].max())
    return float(max(gaps))


@pytest.mark.parametrize("short", [False, True])
def test_daily_returns_are_the_engines_at_usual_costs(short: bool) -> None:
    assert largest_gap(0.9, USUAL, short, range(0, 180, 9)) < 2e-6


def test_without_costs_they_are_the_engines_to_rounding() -> None:
    assert largest_gap(0.9, FREE, True, range(0, 180, 60)) < 1e-12
    assert largest_gap(1.0, FREE, False, range(0, 180, 60)) < 1e-10


def test_fully_invested_the_engine_buys_less_by_what_trading_costs() -> None:
    """What cash cannot pay is cut there and not here: at most a day's return on the cost."""
    gap = largest_gap(1.0, USUAL, False, range(0, 180, 60))
    assert 2e-6 < gap < 1e-4


def test_the_comparison_sees_a_forgotten_cost_and_a_day_too_many() -> None:
    prices, bills = market(180)
    held = in_force(prices)
    engine = engine_returns(held, prices, bills, USUAL).to_numpy()[2:]
    assert np.abs(engine - daily(held, prices, bills, FREE)[2:]).max() > 1e-4
    late = held.shift(1).fillna(0.0)
    assert np.abs(engine - daily(late, prices, bills, USUAL)[2:]).max() > 1e-3
    shorts = in_force(prices, short=True)
    engine = engine_returns(shorts, prices, bills, USUAL).to_numpy()[2:]
    unpaid = Costs(borrow_stock=0, borrow_crypto=0)
    assert np.abs(engine - daily(shorts, prices, bills, unpaid)[2:]).max() > 1e-5


# --- Against plain Python --------------------------------------------------------------------


def plain_sharpe(rows, closes, bills, days, rates, fees) -> float:
    """Return the Sharpe ratio of a list of weights, session by session and asset by asset."""
    excess, left, many = [], 1.0, range(len(rates))
    for t in range(1, len(rows)):
        grown, cash, value = [], 1.0, 0.0
        for a in many:
            now, last = closes[t][a], closes[t - 1][a]
            move = now / last if not (math.isnan(now) or math.isnan(last)) else 1.0
            fee = 1 + fees[a] * days[t] / 365 if rows[t - 1][a] < 0 else 1.0
            grown.append(rows[t - 1][a] * move * fee)
            cash -= rows[t - 1][a]
        value = sum(grown) + cash * (1 + bills[t])
        paid = sum(rates[a] * abs(rows[t][a] - grown[a] / value) for a in many)
        interest = 1 + bills[t]
        growth = ((value - interest) / left + interest) * (1 - paid)
        excess.append(growth - 1 - bills[t])
        left = 1 - paid
    mean = sum(excess) / len(excess)
    variance = sum((x - mean) ** 2 for x in excess) / (len(excess) - 1)
    return mean / math.sqrt(variance) * math.sqrt(252)


def plain_gain(held, closes, bills, days, rates, fees, by: int) -> float:
    n, many = len(held), range(len(rates))
    there = [[not math.isnan(closes[t][a]) for a in many] for t in range(n)]
    rows = [[held[(t - by) % n][a] if there[t][a] else 0.0 for a in many] for t in range(n)]
    mean = [sum(r[a] for r in rows) / sum(row[a] for row in there) for a in many]
    steady = [[mean[a] if there[t][a] else 0.0 for a in many] for t in range(n)]
    given = (closes, bills, days, rates, fees)
    return plain_sharpe(rows, *given) - plain_sharpe(steady, *given)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("unlisted", [0, 12])
def test_every_shift_is_that_of_a_plain_loop(short: bool, unlisted: int) -> None:
    prices, bills = market(45)
    prices.iloc[:unlisted, 3] = np.nan
    held = in_force(prices, every=7, short=short)
    made = shift_placebo(held, prices, bills, DEAR, shifts=1000)
    days = [0, *np.diff(prices.index.to_numpy()).astype("timedelta64[D]").astype(int).tolist()]
    rates, fees = [DEAR.rate(a) for a in ASSETS], [DEAR.borrow(a) for a in ASSETS]
    given = (held.to_numpy().tolist(), prices.to_numpy().tolist(), bills.tolist(), days)
    plain = [plain_gain(*given, rates, fees, by) for by in range(45)]
    assert made.statistic == pytest.approx(plain[0], abs=1e-12)
    assert np.sort(made.others) == pytest.approx(sorted(plain[1:]), abs=1e-12)
    assert made.rank == pytest.approx(np.mean([x < plain[0] for x in plain[1:]]))
    assert timing_gain(held, prices, bills, DEAR) == made.statistic


def test_an_asset_without_a_price_is_cash_that_day() -> None:
    prices, bills = market(60)
    prices.iloc[30, 1] = np.nan
    held = in_force(prices)
    without = held.copy()
    without.iloc[30, 1] = 0.0
    assert timing_gain(held, prices, bills, USUAL) == timing_gain(without, prices, bills, USUAL)


# --- What a placebo is for -------------------------------------------------------------------


def placebo_of(flag: np.ndarray, prices: pd.DataFrame, bills: pd.Series, shifts: int = 200):
    held = pd.DataFrame(flag[:, None], prices.index, prices.columns)
    return shift_placebo(held, prices, bills, FREE, shifts=shifts, seed=1)


def test_flags_that_know_nothing_rank_uniformly() -> None:
    ranks = [placebo_of(flags(300, seed), *one_asset(300, 5000 + seed)).rank for seed in range(200)]
    assert kstest(ranks, "uniform").pvalue > 0.01
    cheats = [1 - (1 - rank) / 2 for rank in ranks]
    assert kstest(cheats, "uniform").pvalue < 0.01


def test_foresight_ranks_at_the_top() -> None:
    prices, bills = one_asset(600, 1)
    coming = prices["SPY"].pct_change().rolling(20).mean().shift(-20).fillna(0.0).to_numpy()
    made = placebo_of((coming > 0).astype(float), prices, bills, 500)
    assert made.rank > 0.98
    assert made.p_value < 0.02
    assert placebo_of((coming < 0).astype(float), prices, bills, 500).rank < 0.02


def test_a_session_decides_between_foresight_and_hindsight() -> None:
    prices, bills = one_asset(500, 2)
    rises = (prices["SPY"].pct_change() > 0).astype(float).to_numpy()
    assert placebo_of(np.append(rises[1:], 0.0), prices, bills).rank == 1.0
    assert 0.01 < placebo_of(rises, prices, bills).rank < 0.99


def test_average_exposure_earns_no_timing() -> None:
    prices, bills = market(300)
    held = in_force(prices, every=300)
    made = shift_placebo(held, prices, bills, USUAL, shifts=10)
    assert made.statistic == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(made.rank)
    assert math.isnan(made.p_value)


def test_cash_throughout_has_no_gain() -> None:
    prices, bills = market(60)
    assert math.isnan(timing_gain(in_force(prices) * 0.0, prices, bills, USUAL))


def test_shifts_are_distinct_and_seeded() -> None:
    prices, bills = market(120)
    held = in_force(prices, every=1)
    made = [shift_placebo(held, prices, bills, USUAL, shifts=50, seed=s) for s in (1, 1, 2)]
    assert len(np.unique(made[0].others)) == made[0].n == 50
    assert np.array_equal(made[0].others, made[1].others)
    assert not np.array_equal(made[0].others, made[2].others)
    assert shift_placebo(held, prices, bills, USUAL).n == 119
    assert made[0].kind == "shifts"


def test_ranks_count_ties_by_half_and_p_values_in_full() -> None:
    made = rank_of(2.0, [1.0, 2.0, 2.0, 3.0, float("nan")], "resampled")
    assert (made.rank, made.p_value, made.n) == (0.5, 4 / 5, 4)
    assert rank_of(9.0, [1.0, 2.0, 3.0], "shifts").rank == 1.0
    assert math.isnan(rank_of(float("nan"), [1.0], "shifts").rank)
    assert math.isnan(rank_of(1.0, [], "shifts").rank)


def test_what_does_not_match_is_refused() -> None:
    prices, bills = market(60)
    held = in_force(prices)
    with pytest.raises(DataError, match="closes on the 60 sessions of the weights"):
        timing_gain(held, prices.iloc[1:], bills, USUAL)
    with pytest.raises(DataError, match="bills on the 60 sessions"):
        timing_gain(held, prices, bills.iloc[::-1], USUAL)
    with pytest.raises(DataError, match="closes of MU; none"):
        timing_gain(held, prices.drop(columns="MU"), bills, USUAL)
    with pytest.raises(DataError, match="finite weights"):
        timing_gain(held.where(held > 0.2), prices, bills, USUAL)
    with pytest.raises(DataError, match="bill return for every session"):
        timing_gain(held, prices, bills.where(bills > 1e-4), USUAL)
    with pytest.raises(ConfigError, match="at least 1 shift"):
        shift_placebo(held, prices, bills, USUAL, shifts=0)


# --- Resampled histories ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(history: History) -> tuple[pd.DataFrame, pd.DataFrame]:
    return resample_prices(history.panel, history.closes, seed=11)


def test_values_are_where_they_were(history: History, drawn: tuple) -> None:
    panel, closes = drawn
    pd.testing.assert_frame_equal(panel.isna(), history.panel.isna())
    pd.testing.assert_frame_equal(closes.isna(), history.closes.isna())
    assert (closes.fillna(1.0) > 0).to_numpy().all()


def test_quantities_stay_and_the_market_moves(history: History, drawn: tuple) -> None:
    panel, _ = drawn
    for id in history.panel:
        same = panel[id].equals(history.panel[id])
        moves = is_quoted(id) or id not in CATALOG
        assert same == (not moves or history.panel[id].notna().sum() < 2), id


def test_what_is_quoted_is_what_a_market_prices_each_day() -> None:
    quoted = {id for id in CATALOG if is_quoted(id)}
    assert quoted == {
        "SOFR", "EFFR", "DGS3MO", "DTB3", "DGS2", "DGS10", "DGS30", "DFII10", "T10YIE", "T10Y2Y",
        "T10Y3M", "THREEFYTP10", "BAA10Y", "BAMLH0A0HYM2", "BAMLC0A0CM", "VIXCLS", "DTWEXBGS",
    }  # fmt: skip
    assert set(NOT_QUOTED) <= set(CATALOG)


def test_equal_seeds_draw_equal_histories(history: History, drawn: tuple) -> None:
    again = resample_prices(history.panel, history.closes, seed=11)
    pd.testing.assert_frame_equal(again[0], drawn[0])
    pd.testing.assert_frame_equal(again[1], drawn[1])
    assert not resample_prices(history.panel, history.closes, seed=12)[1].equals(drawn[1])


def assert_coins_and_shares_fit(panel: pd.DataFrame, closes: pd.DataFrame) -> None:
    """Assert how the panel's prices go with closes, in the original as in a draw."""
    next_day = np.diff(panel.index.to_numpy()) == np.timedelta64(1, "D")
    for name in closes:
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


def test_coins_stay_a_session_behind(history: History, drawn: tuple) -> None:
    assert_coins_and_shares_fit(history.panel, history.closes)
    assert_coins_and_shares_fit(*drawn)
    ahead = drawn[0].copy()
    ahead["BTC-USD"] = drawn[1]["BTC-USD"]
    with pytest.raises(AssertionError, match="BTC-USD"):
        assert_coins_and_shares_fit(ahead, drawn[1])


def logs(closes: pd.DataFrame) -> pd.DataFrame:
    """Return log returns of what was listed for years."""
    listed = closes.loc[:, closes.notna().sum() > 2500]
    return np.log(listed).diff()


def unlike(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Return the columns whose returns are spread differently, by a fifth at some quantile."""
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
    error = original.std() / np.sqrt(original.count() * len(many) / 3)
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


def test_yields_stay_among_those_ever_quoted(history: History, drawn: tuple) -> None:
    since = history.closes.notna().any(axis=1).idxmax()
    for id in filter(is_quoted, history.panel):
        before, after = history.panel[id].loc[since:], drawn[0][id].loc[since:]
        assert before.min() - 1e-9 <= after.min() < after.max() <= before.max() + 1e-9, id
        assert after.diff().std() == pytest.approx(before.diff().std(), rel=0.35), id
    unmoved = history.panel.loc[:since, "DGS10"]
    pd.testing.assert_series_equal(drawn[0].loc[:since, "DGS10"], unmoved)


def test_yields_keep_to_each_other_and_to_prices(history: History, drawn: tuple) -> None:
    def slope_gap(panel: pd.DataFrame) -> float:
        return float((panel["DGS10"] - panel["DGS2"] - panel["T10Y2Y"]).abs().median())

    def with_bonds(panel: pd.DataFrame, closes: pd.DataFrame) -> float:
        return float(np.log(closes["TLT"]).shift(1).diff().corr(panel["DGS30"].diff()))

    assert slope_gap(drawn[0]) < slope_gap(history.panel) + 0.01
    was = with_bonds(history.panel, history.closes)
    assert was < -0.7
    assert with_bonds(*drawn) == pytest.approx(was, abs=0.1)
    assert abs(with_bonds(drawn[0], history.closes)) < 0.1


def test_signals_read_a_drawn_history(history: History, drawn: tuple) -> None:
    before, after = signals.read(history.panel), signals.read(drawn[0])
    seen = before.regime.notna()
    assert seen.sum() > 2500
    assert after.regime[seen].notna().mean() > 0.95
    assert after.regime.nunique() >= 3
    for name in ("dry_powder", "capex", "bathtub", "absorption"):
        pd.testing.assert_series_equal(after.flags[name], before.flags[name])
    for name in ("cost_of_capital", "crypto_probe", "inverse_qe"):
        assert not after.flags[name].equals(before.flags[name])


def test_simulated_histories_can_be_drawn_too() -> None:
    simulated = History.simulated(seed=2, years=8)
    panel, closes = resample_prices(simulated.panel, simulated.closes, seed=1)
    pd.testing.assert_frame_equal(panel.isna(), simulated.panel.isna())
    assert_coins_and_shares_fit(panel, closes)


# --- Small histories, where every change can be traced ---------------------------------------


def small(n: int = 400, late: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two shares with traceable returns, the second listed late, and a yield."""
    step = np.arange(n) / 1e5
    closes = pd.DataFrame(
        {"SPY": np.exp(step.cumsum()), "IWM": np.exp(step.cumsum()), "MU": np.exp(-step.cumsum())},
        index=SESSIONS[:n],
    )
    closes.iloc[:late, 2] = np.nan
    return closes.assign(DGS10=3 + np.sin(np.arange(n) / 9), WALCL=4e6 + step), closes


def steps(closes: pd.DataFrame, name: str) -> np.ndarray:
    """Return which session each change was drawn from, of the one asset that has one."""
    back = np.log(closes[name]).diff().dropna().to_numpy() * 1e5
    return np.round(np.abs(back)).astype(int)


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
    for name in closes:
        start = closes[name].first_valid_index()
        assert new.loc[start, name] == pytest.approx(closes.loc[start, name], rel=1e-12)


def test_gains_come_by_strategy_and_draw() -> None:
    panel, closes = small()

    def timing(panel: pd.DataFrame, closes: pd.DataFrame) -> dict[str, float]:
        assert panel["SPY"].equals(closes["SPY"])
        return {"last": float(closes["SPY"].iloc[-1]), "yield": float(panel["DGS10"].iloc[-1])}

    gains = resample_placebo(timing, panel, closes, draws=4, seed=5)
    assert {name: len(set(values)) for name, values in gains.items()} == {"last": 4, "yield": 4}
    more = resample_placebo(timing, panel, closes, draws=6, seed=5)
    assert more["last"][:4] == gains["last"]
    assert resample_placebo(timing, panel, closes, draws=4, seed=6) != gains
    with pytest.raises(ConfigError, match="at least 1 draw"):
        resample_placebo(timing, panel, closes, draws=0)


def test_histories_that_do_not_match_are_refused() -> None:
    panel, closes = small()
    with pytest.raises(DataError, match="closes on the panel's 400 sessions"):
        resample_prices(panel, closes.iloc[1:], seed=1)
    with pytest.raises(DataError, match="expected closes of IWM"):
        resample_prices(panel, closes.drop(columns="IWM"), seed=1)
    with pytest.raises(DataError, match="prices on at least 2 sessions"):
        resample_prices(panel, closes * np.nan, seed=1)
    with pytest.raises(ConfigError, match="block of at least 1 session"):
        resample_prices(panel, closes, block=0, seed=1)
