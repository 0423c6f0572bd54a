"""Link L10: forced selling starts in the least trusted assets and then reaches other assets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import ScoreSignal
from signals.transforms import composite, same_date, zscore
from signals.universe import CLASSES, UNIVERSE, members

_CLASSES = tuple(c for c in CLASSES if c != "other")
COINS = ("BTC-USD", "ETH-USD", "SOL-USD")
FUNDING = ("FUNDING_BTC", "FUNDING_ETH", "FUNDING_SOL")
FLOWS = ("FLOW_BTC_ETF", "FLOW_ETH_ETF")


@dataclass(frozen=True, kw_only=True)
class _Cascade(ScoreSignal):
    """Parameters and flag rule of :class:`ForcedSelling` and :class:`CryptoForcedSelling`.

    Parameters
    ----------
    short
        Number of sessions in the short window.
    long
        Number of sessions in the long window.
    window
        Number of sessions in the window for correlations.
    """

    decides: ClassVar[str] = "mean"
    must_be_positive: ClassVar[tuple[str, ...]] = ("short", "long", "window")

    enter: float = 1.5
    leave: float = 0.5
    confirm: int = 2
    short: int = 10
    long: int = 63
    window: int = 21

    @property
    def components(self) -> tuple[str, ...]:
        """Names of all gauges except ``mean``, ``score`` and ``without``."""
        return tuple(self.units)[:-3]


@dataclass(frozen=True, kw_only=True)
class ForcedSelling(_Cascade):
    """Whether volatility jumps, assets fall together and credit underperforms Treasuries.

    Formula
        The mean is the average of the z-scores of six components. The score is the z-score of the
        mean. Component 1 is SPY's realised volatility over ``short`` sessions divided by SPY's
        volatility over ``long`` sessions. Component 2 is bitcoin's volatility over ``short``
        sessions divided by bitcoin's volatility over ``long`` sessions. Component 3 is the
        percentage of variance that the first principal component explains. The principal component
        is computed from the correlations of daily class returns over ``window`` sessions. Component
        4 is the percentage of assets in the universe that fell over ``short`` sessions. Component 5
        is the change of the VIX over ``short`` sessions. Component 6 is the change of the price
        ratio HYG/IEF over ``short`` sessions, in %, with the opposite sign.
    Flag
        The flag turns on when the mean is above ``enter`` for 2 sessions in a row. The flag turns
        off when the mean is below ``leave`` for 2 sessions in a row. During forced sales, most
        components are extreme at the same time, so the mean of the components is high. The flag
        uses the mean of the components, not the score.
    Timing
        Each component uses the newest closes known at the session. Class returns use closes up to
        the previous session. So the closes of coins and shares have the same date. The VIX comes
        from FRED and is known one session after its date.
    NaN
        The mean needs at least half of its components. The score omits components without enough
        data, and needs 252 sessions with values of all other components.
    Reference
        Brunnermeier, Pedersen, "Market Liquidity and Funding Liquidity", RFS (2009); Coval,
        Stafford, JFE (2007); Adrian, Shin, JFI (2010). The use of the first principal component
        follows Kritzman, Li, Page, Rigobon, "Principal Components as a Measure of Systemic Risk"
        (2011). Forced sales of coins alone change this signal little. See
        :class:`CryptoForcedSelling`.
    """

    name: ClassVar[str] = "forced_selling"
    link: ClassVar[str] = "L10"
    headline: ClassVar[str] = "mean"
    units: ClassVar[dict[str, str]] = {
        "falling": "% of the universe",
        "volatility_spy": "ratio",
        "volatility_btc": "ratio",
        "common": "% of variance",
        "vix": "points",
        "credit": "%",
        "mean": "σ",
        "score": "σ",
        "without": "name",
    }
    inputs: ClassVar[tuple[str, ...]] = (*UNIVERSE, "VIXCLS")

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the components and the score."""
        prices = panel[list(UNIVERSE)]
        parts = {
            "falling": share_falling(prices, self.short),
            "volatility_spy": volatility_ratio(panel["SPY"], self.short, self.long),
            "volatility_btc": volatility_ratio(panel["BTC-USD"], self.short, self.long),
            "common": common_share(_class_returns(panel), self.window),
            "vix": panel["VIXCLS"].diff(self.short),
            "credit": 100 * (panel["HYG"] / panel["IEF"]).pct_change(self.short, fill_method=None),
        }
        return _with_composite(parts, against=("credit",))


