"""L10: forced selling cascades, lowest conviction first, and margin tightens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import ScoreSignal, positive
from signals.transforms import composite, same_date, zscore
from signals.universe import CLASSES, UNIVERSE, members

_CLASSES = tuple(c for c in CLASSES if c != "other")
COINS = ("BTC-USD", "ETH-USD", "SOL-USD")


@dataclass(frozen=True, kw_only=True)
class _Cascade(ScoreSignal):
    """What both have in common: the windows, and a flag on the mean of z."""

    decides: ClassVar[str] = "mean"

    enter: float = 1.5
    leave: float = 0.5
    confirm: int = 2
    short: int = 10
    long: int = 63
    window: int = 21

    @property
    def components(self) -> tuple[str, ...]:
        """All gauges but the mean, the score, and the names of what does not count."""
        return tuple(self.units)[:-3]

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        for name in ("short", "long", "window"):
            positive(name, getattr(self, name))
        ScoreSignal.__post_init__(self)


@dataclass(frozen=True, kw_only=True)
class ForcedSelling(_Cascade):
    """Volatility jumps, everything falls together, and credit falls behind Treasuries.

    Formula
        mean = mean of the z of: realised volatility over ``short`` sessions against ``long`` for
        SPY, the same for bitcoin, the share of the first principal component of the correlations
        of daily returns across classes over ``window`` sessions, the share of the universe that
        fell over ``short`` sessions, Δ VIX over ``short`` sessions, and minus the change in % of
        HYG/IEF over ``short`` sessions. score = z(mean).
    Flag
        On when the mean is above ``enter``, off when below ``leave``, confirmed in 2 sessions. On
        the mean, not the score: a cascade is when most of them are extreme at once.
    Timing
        Closes as known; across classes all on the date of the session before. VIX from FRED, the
        next session.
    NaN
        The mean needs half of its components, the score 252 means of those it rests on.
    Reference
        Brunnermeier, Pedersen, "Market Liquidity and Funding Liquidity", RFS (2009); Coval,
        Stafford, JFE (2007); Adrian, Shin, JFI (2010); the common factor as in Kritzman, Li, Page,
        Rigobon, "Principal Components as a Measure of Systemic Risk" (2011). Crypto-only cascades
        hardly move it: see :class:`CryptoForcedSelling`.

    Parameters
    ----------
    short, long, window
        Sessions.
    enter, leave, confirm
        See :class:`signals.base.ScoreSignal`.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
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

    @property
    def inputs(self) -> tuple[str, ...]:
        """The whole universe, and the VIX."""
        return (*UNIVERSE, "VIXCLS")

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
    """The same among coins alone, with funding and fund flows where they are held.

    Formula
        mean = mean of the z of: realised volatility of bitcoin over ``short`` sessions against
        ``long``, minus the mean return of the coins over ``short`` sessions, the share of the
        first principal component of their returns over ``window`` sessions, minus the mean
        funding rate, and minus the flow into bitcoin and ether funds over ``short`` sessions.
        score = z(mean).
    Flag
        On when the mean is above ``enter``, off when below ``leave``, confirmed in 2 sessions.
    Timing
        Coins at the close of the date before; funding likewise; flows the next session.
    NaN
        The mean needs three of its five components, so funding and flows are optional. The score
        compares those it rests on with their own past alone.
    Reference
        As :class:`ForcedSelling`, which misses cascades that stay among coins.

    Parameters
    ----------
    short, long, window
        Sessions.
    enter, leave, confirm
        See :class:`signals.base.ScoreSignal`.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
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

    @property
    def inputs(self) -> tuple[str, ...]:
        """The coins, their funding, flows into their funds."""
        funding = ("FUNDING_BTC", "FUNDING_ETH", "FUNDING_SOL")
        return (*COINS, *funding, "FLOW_BTC_ETF", "FLOW_ETH_ETF")

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the components and the score."""
        coins = panel[list(COINS)]
        funding = panel[["FUNDING_BTC", "FUNDING_ETH", "FUNDING_SOL"]].mean(axis=1)
        flow = panel[["FLOW_BTC_ETF", "FLOW_ETH_ETF"]].sum(axis=1, min_count=1)
        parts = {
            "fall": -100 * coins.pct_change(self.short, fill_method=None).mean(axis=1),
            "volatility": volatility_ratio(panel["BTC-USD"], self.short, self.long),
            "common": common_share(coins.pct_change(fill_method=None), self.window),
            "funding": funding,
            "flow": flow.rolling(self.short).sum(),
        }
        return _with_composite(parts, against=("funding", "flow"))


def _with_composite(parts: Mapping[str, pd.Series], against: tuple[str, ...]) -> pd.DataFrame:
    """Return the components with their composite; those ``against`` count with a minus sign."""
    made = composite({name: zscore(-x if name in against else x) for name, x in parts.items()})
    return pd.DataFrame({**parts, "mean": made.mean, "score": made.score, "without": made.without})


def volatility_ratio(prices: pd.Series, short: int, long: int) -> pd.Series:
    """Return the volatility of daily returns over the short window against the long one."""
    returns = prices.pct_change(fill_method=None)
    ratio: pd.Series = returns.rolling(short).std() / returns.rolling(long).std()
    return ratio.where(np.isfinite(ratio))


def share_falling(prices: pd.DataFrame, window: int) -> pd.Series:
    """Return the share, %, of the assets with a price that fell over a window."""
    change = prices.diff(window)
    there = change.notna().sum(axis=1).replace(0, np.nan)
    return 100 * (change < 0).sum(axis=1) / there


def common_share(returns: pd.DataFrame, window: int) -> pd.Series:
    """Return the largest eigenvalue of the correlations of a window, % of their trace.

    Columns with a missing return in the window are left out; NaN with fewer than two.
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
    """Return daily returns by class, the mean over members, all on one date."""
    returns = same_date(panel, list(UNIVERSE)).pct_change(fill_method=None)
    return pd.DataFrame({c: returns[list(members(c))].mean(axis=1) for c in _CLASSES})