@dataclass(frozen=True, kw_only=True)
class CryptoForcedSelling(_Cascade):
    """Forced selling among coins, measured by prices, funding rates and fund flows.

    Formula
        The mean is the average of the z-scores of five components. The score is the z-score of the
        mean. Component 1 is bitcoin's realised volatility over ``short`` sessions divided by
        bitcoin's volatility over ``long`` sessions. Component 2 is the mean return of the coins
        over ``short`` sessions, with the opposite sign. Component 3 is the percentage of variance
        that the first principal component explains. The principal component is computed from the
        correlations of the coins' daily returns over ``window`` sessions. Component 4 is the mean
        funding rate of the coins, with the opposite sign. Component 5 is the flow into bitcoin and
        ether funds over ``short`` sessions, with the opposite sign.
    Flag
        The flag turns on when the mean is above ``enter`` for 2 sessions in a row. The flag turns
        off when the mean is below ``leave`` for 2 sessions in a row.
    Timing
        The closes of coins and the funding rates are from the date before the session. Flows are
        known one session after their date.
    NaN
        The mean needs at least three of its five components. Funding rates and flows may both be
        missing. If a component is missing, the score is the z-score of the mean of the other
        components.
    Reference
        See the references of :class:`ForcedSelling`. :class:`ForcedSelling` misses forced sales
        that affect only coins.
    """

    name: ClassVar[str] = "crypto_forced_selling"
    link: ClassVar[str] = "L10"
    headline: ClassVar[str] = "mean"
    units: ClassVar[dict[str, str]] = {
        "fall": "%",
        "volatility": "ratio",
        "common": "% of variance",
        "funding": "per 8 hours",
        "flow": "USD millions",
        "mean": "σ",
        "score": "σ",
        "without": "name",
    }
    inputs: ClassVar[tuple[str, ...]] = (*COINS, *FUNDING, *FLOWS)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the components and the score."""
        coins = panel[list(COINS)]
        parts = {
            "fall": -100 * coins.pct_change(self.short, fill_method=None).mean(axis=1),
            "volatility": volatility_ratio(panel["BTC-USD"], self.short, self.long),
            "common": common_share(coins.pct_change(fill_method=None), self.window),
            "funding": panel[list(FUNDING)].mean(axis=1),
            "flow": panel[list(FLOWS)].sum(axis=1, min_count=1).rolling(self.short).sum(),
        }
        return _with_composite(parts, against=("funding", "flow"))


def _with_composite(parts: Mapping[str, pd.Series], against: tuple[str, ...]) -> pd.DataFrame:
    """Return the components, the mean of their z-scores, the score, and the omitted components.

    The mean and the score use the components in ``against`` with the opposite sign.
    """
    made = composite({name: zscore(-x if name in against else x) for name, x in parts.items()})
    return pd.DataFrame({**parts, **vars(made)})


def volatility_ratio(prices: pd.Series, short: int, long: int) -> pd.Series:
    """Return the short-window volatility of daily returns divided by the long-window volatility."""
    returns = prices.pct_change(fill_method=None)
    ratio: pd.Series = returns.rolling(short).std() / returns.rolling(long).std()
    return ratio.where(np.isfinite(ratio))


def share_falling(prices: pd.DataFrame, window: int) -> pd.Series:
    """Return the percentage of assets whose price fell over a window."""
    change = prices.diff(window)
    there = change.notna().sum(axis=1).replace(0, np.nan)
    return 100 * (change < 0).sum(axis=1) / there


def common_share(returns: pd.DataFrame, window: int) -> pd.Series:
    """Return the largest eigenvalue of each window's correlation matrix, in % of the trace.

    The function omits columns with missing or constant returns in the window. If fewer than two
    columns have complete and varying returns, the result is NaN.
    """
    x = returns.to_numpy(dtype=np.float64)
    out = np.full(len(x), np.nan)
    if len(x) < window:
        return pd.Series(out, index=returns.index)
    views = np.lib.stride_tricks.sliding_window_view(x, window, axis=0)
    spread = views.std(axis=2)
    whole = np.isfinite(spread) & (spread > 0)
    safe = np.where(whole, spread, 1.0)[..., None]
    standard = np.where(whole[..., None], (views - views.mean(axis=2, keepdims=True)) / safe, 0.0)
    correlations = standard @ standard.transpose(0, 2, 1) / window
    count = whole.sum(axis=1)
    largest = np.linalg.eigvalsh(correlations)[:, -1]
    out[window - 1 :] = np.where(count >= 2, 100 * largest / np.maximum(count, 1), np.nan)
    return pd.Series(out, index=returns.index)


def _class_returns(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the daily return of each class: the mean of its members' returns on the same date."""
    returns = same_date(panel, list(UNIVERSE)).pct_change(fill_method=None)
    return pd.DataFrame({c: returns[list(members(c))].mean(axis=1) for c in _CLASSES})
